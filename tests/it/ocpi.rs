//! OCPI feeds through the whole line. The real feeds are skipped by name where their folder is absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use poimill::adapters::memory::MemoryObserver;
use poimill::adapters::ocpi::Ocpi;
use poimill::domain::{
    AreaRules, Connector, ConnectorCodes, ConnectorType, Feature, Manifest, Region, Shape, Taxonomy,
};
use poimill::pipeline::ports::{Demand, Extracted, Snapshot, Source};
use poimill::pipeline::tabulate::read_rows;
use poimill::pipeline::tabulate::tables::PLACE_CHANGES;
use serde_json::{Value, json};

use crate::support::{poimill, real_data, skipped};

/// The feeds: pipeline, file, locations, rejected as repeated, left out as outside the region.
const FEEDS: [(&str, &str, u64, u64, u64); 4] = [
    ("ocpi-fastned", "ocpi_2_1_1_locations-fastned.json", 106, 0, 0),
    ("ocpi-lakd", "ocpi_2_2_locations-lakd.lt.json", 1_057, 53, 2),
    ("ocpi-powergo", "ocpi_2_2_locations_powergo.json", 489, 0, 0),
    ("ocpi-voltrelli", "ocpi_locations-voltrelli.json", 307, 0, 0),
];

/// Runs a shipped pipeline on a feed and returns the folder of its latest snapshot.
fn run(pipeline: &str, feed: &Path, store: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = pipeline.trim_start_matches("ocpi-");
    let mut run = poimill();
    run.arg("run").arg(root.join(format!("pipelines/{pipeline}.toml"))).arg("--store").arg(store);
    run.arg("--input").arg(format!("{source}={}", feed.display()));
    let done = run.output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    store.join(pipeline).join("latest")
}

fn manifest(latest: &Path) -> Manifest {
    poimill::wiring::snapshot(latest).expect("a snapshot").manifest().clone()
}

/// What a feed comes to before the transform judges it.
fn read(feed: &Path) -> (Vec<Feature>, Extracted) {
    let connectors =
        ConnectorCodes::parse(include_str!("../../pipelines/connectors.toml")).expect("the codes are sound");
    let demand = Demand {
        region: &Region::world(),
        taxonomy: &Taxonomy::parse("category = []", &[]).expect("no categories"),
        layers: &[],
        area_rules: &AreaRules::parse("area = []").expect("no rules"),
        connectors: &connectors,
    };
    let mut features = Vec::new();
    let source = Ocpi::new("feed".to_owned(), feed.to_owned(), None, None);
    let extracted = source.read(&demand, &MemoryObserver::default(), &mut |mut chunk| {
        features.append(&mut chunk.features);
        Ok(())
    });
    (features, extracted.expect("the feed is read"))
}

/// Connectors by type: how many, how many of them with a power, the lowest and the highest in kW.
fn by_type(features: &[Feature]) -> Vec<String> {
    let mut types: BTreeMap<ConnectorType, Vec<&Connector>> = BTreeMap::new();
    for connector in features.iter().flat_map(|feature| &feature.connectors) {
        types.entry(connector.kind).or_default().push(connector);
    }
    let count = |connectors: &[&Connector]| connectors.iter().filter_map(|c| c.count).sum::<i32>();
    let told = types.into_iter().map(|(kind, connectors)| {
        let rated: Vec<&Connector> = connectors.iter().copied().filter(|c| c.power_kw.is_some()).collect();
        let powers = || rated.iter().filter_map(|c| c.power_kw);
        let (low, high) = (powers().fold(f64::INFINITY, f64::min), powers().fold(0.0, f64::max));
        let range = if rated.is_empty() { String::new() } else { format!(", {low} to {high} kW") };
        format!("{kind}: {}, {} rated{range}", count(&connectors), count(&rated))
    });
    told.collect()
}

/// How many features have each value of a tag.
fn tagged(features: &[Feature], key: &str) -> BTreeMap<String, u64> {
    let mut values = BTreeMap::new();
    for feature in features {
        *values.entry(feature.tags.get(key).unwrap_or("-").to_owned()).or_default() += 1;
    }
    values
}

fn findings(features: &[Feature]) -> BTreeMap<String, u64> {
    let mut rules = BTreeMap::new();
    for finding in features.iter().flat_map(|feature| &feature.findings) {
        *rules.entry(format!("{} {}", finding.rule, finding.field)).or_default() += 1;
    }
    rules
}

#[test]
fn every_location_of_a_real_feed_is_accounted_for() {
    let Some(data) = real_data() else { return skipped("every_location_of_a_real_feed_is_accounted_for") };
    let store = tempfile::tempdir().expect("a folder");
    for (pipeline, file, locations, repeated, outside) in FEEDS {
        let manifest = manifest(&run(pipeline, &data.join("ocpi").join(file), store.path()));
        let source = &manifest.sources[0];
        assert_eq!(source.read, locations, "{pipeline}");
        assert!(source.balances(), "{pipeline}: {source:?}");
        assert_eq!(source.rejected.get("repeated_id").copied().unwrap_or(0), repeated, "{pipeline}");
        assert_eq!(source.left_out.get("outside_region").copied().unwrap_or(0), outside, "{pipeline}");
        let rejected: u64 = source.rejected.values().sum();
        assert_eq!(source.kept + rejected + outside, locations, "{pipeline}");
        assert!(source.attribution.is_some() && source.vintage.is_some(), "{pipeline}");
    }
}

#[test]
fn real_feeds_have_the_connectors_that_they_state() {
    let Some(data) = real_data() else { return skipped("real_feeds_have_the_connectors_that_they_state") };
    // Counted by hand in another language: each EVSE that is not removed once, each of its connectors once.
    let expected: [&[&str]; 4] = [
        &[
            "type2_socket: 8, 8 rated, 22.1 to 22.1 kW",
            "type2_cable: 168, 168 rated, 38 to 44.9 kW",
            "ccs2: 267, 267 rated, 50 to 174.8 kW",
            "chademo: 212, 212 rated, 50 to 50 kW",
        ],
        &[
            "type1: 2, 1 rated, 7 to 7 kW",
            "type2_socket: 543, 541 rated, 6 to 22 kW",
            "type2_cable: 1061, 842 rated, 11 to 150 kW",
            "ccs2: 1237, 1237 rated, 22 to 400 kW",
            "chademo: 187, 187 rated, 30 to 150 kW",
            "schuko: 3, 3 rated, 4 to 4 kW",
        ],
        &[
            "type2_socket: 1390, 1390 rated, 7.6 to 22.1 kW",
            "type2_cable: 3, 0 rated",
            "ccs2: 252, 252 rated, 30 to 400 kW",
            "chademo: 10, 10 rated, 50 to 60 kW",
        ],
        &[
            "type2_cable: 617, 2 rated, 158.7 to 158.7 kW",
            "ccs2: 233, 211 rated, 12.8 to 12.8 kW",
            "chademo: 89, 85 rated, 12.8 to 12.8 kW",
        ],
    ];
    for ((pipeline, file, ..), expected) in FEEDS.iter().zip(expected) {
        let (features, _) = read(&data.join("ocpi").join(file));
        assert_eq!(by_type(&features), expected, "{pipeline}");
    }
}

#[test]
fn real_feeds_tell_status_country_and_what_is_wrong_with_them() {
    let Some(data) = real_data() else { return skipped("real_feeds_tell_status_country_and_what_is_wrong_with_them") };
    let cases = [
        ("2019-09-11T10:52:05Z", "- 94, operational 12", "DE 14, GB 1, NL 91", "implausible_value postal_code 1"),
        (
            "2025-03-13T04:59:09Z",
            "- 311, operational 623, out_of_order 27, partial 13, removed 30",
            "LT 1004",
            "evse_id_without_country evse_id 2934, phases_of_power power_type 585, repeated_part evses 155",
        ),
        (
            "2025-06-21T11:20:39.704679Z",
            "- 7, operational 477, partial 2, removed 3",
            "BE 9, DE 15, DK 334, ES 14, NL 116, NO 1",
            "implausible_value power_type 3",
        ),
        (
            "2025-03-13T06:00:24Z",
            "- 1, operational 219, out_of_order 45, partial 42",
            "ME 1, PE 2, RO 304",
            "implausible_value postal_code 47, implausible_value power_type 286",
        ),
    ];
    let told = |counts: BTreeMap<String, u64>| {
        counts.into_iter().map(|(key, count)| format!("{key} {count}")).collect::<Vec<_>>().join(", ")
    };
    for ((pipeline, file, ..), (vintage, status, countries, found)) in FEEDS.iter().zip(cases) {
        let (features, extracted) = read(&data.join("ocpi").join(file));
        assert_eq!(extracted.vintage, Some(vintage.parse().expect("an instant")), "{pipeline}");
        assert_eq!(told(tagged(&features, "operational_status")), status, "{pipeline}");
        assert_eq!(told(tagged(&features, "addr:country")), countries, "{pipeline}");
        assert_eq!(told(findings(&features)), found, "{pipeline}");
    }
}

#[test]
fn voltrellis_evses_know_where_its_locations_are() {
    let Some(data) = real_data() else { return skipped("voltrellis_evses_know_where_its_locations_are") };
    let (features, _) = read(&data.join("ocpi").join(FEEDS[3].1));
    assert_eq!(features.len(), 307);
    for feature in features {
        let Shape::Point(stated) = feature.shape else { panic!("a location is a point") };
        assert_eq!(stated.x(), stated.y(), "{}", feature.id);
        let [first, ..] = feature.other_positions.as_slice() else { panic!("{} has no other position", feature.id) };
        assert!(first.x() < 30.0 && first.x() != first.y(), "{}: {first:?}", feature.id);
    }
}

/// A feed of one location with two EVSEs.
fn one_location(statuses: [&str; 2], time: &str) -> Value {
    let evse = |at: usize| {
        json!({"uid": at, "evse_id": format!("NL*EXA*E{at}"), "status": statuses[at], "last_updated": time,
            "connectors": [{"id": 1, "standard": "CHADEMO", "format": "CABLE", "power_type": "DC", "max_voltage": 400,
                "max_amperage": 125, "last_updated": time}]})
    };
    json!({"status_code": 1000, "timestamp": time, "data": [{
        "country_code": "NL", "party_id": "EXA", "id": "LOC1", "publish": true, "name": "Example Square", "country": "NLD",
        "coordinates": {"latitude": "52.1", "longitude": "5.2"}, "operator": {"name": "Example Power"},
        "evses": [evse(0), evse(1)], "last_updated": time,
    }]})
}

#[test]
fn a_car_that_comes_or_goes_changes_no_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let night = |number: u8, statuses: [&str; 2]| {
        let feed = folder.path().join("feed.json");
        let time = format!("2026-01-0{number}T00:00:00Z");
        fs::write(&feed, one_location(statuses, &time).to_string()).expect("the feed is written");
        let latest = run("ocpi-fastned", &feed, folder.path());
        let snapshot = poimill::wiring::snapshot(&latest).expect("a snapshot");
        let rows = read_rows(&snapshot, &PLACE_CHANGES, &["class", "changed_fields"]).expect("changes");
        rows.iter().map(|row| row[0].as_text().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(night(1, ["AVAILABLE", "AVAILABLE"]), [""; 0], "the first snapshot");
    assert_eq!(night(2, ["CHARGING", "BLOCKED"]), ["touched"]);
    assert_eq!(night(3, ["RESERVED", "UNKNOWN"]), ["touched"]);
    assert_eq!(night(4, ["OUTOFORDER", "AVAILABLE"]), ["modified"]);
}
