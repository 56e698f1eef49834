//! Changes: the snapshot before and its changes make the snapshot after, field by field, on invented and on real nights; and
//! finding them reads nothing wide of what stayed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use arrow_array::{FixedSizeBinaryArray, RecordBatch};
use poimill::adapters::memory::MemoryStore;
use poimill::config::{Overrides, Settings};
use poimill::domain::Cell;
use poimill::pipeline::RunError;
use poimill::pipeline::conflate::{Merge, Merging};
use poimill::pipeline::diff::diff_of;
use poimill::pipeline::diff::layers::layer_changes_table;
use poimill::pipeline::layers::layer_table;
use poimill::pipeline::ports::{Snapshot, Tables, TakeBatch};
use poimill::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES, changes_of, holds_places};
use poimill::pipeline::tabulate::{Row, Table, read_rows};
use proptest::prelude::*;
use serde_json::Value;

use crate::nights::{pipeline, run, two_nights};
use crate::support::demo::Demo;
use crate::support::{poimill, real_data, skipped};

/// Columns that follow from others.
const DERIVED: [&str; 3] = ["bbox", "content_hash", "row_hash"];

fn text(row: &Row, table: &Table, column: &str) -> String {
    row[table.index_of(column)].as_text().unwrap_or_default().to_owned()
}

/// Rows by id; none where the snapshot does not have the table.
fn by_id(snapshot: &dyn Snapshot, table: &str) -> BTreeMap<String, Row> {
    if !snapshot.has(table) {
        return BTreeMap::new();
    }
    let table = Table { name: table.to_owned().into(), ..PLACES.clone() };
    let rows = read_rows(snapshot, &table, &[]).expect("places");
    rows.into_iter().map(|row| (text(&row, &PLACES, "id"), row)).collect()
}

/// Asserts that the changes lead from one snapshot to the other, and tell what was; returns the classes met.
fn check_places(old: &dyn Snapshot, new: &dyn Snapshot) -> BTreeSet<String> {
    let mut classes = BTreeSet::new();
    for name in new.manifest().tables.keys().filter(|name| holds_places(name)) {
        let before = by_id(old, name);
        let mut state = before.clone();
        for change in read_rows(new, &changes_of(name), &[]).expect("changes") {
            let told = |column: &str| text(&change, &PLACE_CHANGES, column);
            let (class, id) = (told("class"), told("id"));
            let was = before.get(&id);
            let is = match class.as_str() {
                "removed" | "merged" => {
                    assert!(state.remove(&id).is_some(), "{class} {id} was there");
                    None
                }
                _ => {
                    let row: Row =
                        change[2..3].iter().chain(&change[PLACE_CHANGES.index_of("geometry")..]).cloned().collect();
                    state.insert(id.clone(), row.clone());
                    Some(row)
                }
            };
            check_fields(&change, was, is.as_ref());
            assert_eq!(was.is_none(), ["added", "split", "revived"].contains(&class.as_str()), "{class} {id}");
            classes.insert(class);
        }
        assert_eq!(state, by_id(new, name), "{name}");
    }
    classes
}

/// Asserts that a change names exactly the columns that differ, with their old values.
fn check_fields(change: &Row, was: Option<&Row>, is: Option<&Row>) {
    let old: Value = serde_json::from_str(&text(change, &PLACE_CHANGES, "old_values")).unwrap_or_default();
    let Cell::List(fields) = &change[PLACE_CHANGES.index_of("changed_fields")] else { panic!("a list") };
    let fields: Vec<&str> = fields.iter().filter_map(Cell::as_text).collect();
    let columns = || PLACES.columns.iter().enumerate().filter(|(_, column)| !DERIVED.contains(&&*column.name));
    let told: BTreeMap<String, Value> = match (was, is) {
        (Some(was), Some(is)) => {
            let differ = columns().filter(|(at, _)| was[*at] != is[*at]);
            let differ: Vec<(&str, Value)> = differ.map(|(at, column)| (&*column.name, was[at].to_json())).collect();
            assert_eq!(fields, differ.iter().map(|(name, _)| *name).collect::<Vec<_>>());
            differ.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        }
        (Some(was), None) => {
            let had = columns().filter(|(at, column)| column.name != "id" && was[*at] != Cell::Null);
            had.map(|(at, column)| (column.name.to_string(), was[at].to_json())).collect()
        }
        _ => BTreeMap::new(),
    };
    let old: BTreeMap<String, Value> = old.as_object().map(|old| old.clone().into_iter().collect()).unwrap_or_default();
    assert_eq!(old, told);
    let moved = fields.contains(&"geometry");
    assert_eq!(change[PLACE_CHANGES.index_of("moved_m")] != Cell::Null, moved);
}

/// Tables that remember what was read of them: columns by table, and rows that were read whole.
pub(crate) struct Recorder<'a> {
    inner: &'a dyn Tables,
    pub(crate) columns: RefCell<BTreeMap<String, BTreeSet<Vec<String>>>>,
    pub(crate) rows: RefCell<BTreeMap<String, BTreeSet<u64>>>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(inner: &'a dyn Tables) -> Self {
        Self { inner, columns: RefCell::default(), rows: RefCell::default() }
    }
}

impl Tables for Recorder<'_> {
    fn has(&self, table: &str) -> bool {
        self.inner.has(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        let names = columns.iter().map(|name| (*name).to_owned()).collect();
        self.columns.borrow_mut().entry(table.to_owned()).or_default().insert(names);
        self.inner.read(table, columns, out)
    }

    fn read_rows(&self, table: &str, rows: &[u64], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        self.rows.borrow_mut().entry(table.to_owned()).or_default().extend(rows);
        self.inner.read_rows(table, rows, out)
    }
}

/// Numbers of the rows of one snapshot that the other lacks or has otherwise.
fn differing(one: &dyn Snapshot, other: &dyn Snapshot) -> BTreeSet<u64> {
    let keys = |snapshot: &dyn Snapshot| read_rows(snapshot, &PLACES, &["id", "row_hash"]).expect("keys");
    let there: BTreeMap<String, Cell> =
        keys(other).into_iter().map(|row| (row[0].as_text().unwrap_or_default().to_owned(), row[1].clone())).collect();
    let differs = |row: &Row| there.get(row[0].as_text().unwrap_or_default()) != Some(&row[1]);
    (0..).zip(keys(one)).filter(|(_, row)| differs(row)).map(|(at, _)| at).collect()
}

/// Asserts that the diff reads keys and hashes of all places, and wide columns only of those that changed.
fn check_reads(old: &dyn Snapshot, new: &dyn Snapshot) {
    let (from, to) = (Recorder::new(old), Recorder::new(new));
    diff_of(&PLACES.name, Some(&from), &to).expect("a diff");
    for (recorder, wanted) in [(from, differing(old, new)), (to, differing(new, old))] {
        let rows = recorder.rows.into_inner();
        assert!(rows.keys().all(|table| *table == PLACES.name), "{:?}", rows.keys());
        assert_eq!(rows.get(&*PLACES.name).cloned().unwrap_or_default(), wanted);
        for (table, columns) in recorder.columns.into_inner() {
            if table == PLACES.name {
                assert_eq!(columns, BTreeSet::from([vec!["id".to_owned(), "row_hash".to_owned()]]));
            }
            let wide = ["raw", "evidence", "geometry", "tags"];
            let narrow = |names: &Vec<String>| !names.is_empty() && names.iter().all(|n| !wide.contains(&&**n));
            assert!(columns.iter().all(narrow), "{table}: {columns:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_its_changes_make_the_next_one((first, second) in two_nights()) {
        for merge in [Merge::Merged, Merge::Layered] {
            let pipeline = poimill::pipeline::Pipeline { merging: Merging { merge, ..Merging::default() }, ..pipeline("") };
            let store = MemoryStore::default();
            let mut before: Option<Box<dyn Snapshot>> = None;
            for (day, stations) in [(0, &first), (1, &second), (2, &first), (3, &vec![]), (4, &second)] {
                let (report, night) = run(&pipeline, stations, day, &store);
                // Of a night without a difference no snapshot is made, nor any changes.
                if let Some(before) = before.as_ref().filter(|_| !report.unchanged) {
                    check_places(before.as_ref(), night.as_ref());
                    if merge == Merge::Merged {
                        check_reads(before.as_ref(), night.as_ref());
                    }
                }
                before = Some(night);
            }
        }
    }
}

#[test]
fn every_class_of_change_leads_to_the_next_snapshot() {
    let demo = Demo::after_one_night();
    let mut before = poimill::wiring::snapshot(&fs::canonicalize(demo.latest()).unwrap()).unwrap();
    let mut classes = BTreeSet::new();
    for night in [2, 1] {
        assert_eq!(demo.run(night, &[]).code, 0);
        let after = poimill::wiring::snapshot(&fs::canonicalize(demo.latest()).unwrap()).unwrap();
        classes.extend(check_places(&before, &after));
        check_reads(&before, &after);
        before = after;
    }
    let all = ["added", "merged", "modified", "moved", "removed", "revived", "split", "touched"];
    assert_eq!(classes, all.map(str::to_owned).into());
}

#[test]
fn real_nights_follow_from_those_before_by_their_changes() {
    let Some(data) = real_data() else { return skipped("real_nights_follow_from_those_before_by_their_changes") };
    let regions = [
        ("liechtenstein", ["20211028", "20221215", "20240303"].as_slice()),
        ("monaco", ["20250101", "20260309", "20260710"].as_slice()),
    ];
    for (region, nights) in regions {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("real.toml");
        let text = "name = \"real\"\nthemes = [\"places\"]\n[[source]]\nname = \"osm\"\nkind = \"osm_pbf\"\npath = \"-\"\n\
                    [[layer]]\nname = \"roads\"\nfilter = \"highway\"\ncolumns = [\"highway\", \"name\"]\n\
                    [[layer]]\nname = \"water\"\nfilter = \"natural=water\"\n\
                    [gate]\nmax_removed_share = 1\nmax_moved_share = 1\n[gate.source.osm]\nmax_removed_share = 1\n";
        fs::write(&file, text).expect("a pipeline file");
        let layers = Settings::load(&file, &Overrides::default()).expect("settings").layers;
        let mut before = None;
        for night in nights {
            let input = format!("osm={}", data.join(format!("osm/{region}-{night}.osm.pbf")).display());
            let mut run = poimill();
            run.arg("run").arg(&file).args(["--store", &folder.path().display().to_string(), "--input", &input]);
            let done = run.output().expect("poimill starts");
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{region} {night}: {told}");
            let named = String::from_utf8_lossy(&done.stdout).into_owned();
            let path = named.lines().find_map(|line| line.strip_prefix("files     ")).expect("where it is").to_owned();
            let after = poimill::wiring::snapshot(path.as_ref()).expect("a snapshot");
            if let Some(before) = &before {
                let classes = check_places(before, &after);
                assert!(classes.contains("added") && classes.contains("modified"), "{region} {night}: {classes:?}");
                check_reads(before, &after);
                for layer in &layers {
                    check_layer(&layer_table(layer), before, &after);
                }
            }
            before = Some(after);
        }
    }
}

/// Asserts that the changes of a layer lead from its old state to the new one.
fn check_layer(table: &Table, old: &dyn Snapshot, new: &dyn Snapshot) {
    let changes_table = layer_changes_table(table);
    let key = |table: &Table, row: &Row| {
        ["osm_type", "osm_id", "kind"].map(|column| row[table.index_of(column)].to_json().to_string())
    };
    let state = |snapshot: &dyn Snapshot| -> BTreeMap<[String; 3], Row> {
        let rows = read_rows(snapshot, table, &[]).expect("a layer");
        rows.into_iter().map(|row| (key(table, &row), row)).collect()
    };
    let mut rows = state(old);
    let changes = read_rows(new, &changes_table, &[]).expect("changes of a layer");
    for change in &changes {
        let key = key(&changes_table, change);
        if text(change, &changes_table, "class") == "removed" {
            assert!(rows.remove(&key).is_some(), "{key:?} was there");
        } else {
            let columns = table.columns.iter().map(|column| change[changes_table.index_of(&column.name)].clone());
            rows.insert(key, columns.collect());
        }
    }
    assert!(rows == state(new), "{}", table.name);
    assert!(!changes.is_empty() || state(old) == rows, "{}", table.name);
}

/// A snapshot as an earlier version would have written it: without a column, and so with other hashes.
struct Earlier<'a> {
    inner: &'a dyn Tables,
    lacks: &'static str,
}

impl Tables for Earlier<'_> {
    fn has(&self, table: &str) -> bool {
        self.inner.has(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        self.inner.read(table, columns, &mut |batch| {
            let mut batch = batch;
            if let (true, Ok(at)) = (holds_places(table), batch.schema().index_of(self.lacks)) {
                batch.remove_column(at);
            }
            if let (true, Ok(at)) = (holds_places(table), batch.schema().index_of("row_hash")) {
                let other =
                    FixedSizeBinaryArray::try_from_iter(std::iter::repeat_n([7_u8; 16], batch.num_rows())).unwrap();
                let mut arrays = batch.columns().to_vec();
                arrays[at] = Arc::new(other);
                batch = RecordBatch::try_new(batch.schema(), arrays).unwrap();
            }
            out(batch)
        })
    }
}

#[test]
fn a_column_that_an_earlier_version_lacks_is_a_change_only_where_it_has_a_value() {
    let demo = Demo::after_one_night();
    let night = poimill::wiring::snapshot(&fs::canonicalize(demo.latest()).unwrap()).unwrap();
    let earlier = Earlier { inner: &night, lacks: "opening_hours" };
    let changes = diff_of(&PLACES.name, Some(&earlier), &night).unwrap();
    let rows = read_rows(&night, &PLACES, &["opening_hours"]).unwrap();
    assert_eq!(changes.len(), rows.len(), "every row is written anew");
    let fields = |change: &Row| change[PLACE_CHANGES.index_of("changed_fields")].to_json();
    let with = changes.iter().filter(|change| fields(change) == serde_json::json!(["opening_hours"])).count();
    assert_eq!(with, rows.iter().filter(|row| row[0] != Cell::Null).count());
    assert!(
        changes
            .iter()
            .all(|change| [serde_json::json!([]), serde_json::json!(["opening_hours"])].contains(&fields(change)))
    );
    let touched = changes.iter().filter(|change| text(change, &PLACE_CHANGES, "class") == "touched").count();
    assert!(with > 0 && touched >= rows.len() - with, "{touched} of {}", rows.len());
}
