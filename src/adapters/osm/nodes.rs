//! The third pass: nodes become points, and lend their positions to ways.

use super::block::{Block, Detail};
use super::judge::{BROKEN_TAG, Judge, LAYERS, LayerTally, Outcome, fits, row};
use super::locations::Locations;
use super::object::{Geometry, record_id};
use super::passes::{Reader, Seen};
use super::source::Ended;
use super::verdict::{Verdict, may_have_rows, object, repeated, verdict};
use super::versions::Counts;
use crate::domain::{
    Feature, GeometryKind, LeftOut, LeftOutRule, LonLat, ObjectKind, Position, Reject, RejectCode, Shape,
};
use crate::pipeline::layers::LayerShape;

impl Reader<'_> {
    /// The third pass: nodes that are wanted, and the positions of those that are referred to.
    pub(super) fn nodes(
        &mut self,
        locations: &Locations,
        mut take: impl FnMut(Result<Feature, Reject>) -> Result<(), Ended>,
        mut take_rows: impl FnMut(LayerTally) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let wanted = self.wanted;
        let mut left_out = LeftOut::default();
        let work = |_, block: &Block<'_>, seen: &mut Seen<'_>| {
            let mut judge = Judge::new(wanted, block.strings());
            let mut tally = LayerTally::new(wanted.layers, block.size_bytes() / 4);
            let (mut left_out, mut found, mut positions) = (LeftOut::default(), Vec::new(), Vec::new());
            let (mut not_matched, mut not_in_layers) = (0, 0);
            let (mut from, mut texts) = (0, Vec::new());
            let detail = if wanted.layers.is_empty() { Detail::Version } else { Detail::All };
            block.nodes(detail, |node| {
                let counts = seen.meet(ObjectKind::Node, node.id, &node.meta);
                let lives = node.meta.visible && matches!(counts, Counts::Yes | Counts::Outdates);
                if lives
                    && !locations.is_empty()
                    && let Some(place) = locations.walk(node.id, &mut from)
                    && let Some(position) = node.position
                {
                    positions.push((place, position));
                }
                let whom = if node.tags.is_empty() { 0 } else { judge.matters(node.tags) };
                if whom == 0 && lives {
                    not_matched += 1;
                    not_in_layers += 1;
                    return Ok(());
                }
                // A position out of all range is nowhere on Earth either.
                let stated = node.position.map_or((999.0, 999.0), Position::degrees);
                let place =
                    verdict(&judge, ObjectKind::Node, node.id, node.tags, whom, counts, &node.meta, Some(stated));
                match place {
                    Verdict::LeftOut(LeftOutRule::NotMatched) => not_matched += 1,
                    Verdict::LeftOut(rule) => left_out.add(rule, 1),
                    Verdict::Rejected(reject) => found.push(Err(reject)),
                    // A position that is not on Earth is for the transform to judge.
                    Verdict::Wanted(_)
                        if LonLat::new(stated.0, stated.1).is_some_and(|at| !wanted.region.reads(at)) =>
                    {
                        left_out.add(LeftOutRule::OutsideRegion, 1);
                    }
                    Verdict::Wanted(tags) => {
                        let shape = Shape::Point(geo::Point::new(stated.0, stated.1));
                        let object = object(ObjectKind::Node, node.id, &node.meta, tags, Geometry::Point);
                        found.push(Ok(object.into_feature(shape)));
                    }
                }
                if wanted.layers.is_empty() {
                    return Ok(());
                }
                if whom & LAYERS == 0 && lives {
                    not_in_layers += 1;
                    return Ok(());
                }
                if !may_have_rows(&mut tally, counts, &node.meta) {
                    return Ok(());
                }
                if !judge.texts(node.tags, &mut texts) {
                    tally.refuse(ObjectKind::Node, node.id, Some(stated), BROKEN_TAG);
                    return Ok(());
                }
                for (at, layer) in wanted.layers.iter().enumerate() {
                    let outcome = if !fits(layer, ObjectKind::Node, &texts) {
                        Outcome::LeftOut(LeftOutRule::NotMatched)
                    } else if counts == Counts::Repeated {
                        Outcome::Rejected(repeated(ObjectKind::Node, node.id, Some(stated)))
                    } else if !layer.kinds.contains(&GeometryKind::Point) {
                        Outcome::LeftOut(LeftOutRule::WrongKind)
                    } else if let Some(position) = node.position.filter(|position| position.is_valid()) {
                        let at_lon_lat = LonLat::new(stated.0, stated.1);
                        if at_lon_lat.is_some_and(|at| wanted.region.contains(at)) {
                            let shape = LayerShape::Point(position);
                            tally.rows[at].push(&row(layer, (ObjectKind::Node, node.id), shape, &texts, &node.meta));
                            Outcome::Kept
                        } else {
                            Outcome::LeftOut(LeftOutRule::OutsideRegion)
                        }
                    } else {
                        let message = "its position is not on Earth".to_owned();
                        Outcome::Rejected(Reject {
                            record_id: record_id(ObjectKind::Node, node.id),
                            code: RejectCode::InvalidPosition,
                            position: Some(stated),
                            line: None,
                            message,
                        })
                    };
                    tally.note(at, outcome);
                }
                Ok(())
            })?;
            left_out.add(LeftOutRule::NotMatched, not_matched);
            tally.leave_out(LeftOutRule::NotMatched, not_in_layers);
            Ok((left_out, found, positions, tally))
        };
        self.pass(&[ObjectKind::Node], "nodes", true, work, |(more, found, of_block, tally)| {
            left_out.merge(&more);
            for (place, position) in of_block {
                locations.set(place, position);
            }
            found.into_iter().try_for_each(&mut take)?;
            take_rows(tally)
        })?;
        self.left_out.merge(&left_out);
        Ok(())
    }
}
