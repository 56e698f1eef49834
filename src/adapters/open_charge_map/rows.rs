//! Rows: the records of one file, whatever its format, told by its content.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use super::csv::{CsvRecords, Row};
use crate::adapters::io::{JsonRecords, Layout, RecordsError, open_decompressed};

/// Names of arrays of records in an object around them: GeoJSON's, and those of programs that keep an answer in an envelope.
const ENVELOPES: [&str; 8] = ["features", "Features", "data", "Data", "results", "items", "pois", "poiList"];

/// The records of one file, in order.
pub(super) enum Rows<'a> {
    Json(JsonRecords<'a>),
    Csv(CsvRecords<'a>),
}

impl<'a> Rows<'a> {
    /// Opens a file: JSON, or a table with the header of Open Charge Map. `on_bytes` is told of each block read from disk.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is neither.
    pub(super) fn open(path: &'a Path, on_bytes: impl Fn(u64) + 'a) -> Result<Self, RecordsError> {
        // Until the format is known, nothing counts as read.
        let (looked_at, is_known) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let on_bytes = Rc::new(on_bytes);
        let count = {
            let (looked_at, is_known) = (looked_at.clone(), is_known.clone());
            let on_bytes = on_bytes.clone();
            move |bytes| if is_known.get() { on_bytes(bytes) } else { looked_at.set(looked_at.get() + bytes) }
        };
        match JsonRecords::open(path, &ENVELOPES, count) {
            Ok(records) => {
                is_known.set(true);
                on_bytes(looked_at.get());
                Ok(Self::Json(records))
            }
            Err(error @ RecordsError::NotJson { .. }) => {
                let text = open_decompressed(path, move |bytes| on_bytes(bytes));
                let text = text.map_err(|source| RecordsError::interrupted(path, 0, source))?;
                CsvRecords::open(path, text)?.map(Self::Csv).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The next record, or why it is none; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or was cut.
    pub(super) fn next(&mut self) -> Result<Option<Row>, RecordsError> {
        match self {
            Self::Json(records) => Ok(records.next()?.map(Ok)),
            Self::Csv(records) => records.next(),
        }
    }

    /// Takes back the memory of records, for the next ones.
    pub(super) fn reuse(&mut self, used: Vec<Vec<u8>>) {
        if let Self::Json(records) = self {
            records.reuse(used);
        }
    }

    /// How the records of a JSON file follow each other; `None` for a table.
    pub(super) fn layout(&self) -> Option<Layout> {
        match self {
            Self::Json(records) => Some(records.layout()),
            Self::Csv(_) => None,
        }
    }
}
