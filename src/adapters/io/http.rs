//! HTTP: whole answers to GET, with patience for what passes and none for what does not.
//!
//! `ureq` with rustls and ring: blocking, no library of the system. Proxies are taken from the usual variables.

use std::io::{self, Read};
use std::thread::sleep;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body, Error};

/// Who asks.
const USER_AGENT: &str = concat!("poimill/", env!("CARGO_PKG_VERSION"));

/// Longest wait for a connection, and for each piece of an answer.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Longest wait for the whole of an answer.
const TIMEOUT_ANSWER: Duration = Duration::from_mins(30);

/// Pauses before a request is repeated; so often it is. A server may ask for longer ones.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9), Duration::from_secs(27)];

/// Longest pause that a server is granted.
const MAX_PAUSE: Duration = Duration::from_mins(2);

/// What is read of an answer at first; more as it comes, whatever length it promises.
const FIRST_BYTES: u64 = 1 << 20;

/// A client that keeps its connections.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    pauses: Vec<Duration>,
}

/// Why an answer was not got.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum HttpError {
    #[error("{url} is not there ({status})")]
    Absent { url: String, status: u16 },
    #[error("{url} answers {status}{}", hint(*.status))]
    Status { url: String, status: u16 },
    #[error("cannot get {url}")]
    Failed { url: String, source: Box<Error> },
    #[error("the answer of {url} breaks off")]
    CutOff { url: String, source: io::Error },
    #[error("{url} holds more than {limit_bytes} bytes, which is more than is to be expected")]
    TooLarge { url: String, limit_bytes: u64 },
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => ": it wants to know who asks",
        429 => ": too many requests; try again later",
        500.. => ": it has trouble of its own; try again later",
        _ => "",
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::with_pauses(PAUSES.to_vec())
    }
}

impl Http {
    /// A client that repeats a request once after each of these pauses.
    pub(crate) fn with_pauses(pauses: Vec<Duration>) -> Self {
        let config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            .timeout_per_read(Some(TIMEOUT))
            .timeout_recv_body(Some(TIMEOUT_ANSWER));
        Self { agent: Agent::new_with_config(config.build()), pauses }
    }

    /// The whole answer.
    ///
    /// # Errors
    ///
    /// When there is none, or one of more than `limit_bytes`; after several attempts where the trouble may pass.
    pub fn get(&self, url: &str, limit_bytes: u64) -> Result<Vec<u8>, HttpError> {
        let mut pauses = self.pauses.iter();
        loop {
            let (error, asked) = match self.attempt(url, limit_bytes) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match pauses.next() {
                Some(pause) if passes(&error) => sleep(asked.map_or(*pause, |asked| asked.min(MAX_PAUSE))),
                _ => return Err(error),
            }
        }
    }

    /// The whole answer; `None` when the server says that nothing is there.
    ///
    /// # Errors
    ///
    /// As [`Http::get`].
    pub fn get_if_there(&self, url: &str, limit_bytes: u64) -> Result<Option<Vec<u8>>, HttpError> {
        match self.get(url, limit_bytes) {
            Ok(answer) => Ok(Some(answer)),
            Err(HttpError::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One request. A failure comes with the pause that the server asks for.
    fn attempt(&self, url: &str, limit_bytes: u64) -> Result<Vec<u8>, (HttpError, Option<Duration>)> {
        let failed = |source| HttpError::Failed { url: told(url), source: Box::new(source) };
        let response = self.agent.get(url).call().map_err(|error| (failed(error), None))?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            404 | 410 => return Err((HttpError::Absent { url: told(url), status }, None)),
            _ => return Err((HttpError::Status { url: told(url), status }, retry_after(&response))),
        }
        let promised = response.body().content_length();
        let too_large = || (HttpError::TooLarge { url: told(url), limit_bytes }, None);
        if promised.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(too_large());
        }
        let cut_off = |source| (HttpError::CutOff { url: told(url), source }, None);
        let mut answer = Vec::with_capacity(promised.unwrap_or(0).min(FIRST_BYTES) as usize);
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader().take(limit_bytes + 1);
        body.read_to_end(&mut answer).map_err(cut_off)?;
        if answer.len() as u64 > limit_bytes {
            return Err(too_large());
        }
        if promised.is_some_and(|bytes| bytes != answer.len() as u64) {
            return Err(cut_off(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(answer)
    }
}

/// Whether the same request may do better in a while.
fn passes(error: &HttpError) -> bool {
    match error {
        HttpError::Status { status, .. } => matches!(status, 429 | 500..),
        HttpError::CutOff { .. } => true,
        HttpError::Failed { source, .. } => match source.as_ref() {
            Error::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::TimedOut
            ),
            Error::Timeout(_) | Error::ConnectionFailed => true,
            _ => false,
        },
        HttpError::Absent { .. } | HttpError::TooLarge { .. } => false,
    }
}

/// The pause in seconds that a server asks for; the form with a date is not worth a clock.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An address for people: without user, password and query, which may be secrets.
fn told(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::*;

    /// A server on this machine. `answer` is asked for each path, with the count of requests for it before, and gives
    /// the whole answer, headers and all. Returns the address and the requests as they come.
    pub(crate) fn serve(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
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
                stream.write_all(&answer(&path, before)).ok();
            }
        });
        (address, requests)
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
        for (path, expected) in [("/busy", 3), ("/many", 2), ("/short", 2), ("/chunk", 2), ("/hangup", 2), ("/fine", 1)]
        {
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
    fn addresses_are_told_without_secrets() {
        let cases = [
            ("https://host/a/b", "https://host/a/b"),
            ("https://me:word@host:8/a@b?key=1", "https://host:8/a@b"),
            ("https://host", "https://host"),
            ("host?x", "host"),
        ];
        for (url, expected) in cases {
            assert_eq!(told(url), expected);
        }
    }
}
