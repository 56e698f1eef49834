//! Vetoes: reasons that keep two records apart however well they score.

use strsim::jaro_winkler;

use super::corpus::{Compact, Corpus, Name};
use super::features::{self, Feature, Features, OTHER_OPERATOR, SAME_WORD};
use super::tokens::Token;

/// A reason that keeps two records apart however well they score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Veto {
    /// Different kinds of place, e.g. a car and a bicycle charging station.
    Category,
    /// Different known operators: two stations on one site.
    Operator,
    /// Not one class of connector in common: a fast charger beside posts for the night.
    Connectors,
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
            Self::Connectors => "different_connectors",
            Self::SameSource => "not_a_duplicate_within_its_source",
        }
    }
}

/// An operator this like the other's network or brand is the same company in another part.
const SAME_ROLE: f32 = 0.9;
/// Two records of one source further apart than this are not a slip, in metres: two charging stations …
pub(super) const SLIP_CHARGING_M: f32 = 50.0;
/// … or two places of any other kind, unless one lies in the other's footprint.
const SLIP_M: f32 = 5.0;
/// Posts that are numbered in a row are at most this far apart, in metres: at the ends of a car park.
const POSTS_M: f32 = 100.0;
/// Names of one source's duplicates are at least this alike: a title with a word more is that of a part of the site.
const SLIP_NAME: f32 = 0.8;

/// What keeps the two apart, if anything does.
pub(super) fn of(a: &Compact, b: &Compact, seen: &Features, corpus: &Corpus) -> Option<Veto> {
    if !corpus.same_kind(a, b) {
        return Some(Veto::Category);
    }
    if a.dataset == b.dataset {
        let slip = is_slip(a, b, seen, corpus) && !told_apart(a, b, corpus) || is_from_two_providers(a, b, seen);
        return (!slip || numbered_apart(a, b, corpus)).then_some(Veto::SameSource);
    }
    of_stations(a, b, seen)
}

/// What keeps two charging stations apart, if anything does, wherever they are from.
pub(super) fn of_stations(a: &Compact, b: &Compact, seen: &Features) -> Option<Veto> {
    // An id of the thing itself says more than who its sources think runs it.
    let is_known = seen.get(Feature::SharedId).is_some() || seen.get(Feature::Devices) == Some(1.0);
    if !a.charging || is_known {
        return None;
    }
    // One network may be run by several, who number its posts: these are the network's, but not one station. That they
    // share a number is known above.
    let are_numbered = a.reference.is_some() && b.reference.is_some();
    let of_one_network = seen.get(Feature::Role).is_some_and(|alike| alike >= SAME_ROLE) && !are_numbered;
    if seen.get(Feature::Operator).is_some_and(|alike| alike < OTHER_OPERATOR) && !of_one_network {
        return Some(Veto::Operator);
    }
    (seen.get(Feature::Plugs) == Some(0.0)).then_some(Veto::Connectors)
}

/// Whether two records of one source are that source's own slip: the same thing entered twice.
///
/// Mappers and imports put neighbours side by side on purpose, so nearness proves nothing here: the operators must not
/// differ, the numbers on the devices must not differ, and the names must agree.
fn is_slip(a: &Compact, b: &Compact, seen: &Features, corpus: &Corpus) -> bool {
    let distance_m = seen.get(Feature::DistanceM).unwrap_or(f32::INFINITY);
    let near = distance_m <= if a.charging { SLIP_CHARGING_M } else { SLIP_M };
    if !near && !a.encloses(b) && !b.encloses(a) {
        return false;
    }
    let other_number = matches!((a.reference, b.reference), (Some(x), Some(y)) if x != y);
    let disjoint = a.connectors != 0 && b.connectors != 0 && a.connectors & b.connectors == 0;
    let name = features::dice(a, b, corpus);
    // Entered twice, once without its operator.
    let one_is_silent = a.operator.is_none() != b.operator.is_none();
    let said_less = || one_is_silent && distance_m <= SLIP_M && name == Some(1.0) && is_at_one_door(seen);
    let named_alike = name.is_some_and(|alike| alike >= if a.charging { SLIP_NAME } else { 1.0 });
    let shares_id = seen.get(Feature::SharedId).is_some();
    let same_operator = a.operator == b.operator || is_one_company(seen) || said_less();
    same_operator && !other_number && !disjoint && (named_alike || shares_id)
}

/// Whether a source has one station from two providers, each of whom names it as he likes: at one door, and as far as both
/// state one of one operator.
fn is_from_two_providers(a: &Compact, b: &Compact, seen: &Features) -> bool {
    let near = seen.get(Feature::DistanceM).is_some_and(|distance_m| distance_m <= SLIP_CHARGING_M);
    let of_two = a.charging && b.charging && a.provider != b.provider;
    let is_silent = |record: &Compact| record.operator.is_none() && record.operator_name.is_none();
    let may_be_one = is_silent(a) || is_silent(b) || is_one_company(seen);
    of_two && near && is_at_one_door(seen) && may_be_one && of_stations(a, b, seen).is_none()
}

/// Whether both state an operator, and it is the same.
fn is_one_company(seen: &Features) -> bool {
    seen.get(Feature::Operator).is_some_and(|alike| f64::from(alike) >= SAME_WORD)
}

/// Whether street and house number agree.
fn is_at_one_door(seen: &Features) -> bool {
    seen.get(Feature::Address) == Some(1.0)
}

/// Whether their names number them apart: `Dorfplatz 1` and `Dorfplatz 2` are neighbours, and so are `Dorfplatz` and
/// `Dorfplatz EV2`. Registers list a row of posts one by one.
fn numbered_apart(a: &Compact, b: &Compact, corpus: &Corpus) -> bool {
    let numbers = |record: &Compact| -> Vec<Token> {
        let words = corpus.names(record).iter().flat_map(|name| corpus.words(name.written)).copied();
        let mut numbers: Vec<Token> =
            words.filter(|word| corpus.text(*word).bytes().any(|byte| byte.is_ascii_digit())).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    numbers(a) != numbers(b)
}

/// Whether their names each have a word that the other has nothing like: `East Garage` and `West Garage` are two parts of a
/// site, however alike the rest of their names is.
fn told_apart(a: &Compact, b: &Compact, corpus: &Corpus) -> bool {
    let words =
        |name: &Name| -> Vec<&str> { corpus.words(name.written).iter().map(|word| corpus.text(*word)).collect() };
    let has_own = |own: &[&str], others: &[&str]| {
        own.iter().any(|word| !others.iter().any(|other| jaro_winkler(word, other) >= SAME_WORD))
    };
    // `Nord Hafen` and `Nordhafen` are one.
    let apart = |x: &Vec<&str>, y: &Vec<&str>| has_own(x, y) && has_own(y, x) && x.concat() != y.concat();
    let names = |record| corpus.names(record).iter().map(words).collect::<Vec<_>>();
    let (names_a, names_b) = (names(a), names(b));
    !names_a.is_empty() && !names_b.is_empty() && names_a.iter().all(|x| names_b.iter().all(|y| apart(x, y)))
}

/// Whether two records of one source are numbered posts of one site: `Dorfplatz 1` and `Dorfplatz 2`, of one company.
pub(super) fn are_posts_of_one_site(a: &Compact, b: &Compact, seen: &Features, corpus: &Corpus) -> bool {
    let distance_m = seen.get(Feature::DistanceM).unwrap_or(f32::INFINITY);
    let one_company = a.operator == b.operator && a.network == b.network && a.brand == b.brand;
    a.dataset == b.dataset
        && (a.charging && b.charging)
        && (distance_m <= POSTS_M && one_company)
        && corpus.same_kind(a, b)
        && features::numbered_in_a_row(a, b, distance_m <= SLIP_CHARGING_M, corpus)
}
