//! Wide: full rows of a layer, a few at a time.

use arrow_array::RecordBatch;
use arrow_schema::DataType;

use super::super::super::RunError;
use super::super::super::ports::Tables;
use super::super::super::tabulate::{GeometryRole, Kind, Row, cells, tables::PLACES};
use crate::domain::Cell;

/// Full rows of a table, with the names of its columns.
#[derive(Default)]
pub(super) struct Wide {
    columns: Vec<String>,
    /// Places of the rows in their table, sorted.
    places: Vec<u64>,
    rows: Vec<Row>,
}

/// A full row.
#[derive(Clone, Copy)]
pub(super) struct WideRow<'a> {
    pub(super) columns: &'a [String],
    pub(super) cells: &'a [Cell],
}

/// Reads the rows at these places of a table, in any order.
pub(super) fn read_wide(tables: &dyn Tables, table: &str, mut places: Vec<u64>) -> Result<Wide, RunError> {
    places.sort_unstable();
    let mut wide = Wide { places, ..Wide::default() };
    if wide.places.is_empty() {
        return Ok(wide);
    }
    let Wide { columns, places, rows } = &mut wide;
    tables.read_rows(table, places, &mut |batch| {
        if columns.is_empty() {
            columns.extend(batch.schema_ref().fields().iter().map(|field| field.name().clone()));
        }
        rows.extend(rows_of(&batch)?);
        Ok(())
    })?;
    Ok(wide)
}

impl Wide {
    /// The row at this place of its table.
    pub(super) fn row(&self, place: u64) -> Result<WideRow<'_>, RunError> {
        let at = self.places.binary_search(&place).ok();
        let cells = at.and_then(|at| self.rows.get(at));
        let cells = cells.ok_or_else(|| RunError::failed(format!("a layer ends before its row {place}")))?;
        Ok(WideRow { columns: &self.columns, cells })
    }
}

impl<'a> WideRow<'a> {
    /// Names and values.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, &'a Cell)> {
        self.columns.iter().map(String::as_str).zip(self.cells)
    }

    /// The value of a column; of one that the table lacks it is missing.
    pub(super) fn get(self, column: &str) -> &'a Cell {
        self.iter().find(|(name, _)| *name == column).map_or(&Cell::Null, |(_, cell)| cell)
    }
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<Row>, RunError> {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    let mut columns = fields
        .map(|(field, array)| {
            let kind = kind_of(field.data_type()).ok_or_else(|| {
                RunError::failed(format!("column `{}` of a layer is of a type that no layer has", field.name()))
            })?;
            Ok(cells(&kind, array).into_iter())
        })
        .collect::<Result<Vec<_>, RunError>>()?;
    Ok((0..batch.num_rows()).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect())
}

/// The kind of a layer's column. The pipeline file that an older snapshot was made with is not at hand, its types are.
fn kind_of(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Utf8 => Kind::Text,
        DataType::Boolean => Kind::Bool,
        DataType::Int32 => Kind::Int32,
        DataType::Int64 => Kind::Int64,
        DataType::Float64 => Kind::Float64,
        DataType::Timestamp(..) => Kind::Time,
        DataType::FixedSizeBinary(16) => Kind::Hash16,
        DataType::Binary => Kind::Geometry(GeometryRole::Any),
        DataType::List(_) => Kind::List(&Kind::Text),
        DataType::Map(..) => Kind::Map,
        // The only struct is the box, which is the same in every table.
        DataType::Struct(_) => PLACES.column("bbox")?.kind,
        _ => return None,
    })
}
