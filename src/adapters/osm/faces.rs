//! Faces of a plane that is cut by segments, and the polygons that the even–odd rule makes of them.
//!
//! Segments meet only at their ends, an even number at each, so crossing one always changes between inside and outside.
//! Each segment is walked in both directions, as two *edges*; an edge belongs to the face on its left. Following the
//! edges of a face gives its *walks*: one around it, and one for each group of segments that lies free within it.
//! A walk that passes a point twice is cut there. So every inner face becomes one valid polygon.
//!
//! Source: doubly connected edge lists, de Berg et al. 2008, *Computational Geometry*, 3rd ed., chapter 2.

use std::cmp::Ordering;

use super::area::{MOST_COMPARISONS, Polygons, Segment, cross};
use crate::domain::Position;

/// Edge `2i` runs along segment `i` from its western end (of a vertical one, its southern), `2i + 1` comes back.
type Edge = usize;

struct Plane<'a> {
    points: &'a [Position],
    segments: &'a [Segment],
    /// Edges by the point they leave, counter-clockwise around it from the east.
    star: Vec<Edge>,
    /// Per point, where its edges begin in `star`; one more at the end.
    star_of: Vec<usize>,
    /// Per edge, its place in `star`.
    place: Vec<usize>,
}

/// On which side of the lines a walk is.
#[derive(Clone, Copy)]
enum Side {
    Outside,
    /// In the face of this number.
    Inside(usize),
}

/// The polygons inside segments that meet only at their ends, an even number at each point.
/// `points` are in order, and so are the ends of each segment. `None` where it would take more than [`MOST_COMPARISONS`]
/// to say what lies within what.
pub(super) fn polygons(points: &[Position], segments: &[Segment]) -> Option<Polygons> {
    let plane = Plane::new(points, segments);
    let (walks, walk_of) = plane.walks();
    let mut sides: Vec<Option<Side>> = vec![None; walks.len()];
    let (mut faces, mut comparisons) = (0, 0);
    // Points in order: whatever encloses a group of segments begins further west, or south, and is known by then.
    for point in 0..points.len() {
        let Some(edge) = plane.southernmost_eastward(point) else { continue };
        let around = walk_of[edge ^ 1];
        if sides[around].is_some() {
            continue;
        }
        comparisons += segments.len() as u64;
        if comparisons > MOST_COMPARISONS {
            return None;
        }
        let side = plane.next_below(point, edge).and_then(|below| sides[walk_of[below]]).unwrap_or(Side::Outside);
        sides[around] = Some(side);
        let mut reached = vec![around];
        while let Some(walk) = reached.pop() {
            for edge in &walks[walk] {
                let neighbour = walk_of[edge ^ 1];
                if sides[neighbour].is_none() {
                    sides[neighbour] = Some(if matches!(sides[walk], Some(Side::Inside(_))) {
                        Side::Outside
                    } else {
                        faces += 1;
                        Side::Inside(faces - 1)
                    });
                    reached.push(neighbour);
                }
            }
        }
    }

    let mut polygons: Polygons = vec![vec![Vec::new()]; faces];
    for (walk, side) in walks.iter().zip(&sides) {
        let Some(Side::Inside(face)) = side else { continue };
        for ring in plane.rings(walk) {
            let line = ring.iter().map(|point| points[*point]).collect();
            if is_counter_clockwise(&ring, points) {
                polygons[*face][0] = line;
            } else {
                polygons[*face].push(line);
            }
        }
    }
    Some(polygons)
}

impl<'a> Plane<'a> {
    fn new(points: &'a [Position], segments: &'a [Segment]) -> Self {
        let mut plane =
            Self { points, segments, star: (0..2 * segments.len()).collect(), star_of: Vec::new(), place: Vec::new() };
        let mut star = std::mem::take(&mut plane.star);
        star.sort_unstable_by(|a, b| plane.from(*a).cmp(&plane.from(*b)).then_with(|| plane.by_angle(*a, *b)));
        plane.place = vec![0; star.len()];
        for (place, edge) in star.iter().enumerate() {
            plane.place[*edge] = place;
        }
        plane.star_of =
            (0..=points.len()).map(|point| star.partition_point(|edge| plane.from(*edge) < point)).collect();
        plane.star = star;
        plane
    }

    /// The point an edge leaves.
    fn from(&self, edge: Edge) -> usize {
        let (a, b) = self.segments[edge / 2];
        (if edge.is_multiple_of(2) { a } else { b }) as usize
    }

    /// Compares two edges that leave the same point, counter-clockwise from the east.
    fn by_angle(&self, a: Edge, b: Edge) -> Ordering {
        let ends = |edge: Edge| (self.points[self.from(edge)], self.points[self.from(edge ^ 1)]);
        let southward =
            |(from, to): (Position, Position)| to.lat < from.lat || (to.lat == from.lat && to.lon < from.lon);
        let (a, b) = (ends(a), ends(b));
        southward(a).cmp(&southward(b)).then_with(|| 0.cmp(&cross(a.0, a.1, b.0, b.1)))
    }

    /// The edge that follows on the same face: at the end of `edge`, the first one clockwise from where it came.
    fn next(&self, edge: Edge) -> Edge {
        let back = edge ^ 1;
        let point = self.from(back);
        let place = self.place[back];
        let before = if place == self.star_of[point] { self.star_of[point + 1] } else { place };
        self.star[before - 1]
    }

    /// Every walk as its edges, and per edge the walk it belongs to.
    fn walks(&self) -> (Vec<Vec<Edge>>, Vec<usize>) {
        let mut walks: Vec<Vec<Edge>> = Vec::new();
        let mut walk_of = vec![usize::MAX; self.star.len()];
        for first in 0..self.star.len() {
            if walk_of[first] != usize::MAX {
                continue;
            }
            let mut walk = Vec::new();
            let mut edge = first;
            while walk_of[edge] == usize::MAX {
                walk_of[edge] = walks.len();
                walk.push(edge);
                edge = self.next(edge);
            }
            walks.push(walk);
        }
        (walks, walk_of)
    }

    /// Of the edges that leave `point` eastward, the southernmost. Below it, just east of the point, is the face
    /// around the group of segments that begins at this point, if one does.
    fn southernmost_eastward(&self, point: usize) -> Option<Edge> {
        let star = &self.star[self.star_of[point]..self.star_of[point + 1]];
        let eastward = |edge: &&Edge| {
            let to = self.points[self.from(**edge ^ 1)];
            to.lon > self.points[point].lon
        };
        // Counter-clockwise from the east, those to the south come last.
        let south = |edge: &&Edge| self.points[self.from(**edge ^ 1)].lat < self.points[point].lat;
        star.iter().filter(eastward).find(south).or_else(|| star.iter().find(eastward)).copied()
    }

    /// The segment straight below `edge`, just east of `point`, as the edge that has its face above it.
    fn next_below(&self, point: usize, edge: Edge) -> Option<Edge> {
        // Half a unit east of a point no segment begins or ends, so nothing there is on the line by chance.
        let lon2 = 2 * i128::from(self.points[point].lon) + 1;
        let height = self.height_at(edge / 2, lon2)?;
        let heights = (0..self.segments.len()).filter_map(|segment| Some((self.height_at(segment, lon2)?, segment)));
        let below = heights.filter(|(other, _)| other.compare(height) == Ordering::Less);
        below.max_by(|(a, _), (b, _)| a.compare(*b)).map(|(_, segment)| 2 * segment)
    }

    /// Latitude of a segment at half `lon2`, where it passes there.
    fn height_at(&self, segment: usize, lon2: i128) -> Option<Height> {
        let (a, b) = self.segments[segment];
        let (a, b) = (self.points[a as usize], self.points[b as usize]);
        let (west2, east2) = (2 * i128::from(a.lon), 2 * i128::from(b.lon));
        let rise = i128::from(b.lat) - i128::from(a.lat);
        (west2 < lon2 && lon2 < east2)
            .then(|| Height { above: i128::from(a.lat) * (east2 - west2) + rise * (lon2 - west2), per: east2 - west2 })
    }

    /// A walk as simple rings of points: cut wherever it passes a point again.
    fn rings(&self, walk: &[Edge]) -> Vec<Vec<usize>> {
        let mut rings = Vec::new();
        let mut path: Vec<usize> = Vec::new();
        let mut at = rustc_hash::FxHashMap::default();
        for point in walk.iter().chain(walk.first()).map(|edge| self.from(*edge)) {
            if let Some(start) = at.get(&point).copied() {
                let mut ring = path[start..].to_vec();
                ring.push(point);
                for passed in path.drain(start + 1..) {
                    at.remove(&passed);
                }
                rings.push(ring);
            } else {
                at.insert(point, path.len());
                path.push(point);
            }
        }
        rings
    }
}

/// A latitude as a fraction; `per` is positive.
#[derive(Clone, Copy)]
struct Height {
    above: i128,
    per: i128,
}

impl Height {
    fn compare(self, other: Self) -> Ordering {
        (self.above * other.per).cmp(&(other.above * self.per))
    }
}

/// Whether a ring of points runs counter-clockwise: the sign of twice its area (the shoelace formula).
fn is_counter_clockwise(ring: &[usize], points: &[Position]) -> bool {
    let origin = points[ring[0]];
    let twice: i128 = ring.windows(2).map(|ends| cross(origin, points[ends[0]], origin, points[ends[1]])).sum();
    twice > 0
}
