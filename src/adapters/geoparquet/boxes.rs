//! Boxes: the covering column of files that have none, made of their geometries, so that tables read alike in every version.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Float32Array, RecordBatch, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::layout::COVERING;
use super::wkb::Seen;
use crate::pipeline::tabulate::rows::rounded_outward;
use crate::pipeline::tabulate::tables::BBOX;

/// The geometries that the covering of a file is made of, the primary one first; empty where none is to be made: the file has
/// one, or no geometries.
pub(super) fn covered_columns(file: &ParquetRecordBatchReaderBuilder<File>) -> Vec<String> {
    let schema = file.schema();
    if schema.index_of(COVERING).is_ok() {
        return Vec::new();
    }
    let metadata = file.metadata().file_metadata().key_value_metadata();
    let geo = metadata.into_iter().flatten().find(|entry| entry.key == "geo").and_then(|entry| entry.value.as_ref());
    let geo: serde_json::Value = geo.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let primary = geo["primary_column"].as_str();
    let is_geometry = |name: &&str| geo["columns"].get(name).is_some() && Some(*name) != primary;
    let others = schema.fields().iter().map(|field| field.name().as_str()).filter(is_geometry);
    primary.into_iter().chain(others).map(str::to_owned).collect()
}

/// The batch with the box around these columns after the first of them.
pub(super) fn with_boxes(batch: &RecordBatch, of: &[String]) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let first = schema.index_of(&of[0])?;
    let geometries = of.iter().map(|name| Ok(batch.column(schema.index_of(name)?).as_binary::<i32>()));
    let geometries = geometries.collect::<Result<Vec<_>, ArrowError>>()?;
    let boxes: Vec<[f32; 4]> = (0..batch.num_rows())
        .map(|row| {
            let mut seen = Seen::default();
            geometries.iter().filter(|column| column.is_valid(row)).for_each(|column| seen.see(column.value(row)));
            // A row without geometry has no box either; what stands in for it is not shown.
            seen.bbox().map_or([0.0; 4], rounded_outward)
        })
        .collect();
    let edges =
        (0..4).map(|edge| Arc::new(boxes.iter().map(|edges| edges[edge]).collect::<Float32Array>()) as ArrayRef);
    let DataType::Struct(fields) = BBOX.arrow() else { unreachable!("a box is a struct") };
    let column = StructArray::try_new(fields.clone(), edges.collect(), geometries[0].nulls().cloned())?;
    let field = Field::new(COVERING, DataType::Struct(fields), schema.field(first).is_nullable());
    let mut all: Vec<_> = schema.fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    all.insert(first + 1, Arc::new(field));
    columns.insert(first + 1, Arc::new(column));
    RecordBatch::try_new(Arc::new(Schema::new(all)), columns)
}
