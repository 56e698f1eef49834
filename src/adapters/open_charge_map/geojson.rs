//! GeoJSON: features of `output=geojson` as records.
//!
//! A verbose answer has the whole record inside. A plain one has a title, an address in one line and the strongest
//! connection, which become a record of the same form.
//!
//! **Source**: openchargemap/ocm-system, `GeoJSONOutputProvider.cs`, which writes latitude first and no `type`. A feature
//! that has its `type` comes from a program that follows RFC 7946, so its longitude is first.

use serde_json::{Map, Value, json};

use super::json::Fields;
use crate::domain::{Finding, FindingRule};

/// What a feature turns out to be.
pub(super) enum Inside<'a> {
    /// The record stands in it.
    Record(Fields<'a>),
    /// The text of a record that says the same, and what is to be found of it.
    Rebuilt(String, Vec<Finding>),
}

/// The record of a feature; `None` where this is no feature.
pub(super) fn record(feature: Fields<'_>) -> Option<Inside<'_>> {
    if feature.has("AddressInfo") || !(feature.has("Geometry") && feature.has("Properties")) {
        return None;
    }
    let properties = feature.object("Properties");
    let record = properties.object("POI");
    if !record.is_empty() {
        return Some(Inside::Record(record));
    }
    let passed = &mut Vec::new();
    let mut findings = Vec::new();
    let mut rebuilt = Map::new();
    let own_id = feature.text("ID", passed).or_else(|| properties.text("ID", passed));
    let in_url = || Some(properties.text("URL", passed)?.rsplit('/').next()?.to_owned());
    let id = own_id.map(|id| id.trim_start_matches("OCM-").to_owned()).or_else(in_url);
    rebuilt.insert("ID".into(), id.map_or(Value::Null, |id| id.parse::<i64>().map_or(json!(id), Value::from)));
    let text = |key| properties.text(key, &mut Vec::new()).map_or(Value::Null, |text| json!(text));
    let mut address = Map::new();
    address.insert("Title".into(), text("Name"));
    address.insert("Whole".into(), text("Description"));
    if let Some((lon, lat)) = position(feature, &mut findings) {
        address.insert("Latitude".into(), json!(lat));
        address.insert("Longitude".into(), json!(lon));
    }
    rebuilt.insert("AddressInfo".into(), address.into());
    let (level, kind) = (text("Level"), text("ConnectionType"));
    if !(level.is_null() && kind.is_null()) {
        let level = level.as_str().and_then(|level| level.parse::<i64>().ok()).map_or(level, Value::from);
        let kind = if kind.is_null() { kind } else { json!({ "Title": kind }) };
        rebuilt.insert("Connections".into(), json!([{ "ConnectionType": kind, "LevelID": level }]));
    }
    Some(Inside::Rebuilt(Value::from(rebuilt).to_string(), findings))
}

/// Longitude and latitude of a feature's point.
fn position(feature: Fields<'_>, findings: &mut Vec<Finding>) -> Option<(f64, f64)> {
    let coordinates = feature.object("Geometry").numbers("Coordinates");
    let (first, second) = (*coordinates.first()?.as_ref()?, *coordinates.get(1)?.as_ref()?);
    // No latitude is beyond 90°, whoever wrote it.
    let is_longitude_first = (feature.has("Type") && second.abs() <= 90.0) || first.abs() > 90.0;
    if is_longitude_first {
        return Some((first, second));
    }
    let told = |a: f64, b: f64| format!("{a} {b}");
    findings.push(Finding::replaced(
        FindingRule::SwappedPosition,
        "geometry",
        told(first, second),
        told(second, first),
    ));
    Some((second, first))
}

#[cfg(test)]
mod tests {
    use super::super::json::with;
    use super::*;

    /// The record of a feature, as text, with the number of findings.
    fn inside(text: &str) -> Option<(String, usize)> {
        with(text, |feature| {
            record(feature).map(|inside| match inside {
                Inside::Record(fields) => (fields.source().unwrap_or_default().to_owned(), 0),
                Inside::Rebuilt(text, findings) => (text, findings.len()),
            })
        })
    }

    #[test]
    fn a_feature_is_the_record_in_it_or_what_it_says() {
        let point = |lon_lat: &str| format!(r#""geometry":{{"type":"Point","coordinates":[{lon_lat}]}}"#);
        let (lat_first, lon_first, east) = (point("47.1, 9.5"), point("9.5, 47.1"), point("151.2, -33.9"));
        let cases = [
            (r#"{"id": 7, "addressInfo": {}}"#.to_owned(), None),
            (
                format!(r#"{{"id":"7",{lat_first},"properties":{{"name":"A","poi":{{"id":7}}}}}}"#),
                Some((r#"{"id":7}"#, 0)),
            ),
            (
                format!(
                    r#"{{"id":"7",{lat_first},"properties":{{"name":"A","description":"A, B","level":"3","connectionType":"CHAdeMO"}}}}"#
                ),
                Some((
                    r#"{"AddressInfo":{"Latitude":47.1,"Longitude":9.5,"Title":"A","Whole":"A, B"},"Connections":[{"ConnectionType":{"Title":"CHAdeMO"},"LevelID":3}],"ID":7}"#,
                    1,
                )),
            ),
            (
                format!(r#"{{"type":"Feature","id":"OCM-7",{lon_first},"properties":{{"name":"A"}}}}"#),
                Some((r#"{"AddressInfo":{"Latitude":47.1,"Longitude":9.5,"Title":"A","Whole":null},"ID":7}"#, 0)),
            ),
            (
                format!(r#"{{{east},"properties":{{"url":"https://example.org/poi/details/7"}}}}"#),
                Some((r#"{"AddressInfo":{"Latitude":-33.9,"Longitude":151.2,"Title":null,"Whole":null},"ID":7}"#, 0)),
            ),
            (
                r#"{"id":"x","geometry":{"coordinates":["a"]},"properties":{"name":"A"}}"#.to_owned(),
                Some((r#"{"AddressInfo":{"Title":"A","Whole":null},"ID":"x"}"#, 0)),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(inside(&text), expected.map(|(record, found)| (record.to_owned(), found)), "{text}");
        }
    }
}
