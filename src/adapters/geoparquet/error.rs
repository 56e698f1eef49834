//! Why keeping or opening a snapshot can fail.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// A failure of the snapshot store.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum StoreError {
    #[error("cannot write {path}; check the disk's free space and who may write there")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {path}; check the disk and who may read there")]
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
    WriteTable { path: PathBuf, source: ParquetError },
    #[error("cannot read the table {path}; the file is damaged")]
    ReadTable { path: PathBuf, source: ParquetError },
    #[error("cannot read the table {path}; its data is damaged")]
    Decode { path: PathBuf, source: arrow_schema::ArrowError },
    #[error("{path} has no column `{column}`; it was written by another version")]
    NoColumn { path: PathBuf, column: String },
}

impl StoreError {
    /// A table that cannot be read: by the disk's fault, or because it is damaged.
    pub(super) fn read_table(path: &Path, source: ParquetError) -> Self {
        let path = path.to_owned();
        match of_disk(source) {
            Ok(source) => Self::Read { path, source },
            Err(source) => Self::ReadTable { path, source },
        }
    }
}

/// What the system said, where it is the cause. An end that comes too early is not the disk's fault.
fn of_disk(error: ParquetError) -> Result<io::Error, ParquetError> {
    let ParquetError::External(cause) = error else { return Err(error) };
    match cause.downcast::<io::Error>() {
        Ok(cause) if cause.raw_os_error().is_some() => Ok(*cause),
        Ok(cause) => Err(ParquetError::External(cause)),
        Err(cause) => Err(ParquetError::External(cause)),
    }
}
