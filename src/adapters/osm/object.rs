//! A wanted object: what is kept of it until its geometry is known.

use osmpbf::{RelMemberType, Relation, Way};
use serde::{Serialize, Serializer};

use super::area::Position;
use crate::domain::{Feature, ObjectKind, RecordId, Reject, RejectCode, Shape, Tags, Timestamp};

/// The licence of OpenStreetMap, as SPDX names it.
const LICENSE: &str = "ODbL-1.0";

/// A node, way or relation that is wanted.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) id: i64,
    pub(super) version: Option<i32>,
    pub(super) time: Option<Timestamp>,
    pub(super) tags: Tags,
    pub(super) geometry: Geometry,
}

/// What an object's geometry is made of.
#[derive(Debug)]
pub(super) enum Geometry {
    /// A node: longitude and latitude in degrees.
    Point(f64, f64),
    /// A closed way.
    Ring(Line),
    /// A relation.
    Members(Vec<Member>),
}

/// A way as its nodes, and their positions where the file states them with the way.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) refs: Vec<i64>,
    /// As many as `refs`, or none.
    pub(super) positions: Vec<Position>,
}

/// A member of a relation.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) kind: ObjectKind,
    pub(super) id: i64,
    pub(super) role: Box<str>,
}

/// The object as JSON; what the file does not say is left out.
#[derive(Serialize)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tags: RawTags<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<&'a [i64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<RawMember<'a>>>,
}

#[derive(Serialize)]
struct RawMember<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "ref")]
    id: i64,
    role: &'a str,
}

struct RawTags<'a>(&'a Tags);

impl Serialize for RawTags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl Object {
    /// Its id in OSM's terms: `way/5`.
    pub(super) fn record_id(&self) -> RecordId {
        record_id(self.kind, self.id)
    }

    /// Longitude and latitude of a node, in degrees.
    pub(super) fn point(&self) -> Option<(f64, f64)> {
        match self.geometry {
            Geometry::Point(lon, lat) => Some((lon, lat)),
            _ => None,
        }
    }

    /// Refuses it.
    pub(super) fn reject(&self, code: RejectCode, position: Option<(f64, f64)>, message: String) -> Reject {
        Reject { record_id: self.record_id(), code, position, message }
    }

    /// The object with its shape, ready to be handed on.
    pub(super) fn into_feature(self, shape: Shape) -> Feature {
        let raw = self.raw();
        Feature {
            id: self.record_id(),
            kind: self.kind,
            shape,
            tags: self.tags,
            connectors: Vec::new(),
            update_time: self.time,
            license: Some(LICENSE.into()),
            raw: raw.into(),
        }
    }

    fn raw<'a>(&'a self) -> String {
        let raw_member = |member: &'a Member| RawMember { kind: name(member.kind), id: member.id, role: &member.role };
        let (nodes, members) = match &self.geometry {
            Geometry::Point(..) => (None, None),
            Geometry::Ring(line) => (Some(line.refs.as_slice()), None),
            Geometry::Members(members) => (None, Some(members.iter().map(raw_member).collect())),
        };
        let raw = Raw {
            kind: name(self.kind),
            id: self.id,
            version: self.version,
            timestamp: self.time.map(|time| time.to_string()),
            tags: RawTags(&self.tags),
            nodes,
            members,
        };
        serde_json::to_string(&raw).expect("texts and numbers are JSON")
    }
}

/// The id of an object in OSM's terms: `node/123`.
pub(super) fn record_id(kind: ObjectKind, id: i64) -> RecordId {
    RecordId::new(format!("{}/{id}", name(kind)))
}

/// A way as a line.
pub(super) fn line(way: &Way<'_>) -> Line {
    let positions: Option<Vec<_>> =
        way.node_locations().map(|at| Position::from_nano(at.nano_lon(), at.nano_lat())).collect();
    Line { refs: way.refs().collect(), positions: positions.unwrap_or_default() }
}

/// The members of a relation; `None` when a role is not a text.
pub(super) fn members(relation: &Relation<'_>) -> Option<Vec<Member>> {
    let member = |member: osmpbf::RelMember<'_>| {
        let kind = match member.member_type {
            RelMemberType::Node => ObjectKind::Node,
            RelMemberType::Way => ObjectKind::Way,
            RelMemberType::Relation => ObjectKind::Relation,
        };
        Some(Member { kind, id: member.member_id, role: member.role().ok()?.into() })
    };
    relation.members().map(member).collect()
}

/// OSM's name of a kind of object.
pub(super) fn name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Node => "node",
        ObjectKind::Way => "way",
        ObjectKind::Relation => "relation",
    }
}
