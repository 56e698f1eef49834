//! Geometry: WKT, WKB, GeoJSON and `[lon, lat]` in a column, and what each kind of geometry is as a place.
//!
//! A point is a point, and polygons are an area. Of several points the first counts, the others stand beside it; a line
//! is the point half-way along it. Of a collection the areas count, else the first part that is somewhere.

use geo::line_measures::InterpolateLine;
use geo::orient::Direction;
use geo::{Euclidean, Geometry, LineString, MultiPolygon, Orient, Point, Polygon};
use geozero::ToGeo;
use geozero::geojson::GeoJson;
use geozero::wkb::Ewkb;
use geozero::wkt::Wkt;

use super::cell::Cell;
use crate::domain::Shape;

/// Where a row is, and where else it says that it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) shape: Shape,
    pub(super) others: Vec<Point<f64>>,
}

impl Place {
    /// At one position.
    pub(super) fn point(lon: f64, lat: f64) -> Self {
        Self { shape: Shape::Point(Point::new(lon, lat)), others: Vec::new() }
    }

    fn area(area: &MultiPolygon<f64>) -> Self {
        Self { shape: Shape::Area(area.orient(Direction::Default)), others: Vec::new() }
    }
}

/// The geometry that a column states.
pub(super) fn of_cell(cell: &Cell) -> Result<Geometry<f64>, String> {
    if let Cell::List(numbers) = cell {
        return pair(numbers.iter().map(Cell::to_text));
    }
    let text = cell.to_text();
    let text = text.trim();
    let has_nothing = text.rsplit(' ').next().is_some_and(|word| word.eq_ignore_ascii_case("EMPTY"));
    if has_nothing {
        return Ok(Geometry::GeometryCollection(geo::GeometryCollection::default()));
    }
    let begins = |with: &str| text.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if text.starts_with('{') {
        return of_geojson(text);
    }
    if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return pair(inside.split(',').map(str::trim));
    }
    if text.len() > 9 && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_default();
        return of_wkb(&(0..text.len()).step_by(2).map(byte).collect::<Vec<u8>>());
    }
    let wkt = if begins("SRID=") { text.split_once(';').map_or(text, |(_, wkt)| wkt) } else { text };
    Wkt(wkt).to_geo().map_err(|error| unreadable(text, &error.to_string()))
}

/// Bytes of WKB or EWKB, such as `GeoPackage` and `GeoParquet` hold.
pub(super) fn of_wkb(bytes: &[u8]) -> Result<Geometry<f64>, String> {
    Ewkb(bytes.to_vec()).to_geo().map_err(|error| format!("its geometry cannot be read as WKB: {error}"))
}

/// The text of a GeoJSON geometry.
pub(super) fn of_geojson(text: &str) -> Result<Geometry<f64>, String> {
    GeoJson(text).to_geo().map_err(|error| unreadable(text, &error.to_string()))
}

fn unreadable(text: &str, why: &str) -> String {
    let beginning: String = text.chars().take(60).collect();
    format!("its geometry `{beginning}` cannot be read: {why}")
}

/// Longitude and latitude, and perhaps a height.
fn pair(numbers: impl Iterator<Item = impl AsRef<str>>) -> Result<Geometry<f64>, String> {
    let texts: Vec<String> = numbers.map(|number| number.as_ref().to_owned()).collect();
    let read: Option<Vec<f64>> = texts.iter().map(|text| super::convert::number(text, b'.')).collect();
    match read.as_deref() {
        Some([lon, lat] | [lon, lat, _]) => Ok(Geometry::Point(Point::new(*lon, *lat))),
        _ => Err(unreadable(&format!("[{}]", texts.join(",")), "a longitude and a latitude are expected")),
    }
}

/// What a geometry is as a place; `None` where it is nowhere.
pub(super) fn place(geometry: Geometry<f64>) -> Option<Place> {
    let mut areas: Vec<Polygon<f64>> = Vec::new();
    let mut points: Vec<Point<f64>> = Vec::new();
    gather(geometry, &mut areas, &mut points);
    if !areas.is_empty() {
        return Some(Place::area(&MultiPolygon(areas)));
    }
    let mut points = points.into_iter();
    let first = points.next()?;
    Some(Place { shape: Shape::Point(first), others: points.collect() })
}

fn gather(geometry: Geometry<f64>, areas: &mut Vec<Polygon<f64>>, points: &mut Vec<Point<f64>>) {
    match geometry {
        // WKB has no empty point but one of no numbers.
        Geometry::Point(point) if point.x().is_nan() && point.y().is_nan() => {}
        Geometry::Point(point) => points.push(point),
        Geometry::MultiPoint(many) => points.extend(many),
        Geometry::LineString(line) => points.extend(half_way(&line)),
        Geometry::MultiLineString(lines) => points.extend(lines.0.iter().filter_map(half_way)),
        Geometry::Line(line) => points.extend(half_way(&line.into())),
        Geometry::Polygon(polygon) => areas.extend(Some(polygon).filter(|polygon| !polygon.exterior().0.is_empty())),
        Geometry::MultiPolygon(many) => areas.extend(many),
        Geometry::GeometryCollection(parts) => {
            for part in parts {
                gather(part, areas, points);
            }
        }
        Geometry::Rect(rect) => areas.push(rect.to_polygon()),
        Geometry::Triangle(triangle) => areas.push(triangle.to_polygon()),
    }
}

/// The point half-way along a line, in degrees.
fn half_way(line: &LineString<f64>) -> Option<Point<f64>> {
    Euclidean.point_at_ratio_from_start(line, 0.5)
}
