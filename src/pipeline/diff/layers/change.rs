//! Change: a row of a layer before and after.

use serde_json::{Map, Value, json};

use super::super::super::layers::RowKey;
use super::super::super::tabulate::{Row, Table};
use super::super::place_change::bytes;
use super::join::key;
use super::place::middle;
use super::wide::WideRow;
use crate::domain::{Cell, ChangeClass as Class, LonLat, haversine, hilbert_key};

/// Columns that make the key.
pub(super) const KEY: [&str; 3] = ["osm_type", "osm_id", "kind"];
/// Columns that follow from others.
const DERIVED: [&str; 3] = ["bbox", "content_hash", "row_hash"];
/// Columns whose difference alone makes a row `touched`.
const VOLATILE: [&str; 6] = ["version", "timestamp", "changeset_id", "uid", "user", "repairs"];

/// What happened to a row of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerChange {
    /// What happened.
    pub class: Class,
    /// Where the change belongs in spatial order.
    pub(super) key: RowKey,
    /// Type of object, id and kind of geometry.
    object: [Cell; 3],
    /// Columns that differ, in the order of the new table; those that only the old one has at the end.
    changed: Vec<String>,
    moved_m: Cell,
    /// Where the middle of its box was and is, where both snapshots have it.
    ends: Option<(LonLat, LonLat)>,
    old_values: Cell,
    /// The columns of the new row; `None` for a row that is gone.
    new: Option<Vec<(String, Cell)>>,
}

impl LayerChange {
    /// What happened to a row that was there before, after, or both; `None` when nothing did.
    pub(super) fn between(old: Option<WideRow<'_>>, new: Option<WideRow<'_>>) -> Option<Self> {
        let row = new.or(old)?;
        let changed = match (old, new) {
            (Some(old), Some(new)) => differences(old, new),
            _ => Vec::new(),
        };
        let class = match (old, new) {
            (None, _) => Class::Added,
            (_, None) => Class::Removed,
            (Some(old), Some(new)) => class(old, new, &changed)?,
        };
        let place = |row: WideRow<'_>| if let Cell::Bytes(wkb) = row.get("geometry") { middle(wkb) } else { None };
        let ends = old.and_then(place).zip(new.and_then(place)).filter(|(from, to)| from != to);
        let moved_m = Cell::float(ends.map(|(from, to)| (haversine(from, to).0 * 10.0).round() / 10.0));
        Some(Self {
            class,
            key: row_key(row, place(row))?,
            object: KEY.map(|name| row.get(name).clone()),
            old_values: old.map_or(Cell::Null, |old| old_values(old, new.is_some().then_some(&changed))),
            changed: changed.into_iter().map(str::to_owned).collect(),
            moved_m,
            ends,
            new: new.map(|new| new.iter().map(|(name, cell)| (name.to_owned(), cell.clone())).collect()),
        })
    }

    /// The geometry of the new row, as WKB.
    pub(in super::super) fn geometry(&self) -> Option<Vec<u8>> {
        let (_, cell) = self.new.as_ref()?.iter().find(|(name, _)| name == "geometry")?;
        if let Cell::Bytes(wkb) = cell { Some(wkb.clone()) } else { None }
    }

    /// The geometry of the old row where it is another, or the row is gone; as WKB.
    pub(in super::super) fn old_geometry(&self) -> Option<Vec<u8>> {
        bytes(self.old()["geometry"].as_str()?)
    }

    /// Where the middle of its box was and is, where it moved.
    pub(in super::super) fn ends(&self) -> Option<(LonLat, LonLat)> {
        self.ends
    }

    /// Class, object, changed fields with old and new value, and distance; no geometry.
    #[must_use]
    pub fn told(&self) -> Map<String, Value> {
        let old = self.old();
        let new = |name: &str| {
            let cells = self.new.iter().flatten();
            cells.clone().find(|(column, _)| column == name).map_or(Value::Null, |(_, cell)| cell.to_json())
        };
        let fields = self.changed.iter().filter(|name| *name != "geometry");
        let fields: Map<String, Value> =
            fields.map(|name| (name.clone(), json!({ "old": old[name], "new": new(name) }))).collect();
        let tags = if self.new.is_some() { new("tags") } else { old["tags"].clone() };
        let mut told = Map::from_iter([
            ("class".to_owned(), json!(self.class.name())),
            ("changed_fields".to_owned(), json!(self.changed)),
            ("tags".to_owned(), tags),
        ]);
        told.extend(KEY.iter().zip(&self.object).map(|(name, cell)| ((*name).to_owned(), cell.to_json())));
        if !fields.is_empty() {
            told.insert("fields".to_owned(), Value::Object(fields));
        }
        if self.moved_m != Cell::Null {
            told.insert("moved_m".to_owned(), self.moved_m.to_json());
        }
        told
    }

    fn old(&self) -> Value {
        self.old_values.as_text().and_then(|old| serde_json::from_str(old).ok()).unwrap_or_default()
    }

    /// The change as a row of its table.
    #[must_use]
    pub fn row(self, table: &Table) -> Row {
        let [osm_type, osm_id, kind] = self.object;
        let mut row = vec![
            Cell::Text(self.class.name().to_owned()),
            osm_type,
            osm_id,
            kind,
            Cell::List(self.changed.into_iter().map(Cell::Text).collect()),
            self.moved_m,
            self.old_values,
        ];
        let mut new = self.new.unwrap_or_default();
        for column in &table.columns[row.len()..] {
            let cell = new.iter_mut().find(|(name, _)| *name == column.name);
            row.push(cell.map_or(Cell::Null, |(_, cell)| std::mem::replace(cell, Cell::Null)));
        }
        row
    }
}

/// Columns whose values differ; one that only one side has differs where it has a value.
fn differences<'a>(old: WideRow<'a>, new: WideRow<'a>) -> Vec<&'a str> {
    let of_new = new.iter().filter(|(name, cell)| old.get(name) != *cell);
    let of_old = old.iter().filter(|(name, cell)| !new.columns.iter().any(|n| n == name) && **cell != Cell::Null);
    of_new.chain(of_old).map(|(name, _)| name).filter(|name| !DERIVED.contains(name)).collect()
}

fn class(old: WideRow<'_>, new: WideRow<'_>, changed: &[&str]) -> Option<Class> {
    let same = |column: &str| old.get(column) == new.get(column);
    let meaning: Vec<&str> = changed.iter().copied().filter(|name| !VOLATILE.contains(name)).collect();
    match (same("content_hash"), meaning.as_slice()) {
        (true, []) if same("row_hash") && changed.is_empty() => None,
        (true, []) => Some(Class::Touched),
        (false, ["geometry"]) => Some(Class::Moved),
        _ => Some(Class::Modified),
    }
}

/// The old values of the changed columns, or all that a row had that is gone.
fn old_values(old: WideRow<'_>, changed: Option<&Vec<&str>>) -> Cell {
    let told = |name: &str, cell: &Cell| match changed {
        Some(changed) => changed.contains(&name),
        None => !KEY.contains(&name) && !DERIVED.contains(&name) && *cell != Cell::Null,
    };
    let values = old.iter().filter(|(name, cell)| told(name, cell));
    let values: Map<String, Value> = values.map(|(name, cell)| (name.to_owned(), cell.to_json())).collect();
    Cell::Text(Value::Object(values).to_string())
}

/// The key of a row, as it is sorted in its layer.
fn row_key(row: WideRow<'_>, place: Option<LonLat>) -> Option<RowKey> {
    let text = |column: &str| row.get(column).as_text().unwrap_or_default();
    let Cell::Int(id) = row.get("osm_id") else { return None };
    let key = key(text("osm_type"), *id, text("kind")).ok()?;
    Some(RowKey { hilbert: place.map_or(u64::MAX, hilbert_key), ..key })
}
