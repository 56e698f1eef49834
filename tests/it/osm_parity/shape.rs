//! Geometries in a form in which equal ones have equal bytes, however they were written.

use std::hash::{DefaultHasher, Hasher};

use super::Kind;

/// Longitude and latitude in ten-millionths of a degree.
pub(super) type Position = (i32, i32);

/// A closed line; its last position may or may not repeat the first.
pub(super) type Ring = Vec<Position>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Point(Position),
    Line(Vec<Position>),
    /// Polygons as rings, the outer one first.
    Area(Vec<Vec<Ring>>),
}

/// Whole ten-millionths of a degree.
pub(super) fn units(degrees: f64) -> i32 {
    (degrees * 1e7).round() as i32
}

/// The standard library's hash: 64 bits tell a million rows apart, and it is the fastest there is before optimisation.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

impl Shape {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Point(_) => Kind::Point,
            Self::Line(_) => Kind::Line,
            Self::Area(_) => Kind::Area,
        }
    }

    /// Without repeated positions; rings from their smallest position in the direction of the smaller neighbour, inner
    /// rings and polygons sorted. Lines keep their direction, which means something.
    pub(super) fn normalised(mut self) -> Self {
        match &mut self {
            Self::Point(_) => {}
            Self::Line(positions) => positions.dedup(),
            Self::Area(polygons) => {
                for rings in polygons.iter_mut() {
                    rings.iter_mut().for_each(normalise_ring);
                    rings[1..].sort_unstable();
                }
                polygons.sort_unstable();
            }
        }
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut line = |count: usize, positions: &[Position]| {
            bytes.extend((count as u64).to_le_bytes());
            for (lon, lat) in positions {
                bytes.extend(lon.to_le_bytes());
                bytes.extend(lat.to_le_bytes());
            }
        };
        match self {
            Self::Point(position) => line(1, &[*position]),
            Self::Line(positions) => line(positions.len(), positions),
            Self::Area(polygons) => {
                for rings in polygons {
                    line(rings.len(), &[]);
                    for ring in rings {
                        line(ring.len(), ring);
                    }
                }
            }
        }
        bytes
    }
}

fn normalise_ring(ring: &mut Ring) {
    ring.dedup();
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    let Some(smallest) = ring.iter().min().copied() else { return };
    // More than one where the ring touches itself there.
    let starts = (0..ring.len()).filter(|at| ring[*at] == smallest);
    let both_ways = starts.flat_map(|at| {
        let forward = [&ring[at..], &ring[..at]].concat();
        let mut backward = forward.clone();
        backward[1..].reverse();
        [forward, backward]
    });
    *ring = both_ways.min().expect("the smallest position is somewhere");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_equal_however_they_are_written() {
        let square: Ring = vec![(0, 0), (5, 0), (5, 5), (0, 5), (0, 0)];
        let expected = Shape::Area(vec![vec![square.clone()]]).normalised();
        let written: [Ring; 4] = [
            vec![(5, 0), (5, 5), (0, 5), (0, 0), (5, 0)],
            vec![(0, 0), (0, 5), (5, 5), (5, 0), (0, 0)],
            vec![(5, 5), (5, 0), (5, 0), (0, 0), (0, 5), (5, 5)],
            vec![(0, 0), (5, 0), (5, 5), (0, 5)],
        ];
        for ring in written {
            assert_eq!(Shape::Area(vec![vec![ring.clone()]]).normalised(), expected, "{ring:?}");
        }
        let other = Shape::Area(vec![vec![vec![(0, 0), (5, 0), (5, 6), (0, 5), (0, 0)]]]).normalised();
        assert_ne!(other, expected);
    }

    #[test]
    fn a_ring_that_touches_itself_at_its_smallest_position_has_one_form() {
        let ring: Ring = vec![(0, 0), (5, 1), (5, 2), (0, 0), (5, -2), (5, -1)];
        let turned: Ring = vec![(0, 0), (5, -2), (5, -1), (0, 0), (5, 1), (5, 2)];
        let normalised = |ring: &Ring| Shape::Area(vec![vec![ring.clone()]]).normalised();
        assert_eq!(normalised(&ring), normalised(&turned));
    }

    #[test]
    fn inner_rings_and_polygons_have_one_order_and_outer_rings_stay_first() {
        let triangle = |x: i32| -> Ring { vec![(x, 0), (x + 2, 0), (x, 2)] };
        let shape = |polygons: &[&[i32]]| {
            let rings = |xs: &&[i32]| xs.iter().map(|x| triangle(*x)).collect();
            Shape::Area(polygons.iter().map(rings).collect()).normalised().bytes()
        };
        assert_eq!(shape(&[&[9, 2, 1], &[5]]), shape(&[&[5], &[9, 1, 2]]));
        assert_ne!(shape(&[&[9, 2, 1]]), shape(&[&[1, 2, 9]]));
        assert_ne!(shape(&[&[1, 2]]), shape(&[&[1], &[2]]));
    }

    #[test]
    fn lines_keep_their_direction_and_lose_repeated_positions() {
        let line = |positions: &[Position]| Shape::Line(positions.to_vec()).normalised();
        assert_eq!(line(&[(1, 1), (1, 1), (0, 0)]), Shape::Line(vec![(1, 1), (0, 0)]));
        assert_ne!(line(&[(1, 1), (0, 0)]), line(&[(0, 0), (1, 1)]));
    }
}
