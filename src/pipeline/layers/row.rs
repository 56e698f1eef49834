//! One row of a layer as bytes: small, self-contained, equal for equal features.
//!
//! ```text
//! payload  = content_bytes:u32  content  volatile
//! content  = flags  geometry  tag_count  { key  value }
//! geometry = type  ( position | line | ring_count { line } | polygon_count { ring_count { line } } )
//! line     = position_count  { lon_delta  lat_delta }
//! volatile = flags  [repairs]  [version]  [time_ms]  [changeset]  [uid]  [user]
//! ```
//!
//! Numbers are LEB128 varints, signed ones zigzag, positions in ten-millionths of a degree, each as the difference to
//! the one before it in the row. Types are those of WKB. Rings leave out their last position, which is their first.
//! About 5 bytes per position, where WKB has 16.

use crate::domain::{GeometryRepair, LonLat, ObjectKind, Position, hilbert_key};

/// An OSM object with its geometry, as a reader has it before it becomes a row.
#[derive(Debug, Clone, Copy)]
pub struct LayerFeature<'a> {
    /// Kind of object.
    pub osm_type: ObjectKind,
    /// Its id among the objects of its kind.
    pub id: i64,
    /// Its geometry.
    pub shape: LayerShape<'a>,
    /// Its tags, sorted by key, each key once.
    pub tags: &'a [(&'a str, &'a str)],
    /// Version of the object.
    pub version: Option<i32>,
    /// When it was last changed, in milliseconds since 1970.
    pub time_ms: Option<i64>,
    /// The edit session that changed it last.
    pub changeset: Option<i64>,
    /// Who changed it last: id and name. Left out unless the layer asks for users.
    pub user: (Option<i32>, Option<&'a str>),
    /// Whether parts of it are not in the input.
    pub incomplete: bool,
    /// What was done to make the geometry valid; sorted, each once.
    pub repairs: &'a [GeometryRepair],
}

/// A geometry; never empty.
#[derive(Debug, Clone, Copy)]
pub enum LayerShape<'a> {
    /// A node.
    Point(Position),
    /// At least two positions, neighbours different.
    Line(&'a [Position]),
    /// Polygons as rings, the outer one first and counter-clockwise, inner ones clockwise; the last position of a ring is its first.
    Area(&'a [Vec<Vec<Position>>]),
}

/// Where a row belongs: spatial order, then the object's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Hilbert key of the middle of its box.
    pub hilbert: u64,
    /// Kind of object: 0 node, 1 way, 2 relation.
    pub osm_type: u8,
    /// Its id.
    pub id: i64,
    /// Kind of geometry: 0 point, 1 line, 2 area.
    pub kind: u8,
}

/// Rows of one layer, in no order.
#[derive(Debug, Default)]
pub struct LayerRows {
    /// Payloads, one behind the other.
    pub(super) bytes: Vec<u8>,
    /// Key of each row, and where its payload ends.
    pub(super) rows: Vec<(RowKey, u32)>,
}

/// Bit of the flags of the content.
pub(super) const INCOMPLETE: u8 = 1;

/// Bits of the flags of what is volatile.
pub(super) mod volatile {
    pub(in super::super) const REPAIRS: u8 = 1;
    pub(in super::super) const VERSION: u8 = 2;
    pub(in super::super) const TIME: u8 = 4;
    pub(in super::super) const CHANGESET: u8 = 8;
    pub(in super::super) const UID: u8 = 16;
    pub(in super::super) const USER: u8 = 32;
}

impl LayerRows {
    /// No rows, with room for some.
    #[must_use]
    pub fn with_capacity(size_bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(size_bytes), rows: Vec::new() }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends a payload of another kind, that is to be sorted in the same way.
    pub(in crate::pipeline) fn push_payload(&mut self, key: RowKey, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.rows.push((key, self.bytes.len() as u32));
    }

    /// Memory that they take.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.rows.as_slice())
    }

    /// Appends a row.
    ///
    /// # Panics
    ///
    /// When the rows together pass 4 GiB; those of one block of a file never do.
    pub fn push(&mut self, feature: &LayerFeature<'_>) {
        let begin = self.bytes.len();
        let out = &mut self.bytes;
        out.extend_from_slice(&[0; 4]);
        out.push(if feature.incomplete { INCOMPLETE } else { 0 });
        let mut extent = Extent::default();
        let mut last = Position { lon: 0, lat: 0 };
        let mut put = |out: &mut Vec<u8>, position: Position| {
            extent.add(position);
            push_signed(out, i64::from(position.lon) - i64::from(last.lon));
            push_signed(out, i64::from(position.lat) - i64::from(last.lat));
            last = position;
        };
        let kind = match feature.shape {
            LayerShape::Point(position) => {
                out.push(1);
                put(out, position);
                0
            }
            LayerShape::Line(positions) => {
                out.push(2);
                push_varint(out, positions.len() as u64);
                for position in positions {
                    put(out, *position);
                }
                1
            }
            LayerShape::Area(polygons) => {
                if let [_] = polygons {
                    out.push(3);
                } else {
                    out.push(6);
                    push_varint(out, polygons.len() as u64);
                }
                for rings in polygons {
                    push_varint(out, rings.len() as u64);
                    for ring in rings {
                        let open = &ring[..ring.len() - 1];
                        push_varint(out, open.len() as u64);
                        for position in open {
                            put(out, *position);
                        }
                    }
                }
                2
            }
        };
        push_varint(out, feature.tags.len() as u64);
        for text in feature.tags.iter().flat_map(|(key, value)| [*key, *value]) {
            push_text(out, text);
        }
        let content_bytes = (out.len() - begin - 4) as u32;
        out[begin..begin + 4].copy_from_slice(&content_bytes.to_le_bytes());

        let flags_at = out.len();
        let mut flags = 0;
        out.push(0);
        if !feature.repairs.is_empty() {
            flags |= volatile::REPAIRS;
            out.push(feature.repairs.iter().fold(0, |bits, repair| bits | 1 << *repair as u8));
        }
        if let Some(version) = feature.version {
            flags |= volatile::VERSION;
            push_varint(out, u64::from(version as u32));
        }
        if let Some(time_ms) = feature.time_ms {
            flags |= volatile::TIME;
            push_signed(out, time_ms);
        }
        if let Some(changeset) = feature.changeset {
            flags |= volatile::CHANGESET;
            push_signed(out, changeset);
        }
        if let Some(uid) = feature.user.0 {
            flags |= volatile::UID;
            push_signed(out, uid.into());
        }
        if let Some(user) = feature.user.1 {
            flags |= volatile::USER;
            push_text(out, user);
        }
        out[flags_at] = flags;

        let key = RowKey { hilbert: extent.hilbert(), osm_type: feature.osm_type as u8, id: feature.id, kind };
        self.rows.push((key, u32::try_from(out.len()).expect("the rows of one block stay below 4 GiB")));
    }
}

/// Box around positions.
pub(in crate::pipeline) struct Extent {
    pub(super) min: Position,
    pub(super) max: Position,
}

impl Default for Extent {
    fn default() -> Self {
        Self { min: Position { lon: i32::MAX, lat: i32::MAX }, max: Position { lon: i32::MIN, lat: i32::MIN } }
    }
}

impl Extent {
    pub(in crate::pipeline) fn add(&mut self, position: Position) {
        self.min.lon = self.min.lon.min(position.lon);
        self.min.lat = self.min.lat.min(position.lat);
        self.max.lon = self.max.lon.max(position.lon);
        self.max.lat = self.max.lat.max(position.lat);
    }

    /// The middle; `None` where it is not on Earth.
    pub(in crate::pipeline) fn middle(&self) -> Option<LonLat> {
        let middle = |min: i32, max: i32| (f64::from(min) + f64::from(max)) / 2e7;
        LonLat::new(middle(self.min.lon, self.max.lon), middle(self.min.lat, self.max.lat))
    }

    /// Hilbert key of the middle.
    fn hilbert(&self) -> u64 {
        self.middle().map_or(u64::MAX, hilbert_key)
    }
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn push_signed(out: &mut Vec<u8>, number: i64) {
    push_varint(out, ((number << 1) ^ (number >> 63)) as u64);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
