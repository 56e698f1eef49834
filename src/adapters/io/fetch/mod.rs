//! Fetching: files that come over the network, whole or not at all, and what is remembered of them.
//!
//! ```text
//! <input>  <input>.fetch.json                what is there, and where it came from
//! <input>.part  <input>.part.json            what is on its way, so that the next call goes on
//! archive/<source>/<vintage>/<file name>     what was there before
//! ```

mod archive;
mod checksum;
mod download;
mod error;
mod part;
mod record;
#[cfg(test)]
mod tests;

pub use archive::{Archive, KEEP, behind_links};
pub use checksum::{Algorithm, Checksum};
pub use download::{Content, Download};
pub use error::FetchError;
pub use part::Part;
pub use record::{FetchRecord, beside, write_whole};
