//! Region: where a pipeline collects places, and how far beyond it looks.

use geo::BoundingRect;

use super::{BBox, LonLat, Metres};

/// Area of interest, with a halo in which records are read so that duplicates across the border meet.
#[derive(Debug, Clone)]
pub struct Region {
    bbox: BBox,
    boundary: Option<geo::MultiPolygon<f64>>,
    halo_box: BBox,
}

impl Region {
    /// The whole world, without a halo.
    #[must_use]
    pub fn world() -> Self {
        Self { bbox: BBox::WORLD, boundary: None, halo_box: BBox::WORLD }
    }

    /// A box.
    #[must_use]
    pub fn from_bbox(bbox: BBox, halo: Metres) -> Self {
        Self { bbox, boundary: None, halo_box: bbox.expanded(halo) }
    }

    /// A polygon; `None` when it is empty. The halo is read around its bounding box.
    #[must_use]
    pub fn from_boundary(boundary: geo::MultiPolygon<f64>, halo: Metres) -> Option<Self> {
        let rect = boundary.bounding_rect()?;
        let bbox = BBox { xmin: rect.min().x, ymin: rect.min().y, xmax: rect.max().x, ymax: rect.max().y };
        Some(Self { bbox, boundary: Some(boundary), halo_box: bbox.expanded(halo) })
    }

    /// Whether a place here belongs to the region. Half-open on the upper edges, so neighbours never share one, nor lose it.
    #[must_use]
    pub fn contains(&self, p: LonLat) -> bool {
        match &self.boundary {
            None => self.bbox.contains(p),
            Some(boundary) => boundary.iter().any(|polygon| holds(polygon, p)),
        }
    }

    /// Whether a record here is worth reading: in the region or its halo.
    #[must_use]
    pub fn reads(&self, p: LonLat) -> bool {
        self.halo_box.contains(p)
    }
}

/// Whether a ray to the east leaves the polygon an odd number of times. A position on an edge is inside where the
/// polygon lies east of it, or north of a level one.
fn holds(polygon: &geo::Polygon<f64>, p: LonLat) -> bool {
    let p = geo::Point::from(p);
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    let crossings = rings.flat_map(geo::LineString::lines).filter(|edge| {
        // Always from south to north, so that neighbours compute the same crossing of an edge that they share.
        let (south, north) = if edge.start.y <= edge.end.y { (edge.start, edge.end) } else { (edge.end, edge.start) };
        south.y <= p.y()
            && p.y() < north.y
            && p.x() < south.x + (north.x - south.x) * ((p.y() - south.y) / (north.y - south.y))
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use geo::polygon;

    use super::*;

    #[test]
    fn a_position_on_a_border_belongs_to_one_of_two_neighbours() {
        let region = |polygon| Region::from_boundary(geo::MultiPolygon(vec![polygon]), Metres(0.0)).unwrap();
        let south_east = region(polygon![(x: 0.0, y: 0.0), (x: 3.0, y: 0.0), (x: 3.0, y: 3.0), (x: 0.0, y: 0.0)]);
        let north_west = region(polygon![(x: 0.0, y: 0.0), (x: 3.0, y: 3.0), (x: 0.0, y: 3.0), (x: 0.0, y: 0.0)]);
        let square = Region::from_bbox(BBox { xmin: 0.0, ymin: 0.0, xmax: 3.0, ymax: 3.0 }, Metres(0.0));
        for (lon, lat) in (-1..=7).flat_map(|x| (-1..=7).map(move |y| (f64::from(x) / 2.0, f64::from(y) / 2.0))) {
            let at = LonLat::new(lon, lat).unwrap();
            let of = [&south_east, &north_west].iter().filter(|region| region.contains(at)).count();
            assert_eq!(of, usize::from(square.contains(at)), "{lon} {lat}");
        }
    }

    #[test]
    fn a_hole_is_no_part_of_its_region() {
        let boundary = polygon!(
            exterior: [(x: 0.0, y: 0.0), (x: 9.0, y: 0.0), (x: 9.0, y: 9.0), (x: 0.0, y: 9.0), (x: 0.0, y: 0.0)],
            interiors: [[(x: 3.0, y: 3.0), (x: 3.0, y: 6.0), (x: 6.0, y: 6.0), (x: 6.0, y: 3.0), (x: 3.0, y: 3.0)]],
        );
        let region = Region::from_boundary(geo::MultiPolygon(vec![boundary]), Metres(0.0)).unwrap();
        let cases = [(1.0, 1.0, true), (4.0, 4.0, false), (7.0, 4.0, true), (9.5, 4.0, false)];
        for (lon, lat, inside) in cases {
            assert_eq!(region.contains(LonLat::new(lon, lat).unwrap()), inside, "{lon} {lat}");
        }
    }
}
