//! `poimill bridge`: old id → new id.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use crate::pipeline::ports::Snapshot;
use crate::pipeline::succession::{Fate, Successions, successions};
use crate::wiring;

/// What `--help` teaches.
const LONG_ABOUT: &str = "Tell which ids of an older snapshot became which of a newer one

For whoever has kept ids of places: a CSV table with a line for each old id and each place that has a part of it now.

  same         it is there as before
  merged_into  it is gone, and what is left of its records is in new_id
  split_into   some of its records are in new_id, others are not
  successor    it is gone with all its records, and had been merged into new_id before
  removed      it is gone

`records` of the `old_records` that the old place had are in the new one. The two need not be neighbours: snapshots in between
may have been pruned. How many there are of each is said on stderr.";

/// Tell which ids of an older snapshot became which of a newer one
#[derive(Debug, clap::Args)]
#[command(
    long_about = LONG_ABOUT,
    after_help = "Example: poimill bridge data/snapshots/demo/20260501T202100Z-3fa9c1d2 data/snapshots/demo/latest > ids.csv"
)]
pub(super) struct Bridge {
    /// Folder of the older snapshot
    old: PathBuf,
    /// Folder of the newer snapshot, or a link to it such as `latest`
    new: PathBuf,
    /// Print one JSON object per line of the table
    #[arg(long)]
    json: bool,
}

impl Bridge {
    /// Prints the table, and how many lines of each kind it has on stderr.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let (old, new) = (wiring::snapshot(&self.old)?, wiring::snapshot(&self.new)?);
        let found = successions(&old, &new)?;
        if !self.json {
            writeln!(out, "old_id,fate,new_id,records,old_records")?;
        }
        for line in &found.lines {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(line)?)?;
            } else {
                // Ids and names of fates hold nothing that CSV would have to quote.
                let new_id = line.new_id.as_deref().unwrap_or_default();
                writeln!(out, "{},{},{new_id},{},{}", line.old_id, line.fate, line.records, line.old_records)?;
            }
        }
        // Nobody is left to tell when stderr is closed.
        writeln!(io::stderr(), "{}", summary(&found, old.manifest().vintage > new.manifest().vintage)).ok();
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(found: &Successions, is_backward: bool) -> String {
    let mut counts: BTreeMap<Fate, u64> = BTreeMap::new();
    for line in &found.lines {
        *counts.entry(line.fate).or_default() += 1;
    }
    let mut told: Vec<String> = counts.iter().map(|(fate, count)| format!("{count} {fate}")).collect();
    told.push(format!("{} new", found.new_places));
    let note =
        if is_backward { "; the first snapshot is the newer one, so what came since counts as removed" } else { "" };
    format!("{}{note}", told.join(", "))
}
