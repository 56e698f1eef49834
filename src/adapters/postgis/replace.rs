//! Mode `replace`: new leaf tables are filled beside the old ones, then swapped in. A first load goes this way too.
//!
//! - The rows are frozen (`COPY … FREEZE` into a table emptied in the same transaction), because a REPEATABLE READ reader
//!   would see an unfrozen leaf empty after the swap.
//! - The swap locks the tables for as long as the catalogue change takes; while other sessions hold them it is given up
//!   after 100 ms and tried again, so that no reader queues behind it for longer.

use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::{Client, Transaction};

use super::PostGisError;
use super::copy::copy_table;
use super::error::Doing;
use super::journal::{Sides, announce, fill_delta, record_run, write_history};
use super::names::{fill, kept_columns, leaf_names, literal};
use super::sink::Load;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Loaded, Unit};
use crate::pipeline::tabulate::Table;
use crate::pipeline::tabulate::tables::{PLACES, SOURCES};

/// First pause between two tries to swap; the next ones double up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Longest pause between two tries to swap.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long to go on trying.
const PATIENCE: Duration = Duration::from_mins(2);

/// A partition of one pipeline, and the one that will take its place.
struct Leaf {
    table: &'static Table,
    parent: &'static str,
    old: Option<String>,
    new: String,
}

/// Fills new leaves and swaps them in.
pub(super) fn load(client: &mut Client, load: &Load<'_>) -> Result<Loaded, RunError> {
    let rows = load.rows(&PLACES.name);
    load.observer.stage("load postgis", Unit::Rows, Some(rows + load.rows(&SOURCES.name)));
    let leaves = [leaf(client, load, &PLACES, "poimill.place")?, leaf(client, load, &SOURCES, "poimill.place_source")?];
    fill_leaves(client, load, &leaves)?;
    publish(client, load, &leaves)?;
    Ok(Loaded::Replaced { rows })
}

/// The leaves of a table: the one attached now, and an empty one of the other name.
fn leaf(
    client: &mut Client,
    load: &Load<'_>,
    table: &'static Table,
    parent: &'static str,
) -> Result<Leaf, PostGisError> {
    const DOING: &str = "creating a partition";
    let (_, parent_name) = parent.rsplit_once('.').unwrap_or(("", parent));
    let names = leaf_names(parent_name, load.pipeline());
    let attached: Option<String> = client
        .query_opt(include_str!("../../../sql/queries/attached_leaf.sql"), &[&parent, &names.as_slice()])
        .doing(DOING)?
        .map(|row| row.get(0));
    let free = names.iter().find(|name| Some(*name) != attached.as_ref()).expect("two names, of which one is taken");
    let new = format!("poimill.{free}");
    // What a killed load left behind is not attached, so nobody reads it.
    client.batch_execute(&format!("drop table if exists {new}")).doing(DOING)?;
    let create = fill(
        include_str!("../../../sql/load/create_leaf.sql"),
        &[("leaf", &new), ("parent", parent), ("pipeline", &literal(load.pipeline()))],
    );
    client.batch_execute(&create).doing(DOING)?;
    Ok(Leaf { table, parent, old: attached.map(|name| format!("poimill.{name}")), new })
}

/// Fills the new leaves and builds what their parents have, in a transaction that holds no lock on the parents.
fn fill_leaves(client: &mut Client, load: &Load<'_>, leaves: &[Leaf; 2]) -> Result<(), RunError> {
    const DOING: &str = "filling a partition";
    let mut transaction = client.transaction().doing(DOING)?;
    for Leaf { table, parent, new, .. } in leaves {
        transaction.batch_execute(&format!("truncate {new}")).doing(DOING)?;
        let columns = kept_columns(table);
        let to = (new.as_str(), Some(load.pipeline()), true);
        copy_table(&mut transaction, load.snapshot, (&table.name, &columns), to, load.observer)?;
        let statements = transaction
            .query(include_str!("../../../sql/queries/index_statements.sql"), &[parent, new])
            .doing("building indexes")?;
        for statement in statements {
            transaction.batch_execute(statement.get(0)).doing("building indexes")?;
        }
        transaction.batch_execute(&format!("analyze {new}")).doing(DOING)?;
    }
    transaction.commit().doing(DOING)?;
    Ok(())
}

/// Writes history and ledger, then feed and swap, in one transaction. Until the swap it touches leaves of this pipeline
/// only, so that loads of different pipelines never wait for each other in a circle.
fn publish(client: &mut Client, load: &Load<'_>, leaves: &[Leaf; 2]) -> Result<(), RunError> {
    let mut transaction = client.transaction().doing("beginning a transaction")?;
    let mut changes = load.rows(&PLACES.name);
    if let (Some(_), [Leaf { old: Some(places), .. }, Leaf { old: Some(records), .. }]) = (&load.base, leaves) {
        let sides = Sides { old: [places, records], new: [&leaves[0].new, &leaves[1].new] };
        changes = fill_delta(&mut transaction, load, load.has_change_set(), &sides)?;
        write_history(&mut transaction, load, places)?;
    }
    let mode = if load.base.is_some() { "replace" } else { "first" };
    record_run(&mut transaction, load, mode, changes)?;

    let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let mut attempt = transaction.savepoint("swap").doing("swapping partitions")?;
        match swap(&mut attempt, load, leaves) {
            Ok(()) => {
                attempt.commit().doing("swapping partitions")?;
                break;
            }
            Err(PostGisError::Statement { source, .. }) if source.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                // Also gives up the feed's lock: a load of another pipeline may need it to let go of the tables.
                attempt.rollback().doing("swapping partitions")?;
                if started.elapsed() > PATIENCE {
                    return Err(PostGisError::Busy { waited_s: PATIENCE.as_secs(), source }.into());
                }
                sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
    transaction.commit().doing("committing")?;
    Ok(())
}

/// Writes the feed and swaps, unless a lock cannot be had quickly.
fn swap(transaction: &mut Transaction<'_>, load: &Load<'_>, leaves: &[Leaf; 2]) -> Result<(), PostGisError> {
    const DOING: &str = "swapping partitions";
    announce(transaction, load)?;
    transaction.batch_execute("set local lock_timeout = '100ms'").doing(DOING)?;
    // Attaching a first leaf disturbs nobody.
    if leaves.iter().any(|leaf| leaf.old.is_some()) {
        transaction.batch_execute(include_str!("../../../sql/load/lock_for_swap.sql")).doing(DOING)?;
    }
    for Leaf { parent, old, new, .. } in leaves {
        if let Some(old) = old {
            let detach = fill(include_str!("../../../sql/load/detach_leaf.sql"), &[("parent", parent), ("leaf", old)]);
            transaction.batch_execute(&detach).doing(DOING)?;
        }
        let pipeline = literal(load.pipeline());
        let values = [("parent", *parent), ("leaf", new.as_str()), ("pipeline", pipeline.as_str())];
        transaction.batch_execute(&fill(include_str!("../../../sql/load/attach_leaf.sql"), &values)).doing(DOING)?;
    }
    Ok(())
}
