//! What a file says of itself: in the `geo` key which columns are geometries, of which types, in which box; in the `poimill`
//! key what its columns mean, and who must be named.
//!
//! - **Source**: GeoParquet 1.1.0, <https://geoparquet.org/releases/v1.1.0/>, and 2.0.0-rc.1, where the covering is gone. No
//!   `crs` key means OGC:CRS84, longitude first.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::Schema;
use serde_json::{Value, json};

use super::layout::{COVERING, GeoParquetVersion};
use super::wkb::Seen;
use crate::pipeline::ports::Credits;
use crate::pipeline::tabulate::{Column, Kind, Table};

/// The value of the `poimill` key.
pub(super) fn about(table: &Table, stored: &Schema, credits: &Credits) -> Value {
    let columns = table.columns.iter().filter(|column| stored.index_of(&column.name).is_ok());
    let columns: serde_json::Map<_, _> =
        columns.map(|column| (column.name.to_string(), about_column(column))).collect();
    let mut about = json!({
        "table": table.name,
        "schema_version": table.schema_version,
        "description": table.doc,
        "columns": columns,
    });
    if !credits.pipeline.is_empty() {
        about["pipeline"] = json!(credits.pipeline);
    }
    if !credits.sources.is_empty() {
        about["sources"] = json!(credits.sources);
    }
    about
}

fn about_column(column: &Column) -> Value {
    let mut about = json!({ "description": column.doc });
    let further = [("unit", column.unit), ("missing", column.missing), ("example", column.example)];
    for (key, text) in further {
        if !text.is_empty() {
            about[key] = text.into();
        }
    }
    about
}

/// What has been seen of each geometry column while a table was written.
#[derive(Debug, Default)]
pub(super) struct GeoColumns {
    /// The column that readers show unless told otherwise, and whether it has a covering.
    primary: Option<(String, bool)>,
    seen: BTreeMap<String, Seen>,
}

impl GeoColumns {
    pub(super) fn of(table: &Table) -> Self {
        let is_geometry = |column: &&Column| matches!(column.kind, Kind::Geometry(_));
        let has_covering = table.column(COVERING).is_some();
        let primary = table.columns.iter().find(is_geometry).map(|column| (column.name.to_string(), has_covering));
        let geometries = table.columns.iter().filter(is_geometry);
        Self { primary, seen: geometries.map(|column| (column.name.to_string(), Seen::default())).collect() }
    }

    /// What has been seen of the column of this name.
    pub(super) fn seen(&self, column: &str) -> Option<&Seen> {
        self.seen.get(column)
    }

    /// Takes note of the geometries of a batch.
    pub(super) fn see(&mut self, batch: &RecordBatch) {
        for (name, seen) in &mut self.seen {
            let Some(column) = batch.column_by_name(name) else { continue };
            for wkb in column.as_binary::<i32>().iter().flatten() {
                seen.see(wkb);
            }
        }
    }

    /// Adds what was seen of other rows of the table.
    pub(super) fn merge(&mut self, other: &Self) {
        for (name, seen) in &mut self.seen {
            if let Some(other) = other.seen.get(name) {
                seen.merge(other);
            }
        }
    }

    /// The value of the `geo` key; `None` for a table without geometries.
    pub(super) fn to_json(&self, version: GeoParquetVersion) -> Option<Value> {
        let (primary, has_covering) = self.primary.as_ref()?;
        let columns: serde_json::Map<_, _> = self
            .seen
            .iter()
            .map(|(name, seen)| {
                let mut about = json!({
                    "encoding": "WKB",
                    "geometry_types": seen.types(),
                    "orientation": "counterclockwise",
                    "edges": "planar",
                });
                if let Some(bbox) = seen.bbox() {
                    about["bbox"] = json!(bbox);
                }
                if version == GeoParquetVersion::V1_1 && name == primary && *has_covering {
                    let edge = |edge: &str| json!([COVERING, edge]);
                    about["covering"] = json!({ "bbox": {
                        "xmin": edge("xmin"), "ymin": edge("ymin"), "xmax": edge("xmax"), "ymax": edge("ymax"),
                    }});
                }
                (name.clone(), about)
            })
            .collect();
        Some(json!({ "version": version.number(), "primary_column": primary, "columns": columns }))
    }
}
