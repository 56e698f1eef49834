//! Files and compression, shared by the other adapters.

mod files;
mod scratch;

pub use files::{input_of, open_decompressed, size_told};
pub use scratch::{FolderScratch, ScratchError};
