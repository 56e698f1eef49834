//! Hold-out: each group is measured by a model that was fitted on the others, thresholds included.

use std::collections::BTreeMap;

use crate::pipeline::conflate::{FitError, FitSet, Fitted, Model, fit};

/// Labelled pairs that belong to a group, e.g. those of one city.
#[derive(Debug, Clone, Copy)]
pub struct Grouped<'a> {
    /// Which group.
    pub group: &'a str,
    /// What the set is called in the model's `fitted_on`.
    pub name: &'a str,
    /// The pairs.
    pub set: FitSet<'a>,
}

/// Why no group can be held out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum HoldOutError {
    #[error("there is one group only, `{group}`; holding out needs two, see --group-by")]
    OneGroup { group: String },
    #[error("nothing can be learned without `{group}`")]
    Fit { group: String, source: FitError },
}

/// Fits one model per group, on the pairs of all the others.
///
/// # Errors
///
/// When there is one group only, or the others of one are all matches or all misses.
pub fn hold_out(template: &Model, sets: &[Grouped<'_>]) -> Result<BTreeMap<String, Fitted>, HoldOutError> {
    let mut fitted = BTreeMap::new();
    for Grouped { group, .. } in sets {
        if fitted.contains_key(*group) {
            continue;
        }
        let others: Vec<Grouped<'_>> = sets.iter().filter(|set| set.group != *group).copied().collect();
        if others.is_empty() {
            return Err(HoldOutError::OneGroup { group: (*group).to_owned() });
        }
        let model =
            fit_on(template, &others).map_err(|source| HoldOutError::Fit { group: (*group).to_owned(), source })?;
        fitted.insert((*group).to_owned(), model);
    }
    Ok(fitted)
}

/// Fits a model on sets and says in it on which, with their pairs.
///
/// # Errors
///
/// As [`fit`].
pub fn fit_on(template: &Model, sets: &[Grouped<'_>]) -> Result<Fitted, FitError> {
    let told = |set: &Grouped<'_>| {
        let matches = set.set.pairs.iter().filter(|(_, is_match)| *is_match).count();
        format!("{} ({} pairs, {matches} matches)", set.name, set.set.pairs.len())
    };
    let fitted_on = sets.iter().map(told).collect::<Vec<_>>().join(", ");
    let sets: Vec<FitSet<'_>> = sets.iter().map(|grouped| grouped.set).collect();
    fit(template, &sets, fitted_on)
}
