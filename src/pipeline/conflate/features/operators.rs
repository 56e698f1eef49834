//! Operators: whether two records name the same company.

use strsim::jaro_winkler;

use super::names::{SAME_WORD, shared_letters};
use crate::pipeline::conflate::corpus::{Compact, Corpus};

/// How alike two operators are, in `[0, 1]`. `None` where one is unknown, or known only by a number of its source.
pub(super) fn similarity(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let (a, b) = (a.operator?, b.operator?);
    if a == b {
        return Some(1.0);
    }
    let (a, b) = (corpus.text(a), corpus.text(b));
    match (a.split_once(':'), b.split_once(':')) {
        // Two ids of one register: different companies.
        (Some((register_a, _)), Some((register_b, _))) => (register_a == register_b).then_some(0.0),
        // An operator of the alias table and one that is not in it under any of its names.
        (Some(("wikidata", _)), None) | (None, Some(("wikidata", _))) => Some(0.4),
        (Some(_), None) | (None, Some(_)) => None,
        (None, None) => {
            let contained = a.contains(b) || b.contains(a);
            Some(if contained { 0.9 } else { company_similarity(a, b) as f32 })
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
    let words = |text| str::split(text, ' ').collect::<Vec<&str>>();
    shared_letters(&words(a), &words(b))
}
