//! Overruled: what decisions unite through other records though a veto keeps it apart. A person who said that A is B and B
//! is C may not have seen that A cannot be C.

use std::collections::BTreeMap;

use super::Decision;
use crate::pipeline::conflate::candidates::Pair;
use crate::pipeline::conflate::score::Compared;

/// The pairs, sorted, of those that no decision names itself.
pub(in crate::pipeline::conflate) fn overruled(
    forced: &BTreeMap<Pair, Decision>,
    compared: &Compared<'_>,
) -> Vec<Pair> {
    // Each record's group by its smallest member; a file of decisions is short.
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut group_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (a, b) in forced.iter().filter(|(_, decision)| **decision == Decision::Always).map(|(pair, _)| *pair) {
        let [of_a, of_b] = [a, b].map(|record| {
            *group_of.entry(record).or_insert_with(|| {
                groups.insert(record, vec![record]);
                record
            })
        });
        if of_a == of_b {
            continue;
        }
        let moved = groups.remove(&of_a.max(of_b)).unwrap_or_default();
        group_of.extend(moved.iter().map(|record| (*record, of_a.min(of_b))));
        groups.entry(of_a.min(of_b)).or_default().extend(moved);
    }
    let mut pairs = Vec::new();
    for mut members in groups.into_values() {
        members.sort_unstable();
        for (rank, a) in members.iter().enumerate() {
            let undecided = members[rank + 1..].iter().map(|b| (*a, *b)).filter(|pair| !forced.contains_key(pair));
            pairs.extend(undecided.filter(|pair| compared.veto(*pair).is_some()));
        }
    }
    pairs.sort_unstable();
    pairs
}
