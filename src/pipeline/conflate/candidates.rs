//! Candidates: which pairs of records are compared at all: those within the radius of their category, and those
//! that share an id.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::corpus::{Compact, Corpus, Token};
use crate::domain::{Metres, Taxonomy};

/// Indices of two records, the smaller first.
pub(super) type Pair = (usize, usize);

/// Most records that may share an id for it to tell anything.
pub(super) const MAX_SHARERS: usize = 8;

/// Most neighbours that one record is compared with, the nearest first. A source that puts thousands of records on one
/// spot, the middle of a town say, would else cost the square of their number.
const MAX_NEIGHBOURS: usize = 256;

/// The radius of records without a category of the taxonomy, in metres: names have to decide, and need room for it.
const RADIUS_M: f64 = 300.0;

/// Pairs to compare, sorted; each once.
///
/// The tree holds points of the unit sphere, so a radius is the same everywhere, the poles and the antimeridian included.
pub(super) fn of(corpus: &Corpus, taxonomy: &Taxonomy) -> Vec<Pair> {
    let mut pairs = near(corpus, taxonomy, |_| true);
    pairs.extend(sharing_ids(corpus));
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// How far from its footprint a record is compared with others.
pub(super) fn radius(record: &Compact, corpus: &Corpus, taxonomy: &Taxonomy) -> Metres {
    let category = corpus.words(record.categories).first().map(|name| corpus.text(*name));
    Metres(category.and_then(|name| taxonomy.category(name)).map_or(RADIUS_M, |found| found.radius_m))
}

/// Pairs within the radius of their category among the wanted records, sorted; each once.
pub(super) fn near(corpus: &Corpus, taxonomy: &Taxonomy, wanted: impl Fn(usize) -> bool + Sync) -> Vec<Pair> {
    let records = &corpus.records;
    let points = records.iter().enumerate().filter(|(at, _)| wanted(*at));
    let tree =
        RTree::bulk_load(points.map(|(at, record)| GeomWithData::new(record.position.on_unit_sphere(), at)).collect());
    let mut pairs: Vec<Pair> = records
        .par_iter()
        .enumerate()
        .filter(|(at, _)| wanted(*at))
        .flat_map_iter(|(at, record)| {
            let radius = Metres(radius(record, corpus, taxonomy).0 + record.reach().0);
            let chord = radius.chord();
            tree.nearest_neighbor_iter_with_distance_2(&record.position.on_unit_sphere())
                .take_while(move |(_, chord_2)| *chord_2 <= chord * chord)
                .filter(move |(other, _)| other.data != at && corpus.related(record, &records[other.data]))
                .take(MAX_NEIGHBOURS)
                .map(move |(other, _)| (at.min(other.data), at.max(other.data)))
        })
        .collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// Pairs that share an id which few records have.
fn sharing_ids(corpus: &Corpus) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut sharers: BTreeMap<Token, Vec<usize>> = BTreeMap::new();
    for (at, record) in corpus.records.iter().enumerate() {
        for id in corpus.words(record.ids) {
            sharers.entry(*id).or_default().push(at);
        }
    }
    for group in sharers.values().filter(|group| group.len() <= MAX_SHARERS) {
        for (rank, a) in group.iter().enumerate() {
            pairs.extend(group[rank + 1..].iter().filter(|b| *b != a).map(|b| (*a, *b)));
        }
    }
    pairs
}
