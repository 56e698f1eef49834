//! Layout: how the columns of a table lie in its file, by what they hold and by the version of GeoParquet.
//!
//! Encodings were chosen by the size of each column of places, records and layers of the world sample and of three registers,
//! at zstd level 3; `tests/bench/README.md` has what they save.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, Encoding, LogicalType, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::geospatial::bounding_box::BoundingBox;
use parquet::geospatial::statistics::GeospatialStatistics;
use parquet::schema::types::{ColumnPath, SchemaDescriptor, Type};

use super::metadata::GeoColumns;
use crate::pipeline::tabulate::{Column, Kind, Table};

/// zstd's own default: smaller levels save little time, larger ones little space (98 MB of tables: 0.9 s at 3, 10 s at 15).
pub const DEFAULT_ZSTD_LEVEL: i32 = 3;

/// The covering column of tables with geometries.
pub(super) const COVERING: &str = "bbox";

/// Rows that a page holds at most: what a reader of page indexes can skip within a row group.
const PAGE_ROWS: usize = 10_000;

/// Texts that hardly ever occur twice in a row group, so that a dictionary of them is larger than they are: -13 %.
const RARELY_TWICE: [&str; 8] = ["name", "phone", "website", "email", "freeform", "street", "housenumber", "postcode"];

/// Ids of places where they are looked up. They are random, so their smallest and largest values skip nothing; a filter of
/// 66 kB for a row group of 50,000 does, but for one in a hundred, in place of 946 kB of ids, and makes the table 0.8 % larger.
/// Ids of records pay less, at a quarter of their own 264 kB, and `identity` and `bridge` are sorted by them; in these two a
/// filter of places would be 6 % of the table.
const LOOKED_UP: [(&str, &str); 2] = [("places", "id"), ("sources", "place_id")];

/// How often a filter may say that an id is there although it is not.
const FALSE_POSITIVES: f64 = 0.01;

/// Versions of GeoParquet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GeoParquetVersion {
    /// 1.1.0: WKB in bytes, with a covering column that readers skip by. What every reader understands.
    #[default]
    V1_1,
    /// 2.0.0: Parquet's own GEOMETRY type with its statistics, and no covering column.
    V2_0,
}

impl GeoParquetVersion {
    /// The version that a pipeline file names.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "1.1" => Some(Self::V1_1),
            "2.0" => Some(Self::V2_0),
            _ => None,
        }
    }

    /// Its full number, as files state it.
    pub(super) fn number(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1.0",
            Self::V2_0 => "2.0.0",
        }
    }

    /// Whether geometries have Parquet's own type.
    fn is_native(self) -> bool {
        self == Self::V2_0
    }
}

/// How files are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How hard they are compressed, from 1 to 22.
    pub zstd_level: i32,
    /// How geometries are stored.
    pub version: GeoParquetVersion,
}

impl Default for Layout {
    fn default() -> Self {
        Self { zstd_level: DEFAULT_ZSTD_LEVEL, version: GeoParquetVersion::default() }
    }
}

impl Layout {
    /// The columns that are in the file: all but the covering, where geometries have statistics of their own.
    pub(super) fn stored(self, schema: &SchemaRef) -> Result<SchemaRef, ParquetError> {
        Ok(Arc::new(schema.project(&self.stored_columns(schema))?))
    }

    /// The columns of a batch that are in the file.
    pub(super) fn stored_batch(self, batch: &RecordBatch) -> Result<RecordBatch, ParquetError> {
        Ok(batch.project(&self.stored_columns(batch.schema_ref()))?)
    }

    fn stored_columns(self, schema: &SchemaRef) -> Vec<usize> {
        let is_stored = |at: &usize| !(self.version.is_native() && schema.field(*at).name() == COVERING);
        (0..schema.fields().len()).filter(is_stored).collect()
    }

    /// The types of the columns in Parquet's terms.
    pub(super) fn parquet_schema(self, table: &Table, schema: &SchemaRef) -> Result<SchemaDescriptor, ParquetError> {
        let schema = ArrowSchemaConverter::new().convert(schema)?;
        if !self.version.is_native() {
            return Ok(schema);
        }
        let root = schema.root_schema();
        let columns = root.get_fields().iter().map(|column| {
            let is_geometry = |of: &Column| matches!(of.kind, Kind::Geometry(_));
            if !table.column(column.name()).is_some_and(is_geometry) {
                return Ok(Arc::clone(column));
            }
            // No reference system means OGC:CRS84, longitude first.
            let geometry = Type::primitive_type_builder(column.name(), column.get_physical_type())
                .with_repetition(column.get_basic_info().repetition())
                .with_logical_type(Some(LogicalType::geometry(None)));
            Ok(Arc::new(geometry.build()?))
        });
        let columns = columns.collect::<Result<Vec<_>, ParquetError>>()?;
        let root = Type::group_type_builder(root.name()).with_fields(columns).build()?;
        Ok(SchemaDescriptor::new(Arc::new(root)))
    }

    /// How each column is encoded, and what readers can skip by.
    pub(super) fn properties(self, table: &Table, schema: &SchemaRef) -> Result<WriterProperties, ParquetError> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(self.zstd_level)?))
            .set_max_row_group_row_count(None)
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("poimill ", env!("CARGO_PKG_VERSION")).to_owned());
        for leaf in ArrowSchemaConverter::new().convert(schema)?.columns() {
            let path = leaf.path();
            let Some(column) = path.parts().first().and_then(|root| table.column(root)) else { continue };
            let name = path.parts().last().map_or("", String::as_str);
            let (encoding, statistics) = match column.kind {
                // Every value is another one, and its smallest and largest mean nothing.
                Kind::Geometry(_) => (Some(Encoding::PLAIN), EnabledStatistics::None),
                Kind::Hash16 => {
                    properties = properties.set_column_compression(path.clone(), Compression::UNCOMPRESSED);
                    (Some(Encoding::PLAIN), EnabledStatistics::None)
                }
                Kind::Uuid => (Some(Encoding::DELTA_LENGTH_BYTE_ARRAY), EnabledStatistics::Chunk),
                Kind::Json => (Some(Encoding::DELTA_LENGTH_BYTE_ARRAY), EnabledStatistics::None),
                // The box: readers skip pages by it. The first bytes of neighbours are alike, so bytes lie together: -42 %.
                Kind::Struct(_) if column.name == COVERING => {
                    (Some(Encoding::BYTE_STREAM_SPLIT), EnabledStatistics::Page)
                }
                Kind::Float32 => (Some(Encoding::BYTE_STREAM_SPLIT), EnabledStatistics::Chunk),
                Kind::Int64 => (Some(Encoding::PLAIN), EnabledStatistics::Page),
                Kind::Time => (Some(Encoding::PLAIN), EnabledStatistics::Chunk),
                // Ids that follow each other begin alike, and tables without geometries are sorted by them.
                Kind::Text if name.starts_with("record_id") => {
                    (Some(Encoding::DELTA_BYTE_ARRAY), EnabledStatistics::Page)
                }
                Kind::Text | Kind::Struct(_) if RARELY_TWICE.contains(&name) => {
                    (Some(Encoding::DELTA_LENGTH_BYTE_ARRAY), EnabledStatistics::Chunk)
                }
                Kind::List(_) if name == "record_id" => (Some(Encoding::DELTA_BYTE_ARRAY), EnabledStatistics::None),
                Kind::List(_) if name == "update_time" => (Some(Encoding::PLAIN), EnabledStatistics::None),
                Kind::Map | Kind::List(_) => (None, EnabledStatistics::None),
                _ => (None, EnabledStatistics::Chunk),
            };
            properties = properties.set_column_statistics_enabled(path.clone(), statistics);
            if let Some(encoding) = encoding {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path.clone(), encoding);
            }
        }
        for (_, column) in LOOKED_UP.iter().filter(|(name, _)| *name == table.name) {
            properties =
                properties.set_column_bloom_filter_fpp(ColumnPath::from((*column).to_owned()), FALSE_POSITIVES);
        }
        Ok(properties.build())
    }

    /// Adds to what is known of a column chunk the box and the types of its geometries.
    pub(super) fn add_statistics(
        self,
        geometries: &GeoColumns,
        chunk: &mut ColumnCloseResult,
    ) -> Result<(), ParquetError> {
        let Some(seen) = geometries.seen(&chunk.metadata.column_path().string()) else { return Ok(()) };
        if !self.version.is_native() {
            return Ok(());
        }
        let bbox = seen.bbox().map(|[west, south, east, north]| BoundingBox::new(west, east, south, north));
        let statistics = GeospatialStatistics::new(bbox, Some(seen.type_numbers()));
        let metadata = chunk.metadata.clone().into_builder().set_geo_statistics(Box::new(statistics));
        chunk.metadata = metadata.build()?;
        Ok(())
    }
}
