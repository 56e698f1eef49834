//! The store: `<store>/<pipeline>/` with one folder per snapshot, `latest`, a lock, and `.work/` for what is in the making.
//!
//! **Invariant**: `latest` points to a whole snapshot or does not exist. A snapshot is written under `.work/`, synced,
//! renamed into place, and only then linked; a crash at any point leaves debris in `.work/`, which the next run removes.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::reader::{SnapshotFolder, read_table, table_file};
use super::writer::write_table;
use super::{Layout, StoreError};
use crate::domain::{Manifest, TableFile};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Credits, Extras, Lock, MakeBatch, Snapshot, SnapshotStore, Staging, Tables, TakeBatch};
use crate::pipeline::tabulate::Table;

/// The snapshots of one pipeline.
#[derive(Debug, Clone)]
pub struct FolderStore {
    pipeline: String,
    folder: PathBuf,
    layout: Layout,
}

impl FolderStore {
    /// The store of a pipeline under `dir`. Nothing is touched before a run asks for it.
    #[must_use]
    pub fn new(dir: &Path, pipeline: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), folder: dir.join(pipeline), layout: Layout::default() }
    }

    /// The store, with files laid out in this way.
    #[must_use]
    pub fn with_layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// Where a run keeps what is in the making, and its scratch files.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.join(".work")
    }

    fn latest_link(&self) -> PathBuf {
        self.folder.join("latest")
    }
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::failed(StoreError::Write { path, source })
}

/// Makes names in a folder durable.
fn sync_folder(folder: &Path) -> Result<(), RunError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(write_error(folder))
}

fn write_synced(path: &Path, contents: &str) -> Result<(), RunError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(contents.as_bytes())?;
        file.sync_all()
    };
    write().map_err(write_error(path))
}

/// The lock, held as long as the file is open; the system releases it when the process ends, however it ends.
struct FileLock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock for FileLock {}

impl SnapshotStore for FolderStore {
    fn lock(&self) -> Result<Box<dyn Lock>, RunError> {
        fs::create_dir_all(&self.folder).map_err(write_error(&self.folder))?;
        let path = self.folder.join(".lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(write_error(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
                let holder = if known { holder.trim().to_owned() } else { "it has just begun".to_owned() };
                return Err(RunError::Locked { pipeline: self.pipeline.clone(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(write_error(&path)(source)),
        }
        let holder = format!("process {}, since {:.0}\n", std::process::id(), jiff::Timestamp::now());
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())
        };
        write(&mut file).map_err(write_error(&path))?;
        Ok(Box::new(FileLock(file)))
    }

    fn latest(&self) -> Result<Option<Box<dyn Snapshot>>, RunError> {
        let link = self.latest_link();
        match fs::symlink_metadata(&link) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RunError::failed(StoreError::Read { path: link, source })),
        }
        match SnapshotFolder::open(&link) {
            Ok(snapshot) => Ok(Some(Box::new(snapshot))),
            Err(StoreError::NoSnapshot { path }) => Err(RunError::failed(StoreError::BrokenLatest { path })),
            Err(error) => Err(RunError::failed(error)),
        }
    }

    fn stage(&self, credits: &Credits) -> Result<Box<dyn Staging>, RunError> {
        let work = self.work();
        fs::create_dir_all(&work).map_err(write_error(&work))?;
        // The lock is held, so whatever lies here is debris of a run that was cut off.
        for entry in fs::read_dir(&work).map_err(write_error(&work))? {
            let path = entry.map_err(write_error(&work))?.path();
            let removed =
                if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(write_error(&path))?;
        }
        let folder = work.join("staging");
        fs::create_dir(&folder).map_err(write_error(&folder))?;
        Ok(Box::new(StagingFolder { store: self.clone(), folder, credits: credits.clone() }))
    }
}

/// Tables in the making.
struct StagingFolder {
    store: FolderStore,
    folder: PathBuf,
    credits: Credits,
}

impl Tables for StagingFolder {
    fn has(&self, table: &str) -> bool {
        table_file(&self.folder, table).is_file()
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        read_table(&self.folder, table, columns, None, out)
    }

    fn read_rows(&self, table: &str, rows: &[u64], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        read_table(&self.folder, table, &[], Some(rows), out)
    }
}

impl Staging for StagingFolder {
    fn write(
        &self,
        table: &Table,
        batches: &mut dyn Iterator<Item = Result<MakeBatch<'_>, RunError>>,
    ) -> Result<TableFile, RunError> {
        let path = table_file(&self.folder, &table.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(write_error(parent))?;
        }
        write_table(&path, table, self.store.layout, &self.credits, batches)
    }

    fn keep(self: Box<Self>, manifest: &Manifest, extras: &Extras) -> Result<Box<dyn Snapshot>, RunError> {
        let pretty = |value: &serde_json::Value| format!("{value:#}\n");
        let as_json = serde_json::to_value(manifest).map_err(RunError::failed)?;
        write_synced(&self.folder.join("manifest.json"), &pretty(&as_json))?;
        write_synced(&self.folder.join("run.json"), &pretty(&extras.run))?;
        write_synced(&self.folder.join("report.html"), &extras.report)?;
        for folder in ["changes/layers", "changes", "layers"].map(|name| self.folder.join(name)) {
            if folder.is_dir() {
                sync_folder(&folder)?;
            }
        }
        sync_folder(&self.folder)?;

        let store = &self.store;
        let place = store.folder.join(&manifest.snapshot);
        if fs::symlink_metadata(&place).is_ok() {
            // Its equal, left by a run that ended before the link was swapped, or held back.
            let aside = store.work().join("replaced");
            fs::rename(&place, &aside).map_err(write_error(&place))?;
            fs::rename(&self.folder, &place).map_err(write_error(&place))?;
            fs::remove_dir_all(&aside).map_err(write_error(&aside))?;
        } else {
            fs::rename(&self.folder, &place).map_err(write_error(&place))?;
        }
        sync_folder(&store.folder)?;

        if manifest.held.is_empty() {
            let link = store.work().join("latest");
            std::os::unix::fs::symlink(&manifest.snapshot, &link).map_err(write_error(&link))?;
            let latest = store.latest_link();
            fs::rename(&link, &latest).map_err(write_error(&latest))?;
            sync_folder(&store.folder)?;
        }
        let snapshot = SnapshotFolder::open(&place).map_err(RunError::failed)?;
        Ok(Box::new(snapshot))
    }
}

impl Drop for StagingFolder {
    fn drop(&mut self) {
        // After `keep` the folder has its final name and nothing is left to remove.
        fs::remove_dir_all(&self.folder).ok();
    }
}
