//! One checked and decoded block, object by object.

use osmpbf::{BlobReader, DenseRawTagIter, Info, PrimitiveBlock, RawTagIter, Relation, Way};

use super::Fault;
use super::check::{DenseInfo, check_block};
use super::file::raw_frame;

/// A block of nodes, ways and relations.
pub(super) struct Block {
    decoded: PrimitiveBlock,
    /// One per group.
    dense: Vec<DenseInfo>,
}

/// An object as it lies in its block.
pub(super) struct Item<'a> {
    pub(super) id: i64,
    pub(super) meta: Meta,
    pub(super) tags: TagIndexes<'a>,
    pub(super) body: Body<'a>,
}

/// What is said of a version of an object, where it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta {
    pub(super) version: Option<i32>,
    pub(super) time_ms: Option<i64>,
    /// False: this version deletes it.
    pub(super) visible: bool,
}

/// What the kinds of objects do not share.
pub(super) enum Body<'a> {
    /// Longitude and latitude, in billionths of a degree.
    Node(i64, i64),
    Way(Way<'a>),
    Relation(Relation<'a>),
}

/// The tags of an object, as indexes of key and value in [`Block::strings`].
#[derive(Clone)]
pub(super) enum TagIndexes<'a> {
    Dense(DenseRawTagIter<'a>),
    Plain(RawTagIter<'a>),
}

impl Iterator for TagIndexes<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Dense(tags) => tags.next().map(|(key, value)| (key as usize, value as usize)),
            Self::Plain(tags) => tags.next().map(|(key, value)| (key as usize, value as usize)),
        }
    }
}

impl Meta {
    fn new(version: Option<i32>, time_ms: Option<i64>, visible: bool) -> Self {
        // Writers without metadata put -1 and 0.
        Self { version: version.filter(|version| *version > 0), time_ms: time_ms.filter(|ms| *ms > 0), visible }
    }

    fn of(info: &Info<'_>) -> Self {
        Self::new(info.version(), info.milli_timestamp(), info.visible())
    }
}

impl Block {
    /// Checks and decodes an inflated block.
    pub(super) fn decode(raw: &[u8]) -> Result<Self, Fault> {
        let dense = check_block(raw)?;
        let frame = raw_frame("OSMData", raw);
        let blob = BlobReader::new(frame.as_slice()).next().ok_or(Fault::CutOff)?.map_err(Fault::decode)?;
        Ok(Self { decoded: blob.to_primitiveblock().map_err(Fault::decode)?, dense })
    }

    /// The texts that tags and roles are indexes of.
    pub(super) fn strings(&self) -> &[Vec<u8>] {
        self.decoded.raw_stringtable()
    }

    /// Shows every object, in the order of the block.
    pub(super) fn for_each<'a>(&'a self, mut show: impl FnMut(Item<'a>)) {
        for (group, dense) in self.decoded.groups().zip(&self.dense) {
            for node in group.nodes() {
                let body = Body::Node(node.nano_lon(), node.nano_lat());
                let tags = TagIndexes::Plain(node.raw_tags());
                show(Item { id: node.id(), meta: Meta::of(&node.info()), tags, body });
            }
            for (at, node) in group.dense_nodes().enumerate() {
                let visible = dense.visible.get(at).copied().unwrap_or(true);
                let meta = Meta::new(dense.versions.get(at).copied(), dense.times_ms.get(at).copied(), visible);
                let body = Body::Node(node.nano_lon(), node.nano_lat());
                show(Item { id: node.id(), meta, tags: TagIndexes::Dense(node.raw_tags()), body });
            }
            for way in group.ways() {
                let tags = TagIndexes::Plain(way.raw_tags());
                show(Item { id: way.id(), meta: Meta::of(&way.info()), tags, body: Body::Way(way) });
            }
            for relation in group.relations() {
                let tags = TagIndexes::Plain(relation.raw_tags());
                show(Item {
                    id: relation.id(),
                    meta: Meta::of(&relation.info()),
                    tags,
                    body: Body::Relation(relation),
                });
            }
        }
    }
}
