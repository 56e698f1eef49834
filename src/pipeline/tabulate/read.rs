//! Read: tables as rows of cells.

use arrow_array::RecordBatch;

use super::{Row, Table, cells};
use crate::pipeline::RunError;
use crate::pipeline::ports::Tables;

/// Reads a table as rows of cells, with the named columns; all of them for an empty list.
///
/// # Errors
///
/// When the table cannot be read.
pub fn read_rows(from: &dyn Tables, table: &Table, columns: &[&str]) -> Result<Vec<Row>, RunError> {
    let mut rows = Vec::new();
    from.read(&table.name, columns, &mut |batch| {
        rows.extend(batch_rows(table, &batch));
        Ok(())
    })?;
    Ok(rows)
}

/// The rows of a batch whose columns are some of a table's. Columns that the table does not know are left out.
#[must_use]
pub fn batch_rows(table: &Table, batch: &RecordBatch) -> Vec<Row> {
    let mut columns: Vec<_> = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(batch.columns())
        .filter_map(|(field, array)| Some(cells(&table.column(field.name())?.kind, array).into_iter()))
        .collect();
    (0..batch.num_rows()).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect()
}
