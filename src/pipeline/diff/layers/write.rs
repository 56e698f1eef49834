//! Write: the changes of every layer of a night, as tables.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use serde::Serialize;

use super::super::super::layers::{layer_table, table_name, table_of_no_columns};
use super::super::super::ports::{MakeBatch, Snapshot, Staging, Tables};
use super::super::super::tabulate::{GROUP_ROWS, Row, Table, rows_to_batch};
use super::super::super::{Pipeline, RunError};
use super::{CHUNK_ROWS, LayerChange, LayerStates, Room, layer_changes, layer_changes_table, same_columns};
use crate::domain::{ChangeClass, TableFile};

/// Bytes of columns after which a row group ends early.
const GROUP_BYTES: usize = 64 << 20;

/// What is different in a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerDiff {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its rows in the base snapshot.
    pub before: u64,
    /// Its changes since, by class.
    pub changes: BTreeMap<String, u64>,
    /// Whether the pipeline names it no more.
    pub dropped: bool,
}

impl LayerDiff {
    /// How many of its former rows are gone.
    pub(in crate::pipeline) fn gone(&self) -> u64 {
        self.changes.get(ChangeClass::Removed.name()).copied().unwrap_or_default()
    }
}

/// Writes the changes of every layer of the pipeline and of the base to `staging`, which has the layers themselves
/// already, and adds the tables to `files`. Where the night is unchanged, no changes are looked for.
pub(in crate::pipeline) fn write_layer_changes(
    pipeline: &Pipeline,
    base: Option<&dyn Snapshot>,
    staging: &dyn Staging,
    unchanged: bool,
    room: Room<'_>,
    files: &mut BTreeMap<String, TableFile>,
) -> Result<Vec<LayerDiff>, RunError> {
    let mut reports = Vec::new();
    let dropped = base.map(|base| dropped_layers(base, pipeline)).unwrap_or_default();
    let named = pipeline.layers.iter().map(|layer| (layer_table(layer), layer.name.clone(), false));
    for (table, name, dropped) in named.chain(dropped.into_iter().map(|name| (table_of_no_columns(&name), name, true)))
    {
        let changes_table = layer_changes_table(&table);
        let rows_of = |files: &BTreeMap<String, TableFile>| files.get(&*table.name).map_or(0, |file| file.rows);
        let mut report = LayerDiff {
            rows: rows_of(files),
            before: base.map_or(0, |base| rows_of(&base.manifest().tables)),
            changes: BTreeMap::new(),
            name,
            dropped,
        };
        let changes = match base.filter(|_| !unchanged) {
            None => None,
            Some(base) => {
                let states = LayerStates {
                    table: &table.name,
                    old: base as &dyn Tables,
                    new: staging as &dyn Tables,
                    same_columns: same_columns(&report.name, base.manifest(), &pipeline.settings, table.schema_version),
                };
                Some(layer_changes(states, room)?)
            }
        };
        let changes = changes.into_iter().flatten();
        let counted = changes.inspect(|change| {
            if let Ok(change) = change {
                *report.changes.entry(change.class.name().to_owned()).or_default() += 1;
            }
        });
        let groups = Groups { table: &changes_table, changes: counted };
        let file = staging.write(&changes_table, &mut groups.map(|group| group.map(as_one_batch)))?;
        files.insert(changes_table.name.to_string(), file);
        reports.push(report);
    }
    Ok(reports)
}

/// Changes as batches, each group of which makes a row group. Cells take much memory, columns little.
struct Groups<'a, C> {
    table: &'a Table,
    changes: C,
}

impl<C: Iterator<Item = Result<LayerChange, RunError>>> Groups<'_, C> {
    fn group(&mut self) -> Result<Vec<RecordBatch>, RunError> {
        let mut group: Vec<RecordBatch> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < GROUP_ROWS && bytes < GROUP_BYTES {
            let most = CHUNK_ROWS.min(GROUP_ROWS - rows);
            let chunk = self.changes.by_ref().take(most).collect::<Result<Vec<_>, _>>()?;
            if chunk.is_empty() {
                break;
            }
            let chunk: Vec<Row> = chunk.into_iter().map(|change| change.row(self.table)).collect();
            let batch = rows_to_batch(self.table, &chunk)?;
            rows += batch.num_rows();
            bytes += batch.get_array_memory_size();
            group.push(batch);
        }
        Ok(group)
    }
}

impl<C: Iterator<Item = Result<LayerChange, RunError>>> Iterator for Groups<'_, C> {
    type Item = Result<Vec<RecordBatch>, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.group().map(|group| (!group.is_empty()).then_some(group)).transpose()
    }
}

fn as_one_batch<'a>(group: Vec<RecordBatch>) -> MakeBatch<'a> {
    Box::new(move || concat_batches(group[0].schema_ref(), &group).map_err(RunError::failed))
}

/// Layers of the base that the pipeline names no more.
fn dropped_layers(base: &dyn Snapshot, pipeline: &Pipeline) -> BTreeSet<String> {
    let named = |name: &str| pipeline.layers.iter().any(|layer| layer.name == name);
    let tables = base.manifest().tables.keys().filter_map(|table| table.strip_prefix(&table_name("")));
    tables.filter(|name| !named(name)).map(str::to_owned).collect()
}
