//! The files of a dump: one, or all of a folder in the order of their paths.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::OcmError;
use crate::adapters::io::input_of;
use crate::domain::{Input, hex};

/// Endings of files that a folder is searched for, before `.gz`.
const ENDINGS: [&str; 5] = [".json", ".ndjson", ".jsonl", ".geojson", ".csv"];

/// A file of the dump.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DumpFile {
    /// Path below the folder, with `/`; empty for a dump that is one file.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
}

/// The files of the dump at `path`, sorted by name. Hidden files and folders are passed over.
///
/// # Errors
///
/// When there is nothing at `path`, or nothing that could be a dump.
pub(super) fn files(path: &Path) -> Result<Vec<DumpFile>, OcmError> {
    let metadata = fs::metadata(path).map_err(|source| OcmError::read(path, source))?;
    if !metadata.is_dir() {
        return Ok(vec![DumpFile { name: String::new(), path: path.to_owned(), size_bytes: metadata.len() }]);
    }
    let mut found = Vec::new();
    collect(path, "", &mut found)?;
    found.sort_unstable();
    if found.is_empty() { Err(OcmError::EmptyFolder { path: path.to_owned() }) } else { Ok(found) }
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<DumpFile>) -> Result<(), OcmError> {
    for entry in fs::read_dir(folder).map_err(|source| OcmError::read(folder, source))? {
        let entry = entry.map_err(|source| OcmError::read(folder, source))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // A link to a folder is not followed, so that no circle of links is walked.
        let is_folder = entry.file_type().map_err(|source| OcmError::read(&path, source))?.is_dir();
        if name.starts_with('.') {
            continue;
        }
        if is_folder {
            collect(&path, &format!("{prefix}{name}/"), found)?;
            continue;
        }
        let lower = name.to_lowercase();
        let plain = lower.strip_suffix(".gz").unwrap_or(&lower);
        if ENDINGS.iter().any(|ending| plain.ends_with(ending)) {
            let metadata = fs::metadata(&path).map_err(|source| OcmError::read(&path, source))?;
            if metadata.is_file() {
                found.push(DumpFile { name: format!("{prefix}{name}"), path, size_bytes: metadata.len() });
            }
        }
    }
    Ok(())
}

/// What the manifest says of the dump at `path`.
///
/// A folder is one input, because it may hold a file per record: its SHA-256 is that of the lines `<sha256>  <name>` of its
/// files in order, as `sha256sum` prints them.
///
/// # Errors
///
/// When a file cannot be read.
pub(super) fn input(path: &Path, files: &[DumpFile]) -> Result<Input, OcmError> {
    let describe = |path: &Path| input_of(path).map_err(|source| OcmError::read(path, source));
    if !path.is_dir() {
        return describe(path);
    }
    let mut hasher = Sha256::new();
    let mut size_bytes = 0;
    for file in files {
        let input = describe(&file.path)?;
        size_bytes += input.size_bytes;
        hasher.update(format!("{}  {}\n", input.sha256, file.name));
    }
    Ok(Input { name: name_of(path), size_bytes, sha256: hex(&hasher.finalize()) })
}

/// The last part of a path that has one, also of `.` and of `folder/..`.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().map(ToOwned::to_owned);
    let name = name.or_else(|| path.canonicalize().ok()?.file_name().map(ToOwned::to_owned));
    name.unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_walked_by_name_without_what_is_hidden_or_foreign() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["b/2.json", "b/10.JSON.gz", "a.ndjson", "c.jsonl", ".git/x.json", ".y.json", "readme.md", "b.txt", "b.gz"]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let found = files(folder.path()).unwrap();
        assert_eq!(
            found.iter().map(|file| (file.name.as_str(), file.size_bytes)).collect::<Vec<_>>(),
            [("a.ndjson", 8), ("b/10.JSON.gz", 12), ("b/2.json", 8), ("c.jsonl", 7)]
        );
        let described = input(folder.path(), &found).unwrap();
        assert_eq!(described.size_bytes, 35);
        // sha256sum a.ndjson b/10.JSON.gz b/2.json c.jsonl | sha256sum
        assert_eq!(described.sha256, "875ad0e946d5fbf05ffeef6df4d8d7a0b6247ee0c92fd932b3b3a62eb9aa9ea7");
    }

    #[test]
    fn an_empty_folder_and_a_missing_path_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(files(folder.path()), Err(OcmError::EmptyFolder { .. })));
        assert!(matches!(files(&folder.path().join("none")), Err(OcmError::Missing { .. })));
    }
}
