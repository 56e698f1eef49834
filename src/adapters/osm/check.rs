//! Checks that `osmpbf` leaves out: after them, decoding a block can neither panic, nor wrap, nor lose a value quietly.
//!
//! - Parallel arrays are equally long: of dense nodes, of tags, of relation members, of ways with locations.
//! - Member types are known; `osmpbf` panics on others.
//! - Sums of deltas, positions and times fit 64 bits.
//!
//! It also reads version, time and visibility of dense nodes, which `osmpbf` hands out only beside changesets and users.
//!
//! Source of field numbers: osmformat.proto, <https://github.com/openstreetmap/OSM-binary>.

use super::Fault;
use super::wire::{Fields, Value, zigzag};

/// Metadata of the dense nodes of one group, each column whole or empty.
#[derive(Debug, Default)]
pub(super) struct DenseInfo {
    pub(super) versions: Vec<i32>,
    pub(super) times_ms: Vec<i64>,
    /// False: deleted.
    pub(super) visible: Vec<bool>,
}

/// Checks a primitive block. Returns the metadata of dense nodes, one per group.
pub(super) fn check_block(block: &[u8]) -> Result<Vec<DenseInfo>, Fault> {
    let mut checker = Checker { positions: Extent(0, 0), times: Extent(0, 0) };
    let (mut granularity, mut date_granularity, mut offsets) = (100, 1000, Extent(0, 0));
    let mut groups = Vec::new();
    for field in Fields(block) {
        match field? {
            (2, value) => groups.push(checker.group(value.bytes()?)?),
            (17, value) => granularity = i64::from(value.number()? as i32),
            (18, value) => date_granularity = i64::from(value.number()? as i32),
            (19 | 20, value) => offsets.widen(value.number()? as i64),
            _ => {}
        }
    }
    let fits = |extent: &Extent, step: i64, offset: i64| {
        [extent.0, extent.1].iter().all(|n| n.checked_mul(step).is_some_and(|n| n.checked_add(offset).is_some()))
    };
    if !fits(&checker.positions, granularity, offsets.0) || !fits(&checker.positions, granularity, offsets.1) {
        return Err(Fault::Structure("a position is out of all range"));
    }
    if !fits(&checker.times, date_granularity, 0) {
        return Err(Fault::Structure("a time is out of all range"));
    }
    for time in groups.iter_mut().flat_map(|group| &mut group.times_ms) {
        *time *= date_granularity;
    }
    Ok(groups)
}

/// Least and greatest of some numbers.
struct Extent(i64, i64);

impl Extent {
    fn widen(&mut self, number: i64) {
        self.0 = self.0.min(number);
        self.1 = self.1.max(number);
    }
}

/// What must be known of the whole block before its positions and times can be judged.
struct Checker {
    positions: Extent,
    times: Extent,
}

impl Checker {
    fn group(&mut self, group: &[u8]) -> Result<DenseInfo, Fault> {
        let mut dense = None;
        for field in Fields(group) {
            match field? {
                (1, value) => self.node(value.bytes()?)?,
                (2, value) if dense.is_none() => dense = Some(self.dense(value.bytes()?)?),
                (2, _) => return Err(Fault::Structure("a group has two sets of dense nodes")),
                (3, value) => self.way(value.bytes()?)?,
                (4, value) => self.relation(value.bytes()?)?,
                _ => {}
            }
        }
        Ok(dense.unwrap_or_default())
    }

    fn dense(&mut self, dense: &[u8]) -> Result<DenseInfo, Fault> {
        let (mut ids, mut lats, mut lons) = (Sum::default(), Sum::default(), Sum::default());
        let mut tags = Vec::new();
        let mut info = None;
        for field in Fields(dense) {
            match field? {
                (1, value) => ids.add(value, |_| ())?,
                (5, value) if info.is_none() => info = Some(self.dense_info(value.bytes()?)?),
                (5, _) => return Err(Fault::Structure("dense nodes have two sets of metadata")),
                (8, value) => lats.add(value, |lat| self.positions.widen(lat))?,
                (9, value) => lons.add(value, |lon| self.positions.widen(lon))?,
                (10, value) => tags.push(value.numbers()?),
                _ => {}
            }
        }
        let info = info.unwrap_or_default();
        let columns = [info.versions.len(), info.times_ms.len(), info.visible.len()];
        let complete = columns.into_iter().all(|column| column == 0 || column == ids.count);
        if lats.count != ids.count || lons.count != ids.count || !complete {
            return Err(Fault::Structure("columns of dense nodes differ in length"));
        }
        if !delimits(tags.into_iter().flatten(), ids.count)? {
            return Err(Fault::Structure("tags of dense nodes do not come out even"));
        }
        Ok(info)
    }

    fn dense_info(&mut self, info: &[u8]) -> Result<DenseInfo, Fault> {
        let mut read = DenseInfo::default();
        let (mut times, mut changesets, mut uids, mut users) =
            (Sum::default(), Sum::default(), Sum::default(), Sum::default());
        let mut small = Extent(0, 0);
        for field in Fields(info) {
            match field? {
                (1, value) => {
                    for version in value.numbers()? {
                        read.versions.push(version? as i32);
                    }
                }
                (2, value) => times.add(value, |time| {
                    self.times.widen(time);
                    read.times_ms.push(time);
                })?,
                // The next three are not used here, but `osmpbf` adds them up.
                (3, value) => changesets.add(value, |_| ())?,
                (4, value) => uids.add(value, |uid| small.widen(uid))?,
                (5, value) => users.add(value, |user| small.widen(user))?,
                (6, value) => {
                    for visible in value.numbers()? {
                        read.visible.push(visible? != 0);
                    }
                }
                _ => {}
            }
        }
        if i32::try_from(small.0).is_err() || i32::try_from(small.1).is_err() {
            return Err(Fault::Structure("a user is out of all range"));
        }
        Ok(read)
    }

    fn node(&mut self, node: &[u8]) -> Result<(), Fault> {
        let mut tags = Tagging::default();
        for field in Fields(node) {
            match field? {
                (8 | 9, value) => self.positions.widen(zigzag(value.number()?)),
                (number, value) => self.common(number, value, &mut tags)?,
            }
        }
        tags.check()
    }

    fn way(&mut self, way: &[u8]) -> Result<(), Fault> {
        let mut tags = Tagging::default();
        let (mut refs, mut lats, mut lons) = (Sum::default(), Sum::default(), Sum::default());
        for field in Fields(way) {
            match field? {
                (8, value) => refs.add(value, |_| ())?,
                (9, value) => lats.add(value, |lat| self.positions.widen(lat))?,
                (10, value) => lons.add(value, |lon| self.positions.widen(lon))?,
                (number, value) => self.common(number, value, &mut tags)?,
            }
        }
        if lats.count != lons.count || (lats.count != 0 && lats.count != refs.count) {
            return Err(Fault::Structure("nodes and locations of a way differ in number"));
        }
        tags.check()
    }

    fn relation(&mut self, relation: &[u8]) -> Result<(), Fault> {
        let mut tags = Tagging::default();
        let (mut roles, mut members, mut types) = (0, Sum::default(), 0);
        for field in Fields(relation) {
            match field? {
                (8, value) => roles += count(value)?,
                (9, value) => members.add(value, |_| ())?,
                (10, value) => {
                    for kind in value.numbers()? {
                        if !(0..=2).contains(&(kind? as i32)) {
                            return Err(Fault::Structure("a relation has a member of unknown type"));
                        }
                        types += 1;
                    }
                }
                (number, value) => self.common(number, value, &mut tags)?,
            }
        }
        if roles != members.count || types != members.count {
            return Err(Fault::Structure("members, roles and types of a relation differ in number"));
        }
        tags.check()
    }

    /// Fields that nodes, ways and relations share.
    fn common(&mut self, number: u64, value: Value<'_>, tags: &mut Tagging) -> Result<(), Fault> {
        match number {
            2 => tags.keys += count(value)?,
            3 => tags.values += count(value)?,
            4 => {
                for field in Fields(value.bytes()?) {
                    if let (2, time) = field? {
                        self.times.widen(time.number()? as i64);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of keys and values of one object.
#[derive(Default)]
struct Tagging {
    keys: usize,
    values: usize,
}

impl Tagging {
    fn check(&self) -> Result<(), Fault> {
        if self.keys == self.values {
            Ok(())
        } else {
            Err(Fault::Structure("keys and values of an object differ in number"))
        }
    }
}

/// Running sum of delta-coded numbers.
#[derive(Default)]
struct Sum {
    count: usize,
    last: i64,
}

impl Sum {
    fn add(&mut self, deltas: Value<'_>, mut each: impl FnMut(i64)) -> Result<(), Fault> {
        for delta in deltas.numbers()? {
            let sum = self.last.checked_add(zigzag(delta?));
            self.last = sum.ok_or(Fault::Structure("a delta-coded number is out of all range"))?;
            self.count += 1;
            each(self.last);
        }
        Ok(())
    }
}

fn count(value: Value<'_>) -> Result<usize, Fault> {
    value.numbers()?.try_fold(0, |count, number| number.map(|_| count + 1))
}

/// Whether `tags` is nothing at all or, for each node, pairs of key and value with a 0 behind them.
fn delimits(mut tags: impl Iterator<Item = Result<u64, Fault>>, nodes: usize) -> Result<bool, Fault> {
    let (mut ended, mut empty) = (0, true);
    while let Some(key) = tags.next().transpose()? {
        empty = false;
        if key as i32 == 0 {
            ended += 1;
        } else if tags.next().transpose()?.is_none() {
            return Ok(false);
        }
    }
    Ok(empty || ended == nodes)
}
