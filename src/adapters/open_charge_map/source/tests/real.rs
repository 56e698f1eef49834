//! Real dumps and answers, where they are to be had.

use super::*;

/// The folder with real inputs, or `None`, said aloud, where it is absent.
fn shared_data(test: &str) -> Option<PathBuf> {
    let fallback = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("POIMILL_DATA").map_or_else(fallback, PathBuf::from).join("ocm");
    if !folder.is_dir() {
        // Not through `eprintln!`, which the test runner hides.
        writeln!(std::io::stderr(), "skipped: {test}: {} is absent", folder.display()).expect("stderr is open");
        return None;
    }
    Some(folder)
}

#[test]
fn the_liechtenstein_export_is_read_whole() {
    let Some(folder) = shared_data("the_liechtenstein_export_is_read_whole") else { return };
    let dump = folder.join("ocm-export-liechtenstein-2026.json");
    let reference = folder.join("CoreReferenceData-ocm-app.json");
    let read = read_with(&dump, Some(&reference), &Watch::default()).unwrap();
    assert_eq!(told(&read), "18 read, 18 kept, 1 found: title_is_address");
    assert_eq!(read.extracted.vintage, Some("2026-03-27T17:56:00Z".parse().unwrap()));
    let count = |test: &dyn Fn(&Feature) -> bool| read.features.iter().filter(|f| test(f)).count();
    assert_eq!(count(&|f| f.tags.get("addr:country") == Some("LI")), 18);
    assert_eq!(count(&|f| f.tags.get("operator:ocm").is_none()), 3);
    // Nine more are of operators younger than the reference data.
    assert_eq!(count(&|f| f.tags.get("operator").is_none()), 12);
    assert_eq!(count(&|f| f.license.is_some()), 18);
    assert_eq!(count(&|f| f.connectors.is_empty()), 1);
    assert_eq!(read.features.iter().map(|f| f.connectors.len()).sum::<usize>(), 24);
}

#[test]
fn the_dump_of_2020_is_read_whole() {
    let Some(folder) = shared_data("the_dump_of_2020_is_read_whole") else { return };
    let read = read(&folder.join("ocm-data-poi-20201120.ndjson.gz")).unwrap();
    // All counted in the file itself: 93 superseded, 92 no longer active, 29 delisted, 25 rejected, 2 duplicates.
    assert_eq!(told(&read), "5685 read, 5444 kept, 241 left out: not_live, 1954 found: title_is_address");
    assert_eq!(read.extracted.vintage, Some("2020-09-20T13:52:00Z".parse().unwrap()));
    assert_eq!(
        read.extracted.attribution.as_deref(),
        Some(
            "Open Charge Map contributors; CarStations.com; ESB eCars; NOBIL; UK National Charge Point Registry; afdc.energy.gov; Data © OpenStreetMap contributors, ODbL 1.0. http://www.openstreetmap.org/copyright"
        )
    );
    let count = |test: &dyn Fn(&Feature) -> bool| read.features.iter().filter(|f| test(f)).count();
    let tagged = |key: &str, value: &str| count(&|f| f.tags.get(key) == Some(value));
    assert_eq!(count(&|f| f.tags.get("attribution").is_some()), 1);
    assert_eq!(count(&|f| f.license.is_none()), 1849);
    assert_eq!(count(&|f| f.tags.get("operator").is_some()), 3128);
    assert_eq!(count(&|f| f.tags.get("addr:country").is_none()), 0);
    assert_eq!(count(&|f| f.connectors.is_empty()), 423);
    assert_eq!([tagged("operational_status", "operational"), tagged("operational_status", "planned")], [2159, 19]);
    assert_eq!(["yes", "customers", "permit", "private"].map(|access| tagged("access", access)), [3197, 145, 227, 40]);
    let connectors: Vec<_> = read.features.iter().flat_map(|f| &f.connectors).collect();
    assert_eq!(connectors.len(), 8099);
    let of = |kind| connectors.iter().filter(|connector| connector.kind == kind).count();
    assert_eq!([ConnectorType::Type1, ConnectorType::Ccs2].map(of), [3796, 69]);
}

/// What became of the records of a dump, in one line, with the findings by rule.
fn told(read: &Read) -> String {
    let mut parts = vec![format!("{} read", read.extracted.read), format!("{} kept", read.features.len())];
    parts.extend(read.extracted.left_out.0.iter().map(|(rule, records)| format!("{records} left out: {rule}")));
    let mut rejects = std::collections::BTreeMap::new();
    read.rejects.iter().for_each(|reject| *rejects.entry(reject.code.name()).or_insert(0) += 1);
    parts.extend(rejects.iter().map(|(code, records)| format!("{records} rejected: {code}")));
    let mut findings = std::collections::BTreeMap::new();
    let all = read.features.iter().flat_map(|feature| &feature.findings);
    all.for_each(|finding| *findings.entry(finding.rule).or_insert(0) += 1);
    parts.extend(findings.iter().map(|(rule, found)| format!("{found} found: {rule}")));
    parts.join(", ")
}

/// The JSON in a program's text: its array, without the commas that JSON does not have.
fn cut_out(program: &str) -> String {
    let array = &program[program.find("= [").expect("an array") + 2..=program.rfind(']').expect("its end")];
    let mut json = String::with_capacity(array.len());
    let mut in_text = false;
    let mut previous = ' ';
    for (at, c) in array.char_indices() {
        in_text ^= c == '"' && previous != '\\';
        let is_last = c == ',' && !in_text && array[at + 1..].trim_start().starts_with([']', '}']);
        if !is_last {
            json.push(c);
        }
        previous = c;
    }
    json
}

#[test]
fn api_answers_are_read_whole() {
    let Some(folder) = shared_data("api_answers_are_read_whole") else { return };
    let reference = folder.join("CoreReferenceData-ocm-app.json");
    let cases = [
        ("ocm-london-chargefinder2.js", "100 read, 100 kept, 77 found: title_is_address", 100),
        ("ocm-portland-chargestation.ts", "20 read, 20 kept, 3 found: title_is_address", 17),
    ];
    for (name, expected, licences) in cases {
        let program = std::fs::read_to_string(folder.join("api-samples").join(name)).unwrap();
        let dump = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        std::fs::write(dump.path(), cut_out(&program)).unwrap();
        let read = read_with(dump.path(), Some(&reference), &Watch::default()).unwrap();
        assert_eq!(told(&read), expected, "{name}");
        assert_eq!(read.features.iter().filter(|feature| feature.license.is_some()).count(), licences, "{name}");
    }
}
