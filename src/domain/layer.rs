//! Layer: OSM objects as they are, filtered and shaped by the pipeline file.

use super::Filter;
use super::reject::named;

/// A raw layer of OSM objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its name: part of its table's name, `layers/<name>`.
    pub name: String,
    /// The OSM source it is read from.
    pub source: String,
    /// Which objects.
    pub filter: Filter,
    /// Which kinds of geometry.
    pub kinds: Vec<GeometryKind>,
    /// Tags that get a column of their own.
    pub columns: Vec<Promoted>,
    /// What happens to objects with parts outside the input.
    pub incomplete: Incomplete,
    /// Whether the names and ids of mappers are kept.
    pub users: bool,
}

/// A tag that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// The tag's key.
    pub key: String,
    /// The column's name.
    pub name: String,
    /// The column's type.
    pub kind: PromotedKind,
}

named! {
    /// Kinds of geometry, as rows of a layer tell them.
    GeometryKind {
        /// A node.
        Point = "point",
        /// A way, open or closed.
        Line = "line",
        /// What a closed way or a relation encloses.
        Area = "area",
    }
}

named! {
    /// Types of a promoted column. A value that cannot be read as its type is missing there; the map of tags keeps it.
    PromotedKind {
        /// Text, as it is.
        Text = "text",
        /// A whole number.
        Integer = "integer",
        /// A number, with a point.
        Number = "number",
        /// `yes`, `true` and `1`, or `no`, `false` and `0`.
        Boolean = "boolean",
    }
}

named! {
    /// What happens to ways and relations with nodes or members outside the input.
    Incomplete {
        /// They are rejected, each with the part that is missing.
        Reject = "reject",
        /// What is there is kept and flagged, where it still makes a geometry of the same kind; else they are rejected.
        KeepFlagged = "keep_flagged",
    }
}

named! {
    /// Rules that make a geometry valid. Each is recorded where it was applied.
    GeometryRepair {
        /// The same position twice in a row became one.
        RepeatedPosition = "repeated_position",
        /// Segments that were there an even number of times were cancelled: spikes, double ways, shared borders.
        CancelledSegments = "cancelled_segments",
        /// Rings that touch themselves or each other were split there.
        SplitRings = "split_rings",
        /// Ring members whose role is not `outer` or `inner`, or contradicts the geometry; the geometry decides.
        IgnoredRoles = "ignored_roles",
    }
}
