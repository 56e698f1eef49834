//! The figures for machines.

use serde_json::{Value, json};

use super::{Measured, one_sided};
use crate::pipeline::evaluate::{Calibration, Counts, Measures, mean, median};

/// One object: a list of sets, and what they come to.
pub(super) fn of(told: &str, measured: &[Measured<'_>]) -> Value {
    let sets: Vec<Value> = measured.iter().map(set).collect();
    let middle = |of: fn(&[Option<f64>]) -> Option<f64>| {
        let over = |figure: fn(&Measures) -> Option<f64>| {
            of(&measured.iter().map(|set| figure(&set.measures)).collect::<Vec<_>>())
        };
        json!({
            "precision": over(|m| m.at_match_score.counts.precision()),
            "recall": over(|m| m.at_match_score.counts.recall()),
            "f1": over(|m| m.at_match_score.counts.f1()),
            "one_to_one_f1": over(|m| m.one_to_one.f1()),
            "best_f1": over(|m| m.curve.best().and_then(|best| best.counts.f1())),
            "recall_at_precision_0.98": over(|m| m.curve.recall_at_precision(Measures::TRUSTED)),
            "average_precision": over(|m| m.curve.average_precision()),
            "expected_calibration_error": over(|m| Some(m.calibration.expected_error)),
            "review_share": over(|m| Some(m.reviewed)),
            "review_share_at_precision_0.98": over(|m| m.curve.review(Measures::TRUSTED).map(|review| review.share)),
        })
    };
    json!({ "model": told, "sets": sets, "mean": middle(mean), "median": middle(median) })
}

fn set(measured: &Measured<'_>) -> Value {
    let Measured { set, group, model, scores, measures } = measured;
    let best = measures.curve.best();
    let review = measures.curve.review(Measures::TRUSTED);
    let files: Vec<String> = set.files.iter().map(|file| file.display().to_string()).collect();
    let vetoed = scores.iter().filter(|(score, _)| score.veto.is_some()).count();
    json!({
        "set": set.name,
        "group": group,
        "files": files,
        "notes": set.notes,
        "one_sided": one_sided(set),
        "unread_labels": set.unread_labels,
        "records": set.labelled.records.len(),
        "pairs": measures.pairs,
        "matches": measures.matches,
        "vetoed": vetoed,
        "fitted_on": model.fitted_on,
        "match_score": model.match_score,
        "review_score": model.review_score,
        "at_match_score": counts(measures.at_match_score.counts),
        "one_to_one": counts(measures.one_to_one),
        "best": best.map(|best| json!({ "threshold": best.threshold, "at": counts(best.counts) })),
        "recall_at_precision_0.98": measures.curve.recall_at_precision(Measures::TRUSTED),
        "average_precision": measures.curve.average_precision(),
        "review_share": measures.reviewed,
        "review_at_precision_0.98": review.map(|review| json!({
            // JSON has no infinity: null where no threshold is good enough.
            "merged_from": review.merged_from.is_finite().then_some(review.merged_from),
            "apart_below": review.apart_below.is_finite().then_some(review.apart_below),
            "share": review.share,
            "recall": review.recall,
        })),
        "calibration": calibration(&measures.calibration),
    })
}

pub(super) fn counts(counts: Counts) -> Value {
    json!({
        "right": counts.right,
        "wrong": counts.wrong,
        "missed": counts.missed,
        "precision": counts.precision(),
        "precision_interval_95": counts.precision_interval(),
        "recall": counts.recall(),
        "recall_interval_95": counts.recall_interval(),
        "f1": counts.f1(),
    })
}

fn calibration(calibration: &Calibration) -> Value {
    let bins: Vec<Value> = calibration
        .bins
        .iter()
        .map(|bin| {
            json!({
                "from": bin.from,
                "to": bin.to,
                "pairs": bin.pairs,
                "mean_score": bin.mean_score,
                "share_of_matches": bin.share_of_matches,
            })
        })
        .collect();
    json!({ "expected_error": calibration.expected_error, "brier": calibration.brier, "bins": bins })
}
