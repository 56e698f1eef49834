//! Scratch in memory.

use std::io::{Cursor, Read, Write};

use crate::pipeline::RunError;
use crate::pipeline::ports::{ReadAt, Scratch, Spill};

/// Keeps in memory what was to be spared it; for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryScratch;

impl Scratch for MemoryScratch {
    fn create(&self, _: &str) -> Result<Box<dyn Spill>, RunError> {
        Ok(Box::new(MemorySpill(Vec::new())))
    }
}

struct MemorySpill(Vec<u8>);

impl Write for MemorySpill {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Spill for MemorySpill {
    fn read_back(self: Box<Self>) -> Result<Box<dyn Read + Send>, RunError> {
        Ok(Box::new(Cursor::new(self.0)))
    }

    fn read_anywhere(self: Box<Self>) -> Result<Box<dyn ReadAt>, RunError> {
        Ok(self)
    }
}

impl ReadAt for MemorySpill {
    fn read_at(&self, begin: u64, bytes: &mut [u8]) -> Result<(), RunError> {
        let written = usize::try_from(begin).ok().and_then(|begin| self.0.get(begin..)?.get(..bytes.len()));
        bytes.copy_from_slice(written.ok_or_else(|| RunError::failed("a scratch file ends early"))?);
        Ok(())
    }
}
