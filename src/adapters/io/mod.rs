//! Files, compression and HTTP, shared by the other adapters.

mod files;
mod http;
mod records;
mod scratch;

pub use files::{decompressed, input_of, input_of_bytes, open_decompressed, size_told};
#[cfg(test)]
pub(crate) use http::tests as http_tests;
pub use http::{Http, HttpError};
pub use records::{JsonRecord, JsonRecords, Layout, RecordsError};
pub use scratch::{FolderScratch, ScratchError};
