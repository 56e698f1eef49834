//! Schemas: no column changes without a new version of its table, and every earlier version is still read.
//!
//! `tests/golden/schemas/<table>-<version>.txt` is what the columns of a version are; files are added and never changed:
//! `POIMILL_BLESS=1 cargo test --test it schemas` writes those that are not there yet. `store/` beside them is a snapshot as
//! it was written when the kept files began.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use poimill::adapters::geoparquet::FolderStore;
use poimill::domain::{Filter, GeometryKind, Incomplete, Layer};
use poimill::pipeline::diff::layers::layer_changes_table;
use poimill::pipeline::layers::layer_table;
use poimill::pipeline::ports::{MakeBatch, SnapshotStore, Staging};
use poimill::pipeline::tabulate::{Column, Table, rows_to_batch, tables};
use serde_json::Value;

use crate::support::demo::Demo;

/// Tables that a snapshot of the first version did not have.
const LATER: [&str; 3] = ["bridge", "conflicts", "findings"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schemas")
}

/// Every table that a snapshot may have; of layers, the columns that all of them have.
fn all() -> Vec<Table> {
    let layer = layer_table(&Layer {
        name: "any".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*"]).unwrap(),
        kinds: GeometryKind::ALL.to_vec(),
        columns: Vec::new(),
        incomplete: Incomplete::Reject,
        users: true,
    });
    let changes = layer_changes_table(&layer);
    tables::ALL.iter().map(|table| (*table).clone()).chain([layer, changes]).collect()
}

/// A line per column: name, type, and whether a value may be missing.
fn columns(table: &Table) -> String {
    let mut text = String::new();
    for column in table.columns.iter() {
        let missing = if column.nullable { ", may be missing" } else { "" };
        writeln!(text, "{}: {:?}{missing}", column.name, column.kind).unwrap();
    }
    text
}

#[test]
fn no_column_changes_without_a_new_version() {
    for table in all() {
        let name = table.name.replace('/', "_");
        let path = folder().join(format!("{name}-{}.txt", table.schema_version));
        if !path.exists() && std::env::var_os("POIMILL_BLESS").is_some() && std::env::var_os("CI").is_none() {
            fs::write(&path, columns(&table)).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == columns(&table),
            "the columns of {} are not those of version {}: raise its schema_version, name it in CHANGELOG.md, and run \
             POIMILL_BLESS=1 cargo test --test it schemas\n{kept}\n{}",
            table.name,
            table.schema_version,
            columns(&table)
        );
        for version in 1..table.schema_version {
            assert!(folder().join(format!("{name}-{version}.txt")).is_file(), "{name} {version} is kept");
        }
    }
}

#[test]
fn a_version_adds_columns_and_takes_none() {
    let lines = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(folder().join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    for table in all() {
        let name = table.name.replace('/', "_");
        for version in 1..table.schema_version {
            let newer = lines(&format!("{name}-{}.txt", version + 1));
            for line in lines(&format!("{name}-{version}.txt")) {
                assert!(newer.contains(&line), "{name} {version}: {line}");
            }
        }
    }
}

#[test]
fn the_changelog_names_the_versions() {
    let changelog = include_str!("../../CHANGELOG.md").replace('\n', " ");
    for table in all() {
        let name = table.name.replace("/any", "");
        let told = format!("{name} {}", table.schema_version);
        assert!(changelog.contains(&told), "CHANGELOG.md says \"{told}\"");
    }
}

/// The kept snapshot as the latest of a store.
fn kept() -> (Demo, PathBuf) {
    let demo = Demo::new();
    let kept = fs::read_dir(folder().join("store")).unwrap().next().unwrap().unwrap();
    let snapshot = demo.store().join("demo").join(kept.file_name());
    for path in crate::fixtures::files_below(&kept.path()) {
        let to = snapshot.join(path.strip_prefix(kept.path()).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
    std::os::unix::fs::symlink(kept.file_name(), demo.latest()).unwrap();
    (demo, snapshot)
}

/// Changes the manifest of a snapshot.
fn edit(snapshot: &Path, change: impl Fn(&mut Value)) {
    let path = snapshot.join("manifest.json");
    let mut manifest = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(path, manifest.to_string()).unwrap();
}

/// Asserts that the next night starts from the kept snapshot and that the two can be compared.
fn check_next_night(demo: &Demo, what: &str) {
    let first = demo.latest_id();
    let told = demo.run(2, &["--json"]);
    assert_eq!(told.code, 0, "{what}: {}", told.err);
    let report: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((&report["base"], &report["unchanged"]), (&Value::from(first.as_str()), &Value::from(false)), "{what}");
    let told = demo.poimill(&format!("diff store/demo/{first} store/demo/latest"));
    let counts = "4 added, 7 removed, 18 modified, 3 moved, 5 touched, 1 merged, 2 split\n";
    assert!(told.code == 1 && told.out.starts_with(counts), "{what}: {told:?}");
}

#[test]
fn the_next_night_starts_from_a_store_of_every_earlier_version() {
    let (demo, _) = kept();
    check_next_night(&demo, "the kept store");

    let (demo, snapshot) = kept();
    for name in LATER {
        fs::remove_file(snapshot.join(format!("{name}.parquet"))).unwrap();
    }
    edit(&snapshot, |manifest| {
        let tables = manifest["tables"].as_object_mut().unwrap();
        tables.retain(|name, _| !LATER.contains(&name.as_str()));
        manifest.as_object_mut().unwrap().remove("self_evaluation");
    });
    check_next_night(&demo, "a store without the tables that came later");

    // Which columns of `rejects` came with which version.
    for (version, lacks) in [(1, ["layer", "line"].as_slice()), (2, &["line"])] {
        let (demo, snapshot) = kept();
        let has = |column: &&Column| !lacks.contains(&&*column.name);
        let columns: Vec<Column> = tables::REJECTS.columns.iter().filter(has).cloned().collect();
        let table = Table { schema_version: version, columns: columns.into(), ..tables::REJECTS.clone() };
        let told = fs::read_to_string(folder().join(format!("rejects-{version}.txt"))).unwrap();
        assert_eq!(self::columns(&table), told);
        let apart = tempfile::tempdir().unwrap();
        let store = FolderStore::new(apart.path(), "apart");
        let staging: Box<dyn Staging> = store.stage(&poimill::pipeline::ports::Credits::default()).unwrap();
        let batch = rows_to_batch::<poimill::pipeline::tabulate::Row>(&table, &[]).unwrap();
        staging.write(&table, &mut std::iter::once(Ok(Box::new(move || Ok(batch)) as MakeBatch<'_>))).unwrap();
        fs::copy(store.work().join("staging/rejects.parquet"), snapshot.join("rejects.parquet")).unwrap();
        edit(&snapshot, |manifest| manifest["tables"]["rejects"]["schema_version"] = version.into());
        check_next_night(&demo, &format!("rejects {version}"));
    }
}
