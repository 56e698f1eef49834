//! What the fetch keys of a pipeline file come to.

use super::super::{Overrides, Settings, SourceSettings};
use super::*;

/// Loads a pipeline with one source of this kind and these further keys.
fn load(kind: &str, keys: &str) -> Result<(SourceSettings, RetrySettings), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let table = if kind == "table" { "[source.table]\nid = \"id\"\n" } else { "" };
    std::fs::write(
        &path,
        format!("name = \"a\"\n[[source]]\nname = \"s\"\nkind = \"{kind}\"\npath = \"in\"\n{keys}\n{table}"),
    )
    .unwrap();
    let settings = Settings::load(&path, &Overrides::default()).map_err(|error| error.to_string())?;
    Ok((settings.sources[0].clone(), settings.retries))
}

fn fetch(kind: &str, keys: &str) -> FetchSettings {
    load(kind, keys).unwrap().0.fetch
}

#[test]
fn an_address_that_ends_like_a_file_is_one() {
    let cases = [
        ("https://api.openchargemap.io/v3", false),
        ("https://api.openchargemap.io", false),
        ("http://127.0.0.1:8080/", false),
        ("https://host/ocpi/2.2.1", false),
        ("https://host/ocpi/cpo/2.2/locations?limit=50", false),
        ("https://host/poi.json.gz", true),
        ("https://host/charging_point_locations_ocpi.json?key=1", true),
        ("https://host/dump.ndjson", true),
    ];
    for (url, expected) in cases {
        assert_eq!(names_a_file(url), expected, "{url}");
    }
}

#[test]
fn what_is_left_out_has_defaults() {
    let (source, retries) = load("osm_pbf", "").unwrap();
    let expected = FetchSettings {
        url: None,
        is_api: false,
        country: None,
        api_key: None,
        token: None,
        token_is_base64: None,
        checksum: Checksum::IfOffered,
        archive: 2,
        page_size: 1000,
        pace: Duration::from_secs(1),
        full_every_days: 7,
        notes: vec![],
    };
    assert_eq!(source.fetch, expected);
    assert_eq!(retries, RetrySettings { attempts: 5, first_pause: Duration::from_secs(1) });
}

#[test]
fn every_key_is_read() {
    let keys = "url = \"http://h/v3\"\ncountry = \"li\"\napi_key = \" k \"\npage_size = 50\nrequests_per_s = 4.0\n\
                full_every_days = 0\narchive = 0\nchecksum = \"sha256\"\n[fetch]\nattempts = 9\npause_ms = 5\n";
    let (source, retries) = load("open_charge_map", keys).unwrap();
    let expected = FetchSettings {
        url: Some(Secret::new("http://h/v3")),
        is_api: true,
        country: Some("LI".to_owned()),
        api_key: Some(Secret::new("k")),
        checksum: Checksum::Beside(Algorithm::Sha256),
        archive: 0,
        page_size: 50,
        pace: Duration::from_millis(250),
        full_every_days: 0,
        ..fetch("osm_pbf", "")
    };
    assert_eq!(source.fetch, expected);
    assert_eq!(retries, RetrySettings { attempts: 9, first_pause: Duration::from_millis(5) });
    for (encoding, expected) in [("auto", None), ("plain", Some(false)), ("base64", Some(true))] {
        assert_eq!(fetch("ocpi", &format!("token_encoding = \"{encoding}\"")).token_is_base64, expected);
    }
    assert_eq!(
        fetch("osm_pbf", "checksum = \"http://h/MD5SUMS\"").checksum,
        Checksum::At("http://h/MD5SUMS".to_owned())
    );
}

#[test]
fn an_address_is_a_file_or_an_api_by_its_name_unless_it_is_said() {
    let cases = [
        ("open_charge_map", "", false),
        ("open_charge_map", "country = \"LI\"", true),
        ("open_charge_map", "api_key = { env = \"POIMILL_NO_SUCH\" }", true),
        ("open_charge_map", "url = \"http://h/poi.json.gz\"\ncountry = \"LI\"", false),
        ("open_charge_map", "url = \"http://h/poi.php\"\napi = true", true),
        ("ocpi", "url = \"http://h/ocpi/2.2\"", true),
        ("ocpi", "url = \"http://h/ocpi.json\"", false),
        ("ocpi", "url = \"http://h/ocpi\"\napi = false", false),
        ("osm_pbf", "url = \"http://h/extract\"", false),
    ];
    for (kind, keys, expected) in cases {
        assert_eq!(fetch(kind, keys).is_api, expected, "{kind} {keys}");
    }
}

#[test]
fn a_variable_that_is_not_set_counts_as_left_out_and_is_said() {
    let settings =
        fetch("open_charge_map", "url = { env = \"POIMILL_NO_URL\" }\napi_key = { env = \"POIMILL_NO_SUCH\" }");
    assert_eq!((&settings.url, &settings.api_key), (&None, &None));
    let notes = [
        "POIMILL_NO_URL is not set, so `url` counts as left out",
        "POIMILL_NO_SUCH is not set, so `api_key` counts as left out",
    ];
    assert_eq!(settings.notes, notes);
    assert!(!format!("{:?}", fetch("osm_pbf", "checksum = \"http://u:t0p@h/x\"")).contains("t0p"));
    assert!(!format!("{:?}", fetch("ocpi", "token = \"t0p\"\nurl = \"http://u:t0p@h/x\"")).contains("t0p"));
}

#[test]
fn what_is_wrong_is_told_with_its_line_its_key_and_what_would_be_right() {
    let cases = [
        ("osm_pbf", "url = \"ftp://h/x\"", "line 6, key `source[0].url`: it must begin with http:// or https://"),
        (
            "osm_pbf",
            "country = \"LI\"",
            "line 6, key `source[0].country`: only a source of kind open_charge_map takes it",
        ),
        ("ocpi", "api_key = \"x\"", "line 6, key `source[0].api_key`: only a source of kind open_charge_map takes it"),
        ("open_charge_map", "token = \"x\"", "line 6, key `source[0].token`: only a source of kind ocpi takes it"),
        (
            "osm_pbf",
            "page_size = 5",
            "key `source[0].page_size`: only a source of kind open_charge_map or ocpi takes it",
        ),
        ("ocpi", "page_size = 0", "key `source[0].page_size`: it must be 1 to 100000"),
        ("ocpi", "requests_per_s = 0.0", "key `source[0].requests_per_s`: it must be 0.001 to 10000"),
        ("ocpi", "token_encoding = \"hex\"", "key `source[0].token_encoding`: `hex` is no encoding; use auto, plain"),
        ("open_charge_map", "country = \"LIE\"", "`LIE` is no country; use the two letters of ISO 3166-1"),
        (
            "osm_pbf",
            "url = \"https://u:pa/ss@h/x\"",
            "key `source[0].url`: it does not show where its host ends: a port",
        ),
        (
            "osm_pbf",
            "checksum = \"ftp://u:pass@h/x\"",
            "key `source[0].checksum`: it must begin with http:// or https://",
        ),
        ("osm_pbf", "changes = \"https://u:pa?ss@h/x\"", "key `source[0].changes`: it must be a folder, or a URL that"),
        (
            "ocpi",
            "url = \"http://h/a\"\n[[source]]\nname = \"t\"\nkind = \"ocpi\"\npath = \"./in\"\nurl = \"http://h/b\"",
            "key `source[1].path`: `s` is fetched to the same file; give each source its own",
        ),
        ("osm_pbf", "checksum = \"crc\"", "`crc` is no checksum; use auto, none, md5, sha256, or the address"),
        (
            "osm_pbf",
            "archive = -1",
            "key `source[0].archive`: invalid value: integer `-1`, expected a whole number that is not negative",
        ),
        ("osm_pbf", "chekcsum = \"md5\"", "key `source[0].chekcsum`: unknown key; did you mean `checksum`?"),
        ("osm_pbf", "[fetch]\nattempts = 0", "line 7, key `fetch.attempts`: it must be 1 to 100"),
        ("osm_pbf", "[fetch]\npause_ms = 600001", "line 7, key `fetch.pause_ms`: it must be 0 to 600000"),
        ("osm_pbf", "[fetch]\npause = 1", "line 7, key `fetch.pause`: unknown key; did you mean `pause_ms`?"),
    ];
    for (kind, keys, says) in cases {
        let told = load(kind, keys).unwrap_err();
        assert!(told.contains(says) && !told.contains("ss@h"), "{told}\n{says}");
    }
}
