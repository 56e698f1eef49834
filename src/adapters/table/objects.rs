//! Objects: rows of formats that have names and types in each record: JSON, GeoJSON, Parquet, and what GDAL reads.
//!
//! A column is a key; `a.b` is the key `b` of the object `a`, `a.2` the second element of the list `a`, and `a.b` of a
//! list `a` is the list of every element's `b`.

use geo::Geometry;
use serde_json::{Map, Value};

use super::cell::{Cell, Row};
use crate::domain::{Finding, FindingRule};

/// How the values of a record become the cells of a row.
pub(super) struct Objects {
    /// By slot, the column; `None` for one that the table lacks.
    pub(super) columns: Vec<Option<String>>,
    pub(super) all_tags: bool,
}

/// A record with what its format knows beside its columns.
pub(super) struct Object {
    pub(super) place: String,
    pub(super) line: Option<u64>,
    pub(super) values: Map<String, Value>,
    pub(super) id: Option<String>,
    pub(super) geometry: Option<Result<Geometry<f64>, String>>,
}

/// The value of a column; `None` where the record has no such key.
pub(super) fn look_up(values: &Map<String, Value>, column: &str) -> Option<Cell> {
    if let Some(value) = values.get(column) {
        return Some(Cell::json(value));
    }
    column.match_indices('.').find_map(|(at, _)| within(values.get(&column[..at])?, &column[at + 1..]))
}

fn within(value: &Value, column: &str) -> Option<Cell> {
    match value {
        Value::Object(values) => look_up(values, column),
        Value::Array(values) => {
            let (head, rest) = column.split_once('.').map_or((column, None), |(head, rest)| (head, Some(rest)));
            if let Ok(number) = head.parse::<usize>() {
                let element = values.get(number.checked_sub(1)?)?;
                return match rest {
                    None => Some(Cell::json(element)),
                    Some(rest) => within(element, rest),
                };
            }
            let cells: Vec<Option<Cell>> = values.iter().map(|value| within(value, column)).collect();
            let is_known = cells.iter().any(Option::is_some);
            is_known.then(|| Cell::List(cells.into_iter().map(|cell| cell.unwrap_or(Cell::Empty)).collect()))
        }
        _ => None,
    }
}

impl Objects {
    /// The row of a record.
    pub(super) fn row(&self, object: Object) -> Row {
        let Object { place, line, mut values, id, geometry } = object;
        let mut findings = Vec::new();
        values.retain(|key, value| {
            // What could not be read as text, here or by somebody before us.
            if value.as_str().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
                let told = value.as_str().unwrap_or_default();
                findings.push(Finding::dropped(FindingRule::InvalidEncoding, key.clone(), told));
                return false;
            }
            !is_nothing(value)
        });
        let cell = |column: &Option<String>| column.as_ref().and_then(|column| look_up(&values, column));
        let cells = self.columns.iter().map(|column| cell(column).unwrap_or(Cell::Empty)).collect();
        let mut all = Vec::new();
        if self.all_tags {
            let plain = values.iter().filter(|(_, value)| !value.is_object());
            let texts = plain.map(|(key, value)| (key.clone(), Cell::json(value).to_text().into_owned()));
            all.extend(texts.filter(|(_, text)| !text.is_empty()));
        }
        Row { place, line, cells, all, id, geometry, raw: Value::Object(values).to_string(), findings }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_is_found_however_deep_it_stands() {
        let record = json!({
            "a.b": 1, "a": {"c": {"d": "x"}, "e": [true, false]},
            "evses": [{"id": "1", "plugs": [{"type": "T2"}, {"type": "CCS"}]}, {"plugs": []}, {"id": "3"}],
        });
        let values = record.as_object().unwrap();
        let text = |text: &str| Cell::text(text);
        let cases = [
            ("a.b", Some(Cell::Number("1".to_owned()))),
            ("a.c.d", Some(text("x"))),
            ("a.e", Some(Cell::List(vec![Cell::Bool(true), Cell::Bool(false)]))),
            ("a.e.2", Some(Cell::Bool(false))),
            ("a.e.3", None),
            ("a.e.0", None),
            ("evses.id", Some(Cell::List(vec![text("1"), Cell::Empty, text("3")]))),
            ("evses.1.plugs.type", Some(Cell::List(vec![text("T2"), text("CCS")]))),
            ("evses.name", None),
            ("b", None),
        ];
        for (column, expected) in cases {
            assert_eq!(look_up(values, column), expected, "{column}");
        }
    }
}
