//! What GDAL reads: other formats, in other coordinate systems.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{read, read_file};

/// Three places in Swiss coordinates (EPSG:2056), about Vaduz; one of them is nowhere.
const PLACES: &str = r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::2056"}},"features":[
    {"type":"Feature","properties":{"ref":"a","name":"Vaduz","kw":22.5,"n":2},"geometry":{"type":"Point","coordinates":[2757500,1222500]}},
    {"type":"Feature","properties":{"ref":"b","name":"Köln","kw":null,"n":3},"geometry":{"type":"Point","coordinates":[2758500,1223500]}},
    {"type":"Feature","properties":{"ref":"c","name":"Ü","kw":5000,"n":1},"geometry":null}
]}"#;

/// The places in another format, by GDAL's own tool.
fn translated(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let (from, to) = (folder.join("places.geojson"), folder.join(name));
    std::fs::write(&from, PLACES).unwrap();
    let done = Command::new("ogr2ogr").args(options).arg(&to).arg(&from).output().expect("ogr2ogr is there");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    to
}

#[test]
fn every_format_of_gdal_comes_to_the_same_rows_in_degrees() {
    let mapping = "id = 'ref'\n[tags]\nname = 'name'\nkw = { column = 'kw', as = 'kw' }\ncapacity = { column = 'n', as = 'integer' }";
    let folder = tempfile::tempdir().unwrap();
    // FlatGeobuf keeps nothing that is nowhere; its index would sort the others.
    let formats: [(&str, &[&str]); 4] = [
        ("t.gpkg", &[]),
        ("t.fgb", &["-lco", "SPATIAL_INDEX=NO"]),
        ("t.shp", &["-lco", "ENCODING=UTF-8"]),
        ("t.gml", &[]),
    ];
    for (name, options) in formats {
        let path = translated(folder.path(), name, options);
        let told = read_file(&path, mapping).unwrap();
        assert_eq!(told.tags(), ["a: capacity=2 kw=22.5 kW name=Vaduz", "b: capacity=3 name=Köln"], "{name}");
        let codes: Vec<String> = told.rejects.iter().map(|r| format!("{} {}", r.record_id, r.code)).collect();
        let nowhere: &[&str] = if name.ends_with("fgb") { &[] } else { &["c no_position"] };
        assert_eq!(codes, nowhere, "{name}");
        let crate::domain::Shape::Point(point) = told.features[0].shape else { panic!("a point") };
        assert!((point.x() - 9.51).abs() < 0.02 && (point.y() - 47.13).abs() < 0.02, "{name} {point:?}");
        assert_eq!(told.extracted.inputs.len(), if name.ends_with("shp") { 5 } else { 1 }, "{name}");
    }
}

#[test]
fn a_spreadsheet_is_a_table_too() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("t.csv");
    std::fs::write(&csv, "ref,x,y,name\na,9.5,47.1,Vaduz\nb,,47,Schaan\n").unwrap();
    let path = folder.path().join("t.xlsx");
    let done = Command::new("ogr2ogr").args(["-oo", "AUTODETECT_TYPE=YES"]).arg(&path).arg(&csv).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = read_file(&path, "id = 'ref'\nlon = 'x'\nlat = 'y'\ntags = { name = 'name' }").unwrap();
    assert_eq!((told.tags(), told.points()), (vec!["a: name=Vaduz".to_owned()], vec!["a 9.5 47.1".to_owned()]));
    assert_eq!(told.rejects[0].code.name(), "no_position");
}

#[test]
fn positions_in_columns_are_moved_from_the_system_that_the_mapping_names() {
    let mapping = "crs = 'EPSG:2056'\nid = 'id'\nlon = 'x'\nlat = 'y'";
    let told = read("id,x,y\na,2757500,1222500\nb,inf,1\nc,1e30,1e30\n", mapping);
    let crate::domain::Shape::Point(point) = told.features[0].shape else { panic!("a point") };
    assert!((point.x() - 9.51).abs() < 0.02 && (point.y() - 47.13).abs() < 0.02, "{point:?}");
    let codes: Vec<String> = told.rejects.iter().map(|r| format!("{} {}", r.record_id, r.code)).collect();
    assert!(codes.contains(&"b invalid_position".to_owned()), "{codes:?}");
    let unknown = super::refused(b"id,x,y\n", "crs = 'EPSG:1'\nid = 'id'\nlon = 'x'\nlat = 'y'");
    assert!(unknown.contains("`EPSG:1` is no coordinate system that PROJ knows"), "{unknown}");
}

#[test]
fn of_several_layers_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = translated(folder.path(), "two.gpkg", &["-nln", "first"]);
    let from = folder.path().join("places.geojson");
    let done = Command::new("ogr2ogr").args(["-update", "-nln", "second"]).arg(&path).arg(&from).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = super::chain(&read_file(&path, "id = 'ref'").expect_err("which layer"));
    assert!(told.contains("has the layers first, second; say in [source.table] which one"), "{told}");
    assert_eq!(read_file(&path, "layer = 'second'\nid = 'ref'").unwrap().features.len(), 2);
}
