//! `poimill load`: bring a database to a snapshot.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use super::progress::Progress;
use crate::config::Secret;
use crate::pipeline::load;
use crate::pipeline::ports::Loaded;
use crate::wiring;

/// Bring a PostGIS database to a snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: poimill load data/snapshots/demo/latest --database postgresql://user@host/name")]
pub(super) struct Load {
    /// Folder of the snapshot, or a link to it such as `latest`
    snapshot: PathBuf,
    /// The database, e.g. `postgresql://user@host/name`
    #[arg(long, value_name = "URL")]
    database: String,
    /// Replace the whole table in one swap instead of changing rows
    #[arg(long)]
    replace: bool,
}

impl Load {
    /// Loads the snapshot and prints what was done.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let snapshot = wiring::snapshot(&self.snapshot)?;
        let mut sink = wiring::sink(&Secret::new(&*self.database), !self.replace);
        let progress = Progress::new(false);
        let loaded = sink.contact().and_then(|()| load(&snapshot, sink.as_mut(), &progress));
        progress.finish();
        match loaded? {
            Loaded::Unchanged => writeln!(out, "the database already stands at this snapshot")?,
            Loaded::Replaced { rows } => writeln!(out, "loaded, {rows} places")?,
            Loaded::Changed { rows } => writeln!(out, "changed, {rows} places touched")?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
