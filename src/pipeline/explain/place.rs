//! Place: what the snapshot says of a place, and which record said it.

use arrow_array::{Array, StringArray};
use serde::Serialize;
use serde_json::Value;

use super::bridge::Bridge;
use crate::domain::Cell;
use crate::pipeline::RunError;
use crate::pipeline::ports::Snapshot;
use crate::pipeline::tabulate::batch_rows;
use crate::pipeline::tabulate::tables::PLACES;

/// The table of what records say otherwise than their place, where the snapshot has one.
const CONFLICTS: &str = "conflicts";

/// A place as the snapshot shows it.
#[derive(Debug, Clone, Serialize)]
pub struct PlaceTold {
    /// Its id.
    pub id: String,
    /// Its row in `places`; in layered output one in the table of each source that knows it.
    pub rows: Vec<RowTold>,
    /// What records say otherwise.
    pub conflicts: Vec<ConflictTold>,
}

/// A row of a place.
#[derive(Debug, Clone, Serialize)]
pub struct RowTold {
    /// The table that it stands in.
    pub table: String,
    /// Every column that says something and is no geometry or hash.
    pub columns: serde_json::Map<String, Value>,
    /// Which record gave what.
    pub provenance: Vec<ProvenanceTold>,
}

impl RowTold {
    /// The records that gave a column.
    #[must_use]
    pub fn givers(&self, column: &str) -> Vec<&str> {
        let gave = self.provenance.iter().filter(|given| given.property.strip_prefix('/') == Some(column));
        gave.map(|given| given.record.as_str()).collect()
    }
}

/// Which record gave an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProvenanceTold {
    /// JSON pointer to the attribute; empty for the whole record.
    pub property: String,
    /// The record, `dataset:id`.
    pub record: String,
    /// Its licence.
    pub license: Option<String>,
    /// How sure its match to this place is, in `[0, 1]`.
    pub confidence: Option<f64>,
}

/// What a record says otherwise than its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConflictTold {
    /// JSON pointer to the attribute.
    pub property: String,
    /// The record whose value was not taken.
    pub record: String,
    /// Its value.
    pub value: Value,
    /// The record whose value was taken.
    pub taken_record: String,
    /// That value.
    pub taken_value: Value,
    /// The rule that chose.
    pub rule: String,
}

/// Columns that are no news to a reader: geometries, hashes, and what is told elsewhere.
const LEFT_OUT: [&str; 7] = ["id", "geometry", "bbox", "footprint", "content_hash", "row_hash", "sources"];

pub(super) fn tell(id: &str, bridge: &Bridge, snapshot: &dyn Snapshot) -> Result<PlaceTold, RunError> {
    let mut told = PlaceTold { id: id.to_owned(), rows: Vec::new(), conflicts: Vec::new() };
    // Layered output has a table per source in its stead.
    let layered = bridge.datasets.iter().map(|name| format!("{}_{name}", PLACES.name));
    let tables = std::iter::once(PLACES.name.to_string()).chain(layered).filter(|table| snapshot.has(table));
    for table in tables {
        for row in row_of(id, &table, snapshot)? {
            let named = PLACES.columns.iter().map(|column| column.name.to_string()).zip(&row);
            let values = named.map(|(name, cell)| (name, without_nulls(cell.to_json())));
            let columns =
                values.filter(|(name, value)| !LEFT_OUT.contains(&name.as_str()) && !is_empty(value)).collect();
            let sources = if let Cell::List(sources) = &row[PLACES.index_of("sources")] { &sources[..] } else { &[] };
            let provenance = sources.iter().map(|source| provenance(&source.to_json())).collect();
            told.rows.push(RowTold { table: table.clone(), columns, provenance });
        }
    }
    if snapshot.has(CONFLICTS) {
        told.conflicts = conflicts(id, snapshot)?;
    }
    Ok(told)
}

/// The row of a place in a table, with all columns.
fn row_of(id: &str, table: &str, snapshot: &dyn Snapshot) -> Result<Vec<Vec<Cell>>, RunError> {
    let (mut at, mut found) = (0, None);
    snapshot.read(table, &["id"], &mut |batch| {
        for row in batch_rows(&PLACES, &batch) {
            if row[0].as_text() == Some(id) {
                found = Some(at);
            }
            at += 1;
        }
        Ok(())
    })?;
    let mut rows = Vec::new();
    if let Some(at) = found {
        snapshot.read_rows(table, &[at], &mut |batch| {
            rows.extend(batch_rows(&PLACES, &batch));
            Ok(())
        })?;
    }
    Ok(rows)
}

/// The value without the fields that say nothing.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, without_nulls(value)));
            Value::Object(fields.filter(|(_, value)| !is_empty(value)).collect())
        }
        value => value,
    }
}

/// Whether a value says nothing: none, or nothing but such values within.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

fn provenance(source: &Value) -> ProvenanceTold {
    let text = |name: &str| source[name].as_str().unwrap_or_default();
    ProvenanceTold {
        property: text("property").to_owned(),
        record: format!("{}:{}", text("dataset"), text("record_id")),
        license: source["license"].as_str().map(str::to_owned),
        confidence: source["confidence"].as_f64(),
    }
}

fn conflicts(id: &str, snapshot: &dyn Snapshot) -> Result<Vec<ConflictTold>, RunError> {
    let columns = [
        "place_id",
        "property",
        "dataset",
        "record_id",
        "value",
        "taken_dataset",
        "taken_record_id",
        "taken_value",
        "rule",
    ];
    let mut told = Vec::new();
    snapshot.read(CONFLICTS, &columns, &mut |batch| {
        let texts: Vec<Option<&StringArray>> =
            batch.columns().iter().map(|column| column.as_any().downcast_ref::<StringArray>()).collect();
        for row in 0..batch.num_rows() {
            let text = |at: usize| texts[at].map(|column| column.value(row)).unwrap_or_default();
            let value = |at: usize| serde_json::from_str(text(at)).unwrap_or_else(|_| Value::from(text(at)));
            if text(0) == id {
                told.push(ConflictTold {
                    property: text(1).to_owned(),
                    record: format!("{}:{}", text(2), text(3)),
                    value: value(4),
                    taken_record: format!("{}:{}", text(5), text(6)),
                    taken_value: value(7),
                    rule: text(8).to_owned(),
                });
            }
        }
        Ok(())
    })?;
    Ok(told)
}
