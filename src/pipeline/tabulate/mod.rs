//! Tabulate: turn what was found into tables. The columns of every table are defined once, in [`tables`]; [`rows`]
//! says what stands in them.

mod arrow;
pub mod conflicts;
mod dictionary;
mod read;
pub mod rows;
pub mod table;
pub mod tables;

pub use arrow::{GROUP_ROWS, cells, group_rows, rows_to_batch, rows_to_batches};
pub use dictionary::dictionary;
pub use read::{batch_rows, read_rows};
pub use rows::Row;
pub use table::{Column, GeometryRole, Kind, Table};
