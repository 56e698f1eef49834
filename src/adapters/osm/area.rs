//! Areas from lines: the outlines of closed ways and multipolygon relations become polygons with holes.
//!
//! 1. Cut the lines into segments between positions; a segment that is there an even number of times goes away,
//!    so roles, double ways, spikes and touching inner rings need no rule of their own.
//! 2. At every position an even number of segments must meet, and segments must meet nowhere else.
//! 3. What lies inside by the even–odd rule becomes polygons (see [`super::faces`]).
//!
//! All of it is decided in whole numbers, so equal lines give equal areas, and an area is never invalid by rounding.
//!
//! Source: the area assembler of libosmium, <https://osmcode.org/osmium-concepts/#areas>.

use super::faces::polygons;
use crate::domain::{GeometryRepair, Position, RejectCode};

/// Polygons as rings, the outer one first and counter-clockwise, inner ones clockwise; the last position of a ring is its first.
pub(super) type Polygons = Vec<Vec<Vec<Position>>>;

/// What lines enclose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) polygons: Polygons,
    /// What was done to the lines; in order.
    pub(super) repairs: Vec<GeometryRepair>,
}

/// Why lines do not make an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoArea {
    pub(super) code: RejectCode,
    /// Where it goes wrong, or any position of it.
    pub(super) at: Option<Position>,
    pub(super) reason: &'static str,
}

/// Most comparisons of two segments for one area: a few seconds. The border of a country needs a hundredth of them.
pub(super) const MOST_COMPARISONS: u64 = 1 << 31;

/// A segment as indexes of its ends, the lesser first.
pub(super) type Segment = (u32, u32);

/// The area that lines enclose: rings closed, outer counter-clockwise, inner clockwise.
///
/// - **In**: lines as the positions of their nodes; their order, direction and roles do not matter.
/// - **Degenerate**: no lines, or lines that enclose nothing, are no area.
/// - **Cost**: n log n for n segments, and n² where many overlap in longitude.
pub(super) fn assemble(lines: &[Vec<Position>]) -> Result<Area, NoArea> {
    let mut points: Vec<Position> = lines.iter().flatten().copied().collect();
    points.sort_unstable();
    points.dedup();
    let (segments, mut repairs) = single_segments(lines, &points);
    if segments.is_empty() {
        return Err(NoArea {
            code: RejectCode::InvalidArea,
            at: points.first().copied(),
            reason: "it encloses nothing",
        });
    }
    if let Some(end) = loose_end(&segments, points.len()) {
        return Err(NoArea {
            code: RejectCode::OpenRing,
            at: Some(points[end]),
            reason: "a ring of it does not close",
        });
    }
    let invalid = |at, reason| NoArea { code: RejectCode::InvalidArea, at, reason };
    let tangled = || invalid(points.first().copied(), "its lines are too many and too long to be judged");
    if let Some(crossing) = crossing(&segments, &points, MOST_COMPARISONS).map_err(|Tangled| tangled())? {
        return Err(invalid(Some(crossing), "lines of it cross or overlap where they share no node"));
    }
    let polygons = polygons(&points, &segments).ok_or_else(tangled)?;
    // Each ring that touches nothing has as many positions as segments; a position passed twice was a place to split.
    let mut meets = vec![0_u8; points.len()];
    for end in segments.iter().flat_map(|(a, b)| [*a, *b]) {
        meets[end as usize] = meets[end as usize].saturating_add(1);
    }
    if meets.iter().any(|segments| *segments > 2) {
        repairs.push(GeometryRepair::SplitRings);
    }
    Ok(Area { polygons, repairs })
}

/// The polygon that one closed line encloses, where it passes no position twice and crosses itself nowhere: nearly every
/// closed way. `None` leaves the judgement to [`assemble`].
///
/// - **Cost**: n² for n positions, so it declines long ones.
pub(super) fn simple_ring(line: &[Position]) -> Option<Vec<Position>> {
    const MOST: usize = 64;
    let segments = line.len().checked_sub(1).filter(|segments| (3..=MOST).contains(segments))?;
    if line[0] != line[segments] {
        return None;
    }
    let extent = |of: fn(&Position) -> i32| {
        let (min, max) = line.iter().map(of).fold((i32::MAX, i32::MIN), |(min, max), n| (min.min(n), max.max(n)));
        i64::from(max) - i64::from(min)
    };
    // So that products of differences fit 64 bits.
    if extent(|p| p.lon).max(extent(|p| p.lat)) >= 1 << 30 {
        return None;
    }
    let cross = |o: Position, p: Position, q: Position| {
        let from = |to: i32, from: i32| i64::from(to) - i64::from(from);
        from(p.lon, o.lon) * from(q.lat, o.lat) - from(p.lat, o.lat) * from(q.lon, o.lon)
    };
    let mut twice_area = 0;
    for i in 0..segments {
        let (a, b) = (line[i], line[i + 1]);
        if a == b {
            return None;
        }
        twice_area += cross(line[0], a, b);
        let (west, east) = (a.lon.min(b.lon), a.lon.max(b.lon));
        let (south, north) = (a.lat.min(b.lat), a.lat.max(b.lat));
        for j in i + 1..segments {
            let (c, d) = (line[j], line[j + 1]);
            if c.lon.max(d.lon) < west
                || c.lon.min(d.lon) > east
                || c.lat.max(d.lat) < south
                || c.lat.min(d.lat) > north
            {
                continue;
            }
            let follows = j == i + 1;
            let closes = i == 0 && j == segments - 1;
            if follows || closes {
                // Neighbours share one position; they must not run back over each other.
                let (shared, before, after) = if follows { (b, a, d) } else { (a, c, b) };
                let back = cross(shared, before, after) == 0 && {
                    let along = |p: i32, q: i32, o: i32| {
                        (i64::from(p) - i64::from(o)).signum() * (i64::from(q) - i64::from(o)).signum()
                    };
                    along(before.lon, after.lon, shared.lon) > 0 || along(before.lat, after.lat, shared.lat) > 0
                };
                if back {
                    return None;
                }
                continue;
            }
            let (c_side, d_side) = (cross(a, b, c).signum(), cross(a, b, d).signum());
            let (a_side, b_side) = (cross(c, d, a).signum(), cross(c, d, b).signum());
            // Anything but lying clear of each other: a crossing, a corner on a side, a position passed twice.
            if c_side * d_side <= 0 && a_side * b_side <= 0 {
                return None;
            }
        }
    }
    let mut ring = line.to_vec();
    if twice_area < 0 {
        ring.reverse();
    }
    (twice_area != 0).then_some(ring)
}

/// The segments that are there an odd number of times, once each, in order; and what was done to the others: those
/// without length are dropped, those that are there an even number of times cancel out.
fn single_segments(lines: &[Vec<Position>], points: &[Position]) -> (Vec<Segment>, Vec<GeometryRepair>) {
    let index = |position| points.binary_search(position).expect("every position of a line is a point") as u32;
    let mut all = Vec::new();
    let mut repairs = Vec::new();
    for line in lines {
        let line: Vec<u32> = line.iter().map(index).collect();
        for ends in line.windows(2) {
            let (a, b) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            if a == b {
                repairs.push(GeometryRepair::RepeatedPosition);
            } else {
                all.push((a, b));
            }
        }
    }
    all.sort_unstable();
    let single: Vec<Segment> =
        all.chunk_by(|a, b| a == b).filter(|same| same.len() % 2 == 1).map(|same| same[0]).collect();
    if single.len() < all.len() {
        repairs.push(GeometryRepair::CancelledSegments);
    }
    repairs.dedup();
    (single, repairs)
}

/// A point where an odd number of segments ends.
fn loose_end(segments: &[Segment], points: usize) -> Option<usize> {
    let mut odd = vec![false; points];
    for end in segments.iter().flat_map(|(a, b)| [*a, *b]) {
        odd[end as usize] ^= true;
    }
    odd.iter().position(|odd| *odd)
}

/// Lines that would take too long to judge.
#[derive(Debug, PartialEq, Eq)]
struct Tangled;

/// Where two segments meet other than end to end: the end of one within the other, or an end next to where they cross.
///
/// Segments are in order of their western ends, so each is compared with those that begin before it ends. An
/// error where that would be more than `most` comparisons.
fn crossing(segments: &[Segment], points: &[Position], most: u64) -> Result<Option<Position>, Tangled> {
    let at = |index: u32| points[index as usize];
    let mut comparisons = 0_u64;
    for (i, (a, b)) in segments.iter().enumerate() {
        let (a, b) = (at(*a), at(*b));
        let (south, north) = (a.lat.min(b.lat), a.lat.max(b.lat));
        for (c, d) in &segments[i + 1..] {
            let (c, d) = (at(*c), at(*d));
            if c.lon > b.lon {
                break;
            }
            comparisons += 1;
            if c.lat.max(d.lat) >= south
                && c.lat.min(d.lat) <= north
                && let Some(position) = meeting(a, b, c, d)
            {
                return Ok(Some(position));
            }
        }
        if comparisons > most {
            return Err(Tangled);
        }
    }
    Ok(None)
}

/// Where two segments have a point in common that is not an end of both.
fn meeting(a: Position, b: Position, c: Position, d: Position) -> Option<Position> {
    let (side_c, side_d) = (turn(a, b, c), turn(a, b, d));
    let (side_a, side_b) = (turn(c, d, a), turn(c, d, b));
    let within = |side: i8, p: Position, a: Position, b: Position| {
        let (south, north) = (a.lat.min(b.lat), a.lat.max(b.lat));
        side == 0 && p != a && p != b && (a.lon..=b.lon).contains(&p.lon) && (south..=north).contains(&p.lat)
    };
    let ends = [(side_c, c, a, b), (side_d, d, a, b), (side_a, a, c, d), (side_b, b, c, d)];
    let touching = ends.into_iter().find(|(side, p, a, b)| within(*side, *p, *a, *b)).map(|(_, p, _, _)| p);
    touching.or((side_c * side_d < 0 && side_a * side_b < 0).then_some(c))
}

/// Which way `a` to `b` to `c` turns: 1 left, −1 right, 0 straight on.
fn turn(a: Position, b: Position, c: Position) -> i8 {
    cross(a, b, a, c).signum() as i8
}

/// Cross product of the vectors from `a` to `b` and from `c` to `d`.
pub(super) fn cross(a: Position, b: Position, c: Position, d: Position) -> i128 {
    let across = |from: i32, to: i32| i128::from(i64::from(to) - i64::from(from));
    across(a.lon, b.lon) * across(c.lat, d.lat) - across(a.lat, b.lat) * across(c.lon, d.lon)
}

#[cfg(test)]
mod tests {
    use geo::{Area as _, Validation};

    use super::super::geometry::multipolygon;
    use super::*;

    /// Assembles lines that name the letters of a drawing by column and row; returns the letters of each
    /// polygon's rings, `outer-inner-inner`, or the code of the failure and the letter it points to.
    fn draw(map: &str, lines: &[&str]) -> Result<Vec<String>, (RejectCode, char)> {
        let mut places = Vec::new();
        for (row, text) in map.lines().enumerate() {
            for (column, letter) in text.chars().enumerate().filter(|(_, letter)| letter.is_alphabetic()) {
                places.push((letter, Position { lon: column as i32, lat: -(row as i32) }));
            }
        }
        let place = |letter| places.iter().find(|(known, _)| *known == letter).expect("a letter of the map").1;
        let letter = |position| places.iter().find(|(_, known)| *known == position).expect("a place of the map").0;
        let lines: Vec<Vec<Position>> = lines.iter().map(|line| line.chars().map(place).collect()).collect();
        let assembled = assemble(&lines).map_err(|no| (no.code, no.at.map_or(' ', letter)))?;
        if let [line] = lines.as_slice()
            && let Some(ring) = simple_ring(line)
        {
            let rings = multipolygon(&vec![vec![ring]]);
            assert!(rings.is_valid() && rings.signed_area() > 0.0, "{rings:?}");
            assert_eq!(assembled.repairs, []);
        }
        let area = multipolygon(&assembled.polygons);
        assert!(area.is_valid(), "{area:?}");
        assert!(area.signed_area() > 0.0, "outer rings run counter-clockwise");
        let spell = |ring: &geo::LineString<f64>| {
            let position =
                |at: &geo::Coord<f64>| Position { lon: (at.x * 1e7).round() as i32, lat: (at.y * 1e7).round() as i32 };
            let mut letters: Vec<char> = ring.0[1..].iter().map(|at| letter(position(at))).collect();
            let first = letters.iter().enumerate().min_by_key(|(_, letter)| **letter).map_or(0, |(at, _)| at);
            letters.rotate_left(first);
            letters.into_iter().collect::<String>()
        };
        Ok(area
            .iter()
            .map(|polygon| {
                let mut rings = vec![spell(polygon.exterior())];
                rings.extend(polygon.interiors().iter().map(spell));
                rings.join("-")
            })
            .collect())
    }

    #[test]
    fn lines_are_joined_whatever_their_order_and_direction() {
        let map = "a d\n\nb c";
        for lines in [&["abcda"][..], &["ab", "dcb", "ad"], &["cd", "ab", "ad", "bc"], &["adcba"], &["aabccda"]] {
            assert_eq!(draw(map, lines), Ok(vec!["abcd".to_owned()]), "{lines:?}");
        }
    }

    #[test]
    fn rings_nest_by_the_even_odd_rule() {
        let map = "\
a           d
  e    h mp
   i  l
   j  k  no
  f    g
b           c";
        let lines = ["abcda", "efghe", "ijkli", "mnopm"];
        assert_eq!(draw(map, &lines), Ok(vec!["abcd-ehgf-mpon".to_owned(), "ijkl".to_owned()]));
    }

    #[test]
    fn rings_that_touch_are_split_there() {
        let map = "a   d\n  c\nb   e";
        assert_eq!(draw(map, &["abcedca"]), Ok(vec!["abc".to_owned(), "ced".to_owned()]));
    }

    #[test]
    fn inner_rings_that_share_a_side_are_one_hole() {
        let map = "\
a     d
  efg
  hij
b     c";
        assert_eq!(draw(map, &["abcda", "efihe", "fgjif"]), Ok(vec!["abcd-efgjih".to_owned()]));
    }

    #[test]
    fn spikes_and_double_lines_go_away() {
        let map = "a d e\n\nb c";
        assert_eq!(draw(map, &["abcdeda"]), Ok(vec!["abcd".to_owned()]));
        assert_eq!(draw(map, &["abcda", "de", "ed"]), Ok(vec!["abcd".to_owned()]));
    }

    #[test]
    fn lines_that_enclose_nothing_are_no_area() {
        use RejectCode::{InvalidArea, OpenRing};
        let map = "a d e\n f\nb c";
        assert_eq!(draw(map, &[]), Err((InvalidArea, ' ')));
        assert_eq!(draw(map, &["abca", "acba"]), Err((InvalidArea, 'b')));
        assert_eq!(draw(map, &["abcd"]), Err((OpenRing, 'a')));
        // Lines that cross, that overlap, and a corner on another's side.
        assert_eq!(draw(map, &["acdba"]), Err((InvalidArea, 'a')));
        assert_eq!(draw(map, &["abcdea"]), Err((InvalidArea, 'd')));
        assert_eq!(draw("a   c\n\nb d e", &["abeca", "cdc", "adca"]), Err((InvalidArea, 'd')));
    }

    #[test]
    fn long_lines_that_all_overlap_are_given_up_in_time() {
        // A zigzag from west to east and back: each segment overlaps with every other in longitude.
        let points: Vec<Position> = (0..100).map(|at| Position { lon: at % 2 * 1_000 + at, lat: at }).collect();
        let mut sorted = points.clone();
        sorted.sort_unstable();
        let place = |position: &Position| sorted.binary_search(position).expect("it is one of them") as u32;
        let ends = |two: &[Position]| (place(&two[0]).min(place(&two[1])), place(&two[0]).max(place(&two[1])));
        let mut segments: Vec<Segment> = points.windows(2).map(ends).collect();
        segments.sort_unstable();
        assert_eq!(crossing(&segments, &sorted, 99 * 98 / 2), Ok(None));
        assert_eq!(crossing(&segments, &sorted, 1_000), Err(Tangled));
    }

    #[test]
    fn the_corners_of_the_earth_do_not_overflow() {
        let corner = |lon, lat| Position { lon, lat };
        let (w, e, s, n) = (i32::MIN, i32::MAX, i32::MIN, i32::MAX);
        let lines = [vec![corner(w, s), corner(e, s), corner(e, n), corner(w, n), corner(w, s)]];
        assert_eq!(assemble(&lines).map(|area| area.polygons.len()), Ok(1));
    }
}
