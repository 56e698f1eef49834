//! Bridge: which place each record was part of, and when.
//!
//! Time is that of vintages, and a span holds from its first vintage up to, but not at, its last. Spans of one record never
//! overlap. A run whose vintage lies before that of the base forgets what came after it: it tells that time anew.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::identity::{Memory, Seen, SeenKey};
use crate::domain::Timestamp;

/// A record's time in a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The record.
    pub record: SeenKey,
    /// The first vintage; `None` where no source states one.
    pub valid_from: Option<Timestamp>,
    /// The first vintage that no longer has it there; `None` while it is there.
    pub valid_to: Option<Timestamp>,
    /// The place.
    pub place_id: Uuid,
}

/// The spans up to this run, in order of records and time.
#[must_use]
pub fn continued(before: Vec<Span>, groups: &[Vec<SeenKey>], ids: &[Uuid], vintage: Option<Timestamp>) -> Vec<Span> {
    let latest = || before.iter().flat_map(|span| [span.valid_from, span.valid_to]).max().flatten();
    let as_of = vintage.map(told).or_else(latest);
    let is_later = |time: Option<Timestamp>| time.is_some_and(|time| as_of.is_some_and(|as_of| time > as_of));

    let members = groups.iter().zip(ids).flat_map(|(group, id)| group.iter().map(move |record| (record, *id)));
    let mut now: BTreeMap<&SeenKey, Uuid> = members.collect();
    let mut spans = Vec::with_capacity(before.len().max(now.len()));
    for mut span in before {
        if is_later(span.valid_from) {
            continue;
        }
        if is_later(span.valid_to) || (span.valid_to.is_some() && span.valid_to == as_of) {
            span.valid_to = None;
        }
        if span.valid_to.is_none() {
            if now.get(&span.record) == Some(&span.place_id) {
                now.remove(&span.record);
            } else if as_of.is_none() || span.valid_from == as_of {
                // It was nowhere for any time that could be told.
                continue;
            } else {
                span.valid_to = as_of;
            }
        }
        spans.push(span);
    }
    let begun = now.into_iter().map(|(record, place_id)| {
        let record = record.clone();
        Span { record, place_id, valid_from: as_of, valid_to: None }
    });
    spans.extend(begun);
    spans.sort_unstable();
    spans
}

/// What can be told of time by a memory alone, for snapshots from before there was a bridge.
#[must_use]
pub fn from_memory(memory: &Memory) -> Vec<Span> {
    let of = |(record, seen): (&SeenKey, &Seen)| {
        // Of a record that had other places before it is known only that it is in this one now.
        let since = if seen.former_place_ids.is_empty() { &seen.first_seen } else { &seen.last_seen };
        let valid_from = since.parse().ok().map(told);
        Span { record: record.clone(), place_id: seen.place_id, valid_from, valid_to: None }
    };
    memory.iter().filter(|(_, seen)| seen.present).map(of).collect()
}

/// A vintage as tables keep it: to the microsecond.
fn told(vintage: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(vintage.as_microsecond()).expect("an instant to the microsecond is an instant")
}
