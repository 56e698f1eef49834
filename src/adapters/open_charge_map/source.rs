//! Open Charge Map as a source: files in, features out, one batch at a time.

use std::path::PathBuf;

use super::OcmError;
use super::files::{self, DumpFile};
use super::reading::Reading;
use super::reference::Reference;
use super::rows::Rows;
use super::translate::{Words, look};
use crate::adapters::io::{Layout, input_of, size_told};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Demand, Extracted, Observer, Source, TakeChunk, Unit};

/// Records that `check` looks at to tell the shape.
const CHECK_RECORDS: usize = 20;

/// A dump of Open Charge Map: a file or a folder of files.
#[derive(Debug, Clone)]
pub struct OpenChargeMap {
    name: String,
    path: PathBuf,
    reference: Option<PathBuf>,
    /// Licence of the contributors' records, where none is stated.
    license: Option<String>,
}

impl OpenChargeMap {
    /// A source of this name that reads the file or folder at `path`, and gives words to its numbers with the reference data
    /// file, where there is one.
    #[must_use]
    pub fn new(name: String, path: PathBuf, reference: Option<PathBuf>) -> Self {
        Self { name, path, reference, license: None }
    }

    /// The licence of what Open Charge Map's own contributors say, where the input does not state it. Records of other data
    /// providers keep theirs.
    #[must_use]
    pub fn with_license(self, license: Option<String>) -> Self {
        Self { license, ..self }
    }

    fn error(&self, error: OcmError) -> RunError {
        RunError::input(self.name.as_str(), error)
    }

    fn reference(&self) -> Result<Reference, OcmError> {
        let known = self.reference.as_deref().map_or_else(|| Ok(Reference::built_in()), Reference::from_file)?;
        Ok(known.with_contributors_license(self.license.as_deref()))
    }
}

impl Source for OpenChargeMap {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "open_charge_map"
    }

    fn check(&self) -> Result<String, RunError> {
        self.reference().map_err(|error| self.error(error))?;
        let files = files::files(&self.path).map_err(|error| self.error(error))?;
        let shape = shape(&files[0]).map_err(|error| self.error(error))?;
        let size = size_told(files.iter().map(|file| file.size_bytes).sum());
        let name = files::name_of(&self.path);
        Ok(if self.path.is_dir() {
            format!("{name}, {size} in {} files, {shape}", files.len())
        } else {
            format!("{name}, {size}, {shape}")
        })
    }

    // Regions are the transform's work: only it knows which positions can be repaired.
    fn read(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, RunError> {
        let reference = self.reference().map_err(|error| self.error(error))?;
        let files = files::files(&self.path).map_err(|error| self.error(error))?;
        let total_bytes = files.iter().map(|file| file.size_bytes).sum();
        observer.stage(&format!("extract {}", self.name), Unit::Bytes, Some(total_bytes));

        let mut reading = Reading::new(Words { reference: &reference, codes: wanted.connectors });
        for file in &files {
            let mut rows = Rows::open(&file.path, |bytes| observer.advance(bytes)).map_err(|e| self.error(e.into()))?;
            while let Some(mut row) = rows.next().map_err(|error| self.error(error.into()))? {
                if !file.name.is_empty() {
                    let frame = row.as_mut().unwrap_or_else(|(frame, _)| frame);
                    frame.place = format!("{} {}", file.name, frame.place);
                }
                reading.add(row, out)?;
                rows.reuse(reading.take_used());
            }
        }
        reading.end_batch(out)?;
        if reading.is_all_malformed() {
            return Err(self.error(OcmError::NoRecords { path: self.path.clone() }));
        }
        for note in reading.notes() {
            observer.note(&format!("{}: {note}", self.name));
        }
        let mut extracted = reading.finish();
        let input = files::input(&self.path, &files).map_err(|error| self.error(error))?;
        extracted.inputs.push(input);
        if let Some(path) = &self.reference {
            let input = input_of(path).map_err(|source| self.error(OcmError::read(path, source)))?;
            extracted.inputs.push(input);
        }
        Ok(extracted)
    }
}

/// Looks at the beginning of a file: how its records follow each other, and what they look like.
fn shape(file: &DumpFile) -> Result<&'static str, OcmError> {
    let mut rows = Rows::open(&file.path, |_| ())?;
    for seen in 0..CHECK_RECORDS {
        let Some(row) = rows.next()? else {
            if seen == 0 {
                return Ok("no records");
            }
            break;
        };
        if let Some(shape) = row.ok().and_then(|frame| look(&frame.bytes)) {
            return Ok(match rows.layout() {
                None => "CSV",
                Some(Layout::Lines) if shape != "GeoJSON" => "JSON Lines",
                Some(_) => shape,
            });
        }
    }
    Err(OcmError::NoRecords { path: file.path.clone() })
}

#[cfg(test)]
mod tests;
