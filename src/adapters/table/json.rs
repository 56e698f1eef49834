//! JSON: records of an array, of lines, or features of GeoJSON.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::error::TableError;
use super::geometry::of_geojson;
use super::objects::{Object, look_up};
use super::plan::Named;
use crate::adapters::io::{JsonRecord, JsonRecords, Layout};
use crate::domain::{RecordId, Reject, RejectCode};

/// Records that tell what columns there are, unless one is missing.
const LOOK_RECORDS: u64 = 1_000;

/// Most names of columns that are remembered for messages.
const NAMES_MAX: usize = 10_000;

/// Under which names an object holds its records: what the mapping says, or GeoJSON's.
pub(super) fn enclosing(records: Option<&str>) -> Vec<&str> {
    records.map_or_else(|| vec!["features"], |name| vec![name])
}

/// What a look at the records tells.
pub(super) struct Look {
    /// Columns at the top, sorted.
    pub(super) names: BTreeSet<String>,
    /// By slot, whether any record has the column.
    pub(super) has: Vec<bool>,
    pub(super) has_id: bool,
    pub(super) has_geometry: bool,
    pub(super) records: u64,
    pub(super) layout: Layout,
}

/// Looks at the first records; at all of them while a column is missing that must be there.
///
/// # Errors
///
/// When the records cannot be told apart.
pub(super) fn look(path: &Path, records: Option<&str>, wanted: &[Named]) -> Result<Look, TableError> {
    let mut reader = JsonRecords::open(path, &enclosing(records), |_| ())?;
    let mut look = Look {
        names: BTreeSet::new(),
        has: vec![false; wanted.len()],
        has_id: false,
        has_geometry: false,
        records: 0,
        layout: reader.layout(),
    };
    let is_missing =
        |has: &[bool]| wanted.iter().zip(has).any(|(named, has)| !has && !named.is_optional && !named.is_repeated);
    while look.records < LOOK_RECORDS || is_missing(&look.has) {
        let Some(record) = reader.next()? else { break };
        look.records += 1;
        let Ok(object) = object(&record) else { continue };
        look.has_id |= object.id.is_some();
        look.has_geometry |= object.geometry.is_some();
        for (has, named) in look.has.iter_mut().zip(wanted) {
            *has = *has || look_up(&object.values, &named.column).is_some();
        }
        if look.names.len() < NAMES_MAX {
            look.names.extend(object.values.into_iter().map(|(name, _)| name));
        }
    }
    Ok(look)
}

/// A record's columns: of a feature its properties, of any other object its keys.
///
/// # Errors
///
/// A reject, when it is no object.
pub(super) fn object(record: &JsonRecord) -> Result<Object, Reject> {
    let refused = |message: String| Reject {
        record_id: RecordId::new(record.place.as_str()),
        code: RejectCode::Malformed,
        position: None,
        line: record.line,
        message,
    };
    let Value::Object(mut values) = parse(&record.bytes).map_err(refused)? else {
        return Err(refused("it is no JSON object".to_owned()));
    };
    let (place, line) = (record.place.clone(), record.line);
    let is_feature = values.get("type").and_then(Value::as_str) == Some("Feature") && values.contains_key("geometry");
    if !is_feature {
        return Ok(Object { place, line, values, id: None, geometry: None });
    }
    let id = match values.remove("id") {
        Some(Value::String(id)) => Some(id.trim().to_owned()).filter(|id| !id.is_empty()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let geometry = match values.remove("geometry") {
        None | Some(Value::Null) => None,
        // Coordinates without a position are those of an empty geometry (RFC 7946, 3.1).
        Some(geometry) if geometry.get("coordinates") == Some(&Value::Array(Vec::new())) => None,
        Some(geometry) => Some(of_geojson(&geometry.to_string())),
    };
    let values = match values.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    Ok(Object { place, line, values, id, geometry })
}

/// Reads JSON; where its texts are not UTF-8, with a mark in their place, by which they are found later.
fn parse(bytes: &[u8]) -> Result<Value, String> {
    let read = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_str(&String::from_utf8_lossy(bytes)),
    };
    read.map_err(|error| format!("it is not valid JSON: {error}"))
}
