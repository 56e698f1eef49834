//! Positions of the nodes that ways refer to, by id.
//!
//! Eight bytes per position, for nodes that something wanted refers to and no others. Ids take 16 bytes per range of those
//! that follow each other, and a quarter of a byte for the index: on `world-sample.osm.pbf` 3.2 bytes per node for
//! everything (4,137,145 nodes in 816,967 ranges) and 7.6 for places (178,603 in 84,058).
//!
//! Positions that take more than a quarter of the memory limit are a mapped scratch file. Ids are one when they did not fit
//! into another quarter while they were collected (see [`super::referred`]). Only the index is in memory in any case.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::referred::Room;
use super::table::{Run, Table, TableFile};
use crate::adapters::io::{FolderScratch, ScratchError};
use crate::domain::Position;

/// Of a node that the input does not have: no position has this longitude.
const MISSING: u64 = packed(Position { lon: i32::MIN, lat: i32::MIN });

/// Ranges in one block of the index: small enough for the index to stay in the cache.
const INDEX_STEP: usize = 32;

const fn packed(position: Position) -> u64 {
    (position.lon as u32 as u64) << 32 | position.lat as u32 as u64
}

const fn unpacked(bits: u64) -> Position {
    Position { lon: (bits >> 32) as u32 as i32, lat: bits as u32 as i32 }
}

/// Ranges on their way into the table, in order.
pub(super) struct Building {
    runs: Runs,
    index: Vec<i64>,
    length: usize,
    count: u64,
}

/// Where the ranges go.
enum Runs {
    Memory(Vec<Run>),
    File(TableFile<Run>),
}

impl Building {
    /// In memory, for so many ranges.
    pub(super) fn in_memory(ranges: usize) -> Self {
        Self::new(Runs::Memory(Vec::with_capacity(ranges + 1)))
    }

    /// In a scratch file.
    pub(super) fn in_scratch(scratch: &FolderScratch) -> Result<Self, ScratchError> {
        Ok(Self::new(Runs::File(TableFile::create(scratch, "ids of nodes")?)))
    }

    fn new(runs: Runs) -> Self {
        Self { runs, index: Vec::new(), length: 0, count: 0 }
    }

    /// Appends ids from the first up to, and without, the second.
    pub(super) fn push(&mut self, (first, end): (i64, i64)) -> Result<(), ScratchError> {
        if self.length.is_multiple_of(INDEX_STEP) {
            self.index.push(first);
        }
        self.length += 1;
        let run = Run { first, place: self.count };
        self.count += end.abs_diff(first);
        match &mut self.runs {
            Runs::Memory(runs) => runs.push(run),
            Runs::File(file) => file.push(&run)?,
        }
        Ok(())
    }

    /// All ids, with no position yet: in memory, or where there is room instead.
    pub(super) fn finish(mut self, room: Option<&Room>) -> Result<Locations, ScratchError> {
        // The end of the last range.
        let (index, count) = (std::mem::take(&mut self.index), self.count);
        self.push((i64::MAX, i64::MAX))?;
        let runs = match self.runs {
            Runs::Memory(runs) => Table::Memory(runs),
            Runs::File(file) => file.finish()?,
        };
        let missing = || AtomicU64::new(MISSING);
        let positions = match room.and_then(|room| room.instead_of_memory(8 * count)) {
            Some(scratch) if count > 0 => {
                let mut file = TableFile::create(scratch, "positions of nodes")?;
                (0..count).try_for_each(|_| file.push(&missing()))?;
                file.finish()?
            }
            _ => Table::Memory((0..count).map(|_| missing()).collect()),
        };
        Ok(Locations { runs, index, positions })
    }
}

/// The nodes that are referred to, with the positions found so far.
pub(super) struct Locations {
    /// The ranges, and a last run of none that tells where the one before it ends.
    runs: Table<Run>,
    /// The first id of every [`INDEX_STEP`]th range.
    index: Vec<i64>,
    /// Written by one thread while others look for ids.
    positions: Table<AtomicU64>,
}

/// The place of `id`, if it is in this range.
#[inline]
fn within(runs: &[Run], at: usize, id: i64) -> Option<u64> {
    let (run, next) = (runs.get(at)?, runs.get(at + 1)?);
    let ahead = id.abs_diff(run.first);
    (id >= run.first && ahead < next.place - run.place).then(|| run.place + ahead)
}

impl Locations {
    /// Whether no node is referred to.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.len() <= 1
    }

    /// The range that `id` would be in: the last that begins at it or before.
    fn range_of(&self, runs: &[Run], id: i64) -> Option<usize> {
        let begin = (self.index.partition_point(|first| *first <= id).checked_sub(1)?) * INDEX_STEP;
        let end = (begin + INDEX_STEP).min(runs.len());
        Some(begin + runs[begin..end].partition_point(|run| run.first <= id) - 1)
    }

    /// Where `id` is kept, if something refers to it; `near` is the range of the id looked for before.
    #[inline]
    pub(super) fn place(&self, id: i64, near: &mut usize) -> Option<u64> {
        let runs = &*self.runs;
        if let Some(place) = within(runs, *near, id) {
            return Some(place);
        }
        *near = self.range_of(runs, id)?;
        within(runs, *near, id)
    }

    /// The position of `id`, if the input has it.
    #[inline]
    pub(super) fn get(&self, id: i64, near: &mut usize) -> Option<Position> {
        let position = self.positions[self.place(id, near)? as usize].load(Relaxed);
        (position != MISSING).then(|| unpacked(position))
    }

    /// Sets a position; of a node given twice, the first counts.
    pub(super) fn set(&self, place: u64, position: Position) {
        let place = &self.positions[place as usize];
        if place.load(Relaxed) == MISSING {
            place.store(packed(position), Relaxed);
        }
    }

    /// As [`Locations::place`], for ids that ascend: quicker than looking for each.
    #[inline]
    pub(super) fn walk(&self, id: i64, at: &mut usize) -> Option<u64> {
        let runs = &*self.runs;
        let ahead = runs.get(*at + 8).is_some_and(|run| run.first <= id);
        let behind = runs.get(*at).is_none_or(|run| run.first > id);
        if ahead || behind {
            *at = self.range_of(runs, id).unwrap_or(0);
        }
        while runs.get(*at + 1).is_some_and(|run| run.first <= id) {
            *at += 1;
        }
        within(runs, *at, id)
    }

    /// The positions of many ids, in their order: looked up in the order of the ids, which the memory likes better.
    pub(super) fn resolve(&self, ids: &[i64], into: &mut Vec<Option<Position>>) {
        // Runs of consecutive ids by their first: where they begin among `ids`, and how many they are.
        let mut runs: Vec<(i64, u32, u32)> = Vec::with_capacity(ids.len() / 2);
        for (at, id) in ids.iter().enumerate() {
            match runs.last_mut() {
                Some((first, _, length)) if first.checked_add(i64::from(*length)) == Some(*id) => *length += 1,
                _ => runs.push((*id, at as u32, 1)),
            }
        }
        runs.sort_unstable();
        into.clear();
        into.resize(ids.len(), None);
        let mut range = 0;
        let positions = &*self.positions;
        for (first, at, length) in runs {
            for step in 0..length {
                let place = self.walk(first + i64::from(step), &mut range);
                let position = place.map_or(MISSING, |place| positions[place as usize].load(Relaxed));
                into[(at + step) as usize] = (position != MISSING).then(|| unpacked(position));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::referred::{Ids, Referred};
    use super::*;

    proptest! {
        #[test]
        fn every_id_is_found_where_it_is(
            blocks in prop::collection::vec(prop::collection::vec(-50_i64..3_000, 0..400), 0..7),
            asked in prop::collection::vec(-60_i64..3_010, 0..200),
            // From a file for every block, over one for some of them and mapped positions, to all in memory.
            memory_bytes in prop::option::of(prop_oneof![Just(1_u64), 1_000_u64..100_000, Just(1 << 30)]),
        ) {
            let folder = tempfile::tempdir()?;
            let room = memory_bytes.map(|memory_bytes| Room::new(FolderScratch::new(folder.path()), memory_bytes));
            let mut referred = Referred::new(room.as_ref());
            for block in &blocks {
                let mut ids = Ids::default();
                ids.extend(block);
                referred.add(ids.sorted())?;
            }
            let locations = referred.locations()?;
            let expected: Vec<i64> = blocks.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
            let lengths = locations.runs.windows(2).map(|two| (two[0].first, (two[1].place - two[0].place) as i64));
            let ranges: Vec<(i64, i64)> = lengths.map(|(first, length)| (first, first + length)).collect();
            let ids: Vec<i64> = ranges.iter().flat_map(|(first, end)| *first..*end).collect();
            prop_assert_eq!(&ids, &expected);
            prop_assert!(ranges.windows(2).all(|two| two[0].1 < two[1].0), "ranges do not touch");
            let mapped = |share: u64| memory_bytes.is_some_and(|memory_bytes| share > memory_bytes / 4);
            prop_assert_eq!(matches!(locations.positions, Table::Mapped(..)), mapped(8 * ids.len() as u64));
            if memory_bytes.is_none_or(|memory_bytes| memory_bytes == 1 << 30) {
                prop_assert!(matches!(locations.runs, Table::Memory(_)));
            }
            prop_assert_eq!(locations.is_empty(), expected.is_empty());

            let at = |id: i64| Position { lon: id as i32, lat: 1 };
            let (mut near, mut from) = (0, 0);
            for id in &asked {
                let place = expected.binary_search(id).ok().map(|place| place as u64);
                prop_assert_eq!(locations.place(*id, &mut near), place);
                prop_assert_eq!(locations.walk(*id, &mut from), place);
                prop_assert_eq!(locations.get(*id, &mut near), None);
            }
            // Every second has a position.
            for (place, id) in expected.iter().enumerate().step_by(2) {
                locations.set(place as u64, at(*id));
                locations.set(place as u64, Position { lon: 0, lat: 2 });
            }
            let mut found = Vec::new();
            locations.resolve(&asked, &mut found);
            for (id, found) in asked.iter().zip(found) {
                let there = expected.binary_search(id).is_ok_and(|place| place % 2 == 0).then(|| at(*id));
                prop_assert_eq!(found, there);
                prop_assert_eq!(locations.get(*id, &mut near), there);
            }
        }
    }
}
