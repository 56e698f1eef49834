//! OCPI as a source: a file in, features out, one batch at a time.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::OcpiError;
use super::envelope::Envelope;
use super::json::{Fields, tidy};
use super::reading::Reading;
use crate::adapters::io::{JsonRecords, Layout, input_of, open_decompressed, size_told};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Demand, Extracted, Observer, Source, TakeChunk, Unit};

/// Names of the array in an envelope: OCPI's own, and one seen in exports.
const ENCLOSING: [&str; 2] = ["data", "locations"];

/// Records that `check` looks at to tell the version.
const CHECK_RECORDS: usize = 20;

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

    fn error(&self, error: impl Into<OcpiError>) -> RunError {
        RunError::input(self.name.as_str(), error.into())
    }

    fn cannot_read(&self, source: std::io::Error) -> RunError {
        self.error(OcpiError::Read { path: self.path.clone(), source })
    }

    fn refused(&self, (status_code, message): (i64, String)) -> RunError {
        self.error(OcpiError::Refused { path: self.path.clone(), status_code, message })
    }

    /// What an answer says of itself; nothing where the file is no single answer.
    fn envelope(&self, layout: Layout) -> Result<Envelope, RunError> {
        if layout != Layout::Enclosed {
            return Ok(Envelope::default());
        }
        let reader = open_decompressed(&self.path, |_| ()).map_err(|source| self.cannot_read(source))?;
        Ok(Envelope::around(reader))
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
        let looked = look(&self.path).map_err(|error| self.error(error))?;
        let size = std::fs::metadata(&self.path).map_err(|source| self.cannot_read(source))?.len();
        let name = self.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        Ok(format!("{name}, {}, {looked}", size_told(size)))
    }

    // Regions are the transform's work: only it knows which positions can be repaired.
    fn read(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, RunError> {
        let total_bytes = std::fs::metadata(&self.path).ok().map(|metadata| metadata.len());
        observer.stage(&format!("extract {}", self.name), Unit::Bytes, total_bytes);
        let records = JsonRecords::open(&self.path, &ENCLOSING, |bytes| observer.advance(bytes));
        let mut records = records.map_err(|error| self.error(error))?;
        let envelope = self.envelope(records.layout())?;
        let mut reading = Reading::new(wanted.connectors, self.license.as_deref());
        while let Some(record) = records.next().map_err(|error| self.error(error))? {
            reading.add(record, out)?;
        }
        reading.end_batch(out)?;
        // A refusal among answers means that some locations are missing; around them, that none came.
        if let Some(refusal) = reading.refusal().or(envelope.refusal.filter(|_| reading.is_empty())) {
            return Err(self.refused(refusal));
        }
        if reading.is_all_malformed() {
            return Err(self.error(OcpiError::NoLocations { path: self.path.clone() }));
        }
        let mut extracted = reading.finish(envelope.timestamp);
        extracted.inputs.push(input_of(&self.path).map_err(|source| self.cannot_read(source))?);
        extracted.attribution.clone_from(&self.attribution);
        Ok(extracted)
    }
}

/// Looks at the beginning of a file: which version its locations are written in, and how they follow each other.
fn look(path: &Path) -> Result<String, OcpiError> {
    let mut records = JsonRecords::open(path, &ENCLOSING, |_| ())?;
    let shape = match records.layout() {
        Layout::Array => "array",
        Layout::Enclosed => "envelope",
        Layout::Lines => "JSON Lines",
        Layout::Objects => "single objects",
    };
    let (mut newest, mut seen) = (None, 0);
    while let Some(record) = records.next()?.filter(|_| seen < CHECK_RECORDS) {
        seen += 1;
        let Ok(value) = serde_json::from_slice::<Value>(&record.bytes).map(tidy) else { continue };
        newest = newest.max(version(&value));
        if let (None, Some((status_code, message))) = (newest, Envelope::of(Fields::of(&value)).refusal) {
            return Err(OcpiError::Refused { path: path.to_owned(), status_code, message });
        }
    }
    match newest {
        Some(version) => Ok(format!("OCPI {version}, {shape}")),
        None if seen == 0 => Ok(format!("no locations, {shape}")),
        None => Err(OcpiError::NoLocations { path: path.to_owned() }),
    }
}

/// The version by the fields that only it has. `None` for what is no location.
fn version(value: &Value) -> Option<&'static str> {
    let record = Fields::of(value);
    let location = match (record.has("id"), record.get("data")) {
        (true, _) => record,
        (false, Some(Value::Array(locations))) => Fields::of(locations.first()?),
        (false, Some(one)) => Fields::of(one),
        (false, None) => return None,
    };
    if !location.has("id") {
        return None;
    }
    let has = |object: Fields<'_>, keys: &[&str]| keys.iter().any(|key| object.has(key));
    let connectors = || location.objects("evses").flat_map(|evse| evse.objects("connectors"));
    if has(location, &["help_phone", "parking_places"])
        || location.objects("evses").any(|evse| has(evse, &["parking", "accepted_service_providers"]))
        || connectors().any(|connector| connector.has("capabilities"))
    {
        return Some("2.3");
    }
    let of_2_2 = ["max_voltage", "max_amperage", "max_electric_power", "tariff_ids"];
    if has(location, &["publish", "party_id", "parking_type"]) || connectors().any(|connector| has(connector, &of_2_2))
    {
        return Some("2.2");
    }
    Some("2.1.1")
}

#[cfg(test)]
mod tests;
