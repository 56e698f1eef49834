//! Whole dumps, read through the port.

mod equal;
mod real;
mod records;

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use self::records::{compact, expected, feature, mongo, verbose};
use super::*;
use crate::domain::{
    AreaRules, ConnectorCodes, ConnectorType, Feature, Finding, FindingRule, LeftOutRule, Region, Reject, RejectCode,
    Taxonomy,
};

/// Counts bytes and keeps notes.
#[derive(Default)]
struct Watch {
    stage: Mutex<Option<(String, Option<u64>)>>,
    bytes: AtomicU64,
    notes: Mutex<Vec<String>>,
}

impl Observer for Watch {
    fn stage(&self, name: &str, _: Unit, total: Option<u64>) {
        *self.stage.lock().unwrap() = Some((name.to_owned(), total));
    }
    fn advance(&self, amount: u64) {
        self.bytes.fetch_add(amount, Ordering::Relaxed);
    }
    fn note(&self, message: &str) {
        self.notes.lock().unwrap().push(message.to_owned());
    }
}

#[derive(Debug, PartialEq)]
struct Read {
    features: Vec<Feature>,
    rejects: Vec<Reject>,
    extracted: Extracted,
}

fn read_with(path: &Path, reference: Option<&Path>, watch: &Watch) -> Result<Read, RunError> {
    let source = OpenChargeMap::new("ocm".into(), path.to_owned(), reference.map(Path::to_owned));
    let (region, taxonomy) = (Region::world(), Taxonomy::parse("category = []", &[]).unwrap());
    let area_rules = AreaRules::parse("area = []").unwrap();
    let codes = ConnectorCodes::parse(include_str!("../../../../pipelines/connectors.toml")).unwrap();
    let demand =
        Demand { region: &region, taxonomy: &taxonomy, layers: &[], area_rules: &area_rules, connectors: &codes };
    let (mut features, mut rejects) = (Vec::new(), Vec::new());
    let extracted = source.read(&demand, watch, &mut |mut chunk| {
        features.append(&mut chunk.features);
        rejects.append(&mut chunk.rejects);
        Ok(())
    })?;
    let accounted = features.len() as u64 + rejects.len() as u64 + extracted.left_out.total();
    assert_eq!(extracted.read, accounted, "read = features + rejects + left out");
    Ok(Read { features, rejects, extracted })
}

fn read(path: &Path) -> Result<Read, RunError> {
    read_with(path, None, &Watch::default())
}

/// Reads a file with these bytes.
fn read_bytes(bytes: &[u8]) -> Result<Read, RunError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

/// The message of an error and of its cause.
fn chain(error: &RunError) -> String {
    format!("{error}: {}", std::error::Error::source(error).expect("an input error has a cause"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lines(records: &[Value]) -> String {
    records.iter().flat_map(|record| [record.to_string(), "\n".to_owned()]).collect()
}

#[test]
fn every_shape_gives_the_same_features() {
    let records = [compact(), verbose(), mongo()];
    let array = serde_json::to_string(&records).unwrap();
    let pretty = serde_json::to_string_pretty(&records).unwrap();
    let objects: String = records.iter().map(|record| serde_json::to_string_pretty(record).unwrap() + "\n").collect();
    for text in [array, pretty, lines(&records), objects] {
        for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
            let read = read_bytes(&bytes).unwrap();
            let has_lines = text.starts_with("{\"");
            let with_line = |(line, feature)| Feature { line: has_lines.then_some(line), ..feature };
            assert_eq!(read.features, (1..).zip(expected()).map(with_line).collect::<Vec<_>>(), "{text}");
            assert_eq!(read.rejects, []);
            assert_eq!(read.extracted.read, 3);
            assert_eq!(read.extracted.vintage, Some("2026-01-02T03:04:05Z".parse().unwrap()));
            let attribution = "Open Charge Map contributors; Registry of Examples";
            assert_eq!(read.extracted.attribution.as_deref(), Some(attribution));
            assert_eq!(read.extracted.inputs[0].name, "dump.json");
            assert_eq!(read.extracted.inputs[0].size_bytes, bytes.len() as u64);
        }
    }
}

#[test]
fn a_folder_is_read_file_by_file_in_the_order_of_paths() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("export");
    std::fs::create_dir_all(root.join("LI/new")).unwrap();
    std::fs::write(root.join("LI/OCM-1.json"), serde_json::to_string_pretty(&compact()).unwrap()).unwrap();
    std::fs::write(root.join("LI/new/OCM-2.json.gz"), gzip(verbose().to_string().as_bytes())).unwrap();
    std::fs::write(root.join("MC.ndjson"), lines(&[mongo(), json!({"ID": "x"}), compact()])).unwrap();
    let watch = Watch::default();
    let read = read_with(&root, None, &watch).unwrap();
    let on_line_1 = |feature: Feature| Feature { line: (feature.id.as_str() != "700001").then_some(1), ..feature };
    assert_eq!(read.features, expected().into_iter().map(on_line_1).collect::<Vec<_>>());
    let rejects: Vec<_> = read.rejects.iter().map(|reject| (reject.record_id.as_str(), reject.code)).collect();
    assert_eq!(rejects, [("MC.ndjson line 2", RejectCode::Malformed), ("700001", RejectCode::RepeatedId)]);
    assert_eq!(read.extracted.inputs.len(), 1);
    assert_eq!(read.extracted.inputs[0].name, "export");
    let total = read.extracted.inputs[0].size_bytes;
    assert_eq!(*watch.stage.lock().unwrap(), Some(("extract ocm".to_owned(), Some(total))));
    assert_eq!(watch.bytes.load(Ordering::Relaxed), total);

    std::fs::write(root.join("LI/OCM-0.json"), "{\n \"ID\": 1,").unwrap();
    let error = chain(&super::tests::read(&root).unwrap_err());
    assert!(error.ends_with("export/LI/OCM-0.json is cut off after record 0; fetch it again"), "{error}");
}

#[test]
fn withdrawn_broken_and_repeated_records_are_accounted_for() {
    let at = |id: u64, more: Value| {
        let mut record = json!({"ID": id, "AddressInfo": {"Latitude": "47.5", "Longitude": 9}});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record.to_string()
    };
    let elements = [
        at(1, json!({"SubmissionStatusTypeID": 1000})),
        at(1, json!({"SubmissionStatusTypeID": 100, "DateCreated": "2020-01-01T00:00:00"})),
        at(1, json!({"SubmissionStatusTypeID": 200, "DateCreated": "2030-01-01T00:00:00"})),
        at(2, json!({"SubmissionStatus": {"IsLive": false}})),
        at(3, json!({"SubmissionStatus": {"ID": 1001}})),
        at(4, json!({"StatusTypeID": 210})),
        at(5, json!({"StatusType": {"ID": 210}})),
        at(6, json!({"StatusTypeID": 200})),
        at(7, json!({"AddressInfo": {"Latitude": 47.5}})),
        at(8, json!({"AddressInfo": null, "SubmissionStatusTypeID": 250})),
        at(0, json!({})),
        "{\"ID\": 9, oops}".to_owned(),
        "null".to_owned(),
        "{\"ID\": \"\u{1}\"}".to_owned(),
        at(
            10,
            json!({"ID": "10", "AddressInfo": {"Latitude": 91, "Longitude": -200.5}, "Connections": "none", "OperatorID": []}),
        ),
    ];
    let read = read_bytes(format!("[{}]", elements.join(",\n")).as_bytes()).unwrap();
    let kept: Vec<_> = read.features.iter().map(|feature| feature.id.as_str()).collect();
    assert_eq!(kept, ["1", "6", "10"]);
    let unreadable = |field: &'static str, told: &str| Finding::dropped(FindingRule::UnreadableValue, field, told);
    let expected = Feature {
        raw: read.features[2].raw.clone(),
        findings: vec![unreadable("Connections", "none"), unreadable("OperatorID", "[]")],
        ..feature("10", -200.5, 91.0, &[])
    };
    assert_eq!(read.features[2], expected);
    assert_eq!(read.extracted.left_out.0.into_iter().collect::<Vec<_>>(), [(LeftOutRule::NotLive, 6)]);
    assert_eq!(read.extracted.vintage, Some("2020-01-01T00:00:00Z".parse().unwrap()));
    let rejects: Vec<_> =
        read.rejects.iter().map(|r| (r.record_id.as_str(), r.code, r.position, r.message.as_str())).collect();
    assert_eq!(
        rejects,
        [
            ("1", RejectCode::RepeatedId, Some((9.0, 47.5)), "an earlier record of the same dump has the id 1"),
            ("7", RejectCode::NoPosition, None, "it has no `Longitude` and `Latitude` that are numbers"),
            ("element 11", RejectCode::Malformed, None, "its `ID` is 0, which is no id"),
            (
                "element 12",
                RejectCode::Malformed,
                None,
                "it is not valid JSON: key must be a string at line 1 column 11"
            ),
            ("element 13", RejectCode::Malformed, None, "it is no JSON object"),
            (
                "element 14",
                RejectCode::Malformed,
                None,
                "it is not valid JSON: control character (\\u0000-\\u001F) found while parsing a string at line 1 column 9"
            ),
        ]
    );
}

#[test]
fn a_dump_cut_at_any_byte_is_never_silently_shorter() {
    let small = |id: u64| json!({"ID": id, "AddressInfo": {"Title": "ä\"}]\\", "Latitude": 4.5, "Longitude": 9}, "Connections": [{}]});
    let records = [small(1), small(2), small(3)];
    let array = serde_json::to_string_pretty(&records).unwrap() + "\n";
    let single = serde_json::to_string_pretty(&small(1)).unwrap() + "\n";
    let json_lines = lines(&records);
    let dumps = [
        ("array", array.clone().into_bytes()),
        ("array, gzip", gzip(array.as_bytes())),
        ("single record", single.clone().into_bytes()),
        ("JSON Lines", json_lines.clone().into_bytes()),
        ("JSON Lines, gzip", gzip(json_lines.as_bytes())),
    ];
    for (name, bytes) in dumps {
        let whole = read_bytes(&bytes).unwrap();
        for end in 0..bytes.len() {
            // Only a file without gzip whose last line is whole cannot be told from a shorter dump.
            let is_between_lines = name == "JSON Lines" && (bytes[end] == b'\n' || end > 0 && bytes[end - 1] == b'\n');
            match read_bytes(&bytes[..end]) {
                Err(error) => assert_eq!(error.exit_code(), 3, "{name} cut at {end}: {error}"),
                Ok(read) if is_between_lines => {
                    let kept = read.features.len();
                    assert_eq!(read.rejects, [], "{name} cut at {end}");
                    assert_eq!(read.features, whole.features[..kept], "{name} cut at {end}");
                }
                Ok(read) => {
                    assert!(bytes[end..].trim_ascii().is_empty(), "{name} cut at {end} was read");
                    assert_eq!(read.features, whole.features, "{name} cut at {end}");
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_is_an_error_or_a_reject_or_another_value_and_never_a_panic() {
    let record = |id: u64| json!({"ID": id, "AddressInfo": {"Title": "ä", "Latitude": 4.5, "Longitude": 9}});
    for text in [json!([record(1), record(2)]).to_string(), lines(&[record(1), record(2)])] {
        for at in 0..text.len() {
            for byte in [b'"', b'{', b'}', b'\\', b'\n', 0, 0xff] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                // Whatever comes out, `read_bytes` has checked that every record is accounted for.
                if let Err(error) = read_bytes(&bytes) {
                    assert_eq!(error.exit_code(), 3, "{byte} at {at}");
                }
            }
        }
    }
}

#[test]
fn inputs_that_cannot_be_trusted_are_errors_that_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let reference = json!({"Operators": [], "Countries": []}).to_string();
    let cases = [
        (folder.path().join("none.json"), "there is no file or folder "),
        (folder.path().join("empty"), "holds no file ending in .json, .ndjson, .jsonl, .geojson or .csv, gzip or not"),
        (write("nothing.json", b""), "nothing.json is empty; fetch it again"),
        (write("nothing.json.gz", &gzip(b"")), "nothing.json.gz is empty; fetch it again"),
        (write("page.json", b"<!DOCTYPE html>"), "page.json is not JSON: it begins with `<!DOCTYPE html>`"),
        (write("text.json", b"[{\"ID\": 1}, {\"ID"), "text.json is cut off after record 1; fetch it again"),
        (
            write("reference.json", reference.as_bytes()),
            "reference.json holds no Open Charge Map record: not one has a number as its `ID`",
        ),
    ];
    for (path, message) in cases {
        let error = read(&path).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let error = chain(&error);
        assert!(error.starts_with("input `ocm` cannot be used: ") && error.contains(message), "{error}");
    }

    let dump = write("dump.json", compact().to_string().as_bytes());
    let cases = [
        (folder.path().join("none.json"), "there is no file or folder "),
        (write("cut.json", &reference.as_bytes()[..9]), "cut.json is not JSON"),
        (dump.clone(), "dump.json is not reference data of Open Charge Map"),
    ];
    for (reference, message) in cases {
        let error = chain(&read_with(&dump, Some(&reference), &Watch::default()).unwrap_err());
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn reference_data_gives_names_and_licences_to_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (dump, reference) = (folder.path().join("dump.json"), folder.path().join("reference.json"));
    let mut record = compact();
    record["Connections"][0]["ConnectionTypeID"] = json!(2000);
    record["Connections"][1]["ConnectionTypeID"] = json!(2001);
    std::fs::write(&dump, json!([record]).to_string()).unwrap();
    let data = json!({
        "operators": [{"id": 9001, "title": "Example Charging"}], "dataProviders": [{"id": 1, "title": "Us", "license": "CC BY"}],
        "connectionTypes": [{"id": 2000, "title": "Megawatt"}]
    });
    std::fs::write(&reference, data.to_string()).unwrap();
    let watch = Watch::default();
    let read = read_with(&dump, Some(&reference), &watch).unwrap();
    assert_eq!(read.features[0].tags.get("operator"), Some("Example Charging"));
    assert_eq!(read.features[0].license.as_deref(), Some("CC BY"));
    assert_eq!(read.extracted.attribution.as_deref(), Some("Open Charge Map contributors; Us"));
    let inputs: Vec<_> = read.extracted.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["dump.json", "reference.json"]);
    let note = "ocm: connectors of types that are not known: 1 of type 2000 (Megawatt), 1 of type 2001";
    assert_eq!(*watch.notes.lock().unwrap(), [note]);
}

#[test]
fn a_look_at_the_beginning_tells_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    std::fs::write(many.join("1.json"), serde_json::to_string_pretty(&compact()).unwrap()).unwrap();
    std::fs::write(many.join("2.json"), "[]").unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let cases = [
        (write("a.json", format!("[{},", compact())), "a.json, 986 bytes, compact export"),
        (write("b.json", json!([verbose()]).to_string()), "b.json, 1 kB, API answer"),
        (write("c.json", lines(&[mongo()])), "c.json, 383 bytes, JSON Lines"),
        (write("d.json", "[]".to_owned()), "d.json, 2 bytes, no records"),
        (many, "many, 1 kB in 2 files, compact export"),
    ];
    for (path, line) in cases {
        assert_eq!(OpenChargeMap::new("ocm".into(), path, None).check().unwrap(), line);
    }
    let broken = write("e.json", "[1, 2]".to_owned());
    let error = OpenChargeMap::new("ocm".into(), broken, None).check().unwrap_err();
    assert!(chain(&error).contains("holds no Open Charge Map record"), "{error}");
}
