//! From ways and relations to areas: collects the positions of their lines and has them assembled.

use geo::InteriorPoint;
use rayon::prelude::*;

use super::area::{NoArea, Position, assemble};
use super::object::{Geometry, Line, Member, Object};
use super::passes::ById;
use crate::domain::{Feature, LonLat, ObjectKind, Region, Reject, RejectCode, Shape};
use crate::pipeline::RunError;

/// Areas assembled at a time.
const BATCH_AREAS: usize = 4096;

/// What areas are made of.
pub(super) struct Parts<'a> {
    pub(super) lines: &'a ById<Line>,
    pub(super) positions: &'a ById<Position>,
}

/// Gives ways and relations their shape, in parallel, and hands them on in order: `None` for those outside the region.
pub(super) fn shape_all(
    objects: Vec<Object>,
    parts: &Parts<'_>,
    region: &Region,
    mut take: impl FnMut(Result<Option<Feature>, Reject>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let mut rest = objects.into_iter();
    while rest.len() > 0 {
        let batch: Vec<Object> = rest.by_ref().take(BATCH_AREAS).collect();
        let shaped: Vec<_> = batch.into_par_iter().map(|object| parts.shape(object, region)).collect();
        shaped.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}

impl Parts<'_> {
    fn shape(&self, object: Object, region: &Region) -> Result<Option<Feature>, Reject> {
        let lines = match &object.geometry {
            Geometry::Ring(line) => vec![line],
            Geometry::Members(members) => self.member_lines(&object, members)?,
            Geometry::Point(..) => Vec::new(),
        };
        let outlines: Vec<Vec<Position>> =
            lines.iter().map(|line| self.outline(&object, line, &lines)).collect::<Result<_, _>>()?;
        let area = assemble(&outlines)
            .map_err(|NoArea { code, at, reason }| object.reject(code, at.map(Position::degrees), reason.to_owned()))?;
        let inside = area.interior_point().and_then(|point| LonLat::new(point.x(), point.y()));
        if inside.is_some_and(|inside| !region.reads(inside)) {
            return Ok(None);
        }
        Ok(Some(object.into_feature(Shape::Area(area))))
    }

    /// The member ways of a relation, each once.
    fn member_lines(&self, relation: &Object, members: &[Member]) -> Result<Vec<&Line>, Reject> {
        let mut ways: Vec<i64> =
            members.iter().filter(|member| member.kind == ObjectKind::Way).map(|member| member.id).collect();
        ways.sort_unstable();
        ways.dedup();
        let lines: Vec<&Line> = ways.iter().filter_map(|way| self.lines.get(*way)).collect();
        match ways.iter().find(|way| self.lines.get(**way).is_none()) {
            None => Ok(lines),
            Some(way) => Err(self.missing(relation, &lines, &format!("way/{way}"))),
        }
    }

    fn outline(&self, object: &Object, line: &Line, lines: &[&Line]) -> Result<Vec<Position>, Reject> {
        let position = |node: &i64| {
            let known = self.positions.get(*node).copied();
            known.ok_or_else(|| self.missing(object, lines, &format!("node/{node}")))
        };
        line.refs.iter().map(position).collect()
    }

    /// Refuses an object for a part that is missing, at any position of it that is known.
    fn missing(&self, object: &Object, lines: &[&Line], part: &str) -> Reject {
        let known = lines.iter().flat_map(|line| &line.refs).find_map(|node| self.positions.get(*node));
        let position = known.map(|position| position.degrees());
        object.reject(RejectCode::MissingMember, position, format!("{part} is not in the file"))
    }
}
