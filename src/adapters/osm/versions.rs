//! Which version of an object counts, where a source has several: the same id twice in one file, in several files, or in
//! updates.

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::OsmError;
use super::block::Detail;
use super::blocks::Blocks;
use super::changes;
use super::layout::Layout;
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

    /// Finds the tagged objects that are in the files more than once: the one of the highest version counts, of equal
    /// ones the first.
    ///
    /// - **Cost**: 40 bytes per tagged object while it looks; only for files in no order, and for several files.
    pub(super) fn find_repeated(&mut self, blocks: &Blocks, layout: &Layout) -> Result<(), OsmError> {
        for kind in [ObjectKind::Node, ObjectKind::Way, ObjectKind::Relation] {
            let stage = layout.stage(kind, false);
            let mut met: Vec<(i64, Reverse<Option<i32>>, Place, usize)> = Vec::new();
            blocks.each(
                &stage.pieces,
                |at, block| {
                    let mut of_block = Vec::new();
                    let mut ordinal = 0;
                    let mut note = |id, tagged: bool, version| {
                        if tagged {
                            of_block.push((id, Reverse(version), (at as u32, ordinal), stage.pieces[at].file()));
                        }
                        ordinal += 1;
                        Ok(())
                    };
                    match kind {
                        ObjectKind::Node => {
                            block.nodes(Detail::Version, |node| note(node.id, !node.tags.is_empty(), node.meta.version))
                        }
                        ObjectKind::Way => block.ways(|way| note(way.id, true, way.meta.version)),
                        ObjectKind::Relation => block.relations(|it| note(it.id, true, it.meta.version)),
                    }?;
                    Ok(of_block)
                },
                |_, of_block| {
                    met.extend(of_block);
                    Ok::<_, OsmError>(())
                },
            )?;
            met.par_sort_unstable();
            for same in met.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
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
