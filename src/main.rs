//! The poimill command.

use std::process::ExitCode;

/// Threads allocate without waiting for each other, and give back what they do not need.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    poimill::cli::main()
}
