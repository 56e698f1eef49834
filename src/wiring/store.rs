//! Wiring of the commands over a store.

use std::path::Path;

use crate::adapters::geoparquet::{FolderStore, SnapshotFolder, StoreError};
use crate::config::{Overrides, Settings};
use crate::domain::Release;
use crate::pipeline;
use crate::pipeline::RunError;
use crate::pipeline::history::Retention;
use crate::pipeline::ports::{Inspect, Observer, SnapshotStore};

/// Opens a snapshot by its folder, or by a link to it such as `latest`.
///
/// # Errors
///
/// [`RunError::Input`] when it is no snapshot.
pub fn snapshot(path: &Path) -> Result<impl Inspect + use<>, RunError> {
    open(path)
}

fn open(path: &Path) -> Result<SnapshotFolder, RunError> {
    SnapshotFolder::open(path).map_err(|error: StoreError| RunError::input("snapshot", error))
}

/// The store of a pipeline file, and which snapshots it is to keep.
///
/// # Errors
///
/// [`RunError::Settings`] when the file or a flag is wrong.
pub fn store(file: &Path, overrides: &Overrides) -> Result<(impl SnapshotStore + use<>, Retention), RunError> {
    let settings = Settings::load(file, overrides).map_err(RunError::settings)?;
    Ok((FolderStore::new(&settings.store, &settings.name), settings.retention))
}

/// Makes the held snapshot in this folder the latest of the store that it is in.
///
/// # Errors
///
/// As [`pipeline::release`], and [`RunError::Input`] when it is no snapshot in a store.
pub fn release(path: &Path, force: bool, observer: &dyn Observer) -> Result<Release, RunError> {
    let store = FolderStore::holding(&open(path)?).map_err(|error| RunError::input("snapshot", error))?;
    pipeline::release(&store, || open(path), force, observer)
}
