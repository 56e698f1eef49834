//! A wanted object: what is kept of it until its geometry is known.

use std::fmt::Write;

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

impl Object {
    /// Its id in OSM's terms: `way/5`.
    pub(super) fn record_id(&self) -> RecordId {
        record_id(self.kind, self.id)
    }

    /// Refuses it.
    pub(super) fn reject(&self, code: RejectCode, position: Option<(f64, f64)>, message: String) -> Reject {
        Reject { record_id: self.record_id(), code, position, line: None, message }
    }

    /// The object with its shape, ready to be handed on.
    pub(super) fn into_feature(self, shape: Shape) -> Feature {
        let raw = self.raw();
        Feature {
            kind: self.kind,
            shape,
            update_time: self.time,
            license: Some(LICENSE.into()),
            raw: raw.into(),
            ..Feature::point(self.record_id(), 0.0, 0.0, self.tags)
        }
    }

    /// The object as JSON; what the file does not say is left out. Written by hand: it is done for every object.
    fn raw(&self) -> String {
        let mut raw = String::with_capacity(256);
        put(&mut raw, format_args!("{{\"type\":\"{}\",\"id\":{}", name(self.kind), self.id));
        if let Some(version) = self.version {
            put(&mut raw, format_args!(",\"version\":{version}"));
        }
        if let Some(time) = self.time {
            put(&mut raw, format_args!(",\"timestamp\":\"{time}\""));
        }
        let mut before = ",\"tags\":{";
        for (key, value) in self.tags.iter() {
            raw.push_str(before);
            push_text(&mut raw, key);
            raw.push(':');
            push_text(&mut raw, value);
            before = ",";
        }
        raw.push_str(if before == "," { "}" } else { ",\"tags\":{}" });
        match &self.geometry {
            Geometry::Point => {}
            Geometry::Line(line) => {
                let nodes: Vec<String> = line.refs().iter().map(i64::to_string).collect();
                put(&mut raw, format_args!(",\"nodes\":[{}]", nodes.join(",")));
            }
            Geometry::Members(members) => {
                let mut before = ",\"members\":[";
                for member in members {
                    let (kind, id) = (name(member.kind), member.id);
                    put(&mut raw, format_args!("{before}{{\"type\":\"{kind}\",\"ref\":{id},\"role\":"));
                    push_text(&mut raw, &member.role);
                    raw.push('}');
                    before = ",";
                }
                raw.push_str(if before == "," { "]" } else { ",\"members\":[]" });
            }
        }
        raw.push('}');
        raw
    }
}

fn put(json: &mut String, text: std::fmt::Arguments<'_>) {
    json.write_fmt(text).expect("text in memory can be written");
}

/// Appends a text as JSON.
fn push_text(json: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        json.push_str(&serde_json::to_string(text).expect("a text is JSON"));
    } else {
        json.push('"');
        json.push_str(text);
        json.push('"');
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
