//! The files as analysts open them: DuckDB with its spatial extension, GeoPandas, polars, and the specification's checker.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use poimill::pipeline::ports::Snapshot;
use serde_json::{Value, json};

use crate::support::{poimill, real_data, required_or_skipped, skipped};

/// The Python that has the readers.
fn python(test: &str) -> Option<OsString> {
    let python = std::env::var_os("POIMILL_TEST_PYTHON");
    if python.is_none() {
        required_or_skipped(test, "POIMILL_TEST_PYTHON is not set");
    }
    python
}

/// Runs a pipeline on these inputs and has every reader open its places.
fn assert_every_reader_opens(python: &OsString, pipeline: &str, inputs: &[(&str, PathBuf)]) {
    let store = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut run = poimill();
    run.arg("run").arg(root.join(format!("pipelines/{pipeline}.toml"))).arg("--store").arg(store.path());
    for (name, path) in inputs {
        run.arg("--input").arg(format!("{name}={}", path.display()));
    }
    let done = run.output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    let latest = store.path().join(pipeline).join("latest");
    let read =
        Command::new(python).arg(root.join("tests/python/read_places.py")).arg(latest.join("places.parquet")).output();
    let read = read.expect("python starts");
    let told = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success(), "{pipeline}: {told}\n{}", String::from_utf8_lossy(&read.stderr));

    let rows = poimill::wiring::snapshot(&latest).expect("a snapshot").manifest().tables["places"].rows;
    let seen: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let by = |reader: &str| seen.iter().find(|line| line["reader"] == reader).expect(reader);
    for reader in ["duckdb", "geopandas", "polars"] {
        assert_eq!(by(reader)["rows"], rows, "{pipeline}: {reader}");
    }
    assert_eq!(by("duckdb")["geometry_types"], json!(["POINT"]), "{pipeline}");
    assert_eq!(by("geopandas")["geometry_types"], json!(["Point"]), "{pipeline}");
    let gpio = by("gpio");
    assert_eq!((&gpio["is_valid"], &gpio["summary"]["failed"]), (&true.into(), &0.into()), "{pipeline}");
}

#[test]
fn places_open_in_every_reader_without_a_warning() {
    let Some(python) = python("places_open_in_every_reader_without_a_warning") else { return };
    assert_every_reader_opens(&python, "demo", &[]);
}

#[test]
fn real_places_open_in_every_reader_without_a_warning() {
    let test = "real_places_open_in_every_reader_without_a_warning";
    let Some(data) = real_data() else { return skipped(test) };
    let Some(python) = python(test) else { return };
    let (osm, ocm) = (|name: &str| data.join(format!("osm/{name}.osm.pbf")), |name: &str| data.join("ocm").join(name));
    let liechtenstein = [("osm", osm("liechtenstein-20240303")), ("ocm", ocm("ocm-export-liechtenstein-2026.json"))];
    assert_every_reader_opens(&python, "liechtenstein", &liechtenstein);
    for night in ["monaco-20260309", "monaco-20260710"] {
        let monaco = [("osm", osm(night)), ("ocm", ocm("ocm-data-poi-20201120.ndjson.gz"))];
        assert_every_reader_opens(&python, "monaco", &monaco);
    }
}
