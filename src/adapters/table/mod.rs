//! Tables and vector files of others: the boundary of a region, and registers of any layout as a source.
//!
//! ```text
//! file ─ format ─▶ csv │ json │ parquet │ gdal ─▶ Row ─ translate, by the plan ─▶ Feature
//! ```
//!
//! What the columns mean is said in the pipeline file ([`Mapping`]); no register has code of its own.

mod boundary;
mod cell;
mod connectors;
mod convert;
mod csv;
mod error;
mod format;
#[cfg(feature = "gdal")]
mod gdal;
mod geometry;
mod json;
mod mapping;
mod objects;
mod open;
mod parquet;
mod plan;
mod projection;
mod reading;
mod source;
#[cfg(test)]
mod tests;
mod translate;
mod value;
mod week;

pub use boundary::{BoundaryError, read_boundary};
pub use error::TableError;
pub use mapping::Mapping;
pub use source::TableFile;
