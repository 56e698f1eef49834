//! `poimill release`: publish by hand what the gate held back.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use super::progress::Progress;
use crate::wiring;

/// What `--help` teaches.
const LONG_ABOUT: &str = "Publish a snapshot that the gate held back

When a night is right though the gate thought it broken, `release` makes its snapshot the latest: `latest` moves to it in one
step, and the next run starts from it. Every file is verified first, and no run may be at work meanwhile. The manifest goes on
to say why the snapshot was held; `released.json` beside it says when it was released.

A snapshot that does not start from the latest is refused: a run in between has seen places that it does not know, and their
ids would be forgotten. Run the pipeline again, or say --force.

No database is touched: the next run brings it to the latest, or `poimill load` does.";

/// Publish a snapshot that the gate held back
#[derive(Debug, clap::Args)]
#[command(
    long_about = LONG_ABOUT,
    after_help = "Example: poimill release data/snapshots/demo/20260501T202100Z-3fa9c1d2"
)]
pub(super) struct Release {
    /// Folder of the snapshot, in its store
    snapshot: PathBuf,
    /// Release it even if it does not start from the latest snapshot
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Release {
    /// Releases the snapshot and says what was the latest until then.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let progress = Progress::new(self.json);
        let released = wiring::release(&self.snapshot, self.force, &progress);
        progress.finish();
        let released = released?;
        if self.json {
            writeln!(out, "{:#}", serde_json::to_value(&released)?)?;
        } else {
            let before = released.after.map_or("there was none before".to_owned(), |id| format!("before it was {id}"));
            writeln!(out, "{} is the latest snapshot now; {before}", released.snapshot)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
