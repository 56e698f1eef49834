//! Self-evaluation: what a run says of its own matcher, in numbers and in words.

use super::conflate::{BySources, FoundBlind};
use super::evaluate::wilson;
use crate::domain::{HiddenIds, SelfEvaluation, Share};

/// Fewer known pairs than this say too little: even if all were found, the interval would begin below 0.84.
const NEEDED_PAIRS: u64 = 20;

/// What was found, as the manifest tells it. `candidates` pairs of `records` records were compared.
pub(super) fn of(found: &BySources, datasets: &[String], records: u64, candidates: u64) -> SelfEvaluation {
    let mut all = FoundBlind::default();
    for of in found.values() {
        all.known += of.known;
        all.ambiguous += of.ambiguous;
        all.compared += of.compared;
        all.found += of.found;
        all.judged += of.judged;
        all.right += of.right;
    }
    let by_sources = found.iter().map(|((a, b), of)| told(vec![datasets[*a].clone(), datasets[*b].clone()], of));
    let pairs = records as f64 * records.saturating_sub(1) as f64 / 2.0;
    SelfEvaluation {
        needed_pairs: NEEDED_PAIRS,
        enough: all.known >= NEEDED_PAIRS,
        hidden_ids: told(Vec::new(), &all),
        by_sources: by_sources.collect(),
        reduction: (pairs > 0.0).then(|| ((1.0 - candidates as f64 / pairs) * 1e9).round() / 1e9),
    }
}

fn told(sources: Vec<String>, found: &FoundBlind) -> HiddenIds {
    HiddenIds {
        sources,
        known_pairs: found.known,
        ambiguous_pairs: found.ambiguous,
        recall: share(found.found, found.known),
        precision: share(found.right, found.judged),
        completeness: share(found.compared, found.known),
    }
}

fn share(hits: u64, of: u64) -> Option<Share> {
    let (low, high) = wilson(hits, of)?;
    let round = |share: f64| (share * 1e4).round() / 1e4;
    Some(Share { hits, of, share: round(hits as f64 / of as f64), low: round(low), high: round(high) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(known: u64, found: u64, judged: u64, right: u64) -> SelfEvaluation {
        let between = FoundBlind { known, ambiguous: 0, compared: known, found, judged, right };
        of(&BySources::from([((0, 1), between)]), &["osm".to_owned(), "ocm".to_owned()], 101, 505)
    }

    #[test]
    fn few_known_pairs_are_told_as_few() {
        let cases = [
            (evaluated(0, 0, 0, 0), "0 pairs are known by shared ids: the matcher could not be tried on these data"),
            (
                evaluated(1, 1, 1, 1),
                "1 pair is known by shared ids, 1 found with ids hidden: too few to say more, 20 are needed",
            ),
            (
                evaluated(100, 95, 96, 95),
                "100 pairs are known by shared ids; with ids hidden: precision 0.99 (0.94 to 0.99) of the matches of their records, recall 0.95 (0.89 to 0.98)",
            ),
            (
                evaluated(20, 0, 0, 0),
                "20 pairs are known by shared ids; with ids hidden: precision unknown, recall 0.00 (0.00 to 0.16)",
            ),
        ];
        for (evaluated, words) in cases {
            assert_eq!(evaluated.in_words(), words);
        }
    }

    #[test]
    fn shares_carry_their_intervals_and_their_counts() {
        let told = evaluated(100, 95, 96, 95);
        let recall = Share { hits: 95, of: 100, share: 0.95, low: 0.8882, high: 0.9785 };
        assert_eq!((told.hidden_ids.recall, told.by_sources[0].recall), (Some(recall), Some(recall)));
        assert_eq!((told.enough, told.reduction), (true, Some(0.9)));
        assert_eq!(told.by_sources[0].sources, ["osm", "ocm"]);
        assert_eq!(evaluated(0, 0, 0, 0).hidden_ids.recall, None);
    }
}
