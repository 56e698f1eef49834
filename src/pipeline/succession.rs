//! Succession: which ids of an older snapshot became which of a newer one, however many snapshots lie in between.
//!
//! A record says where its place went: it is in one place of the older snapshot and in one of the newer. For places whose
//! records are all gone, the memory of the newer snapshot says into which place they were merged before.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::RunError;
use super::ports::{Snapshot, Tables};
use super::tabulate::read_rows;
use super::tabulate::tables::{IDENTITY, SOURCES};
use crate::domain::{Cell, named};

named! {
    /// What became of an id. Names are published: add, never rename.
    Fate {
        /// It is there as before.
        Same = "same",
        /// It is gone, and some of its records are in the other place, which has all that are left.
        MergedInto = "merged_into",
        /// Some of its records are in the other place, others are not.
        SplitInto = "split_into",
        /// It and its records are gone; it had been merged into the other place before.
        Successor = "successor",
        /// It is gone.
        Removed = "removed",
    }
}

/// An id of the older snapshot and what became of it: a line for each place of the newer snapshot that has a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Succession {
    /// The id in the older snapshot.
    pub old_id: String,
    /// What became of it.
    pub fate: Fate,
    /// The id in the newer snapshot.
    pub new_id: Option<String>,
    /// Records of the older place that the newer one has.
    pub records: usize,
    /// Records that the older place had.
    pub old_records: usize,
}

/// Ids of two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successions {
    /// What became of each id of the older, in the order of ids; the line with the id itself first.
    pub lines: Vec<Succession>,
    /// Places of the newer snapshot that no line leads to.
    pub new_places: usize,
}

/// A record: its source and its id.
type Key = (String, String);

/// What became of every place of `old` in `new`.
///
/// # Errors
///
/// [`RunError::Settings`] when the two are of different pipelines, or when a table cannot be read.
pub fn successions(old: &dyn Snapshot, new: &dyn Snapshot) -> Result<Successions, RunError> {
    let (of_old, of_new) = (&old.manifest().pipeline, &new.manifest().pipeline);
    if of_old != of_new {
        let message = format!(
            "the older snapshot is of pipeline `{of_old}` and the newer of `{of_new}`; ids say nothing across pipelines"
        );
        return Err(RunError::settings(message));
    }
    let (before, now) = (bridge(old)?, bridge(new)?);
    let alive: BTreeSet<&str> = now.values().map(String::as_str).collect();
    let heirs = heirs(new, &alive)?;
    let mut places: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for (key, place) in &before {
        places.entry(place).or_default().push(key);
    }
    let mut lines = Vec::new();
    for (id, keys) in places {
        let mut went: BTreeMap<&str, usize> = BTreeMap::new();
        for place in keys.iter().filter_map(|key| now.get(*key)) {
            *went.entry(place).or_default() += 1;
        }
        if alive.contains(id) {
            went.entry(id).or_default();
        }
        let line = |fate, new_id: Option<&str>, records| Succession {
            old_id: id.to_owned(),
            fate,
            new_id: new_id.map(str::to_owned),
            records,
            old_records: keys.len(),
        };
        if went.is_empty() {
            let heir = keys.iter().find_map(|key| heirs.get(*key)).map(String::as_str);
            lines.push(line(if heir.is_some() { Fate::Successor } else { Fate::Removed }, heir, 0));
        }
        let is_one = went.len() == 1;
        let mut here: Vec<Succession> = Vec::new();
        for (place, records) in went {
            let fate = match (place == id, is_one) {
                (true, _) => Fate::Same,
                (false, true) => Fate::MergedInto,
                (false, false) => Fate::SplitInto,
            };
            here.push(line(fate, Some(place), records));
        }
        here.sort();
        lines.extend(here);
    }
    let reached: BTreeSet<&str> = lines.iter().filter_map(|line| line.new_id.as_deref()).collect();
    let new_places = alive.difference(&reached).count();
    Ok(Successions { lines, new_places })
}

/// Place of each record.
fn bridge(snapshot: &dyn Snapshot) -> Result<BTreeMap<Key, String>, RunError> {
    let rows = read_rows(snapshot as &dyn Tables, &SOURCES, &["place_id", "dataset", "record_id"])?;
    let text = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
    Ok(rows.iter().map(|row| ((text(&row[1]), text(&row[2])), text(&row[0]))).collect())
}

/// For records that are gone: the place that is there now and was theirs last, or the one into which that went.
fn heirs(snapshot: &dyn Snapshot, alive: &BTreeSet<&str>) -> Result<BTreeMap<Key, String>, RunError> {
    let rows = read_rows(snapshot as &dyn Tables, &IDENTITY, &["dataset", "record_id", "place_id", "successor"])?;
    let heir = |row: &Vec<Cell>| {
        let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
        let place = [2, 3].map(|at| row[at].as_text()).into_iter().flatten().find(|id| alive.contains(id))?;
        Some(((text(0), text(1)), place.to_owned()))
    };
    Ok(rows.iter().filter_map(heir).collect())
}
