//! Identity: which id each place has, so that a place keeps its id while it keeps any of its records.
//!
//! The memory is a row per record ever seen. Four rules, in this order (DESIGN, "Identity and change"):
//!
//! 1. an id that several groups of records claim goes to the one with most of its records, then to the one with most
//!    records that never had another (a split);
//! 2. a group that claims several ids takes the one with most records, then the oldest, then the smallest (a merge);
//! 3. a group left without takes back an id that its records had before, if that is free;
//! 4. else it gets a new one: version 5 UUID of pipeline, source, record and the first number not yet used.
//!
//! A record that was gone and comes back claims the id that it had: its place is revived.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::RecordId;

/// The namespace of place ids, itself the version 5 UUID of `poimill:place` in the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0xd231_d236_7f4d_5b2a_91d2_9ccf_be10_c482);

/// A record by the name of its source, so that the memory outlives a change of the pipeline file.
pub type SeenKey = (Arc<str>, RecordId);

/// What is remembered of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The place it belongs to, or belonged to last.
    pub place_id: Uuid,
    /// Places it belonged to before, oldest first.
    pub former_place_ids: Vec<Uuid>,
    /// Vintage of the first snapshot with the record.
    pub first_seen: Arc<str>,
    /// Vintage of the last snapshot with the record.
    pub last_seen: Arc<str>,
    /// Whether it is in the snapshot that this memory belongs to.
    pub present: bool,
    /// Where its place is gone by a merge, the place it went into.
    pub successor: Option<Uuid>,
}

/// The memory: every record ever seen.
pub type Memory = BTreeMap<SeenKey, Seen>;

/// Gives each group of records its id and brings the memory up to date.
///
/// - **In**: groups by founding record, each with its founder first, and every record in one group only.
/// - **Out**: an id per group, in order; the memory for the next run.
#[must_use]
pub fn assign(pipeline: &str, groups: &[Vec<SeenKey>], before: Memory, vintage: &str) -> (Vec<Uuid>, Memory) {
    let age = ages(&before);
    let mut ids: Vec<Option<Uuid>> = vec![None; groups.len()];
    let mut taken: BTreeSet<Uuid> = BTreeSet::new();

    // Rules 1 and 2: the strongest claims first.
    let current = |seen: &Seen| vec![seen.place_id];
    give(&claims(groups, &ids, &before, &age, current), &mut ids, &mut taken);
    // Rule 3.
    let former = |seen: &Seen| seen.former_place_ids.clone();
    give(&claims(groups, &ids, &before, &age, former), &mut ids, &mut taken);
    // Rule 4.
    let mut used: BTreeSet<Uuid> = age.keys().copied().collect();
    let ids: Vec<Uuid> = groups
        .iter()
        .zip(ids)
        .map(|(group, id)| {
            id.unwrap_or_else(|| {
                let mut n = 0;
                loop {
                    let fresh = name_based(pipeline, &group[0], n);
                    if used.insert(fresh) {
                        break fresh;
                    }
                    n += 1;
                }
            })
        })
        .collect();
    let memory = remember(groups, &ids, before, vintage);
    (ids, memory)
}

/// The id that the `n`-th place founded by a record gets.
fn name_based(pipeline: &str, (dataset, record): &SeenKey, n: u32) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{pipeline}\u{1f}{dataset}\u{1f}{record}\u{1f}{n}").as_bytes())
}

/// Every id ever used, with the vintage of its oldest record.
fn ages(memory: &Memory) -> BTreeMap<Uuid, &str> {
    let mut age: BTreeMap<Uuid, &str> = BTreeMap::new();
    for seen in memory.values() {
        for id in std::iter::once(seen.place_id).chain(seen.former_place_ids.iter().copied()).chain(seen.successor) {
            let oldest = age.entry(id).or_insert(&*seen.first_seen);
            *oldest = (*oldest).min(&*seen.first_seen);
        }
    }
    age
}

/// A group's claim on an id, the strongest first in order: most records, most that never had another id, oldest,
/// smallest id, first group.
type Claim<'a> = (Reverse<usize>, Reverse<usize>, &'a str, Uuid, usize);

/// The claims of groups that have no id yet, the strongest first.
fn claims<'a>(
    groups: &[Vec<SeenKey>],
    ids: &[Option<Uuid>],
    before: &Memory,
    age: &BTreeMap<Uuid, &'a str>,
    ids_of: impl Fn(&Seen) -> Vec<Uuid>,
) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for (at, group) in groups.iter().enumerate().filter(|(at, _)| ids[*at].is_none()) {
        let mut records: BTreeMap<Uuid, (usize, usize)> = BTreeMap::new();
        for seen in group.iter().filter_map(|key| before.get(key)) {
            for id in ids_of(seen) {
                let (all, native) = records.entry(id).or_default();
                *all += 1;
                *native += usize::from(seen.former_place_ids.is_empty());
            }
        }
        claims.extend(records.into_iter().map(|(id, (all, native))| (Reverse(all), Reverse(native), age[&id], id, at)));
    }
    claims.sort_unstable();
    claims
}

fn give(claims: &[Claim<'_>], ids: &mut [Option<Uuid>], taken: &mut BTreeSet<Uuid>) {
    for (_, _, _, id, group) in claims {
        if ids[*group].is_none() && taken.insert(*id) {
            ids[*group] = Some(*id);
        }
    }
}

/// The memory after this run.
fn remember(groups: &[Vec<SeenKey>], ids: &[Uuid], before: Memory, vintage: &str) -> Memory {
    let mut after = before;
    let vintage: Arc<str> = vintage.into();
    for seen in after.values_mut() {
        seen.present = false;
    }
    for (group, id) in groups.iter().zip(ids) {
        for key in group {
            let seen = after.entry(key.clone()).or_insert_with(|| Seen {
                place_id: *id,
                former_place_ids: Vec::new(),
                first_seen: vintage.clone(),
                last_seen: vintage.clone(),
                present: true,
                successor: None,
            });
            if seen.place_id != *id {
                seen.former_place_ids.retain(|former| former != id && *former != seen.place_id);
                seen.former_place_ids.push(seen.place_id);
                seen.place_id = *id;
            }
            seen.last_seen = vintage.clone();
            seen.present = true;
        }
    }
    let successors = successors(&after, ids);
    for seen in after.values_mut() {
        seen.successor = successors.get(&seen.place_id).copied();
    }
    after
}

/// For each id that no place has any more, the place that has most of the records which once had it.
fn successors(memory: &Memory, ids: &[Uuid]) -> BTreeMap<Uuid, Uuid> {
    let alive: BTreeSet<Uuid> = ids.iter().copied().collect();
    let mut heirs: BTreeMap<Uuid, BTreeMap<Uuid, usize>> = BTreeMap::new();
    for seen in memory.values().filter(|seen| seen.present) {
        for former in seen.former_place_ids.iter().filter(|former| !alive.contains(former)) {
            *heirs.entry(*former).or_default().entry(seen.place_id).or_default() += 1;
        }
    }
    let most = |heirs: BTreeMap<Uuid, usize>| heirs.into_iter().max_by_key(|(id, n)| (*n, Reverse(*id)));
    heirs.into_iter().filter_map(|(gone, heirs)| Some((gone, most(heirs)?.0))).collect()
}

#[cfg(test)]
mod tests;
