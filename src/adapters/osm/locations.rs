//! Positions of the nodes that ways refer to, by id.
//!
//! Eight bytes per position, for nodes that something wanted refers to and no others. Ids are kept as ranges, because
//! ways name most of their nodes in the order in which they were made: about three ids to a range of 20 bytes.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

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

/// Ids from the first up to, and without, the second.
type Range = (i64, i64);

/// Ids that are referred to, as sorted ranges that do not touch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids(Vec<Range>);

impl Ids {
    /// Adds ids in any order, as part of ranges that are put in order by [`Ids::sorted`].
    pub(super) fn extend(&mut self, ids: &[i64]) {
        for id in ids {
            match self.0.last_mut() {
                Some(last) if last.1 == *id => last.1 = id.saturating_add(1),
                Some(last) if last.0 == id.saturating_add(1) => last.0 = *id,
                Some(last) if (last.0..last.1).contains(id) => {}
                _ => self.0.push((*id, id.saturating_add(1))),
            }
        }
    }

    /// The ids in order, each once.
    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        let mut kept = 0;
        for at in 1..self.0.len() {
            let range = self.0[at];
            if range.0 <= self.0[kept].1 {
                self.0[kept].1 = self.0[kept].1.max(range.1);
            } else {
                kept += 1;
                self.0[kept] = range;
            }
        }
        self.0.truncate(kept + 1);
        self.0.shrink_to_fit();
        self
    }

    /// The ids of both, in order.
    fn union(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().copied().peekable(), other.0.iter().copied().peekable());
        let mut union: Vec<Range> = Vec::with_capacity(self.0.len() + other.0.len());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x <= y => a.next(),
                (_, Some(_)) => b.next(),
                _ => a.next(),
            };
            let Some(next) = next else { break };
            match union.last_mut() {
                Some(last) if next.0 <= last.1 => last.1 = last.1.max(next.1),
                _ => union.push(next),
            }
        }
        union.shrink_to_fit();
        Self(union)
    }
}

/// Collects the ids that are referred to, block by block.
#[derive(Default)]
pub(super) struct Referred {
    blocks: Vec<Ids>,
}

impl Referred {
    /// Adds ids in order.
    pub(super) fn add(&mut self, ids: Ids) {
        if !ids.0.is_empty() {
            self.blocks.push(ids);
        }
    }

    /// All ids, with no position yet.
    pub(super) fn locations(self) -> Locations {
        let mut blocks = self.blocks;
        while blocks.len() > 1 {
            let pair = |pair: &[Ids]| match pair {
                [a, b] => a.union(b),
                rest => Ids(rest.iter().flat_map(|ids| ids.0.iter().copied()).collect()),
            };
            blocks = blocks.par_chunks(2).map(pair).collect();
        }
        let ranges = blocks.pop().unwrap_or_default().0;
        let mut count = 0;
        let places = ranges.iter().map(|(first, end)| {
            let place = count;
            count += end.abs_diff(*first);
            place
        });
        let places: Vec<u64> = places.collect();
        Locations {
            index: ranges.iter().step_by(INDEX_STEP).map(|(first, _)| *first).collect(),
            ranges,
            places,
            positions: (0..count).map(|_| AtomicU64::new(MISSING)).collect(),
        }
    }
}

/// The nodes that are referred to, with the positions found so far.
#[derive(Default)]
pub(super) struct Locations {
    ranges: Vec<Range>,
    /// Per range, the place of its first id.
    places: Vec<u64>,
    /// The first id of every [`INDEX_STEP`]th range.
    index: Vec<i64>,
    /// Written by one thread while others look for ids.
    positions: Vec<AtomicU64>,
}

impl Locations {
    /// Whether no node is referred to.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The range that `id` would be in: the last that begins at it or before.
    fn range_of(&self, id: i64) -> Option<usize> {
        let begin = (self.index.partition_point(|first| *first <= id).checked_sub(1)?) * INDEX_STEP;
        let end = (begin + INDEX_STEP).min(self.ranges.len());
        Some(begin + self.ranges[begin..end].partition_point(|(first, _)| *first <= id) - 1)
    }

    /// Where `id` is kept, if something refers to it; `near` is the range of the id looked for before.
    #[inline]
    pub(super) fn place(&self, id: i64, near: &mut usize) -> Option<u64> {
        let within = |at: usize| {
            let (first, end) = *self.ranges.get(at)?;
            (first..end).contains(&id).then(|| self.places[at] + id.abs_diff(first))
        };
        if let Some(place) = within(*near) {
            return Some(place);
        }
        *near = self.range_of(id)?;
        within(*near)
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
        let ahead = self.ranges.get(*at + 8).is_some_and(|(first, _)| *first <= id);
        let behind = self.ranges.get(*at).is_none_or(|(first, _)| *first > id);
        if ahead || behind {
            *at = self.range_of(id).unwrap_or(0);
        }
        while self.ranges.get(*at + 1).is_some_and(|(first, _)| *first <= id) {
            *at += 1;
        }
        let (first, end) = *self.ranges.get(*at)?;
        (first..end).contains(&id).then(|| self.places[*at] + id.abs_diff(first))
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
        for (first, at, length) in runs {
            for step in 0..length {
                let place = self.walk(first + i64::from(step), &mut range);
                let position = place.map_or(MISSING, |place| self.positions[place as usize].load(Relaxed));
                into[(at + step) as usize] = (position != MISSING).then(|| unpacked(position));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_is_found_where_it_is(
            blocks in prop::collection::vec(prop::collection::vec(-50_i64..3_000, 0..400), 0..7),
            asked in prop::collection::vec(-60_i64..3_010, 0..200),
        ) {
            let mut referred = Referred::default();
            for block in &blocks {
                let mut ids = Ids::default();
                ids.extend(block);
                referred.add(ids.sorted());
            }
            let locations = referred.locations();
            let expected: Vec<i64> = blocks.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
            let ids: Vec<i64> = locations.ranges.iter().flat_map(|(first, end)| *first..*end).collect();
            prop_assert_eq!(&ids, &expected);
            prop_assert!(locations.ranges.windows(2).all(|two| two[0].1 < two[1].0), "ranges do not touch");

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
