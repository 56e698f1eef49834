//! HTTP: answers to GET, with patience for what passes and none for what does not.
//!
//! `ureq` with rustls and ring: blocking, no library of the system. Proxies are taken from the usual variables. Redirects
//! are followed here, so that a secret reaches no other server than the one that it is meant for.

mod address;
mod patience;
#[cfg(test)]
pub(crate) mod tests;

use std::io::{self, Read};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::{HeaderMap, HeaderValue, Response};
use ureq::{Agent, Body, Error};

use self::address::without_user;
pub use self::address::{
    address_joined, address_told, is_plain_address, is_same_server, query_encoded, without_secrets,
};
pub use self::patience::{Patience, http_date};
use self::patience::{pauses, retry_after};

/// Who asks.
const USER_AGENT: &str = concat!("poimill/", env!("CARGO_PKG_VERSION"));

/// Longest wait for a connection, and for each piece of an answer.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Longest wait for the whole of an answer that is taken into memory.
const TIMEOUT_ANSWER: Duration = Duration::from_mins(30);

/// How often a request is made, where nothing else is said.
pub const ATTEMPTS: u32 = 5;

/// The first pause before a request is repeated, where nothing else is said.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 10;

/// What is read of an answer at first; more as it comes, whatever length it promises.
const FIRST_BYTES: u64 = 1 << 20;

/// A client that keeps its connections; clones share them.
#[derive(Debug, Clone)]
pub struct Http {
    agent: Agent,
    pauses: Vec<Duration>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The address; a user and password in it are sent as a header.
    pub url: &'a str,
    /// Further headers.
    pub headers: &'a [(&'static str, String)],
    /// Headers with secrets, which only the server of `url` is shown.
    pub secrets: &'a [(&'static str, String)],
}

impl<'a> Request<'a> {
    /// An address, and nothing more.
    #[must_use]
    pub fn to(url: &'a str) -> Self {
        Self { url, headers: &[], secrets: &[] }
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    headers: HeaderMap,
    /// What it holds.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, where it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header that may come several times, as often as it is text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }
}

/// Why an answer was not got.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum HttpError {
    #[error("{url} is not there ({status})")]
    Absent { url: String, status: u16 },
    #[error("{url} answers {status}{}", hint(*.status, *.pause))]
    Status { url: String, status: u16, pause: Option<Duration> },
    #[error("cannot get {url}")]
    Failed { url: String, source: Box<Error> },
    #[error("the answer of {url} breaks off")]
    CutOff { url: String, source: io::Error },
    #[error("{url} holds more than {limit_bytes} bytes, which is more than is to be expected")]
    TooLarge { url: String, limit_bytes: u64 },
    #[error("{url} changed while it was being fetched")]
    Changed { url: String },
    #[error("{url} leads from one address to the next without end")]
    Redirects { url: String },
    #[error("the key or token for {url} holds what no header can; look for line ends and blanks in it")]
    Secret { url: String },
}

fn hint(status: u16, pause: Option<Duration>) -> String {
    let hint = match status {
        401 | 403 => ": it wants to know who asks",
        429 => ": too many requests; try again later",
        500.. => ": it has trouble of its own; try again later",
        _ => "",
    };
    // A pause that was granted needs no word.
    let pause = pause.filter(|pause| pause.as_secs() > 60);
    pause.map_or(hint.to_owned(), |pause| format!("{hint}, it asks for a pause of {} s", pause.as_secs()))
}

impl HttpError {
    /// Whether the same request may do better in a while.
    fn passes(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::CutOff { .. } | Self::Changed { .. } => true,
            Self::Failed { source, .. } => match source.as_ref() {
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
            Self::Absent { .. } | Self::TooLarge { .. } | Self::Redirects { .. } | Self::Secret { .. } => false,
        }
    }

    /// The pause that the server asks for.
    fn asks_for(&self) -> Option<Duration> {
        match self {
            Self::Status { pause, .. } => *pause,
            _ => None,
        }
    }

    /// What a status that is no success comes to.
    pub(super) fn of_status(url: &str, response: &Response<Body>) -> Self {
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        match status {
            404 | 410 => Self::Absent { url: address_told(url), status },
            _ => {
                let pause = header("retry-after").and_then(|asked| retry_after(asked, header("date")));
                Self::Status { url: address_told(url), status, pause }
            }
        }
    }

    /// An answer that ended too early.
    pub(super) fn cut_off(url: &str, source: impl Into<io::Error>) -> Self {
        Self::CutOff { url: address_told(url), source: source.into() }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new(ATTEMPTS, FIRST_PAUSE)
    }
}

impl Http {
    /// A client that makes so many attempts, with pauses that grow from this one.
    #[must_use]
    pub fn new(attempts: u32, first_pause: Duration) -> Self {
        Self::with_pauses(pauses(attempts, first_pause))
    }

    /// A client that repeats a request once after each of these pauses.
    pub(crate) fn with_pauses(pauses: Vec<Duration>) -> Self {
        let config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            .timeout_per_read(Some(TIMEOUT));
        Self { agent: Agent::new_with_config(config.build()), pauses }
    }

    /// Patience that nobody has yet tried.
    #[must_use]
    pub fn patience(&self) -> Patience<'_> {
        Patience::new(&self.pauses)
    }

    /// The whole answer.
    ///
    /// # Errors
    ///
    /// When there is none, or one of more than `limit_bytes`; after several attempts where the trouble may pass.
    pub fn get(&self, url: &str, limit_bytes: u64) -> Result<Vec<u8>, HttpError> {
        self.ask(&Request::to(url), limit_bytes).map(|answer| answer.body)
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

    /// The whole answer with its headers.
    ///
    /// # Errors
    ///
    /// As [`Http::get`].
    pub fn ask(&self, request: &Request<'_>, limit_bytes: u64) -> Result<Answer, HttpError> {
        let mut patience = self.patience();
        loop {
            match self.attempt(request, limit_bytes) {
                Err(error) if patience.wait(&error) => {}
                ended => return ended,
            }
        }
    }

    /// One request for a whole answer.
    fn attempt(&self, request: &Request<'_>, limit_bytes: u64) -> Result<Answer, HttpError> {
        let url = request.url;
        let response = self.open(request, Some(TIMEOUT_ANSWER))?;
        if response.status().as_u16() != 200 {
            return Err(HttpError::of_status(url, &response));
        }
        let promised = response.body().content_length();
        let too_large = || HttpError::TooLarge { url: address_told(url), limit_bytes };
        if promised.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(too_large());
        }
        let (parts, body) = response.into_parts();
        let mut answer = Vec::with_capacity(promised.unwrap_or(0).min(FIRST_BYTES) as usize);
        let mut body = body.into_with_config().limit(u64::MAX).reader().take(limit_bytes + 1);
        body.read_to_end(&mut answer).map_err(|source| HttpError::cut_off(url, source))?;
        if answer.len() as u64 > limit_bytes {
            return Err(too_large());
        }
        if promised.is_some_and(|bytes| bytes != answer.len() as u64) {
            return Err(HttpError::cut_off(url, io::ErrorKind::UnexpectedEof));
        }
        Ok(Answer { headers: parts.headers, body: answer })
    }

    /// One request; the answer has any status, and its body is yet to be read.
    pub(super) fn open(&self, request: &Request<'_>, body: Option<Duration>) -> Result<Response<Body>, HttpError> {
        let secret = || HttpError::Secret { url: address_told(request.url) };
        let (mut url, user) = without_user(request.url);
        let mut secrets = Vec::new();
        if let Some(user) = user {
            secrets.push(("authorization", format!("Basic {}", STANDARD.encode(user))));
        }
        secrets.extend_from_slice(request.secrets);
        for _ in 0..=MAX_REDIRECTS {
            // Lengths and ranges are to mean bytes of the file.
            let mut get = self.agent.get(&url).header("accept-encoding", "identity");
            for (name, value) in request.headers {
                get = get.header(*name, value);
            }
            if is_same_server(request.url, &url) {
                for (name, value) in &secrets {
                    let mut value = HeaderValue::from_str(value).map_err(|_| secret())?;
                    value.set_sensitive(true);
                    get = get.header(*name, value);
                }
            }
            tracing::debug!(url = address_told(&url), "GET");
            let response = get.config().timeout_recv_body(body).build().call();
            let response = response.map_err(|source| {
                // This one repeats the address.
                let source =
                    if matches!(source, Error::BadUri(_)) { Error::BadUri(address_told(&url)) } else { source };
                HttpError::Failed { url: address_told(&url), source: Box::new(source) }
            })?;
            let location = response.headers().get("location").and_then(|location| location.to_str().ok());
            match location.filter(|_| matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)) {
                // A user named by another server is not ours to send.
                Some(location) => url = without_user(&address_joined(&url, location)).0,
                None => return Ok(response),
            }
        }
        Err(HttpError::Redirects { url: address_told(request.url) })
    }
}
