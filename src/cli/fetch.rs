//! `poimill fetch`: bring the sources up to date.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::progress::Progress;
use super::{Ended, name_and_path, told};
use crate::config::Overrides;
use crate::pipeline::RunError;
use crate::wiring::{self, FetchWanted};

/// What `--help` teaches.
const LONG_ABOUT: &str = r#"Bring the inputs of a pipeline up to date

Each source is fetched by what its table in the pipeline file says:

`url` of a file: it is downloaded to `path` if it changed since. Broken off, killed or cut, the next call goes on where
this one stopped. It takes the place of `path` when it is whole, is no page of HTML, and is what its publisher's checksum
says: by itself the MD5 beside an `.osm.pbf` and what headers state; `checksum` = none, md5, sha256 or an address.

`changes` of an osm_pbf: the replication diffs since the extract are kept beside it, in `monaco.osm.pbf.changes` for
`monaco.osm.pbf`, and `run` reads them there. With a `url` too, the extract is downloaded if it is missing or with --full.

kind open_charge_map, with `country` or `api_key`, or a `url` that names no file: all stations of the country, else of
the region, from the API (https://api.openchargemap.io/v3, or `url`), and from then on what changed. Everything is asked
for again every `full_every_days` (7), to see what is gone. The key is read from the environment: api_key = { env =
"OCM_API_KEY" }. `page_size` (1000), `requests_per_s` (1). `reference` gets the reference data.

kind ocpi, with a `url` that names no file: all pages of locations, `token` = { env = "…" }, from a locations or versions
address. `token_encoding` = auto, plain or base64. Broken off, the next call asks for all pages again.

What `path` was before goes to archive/<source>/<date>/ beside it, for `archive` (2) versions; `run --input NAME=PATH`
repeats a night with it. `api` = true or false says what a `url` is, where its name misleads. [fetch] attempts (5) and
pause_ms (1000) say how often and after which first pause a request is repeated. Proxies are taken from HTTPS_PROXY,
HTTP_PROXY, ALL_PROXY and NO_PROXY. A source that fails stops no other; the exit code is then 3."#;

/// Bring the inputs of a pipeline up to date
#[derive(Debug, clap::Args)]
#[command(
    long_about = LONG_ABOUT,
    after_help = "Example: poimill fetch pipelines/monaco.toml && poimill run pipelines/monaco.toml"
)]
pub(super) struct Fetch {
    /// Pipeline file, e.g. `pipelines/demo.toml`
    pipeline: PathBuf,
    /// Fetch only this source; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Fetch everything anew: the extract in place of diffs, all stations in place of those that changed
    #[arg(long)]
    full: bool,
    /// Read a source from elsewhere than the pipeline file says, as in `poimill run`; it is fetched to there
    #[arg(long = "input", value_name = "NAME=PATH", value_parser = name_and_path)]
    inputs: Vec<(String, PathBuf)>,
}

impl Fetch {
    /// Fetches, and prints a line per source; of those that failed, on stderr.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let overrides = Overrides { inputs: self.inputs.clone(), ..Overrides::default() };
        let wired = wiring::wire(&self.pipeline, &overrides)?;
        let progress = Progress::new(false);
        let wanted = FetchWanted { only: self.only.clone(), full: self.full };
        let (mut all, mut failed): (usize, Vec<u8>) = (0, Vec::new());
        for fetched in wired.fetch(&wanted, &progress)? {
            progress.finish();
            all += 1;
            match fetched {
                Ok(line) => writeln!(out, "{line}")?,
                Err(error) => {
                    failed.push(error.exit_code());
                    tell_failure(error);
                }
            }
        }
        let Some(code) = failed.iter().copied().min() else { return Ok(ExitCode::SUCCESS) };
        let failed = failed.len();
        let mut err = io::stderr().lock();
        // Nobody is left to tell when stderr is closed.
        writeln!(
            err,
            "{failed} of {all} sources could not be brought up to date: what was there is still there, and \
             `poimill fetch {}` goes on where this one stopped",
            self.pipeline.display()
        )
        .ok();
        Ok(ExitCode::from(code))
    }
}

fn tell_failure(error: RunError) {
    let error = anyhow::Error::new(error);
    writeln!(io::stderr().lock(), "error: {}", told(&error)).ok();
}
