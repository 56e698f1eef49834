//! Open Charge Map dumps as a source.
//!
//! ```text
//! files ─ rows ─▶ bytes of one record ─ scan ─▶ values ─ translate ─▶ Feature │ left out │ reject
//!                                                          └ compensate: what Open Charge Map gets wrong
//! ```
//!
//! - **Shapes**, told apart by content: a JSON array (compact export or API answer, also in an envelope), JSON Lines
//!   (mongoexport), GeoJSON, CSV, one record per file in a folder; gzip or not; keys in `PascalCase` or `camelCase`.
//! - **Raw**: the record in its own order and numbers, keys in `PascalCase`, without nulls, computed and private fields. A row
//!   of CSV, and a feature of GeoJSON without the record in it, as a record of the same form.
//! - **Memory**: one batch of records, whatever the size of the dump.
//! - **Source**: the C# model and the enumerations of openchargemap/ocm-system, and the reference data it publishes.

mod api;
mod compensations;
mod connectors;
mod countries;
mod csv;
mod error;
mod files;
mod geojson;
mod hours;
mod json;
mod metadata;
mod providers;
mod raw;
mod reading;
mod reference;
mod rows;
mod scan;
mod source;
mod status;
mod tags;
mod text;
mod titles;
mod translate;

pub use api::OcmApi;
pub use error::OcmError;
pub use source::OpenChargeMap;
