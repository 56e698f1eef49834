//! Steps: from each published snapshot to the next, and what changed on the way.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, UInt64Array};
use arrow_select::take::take_record_batch;

use super::{State, state};
use crate::domain::Cell;
use crate::pipeline::RunError;
use crate::pipeline::diff::diff_of;
use crate::pipeline::ports::{Kept, Snapshot, Tables};
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, changes_of, holds_places};
use crate::pipeline::tabulate::{Row, Table, batch_rows};

/// A row by the names of its columns.
pub(super) type Named = BTreeMap<String, Cell>;

/// The snapshots that were published, the oldest first.
pub(super) fn published<'k>(kept: &'k [Kept], latest: Option<&str>) -> Vec<&'k dyn Snapshot> {
    let is_published = |kept: &&Kept| matches!(state(kept, latest), State::Latest | State::Published);
    kept.iter().filter(is_published).filter_map(|kept| kept.snapshot.as_deref().ok()).collect()
}

/// The tables of places of a snapshot.
pub(super) fn place_tables(snapshot: &dyn Snapshot) -> Vec<String> {
    snapshot.manifest().tables.keys().filter(|name| holds_places(name)).cloned().collect()
}

/// The way to a snapshot from the one before it that is kept.
pub(super) struct Step<'k> {
    pub(super) to: &'k dyn Snapshot,
    /// Whether there is none before it.
    pub(super) is_first: bool,
    /// Changes that no table has, because the snapshot in between was pruned.
    computed: Option<Vec<Row>>,
}

impl<'k> Step<'k> {
    pub(super) fn new(from: Option<&'k dyn Snapshot>, to: &'k dyn Snapshot) -> Result<Self, RunError> {
        let is_first = from.is_none();
        let Some(from) = from.filter(|from| to.manifest().base.as_ref() != Some(&from.manifest().snapshot)) else {
            return Ok(Self { to, is_first, computed: None });
        };
        let tables: BTreeSet<String> = place_tables(from).into_iter().chain(place_tables(to)).collect();
        let mut computed = Vec::new();
        for table in tables {
            computed.extend(diff_of(&table, Some(from as &dyn Tables), to as &dyn Tables)?);
        }
        Ok(Self { to, is_first, computed: Some(computed) })
    }

    /// Hands on the changes of places, some columns of them.
    fn read(&self, columns: &[&str], out: &mut dyn FnMut(RecordBatch) -> Result<(), RunError>) -> Result<(), RunError> {
        for table in place_tables(self.to).iter().map(|table| changes_of(table).name) {
            // Of the first that is kept, the changes lead on from nowhere.
            if !self.is_first && self.to.has(&table) {
                self.to.read(&table, columns, out)?;
            }
        }
        Ok(())
    }

    /// The places that were merged (`false`) or split (`true`): the one that is gone or new, and the other.
    pub(super) fn ties(&self) -> Result<Vec<(bool, String, String)>, RunError> {
        let mut ties = Vec::new();
        let mut see = |class: Option<&str>, id: Option<&str>, related: Option<&str>| {
            if let (Some(class @ ("merged" | "split")), Some(id), Some(related)) = (class, id, related) {
                ties.push((class == "split", id.to_owned(), related.to_owned()));
            }
        };
        if let Some(rows) = &self.computed {
            let [class, id, related] = ["class", "id", "related_id"].map(|name| PLACE_CHANGES.index_of(name));
            for row in rows {
                see(row[class].as_text(), row[id].as_text(), row[related].as_text());
            }
            return Ok(ties);
        }
        self.read(&["class", "id", "related_id"], &mut |batch| {
            let [class, id, related] = [0, 1, 2].map(|at| batch.column(at).as_string::<i32>().iter());
            class.zip(id).zip(related).for_each(|((class, id), related)| see(class, id, related));
            Ok(())
        })?;
        Ok(ties)
    }

    /// The changes of these places, and of others that were merged into them or split from them.
    pub(super) fn about(&self, ids: &BTreeSet<String>) -> Result<Vec<Named>, RunError> {
        let is_about = |id: Option<&str>| id.is_some_and(|id| ids.contains(id));
        if let Some(rows) = &self.computed {
            let [id, related] = ["id", "related_id"].map(|name| PLACE_CHANGES.index_of(name));
            let about = rows.iter().filter(|row| is_about(row[id].as_text()) || is_about(row[related].as_text()));
            let names = || PLACE_CHANGES.columns.iter().map(|column| column.name.to_string());
            return Ok(about.map(|row| names().zip(row.iter().cloned()).collect()).collect());
        }
        let mut found = Vec::new();
        self.read(&[], &mut |batch| {
            let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let (Some(id), Some(related)) = (text("id"), text("related_id")) else { return Ok(()) };
            let there = |row: &usize| {
                is_about(Some(id.value(*row))) || is_about(related.is_valid(*row).then(|| related.value(*row)))
            };
            let rows: Vec<u64> = (0..batch.num_rows()).filter(there).map(|row| row as u64).collect();
            found.extend(named(&PLACE_CHANGES, &batch, rows)?);
            Ok(())
        })?;
        Ok(found)
    }
}

/// Some rows of a batch, by the names of its columns.
pub(super) fn named(table: &Table, batch: &RecordBatch, rows: Vec<u64>) -> Result<Vec<Named>, RunError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let batch = take_record_batch(batch, &UInt64Array::from(rows)).map_err(RunError::failed)?;
    let known = batch.schema_ref().fields().iter().filter(|field| table.column(field.name()).is_some());
    let names: Vec<String> = known.map(|field| field.name().clone()).collect();
    Ok(batch_rows(table, &batch).into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect())
}
