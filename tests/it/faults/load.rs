//! Loads: a run is killed at every message to the database. Readers see the old rows or the new ones, and the next run ends
//! where an undisturbed one does.

use std::process::Command;

use rayon::prelude::*;

use super::shim::{How, calls_of, faulty, shim, watched};
use crate::support::database::Database;
use crate::support::demo::{Demo, Told};

/// As many messages are disturbed, evenly; the last ones, with the commit, all are.
const SOME: usize = 8;
const LAST: usize = 4;

/// In turn.
const HOWS: [How; 3] = [How::After, How::Half, How::Kill];

/// The first messages, in which the schema is made; of them every third is disturbed, less than lie between two commits.
const SCHEMA: usize = 30;

/// What readers see, and which snapshot the ledger says it is.
fn seen(database: &Database) -> String {
    let there = database.number("select count(*) from pg_tables where schemaname = 'poimill' and tablename = 'run'");
    if there == 0 {
        return String::new();
    }
    let rows = "select coalesce((select snapshot from poimill.run order by id desc limit 1), '') || ' '
        || coalesce((select md5(string_agg(row::text, E'\\n' order by row.id)) from poimill.place row), '')";
    database.texts(rows).concat().trim().to_owned()
}

fn loading(demo: &Demo, database: &Database, night: u8) -> Command {
    let mut run = demo.night(night);
    run.args(["--database", &database.url]);
    run
}

fn loaded(demo: &Demo, database: &Database, night: u8) {
    let told = Told::from(loading(demo, database, night).output().expect("poimill starts"));
    assert_eq!(told.code, 0, "{told:?}");
}

#[test]
fn a_load_killed_at_any_message_is_repaired_by_the_next_run() {
    let test = "a_load_killed_at_any_message_is_repaired_by_the_next_run";
    let Some(shim) = shim(test) else { return };
    // The first night replaces all, the second loads changes.
    for night in [1, 2] {
        let begins = |demo: &Demo| -> Option<(Database, String)> {
            let database = Database::create(test)?;
            (1..night).for_each(|night| loaded(demo, &database, night));
            let before = seen(&database);
            Some((database, before))
        };
        let ends = Demo::new();
        let Some((database, before)) = begins(&ends) else { return };
        let mut run = watched(loading(&ends, &database, night), shim, &ends.store());
        run.env("FAULT_SENDS", "1");
        let calls = calls_of(run, &ends.path("calls"), &ends.store());
        let after = seen(&database);
        assert!(before != after && calls.len() > SOME, "{calls:?}");

        let disturbed = |number: usize| match number {
            _ if number > calls.len() - LAST => Some(HOWS[number % HOWS.len()]),
            ..=SCHEMA if night == 1 && number.is_multiple_of(3) => Some(How::After),
            _ => number.is_multiple_of(calls.len() / SOME).then_some(HOWS[number % HOWS.len()]),
        };
        calls.par_iter().filter_map(|call| Some((call, disturbed(call.number)?))).for_each(|(call, how)| {
            let demo = Demo::new();
            let (database, found) = begins(&demo).expect("the server is still there");
            assert_eq!(found, before);
            let mut run = watched(loading(&demo, &database, night), shim, &demo.store());
            run.env("FAULT_SENDS", "1");
            let told = Told::from(faulty(run, call.number, how, false).output().expect("poimill starts"));
            assert_eq!(told.code, -1, "{how:?} at {call:?}: {told:?}");
            let left = seen(&database);
            assert!(left.is_empty() || [&before, &after].contains(&&left), "{how:?} at {call:?}: {left}");
            loaded(&demo, &database, night);
            assert_eq!(seen(&database), after, "{how:?} at {call:?}");
            assert_eq!(demo.reproducible(), ends.reproducible());
        });
    }
}
