//! Why reading an Open Charge Map dump can fail.

use std::io;
use std::path::{Path, PathBuf};

use crate::adapters::io::RecordsError;

/// A failure that ends the run: the dump as a whole cannot be trusted. One bad record is a `Reject` instead.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum OcmError {
    /// There is nothing of this name.
    #[error("there is no file or folder {path}; correct the source's `path`, or say --input NAME=PATH")]
    Missing { path: PathBuf },

    /// The file or folder could not be opened or read.
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },

    /// Its records cannot be told apart.
    #[error(transparent)]
    Records(#[from] RecordsError),

    /// The folder holds no dump.
    #[error("{path} holds no file ending in .json, .ndjson, .jsonl, .geojson or .csv, gzip or not")]
    EmptyFolder { path: PathBuf },

    /// It is JSON, but not of Open Charge Map.
    #[error("{path} holds no Open Charge Map record: not one has a number as its `ID`")]
    NoRecords { path: PathBuf },

    /// The reference data could not be understood.
    #[error("{path} is not JSON")]
    ReferenceJson { path: PathBuf, source: serde_json::Error },

    /// The reference data is something else.
    #[error("{path} is not reference data of Open Charge Map: it has no `Operators`, `Countries` or `DataProviders`")]
    NotReference { path: PathBuf },
}

impl OcmError {
    /// A failure to open or read `path`.
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Read { path, source },
        }
    }
}
