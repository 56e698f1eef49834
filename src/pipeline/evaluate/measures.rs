//! Measures of scored pairs with labels.
//!
//! A pair is merged when it scores at least a threshold. Equal scores are merged together, so no measure depends on the
//! order of pairs.

use super::{Calibration, Interval, wilson};

/// A scored pair and the truth about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub(super) score: f64,
    pub(super) is_match: bool,
}

impl Judged {
    /// A pair that scores so, in `[0, 1]`; `None` for what is no probability, which would make every measure of it wrong.
    #[must_use]
    pub fn new(score: f64, is_match: bool) -> Option<Self> {
        (0.0..=1.0).contains(&score).then_some(Self { score, is_match })
    }

    /// The probability that the two are one place, in `[0, 1]`.
    #[must_use]
    pub fn score(self) -> f64 {
        self.score
    }

    /// Whether they are.
    #[must_use]
    pub fn is_match(self) -> bool {
        self.is_match
    }
}

/// Pairs by verdict and truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Merged, and one place.
    pub right: u64,
    /// Merged, but two places.
    pub wrong: u64,
    /// One place, but not merged.
    pub missed: u64,
}

impl Counts {
    /// Counts what a threshold does.
    #[must_use]
    pub fn at(judged: &[Judged], threshold: f64) -> Self {
        let mut counts = Self::default();
        for pair in judged {
            match (pair.score >= threshold, pair.is_match) {
                (true, true) => counts.right += 1,
                (true, false) => counts.wrong += 1,
                (false, true) => counts.missed += 1,
                (false, false) => {}
            }
        }
        counts
    }

    /// Of the merged pairs, the share that is one place.
    #[must_use]
    pub fn precision(self) -> Option<f64> {
        share(self.right, self.right + self.wrong)
    }

    /// Of the pairs that are one place, the share that is merged.
    #[must_use]
    pub fn recall(self) -> Option<f64> {
        share(self.right, self.right + self.missed)
    }

    /// The harmonic mean of both; `None` where no pair is or was said to be one place.
    #[must_use]
    pub fn f1(self) -> Option<f64> {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }

    /// 95 % interval of the precision.
    #[must_use]
    pub fn precision_interval(self) -> Option<Interval> {
        wilson(self.right, self.right + self.wrong)
    }

    /// 95 % interval of the recall.
    #[must_use]
    pub fn recall_interval(self) -> Option<Interval> {
        wilson(self.right, self.right + self.missed)
    }
}

/// Precision and recall at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operating {
    /// Pairs scoring this or more are merged.
    pub threshold: f64,
    /// What that does.
    pub counts: Counts,
}

/// Every threshold that makes a difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// By falling threshold.
    pub points: Vec<Operating>,
    matches: u64,
    pairs: u64,
}

/// What a person has to see so that the rest is decided well enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Review {
    /// From this score on, pairs are merged unseen; more than 1 where no threshold is good enough.
    pub merged_from: f64,
    /// Below this score, pairs are kept apart unseen.
    pub apart_below: f64,
    /// Pairs between, as a share of all.
    pub share: f64,
    /// Of the pairs that are one place, the share that is merged or seen.
    pub recall: f64,
}

impl Curve {
    /// Sorts scored pairs into a curve.
    #[must_use]
    pub fn of(judged: &[Judged]) -> Self {
        let mut sorted = judged.to_vec();
        sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
        let matches = sorted.iter().filter(|pair| pair.is_match).count() as u64;
        let mut counts = Counts { missed: matches, ..Counts::default() };
        let mut points: Vec<Operating> = Vec::new();
        for pair in &sorted {
            if pair.is_match {
                counts.right += 1;
                counts.missed -= 1;
            } else {
                counts.wrong += 1;
            }
            match points.last_mut() {
                Some(last) if last.threshold == pair.score => last.counts = counts,
                _ => points.push(Operating { threshold: pair.score, counts }),
            }
        }
        Self { points, matches, pairs: judged.len() as u64 }
    }

    /// The threshold of best F1, the highest of equals. What no threshold chosen beforehand can beat.
    #[must_use]
    pub fn best(&self) -> Option<Operating> {
        let with_f1 = self.points.iter().filter_map(|point| Some((point, point.counts.f1()?)));
        let best = with_f1.fold(None, |best: Option<(&Operating, f64)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        });
        best.map(|(point, _)| *point)
    }

    /// The threshold of most recall whose precision is at least so much.
    #[must_use]
    pub fn at_precision(&self, precision: f64) -> Option<Operating> {
        self.points.iter().rev().find(|point| point.counts.precision() >= Some(precision)).copied()
    }

    /// The recall at that threshold: 0 where there is none, `None` without matches.
    #[must_use]
    pub fn recall_at_precision(&self, precision: f64) -> Option<f64> {
        share(self.at_precision(precision).map_or(0, |point| point.counts.right), self.matches)
    }

    /// Average precision: the precision at each threshold, weighed by the recall that it adds; no interpolation.
    #[must_use]
    pub fn average_precision(&self) -> Option<f64> {
        let mut sum = 0.0;
        let mut right = 0;
        for Operating { counts, .. } in &self.points {
            sum += (counts.right - right) as f64 * counts.precision().unwrap_or(0.0);
            right = counts.right;
        }
        (self.matches > 0).then(|| sum / self.matches as f64)
    }

    /// What a person has to see so that both verdicts given unseen are right in this share of cases: of the pairs merged,
    /// as many are one place, and of the pairs kept apart, as many are two.
    #[must_use]
    pub fn review(&self, precision: f64) -> Option<Review> {
        let merged = self.at_precision(precision);
        let merged_pairs = merged.map_or(0, |point| point.counts.right + point.counts.wrong);
        // Pairs above a point, and the matches among them; first, with nothing above.
        let none = Operating { threshold: f64::INFINITY, counts: Counts { missed: self.matches, ..Counts::default() } };
        let good_enough = |point: &&Operating| {
            let below = self.pairs - point.counts.right - point.counts.wrong;
            share(below - point.counts.missed, below).is_none_or(|right| right >= precision)
        };
        let apart = std::iter::once(&none).chain(&self.points).find(good_enough)?;
        let seen_or_merged = (apart.counts.right + apart.counts.wrong).max(merged_pairs);
        let merged_from = merged.map_or(f64::INFINITY, |point| point.threshold);
        let missed = if seen_or_merged == merged_pairs {
            merged.map_or(self.matches, |point| point.counts.missed)
        } else {
            apart.counts.missed
        };
        Some(Review {
            merged_from,
            apart_below: apart.threshold.min(merged_from),
            share: share(seen_or_merged - merged_pairs, self.pairs)?,
            recall: share(self.matches - missed, self.matches)?,
        })
    }
}

/// What is told of a set of pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// Labelled pairs.
    pub pairs: u64,
    /// Those that are one place.
    pub matches: u64,
    /// What the model's threshold does.
    pub at_match_score: Operating,
    /// The same where each record keeps its best partner only.
    pub one_to_one: Counts,
    /// Pairs that the model would send to review, as a share of all.
    pub reviewed: f64,
    /// Every threshold.
    pub curve: Curve,
    /// How well scores say how often they are right.
    pub calibration: Calibration,
}

impl Measures {
    /// The precision that the issue of trust is about: what an automatic merge must keep.
    pub const TRUSTED: f64 = 0.98;

    /// Measures scored pairs of records, given by their indices.
    #[must_use]
    pub fn of(pairs: &[(usize, usize)], judged: &[Judged], match_score: f64, review_score: f64) -> Self {
        let counts = Counts::at(judged, match_score);
        let reviewed = judged.iter().filter(|pair| (review_score..match_score).contains(&pair.score)).count();
        Self {
            pairs: judged.len() as u64,
            matches: counts.right + counts.missed,
            at_match_score: Operating { threshold: match_score, counts },
            one_to_one: Counts::at(&super::one_to_one(pairs, judged, match_score), match_score),
            reviewed: reviewed as f64 / judged.len().max(1) as f64,
            curve: Curve::of(judged),
            calibration: Calibration::of(judged),
        }
    }
}

/// The mean of those values that there are; `None` of none.
#[must_use]
pub fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The median of those values that there are, the mean of the middle two; `None` of none.
#[must_use]
pub fn median(values: &[Option<f64>]) -> Option<f64> {
    let mut known: Vec<f64> = values.iter().copied().flatten().collect();
    known.sort_by(f64::total_cmp);
    let half = known.len() / 2;
    match known.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(known[half]),
        _ => Some(f64::midpoint(known[half - 1], known[half])),
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(f64, u8)]) -> Vec<Judged> {
        pairs.iter().map(|(score, label)| Judged { score: *score, is_match: *label == 1 }).collect()
    }

    /// Ten pairs, five of them matches.
    fn ten() -> Vec<Judged> {
        judged(&[
            (0.95, 1),
            (0.90, 1),
            (0.85, 0),
            (0.80, 1),
            (0.60, 1),
            (0.40, 0),
            (0.30, 1),
            (0.20, 0),
            (0.10, 0),
            (0.05, 0),
        ])
    }

    #[test]
    fn what_is_no_probability_is_no_score() {
        for (score, expected) in [(0.0, true), (1.0, true), (-0.1, false), (1.1, false), (f64::NAN, false)] {
            assert_eq!(Judged::new(score, true).is_some(), expected, "{score}");
        }
    }

    #[test]
    fn a_threshold_counts_what_it_merges_and_misses() {
        let cases = [
            (0.8, (3, 1, 2), Some(0.75), Some(0.6), Some(6.0 / 9.0)),
            (0.0, (5, 5, 0), Some(0.5), Some(1.0), Some(10.0 / 15.0)),
            (0.99, (0, 0, 5), None, Some(0.0), Some(0.0)),
        ];
        for (threshold, (right, wrong, missed), precision, recall, f1) in cases {
            let counts = Counts::at(&ten(), threshold);
            assert_eq!(counts, Counts { right, wrong, missed }, "{threshold}");
            assert_eq!((counts.precision(), counts.recall(), counts.f1()), (precision, recall, f1), "{threshold}");
        }
        assert_eq!(Counts::default().f1(), None, "nothing was there and nothing was said");
    }

    #[test]
    fn the_curve_has_its_best_point_its_trusted_point_and_its_area() {
        let curve = Curve::of(&ten());
        let best = curve.best().unwrap();
        // At 0.3: five right, two wrong, none missed; at 0.6 it is 0.8.
        assert_eq!((best.threshold, best.counts.f1()), (0.3, Some(10.0 / 12.0)));
        assert_eq!(curve.recall_at_precision(0.98), Some(0.4));
        assert_eq!(curve.recall_at_precision(0.8), Some(0.8), "precision comes back after a slip");
        let by_hand = (1.0 + 1.0 + 3.0 / 4.0 + 4.0 / 5.0 + 5.0 / 7.0) / 5.0;
        assert!((curve.average_precision().unwrap() - by_hand).abs() < 1e-12);
        let empty = Curve::of(&[]);
        assert_eq!((empty.best(), empty.recall_at_precision(0.98), empty.average_precision()), (None, None, None));
    }

    #[test]
    fn equal_scores_are_one_threshold() {
        let curve = Curve::of(&judged(&[(0.5, 0), (0.5, 1), (0.5, 1), (0.2, 1)]));
        assert_eq!(curve.points.len(), 2);
        assert_eq!(curve.points[0].counts, Counts { right: 2, wrong: 1, missed: 1 });
        assert_eq!(curve.recall_at_precision(0.98), Some(0.0));
    }

    #[test]
    fn review_holds_what_neither_verdict_is_sure_of() {
        // At 98 %: merged are the first two; apart, the last three; five lie between.
        let review = Curve::of(&ten()).review(0.98).unwrap();
        assert_eq!(review, Review { merged_from: 0.9, apart_below: 0.3, share: 0.5, recall: 1.0 });
        // At 75 %: merged from 0.6 on are 4 of 5; apart below are 4 of 5: nothing is between.
        let review = Curve::of(&ten()).review(0.75).unwrap();
        assert_eq!((review.merged_from, review.share, review.recall), (0.6, 0.0, 0.8));
        // No threshold is good enough for a merge.
        let review = Curve::of(&judged(&[(0.9, 0), (0.8, 1), (0.1, 0)])).review(0.98).unwrap();
        assert_eq!((review.merged_from, review.apart_below), (f64::INFINITY, 0.8));
        assert!((review.share - 2.0 / 3.0).abs() < 1e-12 && review.recall == 1.0);
        // Perfect scores need nobody.
        let review = Curve::of(&judged(&[(0.9, 1), (0.1, 0)])).review(0.98).unwrap();
        assert_eq!((review.share, review.recall), (0.0, 1.0));
    }

    #[test]
    fn means_and_medians_leave_out_what_has_no_value() {
        assert_eq!(mean(&[Some(1.0), None, Some(2.0)]), Some(1.5));
        assert_eq!(median(&[Some(3.0), None, Some(1.0), Some(2.0)]), Some(2.0));
        assert_eq!(median(&[Some(4.0), Some(1.0)]), Some(2.5));
        assert_eq!((mean(&[None]), median(&[])), (None, None));
    }
}
