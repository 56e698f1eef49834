//! Companies: what the partners that state their operator say about a pair of which one record does not.
//!
//! Two operators on one site are two stations. So where a record is silent about its operator, partners of different
//! operators are rivals even if all of them are near, and a record with a partner of its own operator is that one's first.

use rustc_hash::FxHashMap;

use super::candidates::Pair;
use super::corpus::Corpus;
use super::features::{Feature, Features, other_companies};
use super::sites::Sites;

/// What two charging stations state of who runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    /// Both, and it is one company.
    Same,
    /// One of them does not.
    OneIsSilent,
    /// Neither, or nothing that tells; or it is no matter.
    Nothing,
}

impl Stated {
    pub(super) fn of(pair: Pair, seen: &Features, corpus: &Corpus) -> Self {
        let (a, b) = (&corpus.records[pair.0], &corpus.records[pair.1]);
        if !a.charging || !b.charging {
            return Self::Nothing;
        }
        match seen.get(Feature::Operator) {
            Some(alike) if alike >= SAME => Self::Same,
            None if a.operator.is_some() != b.operator.is_some() => Self::OneIsSilent,
            _ => Self::Nothing,
        }
    }
}

/// Operators at least this alike are one company.
const SAME: f32 = 0.9;

/// How much likelier a station of the same operator is the one than one that is silent about it. A guess: that a site has
/// two stations of one operator, and each source knows another one of them, is rare.
const FIRST: f64 = 10.0;

/// The partners of stations by what is stated of their operators. Keys are a record and the source of its partners.
#[derive(Debug, Default)]
pub(super) struct Companies {
    /// Of a station that is silent, those that are not.
    of_silent: FxHashMap<(usize, u16), Vec<(usize, f64)>>,
    /// The best odds of a partner of the same operator.
    of_same: FxHashMap<(usize, u16), f64>,
}

impl Companies {
    /// Pairs of different sources that may be one place, with their odds.
    pub(super) fn of(corpus: &Corpus, pairs: impl Iterator<Item = (Pair, Stated, f64)>) -> Self {
        let mut companies = Self::default();
        for ((a, b), stated, odds) in pairs {
            for (record, other) in [(a, b), (b, a)] {
                let key = (record, corpus.records[other].dataset);
                if stated == Stated::Same {
                    let best = companies.of_same.entry(key).or_default();
                    *best = best.max(odds);
                } else if stated == Stated::OneIsSilent && corpus.records[record].operator.is_none() {
                    companies.of_silent.entry(key).or_default().push((other, odds));
                }
            }
        }
        companies
    }

    /// The odds of rivals of a pair of which one record is silent about its operator; 0 of any other pair.
    pub(super) fn rivals(&self, (a, b): Pair, corpus: &Corpus, sites: &Sites) -> f64 {
        let records = &corpus.records;
        let (silent, stating) = match (records[a].operator, records[b].operator) {
            (None, Some(_)) => (a, b),
            (Some(_), None) => (b, a),
            _ => return 0.0,
        };
        let same = |record| self.of_same.get(&(record, records[silent].dataset)).copied();
        let partners = self.of_silent.get(&(silent, records[stating].dataset)).map_or(&[][..], Vec::as_slice);
        let is_rival = |other: usize| {
            !sites.are_one(stating, other)
                && same(other).is_none()
                && other_companies(&records[stating], &records[other], corpus)
        };
        let others: f64 = partners.iter().filter(|(other, _)| is_rival(*other)).map(|(_, odds)| odds).sum();
        others + FIRST * same(stating).unwrap_or_default()
    }
}
