//! Linked: two whole tables against a list of all pairs that are one place, end to end.

use std::collections::{BTreeMap, BTreeSet};

use super::{BCubed, Counts, components};
use crate::domain::{Record, Taxonomy};
use crate::pipeline::conflate::{Corpus, Evidence, Models, candidates, resolve};

/// What the matcher made of two tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    /// Records of each table.
    pub records: [u64; 2],
    /// Pairs that are one place.
    pub truth: u64,
    /// Pairs compared, of one record of each table.
    pub candidates: u64,
    /// Of the pairs that are one place, those that are compared at all.
    pub compared: u64,
    /// Pairs of one record of each table that ended in one place, against the truth.
    pub counts: Counts,
    /// Clusters found against clusters true.
    pub b_cubed: Option<BCubed>,
    /// Pairs that were linked and are not one place.
    pub wrong: Vec<(usize, usize)>,
    /// Pairs that are one place and were not linked, and whether they were compared.
    pub missed: Vec<((usize, usize), bool)>,
}

impl Linked {
    /// Pairs completeness: of the pairs that are one place, the share that is compared at all.
    #[must_use]
    pub fn completeness(&self) -> Option<f64> {
        (self.truth > 0).then(|| self.compared as f64 / self.truth as f64)
    }

    /// Reduction ratio: of all pairs of the two tables, the share that need not be compared.
    ///
    /// **Source**: both after Christen 2012, *Data Matching*, section 7.3.
    #[must_use]
    pub fn reduction(&self) -> Option<f64> {
        let all = self.records[0] * self.records[1];
        (all > 0).then(|| 1.0 - self.candidates as f64 / all as f64)
    }
}

/// Runs the whole matcher on `records`, those of the first table with dataset 0, and compares what it links with `truth`.
///
/// A linked pair that the truth does not list is wrong: the list must be whole.
#[must_use]
pub fn link_tables(
    records: &[Record],
    truth: &BTreeSet<(usize, usize)>,
    taxonomy: &Taxonomy,
    models: &Models,
) -> Linked {
    let corpus = Corpus::of(records.iter().map(Evidence::of));
    let dataset = |at: usize| records[at].key.dataset;
    let across = |(a, b): &(usize, usize)| dataset(*a) != dataset(*b);
    let compared: BTreeSet<(usize, usize)> = candidates(&corpus, taxonomy).into_iter().filter(across).collect();
    let resolution = resolve(&corpus, taxonomy, models, &BTreeMap::new());

    let mut found = BTreeSet::new();
    let mut cluster_of = vec![0; records.len()];
    for (number, members) in resolution.clusters.iter().enumerate() {
        for (rank, a) in members.iter().enumerate() {
            cluster_of[*a] = number;
            found.extend(members[rank + 1..].iter().map(|b| (*a, *b)).filter(across));
        }
    }
    let missed: Vec<(usize, usize)> = truth.difference(&found).copied().collect();
    let wrong: Vec<(usize, usize)> = found.difference(truth).copied().collect();
    let of_table = |table: usize| records.iter().filter(|record| record.key.dataset == table).count() as u64;
    Linked {
        records: [of_table(0), of_table(1)],
        truth: truth.len() as u64,
        candidates: compared.len() as u64,
        compared: truth.intersection(&compared).count() as u64,
        counts: Counts {
            right: (truth.len() - missed.len()) as u64,
            wrong: wrong.len() as u64,
            missed: missed.len() as u64,
        },
        b_cubed: BCubed::of(&cluster_of, &components(records.len(), truth.iter().copied())),
        missed: missed.into_iter().map(|pair| (pair, compared.contains(&pair))).collect(),
        wrong,
    }
}
