//! Change: a row of a layer before and after.

use serde_json::{Map, Value};

use super::super::super::layers::RowKey;
use super::super::super::tabulate::{Row, Table};
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
        let moved_m = match (old.and_then(place), new.and_then(place)) {
            (Some(from), Some(to)) if from != to => Cell::Float((haversine(from, to).0 * 10.0).round() / 10.0),
            _ => Cell::Null,
        };
        Some(Self {
            class,
            key: row_key(row, place(row))?,
            object: KEY.map(|name| row.get(name).clone()),
            old_values: old.map_or(Cell::Null, |old| old_values(old, new.is_some().then_some(&changed))),
            changed: changed.into_iter().map(str::to_owned).collect(),
            moved_m,
            new: new.map(|new| new.iter().map(|(name, cell)| (name.to_owned(), cell.clone())).collect()),
        })
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
