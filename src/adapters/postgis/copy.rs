//! Copy: a table of a snapshot into a table of the database, as one binary `COPY`.

use postgres::Transaction;

use super::PostGisError;
use super::encoder::Encoder;
use super::names::list;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Observer, Snapshot};
use crate::pipeline::tabulate::Column;

/// Copies the named columns of a snapshot's table into columns of the same names.
///
/// `pipeline` is the first column where the target has one. `frozen` rows are visible to every transaction: the target
/// must have been emptied in this one.
pub(super) fn copy_table(
    transaction: &mut Transaction<'_>,
    snapshot: &dyn Snapshot,
    (table, columns): (&str, &[&Column]),
    (target, pipeline, frozen): (&str, Option<&str>, bool),
    observer: &dyn Observer,
) -> Result<(), RunError> {
    let refused = |source| RunError::from(PostGisError::Copy { table: target.to_owned(), source });
    let names = list(columns.iter().copied(), "");
    let statement = format!(
        "copy {target} ({}{names}) from stdin (format binary{})",
        if pipeline.is_some() { "pipeline, " } else { "" },
        if frozen { ", freeze" } else { "" },
    );
    let writer = transaction.copy_in(&statement).map_err(|error| refused(error.into()))?;
    let mut encoder = Encoder::new(writer, columns.to_vec(), pipeline.map(str::to_owned));
    let wanted: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    snapshot.read(table, &wanted, &mut |batch| {
        encoder.write(&batch).map_err(refused)?;
        observer.advance(batch.num_rows() as u64);
        Ok(())
    })?;
    let (writer, replaced) = encoder.finish().map_err(refused)?;
    writer.finish().map_err(|error| refused(error.into()))?;
    if replaced > 0 {
        observer
            .note(&format!("{replaced} characters of `{table}` that PostgreSQL cannot hold were replaced by U+FFFD"));
    }
    Ok(())
}
