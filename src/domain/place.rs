//! Place: a real-world thing, conflated from the records that describe it.

use std::borrow::Cow;

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

/// What a record says otherwise than the place that it belongs to. Both records stand by their index among the records that
/// contribute to the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// JSON pointer to the attribute, e.g. `/name`, `/tags/ref`.
    pub property: Cow<'static, str>,
    /// The record whose value was not taken.
    pub record: usize,
    /// The record whose value was.
    pub taken: usize,
    /// The rule that chose, e.g. `priority`.
    pub rule: &'static str,
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
    /// Provenance: first one entry per record that contributes, for the whole, then one per attribute where several do.
    pub sources: Vec<Provenance>,
    /// What the records that contribute say otherwise.
    pub conflicts: Vec<Conflict>,
    /// Calibrated probability that this is one existing place, in `[0, 1]`, rounded to 0.01.
    pub confidence: f64,
}
