//! Objects as the primitive blocks of a PBF file.
//!
//! - **Shape**: a group per kind, nodes dense; granularity 100 and dates in seconds, the format's defaults.
//! - **Source**: <https://wiki.openstreetmap.org/wiki/PBF_Format>; field numbers are those of `osmformat.proto`.
//! - **Invariant**: the same objects give the same bytes.
//!
//! The generator of the fixtures compiles this file too, so it names nothing of this crate.

use std::collections::HashMap;

/// Key and value.
pub(super) type Tag = (Box<str>, Box<str>);

/// What kind of object it is. The numbers are those of a relation's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Node = 0,
    Way = 1,
    Relation = 2,
}

/// An object that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) id: i64,
    pub(super) info: Info,
    pub(super) tags: Vec<Tag>,
    pub(super) body: Body,
}

/// Metadata, as far as it is stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) version: Option<i32>,
    /// Seconds since 1970-01-01 UTC.
    pub(super) time_s: Option<i64>,
    pub(super) changeset: Option<i64>,
    pub(super) uid: Option<i32>,
    pub(super) user: Option<Box<str>>,
}

/// What the kinds of objects do not share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Units of 10⁻⁷ degrees, the precision of OSM.
    Node {
        lon: i64,
        lat: i64,
    },
    /// Ids of its nodes.
    Way(Vec<i64>),
    Relation(Vec<Member>),
}

/// A member of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) id: i64,
    pub(super) role: Box<str>,
}

impl Object {
    pub(super) fn kind(&self) -> Kind {
        match self.body {
            Body::Node { .. } => Kind::Node,
            Body::Way(_) => Kind::Way,
            Body::Relation(_) => Kind::Relation,
        }
    }
}

/// An inflated `PrimitiveBlock` of objects that are all of the same kind.
pub(super) fn block<'a>(objects: impl Iterator<Item = &'a Object> + Clone) -> Vec<u8> {
    let mut strings = Strings::default();
    let mut group = Message::default();
    if objects.clone().any(|object| object.kind() == Kind::Node) {
        group.bytes(2, &dense(objects.clone(), &mut strings).0);
    }
    for object in objects {
        match &object.body {
            Body::Node { .. } => {}
            Body::Way(refs) => {
                let mut way = Message::default();
                way.object(object, &mut strings);
                way.packed(8, deltas(refs.iter().copied()));
                group.bytes(3, &way.0);
            }
            Body::Relation(members) => {
                let mut relation = Message::default();
                relation.object(object, &mut strings);
                relation.packed(8, members.iter().map(|member| strings.index(&member.role)));
                relation.packed(9, deltas(members.iter().map(|member| member.id)));
                relation.packed(10, members.iter().map(|member| member.kind as u64));
                group.bytes(4, &relation.0);
            }
        }
    }
    let mut block = Message::default();
    block.bytes(1, &strings.message().0);
    block.bytes(2, &group.0);
    block.0
}

/// A `DenseNodes`. It has metadata when any node has; 0 and the empty text stand for what is not stated.
fn dense<'a>(objects: impl Iterator<Item = &'a Object> + Clone, strings: &mut Strings<'a>) -> Message {
    let mut dense = Message::default();
    dense.packed(1, deltas(objects.clone().map(|node| node.id)));
    let infos = objects.clone().map(|node| &node.info);
    if infos.clone().any(|info| *info != Info::default()) {
        let mut info = Message::default();
        info.packed(1, infos.clone().map(|info| u64_of(info.version)));
        info.packed(2, deltas(infos.clone().map(|info| info.time_s.unwrap_or(0))));
        info.packed(3, deltas(infos.clone().map(|info| info.changeset.unwrap_or(0))));
        info.packed(4, deltas(infos.clone().map(|info| i64::from(info.uid.unwrap_or(0)))));
        let user = |info: &'a Info| stated_user(info).map_or(0, |user| strings.index(user) as i64);
        info.packed(5, deltas(infos.map(user)));
        dense.bytes(5, &info.0);
    }
    let positions = objects.clone().filter_map(|node| match node.body {
        Body::Node { lon, lat } => Some((lon, lat)),
        _ => None,
    });
    dense.packed(8, deltas(positions.clone().map(|(_, lat)| lat)));
    dense.packed(9, deltas(positions.map(|(lon, _)| lon)));
    let mut keys_vals = Vec::new();
    for node in objects {
        for (key, value) in &node.tags {
            keys_vals.extend([strings.index(key), strings.index(value)]);
        }
        keys_vals.push(0);
    }
    dense.packed(10, keys_vals.into_iter());
    dense
}

/// The texts of a block by their index. Index 0 is the empty text, which ends the tags of a dense node.
struct Strings<'a> {
    texts: Vec<&'a str>,
    indexes: HashMap<&'a str, u64>,
}

impl Default for Strings<'_> {
    fn default() -> Self {
        Self { texts: vec![""], indexes: HashMap::new() }
    }
}

impl<'a> Strings<'a> {
    /// The index of a text; never 0, which would end the tags of a node.
    fn index(&mut self, text: &'a str) -> u64 {
        *self.indexes.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u64 - 1
        })
    }

    fn message(&self) -> Message {
        let mut table = Message::default();
        for text in &self.texts {
            table.bytes(1, text.as_bytes());
        }
        table
    }
}

/// A protobuf message in the making.
#[derive(Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    /// A field of wire type 0.
    pub(super) fn number(&mut self, field: u64, value: u64) {
        push_varint(&mut self.0, field << 3);
        push_varint(&mut self.0, value);
    }

    /// A field of wire type 2.
    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        push_varint(&mut self.0, field << 3 | 2);
        push_varint(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A packed repeated field.
    fn packed(&mut self, field: u64, values: impl Iterator<Item = u64>) {
        let mut bytes = Vec::new();
        for value in values {
            push_varint(&mut bytes, value);
        }
        self.bytes(field, &bytes);
    }

    /// What ways and relations have in common.
    fn object<'a>(&mut self, object: &'a Object, strings: &mut Strings<'a>) {
        self.number(1, object.id as u64);
        self.packed(2, object.tags.iter().map(|(key, _)| strings.index(key)));
        self.packed(3, object.tags.iter().map(|(_, value)| strings.index(value)));
        let Info { version, time_s, changeset, uid, .. } = object.info;
        let mut info = Message::default();
        let numbers = [(1, u64_of(version)), (2, u64_of(time_s)), (3, u64_of(changeset)), (4, u64_of(uid))];
        for (field, number) in numbers.into_iter().filter(|(_, number)| *number != 0) {
            info.number(field, number);
        }
        if let Some(user) = stated_user(&object.info) {
            info.number(5, strings.index(user));
        }
        if !info.0.is_empty() {
            self.bytes(4, &info.0);
        }
    }
}

fn stated_user(info: &Info) -> Option<&str> {
    info.user.as_deref().filter(|user| !user.is_empty())
}

/// A number as protobuf's `int32` and `int64` hold it; 0 for none.
fn u64_of(number: Option<impl Into<i64>>) -> u64 {
    number.map_or(0, |number| number.into() as u64)
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Small numbers of either sign as small numbers without.
pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Each value as its zigzag difference from the one before; whoever reads the values sees to it that this fits.
fn deltas(values: impl Iterator<Item = i64>) -> impl Iterator<Item = u64> {
    let mut last = 0;
    values.map(move |value| zigzag(value - std::mem::replace(&mut last, value)))
}
