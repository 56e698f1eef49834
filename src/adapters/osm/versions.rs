//! Which version of an object counts, where a source has several: the same id twice in one file, in several files, or in
//! updates.

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::block::{Block, Detail};
use super::blocks::Blocks;
use super::changes;
use super::layout::Layout;
use super::{Fault, OsmError};
use crate::domain::ObjectKind;

/// An object of a source.
pub(super) type Key = (ObjectKind, i64);

/// Where an object is met: the place of its block among the source's, and its place in it among the objects of its kind.
pub(super) type Place = (u32, u32);

/// Versions that do not count.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Objects that updates name.
    pub(super) updated: changes::Versions,
    /// Objects that a file has in a later version than the updates.
    pub(super) outdated: FxHashSet<Key>,
    /// Objects that are in the files more than once.
    repeated: FxHashMap<Key, Repeated>,
}

/// An object that is in the files more than once.
#[derive(Debug, Clone, Copy)]
struct Repeated {
    /// The one that counts.
    counts: Place,
    /// Whether all are in the same file.
    in_one_file: bool,
}

/// What is to be done with a version of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// It is the object.
    Yes,
    /// A later version is, in another file or in updates.
    Superseded,
    /// Another object of the same id in the same file is.
    Repeated,
    /// It is the object, and the version in the updates is not.
    Outdates,
}

impl Versions {
    /// The versions of files over which updates are laid.
    pub(super) fn new(updated: changes::Versions) -> Self {
        Self { updated, ..Self::default() }
    }

    /// Whether every object is there once.
    pub(super) fn is_plain(&self) -> bool {
        self.updated.len() == 0 && self.repeated.is_empty()
    }

    /// What is to be done with an object of the files.
    pub(super) fn in_files(&self, key: Key, version: Option<i32>, place: Place) -> Counts {
        if let Some(repeated) = self.repeated.get(&key)
            && repeated.counts != place
        {
            return if repeated.in_one_file { Counts::Repeated } else { Counts::Superseded };
        }
        let (kind, id) = key;
        if self.updated.supersede(kind, id, version) {
            Counts::Superseded
        } else if self.updated.name(kind, id) {
            Counts::Outdates
        } else {
            Counts::Yes
        }
    }

    /// What is to be done with an object of the updates.
    pub(super) fn in_updates(&self, key: Key) -> Counts {
        if self.outdated.contains(&key) { Counts::Superseded } else { Counts::Yes }
    }

    /// Finds the objects that are in the files more than once: the one of the highest version counts, of equal ones the
    /// first; in one file always the first.
    ///
    /// - **Cost**: 16 bytes per run of consecutive ids while it looks, and 40 per object that is there more than once;
    ///   only for files in no order, and for several files.
    pub(super) fn find_repeated(&mut self, blocks: &Blocks, layout: &Layout) -> Result<(), OsmError> {
        for kind in [ObjectKind::Node, ObjectKind::Way, ObjectKind::Relation] {
            let stage = layout.stage(kind, false);
            let mut runs = Vec::new();
            blocks.each(
                &stage.pieces,
                |_, block| runs_of(block, kind),
                |_, of_block| {
                    runs.extend(of_block);
                    Ok::<_, OsmError>(())
                },
            )?;
            let several = covered_twice(runs);
            if several.is_empty() {
                continue;
            }
            let mut met: Vec<(i64, Reverse<Option<i32>>, Place, usize)> = Vec::new();
            blocks.each(
                &stage.pieces,
                |at, block| {
                    let mut of_block = Vec::new();
                    let mut ordinal = 0;
                    each(block, kind, |id, version| {
                        if holds(&several, id) {
                            of_block.push((id, Reverse(version), (at as u32, ordinal), stage.pieces[at].file()));
                        }
                        ordinal += 1;
                    })?;
                    Ok(of_block)
                },
                |_, of_block| {
                    met.extend(of_block);
                    Ok::<_, OsmError>(())
                },
            )?;
            met.par_sort_unstable();
            for same in met.chunk_by(|a, b| a.0 == b.0) {
                let in_one_file = same.iter().all(|(.., file)| *file == same[0].3);
                let counts = if in_one_file {
                    // An id given twice is a fault of the file: the first is kept, as by every reader of streams.
                    same.iter().map(|(_, _, place, _)| *place).min().unwrap_or(same[0].2)
                } else {
                    same[0].2
                };
                self.repeated.insert((kind, same[0].0), Repeated { counts, in_one_file });
            }
        }
        Ok(())
    }
}

/// Ids from the first to the last.
type Run = (i64, i64);

/// Shows the id and version of every object of a kind, in the order of the block.
fn each(block: &Block<'_>, kind: ObjectKind, mut show: impl FnMut(i64, Option<i32>)) -> Result<(), Fault> {
    match kind {
        ObjectKind::Node => block.nodes(Detail::Version, |node| {
            show(node.id, node.meta.version);
            Ok(())
        }),
        ObjectKind::Way => block.ways(|way| {
            show(way.id, way.meta.version);
            Ok(())
        }),
        ObjectKind::Relation => block.relations(|relation| {
            show(relation.id, relation.meta.version);
            Ok(())
        }),
    }
}

/// The ids of a block as runs of consecutive ones; an id that is there twice is in two runs.
fn runs_of(block: &Block<'_>, kind: ObjectKind) -> Result<Vec<Run>, Fault> {
    let mut runs: Vec<Run> = Vec::new();
    each(block, kind, |id, _| match runs.last_mut() {
        Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
        _ => runs.push((id, id)),
    })?;
    Ok(runs)
}

/// What is in more than one run, as runs in order that do not overlap.
fn covered_twice(mut runs: Vec<Run>) -> Vec<Run> {
    runs.par_sort_unstable();
    let mut twice: Vec<Run> = Vec::new();
    let mut reached: Option<i64> = None;
    for (first, last) in runs {
        if let Some(reached) = reached.filter(|reached| *reached >= first) {
            let end = last.min(reached);
            match twice.last_mut() {
                Some(before) if before.1 >= first => before.1 = before.1.max(end),
                _ => twice.push((first, end)),
            }
        }
        reached = reached.max(Some(last));
    }
    twice
}

fn holds(runs: &[Run], id: i64) -> bool {
    let behind = runs.partition_point(|(first, _)| *first <= id);
    behind > 0 && runs[behind - 1].1 >= id
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn exactly_the_ids_of_several_runs_are_found(
            runs in prop::collection::vec((-40_i64..40, 0_i64..9).prop_map(|(first, more)| (first, first + more)), 0..20),
        ) {
            let mut times: BTreeMap<i64, u32> = BTreeMap::new();
            for id in runs.iter().flat_map(|(first, last)| *first..=*last) {
                *times.entry(id).or_default() += 1;
            }
            let twice = covered_twice(runs);
            prop_assert!(twice.windows(2).all(|two| two[0].1 < two[1].0));
            for id in -50..60 {
                prop_assert_eq!(holds(&twice, id), times.get(&id).is_some_and(|times| *times > 1), "{}", id);
            }
        }
    }
}
