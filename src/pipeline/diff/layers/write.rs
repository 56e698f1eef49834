//! Write: the changes of every layer of a night, as tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::super::layers::{layer_table, table_name};
use super::super::super::ports::{Snapshot, Staging, Tables};
use super::super::super::tabulate::{Table, rows_to_batches};
use super::super::super::{Pipeline, RunError};
use super::{CHUNK_ROWS, LayerStates, Room, layer_changes, layer_changes_table, same_columns};
use crate::domain::{ChangeClass, Filter, GeometryKind, Incomplete, Layer, TableFile};

/// What became of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerReport {
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

impl LayerReport {
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
) -> Result<Vec<LayerReport>, RunError> {
    let mut reports = Vec::new();
    let dropped = base.map(|base| dropped_layers(base, pipeline)).unwrap_or_default();
    let named = pipeline.layers.iter().map(|layer| (layer_table(layer), layer.name.clone(), false));
    for (table, name, dropped) in named.chain(dropped.into_iter().map(|name| (of_no_columns(&name), name, true))) {
        let changes_table = layer_changes_table(&table);
        let rows_of = |files: &BTreeMap<String, TableFile>| files.get(&*table.name).map_or(0, |file| file.rows);
        let mut report = LayerReport {
            rows: rows_of(files),
            before: base.map_or(0, |base| rows_of(&base.manifest().tables)),
            changes: BTreeMap::new(),
            name,
            dropped,
        };
        let mut changes = match base.filter(|_| !unchanged) {
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
        let mut batches = std::iter::from_fn(|| {
            let chunk = changes.as_mut()?.take(CHUNK_ROWS).collect::<Result<Vec<_>, _>>();
            let rows: Vec<_> = match chunk {
                Ok(chunk) => chunk
                    .into_iter()
                    .map(|change| {
                        *report.changes.entry(change.class.name().to_owned()).or_default() += 1;
                        change.row(&changes_table)
                    })
                    .collect(),
                Err(error) => return Some(Err(error)),
            };
            rows_to_batches(&changes_table, rows).next()
        });
        let file = staging.write(&changes_table, &mut batches)?;
        files.insert(changes_table.name.to_string(), file);
        reports.push(report);
    }
    Ok(reports)
}

/// The table of a layer that the pipeline names no more. No row of it is left whose tags could have columns.
fn of_no_columns(name: &str) -> Table {
    layer_table(&Layer {
        name: name.to_owned(),
        source: String::new(),
        filter: Filter::parse(&["*"]).expect("everything can be asked for"),
        kinds: GeometryKind::ALL.to_vec(),
        columns: Vec::new(),
        incomplete: Incomplete::Reject,
        users: true,
    })
}

/// Layers of the base that the pipeline names no more.
fn dropped_layers(base: &dyn Snapshot, pipeline: &Pipeline) -> BTreeSet<String> {
    let named = |name: &str| pipeline.layers.iter().any(|layer| layer.name == name);
    let tables = base.manifest().tables.keys().filter_map(|table| table.strip_prefix(&table_name("")));
    tables.filter(|name| !named(name)).map(str::to_owned).collect()
}
