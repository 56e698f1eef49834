//! Why an input was not brought up to date.

use std::io;
use std::path::{Path, PathBuf};

use super::super::HttpError;
use super::checksum::Algorithm;

/// Why an input was not brought up to date. What was there before is still there.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum FetchError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("cannot write {path}; check the disk's free space and who may write there")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("another fetch of {path} is at work; wait for it to end")]
    Busy { path: PathBuf },
    #[error("{path} is a folder, and one file is fetched; name a file in the source's `path`")]
    Folder { path: PathBuf },
    #[error("{url} answers with a page for people in place of data; open it in a browser to see what it says")]
    Markup { url: String },
    #[error("{url} holds nothing")]
    Nothing { url: String },
    #[error(
        "what came from {url} is not what its publisher describes: {algorithm} is {found}, and {place} says {expected}; \
         it was thrown away, so fetch again, or set `checksum = \"none\"` if you trust it"
    )]
    Checksum { url: String, algorithm: Algorithm, found: String, expected: String, place: String },
    #[error("{place} states no {algorithm} of the file; correct the source's `checksum`")]
    NoChecksum { place: String, algorithm: String },
    #[error("{url} is sent with the encoding `{encoding}`, which was not asked for and is not known here")]
    Encoding { url: String, encoding: String },
    #[error("what came from {url} is damaged inside its gzip encoding; it was thrown away, so fetch again")]
    Decode { url: String, source: io::Error },
    #[error("{url} answers {message}")]
    Answer { url: String, message: String },
    #[error("{told}; the stations are up to date, and the reference data are not")]
    Reference { told: String, source: Box<Self> },
    #[error("{message}")]
    Unfit { message: String },
}

impl FetchError {
    /// What was to be written, and why it was not.
    #[must_use]
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// What was to be read, and why it was not.
    #[must_use]
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// Whether the machine failed, and no input.
    #[must_use]
    pub fn is_of_machine(&self) -> bool {
        match self {
            Self::Write { .. } => true,
            Self::Reference { source, .. } => source.is_of_machine(),
            _ => false,
        }
    }
}
