//! Place: where a geometry lies, read from its WKB.

use super::super::super::layers::Extent;
use crate::domain::{LonLat, Position};

/// The middle of the box around a geometry, by the same arithmetic as the key of its row. `None` for what is no WKB of
/// ours.
pub(in crate::pipeline) fn middle(wkb: &[u8]) -> Option<LonLat> {
    let mut reader = Reader { rest: wkb, extent: Extent::default() };
    reader.geometry()?;
    reader.extent.middle()
}

/// What is left of a WKB, and the box around what was read.
struct Reader<'a> {
    rest: &'a [u8],
    extent: Extent,
}

impl Reader<'_> {
    fn geometry(&mut self) -> Option<()> {
        // Little-endian: what every table of ours has.
        if self.take::<1>()? != [1] {
            return None;
        }
        match self.number()? {
            1 => self.position(),
            2 => self.line(),
            3 => {
                for _ in 0..self.number()? {
                    self.line()?;
                }
                Some(())
            }
            4..=7 => {
                for _ in 0..self.number()? {
                    self.geometry()?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn line(&mut self) -> Option<()> {
        for _ in 0..self.number()? {
            self.position()?;
        }
        Some(())
    }

    fn position(&mut self) -> Option<()> {
        let position = Position { lon: self.degrees()?, lat: self.degrees()? };
        self.extent.add(position);
        Some(())
    }

    /// Ten-millionths of a degree, as the position was before it became degrees.
    fn degrees(&mut self) -> Option<i32> {
        self.take().map(|bytes| (f64::from_le_bytes(bytes) * 1e7).round() as i32)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}
