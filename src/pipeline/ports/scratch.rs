//! Scratch: a place for what does not fit into memory.

use std::io::{Read, Write};

use crate::pipeline::RunError;

/// A place for what does not fit into memory, for as long as a run lasts.
pub trait Scratch: Send + Sync {
    /// Begins a file. `what` says what is in it, for messages; several files may be the same.
    ///
    /// # Errors
    ///
    /// When it cannot be created.
    fn create(&self, what: &str) -> Result<Box<dyn Spill>, RunError>;
}

/// A scratch file that is written once, from front to back, and then read: in the same way, or anywhere.
///
/// # Contract
///
/// - Nothing of it is left when it is dropped, nor when the process ends, however it ends.
pub trait Spill: Write + Send {
    /// Ends the writing and begins to read from the front.
    ///
    /// # Errors
    ///
    /// When what was written cannot be read.
    fn read_back(self: Box<Self>) -> Result<Box<dyn Read + Send>, RunError>;

    /// Ends the writing; what was written can then be read in any order.
    ///
    /// # Errors
    ///
    /// When what was written cannot be read.
    fn read_anywhere(self: Box<Self>) -> Result<Box<dyn ReadAt>, RunError>;
}

/// Bytes that any thread may read, in any order.
pub trait ReadAt: Send + Sync {
    /// Fills `bytes` with those from `begin` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or there are fewer.
    fn read_at(&self, begin: u64, bytes: &mut [u8]) -> Result<(), RunError>;
}
