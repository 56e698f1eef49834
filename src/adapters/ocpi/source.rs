//! OCPI as a source.

use std::path::PathBuf;

use crate::pipeline::RunError;
use crate::pipeline::ports::{Demand, Extracted, Observer, Source, TakeChunk};

/// A file of OCPI locations.
#[derive(Debug, Clone)]
pub struct Ocpi {
    name: String,
    path: PathBuf,
    license: Option<String>,
    attribution: Option<String>,
}

impl Ocpi {
    /// A source of this name that reads the file at `path`, whose records come under `license`; `attribution` must be named.
    #[must_use]
    pub fn new(name: String, path: PathBuf, license: Option<String>, attribution: Option<String>) -> Self {
        Self { name, path, license, attribution }
    }
}

impl Source for Ocpi {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "ocpi"
    }

    fn check(&self) -> Result<String, RunError> {
        Err(RunError::failed(format!("{self:?}: not read yet")))
    }

    fn read(&self, _: &Demand<'_>, _: &dyn Observer, _: &mut TakeChunk<'_>) -> Result<Extracted, RunError> {
        Err(RunError::failed(format!("{self:?}: not read yet")))
    }
}
