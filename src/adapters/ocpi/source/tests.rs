//! Whole feeds, read through the port.

mod locations;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use self::locations::{camel_case, expected, v2_1_1, v2_2, v2_3};
use super::*;
use crate::domain::{
    AreaRules, ConnectorCodes, Feature, Finding, FindingRule, LeftOutRule, Region, Reject, RejectCode, Taxonomy,
};

/// Hears nothing.
struct Silent;

impl Observer for Silent {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
}

#[derive(Debug, PartialEq)]
struct Read {
    features: Vec<Feature>,
    rejects: Vec<Reject>,
    extracted: Extracted,
}

fn source(path: &Path) -> Ocpi {
    Ocpi::new("feed".into(), path.to_owned(), Some("CC0-1.0".into()), Some("Example Power".into()))
}

fn read(path: &Path) -> Result<Read, RunError> {
    let (region, taxonomy) = (Region::world(), Taxonomy::parse("category = []", &[]).unwrap());
    let area_rules = AreaRules::parse("area = []").unwrap();
    let connectors = ConnectorCodes::parse(include_str!("../../../../pipelines/connectors.toml")).unwrap();
    let demand =
        Demand { region: &region, taxonomy: &taxonomy, layers: &[], area_rules: &area_rules, connectors: &connectors };
    let (mut features, mut rejects) = (Vec::new(), Vec::new());
    let extracted = source(path).read(&demand, &Silent, &mut |mut chunk| {
        assert!(chunk.features.len() <= crate::pipeline::ports::Chunk::MAX);
        features.append(&mut chunk.features);
        rejects.append(&mut chunk.rejects);
        Ok(())
    })?;
    let accounted = features.len() as u64 + rejects.len() as u64 + extracted.left_out.total();
    assert_eq!(extracted.read, accounted, "read = features + rejects + left out");
    Ok(Read { features, rejects, extracted })
}

/// Has `look` at a file with these bytes.
fn with_file<T>(bytes: &[u8], look: impl Fn(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.json");
    std::fs::write(&path, bytes).unwrap();
    look(&path)
}

fn read_text(text: &str) -> Result<Read, RunError> {
    with_file(text.as_bytes(), read)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The message of an error and of its cause, without the folder.
fn chain(error: &RunError) -> String {
    let cause = std::error::Error::source(error).expect("an input error has a cause").to_string();
    let at = cause.find("/feed.json").expect("the file is named");
    let from = cause[..at].rfind(' ').map_or(0, |blank| blank + 1);
    format!("{}{}", &cause[..from], &cause[at + 1..])
}

/// Without what differs between versions: the party in the id, and the raw record.
fn comparable(features: Vec<Feature>) -> Vec<Feature> {
    features.into_iter().map(|feature| Feature { raw: "".into(), line: None, ..feature }).collect()
}

#[test]
fn a_location_is_the_same_in_every_version_and_shape() {
    for (version, location, party) in
        [("2.1.1", v2_1_1(), None), ("2.2", v2_2(), Some("NL*EXA")), ("2.3", v2_3(), Some("NL*EXA"))]
    {
        for location in [camel_case(&location), location] {
            let line = location.to_string();
            let shapes = [
                format!("[{location}]"),
                format!("[\n{location:#}\n]\n"),
                format!(r#"{{"data": [{location}], "status_code": 1000, "timestamp": "2026-01-05T00:00:00Z"}}"#),
                format!(r#"{{"status_code": 1000, "data": {location}}}"#),
                format!(r#"{{"locations": [{location}]}}"#),
                format!("{location:#}"),
                format!("{line}\n"),
                format!(r#"[{{"data": [{location}]}}, {{"data": [], "status_code": 1000}}]"#),
                format!("\u{feff}[{location}]"),
            ];
            for shape in shapes {
                for bytes in [shape.as_bytes().to_vec(), gzip(shape.as_bytes())] {
                    let read = with_file(&bytes, read).unwrap();
                    assert_eq!((&read.rejects, read.extracted.read), (&vec![], 1), "{version}: {shape}");
                    assert_eq!(comparable(read.features), [expected(party)], "{version}: {shape}");
                    let answered = shape.contains("2026-01-05").then_some("2026-01-05T00:00:00Z");
                    let vintage = answered.unwrap_or("2026-01-04T00:00:00Z").parse().unwrap();
                    assert_eq!(read.extracted.vintage, Some(vintage), "{version}: {shape}");
                    assert_eq!(read.extracted.attribution.as_deref(), Some("Example Power"));
                    assert_eq!(read.extracted.inputs[0].size_bytes, bytes.len() as u64);
                }
            }
            let checked = with_file(format!("[{location}]").as_bytes(), |path| source(path).check().unwrap());
            assert!(checked.ends_with(&format!("OCPI {version}, array")), "{checked}");
        }
    }
}

#[test]
fn what_changes_with_every_car_changes_nothing_but_the_time() {
    let at = |status: &str, time: &str| {
        let text = json!([v2_2()]).to_string();
        let later = text.replace("2026-01-04T00:00:00Z", time).replace("AVAILABLE", status);
        read_text(&later).unwrap().features.remove(0)
    };
    let still = at("AVAILABLE", "2026-01-04T00:00:00Z");
    assert!(!still.raw.contains("AVAILABLE") && !still.raw.contains("last_updated"), "{}", still.raw);
    assert!(still.raw.contains("\"status\":\"REMOVED\""), "{}", still.raw);
    for status in ["CHARGING", "charging ", "BLOCKED", "RESERVED"] {
        let moved = at(status, "2026-02-01T12:00:00Z");
        assert_ne!(moved.update_time, still.update_time);
        assert_eq!(Feature { update_time: still.update_time, ..moved }, still, "{status}");
    }
    assert_ne!(at("OUTOFORDER", "2026-01-04T00:00:00Z").tags, still.tags);
}

#[test]
fn what_cannot_be_used_is_accounted_for() {
    let at = |id: Value, more: Value| {
        let mut location = json!({"id": id, "country": "NLD", "coordinates": {"latitude": "52,5", "longitude": 5}});
        location.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        location.to_string()
    };
    let here = json!({});
    let elements = [
        at(json!("1"), json!({"publish": false})),
        at(json!("1"), json!({"publish": "no"})),
        at(json!("1"), json!({"publish": []})),
        at(
            json!(7),
            json!({"publish": 1, "coordinates": null, "evses": [
                {"uid": "a", "coordinates": {"latitude": "52.5", "longitude": "5.1"}}
            ]}),
        ),
        at(json!("1"), here.clone()),
        at(json!(1), here.clone()),
        at(json!("1"), json!({"country_code": "NL", "party_id": "B"})),
        at(json!("1"), json!({"country_code": "nl", "party_id": "b"})),
        at(json!("1"), json!({"countryCode": "BE", "partyId": "B"})),
        at(json!(2), json!({"coordinates": null})),
        at(json!(2), json!({"coordinates": {"latitude": "", "longitude": ""}})),
        at(json!(2), json!({"coordinates": {"latitude": "north", "longitude": 5}})),
        at(json!(2), json!({"coordinates": {"latitude": 91, "longitude": 1e5}})),
        at(json!(""), here.clone()),
        at(json!({}), here),
        "{\"id\": 9, oops}".to_owned(),
        "null".to_owned(),
        "{\"data\": 5}".to_owned(),
    ];
    let read = read_text(&format!("[{}]", elements.join(",\n"))).unwrap();
    let kept: Vec<_> = read.features.iter().map(|feature| feature.id.as_str()).collect();
    assert_eq!(kept, ["7", "1", "NL*B*1", "BE*B*1", "2"]);
    assert_eq!(read.features[0].other_positions, [geo::Point::new(5.1, 52.5)], "where its part is");
    assert!(read.features.iter().all(|feature| feature.license.as_deref() == Some("CC0-1.0")));
    assert_eq!(read.extracted.left_out.0.into_iter().collect::<Vec<_>>(), [(LeftOutRule::NotLive, 3)]);
    let rejects: Vec<_> =
        read.rejects.iter().map(|r| (r.record_id.as_str(), r.code, r.position, r.message.as_str())).collect();
    let here = Some((5.0, 52.5));
    assert_eq!(
        rejects,
        [
            ("1", RejectCode::RepeatedId, here, "an earlier location of the same feed has the id 1"),
            ("NL*B*1", RejectCode::RepeatedId, here, "an earlier location of the same feed has the id NL*B*1"),
            ("2", RejectCode::NoPosition, None, "it has no `coordinates` with longitude and latitude"),
            ("2", RejectCode::NoPosition, None, "its `coordinates` are blank"),
            ("2", RejectCode::Malformed, None, "its longitude 5 and latitude \"north\" are not both numbers"),
            ("element 14", RejectCode::Malformed, None, "it has no `id` that is a text or a number"),
            ("element 15", RejectCode::Malformed, None, "it has no `id` that is a text or a number"),
            (
                "element 16",
                RejectCode::Malformed,
                None,
                "it is not valid JSON: key must be a string at line 1 column 11"
            ),
            ("element 17", RejectCode::Malformed, None, "it is no JSON object"),
            ("element 18", RejectCode::Malformed, None, "its `data` is neither a location nor a list"),
        ]
    );

    let lines = format!("{}\n\n{}\n", at(json!(1), json!({})), at(json!(1), json!({})));
    let read = read_text(&lines).unwrap();
    assert_eq!((read.features[0].line, read.rejects[0].line), (Some(1), Some(3)));
}

#[test]
fn positions_of_evses_come_with_a_position_that_cannot_be_right() {
    let location = json!({"id": "v", "country": "ROU", "coordinates": {"latitude": 47.7, "longitude": 47.7},
        "evses": [{"uid": "1", "coordinates": {"latitude": 47.7, "longitude": 26.6}},
                  {"uid": "2", "coordinates": {"latitude": "x", "longitude": 26.6}}]});
    let read = read_text(&json!([location]).to_string()).unwrap();
    assert_eq!(read.features[0].other_positions, [geo::Point::new(26.6, 47.7)]);
    let lost = r#"{"latitude":"x","longitude":26.6}"#;
    assert_eq!(read.features[0].findings, [Finding::dropped(FindingRule::UnreadableValue, "evses.coordinates", lost)]);
}

#[test]
fn a_file_without_locations_says_why() {
    let refused =
        "feed.json holds no locations but the answer 2002 of the server: Not enough information; fetch it again";
    let none = "feed.json holds no OCPI location: not one record has an `id`";
    let cases = [
        (r#"{"status_code": 2002, "status_message": "Not enough information"}"#, refused),
        (r#"{"statusCode": "2002", "statusMessage": "Not enough information", "data": null}"#, refused),
        (r#"{"status_code": 2002, "status_message": "Not enough information", "data": []}"#, refused),
        (r#"[{"data": []}, {"status_code": 2002, "status_message": "Not enough information"}]"#, refused),
        (r#"{"error": "unauthorized"}"#, none),
        ("[1, 2]", none),
        (r#"{"type": "FeatureCollection", "features": []}"#, none),
        (r#"[{"id": "1"}"#, "feed.json is cut off after record 1; fetch it again"),
        ("<html>", "feed.json is not JSON: it begins with `<html>`"),
        ("", "feed.json is empty; fetch it again"),
    ];
    for (text, expected) in cases {
        assert_eq!(chain(&read_text(text).unwrap_err()), expected, "{text}");
    }
    for text in ["[]", r#"{"data": [], "status_code": 1000}"#, r#"{"status_code": 1000}"#] {
        let read = read_text(text).unwrap();
        assert_eq!((read.extracted.read, read.features.len()), (0, 0), "{text}");
    }
    let checks = [
        (r#"{"status_code": 2002, "status_message": "Not enough information"}"#, refused),
        (r#"{"error": "unauthorized"}"#, none),
        ("", "feed.json is empty; fetch it again"),
    ];
    for (text, expected) in checks {
        let error = with_file(text.as_bytes(), |path| source(path).check().unwrap_err());
        assert_eq!(chain(&error), expected, "{text}");
    }
}

#[test]
fn batches_and_threads_leave_no_trace() {
    let location = |id: u32| {
        let place = json!({"latitude": 52.1, "longitude": 5.2});
        json!({"id": id % 4200, "name": "Example", "coordinates": place, "evses": [{"uid": id, "status": "AVAILABLE"}]})
    };
    let feed = json!((0..4300).map(location).collect::<Vec<_>>()).to_string();
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| read_text(&feed).unwrap())
    };
    let read = with_threads(1);
    assert_eq!((read.features.len(), read.rejects.len()), (4200, 100));
    assert!(read == with_threads(4));
    let pages = format!(r#"[{{"data": {feed}}}]"#);
    let paged = read_text(&pages).unwrap();
    assert!(read.features == paged.features && read.rejects == paged.rejects);
}
