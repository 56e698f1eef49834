//! Region: where a pipeline collects places, and how far beyond it looks.

use geo::{BoundingRect, Intersects};

use super::{BBox, LonLat, Metres, Position};

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

    /// Whether a line has a part in the region; a line of one position, as a place has.
    #[must_use]
    pub fn meets_line(&self, line: &[Position]) -> bool {
        self.meets(&mut line.iter(), || match line {
            [_] => None,
            line => Some(geo::Geometry::LineString(line_string(line))),
        })
    }

    /// Whether an area, as polygons of rings, has a part in the region.
    #[must_use]
    pub fn meets_area(&self, polygons: &[Vec<Vec<Position>>]) -> bool {
        self.meets(&mut polygons.iter().filter_map(|rings| rings.first()).flatten(), || {
            let polygon = |rings: &Vec<Vec<Position>>| {
                geo::Polygon::new(line_string(&rings[0]), rings[1..].iter().map(|ring| line_string(ring)).collect())
            };
            Some(geo::Geometry::MultiPolygon(polygons.iter().map(polygon).collect()))
        })
    }

    /// Whether one of the positions lies in the region, or else the geometry that they make passes through it.
    fn meets(
        &self,
        positions: &mut dyn Iterator<Item = &Position>,
        geometry: impl Fn() -> Option<geo::Geometry<f64>>,
    ) -> bool {
        if self.is_world() {
            return true;
        }
        let (mut min, mut max) = ((f64::INFINITY, f64::INFINITY), (f64::NEG_INFINITY, f64::NEG_INFINITY));
        for position in positions {
            let (lon, lat) = position.degrees();
            if LonLat::new(lon, lat).is_some_and(|position| self.contains(position)) {
                return true;
            }
            (min, max) = ((min.0.min(lon), min.1.min(lat)), (max.0.max(lon), max.1.max(lat)));
        }
        let apart = |rect: &geo::Rect<f64>| {
            rect.max().x < min.0 || rect.min().x > max.0 || rect.max().y < min.1 || rect.min().y > max.1
        };
        let rects: Vec<geo::Rect<f64>> = self.bbox.rects().filter(|rect| !apart(rect)).collect();
        if rects.is_empty() {
            return false;
        }
        let Some(geometry) = geometry() else { return false };
        match &self.boundary {
            Some(boundary) => boundary.intersects(&geometry),
            None => rects.iter().any(|rect| rect.to_polygon().intersects(&geometry)),
        }
    }

    /// Whether it has no limit.
    #[must_use]
    pub fn is_world(&self) -> bool {
        self.boundary.is_none() && self.bbox == BBox::WORLD
    }

    /// What is worth reading as boxes of west, south, east and north, none of which crosses the antimeridian; empty where
    /// everything is.
    #[must_use]
    pub fn read_boxes(&self) -> Vec<[f64; 4]> {
        if self.is_world() {
            return Vec::new();
        }
        self.halo_box.rects().map(|rect| [rect.min().x, rect.min().y, rect.max().x, rect.max().y]).collect()
    }

    /// Whether a record here is worth reading: in the region or its halo.
    #[must_use]
    pub fn reads(&self, p: LonLat) -> bool {
        self.halo_box.contains(p)
    }
}

fn line_string(line: &[Position]) -> geo::LineString<f64> {
    line.iter().map(|position| position.degrees()).collect()
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
    fn a_box_across_the_antimeridian_is_read_as_two() {
        let boxes = |bbox| Region::from_bbox(bbox, Metres(0.0)).read_boxes();
        let [south, north] = [-10.0, 10.0];
        assert_eq!(boxes(BBox { xmin: 1.0, ymin: south, xmax: 2.0, ymax: north }), [[1.0, south, 2.0, north]]);
        let across = boxes(BBox { xmin: 170.0, ymin: south, xmax: -170.0, ymax: north });
        assert_eq!(across, [[170.0, south, 180.0, north], [-180.0, south, -170.0, north]]);
        assert_eq!(Region::world().read_boxes(), [[0.0; 4]; 0]);
    }

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
