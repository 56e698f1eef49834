//! Servers: which diffs are asked for, and what trouble makes of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::overlay::Overlay;
use super::super::remote::{Downloaded, Remote};
use super::super::replication::Since;
use super::super::{ChangesAt, download, kept_beside, read_overlay};
use super::{diff, error_told, node_ids, state, time};
use crate::adapters::io::http_tests::{answer, serve};
use crate::adapters::io::{Http, input_of_bytes};

/// What a server holds, by path.
type Files = BTreeMap<String, Vec<u8>>;

fn day(n: u64) -> String {
    format!("2021-08-{n:02}T20:21:00Z")
}

/// Numbers 3001 to `newest`, a day each.
fn series(newest: u64) -> Files {
    let mut files = Files::from([("/monaco-updates/state.txt".to_owned(), state(3000 + newest, &day(newest)))]);
    for n in 1..=newest {
        files.insert(format!("/monaco-updates/000/003/{n:03}.osc.gz"), diff(3000 + n));
        files.insert(format!("/monaco-updates/000/003/{n:03}.state.txt"), state(3000 + n, &day(n)));
    }
    files
}

/// A server with these files, and a client for it.
fn server(files: Files) -> (Remote, Arc<Mutex<Vec<String>>>) {
    let (url, requests) = serve(move |path, _| match files.get(path) {
        Some(bytes) => answer("200 OK", bytes),
        None => answer("404 Not Found", b""),
    });
    (Remote::new(Http::with_pauses(Vec::new()), &format!("{url}/monaco-updates")), requests)
}

/// Reads from a server with these files; `trouble` may answer in its own way. Returns the paths asked for as well.
fn read_from(
    files: Files,
    since: Since,
    trouble: impl Fn(&str, usize) -> Option<Vec<u8>> + Send + 'static,
) -> (Result<Overlay, String>, Vec<String>) {
    let (url, requests) = serve(move |path, before| {
        trouble(path, before).unwrap_or_else(|| match files.get(path) {
            Some(bytes) => answer("200 OK", bytes),
            None => answer("404 Not Found", b""),
        })
    });
    let http = Http::with_pauses(vec![Duration::from_millis(1); 3]);
    let read = Remote::new(http, &format!("{url}/monaco-updates/")).read(since);
    let read = read.map_err(|error| error_told(&error, std::path::Path::new(&url)));
    let read = read.map(|mut overlay| {
        overlay.notes.iter_mut().for_each(|note| *note = note.replace(&url, "DIR"));
        overlay
    });
    (read, asked(&requests))
}

fn asked(requests: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    let path = |head: &String| head.split(' ').nth(1).unwrap_or_default().replace("/monaco-updates/", "");
    requests.lock().unwrap().iter().map(path).collect()
}

fn read(files: Files, since: Since) -> (Result<Overlay, String>, Vec<String>) {
    read_from(files, since, |_, _| None)
}

fn since(sequence: Option<u64>, date: Option<&str>) -> Since {
    Since { sequence, time: date.map(time) }
}

#[test]
fn the_diffs_after_the_extract_are_asked_for_and_no_others() {
    let (overlay, asked) = read(series(5), since(Some(3003), Some(&day(3))));
    let overlay = overlay.unwrap();
    assert_eq!(node_ids(&overlay), [4, 5]);
    assert_eq!((overlay.sequence, overlay.vintage), (Some(3005), Some(time(&day(5)))));
    assert_eq!(overlay.inputs, [4, 5].map(|n| input_of_bytes(&format!("000/003/{n:03}.osc.gz"), &diff(3000 + n))));
    assert!(overlay.notes.is_empty(), "{:?}", overlay.notes);
    // The state of the extract's own number tells whether it is of this series.
    assert_eq!(asked, ["state.txt", "000/003/003.state.txt", "000/003/004.osc.gz", "000/003/005.osc.gz"]);
}

#[test]
fn an_extract_that_is_newer_needs_nothing() {
    for since in [since(Some(3005), None), since(Some(3010), None), since(None, Some("2021-08-09T00:00:00Z"))] {
        let (overlay, _) = read(series(5), since);
        let overlay = overlay.unwrap();
        assert_eq!((overlay.blocks.len(), overlay.sequence, overlay.vintage), (0, None, None));
        assert_eq!(overlay.notes, ["DIR/monaco-updates holds nothing newer than the extract"]);
    }
}

#[test]
fn the_date_finds_the_beginning_where_the_number_cannot() {
    for first in 1..=20 {
        let (overlay, _) = read(series(21), since(None, Some(&day(first))));
        assert_eq!(node_ids(&overlay.unwrap()), (first as i64 + 1..=21).collect::<Vec<_>>());
    }
    // Between two diffs: the earlier one is in the extract.
    let (overlay, _) = read(series(9), since(None, Some("2021-08-07T23:00:00Z")));
    assert_eq!(node_ids(&overlay.unwrap()), [8, 9]);
    // A number of another series.
    let (overlay, _) = read(series(9), since(Some(3002), Some(&day(7))));
    let overlay = overlay.unwrap();
    assert_eq!(node_ids(&overlay), [8, 9]);
    let foreign = "the numbers in DIR/monaco-updates are of another series than the extract's: dates decide instead";
    assert_eq!(overlay.notes, [foreign]);

    let (overlay, _) = read(series(9), since(None, Some("2021-07-01T00:00:00Z")));
    let too_old = "DIR/monaco-updates begins after 2021-07-01T00:00:00Z, the date of the extract; take a newer extract";
    assert_eq!(overlay.unwrap_err(), too_old);
    let (overlay, _) = read(series(9), since(None, None));
    let nowhere = "DIR/monaco-updates cannot tell where to begin: the extract's header states neither a replication \
                   sequence number nor a date";
    assert_eq!(overlay.unwrap_err(), nowhere);
}

#[test]
fn trouble_that_passes_changes_nothing() {
    let (overlay, asked) = read_from(series(3), since(Some(3000), None), |path, before| match (path, before) {
        ("/monaco-updates/000/003/001.osc.gz", 0) => Some(answer("503 Service Unavailable", b"")),
        ("/monaco-updates/000/003/002.osc.gz", 0) => {
            let mut cut = answer("200 OK", &diff(3002));
            cut.truncate(cut.len() - 10);
            Some(cut)
        }
        _ => None,
    });
    assert_eq!(node_ids(&overlay.unwrap()), [1, 2, 3]);
    assert_eq!(asked.len(), 6);
}

#[test]
fn what_is_missing_on_a_server_is_told() {
    let mut without_state = series(5);
    without_state.remove("/monaco-updates/state.txt");
    let mut gap = series(5);
    gap.retain(|path, _| !path.contains("/002."));
    let mut html = series(5);
    html.insert("/monaco-updates/state.txt".to_owned(), b"<html>Welcome</html>".to_vec());
    let mut cut = series(5);
    cut.insert("/monaco-updates/000/003/002.osc.gz".to_owned(), b"not gzip".to_vec());
    let cases = [
        (without_state, "DIR/monaco-updates/state.txt is not there (404)"),
        (
            gap,
            "number 3002 is missing in DIR/monaco-updates, but numbers up to 3005 are there; without it the result would \
             be wrong: fetch it, or take an extract that is newer than it",
        ),
        (html, "DIR/monaco-updates/state.txt is no state file: it has neither sequenceNumber nor timestamp"),
        (
            cut,
            "DIR/monaco-updates/000/003/002.osc.gz is damaged at byte 8 of its text; fetch it again: there is text, a \
             document type or an entity where elements belong",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(read(files, since(Some(3000), None)).0.unwrap_err(), expected);
    }
    let (overlay, _) = read_from(series(5), since(Some(3000), None), |path, _| {
        path.ends_with("003.osc.gz").then(|| answer("500 Internal Server Error", b""))
    });
    let expected = "DIR/monaco-updates/000/003/003.osc.gz answers 500: it has trouble of its own; try again later";
    assert_eq!(overlay.unwrap_err(), expected);
}

#[test]
fn states_without_diffs_and_a_copy_that_ends_early_are_noted() {
    let mut files = series(5);
    files.retain(|path, _| !["/002.osc", "/004.", "/005."].iter().any(|gone| path.contains(gone)));
    let (overlay, _) = read(files.clone(), since(Some(3000), None));
    let overlay = overlay.unwrap();
    assert_eq!(node_ids(&overlay), [1, 3]);
    assert_eq!((overlay.sequence, overlay.vintage), (Some(3003), Some(time(&day(3)))));
    let notes = [
        "DIR/monaco-updates ends with number 3003, although its state.txt speaks of 3005",
        "1 of 3 diffs in DIR/monaco-updates are state files only: nothing changed in them",
    ];
    assert_eq!(overlay.notes, notes);

    let folder = tempfile::tempdir().unwrap();
    let done = server(files).0.download(since(Some(3000), None), folder.path(), |_| ()).unwrap();
    assert_eq!((done.diffs, done.sequence, done.notes.len()), (2, Some(3003), 1));
}

#[test]
fn what_was_downloaded_is_read_as_from_the_server() {
    let mut files = series(5);
    files.remove("/monaco-updates/000/003/004.osc.gz");
    let since = since(Some(3002), Some(&day(2)));
    let (from_server, _) = read(files.clone(), since);
    let from_server = from_server.unwrap();

    let parent = tempfile::tempdir().unwrap();
    let extract = parent.path().join("monaco.osm.pbf");
    let kept = kept_beside(&extract);
    assert_eq!(kept, parent.path().join("monaco.osm.pbf.changes"));
    let url = ChangesAt::Url("https://host".to_owned());
    assert_eq!(url.clone().or_kept(&extract), url);
    let (remote, _) = server(files);
    let done = remote.download(since, &kept, |_| ()).unwrap();
    let size_bytes = (diff(3003).len() + diff(3005).len()) as u64;
    assert_eq!(
        done,
        Downloaded {
            diffs: 2,
            size_bytes,
            kept: 0,
            sequence: Some(3005),
            time: Some(time(&day(5))),
            notes: Vec::new()
        }
    );

    let at = url.or_kept(&extract);
    assert_eq!(at, ChangesAt::Folder(kept));
    let from_folder = read_overlay(&at, since).unwrap();
    assert_eq!((&from_folder.versions, &from_folder.blocks), (&from_server.versions, &from_server.blocks));
    assert_eq!((from_folder.sequence, from_folder.vintage), (from_server.sequence, from_server.vintage));
    assert_eq!(from_folder.inputs, from_server.inputs);
    // By date alone it is the same: the state files came too.
    let by_date = read_overlay(&at, Since { sequence: None, ..since }).unwrap();
    assert_eq!(by_date.blocks, from_folder.blocks);
}

#[test]
fn a_download_brings_only_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let since = since(Some(3002), None);
    // Broken off: the server loses number 4 half-way.
    let mut broken = series(5);
    broken.retain(|path, _| !path.contains("/004."));
    let error = server(broken).0.download(since, folder.path(), |_| ()).unwrap_err();
    assert!(error.to_string().starts_with("number 3004 is missing in "), "{error}");

    let (remote, requests) = server(series(6));
    let done = remote.download(since, folder.path(), |_| ()).unwrap();
    assert_eq!((done.diffs, done.kept, done.sequence), (3, 1, Some(3006)));
    let names = [4, 5, 6].map(|n| [format!("000/003/{n:03}.osc.gz"), format!("000/003/{n:03}.state.txt")]);
    assert_eq!(asked(&requests), [&["state.txt".to_owned()], &names.concat()[..]].concat());
    let (remote, requests) = server(series(6));
    assert_eq!(remote.download(since, folder.path(), |_| ()).unwrap().kept, 4);
    assert_eq!(asked(&requests), ["state.txt"]);
    assert_eq!(node_ids(&read_overlay(&ChangesAt::Folder(folder.path().to_owned()), since).unwrap()), [3, 4, 5, 6]);
}

#[test]
fn an_extract_that_is_newer_downloads_nothing_and_reads_nothing() {
    for since in [since(Some(3005), None), since(None, Some(&day(6)))] {
        let folder = tempfile::tempdir().unwrap();
        let done = server(series(5)).0.download(since, folder.path(), |_| panic!("nothing is due")).unwrap();
        assert_eq!(done, Downloaded::default());
        let at = ChangesAt::Folder(folder.path().to_owned());
        let overlay = read_overlay(&at, since).unwrap();
        assert_eq!((overlay.blocks.len(), overlay.sequence, overlay.notes.len()), (0, None, 1));
        // For an older extract it is as empty as before.
        let error = read_overlay(&at, Since { sequence: Some(3004), time: None }).unwrap_err();
        assert!(error.to_string().contains("holds no changes"), "{error}");
    }
}

#[test]
fn an_address_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = download(Http::default(), "http://127.0.0.1:1/x", Since::default(), folder.path(), |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "cannot get http://127.0.0.1:1/x/state.txt");
    let error = read_overlay(&ChangesAt::Url("https://".to_owned()), Since::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot get https:"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
