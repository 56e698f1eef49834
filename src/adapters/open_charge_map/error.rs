//! Why reading an Open Charge Map dump can fail.

use std::io;
use std::path::{Path, PathBuf};

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

    /// There is not one byte of JSON in it.
    #[error("{path} is empty; fetch it again")]
    Empty { path: PathBuf },

    /// The folder holds no dump.
    #[error("{path} holds no file ending in .json, .ndjson or .jsonl, gzip or not")]
    EmptyFolder { path: PathBuf },

    /// It begins like no shape of the dump, e.g. a page of HTML.
    #[error("{path} is not JSON: it begins with `{beginning}`")]
    NotJson { path: PathBuf, beginning: String },

    /// It is JSON, but not of Open Charge Map.
    #[error("{path} holds no Open Charge Map record: not one has a number as its `ID`")]
    NoRecords { path: PathBuf },

    /// The file ends too early.
    #[error("{path} is cut off after record {records}; fetch it again")]
    Cut { path: PathBuf, records: u64 },

    /// The file is not what its beginning promises. The offset counts bytes of text, after gzip.
    #[error("{path} is damaged at byte {offset_bytes}; fetch it again")]
    Damaged { path: PathBuf, offset_bytes: u64 },

    /// Its gzip stream does not check.
    #[error("{path} is damaged after record {records}; fetch it again")]
    Compression { path: PathBuf, records: u64, source: io::Error },

    /// A record of unreasonable size, so probably no dump of records at all.
    #[error("record {record} of {path} is larger than {limit_bytes} bytes; is it a dump of Open Charge Map?")]
    TooLarge { path: PathBuf, record: u64, limit_bytes: usize },

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

    /// A failure in the middle of `path`, after so many whole records.
    pub(super) fn interrupted(path: &Path, records: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut { path, records },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Compression { path, records, source },
            _ => Self::Read { path, source },
        }
    }
}
