//! Why reading a table can fail.

use std::io;
use std::path::{Path, PathBuf};

use crate::adapters::io::RecordsError;

/// A failure that ends the run: the file as a whole cannot be trusted. One bad row is a `Reject` instead.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum TableError {
    #[error("there is no file {path}; correct the source's `path`, or say --input NAME=PATH")]
    Missing { path: PathBuf },
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is cut off after line {line}; fetch it again")]
    Cut { path: PathBuf, line: u64 },
    #[error("{path} is empty; fetch it again")]
    Empty { path: PathBuf },
    #[error("{path} is a folder; name one file")]
    Folder { path: PathBuf },
    /// Its records cannot be told apart.
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("{path} is {what}, which is no table; fetch it again")]
    NoTable { path: PathBuf, what: &'static str },
    #[error("{path} is {what}; build poimill with `--features gdal` to read it")]
    NeedsGdal { path: PathBuf, what: &'static str },
    #[error("the mapping says `crs`; build poimill with `--features gdal` to reproject")]
    CrsNeedsGdal,
    #[error("`{crs}` is no coordinate system that PROJ knows; write e.g. `EPSG:2056`: {message}")]
    Crs { crs: String, message: String },
    #[error("{path} is in the coordinate system {crs}; build poimill with `--features gdal` to reproject it")]
    OtherCrs { path: PathBuf, crs: String },
    #[error("{path} is {found}; the key `format` says {expected}")]
    OtherFormat { path: PathBuf, found: &'static str, expected: &'static str },
    /// `help` is the nearest name and all that there are.
    #[error("{path} has no column `{column}`, which `{key}` names{help}; list it in `optional` if it may be missing")]
    UnknownColumn { path: PathBuf, column: String, key: String, help: Box<str> },
    #[error("{path} has {times} columns `{column}`, which `{key}` names; write `{column}#1` or `{column}#2`")]
    RepeatedColumn { path: PathBuf, column: String, key: String, times: usize },
    #[error(
        "{path} has no ids of its own; say in [source.table] which columns make one: id = \"…\", or {{ hash = […] }}"
    )]
    NoId { path: PathBuf },
    #[error("{path} has no geometry of its own; say in [source.table] where its rows are: lon and lat, or geometry")]
    NoGeometry { path: PathBuf },
    #[error("{path} cannot be read as Parquet; fetch it again")]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("{path} cannot be read as Parquet; fetch it again")]
    Arrow { path: PathBuf, source: arrow_schema::ArrowError },
    #[cfg(feature = "gdal")]
    #[error("GDAL cannot read {path}")]
    Gdal { path: PathBuf, source: gdal::errors::GdalError },
    #[error("{path} has the layers {known}; say in [source.table] which one: layer = \"…\"")]
    Layer { path: PathBuf, known: String },
}

impl TableError {
    /// A failure to open or read `path`, after so many lines.
    pub(super) fn read(path: &Path, line: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::UnexpectedEof => Self::Cut { path, line },
            _ => Self::Read { path, source },
        }
    }
}
