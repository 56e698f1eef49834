//! Loading into a real PostGIS: what readers, historians and consumers of the feed find there.

use std::time::Duration;

mod concurrency;

use poimill::adapters::postgis::{LoadMode, PostGis};
use poimill::domain::{Cell, hex};
use poimill::pipeline::RunError;
use poimill::pipeline::ports::{Loaded, Sink, Snapshot};
use poimill::pipeline::tabulate::tables::{PLACES, SOURCES};
use poimill::pipeline::tabulate::{Kind, Table};
use serde_json::{Value, json};

use crate::support::database::{Database, with_setting};
use crate::support::snapshot::{MemorySnapshot, Notes, Row, change, hashed, id, place, point, text, texts};

fn load(database: &Database, mode: LoadMode, snapshot: &dyn Snapshot) -> Result<Loaded, RunError> {
    PostGis::new(database.url.clone(), mode).load(snapshot, &Notes::default())
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The first night of the town that most tests load.
fn first_places() -> Vec<Row> {
    (1..=6).map(|n| place(n, &format!("Place {n}"))).collect()
}

/// The second night, with a change of every class.
fn second_night(pipeline: &str) -> MemorySnapshot {
    let mut renamed = place(1, "New name");
    renamed.insert("operator", text("LKW"));
    let mut moved = place(2, "Place 2");
    moved.insert("geometry", point(9.6, 47.2));
    let mut touched = place(3, "Place 3");
    touched.insert("confidence", Cell::Float(0.5));
    let (added, split, revived) = (place(7, "Added"), place(8, "Split"), place(9, "Revived"));
    let places = [&renamed, &moved, &touched, &place(6, "Place 6"), &added, &split, &revived].map(Clone::clone);
    let changes = [
        change(
            "modified",
            1,
            &[
                ("changed_fields", texts(&["name", "operator"])),
                ("old_values", text(r#"{"name":"Place 1","operator":null}"#)),
            ],
            Some(renamed),
        ),
        change(
            "moved",
            2,
            &[
                ("changed_fields", texts(&["geometry"])),
                ("moved_m", Cell::Float(13_300.25)),
                ("old_values", text(r#"{"geometry":"0101"}"#)),
            ],
            Some(moved),
        ),
        change("touched", 3, &[("changed_fields", texts(&["confidence"]))], Some(touched)),
        change("removed", 4, &[("old_values", text(r#"{"name":"Place 4"}"#))], None),
        change("merged", 5, &[("cause", text("conflation")), ("related_id", Cell::Text(id(6)))], None),
        change("added", 7, &[], Some(added)),
        change("split", 8, &[("cause", text("conflation")), ("related_id", Cell::Text(id(6)))], Some(split)),
        change("revived", 9, &[], Some(revived)),
    ];
    MemorySnapshot::new(pipeline, 2, Some(1), &places, &changes)
}

fn first_night(pipeline: &str) -> MemorySnapshot {
    MemorySnapshot::new(pipeline, 1, None, &first_places(), &[])
}

/// A table's rows as the snapshot's own JSON, by the columns that the database keeps.
fn rows_of(database: &Database, relation: &str, table: &Table) -> Vec<Value> {
    let pairs = table.columns.iter().filter(|column| column.name != "bbox").map(|column| {
        let name = &column.name;
        match column.kind {
            Kind::Geometry(_) => format!("'{name}', encode(st_asbinary({name}, 'NDR'), 'hex')"),
            Kind::Hash16 => format!("'{name}', encode({name}, 'hex')"),
            Kind::Time => format!("'{name}', to_char({name} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"),
            _ => format!("'{name}', {name}"),
        }
    });
    // A function takes at most 100 arguments.
    let pairs: Vec<String> = pairs.collect();
    let objects: Vec<String> =
        pairs.chunks(20).map(|chunk| format!("jsonb_build_object({})", chunk.join(", "))).collect();
    let key = &table.columns[0].name;
    let query = format!("select ({})::text from {relation} order by {key}", objects.join(" || "));
    database.texts(&query).iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// The same of a snapshot.
fn rows_of_snapshot(snapshot: &MemorySnapshot, table: &Table) -> Vec<Value> {
    let mut rows = vec![];
    let take = |batch: arrow_array::RecordBatch| {
        let columns: Vec<(&str, Vec<Cell>)> = table
            .columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| (&*column.name, poimill::pipeline::tabulate::cells(&column.kind, array)))
            .collect();
        for row in 0..batch.num_rows() {
            let object = columns.iter().filter(|(name, _)| *name != "bbox").map(|(name, cells)| {
                let value = match table.column(name).unwrap().kind {
                    Kind::Json => serde_json::from_str(cells[row].as_text().unwrap()).unwrap(),
                    _ => cells[row].to_json(),
                };
                ((*name).to_owned(), value)
            });
            rows.push(Value::Object(object.collect()));
        }
        Ok(())
    };
    let names: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
    poimill::pipeline::ports::Tables::read(snapshot, &table.name, &names, &mut { take }).unwrap();
    rows.sort_by_key(|row| row[&*table.columns[0].name].to_string());
    rows
}

/// Asserts that places and records are those of the snapshot.
fn assert_stands_at(database: &Database, snapshot: &MemorySnapshot) {
    assert_eq!(rows_of(database, "poimill.place", &PLACES), rows_of_snapshot(snapshot, &PLACES));
    assert_eq!(rows_of(database, "poimill.place_source", &SOURCES), rows_of_snapshot(snapshot, &SOURCES));
}

/// The feed, without numbers and times.
fn feed(database: &Database) -> Vec<String> {
    database.texts(
        "select concat_ws(' ', class, cause, right(place_id::text, 1), right(related_id::text, 1), changed_fields, moved_m, old_values)
         from poimill.change order by seq",
    )
}

/// The history: last digit of the id, name, days from and to.
fn history(database: &Database) -> Vec<String> {
    database.texts(
        "select concat_ws(' ', right(id::text, 1), name, to_char(valid_from at time zone 'UTC', 'DD'),
                          case when valid_to = 'infinity' then 'open' else to_char(valid_to at time zone 'UTC', 'DD') end,
                          left(snapshot, 8))
         from poimill.place_history order by id, valid_from",
    )
}

const SECOND_NIGHTS_HISTORY: [&str; 9] = [
    "1 Place 1 01 02 20260701",
    "1 New name 02 open 20260702",
    "2 Place 2 01 02 20260701",
    "2 Place 2 02 open 20260702",
    "4 Place 4 01 02 20260701",
    "5 Place 5 01 02 20260701",
    "7 Added 02 open 20260702",
    "8 Split 02 open 20260702",
    "9 Revived 02 open 20260702",
];

#[test]
fn a_first_load_brings_every_value_and_one_event() {
    let Some(database) = Database::create("a_first_load_brings_every_value_and_one_event") else { return };
    for mode in [LoadMode::Changes, LoadMode::Replace] {
        let snapshot = MemorySnapshot::new(&format!("{mode:?}"), 1, None, &first_places(), &[]);
        assert_eq!(load(&database, mode, &snapshot).unwrap(), Loaded::Replaced { rows: 6 });
        let places = format!("(select * from poimill.place where pipeline = '{mode:?}') as p");
        assert_eq!(rows_of(&database, &places, &PLACES), rows_of_snapshot(&snapshot, &PLACES));
        let records = format!("(select * from poimill.place_source where pipeline = '{mode:?}') as s");
        assert_eq!(rows_of(&database, &records, &SOURCES), rows_of_snapshot(&snapshot, &SOURCES));
    }
    assert_eq!(feed(&database), ["loaded {}", "loaded {}"]);
    assert_eq!(history(&database), [""; 0]);
    let ledger = database.texts(
        "select concat_ws(' ', pipeline, snapshot, base, vintage at time zone 'UTC', mode, places, changes) from poimill.run order by id",
    );
    assert_eq!(ledger[0], "Changes 20260701T000000Z-00000000 2026-07-01 00:00:00 first 6 6");
    assert_eq!(
        database.texts("select distinct st_srid(footprint) || geometrytype(footprint) from poimill.place where footprint is not null"),
        ["4326POLYGON"],
    );
}

#[test]
fn the_same_snapshot_again_changes_nothing() {
    let Some(database) = Database::create("the_same_snapshot_again_changes_nothing") else { return };
    let state = |database: &Database| {
        database.texts(
            "select concat_ws(' ', count(*), max(p.xmin::text::bigint), sum(p.xmax::text::bigint), min(p.tableoid::regclass::text),
                              (select max(seq) from poimill.change), (select max(id) from poimill.run),
                              (select count(*) from poimill.place_history))
             from poimill.place as p",
        )
    };
    let nights = [first_night("li"), second_night("li")];
    for mode in [LoadMode::Changes, LoadMode::Replace] {
        for night in &nights {
            load(&database, mode, night).unwrap();
            let before = state(&database);
            for mode in [LoadMode::Changes, LoadMode::Replace] {
                assert_eq!(load(&database, mode, night).unwrap(), Loaded::Unchanged);
            }
            assert_eq!(state(&database), before);
        }
    }
}

#[test]
fn a_change_set_of_every_class_is_merged_recorded_and_announced() {
    let Some(database) = Database::create("a_change_set_of_every_class_is_merged_recorded_and_announced") else {
        return;
    };
    load(&database, LoadMode::Changes, &first_night("li")).unwrap();
    let untouched = "select xmin::text from poimill.place where name = 'Place 6'";
    let before = database.texts(untouched);
    let mut listener = database.client();
    listener.batch_execute("listen poimill_change").unwrap();
    let second = second_night("li");
    assert_eq!(load(&database, LoadMode::Changes, &second).unwrap(), Loaded::Changed { rows: 8 });

    assert_stands_at(&database, &second);
    assert_eq!(database.texts(untouched), before);
    assert_eq!(
        feed(&database),
        [
            "loaded {}",
            "modified source 1 {name,operator} {\"name\": \"Place 1\", \"operator\": null}",
            "moved source 2 {geometry} 13300.25 {\"geometry\": \"0101\"}",
            "touched source 3 {confidence}",
            "removed source 4 {} {\"name\": \"Place 4\"}",
            "merged conflation 5 6 {}",
            "added source 7 {}",
            "split conflation 8 6 {}",
            "revived source 9 {}",
        ]
    );
    assert_eq!(
        database.texts(
            "select distinct concat_ws(' ', pipeline, snapshot, base) from poimill.change where class <> 'loaded'"
        ),
        ["li 20260702T000000Z-00000000 20260701T000000Z-00000000"],
    );
    assert_eq!(history(&database), SECOND_NIGHTS_HISTORY);
    let notified = postgres::fallible_iterator::FallibleIterator::next(
        &mut listener.notifications().timeout_iter(Duration::from_secs(10)),
    );
    assert_eq!(notified.unwrap().map(|n| n.payload().to_owned()), Some("li".to_owned()));
    assert_eq!(database.texts("select mode from poimill.run order by id"), ["first", "changes"]);
}

#[test]
fn from_another_base_the_database_compares_in_full() {
    let Some(database) = Database::create("from_another_base_the_database_compares_in_full") else { return };
    load(&database, LoadMode::Changes, &first_night("li")).unwrap();
    let second = second_night("li");
    // The third night's change set starts from a second one that the database has never seen.
    let mut places =
        vec![place(1, "Place 1"), place(2, "Place 2"), place(3, "Place 3"), place(6, "New"), place(7, "Added")];
    places[0].insert("confidence", Cell::Float(0.5));
    places[1].insert("geometry", point(9.503, 47.1));
    places[2].insert("capacity", Cell::Null);
    let third = MemorySnapshot::new("li", 3, Some(2), &places, &[]);
    assert_eq!(load(&database, LoadMode::Changes, &third).unwrap(), Loaded::Changed { rows: 7 });
    assert_stands_at(&database, &third);

    let feed = feed(&database);
    assert_eq!(feed[1], "touched conflation 1 {confidence} {\"confidence\": 0.97}");
    assert!(feed[2].starts_with("modified source 2 {geometry} 75.69"), "{}", feed[2]);
    let Cell::Bytes(wkb) = &first_places()[1]["geometry"] else { panic!("a geometry is bytes") };
    assert!(feed[2].ends_with(&format!(r#" {{"geometry": "{}"}}"#, hex(wkb))), "{}", feed[2]);
    assert_eq!(feed[3], "modified conflation 3 {capacity} {\"capacity\": 4}");
    assert!(feed[4].starts_with("removed source 4 {} {"), "{}", feed[4]);
    assert_eq!(feed[6], "modified source 6 {name,names} {\"name\": \"Place 6\", \"names\": {\"de\": \"Place 6\"}}");
    assert_eq!(feed[7], "added source 7 {}");
    let gone: Value = serde_json::from_str(feed[4].trim_start_matches("removed source 4 {} ")).unwrap();
    let row = hashed(place(4, "Place 4"));
    for column in PLACES.columns.iter().filter(|column| !matches!(&*column.name, "id" | "bbox")) {
        let expected = row.get(&*column.name).map_or(Value::Null, Cell::to_json);
        assert_eq!(gone[&*column.name], expected, "{}", column.name);
    }
    // And back to a night that it knows: history and feed go on.
    assert_eq!(load(&database, LoadMode::Changes, &second).unwrap(), Loaded::Changed { rows: 6 });
    assert_stands_at(&database, &second);
    assert_eq!(
        database.number("select count(*) from poimill.place_history where valid_to = 'infinity' and name = 'New'"),
        0
    );
    assert_eq!(database.texts("select mode from poimill.run order by id"), ["first", "compare", "compare"]);
}

#[test]
fn a_database_that_is_not_what_its_ledger_says_is_repaired() {
    let Some(database) = Database::create("a_database_that_is_not_what_its_ledger_says_is_repaired") else { return };
    load(&database, LoadMode::Changes, &first_night("li")).unwrap();
    database.client().batch_execute("delete from poimill.place where name = 'Place 6'").unwrap();
    let notes = Notes::default();
    let second = second_night("li");
    let loaded = PostGis::new(database.url.clone(), LoadMode::Changes).load(&second, &notes).unwrap();
    assert_eq!(loaded, Loaded::Changed { rows: 9 });
    assert_stands_at(&database, &second);
    assert!(notes.0.lock().unwrap().iter().any(|note| note.contains("comparing in full")));

    // An owner may reset a pipeline by dropping its partition.
    let leaf = database.texts("select min(tableoid::regclass::text) from poimill.place").remove(0);
    database.client().batch_execute(&format!("drop table {leaf}")).unwrap();
    assert_eq!(load(&database, LoadMode::Changes, &second).unwrap(), Loaded::Replaced { rows: 7 });
    assert_stands_at(&database, &second);
}

#[test]
fn replace_writes_the_same_history_and_feed_as_changes() {
    let Some(merged) = Database::create("replace_writes_the_same_history_and_feed_as_changes") else { return };
    let Some(replaced) = Database::create("replace_writes_the_same_history_and_feed_as_changes") else { return };
    let third = MemorySnapshot::new("li", 4, Some(3), &first_places(), &[]);
    for night in [&first_night("li"), &second_night("li"), &third] {
        load(&merged, LoadMode::Changes, night).unwrap();
        assert!(matches!(load(&replaced, LoadMode::Replace, night).unwrap(), Loaded::Replaced { .. }));
        assert_stands_at(&replaced, night);
        assert_eq!(feed(&replaced), feed(&merged));
        assert_eq!(history(&replaced), history(&merged));
    }
    // The old leaves are gone, the new ones have every key and index of their parents.
    let leaves = "select c.relname || ' ' || (select count(*) from pg_index as i where i.indrelid = c.oid)
                  from pg_class as c where c.relname ~ '^place(_source)?_[12]_' and c.relkind = 'r' order by 1";
    assert_eq!(replaced.texts(leaves), ["place_1_li 2", "place_source_1_li 3"]);
    assert_eq!(replaced.texts(leaves), merged.texts(leaves));
}

#[test]
fn the_reader_role_reads_and_never_writes() {
    let Some(database) = Database::create("the_reader_role_reads_and_never_writes") else { return };
    load(&database, LoadMode::Replace, &first_night("li")).unwrap();
    load(&database, LoadMode::Replace, &second_night("li")).unwrap();
    let mut reader = database.client();
    reader.batch_execute("set role poimill_reader").unwrap();
    for table in ["place", "place_source", "place_history", "change", "run"] {
        assert!(reader.query_one(&format!("select count(*) from poimill.{table}"), &[]).unwrap().get::<_, i64>(0) > 0);
        for statement in [format!("delete from poimill.{table}"), format!("truncate poimill.{table}")] {
            let error = reader.batch_execute(&statement).unwrap_err();
            assert_eq!(error.code(), Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
        }
    }
    // Tile 10/539/359 holds the town, its neighbour does not; at zoom 0 everything is in one.
    let mut tile = |z: i32, x: i32, y: i32, query: Value| -> usize {
        let row = reader
            .query_one("select poimill.place_tiles($1, $2, $3, $4::text::json)", &[&z, &x, &y, &query.to_string()]);
        row.unwrap().get::<_, Option<Vec<u8>>>(0).map_or(0, |bytes| bytes.len())
    };
    assert!(tile(0, 0, 0, json!({})) > 100);
    assert!(tile(10, 539, 359, json!({"category": "charging_station", "pipeline": "li"})) > 100);
    assert_eq!(tile(10, 539, 359, json!({"category": "cafe"})), 0);
    assert_eq!(tile(10, 541, 359, json!({})), 0);
}

#[test]
fn strange_names_and_characters_are_only_data() {
    let Some(database) = Database::create("strange_names_and_characters_are_only_data") else { return };
    let long = "x".repeat(300);
    for pipeline in ["li-2", "o'hara\"; drop schema poimill cascade; --", "Zürich {leaf} \\", "", &long] {
        let mut odd = first_places();
        odd[0].insert("name", text("a\0b"));
        odd[1].insert("tags", Cell::Map(vec![("k\0".into(), "'; {columns} \u{1f600}".into())]));
        let first = MemorySnapshot::new(pipeline, 1, None, &odd, &[]);
        let notes = Notes::default();
        PostGis::new(database.url.clone(), LoadMode::Changes).load(&first, &notes).unwrap();
        assert!(notes.0.lock().unwrap().iter().any(|note| note.starts_with("2 characters of `places`")));
        for (mode, night) in [(LoadMode::Changes, second_night(pipeline)), (LoadMode::Replace, first_night(pipeline))] {
            load(&database, mode, &night).unwrap();
        }
        let rows = database.client().query_one("select count(*) from poimill.place where pipeline = $1", &[&pipeline]);
        assert_eq!(rows.unwrap().get::<_, i64>(0), 6);
    }
    let names = database.texts("select relname::text from pg_class where relname ~ '^place_[12]_' and relkind = 'r'");
    assert_eq!(names.len(), 5);
}

#[test]
fn an_undated_snapshot_has_no_dates_in_its_history() {
    let Some(database) = Database::create("an_undated_snapshot_has_no_dates_in_its_history") else { return };
    load(&database, LoadMode::Changes, &first_night("li")).unwrap();
    let mut second = second_night("li");
    second.undate();
    load(&database, LoadMode::Changes, &second).unwrap();
    assert_eq!(history(&database)[..2], ["1 Place 1 01 20260701", "1 New name open 20260702"]);
}

#[test]
fn tables_and_comments_follow_the_tables_of_a_snapshot() {
    let Some(database) = Database::create("tables_and_comments_follow_the_tables_of_a_snapshot") else { return };
    load(&database, LoadMode::Changes, &first_night("li")).unwrap();
    for (relation, table) in [("poimill.place", &PLACES), ("poimill.place_source", &SOURCES)] {
        let said = database.texts(&format!(
            "select attname || ': ' || col_description(attrelid, attnum) from pg_attribute
             where attrelid = '{relation}'::regclass and attnum > 0 order by attnum"
        ));
        let kept = table.columns.iter().filter(|column| column.name != "bbox");
        let expected = kept.map(|column| format!("{}: {}", column.name, column.doc));
        assert_eq!(
            said,
            ["pipeline: Name of the pipeline.".to_owned()].into_iter().chain(expected).collect::<Vec<_>>()
        );
        assert_eq!(database.texts(&format!("select obj_description('{relation}'::regclass)")), [&*table.doc]);
    }
    let silent = "select c.relname || '.' || coalesce(a.attname, '') from pg_class as c
                  left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                  where c.relnamespace = 'poimill'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                      and c.relname <> 'schema_history'
                      and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)";
    assert_eq!(database.texts(silent), [""; 0]);
}

#[test]
fn a_database_that_cannot_be_used_is_named_with_what_to_do() {
    let Some(bare) = Database::without_postgis("a_database_that_cannot_be_used_is_named_with_what_to_do") else {
        return;
    };
    let nowhere = with_setting(&bare.url, "dbname=poimill_test_nowhere");
    let cases = [
        (bare.url.clone(), "has no PostGIS; have an administrator run `create extension postgis` in it"),
        (nowhere, "database `poimill_test_nowhere` on "),
        (
            "host=/nonexistent user=ann password=s3cret dbname=x".to_owned(),
            "database `x` on /nonexistent cannot be reached",
        ),
        ("postgresql://ann:s3cret@127.0.0.1:1/x".to_owned(), "database `x` on 127.0.0.1:1 cannot be reached"),
        ("postgresql://ann:s3cret@127.0.0.1:1/x?sslmode=require".to_owned(), "TLS, which is not supported yet"),
        ("s3cret".to_owned(), "the database URL cannot be read"),
    ];
    for (url, expected) in cases {
        let error = PostGis::new(url, LoadMode::Changes).contact().unwrap_err();
        let text = chain(&error);
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(error.exit_code(), 5);
    }
}
