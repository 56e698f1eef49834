//! A wanted object: what is kept of it until its geometry is known.

use serde::{Serialize, Serializer};

use super::line::Line;
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
    /// A node's own position.
    Point,
    /// A way.
    Line(Line),
    /// A relation.
    Members(Vec<Member>),
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
    nodes: Option<Vec<i64>>,
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
            Geometry::Point => (None, None),
            Geometry::Line(line) => (Some(line.refs()), None),
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

/// OSM's name of a kind of object.
pub(super) fn name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Node => "node",
        ObjectKind::Way => "way",
        ObjectKind::Relation => "relation",
    }
}
