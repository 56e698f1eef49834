//! Mode `changes`: only what is different is written, in one transaction.

use postgres::{Client, Transaction};

use super::PostGisError;
use super::copy::copy_table;
use super::error::Doing;
use super::journal::{Sides, announce, fill_delta, record_run, write_history};
use super::names::{fill, kept_columns, list};
use super::sink::Load;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Loaded, Unit};
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES, SOURCES};

const SIDES: Sides<'_> =
    Sides { old: ["poimill.place", "poimill.place_source"], new: ["pg_temp.new_place", "pg_temp.new_place_source"] };

/// Brings a pipeline that is there to the snapshot: by its change set where that leads here, else by comparing in full.
pub(super) fn load(client: &mut Client, load: &Load<'_>) -> Result<Loaded, RunError> {
    if load.has_change_set() {
        if let Ok(rows) = merge(client, load, true)? {
            return Ok(Loaded::Changed { rows });
        }
        load.observer
            .note("the database's places are not those of the snapshot it claims to stand at; comparing in full");
    }
    merge(client, load, false)?.map(|rows| Loaded::Changed { rows }).map_err(RunError::from)
}

/// Merges the delta. The inner error says that the result is not the snapshot; nothing is kept then.
fn merge(client: &mut Client, load: &Load<'_>, by_change_set: bool) -> Result<Result<u64, PostGisError>, RunError> {
    let compared = if by_change_set { &PLACE_CHANGES } else { &PLACES };
    load.observer.stage("load postgis", Unit::Rows, Some(load.rows(&SOURCES.name) + load.rows(&compared.name)));
    let mut transaction = client.transaction().doing("beginning a transaction")?;
    transaction.batch_execute(include_str!("../../../sql/load/create_staging.sql")).doing("preparing the changes")?;

    let columns = kept_columns(&SOURCES);
    let (from, to) = ((&*SOURCES.name, columns.as_slice()), (SIDES.new[1], None, false));
    copy_table(&mut transaction, load.snapshot, from, to, load.observer)?;
    if !by_change_set {
        let columns = kept_columns(&PLACES);
        let (from, to) = ((&*PLACES.name, columns.as_slice()), (SIDES.new[0], None, false));
        copy_table(&mut transaction, load.snapshot, from, to, load.observer)?;
    }
    transaction.batch_execute("analyze pg_temp.new_place, pg_temp.new_place_source").doing("preparing the changes")?;

    let changes = fill_delta(&mut transaction, load, by_change_set, &SIDES)?;
    write_history(&mut transaction, load, SIDES.old[0])?;
    merge_places(&mut transaction, load)?;
    merge_sources(&mut transaction, load)?;

    let (found, expected) = (count_places(&mut transaction, load)?, load.rows(&PLACES.name));
    if found != expected {
        return Ok(Err(PostGisError::Miscounted { pipeline: load.pipeline().to_owned(), found, expected }));
    }
    record_run(&mut transaction, load, if by_change_set { "changes" } else { "compare" }, changes)?;
    announce(&mut transaction, load)?;
    transaction.commit().doing("committing")?;
    Ok(Ok(changes))
}

fn merge_places(transaction: &mut Transaction<'_>, load: &Load<'_>) -> Result<(), PostGisError> {
    const DOING: &str = "merging the places";
    let columns = kept_columns(&PLACES);
    let (names, excluded) = (list(columns.iter().copied(), ""), list(columns, "excluded."));
    transaction.execute(include_str!("../../../sql/load/delete_places.sql"), &[&load.pipeline()]).doing(DOING)?;
    let upsert = fill(
        include_str!("../../../sql/load/upsert_places.sql"),
        &[("columns", &names), ("excluded_columns", &excluded)],
    );
    transaction.execute(&upsert, &[&load.pipeline()]).doing(DOING)?;
    Ok(())
}

fn merge_sources(transaction: &mut Transaction<'_>, load: &Load<'_>) -> Result<(), PostGisError> {
    const DOING: &str = "merging the records";
    let names = |prefix| list(kept_columns(&SOURCES), prefix);
    transaction.execute(include_str!("../../../sql/load/delete_sources.sql"), &[&load.pipeline()]).doing(DOING)?;
    let upsert = fill(
        include_str!("../../../sql/load/upsert_sources.sql"),
        &[
            ("columns", &names("")),
            ("new_columns", &names("n.")),
            ("old_columns", &names("o.")),
            ("excluded_columns", &names("excluded.")),
        ],
    );
    transaction.execute(&upsert, &[&load.pipeline()]).doing(DOING)?;
    Ok(())
}

fn count_places(transaction: &mut Transaction<'_>, load: &Load<'_>) -> Result<u64, PostGisError> {
    let query = include_str!("../../../sql/queries/count_places.sql");
    let count: i64 = transaction.query_one(query, &[&load.pipeline()]).doing("counting the places")?.get(0);
    Ok(count as u64)
}
