//! Files and compression, shared by the other adapters.

mod files;

pub use files::{input_of, open_decompressed, size_told};
