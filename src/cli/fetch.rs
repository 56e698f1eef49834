//! `poimill fetch`: bring the sources up to date.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::progress::Progress;
use super::{Ended, name_and_path};
use crate::config::Overrides;
use crate::wiring;

/// Fetch what changed since the extracts were made
///
/// For every `osm_pbf` source whose `changes` is a URL, the diffs since its extract are brought into a folder beside it:
/// `monaco.osm.pbf.changes` for `monaco.osm.pbf`. `poimill run` then reads that folder instead of the URL, needs no network,
/// and can be repeated. Only what is missing is fetched; broken off, it goes on where it was. The extract itself is not
/// touched; with a newer one, the diffs that are in it are passed over and the folder may be deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: poimill fetch pipelines/monaco.toml && poimill run pipelines/monaco.toml")]
pub(super) struct Fetch {
    /// Pipeline file, e.g. `pipelines/demo.toml`
    pipeline: PathBuf,
    /// Read a source from elsewhere than the pipeline file says, as in `poimill run`; its diffs are kept beside this file
    #[arg(long = "input", value_name = "NAME=PATH", value_parser = name_and_path)]
    inputs: Vec<(String, PathBuf)>,
}

impl Fetch {
    /// Fetches, and prints a line per source.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let overrides = Overrides { inputs: self.inputs.clone(), ..Overrides::default() };
        let wired = wiring::wire(&self.pipeline, &overrides)?;
        let progress = Progress::new(false);
        for fetched in wired.fetch(&progress) {
            progress.finish();
            writeln!(out, "{}", fetched?)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
