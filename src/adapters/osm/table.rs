//! Tables of numbers, in memory or in a scratch file that is mapped into it.
//!
//! A mapped table costs address space and as much memory as the system has to spare: it may take pages back at any time,
//! and reads them from the file when they are looked at again. This is the only file with `unsafe` code, because the
//! compiler cannot know that nobody else changes the file.

#![expect(unsafe_code, reason = "a mapped file is memory that the compiler knows nothing of")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use memmap2::MmapRaw;

use crate::adapters::io::{FolderScratch, ScratchError};

/// Bytes written to a scratch file at once.
const WRITE_BYTES: usize = 1 << 18;

/// A row of a table.
///
/// # Safety
///
/// Every sequence of bytes is a valid row, [`Row::write`] writes all bytes of one in their order in memory, and a row is
/// aligned to no more than a page.
pub(super) unsafe trait Row {
    /// Writes the row as it is in memory.
    fn write(&self, out: &mut impl Write) -> std::io::Result<()>;
}

// SAFETY: it has the size and the bytes of a `u64`, of which all are valid.
unsafe impl Row for AtomicU64 {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        out.write_all(&self.load(Relaxed).to_ne_bytes())
    }
}

/// Ids that follow each other: the first, and the place of its position. The next run's place tells where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Run {
    pub(super) first: i64,
    pub(super) place: u64,
}

// SAFETY: two numbers of eight bytes in the order of C have no gap between them, and all their bytes are valid.
unsafe impl Row for Run {
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        out.write_all(&self.first.to_ne_bytes())?;
        out.write_all(&self.place.to_ne_bytes())
    }
}

/// A table that is complete. Its rows change only where their type allows it behind a shared reference.
pub(super) enum Table<T> {
    /// Rows in memory.
    Memory(Vec<T>),
    /// Rows in a file.
    Mapped(MmapRaw, PhantomData<T>),
}

impl<T: Row> Deref for Table<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::Memory(rows) => rows,
            Self::Mapped(map, _) => {
                let rows = map.as_mut_ptr().cast_const().cast::<T>();
                // SAFETY: the map begins at a page and holds whole rows, of which all bytes are valid (`Row`). It lives as
                // long as the borrow. The file is ours alone: [`TableFile`] made it, it had lost its name by then, the
                // handle was closed when it was mapped, and its length, set by what was written before, never changed.
                unsafe { std::slice::from_raw_parts(rows, map.len() / size_of::<T>()) }
            }
        }
    }
}

/// A table that is being written to a scratch file.
///
/// Every row is written, so that a full disk is an error here and no fault when the map is written to.
pub(super) struct TableFile<T> {
    what: &'static str,
    out: BufWriter<File>,
    scratch: FolderScratch,
    rows: PhantomData<T>,
}

impl<T: Row> TableFile<T> {
    /// A table of nothing so far.
    pub(super) fn create(scratch: &FolderScratch, what: &'static str) -> Result<Self, ScratchError> {
        let out = BufWriter::with_capacity(WRITE_BYTES, scratch.file(what)?);
        Ok(Self { what, out, scratch: scratch.clone(), rows: PhantomData })
    }

    /// Appends a row.
    pub(super) fn push(&mut self, row: &T) -> Result<(), ScratchError> {
        row.write(&mut self.out).map_err(|source| self.scratch.cannot_write(self.what, source))
    }

    /// Maps what was written.
    pub(super) fn finish(self) -> Result<Table<T>, ScratchError> {
        let Self { what, out, scratch, .. } = self;
        let file = out.into_inner().map_err(|error| scratch.cannot_write(what, error.into_error()))?;
        let map = MmapRaw::map_raw(&file).map_err(|source| scratch.cannot_read(what, source))?;
        Ok(Table::Mapped(map, PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_table_holds_what_was_written_and_takes_what_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = FolderScratch::new(folder.path());
        let runs: Vec<Run> = (0..70_000).map(|n| Run { first: n - 5, place: 3 * n as u64 }).collect();
        let mut file = TableFile::create(&scratch, "runs").unwrap();
        runs.iter().try_for_each(|run| file.push(run)).unwrap();
        assert_eq!(*file.finish().unwrap(), *runs);

        let mut file = TableFile::create(&scratch, "numbers").unwrap();
        (0..1_000).try_for_each(|n| file.push(&AtomicU64::new(n))).unwrap();
        let numbers = file.finish().unwrap();
        numbers[7].store(u64::MAX, Relaxed);
        let sum: u128 = numbers.iter().map(|number| u128::from(number.load(Relaxed))).sum();
        assert_eq!((numbers.len(), sum), (1_000, 499_500 - 7 + u128::from(u64::MAX)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
