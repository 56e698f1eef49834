//! Clusters: how alike two ways are to group the same records.

use std::collections::BTreeMap;

/// B-cubed: of the records grouped with a record, how many belong to it, and how many of those are there.
///
/// **Source**: Bagga and Baldwin 1998, *LREC Workshop on Linguistic Coreference*: 563; each record counts once, and so do
/// clusters of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BCubed {
    /// Mean share of a record's found cluster that truly belongs with it, in `[0, 1]`.
    pub precision: f64,
    /// Mean share of a record's true cluster that was found with it, in `[0, 1]`.
    pub recall: f64,
}

impl BCubed {
    /// Compares what was found with the truth: per record, the number of its cluster. `None` without records.
    #[must_use]
    pub fn of(found: &[usize], truth: &[usize]) -> Option<Self> {
        debug_assert_eq!(found.len(), truth.len(), "both group the same records");
        let count = |clusters: &[usize]| {
            let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
            for cluster in clusters {
                *sizes.entry(*cluster).or_default() += 1;
            }
            sizes
        };
        let (sizes_found, sizes_true) = (count(found), count(truth));
        let mut shared: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        found.iter().zip(truth).for_each(|(a, b)| *shared.entry((*a, *b)).or_default() += 1);
        let (mut precision, mut recall) = (0.0, 0.0);
        for ((a, b), together) in &shared {
            let squared = (together * together) as f64;
            precision += squared / sizes_found[a] as f64;
            recall += squared / sizes_true[b] as f64;
        }
        let records = found.len() as f64;
        (records > 0.0).then(|| Self { precision: precision / records, recall: recall / records })
    }

    /// The harmonic mean of both.
    #[must_use]
    pub fn f1(self) -> f64 {
        2.0 * self.precision * self.recall / (self.precision + self.recall)
    }
}

/// The clusters that pairs make of so many records, each by its smallest record.
#[must_use]
pub fn components(records: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Vec<usize> {
    fn root(parent: &mut [usize], mut at: usize) -> usize {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    }
    let mut parent: Vec<usize> = (0..records).collect();
    for (a, b) in pairs {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        parent[a.max(b)] = a.min(b);
    }
    (0..records).map(|at| root(&mut parent, at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_cubed_is_that_of_its_paper() {
        // Bagga and Baldwin 1998, figures 1 to 3: the truth is 1–5, 6–7, 8–12. The first response joins 6–7 with 8–12,
        // the second joins 1–5 with 8–12.
        let truth = [0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2];
        let first = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
        let second = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
        for (found, precision) in [(first, 0.7619), (second, 0.5833)] {
            let found = BCubed::of(&found, &truth).unwrap();
            assert!((found.precision - precision).abs() < 5e-5 && found.recall == 1.0, "{found:?}");
        }
        let apart: Vec<usize> = (0..12).collect();
        let found = BCubed::of(&apart, &truth).unwrap();
        assert!(
            found.precision == 1.0 && (found.recall - 3.0 / 12.0).abs() < 1e-12,
            "each true cluster gives 1 in all"
        );
        assert_eq!(BCubed::of(&[], &[]), None);
    }

    #[test]
    fn pairs_make_clusters_in_any_order() {
        assert_eq!(components(6, [(4, 2), (0, 4), (3, 1)]), [0, 1, 0, 1, 0, 5]);
        assert_eq!(components(6, [(3, 1), (2, 0), (2, 4)]), [0, 1, 0, 1, 0, 5]);
    }
}
