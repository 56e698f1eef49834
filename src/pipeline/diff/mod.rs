//! Diff: what is different between two snapshots, place by place.
//!
//! ```text
//! keys and hashes of both ─ join (polars) ─▶ added │ removed │ both, with hashes that differ
//!                                                   └─▶ full rows of these only ─▶ fields, metres, lineage, cause
//! ```
//!
//! - **Invariant**: `snapshot(A) + changes(A→B) = snapshot(B)`.
//! - **Cost**: keys and hashes of both snapshots in memory; wide columns only of the rows that changed.

mod join;
mod lineage;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::{Cell, ChangeClass as Class, LonLat, haversine, hilbert_key};
use crate::pipeline::RunError;
use crate::pipeline::ports::Tables;
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES};
use crate::pipeline::tabulate::{Row, batch_rows};
use join::{Joined, join};
use lineage::Lineage;

/// Columns that say where a place is.
const WHERE: [&str; 2] = ["geometry", "footprint"];
/// Columns whose difference alone makes a place `touched`.
const VOLATILE: [&str; 2] = ["confidence", "sources"];
/// Fields of `sources` that are not volatile.
const ORIGIN: [&str; 3] = ["property", "dataset", "record_id"];
/// Columns that follow from the others.
const DERIVED: [&str; 3] = ["bbox", "content_hash", "row_hash"];

/// The rows of `changes/places` that lead from `old` to `new`, in spatial order; empty without an old snapshot.
///
/// # Errors
///
/// When a table of either snapshot cannot be read.
pub fn diff(old: Option<&dyn Tables>, new: &dyn Tables) -> Result<Vec<Row>, RunError> {
    let Some(old) = old else { return Ok(Vec::new()) };
    let joined = join(old, new)?;
    if joined.is_empty() {
        return Ok(Vec::new());
    }
    let lineage = Lineage::read(old, new)?;
    let Joined { added, removed, changed } = joined;
    let old_rows = rows_at(old, removed.iter().copied().chain(changed.iter().map(|(old, _)| *old)))?;
    let new_rows = rows_at(new, added.iter().copied().chain(changed.iter().map(|(_, new)| *new)))?;

    let mut changes: Vec<(u64, Row)> = Vec::new();
    let mut push = |change: Change<'_>| changes.push((change.key(), change.row(&lineage)));
    for row in added {
        push(Change { old: None, new: Some(&new_rows[&row]) });
    }
    for row in removed {
        push(Change { old: Some(&old_rows[&row]), new: None });
    }
    for (old, new) in changed {
        push(Change { old: Some(&old_rows[&old]), new: Some(&new_rows[&new]) });
    }
    let id = |row: &Row| column(row, "id", PLACE_CHANGES.columns).as_text().unwrap_or_default().to_owned();
    changes.sort_by(|(key_a, a), (key_b, b)| (key_a, id(a)).cmp(&(key_b, id(b))));
    Ok(changes.into_iter().map(|(_, row)| row).collect())
}

/// How many changes of each class there are.
#[must_use]
pub fn count_by_class(changes: &[Row]) -> BTreeMap<Class, u64> {
    let mut counts = BTreeMap::new();
    for class in changes.iter().filter_map(|row| Class::from_name(row[0].as_text()?)) {
        *counts.entry(class).or_default() += 1;
    }
    counts
}

/// The rows of `places` at these places of the table, in any order.
fn rows_at(tables: &dyn Tables, rows: impl Iterator<Item = u64>) -> Result<BTreeMap<u64, Row>, RunError> {
    let mut wanted: Vec<u64> = rows.collect();
    wanted.sort_unstable();
    let mut found: Vec<Row> = Vec::with_capacity(wanted.len());
    tables.read_rows(PLACES.name, &wanted, &mut |batch| {
        found.extend(batch_rows(&PLACES, &batch));
        Ok(())
    })?;
    Ok(wanted.into_iter().zip(found).collect())
}

/// A place before and after; at least one of the two is there.
struct Change<'a> {
    old: Option<&'a Row>,
    new: Option<&'a Row>,
}

impl Change<'_> {
    /// Where the change belongs in spatial order.
    fn key(&self) -> u64 {
        self.new.or(self.old).and_then(position).map_or(u64::MAX, hilbert_key)
    }

    fn row(&self, lineage: &Lineage) -> Row {
        let id = column(self.new.or(self.old).expect("a change has a side"), "id", PLACES.columns);
        let changed: Vec<&'static str> = match (self.old, self.new) {
            (Some(old), Some(new)) => {
                let differs = |at: &usize| old[*at] != new[*at];
                let names = (0..PLACES.columns.len()).filter(differs).map(|at| PLACES.columns[at].name);
                names.filter(|name| !DERIVED.contains(name)).collect()
            }
            _ => Vec::new(),
        };
        let (class, related) = self.class(id, &changed, lineage);
        let moved_m = match (self.old.and_then(position), self.new.and_then(position)) {
            (Some(from), Some(to)) if from != to => Cell::Float((haversine(from, to).0 * 10.0).round() / 10.0),
            _ => Cell::Null,
        };
        let mut row = vec![
            Cell::Text(class.name().to_owned()),
            Cell::Text(lineage.cause(id.as_text().into_iter().chain(related)).name().to_owned()),
            id.clone(),
            Cell::text(related),
            Cell::List(changed.iter().map(|name| Cell::Text((*name).to_owned())).collect()),
            moved_m,
            self.old_values(&changed),
        ];
        match self.new {
            Some(new) => row.extend_from_slice(&new[1..]),
            None => row.resize(PLACE_CHANGES.columns.len(), Cell::Null),
        }
        row
    }

    /// What happened, and to which other place it ties this one.
    fn class<'l>(&self, id: &Cell, changed: &[&str], lineage: &'l Lineage) -> (Class, Option<&'l str>) {
        let id = id.as_text().unwrap_or_default();
        match (self.old, self.new) {
            (None, _) => match lineage.came_from(id) {
                Some(from) => (Class::Split, Some(from)),
                None if lineage.was_known(id) => (Class::Revived, None),
                None => (Class::Added, None),
            },
            (_, None) => match lineage.went_into(id) {
                Some(into) => (Class::Merged, Some(into)),
                None => (Class::Removed, None),
            },
            (Some(_), Some(_)) => {
                let mut meaning = changed.iter().filter(|name| !VOLATILE.contains(name)).peekable();
                let class = if same_meaning(self.old, self.new) {
                    Class::Touched
                } else if same_records(self.old, self.new)
                    && meaning.peek().is_some()
                    && meaning.all(|name| WHERE.contains(name))
                {
                    Class::Moved
                } else {
                    Class::Modified
                };
                (class, None)
            }
        }
    }

    /// The old values of the changed columns; of a place that is gone, all that it had.
    fn old_values(&self, changed: &[&str]) -> Cell {
        let Some(old) = self.old else { return Cell::Null };
        let told = |name: &str, cell: &Cell| match self.new {
            Some(_) => changed.contains(&name),
            None => name != "id" && *cell != Cell::Null && !DERIVED.contains(&name),
        };
        let values: Map<String, Value> = PLACES
            .columns
            .iter()
            .zip(old)
            .filter(|(column, cell)| told(column.name, cell))
            .map(|(column, cell)| (column.name.to_owned(), cell.to_json()))
            .collect();
        Cell::Text(Value::Object(values).to_string())
    }
}

/// Whether each attribute comes from the record that it came from before. A place drawn anew is not one that moved.
fn same_records(old: Option<&Row>, new: Option<&Row>) -> bool {
    let gave = |row: Option<&Row>| -> Vec<Vec<Cell>> {
        let Some(Cell::List(sources)) = row.map(|row| column(row, "sources", PLACES.columns)) else {
            return Vec::new();
        };
        let origin = |source: &Cell| {
            let Cell::Struct(fields) = source else { return Vec::new() };
            fields.iter().filter(|(name, _)| ORIGIN.contains(name)).map(|(_, cell)| cell.clone()).collect()
        };
        sources.iter().map(origin).collect()
    };
    gave(old) == gave(new)
}

fn same_meaning(old: Option<&Row>, new: Option<&Row>) -> bool {
    let hash = |row: Option<&Row>| row.map(|row| column(row, "content_hash", PLACES.columns).clone());
    hash(old) == hash(new)
}

fn column<'r>(row: &'r Row, name: &str, columns: &[crate::pipeline::tabulate::Column]) -> &'r Cell {
    let at = columns.iter().position(|column| column.name == name).expect("a column of the table");
    &row[at]
}

/// The position in the `geometry` column: little-endian WKB of a point has its coordinates after five bytes.
fn position(row: &Row) -> Option<LonLat> {
    let Cell::Bytes(wkb) = column(row, "geometry", PLACES.columns) else { return None };
    let number = |at: usize| Some(f64::from_le_bytes(wkb.get(at..at + 8)?.try_into().ok()?));
    LonLat::new(number(5)?, number(13)?)
}
