//! Change: what happened to a place between two snapshots, and why.

use super::reject::named;

named! {
    /// What happened to a place. Names are published: add, never rename.
    ChangeClass {
        /// New.
        Added = "added",
        /// Gone.
        Removed = "removed",
        /// Its meaning changed.
        Modified = "modified",
        /// Only its position or footprint changed.
        Moved = "moved",
        /// Only volatile columns changed.
        Touched = "touched",
        /// Gone: its records belong to another place now.
        Merged = "merged",
        /// New: its records belonged to another place.
        Split = "split",
        /// It was gone, and is there again under its old id.
        Revived = "revived",
    }
}

named! {
    /// Why a place changed. Names are published: add, never rename.
    ChangeCause {
        /// A source record appeared, disappeared or says something else.
        Source = "source",
        /// The records are as before; the decision what belongs together, or what survives, is not.
        Conflation = "conflation",
    }
}
