//! Rows of layers from ways and relations: the last passes, when the positions of all nodes are known.

use super::Fault;
use super::area::Polygons;
use super::block::{Block, Meta};
use super::geometry::{Built, Refusal, relation_area};
use super::judge::{BROKEN_TAG, Judge, LAYERS, LayerTally, Outcome, fits, row};
use super::line::{Line, Scratch};
use super::locations::Locations;
use super::object::{Member, record_id};
use super::passes::{ById, Reader, Seen};
use super::source::Ended;
use super::verdict::{is_area, may_have_rows, repeated};
use super::versions::Counts;
use crate::domain::{GeometryKind, Incomplete, Layer, LeftOutRule, ObjectKind, Position, Region, Reject};
use crate::pipeline::layers::LayerShape;
use crate::pipeline::ports::Demand;

/// Nodes of ways whose positions are looked up together: 8,000 ways name about 70,000.
const MOST_NODES_AT_ONCE: usize = 2_000_000;

/// What became of an object in a layer, of several geometries that it may have there.
#[derive(Default)]
struct Rows {
    kept: bool,
    refused: Option<Reject>,
    left_out: Option<LeftOutRule>,
}

impl Rows {
    /// One row or reject is enough to say what became of the object; a reject of another geometry is still told.
    fn outcome(self, tally: &mut LayerTally, layer: usize) -> Outcome {
        match (self.kept, self.refused) {
            (false, Some(refused)) => Outcome::Rejected(refused),
            (false, None) => Outcome::LeftOut(self.left_out.unwrap_or(LeftOutRule::WrongKind)),
            (true, refused) => {
                tally.rejects.extend(refused.map(|reject| (layer, reject)));
                Outcome::Kept
            }
        }
    }
}

/// An object as it becomes rows.
struct Item<'t> {
    key: (ObjectKind, i64),
    tags: &'t [(&'t str, &'t str)],
    meta: &'t Meta<'t>,
}

impl Item<'_> {
    /// Takes a geometry into a layer, or what stands against it.
    fn take<S>(
        &self,
        (at, layer): (usize, &Layer),
        region: &Region,
        built: Result<&Built<S>, &Refusal>,
        shape: impl Fn(&S) -> LayerShape<'_>,
        tally: &mut LayerTally,
        rows: &mut Rows,
    ) {
        match built {
            Ok(built) if !meets(region, shape(&built.shape)) => rows.left_out = Some(LeftOutRule::OutsideRegion),
            Ok(built) => {
                let mut row = row(layer, self.key, shape(&built.shape), self.tags, self.meta);
                row.incomplete = built.incomplete;
                row.repairs = &built.repairs;
                tally.rows[at].push(&row);
                rows.kept = true;
            }
            Err(Refusal { code, position, message }) => {
                let record_id = record_id(self.key.0, self.key.1);
                rows.refused =
                    Some(Reject { record_id, code: *code, position: *position, line: None, message: message.clone() });
            }
        }
    }
}

impl Reader<'_> {
    /// Reads ways and relations again and makes rows of those that layers want. Blocks of relations come first: there are
    /// few, and each has the work of many blocks of ways.
    pub(super) fn rows(
        &mut self,
        lines: &ById<Line>,
        locations: &Locations,
        take: impl FnMut(LayerTally) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let wanted = self.wanted;
        let work = |kind, block: &Block<'_>, seen: &mut Seen<'_>| match kind {
            ObjectKind::Relation => relation_rows(wanted, block, seen, lines, locations),
            _ => way_rows(wanted, block, seen, locations),
        };
        self.pass(&[ObjectKind::Relation, ObjectKind::Way], "lines and areas", false, work, take)
    }
}

/// Rows of the ways of a block.
fn way_rows(
    wanted: &Demand<'_>,
    block: &Block<'_>,
    seen: &mut Seen<'_>,
    locations: &Locations,
) -> Result<LayerTally, Fault> {
    let mut judge = Judge::new(wanted, block.strings());
    let mut tally = LayerTally::new(wanted.layers, block.size_bytes());
    let (mut scratch, mut texts) = (Scratch::default(), Vec::new());
    let mut not_matched = 0;
    // The positions of all ways of the block at once, unless it has more of them than a block ever should.
    let (mut all_refs, mut all_found) = (Vec::new(), Vec::new());
    let mut nodes = 0;
    block.ways(|way| {
        if judge.matters(way.tags) & LAYERS != 0 && !way.is_located() {
            nodes += way.node_count();
            if nodes <= MOST_NODES_AT_ONCE {
                way.refs(&mut scratch.refs)?;
                all_refs.extend_from_slice(&scratch.refs);
            }
        }
        Ok(())
    })?;
    let at_once = nodes <= MOST_NODES_AT_ONCE;
    if at_once {
        locations.resolve(&all_refs, &mut all_found);
    }
    let (mut rest, mut near) = (all_found.as_slice(), 0);
    block.ways(|way| {
        let counts = seen.meet(ObjectKind::Way, way.id, &way.meta);
        let whom = judge.matters(way.tags);
        let found = if at_once && whom & LAYERS != 0 && !way.is_located() {
            let (found, behind) = rest.split_at(way.node_count());
            rest = behind;
            found
        } else {
            &[]
        };
        if !may_have_rows(&mut tally, counts, &way.meta) {
            return Ok(());
        }
        if whom & LAYERS == 0 {
            not_matched += 1;
            return Ok(());
        }
        if !judge.texts(way.tags, &mut texts) {
            tally.refuse(ObjectKind::Way, way.id, None, BROKEN_TAG);
            return Ok(());
        }
        let Scratch { refs, stated, located } = &mut scratch;
        way.refs(refs)?;
        way.positions(stated)?;
        match (way.is_located(), at_once) {
            (true, _) => located.fill(refs, stated.iter().copied()),
            (false, true) => located.fill(refs, found.iter().copied()),
            (false, false) => located.fill(refs, refs.iter().map(|id| locations.get(*id, &mut near))),
        }
        // A node that is missing or not on Earth makes no line of an area.
        let gap = located.missing.or(located.invalid).is_some();
        let closed = located.is_closed() || (gap && refs.len() >= 4 && refs.first() == refs.last());
        let rules = wanted.area_rules.judge(texts.as_slice());
        let (is_area, is_line) = if closed { (rules.area, rules.line) } else { (false, true) };
        let item = Item { key: (ObjectKind::Way, way.id), tags: &texts, meta: &way.meta };
        let (mut line, mut area) = (None, None);
        for (at, layer) in wanted.layers.iter().enumerate() {
            if !fits(layer, ObjectKind::Way, &texts) {
                tally.note(at, Outcome::LeftOut(LeftOutRule::NotMatched));
                continue;
            }
            if counts == Counts::Repeated {
                tally.note(at, Outcome::Rejected(repeated(ObjectKind::Way, way.id, None)));
                continue;
            }
            let mut rows = Rows::default();
            let checked = located.check(layer.incomplete);
            if is_line && layer.kinds.contains(&GeometryKind::Line) {
                let line = line.get_or_insert_with(|| located.line());
                item.take(
                    (at, layer),
                    wanted.region,
                    checked.as_ref().and(line.as_ref()),
                    |line: &Vec<Position>| LayerShape::Line(line),
                    &mut tally,
                    &mut rows,
                );
            }
            if is_area && layer.kinds.contains(&GeometryKind::Area) {
                let area = area.get_or_insert_with(|| located.area());
                item.take(
                    (at, layer),
                    wanted.region,
                    checked.as_ref().and(area.as_ref()),
                    |area: &Polygons| LayerShape::Area(area),
                    &mut tally,
                    &mut rows,
                );
            }
            let outcome = rows.outcome(&mut tally, at);
            tally.note(at, outcome);
        }
        Ok(())
    })?;
    tally.leave_out(LeftOutRule::NotMatched, not_matched);
    Ok(tally)
}

/// Rows of the relations of a block.
fn relation_rows(
    wanted: &Demand<'_>,
    block: &Block<'_>,
    seen: &mut Seen<'_>,
    lines: &ById<Line>,
    locations: &Locations,
) -> Result<LayerTally, Fault> {
    let mut judge = Judge::new(wanted, block.strings());
    let mut tally = LayerTally::new(wanted.layers, block.size_bytes());
    let mut texts = Vec::new();
    let mut not_matched = 0;
    block.relations(|relation| {
        let counts = seen.meet(ObjectKind::Relation, relation.id, &relation.meta);
        if !may_have_rows(&mut tally, counts, &relation.meta) {
            return Ok(());
        }
        if judge.matters(relation.tags) & LAYERS == 0 {
            not_matched += 1;
            return Ok(());
        }
        if !judge.texts(relation.tags, &mut texts) {
            tally.refuse(ObjectKind::Relation, relation.id, None, BROKEN_TAG);
            return Ok(());
        }
        let spatial = is_area(texts.as_slice());
        let fitting: Vec<bool> = wanted.layers.iter().map(|layer| fits(layer, ObjectKind::Relation, &texts)).collect();
        // That its members make an area is said by the geometry.
        texts.retain(|(key, _)| *key != "type" || !spatial);
        let item = Item { key: (ObjectKind::Relation, relation.id), tags: &texts, meta: &relation.meta };
        let mut members = None;
        let mut built: [Option<Result<Built<Polygons>, Refusal>>; 2] = [None, None];
        for (at, layer) in wanted.layers.iter().enumerate() {
            let outcome = if !fitting[at] {
                Outcome::LeftOut(LeftOutRule::NotMatched)
            } else if !spatial {
                Outcome::LeftOut(LeftOutRule::NotSpatial)
            } else if counts == Counts::Repeated {
                Outcome::Rejected(repeated(ObjectKind::Relation, relation.id, None))
            } else if layer.kinds.contains(&GeometryKind::Area) {
                if members.is_none() {
                    let role = |role| judge.text(role).unwrap_or("?").into();
                    let member = |m: super::block::MemberRef| Member { kind: m.kind, id: m.id, role: role(m.role) };
                    members = Some(relation.members()?.into_iter().map(member).collect::<Vec<_>>());
                }
                let members = members.as_deref().unwrap_or_default();
                let policy = usize::from(layer.incomplete == Incomplete::KeepFlagged);
                let area =
                    built[policy].get_or_insert_with(|| relation_area(members, lines, locations, layer.incomplete));
                let mut rows = Rows::default();
                item.take(
                    (at, layer),
                    wanted.region,
                    area.as_ref(),
                    |area: &Polygons| LayerShape::Area(area),
                    &mut tally,
                    &mut rows,
                );
                rows.outcome(&mut tally, at)
            } else {
                Outcome::LeftOut(LeftOutRule::WrongKind)
            };
            tally.note(at, outcome);
        }
        Ok(())
    })?;
    tally.leave_out(LeftOutRule::NotMatched, not_matched);
    Ok(tally)
}

/// Whether a geometry has a part in the region.
fn meets(region: &Region, shape: LayerShape<'_>) -> bool {
    match shape {
        LayerShape::Point(position) => region.meets_line(&[position]),
        LayerShape::Line(line) => region.meets_line(line),
        LayerShape::Area(polygons) => region.meets_area(polygons),
    }
}
