//! Tries the whole line on records of which it is known who is who, and prints what came of it as JSON.
//!
//! ```text
//! cargo bench --locked --bench truth [-- DATA]
//! cargo bench --locked --bench truth -- pairs SNAPSHOT
//! ```
//!
//! - **Invented**: the corruptor's stations and places, made anew; every pair is known.
//! - **Operators**: real charging stations within 150 m of each other whose sources name different companies, OSM by
//!   `operator:wikidata` or by name, Open Charge Map by the number of the operator, a register by name. They are of one source, where stricter rules
//!   keep pairs apart; so they are tried a second time, divided between two sources so that as many pairs as possible are
//!   across. No record has a true partner then, which would have taken it. Some names are no company's, e.g. that of all
//!   dealers of a make of car; pairs in which the transform takes both for companies are counted apart.
//!
//! `pairs` counts instead the links of a snapshot between records of different sources, by verdict, and tells how well
//! calibrated the shipped model is on them. DATA is the folder of real data, `$POIMILL_DATA` or `../shared/data` if not given.

#![expect(clippy::print_stdout, reason = "a measurement run by hand")]

#[cfg(test)]
#[path = "../corruptor/mod.rs"]
mod corruptor;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use corruptor::calibration::{Seen, calibration, seen};
use corruptor::{Knobs, cases, try_places, try_stations};
use poimill::adapters::memory::{MemoryObserver, MemoryScratch, MemorySource, MemoryStore};
use poimill::adapters::open_charge_map::OpenChargeMap;
use poimill::adapters::osm::OsmPbf;
use poimill::adapters::table::TableFile;
use poimill::config::{Overrides, Settings, SourceKind};
use poimill::domain::{Feature, LonLat, Region, haversine};
use poimill::pipeline::conflate::Evidence;
use poimill::pipeline::ports::{Demand, SnapshotStore, Source};
use poimill::pipeline::tabulate::{read_rows, tables};
use poimill::pipeline::{Feed, Gate, Pipeline, Ports};
use poimill::wiring::snapshot;
use serde_json::{Value, json};

/// Stations of different operators nearer than this are one site's, in metres.
const SITE_M: f64 = 150.0;

/// OSM extracts that have sites with two operators.
const EXTRACTS: [&str; 3] = ["munich-centre", "neuss", "world-sample"];

fn main() {
    // Cargo adds flags of its own.
    let mut given = env::args().skip(1).filter(|argument| !argument.starts_with("--")).map(PathBuf::from).peekable();
    if given.next_if(|first| first == Path::new("pairs")).is_some() {
        return println!("{}", pairs(&given.next().expect("`pairs` is followed by a snapshot")));
    }
    let beside = || env::var_os("POIMILL_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let data = given.next().unwrap_or_else(beside);
    let told = json!({ "invented": invented(), "operators": operators(&data) });
    println!("{told:#}");
}

fn invented() -> Vec<Value> {
    let mut told: Vec<Value> = Vec::new();
    for (what, count, sources, knobs) in cases() {
        let outcome = try_stations(count, sources, &knobs);
        let found = outcome.b_cubed;
        told.push(json!({
            "set": format!("stations, {what}"),
            "b_cubed": {"precision": found.precision, "recall": found.recall, "f1": found.f1()},
            "sites_of_two_operators": outcome.two_operators,
            "mixed_as_stated": outcome.mixed_as_stated,
            "mixed": outcome.mixed,
            "calibration_error": outcome.calibration_error,
        }));
    }
    let found = try_places(20_000, &Knobs::default());
    let b_cubed = json!({"precision": found.precision, "recall": found.recall, "f1": found.f1()});
    told.push(json!({"set": "places", "b_cubed": b_cubed}));
    told
}

/// Links of a snapshot between records of different sources, by verdict; and how well calibrated the shipped model is on
/// its pairs, as far as ids and numbers of devices tell the truth. These are hidden from the model.
fn pairs(folder: &Path) -> Value {
    let snapshot = snapshot(folder).expect("a snapshot");
    let seen = seen(&snapshot);
    let (judged, told) = calibration(&seen, &pipeline().taxonomy, silver(&seen));
    let bins = told.bins.iter().map(|bin| json!([bin.pairs, bin.mean_score, bin.share_of_matches]));
    let calibration = json!({
        "pairs": judged.len(),
        "matches": judged.iter().filter(|pair| pair.is_match()).count(),
        "expected_error": told.expected_error,
        "bins": bins.collect::<Vec<_>>(),
    });
    let rows = read_rows(&snapshot, &tables::LINKS, &["dataset_a", "dataset_b", "verdict"]).expect("links");
    let mut by_verdict: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row[0] != row[1]) {
        *by_verdict.entry(row[2].as_text().unwrap_or_default()).or_default() += 1;
    }
    json!({"by_verdict": by_verdict, "calibration": calibration})
}

/// Nearer than this to a record's partner, a record may be of its site, in degrees of latitude: 150 m.
const SITE_DEGREES: f64 = 0.00135;
/// Farther apart than this records share the number of a device by chance, in degrees of latitude: 2 km.
const CHANCE_DEGREES: f64 = 0.018;

/// Of which pairs of a snapshot's records ids and numbers of devices tell whether they are one: those that share one, and
/// those of which one has another partner and the other is well apart from that.
fn silver(seen: &[Seen]) -> impl Fn(usize, usize) -> Option<bool> + '_ {
    let keys: Vec<BTreeSet<String>> = seen.iter().map(|record| keys(&record.evidence)).collect();
    let mut by_key: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, keys) in keys.iter().enumerate() {
        for key in keys {
            by_key.entry(key).or_default().push(at);
        }
    }
    let mut partners: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (key, sharing) in &by_key {
        for a in sharing {
            let other_source = sharing.iter().filter(|b| seen[**b].source != seen[*a].source);
            let is_chance = |b: usize| key.starts_with("device:") && degrees(&seen[*a], &seen[b]) > CHANCE_DEGREES;
            let others = other_source.filter(|b| !is_chance(**b));
            partners.entry(*a).or_default().extend(others);
        }
    }
    partners.retain(|_, of| of.len() == 1);
    move |a, b| {
        let (of_a, of_b) = (partners.get(&a), partners.get(&b));
        if of_a.is_some_and(|of| of.contains(&b)) && of_b.is_some_and(|of| of.contains(&a)) {
            return Some(true);
        }
        let is_apart = |partner: &BTreeSet<usize>, other: usize| {
            Some(degrees(&seen[*partner.first()?], &seen[other]) > SITE_DEGREES && !keys[other].is_empty())
        };
        let told = of_a.and_then(|of| is_apart(of, b)).or_else(|| of_b.and_then(|of| is_apart(of, a)));
        told.filter(|apart| *apart).map(|_| false)
    }
}

/// How far apart two records are, in degrees of latitude.
fn degrees(a: &Seen, b: &Seen) -> f64 {
    let (a, b) = (&a.evidence, &b.evidence);
    (a.lat - b.lat).hypot((a.lon - b.lon) * a.lat.to_radians().cos())
}

/// Ids that other sources may share, and numbers of devices, without the letters before them.
fn keys(evidence: &Evidence) -> BTreeSet<String> {
    let shared = |id: &&String| !id.starts_with("ocm:");
    let devices = evidence.reference.as_deref().unwrap_or_default();
    let numbers = devices.split(|c: char| !c.is_ascii_digit()).map(|run| run.trim_start_matches('0'));
    let numbers = numbers.filter(|run| run.len() >= 4).map(|run| format!("device:{run}"));
    evidence.ids.iter().filter(shared).cloned().chain(numbers).collect()
}

/// How pairs of different operators fare, for each set of real stations that is there.
fn operators(data: &Path) -> Vec<Value> {
    let wired = pipeline();
    let mut told = Vec::new();
    // The extracts overlap: an object counts once.
    let mut osm: BTreeMap<String, Feature> = BTreeMap::new();
    for path in files(&data.join("osm")) {
        let is_wanted = EXTRACTS.iter().any(|extract| file_name(&path).starts_with(extract));
        if is_wanted && file_name(&path).ends_with(".osm.pbf") {
            let features = features(&OsmPbf::new("osm", path), &wired);
            osm.extend(features.into_iter().map(|feature| (feature.id.to_string(), feature)));
        }
    }
    if !osm.is_empty() {
        let osm: Vec<Feature> = osm.into_values().collect();
        for key in ["operator:wikidata", "operator"] {
            told.push(apart(&format!("OpenStreetMap by {key}"), &osm, key, &wired));
        }
    }
    for path in files(&data.join("ocm")) {
        if file_name(&path).ends_with(".ndjson.gz") {
            let dump = OpenChargeMap::new("ocm".to_owned(), path, None);
            told.push(apart("Open Charge Map", &features(&dump, &wired), "operator:ocm", &wired));
        }
    }
    let (register, shipped) = (data.join("registries/uk-ncr.csv"), Path::new("pipelines/uk-ncr.toml"));
    if register.is_file() {
        let settings = Settings::load(shipped, &Overrides::default()).expect("a shipped pipeline loads");
        for source in settings.sources {
            if let SourceKind::Table(mapping) = source.kind {
                let table = TableFile::new(source.name, register.clone(), *mapping, source.license, source.attribution);
                told.push(apart("National Chargepoint Registry", &features(&table, &wired), "operator", &wired));
            }
        }
    }
    told
}

/// How pairs of these stations whose `key` is different fare, within one source and between two.
fn apart(set: &str, features: &[Feature], key: &str, pipeline: &Pipeline) -> Value {
    let operators: BTreeMap<String, &str> =
        features.iter().filter_map(|feature| Some((feature.id.to_string(), feature.tags.get(key)?))).collect();
    let within = run(pipeline, vec![features.to_vec()]);
    let stations: Vec<(&String, &Found)> = within.iter().filter(|(id, _)| operators.contains_key(*id)).collect();
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (rank, (a, at)) in stations.iter().enumerate() {
        for (b, other) in &stations[rank + 1..] {
            let near = (at.at.lat() - other.at.lat()).abs() < 0.01 && haversine(at.at, other.at).0 <= SITE_M;
            if near && operators[*a] != operators[*b] {
                pairs.push((a.as_str(), b.as_str()));
            }
        }
    }
    // Each goes where fewer of its neighbours are already.
    let mut side: BTreeMap<&str, usize> = BTreeMap::new();
    for id in within.keys() {
        let mut beside = [0, 0];
        for (a, b) in pairs.iter().filter(|(a, b)| a == id || b == id) {
            let other = if a == id { b } else { a };
            if let Some(side) = side.get(other) {
                beside[*side] += 1;
            }
        }
        side.insert(id, usize::from(beside[0] > beside[1]));
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for feature in features {
        let side = side.get(feature.id.as_str()).copied().unwrap_or_default();
        if side == 0 { &mut first } else { &mut second }.push(feature.clone());
    }
    let between = run(pipeline, vec![first, second]);

    let is_merged = |found: &BTreeMap<String, Found>, (a, b): (&str, &str)| match (found.get(a), found.get(b)) {
        (Some(a), Some(b)) => a.place == b.place,
        _ => false,
    };
    let across: Vec<(&str, &str)> = pairs.iter().copied().filter(|(a, b)| side[a] != side[b]).collect();
    let merged: Vec<(&str, &str)> = across.iter().copied().filter(|pair| is_merged(&between, *pair)).collect();
    let informative = across.iter().filter(|(a, b)| within[*a].is_informative && within[*b].is_informative);
    json!({
        "set": set,
        "stations": operators.len(),
        "pairs": pairs.len(),
        "merged_within_one_source": pairs.iter().filter(|pair| is_merged(&within, **pair)).count(),
        "pairs_between_two": across.len(),
        "merged_between_two": merged.len(),
        "informative": informative.clone().count(),
        "merged_informative": informative.filter(|pair| is_merged(&between, **pair)).count(),
        "merged": merged.iter().map(|(a, b)| json!([a, operators[*a], b, operators[*b]])).collect::<Vec<_>>(),
    })
}

/// A record in a place.
struct Found {
    at: LonLat,
    place: String,
    /// Whether the transform takes what it says of its operator for the name of a company.
    is_informative: bool,
}

/// The place of each record of these sources, by id.
fn run(pipeline: &Pipeline, sources: Vec<Vec<Feature>>) -> BTreeMap<String, Found> {
    let (store, observer) = (MemoryStore::default(), MemoryObserver::default());
    let feed = |(at, features): (usize, Vec<Feature>)| {
        let source = MemorySource { name: format!("source{at}"), features, ..MemorySource::default() };
        Feed { source: Box::new(source), vintage: None }
    };
    let feeds = sources.into_iter().enumerate().map(feed).collect();
    let mut ports = Ports {
        feeds,
        store: &store,
        sinks: Vec::new(),
        scratch: &MemoryScratch,
        decisions: None,
        observer: &observer,
    };
    pipeline.run(&mut ports).expect("the run ends well");
    let latest = store.latest().expect("the store is in memory").expect("it was published");
    let rows = read_rows(latest.as_ref(), &tables::SOURCES, &["record_id", "place_id", "evidence"]).expect("rows");
    let found = rows.iter().map(|row| {
        let text = |at: usize| row[at].as_text().unwrap_or_default();
        let evidence: Value = serde_json::from_str(text(2)).expect("evidence is JSON");
        let degrees = |key: &str| evidence[key].as_f64().expect("a record has a position");
        let at = LonLat::new(degrees("lon"), degrees("lat")).expect("a position is on the globe");
        let is_informative = evidence["operator"].is_string();
        (text(0).to_owned(), Found { at, place: text(1).to_owned(), is_informative })
    });
    found.collect()
}

/// The pipeline as shipped, for charging stations of the whole world.
fn pipeline() -> Pipeline {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("truth.toml");
    fs::write(&file, PIPELINE).expect("it is written");
    let settings = Settings::load(&file, &Overrides::default()).expect("the pipeline loads");
    Pipeline {
        name: settings.name,
        region: Region::world(),
        taxonomy: settings.taxonomy,
        operators: settings.operators,
        connectors: settings.connectors,
        repair_positions: settings.repair_positions,
        models: settings.models,
        decisions: settings.decisions,
        merging: settings.merging,
        layers: Vec::new(),
        area_rules: settings.area_rules,
        gate: Gate::open(),
        memory_bytes: settings.memory_bytes,
        settings: settings.told,
    }
}

const PIPELINE: &str = r#"
name = "truth"
themes = ["charging"]
[[source]]
name = "source0"
kind = "open_charge_map"
path = "read by hand"
[store]
dir = "in memory"
"#;

/// What a source hands on.
fn features(source: &dyn Source, pipeline: &Pipeline) -> Vec<Feature> {
    let wanted = Demand {
        region: &pipeline.region,
        taxonomy: &pipeline.taxonomy,
        layers: &[],
        area_rules: &pipeline.area_rules,
        connectors: &pipeline.connectors,
    };
    let mut features = Vec::new();
    let read = source.read(&wanted, &MemoryObserver::default(), &mut |chunk| {
        if chunk.again {
            features.clear();
        }
        features.extend(chunk.features);
        Ok(())
    });
    read.expect("the source can be read");
    features
}

/// Files of a folder in order; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
