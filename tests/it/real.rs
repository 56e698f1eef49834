//! Real extracts: counts that people have established by hand. Skipped by name where the folder of real data is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use poimill::domain::Cell;
use poimill::pipeline::ports::Snapshot;
use poimill::pipeline::tabulate::tables::{LINKS, PLACE_CHANGES, PLACES, SOURCES};
use poimill::pipeline::tabulate::{Row, read_rows};

use crate::support::database::Database;
use crate::support::{poimill, real_data, skipped};

/// Runs a pipeline on real inputs and returns the folder of its latest snapshot.
fn run(pipeline: &str, store: &tempfile::TempDir, inputs: &[(&str, PathBuf)]) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("pipelines/{pipeline}.toml"));
    let mut run = poimill();
    run.arg("run").arg(file).arg("--store").arg(store.path());
    for (name, path) in inputs {
        run.arg("--input").arg(format!("{name}={}", path.display()));
    }
    let done = run.output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    store.path().join(pipeline).join("latest")
}

fn text(row: &Row, at: usize) -> String {
    row[at].as_text().unwrap_or_default().to_owned()
}

#[test]
fn liechtenstein_has_23_charging_places() {
    let Some(data) = real_data() else { return skipped("liechtenstein_has_23_charging_places") };
    let store = tempfile::tempdir().expect("a folder");
    let latest = run(
        "liechtenstein",
        &store,
        &[
            ("osm", data.join("osm/liechtenstein-20240303.osm.pbf")),
            ("ocm", data.join("ocm/ocm-export-liechtenstein-2026.json")),
        ],
    );
    let snapshot = poimill::wiring::snapshot(&latest).expect("a snapshot");
    let places = read_rows(&snapshot, &PLACES, &["id", "category"]).expect("places");
    assert_eq!(places.len(), 23);
    assert_eq!(places.iter().filter(|row| text(row, 1) == "bicycle_charging_station").count(), 2);

    let mut merged: Vec<(String, String)> = read_rows(&snapshot, &LINKS, &["record_id_a", "record_id_b", "verdict"])
        .expect("links")
        .iter()
        .filter(|row| text(row, 2) == "match")
        .map(|row| (text(row, 0), text(row, 1)))
        .collect();
    merged.sort();
    let expected = [
        ("node/11492343865", "473173"), // Malbun
        ("node/5159230141", "461426"),  // Marktplatzgarage
        ("node/5279248693", "93452"),   // Schaan Supercharger
        ("node/9793541418", "462366"),  // Rathaus
    ];
    assert_eq!(merged, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));

    let bridge = read_rows(&snapshot, &SOURCES, &["record_id", "place_id", "category"]).expect("sources");
    assert_eq!(bridge.len(), 9 + 18);
    let place_of = |record: &str| {
        let row = bridge.iter().find(|row| text(row, 0) == record).expect(record);
        (text(row, 1), text(row, 2))
    };
    let apart = [
        ("node/10846397243", "node/5279248693"), // 50 kW CHAdeMO, 11 m from the Supercharger
        ("node/10846397243", "93452"),
        ("474971", "82368"), // Kommod, two operators
        ("node/10559125577", "473173"),
        ("node/10559125577", "node/11492343865"),
    ];
    for (a, b) in apart {
        assert_ne!(place_of(a).0, place_of(b).0, "{a} and {b}");
        let explained = poimill().args(["explain".as_ref(), latest.as_os_str(), a.as_ref(), b.as_ref()]).output();
        let told = String::from_utf8_lossy(&explained.expect("poimill starts").stdout).into_owned();
        assert!(told.contains("two places: "), "{told}");
    }
    for bicycle in ["node/10559125577", "node/11232537937"] {
        assert_eq!(place_of(bicycle).1, "bicycle_charging_station");
    }
}

#[test]
fn ids_of_monaco_stay_over_three_nights() {
    let Some(data) = real_data() else { return skipped("ids_of_monaco_stay_over_three_nights") };
    let store = tempfile::tempdir().expect("a folder");
    let ocm = data.join("ocm/ocm-data-poi-20201120.ndjson.gz");
    let nights = ["monaco-20260309", "monaco-20260710", "monaco-20260309"].map(|night| {
        let osm = data.join(format!("osm/{night}.osm.pbf"));
        let latest = run("monaco", &store, &[("osm", osm), ("ocm", ocm.clone())]);
        let snapshot = poimill::wiring::snapshot(&latest).expect("a snapshot");
        let ids: Vec<(String, Cell)> = read_rows(&snapshot, &PLACES, &["id", "content_hash"])
            .expect("places")
            .into_iter()
            .map(|row| (text(&row, 0), row[1].clone()))
            .collect();
        (snapshot.manifest().snapshot.clone(), ids)
    });
    let [first, second, third] = &nights;
    assert!(first.0 != second.0 && second.0 != third.0 && first.0 != third.0, "three snapshots");
    assert_eq!(first.1, third.1, "the first night again has the same places under the same ids");
    let kept = first.1.iter().filter(|(id, _)| second.1.iter().any(|(other, _)| other == id)).count();
    assert!(kept * 100 >= first.1.len() * 95, "{kept} of {} ids stay from one night to the next", first.1.len());
}

#[test]
fn two_nights_of_monaco_reach_the_database_by_their_changes() {
    let test = "two_nights_of_monaco_reach_the_database_by_their_changes";
    let Some(data) = real_data() else { return skipped(test) };
    let Some(database) = Database::create(test) else { return };
    let store = tempfile::tempdir().expect("a folder");
    let ocm = data.join("ocm/ocm-data-poi-20201120.ndjson.gz");
    let load = |night: &str| {
        let osm = data.join(format!("osm/monaco-{night}.osm.pbf"));
        let latest = run("monaco", &store, &[("osm", osm), ("ocm", ocm.clone())]);
        let mut load = poimill();
        load.arg("load").arg(&latest).arg("--database").arg(&database.url);
        let done = load.output().expect("poimill starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let again = load.output().expect("poimill starts");
        assert_eq!(String::from_utf8_lossy(&again.stdout), "the database already stands at this snapshot\n");
        poimill::wiring::snapshot(&latest).expect("a snapshot")
    };
    // A row that is written again gets another transaction id.
    let versions = || -> BTreeMap<String, String> {
        let rows = database.client().query("select id::text, xmin::text from poimill.place", &[]).expect("places");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let rows = |snapshot: &dyn Snapshot| snapshot.manifest().tables["places"].rows;

    let first = load("20260309");
    assert_eq!(database.number("select count(*) from poimill.place").unsigned_abs(), rows(&first));
    let before = versions();
    let second = load("20260710");
    assert_eq!(database.number("select count(*) from poimill.place").unsigned_abs(), rows(&second));
    let after = versions();

    let changes = read_rows(&second, &PLACE_CHANGES, &["id", "class"]).expect("changes");
    let changed: BTreeSet<String> = changes.iter().map(|row| text(row, 0)).collect();
    let ids = before.keys().chain(after.keys());
    let written: BTreeSet<String> = ids.filter(|id| before.get(*id) != after.get(*id)).cloned().collect();
    assert_eq!(written, changed, "only what changed is written");

    let query = "select concat_ws(' ', class, cause, place_id, coalesce(related_id::text, '-'), array_to_string(changed_fields, ','),
                        coalesce(moved_m::text, '-')) from poimill.change where class <> 'loaded' order by 1";
    let names = ["class", "cause", "id", "related_id", "changed_fields", "moved_m"];
    let mut expected: Vec<String> = read_rows(&second, &PLACE_CHANGES, &names)
        .expect("changes")
        .iter()
        .map(|row| {
            let fields = if let Cell::List(fields) = &row[4] { fields.as_slice() } else { &[] };
            let fields: Vec<&str> = fields.iter().filter_map(Cell::as_text).collect();
            let related = row[3].as_text().unwrap_or("-");
            let moved = if let Cell::Float(metres) = row[5] { metres.to_string() } else { "-".to_owned() };
            format!("{} {} {} {related} {} {moved}", text(row, 0), text(row, 1), text(row, 2), fields.join(","))
        })
        .collect();
    expected.sort();
    let mut told = database.texts(query);
    told.sort();
    assert_eq!(told, expected, "the feed is the change set");
}
