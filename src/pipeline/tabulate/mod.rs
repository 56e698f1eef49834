//! Tabulate: turn what was found into tables. The columns of every table are defined once, in [`tables`].

mod arrow;
pub mod table;
pub mod tables;

pub use arrow::{cells, rows_to_batches};
pub use table::{Column, GeometryRole, Kind, Table};
