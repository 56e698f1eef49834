//! Positions of the nodes that ways refer to, by id.
//!
//! Eight bytes per position and eight per id, for nodes that something wanted refers to and no others. Ids are sorted;
//! ways name them in runs, so most are found beside the one before.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use crate::domain::Position;

/// Of a node that the input does not have: no position has this longitude.
const MISSING: u64 = packed(Position { lon: i32::MIN, lat: i32::MIN });

/// Ids in one block of the index: small enough to stay in the cache when all of it is searched.
const INDEX_STEP: usize = 64;

const fn packed(position: Position) -> u64 {
    (position.lon as u32 as u64) << 32 | position.lat as u32 as u64
}

fn unpacked(bits: u64) -> Position {
    Position { lon: (bits >> 32) as u32 as i32, lat: bits as u32 as i32 }
}

/// Collects the ids that are referred to.
#[derive(Default)]
pub(super) struct Referred {
    /// Each sorted, without repetition.
    runs: Vec<Vec<i64>>,
}

/// The nodes that are referred to, with the positions found so far.
#[derive(Default)]
pub(super) struct Locations {
    ids: Vec<i64>,
    /// Written by one thread while others look for ids.
    positions: Vec<AtomicU64>,
    /// Every [`INDEX_STEP`]th id.
    index: Vec<i64>,
}

impl Referred {
    /// Adds ids, sorted and without repetition.
    pub(super) fn add(&mut self, run: Vec<i64>) {
        if !run.is_empty() {
            self.runs.push(run);
        }
    }

    /// All ids, with no position yet.
    pub(super) fn locations(self) -> Locations {
        let mut runs = self.runs;
        while runs.len() > 1 {
            runs = runs.par_chunks_mut(2).map(merged).collect();
        }
        let ids = runs.pop().unwrap_or_default();
        let index = ids.iter().step_by(INDEX_STEP).copied().collect();
        Locations { positions: ids.iter().map(|_| AtomicU64::new(MISSING)).collect(), ids, index }
    }
}

/// One sorted run of one or two; they are left empty.
fn merged(runs: &mut [Vec<i64>]) -> Vec<i64> {
    let [a, b] = runs else { return std::mem::take(&mut runs[0]) };
    let (a, b) = (std::mem::take(a), std::mem::take(b));
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        merged.push(x.min(y));
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    merged.extend_from_slice(&a[i..]);
    merged.extend_from_slice(&b[j..]);
    merged.shrink_to_fit();
    merged
}

/// A place from which the next id is looked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Near(usize);

impl Locations {
    /// Whether no node is referred to.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Where `id` is kept, if something refers to it.
    #[inline]
    pub(super) fn place(&self, id: i64, near: &mut Near) -> Option<usize> {
        // Its successor, then itself, then those further on.
        for ahead in [1, 0, 2, 3] {
            if self.ids.get(near.0 + ahead) == Some(&id) {
                near.0 += ahead;
                return Some(near.0);
            }
        }
        let begin = (self.index.partition_point(|first| *first <= id).checked_sub(1)?) * INDEX_STEP;
        let end = (begin + INDEX_STEP).min(self.ids.len());
        let within = self.ids[begin..end].binary_search(&id).ok()?;
        near.0 = begin + within;
        Some(near.0)
    }

    /// The position of `id`, if the input has it.
    #[inline]
    pub(super) fn get(&self, id: i64, near: &mut Near) -> Option<Position> {
        let position = self.positions[self.place(id, near)?].load(Relaxed);
        (position != MISSING).then(|| unpacked(position))
    }

    /// Sets a position; of a node given twice, the first counts.
    pub(super) fn set(&self, place: usize, position: Position) {
        if self.positions[place].load(Relaxed) == MISSING {
            self.positions[place].store(packed(position), Relaxed);
        }
    }

    /// The places of ascending ids, from `from` on: quicker than looking for each.
    pub(super) fn walk(&self, id: i64, from: &mut usize) -> Option<usize> {
        let at = *from;
        if at > 0 && self.ids.get(at - 1).is_some_and(|before| *before >= id)
            || self.ids.get(at + 16).is_some_and(|far| *far < id)
        {
            *from = self.ids.partition_point(|known| *known < id);
        } else {
            while self.ids.get(*from).is_some_and(|known| *known < id) {
                *from += 1;
            }
        }
        (self.ids.get(*from) == Some(&id)).then_some(*from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_is_found_where_it_is(runs in prop::collection::vec(prop::collection::btree_set(-50_i64..3_000, 0..400), 0..7), asked in prop::collection::vec(-60_i64..3_010, 0..200)) {
            let mut referred = Referred::default();
            for run in &runs {
                referred.add(run.iter().copied().collect());
            }
            let locations = referred.locations();
            let expected: Vec<i64> = runs.iter().flatten().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(&locations.ids, &expected);
            let (mut near, mut from) = (Near::default(), 0);
            for id in asked {
                let place = expected.binary_search(&id).ok();
                prop_assert_eq!(locations.place(id, &mut near), place);
                prop_assert_eq!(locations.walk(id, &mut from), place);
                prop_assert_eq!(locations.get(id, &mut near), None);
            }
            for (place, id) in expected.iter().enumerate() {
                locations.set(place, Position { lon: *id as i32, lat: 1 });
                locations.set(place, Position { lon: 0, lat: 2 });
            }
            for id in &expected {
                prop_assert_eq!(locations.get(*id, &mut near), Some(Position { lon: *id as i32, lat: 1 }));
            }
        }
    }
}
