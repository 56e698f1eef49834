//! `poimill prune`: remove snapshots that need not be kept.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use crate::adapters::io::size_told;
use crate::config::Overrides;
use crate::pipeline::history::{Pruned, Retention, prune};
use crate::wiring;

/// What `--help` teaches.
const LONG_ABOUT: &str = "Remove snapshots that need not be kept

Kept is the newest snapshot of each of the last N days, weeks and months that have one: days in UTC, weeks of ISO 8601, all by
the vintage of the data, not by the clock. The pipeline file says how many in its table [retention], e.g. daily = 7, weekly = 4,
monthly = 12; the flags beat it. Always kept are the latest snapshot, those that the gate holds back, the ones that either starts
from, those without a date, and those that cannot be read. A snapshot that was never published, because its run was cut off,
goes.

Nothing is removed while a run is at work (exit code 6). A snapshot goes whole or not at all, also when prune is interrupted.";

/// Remove snapshots that need not be kept
#[derive(Debug, clap::Args)]
#[command(
    long_about = LONG_ABOUT,
    after_help = "Example: poimill prune pipelines/demo.toml --keep-daily 7 --keep-monthly 12 --dry-run"
)]
pub(super) struct Prune {
    /// Pipeline file, e.g. `pipelines/demo.toml`
    pipeline: PathBuf,
    /// The snapshots are in this folder instead of the pipeline file's
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Keep the newest snapshot of so many days
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Keep the newest snapshot of so many weeks
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Keep the newest snapshot of so many months
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Prune {
    /// Removes, and prints what becomes of each snapshot.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let overrides = Overrides { store: self.store.clone(), ..Overrides::default() };
        let (store, of_file) = wiring::store(&self.pipeline, &overrides)?;
        let retention = Retention {
            daily: self.keep_daily.unwrap_or(of_file.daily),
            weekly: self.keep_weekly.unwrap_or(of_file.weekly),
            monthly: self.keep_monthly.unwrap_or(of_file.monthly),
        };
        let pruned = prune(&store, retention, self.dry_run)?;
        if self.json {
            let mut told = serde_json::to_value(&pruned)?;
            told["retention"] = serde_json::to_value(retention)?;
            told["removed"] = pruned.removed().0.into();
            told["removed_bytes"] = pruned.removed().1.into();
            writeln!(out, "{told:#}")?;
        } else {
            tell(&pruned, out)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(pruned: &Pruned, out: &mut impl Write) -> anyhow::Result<()> {
    for verdict in &pruned.snapshots {
        let what = match (verdict.keep, pruned.dry_run) {
            (true, _) => "keep",
            (false, false) => "removed",
            (false, true) => "remove",
        };
        writeln!(
            out,
            "{what:<8} {:<26} {:>8}  {}",
            verdict.snapshot,
            size_told(verdict.size_bytes),
            verdict.reasons.join(", ")
        )?;
    }
    let (removed, bytes) = pruned.removed();
    let done = if pruned.dry_run { "would be removed" } else { "removed" };
    writeln!(out, "{removed} of {} snapshots {done}, {}", pruned.snapshots.len(), size_told(bytes))?;
    Ok(())
}
