//! Thresholds: from which score on a pair is merged, and from which a person is asked.

/// Scores are tried in steps of a hundredth.
const STEPS: usize = 100;

/// F1 that differs by less is noise of a few pairs.
const AS_GOOD: f64 = 0.001_5;

/// Of the matches, the share that may score too low for a person to see them.
const LOST: f64 = 0.02;

/// The middle of the scores that are as good as the best, by F1 in the mean of the sets.
///
/// The very best score hangs on single pairs; the middle of the plateau around it does not.
pub(super) fn match_score(sets: &[Vec<(f64, bool)>]) -> f64 {
    let mean_f1 = |score: f64| sets.iter().map(|set| f1(set, score)).sum::<f64>() / sets.len() as f64;
    let tried: Vec<(f64, f64)> = scores().map(|score| (score, mean_f1(score))).collect();
    let best = tried.iter().map(|(_, f1)| *f1).fold(0.0, f64::max);
    let as_good: Vec<f64> = tried.iter().filter(|(_, f1)| *f1 >= best - AS_GOOD).map(|(score, _)| *score).collect();
    as_good[as_good.len() / 2]
}

/// The highest score below which no more than [`LOST`] of the matches lie, in the mean of the sets.
pub(super) fn review_score(sets: &[Vec<(f64, bool)>], match_score: f64) -> f64 {
    let lost = |set: &Vec<(f64, bool)>, score: f64| {
        let matches = set.iter().filter(|(_, is_match)| *is_match).count();
        let below = set.iter().filter(|(own, is_match)| *is_match && *own < score).count();
        below as f64 / matches.max(1) as f64
    };
    let mean_lost = |score: f64| sets.iter().map(|set| lost(set, score)).sum::<f64>() / sets.len() as f64;
    let low = scores().take_while(|score| *score <= match_score && mean_lost(*score) <= LOST);
    low.last().unwrap_or(1.0 / STEPS as f64).min(match_score)
}

fn scores() -> impl Iterator<Item = f64> {
    (1..STEPS).map(|step| step as f64 / STEPS as f64)
}

fn f1(set: &[(f64, bool)], score: f64) -> f64 {
    let count =
        |merged: bool, one: bool| set.iter().filter(|(own, is)| (*own >= score) == merged && *is == one).count();
    let (right, wrong, missed) = (count(true, true), count(true, false), count(false, true));
    2.0 * right as f64 / (2 * right + wrong + missed).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_match_score_is_the_middle_of_the_best_and_the_review_score_loses_few() {
        // Perfect between 0.30 and 0.70.
        let set: Vec<(f64, bool)> = (0..100).map(|at| if at < 50 { (0.295, false) } else { (0.70, true) }).collect();
        assert_eq!(match_score(std::slice::from_ref(&set)), 0.5);
        assert_eq!(review_score(std::slice::from_ref(&set), 0.5), 0.5);

        // One of 100 matches may be lost, three may not.
        let with_low = |low: usize| -> Vec<(f64, bool)> {
            (0..100).map(|at| if at < low { (0.055, true) } else { (0.9, true) }).chain([(0.01, false)]).collect()
        };
        assert_eq!(review_score(&[with_low(1)], 0.8), 0.8);
        assert_eq!(review_score(&[with_low(3)], 0.8), 0.05);
    }
}
