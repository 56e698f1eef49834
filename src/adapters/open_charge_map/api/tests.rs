//! A small Open Charge Map, and mirrors of it that do not know every parameter.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::adapters::io::http_tests::{Asked, answer, answer_with, serve_asked};

const KEY: &str = "k3y-of-ours";

/// Remembers notes.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

/// What a server holds, and how it behaves.
#[derive(Clone)]
struct Map {
    /// Longitude, latitude and date of the last update, by id.
    stations: BTreeMap<i64, (f64, f64, String)>,
    /// Most records that it gives, whatever it is asked for.
    cap: usize,
    knows_ids: bool,
    knows_boxes: bool,
    /// After so many more requests it is of no use; then the count is gone.
    fails_after: Option<u32>,
    clock: &'static str,
}

impl Map {
    /// This many stations, scattered over the world and crowded in one town.
    fn new(count: i64) -> Self {
        let position = |id: i64| match id % 3 {
            0 => (9.5 + (id % 97) as f64 / 1000.0, 47.1 + (id % 89) as f64 / 1000.0),
            _ => ((id * 37 % 3600) as f64 / 10.0 - 180.0, (id * 101 % 1800) as f64 / 10.0 - 90.0),
        };
        let station = |id: i64| {
            let (lon, lat) = position(id);
            (id * 10, (lon, lat, format!("2026-06-{:02}T{:02}:00:00Z", id % 28 + 1, id % 24)))
        };
        Self {
            stations: (1..=count).map(station).collect(),
            cap: usize::MAX,
            knows_ids: true,
            knows_boxes: true,
            fails_after: None,
            clock: "Wed, 01 Jul 2026 00:00:00 GMT",
        }
    }

    fn answer(&mut self, asked: &Asked) -> Vec<u8> {
        match &mut self.fails_after {
            Some(0) => return answer("500 Oops", b""),
            Some(left) => *left -= 1,
            None => {}
        }
        if asked.header("x-api-key") != Some(KEY) {
            return answer("403 Forbidden", b"");
        }
        if asked.path.starts_with("/v3/referencedata?") {
            return answer("200 OK", br#"{"Operators": []}"#);
        }
        assert!(asked.path.starts_with("/v3/poi?"), "{}", asked.path);
        let number = |name| asked.query(name).and_then(|text| text.parse::<i64>().ok());
        let after = number("greaterthanid").filter(|_| self.knows_ids).unwrap_or(0);
        let limit = self.cap.min(number("maxresults").unwrap() as usize);
        let since = asked.query("modifiedsince").unwrap_or("");
        let corners: Option<Vec<f64>> = asked
            .query("boundingbox")
            .filter(|_| self.knows_boxes)
            .map(|corners| corners.split(',').map(|number| number.trim_matches(['(', ')']).parse().unwrap()).collect());
        let inside = |lon: f64, lat: f64| match corners.as_deref() {
            Some([south, west, north, east]) => (*south..=*north).contains(&lat) && (*west..=*east).contains(&lon),
            _ => true,
        };
        let found =
            self.stations.range(after + 1..).filter(|(_, (lon, lat, at))| inside(*lon, *lat) && at.as_str() >= since);
        let records: Vec<Value> = found.take(limit).map(|(id, station)| record(*id, station)).collect();
        let body = json!(records).to_string();
        let length = body.len().to_string();
        answer_with("200 OK", &[("Date", self.clock), ("Content-Length", &length)], body.as_bytes())
    }
}

fn record(id: i64, (lon, lat, at): &(f64, f64, String)) -> Value {
    json!({ "ID": id, "AddressInfo": { "Latitude": lat, "Longitude": lon }, "DateLastStatusUpdate": at, "SubmissionStatusTypeID": 200 })
}

/// A folder and a server.
struct Night {
    folder: tempfile::TempDir,
    url: String,
    map: Arc<Mutex<Map>>,
    requests: Arc<Mutex<Vec<String>>>,
    notes: Notes,
}

impl Night {
    fn new(map: Map) -> Self {
        let map = Arc::new(Mutex::new(map));
        let served = Arc::clone(&map);
        let (url, requests) = serve_asked(move |asked| served.lock().unwrap().answer(asked));
        Self { folder: tempfile::tempdir().unwrap(), url: format!("{url}/v3/"), map, requests, notes: Notes::default() }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("ocm.json")
    }

    fn fetch(&self, full: bool) -> Result<String, String> {
        self.fetch_boxes(full, Vec::new())
    }

    fn fetch_boxes(&self, full: bool, boxes: Vec<[f64; 4]>) -> Result<String, String> {
        self.requests.lock().unwrap().clear();
        let http = Http::with_pauses(vec![Duration::from_millis(1)]);
        let api = OcmApi {
            http: &http,
            url: Some(&self.url),
            key: Some(KEY),
            country: None,
            boxes,
            page_size: 100,
            pace: Duration::ZERO,
            full,
            // The clock of this machine is not the server's.
            full_every_days: 100_000,
            input: &self.input(),
            reference: None,
            archive: Archive { source: "ocm", keep: 2, vintage_of: &|_| None },
        };
        api.fetch(&self.notes).map_err(|error| error.to_string())
    }

    /// Ids in the file, after it was checked that it holds the server's records as they are, one per line and sorted.
    fn stored(&self) -> Vec<i64> {
        let text = fs::read_to_string(self.input()).unwrap();
        let records: Vec<Value> = serde_json::from_str(&text).unwrap();
        let ids: Vec<i64> = records.iter().map(|record| record["ID"].as_i64().unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let lines = records.iter().map(Value::to_string).collect::<Vec<_>>().join(",\n");
        assert_eq!(text, format!("[\n{lines}\n]\n"));
        ids
    }

    fn all(&self) -> Vec<i64> {
        self.map.lock().unwrap().stations.keys().copied().collect()
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

#[test]
fn everything_is_found_whatever_the_server_knows() {
    type Case = (&'static str, fn(&mut Map), std::ops::Range<usize>);
    let cases: [Case; 6] = [
        ("ids", |_| {}, 7..8),
        ("ids, few at a time", |map| map.cap = 30, 19..20),
        ("boxes only", |map| map.knows_ids = false, 10..80),
        (
            "boxes only, few at a time, everything in one town",
            |map| {
                (map.knows_ids, map.cap) = (false, 20);
                map.stations.retain(|_, (lon, lat, _)| (9.4..9.7).contains(lon) && (47.0..47.3).contains(lat));
            },
            40..300,
        ),
        ("boxes only, few at a time", |map| (map.knows_ids, map.cap) = (false, 30), 40..200),
        (
            "neither, but everything at once",
            |map| (map.knows_ids, map.knows_boxes, map.stations) = (false, false, Map::new(60).stations),
            3..6,
        ),
    ];
    for (what, change, requests) in cases {
        let mut map = Map::new(500);
        change(&mut map);
        let night = Night::new(map);
        let told = night.fetch(false).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(night.stored(), night.all(), "{what}");
        assert!(requests.contains(&night.requests()), "{what}: {}", night.requests());
        assert_eq!(
            told,
            format!("fetched all {} stations ({} requests)", night.all().len(), night.requests()),
            "{what}"
        );
        let heads = night.requests.lock().unwrap();
        assert!(heads.iter().all(|head| head.contains("submissionstatustypeid=0") && head.contains("compact=true")));
    }
    let night = Night::new(Map { knows_ids: false, knows_boxes: false, ..Map::new(500) });
    let told = night.fetch(false).unwrap_err();
    assert!(
        told.contains("ignores both greaterthanid and boundingbox, so more than 100 records cannot be had"),
        "{told}"
    );
    assert!(!night.input().exists());
}

#[test]
fn only_the_boxes_of_the_region_are_asked_for() {
    for knows_ids in [true, false] {
        let night = Night::new(Map { knows_ids, ..Map::new(500) });
        night.fetch_boxes(false, vec![[9.4, 47.0, 9.6, 47.2], [170.0, -90.0, 180.0, 90.0]]).unwrap();
        let inside =
            |(lon, lat): (f64, f64)| (9.4..=9.6).contains(&lon) && (47.0..=47.2).contains(&lat) || lon >= 170.0;
        let map = night.map.lock().unwrap();
        let wanted: Vec<i64> = map.stations.iter().filter(|(_, s)| inside((s.0, s.1))).map(|(id, _)| *id).collect();
        drop(map);
        assert!(wanted.len() > 100 && night.stored() == wanted);
    }
}

#[test]
fn changes_are_merged_and_what_is_gone_is_seen_by_asking_for_everything() {
    let night = Night::new(Map::new(300));
    night.fetch(false).unwrap();
    let first = fs::read(night.input()).unwrap();
    {
        let mut map = night.map.lock().unwrap();
        map.stations.remove(&50);
        map.stations.insert(55, (1.0, 2.0, "2026-06-30T12:00:00Z".to_owned()));
        map.stations.get_mut(&70).unwrap().2 = "2026-06-30T13:00:00Z".to_owned();
        map.clock = "Thu, 02 Jul 2026 00:00:00 GMT";
    }
    let told = night.fetch(false).unwrap();
    let begin = "fetched what changed since 2026-06-28T23:50:00Z, 301 stations by now (3 requests): 1 are new, 1 changed; what ";
    // The newest of the first night is on the 28th, at whatever hour its id gives it.
    assert!(told.split_once("since ").unwrap().1.starts_with("2026-06-28T"), "{told}\n{begin}");
    assert!(told.contains(", 301 stations by now (3 requests): 1 are new, 1 changed; what "), "{told}");
    let mut expected = night.all();
    expected.push(50);
    expected.sort_unstable();
    assert_eq!(night.stored(), expected);
    let kept = PathBuf::from(told.rsplit_once(" is kept in ").unwrap().1);
    assert!(kept.starts_with(night.folder.path().join("archive/ocm")) && fs::read(kept).unwrap() == first);

    // Nothing new: nothing is replaced, and nothing archived.
    let told = night.fetch(false).unwrap();
    assert!(
        told.starts_with("fetched what changed since 2026-06-30T12:50:00Z") && told.ends_with(": 0 are new, 0 changed"),
        "{told}"
    );
    let told = night.fetch(true).unwrap();
    assert!(
        told.starts_with("fetched all 300 stations (5 requests): 0 are new, 0 changed, 1 are gone; what "),
        "{told}"
    );
    assert_eq!(night.stored(), night.all());

    // A date in the future does not hide what comes before it.
    night.map.lock().unwrap().stations.get_mut(&80).unwrap().2 = "2199-01-01T00:00:00Z".to_owned();
    night.fetch(false).unwrap();
    night.map.lock().unwrap().stations.insert(81, (1.0, 2.0, "2026-07-01T12:00:00Z".to_owned()));
    night.fetch(false).unwrap();
    assert!(night.stored().contains(&81));

    // A file that somebody else put there is no base for changes.
    fs::write(night.input(), "[]").unwrap();
    assert!(night.fetch(false).unwrap().starts_with("fetched all 301 stations"));

    // A server without anything is no reason to have nothing.
    night.map.lock().unwrap().stations.clear();
    let told = night.fetch(true).unwrap_err();
    assert!(told.contains("has no station at all where it had some before"), "{told}");
    assert_eq!(night.stored().len(), 301);
}

#[test]
fn a_crawl_goes_on_where_it_broke_off() {
    for (knows_ids, cap) in [(true, usize::MAX), (false, usize::MAX), (false, 30)] {
        let undisturbed = Night::new(Map { cap, knows_ids, ..Map::new(500) });
        undisturbed.fetch(false).unwrap();
        let requests = undisturbed.requests();
        for after in [0, 1, 3, requests as u32 - 1] {
            let mut map = Map { cap, knows_ids, ..Map::new(500) };
            // A crawl that is resumed must not be too old by the clock of this machine.
            map.clock = "no date";
            let night = Night::new(Map { fails_after: Some(after), ..map });
            let told = night.fetch(false).unwrap_err();
            assert!(told.contains("/v3/poi answers 500") && !night.input().exists(), "{told}");
            // The failed request was made twice.
            let before = night.requests() - 2;
            assert_eq!(before, after as usize);
            night.map.lock().unwrap().fails_after = None;
            let told = night.fetch(false).unwrap();
            assert_eq!(night.requests() + before, requests, "{knows_ids} {after}");
            assert_eq!(told.contains(" of them by an earlier call"), after > 0, "{told}");
            assert_eq!(fs::read(night.input()).unwrap(), fs::read(undisturbed.input()).unwrap());
            let files = fs::read_dir(night.folder.path()).unwrap().count();
            assert_eq!(files, 2, "the file and its record");
        }
    }
}

/// How a server of the table answers.
type Serve = Box<dyn Fn(&Asked) -> Vec<u8> + Send>;

#[test]
fn a_page_without_ids_or_with_one_twice_or_empty_by_mistake_loses_nothing() {
    let of_ids = |ids: &[i64]| {
        let records: Vec<Value> = ids.iter().map(|id| record(*id, &(9.5, 47.1, String::new()))).collect();
        answer("200 OK", json!(records).to_string().as_bytes())
    };
    let after = |asked: &Asked| asked.query("greaterthanid").map(str::to_owned);
    let repeated: Serve = Box::new(move |asked| match after(asked).as_deref() {
        Some("0") => of_ids(&[1, 2, 2, 3]),
        Some("3") => of_ids(&[4]),
        Some(_) => of_ids(&[]),
        None => panic!("no box is to be asked for"),
    });
    let empty: Serve = Box::new(move |asked| match (asked.before, after(asked).as_deref()) {
        (_, Some("0")) => of_ids(&[1, 2, 3]),
        (1, _) | (_, Some("4")) => of_ids(&[]),
        _ => of_ids(&[4]),
    });
    let nameless: Serve = Box::new(move |asked| match after(asked).as_deref() {
        Some("0") => of_ids(&[1]),
        Some(_) => answer("200 OK", br#"[{"ID": "x"}]"#),
        None => of_ids(&[2, 3, 4]),
    });
    for (serve, noted) in
        [(repeated, "1 records of "), (empty, ""), (nameless, "1 records of ")].map(|(serve, noted)| (serve, noted))
    {
        let (url, _) = serve_asked(serve);
        let night = Night { url: format!("{url}/v3"), ..Night::new(Map::new(1)) };
        night.fetch(false).unwrap();
        let records: Vec<Value> = serde_json::from_slice(&fs::read(night.input()).unwrap()).unwrap();
        assert_eq!(records.iter().map(|record| record["ID"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let notes = night.notes.0.lock().unwrap().concat();
        assert!(notes.starts_with(noted) && notes.is_empty() == noted.is_empty(), "{notes}");
    }
}

#[test]
fn reference_data_that_fail_do_not_hide_that_the_stations_are_new() {
    let night = Night::new(Map { fails_after: Some(3), ..Map::new(5) });
    let http = Http::with_pauses(Vec::new());
    let input = night.input();
    let reference = night.folder.path().join("reference.json");
    let archive = Archive { source: "ocm", keep: 2, vintage_of: &|_| None };
    let api = OcmApi {
        http: &http,
        url: Some(&night.url),
        key: Some(KEY),
        country: None,
        boxes: Vec::new(),
        page_size: 100,
        pace: Duration::ZERO,
        full: false,
        full_every_days: 9,
        input: &input,
        reference: Some(&reference),
        archive,
    };
    let told = api.fetch(&night.notes).unwrap_err().to_string();
    assert_eq!(told, "fetched all 5 stations; the stations are up to date, and the reference data are not");
    assert_eq!(night.stored(), night.all());
}

#[test]
fn odd_answers_are_told_without_the_key() {
    let long: &[u8] = b"[oops, an error that is long enough that nothing more than the first half of the key would be told of it, which is k3y-of-ours";
    let cases: [(&'static [u8], &str); 5] = [
        (long, "which is (key)`"),
        (
            br#"{"error": "bad key k3y-of-ours"}"#,
            "/poi answers no list of stations: `{\\\"error\\\": \\\"bad key (key)\\\"}`",
        ),
        (b"<html>Just a moment", "/poi answers no JSON: `<html>Just a moment`"),
        (b"[{\"ID\": 1}, {", "/poi answers no JSON: `[{\\\"ID\\\": 1}, {`"),
        (b"[{\"ID\": 1}, {\"ID\": \"x\"}, 5]", ""),
    ];
    for (body, says) in cases {
        let (url, _) = serve_asked(move |asked| {
            answer("200 OK", if asked.query("greaterthanid") == Some("0") { body } else { b"[]" })
        });
        let night = Night { url: format!("{url}/v3"), ..Night::new(Map::new(1)) };
        match night.fetch(false) {
            Err(told) => assert!(told.ends_with(says) && !says.is_empty(), "{told}\n{says}"),
            Ok(told) => {
                assert!(says.is_empty(), "{told}");
                assert_eq!(fs::read_to_string(night.input()).unwrap(), "[\n{\"ID\":1}\n]\n");
                assert!(night.notes.0.lock().unwrap()[0].starts_with("2 records of http"), "they are counted");
            }
        }
    }
}
