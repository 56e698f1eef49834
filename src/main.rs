//! The poimill command.

use std::process::ExitCode;

fn main() -> ExitCode {
    poimill::cli::main()
}
