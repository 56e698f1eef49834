//! Stations as an answer gives them: what is looked at, and the record itself on one line.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A record of the API.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Station {
    pub(super) id: i64,
    /// Longitude and latitude as stated.
    pub(super) position: Option<(f64, f64)>,
    /// When its status was last updated: what `modifiedsince` looks at.
    pub(super) updated: Option<Timestamp>,
    /// The record as it came, on one line.
    pub(super) line: Vec<u8>,
}

/// What is looked at. Values of another type than they should have are the reader's affair.
#[derive(Deserialize)]
struct Looked<'a> {
    #[serde(rename = "ID", alias = "id")]
    id: i64,
    #[serde(rename = "DateLastStatusUpdate", alias = "dateLastStatusUpdate", borrow, default)]
    updated: Option<&'a RawValue>,
    #[serde(rename = "AddressInfo", alias = "addressInfo", borrow, default)]
    address: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(rename = "Latitude", alias = "latitude")]
    latitude: f64,
    #[serde(rename = "Longitude", alias = "longitude")]
    longitude: f64,
}

impl Station {
    /// A record; `None` where it has no id, by which alone it could be told from others.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let looked: Looked<'_> = serde_json::from_str(text).ok()?;
        let address = looked.address.and_then(|raw| serde_json::from_str::<Address>(raw.get()).ok());
        let updated = looked.updated.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        Some(Self {
            id: looked.id,
            position: address.map(|address| (address.longitude, address.latitude)),
            updated: updated.and_then(|text| instant(&text)),
            line: on_one_line(text),
        })
    }
}

/// An instant; without an offset it is in UTC, as everything in Open Charge Map.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp()))
}

/// JSON without the white space between its parts.
pub(super) fn on_one_line(text: &str) -> Vec<u8> {
    let (mut line, mut in_text, mut is_escaped) = (Vec::with_capacity(text.len()), false, false);
    for byte in text.bytes() {
        if in_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = byte == b'"';
        }
        line.push(byte);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_kept_as_it_came_and_looked_at_in_either_spelling() {
        let text = "{ \"ID\": 7,\n \"Title\": \"a \\\" b\\\\\", \"DateLastStatusUpdate\": \"2026-07-01T08:00:00Z\",\n \"AddressInfo\": {\"Latitude\": 47.10, \"Longitude\": 9.5}}";
        let station = Station::parse(text).unwrap();
        let line = r#"{"ID":7,"Title":"a \" b\\","DateLastStatusUpdate":"2026-07-01T08:00:00Z","AddressInfo":{"Latitude":47.10,"Longitude":9.5}}"#;
        assert_eq!(String::from_utf8(station.line.clone()).unwrap(), line);
        assert_eq!((station.id, station.position), (7, Some((9.5, 47.1))));
        assert_eq!(station.updated, Some("2026-07-01T08:00:00Z".parse().unwrap()));

        let camel =
            Station::parse(r#"{"id":8,"dateLastStatusUpdate":"2026-07-01T08:00:00","addressInfo":{"latitude":"x"}}"#);
        let camel = camel.unwrap();
        assert_eq!((camel.id, camel.position, camel.updated), (8, None, station.updated));
        for text in ["{}", r#"{"ID":"x"}"#, "5", "null"] {
            assert_eq!(Station::parse(text), None, "{text}");
        }
    }
}
