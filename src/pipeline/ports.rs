//! Ports: what the pipeline asks of the outside world, in its own words. `adapters` answers.
//!
//! Ports stream: a source hands on chunks, tables are read and written as Arrow batches, and only the columns
//! that are named are read.

mod scratch;

use std::collections::BTreeMap;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_schema::SchemaRef;
use arrow_select::take::take_record_batch;
use serde::Serialize;

use super::RunError;
use super::layers::LayerRows;
use super::tabulate::Table;
use crate::domain::{
    AreaRules, ConnectorCodes, Feature, Input, Layer, LeftOut, Manifest, Region, Reject, Release, TableFile, Taxonomy,
    Timestamp,
};

pub use scratch::{ReadAt, Scratch, Spill};

/// What a run wants of its sources.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// Area of interest, with its halo.
    pub region: &'a Region,
    /// Which tags make which category.
    pub taxonomy: &'a Taxonomy,
    /// The layers read from this source.
    pub layers: &'a [Layer],
    /// Which closed ways are areas, in layers.
    pub area_rules: &'a AreaRules,
    /// What each vocabulary calls a connector.
    pub connectors: &'a ConnectorCodes,
}

/// Features on their way, with the rejects met since the last chunk.
#[derive(Debug, Default)]
pub struct Chunk {
    /// At most [`Chunk::MAX`] features, in an order that depends on the input alone.
    pub features: Vec<Feature>,
    /// Records that are refused.
    pub rejects: Vec<Reject>,
    /// Rows of layers, by the layer's place in [`Demand::layers`].
    pub layer_rows: Vec<(usize, LayerRows)>,
    /// Objects that a layer refuses, by the layer's place.
    pub layer_rejects: Vec<(usize, Reject)>,
    /// Everything that this source handed on before is void: it was found to be laid out otherwise than it looked, and
    /// is being read again.
    pub again: bool,
}

impl Chunk {
    /// Most features in one chunk.
    pub const MAX: usize = 4096;
}

/// Takes chunks; failing ends the reading.
pub type TakeChunk<'a> = dyn FnMut(Chunk) -> Result<(), RunError> + 'a;

/// What a source says about itself after it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extracted {
    /// Objects in the input.
    pub read: u64,
    /// Objects that are neither in a chunk nor rejected, by rule.
    pub left_out: LeftOut,
    /// The input's own date: its header's, else that of its newest object.
    pub vintage: Option<Timestamp>,
    /// The files read, in order.
    pub inputs: Vec<Input>,
    /// Who must be named.
    pub attribution: Option<String>,
    /// Objects in the input by kind: nodes, ways, relations. Empty where the source has but one kind.
    pub objects: BTreeMap<String, u64>,
    /// Per layer, what became of the objects; in the order of [`Demand::layers`].
    pub layers: Vec<LayerCount>,
    /// What the input says of itself, e.g. its box and where its updates are.
    pub stated: BTreeMap<String, String>,
}

/// What became of the objects of a source in one layer: read = kept + rejected + left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerCount {
    /// Objects with at least one row.
    pub kept: u64,
    /// Objects without a row that were rejected.
    pub rejected: u64,
    /// Objects that are neither, by rule.
    pub left_out: LeftOut,
}

/// A place data comes from.
pub trait Source: Send + Sync {
    /// Short name for ids, logs and manifests, e.g. `osm`. Unique within a pipeline.
    fn name(&self) -> &str;

    /// What kind of source it is, as the pipeline file names it, e.g. `osm_pbf`.
    fn kind(&self) -> &'static str;

    /// Looks whether the input is there and could be read, without reading it; returns a line for a person.
    ///
    /// # Errors
    ///
    /// As [`Source::read`], as far as a look at the beginning can tell.
    fn check(&self) -> Result<String, RunError>;

    /// Reads the input and hands on every wanted feature, in an order that depends on the input alone.
    ///
    /// # Contract
    ///
    /// - Memory grows with what is wanted, not with the size of the input.
    /// - An unusable record is a reject in a chunk, never an error.
    /// - Every object read is in a chunk, rejected, or counted in `left_out`.
    /// - A feature whose position is certainly outside [`Region::reads`] may be left out here; one whose position may
    ///   yet be repaired is handed on.
    ///
    /// # Errors
    ///
    /// [`RunError::Input`] when the input as a whole cannot be trusted, or what `out` says. What was handed on is then void.
    fn read(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, RunError>;
}

/// Takes batches; failing ends the reading.
pub type TakeBatch<'a> = dyn FnMut(RecordBatch) -> Result<(), RunError> + 'a;

/// Tables that can be read: those of a published snapshot, or those staged so far.
pub trait Tables {
    /// Whether there is a table of this name, e.g. `places`, `changes/places`.
    fn has(&self, table: &str) -> bool;

    /// Hands on the rows of a table in order, with the named columns in that order; all columns for an empty list.
    ///
    /// # Errors
    ///
    /// When the table or a column does not exist or cannot be read, or what `out` says.
    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError>;

    /// Hands on the rows at these places of a table, all columns. `rows` is sorted and counts from 0.
    ///
    /// # Errors
    ///
    /// As [`Tables::read`].
    fn read_rows(&self, table: &str, rows: &[u64], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        let (mut first, mut wanted) = (0, rows);
        self.read(table, &[], &mut |batch| {
            let end = first + batch.num_rows() as u64;
            let (here, later) = wanted.split_at(wanted.partition_point(|row| *row < end));
            let places: UInt64Array = here.iter().map(|row| row - first).collect::<Vec<_>>().into();
            (first, wanted) = (end, later);
            if places.is_empty() {
                return Ok(());
            }
            out(take_record_batch(&batch, &places).map_err(RunError::failed)?)
        })
    }
}

/// A snapshot that is kept.
pub trait Snapshot: Tables {
    /// How it was made and what is in it.
    fn manifest(&self) -> &Manifest;

    /// Where a person finds it.
    fn location(&self) -> String;

    /// That a person published it though the gate had held it back. `None` for all others.
    fn released(&self) -> Option<&Release>;

    /// Whether the gate holds it back: no sink shows it, and no run starts from it.
    fn is_held(&self) -> bool {
        !self.manifest().held.is_empty() && self.released().is_none()
    }
}

/// A snapshot that can be looked at file by file, not only table by table.
pub trait Inspect: Snapshot {
    /// The name that it is kept under; it should be its id.
    fn kept_as(&self) -> String;

    /// Every file of it, tables or not, in the order of their names, e.g. `changes/places.parquet`.
    ///
    /// # Errors
    ///
    /// When they cannot be listed.
    fn files(&self) -> Result<Vec<String>, RunError>;

    /// The files that may be there beside those of tables; the ones that must be come with `true`.
    fn files_beside_tables(&self) -> &'static [(&'static str, bool)];

    /// The file of a table.
    fn file_of(&self, table: &str) -> String;

    /// SHA-256 of a table's file, of all its bytes, in hex.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn sha256(&self, table: &str) -> Result<String, RunError>;

    /// The columns that a table's file says it has.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn schema(&self, table: &str) -> Result<SchemaRef, RunError>;
}

/// What a store has under an id.
pub struct Kept {
    /// The id.
    pub id: String,
    /// The snapshot, or why it cannot be read.
    pub snapshot: Result<Box<dyn Snapshot>, RunError>,
    /// Size of all its files.
    pub size_bytes: u64,
    /// Whether it was never published, because the run that was about to do so was cut off.
    pub is_unfinished: bool,
}

/// What goes beside the tables and is no part of the snapshot's hash.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// The contents of `run.json`, all of it that may depend on the clock.
    pub run: serde_json::Value,
    /// The contents of `checks.json`.
    pub checks: serde_json::Value,
    /// The contents of `report.html`.
    pub report: String,
    /// The snapshot as a STAC item, where it has a date.
    pub item: Option<serde_json::Value>,
}

/// Whom the tables of a snapshot are from: what must stay with a file wherever it is copied to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credits {
    /// The pipeline's name.
    pub pipeline: String,
    /// The sources, in the order of the pipeline file.
    pub sources: Vec<Credit>,
}

/// What must be said of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Credit {
    /// Its name in the pipeline file.
    pub name: String,
    /// Who must be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// The licences that its records state, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
}

/// Makes a batch of a table.
pub type MakeBatch<'a> = Box<dyn FnOnce() -> Result<RecordBatch, RunError> + Send + 'a>;

/// Tables of a snapshot in the making. Dropped without [`Staging::keep`], it leaves nothing behind.
pub trait Staging: Tables {
    /// Writes a table; batches come in the final order of their rows. Returns what the manifest says of it.
    ///
    /// # Contract
    ///
    /// - Batches are made on any thread, several at once, so that a table as large as a country is written by all of
    ///   them. Few are in memory at a time.
    /// - A batch is what a reader can skip at once: a row group, where the store has such a thing.
    /// - Where batches come from, tables that were written before may be read.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or what `batches` or one of them says.
    fn write(
        &self,
        table: &Table,
        batches: &mut dyn Iterator<Item = Result<MakeBatch<'_>, RunError>>,
    ) -> Result<TableFile, RunError>;

    /// Makes the snapshot durable under its id and, unless it is held, what [`SnapshotStore::latest`] returns.
    ///
    /// # Contract
    ///
    /// - Atomic: a crash leaves the old `latest` or the new one, both whole.
    /// - A snapshot that exists already under this id is replaced by its equal.
    ///
    /// # Errors
    ///
    /// When it cannot be made durable; `latest` is then unchanged.
    fn keep(self: Box<Self>, manifest: &Manifest, extras: &Extras) -> Result<Box<dyn Snapshot>, RunError>;
}

/// Held while a run is at work; dropping it lets the next run in.
pub trait Lock {}

/// A place where the snapshots of one pipeline are kept.
pub trait SnapshotStore {
    /// Claims the pipeline for one run.
    ///
    /// # Errors
    ///
    /// [`RunError::Locked`] when another run is at work.
    fn lock(&self) -> Result<Box<dyn Lock>, RunError>;

    /// The snapshot that was published last; never one that is held.
    ///
    /// # Errors
    ///
    /// When there is one and it cannot be read.
    fn latest(&self) -> Result<Option<Box<dyn Snapshot>>, RunError>;

    /// Begins a snapshot whose tables are from these.
    ///
    /// # Errors
    ///
    /// When the store cannot be written to.
    fn stage(&self, credits: &Credits) -> Result<Box<dyn Staging>, RunError>;

    /// Everything that is kept, in the order of ids; what cannot be read is among it.
    ///
    /// # Errors
    ///
    /// When the store itself cannot be read. One that does not exist is empty.
    fn list(&self) -> Result<Vec<Kept>, RunError>;

    /// Makes a snapshot that is held what [`SnapshotStore::latest`] returns, and remembers that a person did.
    ///
    /// # Contract
    ///
    /// - The caller holds the lock.
    /// - Atomic: a crash leaves the snapshot held and the old `latest`, or the snapshot released and the latest; where it
    ///   cannot at once, [`SnapshotStore::settle`] does.
    ///
    /// # Errors
    ///
    /// When it cannot be made durable; `latest` is then unchanged.
    fn release(&self, id: &str) -> Result<Release, RunError>;

    /// Removes a snapshot that is not the latest.
    ///
    /// # Contract
    ///
    /// - The caller holds the lock.
    /// - Atomic: a crash leaves the whole snapshot under its id, or nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be removed, or is the latest.
    fn remove(&self, id: &str) -> Result<(), RunError>;

    /// Undoes what was cut off between keeping a snapshot and making it the latest: one that a run made is removed and its
    /// id returned, one that a person was about to release is held again. Ends removals that were cut off.
    ///
    /// # Contract
    ///
    /// - The caller holds the lock. [`SnapshotStore::stage`] does the same.
    ///
    /// # Errors
    ///
    /// When the store cannot be written to.
    fn settle(&self) -> Result<Option<String>, RunError>;
}

/// The file in which a person decides on pairs of records.
pub trait DecisionsFile {
    /// Where a person finds it.
    fn location(&self) -> String;

    /// Its text; empty where there is none yet.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read as text.
    fn read(&self) -> Result<String, RunError>;

    /// Puts another text in its place.
    ///
    /// # Contract
    ///
    /// - Atomic: a crash leaves the old text or the new one, both whole.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the old text is then still there.
    fn replace(&self, text: &str) -> Result<(), RunError>;
}

/// What a sink did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loaded {
    /// It already stood at the snapshot.
    Unchanged,
    /// It took the whole snapshot.
    Replaced {
        /// Rows of places loaded.
        rows: u64,
    },
    /// It took the difference to what it had.
    Changed {
        /// Rows of places written or deleted.
        rows: u64,
    },
}

/// A place snapshots are published to.
pub trait Sink {
    /// Short name for logs and the ledger, e.g. `postgis`.
    fn name(&self) -> &str;

    /// Looks whether it can be reached, before any work is done.
    ///
    /// # Errors
    ///
    /// [`RunError::Sink`] when it cannot.
    fn contact(&mut self) -> Result<(), RunError>;

    /// Makes readers see `snapshot`, by its changes where the target stands at their base.
    ///
    /// # Contract
    ///
    /// - Atomic: a reader sees the old snapshot or the new one, never a mixture.
    /// - Repeatable: loading the same snapshot twice changes nothing.
    /// - Reads only the columns it needs.
    ///
    /// # Errors
    ///
    /// [`RunError::Sink`] when the target refused; it then still shows the previous snapshot.
    fn load(&mut self, snapshot: &dyn Snapshot, observer: &dyn Observer) -> Result<Loaded, RunError>;
}

/// What a stage counts while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of input.
    Bytes,
    /// Rows or records.
    Rows,
}

/// Told what a run is doing. The command line makes bars, logs and durations of it.
pub trait Observer: Send + Sync {
    /// A stage begins, e.g. `extract osm`. The one before it has ended. `total` is how much there is to do, if known.
    fn stage(&self, name: &str, unit: Unit, total: Option<u64>);

    /// This much more of the current stage is done.
    fn advance(&self, amount: u64);

    /// Something a person may want to know, in one sentence.
    fn note(&self, message: &str);

    /// What the clock and the machine say of the run so far: the contents of `run.json`.
    fn measurements(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
