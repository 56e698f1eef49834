//! OpenStreetMap PBF files as a source.
//!
//! ```text
//! PbfFile (frames, limits) ─▶ Inflater (codecs) ─▶ Block (decoded in place) ─▶ passes ─▶ geometry ─▶ Feature, rows of layers
//! ```
//!
//! `osmpbf` decodes the header; the rest is our own, because `osmpbf` hands out no compressed bytes, copies every text and
//! loses damaged ones quietly. A test holds what is decoded here against what `osmpbf` decodes.

mod area;
mod block;
mod blocks;
mod changes;
mod dense;
mod error;
mod faces;
mod fetch;
mod file;
mod geometry;
mod header;
mod inflate;
mod judge;
mod layout;
mod line;
mod locations;
mod nodes;
mod object;
mod passes;
mod raw;
mod referred;
mod source;
mod table;
mod verdict;
mod versions;
mod wire;

#[cfg(test)]
mod tests;

pub use changes::{ChangesAt, ChangesError, OscFault, kept_beside};
pub use error::{Fault, OsmError};
pub use fetch::vintage_of;
pub use source::OsmPbf;
