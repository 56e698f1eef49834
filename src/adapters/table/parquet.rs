//! Parquet and `GeoParquet`: rows of the columns that are wanted, one row group after the other.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch, StructArray};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Number, Value};

use super::error::TableError;
use super::geometry::of_wkb;
use super::objects::Object;
use super::plan::Named;
use crate::domain::{Timestamp, hex};

/// Rows decoded at once.
const BATCH_ROWS: usize = 2_048;

/// What the metadata of a file says of its rows.
pub(super) struct Look {
    /// Columns at the top, in order.
    pub(super) names: Vec<String>,
    /// By slot, whether there is the column.
    pub(super) has: Vec<bool>,
    /// The column of the geometry, by the `GeoParquet` standard.
    pub(super) geometry: Option<String>,
    /// Its coordinate system, where it is not longitude and latitude.
    pub(super) crs: Option<String>,
    pub(super) rows: u64,
}

fn builder(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, TableError> {
    let file = File::open(path).map_err(|source| TableError::read(path, 0, source))?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|source| TableError::Parquet { path: path.to_owned(), source })
}

/// Reads the metadata.
///
/// # Errors
///
/// When it is no sound Parquet file.
pub(super) fn look(path: &Path, wanted: &[Named]) -> Result<Look, TableError> {
    let builder = builder(path)?;
    let fields = builder.schema().fields();
    let has = wanted.iter().map(|named| top(&named.column, |name| fields.find(name).is_some()).is_some()).collect();
    let metadata = builder.metadata().file_metadata();
    let geo = metadata.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "geo");
    let geo: Option<Value> = geo.and_then(|entry| serde_json::from_str(entry.value.as_deref()?).ok());
    let geometry = geo.as_ref().and_then(|geo| geo.get("primary_column")?.as_str()).map(str::to_owned);
    let crs = geometry.as_deref().and_then(|column| crs(geo.as_ref()?.get("columns")?.get(column)?.get("crs")?));
    Ok(Look {
        names: fields.iter().map(|field| field.name().clone()).collect(),
        has,
        geometry,
        crs,
        rows: u64::try_from(metadata.num_rows()).unwrap_or_default(),
    })
}

/// The code of a coordinate system that is not longitude and latitude in WGS 84.
fn crs(stated: &Value) -> Option<String> {
    let part = |name: &str| match stated.get("id")?.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if stated.is_null() {
        return None;
    }
    match (part("authority"), part("code")) {
        (Some(authority), Some(code)) if authority == "OGC" && code == "CRS84" => None,
        (Some(authority), Some(code)) if authority == "EPSG" && code == "4326" => None,
        (Some(authority), Some(code)) => Some(format!("{authority}:{code}")),
        _ => Some(stated.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned()),
    }
}

/// The column at the top that a path such as `names.primary` begins with.
fn top(column: &str, has: impl Fn(&str) -> bool) -> Option<&str> {
    if has(column) {
        return Some(column);
    }
    column.match_indices('.').map(|(at, _)| &column[..at]).find(|head| has(head))
}

/// The rows of a file, in order.
pub(super) struct ParquetRows<'a> {
    path: &'a Path,
    reader: ParquetRecordBatchReader,
    batch: Option<Arc<RecordBatch>>,
    /// Rows handed on of this batch, and of all.
    at: usize,
    rows: u64,
    geometry: Option<String>,
    on_rows: Box<dyn Fn(u64) + 'a>,
}

/// A row of a batch, not yet looked at.
pub(super) struct ParquetRow {
    batch: Arc<RecordBatch>,
    at: usize,
    number: u64,
    geometry: Option<String>,
}

impl<'a> ParquetRows<'a> {
    /// Opens a file for the columns that are wanted, all of them where `all` is set, and that of the geometry.
    ///
    /// # Errors
    ///
    /// When it is no sound Parquet file.
    pub(super) fn open(
        path: &'a Path,
        wanted: &[Named],
        all: bool,
        geometry: Option<String>,
        on_rows: Box<dyn Fn(u64) + 'a>,
    ) -> Result<Self, TableError> {
        let builder = builder(path)?;
        let fields = builder.schema().fields();
        let has = |name: &str| fields.find(name).is_some();
        let mut names: Vec<&str> = wanted.iter().filter_map(|named| top(&named.column, has)).collect();
        names.extend(geometry.as_deref());
        let roots = fields.iter().enumerate().filter(|(_, field)| all || names.contains(&field.name().as_str()));
        let roots: Vec<usize> = roots.map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let reader = reader.map_err(|source| TableError::Parquet { path: path.to_owned(), source })?;
        Ok(Self { path, reader, batch: None, at: 0, rows: 0, geometry, on_rows })
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    ///
    /// When a row group cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<ParquetRow>, TableError> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| self.at < batch.num_rows()) {
                let (batch, at) = (Arc::clone(batch), self.at);
                self.at += 1;
                self.rows += 1;
                return Ok(Some(ParquetRow { batch, at, number: self.rows, geometry: self.geometry.clone() }));
            }
            let Some(batch) = self.reader.next() else { return Ok(None) };
            let batch = batch.map_err(|source| TableError::Arrow { path: self.path.to_owned(), source })?;
            (self.on_rows)(batch.num_rows() as u64);
            (self.batch, self.at) = (Some(Arc::new(batch)), 0);
        }
    }
}

impl ParquetRow {
    /// The row with its values.
    pub(super) fn object(&self) -> Object {
        let schema = self.batch.schema();
        let mut values = Map::new();
        let mut geometry = None;
        for (field, column) in schema.fields().iter().zip(self.batch.columns()) {
            if self.geometry.as_ref() == Some(field.name()) {
                geometry = bytes(column.as_ref(), self.at).map(of_wkb);
            } else {
                values.insert(field.name().clone(), value(column.as_ref(), self.at));
            }
        }
        Object { place: format!("row {}", self.number), line: None, values, id: None, geometry }
    }
}

/// The bytes of a binary value.
fn bytes(column: &dyn Array, at: usize) -> Option<&[u8]> {
    if column.is_null(at) {
        return None;
    }
    match column.data_type() {
        DataType::Binary => Some(column.as_binary::<i32>().value(at)),
        DataType::LargeBinary => Some(column.as_binary::<i64>().value(at)),
        DataType::BinaryView => Some(column.as_binary_view().value(at)),
        DataType::FixedSizeBinary(_) => Some(column.as_fixed_size_binary().value(at)),
        _ => None,
    }
}

/// A value as JSON. Types that no register has, such as intervals, are null.
fn value(column: &dyn Array, at: usize) -> Value {
    fn whole<T: ArrowPrimitiveType>(column: &dyn Array, at: usize) -> T::Native {
        column.as_primitive::<T>().value(at)
    }
    fn instant(instant: Result<Timestamp, jiff::Error>) -> Value {
        instant.map_or(Value::Null, |instant| instant.to_string().into())
    }
    if column.is_null(at) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(at).into(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(at).into(),
        DataType::Utf8View => column.as_string_view().value(at).into(),
        DataType::Boolean => column.as_boolean().value(at).into(),
        DataType::Int8 => whole::<Int8Type>(column, at).into(),
        DataType::Int16 => whole::<Int16Type>(column, at).into(),
        DataType::Int32 => whole::<Int32Type>(column, at).into(),
        DataType::Int64 => whole::<Int64Type>(column, at).into(),
        DataType::UInt8 => whole::<UInt8Type>(column, at).into(),
        DataType::UInt16 => whole::<UInt16Type>(column, at).into(),
        DataType::UInt32 => whole::<UInt32Type>(column, at).into(),
        DataType::UInt64 => whole::<UInt64Type>(column, at).into(),
        // As its digits say it: 3.7 as a float of 64 bits would be 3.700000047683716.
        DataType::Float32 => whole::<Float32Type>(column, at).to_string().parse::<f64>().map_or(Value::Null, float),
        DataType::Float64 => float(whole::<Float64Type>(column, at)),
        DataType::Decimal128(_, _) => {
            column.as_primitive::<Decimal128Type>().value_as_string(at).parse::<f64>().map_or(Value::Null, float)
        }
        DataType::Date32 => {
            let day = Timestamp::from_second(i64::from(whole::<Date32Type>(column, at)) * 86_400);
            day.map_or(Value::Null, |day| day.to_string().split('T').next().unwrap_or_default().into())
        }
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => instant(Timestamp::from_second(whole::<TimestampSecondType>(column, at))),
            TimeUnit::Millisecond => {
                instant(Timestamp::from_millisecond(whole::<TimestampMillisecondType>(column, at)))
            }
            TimeUnit::Microsecond => {
                instant(Timestamp::from_microsecond(whole::<TimestampMicrosecondType>(column, at)))
            }
            TimeUnit::Nanosecond => {
                instant(Timestamp::from_nanosecond(i128::from(whole::<TimestampNanosecondType>(column, at))))
            }
        },
        DataType::List(_) => list(column.as_list::<i32>().value(at).as_ref()),
        DataType::LargeList(_) => list(column.as_list::<i64>().value(at).as_ref()),
        DataType::FixedSizeList(_, _) => list(column.as_fixed_size_list().value(at).as_ref()),
        DataType::Struct(_) => Value::Object(fields(column.as_struct(), at)),
        DataType::Map(_, _) => pairs(&column.as_map().value(at)),
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            dictionary.normalized_keys().get(at).map_or(Value::Null, |key| value(dictionary.values().as_ref(), *key))
        }
        _ => bytes(column, at).map_or(Value::Null, |bytes| text_of(bytes).into()),
    }
}

/// Bytes as the text that they are, where writers do not say so; a geometry, which never is one, as hexadecimal digits.
fn text_of(bytes: &[u8]) -> String {
    let is_printed = |text: &&str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    std::str::from_utf8(bytes).ok().filter(is_printed).map_or_else(|| hex(bytes), str::to_owned)
}

/// A number; what is none stays as its word, for the mapping to find.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}

fn list(values: &dyn Array) -> Value {
    (0..values.len()).map(|at| value(values, at)).collect()
}

fn fields(values: &StructArray, at: usize) -> Map<String, Value> {
    let names = values.column_names().into_iter().map(str::to_owned);
    names.zip(values.columns()).map(|(name, column)| (name, value(column.as_ref(), at))).collect()
}

/// Keys and values of a map.
fn pairs(entries: &StructArray) -> Value {
    let (keys, values) = (entries.column(0), entries.column(1));
    let mut pairs = Map::new();
    for at in 0..entries.len() {
        if let Value::String(key) = value(keys.as_ref(), at) {
            pairs.insert(key, value(values.as_ref(), at));
        }
    }
    Value::Object(pairs)
}
