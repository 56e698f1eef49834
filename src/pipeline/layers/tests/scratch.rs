//! Scratch in memory that counts: files made, and how many are read at once.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pipeline::RunError;
use crate::pipeline::ports::{ReadAt, Scratch, Spill};

#[derive(Clone, Default)]
pub(super) struct Counting {
    created: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    most_open: Arc<AtomicUsize>,
}

impl Counting {
    pub(super) fn created(&self) -> usize {
        self.created.load(Ordering::Relaxed)
    }

    pub(super) fn most_open(&self) -> usize {
        self.most_open.load(Ordering::Relaxed)
    }
}

impl Scratch for Counting {
    fn create(&self, _: &str) -> Result<Box<dyn Spill>, RunError> {
        self.created.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Written(self.clone(), Vec::new())))
    }
}

struct Written(Counting, Vec<u8>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Spill for Written {
    fn read_anywhere(self: Box<Self>) -> Result<Box<dyn ReadAt>, RunError> {
        unreachable!("rows are read in order")
    }

    fn read_back(self: Box<Self>) -> Result<Box<dyn Read + Send>, RunError> {
        let Self(counting, bytes) = *self;
        let open = counting.open.fetch_add(1, Ordering::Relaxed) + 1;
        counting.most_open.fetch_max(open, Ordering::Relaxed);
        Ok(Box::new(Open(counting, Cursor::new(bytes))))
    }
}

struct Open(Counting, Cursor<Vec<u8>>);

impl Read for Open {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1.read(buffer)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
