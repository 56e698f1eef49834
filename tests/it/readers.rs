//! The files as analysts open them: DuckDB with its spatial extension, GeoPandas, polars, pyarrow, and the specification's
//! checker. Every table of a snapshot, in both versions of GeoParquet.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use arrow_schema::DataType;
use poimill::pipeline::ports::{Snapshot, Tables};
use poimill::pipeline::tabulate::{Table, read_rows, tables};
use serde_json::{Value, json};

use crate::support::demo::Demo;
use crate::support::{poimill, real_data, required_or_skipped, skipped};

/// The versions that a pipeline file can ask for.
const VERSIONS: [&str; 2] = ["1.1", "2.0"];

/// A layer of everything, with columns of every kind that can be promoted.
const LAYER: &str = r#"
[[layer]]
name    = "everything"
source  = "osm"
filter  = "*"
users   = true
columns = ["building", { key = "capacity", type = "integer" }, { key = "fee", type = "boolean" }, { key = "height", type = "number" }]
"#;

/// The Python that has the readers.
fn python(test: &str) -> Option<OsString> {
    let python = std::env::var_os("POIMILL_TEST_PYTHON");
    if python.is_none() {
        required_or_skipped(test, "POIMILL_TEST_PYTHON is not set");
    }
    python
}

/// The type of a column as pyarrow writes it.
fn in_pyarrow(name: &str, kind: &DataType) -> String {
    match kind {
        DataType::Utf8 => "string".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::FixedSizeBinary(bytes) => format!("fixed_size_binary[{bytes}]"),
        DataType::Timestamp(..) => "timestamp[us, tz=UTC]".to_owned(),
        DataType::List(item) => format!("list<element: {} not null>", in_pyarrow("element", item.data_type())),
        DataType::Struct(fields) => {
            let fields =
                fields.iter().map(|field| format!("{}: {}", field.name(), in_pyarrow(field.name(), field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        DataType::Map(..) => format!("map<string, string ('{name}')>"),
        other => unreachable!("no table has a column of type {other}"),
    }
}

/// The table of this name, where its columns are the same in every pipeline.
fn known(name: &str) -> Option<Table> {
    let places = |name: &str| tables::holds_places(name).then(|| Table { ..tables::PLACES.clone() });
    let fixed = tables::ALL.iter().find(|table| table.name == name).map(|table| (*table).clone());
    fixed
        .or_else(|| places(name))
        .or_else(|| places(name.strip_prefix("changes/")?).and(Some(tables::PLACE_CHANGES.clone())))
}

/// Has every reader open every table of a snapshot; what they are told apart by is its version of GeoParquet.
fn assert_every_reader_opens(python: &OsString, latest: &Path, version: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read_tables.py");
    let read = Command::new(python).arg(script).arg(latest).output().expect("python starts");
    let told = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success(), "{version}: {told}\n{}", String::from_utf8_lossy(&read.stderr));

    let snapshot = poimill::wiring::snapshot(latest).expect("a snapshot");
    let manifest = snapshot.manifest();
    let mut seen: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for line in told.lines() {
        let line: Value = serde_json::from_str(line).expect("a JSON line");
        let name = |key: &str| line[key].as_str().expect("each line names a table and a reader").to_owned();
        seen.entry(name("table")).or_default().insert(name("reader"), line);
    }
    assert!(manifest.tables.keys().eq(seen.keys()), "{:?} were read", seen.keys());
    for (name, readers) in &seen {
        let at = format!("{name}, {version}");
        for reader in ["pyarrow", "duckdb", "polars", "geopandas"] {
            assert_eq!(readers[reader]["rows"], manifest.tables[name].rows, "{at}: {reader}");
        }
        let about = &readers["pyarrow"]["about"];
        assert_eq!((&about["table"], &about["pipeline"]), (&json!(name), &json!(manifest.pipeline)), "{at}");
        let osm = &about["sources"][0];
        assert_eq!(
            (&osm["name"], &osm["attribution"]),
            (&json!("osm"), &json!("© OpenStreetMap contributors")),
            "{at}"
        );
        let Some(table) = known(name) else { continue };
        let schema = table.schema();
        let fields = schema.fields().iter().filter(|field| version == "1.1" || field.name() != "bbox");
        let columns: Vec<Value> = fields
            .map(|field| json!([field.name(), in_pyarrow(field.name(), field.data_type()), field.is_nullable()]))
            .collect();
        let read = readers["pyarrow"]["columns"].as_array().expect("a list of columns");
        assert_eq!(read.len(), columns.len(), "{at}");
        for (read, column) in read.iter().zip(&columns) {
            assert_eq!(read, column, "{at}");
        }
        let has_geometries = table.column("geometry").is_some();
        assert_eq!(readers.contains_key("gpio"), has_geometries, "{at}: what has geometries is judged");
        if has_geometries && manifest.tables[name].rows > 0 {
            assert_eq!(readers["duckdb"]["geometry_types"], json!(["POINT"]), "{at}");
        }
    }
}

/// The demonstration with a layer, after two nights, in a version of GeoParquet.
fn demo(version: &str, merge: &str) -> Demo {
    let demo = Demo::new();
    demo.edit("[store]\n", &format!("[store]\ngeoparquet = \"{version}\"\n"));
    let text = fs::read_to_string(demo.path("demo.toml")).expect("the pipeline file");
    demo.write("demo.toml", format!("{text}{LAYER}\n[conflate]\nmerge = \"{merge}\"\n").as_bytes());
    for night in [1, 2] {
        assert_eq!(demo.run(night, &[]).code, 0);
    }
    demo
}

#[test]
fn every_table_opens_in_every_reader_without_a_warning() {
    let Some(python) = python("every_table_opens_in_every_reader_without_a_warning") else { return };
    for version in VERSIONS {
        for merge in ["merged", "layered"] {
            assert_every_reader_opens(&python, &demo(version, merge).latest(), version);
        }
    }
}

#[test]
fn real_tables_open_in_every_reader_without_a_warning() {
    let test = "real_tables_open_in_every_reader_without_a_warning";
    let Some(data) = real_data() else { return skipped(test) };
    let Some(python) = python(test) else { return };
    let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/monaco.toml"));
    let shipped = shipped.expect("the pipeline file of Monaco");
    for version in VERSIONS {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("monaco.toml");
        let text = shipped.replace("[store]\n", &format!("[store]\ngeoparquet = \"{version}\"\n"));
        assert_ne!(text, shipped, "the store is set");
        fs::write(&file, format!("{text}{LAYER}")).expect("the folder can be written to");
        for night in ["monaco-20260309", "monaco-20260710"] {
            let mut run = poimill();
            run.arg("run").arg(&file).arg("--store").arg(folder.path());
            let inputs: [(&str, PathBuf); 2] = [
                ("osm", data.join(format!("osm/{night}.osm.pbf"))),
                ("ocm", data.join("ocm/ocm-data-poi-20201120.ndjson.gz")),
            ];
            for (name, path) in inputs {
                run.arg("--input").arg(format!("{name}={}", path.display()));
            }
            let done = run.output().expect("poimill starts");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        assert_every_reader_opens(&python, &folder.path().join("monaco/latest"), version);
    }
}

#[test]
fn both_versions_hold_the_same_rows_and_one_can_follow_the_other() {
    let [old, new] = VERSIONS.map(|version| demo(version, "merged"));
    let [old_snapshot, new_snapshot] =
        [&old, &new].map(|demo| poimill::wiring::snapshot(&demo.latest()).expect("a snapshot"));
    let mut with_boxes = 0;
    for table in tables::ALL {
        let rows = |from: &dyn Tables| read_rows(from, table, &[]).expect("the table can be read");
        assert!(rows(&old_snapshot) == rows(&new_snapshot), "{}", table.name);
        if table.column("bbox").is_some() {
            with_boxes += 1;
            let boxes = |from: &dyn Tables| read_rows(from, table, &["bbox", "content_hash"]).expect("two columns");
            assert!(boxes(&old_snapshot) == boxes(&new_snapshot), "{}", table.name);
        }
    }
    assert_eq!(with_boxes, 3);
    let layers = |snapshot: &dyn Tables| {
        let mut batches = Vec::new();
        snapshot
            .read("layers/everything", &[], &mut |batch| {
                batches.push(batch);
                Ok(())
            })
            .expect("a layer");
        batches
    };
    assert!(layers(&old_snapshot) == layers(&new_snapshot), "boxes of lines and areas too");

    // A change of the setting changes every file and no row.
    assert_eq!(new_snapshot.manifest().settings["geoparquet"], "2.0");
    old.edit("geoparquet = \"1.1\"", "geoparquet = \"2.0\"");
    let told = old.run(2, &[]);
    assert_eq!(told.code, 0, "{}", told.err);
    let after = poimill::wiring::snapshot(&old.latest()).expect("a snapshot");
    let differing = |name: &str| after.manifest().tables[name].rows;
    assert_eq!((differing("changes/places"), differing("changes/layers/everything")), (0, 0));
    assert_eq!(after.manifest().base, Some(old_snapshot.manifest().snapshot.clone()));
}
