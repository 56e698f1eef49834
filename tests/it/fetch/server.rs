//! A server on this machine that answers each connection on its own, as slowly as it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Bytes that are sent at once.
const PIECE_BYTES: usize = 16 << 10;

/// A request.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) head: Vec<String>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head[1..].iter().filter_map(|line| line.split_once(':'));
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// A value in the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.path.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// What is sent, whole with its head, and the pause after each piece.
pub(super) struct Reply(pub(super) Vec<u8>, pub(super) Duration);

/// A server.
pub(super) struct Server {
    /// Its address, without a slash at the end.
    pub(super) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    sent_bytes: Arc<AtomicU64>,
}

impl Server {
    pub(super) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { url, requests: Arc::default(), sent_bytes: Arc::default() };
        let (requests, sent_bytes, answer) =
            (Arc::clone(&server.requests), Arc::clone(&server.sent_bytes), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, answer) = (stream.expect("a connection"), Arc::clone(&answer));
                let (requests, sent_bytes) = (Arc::clone(&requests), Arc::clone(&sent_bytes));
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
                    loop {
                        let head: Vec<String> =
                            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                        let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
                        requests.lock().expect("no test panics here").push(head.join("\n"));
                        if head[0].starts_with("CONNECT ") {
                            // As a proxy: whatever comes through the tunnel is answered here.
                            stream.write_all(b"HTTP/1.1 200 Established\r\n\r\n").expect("the client is there");
                            continue;
                        }
                        let Reply(bytes, pause) = answer(&Asked { path: path.to_owned(), head });
                        for piece in bytes.chunks(PIECE_BYTES) {
                            if stream.write_all(piece).is_err() {
                                return;
                            }
                            sent_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
                            thread::sleep(pause);
                        }
                        return;
                    }
                });
            }
        });
        server
    }

    /// Heads of the requests since this was called before.
    pub(super) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().expect("no test panics here"))
    }

    /// Bytes sent since this was called before.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.swap(0, Ordering::Relaxed)
    }
}

/// An answer at once.
pub(super) fn reply(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (headers, length) = (headers.concat(), body.len());
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    Reply([head.as_bytes(), body].concat(), Duration::ZERO)
}

/// A file as a good server gives it: whole, the rest of it, or not at all where it is known.
pub(super) fn file(asked: &Asked, body: &[u8]) -> Reply {
    const ETAG: &str = "\"one\"";
    if asked.header("if-none-match") == Some(ETAG) {
        return reply("304 Not Modified", &[("ETag", ETAG)], b"");
    }
    let first = asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    if let Some(first) = first.filter(|first| *first < body.len() && asked.header("if-range") == Some(ETAG)) {
        let range = format!("bytes {first}-{}/{}", body.len() - 1, body.len());
        return reply("206 Partial Content", &[("ETag", ETAG), ("Content-Range", &range)], &body[first..]);
    }
    reply("200 OK", &[("ETag", ETAG), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")], body)
}
