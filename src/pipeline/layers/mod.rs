//! Layers: rows of OSM objects as they are, by the million. They are encoded where they are read, sorted outside of
//! memory where they must be, and become columns only as they are written.

mod columns;
mod decode;
mod merge;
mod row;
mod sort;
mod table;

pub use columns::{Tally, layer_batch};
pub(in crate::pipeline) use row::Extent;
pub use row::{LayerFeature, LayerRows, LayerShape, RowKey};
pub use sort::{Sorted, SortedRows, Sorter};
pub use table::{layer_table, reserved_columns, table_name, table_of_no_columns};

#[cfg(test)]
mod tests;
