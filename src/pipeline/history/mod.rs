//! History: what a store tells of its snapshots, and of a place over all of them.
//!
//! Time is that of vintages. The order is that in which snapshots follow from each other, each after its base; vintages
//! decide where that says nothing.

mod life;
mod place;
mod prune;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::RunError;
use super::ports::{Kept, SnapshotStore};
use super::tabulate::tables::holds_places;
use crate::domain::{Manifest, Timestamp};
pub use life::{Event, FieldChange, Life, Tie, lives};
pub use place::{PlaceThen, Record, Said, place_as_of};
pub use prune::{Pruned, Retention, Verdict, prune};

/// What a snapshot is to its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// What readers see.
    Latest,
    /// It was the latest once.
    Published,
    /// The gate holds it back.
    Held,
    /// Never published: the run that was about to was cut off.
    Unfinished,
    /// It cannot be read.
    Damaged,
}

/// A snapshot as the list tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its id.
    pub snapshot: String,
    /// What it is to its store.
    pub state: State,
    /// Its vintage. `None` where no source has a date, or it cannot be read.
    pub vintage: Option<Timestamp>,
    /// The snapshot that it starts from.
    pub base: Option<String>,
    /// Whether that is still kept.
    pub base_is_kept: bool,
    /// Places.
    pub places: u64,
    /// Rows of all layers together.
    pub layer_rows: u64,
    /// Changes of places by class.
    pub changes: BTreeMap<String, u64>,
    /// Size of all its files.
    pub size_bytes: u64,
    /// Why the gate held it back.
    pub held: Vec<String>,
    /// When a person released it.
    pub released_at: Option<Timestamp>,
    /// Why it cannot be read.
    pub error: Option<String>,
}

/// Every snapshot of a store, the oldest first.
///
/// # Errors
///
/// When the store or its `latest` cannot be read. A snapshot that cannot is in the list.
pub fn list(store: &dyn SnapshotStore) -> Result<Vec<Listed>, RunError> {
    let latest = latest_id(store)?;
    let kept = oldest_first(store.list()?);
    let ids: BTreeSet<&str> = kept.iter().map(|kept| kept.id.as_str()).collect();
    Ok(kept.iter().map(|kept| listed(kept, latest.as_deref(), &ids)).collect())
}

/// The snapshot that was the latest when its data was that of this time: of all that were published, the one with the newest
/// vintage up to then.
///
/// # Errors
///
/// As [`list`]; [`RunError::Settings`] when none is that old.
pub fn as_of(store: &dyn SnapshotStore, time: Timestamp) -> Result<Listed, RunError> {
    let all = list(store)?;
    let published = || all.iter().filter(|listed| matches!(listed.state, State::Latest | State::Published));
    let found = published().filter(|listed| listed.vintage.is_some_and(|vintage| vintage <= time));
    // Of equal vintages, what was published later; `max_by_key` takes the last.
    if let Some(found) = found.max_by_key(|listed| listed.vintage) {
        return Ok(found.clone());
    }
    let oldest = published().filter_map(|listed| listed.vintage).min();
    Err(RunError::settings(match oldest {
        Some(oldest) => format!("no snapshot is as old as {time}; the oldest that is kept is of {oldest}"),
        None => format!("no snapshot is as old as {time}; none that is kept has a date"),
    }))
}

fn latest_id(store: &dyn SnapshotStore) -> Result<Option<String>, RunError> {
    Ok(store.latest()?.map(|latest| latest.manifest().snapshot.clone()))
}

fn state(kept: &Kept, latest: Option<&str>) -> State {
    match &kept.snapshot {
        Err(_) => State::Damaged,
        Ok(_) if kept.is_unfinished => State::Unfinished,
        Ok(_) if latest == Some(&*kept.id) => State::Latest,
        Ok(snapshot) if snapshot.is_held() => State::Held,
        Ok(_) => State::Published,
    }
}

fn listed(kept: &Kept, latest: Option<&str>, ids: &BTreeSet<&str>) -> Listed {
    let state = state(kept, latest);
    let empty = Listed {
        snapshot: kept.id.clone(),
        state,
        vintage: None,
        base: None,
        base_is_kept: false,
        places: 0,
        layer_rows: 0,
        changes: BTreeMap::new(),
        size_bytes: kept.size_bytes,
        held: Vec::new(),
        released_at: None,
        error: None,
    };
    let snapshot = match &kept.snapshot {
        Ok(snapshot) => snapshot,
        Err(error) => return Listed { error: Some(error.in_one_line()), ..empty },
    };
    let manifest = snapshot.manifest();
    let rows = |is: &dyn Fn(&str) -> bool| -> u64 {
        manifest.tables.iter().filter(|(name, _)| is(name)).map(|(_, file)| file.rows).sum()
    };
    let changes = manifest.counts.iter().filter_map(|(name, n)| Some((name.strip_prefix("changes_")?.to_owned(), *n)));
    Listed {
        vintage: manifest.vintage,
        base: manifest.base.clone(),
        base_is_kept: manifest.base.as_ref().is_some_and(|base| ids.contains(base.as_str())),
        places: manifest.counts.get("places").copied().unwrap_or_else(|| rows(&holds_places)),
        layer_rows: rows(&|name| name.starts_with("layers/")),
        changes: changes.collect(),
        held: manifest.held.clone(),
        released_at: snapshot.released().map(|release| release.released_at),
        ..empty
    }
}

/// The snapshots in order: each after its base, older vintages first.
fn oldest_first(mut kept: Vec<Kept>) -> Vec<Kept> {
    let manifest = |kept: &Kept| -> Option<Manifest> { kept.snapshot.as_ref().ok().map(|s| s.manifest().clone()) };
    kept.sort_by_cached_key(|kept| (manifest(kept).and_then(|manifest| manifest.vintage), kept.id.clone()));
    let bases: Vec<Option<String>> =
        kept.iter().map(|kept| manifest(kept).and_then(|manifest| manifest.base)).collect();
    let mut left: Vec<(Kept, Option<String>)> = kept.into_iter().zip(bases).collect();
    let mut ordered: Vec<Kept> = Vec::new();
    while !left.is_empty() {
        let waits = |base: &Option<String>| left.iter().any(|(kept, _)| Some(&kept.id) == base.as_ref());
        // Bases that go round in a circle can only be forged; any order will do.
        let next = left.iter().position(|(_, base)| !waits(base)).unwrap_or(0);
        ordered.push(left.remove(next).0);
    }
    ordered
}
