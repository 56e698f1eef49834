//! The client: one page of stations at a time, not too often.

use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::station::Station;
use crate::adapters::io::{FetchError, Http, HttpError, Request, address_told, http_date, without_secrets};

/// Largest answer that is taken: 100,000 verbose records.
const MAX_ANSWER_BYTES: u64 = 1 << 30;

/// So much of an answer that is no list is told.
const TOLD_CHARS: usize = 120;

/// Asks one API.
pub(super) struct Client<'a> {
    pub(super) http: &'a Http,
    /// Address of the API, without `/poi`.
    pub(super) base: &'a str,
    pub(super) key: Option<&'a str>,
    /// Least time between two requests.
    pub(super) pace: Duration,
    /// When the last request was made.
    pub(super) asked: Option<Instant>,
    pub(super) requests: u64,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) stations: Vec<Station>,
    /// Records that have no id.
    pub(super) nameless: u64,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
}

impl Client<'_> {
    /// The stations that a query finds.
    pub(super) fn page(&mut self, query: &str) -> Result<Page, FetchError> {
        let url = self.url("poi", query);
        let (body, date) = self.json(&url)?;
        let no_list = |_| self.odd(&url, &body, "no list of stations");
        let records: Vec<&RawValue> = serde_json::from_slice(&body).map_err(no_list)?;
        let mut page = Page { stations: Vec::with_capacity(records.len()), nameless: 0, date };
        for record in records {
            match Station::parse(record.get()) {
                Some(station) => page.stations.push(station),
                None => page.nameless += 1,
            }
        }
        Ok(page)
    }

    /// The reference data, as they came.
    pub(super) fn reference(&mut self) -> Result<Vec<u8>, FetchError> {
        let url = self.url("referencedata", "output=json");
        let (body, _) = self.json(&url)?;
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(self.odd(&url, &body, "no reference data"));
        }
        Ok(body)
    }

    /// An answer that is JSON. One that is not was cut by something on the way, or is a page for people: some patience
    /// tells which.
    fn json(&mut self, url: &str) -> Result<(Vec<u8>, Option<Timestamp>), FetchError> {
        let mut patience = self.http.patience();
        loop {
            if let Some(asked) = self.asked {
                sleep(self.pace.saturating_sub(asked.elapsed()));
            }
            self.asked = Some(Instant::now());
            self.requests += 1;
            let secrets: Vec<(&str, String)> = self.key.map(|key| ("x-api-key", key.to_owned())).into_iter().collect();
            let answer = self.http.ask(&Request { url, headers: &[], secrets: &secrets }, MAX_ANSWER_BYTES)?;
            let date = answer.header("date").and_then(http_date);
            match serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body) {
                Ok(_) => return Ok((answer.body, date)),
                Err(error) => {
                    let cut = HttpError::CutOff { url: address_told(url), source: error.into() };
                    if !patience.wait(&cut) {
                        return Err(self.odd(url, &answer.body, "no JSON"));
                    }
                }
            }
        }
    }

    /// An answer that is not what was asked for.
    fn odd(&self, url: &str, body: &[u8], what: &str) -> FetchError {
        // A key that is cut could no longer be found.
        let text = without_secrets(&String::from_utf8_lossy(body), self.base, self.key);
        let beginning: String = text.trim().chars().take(TOLD_CHARS).collect();
        let message = format!("{what}: `{}`", beginning.escape_debug());
        FetchError::Answer { url: address_told(url), message }
    }

    /// An address below the API's, whose own query stays.
    fn url(&self, name: &str, query: &str) -> String {
        let (path, own) = self.base.split_once('?').unwrap_or((self.base, ""));
        let path = path.trim_end_matches('/').trim_end_matches("/poi");
        let and = if own.is_empty() { "" } else { "&" };
        format!("{path}/{name}?{own}{and}{query}")
    }
}
