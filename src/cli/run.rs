//! `poimill run`: one pass of one pipeline.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use super::progress::Progress;
use super::{Ended, PipelineArgs};
use crate::config::{Overrides, memory_size};
use crate::pipeline::ports::Loaded;
use crate::pipeline::{Outcome, Report, RunError};
use crate::wiring;

/// Run a pipeline: read its sources, conflate, write a snapshot, load the database
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the flags are named so")]
#[command(after_help = "Example: poimill run pipelines/demo.toml --store /srv/snapshots --input osm=extract.osm.pbf")]
pub(super) struct Run {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Hold records, rows of layers and nodes in so much memory, e.g. `512MiB`, and the rest on disk; at least 64MiB. The result is the same with any
    /// size. Unless said otherwise, 1GiB
    #[arg(long, value_name = "SIZE", value_parser = memory_size)]
    memory: Option<u64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Do everything in memory: write no snapshot, touch no database
    #[arg(long)]
    dry_run: bool,
}

impl Run {
    /// Runs the pipeline and prints its report.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        self.pipeline.set_threads()?;
        let overrides = Overrides { memory: self.memory, ..self.pipeline.overrides() };
        let wired = wiring::wire(&self.pipeline.pipeline, &overrides)?;
        let progress = Progress::new(self.json);
        let report = wired.run(self.dry_run, &progress);
        progress.finish();
        // A night that is held back wants a look more than any other.
        let told = match &report {
            Ok(report) => Some(report),
            Err(RunError::Held { report, .. }) => report.as_deref(),
            Err(RunError::NotAsked { report, .. }) => Some(report.as_ref()),
            Err(_) => None,
        };
        if let Some(report) = told {
            self.tell(report, progress.seconds(), out)?;
        }
        report?;
        Ok(ExitCode::SUCCESS)
    }

    fn tell(&self, report: &Report, seconds: f64, out: &mut impl Write) -> anyhow::Result<()> {
        if !self.json {
            return summary(report, seconds, out);
        }
        let mut told = serde_json::to_value(report)?;
        told["seconds"] = seconds.into();
        writeln!(out, "{told:#}")?;
        Ok(())
    }
}

/// The report as a person reads it.
fn summary(report: &Report, seconds: f64, out: &mut impl Write) -> anyhow::Result<()> {
    let vintage = report.vintage.map_or("undated".to_owned(), |vintage| vintage.to_string());
    writeln!(out, "{}, as of {vintage}\n", report.pipeline)?;
    writeln!(out, "{:<14}{:>12}{:>10}{:>10}{:>12}", "source", "read", "kept", "rejected", "left out")?;
    for source in &report.sources {
        let total = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        writeln!(
            out,
            "{:<14}{:>12}{:>10}{:>10}{:>12}",
            source.name,
            source.read,
            source.kept,
            total(&source.rejected),
            total(&source.left_out)
        )?;
        let counts = [
            ("rejected", &source.rejected),
            ("left out", &source.left_out),
            ("repaired", &source.repaired),
            ("found", &source.findings),
        ];
        details(&counts, out)?;
        let held_out: u64 = source.held_out.values().sum();
        if held_out > 0 {
            writeln!(out, "  held out: {held_out} without an open licence")?;
        }
    }
    let count = |name: &str| report.counts.get(name).copied().unwrap_or_default();
    writeln!(out, "\npairs     {} matched, {} to review", count("pairs_matched"), count("pairs_to_review"))?;
    if let Some(evaluation) = report.self_evaluation.as_ref().filter(|_| report.sources.len() > 1) {
        writeln!(out, "self-test {}", evaluation.in_words())?;
    }
    writeln!(out, "places    {}", count("places"))?;
    let changes: Vec<(&str, u64)> =
        report.counts.iter().filter_map(|(name, count)| Some((name.strip_prefix("changes_")?, *count))).collect();
    match &report.base {
        _ if report.unchanged => writeln!(out, "changes   nothing changed: snapshot {} stays", report.snapshot)?,
        None => writeln!(out, "changes   none: this is the first snapshot")?,
        Some(base) if changes.is_empty() => writeln!(out, "changes   no place is different from {base}")?,
        Some(base) => writeln!(out, "changes   {} since {base}", list(changes.into_iter()))?,
    }
    for layer in &report.layer_diffs {
        let changes = list(layer.changes.iter().map(|(class, count)| (class.as_str(), *count)));
        let told = match (&report.base, layer.dropped) {
            _ if report.unchanged => String::new(),
            (None, _) => ", the first time".to_owned(),
            (Some(_), true) if changes.is_empty() => ", the pipeline names it no more".to_owned(),
            (Some(_), true) => format!(", the pipeline names it no more; {changes}"),
            (Some(_), false) if changes.is_empty() => ", none is different".to_owned(),
            (Some(_), false) => format!(", {changes}"),
        };
        writeln!(out, "layer     {}: {} rows{told}", layer.name, layer.rows)?;
        if let Some(account) = report.layers.iter().find(|account| account.name == layer.name) {
            let counts = [
                ("rejected", &account.rejects),
                ("left out", &account.left_out),
                ("repaired", &account.repaired),
                ("unreadable", &account.unreadable),
            ];
            details(&counts, out)?;
        }
    }
    for check in &report.checks {
        let word = if check.outcome == Outcome::Fail { "held" } else { "warns" };
        writeln!(out, "{:<10}{}: {}", "gate", word, check.told)?;
    }
    for load in &report.loads {
        let told = match load.loaded {
            Loaded::Unchanged => "already there".to_owned(),
            Loaded::Replaced { rows } => format!("loaded, {rows} places"),
            Loaded::Changed { rows } => format!("changed, {rows} places touched"),
        };
        writeln!(out, "{:<10}{told}", load.sink)?;
    }
    writeln!(out, "files     {}", report.location)?;
    writeln!(out, "seconds   {seconds:.1}")?;
    Ok(())
}

/// What became of the rest, a line for each that there is.
fn details(counts: &[(&str, &BTreeMap<String, u64>)], out: &mut impl Write) -> anyhow::Result<()> {
    for (what, counts) in counts.iter().filter(|(_, counts)| !counts.is_empty()) {
        writeln!(out, "  {what}: {}", list(counts.iter().map(|(name, count)| (name.as_str(), *count))))?;
    }
    Ok(())
}

fn list<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    counts.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
