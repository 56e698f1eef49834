//! Table: names, types and meanings of columns. Arrow schemas, the data dictionary and the database follow from it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// A table of a snapshot. Most are written in [`tables`](super::tables); those of layers are made from settings.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its path without ending, e.g. `places`, `changes/places`.
    pub name: Cow<'static, str>,
    /// Version of its columns; additive changes raise it too.
    pub schema_version: u32,
    /// One sentence on what a row is.
    pub doc: Cow<'static, str>,
    /// Columns, in order.
    pub columns: Cow<'static, [Column]>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its type.
    pub kind: Kind,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// Its meaning.
    pub doc: Cow<'static, str>,
    /// Unit of its numbers, e.g. `m`; of nested values by field. Empty where it has none.
    pub unit: &'static str,
    /// What a missing value means; empty where there is always one.
    pub missing: &'static str,
    /// A value as it may stand there, as JSON has it.
    pub example: &'static str,
}

/// What geometries a WKB column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeometryRole {
    /// Points.
    Point,
    /// Polygons and multipolygons.
    Area,
    /// Points, lines, polygons and those in several parts.
    Any,
}

/// Type of a column.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A UUID, written as text.
    Uuid,
    /// Text.
    Text,
    /// Yes or no.
    Bool,
    /// Whole number of 32 bits.
    Int32,
    /// Whole number of 64 bits.
    Int64,
    /// Number of 32 bits.
    Float32,
    /// Number of 64 bits.
    Float64,
    /// Instant in UTC, to the microsecond.
    Time,
    /// Sixteen bytes of a hash.
    Hash16,
    /// JSON as text.
    Json,
    /// WKB, EPSG:4326, longitude first.
    Geometry(GeometryRole),
    /// Values of one type.
    List(&'static Kind),
    /// Named values; all may be missing.
    Struct(&'static [(&'static str, Kind)]),
    /// Text to text.
    Map,
}

/// A column that always has a value.
pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    column(name, kind, doc, false)
}

/// A column whose value may be missing.
pub(crate) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    column(name, kind, doc, true)
}

const fn column(name: &'static str, kind: Kind, doc: &'static str, nullable: bool) -> Column {
    let (name, doc) = (Cow::Borrowed(name), Cow::Borrowed(doc));
    Column { name, kind, nullable, doc, unit: "", missing: "", example: "" }
}

impl Column {
    /// The column with the unit of its numbers.
    pub(crate) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The column with what a missing value means.
    pub(crate) const fn missing(mut self, missing: &'static str) -> Self {
        self.missing = missing;
        self
    }

    /// The column with a value as it may stand there.
    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }
}

impl Table {
    /// The Arrow schema, without table metadata.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| Field::new(&*column.name, column.kind.arrow(), column.nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Where the column of this name stands in a row.
    ///
    /// # Panics
    ///
    /// When the table has no such column: names are written in the code, not read.
    #[must_use]
    pub fn index_of(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column.name == name).expect("the table has the column")
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Kind {
    /// The Arrow type.
    #[must_use]
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Uuid | Self::Text | Self::Json => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Hash16 => DataType::FixedSizeBinary(16),
            Self::Geometry(_) => DataType::Binary,
            Self::List(item) => DataType::List(Arc::new(Field::new("element", item.arrow(), false))),
            Self::Struct(fields) => DataType::Struct(Self::fields(fields)),
            Self::Map => {
                let entry = Fields::from(vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", DataType::Utf8, false),
                ]);
                DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry), false)), false)
            }
        }
    }

    /// The Arrow fields of a struct.
    pub(super) fn fields(fields: &[(&'static str, Self)]) -> Fields {
        fields.iter().map(|(name, kind)| Field::new(*name, kind.arrow(), true)).collect()
    }
}
