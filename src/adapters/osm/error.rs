//! Why a PBF file cannot be read.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use super::changes::ChangesError;

/// A failure that concerns the whole file.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum OsmError {
    #[error("there is no file {}; correct the source's `path`, or say --input NAME=PATH", path.display())]
    Missing { path: PathBuf },
    #[error("cannot read {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is empty; fetch it again", path.display())]
    Empty { path: PathBuf },
    #[error("{} is not an OSM PBF file; `osmium cat -o out.osm.pbf` makes one of the other OSM formats", path.display())]
    NotPbf { path: PathBuf },
    #[error("{} is damaged at byte {offset_bytes}; fetch it again", path.display())]
    Damaged { path: PathBuf, offset_bytes: u64, source: Fault },
    #[error("an update cannot be applied")]
    Update { source: Fault },
    #[error("the changes of the source cannot be applied")]
    Changes(#[from] ChangesError),
    #[error(
        "{} states positions with its ways, which changes do not; take `changes` out, or \
         `osmium apply-changes` and `osmium add-locations-to-ways` before",
        path.display()
    )]
    ChangesOnLocatedWays { path: PathBuf },
    #[error(
        "{} holds the full history of its objects, which is not supported; \
         `osmium time-filter {} -o latest.osm.pbf` keeps their newest versions",
        path.display(),
        path.display()
    )]
    FullHistory { path: PathBuf },
    #[error("{} requires the feature `{feature}`, which is not supported", path.display())]
    Feature { path: PathBuf, feature: String },
}

/// What is wrong with the bytes of a damaged file.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum Fault {
    #[error("it ends within a blob")]
    CutOff,
    #[error("a blob header of {size_bytes} bytes exceeds the format's limit of 64 KiB")]
    HeaderSize { size_bytes: u64 },
    #[error("a blob of {size_bytes} bytes exceeds the format's limit of 32 MiB")]
    BlobSize { size_bytes: u64 },
    #[error("the blob does not inflate to the size it states")]
    RawSize,
    #[error("a blob is compressed with {0}, which is not supported; `osmium cat` rewrites the file with zlib")]
    Codec(&'static str),
    #[error("the blob cannot be inflated")]
    Inflate(#[source] io::Error),
    #[error("its objects are not in order")]
    Order,
    #[error("{0}")]
    Structure(&'static str),
    #[error("the block cannot be decoded")]
    Decode(#[source] Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// Keeps the decoder's own error as a cause.
    pub(super) fn decode(error: osmpbf::Error) -> Self {
        Self::Decode(error.into())
    }
}
