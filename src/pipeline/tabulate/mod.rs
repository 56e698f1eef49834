//! Tabulate: turn what was found into tables. The columns of every table are defined once, in [`tables`]; [`rows`]
//! says what stands in them.

mod arrow;
mod dictionary;
pub mod rows;
pub mod table;
pub mod tables;

pub use arrow::{cells, rows_to_batches};
pub use dictionary::dictionary;
pub use rows::Row;
pub use table::{Column, GeometryRole, Kind, Table};

use super::RunError;
use super::ports::Tables;

/// Reads a table as rows of cells, with the named columns; all of them for an empty list.
///
/// # Errors
///
/// When the table cannot be read.
pub fn read_rows(from: &dyn Tables, table: &Table, columns: &[&str]) -> Result<Vec<Row>, RunError> {
    let mut rows = Vec::new();
    from.read(table.name, columns, &mut |batch| {
        rows.extend(batch_rows(table, &batch));
        Ok(())
    })?;
    Ok(rows)
}

/// The rows of a batch whose columns are some of a table's. Columns that the table does not know are left out.
#[must_use]
pub fn batch_rows(table: &Table, batch: &arrow_array::RecordBatch) -> Vec<Row> {
    let mut columns: Vec<_> = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(batch.columns())
        .filter_map(|(field, array)| Some(cells(&table.column(field.name())?.kind, array).into_iter()))
        .collect();
    (0..batch.num_rows()).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect()
}
