//! Draft: a record in the making.

use super::text::tidy;
use crate::domain::{LeftOutRule, ObjectKind, Record, Reject};

/// A record in the making. `attributes.tags` holds the tags that no step has taken yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// What is known so far.
    pub(super) record: Record,
    /// What kind of object it is, for filters.
    pub(super) kind: ObjectKind,
}

/// Why there is no record.
#[derive(Debug, PartialEq)]
pub(super) enum Dropped {
    /// It cannot be used.
    Rejected(Reject),
    /// It is not wanted.
    LeftOut(LeftOutRule),
}

impl Draft {
    /// Takes the first of `keys` that says something, as tidy text.
    pub(super) fn take_text(&mut self, keys: &[&str]) -> Option<String> {
        self.take_read(keys, tidy)
    }

    /// Takes the first of `keys` whose value `read` understands. Values that it does not understand stay in the tags.
    pub(super) fn take_read<T>(&mut self, keys: &[&str], read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let tags = &mut self.record.attributes.tags;
        let (key, value) = keys.iter().find_map(|key| Some((key, read(tags.get(key)?)?)))?;
        tags.take(key);
        Some(value)
    }
}
