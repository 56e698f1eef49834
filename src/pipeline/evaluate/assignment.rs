//! Assignment: at most one partner for each record, best pair first.

use std::collections::BTreeSet;

use super::Judged;

/// The scored pairs after each record keeps its best partner only: a pair that loses one of its records scores 0.
///
/// Pairs are taken by falling score, equal ones in their order, as long as both their records are free. Pairs below
/// `match_score` bind nobody.
#[must_use]
pub fn one_to_one(pairs: &[(usize, usize)], judged: &[Judged], match_score: f64) -> Vec<Judged> {
    debug_assert_eq!(pairs.len(), judged.len(), "a score per pair");
    let mut order: Vec<usize> = (0..pairs.len()).filter(|at| judged[*at].score >= match_score).collect();
    order.sort_by(|a, b| judged[*b].score.total_cmp(&judged[*a].score).then(a.cmp(b)));
    let (mut taken_a, mut taken_b) = (BTreeSet::new(), BTreeSet::new());
    let mut assigned = judged.to_vec();
    for at in order {
        let (a, b) = pairs[at];
        if taken_a.contains(&a) || taken_b.contains(&b) {
            assigned[at].score = 0.0;
        } else {
            taken_a.insert(a);
            taken_b.insert(b);
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_pair_takes_its_records_and_low_ones_bind_nobody() {
        let pairs = [(0, 10), (0, 11), (1, 11), (2, 11), (3, 12), (4, 12)];
        let scores = [0.9, 0.95, 0.8, 0.4, 0.7, 0.7];
        let judged = scores.map(|score| Judged { score, is_match: false });
        let left: Vec<f64> = one_to_one(&pairs, &judged, 0.5).iter().map(|pair| pair.score).collect();
        assert_eq!(left, [0.0, 0.95, 0.0, 0.4, 0.7, 0.0]);
    }
}
