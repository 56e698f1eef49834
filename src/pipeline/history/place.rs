//! Place: what a snapshot says of one place, and which records it had.

use arrow_array::cast::AsArray;
use serde::Serialize;
use serde_json::{Map, Value};

use super::steps::{Named, named, place_tables, published};
use super::{as_of, latest_id, oldest_first};
use crate::domain::{Cell, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::diff::point;
use crate::pipeline::ports::{Snapshot, SnapshotStore};
use crate::pipeline::tabulate::tables::{BRIDGE, PLACES};

/// Columns that say nothing to a person, or follow from others.
const DERIVED: [&str; 3] = ["bbox", "content_hash", "row_hash"];

/// A record's time in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The record, `dataset:id`.
    pub record: String,
    /// The first vintage with it.
    pub valid_from: Option<Timestamp>,
    /// The first vintage without it; `None` while it is there.
    pub valid_to: Option<Timestamp>,
}

impl Record {
    /// Whether the record was part of the place at this time.
    fn was_there(&self, time: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= time) && self.valid_to.is_none_or(|to| time < to)
    }
}

/// What a table of places says of a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Said {
    /// The table: `places`, or that of a source where places are layered.
    pub table: String,
    /// Its columns that have a value and follow from no other; positions as longitude and latitude.
    pub row: Map<String, Value>,
}

/// A place as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceThen {
    /// The place.
    pub place: String,
    /// The time that was asked for.
    pub as_of: Timestamp,
    /// The snapshot that was the latest then.
    pub snapshot: String,
    /// Its vintage.
    pub vintage: Option<Timestamp>,
    /// What it says of the place: one row, or one per source where places are layered. None where it has no such place.
    pub rows: Vec<Said>,
    /// The records that it had then.
    pub records: Vec<Record>,
}

/// What the store says of a place at a time.
///
/// # Errors
///
/// [`RunError::Settings`] when no snapshot is that old, or when the store cannot be read.
pub fn place_as_of(store: &dyn SnapshotStore, place: &str, time: Timestamp) -> Result<PlaceThen, RunError> {
    let then = as_of(store, time)?;
    let (latest, kept) = (latest_id(store)?, oldest_first(store.list()?));
    let published = published(&kept, latest.as_deref());
    let mut rows = Vec::new();
    if let Some(snapshot) = published.iter().find(|snapshot| snapshot.manifest().snapshot == then.snapshot) {
        rows = said(*snapshot, place)?;
    }
    let mut records = records_of(published.last().copied(), place)?;
    records.retain(|record| record.was_there(time));
    Ok(PlaceThen {
        place: place.to_owned(),
        as_of: time,
        snapshot: then.snapshot,
        vintage: then.vintage,
        rows,
        records,
    })
}

/// What a snapshot says of a place; nothing where it has no such place.
pub(super) fn said(snapshot: &dyn Snapshot, place: &str) -> Result<Vec<Said>, RunError> {
    let mut found = Vec::new();
    for table in place_tables(snapshot) {
        let (mut first, mut at) = (0, Vec::new());
        snapshot.read(&table, &["id"], &mut |batch| {
            let ids = batch.column(0).as_string::<i32>().iter();
            at.extend((first..).zip(ids).filter(|(_, id)| *id == Some(place)).map(|(row, _)| row));
            first += batch.num_rows() as u64;
            Ok(())
        })?;
        if at.is_empty() {
            continue;
        }
        snapshot.read_rows(&table, &at, &mut |batch| {
            let rows = named(&PLACES, &batch, (0..batch.num_rows() as u64).collect())?;
            found.extend(rows.iter().map(|row| Said { table: table.clone(), row: told(row) }));
            Ok(())
        })?;
    }
    Ok(found)
}

/// The records that a place ever had, as a snapshot remembers them; none where it is too old to.
pub(super) fn records_of(snapshot: Option<&dyn Snapshot>, place: &str) -> Result<Vec<Record>, RunError> {
    let Some(snapshot) = snapshot.filter(|snapshot| snapshot.has(&BRIDGE.name)) else { return Ok(Vec::new()) };
    let mut records = Vec::new();
    snapshot.read(&BRIDGE.name, &[], &mut |batch| {
        let Some(ids) = batch.column_by_name("place_id").and_then(|ids| ids.as_string_opt::<i32>()) else {
            return Ok(());
        };
        let rows = (0..).zip(ids).filter(|(_, id)| *id == Some(place)).map(|(row, _)| row).collect();
        for row in named(&BRIDGE, &batch, rows)? {
            let text = |name: &str| row.get(name).and_then(Cell::as_text).unwrap_or_default().to_owned();
            let time = |name: &str| match row.get(name) {
                Some(Cell::Time(micros)) => Timestamp::from_microsecond(*micros).ok(),
                _ => None,
            };
            let record = format!("{}:{}", text("dataset"), text("record_id"));
            records.push(Record { record, valid_from: time("valid_from"), valid_to: time("valid_to") });
        }
        Ok(())
    })?;
    Ok(records)
}

/// A row as JSON: what has a value, positions as longitude and latitude.
fn told(row: &Named) -> Map<String, Value> {
    let columns = PLACES.columns.iter().filter_map(|column| Some((&*column.name, row.get(&*column.name)?)));
    let told = columns.filter(|(name, cell)| **cell != Cell::Null && !DERIVED.contains(name));
    told.map(|(name, cell)| (name.to_owned(), value(cell, name))).collect()
}

/// A value as JSON; a position as longitude and latitude.
pub(super) fn value(cell: &Cell, column: &str) -> Value {
    match cell {
        Cell::Bytes(wkb) if column == "geometry" => {
            point(wkb).map_or(Value::Null, |position| vec![position.lon(), position.lat()].into())
        }
        cell => cell.to_json(),
    }
}
