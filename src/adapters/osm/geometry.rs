//! From lines to geometries: what is found of ways and relations becomes lines and areas, or a reason why not.

use geo::{LineString, MultiPolygon, Polygon};
use rustc_hash::FxHashMap;

use super::area::{Area, NoArea, Polygons, assemble, simple_ring};
use super::line::{Line, Located};
use super::locations::Locations;
use super::object::Member;
use super::passes::ById;
use crate::domain::{GeometryRepair, Incomplete, ObjectKind, Position, RejectCode};

/// Why an object has no geometry: a code, a position where one is known, and a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: RejectCode,
    pub(super) position: Option<(f64, f64)>,
    pub(super) message: String,
}

/// A geometry, and whether all parts of its object were there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Built<T> {
    pub(super) shape: T,
    pub(super) repairs: Vec<GeometryRepair>,
    pub(super) incomplete: bool,
}

impl Refusal {
    fn missing(part: &str, position: Option<Position>) -> Self {
        let message = format!("{part} is not in the input");
        Self { code: RejectCode::MissingMember, position: position.map(Position::degrees), message }
    }
}

impl From<NoArea> for Refusal {
    fn from(NoArea { code, at, reason }: NoArea) -> Self {
        Self { code, position: at.map(Position::degrees), message: reason.to_owned() }
    }
}

impl Located {
    /// Refuses a way for a node that is missing or not on Earth, unless what is there may be kept.
    pub(super) fn check(&self, incomplete: Incomplete) -> Result<(), Refusal> {
        if let Some(node) = self.invalid {
            let message = format!("the position of node/{node} is not on Earth");
            let position = self.positions.first().map(|position| position.degrees());
            return Err(Refusal { code: RejectCode::InvalidPosition, position, message });
        }
        match self.missing {
            Some(node) if incomplete == Incomplete::Reject => {
                Err(Refusal::missing(&format!("node/{node}"), self.positions.first().copied()))
            }
            _ => Ok(()),
        }
    }

    /// Whether it ends where it begins and can enclose something.
    pub(super) fn is_closed(&self) -> bool {
        self.positions.len() >= 4 && self.positions.first() == self.positions.last()
    }

    /// The way as a line, repeated positions dropped.
    pub(super) fn line(&self) -> Result<Built<Vec<Position>>, Refusal> {
        let mut shape = self.positions.clone();
        shape.dedup();
        if shape.len() < 2 {
            let position = shape.first().map(|position| position.degrees());
            return Err(match self.missing {
                Some(node) => Refusal::missing(&format!("node/{node}"), shape.first().copied()),
                None => Refusal {
                    code: RejectCode::InvalidLine,
                    position,
                    message: "it has no two positions that differ".to_owned(),
                },
            });
        }
        let repairs =
            if shape.len() < self.positions.len() { vec![GeometryRepair::RepeatedPosition] } else { Vec::new() };
        Ok(Built { shape, repairs, incomplete: self.missing.is_some() })
    }

    /// What the way encloses.
    pub(super) fn area(&self) -> Result<Built<Polygons>, Refusal> {
        let incomplete = self.missing.is_some();
        if let Some(ring) = simple_ring(&self.positions) {
            return Ok(Built { shape: vec![vec![ring]], repairs: Vec::new(), incomplete });
        }
        match (assemble(std::slice::from_ref(&self.positions)), self.missing) {
            (Ok(Area { polygons, repairs }), _) => Ok(Built { shape: polygons, repairs, incomplete }),
            // Whatever is wrong with what is left, it is for want of the node.
            (Err(_), Some(node)) => Err(Refusal::missing(&format!("node/{node}"), self.positions.first().copied())),
            (Err(no_area), None) => Err(no_area.into()),
        }
    }
}

/// What the member ways of a relation enclose.
pub(super) fn relation_area(
    members: &[Member],
    lines: &ById<Line>,
    locations: &Locations,
    policy: Incomplete,
) -> Result<Built<Polygons>, Refusal> {
    let mut ways: Vec<(i64, &str)> = members
        .iter()
        .filter(|member| member.kind == ObjectKind::Way)
        .map(|member| (member.id, &*member.role))
        .collect();
    // The same way twice is one way, whatever its roles.
    ways.sort_by_key(|(id, _)| *id);
    ways.dedup_by_key(|(id, _)| *id);

    let (mut outlines, mut roles) = (Vec::new(), Vec::new());
    let mut missing = None;
    let mut anywhere = None;
    let mut near = 0;
    for (id, role) in ways {
        let Some(line) = lines.get(id) else {
            missing = missing.or_else(|| Some(format!("way/{id}")));
            continue;
        };
        let located = line.locate(locations, &mut near);
        anywhere = anywhere.or(located.positions.first().copied());
        located.check(Incomplete::KeepFlagged)?;
        if let Some(node) = located.missing {
            missing = missing.or_else(|| Some(format!("node/{node}")));
        }
        outlines.push(located.positions);
        roles.push(role);
    }
    let Some(missing) = missing else {
        let Area { polygons, mut repairs } = assemble(&outlines)?;
        if contradicts(&polygons, &outlines, &roles) {
            repairs.push(GeometryRepair::IgnoredRoles);
        }
        return Ok(Built { shape: polygons, repairs, incomplete: false });
    };
    let refusal = Refusal::missing(&missing, anywhere);
    match policy {
        Incomplete::Reject => Err(refusal),
        Incomplete::KeepFlagged => part_of_area(&outlines, &roles).ok_or(refusal),
    }
}

/// What is left of an area some of whose lines are missing: the rings that close all the same, but none that only
/// inner members make, because what is a hole of something that is not there encloses nothing.
fn part_of_area(outlines: &[Vec<Position>], roles: &[&str]) -> Option<Built<Polygons>> {
    // Lines with a loose end are taken away until none is left. Of the lines that end at a position: how many there are,
    // and their numbers, xored, which is the number of the last one when one is left.
    let lines = || outlines.iter().enumerate().filter(|(_, line)| line.len() > 1);
    let both = |line: &[Position]| [line[0], line[line.len() - 1]];
    let mut ends: FxHashMap<Position, (usize, usize)> = FxHashMap::default();
    for (at, line) in lines() {
        for end in both(line) {
            let (count, numbers) = ends.entry(end).or_default();
            *count += 1;
            *numbers ^= at;
        }
    }
    let mut kept: Vec<bool> = outlines.iter().map(|line| line.len() > 1).collect();
    let mut loose: Vec<usize> = ends.values().filter(|(count, _)| *count == 1).map(|(_, number)| *number).collect();
    while let Some(at) = loose.pop() {
        if !std::mem::take(&mut kept[at]) {
            continue;
        }
        for end in both(&outlines[at]) {
            let (count, numbers) = ends.entry(end).or_default();
            *count -= 1;
            *numbers ^= at;
            if *count == 1 {
                loose.push(*numbers);
            }
        }
    }
    let (lines, roles): (Vec<Vec<Position>>, Vec<&str>) =
        lines().filter(|(at, _)| kept[*at]).map(|(at, line)| (line.clone(), roles[at])).unzip();
    let Area { mut polygons, repairs } = assemble(&lines).ok()?;
    let first = first_segments(&lines, &roles);
    let is_hole = |rings: &Vec<Vec<Position>>| {
        let mut found = segments(&rings[0]).filter_map(|segment| first.get(&segment)).peekable();
        found.peek().is_some() && found.all(|role| *role == "inner")
    };
    polygons.retain(|rings| !is_hole(rings));
    (!polygons.is_empty()).then_some(Built { shape: polygons, repairs, incomplete: true })
}

/// A segment, the lesser end first.
type Ends = (Position, Position);

fn segments(line: &[Position]) -> impl Iterator<Item = Ends> {
    line.windows(2).filter(|ends| ends[0] != ends[1]).map(|ends| (ends[0].min(ends[1]), ends[0].max(ends[1])))
}

/// The first segment of each line with the line's role.
fn first_segments<'r>(lines: &[Vec<Position>], roles: &[&'r str]) -> FxHashMap<Ends, &'r str> {
    lines.iter().zip(roles).filter_map(|(line, role)| Some((segments(line).next()?, *role))).collect()
}

/// Whether a member says it is outer and bounds a hole, says it is inner and bounds the outside, or says something else.
fn contradicts(polygons: &Polygons, outlines: &[Vec<Position>], roles: &[&str]) -> bool {
    if roles.iter().any(|role| !matches!(*role, "outer" | "inner" | "")) {
        return true;
    }
    let first = first_segments(outlines, roles);
    polygons.iter().any(|rings| {
        rings.iter().enumerate().any(|(at, ring)| {
            let wrong = if at == 0 { "inner" } else { "outer" };
            segments(ring).any(|segment| first.get(&segment).is_some_and(|role| *role == wrong))
        })
    })
}

/// Polygons in degrees.
pub(super) fn multipolygon(polygons: &Polygons) -> MultiPolygon<f64> {
    let ring = |ring: &Vec<Position>| ring.iter().map(|position| position.degrees()).collect::<LineString<f64>>();
    let polygon = |rings: &Vec<Vec<Position>>| Polygon::new(ring(&rings[0]), rings[1..].iter().map(ring).collect());
    polygons.iter().map(polygon).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_outline_with_a_gap_is_taken_away_in_one_go() {
        let corner = |lon, lat| Position { lon, lat };
        // Before it, a square in two lines that closes all the same.
        let square =
            [vec![corner(-3, 0), corner(-1, 0), corner(-1, 2)], vec![corner(-1, 2), corner(-3, 2), corner(-3, 0)]];
        let outlines: Vec<_> =
            square.into_iter().chain((0..200_000).map(|lon| vec![corner(lon, 0), corner(lon + 1, 0)])).collect();
        let part = part_of_area(&outlines, &vec!["outer"; outlines.len()]).expect("the square is there");
        let ring = [(-3, 2), (-3, 0), (-1, 0), (-1, 2), (-3, 2)].map(|(lon, lat)| corner(lon, lat));
        assert_eq!(part.shape, [[ring]]);
        assert!(part.incomplete && part.repairs.is_empty());
    }
}
