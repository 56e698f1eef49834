//! The table of a layer: the columns that every layer has, and those that the pipeline file promotes.

use std::borrow::Cow;

use crate::domain::{Filter, GeometryKind, Incomplete, Layer, Promoted, PromotedKind};
use crate::pipeline::tabulate::table::{optional, required};
use crate::pipeline::tabulate::tables::BBOX;
use crate::pipeline::tabulate::{Column, GeometryRole, Kind, Table};

/// Version of the columns that every layer has.
const SCHEMA_VERSION: u32 = 1;

static BEFORE_PROMOTED: [Column; 5] = [
    required("osm_type", Kind::Text, "Kind of OSM object: `node`, `way` or `relation`.").example("way"),
    required("osm_id", Kind::Int64, "Its id among the objects of its kind.").example("26865094"),
    required(
        "kind",
        Kind::Text,
        "Kind of geometry: `point`, `line` or `area`. A closed way that is both a line and an area has two rows.",
    )
    .example("line"),
    required("geometry", Kind::Geometry(GeometryRole::Any), "Its geometry (WKB, EPSG:4326).")
        .unit("degrees")
        .example("LINESTRING (9.52 47.14, 9.53 47.15)"),
    required("bbox", BBOX, "Box around the geometry in degrees, rounded outward to 32 bits.")
        .unit("degrees")
        .example("{\"xmin\": 9.52, \"ymin\": 47.14, \"xmax\": 9.53, \"ymax\": 47.15}"),
];

static AFTER_PROMOTED: [Column; 4] = [
    required(
        "tags",
        Kind::Map,
        "All tags of the object, also those with a column of their own, sorted by key; of a relation without its `type`.",
    ).example("{\"highway\": \"residential\"}"),
    optional("version", Kind::Int32, "Version of the object; missing where the input does not say.").missing("the input does not say").example("3"),
    optional("timestamp", Kind::Time, "When the object was last changed; missing where the input does not say.").missing("the input does not say").example("2024-02-29T12:30:00Z"),
    optional("changeset_id", Kind::Int64, "OSM changeset that changed it last; missing where the input does not say.").missing("the input does not say").example("147483211"),
];

static USERS: [Column; 2] = [
    optional("uid", Kind::Int32, "Id of the mapper who changed it last; missing where the input does not say.")
        .missing("the input does not say")
        .example("4711"),
    optional("user", Kind::Text, "Name of the mapper who changed it last; missing where the input does not say.")
        .missing("the input does not say")
        .example("mapper"),
];

static LAST: [Column; 4] = [
    required(
        "incomplete",
        Kind::Bool,
        "Whether parts of the object are not in the input, so that its geometry has gaps.",
    )
    .example("false"),
    required("repairs", Kind::List(&Kind::Text), "What was done to make the geometry valid, by name.")
        .example("[\"ring_closed\"]"),
    required("content_hash", Kind::Hash16, "Hash of object, kind, geometry, tags and whether it is incomplete.")
        .example("16 bytes"),
    required("row_hash", Kind::Hash16, "Hash of every other column.").example("16 bytes"),
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

/// The table of a layer of which only the name is known: without columns of its own.
///
/// # Panics
///
/// Never: everything can be asked for.
#[must_use]
pub fn table_of_no_columns(name: &str) -> Table {
    layer_table(&Layer {
        name: name.to_owned(),
        source: String::new(),
        filter: Filter::parse(&["*"]).expect("everything can be asked for"),
        kinds: GeometryKind::ALL.to_vec(),
        columns: Vec::new(),
        incomplete: Incomplete::Reject,
        users: true,
    })
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
    let (kind, missing, example) = match tag.kind {
        PromotedKind::Text => (Kind::Text, "the object has none", "residential"),
        PromotedKind::Integer => (Kind::Int64, "the object has none or it is no whole number", "2"),
        PromotedKind::Number => (Kind::Float64, "the object has none or it is no number", "3.5"),
        PromotedKind::Boolean => {
            (Kind::Bool, "the object has none or it is none of `yes`, `true`, `1`, `no`, `false` and `0`", "true")
        }
    };
    Column {
        name: Cow::Owned(tag.name.clone()),
        kind,
        nullable: true,
        doc: Cow::Owned(format!("Value of the tag `{}`.", tag.key)),
        unit: "",
        missing,
        example,
    }
}
