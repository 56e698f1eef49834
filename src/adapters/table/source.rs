//! A table as a source.

use std::path::PathBuf;

use super::Mapping;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Demand, Extracted, Observer, Source, TakeChunk};

/// A file with a row per record.
#[derive(Debug, Clone)]
pub struct TableFile {
    name: String,
    path: PathBuf,
    mapping: Mapping,
    license: Option<String>,
    attribution: Option<String>,
}

impl TableFile {
    /// A source of this name that reads the file at `path`, whose records come under `license`; `attribution` must be named.
    #[must_use]
    pub fn new(
        name: String,
        path: PathBuf,
        mapping: Mapping,
        license: Option<String>,
        attribution: Option<String>,
    ) -> Self {
        Self { name, path, mapping, license, attribution }
    }
}

impl Source for TableFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "table"
    }

    fn check(&self) -> Result<String, RunError> {
        Err(RunError::failed(format!("{self:?}: not read yet")))
    }

    fn read(&self, _: &Demand<'_>, _: &dyn Observer, _: &mut TakeChunk<'_>) -> Result<Extracted, RunError> {
        Err(RunError::failed(format!("{self:?}: not read yet")))
    }
}
