//! A quadtree over a box, for servers that cannot be asked page by page: a cell whose answer is full is split into four,
//! until no answer is.
//!
//! - A server may give fewer records than it is asked for and not say so. Hence the quarters of a box whose answer is not
//!   full are asked for once: where they hold what the box did not, its answer was full after all. A quarter that holds as
//!   many as the box says nothing, so its own quarters are asked for.
//! - Cells share their edges; a record on one is met twice and kept once.
//! - A cell narrower than [`FLOOR_DEGREES`] is not split. Where it is full, what is beyond cannot be had.
//!
//! Source: Finkel and Bentley 1974, *Quad trees: a data structure for retrieval on composite keys*, Acta Informatica 4.

use serde::{Deserialize, Serialize};

/// Narrowest cell that is split, in degrees: about a metre.
const FLOOR_DEGREES: f64 = 1e-5;

/// No server gives fewer records than this at most; fewer that are not all are a sign of records that just came.
const LEAST_LIMIT: usize = 10;

/// A box that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Kind {
    /// A whole box, whose quarters are yet to confirm that its answer was not full.
    Root,
    /// A quarter that confirms so many records of its box.
    Confirms(usize),
    /// Any other.
    Plain,
}

/// What is yet to be asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// An answer of so many records is full.
    limit: usize,
    roots: Vec<Cell>,
    pending: Vec<Cell>,
    /// Cells that stayed full and could not be split.
    pub(super) overfull: u64,
}

/// What an answer showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Records in it.
    pub(super) count: usize,
    /// Whether one was not known before.
    pub(super) has_new: bool,
    /// Whether one lies outside the cell.
    pub(super) has_outside: bool,
}

/// The server answers alike whatever the box.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BoxIgnored;

impl Cell {
    pub(super) fn new([west, south, east, north]: [f64; 4]) -> Self {
        Self { west, south, east, north, kind: Kind::Root }
    }

    /// Whether it holds a position, edges and rounding included.
    pub(super) fn holds(&self, (lon, lat): (f64, f64)) -> bool {
        let within = |low: f64, value: f64, high: f64| low - FLOOR_DEGREES <= value && value <= high + FLOOR_DEGREES;
        within(self.west, lon, self.east) && within(self.south, lat, self.north)
    }

    fn quarters(&self, kind: Kind) -> Option<[Self; 4]> {
        let Self { west, south, east, north, .. } = *self;
        if (east - west).max(north - south) <= FLOOR_DEGREES {
            return None;
        }
        let (lon, lat) = (west + (east - west) / 2.0, south + (north - south) / 2.0);
        let cell = |west, south, east, north| Self { west, south, east, north, kind };
        Some([
            cell(lon, lat, east, north),
            cell(west, lat, lon, north),
            cell(lon, south, east, lat),
            cell(west, south, lon, lat),
        ])
    }
}

impl Tree {
    /// Everything in these boxes, from a server that is asked for `limit` records at a time.
    pub(super) fn new(boxes: &[[f64; 4]], limit: usize) -> Self {
        let roots: Vec<Cell> = boxes.iter().copied().map(Cell::new).collect();
        Self { limit, pending: roots.clone(), roots, overfull: 0 }
    }

    /// The cell that is to be asked for next.
    pub(super) fn next(&self) -> Option<Cell> {
        self.pending.last().copied()
    }

    /// Takes notice of the answer for [`Tree::next`].
    pub(super) fn take(&mut self, seen: Seen) -> Result<(), BoxIgnored> {
        let Some(cell) = self.pending.pop() else { return Ok(()) };
        if let Kind::Confirms(count) = cell.kind {
            if seen.has_outside {
                // Boxes mean nothing to this server; its one answer was not full, so it is all there is.
                self.pending.retain(|cell| !matches!(cell.kind, Kind::Confirms(_)));
                return Ok(());
            }
            if seen.has_new && count >= LEAST_LIMIT {
                self.limit = self.limit.min(count);
                self.pending = self.roots.iter().map(|root| Cell { kind: Kind::Plain, ..*root }).collect();
                return Ok(());
            }
            if seen.count >= count && count >= LEAST_LIMIT && seen.count < self.limit {
                match cell.quarters(cell.kind) {
                    Some(quarters) => self.pending.extend(quarters),
                    None => self.overfull += 1,
                }
                return Ok(());
            }
        }
        if seen.count >= self.limit {
            if seen.has_outside {
                return Err(BoxIgnored);
            }
            match cell.quarters(Kind::Plain) {
                Some(quarters) => self.pending.extend(quarters),
                None => self.overfull += 1,
            }
        } else if cell.kind == Kind::Root && seen.count > 0 {
            self.pending.extend(cell.quarters(Kind::Confirms(seen.count)).into_iter().flatten());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const WORLD: [f64; 4] = [-180.0, -90.0, 180.0, 90.0];

    /// Walks the tree against a server with these positions that gives `cap` records at most; returns what was found, the
    /// tree, and the number of requests.
    fn walk(boxes: &[[f64; 4]], points: &[(f64, f64)], asked: usize, cap: usize) -> (BTreeSet<usize>, Tree, u32) {
        let (mut tree, mut found, mut requests) = (Tree::new(boxes, asked), BTreeSet::new(), 0);
        while let Some(cell) = tree.next() {
            let inside =
                |(lon, lat): (f64, f64)| cell.west <= lon && lon <= cell.east && cell.south <= lat && lat <= cell.north;
            let held = points.iter().enumerate().filter(|(_, point)| inside(**point)).map(|(index, _)| index);
            let answer: Vec<usize> = held.take(asked.min(cap)).collect();
            let known = found.len();
            found.extend(&answer);
            requests += 1;
            tree.take(Seen { count: answer.len(), has_new: found.len() > known, has_outside: false }).unwrap();
        }
        (found, tree, requests)
    }

    proptest! {
        #[test]
        fn any_set_of_points_is_found_whole_whatever_the_limit(
            points in prop::collection::vec((-1_800_000..=1_800_000, -900_000..=900_000), 0..200),
            crowd in prop::collection::vec((0..100, 0..100), 0..60),
            limit in 1_usize..40,
        ) {
            let scattered = points.into_iter().map(|(lon, lat)| (f64::from(lon) / 1e4, f64::from(lat) / 1e4));
            let crowd = crowd.into_iter().map(|(lon, lat)| (9.5 + f64::from(lon) / 1e4, 47.0 + f64::from(lat) / 1e4));
            let points: Vec<(f64, f64)> = scattered.chain(crowd).collect();
            // Copies of one position cannot be told apart by boxes.
            let most = points.iter().map(|one| points.iter().filter(|other| *other == one).count()).max().unwrap_or(0);
            prop_assume!(most < limit);
            let (found, tree, _) = walk(&[WORLD], &points, limit, usize::MAX);
            prop_assert_eq!((found.len(), tree.overfull), (points.len(), 0));
        }

        #[test]
        fn a_server_that_gives_fewer_than_asked_for_is_seen_through(
            points in prop::collection::vec((-1800..=1800, -900..=900), 0..300),
            cap in LEAST_LIMIT..60,
        ) {
            let points: BTreeSet<(i32, i32)> = points.into_iter().collect();
            let points: Vec<_> = points.into_iter().map(|(lon, lat)| (f64::from(lon) / 10.0, f64::from(lat) / 10.0)).collect();
            let (found, tree, _) = walk(&[[-180.0, -90.0, 0.0, 90.0], [0.0, -90.0, 180.0, 90.0]], &points, 1000, cap);
            prop_assert_eq!((found.len(), tree.overfull), (points.len(), 0));
        }

        #[test]
        fn a_server_that_gives_fewer_is_seen_through_where_everything_lies_in_one_town(
            points in prop::collection::vec((0..1000, 0..1000), 0..200),
            (lon, lat) in (-1790..=1790, -890..=890),
            cap in LEAST_LIMIT..60,
        ) {
            let points: BTreeSet<(i32, i32)> = points.into_iter().collect();
            let place = |(east, north)| (f64::from(lon) / 10.0 + f64::from(east) / 1e4, f64::from(lat) / 10.0 + f64::from(north) / 1e4);
            let points: Vec<(f64, f64)> = points.into_iter().map(place).collect();
            let (found, tree, requests) = walk(&[WORLD], &points, 1000, cap);
            prop_assert_eq!((found.len(), tree.overfull), (points.len(), 0));
            prop_assert!(requests < 1000, "{}", requests);
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_reported_and_found_in_few_requests() {
        let (found, tree, requests) = walk(&[WORLD], &[(9.5, 47.0); 5], 3, usize::MAX);
        assert_eq!((found.len(), tree.overfull > 0), (3, true));
        assert!(requests < 500, "{requests}");
        // Nothing there is one question; little there is five.
        assert_eq!(walk(&[WORLD], &[], 100, usize::MAX).2, 1);
        assert_eq!(walk(&[WORLD], &[(9.5, 47.0), (1.0, 2.0)], 100, usize::MAX).2, 5);
    }

    #[test]
    fn a_server_that_ignores_boxes_is_found_out() {
        let all = |count| Seen { count, has_new: false, has_outside: true };
        let mut tree = Tree::new(&[WORLD], 100);
        tree.take(Seen { has_outside: false, ..all(100) }).unwrap();
        assert_eq!(tree.take(all(100)), Err(BoxIgnored));
        // One answer that is not full is all there is.
        let mut tree = Tree::new(&[WORLD], 100);
        tree.take(Seen { has_outside: false, ..all(60) }).unwrap();
        tree.take(all(60)).unwrap();
        assert_eq!(tree.next(), None);
    }

    #[test]
    fn a_tree_goes_on_where_it_was_written_down() {
        let mut tree = Tree::new(&[WORLD], 7);
        tree.take(Seen { count: 7, has_new: true, has_outside: false }).unwrap();
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<Tree>(&text).unwrap(), tree);
    }
}
