//! Loads among readers, other loads, and connections that end.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use poimill::adapters::postgis::LoadMode;
use poimill::pipeline::ports::Loaded;

use super::{SECOND_NIGHTS_HISTORY, assert_stands_at, chain, feed, first_night, history, load, second_night};
use crate::support::database::Database;
use crate::support::snapshot::{MemorySnapshot, Row, place};

#[test]
fn readers_see_whole_states_during_swaps() {
    let Some(database) = Database::create("readers_see_whole_states_during_swaps") else { return };
    let night = |day: u32| {
        let places: Vec<Row> = (1..=200).map(|n| place(n, &format!("Day {day}"))).collect();
        MemorySnapshot::new("li", day, None, &places, &[])
    };
    load(&database, LoadMode::Replace, &night(1)).unwrap();

    // One who began before the swap and reads after it.
    let mut early = database.client();
    early.batch_execute("begin isolation level repeatable read; select count(*) from poimill.run").unwrap();
    // One who holds the table while the swap is tried.
    let mut holder = database.client();
    holder.batch_execute("begin; select count(*) from poimill.place").unwrap();
    let mut reader = database.client();
    let count = "select count(*), count(distinct name), min(name) from poimill.place where pipeline = 'li'";
    let statement = reader.prepare(count).unwrap();
    let (mut longest, mut seen) = (Duration::ZERO, BTreeSet::new());
    thread::scope(|scope| {
        let loader = scope.spawn(|| {
            for day in 2..=6 {
                let mode = if day % 2 == 0 { LoadMode::Replace } else { LoadMode::Changes };
                load(&database, mode, &night(day)).unwrap();
            }
        });
        let mut held = Some(Instant::now());
        while !loader.is_finished() {
            let started = Instant::now();
            let row = reader.query_one(&statement, &[]).unwrap();
            longest = longest.max(started.elapsed());
            assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (200, 1));
            seen.insert(row.get::<_, String>(2));
            if held.is_some_and(|since| since.elapsed() > Duration::from_millis(700)) {
                assert_eq!(seen, BTreeSet::from(["Day 1".to_owned()]));
                holder.batch_execute("commit").unwrap();
                held = None;
            }
        }
    });
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert!(seen.len() > 1, "{seen:?}");
    // Rows changed by a later merge are invisible to it; those swapped in are not.
    load(&database, LoadMode::Replace, &night(7)).unwrap();
    assert_eq!(early.query_one("select count(*) from poimill.place", &[]).unwrap().get::<_, i64>(0), 200);
}

#[test]
fn a_load_that_loses_its_connection_leaves_the_previous_state() {
    let Some(database) = Database::create("a_load_that_loses_its_connection_leaves_the_previous_state") else { return };
    let first = first_night("li");
    load(&database, LoadMode::Changes, &first).unwrap();
    for (mode, table) in [
        (LoadMode::Changes, "sources"),
        (LoadMode::Changes, "changes/places"),
        (LoadMode::Replace, "places"),
        (LoadMode::Replace, "sources"),
        (LoadMode::Replace, "changes/places"),
    ] {
        let mut second = second_night("li");
        let url = database.url.clone();
        second.before_batch = Some((
            table,
            Box::new(move || {
                let mut killer = postgres::Client::connect(&url, postgres::NoTls).unwrap();
                let query = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                             where application_name = 'poimill' and datname = current_database()";
                assert_eq!(killer.query_one(query, &[]).unwrap().get::<_, i64>(0), 1);
            }),
        ));
        let error = load(&database, mode, &second).unwrap_err();
        assert_eq!(error.exit_code(), 5, "{}", chain(&error));
        assert_stands_at(&database, &first);
        assert_eq!(feed(&database), ["loaded {}"]);
    }
    // The next load completes, whatever was left behind.
    let second = second_night("li");
    assert_eq!(load(&database, LoadMode::Replace, &second).unwrap(), Loaded::Replaced { rows: 7 });
    assert_stands_at(&database, &second);
    assert_eq!(history(&database), SECOND_NIGHTS_HISTORY);
}

#[test]
fn runs_that_start_at_once_migrate_once_and_load_side_by_side() {
    let Some(database) = Database::create("runs_that_start_at_once_migrate_once_and_load_side_by_side") else { return };
    thread::scope(|scope| {
        for pipeline in ["a", "a", "b", "c"] {
            let database = &database;
            scope.spawn(move || {
                for mode in [LoadMode::Replace, LoadMode::Changes, LoadMode::Replace] {
                    load(database, mode, &first_night(pipeline)).unwrap();
                    load(database, mode, &second_night(pipeline)).unwrap();
                }
            });
        }
    });
    assert_eq!(database.number("select count(*) from poimill.schema_history"), 1);
    for pipeline in ["a", "b", "c"] {
        assert!(
            [6, 7].contains(
                &database.number(&format!("select count(*) from poimill.place where pipeline = '{pipeline}'"))
            )
        );
    }
}

#[test]
fn numbers_of_the_feed_grow_in_the_order_of_commits() {
    let Some(database) = Database::create("numbers_of_the_feed_grow_in_the_order_of_commits") else { return };
    load(&database, LoadMode::Changes, &first_night("li")).unwrap();
    // Another load has its number and has not committed yet.
    let mut slow = database.client();
    let begin = concat!("begin; ", include_str!("../../../sql/load/lock_feed.sql"));
    slow.batch_execute(begin).unwrap();
    slow.batch_execute("insert into poimill.change (seq, pipeline, snapshot, class) values (nextval('poimill.change_seq'), 'slow', 'x', 'loaded')")
        .unwrap();
    thread::scope(|scope| {
        let loader = scope.spawn(|| load(&database, LoadMode::Changes, &second_night("li")).unwrap());
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                       and database = (select oid from pg_database where datname = current_database())";
        let started = Instant::now();
        while database.number(waiting) == 0 {
            assert!(started.elapsed() < Duration::from_secs(30), "the load never waited for the feed");
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(database.number("select max(seq) from poimill.change"), 1);
        slow.batch_execute("commit").unwrap();
        assert_eq!(loader.join().unwrap(), Loaded::Changed { rows: 8 });
    });
    let order = database.texts("select pipeline from poimill.change order by seq limit 3");
    assert_eq!(order, ["li", "slow", "li"]);
}
