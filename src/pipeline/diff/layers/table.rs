//! Table: the changes of a layer as columns.

use std::borrow::Cow;

use super::super::super::tabulate::{Column, Kind, Table};
use super::change::KEY;
use crate::pipeline::tabulate::table::{optional, required};

/// Version of the columns in front.
const SCHEMA_VERSION: u32 = 1;

static IN_FRONT: [Column; 7] = [
    required(
        "class",
        Kind::Text,
        "`added`, `removed`, `modified`, `moved` (only its geometry) or `touched` (only who changed it, when, or how it was repaired).",
    ).example("modified"),
    required("osm_type", Kind::Text, "Kind of OSM object: `node`, `way` or `relation`.").example("way"),
    required("osm_id", Kind::Int64, "Its id among the objects of its kind.").example("26865094"),
    required("kind", Kind::Text, "Kind of geometry: `point`, `line` or `area`.").example("line"),
    required(
        "changed_fields",
        Kind::List(&Kind::Text),
        "Columns whose value differs, of those that either layer has; empty unless both have the row.",
    ).example("[\"tags\"]"),
    optional(
        "moved_m",
        Kind::Float64,
        "Distance between the middles of the old and the new box in metres; missing where it did not move.",
    ).unit("m").missing("it did not move").example("12.4"),
    optional(
        "old_values",
        Kind::Json,
        "The old values of the changed columns, as a JSON object; of a row that is gone, all of them.",
    ).missing("no column differs").example("{\"tags\": {\"highway\": \"service\"}}"),
];

/// What it means that a column of the layer has no value.
const GONE: &str = "the row is gone, or has none";

/// Names of the columns in front. No column of a layer can have one of them that is not the same.
pub fn change_columns() -> impl Iterator<Item = &'static str> {
    IN_FRONT.iter().map(|column| &*column.name)
}

/// The table of the changes of a layer with this table.
#[must_use]
pub fn layer_changes_table(layer: &Table) -> Table {
    let mut columns = IN_FRONT.to_vec();
    let others = layer.columns.iter().filter(|column| !KEY.contains(&&*column.name));
    columns.extend(others.map(|column| Column { nullable: true, missing: GONE, ..column.clone() }));
    Table {
        name: Cow::Owned(format!("changes/{}", layer.name)),
        schema_version: SCHEMA_VERSION,
        doc: Cow::Owned(format!(
            "One row per row of `{}` that is different from the base snapshot, with the full new row; empty without a base.",
            layer.name
        )),
        columns: Cow::Owned(columns),
    }
}
