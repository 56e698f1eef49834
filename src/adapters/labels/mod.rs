//! Labelled pairs and whole tables, as research data sets and people write them.
//!
//! - **Ditto text**: `COL name VAL … COL latitude VAL … ⇥ COL name VAL … ⇥ 1`, a pair a line (Li et al. 2020, *PVLDB*
//!   14:50; Geo-ER publishes its sets so).
//! - **CSV of pairs**: two columns per attribute, told apart by a prefix (`osm_name,fsq_name`) or a suffix
//!   (`name_a,name_b`), and a label.
//! - **CSV of a table**: a record a line.
//!
//! What a file is, its first line says. A record that stands in several pairs is one record: by its id, else by all that
//! is said of it. A pair that cannot be used is counted and told, and ends nothing.

mod collected;
mod columns;
mod ditto;
mod error;
mod lines;
mod pairs_csv;
mod record;
mod tables;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use error::LabelsError;
pub use tables::{TwoTables, read_two_tables};

use crate::adapters::io::open_decompressed;
use crate::domain::Operators;
use crate::pipeline::evaluate::LabelledSet;
use collected::Collected;
use lines::lines;

/// Endings of files that are looked for in a folder, also with `.gz` behind.
const ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];

/// What some files of labelled pairs held.
#[derive(Debug)]
pub struct ReadLabels {
    /// The usable pairs.
    pub set: LabelledSet,
    /// Pairs left out because their label says neither.
    pub unread_labels: usize,
    /// What was left out or not understood, a sentence each.
    pub notes: Vec<String>,
}

/// Reads files of labelled pairs as one set: a record that several of them have is one.
///
/// # Errors
///
/// When a file cannot be read or is of no known form, or there is no usable pair.
pub fn read_labels(files: &[PathBuf], operators: &Operators) -> Result<ReadLabels, LabelsError> {
    let mut collected = Collected::new(operators);
    for file in files {
        let text = text_of(file)?;
        if ditto::is_ditto(&text) {
            ditto::read(&text, file, &mut collected);
        } else {
            pairs_csv::read(&text, file, &mut collected)?;
        }
    }
    let read = collected.into_read();
    match files.first() {
        Some(first) if read.set.pairs.is_empty() => {
            Err(LabelsError::NoPairs { path: first.clone(), notes: read.notes })
        }
        _ => Ok(read),
    }
}

/// Files of labelled pairs below a path, by the folder they lie in: a file is itself, in a folder all with a known ending.
///
/// # Errors
///
/// When the path cannot be read, or a folder has no such file.
pub fn label_files(path: &Path) -> Result<Vec<Vec<PathBuf>>, LabelsError> {
    if !path.is_dir() {
        return Ok(vec![vec![path.to_owned()]]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |source| LabelsError::Read { path: folder.clone(), source };
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if is_label_file(&entry) {
                files.push(entry);
            }
        }
        files.sort();
        if !files.is_empty() {
            found.push(files);
        }
    }
    found.sort();
    if found.is_empty() { Err(LabelsError::NoFiles { path: path.to_owned() }) } else { Ok(found) }
}

fn is_label_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// The text of a file, through gzip where it is compressed, without a byte order mark.
fn text_of(path: &Path) -> Result<String, LabelsError> {
    let unreadable = |source| LabelsError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    open_decompressed(path, |_| ()).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(unreadable)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(LabelsError::Empty { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|error| {
        let read = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let line = lines(&read).count() + usize::from(read.is_empty() || read.ends_with(['\n', '\r']));
        LabelsError::NotText { path: path.to_owned(), line }
    })
}
