//! The command line: one file per subcommand. It parses, wires, runs and prints; it decides nothing.

mod bridge;
mod check;
mod diff;
mod eval;
mod explain;
mod fetch;
mod history;
mod interrupt;
mod load;
mod progress;
mod prune;
mod release;
mod replay;
mod run;
mod verify;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Overrides, Secret};
use crate::pipeline::RunError;

/// One line from OpenStreetMap and charging feeds to conflated places in GeoParquet and PostGIS.
///
/// A pipeline file says what to read, which region and themes, and where to write; `pipelines/demo.toml` is one to start
/// from. Results go to stdout, progress and logs to stderr.
#[derive(Debug, Parser)]
#[command(
    name = "poimill",
    version,
    after_help = "Exit codes: 0 done; 1 failed (in `diff`: the snapshots differ); 2 wrong usage or settings; 3 an input is \
missing or damaged; 4 the gate held the snapshot back; 5 a sink failed; 6 another run is at work; 130, 143 interrupted.\n\n\
Try: poimill run pipelines/demo.toml"
)]
struct Cli {
    /// Tell more on stderr; twice for everything. `RUST_LOG` beats it.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Check(check::Check),
    Fetch(fetch::Fetch),
    Diff(diff::Diff),
    Load(load::Load),
    Explain(explain::Explain),
    Eval(Box<eval::Eval>),
    Verify(verify::Verify),
    Release(release::Release),
    History(history::History),
    Prune(prune::Prune),
    Bridge(bridge::Bridge),
    Replay(replay::Replay),
}

/// Flags that beat the pipeline file.
#[derive(Debug, clap::Args)]
struct PipelineArgs {
    /// Pipeline file, e.g. `pipelines/demo.toml`
    pipeline: PathBuf,
    /// Read a source from elsewhere than the pipeline file says; may be given several times, for one `osm_pbf` source too,
    /// whose files are then read as one
    #[arg(long = "input", value_name = "NAME=PATH", value_parser = name_and_path)]
    inputs: Vec<(String, PathBuf)>,
    /// Keep the snapshots in this folder instead of the pipeline file's, which is `../data/snapshots` beside it unless it
    /// says otherwise
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Load this PostGIS database, e.g. `postgresql://user@host/name`
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Use so many threads, 1 to 512; the result is the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    threads: Option<u16>,
}

fn name_and_path(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write NAME=PATH, e.g. osm=extract.osm.pbf")?;
    Ok((name.to_owned(), PathBuf::from(path)))
}

impl PipelineArgs {
    fn overrides(&self) -> Overrides {
        Overrides {
            inputs: self.inputs.clone(),
            store: self.store.clone(),
            database: self.database.as_deref().map(Secret::new),
            memory: None,
        }
    }

    /// Settles the number of threads of the whole process.
    fn set_threads(&self) -> anyhow::Result<()> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global()?;
        }
        Ok(())
    }
}

/// What the process exits with when a command ended well.
type Ended = anyhow::Result<ExitCode>;

/// Parses the arguments, runs the command, and prints what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.verbose);
    interrupt::watch();
    let mut out = io::stdout().lock();
    let ended = match &cli.command {
        Command::Run(run) => run.execute(&mut out),
        Command::Check(check) => check.execute(&mut out),
        Command::Fetch(fetch) => fetch.execute(&mut out),
        Command::Diff(diff) => diff.execute(&mut out),
        Command::Load(load) => load.execute(&mut out),
        Command::Explain(explain) => explain.execute(&mut out),
        Command::Eval(eval) => eval.execute(&mut out),
        Command::Verify(verify) => verify.execute(&mut out),
        Command::Release(release) => release.execute(&mut out),
        Command::History(history) => history.execute(&mut out),
        Command::Prune(prune) => prune.execute(&mut out),
        Command::Bridge(bridge) => bridge.execute(&mut out),
        Command::Replay(replay) => replay.execute(&mut out),
    };
    let ended = ended.and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    // Every other failure of reading or writing has an adapter's words around it.
    let ended = ended.map_err(|error| {
        let of_stdout = error.is::<io::Error>();
        if of_stdout { error.context("cannot write the results to standard output") } else { error }
    });
    match ended {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = io::stderr().lock();
            // Nobody is left to tell when stderr is closed too.
            writeln!(err, "error: {}", told(&error)).ok();
            let code = error.downcast_ref::<RunError>().map_or(1, RunError::exit_code);
            let in_diff = matches!(cli.command, Command::Diff(_));
            ExitCode::from(if in_diff && code == 1 { 3 } else { code })
        }
    }
}

/// An error with its causes, one per line, each said once.
fn told(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let line = cause.to_string();
        if !lines.iter().any(|said| said.ends_with(&line)) {
            lines.push(line);
        }
    }
    lines.join("\n  because: ")
}

/// Whether whoever reads our output has gone, e.g. `poimill run … | head -1`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
        && error.downcast_ref::<RunError>().is_none()
}

fn log_to_stderr(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "poimill=info",
        _ => "poimill=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    // The client logs whole addresses, in which keys may be.
    let quiet = ["ureq=warn", "ureq_proto=warn"].into_iter().filter_map(|directive| directive.parse().ok());
    let filter = quiet.fold(filter, tracing_subscriber::EnvFilter::add_directive);
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    logs.with_ansi(colours).with_target(false).init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
