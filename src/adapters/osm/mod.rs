//! OpenStreetMap PBF files as a source.
//!
//! ```text
//! PbfFile (frames, limits, codec) ─▶ Block (checked, decoded) ─▶ scan ─▶ passes ─▶ geometry ─▶ Feature
//! ```

mod area;
mod block;
#[cfg_attr(not(test), expect(dead_code, reason = "the reader of extracts does not lay it over them yet"))]
mod changes;
mod check;
mod error;
mod faces;
mod file;
mod geometry;
mod header;
mod object;
mod passes;
mod scan;
mod source;
mod wire;

#[cfg(test)]
mod tests;

pub use changes::{ChangesAt, ChangesError, OscFault, kept_beside};
pub use error::{Fault, OsmError};
pub use source::OsmPbf;
