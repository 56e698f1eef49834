//! Join: which rows are new, gone or different, from keys and hashes alone.

use std::iter::Peekable;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use super::super::super::RunError;
use super::super::super::layers::RowKey;
use super::super::super::ports::Tables;
use super::sort::Sort;
use super::{LayerStates, Pair, Room};
use crate::domain::GeometryKind;

/// Columns that say which row it is and whether it is the same.
const COLUMNS: [&str; 5] = ["osm_type", "osm_id", "kind", "content_hash", "row_hash"];

/// Bytes of a hash.
const HASH_BYTES: usize = 16;

/// Two hashes and the row's place in its table.
const VALUE_BYTES: usize = 2 * HASH_BYTES + 8;

/// Pairs of rows, in the order in which their changes are told.
pub(super) type Rows = Box<dyn Iterator<Item = Result<Pair, RunError>>>;

/// Rows that may be different.
pub(super) struct Joined {
    /// Rows of the new table that the old one lacks or has otherwise, in the order of the new one.
    pub(super) present: Rows,
    /// Rows of the old table that the new one lacks, in its order.
    pub(super) removed: Rows,
}

/// A row's key, hashes and place.
type Known = Result<(RowKey, [u8; VALUE_BYTES]), RunError>;

/// Joins both states by key.
pub(super) fn join(states: &LayerStates<'_>, room: Room<'_>) -> Result<Joined, RunError> {
    // Four sorts hold rows at one time.
    let room = Room { memory_bytes: room.memory_bytes / 4, ..room };
    let keys = |tables| Ok::<_, RunError>(keys(tables, states.table, room)?.peekable());
    let (mut old, mut new) = (keys(states.old)?, keys(states.new)?);
    let (mut present, mut removed) = (Sort::<8>::new(room), Sort::<0>::new(room));
    while let Some((old, new)) = next_key(&mut old, &mut new)? {
        match (old, new) {
            (Some(old), None) => removed.push(by_row(row_of(&old)), [])?,
            (Some(old), Some(new)) if states.same_columns && hashes(&old) == hashes(&new) => {}
            (old, Some(new)) => {
                let old = old.map_or(u64::MAX, |old| row_of(&old));
                present.push(by_row(row_of(&new)), old.to_le_bytes())?;
            }
            (None, None) => {}
        }
    }
    let present = present.finish()?.map(|found| {
        let (key, old) = found?;
        Ok((Some(u64::from_le_bytes(old)).filter(|row| *row != u64::MAX), Some(key.hilbert)))
    });
    let removed = removed.finish()?.map(|found| Ok((Some(found?.0.hilbert), None)));
    Ok(Joined { present: Box::new(present), removed: Box::new(removed) })
}

/// The values of the smallest key that is left, of each side that has it.
#[expect(clippy::type_complexity, reason = "the old and the new row, where there are any")]
fn next_key(
    old: &mut Peekable<impl Iterator<Item = Known>>,
    new: &mut Peekable<impl Iterator<Item = Known>>,
) -> Result<Option<(Option<[u8; VALUE_BYTES]>, Option<[u8; VALUE_BYTES]>)>, RunError> {
    let key = |side: Option<&Known>| side.and_then(|known| known.as_ref().ok()).map(|(key, _)| *key);
    let (old_key, new_key) = (key(old.peek()), key(new.peek()));
    // An error has no key; it is met by taking it.
    let take_old =
        matches!(old.peek(), Some(Err(_))) || old_key.is_some() && new_key.is_none_or(|new| old_key <= Some(new));
    let take_new =
        matches!(new.peek(), Some(Err(_))) || new_key.is_some() && old_key.is_none_or(|old| new_key <= Some(old));
    let take = |side: &mut dyn Iterator<Item = Known>, wanted: bool| {
        if wanted { side.next().transpose().map(|known| known.map(|(_, value)| value)) } else { Ok(None) }
    };
    let found = (take(old, take_old)?, take(new, take_new)?);
    Ok((found.0.is_some() || found.1.is_some()).then_some(found))
}

fn hashes(value: &[u8; VALUE_BYTES]) -> &[u8] {
    &value[..2 * HASH_BYTES]
}

fn row_of(value: &[u8; VALUE_BYTES]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|at| value[2 * HASH_BYTES + at]))
}

/// A key that sorts by a row's place in its table.
fn by_row(row: u64) -> RowKey {
    RowKey { hilbert: row, osm_type: 0, id: 0, kind: 0 }
}

/// Key, hashes and place of every row, by key. A table that is not there has none.
fn keys(tables: &dyn Tables, table: &str, room: Room<'_>) -> Result<impl Iterator<Item = Known> + use<>, RunError> {
    let mut sort = Sort::new(room);
    let mut place: u64 = 0;
    let mut read = |batch: RecordBatch| {
        let (types, kinds) = (batch.column(0).as_string::<i32>(), batch.column(2).as_string::<i32>());
        let ids = batch.column(1).as_primitive::<Int64Type>();
        let (content, row) = (batch.column(3).as_fixed_size_binary(), batch.column(4).as_fixed_size_binary());
        for at in 0..batch.num_rows() {
            let key = key(types.value(at), ids.value(at), kinds.value(at))?;
            let mut value = [0; VALUE_BYTES];
            value[..HASH_BYTES].copy_from_slice(content.value(at));
            value[HASH_BYTES..2 * HASH_BYTES].copy_from_slice(row.value(at));
            value[2 * HASH_BYTES..].copy_from_slice(&place.to_le_bytes());
            sort.push(key, value)?;
            place += 1;
        }
        Ok(())
    };
    if tables.has(table) {
        tables.read(table, &COLUMNS, &mut read)?;
    }
    sort.finish()
}

/// The key of a row, in the order of the object alone.
pub(in crate::pipeline) fn key(osm_type: &str, id: i64, kind: &str) -> Result<RowKey, RunError> {
    let types = ["node", "way", "relation"];
    let known = types.iter().position(|known| *known == osm_type).zip(GeometryKind::from_name(kind));
    let (osm_type, kind) = known.ok_or_else(|| {
        RunError::failed(format!("a layer has a row of {osm_type}/{id} as `{kind}`, which is no kind"))
    })?;
    Ok(RowKey { hilbert: 0, osm_type: osm_type as u8, id, kind: kind as u8 })
}
