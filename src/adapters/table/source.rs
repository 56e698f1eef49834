//! A table as a source: a file in, features out, one batch at a time.

use std::path::{Path, PathBuf};

use super::Mapping;
use super::error::TableError;
use super::open::{self, Table, listed};
use super::plan::Plan;
use super::reading::{Means, Reading};
use crate::adapters::io::{input_of, size_told};
use crate::domain::Input;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Demand, Extracted, Observer, Source, TakeChunk, Unit};

/// What belongs to a Shapefile beside the file of its name.
const BESIDE_A_SHAPEFILE: [&str; 4] = ["cpg", "dbf", "prj", "shx"];

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

    fn error(&self, error: TableError) -> RunError {
        RunError::input(self.name.as_str(), error)
    }

    /// What the manifest says of the files.
    fn inputs(&self) -> Result<Vec<Input>, TableError> {
        let input = |path: &Path| input_of(path).map_err(|source| TableError::read(path, 0, source));
        let mut paths = vec![self.path.clone()];
        if self.path.is_dir() {
            let failed = |source| TableError::read(&self.path, 0, source);
            paths.clear();
            for entry in std::fs::read_dir(&self.path).map_err(failed)? {
                paths.push(entry.map_err(failed)?.path());
            }
            paths.retain(|path| path.is_file());
            paths.sort();
        } else if self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("shp")) {
            let beside = BESIDE_A_SHAPEFILE.iter().map(|extension| self.path.with_extension(extension));
            paths.extend(beside.filter(|path| path.is_file()));
        }
        paths.iter().map(|path| input(path)).collect()
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
        let plan = Plan::new(&self.mapping);
        let Table { told, names, .. } =
            open::open(&self.path, &self.mapping, &plan, |_| ()).map_err(|error| self.error(error))?;
        let size = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        let file = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let is_mapped = |name: &String| {
            let begins = |column: &str| column.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
            plan.columns.iter().any(|named| named.column == *name || begins(&named.column))
        };
        let unmapped: Vec<String> = names.iter().filter(|name| !is_mapped(name)).cloned().collect();
        let mapped = names.len() - unmapped.len();
        let rest = match (unmapped.len(), plan.all_tags) {
            (0, _) => String::new(),
            (_, true) => format!("; tags of their own name: {}", listed(&unmapped)),
            (_, false) => format!("; not mapped: {}", listed(&unmapped)),
        };
        Ok(format!("{file}, {}, {told}, {} columns, {mapped} mapped{rest}", size_told(size), names.len()))
    }

    // Regions are the transform's work: only it knows which positions can be repaired.
    fn read(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, RunError> {
        let plan = Plan::new(&self.mapping);
        let total_bytes = std::fs::metadata(&self.path).ok().map(|metadata| metadata.len());
        observer.stage(&format!("extract {}", self.name), Unit::Bytes, total_bytes);
        let table = open::open(&self.path, &self.mapping, &plan, |bytes| observer.advance(bytes));
        let Table { mut records, decoder, projection, .. } = table.map_err(|error| self.error(error))?;
        let mut reading = Reading::new(Means {
            plan: &plan,
            decoder: &decoder,
            projection: projection.as_ref(),
            codes: wanted.connectors,
            license: self.license.as_deref(),
        });
        while let Some(raw) = records.next().map_err(|error| self.error(error))? {
            reading.add(raw, out)?;
        }
        reading.end_batch(out)?;
        if let Some(note) = reading.undecoded() {
            observer.note(&format!("{}: {note}", self.name));
        }
        let mut extracted = reading.finish();
        if extracted.read == 0 {
            observer.note(&format!("{}: {} holds no rows", self.name, self.path.display()));
        }
        extracted.inputs = self.inputs().map_err(|error| self.error(error))?;
        extracted.attribution.clone_from(&self.attribution);
        Ok(extracted)
    }
}
