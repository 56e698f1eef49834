//! Candidates: which pairs of records are compared at all: those within the radius of their category, and those
//! that share an id.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::corpus::{Compact, Corpus};
use super::nearby::Nearby;
use super::tokens::Token;
use crate::domain::Taxonomy;

/// Indices of two records, the smaller first.
pub(super) type Pair = (usize, usize);

/// Most records that may share an id for it to tell anything.
pub(super) const MAX_SHARERS: usize = 8;

/// Charging stations of the same name and postcode are compared up to this far apart, in metres: registers put a
/// station where a geocoder found the address, the post office, or the middle of the county.
const NAMESAKES_M: f64 = 50_000.0;

/// What `work` keeps of the pairs to compare, along the Hilbert curve, pairs that are far apart last; and how many there
/// are.
pub(super) fn filter_map<T: Send>(
    corpus: &Corpus,
    taxonomy: &Taxonomy,
    work: impl Fn(Pair) -> Option<T> + Sync,
) -> (Vec<T>, usize) {
    let mut others = sharing_ids(corpus);
    others.extend(stations_of_one_name(corpus, &|_| true));
    Nearby::of(corpus, taxonomy, |_| true).filter_map(others, work)
}

/// Pairs to compare, sorted; each once.
pub(super) fn of(corpus: &Corpus, taxonomy: &Taxonomy) -> Vec<Pair> {
    sorted(filter_map(corpus, taxonomy, Some).0)
}

fn sorted(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.par_sort_unstable();
    pairs
}

/// Pairs to compare among the wanted records if no id were known, sorted; each once.
pub(super) fn without_ids(corpus: &Corpus, taxonomy: &Taxonomy, wanted: impl Fn(usize) -> bool + Sync) -> Vec<Pair> {
    let others = stations_of_one_name(corpus, &wanted);
    sorted(Nearby::of(corpus, taxonomy, &wanted).filter_map(others, Some).0)
}

/// How far from its footprint a record is compared with others, and with its namesakes, in metres.
pub(super) fn radii(record: &Compact, corpus: &Corpus, taxonomy: &Taxonomy) -> (f64, f64) {
    let category = corpus.words(record.categories).first().map(|name| corpus.text(*name));
    let category = category.and_then(|name| taxonomy.category(name));
    category
        .map_or((Taxonomy::RADIUS_M, Taxonomy::NAMESAKE_RADIUS_M), |found| (found.radius_m, found.namesake_radius_m))
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
    let ids = |(at, record): (usize, &Compact)| corpus.words(record.ids).iter().map(move |id| (*id, at));
    let mut sharers: Vec<(Token, usize)> = corpus.records.iter().enumerate().flat_map(ids).collect();
    sharers.par_sort_unstable();
    sharers.dedup();
    let mut pairs = Vec::new();
    for group in sharers.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() <= MAX_SHARERS) {
        for (rank, (_, a)) in group.iter().enumerate() {
            pairs.extend(group[rank + 1..].iter().map(|(_, b)| (*a, *b)));
        }
    }
    pairs
}
