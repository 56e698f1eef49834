//! The whole line with a database at its end: a run brings it to `latest`, whatever it stood at.

use std::path::Path;

use poimill::pipeline::ports::Snapshot;

use crate::support::database::Database;
use crate::support::poimill;

/// Runs the demonstration on one of its nights and returns what the report says the database did.
fn run(night: u8, store: &Path, database: Option<&Database>) -> serde_json::Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let night = root.join(format!("data/fixtures/night-{night}"));
    let mut run = poimill();
    run.arg("run").arg(root.join("pipelines/demo.toml")).arg("--json").arg("--store").arg(store);
    run.arg("--input").arg(format!("osm={}", night.join("town.osm.pbf").display()));
    run.arg("--input").arg(format!("ocm={}", night.join("ocm.json").display()));
    if let Some(database) = database {
        run.arg("--database").arg(&database.url);
    }
    let done = run.output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("the report is JSON");
    report["loads"][0]["loaded"].clone()
}

#[test]
fn every_run_ends_with_the_database_at_latest() {
    let Some(database) = Database::create("every_run_ends_with_the_database_at_latest") else { return };
    let store = tempfile::tempdir().expect("a folder");
    let places = || {
        let latest = poimill::wiring::snapshot(&store.path().join("demo/latest")).expect("a snapshot");
        latest.manifest().tables["places"].rows
    };
    let in_database = || database.number("select count(*) from poimill.place").unsigned_abs();

    run(1, store.path(), None);
    let first = places();
    let loaded = run(1, store.path(), Some(&database));
    assert_eq!(loaded["replaced"]["rows"], first, "an unchanged run loads a database that has nothing");
    assert_eq!(in_database(), first);

    assert_eq!(run(1, store.path(), Some(&database)), "unchanged");

    run(2, store.path(), None);
    run(1, store.path(), None);
    let loaded = run(2, store.path(), Some(&database));
    assert!(loaded["changed"]["rows"].as_u64().is_some_and(|rows| rows > 0), "two nights were missed: {loaded}");
    assert_eq!(in_database(), places());
}
