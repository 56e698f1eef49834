//! Candidates: which pairs of records are compared at all: those within the radius of their category, and those
//! that share an id.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::evidence::{Compact, Token, Tokens};
use crate::domain::{Metres, Taxonomy};

/// Indices of two records, the smaller first.
pub(super) type Pair = (usize, usize);

/// Most records that may share an id for it to tell anything.
const MAX_SHARERS: usize = 8;

/// Most neighbours that one record is compared with, the nearest first. A source that puts thousands of records on one
/// spot, the middle of a town say, would else cost the square of their number.
const MAX_NEIGHBOURS: usize = 256;

/// Pairs to compare, sorted; each once.
///
/// The tree holds points of the unit sphere, so a radius is the same everywhere, the poles and the antimeridian included.
pub(super) fn of(records: &[Compact], taxonomy: &Taxonomy, tokens: &Tokens) -> Vec<Pair> {
    let points = records.iter().enumerate();
    let tree =
        RTree::bulk_load(points.map(|(at, record)| GeomWithData::new(record.position.on_unit_sphere(), at)).collect());
    let mut pairs: Vec<Pair> = records
        .par_iter()
        .enumerate()
        .flat_map_iter(|(at, record)| {
            let category = taxonomy.category(tokens.text(record.categories[0]));
            let radius = Metres(category.map_or(0.0, |category| category.radius_m) + record.reach().0);
            let chord = radius.chord();
            tree.nearest_neighbor_iter_with_distance_2(&record.position.on_unit_sphere())
                .take_while(move |(_, chord_2)| *chord_2 <= chord * chord)
                .filter(move |(other, _)| other.data != at && related(record, &records[other.data]))
                .take(MAX_NEIGHBOURS)
                .map(move |(other, _)| (at.min(other.data), at.max(other.data)))
        })
        .collect();

    let mut sharers: BTreeMap<Token, Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        for id in &record.ids {
            sharers.entry(*id).or_default().push(at);
        }
    }
    for group in sharers.values().filter(|group| group.len() <= MAX_SHARERS) {
        for (rank, a) in group.iter().enumerate() {
            pairs.extend(group[rank + 1..].iter().filter(|b| *b != a).map(|b| (*a, *b)));
        }
    }
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// Whether comparing the two can end in anything. Car and bicycle stations are compared, so that the veto shows.
fn related(a: &Compact, b: &Compact) -> bool {
    (a.charging && b.charging) || a.categories.iter().any(|category| b.categories.contains(category))
}
