//! The boundary of a region: every polygon of a file, in WGS 84.

use std::io;
use std::path::{Path, PathBuf};

use geo::CoordsIter;
use geozero::{ToGeo, geojson::GeoJson};

/// Why a boundary cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum BoundaryError {
    #[error("cannot read the boundary {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot understand the boundary {path} as GeoJSON")]
    GeoJson { path: PathBuf, source: geozero::error::GeozeroError },
    #[error("{path} is not GeoJSON; build poimill with `--features gdal` to read other formats")]
    NeedsGdal { path: PathBuf },
    #[cfg(feature = "gdal")]
    #[error("GDAL cannot read the boundary {path}")]
    Gdal { path: PathBuf, source: gdal::errors::GdalError },
    #[cfg(feature = "gdal")]
    #[error("the boundary {path} has a geometry that cannot be understood")]
    Wkb { path: PathBuf, source: geozero::error::GeozeroError },
    #[error("the boundary {path} has no polygon")]
    NoPolygon { path: PathBuf },
    #[error(
        "the boundary {path} has a position {x} {y}, which is no longitude and latitude in degrees; \
         `ogr2ogr -t_srs EPSG:4326 -lco RFC7946=YES out.geojson {path}` makes them"
    )]
    NotDegrees { path: PathBuf, x: f64, y: f64 },
}

/// Reads every polygon of a file, from all its layers.
///
/// GeoJSON is longitude and latitude by its standard (RFC 7946). Other formats go through GDAL, which reprojects them.
///
/// # Errors
///
/// When the file cannot be read, or holds no polygon.
pub fn read_boundary(path: &Path) -> Result<geo::MultiPolygon<f64>, BoundaryError> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let mut polygons = match extension.as_deref() {
        Some("geojson" | "json") => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| BoundaryError::Read { path: path.to_owned(), source })?;
            let geometry =
                GeoJson(&text).to_geo().map_err(|source| BoundaryError::GeoJson { path: path.to_owned(), source })?;
            let mut polygons = Vec::new();
            collect(geometry, &mut polygons);
            polygons
        }
        _ => by_gdal(path)?,
    };
    // A ring has three corners, and its first position again.
    polygons.retain(|polygon| polygon.exterior().0.len() > 3);
    if polygons.is_empty() {
        return Err(BoundaryError::NoPolygon { path: path.to_owned() });
    }
    let boundary = geo::MultiPolygon(polygons);
    let degrees = |at: &geo::Coord<f64>| (-180.0..=180.0).contains(&at.x) && (-90.0..=90.0).contains(&at.y);
    match boundary.coords_iter().find(|at| !degrees(at)) {
        Some(geo::Coord { x, y }) => Err(BoundaryError::NotDegrees { path: path.to_owned(), x, y }),
        None => Ok(boundary),
    }
}

fn collect(geometry: geo::Geometry<f64>, polygons: &mut Vec<geo::Polygon<f64>>) {
    match geometry {
        geo::Geometry::Polygon(polygon) => polygons.push(polygon),
        geo::Geometry::MultiPolygon(many) => polygons.extend(many),
        geo::Geometry::GeometryCollection(many) => {
            for geometry in many {
                collect(geometry, polygons);
            }
        }
        _ => {}
    }
}

#[cfg(not(feature = "gdal"))]
fn by_gdal(path: &Path) -> Result<Vec<geo::Polygon<f64>>, BoundaryError> {
    std::fs::metadata(path).map_err(|source| BoundaryError::Read { path: path.to_owned(), source })?;
    Err(BoundaryError::NeedsGdal { path: path.to_owned() })
}

#[cfg(feature = "gdal")]
fn by_gdal(path: &Path) -> Result<Vec<geo::Polygon<f64>>, BoundaryError> {
    use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
    use gdal::vector::LayerAccess;

    std::fs::metadata(path).map_err(|source| BoundaryError::Read { path: path.to_owned(), source })?;
    let wrong = |source| BoundaryError::Gdal { path: path.to_owned(), source };
    let dataset = gdal::Dataset::open(path).map_err(wrong)?;
    let mut wgs_84 = SpatialRef::from_epsg(4326).map_err(wrong)?;
    wgs_84.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let mut polygons = Vec::new();
    for mut layer in dataset.layers() {
        let transform = match layer.spatial_ref() {
            Some(mut stated) => {
                stated.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
                Some(CoordTransform::new(&stated, &wgs_84).map_err(wrong)?)
            }
            None => None,
        };
        for feature in layer.features() {
            let Some(geometry) = feature.geometry() else { continue };
            let mut geometry = geometry.clone();
            if let Some(transform) = &transform {
                geometry.transform_inplace(transform).map_err(wrong)?;
            }
            let wkb = geometry.wkb().map_err(wrong)?;
            let read = geozero::wkb::Wkb(wkb).to_geo();
            let geometry = read.map_err(|source| BoundaryError::Wkb { path: path.to_owned(), source })?;
            collect(geometry, &mut polygons);
        }
    }
    Ok(polygons)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARES: &str = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
        {"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[5,5]}},
        {"type":"Feature","properties":{},"geometry":{"type":"MultiPolygon","coordinates":[[[[2,0],[3,0],[3,1],[2,0]]]]}}
    ]}"#;

    #[test]
    fn every_polygon_of_a_geojson_file_is_the_boundary() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("region.geojson");
        std::fs::write(&path, SQUARES).expect("a file");
        assert_eq!(read_boundary(&path).expect("a boundary").0.len(), 2);
    }

    #[test]
    fn what_bounds_nothing_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("region.geojson");
        let ring = |ring: &str| format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#);
        let cases = [
            (r#"{"type":"Point","coordinates":[5,5]}"#.to_owned(), "has no polygon"),
            (ring(""), "has no polygon"),
            (ring("[]"), "has no polygon"),
            (ring("[[0,0],[1,1]]"), "has no polygon"),
            (
                ring("[[2757500,1222500],[2758500,1222500],[2758500,1223500],[2757500,1222500]]"),
                "position 2757500 1222500",
            ),
            ("{".to_owned(), "as GeoJSON"),
        ];
        for (text, message) in cases {
            std::fs::write(&path, &text).expect("a file");
            let error = read_boundary(&path).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[cfg(feature = "gdal")]
    #[test]
    fn gdal_reads_and_reprojects_other_formats() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("region.gml");
        // A square of 1 km in Swiss coordinates (EPSG:2056), about the middle of Vaduz.
        std::fs::write(
            &path,
            r#"<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml">
            <gml:featureMember><ogr:a fid="a.0"><ogr:geometryProperty><gml:Polygon srsName="EPSG:2056">
            <gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>2757500,1222500 2758500,1222500 2758500,1223500 2757500,1223500 2757500,1222500</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs>
            </gml:Polygon></ogr:geometryProperty></ogr:a></gml:featureMember></ogr:FeatureCollection>"#,
        )
        .expect("a file");
        let boundary = read_boundary(&path).expect("a boundary");
        let first = boundary.0[0].exterior().0[0];
        assert!((first.x - 9.51).abs() < 0.02 && (first.y - 47.13).abs() < 0.02, "{first:?}");
    }
}
