//! Sites: the records in which one source tells of one site more than once, by a slip or post by post.

use super::candidates::Pair;

/// Which records of one source belong together, as disjoint sets.
#[derive(Debug)]
pub(super) struct Sites {
    /// By record: the first of its set.
    first: Vec<u32>,
    /// By record: whether its set has others.
    is_shared: Vec<bool>,
}

impl Sites {
    /// `together` are pairs of one source.
    pub(super) fn of(records: usize, together: impl Iterator<Item = Pair>) -> Self {
        let narrow = |at: usize| u32::try_from(at).expect("a run has fewer than 2³² records");
        let mut first: Vec<u32> = (0..records).map(narrow).collect();
        let mut is_shared = vec![false; records];
        for (a, b) in together {
            (is_shared[a], is_shared[b]) = (true, true);
            let (a, b) = (root(&mut first, a), root(&mut first, b));
            first[a.max(b)] = narrow(a.min(b));
        }
        for at in 0..records {
            first[at] = narrow(root(&mut first, at));
        }
        Self { first, is_shared }
    }

    /// The first record of the site.
    pub(super) fn first(&self, record: usize) -> usize {
        self.first[record] as usize
    }

    /// Whether its source has other records of the site.
    pub(super) fn is_shared(&self, record: usize) -> bool {
        self.is_shared[record]
    }

    /// Whether two records of one source tell of one site.
    pub(super) fn are_one(&self, a: usize, b: usize) -> bool {
        self.first[a] == self.first[b]
    }
}

/// The first record of a set; the way there is made shorter.
fn root(first: &mut [u32], record: usize) -> usize {
    let mut at = record;
    while first[at] as usize != at {
        first[at] = first[first[at] as usize];
        at = first[at] as usize;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_of_pairs_are_one_site_in_whatever_order_they_come() {
        let mut pairs = [(3, 4), (1, 2), (2, 4), (6, 7)];
        for _ in 0..pairs.len() {
            pairs.rotate_left(1);
            let sites = Sites::of(9, pairs.into_iter());
            assert_eq!(sites.first, [0, 1, 1, 1, 1, 5, 6, 6, 8], "{pairs:?}");
            let shared: Vec<usize> = (0..9).filter(|at| sites.is_shared(*at)).collect();
            assert_eq!(shared, [1, 2, 3, 4, 6, 7], "{pairs:?}");
        }
    }
}
