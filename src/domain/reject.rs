//! What did not become a place, and why: rejects get a row each, left-out objects are counted by rule.

use std::collections::BTreeMap;

use super::RecordId;

/// One refused record.
#[derive(Debug, Clone, PartialEq)]
pub struct Reject {
    /// Which object, in the source's own terms: enough to look it up there.
    pub record_id: RecordId,
    /// Why.
    pub code: RejectCode,
    /// Where, in degrees as stated (longitude, latitude), if anywhere. May be out of range.
    pub position: Option<(f64, f64)>,
    /// Line of the input file on which it begins, from 1, where the input has lines.
    pub line: Option<u64>,
    /// The reason as a sentence, with the values that gave it.
    pub message: String,
}

/// Declares an enum whose variants have published names.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The published name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value with this published name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use named;

named! {
    /// Why a record was refused. Names are published in reports and tables: add, never rename.
    RejectCode {
        /// It has no position.
        NoPosition = "no_position",
        /// Its position is not on Earth.
        InvalidPosition = "invalid_position",
        /// Its position is 0, 0: nobody has set it.
        NullIsland = "null_island",
        /// A member or node of it is not in the input.
        MissingMember = "missing_member",
        /// Its rings do not close.
        OpenRing = "open_ring",
        /// Its positions are all the same.
        InvalidLine = "invalid_line",
        /// Its rings cross, or enclose nothing.
        InvalidArea = "invalid_area",
        /// It cannot be read as a record: broken JSON, no id, a text that is not UTF-8.
        Malformed = "malformed",
        /// Another record of the same input has its id.
        RepeatedId = "repeated_id",
        /// A row of a table with more or fewer columns than its header.
        WrongColumnCount = "wrong_column_count",
    }
}

named! {
    /// The rules that leave an object out. Names are published in manifests: add, never rename.
    LeftOutRule {
        /// It has no tags that fit: no category of the pipeline's themes, or not the filter of the layer.
        NotMatched = "not_matched",
        /// It lies outside the region and its halo, or its place belongs to a neighbouring region.
        OutsideRegion = "outside_region",
        /// The source itself has withdrawn it, or marks it as a duplicate.
        NotLive = "not_live",
        /// Its tags fit but its geometry does not: an open way where areas are wanted, a relation that is no area.
        WrongKind = "wrong_kind",
        /// A relation that has no geometry of its own, such as a route or a restriction.
        NotSpatial = "not_spatial",
        /// A later version of it is in another file of the source, or in its updates.
        Superseded = "superseded",
    }
}

/// Objects left out, by rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(pub BTreeMap<LeftOutRule, u64>);

impl LeftOut {
    /// Counts `objects` more under `rule`.
    pub fn add(&mut self, rule: LeftOutRule, objects: u64) {
        if objects > 0 {
            *self.0.entry(rule).or_default() += objects;
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (rule, objects) in &other.0 {
            self.add(*rule, *objects);
        }
    }

    /// All rules together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}
