//! Why keeping or opening a snapshot can fail.

use std::io;
use std::path::PathBuf;

/// A failure of the snapshot store.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum StoreError {
    #[error("cannot write {path}; check the disk's free space and who may write there")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "there is no snapshot at {path}; give its folder, which holds manifest.json, or a link to it such as `latest`"
    )]
    NoSnapshot { path: PathBuf },
    #[error("{path} points to no snapshot; link it to one of the folders beside it, or remove it to begin anew")]
    BrokenLatest { path: PathBuf },
    #[error("the manifest of {path} cannot be understood; it is damaged or of a newer version")]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("released.json of {path} cannot be understood; remove it if the snapshot is to be held again")]
    Release { path: PathBuf, source: serde_json::Error },
    #[error("{path} is not in a store: its folder must be <store>/{pipeline}/{snapshot}, as the run left it")]
    NotInStore { path: PathBuf, pipeline: String, snapshot: String },
    #[error("{path} is the latest snapshot and stays")]
    IsLatest { path: PathBuf },
    #[error("cannot write the table {path}")]
    WriteTable { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("cannot read the table {path}; the file is damaged")]
    ReadTable { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("cannot read the table {path}; its data is damaged")]
    Decode { path: PathBuf, source: arrow_schema::ArrowError },
    #[error("{path} has no column `{column}`; it was written by another version")]
    NoColumn { path: PathBuf, column: String },
}
