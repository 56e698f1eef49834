//! Writes what the corruptor makes: `cargo run --release --example corruptor -- places 10000000 FOLDER [SEED]`, or
//! `stations 5000 FOLDER [SEED]` for charging stations.
//!
//! The folder must exist. It gets the two sources, the truth, and a pipeline file that conflates them.

#[path = "mod.rs"]
mod corruptor;

use std::path::Path;

use corruptor::Knobs;

const USAGE: &str = "usage: corruptor places|stations COUNT FOLDER [SEED]";

#[expect(clippy::print_stderr, reason = "a tool of the command line")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, records, folder) = match arguments.as_slice() {
        [what, records, folder, ..] => (what.as_str(), records.parse(), Path::new(folder)),
        _ => ("", "".parse::<usize>(), Path::new("")),
    };
    let seed = arguments.get(3).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let knobs = Knobs { seed, ..Knobs::default() };
    let written = match (what, records) {
        ("places", Ok(records)) => corruptor::write_places(folder, records, &knobs),
        ("stations", Ok(count)) => {
            corruptor::write_stations(folder, &corruptor::stations(count, &knobs), 2, &knobs).map(|_| ())
        }
        _ => Err(std::io::Error::other(USAGE)),
    };
    let Err(error) = written else { return std::process::ExitCode::SUCCESS };
    eprintln!("{error}");
    std::process::ExitCode::FAILURE
}
