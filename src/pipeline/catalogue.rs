//! Catalogue: a store as STAC tells it, so that any STAC browser can walk through its snapshots.
//!
//! ```text
//! catalog.json ─▶ <pipeline>/collection.json ─▶ <pipeline>/<snapshot>/item.json ─▶ tables as assets
//! ```
//!
//! Static and with relative links only: a folder can be moved, and a bucket served, as it is.
//!
//! - **Source**: STAC 1.1.0, <https://github.com/radiantearth/stac-spec/tree/v1.1.0>, with the extensions `file` and `table`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::tabulate::tables;
use crate::domain::{LonLat, Manifest, Timestamp};

const STAC_VERSION: &str = "1.1.0";
const FILE_EXTENSION: &str = "https://stac-extensions.github.io/file/v2.1.0/schema.json";
const TABLE_EXTENSION: &str = "https://stac-extensions.github.io/table/v1.2.0/schema.json";

/// What a multihash begins with: SHA-256, 32 bytes.
const SHA_256: &str = "1220";

/// The item of a snapshot whose places are at these positions; `None` where it has no date, which every item needs.
#[must_use]
pub fn item(manifest: &Manifest, positions: &[LonLat]) -> Option<Value> {
    let datetime = manifest.vintage?;
    let corner = |of: fn(f64, f64) -> f64, start: f64, value: fn(LonLat) -> f64| {
        positions.iter().map(|position| value(*position)).fold(start, of)
    };
    let bbox = (!positions.is_empty()).then(|| {
        [
            corner(f64::min, f64::INFINITY, LonLat::lon),
            corner(f64::min, f64::INFINITY, LonLat::lat),
            corner(f64::max, f64::NEG_INFINITY, LonLat::lon),
            corner(f64::max, f64::NEG_INFINITY, LonLat::lat),
        ]
    });
    let geometry = bbox.map(|[west, south, east, north]| {
        json!({ "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]] })
    });
    let mut item = json!({
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [FILE_EXTENSION, TABLE_EXTENSION],
        "id": manifest.snapshot,
        "collection": manifest.pipeline,
        "geometry": geometry,
        "properties": {
            "datetime": told(datetime),
            "title": format!("{} as of {}", manifest.pipeline, told(datetime)),
            "poimill:base": manifest.base,
            "poimill:content_hash": manifest.content_hash,
            "poimill:held": manifest.held,
            "poimill:version": manifest.versions.poimill,
        },
        "links": [
            { "rel": "root", "href": "../../catalog.json", "type": "application/json" },
            { "rel": "parent", "href": "../collection.json", "type": "application/json" },
            { "rel": "collection", "href": "../collection.json", "type": "application/json" },
        ],
        "assets": assets(manifest),
    });
    if let Some(bbox) = bbox {
        item["bbox"] = json!(bbox);
    }
    Some(item)
}

fn assets(manifest: &Manifest) -> Value {
    let mut assets: serde_json::Map<String, Value> = manifest
        .tables
        .iter()
        .map(|(name, file)| {
            let table = tables::ALL.iter().find(|table| table.name == *name);
            let mut asset = json!({
                "href": format!("./{name}.parquet"),
                "type": "application/vnd.apache.parquet",
                "title": name,
                "roles": [if name.starts_with("changes/") { "metadata" } else { "data" }],
                "file:checksum": format!("{SHA_256}{}", file.sha256),
                "table:row_count": file.rows,
            });
            if let Some(table) = table {
                asset["description"] = table.doc.as_ref().into();
                let column =
                    |column: &super::tabulate::Column| json!({ "name": column.name, "description": column.doc });
                asset["table:columns"] = table.columns.iter().map(column).collect();
            }
            if table.is_some_and(|table| table.column("geometry").is_some()) {
                asset["table:primary_geometry"] = "geometry".into();
            }
            (name.clone(), asset)
        })
        .collect();
    let beside = [
        ("manifest", "./manifest.json", "application/json", "How the snapshot was made, and what is in it", "metadata"),
        ("report", "./report.html", "text/html", "A map and the counts, for a person", "overview"),
    ];
    for (name, href, kind, title, role) in beside {
        assets.insert(name.to_owned(), json!({ "href": href, "type": kind, "title": title, "roles": [role] }));
    }
    assets.into()
}

/// The collection of a pipeline's snapshots, given by their manifests and items, oldest first.
#[must_use]
pub fn collection(pipeline: &str, snapshots: &[(Manifest, Value)]) -> Value {
    let interval = |pick: fn(&mut dyn Iterator<Item = Timestamp>) -> Option<Timestamp>| {
        pick(&mut snapshots.iter().filter_map(|(manifest, _)| manifest.vintage)).map(told)
    };
    let boxes =
        || snapshots.iter().filter_map(|(_, item)| serde_json::from_value::<[f64; 4]>(item["bbox"].clone()).ok());
    let all = boxes()
        .reduce(|[w, s, e, n], [west, south, east, north]| [w.min(west), s.min(south), e.max(east), n.max(north)]);
    let mut links = vec![
        json!({ "rel": "root", "href": "../catalog.json", "type": "application/json" }),
        json!({ "rel": "parent", "href": "../catalog.json", "type": "application/json" }),
    ];
    links.extend(snapshots.iter().map(|(manifest, item)| {
        let href = format!("./{}/item.json", manifest.snapshot);
        json!({ "rel": "item", "href": href, "type": "application/geo+json", "title": item["properties"]["title"] })
    }));
    let sources = || snapshots.iter().flat_map(|(manifest, _)| &manifest.sources);
    let licenses: BTreeSet<&str> = sources().flat_map(|source| source.licenses.keys()).map(String::as_str).collect();
    let attributions: BTreeSet<&str> = sources().filter_map(|source| source.attribution.as_deref()).collect();
    let mut collection = json!({
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": pipeline,
        "title": pipeline,
        "description": format!("Snapshots of the pipeline {pipeline}: places conflated from its sources, and what they are made of."),
        // One licence by its SPDX name, or several, of which every record names its own.
        "license": match licenses.first() {
            Some(one) if licenses.len() == 1 && !one.is_empty() && !one.contains([' ', '/', ':']) => *one,
            _ => "other",
        },
        "extent": {
            "spatial": { "bbox": [all.unwrap_or([-180.0, -90.0, 180.0, 90.0])] },
            "temporal": { "interval": [[interval(|times| times.min()), interval(|times| times.max())]] },
        },
        "links": links,
    });
    if !attributions.is_empty() {
        let provider = |name: &str| json!({ "name": name, "roles": ["licensor"] });
        collection["providers"] = attributions.into_iter().map(provider).collect();
    }
    collection
}

/// The catalogue of a store with these pipelines.
#[must_use]
pub fn catalog(pipelines: &BTreeSet<String>) -> Value {
    let mut links = vec![json!({ "rel": "root", "href": "./catalog.json", "type": "application/json" })];
    links.extend(pipelines.iter().map(|name| {
        let href = format!("./{name}/collection.json");
        json!({ "rel": "child", "href": href, "type": "application/json", "title": name })
    }));
    json!({
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "poimill",
        "title": "Snapshots of points of interest",
        "description": "One collection per pipeline, one item per snapshot.",
        "links": links,
    })
}

/// An instant as STAC wants it, RFC 3339 in UTC.
fn told(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
