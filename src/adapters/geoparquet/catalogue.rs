//! The catalogue of a store in its folders: written anew from what is there whenever snapshots come or go.
//!
//! It is derived: a store without it is as good, and a run that ends before it is written leaves the one before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::StoreError;
use super::reader::RELEASED;
use super::store::{sync_folder, write_error, write_synced};
use crate::domain::Manifest;
use crate::pipeline::RunError;
use crate::pipeline::catalogue::{catalog, collection};

/// The name of a snapshot's item.
pub(super) const ITEM: &str = "item.json";

/// Writes the collection of a pipeline, whose snapshots are in `folder`, but for those that are held back, and the catalogue of all pipelines beside it. `work`
/// is a folder for what is in the making.
pub(super) fn write_catalogue(pipeline: &str, folder: &Path, work: &Path) -> Result<(), RunError> {
    let mut snapshots: Vec<(Manifest, Value)> = Vec::new();
    for snapshot in folders_in(folder)? {
        let (manifest, item) = (json::<Manifest>(&snapshot.join("manifest.json")), json(&snapshot.join(ITEM)));
        if let (Some(manifest), Some(item)) = (manifest, item)
            && (manifest.held.is_empty() || snapshot.join(RELEASED).is_file())
        {
            snapshots.push((manifest, item));
        }
    }
    snapshots.sort_by(|(a, _), (b, _)| (a.vintage, &a.snapshot).cmp(&(b.vintage, &b.snapshot)));
    replace(&folder.join("collection.json"), &collection(pipeline, &snapshots), work)?;
    let Some(store) = folder.parent() else { return Ok(()) };
    let mut pipelines = BTreeSet::new();
    for folder in folders_in(store)? {
        if folder.join("collection.json").is_file() {
            pipelines.extend(folder.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    replace(&store.join("catalog.json"), &catalog(&pipelines), work)
}

/// Folders in a folder that are neither hidden nor links.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let cannot = |source| RunError::failed(StoreError::Read { path: folder.to_owned(), source });
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.file_type().map_err(cannot)?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// What a file says; `None` where it is not there or says something else.
fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Puts a file in place of another in one step, unless it says the same; several pipelines may write the catalogue at once.
fn replace(path: &Path, value: &Value, work: &Path) -> Result<(), RunError> {
    let text = format!("{value:#}\n");
    if fs::read(path).is_ok_and(|before| before == text.as_bytes()) {
        return Ok(());
    }
    let made = work.join(format!("catalogue-{}", std::process::id()));
    write_synced(&made, &text)?;
    fs::rename(&made, path).map_err(write_error(path))?;
    path.parent().map_or(Ok(()), sync_folder)
}
