//! Place: a real-world thing, conflated from the records that describe it.

use super::{Attributes, LonLat, RecordKey, Timestamp};

/// Where an attribute of a place comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// JSON pointer to the attribute, e.g. `/name`; empty for the whole record.
    pub property: &'static str,
    /// The record that gave it.
    pub record: RecordKey,
    /// The licence of that record.
    pub license: Option<Box<str>>,
    /// When the source last changed that record.
    pub update_time: Option<Timestamp>,
    /// How sure the match of that record to this place is, in `[0, 1]`, rounded to 0.01.
    pub confidence: f64,
}

/// A real-world place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Representative point; inside the footprint where there is one.
    pub position: LonLat,
    /// The area, where one is mapped.
    pub footprint: Option<geo::MultiPolygon<f64>>,
    /// What is known about it.
    pub attributes: Attributes,
    /// Indices of its records in the sorted list of records; the first is the founding record.
    pub members: Vec<usize>,
    /// Provenance: first one entry per record for the whole, then one per attribute of a place with several records.
    pub sources: Vec<Provenance>,
    /// Calibrated probability that this is one existing place, in `[0, 1]`, rounded to 0.01.
    pub confidence: f64,
}
