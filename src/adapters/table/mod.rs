//! Tables and vector files of other tools. So far: the boundary of a region, from GeoJSON, and with the feature `gdal`
//! from every format that GDAL reads.

mod boundary;
mod mapping;
mod source;

pub use boundary::{BoundaryError, read_boundary};
pub use mapping::Mapping;
pub use source::TableFile;
