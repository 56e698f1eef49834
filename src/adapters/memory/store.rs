//! A store that keeps its snapshots in memory, and nothing on disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow_array::RecordBatch;

use crate::domain::{Cell, Hash16, Manifest, Release, TableFile, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::ports::{
    Credits, Extras, Kept, Lock, MakeBatch, Snapshot, SnapshotStore, Staging, Tables, TakeBatch,
};
use crate::pipeline::tabulate::{Kind, Table, batch_rows, cells as cells_of, tables};

/// Batches by table.
type Batches = BTreeMap<String, Vec<RecordBatch>>;

/// A snapshot in memory.
#[derive(Debug, Clone)]
struct MemorySnapshot {
    manifest: Manifest,
    tables: Batches,
    released: Option<Release>,
}

/// The snapshots by id, and the latest.
#[derive(Debug, Default)]
struct Snapshots {
    by_id: BTreeMap<String, MemorySnapshot>,
    latest: Option<String>,
}

/// The snapshots of one pipeline.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    kept: Rc<RefCell<Snapshots>>,
}

impl MemoryStore {
    /// A store that begins with a copy of `base`, so that a run compares with it and writes nowhere.
    ///
    /// # Errors
    ///
    /// When a table of `base` cannot be read.
    pub fn over(base: Option<&dyn Snapshot>) -> Result<Self, RunError> {
        let store = Self::default();
        if let Some(base) = base {
            let (manifest, released) = (base.manifest().clone(), base.released().cloned());
            let mut copy = MemorySnapshot { manifest, tables: Batches::new(), released };
            for name in base.manifest().tables.keys() {
                let batches = copy.tables.entry(name.clone()).or_default();
                base.read(name, &[], &mut |batch| {
                    batches.push(batch);
                    Ok(())
                })?;
                // Files of another store hash otherwise; this one hashes rows.
                if let Some(file) = copy.manifest.tables.get_mut(name) {
                    file.sha256 = hash(name, batches);
                }
            }
            store.keep(copy, true);
        }
        Ok(store)
    }

    fn keep(&self, snapshot: MemorySnapshot, is_latest: bool) {
        let (mut kept, id) = (self.kept.borrow_mut(), snapshot.manifest.snapshot.clone());
        if is_latest {
            kept.latest = Some(id.clone());
        }
        kept.by_id.insert(id, snapshot);
    }
}

/// What the manifest says of a table's content: here the hash is of its rows. Those of layers have one already.
fn hash(name: &str, batches: &[RecordBatch]) -> String {
    if let Some(table) = tables::ALL.iter().find(|table| table.name == name) {
        let rows: Vec<_> = batches.iter().flat_map(|batch| batch_rows(table, batch)).collect();
        return Hash16::of(rows.iter().flatten()).to_string();
    }
    let mut cells = Vec::new();
    for batch in batches {
        let fields = batch.schema_ref().fields().iter();
        cells.extend(fields.map(|field| Cell::Text(format!("{} {}", field.name(), field.data_type()))));
        cells.extend(batch.column_by_name("row_hash").into_iter().flat_map(|hashes| cells_of(&Kind::Hash16, hashes)));
    }
    Hash16::of(&cells).to_string()
}

fn read(kept: &Batches, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
    let batches = kept.get(table).ok_or_else(|| RunError::failed(format!("there is no table `{table}`")))?;
    for batch in batches {
        let schema = batch.schema();
        let order: Result<Vec<usize>, _> = columns.iter().map(|name| schema.index_of(name)).collect();
        let order = order.map_err(RunError::failed)?;
        let wanted = if columns.is_empty() { Ok(batch.clone()) } else { batch.project(&order) };
        out(wanted.map_err(RunError::failed)?)?;
    }
    Ok(())
}

struct NoLock;

impl Lock for NoLock {}

impl SnapshotStore for MemoryStore {
    fn lock(&self) -> Result<Box<dyn Lock>, RunError> {
        Ok(Box::new(NoLock))
    }

    fn latest(&self) -> Result<Option<Box<dyn Snapshot>>, RunError> {
        let kept = self.kept.borrow();
        let latest = kept.latest.as_ref().and_then(|id| kept.by_id.get(id));
        Ok(latest.map(|snapshot| Box::new(snapshot.clone()) as Box<dyn Snapshot>))
    }

    fn stage(&self, _: &Credits) -> Result<Box<dyn Staging>, RunError> {
        Ok(Box::new(MemoryStaging { store: self.clone(), tables: RefCell::default() }))
    }

    fn list(&self) -> Result<Vec<Kept>, RunError> {
        let of = |(id, snapshot): (&String, &MemorySnapshot)| Kept {
            id: id.clone(),
            size_bytes: snapshot.tables.values().flatten().map(|batch| batch.get_array_memory_size() as u64).sum(),
            snapshot: Ok(Box::new(snapshot.clone())),
            is_unfinished: false,
        };
        Ok(self.kept.borrow().by_id.iter().map(of).collect())
    }

    fn release(&self, id: &str) -> Result<Release, RunError> {
        let Snapshots { by_id, latest } = &mut *self.kept.borrow_mut();
        let snapshot = by_id.get_mut(id).ok_or_else(|| RunError::failed(format!("there is no snapshot {id}")))?;
        let after = latest.replace(id.to_owned());
        let release = Release { snapshot: id.to_owned(), released_at: Timestamp::now(), after };
        snapshot.released = Some(release.clone());
        Ok(release)
    }

    fn remove(&self, id: &str) -> Result<(), RunError> {
        let mut kept = self.kept.borrow_mut();
        if kept.latest.as_deref() == Some(id) {
            return Err(RunError::failed(format!("{id} is the latest snapshot and stays")));
        }
        kept.by_id.remove(id);
        Ok(())
    }

    fn settle(&self) -> Result<Option<String>, RunError> {
        Ok(None)
    }
}

impl Tables for MemorySnapshot {
    fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        read(&self.tables, table, columns, out)
    }
}

impl Snapshot for MemorySnapshot {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn location(&self) -> String {
        "memory; nothing was written".to_owned()
    }

    fn released(&self) -> Option<&Release> {
        self.released.as_ref()
    }
}

struct MemoryStaging {
    store: MemoryStore,
    tables: RefCell<Batches>,
}

impl Tables for MemoryStaging {
    fn has(&self, table: &str) -> bool {
        self.tables.borrow().contains_key(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        read(&self.tables.borrow(), table, columns, out)
    }
}

impl Staging for MemoryStaging {
    fn write(
        &self,
        table: &Table,
        batches: &mut dyn Iterator<Item = Result<MakeBatch<'_>, RunError>>,
    ) -> Result<TableFile, RunError> {
        let batches = batches.map(|make| make?()).collect::<Result<Vec<_>, _>>()?;
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let file = TableFile { schema_version: table.schema_version, rows, sha256: hash(&table.name, &batches) };
        self.tables.borrow_mut().insert(table.name.to_string(), batches);
        Ok(file)
    }

    fn keep(self: Box<Self>, manifest: &Manifest, _: &Extras) -> Result<Box<dyn Snapshot>, RunError> {
        let tables = self.tables.into_inner();
        let snapshot = MemorySnapshot { manifest: manifest.clone(), tables, released: None };
        self.store.keep(snapshot.clone(), manifest.held.is_empty());
        Ok(Box::new(snapshot))
    }
}
