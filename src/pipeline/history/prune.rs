//! Prune: which snapshots a store need not keep.
//!
//! The newest snapshot of each of the last so many days, weeks and months that have one is kept; days end in UTC, weeks are
//! those of ISO 8601, and time is that of vintages, so the clock plays no part.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{State, latest_id, oldest_first, state};
use crate::domain::Timestamp;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Kept, SnapshotStore};

/// How many snapshots are kept. The `[retention]` table of a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Retention {
    /// Days with a snapshot.
    pub daily: u32,
    /// Weeks with a snapshot.
    pub weekly: u32,
    /// Months with a snapshot.
    pub monthly: u32,
}

/// What becomes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Its id.
    pub snapshot: String,
    /// Its vintage.
    pub vintage: Option<Timestamp>,
    /// Size of all its files.
    pub size_bytes: u64,
    /// Whether it is kept.
    pub keep: bool,
    /// Why.
    pub reasons: Vec<String>,
}

/// What was done to a store, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Whether nothing was touched.
    pub dry_run: bool,
    /// Every snapshot, the oldest first.
    pub snapshots: Vec<Verdict>,
}

impl Pruned {
    /// Snapshots that go, and their size.
    #[must_use]
    pub fn removed(&self) -> (usize, u64) {
        let removed = || self.snapshots.iter().filter(|verdict| !verdict.keep);
        (removed().count(), removed().map(|verdict| verdict.size_bytes).sum())
    }
}

/// Removes every snapshot that nothing keeps: neither the retention, nor that it is the latest, held, undated or unreadable,
/// nor that the latest or a held one starts from it.
///
/// # Errors
///
/// [`RunError::Settings`] when the retention keeps nothing, [`RunError::Locked`] while a run is at work, or when the store
/// cannot be read or written to. What was removed until then is removed whole.
pub fn prune(store: &dyn SnapshotStore, retention: Retention, dry_run: bool) -> Result<Pruned, RunError> {
    if retention == Retention::default() {
        let message = "say what to keep: `[retention]` in the pipeline file with daily, weekly or monthly, or --keep-daily, \
                       --keep-weekly or --keep-monthly; at least one must be more than 0";
        return Err(RunError::settings(message));
    }
    let _lock = if dry_run { None } else { Some(store.lock()?) };
    let latest = latest_id(store)?;
    let kept = oldest_first(store.list()?);
    let snapshots = verdicts(&kept, latest.as_deref(), retention);
    if !dry_run {
        store.settle()?;
        let unfinished: BTreeSet<&str> = kept.iter().filter(|kept| kept.is_unfinished).map(|kept| &*kept.id).collect();
        for verdict in snapshots.iter().filter(|verdict| !verdict.keep && !unfinished.contains(&*verdict.snapshot)) {
            store.remove(&verdict.snapshot)?;
        }
    }
    Ok(Pruned { dry_run, snapshots })
}

/// What becomes of each of these, the oldest first.
fn verdicts(kept: &[Kept], latest: Option<&str>, retention: Retention) -> Vec<Verdict> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut keep = |id, reason: String| reasons.entry(id).or_default().push(reason);
    for one in kept {
        let base = one.snapshot.as_ref().ok().and_then(|snapshot| snapshot.manifest().base.as_deref());
        match (state(one, latest), &one.snapshot) {
            (State::Latest, _) => {
                keep(&*one.id, "latest".to_owned());
                if let Some(base) = base {
                    keep(base, "base of the latest".to_owned());
                }
            }
            (State::Held, _) => {
                keep(&*one.id, "held back".to_owned());
                if let Some(base) = base {
                    keep(base, format!("base of {}, which is held back", one.id));
                }
            }
            (State::Damaged, Err(error)) => {
                keep(&*one.id, format!("a person must look at it: {}", error.in_one_line()));
            }
            (State::Published, Ok(snapshot)) if snapshot.manifest().vintage.is_none() => {
                keep(&*one.id, "undated".to_owned());
            }
            _ => {}
        }
    }
    let dated = kept.iter().filter(|one| matches!(state(one, latest), State::Latest | State::Published));
    let mut dated: Vec<(Timestamp, &str)> = dated.filter_map(|one| Some((vintage(one)?, &*one.id))).collect();
    // The newest first; of equal vintages the one that was published last.
    dated.reverse();
    dated.sort_by(|(a, _), (b, _)| b.cmp(a));
    let rules = [
        ("daily", retention.daily, "%Y-%m-%d"),
        ("weekly", retention.weekly, "%G-W%V"),
        ("monthly", retention.monthly, "%Y-%m"),
    ];
    for (rule, most, period) in rules {
        let mut seen = BTreeSet::new();
        for (time, id) in &dated {
            let period = time.strftime(period).to_string();
            if seen.len() < most as usize && seen.insert(period.clone()) {
                keep(id, format!("{rule} {period}"));
            }
        }
    }
    let verdict = |one: &Kept| {
        let why = reasons.remove(&*one.id);
        let gone = if one.is_unfinished { "never published: its run was cut off" } else { "no rule keeps it" };
        Verdict {
            snapshot: one.id.clone(),
            vintage: vintage(one),
            size_bytes: one.size_bytes,
            keep: why.is_some(),
            reasons: why.unwrap_or_else(|| vec![gone.to_owned()]),
        }
    };
    kept.iter().map(verdict).collect()
}

fn vintage(kept: &Kept) -> Option<Timestamp> {
    kept.snapshot.as_ref().ok()?.manifest().vintage
}
