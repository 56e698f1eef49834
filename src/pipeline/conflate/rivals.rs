//! Rivals: what the other possible partners of two records say about the pair.
//!
//! A source knows most places once, so of several partners in another source at most one is right. Only pairs that
//! nothing vetoes compete, and only for a record of one source. What one
//! source tells of one site in several records are no rivals of each other.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::candidates::Pair;
use super::corpus::Corpus;
use super::sites::Sites;

/// A value for each record and each source in which it has partners.
#[derive(Debug)]
struct ByPartners<T> {
    datasets: usize,
    values: Vec<T>,
}

impl<T: Copy + Default> ByPartners<T> {
    fn new(corpus: &Corpus) -> Self {
        let datasets = corpus.records.iter().map(|record| record.dataset as usize + 1).max().unwrap_or(0);
        Self { datasets, values: vec![T::default(); corpus.records.len() * datasets] }
    }

    /// The value of `record` among its partners in the source of `other`.
    fn at(&self, record: usize, other: usize, corpus: &Corpus) -> T {
        self.values[record * self.datasets + corpus.records[other].dataset as usize]
    }

    fn at_mut(&mut self, record: usize, other: usize, corpus: &Corpus) -> &mut T {
        &mut self.values[record * self.datasets + corpus.records[other].dataset as usize]
    }
}

/// The two most alike names among the partners of each record.
#[derive(Debug)]
pub(super) struct Namesakes(ByPartners<[f32; 2]>);

impl Namesakes {
    /// `likeness` of each pair; missing for a pair that cannot be one place.
    pub(super) fn of(corpus: &Corpus, pairs: impl Iterator<Item = (Pair, Option<f32>)>) -> Self {
        let mut best = ByPartners::<[f32; 2]>::new(corpus);
        for ((a, b), likeness) in pairs {
            for (record, other) in [(a, b), (b, a)] {
                let Some(likeness) = likeness else { continue };
                let top = best.at_mut(record, other, corpus);
                if likeness > top[0] {
                    *top = [likeness, top[0]];
                } else if likeness > top[1] {
                    top[1] = likeness;
                }
            }
        }
        Self(best)
    }

    /// How much more alike the names of a pair are than those of the best other partner of either.
    pub(super) fn margin(&self, (a, b): Pair, likeness: f32, corpus: &Corpus) -> f32 {
        let best_other = |record, other| {
            let [first, second] = self.0.at(record, other, corpus);
            if likeness < first { first } else { second }
        };
        likeness - f32::max(best_other(a, b), best_other(b, a))
    }
}

/// The summed odds of the partners of each site.
#[derive(Debug)]
pub(super) struct Odds {
    /// Kept with the first record of a site.
    sums: ByPartners<f64>,
    /// The best odds of two sites, by their first records, where one has several.
    of_sites: FxHashMap<Pair, f64>,
    sites: Sites,
}

/// Log odds beyond which a pair is as sure as it gets: one certain partner must not drown all others.
const LOG_ODDS: std::ops::RangeInclusive<f64> = -30.0..=12.0;

pub(super) fn odds(log_odds: f64) -> f64 {
    log_odds.clamp(*LOG_ODDS.start(), *LOG_ODDS.end()).exp()
}

impl Odds {
    /// Log odds of each pair; missing for a pair that cannot be one place.
    pub(super) fn of(corpus: &Corpus, sites: Sites, pairs: impl Iterator<Item = (Pair, Option<f64>)>) -> Self {
        let mut sums = ByPartners::<f64>::new(corpus);
        let mut best: BTreeMap<Pair, f64> = BTreeMap::new();
        for ((a, b), log_odds) in pairs {
            let Some(odds) = log_odds.map(odds) else { continue };
            if sites.is_shared(a) || sites.is_shared(b) {
                let best = best.entry((sites.first(a), sites.first(b))).or_default();
                *best = best.max(odds);
            } else {
                *sums.at_mut(a, b, corpus) += odds;
                *sums.at_mut(b, a, corpus) += odds;
            }
        }
        for ((a, b), odds) in &best {
            *sums.at_mut(*a, *b, corpus) += odds;
            *sums.at_mut(*b, *a, corpus) += odds;
        }
        Self { sums, of_sites: best.into_iter().collect(), sites }
    }

    /// Which records of one source tell of one site.
    pub(super) fn sites(&self) -> &Sites {
        &self.sites
    }

    /// The odds of the other partners of `a` or of `b`, whichever are less: where only one of the two has a better
    /// partner, its source may hold the place twice.
    ///
    /// With odds o of the pair and r of its rivals, of which at most one is right, the pair's probability is
    /// o / (1 + o + r).
    pub(super) fn of_rivals(&self, (a, b): Pair, log_odds: Option<f64>, corpus: &Corpus) -> f64 {
        let (first_a, first_b) = (self.sites.first(a), self.sites.first(b));
        let own = if self.sites.is_shared(a) || self.sites.is_shared(b) {
            self.of_sites.get(&(first_a, first_b)).copied().unwrap_or_default()
        } else {
            log_odds.map_or(0.0, odds)
        };
        let others = |record, other| (self.sums.at(record, other, corpus) - own).max(0.0);
        // Sums of the same numbers in another order differ in their last bits; that is no rival.
        let rivals = f64::min(others(first_a, first_b), others(first_b, first_a));
        if rivals < own * 1e-9 { 0.0 } else { rivals }
    }
}
