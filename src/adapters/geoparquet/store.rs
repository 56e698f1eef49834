//! The store: `<store>/<pipeline>/` with one folder per snapshot, `latest`, a lock, and `.work/` for what is in the making.
//!
//! **Invariant**: `latest` points to a whole snapshot or does not exist. A snapshot is written under `.work/`, synced,
//! renamed into place, and only then linked; a crash at any point leaves debris in `.work/`, or a snapshot that `.publishing`
//! names, which the next run removes.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::catalogue::{ITEM, write_catalogue};
use super::kept::{discard, list, mark_publishing, point_latest, release, settle, unmark_publishing};
use super::reader::{SnapshotFolder, read_table, table_file};
use super::writer::write_table;
use super::{Layout, StoreError};
use crate::domain::{Manifest, Release, TableFile};
use crate::pipeline::RunError;
use crate::pipeline::ports::{
    Credits, Extras, Kept, Lock, MakeBatch, Snapshot, SnapshotStore, Staging, Tables, TakeBatch,
};
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

    /// The store that a snapshot is in.
    ///
    /// # Errors
    ///
    /// When its folder is not where and what a run named it.
    pub fn holding(snapshot: &SnapshotFolder) -> Result<Self, StoreError> {
        let (path, manifest) = (snapshot.folder(), snapshot.manifest());
        let is_in = |folder: Option<&Path>, name: &str| folder.and_then(Path::file_name).is_some_and(|n| n == name);
        let not_there = || StoreError::NotInStore {
            path: path.to_owned(),
            pipeline: manifest.pipeline.clone(),
            snapshot: manifest.snapshot.clone(),
        };
        let in_place = is_in(Some(path), &manifest.snapshot) && is_in(path.parent(), &manifest.pipeline);
        let dir = path.parent().and_then(Path::parent).filter(|_| in_place).ok_or_else(not_there)?;
        Ok(Self::new(dir, &manifest.pipeline))
    }

    /// A store of the same pipeline, written in the same way, under another folder.
    #[must_use]
    pub fn elsewhere(&self, dir: &Path) -> Self {
        Self { folder: dir.join(&self.pipeline), ..self.clone() }
    }

    /// Makes a snapshot of another store the latest of this one, which is empty: a run then goes on from there. Files are
    /// shared where the two stores are on one disk.
    ///
    /// # Errors
    ///
    /// When it cannot be copied.
    pub fn seed(&self, snapshot: &SnapshotFolder) -> Result<(), RunError> {
        let (id, made) = (&snapshot.manifest().snapshot, self.work().join("seed"));
        if made.is_dir() {
            fs::remove_dir_all(&made).map_err(write_error(&made))?;
        }
        copy_folder(snapshot.folder(), &made)?;
        let place = self.folder.join(id);
        fs::rename(&made, &place).map_err(write_error(&place))?;
        point_latest(self, id)
    }

    fn write_catalogue(&self) -> Result<(), RunError> {
        write_catalogue(&self.pipeline, &self.folder, &self.work())
    }

    /// The folder of the pipeline.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn latest_link(&self) -> PathBuf {
        self.folder.join("latest")
    }

    /// Where a snapshot waits while its equal takes its place.
    fn aside(&self) -> PathBuf {
        self.work().join("replaced")
    }

    /// Removes what runs left that were cut off. The lock is held, so nobody is at work on it.
    ///
    /// A snapshot whose equal did not come is first put back.
    fn clean_up(&self) -> Result<(), RunError> {
        if let Ok(snapshot) = SnapshotFolder::open(&self.aside()) {
            let place = self.folder.join(&snapshot.manifest().snapshot);
            if fs::symlink_metadata(&place).is_err() {
                fs::rename(self.aside(), &place).map_err(write_error(&place))?;
                sync_folder(&self.folder)?;
            }
        }
        let work = self.work();
        make_folder(&work)?;
        for entry in fs::read_dir(&work).map_err(write_error(&work))? {
            let path = entry.map_err(write_error(&work))?.path();
            let removed =
                if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(write_error(&path))?;
        }
        Ok(())
    }
}

pub(super) fn write_error(path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::failed(StoreError::Write { path, source })
}

/// Copies a folder with all that is in it, by second names where that can be.
fn copy_folder(from: &Path, to: &Path) -> Result<(), RunError> {
    fs::create_dir_all(to).map_err(write_error(to))?;
    let cannot_read = |source| RunError::failed(StoreError::Read { path: from.to_owned(), source });
    for entry in fs::read_dir(from).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            fs::hard_link(&path, &copy).or_else(|_| fs::copy(&path, &copy).map(|_| ())).map_err(write_error(&copy))?;
        }
    }
    Ok(())
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), RunError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(write_error(folder))
}

/// Makes a folder and those above it that are not there, and their names durable.
fn make_folder(folder: &Path) -> Result<(), RunError> {
    fn make(folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make(parent)?;
        match fs::create_dir(folder) {
            // Another run may have been quicker.
            Err(error) if !(error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir()) => Err(error),
            _ => File::open(parent)?.sync_all(),
        }
    }
    make(folder).map_err(write_error(folder))
}

pub(super) fn write_synced(path: &Path, contents: &str) -> Result<(), RunError> {
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

/// The run that holds the lock, as the lock file tells it.
struct Holder {
    process: u32,
    since: jiff::Timestamp,
}

impl Display for Holder {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "process {}, since {:.0}", self.process, self.since)
    }
}

impl FromStr for Holder {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (process, since) = text.trim().strip_prefix("process ").ok_or(())?.split_once(", since ").ok_or(())?;
        Ok(Self { process: process.parse().map_err(drop)?, since: since.parse().map_err(drop)? })
    }
}

/// Who holds the lock, as far as it can be known: the file may be another's, or damaged, and its process may have ended
/// while a child of it, or a run on another machine, holds the lock.
fn holder_told(file: File, path: &Path) -> String {
    let mut content = Vec::new();
    // A file that cannot be read says nothing either.
    file.take(MOST_OF_LOCK_BYTES).read_to_end(&mut content).ok();
    if content.is_empty() {
        return "it has just begun".to_owned();
    }
    let said = match str::from_utf8(&content).map_err(drop).and_then(Holder::from_str) {
        Ok(holder) if runs_here(holder.process) => return holder.to_string(),
        Ok(Holder { process, .. }) => format!("names process {process}, which does not run here"),
        Err(()) => "does not say".to_owned(),
    };
    let path = path.display();
    format!("which is not known: {path} {said}; `fuser {path}` finds it where it is on this machine")
}

/// More than a lock file that is one has.
const MOST_OF_LOCK_BYTES: u64 = 256;

/// Whether there is such a process; true where the system does not say.
fn runs_here(process: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}

impl SnapshotStore for FolderStore {
    fn lock(&self) -> Result<Box<dyn Lock>, RunError> {
        make_folder(&self.folder)?;
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
                return Err(RunError::Locked { pipeline: self.pipeline.clone(), holder: holder_told(file, &path) });
            }
            Err(TryLockError::Error(source)) => return Err(write_error(&path)(source)),
        }
        let holder = Holder { process: std::process::id(), since: jiff::Timestamp::now() };
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(format!("{holder}\n").as_bytes())
        };
        // Who holds it helps a person only: on a full disk the lock must be had, to make room.
        write(&mut file).ok();
        self.clean_up()?;
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
        settle(self)?;
        make_folder(&self.work())?;
        // A run that was cut off has not told of its snapshot, or of one that is gone now.
        self.write_catalogue()?;
        let folder = self.work().join("staging");
        fs::create_dir(&folder).map_err(write_error(&folder))?;
        Ok(Box::new(StagingFolder { store: self.clone(), folder, credits: credits.clone() }))
    }

    fn list(&self) -> Result<Vec<Kept>, RunError> {
        list(self)
    }

    fn release(&self, id: &str) -> Result<Release, RunError> {
        let release = release(self, id)?;
        self.write_catalogue()?;
        Ok(release)
    }

    fn remove(&self, id: &str) -> Result<(), RunError> {
        discard(self, id)?;
        self.write_catalogue()
    }

    fn settle(&self) -> Result<Option<String>, RunError> {
        settle(self)
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
        write_synced(&self.folder.join("checks.json"), &pretty(&extras.checks))?;
        write_synced(&self.folder.join("report.html"), &extras.report)?;
        if let Some(item) = &extras.item {
            write_synced(&self.folder.join(ITEM), &pretty(item))?;
        }
        for folder in ["changes/layers", "changes", "layers"].map(|name| self.folder.join(name)) {
            if folder.is_dir() {
                sync_folder(&folder)?;
            }
        }
        sync_folder(&self.folder)?;

        let store = &self.store;
        let is_held = !manifest.held.is_empty();
        if !is_held {
            mark_publishing(store, &manifest.snapshot)?;
        }
        let place = store.folder.join(&manifest.snapshot);
        if fs::symlink_metadata(&place).is_ok() {
            // Its equal, left by a run that ended before the link was swapped, or held back.
            let aside = store.aside();
            fs::rename(&place, &aside).map_err(write_error(&place))?;
            fs::rename(&self.folder, &place).map_err(write_error(&place))?;
            fs::remove_dir_all(&aside).map_err(write_error(&aside))?;
        } else {
            fs::rename(&self.folder, &place).map_err(write_error(&place))?;
        }
        sync_folder(&store.folder)?;

        if !is_held {
            point_latest(store, &manifest.snapshot)?;
            unmark_publishing(store)?;
        }
        store.write_catalogue()?;
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
