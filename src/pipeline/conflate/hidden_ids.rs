//! Hidden ids: how good the matcher is on the records of this run, of which some pairs are known without it.
//!
//! Records of different sources that share an id are one place whatever they look like. Their ids are hidden, they and
//! their neighbours are matched again, and what is found is held against what is known.
//!
//! - **Known**: two records of different sources that share an id, neither of which shares one with another record of the
//!   other's source, and which no person keeps apart. The others are ambiguous: counted, not judged.
//! - **Recall**: of the known pairs, those found.
//! - **Precision**: of the matches that the known pairs can judge, the right ones. A match is judged where one of its
//!   records has a known partner in the other's source: it is right if the other is that partner, and wrong if it is
//!   another record. Only a further record that is found to be one place with the known partner is not judged: whether the
//!   source has the place twice is not known. Nothing is said of matches of two records without a known partner.
//! - **Cost**: nothing where no id is shared; else that of matching the records concerned and their neighbourhood.
//! - **Bias**: records that share ids are better kept than the rest, so the matcher may do worse on those. Where a source
//!   has a place twice and shares the id of one, a match with the other counts as wrong, though it is right.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::candidates::{self, MAX_SHARERS, Pair};
use super::cluster;
use super::corpus::Corpus;
use super::decisions::Decision;
use super::model::Models;
use super::score::Compared;
use super::tokens::Token;
use crate::domain::{Metres, Taxonomy};

/// What was found of what is known, between two sources or all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoundBlind {
    /// Pairs known by their ids.
    pub known: u64,
    /// Pairs that share an id with further records of one source.
    pub ambiguous: u64,
    /// Of the known pairs, those that were compared with ids hidden.
    pub compared: u64,
    /// Of the known pairs, those in one place with ids hidden.
    pub found: u64,
    /// Pairs in one place with ids hidden that known pairs show to be right or wrong.
    pub judged: u64,
    /// Of these, the known ones.
    pub right: u64,
}

/// What was found by two sources, given by their positions in the pipeline file, the smaller first.
pub type BySources = BTreeMap<(usize, usize), FoundBlind>;

/// Matches again without ids what shares one. `forced` are a person's verdicts.
pub(super) fn find_blind(
    mut corpus: Corpus,
    taxonomy: &Taxonomy,
    models: &Models,
    forced: &BTreeMap<Pair, Decision>,
) -> BySources {
    let mut told = BySources::new();
    let sources = |corpus: &Corpus, (a, b): Pair| {
        let (a, b) = (corpus.records[a].dataset as usize, corpus.records[b].dataset as usize);
        (a.min(b), a.max(b))
    };
    let sharing = sharing(&corpus);
    let mut partners: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
    for (a, b) in &sharing {
        partners.entry((*a, corpus.records[*b].dataset as usize)).or_default().insert(*b);
        partners.entry((*b, corpus.records[*a].dataset as usize)).or_default().insert(*a);
    }
    partners.retain(|_, others| others.len() == 1);
    // The known partner of a record in a source.
    let partner = |record: usize, of: usize, corpus: &Corpus| {
        let other = *partners.get(&(record, corpus.records[of].dataset as usize))?.first()?;
        let mutual = partners.contains_key(&(other, corpus.records[record].dataset as usize));
        let apart = forced.get(&(record.min(other), record.max(other))) == Some(&Decision::Never);
        (mutual && !apart).then_some(other)
    };
    let mut known: Vec<Pair> = Vec::new();
    for pair in sharing {
        let count = told.entry(sources(&corpus, pair)).or_default();
        if partner(pair.0, pair.1, &corpus) == Some(pair.1) {
            count.known += 1;
            known.push(pair);
        } else if forced.get(&pair) != Some(&Decision::Never) {
            count.ambiguous += 1;
        }
    }
    if known.is_empty() {
        return told;
    }

    let concerned: BTreeSet<usize> = known.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let among = neighbourhood(&concerned, &corpus, taxonomy);
    corpus.hide_ids();
    let pairs = candidates::without_ids(&corpus, taxonomy, |at| among[at]);
    let compared = Compared::of(&corpus, models, &pairs);
    let (clusters, _) = cluster::of(&corpus, models, &compared, &BTreeMap::new());
    let mut together: BTreeSet<Pair> = BTreeSet::new();
    for members in clusters.iter().filter(|members| members.len() > 1) {
        for (rank, a) in members.iter().enumerate() {
            together.extend(members[rank + 1..].iter().map(|b| (*a, *b)));
        }
    }
    for pair in known {
        let count = told.entry(sources(&corpus, pair)).or_default();
        count.compared += u64::from(pairs.binary_search(&pair).is_ok());
        count.found += u64::from(together.contains(&pair));
    }
    let are_together = |a: usize, b: usize| together.contains(&(a.min(b), a.max(b)));
    for pair in &together {
        let (a, b) = *pair;
        let is_right = match (partner(a, b, &corpus), partner(b, a, &corpus)) {
            (Some(of_a), Some(_)) => of_a == b,
            (Some(known), None) if !are_together(known, b) => false,
            (None, Some(known)) if !are_together(known, a) => false,
            _ => continue,
        };
        let count = told.entry(sources(&corpus, *pair)).or_default();
        count.judged += 1;
        count.right += u64::from(is_right);
    }
    told
}

/// Pairs of different sources that share an id which few records have, sorted.
fn sharing(corpus: &Corpus) -> Vec<Pair> {
    let mut ids: Vec<(Token, usize)> = Vec::new();
    for (at, record) in corpus.records.iter().enumerate() {
        ids.extend(corpus.words(record.ids).iter().map(|id| (*id, at)));
    }
    ids.par_sort_unstable();
    ids.dedup();
    let mut pairs: Vec<Pair> = Vec::new();
    for group in ids.chunk_by(|x, y| x.0 == y.0).filter(|group| (2..=MAX_SHARERS).contains(&group.len())) {
        for (rank, (_, a)) in group.iter().enumerate() {
            let others = group[rank + 1..].iter().map(|(_, b)| *b);
            pairs.extend(others.filter(|b| corpus.records[*b].dataset != corpus.records[*a].dataset).map(|b| (*a, b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Which records are near one of these: they, their rivals, and the rivals of those.
fn neighbourhood(concerned: &BTreeSet<usize>, corpus: &Corpus, taxonomy: &Taxonomy) -> Vec<bool> {
    let records = &corpus.records;
    let point = |at: &usize| GeomWithData::new(records[*at].position.on_unit_sphere(), ());
    let tree = RTree::bulk_load(concerned.iter().map(point).collect());
    let furthest = concerned.iter().map(|at| records[*at].reach().0).fold(0.0, f64::max);
    let is_near = |(at, record): (usize, &super::corpus::Compact)| {
        let radius_m = 2.0 * candidates::radii(record, corpus, taxonomy).1 + record.reach().0 + furthest;
        let chord = Metres(radius_m).chord();
        let nearest = tree.nearest_neighbor_iter_with_distance_2(&record.position.on_unit_sphere()).next();
        concerned.contains(&at) || nearest.is_some_and(|(_, chord_2)| chord_2 <= chord * chord)
    };
    records.par_iter().enumerate().map(is_near).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Evidence;
    use super::*;

    /// A charging station: source, metres to the north, name, operator, id.
    type Station = (usize, f64, &'static str, &'static str, &'static str);

    fn found(stations: &[Station], forced: &[(Pair, Decision)]) -> FoundBlind {
        let evidence = stations.iter().map(|(dataset, north_m, name, operator, id)| Evidence {
            ids: id.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            ..Evidence::station(*dataset, *north_m, name, operator)
        });
        let taxonomy = Taxonomy::parse("category = []", &[]).expect("no category is a taxonomy");
        let forced = forced.iter().copied().collect();
        let told = find_blind(Corpus::of(evidence), &taxonomy, &Models::shipped(), &forced);
        told.get(&(0, 1)).copied().unwrap_or_default()
    }

    fn counts(known: u64, ambiguous: u64, compared: u64, found: u64, judged: u64, right: u64) -> FoundBlind {
        FoundBlind { known, ambiguous, compared, found, judged, right }
    }

    #[test]
    fn what_is_found_is_held_against_what_is_known() {
        let cases: [(&str, &[Station], FoundBlind); 10] = [
            ("no ids", &[(0, 0.0, "mole", "", ""), (1, 5.0, "mole", "", "")], counts(0, 0, 0, 0, 0, 0)),
            ("alike and near", &[(0, 0.0, "mole", "", "x"), (1, 5.0, "mole", "", "x")], counts(1, 0, 1, 1, 1, 1)),
            ("too far", &[(0, 0.0, "mole", "", "x"), (1, 5000.0, "mole", "", "x")], counts(1, 0, 0, 0, 0, 0)),
            ("unlike", &[(0, 0.0, "mole", "", "x"), (1, 140.0, "hafen", "", "x")], counts(1, 0, 1, 0, 0, 0)),
            (
                "a veto that the id lifts stands",
                &[(0, 0.0, "mole", "ionity", "x"), (1, 5.0, "mole", "fastned", "x")],
                counts(1, 0, 1, 0, 0, 0),
            ),
            (
                "an id of two records of one source says nothing",
                &[(0, 0.0, "mole", "", "x"), (1, 5.0, "mole", "", "x"), (1, 90.0, "hafen", "", "x")],
                counts(0, 2, 0, 0, 0, 0),
            ),
            (
                "each is found with the other's partner",
                &[
                    (0, 0.0, "mole", "", "x"),
                    (0, 200.0, "hafen", "", "y"),
                    (1, 5.0, "mole", "", "y"),
                    (1, 199.0, "hafen", "", "x"),
                ],
                counts(2, 0, 2, 0, 2, 0),
            ),
            (
                "a rival without an id takes it",
                &[(0, 0.0, "mole", "", "x"), (1, 5.0, "mole", "", ""), (1, 60.0, "alte mole", "", "x")],
                counts(1, 0, 1, 0, 1, 0),
            ),
            (
                "the other source has it twice, once without an id",
                &[(0, 0.0, "mole", "", "x"), (1, 3.0, "mole", "", "x"), (1, 4.0, "mole", "", "")],
                counts(1, 0, 1, 1, 1, 1),
            ),
            (
                "a match of two records without a known partner says nothing",
                &[
                    (0, 0.0, "mole", "", "x"),
                    (1, 5.0, "mole", "", "x"),
                    (0, 400.0, "hafen", "", ""),
                    (1, 405.0, "hafen", "", ""),
                ],
                counts(1, 0, 1, 1, 1, 1),
            ),
        ];
        for (what, stations, expected) in cases {
            assert_eq!(found(stations, &[]), expected, "{what}");
        }
    }

    #[test]
    fn a_pair_that_a_person_keeps_apart_is_not_known() {
        let stations = [(0, 0.0, "mole", "", "x"), (1, 5.0, "mole", "", "x")];
        assert_eq!(found(&stations, &[((0, 1), Decision::Never)]), FoundBlind::default());
        assert_eq!(found(&stations, &[((0, 1), Decision::Always)]), counts(1, 0, 1, 1, 1, 1));
    }
}
