//! `poimill check`: would it run?

use std::io::Write;
use std::process::ExitCode;

use super::{Ended, PipelineArgs};
use crate::wiring;

/// Check a pipeline file and its inputs, and print the plan; touches nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: poimill check pipelines/demo.toml")]
pub(super) struct Check {
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Check {
    /// Prints the plan.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let wired = wiring::wire(&self.pipeline.pipeline, &self.pipeline.overrides())?;
        for line in wired.check()? {
            writeln!(out, "{line}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
