//! Ids of the nodes that ways refer to, collected block by block.
//!
//! Ids are kept as ranges, because ways name most of their nodes in the order in which they were made. What is collected
//! is merged when it has grown to its share of the memory limit, and goes to a scratch file as a sorted run when it stays
//! large; the runs are merged as a stream at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;

use rayon::prelude::*;

use super::locations::{Building, Locations};
use crate::adapters::io::{FolderScratch, ScratchError};

/// What a message calls the runs.
const WHAT: &str = "ids of nodes";

/// Part of the memory limit for ranges that are being collected, and for positions: the rest is for rows of layers.
const SHARE: u64 = 4;

/// Least and most ranges that are read of a run at once: 4 kB to 1 MB.
const READ_RANGES: (usize, usize) = (1 << 8, 1 << 16);

/// How much memory the nodes that are referred to may take, and where the rest goes.
#[derive(Debug, Clone)]
pub(super) struct Room {
    scratch: FolderScratch,
    memory_bytes: u64,
}

impl Room {
    /// Room in a limit that others share.
    pub(super) fn new(scratch: FolderScratch, memory_bytes: u64) -> Self {
        Self { scratch, memory_bytes }
    }

    /// Where to put a table of this size, if it does not fit into its share of the memory.
    pub(super) fn instead_of_memory(&self, size_bytes: u64) -> Option<&FolderScratch> {
        (size_bytes > self.memory_bytes / SHARE).then_some(&self.scratch)
    }

    /// Ranges that may be collected. Merging takes as many again.
    fn ranges(&self) -> usize {
        (self.memory_bytes / SHARE) as usize / (2 * RANGE_BYTES)
    }
}

/// Ids from the first up to, and without, the second.
type Range = (i64, i64);

/// Bytes of a range.
const RANGE_BYTES: usize = 16;

/// Ids that are referred to, as sorted ranges that do not touch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids(Vec<Range>);

impl Ids {
    /// Adds ids in any order, as part of ranges that are put in order by [`Ids::sorted`].
    pub(super) fn extend(&mut self, ids: &[i64]) {
        for id in ids {
            match self.0.last_mut() {
                Some(last) if last.1 == *id => last.1 = id.saturating_add(1),
                Some(last) if last.0 == id.saturating_add(1) => last.0 = *id,
                Some(last) if (last.0..last.1).contains(id) => {}
                _ => self.0.push((*id, id.saturating_add(1))),
            }
        }
    }

    /// The ids in order, each once.
    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        let mut kept = 0;
        for at in 1..self.0.len() {
            let range = self.0[at];
            if range.0 <= self.0[kept].1 {
                self.0[kept].1 = self.0[kept].1.max(range.1);
            } else {
                kept += 1;
                self.0[kept] = range;
            }
        }
        self.0.truncate(kept + 1);
        self.0.shrink_to_fit();
        self
    }

    /// The ids of both, in order.
    fn union(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().copied().peekable(), other.0.iter().copied().peekable());
        let mut union: Vec<Range> = Vec::with_capacity(self.0.len() + other.0.len());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x <= y => a.next(),
                (_, Some(_)) => b.next(),
                _ => a.next(),
            };
            let Some(next) = next else { break };
            match union.last_mut() {
                Some(last) if next.0 <= last.1 => last.1 = last.1.max(next.1),
                _ => union.push(next),
            }
        }
        union.shrink_to_fit();
        Self(union)
    }
}

/// Collects the ids that are referred to, block by block.
pub(super) struct Referred<'r> {
    room: Option<&'r Room>,
    blocks: Vec<Ids>,
    /// Ranges in the blocks.
    ranges: usize,
    spilled: Option<SortedRuns>,
}

impl<'r> Referred<'r> {
    /// Without room, all is kept in memory.
    pub(super) fn new(room: Option<&'r Room>) -> Self {
        Self { room, blocks: Vec::new(), ranges: 0, spilled: None }
    }

    /// Adds ids in order.
    pub(super) fn add(&mut self, ids: Ids) -> Result<(), ScratchError> {
        if ids.0.is_empty() {
            return Ok(());
        }
        self.ranges += ids.0.len();
        self.blocks.push(ids);
        if let Some(room) = self.room.filter(|room| self.ranges > room.ranges()) {
            self.merge();
            if self.ranges > room.ranges() / 2 {
                self.spill(room)?;
            }
        }
        Ok(())
    }

    /// Makes one block of all.
    fn merge(&mut self) {
        while self.blocks.len() > 1 {
            let pair = |pair: &[Ids]| match pair {
                [a, b] => a.union(b),
                rest => Ids(rest.iter().flat_map(|ids| ids.0.iter().copied()).collect()),
            };
            self.blocks = self.blocks.par_chunks(2).map(pair).collect();
        }
        self.ranges = self.blocks.first().map_or(0, |ids| ids.0.len());
    }

    /// Takes what was merged out of memory.
    fn spill(&mut self, room: &Room) -> Result<(), ScratchError> {
        let runs = match &mut self.spilled {
            Some(runs) => runs,
            None => self.spilled.insert(SortedRuns::create(&room.scratch)?),
        };
        for ids in self.blocks.drain(..) {
            runs.append(&ids.0)?;
        }
        self.ranges = 0;
        Ok(())
    }

    /// All ids, with no position yet.
    pub(super) fn locations(mut self) -> Result<Locations, ScratchError> {
        self.merge();
        let (Some(room), Some(mut runs)) = (self.room, self.spilled) else {
            let ranges = self.blocks.pop().unwrap_or_default().0;
            let mut building = Building::in_memory(ranges.len());
            ranges.into_iter().try_for_each(|range| building.push(range))?;
            return building.finish(self.room);
        };
        for ids in self.blocks {
            runs.append(&ids.0)?;
        }
        let mut building = Building::in_scratch(&room.scratch)?;
        runs.merged(room.ranges(), |range| building.push(range))?;
        building.finish(self.room)
    }
}

/// Sorted runs of ranges, one behind the other in one file, so that their number is not limited by that of open files.
struct SortedRuns {
    out: BufWriter<File>,
    scratch: FolderScratch,
    /// Behind the last range of each run.
    ends: Vec<u64>,
}

impl SortedRuns {
    fn create(scratch: &FolderScratch) -> Result<Self, ScratchError> {
        let out = BufWriter::with_capacity(1 << 18, scratch.file(WHAT)?);
        Ok(Self { out, scratch: scratch.clone(), ends: Vec::new() })
    }

    fn append(&mut self, ranges: &[Range]) -> Result<(), ScratchError> {
        let mut write = |number: i64| self.out.write_all(&number.to_ne_bytes());
        let written = ranges.iter().try_for_each(|(first, end)| write(*first).and_then(|()| write(*end)));
        written.map_err(|source| self.scratch.cannot_write(WHAT, source))?;
        self.ends.push(self.ends.last().unwrap_or(&0) + ranges.len() as u64);
        Ok(())
    }

    /// Hands on the ranges of all runs in order, those that touch as one; so many may be in memory.
    fn merged(
        self,
        in_memory: usize,
        mut take: impl FnMut(Range) -> Result<(), ScratchError>,
    ) -> Result<(), ScratchError> {
        let file = self.out.into_inner().map_err(|error| self.scratch.cannot_write(WHAT, error.into_error()))?;
        let at_once = (in_memory / self.ends.len().max(1)).clamp(READ_RANGES.0, READ_RANGES.1);
        let begins = std::iter::once(&0).chain(&self.ends);
        let mut runs: Vec<SortedRun<'_>> =
            begins.zip(&self.ends).map(|(next, end)| SortedRun::new(&file, at_once, *next, *end)).collect();
        let mut heads = BinaryHeap::with_capacity(runs.len());
        let read_error = |source| self.scratch.cannot_read(WHAT, source);
        for (at, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next().map_err(read_error)?.map(|range| Reverse((range, at))));
        }
        let mut waiting: Option<Range> = None;
        while let Some(Reverse((range, at))) = heads.pop() {
            heads.extend(runs[at].next().map_err(read_error)?.map(|range| Reverse((range, at))));
            match &mut waiting {
                Some(last) if range.0 <= last.1 => last.1 = last.1.max(range.1),
                _ => waiting.replace(range).map_or(Ok(()), &mut take)?,
            }
        }
        waiting.map_or(Ok(()), take)
    }
}

/// A run that is read back, some ranges at a time.
struct SortedRun<'f> {
    file: &'f File,
    at_once: usize,
    /// Ranges in the file that are still to be read.
    next: u64,
    end: u64,
    read: std::vec::IntoIter<Range>,
}

impl<'f> SortedRun<'f> {
    fn new(file: &'f File, at_once: usize, next: u64, end: u64) -> Self {
        Self { file, at_once, next, end, read: Vec::new().into_iter() }
    }

    fn next(&mut self) -> io::Result<Option<Range>> {
        if self.read.as_slice().is_empty() && self.next < self.end {
            let ranges = (self.end - self.next).min(self.at_once as u64);
            let mut bytes = vec![0; ranges as usize * RANGE_BYTES];
            self.file.read_exact_at(&mut bytes, self.next * RANGE_BYTES as u64)?;
            let numbers: Vec<i64> = bytes.as_chunks().0.iter().map(|bytes| i64::from_ne_bytes(*bytes)).collect();
            self.read = numbers.as_chunks().0.iter().map(|[first, end]| (*first, *end)).collect::<Vec<_>>().into_iter();
            self.next += ranges;
        }
        Ok(self.read.next())
    }
}
