//! Feature: an object of a source, as the source states it, before anyone has judged it.

use super::{Connector, Finding, RecordId, Tags, Timestamp};

/// Where an object is. Coordinates are unchecked degrees: judging them is the transform's work.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// One position.
    Point(geo::Point<f64>),
    /// An area: rings closed, outer counter-clockwise, inner clockwise.
    Area(geo::MultiPolygon<f64>),
}

/// What kind of OSM object a filter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A node, or any record of a source that is not OSM.
    Node,
    /// A way.
    Way,
    /// A relation.
    Relation,
}

/// An object of a source, with geometry and tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its id in the source's own terms, e.g. `node/5159230141` or `461426`.
    pub id: RecordId,
    /// What kind of object it is, for filters.
    pub kind: ObjectKind,
    /// Where it is.
    pub shape: Shape,
    /// What it is, in OSM's vocabulary; a source with a model of its own translates.
    pub tags: Tags,
    /// Connectors that the source lists as structure; empty where they are in the tags.
    pub connectors: Vec<Connector>,
    /// When the source last changed it.
    pub update_time: Option<Timestamp>,
    /// The licence it comes under, as the source names it. `None` when the source does not say.
    pub license: Option<Box<str>>,
    /// The record as the source wrote it, as JSON, for the bridge table.
    pub raw: Box<str>,
    /// Line of the input file on which it begins, from 1, where the input has lines.
    pub line: Option<u64>,
    /// Where else the source says that it is, e.g. the positions of its charging points. They count only where `shape`
    /// cannot be right.
    pub other_positions: Vec<geo::Point<f64>>,
    /// The record of the same source that this one repeats, as the source says. It becomes a part of that one.
    pub duplicate_of: Option<RecordId>,
    /// What the source's reader could not keep as it is stated.
    pub findings: Vec<Finding>,
}

impl Feature {
    /// A point with tags, of which nothing else is known.
    #[must_use]
    pub fn point(id: RecordId, lon: f64, lat: f64, tags: Tags) -> Self {
        Self {
            id,
            kind: ObjectKind::Node,
            shape: Shape::Point(geo::Point::new(lon, lat)),
            tags,
            connectors: Vec::new(),
            update_time: None,
            license: None,
            raw: "{}".into(),
            line: None,
            other_positions: Vec::new(),
            duplicate_of: None,
            findings: Vec::new(),
        }
    }
}
