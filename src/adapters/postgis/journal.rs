//! Journal: what a load is about to do (the delta), and what remains of it: history, ledger and feed.

use postgres::Transaction;
use postgres::types::ToSql;

use super::PostGisError;
use super::copy::copy_table;
use super::error::Doing;
use super::names::{differences, fill, kept_columns, list, literal, old_values};
use super::sink::Load;
use crate::pipeline::RunError;
use crate::pipeline::tabulate::Column;
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES};

/// The two sides of a comparison: tables of places, and of their records.
pub(super) struct Sides<'a> {
    /// Names of what is there: places, records.
    pub(super) old: [&'a str; 2],
    /// Names of what the snapshot has: places, records.
    pub(super) new: [&'a str; 2],
}

/// Fills `delta` with what the load will do: from the snapshot's change set where it leads here, else by comparing in
/// full. `like` names a table with the columns of `place`. Returns the number of rows.
pub(super) fn fill_delta(
    transaction: &mut Transaction<'_>,
    load: &Load<'_>,
    by_change_set: bool,
    sides: &Sides<'_>,
) -> Result<u64, RunError> {
    let create = fill(include_str!("../../../sql/load/create_delta.sql"), &[("like", sides.old[0])]);
    transaction.batch_execute(&create).doing("preparing the changes")?;
    if by_change_set {
        let columns = kept_columns(&PLACE_CHANGES);
        let from = (&*PLACE_CHANGES.name, columns.as_slice());
        copy_table(transaction, load.snapshot, from, ("pg_temp.delta", None, false), load.observer)?;
    } else {
        compare(transaction, load, sides)?;
    }
    transaction.batch_execute("analyze pg_temp.delta").doing("preparing the changes")?;
    let rows: i64 =
        transaction.query_one("select count(*) from pg_temp.delta", &[]).doing("preparing the changes")?.get(0);
    Ok(rows as u64)
}

/// Works out inside the database what differs.
fn compare(transaction: &mut Transaction<'_>, load: &Load<'_>, sides: &Sides<'_>) -> Result<(), PostGisError> {
    const DOING: &str = "comparing the snapshot with the database";
    let (old, new) = (sides.old, sides.new);
    let columns = kept_columns(&PLACES);
    let but_id: Vec<&Column> = columns.iter().copied().filter(|column| column.name != "id").collect();
    let but_hashes: Vec<&Column> =
        but_id.iter().copied().filter(|column| !matches!(&*column.name, "content_hash" | "row_hash")).collect();
    let sources = fill(
        include_str!("../../../sql/load/compare_sources.sql"),
        &[("old_source", old[1]), ("new_source", new[1]), ("pipeline", &literal(load.pipeline()))],
    );
    transaction.batch_execute(&sources).doing(DOING)?;
    let places = fill(
        include_str!("../../../sql/load/compare_places.sql"),
        &[
            ("columns", &list(columns, "")),
            ("new_columns_but_id", &list(but_id.iter().copied(), "n.")),
            ("differences", &differences(&but_hashes)),
            ("old_values", &old_values(&but_id)),
            ("old", old[0]),
            ("new", new[0]),
        ],
    );
    transaction.execute(&places, &[&load.pipeline()]).doing(DOING)?;
    Ok(())
}

/// Ends and begins the versions of the places in `delta`. `old` is the table that still shows them as they were.
pub(super) fn write_history(transaction: &mut Transaction<'_>, load: &Load<'_>, old: &str) -> Result<(), PostGisError> {
    const DOING: &str = "writing the history";
    let columns = kept_columns(&PLACES);
    let (names, old_names) = (list(columns.iter().copied(), ""), list(columns, "o."));
    let filled = |sql| fill(sql, &[("columns", &names), ("old_columns", &old_names), ("old", old)]);
    let (pipeline, vintage) = (load.pipeline(), load.vintage());
    let ends: &[&(dyn ToSql + Sync)] = &[&pipeline, &vintage];
    transaction.execute(&filled(include_str!("../../../sql/load/history_of_first_load.sql")), ends).doing(DOING)?;
    transaction.execute(&filled(include_str!("../../../sql/load/history_ends.sql")), ends).doing(DOING)?;
    let begins = filled(include_str!("../../../sql/load/history_begins.sql"));
    transaction.execute(&begins, &[&pipeline, &vintage, &load.id()]).doing(DOING)?;
    Ok(())
}

/// Enters the load in the ledger.
pub(super) fn record_run(
    transaction: &mut Transaction<'_>,
    load: &Load<'_>,
    mode: &str,
    changes: u64,
) -> Result<(), PostGisError> {
    let (places, changes) = (load.rows(&PLACES.name) as i64, changes as i64);
    let values: &[&(dyn ToSql + Sync)] =
        &[&load.pipeline(), &load.id(), &load.base, &load.vintage(), &mode, &places, &changes];
    transaction.execute(include_str!("../../../sql/load/record_run.sql"), values).doing("writing the ledger")?;
    Ok(())
}

/// Writes the feed, under its lock, which is held until commit: nothing with a smaller number can appear later.
pub(super) fn announce(transaction: &mut Transaction<'_>, load: &Load<'_>) -> Result<(), PostGisError> {
    const DOING: &str = "writing the feed of changes";
    transaction.execute(include_str!("../../../sql/load/lock_feed.sql"), &[]).doing(DOING)?;
    let announced = match &load.base {
        None => {
            let sql = include_str!("../../../sql/load/announce_first_load.sql");
            transaction.execute(sql, &[&load.pipeline(), &load.id()])
        }
        Some(base) => {
            let sql = include_str!("../../../sql/load/announce_changes.sql");
            transaction.execute(sql, &[&load.pipeline(), &load.id(), base])
        }
    };
    if announced.doing(DOING)? > 0 {
        transaction.execute("select pg_notify('poimill_change', left($1, 1000))", &[&load.pipeline()]).doing(DOING)?;
    }
    Ok(())
}
