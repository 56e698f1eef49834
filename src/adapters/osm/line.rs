//! Lines that wait for their positions, kept small: about three bytes per node.

use super::Fault;
use super::block::Way;
use super::file::push_varint;
use super::locations::Locations;
use super::wire::{varint, zigzag};
use crate::domain::Position;

/// A way as its nodes, and their positions where the file states them with the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Ids as zigzag varints of their differences.
    nodes: Box<[u8]>,
    /// As many as nodes, or none.
    positions: Box<[Option<Position>]>,
}

/// Positions of a line, and what is missing.
#[derive(Debug, Default)]
pub(super) struct Located {
    pub(super) positions: Vec<Position>,
    /// The first node that the input lacks.
    pub(super) missing: Option<i64>,
    /// The first node whose position is not on Earth.
    pub(super) invalid: Option<i64>,
}

/// Memory used again from way to way.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) refs: Vec<i64>,
    pub(super) stated: Vec<Option<Position>>,
    pub(super) located: Located,
}

impl Line {
    /// Keeps a way's nodes.
    pub(super) fn of(way: &Way<'_, '_>, scratch: &mut Scratch) -> Result<Self, Fault> {
        way.refs(&mut scratch.refs)?;
        way.positions(&mut scratch.stated)?;
        let mut nodes = Vec::with_capacity(3 * scratch.refs.len());
        let mut last = 0_i64;
        for id in &scratch.refs {
            let delta = id.wrapping_sub(last);
            push_varint(&mut nodes, ((delta << 1) ^ (delta >> 63)) as u64);
            last = *id;
        }
        Ok(Self { nodes: nodes.into(), positions: scratch.stated.as_slice().into() })
    }

    /// The ids of its nodes.
    pub(super) fn refs(&self) -> Vec<i64> {
        let (mut rest, mut last, mut refs) = (&*self.nodes, 0_i64, Vec::new());
        while let Ok(delta) = varint(&mut rest) {
            last = last.wrapping_add(zigzag(delta));
            refs.push(last);
        }
        refs
    }

    /// Whether the file states its positions.
    pub(super) fn is_located(&self) -> bool {
        !self.positions.is_empty()
    }

    /// Its positions.
    pub(super) fn locate(&self, locations: &Locations, near: &mut usize) -> Located {
        let mut located = Located::default();
        let refs = self.refs();
        if self.positions.is_empty() {
            located.fill(&refs, refs.iter().map(|id| locations.get(*id, near)));
        } else {
            located.fill(&refs, self.positions.iter().copied());
        }
        located
    }
}

impl Located {
    /// Takes positions as they were found, for nodes with these ids.
    pub(super) fn fill(&mut self, refs: &[i64], found: impl Iterator<Item = Option<Position>>) {
        self.positions.clear();
        (self.missing, self.invalid) = (None, None);
        for (id, position) in refs.iter().zip(found) {
            match position {
                Some(position) if position.is_valid() => self.positions.push(position),
                Some(_) => self.invalid = self.invalid.or(Some(*id)),
                None => self.missing = self.missing.or(Some(*id)),
            }
        }
    }
}
