//! The `geo` key of a GeoParquet file: which columns are geometries, of which types, in which box.
//!
//! - **Source**: GeoParquet 1.1.0, <https://geoparquet.org/releases/v1.1.0/>. No `crs` key means OGC:CRS84, longitude first.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use serde_json::{Value, json};

use super::wkb::Seen;
use crate::pipeline::tabulate::{Kind, Table};

/// What has been seen of each geometry column while a table was written.
#[derive(Debug, Default)]
pub(super) struct GeoColumns {
    seen: BTreeMap<String, Seen>,
}

impl GeoColumns {
    pub(super) fn of(table: &Table) -> Self {
        let geometries = table.columns.iter().filter(|column| matches!(column.kind, Kind::Geometry(_)));
        Self { seen: geometries.map(|column| (column.name.to_string(), Seen::default())).collect() }
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
    pub(super) fn to_json(&self, table: &Table) -> Option<Value> {
        let primary = &*table.columns.iter().find(|column| self.seen.contains_key(&*column.name))?.name;
        let has_bbox = table.column("bbox").is_some();
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
                if *name == primary && has_bbox {
                    let edge = |edge: &str| json!(["bbox", edge]);
                    about["covering"] = json!({ "bbox": {
                        "xmin": edge("xmin"), "ymin": edge("ymin"), "xmax": edge("xmax"), "ymax": edge("ymax"),
                    }});
                }
                (name.clone(), about)
            })
            .collect();
        Some(json!({ "version": "1.1.0", "primary_column": primary, "columns": columns }))
    }
}
