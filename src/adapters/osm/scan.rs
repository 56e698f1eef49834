//! What of a block is wanted: the first pass. Objects that are not wanted cost no allocation.

use std::ops::RangeInclusive;

use super::block::{Block, Body, Item};
use super::object::{Geometry, Object, line, members, record_id};
use crate::domain::{LeftOut, LeftOutRule, LonLat, ObjectKind, Reject, RejectCode, Tags, Timestamp};
use crate::pipeline::ports::Demand;

/// Fewest references of a closed way that can enclose something: a triangle, closed.
const MIN_RING_REFS: usize = 4;

/// What the first pass found in a block.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Objects in the block.
    pub(super) read: u64,
    /// Least and greatest id of its nodes.
    pub(super) nodes: Option<RangeInclusive<i64>>,
    /// Least and greatest id of its ways.
    pub(super) ways: Option<RangeInclusive<i64>>,
    /// Time of its newest object.
    pub(super) newest_ms: Option<i64>,
    pub(super) left_out: LeftOut,
    /// What is wanted, in the order of the block.
    pub(super) found: Vec<Result<Object, Reject>>,
}

/// Finds what is wanted of a block.
pub(super) fn scan(block: &Block, wanted: &Demand<'_>) -> Scan {
    let mut scanner = Scanner { wanted, strings: block.strings(), asked: vec![None; block.strings().len()] };
    let mut scan = Scan::default();
    let mut not_matched = 0;
    block.for_each(|item| {
        scan.read += 1;
        scan.newest_ms = scan.newest_ms.max(item.meta.time_ms);
        match item.body {
            Body::Node(..) => widen(&mut scan.nodes, item.id),
            Body::Way(_) => widen(&mut scan.ways, item.id),
            Body::Relation(_) => {}
        }
        match scanner.judge(item) {
            Verdict::LeftOut(LeftOutRule::NotMatched) => not_matched += 1,
            Verdict::LeftOut(rule) => scan.left_out.add(rule, 1),
            Verdict::Wanted(object) => scan.found.push(Ok(object)),
            Verdict::Rejected(reject) => scan.found.push(Err(reject)),
        }
    });
    scan.left_out.add(LeftOutRule::NotMatched, not_matched);
    scan
}

enum Verdict {
    Wanted(Object),
    LeftOut(LeftOutRule),
    Rejected(Reject),
}

struct Scanner<'a> {
    wanted: &'a Demand<'a>,
    strings: &'a [Vec<u8>],
    /// Per text of the string table: whether it is a key that can make an object wanted. `None`: not asked yet.
    asked: Vec<Option<bool>>,
}

impl<'a> Scanner<'a> {
    fn judge(&mut self, item: Item<'a>) -> Verdict {
        if !item.meta.visible {
            return Verdict::LeftOut(LeftOutRule::NotLive);
        }
        // A key that cannot be read may be the one that matters, so it counts as if it did.
        if !item.tags.clone().any(|(key, _)| self.matters(key)) {
            return Verdict::LeftOut(LeftOutRule::NotMatched);
        }
        let kind = match item.body {
            Body::Node(..) => ObjectKind::Node,
            Body::Way(_) => ObjectKind::Way,
            Body::Relation(_) => ObjectKind::Relation,
        };
        let position = match item.body {
            Body::Node(lon, lat) => Some((degrees(lon), degrees(lat))),
            _ => None,
        };
        let malformed = |message: &str| {
            let record_id = record_id(kind, item.id);
            Verdict::Rejected(Reject { record_id, code: RejectCode::Malformed, position, message: message.to_owned() })
        };
        let Some(tags) = self.tags(item.tags) else {
            return malformed("a tag of it is not UTF-8, or not in the file's table of texts");
        };
        if !self.wanted.taxonomy.wants(kind, &tags) {
            return Verdict::LeftOut(LeftOutRule::NotMatched);
        }
        let geometry = match item.body {
            Body::Node(lon, lat) => {
                let (lon, lat) = (degrees(lon), degrees(lat));
                // A position that is not on Earth is for the transform to judge.
                if LonLat::new(lon, lat).is_some_and(|position| !self.wanted.region.reads(position)) {
                    return Verdict::LeftOut(LeftOutRule::OutsideRegion);
                }
                Geometry::Point(lon, lat)
            }
            Body::Way(way) => {
                let line = line(&way);
                let closed = line.refs.len() >= MIN_RING_REFS && line.refs.first() == line.refs.last();
                if !closed || tags.get("area") == Some("no") {
                    return Verdict::LeftOut(LeftOutRule::WrongKind);
                }
                Geometry::Ring(line)
            }
            Body::Relation(relation) => {
                if !matches!(tags.get("type"), Some("multipolygon" | "boundary")) {
                    return Verdict::LeftOut(LeftOutRule::WrongKind);
                }
                match members(&relation) {
                    Some(members) => Geometry::Members(members),
                    None => return malformed("a role in it is not UTF-8, or not in the file's table of texts"),
                }
            }
        };
        let time = item.meta.time_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Verdict::Wanted(Object { kind, id: item.id, version: item.meta.version, time, tags, geometry })
    }

    fn matters(&mut self, key: usize) -> bool {
        let Some(asked) = self.asked.get_mut(key) else { return true };
        *asked.get_or_insert_with(|| match std::str::from_utf8(&self.strings[key]) {
            Ok(key) => self.wanted.taxonomy.hangs_on(key),
            Err(_) => true,
        })
    }

    fn tags(&self, indexes: impl Iterator<Item = (usize, usize)>) -> Option<Tags> {
        let text = |index: usize| std::str::from_utf8(self.strings.get(index)?).ok();
        indexes.map(|(key, value)| Some((text(key)?, text(value)?))).collect()
    }
}

/// Degrees from billionths of a degree, the nearest number to what is written in decimals.
fn degrees(nano: i64) -> f64 {
    nano as f64 / 1e9
}

fn widen(range: &mut Option<RangeInclusive<i64>>, id: i64) {
    *range = Some(match range.take() {
        None => id..=id,
        Some(range) => id.min(*range.start())..=id.max(*range.end()),
    });
}
