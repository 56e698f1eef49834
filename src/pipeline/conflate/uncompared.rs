//! Uncompared: why two records were no candidates, for a person who asks.

use super::candidates::Pair;
use super::corpus::Corpus;
use super::nearby::Nearby;
use crate::domain::Taxonomy;

/// Why two records were not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncompared {
    /// They are no kinds of place that could be one.
    OtherKind,
    /// Neither lies within the other's radius, and nothing else brings them together.
    OutOfReach,
    /// Each has so many neighbours nearer to it that the other is not among those that it is compared with.
    Crowded,
}

/// Why the two records are not among the `candidates` of their corpus, which are sorted; `None` where they are.
#[must_use]
pub fn uncompared(pair: Pair, candidates: &[Pair], corpus: &Corpus, taxonomy: &Taxonomy) -> Option<Uncompared> {
    let (a, b) = (pair.0.min(pair.1), pair.0.max(pair.1));
    if candidates.binary_search(&(a, b)).is_ok() {
        return None;
    }
    if !corpus.related(&corpus.records[a], &corpus.records[b]) {
        return Some(Uncompared::OtherKind);
    }
    let alone = Nearby::of(corpus, taxonomy, |at| at == a || at == b).filter_map(Vec::new(), Some).1 > 0;
    Some(if alone { Uncompared::Crowded } else { Uncompared::OutOfReach })
}

#[cfg(test)]
mod tests {
    use super::super::{Evidence, candidates};
    use super::*;

    #[test]
    fn a_pair_that_others_crowded_out_is_not_out_of_reach() {
        let place = |dataset: usize, north_m: f64, category: &str| Evidence {
            dataset,
            lon: 9.5,
            lat: 47.0 + north_m * 9e-6,
            categories: vec![category.to_owned()],
            ..Evidence::default()
        };
        // Each source has 300 between the two that are asked for.
        let crowd = (0..600).map(|at| place(at % 2, 50.0, "bar"));
        let asked = [place(0, 0.0, "bar"), place(1, 100.0, "bar"), place(1, 0.0, "bank"), place(1, 5000.0, "bar")];
        let corpus = Corpus::of(asked.into_iter().chain(crowd));
        let taxonomy = Taxonomy::parse("category = []", &[]).expect("no category is a taxonomy");
        let candidates = candidates(&corpus, &taxonomy);
        let cases = [
            ((1, 0), Some(Uncompared::Crowded)),
            ((0, 2), Some(Uncompared::OtherKind)),
            ((0, 3), Some(Uncompared::OutOfReach)),
            ((candidates[0].1, candidates[0].0), None),
        ];
        for (pair, expected) in cases {
            assert_eq!(uncompared(pair, &candidates, &corpus, &taxonomy), expected, "{pair:?}");
        }
    }
}
