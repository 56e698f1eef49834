//! Fit: learns the weights of a model from labelled pairs.
//!
//! - **In**: a template, whose curves say which features count, at which values their weights are given and in which
//!   direction they may go; sets of labelled pairs, each with the corpus of its records.
//! - **Out**: the template with new weights and thresholds. Weights have two decimals, so that the file is the model.
//! - **Method**: logistic regression on the rises between neighbouring knots, by Newton steps under the bounds that
//!   shapes set. A ridge on the rises keeps neighbours alike, so that a knot without pairs follows the next one.
//! - **Sets count equally**, however many pairs each has.
//! - **Same bytes**: sums are taken over fixed blocks, in order, so the number of threads changes nothing.
//! - **Source**: hinge basis and ridge on differences after Eilers and Marx 1996, *Statistical Science* 11:89; projected
//!   Newton steps after Bertsekas 1982, *SIAM Journal on Control and Optimization* 20:221.

mod design;
mod newton;
#[cfg(test)]
mod tests;
mod thresholds;
mod written;

use rayon::prelude::*;

use super::corpus::Corpus;
use super::features::{Feature, Features};
use super::model::{Model, Models};
use super::score::Compared;
use design::Design;
pub use written::written;

/// Labelled pairs and the records that they are about.
#[derive(Debug, Clone, Copy)]
pub struct FitSet<'a> {
    /// The records.
    pub corpus: &'a Corpus,
    /// Pairs to compare, sorted, each once: the candidates of the records and the labelled pairs, because a pair is
    /// judged by its rivals too.
    pub compared: &'a [(usize, usize)],
    /// Pairs by the indices of their records, and whether they are one place.
    pub pairs: &'a [((usize, usize), bool)],
}

/// What a fit made of its template.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The model with the weights learned.
    pub model: Model,
    /// Features of the template that no pair knows: their weights stayed as they were.
    pub by_hand: Vec<Feature>,
    /// Pairs learned from, without those that a veto decides.
    pub pairs: usize,
    /// Those of them that are one place.
    pub matches: usize,
}

/// Why nothing can be learned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum FitError {
    #[error("a fit needs pairs that are one place and pairs that are not; there are {matches} and {misses}")]
    OneSided { matches: usize, misses: usize },
}

/// A pair as the fit sees it.
struct Example {
    seen: Features,
    is_match: bool,
    /// How much it counts; 1 in the mean.
    weight: f64,
}

/// Learns the weights of `template` from `sets`, and says in the model what it was fitted on.
///
/// Pairs that a veto decides are left out: no weight matters to them.
///
/// # Errors
///
/// When the pairs are all of one kind.
pub fn fit<'a>(template: &Model, sets: &[FitSet<'a>], fitted_on: String) -> Result<Fitted, FitError> {
    let models = Models::both(template);
    let compared = |set: &FitSet<'a>, models| Compared::of(set.corpus, models, set.compared);
    let by_set: Vec<Vec<Example>> = sets.iter().map(|set| examples(set, &compared(set, &models))).collect();
    let by_set: Vec<Vec<Example>> = by_set.into_iter().filter(|set| !set.is_empty()).collect();
    let pairs: usize = by_set.iter().map(Vec::len).sum();
    let matches = by_set.iter().flatten().filter(|example| example.is_match).count();
    if matches == 0 || matches == pairs {
        return Err(FitError::OneSided { matches, misses: pairs - matches });
    }
    let mut by_set = by_set;
    let count = by_set.len() as f64;
    for set in &mut by_set {
        let weight = pairs as f64 / (count * set.len() as f64);
        for example in set {
            example.weight = weight;
        }
    }
    let all: Vec<&Example> = by_set.iter().flatten().collect();
    let design = Design::of(template, &all);
    let coefficients = newton::solve(&design);
    let mut model = design.model(template, &coefficients, &all);
    model.fitted_on = fitted_on;

    let models = Models::both(&model);
    let scored: Vec<Vec<(f64, bool)>> = sets.iter().map(|set| scores(set, &compared(set, &models))).collect();
    model.match_score = thresholds::match_score(&scored);
    model.review_score = thresholds::review_score(&scored, model.match_score);
    Ok(Fitted { model, by_hand: design.by_hand(), pairs, matches })
}

/// What is seen of the pairs of a set that nothing vetoes.
fn examples(set: &FitSet<'_>, compared: &Compared<'_>) -> Vec<Example> {
    let example = |(pair, is_match): &((usize, usize), bool)| {
        let seen = compared.features(*pair);
        compared.veto(*pair).is_none().then_some(Example { seen, is_match: *is_match, weight: 1.0 })
    };
    set.pairs.par_iter().map(example).collect::<Vec<_>>().into_iter().flatten().collect()
}

/// The scores of the same pairs.
fn scores(set: &FitSet<'_>, compared: &Compared<'_>) -> Vec<(f64, bool)> {
    let score = |(pair, is_match): &((usize, usize), bool)| {
        let score = compared.score(*pair);
        score.veto.is_none().then_some((score.probability, *is_match))
    };
    set.pairs.par_iter().map(score).collect::<Vec<_>>().into_iter().flatten().collect()
}
