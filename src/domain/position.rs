//! Positions, distances and boxes: the only place where degrees become metres.

use serde::{Deserialize, Serialize};

/// Mean radius R₁ of the GRS 80 ellipsoid, in metres (Moritz 2000, *Journal of Geodesy* 74:128–133).
const EARTH_RADIUS_M: f64 = 6_371_008.771_4;

/// A WGS 84 position (EPSG:4326), longitude first as in RFC 7946.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "(f64, f64)", into = "(f64, f64)")]
pub struct LonLat {
    lon: f64,
    lat: f64,
}

impl LonLat {
    /// A position from degrees: `lon` in `[-180, 180]`, `lat` in `[-90, 90]`.
    ///
    /// `None` when either is out of range or not a number, so a `LonLat` that exists is valid.
    #[must_use]
    pub fn new(lon: f64, lat: f64) -> Option<Self> {
        let valid = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        valid.then_some(Self { lon, lat })
    }

    /// Degrees east, in `[-180, 180]`.
    #[must_use]
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Degrees north, in `[-90, 90]`.
    #[must_use]
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// The point on the unit sphere: x towards (0, 0), z towards the north pole.
    ///
    /// Straight distances between such points rank as distances on the ground do, also across the antimeridian
    /// and at the poles, so an index over them needs no special case.
    #[must_use]
    pub fn on_unit_sphere(self) -> [f64; 3] {
        let (lon, lat) = (self.lon.to_radians(), self.lat.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    }
}

impl From<LonLat> for (f64, f64) {
    fn from(position: LonLat) -> Self {
        (position.lon, position.lat)
    }
}

impl TryFrom<(f64, f64)> for LonLat {
    type Error = &'static str;

    fn try_from((lon, lat): (f64, f64)) -> Result<Self, Self::Error> {
        Self::new(lon, lat).ok_or("not a position on Earth")
    }
}

impl From<LonLat> for geo::Point<f64> {
    fn from(position: LonLat) -> Self {
        Self::new(position.lon, position.lat)
    }
}

/// A position in ten-millionths of a degree, as the OSM database keeps it. Ordered west to east, then south to north.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// East, in 1e-7 degrees.
    pub lon: i32,
    /// North, in 1e-7 degrees.
    pub lat: i32,
}

impl Position {
    /// In degrees: longitude, latitude.
    #[must_use]
    pub fn degrees(self) -> (f64, f64) {
        (f64::from(self.lon) / 1e7, f64::from(self.lat) / 1e7)
    }

    /// Whether it is on Earth.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (-1_800_000_000..=1_800_000_000).contains(&self.lon) && (-900_000_000..=900_000_000).contains(&self.lat)
    }
}

/// A length on the ground, in metres.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Metres(pub f64);

impl Metres {
    /// The straight line through the unit sphere that spans this arc: 2 sin(d / 2R₁).
    #[must_use]
    pub fn chord(self) -> f64 {
        2.0 * (self.0 / (2.0 * EARTH_RADIUS_M)).min(std::f64::consts::FRAC_PI_2).sin()
    }

    /// The arc that a straight line through the unit sphere spans; half the equator for anything longer than 2.
    #[must_use]
    pub fn of_chord(chord: f64) -> Self {
        Self(2.0 * EARTH_RADIUS_M * (chord / 2.0).min(1.0).asin())
    }
}

/// Great-circle distance between two positions.
///
/// - **In**: two positions, in degrees; symmetric; the antimeridian needs no special case.
/// - **Out**: metres, from 0 to πR₁ ≈ 20 015 114.
/// - **Error**: a sphere stands in for the ellipsoid; off by at most 0.56 % (north–south at the equator).
/// - **Source**: haversine, Sinnott 1984, *Sky & Telescope* 68(2):159.
///
/// ```
/// # use poimill::domain::{LonLat, haversine};
/// let (a, b) = (LonLat::new(0.0, 0.0).unwrap(), LonLat::new(0.0, 1.0).unwrap());
/// assert!((haversine(a, b).0 - 111_195.08).abs() < 0.01);
/// ```
#[must_use]
pub fn haversine(a: LonLat, b: LonLat) -> Metres {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let half_dlat = (lat_b - lat_a) / 2.0;
    let half_dlon = (b.lon - a.lon).to_radians() / 2.0;
    let h = half_dlat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_dlon.sin().powi(2);
    Metres(2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin())
}

/// A box in degrees. A box that crosses the antimeridian has `xmin > xmax`, as in RFC 7946.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BBox {
    /// Western edge.
    pub xmin: f64,
    /// Southern edge.
    pub ymin: f64,
    /// Eastern edge.
    pub xmax: f64,
    /// Northern edge.
    pub ymax: f64,
}

impl BBox {
    /// The whole world.
    pub const WORLD: Self = Self { xmin: -180.0, ymin: -90.0, xmax: 180.0, ymax: 90.0 };

    /// Whether `p` lies inside; upper edges are outside (half-open), except where the world ends.
    #[must_use]
    pub fn contains(&self, p: LonLat) -> bool {
        let north = p.lat < self.ymax || self.ymax >= 90.0;
        let (west, east) = (p.lon >= self.xmin, p.lon < self.xmax || self.xmax >= 180.0);
        let between = if self.xmin <= self.xmax { west && east } else { west || east };
        p.lat >= self.ymin && north && between
    }

    /// The box as rectangles: two where it crosses the antimeridian.
    pub(super) fn rects(&self) -> impl Iterator<Item = geo::Rect<f64>> + use<> {
        let rect = |xmin: f64, xmax: f64| geo::Rect::new((xmin, self.ymin), (xmax, self.ymax));
        let rects = if self.xmin <= self.xmax {
            [Some(rect(self.xmin, self.xmax)), None]
        } else {
            [Some(rect(self.xmin, 180.0)), Some(rect(-180.0, self.xmax))]
        };
        rects.into_iter().flatten()
    }

    /// The box with a margin of `halo` on every side; degrees of longitude are those at its edge nearest a pole.
    #[must_use]
    pub fn expanded(&self, halo: Metres) -> Self {
        let dlat = (halo.0 / EARTH_RADIUS_M).to_degrees();
        let (ymin, ymax) = ((self.ymin - dlat).max(-90.0), (self.ymax + dlat).min(90.0));
        let cos = ymin.abs().max(ymax.abs()).to_radians().cos();
        let dlon = if cos > 1e-9 { dlat / cos } else { 360.0 };
        let width = if self.xmin <= self.xmax { self.xmax - self.xmin } else { self.xmax - self.xmin + 360.0 };
        if width + 2.0 * dlon >= 360.0 {
            return Self { xmin: -180.0, xmax: 180.0, ymin, ymax };
        }
        let wrap = |lon: f64| {
            if lon < -180.0 {
                lon + 360.0
            } else if lon > 180.0 {
                lon - 360.0
            } else {
                lon
            }
        };
        Self { xmin: wrap(self.xmin - dlon), xmax: wrap(self.xmax + dlon), ymin, ymax }
    }
}

/// Distance of a position along the Hilbert curve of a fixed world grid of 2³¹ × 2³¹ cells; near keys are near places.
///
/// - **Source**: Warren 2013, *Hacker's Delight*, 2nd ed., section 16–3, state by state.
#[must_use]
pub fn hilbert_key(p: LonLat) -> u64 {
    const BITS: u32 = 31;
    let cells = f64::from(1u32 << BITS);
    let cell = |share: f64| ((share * cells) as u64).min((1 << BITS) - 1);
    let (mut x, mut y) = (cell((p.lon + 180.0) / 360.0), cell((p.lat + 90.0) / 180.0));
    let mut key = 0;
    for bit in (0..BITS).rev() {
        let (rx, ry) = ((x >> bit) & 1, (y >> bit) & 1);
        key = (key << 2) | ((3 * rx) ^ ry);
        if ry == 0 {
            if rx == 1 {
                let mask = (1 << BITS) - 1;
                (x, y) = (mask - x, mask - y);
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon: f64, lat: f64) -> LonLat {
        LonLat::new(lon, lat).expect("a test position is valid")
    }

    #[test]
    fn positions_outside_the_world_do_not_exist() {
        assert!(LonLat::new(180.1, 0.0).is_none());
        assert!(LonLat::new(0.0, -90.1).is_none());
        assert!(LonLat::new(f64::NAN, 0.0).is_none());
    }

    #[test]
    fn a_box_owns_its_lower_edges_only() {
        let tile = BBox { xmin: 0.0, ymin: 0.0, xmax: 1.0, ymax: 1.0 };
        assert!(tile.contains(at(0.0, 0.0)));
        assert!(!tile.contains(at(1.0, 0.5)));
        assert!(!tile.contains(at(0.5, 1.0)));
        assert!(BBox::WORLD.contains(at(180.0, 90.0)));
    }

    #[test]
    fn a_halo_crosses_the_antimeridian() {
        let fiji = BBox { xmin: 179.0, ymin: -18.0, xmax: 180.0, ymax: -16.0 };
        let wide = fiji.expanded(Metres(50_000.0));
        assert!(wide.contains(at(-179.9, -17.0)));
        assert!(!wide.contains(at(-179.0, -17.0)));
    }

    #[test]
    fn chord_and_haversine_agree_across_the_antimeridian() {
        let (a, b) = (at(179.999, 10.0), at(-179.999, 10.0));
        let straight: f64 =
            a.on_unit_sphere().iter().zip(b.on_unit_sphere()).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt();
        assert!((straight - haversine(a, b).chord()).abs() < 1e-12);
    }

    #[test]
    fn hilbert_keys_walk_the_quadrants_in_order() {
        let quadrants = [at(-90.0, -45.0), at(-90.0, 45.0), at(90.0, 45.0), at(90.0, -45.0)];
        let keys = quadrants.map(|p| hilbert_key(p) >> 60);
        assert_eq!(keys, [0, 1, 2, 3]);
    }
}
