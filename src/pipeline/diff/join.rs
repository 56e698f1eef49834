//! Join: which places are new, gone or different, from ids and hashes alone.

use arrow_array::cast::AsArray;
use polars::prelude::{Column, DataFrame, DataFrameJoinOps, JoinArgs, JoinType};

use crate::domain::{Hash16, hex};
use crate::pipeline::RunError;
use crate::pipeline::ports::Tables;

/// Rows of the old and the new table, counted from 0.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    /// Rows of the new table whose id the old one lacks.
    pub(super) added: Vec<u64>,
    /// Rows of the old table whose id the new one lacks.
    pub(super) removed: Vec<u64>,
    /// Old and new row of ids whose row hash differs.
    pub(super) changed: Vec<(u64, u64)>,
}

impl Joined {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Joins a table of places of two snapshots by id.
pub(super) fn join(table: &str, old: &dyn Tables, new: &dyn Tables) -> Result<Joined, RunError> {
    let (old, new) = (keys(table, old, "old")?, keys(table, new, "new")?);
    let args = JoinArgs::new(JoinType::Full);
    let joined = old.join(&new, ["old_id"], ["new_id"], args, None).map_err(RunError::failed)?;
    let row =
        |name: &str| Ok::<_, RunError>(joined.column(name).and_then(|c| c.u64()).map_err(RunError::failed)?.iter());
    let hash =
        |name: &str| Ok::<_, RunError>(joined.column(name).and_then(|c| c.str()).map_err(RunError::failed)?.iter());
    let mut found = Joined::default();
    for ((old, new), (old_hash, new_hash)) in
        row("old_row")?.zip(row("new_row")?).zip(hash("old_hash")?.zip(hash("new_hash")?))
    {
        match (old, new) {
            (Some(old), Some(new)) if old_hash != new_hash => found.changed.push((old, new)),
            (Some(_), Some(_)) | (None, None) => {}
            (Some(old), None) => found.removed.push(old),
            (None, Some(new)) => found.added.push(new),
        }
    }
    // The join promises no order.
    found.added.sort_unstable();
    found.removed.sort_unstable();
    found.changed.sort_unstable();
    Ok(found)
}

/// Id, row hash and row number of every place; columns are named after `side`.
fn keys(table: &str, tables: &dyn Tables, side: &str) -> Result<DataFrame, RunError> {
    let (mut ids, mut hashes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    if tables.has(table) {
        tables.read(table, &["id", "row_hash"], &mut |batch| {
            let (id, hash) = (batch.column(0).as_string::<i32>(), batch.column(1).as_fixed_size_binary());
            ids.extend(id.iter().flatten().map(str::to_owned));
            hashes.extend(hash.iter().map(|hash| hash.map_or_else(String::new, hex)));
            Ok(())
        })?;
    }
    let rows: Vec<u64> = (0..ids.len() as u64).collect();
    debug_assert!(hashes.iter().all(|hash| hash.len() == 2 * size_of::<Hash16>()), "every place has a hash");
    let columns = vec![
        Column::new(format!("{side}_id").into(), ids),
        Column::new(format!("{side}_hash").into(), hashes),
        Column::new(format!("{side}_row").into(), rows),
    ];
    DataFrame::new_infer_height(columns).map_err(RunError::failed)
}
