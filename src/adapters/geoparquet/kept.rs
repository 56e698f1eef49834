//! What a store keeps: listing it, releasing what is held, removing what is old, and undoing what was cut off.
//!
//! `.publishing` names the snapshot that is about to become the latest. It is written before the snapshot has its name, and
//! removed when `latest` points to it; found later, it tells a snapshot that was never published from all others.
//!
//! **Invariant**: a folder with the name of a snapshot is whole. What is removed loses its name first, under `.work/`.

use std::fs;
use std::io;
use std::path::Path;

use super::StoreError;
use super::reader::{RELEASED, SnapshotFolder};
use super::store::{FolderStore, sync_folder, write_error, write_synced};
use crate::domain::Release;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Kept, Snapshot};

/// Names the snapshot that is about to become the latest.
const PUBLISHING: &str = ".publishing";

/// What the names of snapshots begin with under `.work/`, while they are being removed.
const REMOVED: &str = "removed-";

fn read_error(path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::failed(StoreError::Read { path, source })
}

/// Whether a folder of this name is a snapshot's: `20260710T202000Z-3fa9c1d2`, `undated-3fa9c1d2`.
fn is_snapshot_id(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(vintage, hash)| {
        let dated = vintage.ends_with('Z') && vintage.contains('T');
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        (dated || vintage == "undated") && hash.len() == 8 && hash.chars().all(is_hex)
    })
}

/// The snapshot that `latest` points to.
fn latest_id(store: &FolderStore) -> Option<String> {
    let target = fs::canonicalize(store.latest_link()).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

/// The snapshot that is about to become the latest, or was when a run was cut off.
fn publishing(store: &FolderStore) -> Result<Option<String>, RunError> {
    let path = store.folder().join(PUBLISHING);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(read_error(&path)(source)),
    }
}

/// Names the snapshot that is about to become the latest.
pub(super) fn mark_publishing(store: &FolderStore, id: &str) -> Result<(), RunError> {
    write_synced(&store.folder().join(PUBLISHING), &format!("{id}\n"))?;
    sync_folder(store.folder())
}

/// Says that the snapshot is the latest now, or will not be.
pub(super) fn unmark_publishing(store: &FolderStore) -> Result<(), RunError> {
    let path = store.folder().join(PUBLISHING);
    fs::remove_file(&path).map_err(write_error(&path))?;
    sync_folder(store.folder())
}

/// Makes a snapshot the latest, in one step.
pub(super) fn point_latest(store: &FolderStore, id: &str) -> Result<(), RunError> {
    let (link, latest) = (store.work().join("latest"), store.latest_link());
    remove_file_if_there(&link)?;
    std::os::unix::fs::symlink(id, &link).map_err(write_error(&link))?;
    fs::rename(&link, &latest).map_err(write_error(&latest))?;
    sync_folder(store.folder())
}

fn remove_file_if_there(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write_error(path)(error)),
        _ => Ok(()),
    }
}

/// Everything that is kept, in the order of ids.
pub(super) fn list(store: &FolderStore) -> Result<Vec<Kept>, RunError> {
    let entries = match fs::read_dir(store.folder()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(read_error(store.folder())(source)),
    };
    let (latest, publishing) = (latest_id(store), publishing(store)?);
    let mut kept = Vec::new();
    for entry in entries {
        let entry = entry.map_err(read_error(store.folder()))?;
        let (id, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let is_folder = entry.file_type().map_err(read_error(&path))?.is_dir();
        if !is_folder || !is_snapshot_id(&id) {
            continue;
        }
        let size_bytes = size_bytes(&path)?;
        let snapshot: Result<Box<dyn Snapshot>, RunError> = match SnapshotFolder::open(&path) {
            Ok(snapshot) => Ok(Box::new(snapshot)),
            Err(error) => Err(RunError::input("snapshot", error)),
        };
        let is_unfinished = publishing.as_ref() == Some(&id)
            && latest.as_ref() != Some(&id)
            && snapshot.as_ref().is_ok_and(|snapshot| snapshot.manifest().held.is_empty());
        // Another process may be removing snapshots.
        if snapshot.is_ok() || path.is_dir() {
            kept.push(Kept { id, snapshot, size_bytes, is_unfinished });
        }
    }
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(kept)
}

/// Size of all files below a folder; none of what is no longer there.
fn size_bytes(folder: &Path) -> Result<u64, RunError> {
    let sum = || -> io::Result<u64> {
        let mut sum = 0;
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let about = entry.metadata()?;
                if about.is_dir() {
                    folders.push(entry.path());
                } else {
                    sum += about.len();
                }
            }
        }
        Ok(sum)
    };
    sum().or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(0) } else { Err(read_error(folder)(error)) })
}

/// Makes a held snapshot the latest.
pub(super) fn release(store: &FolderStore, id: &str) -> Result<Release, RunError> {
    let release = Release { snapshot: id.to_owned(), released_at: jiff::Timestamp::now(), after: latest_id(store) };
    let (folder, work) = (store.folder().join(id), store.work());
    fs::create_dir_all(&work).map_err(write_error(&work))?;
    mark_publishing(store, id)?;
    let (written, released) = (work.join(RELEASED), folder.join(RELEASED));
    let text = serde_json::to_value(&release).map_err(RunError::failed)?;
    write_synced(&written, &format!("{text:#}\n"))?;
    fs::rename(&written, &released).map_err(write_error(&released))?;
    sync_folder(&folder)?;
    point_latest(store, id)?;
    unmark_publishing(store)?;
    Ok(release)
}

/// Removes a snapshot that is not the latest.
pub(super) fn discard(store: &FolderStore, id: &str) -> Result<(), RunError> {
    let (folder, work) = (store.folder().join(id), store.work());
    if latest_id(store).as_deref() == Some(id) {
        return Err(RunError::failed(StoreError::IsLatest { path: folder }));
    }
    fs::create_dir_all(&work).map_err(write_error(&work))?;
    let aside = work.join(format!("{REMOVED}{id}"));
    if fs::symlink_metadata(&aside).is_ok() {
        fs::remove_dir_all(&aside).map_err(write_error(&aside))?;
    }
    fs::rename(&folder, &aside).map_err(write_error(&folder))?;
    sync_folder(store.folder())?;
    fs::remove_dir_all(&aside).map_err(write_error(&aside))
}

/// Undoes what was cut off before `latest` pointed to it, and ends removals; returns what was removed for it.
pub(super) fn settle(store: &FolderStore) -> Result<Option<String>, RunError> {
    end_removals(store)?;
    let Some(id) = publishing(store)? else { return Ok(None) };
    let mut removed = None;
    // A run that was cut off while it wrote the mark has kept nothing yet.
    if is_snapshot_id(&id) && latest_id(store).as_deref() != Some(&*id) {
        let folder = store.folder().join(&id);
        match SnapshotFolder::open(&folder) {
            Ok(snapshot) if snapshot.manifest().held.is_empty() => {
                discard(store, &id)?;
                removed = Some(id);
            }
            Ok(_) => {
                remove_file_if_there(&folder.join(RELEASED))?;
                sync_folder(&folder)?;
            }
            // Not yet there, or damaged since: a person may want to look at it.
            Err(_) => {}
        }
    }
    unmark_publishing(store)?;
    Ok(removed)
}

/// Removes what is left of snapshots whose removal was cut off.
fn end_removals(store: &FolderStore) -> Result<(), RunError> {
    let work = store.work();
    let Ok(entries) = fs::read_dir(&work) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(read_error(&work))?;
        if entry.file_name().to_string_lossy().starts_with(REMOVED) {
            fs::remove_dir_all(entry.path()).map_err(write_error(&entry.path()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_told_from_what_else_lies_in_a_store() {
        for id in ["20260710T202000Z-3fa9c1d2", "undated-00000000", "-0044-01-01T000000Z-3fa9c1d2"] {
            assert!(is_snapshot_id(id), "{id}");
        }
        for name in [".work", "latest", "undated", "undated-3fa9c1d", "undated-3FA9C1D2", "my-deadbeef", "3fa9c1d2"] {
            assert!(!is_snapshot_id(name), "{name}");
        }
    }
}
