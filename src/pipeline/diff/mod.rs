//! Diff: what is different between two snapshots, place by place.
//!
//! ```text
//! keys and hashes of both ─ join (polars) ─▶ added │ removed │ both, with hashes that differ
//!                                                   └─▶ full rows of these only ─▶ fields, metres, lineage, cause
//! ```
//!
//! - **Invariant**: `snapshot(A) + changes(A→B) = snapshot(B)`.
//! - **Cost**: keys and hashes of both snapshots in memory; wide columns only of the rows that changed.

mod change;
mod geojson;
mod join;
pub mod layers;
mod lineage;
mod place_change;
mod summary;

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use crate::domain::{Cell, ChangeClass};
use crate::pipeline::RunError;
use crate::pipeline::ports::Tables;
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES};
use crate::pipeline::tabulate::{Row, batch_rows};
use change::Change;
pub(in crate::pipeline) use change::position_of_hex;
pub use geojson::{layer_feature, place_feature};
use join::{Joined, join};
use lineage::Lineage;
pub use place_change::PlaceChange;
pub(in crate::pipeline) use place_change::point;
pub use summary::Summary;

/// The rows of `changes/places` that lead from `old` to `new`, in spatial order; empty without an old snapshot.
///
/// # Errors
///
/// When a table of either snapshot cannot be read.
pub fn diff(old: Option<&dyn Tables>, new: &dyn Tables) -> Result<Vec<Row>, RunError> {
    diff_of(&PLACES.name, old, new)
}

/// As [`diff`], of one table of places; where a snapshot does not have it, of no rows.
///
/// # Errors
///
/// As [`diff`].
pub fn diff_of(table: &str, old: Option<&dyn Tables>, new: &dyn Tables) -> Result<Vec<Row>, RunError> {
    let Some(old) = old else { return Ok(Vec::new()) };
    let joined = join(table, old, new)?;
    if joined.is_empty() {
        return Ok(Vec::new());
    }
    let lineage = Lineage::read(old, new)?;
    let Joined { added, removed, changed } = joined;
    let old_rows = rows_at(table, old, removed.iter().copied().chain(changed.iter().map(|(old, _)| *old)))?;
    let new_rows = rows_at(table, new, added.iter().copied().chain(changed.iter().map(|(_, new)| *new)))?;

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
    let id = |row: &Row| row[PLACE_CHANGES.index_of("id")].as_text().unwrap_or_default().to_owned();
    changes.sort_by(|(key_a, a), (key_b, b)| (key_a, id(a)).cmp(&(key_b, id(b))));
    Ok(changes.into_iter().map(|(_, row)| row).collect())
}

/// How many changes of each class there are.
#[must_use]
pub fn count_by_class(changes: &[Row]) -> BTreeMap<ChangeClass, u64> {
    let mut counts = BTreeMap::new();
    for class in changes.iter().filter_map(|row| ChangeClass::from_name(row[0].as_text()?)) {
        *counts.entry(class).or_default() += 1;
    }
    counts
}

/// The rows of a batch with every column of places; one that an earlier version of the table lacks has no value.
fn whole_rows(batch: &RecordBatch) -> Vec<Row> {
    let rows = batch_rows(&PLACES, batch);
    let schema = batch.schema();
    let known: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| PLACES.column(name).is_some())
        .collect();
    if known.iter().copied().eq(PLACES.columns.iter().map(|column| &*column.name)) {
        return rows;
    }
    let at: Vec<Option<usize>> =
        PLACES.columns.iter().map(|column| known.iter().position(|name| *name == column.name)).collect();
    let whole = |row: Row| at.iter().map(|at| at.map_or(Cell::Null, |at| row[at].clone())).collect();
    rows.into_iter().map(whole).collect()
}

/// The rows at these places of the table, in any order.
fn rows_at(table: &str, tables: &dyn Tables, rows: impl Iterator<Item = u64>) -> Result<BTreeMap<u64, Row>, RunError> {
    let mut wanted: Vec<u64> = rows.collect();
    wanted.sort_unstable();
    let mut found: Vec<Row> = Vec::with_capacity(wanted.len());
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    tables.read_rows(table, &wanted, &mut |batch| {
        found.extend(whole_rows(&batch));
        Ok(())
    })?;
    Ok(wanted.into_iter().zip(found).collect())
}
