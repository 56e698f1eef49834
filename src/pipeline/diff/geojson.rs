//! GeoJSON: changes on a map, one feature each (RFC 7946: longitude first, seven digits, outer rings counterclockwise).
//!
//! What moved is a line from where it was and what is there now, as one collection; a line over the antimeridian is cut
//! there. What is gone stands where it was.

use geozero::ToJson;
use geozero::wkb::Wkb;
use serde_json::{Map, Value, json};

use super::layers::LayerChange;
use super::place_change::PlaceChange;
use crate::domain::LonLat;

/// Columns that the geometry of a feature tells.
const DRAWN: [&str; 2] = ["geometry", "footprint"];

/// A changed place.
#[must_use]
pub fn place_feature(change: &PlaceChange<'_>, table: Option<&str>) -> Value {
    let (now, before) = (change.position(), change.old_position());
    let point = |position: LonLat| json!({ "type": "Point", "coordinates": coordinates(position) });
    let geometry = match (now, before) {
        (Some(now), Some(before)) => moved(before, now, &point(now)),
        (Some(at), None) | (None, Some(at)) => point(at),
        (None, None) => Value::Null,
    };
    let mut properties = Map::from_iter([
        ("class".to_owned(), json!(change.text("class"))),
        ("cause".to_owned(), json!(change.text("cause"))),
        ("category".to_owned(), json!(change.text("category"))),
        ("changed_fields".to_owned(), json!(change.fields())),
        ("datasets".to_owned(), json!(change.datasets())),
    ]);
    let id = change.text("id");
    for (name, value) in [("name", change.text("name")), ("related_id", change.text("related_id"))] {
        if !value.is_empty() {
            properties.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(metres) = change.moved_m() {
        properties.insert("moved_m".to_owned(), json!(metres));
    }
    if !change.fields().is_empty() {
        properties.insert("fields".to_owned(), change.fields_told(|name| !DRAWN.contains(&name)));
    }
    if let Some(table) = table {
        properties.insert("table".to_owned(), json!(table));
    }
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": properties })
}

/// A changed row of a layer.
#[must_use]
pub fn layer_feature(layer: &str, change: &LayerChange) -> Value {
    let read = |wkb: Option<Vec<u8>>| -> Option<Value> {
        let mut geometry = serde_json::from_str(&Wkb(wkb?).to_json().ok()?).ok()?;
        tidy(&mut geometry);
        Some(geometry)
    };
    let geometry = match (read(change.geometry()), read(change.old_geometry()), change.ends()) {
        (Some(now), Some(_), Some((from, to))) => moved(from, to, &now),
        (Some(at), _, _) | (None, Some(at), _) => at,
        (None, None, _) => Value::Null,
    };
    let mut properties = change.told();
    properties.insert("layer".to_owned(), json!(layer));
    let id = ["osm_type", "osm_id", "kind"].map(|key| match &properties[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    json!({ "type": "Feature", "id": format!("{layer}/{}", id.join("/")), "geometry": geometry, "properties": properties })
}

/// What moved: its way, and what is there now.
fn moved(from: LonLat, to: LonLat, now: &Value) -> Value {
    let (a, b) = (coordinates(from), coordinates(to));
    let way = if (a[0] - b[0]).abs() <= 180.0 {
        json!({ "type": "LineString", "coordinates": [a, b] })
    } else {
        // The short way leads over the antimeridian.
        let side = 180_f64.copysign(a[0]);
        let beyond = b[0] + 360_f64.copysign(a[0]);
        let crossing = if beyond == a[0] { b[1] } else { a[1] + (b[1] - a[1]) * (side - a[0]) / (beyond - a[0]) };
        json!({ "type": "MultiLineString", "coordinates": [[a, [side, round(crossing)]], [[-side, round(crossing)], b]] })
    };
    json!({ "type": "GeometryCollection", "geometries": [way, now] })
}

fn coordinates(position: LonLat) -> [f64; 2] {
    [round(position.lon()), round(position.lat())]
}

/// To seven digits, about a centimetre; never −0.
fn round(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7 + 0.0
}

/// Rounds the positions of a geometry and turns its rings as they are wanted.
fn tidy(geometry: &mut Value) {
    let is = geometry["type"].as_str().unwrap_or_default().to_owned();
    for part in geometry["geometries"].as_array_mut().into_iter().flatten() {
        tidy(part);
    }
    let coordinates = &mut geometry["coordinates"];
    round_all(coordinates);
    match is.as_str() {
        "Polygon" => turn_rings(coordinates),
        "MultiPolygon" => coordinates.as_array_mut().into_iter().flatten().for_each(turn_rings),
        _ => {}
    }
}

fn round_all(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(round_all),
        Value::Number(number) => *value = json!(round(number.as_f64().unwrap_or_default())),
        _ => {}
    }
}

/// The first ring counterclockwise, the others, holes, clockwise.
fn turn_rings(polygon: &mut Value) {
    for (at, ring) in polygon.as_array_mut().into_iter().flatten().enumerate() {
        let Some(positions) = ring.as_array_mut() else { continue };
        let number = |position: &Value, axis: usize| position[axis].as_f64().unwrap_or_default();
        // Twice the area, by the trapezoids below each edge: positive where the ring turns clockwise.
        let edges = positions.iter().zip(positions.iter().skip(1));
        let area: f64 = edges.map(|(a, b)| (number(b, 0) - number(a, 0)) * (number(b, 1) + number(a, 1))).sum();
        if (at == 0) == (area > 0.0) {
            positions.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon: f64, lat: f64) -> LonLat {
        LonLat::new(lon, lat).unwrap()
    }

    #[test]
    fn what_moved_is_its_way_and_what_is_there_now() {
        let collection = moved(at(9.5, 47.0), at(9.123_456_789, 47.0), &json!(null));
        let way = json!({ "type": "LineString", "coordinates": [[9.5, 47.0], [9.123_456_8, 47.0]] });
        assert_eq!(collection["geometries"][0], way);
        let over = moved(at(179.0, 10.0), at(-179.0, 20.0), &json!(null));
        let way = json!({ "type": "MultiLineString", "coordinates": [[[179.0, 10.0], [180.0, 15.0]], [[-180.0, 15.0], [-179.0, 20.0]]] });
        assert_eq!(over["geometries"][0], way);
        let back = moved(at(-179.0, 20.0), at(179.0, 10.0), &json!(null));
        let way = json!([[[-179.0, 20.0], [-180.0, 15.0]], [[180.0, 15.0], [179.0, 10.0]]]);
        assert_eq!(back["geometries"][0]["coordinates"], way);
    }

    #[test]
    fn rings_are_turned_and_positions_rounded() {
        let (ccw, cw) = (
            json!([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 0.0]]),
            json!([[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 0.0]]),
        );
        for (rings, expected) in [(json!([cw, ccw]), json!([ccw, cw])), (json!([ccw, cw]), json!([ccw, cw]))] {
            let mut polygon = json!({ "type": "Polygon", "coordinates": rings });
            tidy(&mut polygon);
            assert_eq!(polygon["coordinates"], expected);
            let mut several = json!({ "type": "MultiPolygon", "coordinates": [rings] });
            tidy(&mut several);
            assert_eq!(several["coordinates"], json!([expected]));
        }
        let mut line = json!({ "type": "LineString", "coordinates": [[1.000_000_04, -0.000_000_01], [2, 3]] });
        tidy(&mut line);
        assert_eq!(line["coordinates"], json!([[1.0, 0.0], [2.0, 3.0]]));
    }
}
