//! The diff of layers: what leads from one state to another, over generated layers.

use std::collections::BTreeMap;

use poimill::adapters::memory::{MemoryScratch, MemoryStore};
use poimill::domain::{
    Cell, ChangeClass, Filter, GeometryKind, GeometryRepair, Incomplete, Layer, ObjectKind, Position, Promoted,
    PromotedKind,
};
use poimill::pipeline::diff::layers::{LayerStates, Room, layer_changes, layer_changes_table};
use poimill::pipeline::layers::{LayerFeature, LayerRows, LayerShape, Sorter, layer_batch, layer_table};
use poimill::pipeline::ports::{Credits, MakeBatch, SnapshotStore, Staging};
use poimill::pipeline::tabulate::{Row, Table, read_rows};
use proptest::prelude::*;

use crate::changes::Recorder;

/// An object, in few enough variants that two states often agree in part.
#[derive(Debug, Clone, PartialEq)]
struct Object {
    shape: (u8, i32),
    tags: Vec<(&'static str, &'static str)>,
    version: i32,
    user: Option<&'static str>,
    incomplete: bool,
    repaired: bool,
}

/// Objects by type and id.
type State = BTreeMap<(u8, i64), Object>;

const TYPES: [ObjectKind; 3] = [ObjectKind::Node, ObjectKind::Way, ObjectKind::Relation];

fn object() -> impl Strategy<Value = Object> {
    let tags = prop::sample::select(vec![
        vec![("highway", "path")],
        vec![("highway", "path"), ("lanes", "2")],
        vec![("highway", "path"), ("lanes", "two")],
        vec![("lanes", "2"), ("name", "Straße")],
    ]);
    let shape = (0..3_u8, prop::sample::select(vec![0, 1, 2, 900_000_000]));
    (shape, tags, 1..3, prop::option::of(Just("mapper")), prop::bool::weighted(0.2), prop::bool::weighted(0.2))
        .prop_map(|(shape, tags, version, user, incomplete, repaired)| Object {
            shape,
            tags,
            version,
            user,
            incomplete,
            repaired,
        })
}

/// An object before and after.
type Pair = (Option<Object>, Option<Object>);

/// Most often the same before and after, or nearly.
fn pair() -> impl Strategy<Value = Pair> {
    (prop::option::weighted(0.9, object()), prop::option::weighted(0.9, object()), 0..8_u8).prop_map(
        |(old, new, keep)| {
            let (Some(old), Some(new)) = (&old, &new) else { return (old, new) };
            let mut after = old.clone();
            match keep {
                0 => after = new.clone(),
                1 => after.shape = new.shape,
                2 => after.tags.clone_from(&new.tags),
                3 => after.version = new.version,
                4 => (after.user, after.repaired) = (new.user, new.repaired),
                5 => (after.incomplete, after.shape) = (new.incomplete, new.shape),
                _ => {}
            }
            (Some(old.clone()), Some(after))
        },
    )
}

fn layer(columns: &[Promoted], users: bool) -> Layer {
    Layer {
        name: "all".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*"]).unwrap(),
        kinds: GeometryKind::ALL.to_vec(),
        columns: columns.to_vec(),
        incomplete: Incomplete::KeepFlagged,
        users,
    }
}

fn promoted() -> Vec<Promoted> {
    let column = |key: &str, name: &str, kind| Promoted { key: key.to_owned(), name: name.to_owned(), kind };
    vec![
        column("lanes", "lanes", PromotedKind::Text),
        column("lanes", "lanes", PromotedKind::Integer),
        column("name", "name", PromotedKind::Text),
        column("highway", "name", PromotedKind::Text),
    ]
}

/// Which columns a layer has, as places in [`promoted`].
fn columns() -> impl Strategy<Value = Vec<Promoted>> {
    let choices: Vec<Vec<usize>> = vec![vec![], vec![0], vec![1], vec![1, 2], vec![2, 1], vec![3]];
    prop::sample::select(choices).prop_map(|choice| choice.into_iter().map(|at| promoted()[at].clone()).collect())
}

/// A snapshot in the making with this state of the layer, or without the layer.
fn staged(state: Option<&State>, layer: &Layer) -> Box<dyn Staging> {
    let staging = MemoryStore::default().stage(&Credits::default()).unwrap();
    let Some(state) = state else { return staging };
    let mut sorter = Sorter::default();
    let mut rows = LayerRows::default();
    for ((osm_type, id), object) in state {
        let at = |dx: i32, dy: i32| Position { lon: object.shape.1 + dx, lat: 500_000_000 + dy };
        let (line, ring) = ([at(0, 0), at(10, 0)], vec![vec![vec![at(0, 0), at(10, 0), at(10, 10), at(0, 0)]]]);
        let shape = match object.shape.0 {
            0 => LayerShape::Point(at(0, 0)),
            1 => LayerShape::Line(&line),
            _ => LayerShape::Area(&ring),
        };
        rows.push(&LayerFeature {
            osm_type: TYPES[usize::from(*osm_type)],
            id: *id,
            shape,
            tags: &object.tags,
            version: Some(object.version),
            time_ms: None,
            changeset: None,
            user: (None, object.user.filter(|_| layer.users)),
            incomplete: object.incomplete,
            repairs: if object.repaired { &[GeometryRepair::SplitRings] } else { &[] },
        });
    }
    sorter.push(rows);
    let table = layer_table(layer);
    let sorted = sorter.finish(&MemoryScratch).unwrap();
    let mut batches = sorted.map(|rows| {
        let (batch, _) = layer_batch(&table, layer, &rows?)?;
        Ok(Box::new(move || Ok(batch)) as MakeBatch<'_>)
    });
    staging.write(&table, &mut batches).unwrap();
    staging
}

fn rows(staging: &dyn Staging, table: &Table) -> Vec<Row> {
    if staging.has(&table.name) { read_rows(staging, table, &[]).unwrap() } else { Vec::new() }
}

/// The changes as rows of their table.
fn changes(old: &dyn Staging, new: &dyn Staging, table: &Table, same_columns: bool, memory_bytes: u64) -> Vec<Row> {
    let states = LayerStates { table: &table.name, old, new, same_columns };
    let changes_table = layer_changes_table(table);
    let room = Room { scratch: &MemoryScratch, memory_bytes };
    layer_changes(states, room).unwrap().map(|change| change.unwrap().row(&changes_table)).collect()
}

fn cell<'a>(table: &Table, row: &'a Row, column: &str) -> &'a Cell {
    &row[table.index_of(column)]
}

fn text<'a>(table: &Table, row: &'a Row, column: &str) -> &'a str {
    cell(table, row, column).as_text().unwrap_or_default()
}

/// Type, id and kind, as text.
fn key(table: &Table, row: &Row) -> String {
    format!("{}/{:?}/{}", text(table, row, "osm_type"), cell(table, row, "osm_id"), text(table, row, "kind"))
}

/// Old rows in the columns of the new table; a column that the old table lacks has no value.
fn in_new_columns(rows: Vec<Row>, old: &Table, new: &Table) -> Vec<Row> {
    let value = |row: &Row, name: &str| old.column(name).map_or(Cell::Null, |_| cell(old, row, name).clone());
    rows.into_iter().map(|row| new.columns.iter().map(|column| value(&row, &column.name)).collect()).collect()
}

/// What the model says of an object with the same kind of geometry before and after, where its columns are made alike.
fn expected_class(old: &Object, new: &Object, users: bool) -> Option<ChangeClass> {
    let volatile = |o: &Object| (o.version, o.user.filter(|_| users), o.repaired);
    match (old.shape == new.shape, old.tags == new.tags && old.incomplete == new.incomplete) {
        (true, true) if volatile(old) == volatile(new) => None,
        (true, true) => Some(ChangeClass::Touched),
        (false, true) => Some(ChangeClass::Moved),
        _ => Some(ChangeClass::Modified),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_layer_and_its_changes_make_the_next_one(
        pairs in prop::collection::btree_map((0..3_u8, 1..20_i64), pair(), 0..25),
        there in (prop::bool::weighted(0.9), prop::bool::weighted(0.9)),
        old_columns in columns(),
        new_columns in prop::option::of(columns()),
        users in (any::<bool>(), prop::bool::weighted(0.2)),
    ) {
        let same_columns = new_columns.as_ref().is_none_or(|new| *new == old_columns);
        let (old_users, new_users) = (users.0, users.0 != users.1);
        let old_layer = layer(&old_columns, old_users);
        let new_layer = layer(new_columns.as_ref().unwrap_or(&old_columns), new_users);
        let (old_table, new_table) = (layer_table(&old_layer), layer_table(&new_layer));
        let side = |of: fn(&Pair) -> &Option<Object>| -> State {
            pairs.iter().filter_map(|(key, pair)| Some((*key, of(pair).clone()?))).collect()
        };
        let (old, new) = (side(|pair| &pair.0), side(|pair| &pair.1));
        let (old_staged, new_staged) =
            (staged(Some(&old).filter(|_| there.0), &old_layer), staged(Some(&new).filter(|_| there.1), &new_layer));

        let changes = changes(old_staged.as_ref(), new_staged.as_ref(), &new_table, same_columns, 1 << 26);
        let table = layer_changes_table(&new_table);
        let mut state: BTreeMap<String, Row> = in_new_columns(rows(old_staged.as_ref(), &old_table), &old_table, &new_table)
            .into_iter().map(|row| (key(&new_table, &row), row)).collect();
        for change in &changes {
            let key = key(&table, change);
            if text(&table, change, "class") == "removed" {
                prop_assert!(state.remove(&key).is_some(), "{key} was there");
                continue;
            }
            let row: Row = new_table.columns.iter().map(|column| cell(&table, change, &column.name).clone()).collect();
            let added = text(&table, change, "class") == "added";
            let before = state.insert(key.clone(), row.clone());
            prop_assert_eq!(before.is_none(), added, "{}", key);
            // A column that is gone is a change that the new columns do not show.
            prop_assert!(!same_columns || old_users != new_users || before != Some(row), "{key} is no change");
        }
        let wanted: BTreeMap<String, Row> =
            rows(new_staged.as_ref(), &new_table).into_iter().map(|row| (key(&new_table, &row), row)).collect();
        prop_assert_eq!(&state, &wanted);

        // In the order of the new table.
        let places: Vec<String> = rows(new_staged.as_ref(), &new_table).iter().map(|row| key(&new_table, row)).collect();
        let told: Vec<usize> = changes.iter().filter_map(|change| places.iter().position(|k| *k == key(&table, change))).collect();
        prop_assert!(told.is_sorted(), "{told:?}");

        if same_columns && old_users == new_users && there == (true, true) {
            for change in &changes {
                let id = pairs.iter().find(|((osm_type, id), _)| {
                    let name = ["node", "way", "relation"][usize::from(*osm_type)];
                    text(&table, change, "osm_type") == name && *cell(&table, change, "osm_id") == Cell::Int(*id)
                });
                let Some((_, (Some(old), Some(new)))) = id else { continue };
                if old.shape.0 == new.shape.0 {
                    let class = expected_class(old, new, new_users).map(ChangeClass::name);
                    prop_assert_eq!(class, Some(text(&table, change, "class")));
                }
            }
            for ((osm_type, id), pair) in &pairs {
                let (Some(old), Some(new)) = pair else { continue };
                let told = changes.iter().any(|change| {
                    let name = ["node", "way", "relation"][usize::from(*osm_type)];
                    text(&table, change, "osm_type") == name && *cell(&table, change, "osm_id") == Cell::Int(*id)
                });
                prop_assert_eq!(told, expected_class(old, new, new_users).is_some(), "{}", id);
            }
        }
    }
}

/// One object that was changed in one way.
fn change_of(change: impl Fn(&mut Object)) -> (Table, Vec<Row>) {
    let old = Object {
        shape: (1, 0),
        tags: vec![("highway", "path"), ("lanes", "2")],
        version: 1,
        user: None,
        incomplete: false,
        repaired: false,
    };
    let mut new = old.clone();
    change(&mut new);
    let layer = layer(&promoted()[1..2], false);
    let table = layer_table(&layer);
    let state = |object: Object| staged(Some(&State::from([((1, 7), object)])), &layer);
    let changes = changes(state(old).as_ref(), state(new).as_ref(), &table, true, 1 << 26);
    (layer_changes_table(&table), changes)
}

#[test]
fn a_change_tells_its_class_its_fields_its_distance_and_the_old_values() {
    /// What is done, and the class, fields, distance and old values that are told of it.
    type Case<'a> = (&'a str, fn(&mut Object), &'a [&'a str], Option<f64>, &'a str);
    let cases: [Case<'_>; 5] = [
        ("touched", |o| o.version = 2, &["version"], None, r#"{"version":1}"#),
        (
            "modified",
            |o| o.tags[1].1 = "3",
            &["lanes", "tags"],
            None,
            r#"{"lanes":2,"tags":{"highway":"path","lanes":"2"}}"#,
        ),
        ("modified", |o| o.incomplete = true, &["incomplete"], None, r#"{"incomplete":false}"#),
        // A tenth of a degree at 50 degrees north.
        (
            "moved",
            |o| (o.shape.1, o.version) = (1_000_000, 2),
            &["geometry", "version"],
            Some(7147.5),
            r#"{"geometry":"010200000002000000000000000000000000000000000049408dedb5a0f7c6b03e0000000000004940","version":1}"#,
        ),
        (
            "modified",
            |o| (o.shape.1, o.tags[0].1) = (1_000_000, "track"),
            &["geometry", "tags"],
            Some(7147.5),
            r#"{"geometry":"010200000002000000000000000000000000000000000049408dedb5a0f7c6b03e0000000000004940","tags":{"highway":"path","lanes":"2"}}"#,
        ),
    ];
    for (class, change, fields, moved_m, old_values) in cases {
        let (table, changes) = change_of(change);
        let [row] = changes.as_slice() else { panic!("{class}: {} changes", changes.len()) };
        assert_eq!(text(&table, row, "class"), class);
        let fields = Cell::List(fields.iter().map(|name| Cell::Text((*name).to_owned())).collect());
        assert_eq!(*cell(&table, row, "changed_fields"), fields);
        assert_eq!(*cell(&table, row, "moved_m"), moved_m.map_or(Cell::Null, Cell::Float));
        assert_eq!(text(&table, row, "old_values"), old_values);
    }
    assert_eq!(change_of(|_| ()).1, Vec::<Row>::new());
}

#[test]
fn memory_and_chunks_change_no_row() {
    let object = |at: i32, version| Object {
        shape: (0, at * 1_000),
        tags: vec![("highway", "crossing")],
        version,
        user: None,
        incomplete: false,
        repaired: false,
    };
    let layer = layer(&[], false);
    let table = layer_table(&layer);
    // 10,000 touched, 5,000 gone, 5,000 new: more than a chunk of each.
    let state = |ids: std::ops::Range<i64>, version| -> State {
        ids.map(|id| ((0, id), object((id * 7919 % 20_011) as i32, version))).collect()
    };
    let (old, new) = (state(0..15_000, 1), state(5_000..20_000, 2));
    let (old, new) = (staged(Some(&old), &layer), staged(Some(&new), &layer));
    let (roomy, tight) = (
        changes(old.as_ref(), new.as_ref(), &table, true, 1 << 30),
        changes(old.as_ref(), new.as_ref(), &table, true, 1),
    );
    let count = |class: &str| roomy.iter().filter(|row| row[0].as_text() == Some(class)).count();
    assert_eq!(["touched", "removed", "added"].map(count), [10_000, 5_000, 5_000]);
    assert!(roomy == tight, "memory decides on nothing but where rows wait");
    // Removed rows stand among the others, where they were.
    let first = roomy.iter().position(|row| row[0].as_text() == Some("removed"));
    assert!(first.is_some_and(|at| at < 100), "{first:?}");
}

#[test]
fn wide_columns_are_read_of_changed_rows_only() {
    let object = |version, name| Object {
        shape: (0, 0),
        tags: vec![("name", name)],
        version,
        user: None,
        incomplete: false,
        repaired: false,
    };
    let layer = layer(&promoted()[2..3], false);
    let table = layer_table(&layer);
    let state = |edited: i64| -> State {
        let named = |id| if id == edited { "Straße" } else { "Gasse" };
        (1..=200).map(|id| ((0, id), object(1, named(id)))).collect()
    };
    let (old, new) = (staged(Some(&state(0)), &layer), staged(Some(&state(77)), &layer));
    for (same_columns, wide) in [(true, 1), (false, 200)] {
        let (from, to) = (Recorder::new(old.as_ref()), Recorder::new(new.as_ref()));
        let states = LayerStates { table: &table.name, old: &from, new: &to, same_columns };
        let room = Room { scratch: &MemoryScratch, memory_bytes: 1 << 26 };
        let changes: Vec<_> = layer_changes(states, room).unwrap().map(Result::unwrap).collect();
        assert_eq!(changes.len(), 1);
        for recorder in [from, to] {
            assert_eq!(recorder.rows.borrow()[&*table.name].len(), wide, "same columns: {same_columns}");
            let columns = recorder.columns.into_inner();
            let narrow = |names: &Vec<String>| !names.is_empty() && !names.contains(&"tags".to_owned());
            assert!(columns.values().flatten().all(narrow), "{columns:?}");
        }
    }
}
