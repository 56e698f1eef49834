//! Rivals: what the other possible partners of two records say about the pair.
//!
//! A source knows most places once, so of several partners in another source at most one is right. Only pairs that
//! nothing vetoes compete, and only for a record of one source. What a source has twice are no rivals of each other.

use super::candidates::Pair;
use super::corpus::Corpus;

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

/// The summed odds of the partners of each record.
#[derive(Debug)]
pub(super) struct Odds(ByPartners<f64>);

/// Log odds beyond which a pair is as sure as it gets: one certain partner must not drown all others.
const LOG_ODDS: std::ops::RangeInclusive<f64> = -30.0..=12.0;

fn odds(log_odds: f64) -> f64 {
    log_odds.clamp(*LOG_ODDS.start(), *LOG_ODDS.end()).exp()
}

impl Odds {
    /// Log odds of each pair; missing for a pair that cannot be one place.
    pub(super) fn of(corpus: &Corpus, pairs: impl Iterator<Item = (Pair, Option<f64>)>) -> Self {
        let mut sums = ByPartners::<f64>::new(corpus);
        for ((a, b), log_odds) in pairs {
            if let Some(log_odds) = log_odds {
                *sums.at_mut(a, b, corpus) += odds(log_odds);
                *sums.at_mut(b, a, corpus) += odds(log_odds);
            }
        }
        Self(sums)
    }

    /// The odds of the other partners of `a` or of `b`, whichever are less: where only one of the two has a better
    /// partner, its source may hold the place twice.
    ///
    /// With odds o of the pair and r of its rivals, of which at most one is right, the pair's probability is
    /// o / (1 + o + r).
    pub(super) fn of_rivals(&self, (a, b): Pair, log_odds: Option<f64>, corpus: &Corpus) -> f64 {
        let own = log_odds.map_or(0.0, odds);
        let others = |record, other| (self.0.at(record, other, corpus) - own).max(0.0);
        // Sums of the same numbers in another order differ in their last bits; that is no rival.
        let rivals = f64::min(others(a, b), others(b, a));
        if rivals < own * 1e-9 { 0.0 } else { rivals }
    }
}
