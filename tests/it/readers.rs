//! The files as analysts open them: DuckDB with its spatial extension, GeoPandas, polars, and the specification's checker.

use std::path::Path;
use std::process::Command;

use crate::support::{poimill, required_or_skipped};

#[test]
fn places_open_in_every_reader_without_a_warning() {
    let Some(python) = std::env::var_os("POIMILL_TEST_PYTHON") else {
        return required_or_skipped("places_open_in_every_reader_without_a_warning", "POIMILL_TEST_PYTHON is not set");
    };
    let store = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut run = poimill();
    run.arg("run").arg(root.join("pipelines/demo.toml")).arg("--store").arg(store.path());
    let done = run.output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    let places = store.path().join("demo/latest/places.parquet");
    let read = Command::new(python).arg(root.join("tests/python/read_places.py")).arg(&places).output();
    let read = read.expect("python starts");
    let told = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success(), "{told}\n{}", String::from_utf8_lossy(&read.stderr));

    let expected = poimill::wiring::snapshot(&store.path().join("demo/latest")).expect("a snapshot");
    let rows = poimill::pipeline::ports::Snapshot::manifest(&expected).tables["places"].rows;
    let seen: Vec<serde_json::Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    for reader in ["duckdb", "geopandas", "polars"] {
        let line = seen.iter().find(|line| line["reader"] == reader).expect(reader);
        assert_eq!(line["rows"], rows, "{reader}");
    }
    for (reader, point) in [("duckdb", "POINT"), ("geopandas", "Point")] {
        let line = seen.iter().find(|line| line["reader"] == reader).expect(reader);
        assert_eq!(line["geometry_types"], serde_json::json!([point]), "{reader}");
    }
    let gpio = seen.iter().find(|line| line["reader"] == "gpio").expect("gpio");
    assert_eq!((&gpio["is_valid"], &gpio["summary"]["failed"]), (&true.into(), &0.into()));
}
