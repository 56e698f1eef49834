//! The table of a layer: the columns that every layer has, and those that the pipeline file promotes.

use std::borrow::Cow;

use crate::domain::{Layer, Promoted, PromotedKind};
use crate::pipeline::tabulate::table::{optional, required};
use crate::pipeline::tabulate::tables::BBOX;
use crate::pipeline::tabulate::{Column, GeometryRole, Kind, Table};

/// Version of the columns that every layer has.
const SCHEMA_VERSION: u32 = 1;

static BEFORE_PROMOTED: [Column; 5] = [
    required("osm_type", Kind::Text, "Kind of OSM object: `node`, `way` or `relation`."),
    required("osm_id", Kind::Int64, "Its id among the objects of its kind."),
    required(
        "kind",
        Kind::Text,
        "Kind of geometry: `point`, `line` or `area`. A closed way that is both a line and an area has two rows.",
    ),
    required("geometry", Kind::Geometry(GeometryRole::Any), "Its geometry (WKB, EPSG:4326)."),
    required("bbox", BBOX, "Box around the geometry in degrees, rounded outward to 32 bits."),
];

static AFTER_PROMOTED: [Column; 4] = [
    required(
        "tags",
        Kind::Map,
        "All tags of the object, also those with a column of their own, sorted by key; of a relation without its `type`.",
    ),
    optional("version", Kind::Int32, "Version of the object; missing where the input does not say."),
    optional("timestamp", Kind::Time, "When the object was last changed; missing where the input does not say."),
    optional("changeset_id", Kind::Int64, "OSM changeset that changed it last; missing where the input does not say."),
];

static USERS: [Column; 2] = [
    optional("uid", Kind::Int32, "Id of the mapper who changed it last; missing where the input does not say."),
    optional("user", Kind::Text, "Name of the mapper who changed it last; missing where the input does not say."),
];

static LAST: [Column; 4] = [
    required(
        "incomplete",
        Kind::Bool,
        "Whether parts of the object are not in the input, so that its geometry has gaps.",
    ),
    required("repairs", Kind::List(&Kind::Text), "What was done to make the geometry valid, by name."),
    required("content_hash", Kind::Hash16, "Hash of object, kind, geometry, tags and whether it is incomplete."),
    required("row_hash", Kind::Hash16, "Hash of every other column."),
];

/// The table of a layer.
#[must_use]
pub fn layer_table(layer: &Layer) -> Table {
    let users: &[Column] = if layer.users { &USERS } else { &[] };
    let mut columns = BEFORE_PROMOTED.to_vec();
    columns.extend(layer.columns.iter().map(promoted));
    columns.extend([&AFTER_PROMOTED, users, &LAST].concat());
    Table {
        name: Cow::Owned(table_name(&layer.name)),
        schema_version: SCHEMA_VERSION,
        doc: Cow::Owned(format!("One row per geometry of an OSM object in the layer `{}`.", layer.name)),
        columns: Cow::Owned(columns),
    }
}

/// The name of a layer's table.
#[must_use]
pub fn table_name(layer: &str) -> String {
    format!("layers/{layer}")
}

/// Names that a promoted column cannot have, because every layer has columns of these names or may have.
pub fn reserved_columns() -> impl Iterator<Item = &'static str> {
    let all: [&'static [Column]; 4] = [&BEFORE_PROMOTED, &AFTER_PROMOTED, &USERS, &LAST];
    all.into_iter().flatten().map(|column| &*column.name)
}

fn promoted(tag: &Promoted) -> Column {
    let (kind, unreadable) = match tag.kind {
        PromotedKind::Text => (Kind::Text, ""),
        PromotedKind::Integer => (Kind::Int64, " or is no whole number"),
        PromotedKind::Number => (Kind::Float64, " or is no number"),
        PromotedKind::Boolean => (Kind::Bool, " or is none of `yes`, `true`, `1`, `no`, `false` and `0`"),
    };
    Column {
        name: Cow::Owned(tag.name.clone()),
        kind,
        nullable: true,
        doc: Cow::Owned(format!("Value of the tag `{}`; missing where the object has none{unreadable}.", tag.key)),
    }
}
