//! Score: how likely two records are one place, as a sum of evidence, each piece with its weight.
//!
//! - **Out**: a probability in `[0, 1]`: the logistic function of the summed weights, which are log odds.
//! - **Missing values** add nothing: absence is not evidence.
//! - **Source**: the additive form is Fellegi and Sunter 1969, *JASA* 64:1183; the weights are written by hand here and
//!   tried on real pairs, so the probability is a rank, not yet a calibrated one.

use rayon::prelude::*;
use strsim::jaro_winkler;

use super::candidates::Pair;
use super::evidence::{Compact, Evidence, Token, Tokens};

/// A piece of evidence: its name, what was seen, and what that adds to the log odds.
pub type Piece = (&'static str, f64, f64);

/// A reason that keeps two records apart however well they score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Veto {
    /// Different kinds of place, e.g. a car and a bicycle charging station.
    Category,
    /// Different known operators: two stations on one site.
    Operator,
    /// Two records of one source that do not look like a slip of that source.
    SameSource,
}

impl Veto {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "different_category",
            Self::Operator => "different_operator",
            Self::SameSource => "not_a_duplicate_within_its_source",
        }
    }
}

/// How two records compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Distance between the two, or their footprints, in metres.
    pub distance_m: f64,
    /// What was seen.
    pub pieces: Vec<Piece>,
    /// Why they are apart whatever was seen.
    pub veto: Option<Veto>,
    /// The probability that they are one place.
    pub probability: f64,
}

/// A compared pair.
#[derive(Debug)]
pub(super) struct Scored {
    pub(super) pair: Pair,
    pub(super) score: Score,
}

/// Scores every pair, in order. Most score below `review_score` and get no row, so their pieces are not kept.
pub(super) fn all(pairs: &[Pair], records: &[Compact], tokens: &Tokens, review_score: f64) -> Vec<Scored> {
    let scored = |&pair: &Pair| {
        let mut score = of(&records[pair.0], &records[pair.1], tokens);
        if score.probability < review_score {
            score.pieces = Vec::new();
        }
        Scored { pair, score }
    };
    pairs.par_iter().map(scored).collect()
}

/// Compares two records as a run would, from the evidence that a snapshot keeps.
#[must_use]
pub fn explain(a: &Evidence, b: &Evidence) -> Score {
    let mut tokens = Tokens::default();
    let (a, b) = (tokens.compact(a), tokens.compact(b));
    of(&a, &b, &tokens)
}

/// Names this alike are written the same but for a letter.
const SAME_WORD: f64 = 0.92;
/// Operators less alike than this are different companies.
const OTHER_OPERATOR: f64 = 0.5;
/// Two records of one source further apart than this are not a slip, in metres: two charging stations …
const SLIP_CHARGING_M: f64 = 50.0;
/// … or two places of any other kind, unless one lies in the other's footprint.
const SLIP_M: f64 = 5.0;
/// Names of one source's duplicates are at least this alike: a title with a word more is that of a part of the site.
const SLIP_NAME: f64 = 0.8;

/// Compares two records.
pub(super) fn of(a: &Compact, b: &Compact, tokens: &Tokens) -> Score {
    let distance_m = a.distance(b).0;
    let name = name_similarity(a, b, tokens);
    let operator = operator_similarity(a, b, tokens);
    let shares_id = a.ids.iter().any(|id| b.ids.contains(id));
    let mut pieces: Vec<Piece> = Vec::with_capacity(10);

    if shares_id {
        pieces.push(("shared_id", 1.0, 8.0));
    }
    // Charging stations are rare: what lies within a few metres is the same site. Shops are not; their names decide.
    let nearness = if a.charging { 4.0 - distance_m / 15.0 } else { 1.0 - distance_m / 50.0 };
    pieces.push(("distance_m", round(distance_m, 10.0), nearness.max(-4.0)));
    if let Some(name) = name {
        // Titles of charging stations often only tell where they are, so different ones say little.
        let weight = if a.charging { 3.5 * name - 1.0 } else { 10.0 * name - 6.5 };
        pieces.push(("name", round(name, 100.0), weight));
    }
    if let Some(operator) = operator {
        pieces.push(("operator", round(operator, 100.0), 5.0 * operator - 3.0));
    }
    if let (Some(x), Some(y)) = (a.brand, b.brand) {
        pieces.push(("brand", f64::from(x == y), if x == y { 1.0 } else { -1.5 }));
    }
    if a.connectors != 0 && b.connectors != 0 {
        let (shared, either) = (a.connectors & b.connectors, a.connectors | b.connectors);
        let share = f64::from(shared.count_ones()) / f64::from(either.count_ones());
        pieces.push(("connectors", round(share, 100.0), if shared == 0 { -4.0 } else { 1.5 * share }));
    }
    if let (Some(x), Some(y)) = (a.max_power_kw, b.max_power_kw) {
        let ratio = f64::from(x.min(y) / x.max(y));
        pieces.push(("power", round(ratio, 100.0), if ratio >= 0.8 { 0.5 } else { -1.5 * (0.8 - ratio) }));
    }
    if let (Some(x), Some(y)) = (a.phone, b.phone) {
        pieces.push(("phone", f64::from(x == y), if x == y { 1.5 } else { -0.5 }));
    }
    if let (Some(x), Some(y)) = (a.host, b.host) {
        pieces.push(("website", f64::from(x == y), if x == y { 1.0 } else { -0.5 }));
    }
    if let (Some(x), Some(y)) = (a.street.zip(a.housenumber), b.street.zip(b.housenumber)) {
        pieces.push(("address", f64::from(x == y), if x == y { 1.5 } else { -1.0 }));
    }
    if let (Some(x), Some(y)) = (a.postcode, b.postcode)
        && x != y
    {
        pieces.push(("postcode", 0.0, -0.5));
    }

    let shared_category = a.categories.iter().any(|category| b.categories.contains(category));
    let veto = if !shared_category {
        Some(Veto::Category)
    } else if a.dataset == b.dataset {
        let slip = is_slip(a, b, distance_m, name, operator, shares_id) && !numbered_apart(a, b, tokens);
        (!slip).then_some(Veto::SameSource)
    } else {
        let other_operator = a.charging && !shares_id && operator.is_some_and(|alike| alike < OTHER_OPERATOR);
        other_operator.then_some(Veto::Operator)
    };
    let log_odds: f64 = pieces.iter().map(|(_, _, weight)| weight).sum();
    Score { distance_m, pieces, veto, probability: 1.0 / (1.0 + (-log_odds).exp()) }
}

/// Whether two records of one source are that source's own slip: the same thing entered twice.
///
/// Mappers and imports put neighbours side by side on purpose, so nearness proves nothing here: the operators must not
/// differ, the numbers on the devices must not differ, and the names must agree.
fn is_slip(
    a: &Compact,
    b: &Compact,
    distance_m: f64,
    name: Option<f64>,
    operator: Option<f64>,
    shares_id: bool,
) -> bool {
    let near = distance_m <= if a.charging { SLIP_CHARGING_M } else { SLIP_M };
    let nested = a.encloses(b) || b.encloses(a);
    let same_operator = a.operator == b.operator || operator.is_some_and(|alike| alike >= SAME_WORD);
    let other_number = matches!((a.reference, b.reference), (Some(x), Some(y)) if x != y);
    let disjoint = a.connectors != 0 && b.connectors != 0 && a.connectors & b.connectors == 0;
    let named_alike = name.is_some_and(|alike| alike >= if a.charging { SLIP_NAME } else { 1.0 });
    (near || nested) && same_operator && !other_number && !disjoint && (named_alike || shares_id)
}

/// Whether both are numbered by their names, and differently: `Dorfplatz 1` and `Dorfplatz 2` are neighbours.
fn numbered_apart(a: &Compact, b: &Compact, tokens: &Tokens) -> bool {
    let numbers = |record: &Compact| -> Vec<Token> {
        let words = record.names.iter().flatten().copied();
        words.filter(|word| tokens.text(*word).bytes().all(|byte| byte.is_ascii_digit())).collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    !a.is_empty() && !b.is_empty() && !a.iter().any(|number| b.contains(number))
}

/// How alike the best two names are, in `[0, 1]`: shared words over all words (Dice), a word counting by its letters.
fn name_similarity(a: &Compact, b: &Compact, tokens: &Tokens) -> Option<f64> {
    let pairs = a.names.iter().flat_map(|x| b.names.iter().map(move |y| dice(x, y, tokens)));
    pairs.max_by(f64::total_cmp)
}

fn dice(a: &[Token], b: &[Token], tokens: &Tokens) -> f64 {
    let letters = |words: &[Token]| -> usize { words.iter().map(|word| tokens.text(*word).chars().count()).sum() };
    let mut left: Vec<Token> = b.to_vec();
    let mut shared = 0;
    for word in a {
        if let Some(at) = left.iter().position(|other| same_word(*word, *other, tokens)) {
            shared += tokens.text(*word).chars().count() + tokens.text(left[at]).chars().count();
            left.swap_remove(at);
        }
    }
    shared as f64 / (letters(a) + letters(b)).max(1) as f64
}

fn same_word(a: Token, b: Token, tokens: &Tokens) -> bool {
    a == b || jaro_winkler(tokens.text(a), tokens.text(b)) >= SAME_WORD
}

/// How alike two operators are, in `[0, 1]`. `None` where one is unknown, or known only by a number of its source.
fn operator_similarity(a: &Compact, b: &Compact, tokens: &Tokens) -> Option<f64> {
    let (a, b) = (a.operator?, b.operator?);
    if a == b {
        return Some(1.0);
    }
    let (a, b) = (tokens.text(a), tokens.text(b));
    match (a.split_once(':'), b.split_once(':')) {
        // Two ids of one register: different companies.
        (Some((register_a, _)), Some((register_b, _))) => (register_a == register_b).then_some(0.0),
        // An operator of the alias table and one that is not in it under any of its names.
        (Some(("wikidata", _)), None) | (None, Some(("wikidata", _))) => Some(0.4),
        (Some(_), None) | (None, Some(_)) => None,
        (None, None) => {
            let contained = a.contains(b) || b.contains(a);
            Some(if contained { 0.9 } else { company_similarity(a, b) })
        }
    }
}

/// How alike two companies are written, in `[0, 1]`: as one word, else by the letters of shared words (Dice).
///
/// Letters alone prove nothing: Jaro-Winkler finds any two names of some length half alike.
fn company_similarity(a: &str, b: &str) -> f64 {
    let whole = jaro_winkler(&a.replace(' ', ""), &b.replace(' ', ""));
    if whole >= SAME_WORD {
        return whole;
    }
    let mut tokens = Tokens::default();
    let mut words = |text: &str| text.split(' ').map(|word| tokens.intern(word)).collect::<Vec<_>>();
    let (a, b) = (words(a), words(b));
    dice(&a, &b, &tokens)
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(score.probability >= 0.8, expected, "{tens} {names_a:?} {names_b:?}: {score:?}");
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
            (station(near, 0, Some("wikidata:Q1"), &["kommod 1"]), None),
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
