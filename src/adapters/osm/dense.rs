//! Metadata of dense nodes: a column for each thing that is said of them, all as long as there are nodes, or empty.

use super::Fault;
use super::block::{Block, Detail, Meta};
use super::wire::{Fields, Numbers, Repeated, Sums};

/// The columns as they lie in the block.
#[derive(Default)]
pub(super) struct DenseInfo<'a> {
    versions: Repeated<'a>,
    times: Repeated<'a>,
    changesets: Repeated<'a>,
    uids: Repeated<'a>,
    users: Repeated<'a>,
    visible: Repeated<'a>,
}

impl<'a> DenseInfo<'a> {
    /// Takes a `DenseInfo` message.
    pub(super) fn take(&mut self, info: &'a [u8]) -> Result<(), Fault> {
        for field in Fields(info) {
            match field? {
                (1, value) => self.versions.add(value)?,
                (2, value) => self.times.add(value)?,
                (3, value) => self.changesets.add(value)?,
                (4, value) => self.uids.add(value)?,
                (5, value) => self.users.add(value)?,
                (6, value) => self.visible.add(value)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The columns, from their beginning.
    pub(super) fn columns(&self, detail: Detail) -> DenseColumns<'_> {
        let there = |field: &Repeated<'_>| !field.is_empty();
        let asked = |field: &Repeated<'_>| there(field) && detail == Detail::All;
        DenseColumns {
            versions: there(&self.versions).then(|| self.versions.numbers()),
            times: there(&self.times).then(|| Sums::of(&self.times)),
            changesets: asked(&self.changesets).then(|| Sums::of(&self.changesets)),
            uids: asked(&self.uids).then(|| Sums::of(&self.uids)),
            users: asked(&self.users).then(|| Sums::of(&self.users)),
            visible: there(&self.visible).then(|| self.visible.numbers()),
        }
    }
}

/// Metadata of dense nodes, one node after the other.
pub(super) struct DenseColumns<'i> {
    versions: Option<Numbers<'i>>,
    times: Option<Sums<'i>>,
    changesets: Option<Sums<'i>>,
    uids: Option<Sums<'i>>,
    users: Option<Sums<'i>>,
    visible: Option<Numbers<'i>>,
}

impl DenseColumns<'_> {
    /// What is said of the next node.
    #[inline]
    pub(super) fn next<'a>(&mut self, block: &Block<'a>) -> Result<Meta<'a>, Fault> {
        let uneven = || Fault::Structure("columns of dense nodes differ in length");
        let mut meta = Meta::default();
        if let Some(versions) = &mut self.versions {
            meta.version = Some(versions.next()?.ok_or_else(uneven)? as i32);
        }
        if let Some(times) = &mut self.times {
            meta.time_ms = Some(block.time_ms(times.next()?.ok_or_else(uneven)?)?);
        }
        if let Some(changesets) = &mut self.changesets {
            meta.changeset = Some(changesets.next()?.ok_or_else(uneven)?);
        }
        if let Some(uids) = &mut self.uids {
            meta.uid = Some(uids.next()?.ok_or_else(uneven)? as i32);
        }
        if let Some(users) = &mut self.users {
            meta.user = block.strings().get(users.next()?.ok_or_else(uneven)? as usize).copied();
        }
        if let Some(visible) = &mut self.visible {
            meta.visible = visible.next()?.ok_or_else(uneven)? != 0;
        }
        Ok(meta.as_said())
    }

    /// Whether every column has come to its end.
    pub(super) fn ended(&mut self) -> Result<bool, Fault> {
        let numbers = [&mut self.versions, &mut self.visible];
        let sums = [&mut self.times, &mut self.changesets, &mut self.uids, &mut self.users];
        for column in numbers.into_iter().flatten() {
            if column.next()?.is_some() {
                return Ok(false);
            }
        }
        for column in sums.into_iter().flatten() {
            if column.next()?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
