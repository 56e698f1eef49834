//! The gate: what holds a night back, what is only told, and what other tools read of it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::demo::Demo;

/// The demonstration with more in its pipeline file, after its first night.
fn demo(more: &str) -> Demo {
    let demo = Demo::after_one_night();
    demo.write("demo.toml", format!("{}\n{more}\n", Demo::text()).as_bytes());
    demo
}

fn checks(demo: &Demo, snapshot: &str) -> Value {
    let path = demo.store().join("demo").join(snapshot).join("checks.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The check of this name.
fn check(checks: &Value, name: &str) -> Value {
    let all = checks["checks"].as_array().unwrap();
    all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {checks:#}")).clone()
}

/// The id of a snapshot that is held back.
fn held(told: &str) -> String {
    told.split_once("error: snapshot ").unwrap().1.split_once(' ').unwrap().0.to_owned()
}

#[test]
fn every_check_is_listed_for_soda_and_dagster() {
    let demo = demo("[gate.category.charging_station]\nmin_rows = 3\nmax_moved_share = 0.5");
    assert_eq!(demo.run(2, &[]).code, 0);
    let id = demo.latest_id();
    let checks = checks(&demo, &id);
    let names: Vec<&str> = checks["checks"].as_array().unwrap().iter().filter_map(|c| c["name"].as_str()).collect();
    let expected = [
        "places/rows",
        "places/removed_share",
        "places/moved_share",
        "places/rejects_share",
        "source/osm/removed_share",
        "source/osm/rejects_share",
        "source/osm/missing",
        "source/osm/vintage",
        "source/ocm/removed_share",
        "source/ocm/rejects_share",
        "source/ocm/missing",
        "source/ocm/vintage",
        "category/charging_station/rows",
        "category/charging_station/removed_share",
        "category/charging_station/moved_share",
    ];
    assert_eq!(names, expected);

    let removed = json!({
        "identity": "places/removed_share",
        "name": "places/removed_share",
        "type": "generic",
        "definition": "checks for places:\n  removed_share <= 0.2",
        "resourceAttributes": [],
        "dataSource": "demo",
        "table": "places",
        "filter": null,
        "column": null,
        "metrics": ["places/removed_share"],
        "outcome": "pass",
        "outcomeReasons": [],
        "archetype": null,
        "asset_key": ["demo", "places"],
        "check_name": "places_removed_share",
        "passed": true,
        "severity": "ERROR",
        "description": "8 of 100 places are gone; gate.max_removed_share = 0.2",
        "metadata": {
            "before": 100,
            "gone": 8,
            "judged": true,
            "key": "gate.max_removed_share",
            "snapshot": id,
            "threshold": 0.2,
            "value": 0.08,
        },
    });
    assert_eq!(check(&checks, "places/removed_share"), removed);
    let metric = json!({
        "identity": "places/removed_share", "metricName": "removed_share", "value": 0.08, "dataSourceName": "demo",
    });
    assert!(checks["metrics"].as_array().unwrap().contains(&metric), "{checks:#}");
    let head = ["held", "hasErrors", "hasWarnings", "hasFailures"].map(|key| checks[key].clone());
    assert_eq!(head, [json!(false), json!(false), json!(false), json!(false)]);
    assert_eq!((&checks["snapshot"], &checks["schema_version"]), (&json!(id), &json!(1)));

    let dagster: BTreeSet<&str> =
        checks["checks"].as_array().unwrap().iter().filter_map(|c| c["check_name"].as_str()).collect();
    assert_eq!(dagster.len(), expected.len(), "each name once");
    assert!(dagster.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')), "{dagster:?}");
}

#[test]
fn a_first_night_has_nothing_to_be_compared_with_and_says_so() {
    let demo = Demo::after_one_night();
    let checks = checks(&demo, &demo.latest_id());
    for name in ["places/removed_share", "source/osm/missing", "source/ocm/vintage", "source/osm/removed_share"] {
        let check = check(&checks, name);
        assert_eq!((&check["passed"], &check["metadata"]["judged"]), (&json!(true), &json!(false)), "{check}");
    }
    assert_eq!(check(&checks, "places/rows")["metadata"]["judged"], json!(true));
}

#[test]
fn a_night_that_breaks_a_threshold_is_held_by_its_name_and_numbers() {
    let cases = [
        ("[gate]\nmin_rows = 99", "98 places, fewer than gate.min_rows = 99"),
        ("[gate]\nmax_removed_share = 0.07", "8 of 100 places are gone, more than gate.max_removed_share = 0.07"),
        (
            "[gate]\nmax_moved_share = 0.01\nmoved_m = 10",
            "2 of 100 places moved by more than 10 m, more than gate.max_moved_share = 0.01",
        ),
        ("[gate.source.ocm]\nmin_rows = 500", "32 records of source `ocm`, fewer than gate.source.ocm.min_rows = 500"),
        (
            "[gate.source.osm]\nmax_removed_share = 0.01",
            "6 of 82 records of source `osm` are gone, more than gate.source.osm.max_removed_share = 0.01",
        ),
        (
            "[gate.source.osm]\nmax_rejects_share = 0.0",
            "5 of 91 objects of source `osm` are rejected, more than gate.source.osm.max_rejects_share = 0",
        ),
        (
            "[gate.category.charging_station]\nmax_removed_share = 0.01",
            "5 of 44 places of category `charging_station` are gone, more than gate.category.charging_station.max_removed_share = 0.01",
        ),
    ];
    for (more, says) in cases {
        let demo = demo(more);
        let before = demo.latest_id();
        let told = demo.run(2, &[]);
        assert!(told.code == 4 && told.err.contains(says), "{more}\n{}", told.err);
        let id = held(&told.err);
        let next = format!("/store/demo/{id}`, or widen [gate] and run again");
        assert!(told.err.contains("publish it with `poimill release ") && told.err.contains(&next), "{}", told.err);
        assert!(told.out.contains("gate      held: ") && told.out.contains(says), "{}", told.out);
        assert_eq!(demo.latest_id(), before);
        let checks = checks(&demo, &id);
        let failed: Vec<&Value> =
            checks["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == "fail").collect();
        assert_eq!((failed.len(), &checks["hasFailures"], &checks["held"]), (1, &json!(true), &json!(true)), "{more}");
        assert!(failed[0]["description"].as_str().unwrap().contains(says), "{failed:?}");
        assert_eq!(failed[0]["outcomeReasons"][0]["severity"], "error");
        let page = fs::read_to_string(demo.store().join("demo").join(&id).join("report.html")).unwrap();
        assert!(page.contains(&format!("<tr><td>{}<td>failed: ", failed[0]["name"].as_str().unwrap())), "{page}");
    }
}

#[test]
fn a_source_that_gives_nothing_any_more_holds_the_night_unless_it_may() {
    let empty = |demo: &Demo| {
        demo.write("none.json", b"[]");
        demo.poimill("run demo.toml --store store --input ocm=none.json")
    };
    let told = empty(&demo("[gate]\nmax_removed_share = 1"));
    let says = "source `ocm` gives no record, and gave ";
    assert!(told.code == 4 && told.err.contains(says), "{}", told.err);
    let told = empty(&demo(
        "[gate]\nmax_removed_share = 1\n[gate.source.ocm]\nmissing_source = \"warn\"\nmax_removed_share = 1",
    ));
    assert!(told.code == 0 && told.err.contains(says), "{}", told.err);
    let quiet = "[gate]\nmax_removed_share = 1\nmissing_source = \"ignore\"\n[gate.source.ocm]\nmax_removed_share = 1";
    let told = empty(&demo(quiet));
    assert!(told.code == 0 && !told.err.contains(says), "{}", told.err);
}

#[test]
fn an_older_input_is_told_and_holds_where_the_pipeline_file_says_so() {
    for (more, code, outcome) in [
        ("", 0, "warn"),
        ("[gate]\nolder_vintage = \"hold\"", 4, "fail"),
        (
            "[gate]\nolder_vintage = \"hold\"\n[gate.source.osm]\nolder_vintage = \"ignore\"\n[gate.source.ocm]\nolder_vintage = \"ignore\"",
            0,
            "pass",
        ),
    ] {
        let demo = demo(more);
        assert_eq!(demo.run(2, &[]).code, 0);
        let told = demo.run(1, &["--json"]);
        assert_eq!(told.code, code, "{}", told.err);
        assert_eq!(told.err.contains("source `osm` is as of "), outcome != "pass", "{}", told.err);
        let report: Value = serde_json::from_str(&told.out).unwrap();
        let checks = checks(&demo, report["snapshot"].as_str().unwrap());
        assert_eq!(check(&checks, "source/osm/vintage")["outcome"], outcome);
        let told = report["checks"].as_array().cloned().unwrap_or_default();
        let named = told.iter().any(|c| c["name"] == "source/osm/vintage" && c["outcome"] == outcome);
        assert_eq!(named, outcome != "pass", "{report}");
    }
}

#[test]
fn what_is_wrong_with_a_gate_is_told_with_its_key() {
    let cases = [
        ("[gate]\nmax_moved_share = 1.5", "key `gate.max_moved_share`: 1.5 is not between 0 and 1"),
        ("[gate]\nmoved_m = -1", "key `gate.moved_m`: -1 is no distance in metres"),
        (
            "[gate]\nmissing_source = \"no\"",
            "key `gate.missing_source`: `no` is not known here; use `hold`, `warn` or `ignore`",
        ),
        (
            "[gate.source.osmm]\nmin_rows = 1",
            "key `gate.source.osmm`: the pipeline has no such source; it has: osm, ocm",
        ),
        ("[gate.source.osm]\nmax_rejects_share = -0.1", "key `gate.source.osm.max_rejects_share`: -0.1 is not between"),
        ("[gate.source.osm]\nmoved_m = 5", "unknown key"),
        (
            "[gate.category.coffee]\nmin_rows = 1",
            "key `gate.category.coffee`: no theme of the pipeline has such a category",
        ),
        ("[gate.category.charging_station]\nmin_rows = -1", "key `gate.category.charging_station.min_rows`"),
    ];
    for (more, says) in cases {
        let demo = Demo::new();
        demo.write("demo.toml", format!("{}\n{more}\n", Demo::text()).as_bytes());
        let told = demo.poimill("check demo.toml");
        assert!(told.code == 2 && told.err.contains(says), "{more}\n{}", told.err);
    }
}
