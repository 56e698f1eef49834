//! Open Charge Map dumps as a source.
//!
//! ```text
//! files ─ frames ─▶ bytes of one record ─ json ─▶ tidy JSON ─ translate ─▶ Feature │ left out │ reject
//! ```
//!
//! - **Shapes**, told apart by content: a JSON array (compact export or API answer), JSON Lines (mongoexport), one record per
//!   file in a folder; gzip or not; keys in `PascalCase` or `camelCase`.
//! - **Memory**: one batch of records, whatever the size of the dump.
//! - **Source**: the C# model and the enumerations of openchargemap/ocm-system, and the reference data it publishes.

mod address;
mod api;
mod connectors;
mod countries;
mod error;
mod files;
mod json;
mod reading;
mod reference;
mod source;
mod tags;
mod text;
mod translate;

pub use api::OcmApi;
pub use error::OcmError;
pub use source::OpenChargeMap;
