//! `poimill verify`: is a snapshot what its manifest says?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use super::progress::Progress;
use crate::pipeline::verify::{Outcome, Verification, verify};
use crate::wiring;

/// What `--help` teaches.
const LONG_ABOUT: &str = "Check that a snapshot is whole

Every file is read, every row group and every column of it, and compared with manifest.json: SHA-256 of each file, the content
hash over them and the id that follows from it, rows, columns of the table's version, order along the Hilbert curve, ids that
are there once, records in one place each, ids of places that exist, and every count that the tables can tell. Files that are
missing, and files that nobody named, are told too.

A line per check; what depends on something damaged is skipped. Exits with 0 if all is well and with 3, as for every damaged
input, if a check failed.";

/// Check that a snapshot is whole
#[derive(Debug, clap::Args)]
#[command(long_about = LONG_ABOUT, after_help = "Example: poimill verify data/snapshots/demo/latest")]
pub(super) struct Verify {
    /// Folder of the snapshot, or a link to it such as `latest`
    snapshot: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Prints the checks.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let snapshot = wiring::snapshot(&self.snapshot)?;
        let progress = Progress::new(self.json);
        let verification = verify(&snapshot, &progress);
        progress.finish();
        if self.json {
            let mut told = serde_json::to_value(&verification)?;
            told["failed"] = verification.failed().into();
            writeln!(out, "{told:#}")?;
        } else {
            tell(&verification, out)?;
        }
        verification.whole()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// `ok       checksum       places.parquet: 3fa9c1…`, then how many.
pub(super) fn tell(verification: &Verification, out: &mut impl Write) -> anyhow::Result<()> {
    for check in &verification.checks {
        let outcome = match check.outcome {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        writeln!(out, "{outcome:<8} {:<19} {}: {}", check.check, check.of, check.seen)?;
    }
    let (failed, all) = (verification.failed(), verification.checks.len());
    match failed {
        0 => writeln!(out, "{} is whole: {all} checks passed", verification.snapshot)?,
        _ => writeln!(out, "{} is damaged: {failed} of {all} checks failed", verification.snapshot)?,
    }
    Ok(())
}
