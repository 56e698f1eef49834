//! What an operator of charging data relies on, each on a small dump through the whole line.

use std::path::PathBuf;

use poimill::adapters::memory::MemoryObserver;
use poimill::config::Overrides;
use poimill::domain::Cell;
use poimill::pipeline::Report;
use poimill::pipeline::tabulate::tables::{FINDINGS, PLACE_CHANGES, PLACES, SOURCES};
use poimill::pipeline::tabulate::{Row, Table, read_rows};
use poimill::wiring::{snapshot, wire};
use serde_json::{Value, json};

use crate::support::{real_data, skipped};

/// A pipeline with one dump, in a folder of its own.
struct Night(tempfile::TempDir);

impl Night {
    fn new(more: &str) -> Self {
        let night = Self(tempfile::tempdir().expect("a folder"));
        let pipeline = format!(
            "name = \"night\"\nthemes = [\"charging\"]\n{more}\n[[source]]\nname = \"ocm\"\nkind = \"open_charge_map\"\n\
             path = \"ocm.json\"\n[store]\ndir = \"store\"\n[gate]\nmax_removed_share = 1\n"
        );
        std::fs::write(night.path("night.toml"), pipeline).expect("a pipeline");
        night
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, records: &[Value]) -> Report {
        std::fs::write(self.path("ocm.json"), Value::from(records).to_string()).expect("a dump");
        let wired = wire(&self.path("night.toml"), &Overrides::default()).expect("the pipeline loads");
        wired.run(false, &MemoryObserver::default()).expect("the run ends well")
    }

    /// Rows of a table of the latest snapshot, as texts.
    fn rows(&self, table: &Table, columns: &[&str]) -> Vec<String> {
        let latest = snapshot(&self.path("store/night/latest")).expect("a snapshot");
        read_rows(&latest, table, columns).expect("rows").iter().map(told).collect()
    }
}

fn told(row: &Row) -> String {
    let told = row.iter().map(|cell| match cell {
        Cell::Null => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Float(number) => number.to_string(),
        other => format!("{other:?}"),
    });
    told.collect::<Vec<_>>().join(" | ")
}

fn record(id: u32, lon: f64, lat: f64) -> Value {
    json!({
        "ID": id, "UUID": format!("U-{id}"), "DataProviderID": 1, "IsRecentlyVerified": true,
        "DateLastVerified": "2026-05-01T00:00:00Z",
        "AddressInfo": { "Title": "Rathaus", "CountryID": 87, "Longitude": lon, "Latitude": lat },
        "Connections": [{ "ID": 1, "ConnectionTypeID": 33, "PowerKW": 150, "CurrentTypeID": 30, "Quantity": 2 }],
        "StatusTypeID": 50, "DateLastStatusUpdate": "2026-05-01T00:00:00Z", "SubmissionStatusTypeID": 200
    })
}

#[test]
fn what_is_only_computed_or_confirmed_changes_no_place() {
    let night = Night::new("");
    let before = record(7, 9.1, 50.1);
    night.run(std::slice::from_ref(&before));
    let cases = [
        (json!({ "IsRecentlyVerified": false, "DateLastVerified": "2026-06-01T00:00:00Z" }), "unchanged", ""),
        (
            json!({ "UserComments": [{ "ID": 1, "UserName": "somebody" }], "MediaItems": [{ "ID": 2 }] }),
            "unchanged",
            "",
        ),
        (json!({ "DateLastStatusUpdate": "2026-06-02T00:00:00Z" }), "touched", ""),
        (json!({ "DateLastConfirmed": "2026-06-02T00:00:00Z" }), "touched", ""),
        (json!({ "NumberOfPoints": 4 }), "modified", "capacity"),
    ];
    for (change, expected, field) in cases {
        night.run(std::slice::from_ref(&before));
        let mut after = before.clone();
        after.as_object_mut().expect("a record").extend(change.as_object().expect("fields").clone());
        let report = night.run(&[after]);
        if expected == "unchanged" {
            assert!(report.unchanged, "{change}");
            continue;
        }
        let changes = night.rows(&PLACE_CHANGES, &["class", "changed_fields"]);
        let (class, fields) = changes.first().and_then(|row| row.split_once(" | ")).unwrap_or(("none", ""));
        assert_eq!(class, expected, "{change}: {changes:?}");
        assert!(fields.contains(field), "{change}: {fields}");
    }
}

#[test]
fn a_delisted_duplicate_is_a_part_of_what_it_repeats() {
    let night = Night::new("");
    let mut duplicate = record(8, 9.1004, 50.1);
    duplicate["SubmissionStatusTypeID"] = json!(1001);
    duplicate["ParentChargePointID"] = json!(7);
    let mut orphan = duplicate.clone();
    (orphan["ID"], orphan["ParentChargePointID"]) = (json!(9), json!(70));
    let report = night.run(&[record(7, 9.1, 50.1), duplicate, orphan]);
    assert_eq!(report.counts["places"], 1);
    assert_eq!(report.sources[0].kept, 2);
    assert_eq!(report.sources[0].left_out.get("not_live"), Some(&1));
    let mut bridge = night.rows(&SOURCES, &["record_id", "part_of"]);
    bridge.sort();
    assert_eq!(bridge, ["7 | -", "8 | 7"]);
}

#[test]
fn positions_are_repaired_found_and_can_be_left_alone() {
    let swapped = || [record(7, 50.1, 9.1), record(8, 50.5, 50.5)];
    let night = Night::new("");
    let report = night.run(&swapped());
    assert_eq!(report.sources[0].repaired.get("swapped_position"), Some(&1));
    let expected =
        ["7 | swapped_position | geometry | 50.1 9.1 | 9.1 50.1", "8 | equal_coordinates | geometry | 50.5 50.5 | -"];
    let columns = ["record_id", "rule", "field", "before", "after"];
    assert_eq!(night.rows(&FINDINGS, &columns), expected);

    let night = Night::new("[repair]\npositions = false\n");
    let report = night.run(&swapped());
    assert!(report.sources[0].repaired.is_empty(), "nothing is moved");
    let expected =
        ["7 | wrong_country | geometry | 50.1 9.1 | 9.1 50.1", "8 | equal_coordinates | geometry | 50.5 50.5 | -"];
    assert_eq!(night.rows(&FINDINGS, &columns), expected);
}

#[test]
fn operators_are_those_of_the_files_that_the_pipeline_names() {
    let Some(data) = real_data() else {
        return skipped("operators_are_those_of_the_files_that_the_pipeline_names");
    };
    let path = |name: &str| data.join(name).display().to_string();
    let night = Night::new(&format!(
        "operators = [{:?}, {:?}, {:?}]\n",
        path("operators/nsi-operators-charging_station.json"),
        path("operators/nsi-brands-charging_station.json"),
        path("ocm/CoreReferenceData-ocm-app.json"),
    ));
    let stations =
        [("EnBW mobility+ AG und Co.KG", 9.1), ("Allego GmbH", 9.2), ("Aral Pulse", 9.3), ("Nobody Ltd", 9.4)];
    let records: Vec<Value> = (1..)
        .zip(stations)
        .map(|(id, (operator, lon))| {
            let mut record = record(id, lon, 50.1);
            record["OperatorInfo"] = json!({ "ID": 9000 + id, "Title": operator });
            record
        })
        .collect();
    night.run(&records);
    let mut operators = night.rows(&PLACES, &["operator", "operator_wikidata"]);
    operators.sort();
    assert_eq!(
        operators,
        ["Allego | Q75560554", "Aral | Q565734", "EnBW mobility+ AG und Co.KG | Q124738664", "Nobody Ltd | -"]
    );
}
