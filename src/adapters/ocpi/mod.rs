//! OCPI location feeds as a source.
//!
//! ```text
//! file ─ io::JsonRecords ─▶ bytes of one location ─ json ─▶ tidy JSON ─ location ─▶ Feature │ left out │ reject
//! ```
//!
//! - **Shapes**, told apart by content: a JSON array, an OCPI envelope, JSON Lines, a single location, pages one after the
//!   other in an array; gzip or not; OCPI 2.1.1 to 2.3.0; keys in `snake_case` or `camelCase`.
//! - **Ids** are `<country_code>*<party_id>*<id>`, because a location's id is unique within its party only; the plain id where
//!   the feed does not state both, as in 2.1.1. They do not depend on what else is in the feed.
//! - **Raw record**: the location with keys in `snake_case` and without nulls, without `last_updated` at any level and without
//!   the statuses that change with every car. What is left is equal as long as the place is.
//! - **Memory**: one batch of locations, whatever the size of the feed.
//! - **Source**: OCPI 2.1.1, 2.2.1 and 2.3.0, module *Locations* (ocpi/ocpi on GitHub).

mod connectors;
mod countries;
mod envelope;
mod error;
mod evses;
mod hours;
mod json;
mod location;
mod pages;
mod reading;
mod source;
mod tags;

pub use error::OcpiError;
pub use pages::OcpiPages;
pub use source::Ocpi;
