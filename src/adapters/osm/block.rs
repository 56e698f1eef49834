//! One block, decoded in place: objects borrow their texts and numbers from the inflated bytes.
//!
//! Own code rather than `osmpbf`'s, which copies every text and number of a block before the first object is seen,
//! panics on unknown member types and hides damaged texts. Every length and sum is checked on the way.
//!
//! Source: osmformat.proto, <https://github.com/openstreetmap/OSM-binary>.

use super::Fault;
use super::dense::DenseInfo;
use super::wire::{Fields, Repeated, Sums, Value, zigzag};
use crate::domain::{ObjectKind, Position};

/// Times that mean something: after 1970, and such that a calendar has them.
const TIMES_MS: std::ops::RangeInclusive<i64> = 1..=253_402_207_200_000;

/// A block of nodes, ways and relations.
pub(super) struct Block<'a> {
    size_bytes: usize,
    strings: Vec<&'a [u8]>,
    groups: Vec<&'a [u8]>,
    granularity: i64,
    date_granularity: i64,
    lon_offset: i64,
    lat_offset: i64,
}

/// What is said of a version of an object, where it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta<'a> {
    pub(super) version: Option<i32>,
    pub(super) time_ms: Option<i64>,
    pub(super) changeset: Option<i64>,
    pub(super) uid: Option<i32>,
    pub(super) user: Option<&'a [u8]>,
    /// False: this version deletes it.
    pub(super) visible: bool,
}

/// Most nodes of a way: far beyond what the database ever allowed, so that a few bytes do not become gigabytes.
const MOST_WAY_NODES: usize = 1_000_000;

/// Most texts of a block: writers put 8,000 objects into one, with a few thousand texts.
const MOST_TEXTS: usize = 2_000_000;

/// How much is read of the metadata of dense nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Version, time, and whether it is visible.
    Version,
    /// All of it.
    All,
}

/// A node. Its position is `None` where it is out of all range.
pub(super) struct Node<'t, 'a> {
    pub(super) id: i64,
    pub(super) position: Option<Position>,
    pub(super) tags: &'t [(u32, u32)],
    pub(super) meta: Meta<'a>,
}

/// A way.
pub(super) struct Way<'t, 'a> {
    pub(super) id: i64,
    pub(super) tags: &'t [(u32, u32)],
    pub(super) meta: Meta<'a>,
    refs: Repeated<'a>,
    lats: Repeated<'a>,
    lons: Repeated<'a>,
    grid: Grid,
}

/// A relation.
pub(super) struct Relation<'t, 'a> {
    pub(super) id: i64,
    pub(super) tags: &'t [(u32, u32)],
    pub(super) meta: Meta<'a>,
    roles: Repeated<'a>,
    ids: Repeated<'a>,
    kinds: Repeated<'a>,
}

/// A member of a relation; its role is an index into the block's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemberRef {
    pub(super) kind: ObjectKind,
    pub(super) id: i64,
    pub(super) role: u32,
}

/// How numbers become positions.
#[derive(Debug, Clone, Copy)]
struct Grid {
    granularity: i64,
    lon_offset: i64,
    lat_offset: i64,
}

impl Grid {
    #[inline]
    fn position(self, lon: i64, lat: i64) -> Option<Position> {
        // The steps of nearly every file, in which positions are whole ten-millionths of a degree.
        if (self.granularity, self.lon_offset, self.lat_offset) == (100, 0, 0) {
            return Some(Position { lon: i32::try_from(lon).ok()?, lat: i32::try_from(lat).ok()? });
        }
        let on = |number: i64, offset: i64| {
            let nano = number.checked_mul(self.granularity)?.checked_add(offset)?;
            i32::try_from(nano / 100).ok()
        };
        Some(Position { lon: on(lon, self.lon_offset)?, lat: on(lat, self.lat_offset)? })
    }
}

impl<'a> Block<'a> {
    /// Reads the frame of a block: its texts, and where its groups are.
    pub(super) fn parse(raw: &'a [u8]) -> Result<Self, Fault> {
        let mut block = Self {
            size_bytes: raw.len(),
            strings: Vec::new(),
            groups: Vec::new(),
            granularity: 100,
            date_granularity: 1000,
            lon_offset: 0,
            lat_offset: 0,
        };
        for field in Fields(raw) {
            match field? {
                (1, value) => {
                    for text in Fields(value.bytes()?) {
                        if let (1, text) = text? {
                            if block.strings.len() == MOST_TEXTS {
                                return Err(Fault::Structure("a block has more than two million texts"));
                            }
                            block.strings.push(text.bytes()?);
                        }
                    }
                }
                (2, value) => block.groups.push(value.bytes()?),
                (17, value) => block.granularity = i64::from(value.number()? as i32),
                (18, value) => block.date_granularity = i64::from(value.number()? as i32),
                (19, value) => block.lat_offset = value.number()? as i64,
                (20, value) => block.lon_offset = value.number()? as i64,
                _ => {}
            }
        }
        Ok(block)
    }

    /// Size of the block, inflated.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The texts that tags, roles and users are indexes of.
    pub(super) fn strings(&self) -> &[&'a [u8]] {
        &self.strings
    }

    /// Which kinds of objects are in the block: nodes, ways, relations.
    pub(super) fn kinds(&self) -> Result<[bool; 3], Fault> {
        let mut kinds = [false; 3];
        for group in &self.groups {
            for field in Fields(group) {
                match field?.0 {
                    1 | 2 => kinds[0] = true,
                    3 => kinds[1] = true,
                    4 => kinds[2] = true,
                    _ => {}
                }
            }
        }
        Ok(kinds)
    }

    fn grid(&self) -> Grid {
        Grid { granularity: self.granularity, lon_offset: self.lon_offset, lat_offset: self.lat_offset }
    }

    /// Shows every node, in the order of the block.
    pub(super) fn nodes(
        &self,
        detail: Detail,
        mut show: impl FnMut(Node<'_, 'a>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut tags = Vec::new();
        for group in &self.groups {
            for field in Fields(group) {
                match field? {
                    (1, value) => self.plain_node(value.bytes()?, &mut tags, &mut show)?,
                    (2, value) => self.dense_nodes(value.bytes()?, detail, &mut tags, &mut show)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn plain_node(
        &self,
        node: &'a [u8],
        tags: &mut Vec<(u32, u32)>,
        show: &mut impl FnMut(Node<'_, 'a>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let (mut id, mut lat, mut lon) = (0, 0, 0);
        let mut common = Common::default();
        for field in Fields(node) {
            match field? {
                (1, value) => id = zigzag(value.number()?),
                (8, value) => lat = zigzag(value.number()?),
                (9, value) => lon = zigzag(value.number()?),
                (number, value) => common.take(number, value)?,
            }
        }
        common.tags(tags)?;
        show(Node { id, position: self.grid().position(lon, lat), tags, meta: self.meta(common.info)? })
    }

    fn dense_nodes(
        &self,
        dense: &'a [u8],
        detail: Detail,
        tags: &mut Vec<(u32, u32)>,
        show: &mut impl FnMut(Node<'_, 'a>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let (mut ids, mut lats, mut lons) = (Repeated::default(), Repeated::default(), Repeated::default());
        let mut texts = Repeated::default();
        let mut info = DenseInfo::default();
        for field in Fields(dense) {
            match field? {
                (1, value) => ids.add(value)?,
                (5, value) => info.take(value.bytes()?)?,
                (8, value) => lats.add(value)?,
                (9, value) => lons.add(value)?,
                (10, value) => texts.add(value)?,
                _ => {}
            }
        }
        let uneven = || Fault::Structure("columns of dense nodes differ in length");
        let (mut ids, mut lats, mut lons) = (Sums::of(&ids), Sums::of(&lats), Sums::of(&lons));
        let has_tags = !texts.is_empty();
        let mut texts = texts.numbers();
        let mut metas = info.columns(detail);
        let grid = self.grid();
        while let Some(id) = ids.next()? {
            let (Some(lat), Some(lon)) = (lats.next()?, lons.next()?) else { return Err(uneven()) };
            tags.clear();
            if has_tags {
                loop {
                    let ends = || Fault::Structure("tags of dense nodes do not come out even");
                    let key = texts.next()?.ok_or_else(ends)? as u32;
                    if key == 0 {
                        break;
                    }
                    tags.push((key, texts.next()?.ok_or_else(ends)? as u32));
                }
            }
            let meta = metas.next(self)?;
            show(Node { id, position: grid.position(lon, lat), tags, meta })?;
        }
        if lats.next()?.is_some() || lons.next()?.is_some() || !metas.ended()? {
            return Err(uneven());
        }
        if texts.next()?.is_some() {
            return Err(Fault::Structure("tags of dense nodes do not come out even"));
        }
        Ok(())
    }

    /// Shows every way, in the order of the block.
    pub(super) fn ways(&self, mut show: impl FnMut(Way<'_, 'a>) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut tags = Vec::new();
        for group in &self.groups {
            for field in Fields(group) {
                let (3, way) = field? else { continue };
                let mut id = 0;
                let mut common = Common::default();
                let (mut refs, mut lats, mut lons) = (Repeated::default(), Repeated::default(), Repeated::default());
                for field in Fields(way.bytes()?) {
                    match field? {
                        (1, value) => id = value.number()? as i64,
                        (8, value) => refs.add(value)?,
                        (9, value) => lats.add(value)?,
                        (10, value) => lons.add(value)?,
                        (number, value) => common.take(number, value)?,
                    }
                }
                common.tags(&mut tags)?;
                show(Way { id, tags: &tags, meta: self.meta(common.info)?, refs, lats, lons, grid: self.grid() })?;
            }
        }
        Ok(())
    }

    /// Shows every relation, in the order of the block.
    pub(super) fn relations(&self, mut show: impl FnMut(Relation<'_, 'a>) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut tags = Vec::new();
        for group in &self.groups {
            for field in Fields(group) {
                let (4, relation) = field? else { continue };
                let mut id = 0;
                let mut common = Common::default();
                let (mut roles, mut ids, mut kinds) = (Repeated::default(), Repeated::default(), Repeated::default());
                for field in Fields(relation.bytes()?) {
                    match field? {
                        (1, value) => id = value.number()? as i64,
                        (8, value) => roles.add(value)?,
                        (9, value) => ids.add(value)?,
                        (10, value) => kinds.add(value)?,
                        (number, value) => common.take(number, value)?,
                    }
                }
                common.tags(&mut tags)?;
                show(Relation { id, tags: &tags, meta: self.meta(common.info)?, roles, ids, kinds })?;
            }
        }
        Ok(())
    }

    /// What an `Info` message says.
    fn meta(&self, info: &'a [u8]) -> Result<Meta<'a>, Fault> {
        let mut meta = Meta::default();
        for field in Fields(info) {
            match field? {
                (1, value) => meta.version = Some(value.number()? as i32),
                (2, value) => meta.time_ms = Some(self.time_ms(value.number()? as i64)?),
                (3, value) => meta.changeset = Some(value.number()? as i64),
                (4, value) => meta.uid = Some(value.number()? as i32),
                (5, value) => meta.user = self.strings.get(value.number()? as usize).copied(),
                (6, value) => meta.visible = value.number()? != 0,
                _ => {}
            }
        }
        Ok(meta.as_said())
    }

    /// A time in milliseconds.
    #[inline]
    pub(super) fn time_ms(&self, time: i64) -> Result<i64, Fault> {
        time.checked_mul(self.date_granularity).ok_or(Fault::Structure("a time is out of all range"))
    }
}

impl Default for Meta<'_> {
    fn default() -> Self {
        Self { version: None, time_ms: None, changeset: None, uid: None, user: None, visible: true }
    }
}

impl Meta<'_> {
    /// Without what writers put where they know nothing: -1, 0, and the empty text; and without times that cannot be.
    #[inline]
    pub(super) fn as_said(mut self) -> Self {
        self.version = self.version.filter(|version| *version > 0);
        self.time_ms = self.time_ms.filter(|ms| TIMES_MS.contains(ms));
        self.changeset = self.changeset.filter(|id| *id > 0);
        self.uid = self.uid.filter(|id| *id > 0);
        self.user = self.user.filter(|name| !name.is_empty());
        self
    }
}

/// Fields that nodes, ways and relations share.
#[derive(Default)]
struct Common<'a> {
    keys: Repeated<'a>,
    values: Repeated<'a>,
    info: &'a [u8],
}

impl<'a> Common<'a> {
    fn take(&mut self, number: u64, value: Value<'a>) -> Result<(), Fault> {
        match number {
            2 => self.keys.add(value),
            3 => self.values.add(value),
            4 => {
                self.info = value.bytes()?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn tags(&self, tags: &mut Vec<(u32, u32)>) -> Result<(), Fault> {
        tags.clear();
        let (mut keys, mut values) = (self.keys.numbers(), self.values.numbers());
        loop {
            match (keys.next()?, values.next()?) {
                (Some(key), Some(value)) => tags.push((key as u32, value as u32)),
                (None, None) => return Ok(()),
                _ => return Err(Fault::Structure("keys and values of an object differ in number")),
            }
        }
    }
}

impl Way<'_, '_> {
    /// Puts the ids of its nodes into `refs`.
    pub(super) fn refs(&self, refs: &mut Vec<i64>) -> Result<(), Fault> {
        refs.clear();
        if self.node_count() > MOST_WAY_NODES {
            return Err(Fault::Structure("a way names more than a million nodes; the OSM database allows 2,000"));
        }
        let mut ids = Sums::of(&self.refs);
        while let Some(id) = ids.next()? {
            refs.push(id);
        }
        Ok(())
    }

    /// How many nodes it names.
    pub(super) fn node_count(&self) -> usize {
        self.refs.count()
    }

    /// Whether the file states its positions with it.
    pub(super) fn is_located(&self) -> bool {
        !self.lons.is_empty()
    }

    /// Puts the positions that the file states with the way into `positions`: as many as it has nodes, or none.
    pub(super) fn positions(&self, positions: &mut Vec<Option<Position>>) -> Result<(), Fault> {
        positions.clear();
        let (mut lats, mut lons) = (Sums::of(&self.lats), Sums::of(&self.lons));
        loop {
            match (lons.next()?, lats.next()?) {
                (Some(lon), Some(lat)) => positions.push(self.grid.position(lon, lat)),
                (None, None) => break,
                _ => return Err(Fault::Structure("nodes and locations of a way differ in number")),
            }
        }
        if positions.is_empty() || positions.len() == self.refs.count() {
            return Ok(());
        }
        Err(Fault::Structure("nodes and locations of a way differ in number"))
    }
}

impl Relation<'_, '_> {
    /// Its members, in order.
    pub(super) fn members(&self) -> Result<Vec<MemberRef>, Fault> {
        let mut members = Vec::with_capacity(self.kinds.count());
        let (mut roles, mut ids, mut kinds) = (self.roles.numbers(), Sums::of(&self.ids), self.kinds.numbers());
        loop {
            match (roles.next()?, ids.next()?, kinds.next()?) {
                (Some(role), Some(id), Some(kind)) => {
                    let kind = match kind {
                        0 => ObjectKind::Node,
                        1 => ObjectKind::Way,
                        2 => ObjectKind::Relation,
                        _ => return Err(Fault::Structure("a relation has a member of unknown type")),
                    };
                    members.push(MemberRef { kind, id, role: role as u32 });
                }
                (None, None, None) => return Ok(members),
                _ => return Err(Fault::Structure("members, roles and types of a relation differ in number")),
            }
        }
    }
}
