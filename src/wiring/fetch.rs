//! Fetch: which way each source is brought up to date.

use std::path::Path;

use super::{Wired, osm_pbf};
use crate::adapters::io::{Archive, Content, Download, FetchError, Http};
use crate::adapters::ocpi::OcpiPages;
use crate::adapters::open_charge_map::OcmApi;
use crate::adapters::osm::vintage_of;
use crate::config::{FetchSettings, Secret, SourceKind, SourceSettings};
use crate::domain::Timestamp;
use crate::pipeline::RunError;
use crate::pipeline::ports::Observer;

/// What of a pipeline is fetched.
#[derive(Debug, Clone, Default)]
pub struct FetchWanted {
    /// Only these sources; all where there are none.
    pub only: Vec<String>,
    /// Everything anew, not only what changed: extracts in place of diffs, and all stations of an API.
    pub full: bool,
}

impl Wired {
    /// Brings the sources up to date, one after the other, and tells of each what was done. A source that fails is an
    /// element that does; what it had is still there, and the others are fetched all the same.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] when a source is wanted that the pipeline does not have.
    pub fn fetch<'a>(
        &'a self,
        wanted: &'a FetchWanted,
        observer: &'a dyn Observer,
    ) -> Result<impl Iterator<Item = Result<String, RunError>> + 'a, RunError> {
        if let Some(unknown) = wanted.only.iter().find(|name| !self.sources.iter().any(|source| source.name == **name))
        {
            let known: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
            let known = known.join(", ");
            return Err(RunError::settings(format!(
                "--only {unknown}: the pipeline has no source `{unknown}`; it has: {known}"
            )));
        }
        let http = Http::new(self.retries.attempts, self.retries.first_pause);
        let sources = self.sources.iter().filter(|source| wanted.only.is_empty() || wanted.only.contains(&source.name));
        Ok(sources.map(move |source| {
            for note in &source.fetch.notes {
                observer.note(&format!("{}: {note}", source.name));
            }
            let told = self.fetch_source(source, &http, wanted.full, observer)?;
            Ok(format!("{}: {told}", source.name))
        }))
    }

    fn fetch_source(
        &self,
        source: &SourceSettings,
        http: &Http,
        full: bool,
        observer: &dyn Observer,
    ) -> Result<String, RunError> {
        let failed = |error: FetchError| {
            if error.is_of_machine() { RunError::failed(error) } else { RunError::input(&source.name, error) }
        };
        let (fetch, input) = (&source.fetch, source.paths[0].as_path());
        let url = fetch.url.as_ref().map(Secret::reveal);
        let archive = || Archive { source: &source.name, keep: fetch.archive, vintage_of: vintage_in(&source.kind) };
        match (&source.kind, url) {
            (SourceKind::OsmPbf, _) => {
                let has_diffs = source.changes.as_deref().is_some_and(|changes| changes.contains("://"));
                let Some(url) = url.filter(|_| !has_diffs || full || !input.exists()) else {
                    return osm_pbf(source.clone()).fetch(http, observer);
                };
                if source.paths.len() > 1 {
                    let message = "`url` is the address of one file, and `path` names several; give each file a source"
                        .to_owned();
                    return Err(failed(FetchError::Unfit { message }));
                }
                let told = download(source, url, http, archive(), Content::NoMarkup, observer).map_err(failed)?;
                if !has_diffs {
                    return Ok(told);
                }
                let diffs = osm_pbf(source.clone()).fetch(http, observer)?;
                Ok(format!("{told}; {diffs}"))
            }
            (SourceKind::OpenChargeMap { reference }, url) if fetch.is_api => {
                let FetchSettings { country, api_key, page_size, pace, full_every_days, .. } = fetch;
                let api = OcmApi {
                    http,
                    url,
                    key: api_key.as_ref().map(Secret::reveal),
                    country: country.as_deref(),
                    boxes: self.pipeline.region.read_boxes(),
                    page_size: *page_size,
                    pace: *pace,
                    full,
                    full_every_days: *full_every_days,
                    input,
                    reference: reference.as_deref(),
                    archive: archive(),
                };
                api.fetch(observer).map_err(failed)
            }
            (SourceKind::Ocpi, Some(url)) if fetch.is_api => {
                let FetchSettings { token, token_is_base64, page_size, pace, .. } = fetch;
                let pages = OcpiPages {
                    http,
                    url,
                    token: token.as_ref().map(Secret::reveal),
                    token_is_base64: *token_is_base64,
                    page_size: *page_size,
                    pace: *pace,
                    input,
                    archive: archive(),
                };
                pages.fetch(observer).map_err(failed)
            }
            (kind, Some(url)) => {
                let content = if matches!(kind, SourceKind::Table(_)) { Content::Any } else { Content::NoMarkup };
                download(source, url, http, archive(), content, observer).map_err(failed)
            }
            (_, None) => Ok(format!("nothing to fetch: no `url` is set; {} stays as it is", input.display())),
        }
    }
}

/// How an input of this kind is asked for its date.
fn vintage_in(kind: &SourceKind) -> &'static dyn Fn(&Path) -> Option<Timestamp> {
    match kind {
        SourceKind::OsmPbf => &vintage_of,
        SourceKind::OpenChargeMap { .. } | SourceKind::Ocpi | SourceKind::Table(_) => &|_| None,
    }
}

fn download(
    source: &SourceSettings,
    url: &str,
    http: &Http,
    archive: Archive<'_>,
    content: Content,
    observer: &dyn Observer,
) -> Result<String, FetchError> {
    let fetch = &source.fetch;
    let key = fetch.api_key.iter().map(|key| ("x-api-key", key.reveal().to_owned()));
    let token = fetch.token.iter().map(|token| ("authorization", format!("Token {}", token.reveal())));
    let secrets: Vec<(&'static str, String)> = key.chain(token).collect();
    let (input, checksum) = (source.paths[0].as_path(), &fetch.checksum);
    Download { http, url, secrets: &secrets, input, checksum, content, archive }.fetch(observer)
}
