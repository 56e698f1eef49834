//! Migrate: brings schema `poimill` up to date. Safe when several runs start at once.

use postgres::Client;
use refinery::{Migration, Runner};

use super::PostGisError;
use super::error::Doing;
use super::names::{kept_columns, literal};
use crate::pipeline::ports::Observer;
use crate::pipeline::tabulate::Table;
use crate::pipeline::tabulate::tables::{PLACES, SOURCES};

/// Every migration, oldest first. Released ones never change.
const MIGRATIONS: &[(&str, &str)] = &[("V1__places", include_str!("../../../sql/migrations/V1__places.sql"))];

/// What tables of the database keep of tables of a snapshot.
const KEPT: [(&str, &Table); 3] =
    [("poimill.place", &PLACES), ("poimill.place_source", &SOURCES), ("poimill.place_history", &PLACES)];

/// Creates or upgrades the schema, its comments and its reader role, under a lock.
pub(super) fn migrate(client: &mut Client, target: &str, observer: &dyn Observer) -> Result<(), PostGisError> {
    const DOING: &str = "bringing schema `poimill` up to date";
    client.execute("select pg_advisory_lock(hashtextextended('poimill migrations', 0))", &[]).doing(DOING)?;
    // One who may use the schema but not create it needs no more than that.
    if client.query_one("select to_regnamespace('poimill') is null", &[]).doing(DOING)?.get(0) {
        client.batch_execute("create schema poimill").doing(DOING)?;
    }
    let migration = |source| PostGisError::Migration { target: target.to_owned(), source: Box::new(source) };
    let migrations: Vec<Migration> = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<_, _>>()
        .map_err(migration)?;
    // One transaction: a migration whose note in the history is missing would be made again, and fail for ever.
    let mut runner = Runner::new(&migrations).set_grouped(true);
    runner.set_migration_table_name("poimill.schema_history");
    client.batch_execute("set client_min_messages = warning").doing(DOING)?;
    runner.run(client).map_err(migration)?;
    comment(client)?;
    grant_to_reader(client, observer)?;
    client.execute("select pg_advisory_unlock(hashtextextended('poimill migrations', 0))", &[]).doing(DOING)?;
    Ok(())
}

/// Says of tables and columns what the tables of a snapshot say. What is said already is left alone, so that no lock is taken.
fn comment(client: &mut Client) -> Result<(), PostGisError> {
    const DOING: &str = "commenting on tables";
    for (name, table) in KEPT {
        let said = client.query(include_str!("../../../sql/queries/comments.sql"), &[&name]).doing(DOING)?;
        let is_said = |column: Option<&str>, text: &str| {
            said.iter().any(|row| row.get::<_, Option<&str>>(0) == column && row.get::<_, &str>(1) == text)
        };
        let of_table = (name != "poimill.place_history").then_some((None, &*table.doc));
        let pipeline = Some((Some("pipeline"), "Name of the pipeline."));
        let of_columns = kept_columns(table).into_iter().map(|column| (Some(&*column.name), &*column.doc));
        for (column, text) in of_table.into_iter().chain(pipeline).chain(of_columns) {
            if !is_said(column, text) {
                let object = column.map_or(format!("table {name}"), |column| format!("column {name}.{column}"));
                client.batch_execute(&format!("comment on {object} is {}", literal(text))).doing(DOING)?;
            }
        }
    }
    Ok(())
}

/// Lets `poimill_reader` read, creating it where the user may; a note says when not.
fn grant_to_reader(client: &mut Client, observer: &dyn Observer) -> Result<(), PostGisError> {
    let query = include_str!("../../../sql/queries/reader_can_read.sql");
    if client.query_one(query, &[]).doing("looking for the reader role")?.get(0) {
        return Ok(());
    }
    match client.batch_execute(include_str!("../../../sql/load/reader_role.sql")) {
        Err(error) if error.code() == Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE) => {
            observer.note("role poimill_reader cannot be created or granted by this user; an administrator can, with sql/load/reader_role.sql");
            Ok(())
        }
        result => result.doing("granting to the reader role"),
    }
}
