//! Files and compression, shared by the other adapters.

mod files;

pub use files::{Counted, input_of, open_decompressed};
