//! `poimill replay`: what today's rules make of earlier nights.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use super::history::instant;
use super::progress::Progress;
use crate::config::Overrides;
use crate::domain::Timestamp;
use crate::pipeline::RunError;
use crate::pipeline::replay::{Compared, Outcome, Regrouped, Replayed};
use crate::wiring::{self, ReplayWanted};

/// Lines of each kind that are printed; `--json` has all.
const MOST_LINES: usize = 10;

/// What `--help` teaches.
const LONG_ABOUT: &str = "Run earlier nights again with today's rules, and tell what that changes

Every published snapshot of the store whose vintage lies from --from to --to is made again from the inputs that its manifest
names, with the pipeline file, categories, models and decisions of today. Snapshots go to a store of their own; neither the
store nor its `latest` nor a database is touched, and the gate holds nothing back.

Inputs are told by their SHA-256. They are looked for where the pipeline file has them now, beside that, in the archive that
`poimill fetch` keeps, and in the folders of --inputs. A night whose inputs are not found is skipped, with the reason.

What changes is told record by record: places joined or parted, places that come or go, places with other attributes.";

/// Run earlier nights again with today's rules, and tell what that changes
#[derive(Debug, clap::Args)]
#[command(
    long_about = LONG_ABOUT,
    after_help = "Example: poimill replay pipelines/demo.toml --from 2026-05-01 --to 2026-05-31 --into /tmp/replay"
)]
pub(super) struct Replay {
    /// Pipeline file, e.g. `pipelines/demo.toml`
    pipeline: PathBuf,
    /// The first vintage: a day, or an instant such as `2026-05-01T20:00:00Z`
    #[arg(long, value_name = "VINTAGE", value_parser = beginning)]
    from: Timestamp,
    /// The last vintage; unless said, all later ones
    #[arg(long, value_name = "VINTAGE", value_parser = instant)]
    to: Option<Timestamp>,
    /// The store that replays go to; unless said, beside the store: `snapshots-replay` for `snapshots`
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Look for inputs in this folder and those in it too; may be given several times
    #[arg(long, value_name = "DIR")]
    inputs: Vec<PathBuf>,
    /// The snapshots are in this folder instead of the pipeline file's
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Print one JSON object per night, with every place that is different
    #[arg(long)]
    json: bool,
}

/// An instant, or the beginning of a day in UTC.
fn beginning(text: &str) -> Result<Timestamp, String> {
    format!("{text}T00:00:00Z").parse().or_else(|_| instant(text))
}

impl Replay {
    /// Replays, and prints what each night would be.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let overrides = Overrides { store: self.store.clone(), ..Overrides::default() };
        let wanted =
            ReplayWanted { from: self.from, to: self.to, into: self.into.clone(), inputs: self.inputs.clone() };
        let progress = Progress::new(self.json);
        let mut replayed = 0;
        let mut reasons = Vec::new();
        wiring::replay(&self.pipeline, &overrides, &wanted, &progress, &mut |night| {
            match &night.outcome {
                Outcome::Run { .. } => replayed += 1,
                Outcome::Skipped { reason } => reasons.push(reason.clone()),
            }
            let written = if self.json {
                let told = serde_json::to_string(&night).map_err(RunError::failed)?;
                writeln!(out, "{told}")
            } else {
                tell(&night, out)
            };
            written.map_err(RunError::failed)
        })?;
        progress.finish();
        if replayed == 0 {
            let first = reasons.first().cloned().unwrap_or_default();
            return Err(RunError::input("replay", format!("no night could be replayed: {first}")).into());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(night: &Replayed, out: &mut impl Write) -> std::io::Result<()> {
    let (location, compared) = match &night.outcome {
        Outcome::Skipped { reason } => return writeln!(out, "{}  skipped: {reason}", night.snapshot),
        Outcome::Run { location, compared } => (location, compared),
    };
    writeln!(out, "{}  → {location}", night.snapshot)?;
    let Compared { before, after, same, modified, other_id, joined, parted, added, removed, resized } = &**compared;
    if compared.is_same() {
        return writeln!(out, "  {before} places, the same by today's rules");
    }
    writeln!(out, "  {before} places, {after} by today's rules; {same} are the same")?;
    groups("joined", "are made of several", joined, out)?;
    groups("parted", "share their records with several", parted, out)?;
    groups("resized", "gained or lost records", resized, out)?;
    lines("added", "were not there", added.iter().cloned(), added.len(), out)?;
    lines("removed", "are not there any more", removed.iter().cloned(), removed.len(), out)?;
    lines("modified", "have other attributes", modified.iter().cloned(), modified.len(), out)?;
    let renamed = other_id.iter().map(|(then, now)| format!("{then} → {now}"));
    lines("other id", "have another id", renamed, other_id.len(), out)
}

fn groups(class: &str, what: &str, places: &[Regrouped], out: &mut impl Write) -> std::io::Result<()> {
    let told = places.iter().map(|place| format!("{} : {}", place.place_id, place.with.join(" ")));
    lines(class, what, told, places.len(), out)
}

fn lines(
    class: &str,
    what: &str,
    told: impl Iterator<Item = String>,
    count: usize,
    out: &mut impl Write,
) -> std::io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "  {class}: {count} places {what}")?;
    for line in told.take(MOST_LINES) {
        writeln!(out, "    {line}")?;
    }
    if count > MOST_LINES {
        writeln!(out, "    … and {} more; --json tells all", count - MOST_LINES)?;
    }
    Ok(())
}
