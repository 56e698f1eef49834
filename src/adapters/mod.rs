//! The outside world: one folder per technology, each answering ports of the pipeline. They never name each other;
//! what they share is in [`io`], which names none of them.

pub mod geoparquet;
pub mod io;
pub mod labels;
pub mod memory;
pub mod ocpi;
pub mod open_charge_map;
pub mod osm;
pub mod postgis;
pub mod table;
