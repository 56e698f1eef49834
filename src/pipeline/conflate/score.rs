//! Score: how likely two records are one place, with every piece of evidence, and what vetoes it.

use rayon::prelude::*;

use super::candidates::Pair;
use super::corpus::Corpus;
use super::features::{self, Feature, Features};
use super::model::{Model, Models, Piece, probability};
use super::veto::{self, Veto};

/// How two records compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Distance between the two, or their footprints, in metres.
    pub distance_m: f64,
    /// What was seen, with its weight.
    pub pieces: Vec<Piece>,
    /// Why they are apart whatever was seen.
    pub veto: Option<Veto>,
    /// The probability that they are one place.
    pub probability: f64,
}

/// A compared pair that scored high enough to matter.
#[derive(Debug)]
pub(super) struct Scored {
    pub(super) pair: Pair,
    pub(super) score: Score,
}

/// Scores every pair and keeps those worth a look, in order.
pub(super) fn worth_a_look(pairs: &[Pair], corpus: &Corpus, models: &Models) -> Vec<Scored> {
    let scored = |&pair: &Pair| {
        let (model, seen) = seen(pair, corpus, models);
        let probability = probability(model.log_odds(&seen));
        (probability >= model.review_score).then(|| Scored { pair, score: told(pair, &seen, model, corpus) })
    };
    pairs.par_iter().filter_map(scored).collect()
}

/// Compares two records of a corpus, given by their indices.
#[must_use]
pub fn compare(pair: (usize, usize), corpus: &Corpus, models: &Models) -> Score {
    let (model, seen) = seen(pair, corpus, models);
    told(pair, &seen, model, corpus)
}

/// What keeps two records apart, if anything does.
pub(super) fn veto(pair: Pair, corpus: &Corpus) -> Option<Veto> {
    let (a, b) = (&corpus.records[pair.0], &corpus.records[pair.1]);
    veto::of(a, b, &features::of(a, b, corpus), corpus)
}

fn seen<'m>((a, b): Pair, corpus: &Corpus, models: &'m Models) -> (&'m Model, Features) {
    let (a, b) = (&corpus.records[a], &corpus.records[b]);
    (models.of(a, b), features::of(a, b, corpus))
}

fn told((a, b): Pair, seen: &Features, model: &Model, corpus: &Corpus) -> Score {
    let (a, b) = (&corpus.records[a], &corpus.records[b]);
    Score {
        distance_m: f64::from(seen.get(Feature::DistanceM).unwrap_or(f32::INFINITY)),
        pieces: model.pieces(seen),
        veto: veto::of(a, b, seen, corpus),
        probability: probability(model.log_odds(seen)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Evidence;
    use super::*;

    fn explain(a: &Evidence, b: &Evidence) -> Score {
        compare((0, 1), &Corpus::of([a.clone(), b.clone()]), &Models::shipped())
    }

    fn station(lat: f64, dataset: usize, operator: Option<&str>, names: &[&str]) -> Evidence {
        Evidence {
            dataset,
            lon: 9.5,
            lat,
            categories: vec!["charging_station".into()],
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            operator: operator.map(str::to_owned),
            ..Evidence::default()
        }
    }

    /// About ten metres of latitude.
    const TEN_M: f64 = 9e-5;

    #[test]
    fn evidence_adds_up_as_people_judge() {
        let cases = [
            // metres / 10, operators, names, at least a match?
            (0.4, None, None, &["a"][..], &[][..], true),
            (3.0, None, None, &[], &[], true),
            (6.0, None, None, &[], &[], false),
            (9.0, Some("x"), Some("x"), &["schaan supercharger"], &["schaan supercharger"], true),
            (14.0, None, None, &["rathaus"], &["malbun"], false),
        ];
        for (tens, op_a, op_b, names_a, names_b, expected) in cases {
            let (a, b) = (station(47.0, 0, op_a, names_a), station(47.0 + tens * TEN_M, 1, op_b, names_b));
            let score = explain(&a, &b);
            assert_eq!(score.veto, None);
            assert_eq!(
                score.probability >= Models::shipped().charging.match_score,
                expected,
                "{tens} {names_a:?} {names_b:?}: {score:?}"
            );
        }
    }

    #[test]
    fn vetoes_keep_apart_what_is_near() {
        let near = 47.0 + 0.3 * TEN_M;
        let bicycle =
            Evidence { categories: vec!["bicycle_charging_station".into()], ..station(near, 1, None, &["kommod"]) };
        let cases = [
            (station(near, 1, Some("wikidata:Q2"), &["kommod"]), Some(Veto::Operator)),
            (station(near, 1, Some("ionity"), &["kommod"]), Some(Veto::Operator)),
            (station(near, 0, Some("wikidata:Q1"), &["kommod garage"]), Some(Veto::SameSource)),
            (station(near, 0, Some("wikidata:Q1"), &["kommod 1"]), Some(Veto::SameSource)),
            (station(near, 1, Some("ocm:3894"), &["kommod"]), None),
            (station(near, 0, None, &["other"]), Some(Veto::SameSource)),
            (station(near, 0, Some("wikidata:Q1"), &["kommod 2"]), None),
            (bicycle, Some(Veto::Category)),
        ];
        for (other, expected) in cases {
            let score = explain(&station(47.0, 0, Some("wikidata:Q1"), &["kommod"]), &other);
            assert_eq!(score.veto, expected, "{other:?}");
        }
    }

    #[test]
    fn companies_are_told_apart_by_their_words() {
        let cases = [
            ("stadtwerke nebelhafen", "mowe mobil", true),
            ("leuchtturm laden", "mowe mobil", true),
            ("energie sud", "elektro nord", true),
            ("mowe mobil", "mowe mobil gmbh", false),
            ("mowe mobil", "mowemobil", false),
            ("kraftwerke liechtenstein", "liechtensteinische kraftwerke", false),
        ];
        for (a, b, expected) in cases {
            let (a, b) = (station(47.0, 0, Some(a), &[]), station(47.0, 1, Some(b), &[]));
            let score = explain(&a, &b);
            assert_eq!(score.veto == Some(Veto::Operator), expected, "{a:?} {b:?} {score:?}");
        }
    }

    #[test]
    fn numbered_neighbours_are_no_slip() {
        let cases = [("dorfplatz 1", "dorfplatz 2", true), ("dorfplatz 1", "1 dorfplatz", false)];
        for (a, b, expected) in cases {
            let (a, b) = (station(47.0, 0, None, &[a]), station(47.0 + 0.3 * TEN_M, 0, None, &[b]));
            assert_eq!(explain(&a, &b).veto == Some(Veto::SameSource), expected, "{a:?} {b:?}");
        }
    }
}
