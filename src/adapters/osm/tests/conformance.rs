//! The OSM test grid: every case with expected areas, compared by topology. Any variant listed is right.

use geo::{Area, BooleanOps, LineString, MultiPolygon, Polygon, Validation};
use serde_json::Value;

use super::{read, shared_data};
use crate::domain::{Region, Shape};

/// Square degrees by which areas may differ: far less than one ten-millionth of a degree around any case.
const SLACK: f64 = 1e-12;

#[test]
fn areas_of_the_test_grid_are_as_expected() {
    let Some(cases) = shared_data("areas_of_the_test_grid_are_as_expected", "areas/cases") else { return };
    let mut folders: Vec<_> = std::fs::read_dir(cases).expect("the cases").filter_map(Result::ok).collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    let (mut with_areas, mut wrong) = (0, Vec::new());
    for folder in folders {
        let text = std::fs::read_to_string(folder.path().join("test.json")).expect("a case has a test.json");
        let case: Value = serde_json::from_str(&text).expect("a case is JSON");
        let Some(variants) = case["areas"].as_object() else { continue };
        let reading = read(&folder.path().join("data.osm.pbf"), &["*"], &Region::world()).expect("a case is readable");
        assert!(reading.balances());
        with_areas += 1;
        let built = |id: &str| {
            reading.features.iter().find(|feature| feature.id.as_str() == id).and_then(|feature| match &feature.shape {
                Shape::Area(area) => Some(area),
                Shape::Point(_) => None,
            })
        };
        let right = variants.values().filter_map(Value::as_array).any(|areas| {
            areas.iter().all(|area| {
                let id = format!("{}/{}", area["from_type"].as_str().unwrap_or_default(), area["from_id"]);
                same(built(&id), area["wkt"].as_str().unwrap_or_default())
            })
        });
        if !right {
            wrong.push(format!("{}: {}", case["test_id"], case["description"]));
        }
        for feature in &reading.features {
            if let Shape::Area(area) = &feature.shape {
                assert!(area.is_valid(), "case {}: {}", case["test_id"], feature.id);
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(with_areas, 102);
}

fn same(built: Option<&MultiPolygon<f64>>, expected: &str) -> bool {
    match built {
        None => expected == "INVALID",
        Some(_) if expected == "INVALID" => false,
        Some(area) => area.xor(&multipolygon(expected)).unsigned_area() < SLACK,
    }
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
