//! Change: a place before and after, as a row of `changes/places`.

use serde_json::{Map, Value};

use super::lineage::Lineage;
use super::place_change::point;
use crate::domain::{Cell, ChangeClass as Class, LonLat, haversine, hilbert_key};
use crate::pipeline::tabulate::Row;
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES};

/// Columns that say where a place is.
const WHERE: [&str; 2] = ["geometry", "footprint"];
/// Columns whose difference alone makes a place `touched`.
const VOLATILE: [&str; 2] = ["confidence", "sources"];
/// Fields of `sources` that are not volatile.
const ORIGIN: [&str; 3] = ["property", "dataset", "record_id"];
/// Columns that follow from the others.
const DERIVED: [&str; 3] = ["bbox", "content_hash", "row_hash"];

/// A place before and after; at least one of the two is there.
pub(super) struct Change<'a> {
    pub(super) old: Option<&'a Row>,
    pub(super) new: Option<&'a Row>,
}

impl Change<'_> {
    /// Where the change belongs in spatial order.
    pub(super) fn key(&self) -> u64 {
        self.new.or(self.old).and_then(position).map_or(u64::MAX, hilbert_key)
    }

    pub(super) fn row(&self, lineage: &Lineage) -> Row {
        let id = &self.new.or(self.old).expect("a change has a side")[PLACES.index_of("id")];
        let changed: Vec<&'static str> = match (self.old, self.new) {
            (Some(old), Some(new)) => {
                let differs = |at: &usize| old[*at] != new[*at];
                let names = (0..PLACES.columns.len()).filter(differs).map(|at| &*PLACES.columns[at].name);
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
            // Another source's table of layered places has it, or had it.
            (None, _) if lineage.was_there(id) => (Class::Added, None),
            (_, None) if lineage.is_there(id) => (Class::Removed, None),
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
                // Where the columns of the table are others than before, hashes differ and values need not.
                let class = if same_meaning(self.old, self.new) || changed.is_empty() {
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
            .filter(|(column, cell)| told(&column.name, cell))
            .map(|(column, cell)| (column.name.to_string(), cell.to_json()))
            .collect();
        Cell::Text(Value::Object(values).to_string())
    }
}

/// Whether each attribute comes from the record that it came from before. A place drawn anew is not one that moved.
fn same_records(old: Option<&Row>, new: Option<&Row>) -> bool {
    let gave = |row: Option<&Row>| -> Vec<Vec<Cell>> {
        let Some(Cell::List(sources)) = row.map(|row| &row[PLACES.index_of("sources")]) else {
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
    let hash = PLACES.index_of("content_hash");
    old.map(|row| &row[hash]) == new.map(|row| &row[hash])
}

/// The position in the `geometry` column.
fn position(row: &Row) -> Option<LonLat> {
    if let Cell::Bytes(wkb) = &row[PLACES.index_of("geometry")] { point(wkb) } else { None }
}

/// The position of a point whose WKB is written in hexadecimal digits, as old values are.
pub(in crate::pipeline) fn position_of_hex(digits: &str) -> Option<LonLat> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    point(&(0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?)
}
