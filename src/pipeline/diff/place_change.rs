//! Place change: a row of `changes/places`, read: for people, as JSON, and by its positions.

use serde_json::{Map, Value, json};

use crate::domain::{Cell, ChangeClass, LonLat};
use crate::pipeline::tabulate::Row;
use crate::pipeline::tabulate::tables::PLACE_CHANGES;

/// A changed place.
#[derive(Debug)]
pub struct PlaceChange<'a> {
    row: &'a Row,
    /// The old values by column; null of a new place.
    old: Value,
}

impl<'a> PlaceChange<'a> {
    /// Reads a row of `changes/places`, or of its like for layered places.
    #[must_use]
    pub fn new(row: &'a Row) -> Self {
        let old = row[PLACE_CHANGES.index_of("old_values")].as_text();
        Self { row, old: old.and_then(|old| serde_json::from_str(old).ok()).unwrap_or_default() }
    }

    fn cell(&self, column: &str) -> &'a Cell {
        &self.row[PLACE_CHANGES.index_of(column)]
    }

    /// The text in a column; of a place that is gone, the one that it had where the column is one of `places`.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        let now = self.cell(column).as_text().filter(|text| !text.is_empty());
        now.or_else(|| self.old[column].as_str()).unwrap_or_default()
    }

    /// What happened.
    #[must_use]
    pub fn class(&self) -> Option<ChangeClass> {
        ChangeClass::from_name(self.cell("class").as_text()?)
    }

    /// Whether the place is there no more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.class(), Some(ChangeClass::Removed | ChangeClass::Merged))
    }

    /// Columns that differ, of a place that both snapshots have.
    #[must_use]
    pub fn fields(&self) -> Vec<&'a str> {
        texts(self.cell("changed_fields"))
    }

    /// Sources that know the place, or knew it.
    #[must_use]
    pub fn datasets(&self) -> Vec<&str> {
        let now = texts(self.cell("datasets"));
        if !now.is_empty() {
            return now;
        }
        self.old["datasets"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// How far it moved, in metres.
    #[must_use]
    pub fn moved_m(&self) -> Option<f64> {
        if let Cell::Float(metres) = self.cell("moved_m") { Some(*metres) } else { None }
    }

    /// Where it is; `None` of a place that is gone.
    #[must_use]
    pub fn position(&self) -> Option<LonLat> {
        if let Cell::Bytes(wkb) = self.cell("geometry") { point(wkb) } else { None }
    }

    /// Where it was, if it is gone or stands elsewhere.
    #[must_use]
    pub fn old_position(&self) -> Option<LonLat> {
        point(&bytes(self.old["geometry"].as_str()?)?)
    }

    /// The columns that have a value, the old values as an object, and in `fields` what each changed column was and is.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let cells = PLACE_CHANGES.columns.iter().zip(self.row).filter(|(_, cell)| **cell != Cell::Null);
        let mut told: Map<String, Value> =
            cells.map(|(column, cell)| (column.name.to_string(), cell.to_json())).collect();
        if !self.old.is_null() {
            told.insert("old_values".to_owned(), self.old.clone());
        }
        if !self.fields().is_empty() {
            told.insert("fields".to_owned(), self.fields_told(|_| true));
        }
        for (name, position) in [("position", self.position()), ("old_position", self.old_position())] {
            if let Some(position) = position {
                told.insert(name.to_owned(), json!([position.lon(), position.lat()]));
            }
        }
        Value::Object(told)
    }

    /// What each changed column was and is, of those that `wanted` says.
    pub(super) fn fields_told(&self, wanted: impl Fn(&str) -> bool) -> Value {
        let told = |name: &str| json!({ "old": self.old[name], "new": self.cell(name).to_json() });
        let fields = self.fields().into_iter().filter(|name| wanted(name));
        Value::Object(fields.map(|name| (name.to_owned(), told(name))).collect())
    }
}

fn texts(cell: &Cell) -> Vec<&str> {
    if let Cell::List(items) = cell { items.iter().filter_map(Cell::as_text).collect() } else { Vec::new() }
}

/// The position in little-endian WKB of a point: its coordinates stand after five bytes.
pub(in crate::pipeline) fn point(wkb: &[u8]) -> Option<LonLat> {
    let number = |at: usize| Some(f64::from_le_bytes(wkb.get(at..at + 8)?.try_into().ok()?));
    LonLat::new(number(5)?, number(13)?)
}

/// Bytes from hexadecimal digits.
pub(super) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| u8::try_from(digit(pair.first()?)? * 16 + digit(pair.get(1)?)?).ok();
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes_and_bytes_a_position() {
        assert_eq!(bytes("00ff7A"), Some(vec![0, 255, 122]));
        assert_eq!((bytes("0"), bytes("zz"), bytes("")), (None, None, Some(vec![])));
        let wkb = bytes("01010000000000000000002440000000000000f0bf").unwrap();
        assert_eq!(point(&wkb), LonLat::new(10.0, -1.0));
        assert_eq!(point(&wkb[..20]), None);
    }
}
