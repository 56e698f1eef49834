//! What a client does when servers misbehave, and a server on this machine for other tests.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Http, Request};

/// A request that a server got.
pub(crate) struct Asked {
    pub(crate) path: String,
    /// Requests for this path before.
    pub(crate) before: usize,
    head: Vec<String>,
}

impl Asked {
    /// A header of the request.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head[1..].iter().filter_map(|line| line.split_once(':'));
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// A value in the query of the request.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.path.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// A server on this machine. `answer` is asked for each path, with the count of requests for it before, and gives
/// the whole answer, headers and all. Returns the address and the requests as they come.
pub(crate) fn serve(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    serve_asked(move |asked| answer(&asked.path, asked.before))
}

/// As [`serve`], with all of the request.
pub(crate) fn serve_asked(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)).map(str::to_owned) else {
                continue;
            };
            let mut seen = seen.lock().expect("no test panics here");
            let before = seen.iter().filter(|line: &&String| line.split(' ').nth(1) == Some(&path)).count();
            seen.push(head.join("\n"));
            drop(seen);
            // A client that has gone is its own affair.
            stream.write_all(&answer(&Asked { path, before, head })).ok();
        }
    });
    (address, requests)
}

/// An answer of this status with these headers and this body, whose length is only stated where it is among the headers.
pub(crate) fn answer_with(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    [format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").as_bytes(), body].concat()
}

/// An answer that ends its connection.
pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn hasty() -> Http {
    Http::with_pauses(vec![Duration::from_millis(1); 3])
}

#[test]
fn trouble_that_passes_is_waited_out() {
    let (url, requests) = serve(|path, before| match (path, before) {
        ("/busy", 0 | 1) => answer("503 Service Unavailable", b"later"),
        ("/many", 0) => {
            b"HTTP/1.1 429 Too Many\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
        }
        ("/short", 0) => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf".to_vec(),
        ("/chunk", 0) => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha".to_vec(),
        ("/hangup", 0) => Vec::new(),
        _ => answer("200 OK", path.as_bytes()),
    });
    for (path, expected) in [("/busy", 3), ("/many", 2), ("/short", 2), ("/chunk", 2), ("/hangup", 2), ("/fine", 1)] {
        assert_eq!(hasty().get(&format!("{url}{path}"), 1000).unwrap(), path.as_bytes());
        let heads = requests.lock().unwrap();
        assert_eq!(heads.iter().filter(|head| head.contains(path)).count(), expected, "{path}");
    }
    let agent = format!("user-agent: poimill/{}", env!("CARGO_PKG_VERSION"));
    assert!(requests.lock().unwrap().iter().all(|head| head.to_lowercase().contains(&agent)));
}

#[test]
fn trouble_that_stays_is_told_with_address_and_status() {
    let (url, requests) = serve(|path, _| match path {
        "/broken?key=secret" => answer("500 Oops", b""),
        "/closed" => answer("403 Forbidden", b""),
        "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf".to_vec(),
        "/long" => answer("200 OK", &[b'x'; 2000]),
        "/endless" => [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &[b'x'; 2000]].concat(),
        _ => answer("404 Not Found", b""),
    });
    let cases = [
        ("/broken?key=secret", 4, format!("{url}/broken answers 500: it has trouble of its own; try again later")),
        ("/closed", 1, format!("{url}/closed answers 403: it wants to know who asks")),
        ("/short", 4, format!("the answer of {url}/short breaks off")),
        ("/long", 1, format!("{url}/long holds more than 1000 bytes, which is more than is to be expected")),
        ("/endless", 1, format!("{url}/endless holds more than 1000 bytes, which is more than is to be expected")),
        ("/nothing", 1, format!("{url}/nothing is not there (404)")),
    ];
    for (path, attempts, expected) in cases {
        let error = hasty().get(&format!("{url}{path}"), 1000).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let heads = requests.lock().unwrap();
        assert_eq!(heads.iter().filter(|head| head.contains(path)).count(), attempts, "{path}");
    }
    assert_eq!(hasty().get_if_there(&format!("{url}/nothing"), 1000).unwrap(), None);
    assert!(hasty().get_if_there(&format!("{url}/closed"), 1000).is_err());
}

#[test]
fn what_never_can_be_got_is_not_tried_again() {
    let patient = Http::with_pauses(vec![Duration::from_mins(10)]);
    for url in ["nonsense", "ftp://127.0.0.1/x", "http://127.0.0.1:1/x"] {
        let error = patient.get(url, 10).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot get {url}"));
    }
}

#[test]
fn redirects_are_followed_and_secrets_stay_with_their_server() {
    let (other, other_requests) = serve(|_, _| answer("200 OK", b"elsewhere"));
    let elsewhere = format!("{other}/x");
    let (url, requests) = serve(move |path, _| match path {
        "/a/first" => answer_with("302 Found", &[("Location", "second?q=1"), ("Content-Length", "0")], b""),
        "/a/away" => answer_with("307 Away", &[("Location", &elsewhere), ("Content-Length", "0")], b""),
        "/a/circle" => answer_with("301 Moved", &[("Location", "/a/circle"), ("Content-Length", "0")], b""),
        path => answer("200 OK", path.as_bytes()),
    });
    let secrets = [("x-api-key", "s3cret".to_owned())];
    let with_user = url.replace("http://", "http://me:pass@");
    let ask = |path: &str| {
        hasty().ask(&Request { url: &format!("{with_user}{path}"), headers: &[], secrets: &secrets }, 1000)
    };
    assert_eq!(ask("/a/first").unwrap().body, b"/a/second?q=1");
    assert_eq!(ask("/a/away").unwrap().body, b"elsewhere");
    assert_eq!(
        ask("/a/circle").unwrap_err().to_string(),
        format!("{url}/a/circle leads from one address to the next without end")
    );
    for head in requests.lock().unwrap().iter() {
        assert!(head.contains("s3cret") && head.contains("Basic bWU6cGFzcw=="), "{head}");
        assert!(!head.contains("me:pass"), "{head}");
    }
    let heads = other_requests.lock().unwrap();
    assert!(heads.len() == 1 && !heads[0].contains("s3cret") && !heads[0].contains("Basic"), "{heads:?}");
    let secrets = [("x-api-key", "two\nlines".to_owned())];
    let error = hasty().ask(&Request { url: &url, headers: &[], secrets: &secrets }, 10).unwrap_err().to_string();
    assert!(error.starts_with("the key or token for http://") && !error.contains("two"), "{error}");
}

#[test]
fn a_pause_that_is_too_long_is_told_and_not_waited_for() {
    let (url, requests) = serve(|path, before| match (path, before) {
        ("/date", 0) => {
            let dates = [("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")];
            answer_with("429 Too Many", &dates, b"")
        }
        ("/long", _) => answer_with("429 Too Many", &[("Retry-After", "7200"), ("Content-Length", "0")], b""),
        ("/slow", 0) => answer("408 Request Timeout", b""),
        _ => answer("200 OK", path.as_bytes()),
    });
    let patient = Http::with_pauses(vec![Duration::from_mins(10)]);
    assert_eq!(patient.get(&format!("{url}/date"), 10).unwrap(), b"/date");
    assert_eq!(hasty().get(&format!("{url}/slow"), 10).unwrap(), b"/slow");
    let error = patient.get(&format!("{url}/long"), 10).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{url}/long answers 429: too many requests; try again later, it asks for a pause of 7200 s")
    );
    assert_eq!(requests.lock().unwrap().len(), 5);
}
