//! Parity with `osmium export`: the same objects, kinds, geometries and tags, on every real extract.
//!
//! Both sides become one fingerprint per row, sorted and merged, so that a whole country needs 40 bytes per row here.
//! What differs must stand in `tests/golden/osmium-deviations.csv` with its reason; what stands there must differ.
//!
//! Two things are osmium's way of writing and no deviations: areas lose the tag `type` of their relation, and what is
//! then without tags has no row.

mod export;
mod shape;
mod snapshot;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use poimill::domain::AreaRules;

use self::shape::Shape;
use crate::support::{real_data, required_or_skipped, skipped};

/// Row of either side, small enough to hold all of a file: its key, and hashes of its geometry and tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Print {
    key: Key,
    geometry: u64,
    tags: u64,
}

/// Type of the object, its id, and kind of geometry.
type Key = (OsmType, i64, Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OsmType {
    Node,
    Way,
    Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Point,
    Line,
    Area,
}

impl OsmType {
    fn parse(name: &str) -> Self {
        match name {
            "node" => Self::Node,
            "way" => Self::Way,
            "relation" => Self::Relation,
            other => panic!("{other} is no type of an OSM object"),
        }
    }

    fn name(self) -> &'static str {
        ["node", "way", "relation"][self as usize]
    }
}

impl Kind {
    fn name(self) -> &'static str {
        ["point", "line", "area"][self as usize]
    }
}

impl Print {
    /// The fingerprint of a row; none for a relation that has no tag but its `type`.
    fn of(osm_type: OsmType, id: i64, shape: Shape, mut tags: Vec<(&str, &str)>) -> Option<Self> {
        if osm_type == OsmType::Relation {
            tags.retain(|(key, _)| *key != "type");
        }
        tags.sort_unstable();
        let mut bytes = Vec::new();
        for (key, value) in &tags {
            for text in [key, value] {
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        let key = (osm_type, id, shape.kind());
        let geometry = shape::hash(&shape.normalised().bytes());
        (!tags.is_empty()).then(|| Self { key, geometry, tags: shape::hash(&bytes) })
    }
}

/// A difference between the two, as a line of the list without its reason: `type,id,kind,what`.
fn differences(ours: &mut [Print], theirs: &mut [Print]) -> BTreeSet<String> {
    ours.sort_unstable();
    theirs.sort_unstable();
    let line = |(osm_type, id, kind): Key, what: &str| format!("{},{id},{},{what}", osm_type.name(), kind.name());
    let mut found = BTreeSet::new();
    let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
    loop {
        let order = match (ours.peek(), theirs.peek()) {
            (Some(our), Some(their)) => our.key.cmp(&their.key),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return found,
        };
        let our = if order.is_le() { ours.next() } else { None };
        let their = if order.is_ge() { theirs.next() } else { None };
        match (our, their) {
            (Some(our), Some(their)) => {
                found.extend((our.geometry != their.geometry).then(|| line(our.key, "geometry")));
                found.extend((our.tags != their.tags).then(|| line(our.key, "tags")));
            }
            (Some(our), None) => _ = found.insert(line(our.key, "extra")),
            (None, Some(their)) => _ = found.insert(line(their.key, "missing")),
            (None, None) => unreachable!("one of two is taken"),
        }
    }
}

/// The differences that are known: extract and difference.
fn known() -> BTreeSet<(String, String)> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/osmium-deviations.csv");
    let mut rows = csv::Reader::from_path(&list).expect("the list of deviations");
    let rows = rows.records().map(|row| row.expect("a line of the list"));
    rows.map(|row| {
        assert!(!row[5].is_empty(), "{row:?} needs a reason");
        (row[0].to_owned(), row.iter().skip(1).take(4).collect::<Vec<_>>().join(","))
    })
    .collect()
}

/// Compares both sides on one extract.
fn assert_parity(extract: &Path) {
    let name = extract.file_name().expect("a file").to_string_lossy().into_owned();
    let rules = include_str!("../../pipelines/area-rules.toml");
    let rules = AreaRules::parse(rules).expect("the area rules");
    // Side by side: each is one thread for most of its time.
    let (mut theirs, mut ours) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| export::prints(extract, &rules));
        let ours = snapshot::prints(extract);
        (theirs.join().expect("osmium's side"), ours)
    });
    assert!(!theirs.is_empty(), "{name}: osmium wrote nothing");
    let found = differences(&mut ours, &mut theirs);
    let known = known().into_iter().filter_map(|(extract, line)| (extract == name).then_some(line)).collect();
    let lines = |differences: &[&String]| -> String {
        let told = differences.iter().take(40).map(|line| format!("\n{name},{line},"));
        told.chain((differences.len() > 40).then(|| format!("\n… {} in all", differences.len()))).collect()
    };
    let new: Vec<&String> = found.difference(&known).collect();
    assert!(
        new.is_empty(),
        "deviations that are not in the list ({} rows, osmium {}):{}",
        ours.len(),
        theirs.len(),
        lines(&new)
    );
    let gone: Vec<&String> = known.difference(&found).collect();
    assert!(gone.is_empty(), "entries of the list that deviate no more:{}", lines(&gone));
}

/// The folder of extracts, where it and osmium are there.
fn extracts(test: &str) -> Option<std::path::PathBuf> {
    if Command::new("osmium").arg("--version").output().is_err() {
        required_or_skipped(test, "osmium-tool is not installed");
        return None;
    }
    let data = real_data();
    if data.is_none() {
        skipped(test);
    }
    data.map(|data| data.join("osm"))
}

const LARGEST: &str = "world-sample.osm.pbf";

#[test]
fn every_extract_has_the_features_of_osmium_export() {
    let Some(folder) = extracts("every_extract_has_the_features_of_osmium_export") else { return };
    let entries = fs::read_dir(&folder).expect("the folder of extracts");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| {
        let name = file.file_name().expect("a file").to_string_lossy();
        // A history file is no extract, and is refused.
        name.ends_with(".osm.pbf") && name != LARGEST
    });
    files.sort();
    assert!(files.len() >= 19, "{files:?}");
    for (extract, line) in known() {
        assert!(folder.join(&extract).is_file(), "{extract},{line} is of no extract");
    }
    for file in files {
        assert_parity(&file);
    }
}

#[test]
fn the_world_sample_has_the_features_of_osmium_export() {
    let Some(folder) = extracts("the_world_sample_has_the_features_of_osmium_export") else { return };
    assert_parity(&folder.join(LARGEST));
}

#[test]
fn every_kind_of_difference_is_told() {
    let print = |id: i64, x: i32, value: &str| {
        Print::of(OsmType::Node, id, Shape::Point((x, 0)), vec![("a", value)]).expect("it has a tag")
    };
    let mut ours = vec![print(5, 0, ""), print(1, 0, ""), print(2, 0, ""), print(3, 0, "")];
    let mut theirs = vec![print(3, 0, "b"), print(2, 1, ""), print(1, 0, ""), print(4, 0, "")];
    let found: Vec<String> = differences(&mut ours, &mut theirs).into_iter().collect();
    assert_eq!(found, ["node,2,point,geometry", "node,3,point,tags", "node,4,point,missing", "node,5,point,extra"]);
}

#[test]
fn the_type_of_a_relation_is_not_compared() {
    let print = |osm_type, tags| Print::of(osm_type, 1, Shape::Point((0, 0)), tags);
    let plain = print(OsmType::Relation, vec![("name", "x")]);
    assert_eq!(print(OsmType::Relation, vec![("type", "boundary"), ("name", "x")]), plain);
    assert_eq!(print(OsmType::Relation, vec![("type", "boundary")]), None);
    assert!(print(OsmType::Way, vec![("type", "boundary")]).is_some());
}
