//! Two whole tables, end to end: candidates, scores, assignment.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::table::with_interval;
use super::wrong::{self, Wrong};
use super::{Ended, Eval, json};
use crate::pipeline::conflate::{Compared, Corpus, Evidence, Models, Score, candidates};
use crate::pipeline::evaluate::{Linked, link_tables};
use crate::wiring;

/// Matches the tables and prints how that ended.
pub(super) fn execute(eval: &Eval, tables: [&Path; 2], truth: &Path, models: &Models, out: &mut impl Write) -> Ended {
    let (read, taxonomy) = wiring::two_tables(tables, truth)?;
    let linked = link_tables(&read.records, &read.truth, &taxonomy, models);
    // What was found is printed also where it cannot be written.
    let mut written = Ok(());
    if let Some(path) = &eval.errors {
        let corpus = Corpus::of(read.records.iter().map(Evidence::of));
        let compared = Compared::of(&corpus, models, &candidates(&corpus, &taxonomy));
        let pairs = linked.wrong.iter().map(|pair| (*pair, false, "linked"));
        let missed = linked
            .missed
            .iter()
            .map(|(pair, compared)| (*pair, true, if *compared { "compared, but not linked" } else { "no candidate" }));
        let mut rows: Vec<(_, bool, &str, Score)> = pairs
            .chain(missed)
            .map(|(pair, is_match, remark)| (pair, is_match, remark, compared.score(pair)))
            .collect();
        let wrongness = |is_match: bool, score: &Score| (score.probability - f64::from(u8::from(is_match))).abs();
        rows.sort_by(|a, b| wrongness(b.1, &b.3).total_cmp(&wrongness(a.1, &a.3)));
        let rows = rows.iter().map(|((a, b), is_match, remark, score)| Wrong {
            set: "tables",
            is_match: *is_match,
            remark,
            match_score: models.places.match_score,
            score,
            records: [&read.records[*a], &read.records[*b]],
        });
        written = wiring::write_file(path, &wrong::written(rows)?);
    }
    let mut err = std::io::stderr().lock();
    for note in &read.notes {
        // Nobody is left to tell when stderr is closed.
        writeln!(err, "note: {note}").ok();
    }
    if eval.json {
        writeln!(out, "{}", as_json(&eval.told(), &linked))?;
    } else {
        let told = format!("{}\n  fitted on {}", eval.told(), models.places.fitted_on);
        print(&told, &linked, out)?;
    }
    written?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(told: &str, linked: &Linked) -> serde_json::Value {
    json!({
        "model": told,
        "records": linked.records,
        "truth": linked.truth,
        "candidates": linked.candidates,
        "completeness": linked.completeness(),
        "reduction": linked.reduction(),
        "linked": json::counts(linked.counts),
        "b_cubed": linked.b_cubed.map(|b| json!({ "precision": b.precision, "recall": b.recall, "f1": b.f1() })),
    })
}

fn print(told: &str, linked: &Linked, out: &mut impl Write) -> anyhow::Result<()> {
    let Linked { records: [a, b], truth, candidates, counts, .. } = linked;
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.4}"));
    writeln!(out, "{told}\n")?;
    writeln!(out, "tables        {a} and {b} records, {truth} pairs are one place")?;
    writeln!(
        out,
        "candidates    {candidates} pairs; completeness {}, reduction {}",
        share(linked.completeness()),
        share(linked.reduction())
    )?;
    writeln!(out, "linked        {} rightly, {} wrongly, {} missed", counts.right, counts.wrong, counts.missed)?;
    writeln!(out, "  precision   {}", with_interval(counts.precision(), counts.precision_interval()))?;
    writeln!(out, "  recall      {}", with_interval(counts.recall(), counts.recall_interval()))?;
    writeln!(out, "  F1          {}", counts.f1().map_or_else(|| "-".to_owned(), |f1| format!("{f1:.3}")))?;
    if let Some(b_cubed) = linked.b_cubed {
        let (precision, recall, f1) = (b_cubed.precision, b_cubed.recall, b_cubed.f1());
        writeln!(out, "B-cubed       precision {precision:.4}, recall {recall:.4}, F1 {f1:.4}")?;
    }
    Ok(())
}
