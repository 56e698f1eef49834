//! The `geo` key of a GeoParquet file: which columns are geometries, of which types, in which box.
//!
//! - **Source**: GeoParquet 1.1.0, <https://geoparquet.org/releases/v1.1.0/>. No `crs` key means OGC:CRS84, longitude first.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use geo::BoundingRect;
use geozero::{ToGeo, wkb::Wkb};
use serde_json::{Value, json};

use crate::pipeline::tabulate::{Kind, Table};

/// What has been seen of each geometry column while a table was written.
#[derive(Debug, Default)]
pub(super) struct GeoColumns {
    seen: BTreeMap<String, Seen>,
}

/// Types and box of one column.
#[derive(Debug, Default)]
struct Seen {
    types: BTreeSet<&'static str>,
    /// West, south, east, north.
    bbox: Option<[f64; 4]>,
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
            let column = column.as_binary::<i32>();
            for wkb in (0..column.len()).filter(|row| column.is_valid(*row)).map(|row| column.value(row)) {
                // Geometry columns are written by `tabulate`, so a value that is no WKB cannot be; it would have no type.
                let Ok(geometry) = Wkb(wkb).to_geo() else { continue };
                seen.types.insert(type_name(&geometry));
                if let Some(rect) = geometry.bounding_rect() {
                    let [west, south, east, north] =
                        seen.bbox.unwrap_or([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY]);
                    let (min, max) = (rect.min(), rect.max());
                    seen.bbox = Some([west.min(min.x), south.min(min.y), east.max(max.x), north.max(max.y)]);
                }
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
                    "geometry_types": seen.types,
                    "orientation": "counterclockwise",
                    "edges": "planar",
                });
                if let Some(bbox) = seen.bbox {
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

fn type_name(geometry: &geo::Geometry<f64>) -> &'static str {
    match geometry {
        geo::Geometry::Point(_) => "Point",
        geo::Geometry::Line(_) | geo::Geometry::LineString(_) => "LineString",
        geo::Geometry::Polygon(_) | geo::Geometry::Rect(_) | geo::Geometry::Triangle(_) => "Polygon",
        geo::Geometry::MultiPoint(_) => "MultiPoint",
        geo::Geometry::MultiLineString(_) => "MultiLineString",
        geo::Geometry::MultiPolygon(_) => "MultiPolygon",
        geo::Geometry::GeometryCollection(_) => "GeometryCollection",
    }
}
