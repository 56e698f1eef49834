//! Why reading an OCPI feed can fail.

use std::io;
use std::path::PathBuf;

use crate::adapters::io::RecordsError;

/// A failure that ends the run: the feed as a whole cannot be trusted. One bad location is a `Reject` instead.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum OcpiError {
    /// The file could not be read a second time.
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },

    /// Its locations cannot be told apart.
    #[error(transparent)]
    Records(#[from] RecordsError),

    /// The server answered with an error instead of locations.
    #[error("{path} holds no locations but the answer {status_code} of the server: {message}; fetch it again")]
    Refused { path: PathBuf, status_code: i64, message: String },

    /// It is JSON, but no feed of locations.
    #[error("{path} holds no OCPI location: not one record has an `id`")]
    NoLocations { path: PathBuf },
}
