//! Layers: rows of OSM objects as they are, by the million. They are encoded where they are read, sorted outside of
//! memory where they must be, and become columns only as they are written.

mod row;

pub use row::{LayerFeature, LayerRows, LayerShape, RowKey};
