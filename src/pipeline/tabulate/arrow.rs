//! Cells to Arrow arrays and back: one pair of functions for every table and every nested type.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, FixedSizeBinaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray, MapArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};

use super::{Kind, Table};
use crate::domain::Cell;
use crate::pipeline::RunError;

/// Fewest rows in one batch, and in one row group of a file: small enough to skip by box, large enough to compress.
///
/// GeoParquet's guide says 50,000 to 150,000, and the fewest skip best: of 1 million places spread over the globe, a box of
/// 20 km needs 8 % of the row groups of 50,000, 10 % of those of 65,536 and 16 % of those of 100,000.
pub const GROUP_ROWS: usize = 50_000;

/// Rows in each row group of a table of so many: equal shares of 50,000 to 100,000, so that none is a small rest whose box
/// lies within that of another.
#[must_use]
pub fn group_rows(rows: usize) -> usize {
    rows.div_ceil((rows / GROUP_ROWS).max(1)).max(1)
}

/// Rows of cells, in the order of the table's columns, as batches.
pub fn rows_to_batches<'a, R>(
    table: &'a Table,
    rows: impl IntoIterator<Item = R> + 'a,
) -> impl Iterator<Item = Result<RecordBatch, RunError>> + 'a
where
    R: AsRef<[Cell]> + 'a,
{
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<R> = rows.by_ref().take(GROUP_ROWS).collect();
        (!chunk.is_empty()).then(|| rows_to_batch(table, &chunk))
    })
}

/// Rows of cells, in the order of the table's columns, as one batch.
///
/// # Errors
///
/// When a value is missing that must not be.
pub fn rows_to_batch<R: AsRef<[Cell]>>(table: &Table, rows: &[R]) -> Result<RecordBatch, RunError> {
    let columns = table.columns.iter().enumerate().map(|(at, column)| {
        let cells: Vec<&Cell> = rows.iter().map(|row| &row.as_ref()[at]).collect();
        array(&column.kind, &cells)
    });
    RecordBatch::try_new(table.schema(), columns.collect()).map_err(RunError::failed)
}

/// One array of cells of one kind. A cell of another kind counts as missing.
fn array(kind: &Kind, cells: &[&Cell]) -> ArrayRef {
    macro_rules! primitive {
        ($array:ty, $pattern:pat => $value:expr) => {
            Arc::new(
                cells
                    .iter()
                    .map(|cell| match cell {
                        $pattern => Some($value),
                        _ => None,
                    })
                    .collect::<$array>(),
            )
        };
    }
    match kind {
        Kind::Uuid | Kind::Text | Kind::Json => {
            Arc::new(cells.iter().map(|cell| cell.as_text()).collect::<StringArray>())
        }
        Kind::Bool => primitive!(BooleanArray, Cell::Bool(value) => *value),
        Kind::Int32 => primitive!(Int32Array, Cell::Int(value) => i32::try_from(*value).unwrap_or(i32::MAX)),
        Kind::Int64 => primitive!(Int64Array, Cell::Int(value) => *value),
        Kind::Float32 => primitive!(Float32Array, Cell::Float(value) => *value as f32),
        Kind::Float64 => primitive!(Float64Array, Cell::Float(value) => *value),
        Kind::Time => {
            let times: TimestampMicrosecondArray =
                cells.iter().map(|cell| if let Cell::Time(micros) = cell { Some(*micros) } else { None }).collect();
            Arc::new(times.with_timezone("UTC"))
        }
        Kind::Hash16 => {
            let mut builder = FixedSizeBinaryBuilder::with_capacity(cells.len(), 16);
            for cell in cells {
                match cell {
                    Cell::Bytes(bytes) if bytes.len() == 16 => {
                        builder.append_value(bytes).expect("a hash has 16 bytes");
                    }
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        Kind::Geometry(_) => {
            let mut builder = BinaryBuilder::new();
            for cell in cells {
                builder.append_option(if let Cell::Bytes(bytes) = cell { Some(bytes) } else { None });
            }
            Arc::new(builder.finish())
        }
        Kind::List(item) => {
            let lists: Vec<&[Cell]> =
                cells.iter().map(|cell| if let Cell::List(items) = cell { items.as_slice() } else { &[] }).collect();
            let values: Vec<&Cell> = lists.iter().copied().flatten().collect();
            let field = Arc::new(Field::new("element", item.arrow(), false));
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.len()));
            let nulls = present(cells, |cell| matches!(cell, Cell::List(_)));
            Arc::new(ListArray::new(field, offsets, array(item, &values), nulls))
        }
        Kind::Struct(fields) => {
            let nulls = present(cells, |cell| matches!(cell, Cell::Struct(_)));
            let columns = fields.iter().enumerate().map(|(at, (_, kind))| {
                let column: Vec<&Cell> = cells
                    .iter()
                    .map(|cell| if let Cell::Struct(values) = cell { &values[at].1 } else { &Cell::Null })
                    .collect();
                array(kind, &column)
            });
            Arc::new(StructArray::new(Kind::fields(fields), columns.collect(), nulls))
        }
        Kind::Map => {
            let maps: Vec<&[(String, String)]> =
                cells.iter().map(|cell| if let Cell::Map(pairs) = cell { pairs.as_slice() } else { &[] }).collect();
            let pairs = || maps.iter().copied().flatten();
            let keys: StringArray = pairs().map(|(key, _)| Some(key)).collect();
            let values: StringArray = pairs().map(|(_, value)| Some(value)).collect();
            let DataType::Map(field, sorted) = kind.arrow() else { unreachable!("a map is a map") };
            let DataType::Struct(entry) = field.data_type() else { unreachable!("the entries of a map are a struct") };
            let entries = StructArray::new(entry.clone(), vec![Arc::new(keys), Arc::new(values)], None);
            let offsets = OffsetBuffer::from_lengths(maps.iter().map(|map| map.len()));
            let nulls = present(cells, |cell| matches!(cell, Cell::Map(_)));
            Arc::new(MapArray::new(field, offsets, entries, nulls, sorted))
        }
    }
}

/// Which cells are there; `None` when all are.
fn present(cells: &[&Cell], is_present: impl Fn(&Cell) -> bool) -> Option<NullBuffer> {
    let bits: Vec<bool> = cells.iter().map(|cell| is_present(cell)).collect();
    bits.contains(&false).then(|| NullBuffer::from(bits))
}

/// The values of a column as cells; the inverse of [`rows_to_batches`].
#[must_use]
pub fn cells(kind: &Kind, column: &ArrayRef) -> Vec<Cell> {
    let each = |value: &dyn Fn(usize) -> Cell| {
        (0..column.len()).map(|row| if column.is_null(row) { Cell::Null } else { value(row) }).collect()
    };
    match kind {
        Kind::Uuid | Kind::Text | Kind::Json => {
            let array = column.as_string::<i32>();
            each(&|row| Cell::Text(array.value(row).to_owned()))
        }
        Kind::Bool => {
            let array = column.as_boolean();
            each(&|row| Cell::Bool(array.value(row)))
        }
        Kind::Int32 => {
            let array = column.as_primitive::<Int32Type>();
            each(&|row| Cell::Int(array.value(row).into()))
        }
        Kind::Int64 => {
            let array = column.as_primitive::<Int64Type>();
            each(&|row| Cell::Int(array.value(row)))
        }
        Kind::Float32 => {
            let array = column.as_primitive::<Float32Type>();
            each(&|row| Cell::Float(array.value(row).into()))
        }
        Kind::Float64 => {
            let array = column.as_primitive::<Float64Type>();
            each(&|row| Cell::Float(array.value(row)))
        }
        Kind::Time => {
            let array = column.as_primitive::<TimestampMicrosecondType>();
            each(&|row| Cell::Time(array.value(row)))
        }
        Kind::Hash16 => {
            let array = column.as_fixed_size_binary();
            each(&|row| Cell::Bytes(array.value(row).to_vec()))
        }
        Kind::Geometry(_) => {
            let array = column.as_binary::<i32>();
            each(&|row| Cell::Bytes(array.value(row).to_vec()))
        }
        Kind::List(item) => {
            let array = column.as_list::<i32>();
            each(&|row| Cell::List(cells(item, &array.value(row))))
        }
        Kind::Struct(fields) => {
            let array = column.as_struct();
            let columns: Vec<Vec<Cell>> =
                fields.iter().zip(array.columns()).map(|((_, kind), column)| cells(kind, column)).collect();
            each(&|row| {
                Cell::Struct(
                    fields.iter().zip(&columns).map(|((name, _), cells)| (*name, cells[row].clone())).collect(),
                )
            })
        }
        Kind::Map => {
            let array = column.as_map();
            each(&|row| {
                let entry = array.value(row);
                let (keys, values) = (entry.column(0).as_string::<i32>(), entry.column(1).as_string::<i32>());
                Cell::Map((0..entry.len()).map(|at| (keys.value(at).to_owned(), values.value(at).to_owned())).collect())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tabulate::Column;
    use crate::pipeline::tabulate::table::optional;

    #[test]
    fn row_groups_are_equal_shares() {
        let cases = [(0, 1), (1, 1), (99_999, 99_999), (100_000, 50_000), (149_999, 75_000), (1_000_000, 50_000)];
        for (rows, each) in cases {
            assert_eq!(group_rows(rows), each, "{rows}");
        }
    }

    #[test]
    fn nested_rows_survive_the_way_to_arrow_and_back() {
        const PAIR: &[(&str, Kind)] = &[("a", Kind::Int32), ("b", Kind::List(&Kind::Text))];
        const COLUMNS: &[Column] = &[
            optional("s", Kind::Struct(PAIR), ""),
            optional("l", Kind::List(&Kind::Struct(PAIR)), ""),
            optional("m", Kind::Map, ""),
            optional("t", Kind::Time, ""),
            optional("h", Kind::Hash16, ""),
        ];
        let table = Table { name: "t".into(), schema_version: 1, doc: "".into(), columns: COLUMNS.into() };
        let pair = |a, b: &[&str]| {
            let list = b.iter().map(|text| Cell::Text((*text).to_owned())).collect();
            Cell::Struct(vec![("a", a), ("b", Cell::List(list))])
        };
        let rows = vec![
            vec![
                pair(Cell::Int(1), &["x", "y"]),
                Cell::List(vec![pair(Cell::Null, &[]), pair(Cell::Int(2), &["z"])]),
                Cell::Map(vec![("k".into(), "v".into())]),
                Cell::Time(1_000_001),
                Cell::Bytes(vec![7; 16]),
            ],
            vec![Cell::Null, Cell::List(vec![]), Cell::Map(vec![]), Cell::Null, Cell::Null],
            vec![pair(Cell::Null, &[]), Cell::Null, Cell::Null, Cell::Time(-1), Cell::Bytes(vec![0; 16])],
        ];
        let batches: Vec<_> = rows_to_batches(&table, rows.clone()).collect::<Result<_, _>>().expect("rows fit");
        let back: Vec<Vec<Cell>> =
            COLUMNS.iter().enumerate().map(|(at, column)| cells(&column.kind, batches[0].column(at))).collect();
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(*row, back.iter().map(|column| column[at].clone()).collect::<Vec<_>>());
        }
    }
}
