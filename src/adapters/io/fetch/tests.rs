//! Downloads from a server that misbehaves on purpose.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::Http;
use super::super::http_tests::{Asked, answer, answer_with, serve_asked};
use super::{Algorithm, Archive, Checksum, Content, Download, FetchError};
use crate::pipeline::ports::{Observer, Unit};

const ETAG: &str = "\"v1\"";
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Counts what is advanced.
#[derive(Default)]
struct Counted(Mutex<Vec<(String, Option<u64>, u64)>>);

impl Observer for Counted {
    fn stage(&self, name: &str, _: Unit, total: Option<u64>) {
        self.0.lock().unwrap().push((name.to_owned(), total, 0));
    }

    fn advance(&self, amount: u64) {
        self.0.lock().unwrap().last_mut().unwrap().2 += amount;
    }

    fn note(&self, _: &str) {}
}

/// What a server holds.
fn body() -> Vec<u8> {
    (0..200_000_u32).map(|number| (number % 251) as u8 | 1).collect()
}

/// As a good server answers: whole, the rest, or that nothing changed.
fn good(asked: &Asked, body: &[u8], etag: &str) -> Vec<u8> {
    let length = body.len().to_string();
    if asked.header("if-none-match") == Some(etag) {
        return answer_with("304 Not Modified", &[("ETag", etag)], b"");
    }
    let first =
        asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    match first.filter(|_| asked.header("if-range") == Some(etag)) {
        Some(first) if first >= body.len() => answer_with(
            "416 Range Not Satisfiable",
            &[("Content-Range", &format!("bytes */{length}")), ("Content-Length", "0")],
            b"",
        ),
        Some(first) => {
            let range = format!("bytes {first}-{}/{length}", body.len() - 1);
            let rest = (body.len() - first).to_string();
            answer_with(
                "206 Partial Content",
                &[("ETag", etag), ("Content-Range", &range), ("Content-Length", &rest)],
                &body[first..],
            )
        }
        None => answer_with("200 OK", &[("ETag", etag), ("Last-Modified", DATE), ("Content-Length", &length)], body),
    }
}

/// An answer cut so many bytes behind its head.
fn cut(mut answer: Vec<u8>, bytes: usize) -> Vec<u8> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    answer.truncate(head + bytes);
    answer
}

/// A folder with an input of an earlier night, and a server.
struct Night {
    folder: tempfile::TempDir,
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Night {
    fn new(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("in.bin"), "old").unwrap();
        let (url, requests) = serve_asked(answer);
        Self { folder, url: format!("{url}/in.bin"), requests }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in.bin")
    }

    fn fetch(&self) -> Result<String, FetchError> {
        self.fetch_checked(&Checksum::IfOffered)
    }

    fn fetch_checked(&self, checksum: &Checksum) -> Result<String, FetchError> {
        let http = Http::with_pauses(vec![Duration::from_millis(1); 2]);
        let archive = Archive { source: "osm", keep: 2, vintage_of: &|_: &Path| None };
        let input = &self.input();
        let (url, content) = (self.url.as_str(), Content::NoMarkup);
        Download { http: &http, url, secrets: &[], input, checksum, content, archive }.fetch(&Counted::default())
    }

    /// The requests so far: range and what it is conditional on.
    fn asked(&self) -> Vec<String> {
        let header = |head: &str, name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name))
                .map_or(String::new(), |value| format!("{name}{value} "))
        };
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        let names = ["range:", "if-range:", "if-none-match:"];
        requests.iter().map(|head| names.map(|name| header(head, name)).concat().trim_end().to_owned()).collect()
    }

    /// Names of what lies in the folder.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn whatever_breaks_off_is_finished_with_no_byte_twice() {
    // What goes wrong at the first requests, and what is then asked for.
    type Fault = fn(&Asked, usize) -> Vec<u8>;
    let cases: [(&str, Fault, &[&str]); 10] = [
        ("nothing", |asked, _| good(asked, &body(), ETAG), &[""]),
        (
            "breaks off, often",
            |asked, number| {
                let answer = good(asked, &body(), ETAG);
                if number < 6 { cut(answer, 20_000) } else { answer }
            },
            &["", "20000", "40000", "60000", "80000", "100000", "120000"],
        ),
        (
            "no answer at all",
            |asked, number| if number < 2 { Vec::new() } else { good(asked, &body(), ETAG) },
            &["", "", ""],
        ),
        (
            "too many requests, trouble of its own",
            |asked, number| match number {
                0 => answer_with("429 Too Many", &[("Retry-After", "0"), ("Content-Length", "0")], b""),
                1 => answer("503 Unavailable", b"<html>"),
                _ => good(asked, &body(), ETAG),
            },
            &["", "", ""],
        ),
        (
            "range ignored",
            |asked, number| match number {
                0 => cut(good(asked, &body(), ETAG), 20_000),
                _ => answer_with("200 OK", &[("ETag", ETAG), ("Content-Length", "200000")], &body()),
            },
            &["", "20000"],
        ),
        (
            "changes meanwhile",
            |asked, number| match number {
                0 => cut(good(asked, &vec![b'x'; 100_000], "\"v0\""), 20_000),
                _ => good(asked, &body(), ETAG),
            },
            &["", "20000 \"v0\""],
        ),
        (
            "gets shorter meanwhile, and says so by 416",
            |asked, number| match number {
                0 => cut(good(asked, &vec![b'x'; 300_000], ETAG), 250_000),
                1 => answer_with("416 No", &[("Content-Length", "0")], b""),
                _ => good(asked, &body(), ETAG),
            },
            &["", "250000", ""],
        ),
        (
            "gives another rest than asked for",
            |asked, number| match number {
                0 => cut(good(asked, &body(), ETAG), 20_000),
                1 => answer_with(
                    "206 Partial",
                    &[("Content-Range", "bytes 0-9/200000"), ("Content-Length", "10")],
                    &body()[..10],
                ),
                _ => good(asked, &body(), ETAG),
            },
            &["", "20000", ""],
        ),
        (
            "changes meanwhile, and gives the rest of the new one all the same",
            |asked, number| {
                let length = ("Content-Length", "200000");
                let answer = |date| answer_with("200 OK", &[("Last-Modified", date), length], &body());
                match (number, asked.header("range")) {
                    (0, _) => cut(answer(DATE), 20_000),
                    (_, Some(_)) => answer_with(
                        "206 Partial",
                        &[
                            ("Content-Range", "bytes 20000-199999/200000"),
                            ("Content-Length", "180000"),
                            ("Last-Modified", "Mon, 07 Nov 1994 08:49:37 GMT"),
                        ],
                        &b"y".repeat(180_000),
                    ),
                    _ => answer("Mon, 07 Nov 1994 08:49:37 GMT"),
                }
            },
            &["", "20000 Sun, 06 Nov 1994 08:49:37 GMT", ""],
        ),
        (
            "no length, in chunks",
            |_, number| {
                let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                for piece in body().chunks(50_000).take(if number == 0 { 2 } else { 4 }) {
                    chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                    chunked.extend_from_slice(piece);
                    chunked.extend_from_slice(b"\r\n");
                }
                if number > 0 {
                    chunked.extend_from_slice(b"0\r\n\r\n");
                }
                chunked
            },
            &["", ""],
        ),
    ];
    for (what, fault, expected) in cases {
        let count = Mutex::new(0);
        let night = Night::new(move |asked| {
            let mut count = count.lock().unwrap();
            *count += 1;
            fault(asked, *count - 1)
        });
        let told = night.fetch().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(fs::read(night.input()).unwrap() == body(), "{what}");
        let expected: Vec<String> = expected
            .iter()
            .map(|range| match range.split_once(' ') {
                _ if range.is_empty() => String::new(),
                Some((range, etag)) => format!("range: bytes={range}- if-range: {etag}"),
                None => format!("range: bytes={range}- if-range: {ETAG}"),
            })
            .collect();
        assert_eq!(night.asked(), expected, "{what}");
        assert!(told.starts_with("fetched 200 kB: ") && told.contains("/archive/osm/undated-"), "{what}: {told}");
        assert_eq!(night.files(), ["archive", "in.bin", "in.bin.fetch.json"], "{what}");
    }
}

#[test]
fn what_stays_broken_is_told_and_leaves_the_old_input() {
    type Answer = fn(&Asked) -> Vec<u8>;
    let gzip = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(gzip(b"").first(), Some(&0x1f));
    let cases: [(Answer, &str, &[&str]); 10] = [
        (|_| answer("404 Not Found", b""), "/in.bin is not there (404)", &[]),
        (|_| answer("403 Forbidden", b""), "/in.bin answers 403: it wants to know who asks", &[]),
        (|_| answer("500 Oops", b""), "/in.bin answers 500: it has trouble of its own; try again later", &[]),
        (|_| answer("200 OK", b""), "/in.bin holds nothing", &[]),
        (
            |_| answer("200 OK", b"\n<!DOCTYPE html><title>Sign in</title>"),
            "/in.bin answers with a page for people in place of data; open it in a browser to see what it says",
            &[],
        ),
        (
            |_| answer_with("200 OK", &[("Content-Length", "9"), ("Content-Encoding", "br")], b"123456789"),
            "/in.bin is sent with the encoding `br`, which was not asked for and is not known here",
            &[],
        ),
        (
            |_| answer_with("200 OK", &[("Content-Length", "9"), ("Content-Encoding", "gzip")], b"123456789"),
            "what came from",
            &[],
        ),
        // A length that is never reached: the rest is asked for, and there is none.
        (
            |asked| match asked.header("range") {
                None => answer_with("200 OK", &[("ETag", ETAG), ("Content-Length", "100")], b"too little"),
                Some(_) => answer_with("416 No", &[("Content-Length", "0")], b""),
            },
            "/in.bin",
            &["in.bin.part", "in.bin.part.json"],
        ),
        // Nothing tells versions apart, so nobody could go on.
        (|_| answer_with("200 OK", &[("Content-Length", "100")], b"too little"), "breaks off", &[]),
        (
            |_| answer_with("200 OK", &[("ETag", ETAG), ("Content-Length", "100")], b"too little"),
            "breaks off",
            &["in.bin.part", "in.bin.part.json"],
        ),
    ];
    for (answer, says, left) in cases {
        let night = Night::new(answer);
        let error = night.fetch().unwrap_err().to_string();
        assert!(error.contains(says), "{error}\n{says}");
        assert_eq!(fs::read(night.input()).unwrap(), b"old", "{says}");
        let mut files: Vec<String> = night.files();
        files.retain(|name| name != "in.bin");
        assert_eq!(files, left, "{says}");
        assert!(night.asked().len() < 12, "{says}");
    }
}

#[test]
fn a_file_is_fetched_again_only_if_it_changed_here_or_there() {
    let etag = Arc::new(Mutex::new(ETAG));
    let now = Arc::clone(&etag);
    let night = Night::new(move |asked| good(asked, &body(), *now.lock().unwrap()));
    night.fetch().unwrap();
    let told = night.fetch().unwrap();
    assert_eq!(told, format!("not changed since {DATE}: {} stays as it is", night.input().display()));
    assert_eq!(night.asked(), ["", "if-none-match: \"v1\""]);

    // Replaced by something of the same size, and of another.
    fs::write(night.input(), vec![b'x'; 200_000]).unwrap();
    night.fetch().unwrap();
    assert_eq!(
        (night.asked().as_slice(), fs::read(night.input()).unwrap() == body()),
        (&["if-none-match: \"v1\"".to_owned(), String::new()][..], true)
    );
    fs::write(night.input(), "x").unwrap();
    night.fetch().unwrap();
    assert_eq!(night.asked(), [""]);
    fs::remove_file(night.input()).unwrap();
    night.fetch().unwrap();
    assert_eq!(night.asked(), [""]);

    // New on the server.
    *etag.lock().unwrap() = "\"v2\"";
    let told = night.fetch().unwrap();
    assert!(told.ends_with("in.bin is the same as before"), "{told}");
    assert_eq!(night.asked(), ["if-none-match: \"v1\""]);
    assert_eq!(night.files(), ["archive", "in.bin", "in.bin.fetch.json"]);
}

#[test]
fn a_call_that_failed_is_finished_by_the_next() {
    let night = Night::new(|asked| match asked.before {
        0 => cut(good(asked, &body(), ETAG), 70_000),
        1 | 2 => answer("500 Oops", b""),
        _ => good(asked, &body(), ETAG),
    });
    assert!(night.fetch().unwrap_err().to_string().contains("answers 500"));
    assert_eq!(
        (fs::read(night.input()).unwrap(), fs::metadata(night.input().with_extension("bin.part")).unwrap().len()),
        (b"old".to_vec(), 70_000)
    );
    let told = night.fetch().unwrap();
    assert!(told.starts_with("fetched 200 kB, 70 kB of it by an earlier call: "), "{told}");
    let rest = format!("range: bytes=70000- if-range: {ETAG}");
    assert_eq!(night.asked(), [String::new(), rest.clone(), rest.clone(), rest]);
    assert!(fs::read(night.input()).unwrap() == body());
}

#[test]
fn a_whole_part_of_an_earlier_call_is_put_in_place_only_if_the_server_has_no_newer() {
    for (etag, conditions) in [(ETAG, vec!["if-none-match: \"v1\""]), ("\"v2\"", vec!["if-none-match: \"v1\""])] {
        // The list of checksums fails at first, so the whole part stays.
        let night = Night::new(move |asked| match (asked.path.as_str(), asked.before) {
            ("/in.bin", 0) => good(asked, &vec![b'x'; 1000], ETAG),
            ("/in.bin", _) if etag == ETAG => good(asked, &vec![b'x'; 1000], ETAG),
            ("/in.bin", _) => good(asked, &body(), etag),
            (_, 0) => answer("400 Bad", b""),
            _ => {
                let is_new = etag != ETAG;
                let text = if is_new { body() } else { vec![b'x'; 1000] };
                answer("200 OK", crate::domain::hex(&<md5::Md5 as sha2::Digest>::digest(&text)).as_bytes())
            }
        });
        let checksum = Checksum::Beside(Algorithm::Md5);
        assert!(night.fetch_checked(&checksum).unwrap_err().to_string().ends_with("in.bin.md5 answers 400"));
        assert_eq!(night.files(), ["in.bin", "in.bin.part", "in.bin.part.json"]);
        let told = night.fetch_checked(&checksum).unwrap();
        assert_eq!(night.asked()[2..3], conditions);
        assert_eq!(told.contains(", 1 kB of it by an earlier call"), etag == ETAG, "{told}");
        assert!(fs::read(night.input()).unwrap() == if etag == ETAG { vec![b'x'; 1000] } else { body() });
    }
}

#[test]
fn what_a_publisher_says_is_checked() {
    let md5 = "2c1743a391305fbf367df8e4f069f9f9";
    let sha256 = "08ab2ccf3a1f0c1bb9d2a2b8ab6b8b4b0a3c1b0d3b0f5c0d1e2f3a4b5c6d7e8f";
    let serve = |beside: &'static str, text: String| {
        Night::new(move |asked| match asked.path.strip_prefix("/in.bin") {
            Some("") => answer("200 OK", b"alpha"),
            Some(ending) if ending == beside => answer("200 OK", text.as_bytes()),
            _ => answer("404 Not Found", b""),
        })
    };
    let beside = Checksum::Beside(Algorithm::Md5);
    let told = serve(".md5", format!("{md5}  in.bin\n")).fetch_checked(&beside).unwrap();
    assert!(told.starts_with("fetched 5 bytes, checked by MD5: "), "{told}");

    // Wrong, then right.
    let night = Night::new(move |asked| match (asked.path.as_str(), asked.before) {
        ("/in.bin.md5", 0) => answer("200 OK", format!("{}  in.bin", "0".repeat(32)).as_bytes()),
        ("/in.bin.md5", _) => answer("200 OK", md5.as_bytes()),
        _ => answer("200 OK", b"alpha"),
    });
    let error = night.fetch_checked(&beside).unwrap_err().to_string();
    let url = &night.url;
    let says =
        format!("what came from {url} is not what its publisher describes: MD5 is {md5}, and {url}.md5 says 00000000");
    assert!(error.starts_with(&says), "{error}");
    assert_eq!((night.files(), fs::read(night.input()).unwrap()), (vec!["in.bin".to_owned()], b"old".to_vec()));
    night.fetch_checked(&beside).unwrap();
    assert_eq!(fs::read(night.input()).unwrap(), b"alpha");

    let error = serve(".sha256", sha256.to_owned()).fetch_checked(&Checksum::Beside(Algorithm::Sha256)).unwrap_err();
    assert!(matches!(error, FetchError::Checksum { algorithm: Algorithm::Sha256, .. }), "{error}");
    let error = serve(".md5", "none".to_owned()).fetch_checked(&beside).unwrap_err().to_string();
    assert!(error.ends_with("in.bin.md5 states no MD5 of the file; correct the source's `checksum`"), "{error}");
    let night = serve("/sums", format!("{md5}  in.bin\n{}  other\n", "0".repeat(32)));
    let at = Checksum::At(format!("{}/sums", night.url));
    assert!(night.fetch_checked(&at).unwrap().contains("checked by MD5"));

    // A header that says otherwise, believed unless it was said not to.
    let night = Night::new(|_| {
        answer_with("200 OK", &[("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="), ("Content-Length", "5")], b"alpha")
    });
    let error = night.fetch().unwrap_err().to_string();
    assert!(error.contains("and its header Content-MD5 says 00000000"), "{error}");
    assert!(night.fetch_checked(&Checksum::None).is_ok());
}

#[test]
fn an_encoding_that_was_not_asked_for_is_undone() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&body()).unwrap();
    let encoded = encoder.finish().unwrap();
    let expected = encoded.clone();
    let night = Night::new(move |asked| {
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
        let length = encoded.len().to_string();
        answer_with("200 OK", &[("Content-Encoding", "gzip"), ("Content-Length", &length)], &encoded)
    });
    night.fetch().unwrap();
    assert!(fs::read(night.input()).unwrap() == body());
    assert_eq!(night.files(), ["archive", "in.bin", "in.bin.fetch.json"]);
    // What is gzip by its name stays so.
    let night = Night { url: format!("{}.gz", night.url), ..night };
    night.fetch().unwrap();
    assert!(fs::read(night.input()).unwrap() == expected);
}

#[test]
fn two_calls_do_not_mix_and_a_folder_is_no_file() {
    let night = Night::new(|asked| good(asked, &body(), ETAG));
    let held = super::Part::open(&night.input()).unwrap();
    let error = night.fetch().unwrap_err().to_string();
    assert_eq!(error, format!("another fetch of {} is at work; wait for it to end", night.input().display()));
    drop(held);
    night.fetch().unwrap();
    fs::remove_file(night.input()).unwrap();
    fs::create_dir(night.input()).unwrap();
    assert!(matches!(night.fetch(), Err(FetchError::Folder { .. })));
}
