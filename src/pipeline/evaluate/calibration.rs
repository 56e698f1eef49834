//! Calibration: whether of the pairs that score 0.8, eight in ten are one place.

use super::Judged;

/// Bins of equal width.
const BINS: usize = 15;

/// One line of the reliability table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Lowest score.
    pub from: f64,
    /// Highest score; belongs to the next bin, except in the last.
    pub to: f64,
    /// Pairs that score so.
    pub pairs: u64,
    /// Their mean score.
    pub mean_score: f64,
    /// The share of them that is one place.
    pub share_of_matches: f64,
}

/// How well scores say how often they are right.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Bins with pairs, by score.
    pub bins: Vec<Bin>,
    /// Mean distance between the two columns of the table, by pairs, in `[0, 1]`.
    pub expected_error: f64,
    /// Mean squared distance between score and label, in `[0, 1]` (Brier 1950, *Monthly Weather Review* 78:1).
    pub brier: f64,
}

impl Calibration {
    /// Sums up scored pairs; of none, everything is 0.
    ///
    /// **Source**: expected calibration error with bins of equal width over the probability of a match, here 15 (Naeini
    /// et al. 2015, *AAAI* 29:2901; Guo et al. 2017, *ICML*, use as many).
    #[must_use]
    pub fn of(judged: &[Judged]) -> Self {
        let mut sums = [(0_u64, 0.0, 0_u64); BINS];
        let mut squares = 0.0;
        for pair in judged {
            let bin = &mut sums[((pair.score * BINS as f64) as usize).min(BINS - 1)];
            bin.0 += 1;
            bin.1 += pair.score;
            bin.2 += u64::from(pair.is_match);
            squares += (pair.score - f64::from(u8::from(pair.is_match))).powi(2);
        }
        let filled = sums.iter().enumerate().filter(|(_, (pairs, ..))| *pairs > 0);
        let bins: Vec<Bin> = filled
            .map(|(at, (pairs, scores, matches))| Bin {
                from: at as f64 / BINS as f64,
                to: (at + 1) as f64 / BINS as f64,
                pairs: *pairs,
                mean_score: scores / *pairs as f64,
                share_of_matches: *matches as f64 / *pairs as f64,
            })
            .collect();
        let pairs = judged.len().max(1) as f64;
        let off: f64 = bins.iter().map(|bin| bin.pairs as f64 * (bin.mean_score - bin.share_of_matches).abs()).sum();
        Self { bins, expected_error: off / pairs, brier: squares / pairs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_distance_of_the_bins_by_pairs() {
        // Two pairs at 0.5, one a match: 0 off. Two at 0.9, one a match: 0.4 off. One at 1, a match: in the last bin.
        let judged = [(0.5, true), (0.5, false), (0.9, true), (0.9, false), (1.0, true), (0.0, false)];
        let found = Calibration::of(&judged.map(|(score, is_match)| Judged { score, is_match }));
        let told: Vec<(u64, f64, f64)> =
            found.bins.iter().map(|bin| (bin.pairs, bin.mean_score, bin.share_of_matches)).collect();
        assert_eq!(told, [(1, 0.0, 0.0), (2, 0.5, 0.5), (2, 0.9, 0.5), (1, 1.0, 1.0)]);
        assert!((found.expected_error - 0.8 / 6.0).abs() < 1e-12, "{}", found.expected_error);
        assert!((found.brier - (0.25 + 0.25 + 0.01 + 0.81) / 6.0).abs() < 1e-12, "{}", found.brier);
        assert_eq!(found.bins[3].to, 1.0);
    }

    #[test]
    fn nothing_is_off_by_nothing() {
        assert_eq!(Calibration::of(&[]), Calibration { bins: Vec::new(), expected_error: 0.0, brier: 0.0 });
    }
}
