//! Why labelled pairs or tables cannot be used at all.

use std::io;
use std::path::PathBuf;

/// Why labelled pairs or tables cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum LabelsError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} holds no file of labelled pairs; their names end in .csv, .tsv or .txt", path.display())]
    NoFiles { path: PathBuf },
    #[error("{} is empty; it should name its columns in the first line and have a record or a pair in each that follows", path.display())]
    Empty { path: PathBuf },
    #[error("line {line} of {} is not UTF-8 text; convert it, e.g. with iconv", path.display())]
    NotText { path: PathBuf, line: usize },
    #[error("{} is not CSV", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error(
        "{} has no column of labels; name one `label`, with 1 or 0, true or false, match or miss, always or never", path.display()
    )]
    NoLabel { path: PathBuf },
    #[error(
        "line 1 of {} does not name two columns per attribute, told apart by a prefix (osm_name,fsq_name) or a suffix \
         (name_a,name_b); it names {columns}", path.display()
    )]
    NoSides { path: PathBuf, columns: String },
    #[error("line 1 of {} has no {what} for `{side}`; it needs one of {names}", path.display())]
    NoColumn { path: PathBuf, what: &'static str, side: String, names: String },
    #[error("no pair of {} can be used{}", path.display(), because(notes))]
    NoPairs { path: PathBuf, notes: Vec<String> },
}

fn because(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) }
}
