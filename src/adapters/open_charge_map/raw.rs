//! Raw: the record as its source wrote it, for the bridge table.
//!
//! Its own order and numbers, keys in `PascalCase`, without white space, nulls and the fields of [`DROPPED`]. Two dumps that
//! differ only in these give the same bytes.

use super::scan::{Kind, Node};

/// Fields that are computed when a dump is written, that belong to people, or that repeat others.
const DROPPED: [&str; 12] = [
    "DateLastImported",
    "DateLastVerified",
    "Distance",
    "DistanceUnit",
    "IsRecentlyVerified",
    "LevelOfDetail",
    "MediaItems",
    "PercentageSimilarity",
    "SpatialPosition",
    "UserComments",
    "_id",
    "__v",
];

/// The lengths of [`DROPPED`], a bit each: most keys are told apart by it alone.
const DROPPED_LENGTHS: u32 = {
    let mut lengths = 0;
    let mut at = 0;
    while at < DROPPED.len() {
        lengths |= 1 << DROPPED[at].len();
        at += 1;
    }
    lengths
};

/// Writes the value at node `at` of a scanned record behind what `out` holds.
pub(super) fn write(text: &str, nodes: &[Node], at: usize, out: &mut String) {
    let node = nodes[at];
    let inside = &text[node.start as usize..node.end as usize];
    match node.kind {
        Kind::Object => {
            out.push('{');
            let mut key = at + 1;
            let mut is_first = true;
            while key < node.next as usize {
                let (name, value) = (nodes[key], key + 1);
                key = nodes[value].next as usize;
                let name = &text[name.start as usize..name.end as usize];
                if nodes[value].kind == Kind::Null || is_dropped(name) {
                    continue;
                }
                out.push_str(if is_first { "\"" } else { ",\"" });
                is_first = false;
                push_pascal_case(name, out);
                out.push_str("\":");
                write(text, nodes, value, out);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            let mut item = at + 1;
            while item < node.next as usize {
                if item > at + 1 {
                    out.push(',');
                }
                write(text, nodes, item, out);
                item = nodes[item].next as usize;
            }
            out.push(']');
        }
        // With its quotes.
        Kind::Text | Kind::Escaped => out.push_str(&text[node.start as usize - 1..=node.end as usize]),
        Kind::Milliseconds => {
            let time = inside.parse().ok().and_then(|ms| crate::domain::Timestamp::from_millisecond(ms).ok());
            match time {
                Some(time) => {
                    out.push('"');
                    out.push_str(&time.to_string());
                    out.push('"');
                }
                None => out.push_str(inside),
            }
        }
        Kind::Number | Kind::True | Kind::False | Kind::Null => out.push_str(inside),
    }
}

fn is_dropped(key: &str) -> bool {
    key.len() < 32
        && DROPPED_LENGTHS & 1 << key.len() != 0
        && DROPPED.iter().any(|dropped| dropped.eq_ignore_ascii_case(key))
}

/// The key of an object in camel case differs only in its first letter, but for three.
fn push_pascal_case(key: &str, out: &mut String) {
    match key {
        "id" => out.push_str("ID"),
        "uuid" => out.push_str("UUID"),
        "isoCode" => out.push_str("ISOCode"),
        _ => match key.as_bytes().first() {
            Some(first) if first.is_ascii_lowercase() => {
                out.push(char::from(first.to_ascii_uppercase()));
                out.push_str(&key[1..]);
            }
            _ => out.push_str(key),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn raw(text: &str) -> String {
        let (mut nodes, mut out) = (Vec::new(), String::new());
        scan(text, &mut nodes).expect(text);
        write(text, &nodes, 0, &mut out);
        out
    }

    #[test]
    fn every_shape_is_tidied_into_one_form() {
        let tidy = concat!(
            r#"{"ID":7,"UUID":"x","DateCreated":"2020-04-06T04:07:40Z","AddressInfo":{"Country":{"ISOCode":"LI"},"Latitude":47.10},"#,
            r#""Connections":[{"ID":3,"PowerKW":22.0}]}"#
        );
        let shapes = [
            r#"{"IsRecentlyVerified": true, "ID": 7, "UUID": "x", "UserComments": [{"UserName": "u"}], "DateCreated": "2020-04-06T04:07:40Z",
                "AddressInfo": {"Country": {"ISOCode": "LI", "Title": null}, "Latitude": 47.10, "Distance": 3.0, "DistanceUnit": 2},
                "Connections": [{"ID": 3, "PowerKW": 22.0, "Level": null}]}"#,
            r#"{"id": 7, "uuid": "x", "isRecentlyVerified": false, "dateCreated": "2020-04-06T04:07:40Z", "mediaItems": null,
                "addressInfo": {"country": {"isoCode": "LI"}, "latitude": 47.10},
                "connections": [{"id": 3, "powerKW": 22.0}]}"#,
            r#"{"_id": {"$oid": "a"}, "ID": {"$numberInt": "7"}, "UUID": "x", "DateCreated": {"$date": {"$numberLong": "1586146060000"}},
                "AddressInfo": {"Country": {"ISOCode": "LI"}, "Latitude": {"$numberDouble": "47.10"}},
                "Connections": [{"ID": 3, "PowerKW": {"$numberDouble": "22.0"}}], "SpatialPosition": {"type": "Point"}}"#,
        ];
        for shape in shapes {
            assert_eq!(raw(shape), tidy);
        }
    }

    #[test]
    fn what_is_kept_is_kept_as_it_is_written() {
        let cases = [
            (" { } ", "{}"),
            (r#"{"a": null}"#, "{}"),
            (r#"{"A": [ 1 , null , "\u00e4\"" , {} , [ ] ]}"#, r#"{"A":[1,null,"\u00e4\"",{},[]]}"#),
            (r#"{"B": 1.50e1, "A": -0}"#, r#"{"B":1.50e1,"A":-0}"#),
            (r#"{"ä": 1, "": 2}"#, r#"{"ä":1,"":2}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(raw(text), expected);
        }
    }
}
