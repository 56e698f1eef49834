//! Operators: whether two records name the same company, by its id in a register, else by the words that tell it from others.

use strsim::jaro_winkler;

use super::names::{SAME_WORD, shared_letters};
use crate::pipeline::conflate::corpus::{Compact, Corpus};

/// Two ids of one register, whose names are nevertheless alike: companies of one group, or an entry too many.
const SAME_GROUP: f32 = 0.7;

/// A known company, and one that the alias table does not know.
const NOT_IN_THE_TABLE: f32 = 0.4;

/// The telling words are the same: `Stadtwerke Foo` may be the town of Foo's, or not.
const ALIKE: f32 = 0.95;

/// One name has every telling word of the other, and more: `Polar`, `Chargemaster Polar`.
const CONTAINED: f32 = 0.9;

/// Words, folded, that say nothing but what form a company has.
const FORMS: [&str; 48] = [
    "ag",
    "and",
    "as",
    "ab",
    "b",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "de",
    "der",
    "des",
    "die",
    "du",
    "eg",
    "et",
    "fur",
    "gmbh",
    "group",
    "gruppe",
    "holding",
    "inc",
    "kg",
    "la",
    "le",
    "limited",
    "llc",
    "llp",
    "ltd",
    "mbh",
    "n",
    "nv",
    "of",
    "oy",
    "oyj",
    "plc",
    "s",
    "sa",
    "sas",
    "se",
    "sl",
    "spa",
    "srl",
    "the",
    "uab",
    "und",
    "v",
];

/// Words, folded, that many companies have in their names and that therefore tell none from another: what they sell, and
/// where they sell it.
const COMMON: [&str; 58] = [
    "carga",
    "charge",
    "charger",
    "chargers",
    "charging",
    "e",
    "ecar",
    "electric",
    "electrique",
    "elektro",
    "elektromobilitat",
    "elektrizitatswerk",
    "elektrizitatswerke",
    "emobility",
    "energia",
    "energie",
    "energies",
    "energy",
    "ev",
    "fleet",
    "gas",
    "infrastructure",
    "kommunale",
    "ladenetz",
    "ladestation",
    "ladestationen",
    "ladesaule",
    "laden",
    "mobil",
    "mobility",
    "mobilite",
    "mobilitat",
    "network",
    "networks",
    "operator",
    "point",
    "points",
    "power",
    "recharge",
    "service",
    "services",
    "solutions",
    "stadt",
    "stadtwerk",
    "stadtwerke",
    "station",
    "stations",
    "strom",
    "stromnetz",
    "systems",
    "technologies",
    "uk",
    "us",
    "usa",
    "vehicle",
    "vehicles",
    "versorgung",
    "werke",
];

/// How alike two operators are, in `[0, 1]`. `None` where one is unknown, is known only by a number of its source, or
/// has a name of common words alone.
pub(super) fn similarity(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let (key_a, key_b) = (a.operator?, b.operator?);
    if key_a == key_b {
        return Some(1.0);
    }
    let registered = |key| corpus.text(key).split_once(':').map(|(register, _)| register);
    let (register_a, register_b) = (registered(key_a), registered(key_b));
    let named = |record: &Compact, key, register: Option<&str>| match register {
        Some(_) => record.operator_name.map(|name| corpus.text(name)),
        None => Some(corpus.text(key)),
    };
    let names = named(a, key_a, register_a).zip(named(b, key_b, register_b));
    let alike = names.and_then(|(a, b)| company(a, b));
    match (register_a, register_b) {
        (Some(a), Some(b)) if a == b => Some(if alike >= Some(CONTAINED) { SAME_GROUP } else { 0.0 }),
        // An operator of the alias table whose name is not kept, and one that is not in it under any of its names.
        (Some("wikidata"), None) | (None, Some("wikidata")) if names.is_none() => Some(NOT_IN_THE_TABLE),
        _ => alike,
    }
}

/// Whether two records state operators that are different companies.
pub(in crate::pipeline::conflate) fn other_companies(a: &Compact, b: &Compact, corpus: &Corpus) -> bool {
    similarity(a, b, corpus).is_some_and(|alike| alike < OTHER)
}

/// Operators less alike than this are different companies.
pub(in crate::pipeline::conflate) const OTHER: f32 = 0.5;

/// How alike two companies are written, folded, in `[0, 1]`. `None` where only common words could tell.
///
/// Letters alone prove nothing: Jaro-Winkler finds any two names of some length half alike.
pub(super) fn company(a: &str, b: &str) -> Option<f32> {
    let glued = |name: &str| name.split(' ').filter(|word| !FORMS.contains(word)).collect::<String>();
    if a == b || glued(a) == glued(b) && !glued(a).is_empty() {
        return Some(1.0);
    }
    let (words_a, words_b) = (telling(a), telling(b));
    if words_a.is_empty() || words_b.is_empty() {
        return None;
    }
    let whole = jaro_winkler(&words_a.concat(), &words_b.concat());
    if whole >= SAME_WORD {
        return Some(ALIKE.min(whole as f32));
    }
    let (fewer, more) = if words_a.len() <= words_b.len() { (&words_a, &words_b) } else { (&words_b, &words_a) };
    if contains(more, fewer) || initials(fewer, more) {
        return Some(CONTAINED);
    }
    Some(shared_letters(&words_a, &words_b) as f32)
}

/// The words of a company's name that tell it from others.
pub(super) fn telling(name: &str) -> Vec<&str> {
    name.split(' ').filter(|word| !COMMON.contains(word) && !FORMS.contains(word)).collect()
}

/// Whether every one of `words` is among `all`, but for a letter.
pub(super) fn contains(all: &[&str], words: &[&str]) -> bool {
    let is_there = |word: &&str| all.iter().any(|other| other == word || jaro_winkler(other, word) >= SAME_WORD);
    words.iter().all(is_there) && words.iter().map(|word| word.len()).sum::<usize>() >= 3
}

/// Whether one word is the initials of the others: `lkw`, of three words.
fn initials(short: &[&str], long: &[&str]) -> bool {
    let [word] = short else { return false };
    let firsts: String = long.iter().filter_map(|word| word.chars().next()).collect();
    long.len() >= 3 && **word == firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companies_are_told_apart_by_the_words_that_others_do_not_have() {
        let cases = [
            ("stadtwerke nebelhafen", "stadtwerke mowenberg", Some(false)),
            ("stadtwerke bad ems", "stadtwerke bad endorf", Some(false)),
            ("energie sud", "elektro nord", Some(false)),
            ("leuchtturm laden", "mowe mobil", Some(false)),
            ("polar uk", "chargemaster polar", Some(true)),
            ("mowe mobil", "mowemobil", Some(true)),
            ("pod point", "podpoint ltd", Some(true)),
            ("foo charging", "foo", Some(true)),
            ("foo energie gmbh", "foo", Some(true)),
            ("kraftwerke liechtenstein", "liechtensteinische kraftwerke", Some(true)),
            ("stadtwerke", "stadtwerke mowenberg", None),
        ];
        for (a, b, expected) in cases {
            assert_eq!(company(a, b).map(|alike| alike >= 0.5), expected, "{a:?} {b:?} {:?}", company(a, b));
            assert_eq!(company(a, b), company(b, a));
        }
    }
}
