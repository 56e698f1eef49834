//! Merge: sorted runs in scratch files as one. Memory is a buffer per run and one chunk; where there are very many runs,
//! some are merged first.
//!
//! ```text
//! run = { hilbert:u64  id:i64  osm_type:u8  kind:u8  length:u32  payload }
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

use super::RowKey;
use super::sort::{CHUNK_BYTES, Entry, FILE_BUFFER_BYTES, Run, SortedRows};
use crate::pipeline::RunError;
use crate::pipeline::ports::Scratch;
use crate::pipeline::tabulate::GROUP_ROWS;

/// Most runs read at once: 16 MiB of buffers, and few open files.
const MAX_RUNS: usize = 64;

/// Bytes before a payload.
const HEADER_BYTES: usize = 22;

/// Appends a row to a run.
pub(super) fn write_row(out: &mut impl Write, key: RowKey, payload: &[u8]) -> io::Result<()> {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&key.hilbert.to_le_bytes());
    header[8..16].copy_from_slice(&key.id.to_le_bytes());
    header[16..18].copy_from_slice(&[key.osm_type, key.kind]);
    header[18..].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    out.write_all(&header)?;
    out.write_all(payload)
}

/// Merges neighbouring runs until few enough are left to be read at once.
pub(super) fn merge_rounds(mut runs: Vec<Run>, scratch: &dyn Scratch) -> Result<Vec<Run>, RunError> {
    while runs.len() > MAX_RUNS {
        let mut merged = Vec::new();
        let mut rest = runs.into_iter();
        loop {
            let few: Vec<Run> = rest.by_ref().take(MAX_RUNS).collect();
            if few.is_empty() {
                break;
            }
            let rows = few.iter().map(|run| run.rows).sum();
            let mut merge = Merge::new(few)?;
            let mut out = BufWriter::with_capacity(FILE_BUFFER_BYTES, scratch.create("merged rows")?);
            while let Some(chunk) = merge.next_chunk(GROUP_ROWS)? {
                chunk
                    .iter()
                    .try_for_each(|(key, payload)| write_row(&mut out, key, payload))
                    .map_err(RunError::failed)?;
            }
            let file = out.into_inner().map_err(|error| RunError::failed(error.into_error()))?;
            merged.push(Run { file, rows });
        }
        runs = merged;
    }
    Ok(runs)
}

/// Runs that are read side by side.
pub(super) struct Merge {
    runs: Vec<Reading>,
    /// The next row of each run that has one; of equal keys the earlier run first.
    next: BinaryHeap<Reverse<(RowKey, usize)>>,
}

struct Reading {
    file: BufReader<Box<dyn Read + Send>>,
    rows_left: u64,
    /// Length of the next row's payload.
    length: u32,
}

impl Reading {
    /// Reads the header of the next row.
    fn advance(&mut self) -> Result<Option<RowKey>, RunError> {
        if self.rows_left == 0 {
            return Ok(None);
        }
        self.rows_left -= 1;
        let mut header = [0; HEADER_BYTES];
        self.file.read_exact(&mut header).map_err(RunError::failed)?;
        let (hilbert, rest) = header.split_first_chunk::<8>().expect("a header has 22 bytes");
        let (id, rest) = rest.split_first_chunk::<8>().expect("a header has 22 bytes");
        let (kinds, length) = rest.split_first_chunk::<2>().expect("a header has 22 bytes");
        self.length = u32::from_le_bytes(length.try_into().expect("a header has 22 bytes"));
        let [osm_type, kind] = *kinds;
        Ok(Some(RowKey { hilbert: u64::from_le_bytes(*hilbert), osm_type, id: i64::from_le_bytes(*id), kind }))
    }
}

impl Merge {
    pub(super) fn new(runs: Vec<Run>) -> Result<Self, RunError> {
        let mut merge = Self { runs: Vec::new(), next: BinaryHeap::new() };
        for (at, Run { file, rows }) in runs.into_iter().enumerate() {
            let file = BufReader::with_capacity(FILE_BUFFER_BYTES, file.read_back()?);
            let mut run = Reading { file, rows_left: rows, length: 0 };
            merge.next.extend(run.advance()?.map(|key| Reverse((key, at))));
            merge.runs.push(run);
        }
        Ok(merge)
    }

    /// The next rows in order, at most so many; `None` at the end.
    pub(super) fn next_chunk(&mut self, most: usize) -> Result<Option<SortedRows>, RunError> {
        let (mut bytes, mut entries) = (Vec::new(), Vec::new());
        while entries.len() < most && bytes.len() < CHUNK_BYTES {
            let Some(Reverse((key, at))) = self.next.pop() else { break };
            let run = &mut self.runs[at];
            let begin = bytes.len();
            entries.push(Entry::new(key, 0, begin as u32, run.length));
            bytes.resize(begin + run.length as usize, 0);
            run.file.read_exact(&mut bytes[begin..]).map_err(RunError::failed)?;
            self.next.extend(run.advance()?.map(|key| Reverse((key, at))));
        }
        Ok((!entries.is_empty()).then(|| SortedRows { buffers: Arc::new(vec![bytes]), entries }))
    }
}
