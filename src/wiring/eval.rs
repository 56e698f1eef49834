//! Evaluation: labelled pairs, tables and model files as the command line names them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::adapters::io::write_whole;
use crate::adapters::labels::{TwoTables, label_files, read_labels, read_two_tables};
use crate::config;
use crate::domain::{Operators, Taxonomy};
use crate::pipeline::RunError;
use crate::pipeline::conflate::Model;
use crate::pipeline::evaluate::LabelledSet;

/// Labelled pairs that are measured together: a file, or the files of a folder.
#[derive(Debug)]
pub struct LabelSet {
    /// What it is called: its path, without what all sets have in common.
    pub name: String,
    /// The group that the command line names, if any.
    pub group: Option<String>,
    /// Its files.
    pub files: Vec<PathBuf>,
    /// The file, or the folder.
    pub path: PathBuf,
    /// The pairs.
    pub labelled: LabelledSet,
    /// Pairs left out because their label says neither.
    pub unread_labels: usize,
    /// What was left out or not understood.
    pub notes: Vec<String>,
}

/// Reads labelled pairs: each file is a set, and so are the files of each folder at or below a path. `GROUP=PATH` names the
/// group of a path's sets.
///
/// # Errors
///
/// [`RunError::Input`] when a path is missing or holds no usable pair.
pub fn label_sets(paths: &[PathBuf]) -> Result<Vec<LabelSet>, RunError> {
    let (_, operators) = config::shipped();
    let mut sets: Vec<LabelSet> = Vec::new();
    let mut seen = BTreeSet::new();
    for given in paths {
        let (group, path) = group_and_path(given);
        let unusable = |error| RunError::input(path.display().to_string(), error);
        for files in label_files(&path).map_err(unusable)? {
            if !seen.insert(files.clone()) {
                continue;
            }
            let read = read_labels(&files, &operators).map_err(unusable)?;
            let of_set = if path.is_dir() { files[0].parent().unwrap_or(&path) } else { &path };
            let (path, group) = (of_set.to_owned(), group.clone());
            let (labelled, unread_labels, notes) = (read.set, read.unread_labels, read.notes);
            sets.push(LabelSet { name: String::new(), group, files, path, labelled, unread_labels, notes });
        }
    }
    let names = short_names(&sets.iter().map(|set| set.path.as_path()).collect::<Vec<_>>());
    for (set, name) in sets.iter_mut().zip(names) {
        set.name = name;
    }
    Ok(sets)
}

/// `GROUP=PATH`, unless there is a file of that whole name.
fn group_and_path(given: &Path) -> (Option<String>, PathBuf) {
    let text = given.to_string_lossy();
    match text.split_once('=') {
        Some((group, path)) if !group.is_empty() && !group.contains('/') && !given.exists() => {
            (Some(group.to_owned()), PathBuf::from(path))
        }
        _ => (None, given.to_owned()),
    }
}

/// Paths without the folders that all of them lie in; a single one keeps its last two parts.
fn short_names(paths: &[&Path]) -> Vec<String> {
    let parts: Vec<Vec<String>> = paths
        .iter()
        .map(|path| path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect())
        .collect();
    let shortest = parts.iter().map(Vec::len).min().unwrap_or(0);
    let same = |at: &usize| parts.iter().all(|path| path[*at] == parts[0][*at]);
    let shared = (0..shortest).take_while(same).count();
    let name = |path: &Vec<String>| {
        let keep = if parts.len() == 1 { 2 } else { (path.len() - shared).max(1) };
        path[path.len().saturating_sub(keep)..].join("/")
    };
    parts.iter().map(name).collect()
}

/// Reads two whole tables and the pairs of theirs that are one place, and the categories that say how far to look.
///
/// # Errors
///
/// [`RunError::Input`] when one of the files cannot be used.
pub fn two_tables(tables: [&Path; 2], truth: &Path) -> Result<(TwoTables, Taxonomy), RunError> {
    let (taxonomy, operators): (Taxonomy, Operators) = config::shipped();
    let read = read_two_tables(tables, truth, &operators).map_err(|error| RunError::input("tables", error))?;
    Ok((read, taxonomy))
}

/// The categories that every binary carries.
#[must_use]
pub fn shipped_taxonomy() -> Taxonomy {
    config::shipped().0
}

/// Reads a model file.
///
/// # Errors
///
/// [`RunError::Settings`] when it cannot be read or is no model.
pub fn model(path: &Path) -> Result<Model, RunError> {
    let wrong = |why: String| RunError::settings(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Model::parse(&text).map_err(|error| {
        let cause = std::error::Error::source(&error).map_or(String::new(), |cause| format!(": {cause}"));
        wrong(format!("{error}{cause}").trim_end().to_owned())
    })
}

/// Whether a result file can be named so, before any work is done for it.
///
/// # Errors
///
/// [`RunError::Settings`] when it is a folder.
pub fn check_file(option: &str, path: &Path) -> Result<(), RunError> {
    if path.is_dir() {
        return Err(RunError::settings(format!("{option} {} is a folder; name a file in it", path.display())));
    }
    Ok(())
}

/// Writes a result file, whole or not at all.
///
/// # Errors
///
/// [`RunError::Failed`] when it cannot be written.
pub fn write_file(path: &Path, text: &str) -> Result<(), RunError> {
    let failed = |error| RunError::failed(format!("cannot write {}: {error}", path.display()));
    write_whole(path, text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_named_by_what_tells_them_apart() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&["/data/geo-er/fsq/edi", "/data/geo-er/yelp/edi"], &["fsq/edi", "yelp/edi"]),
            (&["a/train.txt", "a/valid.txt"], &["train.txt", "valid.txt"]),
            (&["/data/geo-er/fsq/edi"], &["fsq/edi"]),
            (&["pairs.csv"], &["pairs.csv"]),
            (&["a", "a/b"], &["a", "b"]),
        ];
        for (paths, names) in cases {
            assert_eq!(short_names(&paths.iter().map(Path::new).collect::<Vec<_>>()), names);
        }
        assert_eq!(short_names(&[]), [""; 0]);
    }

    #[test]
    fn a_group_stands_before_the_path() {
        let cases = [
            ("edi=a/b", (Some("edi"), "a/b")),
            ("a/b=c", (None, "a/b=c")),
            ("a/b", (None, "a/b")),
            ("=a", (None, "=a")),
        ];
        for (given, (group, path)) in cases {
            assert_eq!(group_and_path(Path::new(given)), (group.map(str::to_owned), PathBuf::from(path)), "{given}");
        }
    }
}
