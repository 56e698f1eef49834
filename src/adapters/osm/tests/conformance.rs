//! The OSM test grid: every case with expected areas, compared by topology. Any variant listed is right; which one is
//! recorded in `tests/golden/area-variants.csv`, which `POIMILL_BLESS=1` writes anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use geo::{Area, BooleanOps, Geometry, LineString, MultiPolygon, Polygon, Validation};
use serde_json::Value;

use super::rows::{Layered, everything, read_layers};
use super::shared_data;
use crate::domain::Region;

/// Square degrees by which areas may differ: far less than one ten-millionth of a degree around any case.
const SLACK: f64 = 1e-12;

/// Cases, and those of them with expected areas.
const CASES: (usize, usize) = (130, 102);

#[test]
fn areas_of_the_test_grid_are_as_expected_one_by_one() {
    let Some(grid) = shared_data("areas_of_the_test_grid_are_as_expected_one_by_one", "areas") else { return };
    assert_as_recorded(&grid, |id| {
        read_layers(&grid.join(format!("cases/{id}/data.osm.pbf")), &everything(), &Region::world())
    });
}

#[test]
fn areas_of_the_test_grid_are_as_expected_in_one_file() {
    let Some(grid) = shared_data("areas_of_the_test_grid_are_as_expected_in_one_file", "areas") else { return };
    let all = read_layers(&grid.join("all.osm.pbf"), &everything(), &Region::world());
    // The ids of a case begin with its number.
    let of_case = |key: &str, id: u64| {
        let number = key.split(['/', ' ']).nth(1).and_then(|number| number.parse::<u64>().ok());
        number.is_some_and(|number| number / 1000 == id)
    };
    assert_as_recorded(&grid, |id| {
        let rows = all.rows[0].iter().filter(|row| of_case(&row.key, id)).cloned().collect();
        let refused =
            all.layer_rejects.iter().filter(|(_, reject)| of_case(reject.record_id.as_str(), id)).cloned().collect();
        Layered {
            rows: vec![rows],
            layer_rejects: refused,
            features: Vec::new(),
            rejects: Vec::new(),
            extracted: all.extracted.clone(),
            notes: Vec::new(),
        }
    });
}

/// Whether the areas of every case are one of its variants, and the one that the golden file has.
fn assert_as_recorded(grid: &Path, read: impl Fn(u64) -> Layered) {
    let text = std::fs::read_to_string(grid.join("tests.json")).expect("the cases");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("the cases are JSON");
    let (mut found, mut with_areas) = (String::from("case,variant\n"), 0);
    for case in &cases {
        let id = case["test_id"].as_u64().expect("a case has a number");
        let of_case = read(id);
        for row in &of_case.rows[0] {
            assert!(row.geometry.is_valid(), "case {id}: {row:?}");
        }
        let Some(variants) = case["areas"].as_object() else { continue };
        with_areas += 1;
        let variant = variants.iter().find(|(_, areas)| is_variant(&of_case, areas)).map(|(name, _)| name.as_str());
        let variant = variant.unwrap_or("NONE");
        writeln!(found, "{id},{variant}").expect("text in memory can be written");
        // What has no area must be told, by whichever object was to have it.
        for area in variants.get(variant).and_then(Value::as_array).into_iter().flatten() {
            let record = record(area);
            let built = of_case.row(&format!("{record} area")).is_some();
            let told = of_case.layer_rejects.iter().any(|(_, reject)| reject.record_id.as_str() == record);
            assert!(built != told, "case {id}: {record} is either built or rejected");
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/area-variants.csv");
    if std::env::var_os("POIMILL_BLESS").is_some() {
        std::fs::write(&golden, &found).expect("the golden file can be written");
    }
    let recorded = std::fs::read_to_string(golden).expect("the golden file");
    let by_case = |text: &str| -> BTreeMap<String, String> {
        text.lines().filter_map(|line| line.split_once(',')).map(|(id, it)| (id.into(), it.into())).collect()
    };
    assert_eq!(by_case(&found), by_case(&recorded));
    assert!(!found.contains("NONE"), "{found}");
    assert_eq!((cases.len(), with_areas), CASES);
}

/// The object that an expected area is of.
fn record(area: &Value) -> String {
    format!("{}/{}", area["from_type"].as_str().unwrap_or_default(), area["from_id"])
}

fn is_variant(found: &Layered, areas: &Value) -> bool {
    areas.as_array().is_some_and(|areas| {
        areas.iter().all(|area| {
            let built = found.row(&format!("{} area", record(area))).map(|row| &row.geometry);
            same(built, area["wkt"].as_str().unwrap_or_default())
        })
    })
}

fn same(built: Option<&Geometry<f64>>, expected: &str) -> bool {
    let area = match built {
        None => return expected == "INVALID",
        Some(Geometry::Polygon(polygon)) => MultiPolygon(vec![polygon.clone()]),
        Some(Geometry::MultiPolygon(area)) => area.clone(),
        Some(other) => panic!("no area: {other:?}"),
    };
    expected != "INVALID" && area.xor(&multipolygon(expected)).unsigned_area() < SLACK
}

/// A multipolygon from its WKT, as the cases write it.
fn multipolygon(wkt: &str) -> MultiPolygon<f64> {
    let number = |text: &str| text.parse::<f64>().expect("a coordinate");
    let point = |text: &str| text.split_once(' ').map(|(x, y)| (number(x), number(y))).expect("a point");
    let ring = |text: &str| text.split(',').map(point).collect::<LineString<f64>>();
    let polygon = |text: &str| {
        let mut rings = text.split("),(").map(ring);
        Polygon::new(rings.next().expect("an outer ring"), rings.collect())
    };
    let body = wkt.strip_prefix("MULTIPOLYGON(((").and_then(|wkt| wkt.strip_suffix(")))")).expect("a multipolygon");
    body.split(")),((").map(polygon).collect()
}
