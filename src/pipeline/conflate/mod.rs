//! Conflate: decide which records describe the same place, and make one of them.
//!
//! ```text
//! records ─ evidence ─▶ corpus ─ candidates ─▶ pairs ─ features, model ─▶ scores ─ cluster ─▶ merge ─▶ places
//! ```
//!
//! - **Shape**: n records in, at most n groups of them out. Every record is in exactly one; [`Merger`] makes a place of a group
//!   when that is written.
//! - **Units**: distances in metres on the ground, scores in `[0, 1]`.
//! - **Cost**: O(n log n + p) time, O(n + p) memory, for p pairs within the radius of their category.
//! - **Order**: the result depends on the set of records, not on the order they come in.
//! - **Source**: match, review and miss with two thresholds, after Hootenanny's *Unifying POI Conflation*; one-to-one
//!   assignment, best pair first, is worth 8 points of F1 on labelled pairs (GER-LLM, Pittsburgh).

pub mod bridge;
mod candidates;
mod cluster;
mod companies;
mod corpus;
mod decisions;
mod evidence;
mod features;
mod fit;
mod hidden_ids;
pub mod identity;
mod merge;
mod model;
mod nearby;
mod partners;
mod rivals;
mod score;
mod sites;
mod spelling;
mod survivorship;
mod tokens;
mod uncompared;
mod veto;
mod words;

pub use cluster::{Link, Reason, Verdict};
pub use corpus::Corpus;
pub use decisions::{Decision, Decisions, DecisionsError, UnderReview, Updated, update};
pub use evidence::Evidence;
pub use features::{Feature, Features};
pub use fit::{FitError, FitSet, Fitted, fit, written};
pub use hidden_ids::{BySources, FoundBlind};
pub use merge::{Merge, Merger, Merging};
pub use model::{Curve, Model, ModelError, Models, Piece, Shape, probability};
pub use partners::partners;
pub use score::{Compared, Score};
pub use survivorship::{Attribute, Rule, Survivorship};
pub use uncompared::{Uncompared, uncompared};
pub use veto::Veto;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::domain::Taxonomy;
use crate::pipeline::RunError;
use crate::pipeline::records::Records;

/// Which records are the same place, and the pairs that were looked at closely.
#[derive(Debug)]
pub struct Conflation {
    /// Indices of the records of each place, each sorted, by their first, which is the founding record.
    pub clusters: Vec<Vec<usize>>,
    /// Pairs at or above the review threshold, and those a person decided on, by their records.
    pub links: Vec<Link>,
    /// Pairs compared.
    pub candidates: u64,
    /// Decisions on records that no source has.
    pub decisions_unused: usize,
    /// Pairs that decisions unite through other records though a veto keeps them apart, by their records.
    pub overruled: Vec<(usize, usize)>,
    /// What the matcher finds of the pairs that are known by their ids, when these are hidden.
    pub found_blind: BySources,
}

/// Which records are the same place, before anything is merged.
#[derive(Debug)]
pub struct Resolution {
    /// Groups of records by their indices, each sorted, by their first: one group per place.
    pub clusters: Vec<Vec<usize>>,
    /// Pairs at or above the review threshold, and those a person decided on, sorted.
    pub links: Vec<Link>,
    /// Pairs compared.
    pub candidates: u64,
    /// Pairs that decisions unite through other records though a veto keeps them apart, sorted.
    pub overruled: Vec<(usize, usize)>,
}

/// Finds the records that are the same place. `forced` are a person's verdicts, by indices, the smaller first.
#[must_use]
pub fn resolve(
    corpus: &Corpus,
    taxonomy: &Taxonomy,
    models: &Models,
    forced: &BTreeMap<(usize, usize), Decision>,
) -> Resolution {
    let compared = Compared::with_candidates(corpus, models, taxonomy);
    let (clusters, links) = cluster::of(corpus, models, &compared, forced);
    let overruled = decisions::overruled(forced, &compared);
    Resolution { clusters, links, candidates: compared.len() as u64, overruled }
}

/// The pairs that [`resolve`] compares: indices of two records, the smaller first; sorted, each once.
#[must_use]
pub fn candidates(corpus: &Corpus, taxonomy: &Taxonomy) -> Vec<(usize, usize)> {
    candidates::of(corpus, taxonomy)
}

/// Records whose evidence is in memory at once: it takes ten times what the corpus keeps of it.
const AT_ONCE: usize = 1 << 14;

/// Finds the records that describe the same place.
///
/// # Errors
///
/// When a record cannot be read back.
pub fn conflate(
    records: &Records,
    taxonomy: &Taxonomy,
    models: &Models,
    decisions: &Decisions,
) -> Result<Conflation, RunError> {
    let forced = decisions.among(records);
    let corpus = corpus_of(records)?;
    let Resolution { clusters, links, candidates, overruled } = resolve(&corpus, taxonomy, models, &forced);
    let decisions_unused = decisions.len() - forced.len();
    let found_blind = hidden_ids::find_blind(corpus, taxonomy, models, &forced);
    Ok(Conflation { clusters, links, candidates, decisions_unused, overruled, found_blind })
}

fn corpus_of(records: &Records) -> Result<Corpus, RunError> {
    let mut failed = None;
    let some = (0..records.len()).step_by(AT_ONCE).map_while(|first| {
        let some = (first..records.len().min(first + AT_ONCE)).into_par_iter();
        let evidence = some.map(|at| Ok(Evidence::of(&records.read(at)?))).collect::<Result<Vec<_>, RunError>>();
        evidence.map_err(|error| failed = Some(error)).ok()
    });
    let corpus = Corpus::of(some.flatten());
    failed.map_or(Ok(corpus), Err)
}
