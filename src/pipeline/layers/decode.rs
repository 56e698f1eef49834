//! Decode: the bytes of a row, from front to back. Rows are made by [`LayerRows`](super::LayerRows) alone, so bytes that
//! are none of its cannot be.

use super::row::Extent;
use crate::domain::Position;

/// WKB's mark of little-endian bytes.
const LITTLE_ENDIAN: u8 = 1;

/// Types of WKB, as a row has them.
const POINT: u8 = 1;
const LINE: u8 = 2;
const POLYGON: u8 = 3;
const MULTI_POLYGON: u8 = 6;

/// A payload and how far it has been read.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().expect("a row has all its bytes");
        self.rest = rest;
        *first
    }

    pub(super) fn varint(&mut self) -> u64 {
        let mut number = 0;
        for (at, byte) in self.rest.iter().enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return number;
            }
        }
        unreachable!("a row has all its bytes")
    }

    pub(super) fn signed(&mut self) -> i64 {
        let number = self.varint();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    /// A count of things.
    pub(super) fn count(&mut self) -> usize {
        self.varint() as usize
    }

    /// The bytes of a text.
    pub(super) fn text(&mut self) -> &'a [u8] {
        let length = self.count();
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        text
    }
}

/// The two parts of a payload: what an object is, and what is volatile about it.
pub(super) fn split(payload: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = payload.split_first_chunk::<4>().expect("a row has all its bytes");
    rest.split_at(u32::from_le_bytes(*length) as usize)
}

/// Writes the geometry that comes next as WKB, rings closed again. Returns its box.
pub(super) fn write_wkb(row: &mut Cursor<'_>, out: &mut Vec<u8>) -> Extent {
    let mut writer = Writer { out, last: Position { lon: 0, lat: 0 }, extent: Extent::default() };
    let kind = row.byte();
    writer.begin(kind);
    match kind {
        POINT => {
            writer.position(row);
        }
        LINE => {
            let positions = row.count();
            writer.count(positions);
            for _ in 0..positions {
                writer.position(row);
            }
        }
        POLYGON => writer.rings(row),
        MULTI_POLYGON => {
            let polygons = row.count();
            writer.count(polygons);
            for _ in 0..polygons {
                writer.begin(POLYGON);
                writer.rings(row);
            }
        }
        other => unreachable!("a row has no geometry of type {other}"),
    }
    writer.extent
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    last: Position,
    extent: Extent,
}

impl Writer<'_> {
    fn begin(&mut self, kind: u8) {
        self.out.extend_from_slice(&[LITTLE_ENDIAN, kind, 0, 0, 0]);
    }

    fn count(&mut self, count: usize) {
        self.out.extend_from_slice(&(count as u32).to_le_bytes());
    }

    /// Copies a position.
    fn position(&mut self, row: &mut Cursor<'_>) {
        let along = |last: i32, delta: i64| (i64::from(last) + delta) as i32;
        self.last = Position { lon: along(self.last.lon, row.signed()), lat: along(self.last.lat, row.signed()) };
        self.extent.add(self.last);
        let (lon, lat) = self.last.degrees();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&lon.to_le_bytes());
        bytes[8..].copy_from_slice(&lat.to_le_bytes());
        self.out.extend_from_slice(&bytes);
    }

    fn rings(&mut self, row: &mut Cursor<'_>) {
        let rings = row.count();
        self.count(rings);
        for _ in 0..rings {
            let positions = row.count();
            self.count(positions + 1);
            let first = self.out.len();
            for _ in 0..positions {
                self.position(row);
            }
            self.out.extend_from_within(first..first + 16);
        }
    }
}
