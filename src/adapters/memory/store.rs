//! A store that keeps the latest snapshot, and nothing on disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow_array::RecordBatch;

use crate::domain::{Hash16, Manifest, TableFile};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Extras, Lock, Snapshot, SnapshotStore, Staging, Tables, TakeBatch};
use crate::pipeline::tabulate::{Table, batch_rows, tables};

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
            for table in tables::ALL.iter().filter(|table| base.has(&table.name)) {
                let batches = copy.tables.entry(table.name.to_string()).or_default();
                base.read(&table.name, &[], &mut |batch| {
                    batches.push(batch);
                    Ok(())
                })?;
                // Files of another store hash otherwise; this one hashes rows.
                let file = describe(table, batches);
                copy.manifest.tables.insert(table.name.to_string(), file);
            }
            *store.latest.borrow_mut() = Some(copy);
        }
        Ok(store)
    }
}

/// What the manifest says of a table: here the hash is of its rows.
fn describe(table: &Table, batches: &[RecordBatch]) -> TableFile {
    let rows: Vec<_> = batches.iter().flat_map(|batch| batch_rows(table, batch)).collect();
    let sha256 = Hash16::of(rows.iter().flatten()).to_string();
    TableFile { schema_version: table.schema_version, rows: rows.len() as u64, sha256 }
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

    fn stage(&self) -> Result<Box<dyn Staging>, RunError> {
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
        rows: &mut dyn Iterator<Item = Result<RecordBatch, RunError>>,
    ) -> Result<TableFile, RunError> {
        let batches = rows.collect::<Result<Vec<_>, _>>()?;
        let file = describe(table, &batches);
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
