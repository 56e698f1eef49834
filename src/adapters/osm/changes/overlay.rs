//! Many diffs as one: the newest version of every object that any of them names.

use std::io::BufRead;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::encode::{Body, Object, block};
use super::error::OscFault;
use super::osc::{Change, read_osc};
use crate::domain::{Input, ObjectKind, Timestamp};

/// Most objects in a block, as is usual in PBF files.
const BLOCK_OBJECTS: usize = 8_000;

/// About the most bytes in a block, well below the format's limit of 32 MiB.
const BLOCK_BYTES: usize = 8 << 20;

/// What changed, ready to be laid over an extract.
#[derive(Debug, Default)]
pub(in crate::adapters::osm) struct Overlay {
    /// Every object that changed, living and deleted.
    pub(in crate::adapters::osm) versions: Versions,
    /// The living ones: inflated primitive blocks, each of one kind and sorted by id; nodes, then ways, then relations.
    pub(in crate::adapters::osm) blocks: Vec<(ObjectKind, Vec<u8>)>,
    /// Number of the last diff.
    pub(in crate::adapters::osm) sequence: Option<u64>,
    /// The date that the last diff leads to, as its state file has it; else that of the newest change.
    pub(in crate::adapters::osm) vintage: Option<Timestamp>,
    /// The diffs, in the order applied.
    pub(in crate::adapters::osm) inputs: Vec<Input>,
    /// Objects by what became of them.
    pub(in crate::adapters::osm) counts: Counts,
    /// What a person should know, e.g. that the diffs were chosen by date.
    pub(in crate::adapters::osm) notes: Vec<String>,
}

/// Objects by what the newest change of each does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::adapters::osm) struct Counts {
    pub(in crate::adapters::osm) created: u64,
    pub(in crate::adapters::osm) modified: u64,
    pub(in crate::adapters::osm) deleted: u64,
}

/// The versions of the objects that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::adapters::osm) struct Versions(pub(super) [FxHashMap<i64, Option<i32>>; 3]);

impl Versions {
    /// Whether this version of an object is outdated: the object changed, and it is not newer than the change.
    pub(in crate::adapters::osm) fn supersede(&self, kind: ObjectKind, id: i64, version: Option<i32>) -> bool {
        match (self.0[kind as usize].get(&id), version) {
            (None, _) => false,
            (Some(Some(changed)), Some(version)) => version <= *changed,
            (Some(_), _) => true,
        }
    }

    /// Whether the object changed.
    pub(in crate::adapters::osm) fn name(&self, kind: ObjectKind, id: i64) -> bool {
        self.0[kind as usize].contains_key(&id)
    }

    /// How many objects changed.
    pub(in crate::adapters::osm) fn len(&self) -> usize {
        self.0.iter().map(FxHashMap::len).sum()
    }
}

/// The newest change of each object so far.
#[derive(Default)]
pub(super) struct Newest([FxHashMap<i64, Standing>; 3]);

/// What became of an object.
struct Standing {
    version: Option<i32>,
    state: State,
}

enum State {
    Created(Box<Object>),
    Modified(Box<Object>),
    Deleted,
}

impl Newest {
    /// The newest changes within one file.
    pub(super) fn of_file(input: impl BufRead) -> Result<Self, (u64, OscFault)> {
        let mut newest = Self::default();
        read_osc(input, |change| newest.take(change))?;
        Ok(newest)
    }

    pub(super) fn take(&mut self, change: Change) {
        let (kind, id, standing) = match change {
            Change::Create(object) => {
                let version = object.info.version;
                (object.kind(), object.id, Standing { version, state: State::Created(Box::new(object)) })
            }
            Change::Modify(object) => {
                let version = object.info.version;
                (object.kind(), object.id, Standing { version, state: State::Modified(Box::new(object)) })
            }
            Change::Delete { kind, id, version } => (kind, id, Standing { version, state: State::Deleted }),
        };
        self.put(kind as usize, id, standing);
    }

    /// Takes over what comes later. Of two versions the higher wins, no version being the lowest; of equal ones the later,
    /// because whoever derives diffs from extracts deletes an object under the version it had.
    pub(super) fn append(&mut self, later: Self) {
        for (kind, changes) in later.0.into_iter().enumerate() {
            for (id, standing) in changes {
                self.put(kind, id, standing);
            }
        }
    }

    fn put(&mut self, kind: usize, id: i64, standing: Standing) {
        let known = self.0[kind].get(&id);
        if known.is_none_or(|known| known.version <= standing.version) {
            self.0[kind].insert(id, standing);
        }
    }

    /// Encodes what lives; the rest of the overlay is left for the caller.
    pub(super) fn into_overlay(self) -> Overlay {
        let mut overlay = Overlay::default();
        let mut newest_s = None;
        let kinds = [ObjectKind::Node, ObjectKind::Way, ObjectKind::Relation];
        for (kind, standings) in kinds.into_iter().zip(&self.0) {
            let mut living = Vec::new();
            for (id, standing) in standings {
                overlay.versions.0[kind as usize].insert(*id, standing.version);
                match &standing.state {
                    State::Created(object) => {
                        overlay.counts.created += 1;
                        living.push(object.as_ref());
                    }
                    State::Modified(object) => {
                        overlay.counts.modified += 1;
                        living.push(object.as_ref());
                    }
                    State::Deleted => overlay.counts.deleted += 1,
                }
            }
            living.sort_unstable_by_key(|object| object.id);
            newest_s = newest_s.max(living.iter().filter_map(|object| object.info.time_s).max());
            let blocks: Vec<_> =
                chunks(&living).into_par_iter().map(|objects| (kind, block(objects.iter().copied()))).collect();
            overlay.blocks.extend(blocks);
        }
        overlay.vintage = newest_s.and_then(|seconds| Timestamp::from_second(seconds).ok());
        overlay
    }
}

/// Objects in pieces that a block can hold.
fn chunks<'a, 'b>(mut objects: &'b [&'a Object]) -> Vec<&'b [&'a Object]> {
    let mut chunks = Vec::new();
    while !objects.is_empty() {
        let mut bytes = 0;
        let fits = |object: &&&Object| {
            bytes += size_bytes(object);
            bytes <= BLOCK_BYTES
        };
        let count = objects.iter().take(BLOCK_OBJECTS).take_while(fits).count().max(1);
        let (chunk, rest) = objects.split_at(count);
        chunks.push(chunk);
        objects = rest;
    }
    chunks
}

/// About what an object takes in a block, at most.
fn size_bytes(object: &Object) -> usize {
    let tags: usize = object.tags.iter().map(|(key, value)| key.len() + value.len() + 10).sum();
    let body = match &object.body {
        Body::Node { .. } => 10,
        Body::Way(refs) => refs.len() * 9,
        Body::Relation(members) => members.iter().map(|member| member.role.len() + 15).sum(),
    };
    let user = object.info.user.as_ref().map_or(0, |user| user.len());
    60 + tags + body + user
}
