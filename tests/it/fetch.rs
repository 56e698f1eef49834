//! `poimill fetch`: diffs come from a server once, and runs use them without it.

mod apis;
mod download;
mod secrets;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::demo::{Demo, Told, fixture};

/// What a server holds, by path.
type Files = BTreeMap<String, Vec<u8>>;

/// A server on this machine whose files a test may change, and the paths that it was asked for.
struct Server {
    url: String,
    files: Arc<Mutex<Files>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/town-updates", listener.local_addr().expect("an address"));
        let (files, asked) = (Arc::<Mutex<Files>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let server = Self { url, files: Arc::clone(&files), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
                let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else { continue };
                let path = path.trim_start_matches("/town-updates/").to_owned();
                let found = files.lock().expect("no test panics here").get(&path).cloned();
                asked.lock().expect("no test panics here").push(path);
                let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
                let body = found.unwrap_or_default();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                // A client that has gone is its own affair.
                stream.write_all(&[head.as_bytes(), &body].concat()).ok();
            }
        });
        server
    }

    /// Puts the diffs up to this number there: one a day, each with a charging station that is new.
    fn stand_at(&self, newest: u64) {
        let mut files = Files::new();
        for number in 1..=newest {
            let time = format!("2026-05-{number:02}T20:21:00Z");
            let state = format!("sequenceNumber={number}\ntimestamp={}\n", time.replace(':', "\\:")).into_bytes();
            let osc = format!(
                "<osmChange version='0.6'><create><node id='{}' version='1' timestamp='{time}' lat='54.5' \
                 lon='6.49{number}'><tag k='amenity' v='charging_station'/></node></create></osmChange>",
                900_000 + number
            );
            let mut diff = GzEncoder::new(Vec::new(), Compression::fast());
            diff.write_all(osc.as_bytes()).unwrap();
            files.insert(format!("000/000/{number:03}.osc.gz"), diff.finish().unwrap());
            files.insert(format!("000/000/{number:03}.state.txt"), state.clone());
            files.insert("state.txt".to_owned(), state);
        }
        *self.files.lock().unwrap() = files;
    }

    /// The diffs that were asked for since this was called before.
    fn diffs_asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().filter(|path| path.ends_with(".osc.gz")).collect()
    }
}

/// The demonstration with an extract of its own, of the evening of 1 May 2026, and changes on a server.
fn demo(url: &str) -> Demo {
    let demo = Demo::new();
    fs::copy(fixture("night-1/town.osm.pbf"), demo.path("town.osm.pbf")).unwrap();
    let shipped = shipped("town.osm.pbf");
    demo.edit(&format!("\"{shipped}\""), &format!("\"town.osm.pbf\"\nchanges = \"{url}\""));
    demo
}

/// A file of the first night, as the pipeline file of [`Demo::new`] names it.
fn shipped(file: &str) -> String {
    format!("{}/night-1/{file}", fixture("").display())
}

fn run(demo: &Demo) -> (Told, Value) {
    let told = demo.poimill("run demo.toml --store store --json");
    let report = serde_json::from_str(&told.out).unwrap_or_default();
    (told, report)
}

#[test]
fn what_was_fetched_is_used_without_the_server() {
    let server = Server::new();
    server.stand_at(4);
    let demo = demo(&server.url);
    let shipped = shipped("ocm.json");
    let ocm = format!("ocm: nothing to fetch: no `url` is set; {shipped} stays as it is\n");
    let size = |numbers: &[u64]| {
        let files = server.files.lock().unwrap();
        numbers.iter().map(|number| files[&format!("000/000/{number:03}.osc.gz")].len()).sum::<usize>()
    };

    let told = demo.poimill("fetch demo.toml");
    let at = |number: u64| {
        format!("town.osm.pbf.changes brings town.osm.pbf to number {number}, as of 2026-05-0{number}T20:21:00Z")
    };
    let fetched = format!("osm: fetched 3 diffs ({} bytes): {}\n{ocm}", size(&[2, 3, 4]), at(4));
    assert_eq!((told.code, told.out, told.err.as_str()), (0, fetched, ""));
    assert_eq!(server.diffs_asked(), [2, 3, 4].map(|n| format!("000/000/{n:03}.osc.gz")));

    // Again, when nothing is new, and when something is.
    let told = demo.poimill("fetch demo.toml");
    assert_eq!((told.code, told.out), (0, format!("osm: nothing new to fetch: {}\n{ocm}", at(4))));
    assert_eq!(server.diffs_asked(), [""; 0]);
    server.stand_at(5);
    let told = demo.poimill("fetch demo.toml");
    let fetched = format!("osm: fetched 1 diff ({} bytes) beside 3 that were there: {}\n{ocm}", size(&[5]), at(5));
    assert_eq!((told.code, told.out), (0, fetched));
    assert_eq!(server.diffs_asked(), ["000/000/005.osc.gz"]);

    // What the server holds by now does not matter to a run, nor that it is asked for nothing.
    server.files.lock().unwrap().clear();
    let (told, report) = run(&demo);
    assert_eq!((told.code, &report["vintage"]), (0, &"2026-05-05T20:21:00Z".into()), "{told:?}");
    assert_eq!(report["counts"]["places"], 100 + 4);
    assert!(server.asked.lock().unwrap().is_empty());
    let text = fs::read_to_string(demo.latest().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["sources"][0]["stated"]["replication_sequence"], "5", "{manifest:#}");

    // Without the folder the server is asked, and its trouble is told.
    fs::remove_dir_all(demo.path("town.osm.pbf.changes")).unwrap();
    let (told, _) = run(&demo);
    assert!(told.code == 3 && told.err.contains("/town-updates/state.txt is not there (404)"), "{told:?}");
}

#[test]
fn an_extract_that_is_as_new_as_its_server_runs_without_changes() {
    let server = Server::new();
    server.stand_at(1);
    let demo = demo(&server.url);
    let told = demo.poimill("fetch demo.toml");
    let nothing = "osm: nothing to fetch: the server has nothing newer than town.osm.pbf, which is at the state as of \
                   2026-05-01T20:21:00Z\n";
    assert!(told.code == 0 && told.out.starts_with(nothing), "{told:?}");
    server.files.lock().unwrap().clear();
    let (told, report) = run(&demo);
    assert_eq!((told.code, &report["counts"]["places"]), (0, &100.into()), "{told:?}");
}

#[test]
fn sources_without_a_server_are_named_and_what_is_missing_is_told() {
    let folder = Demo::new();
    let told = folder.poimill("fetch demo.toml");
    let none =
        "osm: nothing to fetch: set `url` to the address of an extract, or `changes` to that of a replication folder\n";
    assert!(told.code == 0 && told.out.starts_with(none), "{told:?}");

    let diffs = demo("diffs");
    let told = diffs.poimill("fetch demo.toml");
    assert!(
        told.code == 0 && told.out.starts_with("osm: nothing to fetch: its changes are what is in diffs\n"),
        "{told:?}"
    );

    // A server that has lost a diff, and an extract that is not there.
    let server = Server::new();
    server.stand_at(9);
    server.files.lock().unwrap().retain(|path, _| !path.contains("/006."));
    let gap = demo(&server.url);
    let told = gap.poimill("fetch demo.toml");
    assert!(told.code == 3 && told.err.contains("number 6 is missing in http://"), "{told:?}");
    fs::remove_file(gap.path("town.osm.pbf")).unwrap();
    let told = gap.poimill("fetch demo.toml");
    assert!(told.code == 3 && told.err.contains("there is no file town.osm.pbf"), "{told:?}");
    assert_eq!(gap.poimill("fetch absent.toml").code, 2);

    // What cannot be written is no fault of an input.
    server.stand_at(4);
    let full = demo(&server.url);
    full.write("town.osm.pbf.changes", b"a file, no folder");
    let told = full.poimill("fetch demo.toml");
    assert!(told.code == 1 && told.err.contains("cannot write town.osm.pbf.changes/000/000/002.osc.gz"), "{told:?}");
}
