//! `poimill diff` for machines and maps: what changed, from what to what, how far, and where.

use std::fs;

use geozero::ToGeo;
use geozero::geojson::GeoJson;
use serde_json::{Value, json};

use crate::support::demo::{Demo, fixture};

/// Two nights of the town, and the folder of the first.
fn two_nights() -> (Demo, String) {
    let demo = Demo::after_one_night();
    let first = format!("store/demo/{}", demo.latest_id());
    assert_eq!(demo.run(2, &[]).code, 0);
    (demo, first)
}

fn features(text: &str) -> Vec<Value> {
    let map: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(map["type"], "FeatureCollection");
    map["features"].as_array().expect("features").clone()
}

fn named<'a>(features: &'a [Value], class: &str, name: &str) -> &'a Value {
    let is = |f: &&Value| f["properties"]["class"] == class && f["properties"]["name"] == name;
    features.iter().find(is).unwrap_or_else(|| panic!("{class} {name}"))
}

#[test]
fn a_map_shows_what_moved_what_is_gone_and_what_is_new() {
    let (demo, first) = two_nights();
    let told = demo.poimill(&format!("diff {first} store/demo/latest --geojson -"));
    assert_eq!((told.code, told.err.as_str()), (1, ""));
    let features = features(&told.out);
    assert_eq!(features.len(), 40);

    let source = |time: &str| {
        json!([{
            "confidence": 1.0, "dataset": "osm", "license": "ODbL-1.0", "property": "", "record_id": "node/1025",
            "update_time": time,
        }])
    };
    let moved = json!({
        "type": "Feature",
        "id": "d3dcd678-7619-52a3-951a-6f1ea5e85764",
        "geometry": { "type": "GeometryCollection", "geometries": [
            { "type": "LineString", "coordinates": [[6.483_738_9, 54.505_575_8], [6.483_924_7, 54.505_575_8]] },
            { "type": "Point", "coordinates": [6.483_924_7, 54.505_575_8] },
        ] },
        "properties": {
            "class": "moved",
            "cause": "source",
            "category": "playground",
            "name": "Piratenspielplatz",
            "changed_fields": ["geometry", "sources"],
            "datasets": ["osm"],
            "moved_m": 12.0,
            "fields": { "sources": { "old": source("2025-06-09T20:21:00Z"), "new": source("2026-05-02T19:21:00Z") } },
        },
    });
    assert_eq!(*named(&features, "moved", "Piratenspielplatz"), moved);

    // What is gone stands where it was: the map of the way back has it there as new.
    let back = demo.poimill(&format!("diff store/demo/latest {first} --geojson -"));
    let back = self::features(&back.out);
    let gone: Vec<&Value> = features.iter().filter(|f| f["properties"]["class"] == "removed").collect();
    assert_eq!(gone.len(), 7);
    for gone in gone {
        let there = back.iter().find(|feature| feature["id"] == gone["id"]).expect("it is new on the way back");
        assert_eq!(there["properties"]["class"], "revived");
        assert_eq!((&gone["geometry"], &gone["geometry"]["type"]), (&there["geometry"], &json!("Point")));
    }
    for feature in features.iter().chain(&back) {
        check_feature(feature);
    }

    // The same map as a file, beside the summary.
    let summary = demo.poimill(&format!("diff {first} store/demo/latest --geojson map.geojson"));
    assert!(summary.code == 1 && summary.out.starts_with("4 added, 7 removed"), "{summary:?}");
    assert_eq!(fs::read_to_string(demo.path("map.geojson")).unwrap(), told.out);
    let both = demo.poimill(&format!("diff {first} store/demo/latest --geojson - --json"));
    assert!(both.code == 2 && both.err.contains("--json and --geojson - both print"), "{both:?}");
    let same = demo.poimill("diff store/demo/latest store/demo/latest --geojson -");
    assert_eq!((same.code, self::features(&same.out)), (0, vec![]));
    let nowhere = demo.poimill(&format!("diff {first} store/demo/latest --geojson none/map.geojson"));
    assert!(nowhere.code > 1 && nowhere.err.contains("cannot write none/map.geojson"), "{nowhere:?}");
}

/// Every position of a geometry.
fn positions(value: &Value, out: &mut Vec<[f64; 2]>) {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::Number(lon), Value::Number(lat)]) => out.push([lon.as_f64().unwrap(), lat.as_f64().unwrap()]),
        Some(items) => items.iter().for_each(|item| positions(item, out)),
        None => value.as_object().into_iter().flat_map(|o| o.values()).for_each(|v| positions(v, out)),
    }
}

/// Asserts that another reader takes the geometry, and that positions are in range and of seven digits at most.
fn check_feature(feature: &Value) {
    let geometry = feature["geometry"].to_string();
    GeoJson(&geometry).to_geo().unwrap_or_else(|error| panic!("{error}: {geometry}"));
    let mut found = Vec::new();
    positions(&feature["geometry"], &mut found);
    assert!(!found.is_empty(), "{feature}");
    for [lon, lat] in found {
        assert!((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat), "{feature}");
        for degrees in [lon, lat] {
            assert!((degrees * 1e7 - (degrees * 1e7).round()).abs() < 1e-5, "{degrees}");
        }
    }
}

#[test]
fn json_tells_each_field_before_and_after() {
    let (demo, first) = two_nights();
    let told = demo.poimill(&format!("diff {first} store/demo/latest --json"));
    let changes: Vec<Value> = told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |class: &str, name: &str| {
        changes.iter().find(|c| c["class"] == class && c["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let cafe = find("modified", "Café Möwe");
    assert_eq!((&cafe["cause"], &cafe["changed_fields"]), (&json!("source"), &json!(["opening_hours", "sources"])));
    let hours = &cafe["fields"]["opening_hours"];
    assert_eq!((&hours["new"], &hours["old"]), (&cafe["opening_hours"], &cafe["old_values"]["opening_hours"]));
    assert!(hours["old"] != hours["new"] && hours["old"].is_string(), "{hours}");
    let moved = find("moved", "Piratenspielplatz");
    assert_eq!(moved["moved_m"], 12.0);
    assert_eq!(moved["old_position"], json!([6.483_738_9, 54.505_575_8]));
    assert_eq!(moved["position"], json!([6.483_924_7, 54.505_575_8]));
}

#[test]
fn rows_of_layers_are_on_the_map_too() {
    let demo = Demo::new();
    let shipped = include_str!("../../pipelines/demo-layers.toml");
    demo.write("demo.toml", shipped.replace("name   = \"demo-layers\"", "name   = \"demo\"").as_bytes());
    let run = |night: u8| {
        let input = fixture(&format!("night-{night}/town.osm.pbf"));
        let told = demo.poimill(&format!("run demo.toml --store store --input osm={}", input.display()));
        assert_eq!(told.code, 0, "{told:?}");
    };
    run(1);
    let first = demo.latest_id();
    run(2);
    let told = demo.poimill(&format!("diff store/demo/{first} store/demo/latest --geojson -"));
    let features = features(&told.out);
    assert_eq!(features.len(), (1 + 1 + 1) + (5 + 2 + 4 + 1 + 1) + (6 + 5 + 12 + 4 + 4));
    features.iter().for_each(check_feature);
    let moved: Vec<&Value> = features
        .iter()
        .filter(|f| f["properties"]["layer"] == "buildings" && f["properties"]["class"] == "moved")
        .collect();
    let [moved] = moved.as_slice() else { panic!("one building moved") };
    let parts = moved["geometry"]["geometries"].as_array().expect("a way and what is there");
    assert_eq!((&parts[0]["type"], &parts[1]["type"]), (&json!("LineString"), &json!("Polygon")));
    assert_eq!(moved["id"], format!("buildings/way/{}/area", moved["properties"]["osm_id"]));
}
