//! Locations of an OCPI server: page after page into one JSON array.
//!
//! ```text
//! /versions ─▶ newest version ─▶ endpoint `locations` ─▶ pages (Link: rel="next", else offset and limit) ─▶ [ … ]
//! ```
//!
//! Any of these may be the address that is given; a server that answers with a bare array has but one page.
//!
//! - The token is sent as it is, as OCPI 2.1.1 and 2.2 want it, or in base64, as 2.2.1 and later do; it is sent to the
//!   server of the given address alone.
//! - A page may repeat records of the one before, because the list moved meanwhile: they are kept once.
//!
//! Source: <https://github.com/ocpi/ocpi>, `transport_and_format.asciidoc` and `version_information_endpoint.asciidoc`.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::adapters::io::{
    Answer, Archive, FetchError, FetchRecord, Http, HttpError, Part, Request, address_joined, address_told,
    behind_links, is_same_server, size_told, without_secrets,
};
use crate::pipeline::ports::{Observer, Unit};

/// Largest answer that is taken.
const MAX_ANSWER_BYTES: u64 = 1 << 30;

/// OCPI's word for success; others from 1001 to 1999 are successes too.
const SUCCESS: std::ops::Range<i64> = 1000..2000;

/// What is fetched, and where it goes.
pub struct OcpiPages<'a> {
    /// Over which line.
    pub http: &'a Http,
    /// Address of the locations, or of the versions.
    pub url: &'a str,
    /// The token that says who asks.
    pub token: Option<&'a str>,
    /// How it is written; `None`: as it is, and where that is refused, in base64.
    pub token_is_base64: Option<bool>,
    /// Most records of an answer, where the server allows as many.
    pub page_size: u64,
    /// Least time between two requests.
    pub pace: Duration,
    /// To where.
    pub input: &'a Path,
    /// Where the earlier input goes.
    pub archive: Archive<'a>,
}

/// What every answer is wrapped in.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    status_code: Option<i64>,
    status_message: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    url: String,
}

#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    identifier: String,
    role: Option<String>,
    url: String,
}

/// What makes a location one.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct LocationKey {
    country_code: Option<String>,
    party_id: Option<String>,
    id: String,
}

/// A conversation with one server.
struct Talk<'a> {
    pages: &'a OcpiPages<'a>,
    is_base64: bool,
    may_change: bool,
    asked: Option<Instant>,
    requests: u64,
}

impl OcpiPages<'_> {
    /// Brings all locations, and tells in a sentence what was done.
    ///
    /// # Errors
    ///
    /// When the server does not answer as it should, or something cannot be written. The earlier input is then still in
    /// place.
    pub fn fetch(&self, observer: &dyn Observer) -> Result<String, FetchError> {
        let input = behind_links(self.input);
        if input.is_dir() {
            return Err(FetchError::Folder { path: self.input.to_owned() });
        }
        observer.stage(&format!("fetch {}", self.archive.source), Unit::Rows, None);
        let mut part = Part::open(&input)?;
        part.clear()?;
        let locations = match self.locations(&mut part, observer) {
            Ok(locations) => locations,
            // The next call begins anew: what comes later could not be put beside these pages.
            Err(error) => {
                part.discard();
                return Err(error);
            }
        };
        if locations == 0 && has_something(&input) {
            part.discard();
            let (url, input) = (address_told(self.url), self.input.display());
            let message = format!(
                "{url} has no location at all where it had some before; {input} stays as it is, and if that is right, remove it"
            );
            return Err(FetchError::Unfit { message });
        }
        let record = FetchRecord::of(self.url, &part.path)?;
        let is_same = record.is_of(&input)?;
        let archived = self.archive.replace(&part.path, &input, &record)?;
        part.finish();
        let told = format!("fetched {locations} locations ({})", size_told(record.size_bytes));
        let path = self.input.display();
        Ok(match archived {
            Some(kept) => format!("{told}: {path} is new, and what it was is kept in {}", kept.display()),
            None if is_same => format!("{told}: {path} is the same as before"),
            None => format!("{told}: {path} is new"),
        })
    }

    /// Writes all locations as an array; returns how many.
    fn locations(&self, part: &mut Part, observer: &dyn Observer) -> Result<u64, FetchError> {
        let (is_base64, may_change) = (self.token_is_base64.unwrap_or(false), self.token_is_base64.is_none());
        let mut talk = Talk { pages: self, is_base64, may_change, asked: None, requests: 0 };
        let mut next = Some(self.url.to_owned());
        let (mut visited, mut keys, mut others) = (BTreeSet::new(), HashSet::new(), HashSet::new());
        // Records that came, those that came twice counted twice: what offsets count.
        let (mut came, mut kept, mut first) = (0_u64, 0_u64, None);
        while let Some(url) = next.take() {
            if !visited.insert(url.clone()) {
                let message = "a next page that was there before; its pages have no end".to_owned();
                return Err(FetchError::Answer { url: address_told(&url), message });
            }
            let answer = talk.ask(&url)?;
            let data = data(&answer).map_err(|message| FetchError::Answer {
                url: address_told(&url),
                message: without_secrets(&message, self.url, self.token),
            })?;
            if let (None, Some(endpoint)) = (&first, endpoint(&url, data)?) {
                next = Some(endpoint);
                continue;
            }
            let first = &*first.get_or_insert_with(|| url.clone());
            let records: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|_| FetchError::Answer {
                url: address_told(&url),
                message: "data that are no list of locations".to_owned(),
            })?;
            let (offset, mut lines, mut has_new) = (came, Vec::new(), false);
            for record in &records {
                came += 1;
                match serde_json::from_str::<LocationKey>(record.get()).map(|key| keys.insert(key)) {
                    Ok(true) => has_new = true,
                    Ok(false) => continue,
                    // What has no id is the reader's affair.
                    Err(_) => has_new |= others.insert(record.get().to_owned()),
                }
                lines.extend_from_slice(if kept == 0 { b"[\n" } else { b",\n" });
                lines.extend_from_slice(record.get().as_bytes());
                kept += 1;
            }
            part.append(&lines)?;
            observer.advance(records.len() as u64);

            let number = |name| answer.header(name).and_then(|text| text.trim().parse::<u64>().ok());
            next = match (answer.headers("link").find_map(next_link), number("x-total-count")) {
                (Some(link), _) => Some(address_joined(&url, &link)),
                (None, Some(total)) if came < total && came > offset => {
                    let limit = number("x-limit").map_or(self.page_size, |limit| limit.clamp(1, self.page_size));
                    Some(with_query(first, &[("offset", came), ("limit", limit)]))
                }
                (None, Some(total)) if came < total => {
                    let message = format!("{came} locations where it speaks of {total}; the input stays as it is");
                    return Err(FetchError::Answer { url: address_told(&url), message });
                }
                _ => None,
            };
            if next.is_some() && !has_new {
                let message = "a page without a new location that names a next one; its pages have no end".to_owned();
                return Err(FetchError::Answer { url: address_told(&url), message });
            }
        }
        part.append(if kept == 0 { b"[]\n" } else { b"\n]\n" })?;
        part.sync()?;
        tracing::debug!(requests = talk.requests, came, kept, "pages of locations");
        Ok(kept)
    }
}

impl Talk<'_> {
    fn ask(&mut self, url: &str) -> Result<Answer, FetchError> {
        loop {
            if let Some(asked) = self.asked {
                sleep(self.pages.pace.saturating_sub(asked.elapsed()));
            }
            self.asked = Some(Instant::now());
            self.requests += 1;
            // The token is for the server that it was given for, wherever a page may lead.
            let token = self.pages.token.filter(|_| is_same_server(self.pages.url, url)).map(|token| {
                let token = if self.is_base64 { STANDARD.encode(token) } else { token.to_owned() };
                ("authorization", format!("Token {token}"))
            });
            let secrets: Vec<_> = token.into_iter().collect();
            match self.pages.http.ask(&Request { url, headers: &[], secrets: &secrets }, MAX_ANSWER_BYTES) {
                Err(HttpError::Status { status: 401, .. }) if self.may_change && !secrets.is_empty() => {
                    (self.is_base64, self.may_change) = (true, false);
                }
                answer => return Ok(answer?),
            }
        }
    }
}

/// Whether a file holds more than an empty list.
fn has_something(input: &Path) -> bool {
    let Ok(file) = File::open(input) else { return false };
    let mut begin = Vec::new();
    // One that cannot be read is not one to replace by nothing.
    let read = file.take(64).read_to_end(&mut begin);
    begin.retain(|byte| !byte.is_ascii_whitespace());
    read.is_err() || !matches!(begin.as_slice(), b"" | b"[]")
}

/// Where the locations are, where these are data of versions or of one version.
fn endpoint(url: &str, data: &RawValue) -> Result<Option<String>, FetchError> {
    let nothing =
        |what: &str| FetchError::Answer { url: address_told(url), message: format!("versions without {what}") };
    if let Ok(versions) = serde_json::from_str::<Vec<Version>>(data.get())
        && !versions.is_empty()
    {
        let number =
            |version: &Version| version.version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
        let usable = versions.iter().filter(|version| number(version) >= vec![2, 1, 1] && number(version) < vec![3]);
        let newest = usable.max_by_key(|version| number(version)).ok_or_else(|| nothing("one from 2.1.1 to 2.x"))?;
        return Ok(Some(address_joined(url, &newest.url)));
    }
    let Ok(Endpoints { endpoints }) = serde_json::from_str(data.get()) else { return Ok(None) };
    let is_sender = |endpoint: &&Endpoint| {
        endpoint.identifier == "locations"
            && endpoint.role.as_deref().is_none_or(|role| role.eq_ignore_ascii_case("sender"))
    };
    let found = endpoints.iter().find(is_sender).ok_or_else(|| nothing("an endpoint `locations` of a sender"))?;
    Ok(Some(address_joined(url, &found.url)))
}

/// What an answer holds, without its envelope.
fn data(answer: &Answer) -> Result<&RawValue, String> {
    if answer.body.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(&answer.body).map_err(|error| format!("JSON that breaks off: {error}"));
    }
    let envelope: Envelope<'_> = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    match (envelope.status_code, envelope.data) {
        (Some(code), _) if !SUCCESS.contains(&code) => {
            let said = envelope.status_message.map_or(String::new(), |said| format!(": {}", said.escape_debug()));
            Err(format!("status_code {code}{said}"))
        }
        (_, Some(data)) => Ok(data),
        (_, None) => Err("an envelope without data".to_owned()),
    }
}

/// The address of the next page in a header `Link` (RFC 8288), e.g. `<https://…>; rel="next"`.
fn next_link(header: &str) -> Option<String> {
    split_bare(header, ',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next =
            split_bare(parameters, ';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
            });
        is_next.then(|| address.trim().to_owned())
    })
}

/// What lies between separators that are neither in quotes nor in an address.
fn split_bare(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut in_quotes, mut in_address, mut is_escaped) = (false, false, false);
    text.split(move |c| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' if !in_address => in_quotes = !in_quotes,
            '<' if !in_quotes => in_address = true,
            '>' if !in_quotes => in_address = false,
            _ => return c == separator && !in_quotes && !in_address,
        }
        false
    })
}

/// An address with these in its query, in place of what it had under their names.
fn with_query(url: &str, values: &[(&str, u64)]) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let is_other =
        |pair: &&str| !pair.is_empty() && !values.iter().any(|(name, _)| pair.split('=').next() == Some(name));
    let others = query.split('&').filter(is_other).map(str::to_owned);
    let pairs: Vec<String> = others.chain(values.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests;
