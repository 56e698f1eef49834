//! `poimill explain`: why records are one place, or are not.

mod chart;
mod page;
mod sketch;
mod text;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Ended;
use crate::pipeline::RunError;
use crate::pipeline::explain::explain;
use crate::wiring;

/// Explain why records were merged into one place, or were not
///
/// Two records: every feature with its value and weight, what decided, and the best other partner of each. One record: every
/// pair that it was looked at closely in. A place, by its UUID: its records, what holds them together, what was refused, and
/// which record gave which attribute.
///
/// Records are named by their source and its own id, `osm:node/5159230141`, `ocm:461426`; the id alone will do where only one
/// source has it. sources.parquet lists all records with their places. What the run kept in links.parquet is told as it
/// was; other pairs are computed now with the models of the run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: poimill explain data/snapshots/demo/latest osm:node/2002 ocm:700002 --format html --output pair.html"
)]
pub(super) struct Explain {
    /// Folder of the snapshot, or a link to it such as `latest`
    snapshot: PathBuf,
    /// A record, e.g. `osm:node/5159230141`, or the UUID of a place
    a: String,
    /// Another record; without it, every pair that the first was looked at closely in
    b: Option<String>,
    /// How to tell it: `text`, unless said otherwise, `json`, or `html`, a page of its own with a chart per pair
    #[arg(long, value_enum, default_value_t = Format::Text, hide_default_value = true, hide_possible_values = true)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for a terminal
    Text,
    /// One JSON object
    Json,
    /// A page that needs no other file
    Html,
}

/// The file that was asked for cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}; check that its folder is there", path.display())]
struct Unwritable {
    path: PathBuf,
    source: std::io::Error,
}

impl Explain {
    /// Writes the explanation.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let snapshot = wiring::snapshot(&self.snapshot)?;
        let told = explain(&snapshot, &wiring::shipped_taxonomy(), &self.a, self.b.as_deref())?;
        let written = match self.format {
            Format::Text => text::of(&told),
            Format::Json => serde_json::to_string_pretty(&told)? + "\n",
            Format::Html => page::of(&told),
        };
        match &self.output {
            Some(file) => {
                std::fs::write(file, written)
                    .map_err(|source| RunError::failed(Unwritable { path: file.clone(), source }))?;
            }
            None => out.write_all(written.as_bytes())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
