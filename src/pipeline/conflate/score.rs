//! Score: how likely two records are one place, with every piece of evidence, and what vetoes it.
//!
//! - **Out**: a probability in `[0, 1]`: the model's, given that of several partners in one source at most one is right.
//! - **Cost**: every candidate is compared once; those worth a look once more, to tell the pieces.

use rayon::prelude::*;

use super::candidates::{self, Pair};
use super::companies::{Companies, Stated};
use super::corpus::Corpus;
use super::features::{self, Feature, Features};
use super::model::{Model, Models, Piece, probability};
use super::rivals::{self, Namesakes, Odds};
use super::sites::Sites;
use super::veto::{self, Veto};
use crate::domain::Taxonomy;

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

/// What the first look at a candidate keeps: a run has hundreds of millions.
#[derive(Debug, Clone, Copy)]
struct FirstLook {
    /// Indices of the two records, the smaller first.
    records: [u32; 2],
    name_likeness: f32,
    /// Without what depends on other pairs; the model's log odds after the second pass.
    log_odds: f32,
    /// Whether the two may be one place, and are of different sources.
    competes: bool,
    /// Whether one source tells of one site in both.
    one_site: bool,
    stated: Stated,
}

impl FirstLook {
    fn pair(self) -> Pair {
        (self.records[0] as usize, self.records[1] as usize)
    }

    fn with_margin(self, weight: f32) -> Self {
        Self { log_odds: self.log_odds + weight, ..self }
    }

    /// Whether the score may reach the review threshold, margin included.
    ///
    /// No rival raises a score; the second look is a little different in its last bits.
    fn may_be_worth_a_look(self, model: &Model) -> bool {
        probability(f64::from(self.log_odds)) >= model.review_score - 1e-3
    }

    fn competes<T>(self, value: T) -> Option<T> {
        self.competes.then_some(value)
    }
}

/// The candidates of a corpus, compared.
#[derive(Debug)]
pub struct Compared<'c> {
    corpus: &'c Corpus,
    models: &'c Models,
    /// How many pairs were compared.
    candidates: usize,
    /// Sorted by their records.
    looks: Vec<FirstLook>,
    namesakes: Namesakes,
    odds: Odds,
    companies: Companies,
}

impl<'c> Compared<'c> {
    /// Compares `pairs`, which are sorted, each once, the smaller index first.
    #[must_use]
    pub fn of(corpus: &'c Corpus, models: &'c Models, pairs: &[Pair]) -> Self {
        debug_assert!(pairs.is_sorted_by(|a, b| a < b), "pairs are sorted, each once");
        debug_assert!(pairs.iter().all(|(a, b)| a < b), "the smaller index comes first");
        let looks = pairs.par_iter().map(|pair| first_look(*pair, corpus, models)).collect();
        Self::of_looks(corpus, models, looks, pairs.len())
    }

    /// Compares the candidates as they are found: records near each other one after the other, since they are near each
    /// other in memory too.
    pub(super) fn with_candidates(corpus: &'c Corpus, models: &'c Models, taxonomy: &Taxonomy) -> Self {
        // Two records of one source are nobody's rivals: where they score too low and tell of no one site,
        // nothing of them is asked again.
        let matters = |look: &FirstLook| {
            let [a, b] = look.records.map(|at| corpus.records[at as usize].dataset);
            let weight = || margin_weight(look.pair(), 0.0, corpus, models) as f32;
            a != b
                || look.one_site
                || look.with_margin(weight()).may_be_worth_a_look(models.of_pair(look.pair(), corpus))
        };
        let kept = |pair: Pair| Some(first_look(pair, corpus, models)).filter(matters);
        let (looks, candidates) = candidates::filter_map(corpus, taxonomy, kept);
        Self::of_looks(corpus, models, looks, candidates)
    }

    fn of_looks(corpus: &'c Corpus, models: &'c Models, mut looks: Vec<FirstLook>, candidates: usize) -> Self {
        let by_name = |look: &FirstLook| (look.pair(), look.competes(look.name_likeness));
        let namesakes = Namesakes::of(corpus, looks.iter().map(by_name));
        looks.par_iter_mut().for_each(|look| {
            let margin = namesakes.margin(look.pair(), look.name_likeness, corpus);
            *look = look.with_margin(margin_weight(look.pair(), margin, corpus, models) as f32);
        });
        let by_odds = |look: &FirstLook| (look.pair(), look.competes(f64::from(look.log_odds)));
        let one_site = looks.iter().filter(|look| look.one_site).map(|look| look.pair());
        let sites = Sites::of(corpus.records.len(), one_site);
        let odds = Odds::of(corpus, sites, looks.iter().map(by_odds));
        let competing = looks.iter().filter(|look| look.competes);
        let stating = competing.map(|look| (look.pair(), look.stated, rivals::odds(f64::from(look.log_odds))));
        let companies = Companies::of(corpus, stating);
        looks.par_sort_unstable_by_key(|look| look.records);
        Self { corpus, models, candidates, looks, namesakes, odds, companies }
    }

    /// The records.
    #[must_use]
    pub fn corpus(&self) -> &'c Corpus {
        self.corpus
    }

    /// How many pairs were compared.
    #[must_use]
    pub fn len(&self) -> usize {
        self.candidates
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.candidates == 0
    }

    /// Which records of one source tell of one site.
    pub(super) fn sites(&self) -> &Sites {
        self.odds.sites()
    }

    /// The pairs that score at least their model's review threshold, in order; of those that a source keeps apart itself
    /// the ones that score as a match.
    pub(super) fn worth_a_look(&self) -> Vec<Scored> {
        let scored = |look: &FirstLook| {
            let pair = look.pair();
            let model = self.models.of_pair(pair, self.corpus);
            if !look.may_be_worth_a_look(model) {
                return None;
            }
            let score = self.score(pair);
            // A source's own neighbours are told only where the score alone would merge them.
            let least = match score.veto {
                Some(Veto::SameSource) => model.match_score,
                _ => model.review_score,
            };
            (score.probability >= least).then_some(Scored { pair, score })
        };
        self.looks.par_iter().filter_map(scored).collect()
    }

    /// Whether a source may have one station from two providers in these: each says what he likes, but nothing keeps apart.
    pub(super) fn may_be_of_two_providers(&self, pair: Pair) -> bool {
        let (a, b) = (&self.corpus.records[pair.0], &self.corpus.records[pair.1]);
        let nothing_keeps_apart =
            || self.corpus.same_kind(a, b) && veto::of_stations(a, b, &features::of(a, b, self.corpus)).is_none();
        a.charging && b.charging && a.provider != b.provider && nothing_keeps_apart()
    }

    /// What is seen of two records, whether they were candidates or not.
    #[must_use]
    pub fn features(&self, pair: Pair) -> Features {
        let pair = in_order(pair);
        let mut seen = features::of(&self.corpus.records[pair.0], &self.corpus.records[pair.1], self.corpus);
        if has_margin(pair, self.corpus) {
            seen.set(Feature::NameMargin, self.namesakes.margin(pair, seen.name_likeness(), self.corpus));
        }
        seen
    }

    /// Compares two records, whether they were candidates or not.
    #[must_use]
    pub fn score(&self, pair: Pair) -> Score {
        let pair = in_order(pair);
        let mut seen = self.features(pair);
        let model = self.models.of_pair(pair, self.corpus);
        let (a, b) = (&self.corpus.records[pair.0], &self.corpus.records[pair.1]);
        let log_odds = model.log_odds(&seen);
        let look = self.looks.binary_search_by_key(&pair, |look| look.pair()).ok().map(|at| self.looks[at]);
        let own = look.and_then(|look| look.competes(f64::from(look.log_odds)));
        let rivals = if a.dataset == b.dataset {
            0.0
        } else {
            let of_companies = self.companies.rivals(pair, self.corpus, self.sites());
            self.odds.of_rivals(pair, own, self.corpus).max(of_companies)
        };
        let mut pieces = model.pieces(&seen);
        // o / (1 + o + r) is the logistic function of ln o - ln(1 + r).
        let against = -rivals.ln_1p();
        if against < -5e-4 {
            seen.set(Feature::Rivals, rivals as f32);
            pieces.push((Feature::Rivals.name(), (rivals * 1000.0).round() / 1000.0, against));
        }
        Score {
            distance_m: f64::from(seen.get(Feature::DistanceM).unwrap_or(f32::INFINITY)),
            pieces,
            veto: veto::of(a, b, &seen, self.corpus),
            probability: probability(log_odds + against),
        }
    }

    /// What keeps two records apart, if anything does.
    #[must_use]
    pub fn veto(&self, pair: Pair) -> Option<Veto> {
        veto(pair, self.corpus)
    }
}

/// A pair is the same whichever record is named first.
fn in_order((a, b): Pair) -> Pair {
    (a.min(b), a.max(b))
}

fn first_look(pair: Pair, corpus: &Corpus, models: &Models) -> FirstLook {
    let (a, b) = (&corpus.records[pair.0], &corpus.records[pair.1]);
    let seen = features::of(a, b, corpus);
    let model = models.of_pair(pair, corpus);
    let log_odds = model.log_odds(&seen);
    let is_vetoed = veto::of(a, b, &seen, corpus).is_some();
    let of_one_source = a.dataset == b.dataset;
    let is_slip = || !is_vetoed && probability(log_odds) >= model.match_score;
    FirstLook {
        records: [pair.0 as u32, pair.1 as u32],
        name_likeness: seen.name_likeness(),
        log_odds: (log_odds - model.weight(Feature::NameMargin, None)) as f32,
        competes: !of_one_source && !is_vetoed,
        stated: Stated::of(pair, &seen, corpus),
        one_site: of_one_source && (is_slip() || veto::are_posts_of_one_site(a, b, &seen, corpus)),
    }
}

/// Whether a pair's names are held against those of rivals: both have one, and the sources differ.
fn has_margin((a, b): Pair, corpus: &Corpus) -> bool {
    let (a, b) = (&corpus.records[a], &corpus.records[b]);
    a.dataset != b.dataset && !corpus.names(a).is_empty() && !corpus.names(b).is_empty()
}

/// The weight of the margin of a pair's names; that of a missing value where there is none.
fn margin_weight(pair: Pair, margin: f32, corpus: &Corpus, models: &Models) -> f64 {
    let margin = has_margin(pair, corpus).then_some(margin);
    models.of_pair(pair, corpus).weight(Feature::NameMargin, margin)
}

/// What keeps two records apart, if anything does.
pub(super) fn veto(pair: Pair, corpus: &Corpus) -> Option<Veto> {
    let (a, b) = (&corpus.records[pair.0], &corpus.records[pair.1]);
    veto::of(a, b, &features::of(a, b, corpus), corpus)
}

#[cfg(test)]
mod tests {
    use super::super::Evidence;
    use super::*;

    fn explain(a: &Evidence, b: &Evidence) -> Score {
        let corpus = Corpus::of([a.clone(), b.clone()]);
        Compared::of(&corpus, &Models::shipped(), &[(0, 1)]).score((0, 1))
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
            (station(near, 0, Some("wikidata:Q1"), &["kommod 2"]), Some(Veto::SameSource)),
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
