//! Projection: positions in another coordinate system, moved to longitude and latitude.

use super::error::TableError;
#[cfg(feature = "gdal")]
use crate::domain::RejectCode;
use crate::domain::{Feature, Reject};

/// From a coordinate system that the mapping or the file names.
#[cfg(feature = "gdal")]
pub(super) struct Projection {
    transform: gdal::spatial_ref::CoordTransform,
}

/// Only GDAL knows coordinate systems, so there is none without it.
#[cfg(not(feature = "gdal"))]
pub(super) enum Projection {}

impl Projection {
    /// From a coordinate system by its name, e.g. `EPSG:2056`.
    ///
    /// # Errors
    ///
    /// When it is not known.
    #[cfg(feature = "gdal")]
    pub(super) fn from(crs: &str) -> Result<Self, TableError> {
        let transform = super::gdal::transform_from(crs);
        transform
            .map(|transform| Self { transform })
            .map_err(|error| TableError::Crs { crs: crs.to_owned(), message: error.to_string() })
    }

    /// Only GDAL knows coordinate systems.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(feature = "gdal"))]
    pub(super) fn from(_: &str) -> Result<Self, TableError> {
        Err(TableError::CrsNeedsGdal)
    }

    /// Moves a feature.
    ///
    /// # Errors
    ///
    /// A reject, when a position of it is outside the coordinate system.
    #[cfg(feature = "gdal")]
    pub(super) fn moved(&self, mut feature: Feature) -> Result<Feature, Reject> {
        use crate::domain::Shape;
        use geo::{Coord, MapCoords};

        let moved = |Coord { x, y }: Coord<f64>| {
            let (mut xs, mut ys) = ([x], [y]);
            match self.transform.transform_coords(&mut xs, &mut ys, &mut []) {
                Ok(()) if xs[0].is_finite() && ys[0].is_finite() => Ok(Coord { x: xs[0], y: ys[0] }),
                _ => Err((x, y)),
            }
        };
        let shape = match &feature.shape {
            Shape::Point(point) => point.try_map_coords(moved).map(Shape::Point),
            Shape::Area(area) => area.try_map_coords(moved).map(Shape::Area),
        };
        match shape {
            Ok(shape) => feature.shape = shape,
            Err((x, y)) => {
                let message = format!("{x} {y} is not a position in the coordinate system of the table");
                let (record_id, line) = (feature.id, feature.line);
                return Err(Reject { record_id, code: RejectCode::InvalidPosition, position: None, line, message });
            }
        }
        feature.other_positions =
            feature.other_positions.iter().filter_map(|point| point.try_map_coords(moved).ok()).collect();
        Ok(feature)
    }

    /// Moves a feature.
    ///
    /// # Errors
    ///
    /// Never: there is no such projection.
    #[cfg(not(feature = "gdal"))]
    pub(super) fn moved(&self, _: Feature) -> Result<Feature, Reject> {
        match *self {}
    }
}
