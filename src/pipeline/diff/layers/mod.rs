//! Diff of layers: what is different between two states of a layer, row by row, in memory that does not grow with it.
//!
//! ```text
//! keys and hashes of both ─ sort ─ merge ─▶ rows that differ ─ sort ─▶ full rows, a few at a time ─▶ changes
//! ```
//!
//! - **Shape**: changes come in the spatial order of the layer: new rows as in the new table, removed ones as in the old.
//! - **Invariant**: `snapshot(A) + changes(A→B) = snapshot(B)`, also where the columns are others than before.
//! - **Cost**: keys and hashes are sorted outside of memory where they must be; wide columns are read of changed rows only,
//!   or of all rows where the promoted columns are others than before, because hashes say nothing of these.

mod change;
mod join;
mod place;
mod sort;
mod table;
mod wide;
mod write;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter::Peekable;

use serde_json::Value;

use super::super::RunError;
use super::super::layers::table_name;
use super::super::ports::{Scratch, Snapshot, Tables};
use crate::domain::{ChangeClass, Manifest};
pub use change::LayerChange;
pub(in crate::pipeline) use join::key;
use join::{Joined, join};
pub(in crate::pipeline) use place::middle;
pub use table::{change_columns, layer_changes_table};
use wide::{Wide, WideRow, read_wide};
pub use write::LayerDiff;
pub(in crate::pipeline) use write::write_layer_changes;

/// Most rows whose wide columns are held at once, of either side.
const CHUNK_ROWS: usize = 4096;

/// Two states of a layer.
#[derive(Clone, Copy)]
pub struct LayerStates<'a> {
    /// Name of its table, e.g. `layers/roads`.
    pub table: &'a str,
    /// Where its older state is read; a snapshot without the table has an empty one.
    pub old: &'a dyn Tables,
    /// Where its newer state is read.
    pub new: &'a dyn Tables,
    /// Whether the promoted columns are made in the same way, so that equal hashes mean equal rows.
    pub same_columns: bool,
}

/// Where keys wait that do not fit into memory.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Where the rest goes.
    pub scratch: &'a dyn Scratch,
    /// How much memory keys may take, in bytes.
    pub memory_bytes: u64,
}

/// The changes that lead from the old state of a layer to the new one, in spatial order.
///
/// # Errors
///
/// When a table of either side cannot be read; later ones come with the changes.
pub fn layer_changes<'a>(
    states: LayerStates<'a>,
    room: Room<'_>,
) -> Result<impl Iterator<Item = Result<LayerChange, RunError>> + use<'a>, RunError> {
    let Joined { present, removed } = join(&states, room)?;
    let chunks = |rows: join::Rows| Chunks { rows: Some(rows) };
    let present = chunks(present).map(move |rows| rows.and_then(|rows| changes_of(states, &rows)));
    let removed = chunks(removed).map(move |rows| rows.and_then(|rows| changes_of(states, &rows)));
    Ok(Merged { present: flat(present).peekable(), removed: flat(removed).peekable() })
}

/// How many changes of each class there are between the layers of two snapshots, by the layer's name. Each change is told to
/// `each` with that name.
///
/// # Errors
///
/// As [`layer_changes`].
pub fn compare_layers(
    old: &dyn Snapshot,
    new: &dyn Snapshot,
    room: Room<'_>,
    each: &mut dyn FnMut(&str, &LayerChange) -> Result<(), RunError>,
) -> Result<BTreeMap<String, BTreeMap<ChangeClass, u64>>, RunError> {
    let mut layers = BTreeMap::new();
    for (table, file) in old.manifest().tables.iter().chain(&new.manifest().tables) {
        let Some(name) = table.strip_prefix(&table_name("")) else { continue };
        let counts = match layers.entry(name.to_owned()) {
            Entry::Vacant(entry) => entry.insert(BTreeMap::new()),
            Entry::Occupied(_) => continue,
        };
        let now = new.manifest();
        let version = now.tables.get(table).unwrap_or(file).schema_version;
        let same_columns = same_columns(name, old.manifest(), &now.settings, version);
        for change in layer_changes(LayerStates { table, old, new, same_columns }, room)? {
            let change = change?;
            each(name, &change)?;
            *counts.entry(change.class).or_default() += 1;
        }
    }
    Ok(layers)
}

/// Whether a layer's promoted columns are made in the same way in a snapshot and under these settings. Tags and hashes
/// of two rows may be equal while their columns are not.
#[must_use]
pub fn same_columns(layer: &str, old: &Manifest, settings: &Value, schema_version: u32) -> bool {
    let columns = |settings: &Value| {
        let layers = settings["layers"].as_array()?;
        layers.iter().find(|told| told["name"] == layer).map(|told| told["columns"].clone())
    };
    let version = old.tables.get(&table_name(layer)).map(|table| table.schema_version);
    version == Some(schema_version) && columns(&old.settings).is_some_and(|old| columns(settings) == Some(old))
}

/// Rows to look at, of one side or both: where they stand in the old and the new table.
type Pair = (Option<u64>, Option<u64>);

/// Pairs by the chunk.
struct Chunks {
    rows: Option<join::Rows>,
}

impl Iterator for Chunks {
    type Item = Result<Vec<Pair>, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk: Result<Vec<Pair>, RunError> = self.rows.as_mut()?.take(CHUNK_ROWS).collect();
        match chunk {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => Some(Ok(chunk)),
            Err(error) => {
                self.rows = None;
                Some(Err(error))
            }
        }
    }
}

/// What a chunk of pairs comes to, in order; pairs that turn out to be equal are no change.
fn changes_of(states: LayerStates<'_>, pairs: &[Pair]) -> Result<Vec<LayerChange>, RunError> {
    let wide = |tables: &dyn Tables, rows: Vec<u64>| read_wide(tables, states.table, rows);
    let old = wide(states.old, pairs.iter().filter_map(|pair| pair.0).collect())?;
    let new = wide(states.new, pairs.iter().filter_map(|pair| pair.1).collect())?;
    let mut changes = Vec::new();
    for (old_at, new_at) in pairs {
        changes.extend(LayerChange::between(row_at(&old, *old_at)?, row_at(&new, *new_at)?));
    }
    Ok(changes)
}

fn row_at(wide: &Wide, at: Option<u64>) -> Result<Option<WideRow<'_>>, RunError> {
    at.map(|at| wide.row(at)).transpose()
}

/// The changes of all chunks, one by one.
fn flat(
    chunks: impl Iterator<Item = Result<Vec<LayerChange>, RunError>>,
) -> impl Iterator<Item = Result<LayerChange, RunError>> {
    chunks.flat_map(|chunk| match chunk {
        Ok(changes) => changes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

/// Two sorted streams of changes as one.
struct Merged<A: Iterator, B: Iterator> {
    present: Peekable<A>,
    removed: Peekable<B>,
}

impl<A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = Result<LayerChange, RunError>>,
    B: Iterator<Item = Result<LayerChange, RunError>>,
{
    type Item = Result<LayerChange, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.present.peek(), self.removed.peek()) {
            (Some(Ok(present)), Some(Ok(removed))) if removed.key < present.key => self.removed.next(),
            // An error of either ends the reading.
            (Some(Ok(_)), Some(Err(_))) | (None, _) => self.removed.next(),
            (Some(_), _) => self.present.next(),
        }
    }
}
