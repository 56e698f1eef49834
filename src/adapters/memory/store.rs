//! A store that keeps the latest snapshot, and nothing on disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow_array::RecordBatch;

use crate::domain::{Cell, Hash16, Manifest, TableFile};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Credits, Extras, Lock, MakeBatch, Snapshot, SnapshotStore, Staging, Tables, TakeBatch};
use crate::pipeline::tabulate::{Kind, Table, batch_rows, cells as cells_of, tables};

/// Batches by table.
type Kept = BTreeMap<String, Vec<RecordBatch>>;

/// A snapshot in memory.
#[derive(Debug, Clone)]
struct MemorySnapshot {
    manifest: Manifest,
    tables: Kept,
}

/// The latest snapshot of one pipeline.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    latest: Rc<RefCell<Option<MemorySnapshot>>>,
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
            let mut copy = MemorySnapshot { manifest: base.manifest().clone(), tables: Kept::new() };
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
            *store.latest.borrow_mut() = Some(copy);
        }
        Ok(store)
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

fn read(kept: &Kept, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
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
        Ok(self.latest.borrow().clone().map(|snapshot| Box::new(snapshot) as Box<dyn Snapshot>))
    }

    fn stage(&self, _: &Credits) -> Result<Box<dyn Staging>, RunError> {
        Ok(Box::new(MemoryStaging { store: self.clone(), tables: RefCell::default() }))
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
}

struct MemoryStaging {
    store: MemoryStore,
    tables: RefCell<Kept>,
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
        let snapshot = MemorySnapshot { manifest: manifest.clone(), tables: self.tables.into_inner() };
        if manifest.held.is_empty() {
            *self.store.latest.borrow_mut() = Some(snapshot.clone());
        }
        Ok(Box::new(snapshot))
    }
}
