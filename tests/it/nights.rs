//! Nights: the whole line in memory, on invented stations, one night after another.
//!
//! Scenarios are told with maps: one cell is 10 m; `A` is an OSM record, `a` its namesake in Open Charge Map; `A'` has the
//! name of `A` and is another record; a digit after a letter is the operator; `~` marks a station for bicycles.
//! What is found is told as places by their records: `Aa|B`.

use std::collections::{BTreeMap, BTreeSet};

use poimill::adapters::memory::{MemoryObserver, MemoryScratch, MemorySink, MemorySource, MemoryStore};
use poimill::domain::{AreaRules, Cell, Feature, Operators, RecordId, Region, Tags, Taxonomy, Timestamp};
use poimill::pipeline::conflate::{Decisions, Models};
use poimill::pipeline::ports::{Loaded, Sink, Snapshot, SnapshotStore};
use poimill::pipeline::tabulate::{Table, read_rows, tables};
use poimill::pipeline::{Feed, Gate, Pipeline, Ports, Report};
use proptest::prelude::*;

pub(crate) const DATASETS: [&str; 2] = ["osm", "ocm"];
/// Names that share no word, one per letter of a map.
const NAMES: [&str; 4] = ["Alpenblick", "Bahnhof", "Campus", "Dorfplatz"];
const OPERATORS: [&str; 3] = ["Stadtwerke Nebelhafen", "Möwe Mobil", "Leuchtturm Laden"];

/// 300 m of nothing.
macro_rules! far {
    () => {
        " . . . . . . . . . . . . . . . . . . . . . . . . . . . . . "
    };
}

/// What one source says of one station.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Station {
    pub(crate) dataset: usize,
    pub(crate) id: String,
    /// East and north of a corner, in cells of 10 m.
    pub(crate) cell: (i32, i32),
    pub(crate) name: Option<usize>,
    pub(crate) operator: Option<usize>,
    pub(crate) bicycle: bool,
    /// When its source saved it, in days.
    pub(crate) saved: i64,
}

impl Station {
    fn feature(&self) -> Feature {
        // At 47° north: 10 m are 9e-5 degrees of latitude and 1.32e-4 of longitude.
        let (east, north) = (f64::from(self.cell.0), f64::from(self.cell.1));
        let mut tags: Tags = [("amenity", "charging_station")].into_iter().collect();
        if let Some(name) = self.name {
            tags.set("name", NAMES[name]);
        }
        if let Some(operator) = self.operator {
            tags.set("operator", OPERATORS[operator]);
        }
        if self.bicycle {
            tags.set("bicycle", "yes");
            tags.set("motorcar", "no");
        }
        Feature {
            update_time: Timestamp::from_second(self.saved * 86_400).ok(),
            license: Some("CC0-1.0".into()),
            ..Feature::point(RecordId::new(self.id.clone()), 9.5 + east * 1.32e-4, 47.0 + north * 9e-5, tags)
        }
    }
}

pub(crate) fn pipeline(decisions: &str) -> Pipeline {
    let categories = include_str!("../../pipelines/categories.toml");
    Pipeline {
        name: "nights".to_owned(),
        region: Region::world(),
        taxonomy: Taxonomy::parse(categories, &["charging".to_owned()]).expect("the categories are sound"),
        operators: Operators::default(),
        connectors: poimill::domain::ConnectorCodes::default(),
        repair_positions: true,
        models: Models::shipped(),
        decisions: Decisions::parse(decisions, &DATASETS.map(str::to_owned)).expect("the decisions are sound"),
        merging: poimill::pipeline::conflate::Merging::default(),
        layers: Vec::new(),
        area_rules: AreaRules::parse("area = []").expect("the rules are sound"),
        gate: Gate::open(),
        memory_bytes: 1 << 30,
        settings: serde_json::Value::Null,
    }
}

/// One run over these stations.
pub(crate) fn run(
    pipeline: &Pipeline,
    stations: &[Station],
    day: i64,
    store: &MemoryStore,
) -> (Report, Box<dyn Snapshot>) {
    let feed = |dataset: usize| {
        let features = stations.iter().filter(|station| station.dataset == dataset).map(Station::feature).collect();
        let name = DATASETS[dataset].to_owned();
        let vintage = Timestamp::from_second(day * 86_400).ok();
        Feed { source: Box::new(MemorySource { name, features, vintage, ..MemorySource::default() }), vintage: None }
    };
    let observer = MemoryObserver::default();
    let mut ports = Ports {
        feeds: vec![feed(0), feed(1)],
        store,
        sinks: Vec::new(),
        scratch: &MemoryScratch,
        decisions: None,
        observer: &observer,
    };
    let report = pipeline.run(&mut ports).expect("the night ends well");
    (report, store.latest().expect("the store is in memory").expect("a night was published"))
}

/// Rows of a table, some columns.
fn rows(snapshot: &dyn Snapshot, table: &Table, columns: &[&str]) -> Vec<Vec<Cell>> {
    read_rows(snapshot, table, columns).expect("the table is in memory")
}

fn texts(snapshot: &dyn Snapshot, table: &Table, columns: &[&str]) -> Vec<Vec<String>> {
    let text = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
    rows(snapshot, table, columns).iter().map(|row| row.iter().map(text).collect()).collect()
}

/// Place of each record, by source and id; panics where a record is in two.
pub(crate) fn bridge(snapshot: &dyn Snapshot) -> BTreeMap<(String, String), String> {
    let mut bridge = BTreeMap::new();
    for row in texts(snapshot, &tables::SOURCES, &["place_id", "dataset", "record_id"]) {
        let [place, dataset, record] = row.try_into().expect("three columns");
        let other = bridge.insert((dataset, record.clone()), place);
        assert_eq!(other, None, "{record} is in two places");
    }
    bridge
}

/// Records of each place.
fn members(snapshot: &dyn Snapshot) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut members: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for (record, place) in bridge(snapshot) {
        members.entry(place).or_default().insert(record);
    }
    members
}

/// Stations of a map, rows from north to south separated by `/`.
fn stations(map: &str) -> Vec<Station> {
    let mut stations = Vec::new();
    for (south, line) in map.split('/').enumerate() {
        for (east, cell) in line.split_whitespace().enumerate().filter(|(_, cell)| *cell != ".") {
            let letter = cell.chars().next().expect("a cell is not empty");
            let digit = cell.chars().find_map(|c| c.to_digit(10));
            stations.push(Station {
                dataset: usize::from(letter.is_lowercase()),
                id: cell.chars().filter(|c| c.is_alphabetic() || *c == '\'').collect(),
                cell: (i32::try_from(east).expect("a small map"), -i32::try_from(south).expect("a small map")),
                name: Some(letter.to_ascii_lowercase() as usize - 'a' as usize),
                operator: digit.map(|digit| digit as usize - 1),
                bicycle: cell.contains('~'),
                saved: 0,
            });
        }
    }
    stations
}

/// The places of a night as text, each with its records, OSM first.
fn told(snapshot: &dyn Snapshot) -> String {
    let place = |records: &BTreeSet<(String, String)>| {
        records.iter().rev().map(|(_, record)| record.as_str()).collect::<String>()
    };
    let mut places: Vec<String> = members(snapshot).values().map(place).collect();
    places.sort();
    places.join("|")
}

fn found(map: &str, decisions: &str) -> String {
    let (_, night) = run(&pipeline(decisions), &stations(map), 0, &MemoryStore::default());
    told(night.as_ref())
}

#[test]
fn namesakes_merge_near_by_only() {
    let cases = [
        ("A a", "Aa"),
        ("A . . . . . . . . a", "Aa"),      // 90 m: still one
        (concat!("A", far!(), "a"), "A|a"), // 300 m: two
        ("A b", "A|b"),                     // another title, and nothing else is known: a person is asked
        ("A a . B b", "Aa|Bb"),             // two places side by side
        ("A B b a", "Aa|Bb"),               // the namesake, not the nearest
        ("A . A' . a", "AA'a"),             // OSM has it twice: 20 m, one title, no number
    ];
    for (map, expected) in cases {
        let told = found(map, "");
        let sorted = |text: &str| {
            let mut letters: Vec<char> = text.chars().collect();
            letters.sort_unstable();
            letters
        };
        let places = |text: &str| text.split('|').map(sorted).collect::<BTreeSet<_>>();
        assert_eq!(places(&told), places(expected), "{map}: {told}");
    }
}

#[test]
fn different_operators_stay_apart() {
    let cases =
        [("A1 a1", "Aa"), ("A1 a2", "A|a"), ("A1 a2 / . a'1", "Aa'|a"), ("A1 B2 / a1 b2", "Aa|Bb"), ("A1 a", "Aa")];
    for (map, expected) in cases {
        assert_eq!(found(map, ""), expected, "{map}");
    }
}

#[test]
fn cars_and_bicycles_never_share_a_place() {
    let cases = [("A~ a~", "Aa"), ("A~ a", "A|a"), ("A a~", "A|a"), ("A~ a b", "A|a|b"), ("A~ B / a~ b", "Aa|Bb")];
    for (map, expected) in cases {
        assert_eq!(found(map, ""), expected, "{map}");
    }
}

#[test]
fn what_a_person_decided_wins() {
    const HEADER: &str = "dataset_a,record_id_a,dataset_b,record_id_b,decision\n";
    let cases = [
        ("A a", "osm,A,ocm,a,never", "A|a"),
        ("A . . . . . . . . . . . . b", "osm,A,ocm,b,always", "Ab"),
        ("A1 a2", "ocm,a,osm,A,always", "Aa"),
        ("A~ a", "osm,A,ocm,a,always", "Aa"),
        ("A a B", "osm,B,ocm,a,always", "A|Ba"),
        ("A a", "osm,A,ocm,z,always", "Aa"), // of a record that is not there
    ];
    for (map, decision, expected) in cases {
        assert_eq!(found(map, &format!("{HEADER}{decision}\n")), expected, "{map} {decision}");
    }
}

/// Class and cause of every change, by the records that the place has, or had.
fn changes(before: &dyn Snapshot, after: &dyn Snapshot) -> Vec<String> {
    let (old, new) = (members(before), members(after));
    let mut told: Vec<String> = texts(after, &tables::PLACE_CHANGES, &["class", "cause", "id"])
        .into_iter()
        .map(|row| {
            let records = new.get(&row[2]).or_else(|| old.get(&row[2])).expect("a changed place has or had records");
            let letters: String = records.iter().rev().map(|(_, record)| record.as_str()).collect();
            format!("{letters} {} {}", row[0], row[1])
        })
        .collect();
    told.sort();
    told
}

#[test]
fn changes_say_what_happened_and_why() {
    let cases: [(&str, &str, &[&str]); 9] = [
        ("A a", "A a", &[]),
        ("A a . . . . . . . . . . C", "A a", &["C removed source"]),
        ("A a", "A a . . . . . . . . . . C", &["C added source"]),
        // The place stands where OSM has it; only the confidence is another.
        ("A a", "A . . . . . . . . . . . . . . . a", &["Aa touched source"]),
        ("A . . . . . . . . . . . B", ". A . . . . . . . . . . B", &["A moved source"]),
        ("A . a", concat!("A", far!(), "a"), &["A modified source", "a split source"]),
        (concat!("A", far!(), "a"), "A . a", &["A merged source", "Aa modified source"]),
        // A better partner is mapped: nothing is said of `A` that was not said before, only what belongs to it changed.
        ("A . . . . . . . a", "A . . . . . . A' a", &["A modified conflation", "A'a split source"]),
        // Deleted and drawn again under another id: more than a move.
        ("A a", ". a A'", &["A'a modified source"]),
    ];
    for (first, second, expected) in cases {
        let store = MemoryStore::default();
        let (_, before) = run(&pipeline(""), &stations(first), 0, &store);
        let (report, after) = run(&pipeline(""), &stations(second), 1, &store);
        assert!(!report.unchanged, "the vintage is another");
        assert_eq!(changes(before.as_ref(), after.as_ref()), expected, "{first} -> {second}");
    }
}

#[test]
fn the_first_night_again_gives_every_record_its_id_back() {
    let cases = [
        ("A a . . . . . . . . . . B", "A a"), // removed, revived
        ("A . a", concat!("A", far!(), "a")), // split, merged
        (concat!("A", far!(), "a"), "A . a"), // merged, split
        ("A . b", "A . b B"),                 // another partner and back
        ("A a", "A' a"),                      // the founder redrawn and restored
        ("A a B b", "a B"),
    ];
    for (first, second) in cases {
        let store = MemoryStore::default();
        let (_, one) = run(&pipeline(""), &stations(first), 0, &store);
        let (_, two) = run(&pipeline(""), &stations(second), 1, &store);
        let (_, again) = run(&pipeline(""), &stations(first), 0, &store);
        assert_eq!(bridge(one.as_ref()), bridge(again.as_ref()), "{first} -> {second} ({})", told(two.as_ref()));
    }
}

/// Stations of one night, few enough to be read where a law is broken.
fn night() -> impl Strategy<Value = Vec<Station>> {
    crowd(10)
}

/// Fewer than so many stations on a small grid, so that most have neighbours.
pub(crate) fn crowd(stations: usize) -> impl Strategy<Value = Vec<Station>> {
    let name = prop::option::of(0..NAMES.len());
    let operator = prop::option::of(0..OPERATORS.len());
    let station = (0..2usize, (0..14i32, 0..4i32), name, operator, prop::bool::weighted(0.15));
    prop::collection::vec(station, 0..stations).prop_map(|drawn| {
        let station = |(at, (dataset, cell, name, operator, bicycle))| {
            let id = if dataset == 0 { format!("node/{at}") } else { format!("{at}") };
            Station { dataset, id, cell, name, operator, bicycle, saved: 0 }
        };
        drawn.into_iter().enumerate().map(station).collect()
    })
}

/// What becomes of a station until the second night.
#[derive(Debug, Clone)]
enum Edit {
    Keep,
    Remove,
    Save,
    Move(i32),
    Rename(Option<usize>),
    Sell(Option<usize>),
    Redraw,
}

/// Two nights, the second by editing the first.
pub(crate) fn two_nights() -> impl Strategy<Value = (Vec<Station>, Vec<Station>)> {
    let edit = prop_oneof![
        4 => Just(Edit::Keep),
        1 => Just(Edit::Remove),
        1 => Just(Edit::Save),
        1 => (-6..6i32).prop_map(Edit::Move),
        1 => prop::option::of(0..NAMES.len()).prop_map(Edit::Rename),
        1 => prop::option::of(0..OPERATORS.len()).prop_map(Edit::Sell),
        1 => Just(Edit::Redraw),
    ];
    (night(), prop::collection::vec(edit, 10), night()).prop_map(|(first, edits, new)| {
        let edited = first.iter().zip(edits).filter_map(|(station, edit)| {
            let mut station =
                Station { saved: station.saved + i64::from(!matches!(edit, Edit::Keep)), ..station.clone() };
            match edit {
                Edit::Keep | Edit::Save => {}
                Edit::Remove => return None,
                Edit::Move(cells) => station.cell.0 += cells,
                Edit::Rename(name) => station.name = name,
                Edit::Sell(operator) => station.operator = operator,
                Edit::Redraw => station.id = station.id.clone() + "00",
            }
            Some(station)
        });
        let new = new.into_iter().take(2).map(|station| Station { id: station.id.clone() + "000", ..station });
        let second = edited.chain(new).collect();
        (first, second)
    })
}

/// Asserts what holds of every night.
fn check_one(stations: &[Station], report: &Report, night: &dyn Snapshot) {
    for source in &report.sources {
        assert!(source.balances(), "{source:?}");
        let drawn = stations.iter().filter(|station| DATASETS[station.dataset] == source.name).count() as u64;
        assert_eq!((source.read, source.kept), (drawn, drawn), "{source:?}");
    }
    let bridge = bridge(night);
    let drawn: BTreeSet<(String, String)> =
        stations.iter().map(|station| (DATASETS[station.dataset].to_owned(), station.id.clone())).collect();
    assert!(bridge.keys().eq(drawn.iter()), "every record is in a place: {bridge:?}");
    let places: BTreeSet<String> = texts(night, &tables::PLACES, &["id"]).into_iter().flatten().collect();
    assert_eq!(bridge.values().cloned().collect::<BTreeSet<_>>(), places);

    // Records of one source share a place only where a chain of that source's own duplicates ties them.
    let mut tied: BTreeMap<&(String, String), BTreeSet<(String, String)>> = BTreeMap::new();
    let columns = ["dataset_a", "record_id_a", "dataset_b", "record_id_b", "verdict", "reason"];
    let links = texts(night, &tables::LINKS, &columns);
    let matches: Vec<[(String, String); 2]> = links
        .into_iter()
        .filter(|link| link[0] == link[2] && link[4] == "match")
        .map(|link| [(link[0].clone(), link[1].clone()), (link[2].clone(), link[3].clone())])
        .collect();
    for record in bridge.keys() {
        let mut reached = BTreeSet::from([record.clone()]);
        loop {
            let before = reached.len();
            for pair in &matches {
                if pair.iter().any(|record| reached.contains(record)) {
                    reached.extend(pair.iter().cloned());
                }
            }
            if reached.len() == before {
                break;
            }
        }
        tied.insert(record, reached);
    }
    for (a, place_a) in &bridge {
        for (b, _) in bridge.iter().filter(|(b, place_b)| a.0 == b.0 && place_a == *place_b) {
            assert!(tied[a].contains(b), "{a:?} and {b:?} share a place");
        }
    }
}

/// Asserts what holds of ids from one night to the next.
fn check_ids(before: &dyn Snapshot, after: &dyn Snapshot) {
    let (old, new, now) = (members(before), members(after), bridge(after));
    let changes: BTreeMap<String, (String, String)> =
        texts(after, &tables::PLACE_CHANGES, &["id", "class", "related_id"])
            .into_iter()
            .map(|row| (row[0].clone(), (row[1].clone(), row[2].clone())))
            .collect();
    for (id, records) in &old {
        let left: Vec<&String> = records.iter().filter_map(|record| now.get(record)).collect();
        match new.get(id) {
            // An id lives on in a record that it had.
            Some(now) => assert!(!records.is_disjoint(now), "{id} has none of its records"),
            None if left.is_empty() => assert_eq!(changes[id].0, "removed"),
            // Its records went into places that had ids of their own already.
            None => {
                assert_eq!(changes[id].0, "merged");
                assert!(left.contains(&&changes[id].1), "{id} went where none of its records is");
                assert!(left.iter().all(|place| old.contains_key(*place)), "{id} lost its records to a new id");
            }
        }
    }
    for (id, records) in new.iter().filter(|(id, _)| !old.contains_key(*id)) {
        let known = old.values().flatten().any(|record| records.contains(record));
        assert_eq!(changes[id].0, if known { "split" } else { "added" });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nights_add_up((first, second) in two_nights()) {
        let (pipeline, store) = (pipeline(""), MemoryStore::default());
        let observer = MemoryObserver::default();
        let mut sink = MemorySink::default();
        let by_id = |night: &dyn Snapshot| -> BTreeMap<String, Vec<Cell>> {
            let rows = rows(night, &tables::PLACES, &[]).into_iter();
            rows.map(|row| (row[0].as_text().unwrap_or_default().to_owned(), row)).collect()
        };
        let mut before: Option<Box<dyn Snapshot>> = None;
        for (day, stations) in [(0, &first), (1, &second), (2, &first)] {
            let (report, night) = run(&pipeline, stations, day, &store);
            check_one(stations, &report, night.as_ref());
            let loaded = sink.load(night.as_ref(), &observer).unwrap();
            if let Some(before) = &before {
                prop_assert!(!matches!(loaded, Loaded::Replaced { .. }), "the sink goes by changes");
                if day == 1 {
                    check_ids(before.as_ref(), night.as_ref());
                }
            }
            prop_assert_eq!(&sink.rows, &by_id(night.as_ref()));
            before = Some(night);
        }
    }
}
