//! Sort: values of a fixed size by the key of a row, in memory as long as they fit.

use super::super::super::RunError;
use super::super::super::layers::{LayerRows, RowKey, Sorter};
use super::Room;

/// Values handed to the sorter at once.
const BATCH_ROWS: usize = 4096;

/// Values that wait to be sorted.
pub(super) struct Sort<'a, const N: usize> {
    room: Room<'a>,
    waiting: LayerRows,
    sorter: Sorter,
}

impl<'a, const N: usize> Sort<'a, N> {
    pub(super) fn new(room: Room<'a>) -> Self {
        Self { room, waiting: LayerRows::default(), sorter: Sorter::default() }
    }

    pub(super) fn push(&mut self, key: RowKey, value: [u8; N]) -> Result<(), RunError> {
        self.waiting.push_payload(key, &value);
        if self.waiting.len() < BATCH_ROWS {
            return Ok(());
        }
        self.sorter.push(std::mem::take(&mut self.waiting));
        if self.sorter.held_bytes() as u64 >= self.room.memory_bytes {
            self.sorter.spill(self.room.scratch)?;
        }
        Ok(())
    }

    /// The values by key.
    pub(super) fn finish(
        mut self,
    ) -> Result<impl Iterator<Item = Result<(RowKey, [u8; N]), RunError>> + use<N>, RunError> {
        self.sorter.push(self.waiting);
        let chunks = self.sorter.finish(self.room.scratch)?;
        Ok(chunks.flat_map(|chunk| match chunk {
            Ok(rows) => rows.iter().map(|(key, value)| Ok((key, fixed(value)))).collect(),
            Err(error) => vec![Err(error)],
        }))
    }
}

fn fixed<const N: usize>(value: &[u8]) -> [u8; N] {
    value.try_into().expect("a value comes back as it was pushed")
}
