//! WKB as it lies: types and box of geometries, without a geometry in memory.

/// Names of the types of WKB, by their number less one.
const TYPES: [&str; 7] =
    ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"];

/// Bytes of a position.
const POSITION_BYTES: usize = 16;

/// What has been seen of some geometries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// Which of the types.
    types: [bool; TYPES.len()],
    /// West, south, east, north.
    bbox: [f64; 4],
}

impl Default for Seen {
    fn default() -> Self {
        Self { types: [false; TYPES.len()], bbox: [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY] }
    }
}

impl Seen {
    /// Takes note of a geometry. What is no WKB of two dimensions in little-endian bytes has no type.
    pub(super) fn see(&mut self, wkb: &[u8]) {
        if let Some(at) = self.walk(&mut { wkb }) {
            self.types[at] = true;
        }
    }

    /// Adds what was seen elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        for (seen, other) in self.types.iter_mut().zip(other.types) {
            *seen |= other;
        }
        // The box of nothing is the wrong way round, so it has no corners to reach.
        if let Some([west, south, east, north]) = other.bbox() {
            self.reach(west, south);
            self.reach(east, north);
        }
    }

    /// Types by name, in the order of the alphabet.
    pub(super) fn types(&self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            TYPES.into_iter().zip(self.types).filter(|(_, seen)| *seen).map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// Types by the numbers that WKB has for them.
    pub(super) fn type_numbers(&self) -> Vec<i32> {
        (1..).zip(self.types).filter_map(|(number, seen)| seen.then_some(number)).collect()
    }

    /// The box around all; `None` where there was no position.
    pub(super) fn bbox(&self) -> Option<[f64; 4]> {
        (self.bbox[0] <= self.bbox[2]).then_some(self.bbox)
    }

    fn reach(&mut self, x: f64, y: f64) {
        let [west, south, east, north] = self.bbox;
        self.bbox = [west.min(x), south.min(y), east.max(x), north.max(y)];
    }

    /// Walks over the geometry that comes next; returns the place of its type in [`TYPES`].
    fn walk(&mut self, rest: &mut &[u8]) -> Option<usize> {
        let [1] = take(rest)? else { return None };
        let number = u32::from_le_bytes(take(rest)?);
        match number {
            1 => self.positions(rest, 1)?,
            2 => self.counted(rest)?,
            3 => {
                for _ in 0..u32::from_le_bytes(take(rest)?) {
                    self.counted(rest)?;
                }
            }
            4..=7 => {
                for _ in 0..u32::from_le_bytes(take(rest)?) {
                    self.walk(rest)?;
                }
            }
            _ => return None,
        }
        Some(number as usize - 1)
    }

    fn counted(&mut self, rest: &mut &[u8]) -> Option<()> {
        let count = u32::from_le_bytes(take(rest)?);
        self.positions(rest, count as usize)
    }

    fn positions(&mut self, rest: &mut &[u8], count: usize) -> Option<()> {
        let (positions, after) = rest.split_at_checked(count.checked_mul(POSITION_BYTES)?)?;
        *rest = after;
        for position in positions.chunks_exact(POSITION_BYTES) {
            let (x, y) = position.split_first_chunk::<8>()?;
            self.reach(f64::from_le_bytes(*x), f64::from_le_bytes(*y.first_chunk::<8>()?));
        }
        Some(())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Geometry, GeometryCollection, LineString, MultiPolygon, Point, Polygon, line_string, point, polygon};
    use geozero::{CoordDimensions, ToWkb};

    fn wkb(geometry: &Geometry<f64>) -> Vec<u8> {
        geometry.to_wkb(CoordDimensions::xy()).unwrap()
    }

    #[test]
    fn types_and_box_are_those_of_the_geometry() {
        let point: Point = point!(x: 3.0, y: -2.0);
        let line: LineString = line_string![(x: 0.0, y: 1.0), (x: -5.0, y: 2.0)];
        let holed: Polygon = polygon! {
            exterior: [(x: 0.0, y: 0.0), (x: 9.0, y: 0.0), (x: 9.0, y: 9.0), (x: 0.0, y: 0.0)],
            interiors: [[(x: 5.0, y: 1.0), (x: 5.0, y: 2.0), (x: 6.0, y: 2.0), (x: 5.0, y: 1.0)]],
        };
        let parts =
            MultiPolygon(vec![holed.clone(), polygon![(x: 20.0, y: 1.0), (x: 21.0, y: 1.0), (x: 20.0, y: 2.0)]]);
        let all = GeometryCollection(vec![point.into(), line.clone().into()]);
        let cases: [(Geometry<f64>, &str, [f64; 4]); 5] = [
            (point.into(), "Point", [3.0, -2.0, 3.0, -2.0]),
            (line.into(), "LineString", [-5.0, 1.0, 0.0, 2.0]),
            (holed.into(), "Polygon", [0.0, 0.0, 9.0, 9.0]),
            (parts.into(), "MultiPolygon", [0.0, 0.0, 21.0, 9.0]),
            (Geometry::GeometryCollection(all), "GeometryCollection", [-5.0, -2.0, 3.0, 2.0]),
        ];
        let mut together = Seen::default();
        for (geometry, name, bbox) in &cases {
            let mut seen = Seen::default();
            seen.see(&wkb(geometry));
            assert_eq!((seen.types(), seen.bbox()), (vec![*name], Some(*bbox)));
            together.merge(&seen);
        }
        together.merge(&Seen::default());
        let mut nothing = Seen::default();
        nothing.merge(&Seen::default());
        assert_eq!((nothing.types(), nothing.bbox()), (vec![], None));
        let names = ["GeometryCollection", "LineString", "MultiPolygon", "Point", "Polygon"];
        assert_eq!((together.types(), together.bbox()), (names.to_vec(), Some([-5.0, -2.0, 21.0, 9.0])));
    }

    #[test]
    fn what_is_no_wkb_has_no_type() {
        let line = wkb(&line_string![(x: 0.0, y: 1.0), (x: -5.0, y: 2.0)].into());
        let mut big_endian = line.clone();
        big_endian[0] = 0;
        for bytes in [
            &[][..],
            &[1],
            &line[..line.len() - 1],
            &big_endian,
            &[1, 9, 0, 0, 0],
            &[1, 2, 0, 0, 0, 255, 255, 255, 255],
        ] {
            let mut seen = Seen::default();
            seen.see(bytes);
            assert_eq!((seen.types(), seen.bbox()), (vec![], None), "{bytes:?}");
        }
    }
}
