//! Life: what became of a place from snapshot to snapshot, and of those that it came from and went into.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::place::{Record, Said, records_of, said, value};
use super::steps::{Named, Step, published};
use super::{latest_id, oldest_first};
use crate::domain::{Cell, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::diff::position_of_hex;
use crate::pipeline::ports::{Snapshot, SnapshotStore};

/// How a place is tied to the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// It is the one.
    Itself,
    /// It was merged into it, or into one that was; or that one was split from it.
    CameFrom,
    /// That one was merged into it, or it was split from that one; directly, or by way of others.
    WentInto,
}

/// A column before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// The column of `places`.
    pub field: String,
    /// What it was.
    pub old: Value,
    /// What it became.
    pub new: Value,
}

/// What happened to a place on the way to a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The snapshot.
    pub snapshot: String,
    /// Its vintage.
    pub vintage: Option<Timestamp>,
    /// A class of change; `present` where the oldest snapshot that is kept has it already; `absorbed` where another place was
    /// merged into it, `split_off` where one was split from it.
    pub event: String,
    /// Whether a source or the conflation was the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The other place of a merge or split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// How far it moved, in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_m: Option<f64>,
    /// What is different.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<FieldChange>,
}

/// A place over all snapshots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Life {
    /// Its id.
    pub place: String,
    /// How it is tied to the one that was asked for.
    pub tie: Tie,
    /// Whether the latest snapshot has it.
    pub is_there: bool,
    /// What the newest snapshot that has it says of it. Nothing where all of those were pruned.
    pub last: Vec<Said>,
    /// What happened, the oldest first.
    pub events: Vec<Event>,
    /// The records that it had, and when; they go back beyond what is kept.
    pub records: Vec<Record>,
}

/// The life of a place, then those of the places that it came from and went into.
///
/// # Errors
///
/// [`RunError::Settings`] when no snapshot knows the place, or when the store cannot be read.
pub fn lives(store: &dyn SnapshotStore, place: &str) -> Result<Vec<Life>, RunError> {
    let (latest, kept) = (latest_id(store)?, oldest_first(store.list()?));
    let published = published(&kept, latest.as_deref());
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (at, to) in published.iter().enumerate() {
        steps.push(Step::new(at.checked_sub(1).map(|before| published[before]), *to)?);
    }
    let mut ties = Vec::new();
    for step in &steps {
        ties.extend(step.ties()?);
    }
    // From each place to where it went: what is merged goes into the other, what is split comes from it.
    let ways: Vec<(String, String)> =
        ties.into_iter().map(|(split, id, other)| if split { (other, id) } else { (id, other) }).collect();
    let forth = reached(place, &ways.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect::<Vec<_>>());
    let back = reached(place, &ways.iter().map(|(from, to)| (to.as_str(), from.as_str())).collect::<Vec<_>>());
    let mut wanted: Vec<(Tie, String)> = vec![(Tie::Itself, place.to_owned())];
    wanted.extend(back.iter().map(|id| (Tie::CameFrom, id.clone())));
    wanted.extend(forth.difference(&back).map(|id| (Tie::WentInto, id.clone())));

    let ids: BTreeSet<String> = wanted.iter().map(|(_, id)| id.clone()).collect();
    let mut changes: Vec<(&Step<'_>, Vec<Named>)> = Vec::new();
    for step in &steps {
        changes.push((step, step.about(&ids)?));
    }
    let mut lives = Vec::new();
    for (tie, id) in wanted {
        lives.push(life(&id, tie, &published, &changes)?);
    }
    let known = |life: &Life| !life.events.is_empty() || !life.records.is_empty() || !life.last.is_empty();
    if !lives.iter().any(known) {
        let message = format!(
            "no snapshot knows a place {place}; sources.parquet of a snapshot has the place of every record, in `place_id`"
        );
        return Err(RunError::settings(message));
    }
    Ok(lives)
}

/// What can be reached from here, itself left out.
fn reached(from: &str, ways: &[(&str, &str)]) -> BTreeSet<String> {
    let (mut found, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(here) = next.pop() {
        for (_, to) in ways.iter().filter(|(way, to)| *way == here && *to != from) {
            if found.insert((*to).to_owned()) {
                next.push(to);
            }
        }
    }
    found
}

fn life(
    id: &str,
    tie: Tie,
    published: &[&dyn Snapshot],
    changes: &[(&Step<'_>, Vec<Named>)],
) -> Result<Life, RunError> {
    let mut last = Vec::new();
    let mut is_there = false;
    for (age, snapshot) in published.iter().rev().enumerate() {
        last = said(*snapshot, id)?;
        if !last.is_empty() {
            is_there = age == 0;
            break;
        }
    }
    let mut events = Vec::new();
    for (step, rows) in changes {
        let manifest = step.to.manifest();
        let event = |event: &str, row: Option<&Named>| Event {
            snapshot: manifest.snapshot.clone(),
            vintage: manifest.vintage,
            event: event.to_owned(),
            cause: row.and_then(|row| text(row, "cause")),
            related: None,
            moved_m: None,
            changed: Vec::new(),
        };
        if step.is_first && !said(step.to, id)?.is_empty() {
            events.push(event(if manifest.base.is_none() { "added" } else { "present" }, None));
        }
        for row in rows {
            let (of, related) = (text(row, "id"), text(row, "related_id"));
            let class = text(row, "class").unwrap_or_default();
            if of.as_deref() == Some(id) {
                let moved_m = if let Some(Cell::Float(metres)) = row.get("moved_m") { Some(*metres) } else { None };
                events.push(Event { related, moved_m, changed: changed(row), ..event(&class, Some(row)) });
            } else if related.as_deref() == Some(id) {
                let name = if class == "split" { "split_off" } else { "absorbed" };
                events.push(Event { related: of, ..event(name, Some(row)) });
            }
        }
    }
    Ok(Life { place: id.to_owned(), tie, is_there, last, events, records: records_of(published.last().copied(), id)? })
}

fn text(row: &Named, column: &str) -> Option<String> {
    row.get(column)?.as_text().map(str::to_owned)
}

/// The changed columns with their old and new values.
fn changed(row: &Named) -> Vec<FieldChange> {
    let Some(Cell::List(fields)) = row.get("changed_fields") else { return Vec::new() };
    let old: Value = text(row, "old_values").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let change = |field: &str| {
        let old = match (field, &old[field]) {
            ("geometry", Value::String(digits)) => {
                position_of_hex(digits).map_or(Value::Null, |position| vec![position.lon(), position.lat()].into())
            }
            (_, old) => old.clone(),
        };
        let new = row.get(field).map_or(Value::Null, |cell| value(cell, field));
        FieldChange { field: field.to_owned(), old, new }
    };
    fields.iter().filter_map(Cell::as_text).map(change).collect()
}
