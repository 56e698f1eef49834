//! Files, compression and HTTP, shared by the other adapters.

mod decisions;
mod fetch;
mod files;
mod frames;
mod http;
mod records;
mod scratch;

pub use decisions::{CsvDecisions, DecisionsFileError};
pub use fetch::{
    Algorithm, Archive, Checksum, Content, Download, FetchError, FetchRecord, KEEP, Part, behind_links, beside,
    write_whole,
};
pub use files::{decompressed, input_of, input_of_bytes, open_decompressed, size_told};
pub(super) use frames::{Broken, Frame, Frames};
#[cfg(test)]
pub(crate) use http::tests as http_tests;
pub use http::{
    ATTEMPTS, Answer, FIRST_PAUSE, Http, HttpError, Patience, Request, address_joined, address_told, http_date,
    is_plain_address, is_same_server, query_encoded, without_secrets,
};
pub use records::{JsonRecord, JsonRecords, Layout, RecordsError};
pub use scratch::{FolderScratch, ScratchError};
