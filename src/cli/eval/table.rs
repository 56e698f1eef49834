//! The figures as a table for people.

use std::collections::BTreeSet;
use std::io::Write;

use super::{Measured, one_sided};
use crate::pipeline::evaluate::{Calibration, Counts, Judged, Measures, mean, median};

/// Heads of the columns behind the set's name.
const HEADS: [&str; 14] = [
    "pairs",
    "matches",
    "at",
    "precision",
    "recall",
    "F1",
    "1:1 F1",
    "best F1",
    "at",
    "R@P.98",
    "AP",
    "ECE",
    "review",
    "at .98",
];

/// Prints a line per set, their mean and median, and how well scores say how often they are right.
pub(super) fn print(told: &str, measured: &[Measured<'_>], out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{told}")?;
    let fitted_on: BTreeSet<&str> = measured.iter().map(|set| set.model.fitted_on.as_str()).collect();
    for fitted_on in fitted_on {
        writeln!(out, "  fitted on {fitted_on}")?;
    }
    writeln!(out)?;
    let width = measured.iter().map(|set| set.set.name.chars().count()).max().unwrap_or(0).max("median".len());
    let heads: Vec<String> = HEADS.map(str::to_owned).to_vec();
    writeln!(out, "{}", line("set", width, &heads))?;
    for set in measured {
        let Measures { pairs, matches, .. } = set.measures;
        let mut cells = vec![pairs.to_string(), matches.to_string()];
        cells.extend(figures(&set.measures).iter().enumerate().map(|(at, figure)| cell(at, *figure)));
        writeln!(out, "{}", line(&set.set.name, width, &cells))?;
    }
    if measured.len() > 1 {
        for (name, middle) in [("mean", mean as fn(&[Option<f64>]) -> _), ("median", median)] {
            let columns: Vec<Vec<Option<f64>>> = measured.iter().map(|set| figures(&set.measures).to_vec()).collect();
            let mut cells = vec![String::new(), String::new()];
            for at in 0..HEADS.len() - 2 {
                let values: Vec<Option<f64>> = columns.iter().map(|column| column[at]).collect();
                // The mean of thresholds means nothing.
                cells.push(if at == 0 || at == 6 { String::new() } else { cell(at, middle(&values)) });
            }
            writeln!(out, "{}", line(name, width, &cells))?;
        }
    }
    for set in measured {
        if let Some(told) = one_sided(set.set) {
            writeln!(out, "\n{}: {told}", set.set.name)?;
        }
    }
    let mut all = Counts::default();
    for Counts { right, wrong, missed } in measured.iter().map(|set| set.measures.at_match_score.counts) {
        (all.right, all.wrong, all.missed) = (all.right + right, all.wrong + wrong, all.missed + missed);
    }
    writeln!(
        out,
        "\nall pairs: {} merged rightly, {} wrongly, {} missed; precision {}, recall {} (95 % intervals, Wilson)",
        all.right,
        all.wrong,
        all.missed,
        with_interval(all.precision(), all.precision_interval()),
        with_interval(all.recall(), all.recall_interval()),
    )?;
    let judged: Vec<Judged> = measured.iter().flat_map(|set| set.scores.iter().map(|(_, judged)| *judged)).collect();
    reliability(&Calibration::of(&judged), out)
}

/// The figures of a set, in the order of the heads behind the counts.
fn figures(measures: &Measures) -> [Option<f64>; 12] {
    let Measures { at_match_score: at, one_to_one, curve, calibration, .. } = measures;
    let best = curve.best();
    [
        Some(at.threshold),
        at.counts.precision(),
        at.counts.recall(),
        at.counts.f1(),
        one_to_one.f1(),
        best.and_then(|best| best.counts.f1()),
        best.map(|best| best.threshold),
        curve.recall_at_precision(Measures::TRUSTED),
        curve.average_precision(),
        (measures.pairs > 0).then_some(calibration.expected_error),
        Some(measures.reviewed),
        curve.review(Measures::TRUSTED).map(|review| review.share),
    ]
}

/// A figure: a threshold with two decimals, a share sent to review in percent, all else with three decimals.
fn cell(at: usize, figure: Option<f64>) -> String {
    match (figure, at) {
        (None, _) => "-".to_owned(),
        (Some(figure), 0 | 6) => format!("{figure:.2}"),
        (Some(figure), 10 | 11) => format!("{:.1} %", figure * 100.0),
        (Some(figure), _) => format!("{figure:.3}"),
    }
}

fn line(name: &str, width: usize, cells: &[String]) -> String {
    let cells = cells.iter().zip(HEADS).map(|(cell, head)| format!("{cell:>width$}", width = head.len().max(6)));
    format!("{name:<width$}  {}", cells.collect::<Vec<_>>().join("  "))
}

pub(super) fn with_interval(share: Option<f64>, interval: Option<(f64, f64)>) -> String {
    match (share, interval) {
        (Some(share), Some((low, high))) => format!("{share:.3} ({low:.3} to {high:.3})"),
        _ => "-".to_owned(),
    }
}

fn reliability(calibration: &Calibration, out: &mut impl Write) -> anyhow::Result<()> {
    let error = calibration.expected_error;
    writeln!(
        out,
        "\nreliability of all pairs: expected calibration error {error:.3}, Brier score {:.3}",
        calibration.brier
    )?;
    writeln!(out, "{:<15}{:>8}{:>13}{:>19}", "score", "pairs", "mean score", "share of matches")?;
    for bin in &calibration.bins {
        let range = format!("{:.3} to {:.3}", bin.from, bin.to);
        writeln!(out, "{range:<15}{:>8}{:>13.3}{:>19.3}", bin.pairs, bin.mean_score, bin.share_of_matches)?;
    }
    Ok(())
}
