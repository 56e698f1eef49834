//! Candidates: which pairs of records are compared at all: those within the radius of their category, and those
//! that share an id.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::corpus::{Compact, Corpus, Name, Token};
use crate::domain::{Metres, Taxonomy};

/// Indices of two records, the smaller first.
pub(super) type Pair = (usize, usize);

/// Most records that may share an id for it to tell anything.
pub(super) const MAX_SHARERS: usize = 8;

/// Most neighbours that one record is compared with, the nearest first. A source that puts thousands of records on one
/// spot, the middle of a town say, would else cost the square of their number.
const MAX_NEIGHBOURS: usize = 256;

/// Together the shared words weigh at least this.
const NAMESAKE_WEIGHT: f32 = 0.5;
/// Words that more records bear than this many, or than this share of all, bring nobody together.
const NAMESAKE_BEARERS: (u32, f64) = (20, 0.05);

/// Charging stations of the same name and postcode are compared up to this far apart, in metres: registers put a
/// station where a geocoder found the address, or the post office.
const NAMESAKES_M: f64 = 5000.0;

/// Pairs to compare, sorted; each once.
pub(super) fn of(corpus: &Corpus, taxonomy: &Taxonomy) -> Vec<Pair> {
    let mut pairs = without_ids(corpus, taxonomy, |_| true);
    pairs.extend(sharing_ids(corpus));
    sorted(pairs)
}

/// Pairs to compare among the wanted records if no id were known, sorted; each once.
pub(super) fn without_ids(corpus: &Corpus, taxonomy: &Taxonomy, wanted: impl Fn(usize) -> bool + Sync) -> Vec<Pair> {
    let mut pairs = near(corpus, taxonomy, &wanted);
    pairs.extend(stations_of_one_name(corpus, &wanted));
    sorted(pairs)
}

/// How far from its footprint a record is compared with others, and with its namesakes, in metres.
pub(super) fn radii(record: &Compact, corpus: &Corpus, taxonomy: &Taxonomy) -> (f64, f64) {
    let category = corpus.words(record.categories).first().map(|name| corpus.text(*name));
    let category = category.and_then(|name| taxonomy.category(name));
    category
        .map_or((Taxonomy::RADIUS_M, Taxonomy::NAMESAKE_RADIUS_M), |found| (found.radius_m, found.namesake_radius_m))
}

fn sorted(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// Pairs within the radius of their category.
///
/// The tree holds points of the unit sphere, so a radius is the same everywhere, the poles and the antimeridian included.
fn near(corpus: &Corpus, taxonomy: &Taxonomy, wanted: &(impl Fn(usize) -> bool + Sync)) -> Vec<Pair> {
    let records = &corpus.records;
    let points = records.iter().enumerate().filter(|(at, _)| wanted(*at));
    let tree =
        RTree::bulk_load(points.map(|(at, record)| GeomWithData::new(record.position.on_unit_sphere(), at)).collect());
    let common = NAMESAKE_BEARERS.0.max((records.len() as f64 * NAMESAKE_BEARERS.1) as u32);
    records
        .par_iter()
        .enumerate()
        .filter(|(at, _)| wanted(*at))
        .flat_map_iter(|(at, record)| {
            let (near_m, far_m) = radii(record, corpus, taxonomy);
            let chord_2 = |radius_m: f64| Metres(radius_m + record.reach().0).chord().powi(2);
            let (near_2, far_2) = (chord_2(near_m), chord_2(far_m));
            let mut near = 0;
            let mut namesakes = 0;
            tree.nearest_neighbor_iter_with_distance_2(&record.position.on_unit_sphere())
                .take_while(move |(_, chord_2)| *chord_2 <= far_2)
                .filter(move |(other, _)| other.data != at && corpus.related(record, &records[other.data]))
                .filter(move |(other, chord_2)| {
                    if *chord_2 <= near_2 {
                        near += 1;
                        return near <= MAX_NEIGHBOURS;
                    }
                    let found =
                        namesakes < MAX_NEIGHBOURS && are_namesakes(record, &records[other.data], common, corpus);
                    namesakes += usize::from(found);
                    found
                })
                .map(move |(other, _)| (at.min(other.data), at.max(other.data)))
        })
        .collect()
}

/// Pairs of charging stations of different sources that have the same name and postcode.
fn stations_of_one_name(corpus: &Corpus, wanted: &impl Fn(usize) -> bool) -> Vec<Pair> {
    let records = &corpus.records;
    let mut pairs = Vec::new();
    let mut namesakes: BTreeMap<(&[Token], Token), Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate().filter(|(at, record)| record.charging && wanted(*at)) {
        for name in corpus.names(record).iter().map(|name| corpus.words(name.written)).filter(|name| name.len() > 1) {
            if let Some(postcode) = record.postcode {
                namesakes.entry((name, postcode)).or_default().push(at);
            }
        }
    }
    for group in namesakes.values().filter(|group| group.len() <= MAX_SHARERS) {
        for (rank, a) in group.iter().enumerate() {
            let apart = group[rank + 1..].iter().filter(|b| records[*a].dataset != records[**b].dataset);
            let near = apart.filter(|b| records[*a].distance(&records[**b]).0 <= NAMESAKES_M);
            pairs.extend(near.map(|b| (*a, *b)));
        }
    }
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

/// Whether the names of two records share words rare enough to bring them together, or are written the same.
fn are_namesakes(a: &Compact, b: &Compact, common: u32, corpus: &Corpus) -> bool {
    corpus.names(a).iter().any(|x| {
        corpus.names(b).iter().any(|y| {
            let (forms_x, forms_y) = (corpus.words(x.forms), corpus.words(y.forms));
            let is_first = |at: usize| !forms_x[..at].contains(&forms_x[at]);
            let shared = (0..forms_x.len()).filter(|at| is_first(*at) && forms_y.contains(&forms_x[*at]));
            let rare = shared.filter(|at| corpus.name_bearers(forms_x[*at]) <= common);
            let weight: f32 = rare.map(|at| corpus.name_rarity(forms_x[at])).sum();
            let letters = |name: &Name| corpus.words(name.written).iter().flat_map(|word| corpus.text(*word).bytes());
            weight >= NAMESAKE_WEIGHT || letters(x).eq(letters(y))
        })
    })
}
