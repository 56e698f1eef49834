//! Region: where a pipeline collects places, and how far beyond it looks.

use geo::{BoundingRect, Contains};

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

    /// Whether a place here belongs to the region. Half-open on the upper edges of a box, so neighbours never share one.
    #[must_use]
    pub fn contains(&self, p: LonLat) -> bool {
        match &self.boundary {
            None => self.bbox.contains(p),
            Some(boundary) => boundary.contains(&geo::Point::from(p)),
        }
    }

    /// Whether a record here is worth reading: in the region or its halo.
    #[must_use]
    pub fn reads(&self, p: LonLat) -> bool {
        self.halo_box.contains(p)
    }
}
