//! Sort: the rows of a layer in the order of their keys, in memory as long as they fit, else through sorted runs in
//! scratch files that are merged.
//!
//! Payloads are not moved in memory: an index over the buffers that they came in is sorted, 32 bytes a row. Rows of
//! equal keys stay in the order in which they came, so that the budget decides on nothing but where rows wait.

use std::io::BufWriter;
use std::mem;
use std::sync::Arc;

use rayon::slice::ParallelSliceMut;

use super::merge::{Merge, merge_rounds, write_row};
use super::{LayerRows, RowKey};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Scratch, Spill};
use crate::pipeline::tabulate::group_rows;

/// Bytes of payloads after which a chunk ends early: columns take up to eight times as much, and count in 31 bits.
pub(super) const CHUNK_BYTES: usize = 32 << 20;

/// Buffers below this size are put together, so that a thousand small ones are not a thousand allocations.
const SMALL_BYTES: usize = 1 << 16;

/// Buffer before a scratch file.
pub(super) const FILE_BUFFER_BYTES: usize = 1 << 18;

/// Where a row lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    hilbert: u64,
    id: i64,
    buffer: u32,
    begin: u32,
    length: u32,
    osm_type: u8,
    kind: u8,
}

impl Entry {
    pub(super) fn new(key: RowKey, buffer: u32, begin: u32, length: u32) -> Self {
        Self { hilbert: key.hilbert, id: key.id, buffer, begin, length, osm_type: key.osm_type, kind: key.kind }
    }

    fn key(&self) -> RowKey {
        RowKey { hilbert: self.hilbert, osm_type: self.osm_type, id: self.id, kind: self.kind }
    }
}

/// Some rows of a layer in order.
#[derive(Debug)]
pub struct SortedRows {
    pub(super) buffers: Arc<Vec<Vec<u8>>>,
    pub(super) entries: Vec<Entry>,
}

impl SortedRows {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all payloads.
    pub(super) fn payload_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.length as usize).sum()
    }

    /// Keys and payloads.
    pub(in crate::pipeline) fn iter(&self) -> impl Iterator<Item = (RowKey, &[u8])> {
        self.entries.iter().map(|entry| {
            let payload = &self.buffers[entry.buffer as usize][entry.begin as usize..][..entry.length as usize];
            (entry.key(), payload)
        })
    }
}

/// Rows of one layer that wait to be sorted.
#[derive(Default)]
pub struct Sorter {
    buffers: Vec<Vec<u8>>,
    index: Vec<Entry>,
    bytes: usize,
    runs: Vec<Run>,
    rows: u64,
}

/// A sorted run in a scratch file.
pub(super) struct Run {
    pub(super) file: Box<dyn Spill>,
    pub(super) rows: u64,
}

impl Sorter {
    /// Takes rows.
    ///
    /// # Panics
    ///
    /// When more than 4 billion buffers wait.
    pub fn push(&mut self, rows: LayerRows) {
        let LayerRows { mut bytes, rows } = rows;
        self.rows += rows.len() as u64;
        self.bytes += bytes.len();
        let mut base = 0;
        match self.buffers.last_mut() {
            Some(last) if last.len() + bytes.len() <= SMALL_BYTES => {
                base = last.len() as u32;
                last.extend_from_slice(&bytes);
            }
            _ => {
                // Buffers grow by doubling; what they did not use is given back.
                bytes.shrink_to_fit();
                self.buffers.push(bytes);
            }
        }
        let buffer = u32::try_from(self.buffers.len() - 1).expect("buffers are counted in 32 bits");
        let mut begin = 0;
        self.index.extend(rows.into_iter().map(|(key, end)| {
            let entry = Entry::new(key, buffer, base + begin, end - begin);
            begin = end;
            entry
        }));
    }

    /// Rows taken.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Memory held.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.bytes + self.index.len() * mem::size_of::<Entry>()
    }

    /// Forgets every row.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes the rows in memory to a scratch file, in order.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn spill(&mut self, scratch: &dyn Scratch) -> Result<(), RunError> {
        let rows = self.take_sorted();
        let mut out = BufWriter::with_capacity(FILE_BUFFER_BYTES, scratch.create("sorted rows")?);
        let write = |out: &mut BufWriter<_>| rows.iter().try_for_each(|(key, payload)| write_row(out, key, payload));
        write(&mut out).map_err(RunError::failed)?;
        let file = out.into_inner().map_err(|error| RunError::failed(error.into_error()))?;
        self.runs.push(Run { file, rows: rows.len() as u64 });
        Ok(())
    }

    /// The rows in order.
    ///
    /// # Errors
    ///
    /// When a scratch file cannot be written or read.
    pub fn finish(mut self, scratch: &dyn Scratch) -> Result<Sorted, RunError> {
        let most = group_rows(usize::try_from(self.rows).unwrap_or(usize::MAX));
        if self.runs.is_empty() {
            return Ok(Sorted { rest: Rest::InMemory(self.take_sorted(), 0), most });
        }
        if !self.index.is_empty() {
            self.spill(scratch)?;
        }
        Ok(Sorted { rest: Rest::Merged(Merge::new(merge_rounds(self.runs, scratch)?)?), most })
    }

    fn take_sorted(&mut self) -> SortedRows {
        self.bytes = 0;
        let (mut entries, buffers) = (mem::take(&mut self.index), mem::take(&mut self.buffers));
        entries.par_sort_unstable_by_key(|entry| (entry.key(), entry.buffer, entry.begin));
        SortedRows { buffers: Arc::new(buffers), entries }
    }
}

/// The rows of a layer in order, in chunks of one row group.
pub struct Sorted {
    rest: Rest,
    /// Most rows of a chunk.
    most: usize,
}

enum Rest {
    /// All rows, and how many of them have been handed on.
    InMemory(SortedRows, usize),
    Merged(Merge),
}

impl Iterator for Sorted {
    type Item = Result<SortedRows, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rest {
            Rest::InMemory(rows, done) => {
                let rest = &rows.entries[*done..];
                let mut bytes = 0;
                let fits = rest.iter().take(self.most).take_while(|entry| {
                    let fits = bytes < CHUNK_BYTES;
                    bytes += entry.length as usize;
                    fits
                });
                let entries = rest[..fits.count()].to_vec();
                *done += entries.len();
                (!entries.is_empty()).then(|| Ok(SortedRows { buffers: rows.buffers.clone(), entries }))
            }
            Rest::Merged(merge) => merge.next_chunk(self.most).transpose(),
        }
    }
}
