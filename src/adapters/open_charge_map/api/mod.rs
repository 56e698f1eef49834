//! The API of Open Charge Map, or of a mirror: brings a file of stations up to date.
//!
//! ```text
//! client (one page) ─▶ crawl (by id, else by box: tree) ─▶ part ─▶ stored (merged by id) ─▶ archive ─▶ in place
//! ```
//!
//! - **Everything** is asked for the first time, every so many days, and when told to; what did not come again is gone.
//! - **Changes** are asked for otherwise, by `modifiedsince`, which looks at `DateLastStatusUpdate`; they cannot tell what is
//!   gone. They overlap by ten minutes, as those of Open Charge Map's own mirrors do.
//! - **Source**: `openchargemap/ocm-system`, `APIRequestParams` and `POIManager`.

mod client;
mod crawl;
mod station;
mod stored;
#[cfg(test)]
mod tests;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::client::Client;
use self::crawl::{Scope, crawl};
use self::stored::merge;
use crate::adapters::io::{
    Archive, FetchError, FetchRecord, Http, Part, address_told, behind_links, beside, write_whole,
};
use crate::pipeline::ports::{Observer, Unit};

/// The API where no other is named.
const DEFAULT_API: &str = "https://api.openchargemap.io/v3";

/// Changes are asked for from so long before the newest that is known.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// What is fetched from the API, and where it goes.
pub struct OcmApi<'a> {
    /// Over which line.
    pub http: &'a Http,
    /// Address of the API; Open Charge Map's own where there is none.
    pub url: Option<&'a str>,
    /// The key that says who asks.
    pub key: Option<&'a str>,
    /// The only country that is asked for.
    pub country: Option<&'a str>,
    /// The only boxes that are asked for, west, south, east, north, where no country is.
    pub boxes: Vec<[f64; 4]>,
    /// Most records of an answer.
    pub page_size: u64,
    /// Least time between two requests.
    pub pace: Duration,
    /// Whether everything is asked for whatever is there.
    pub full: bool,
    /// Every so many days everything is asked for.
    pub full_every_days: u64,
    /// To where.
    pub input: &'a Path,
    /// To where the reference data go, if anywhere.
    pub reference: Option<&'a Path>,
    /// Where the earlier input goes.
    pub archive: Archive<'a>,
}

/// Where the stored file stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sync {
    scope: Scope,
    /// The newest update that is in it with everything before it.
    watermark: Option<Timestamp>,
    /// The server's clock when everything was last asked for.
    full_at: Timestamp,
    stations: u64,
}

impl OcmApi<'_> {
    /// Brings the file up to date, and tells in a sentence what was done.
    ///
    /// # Errors
    ///
    /// When the API does not answer as it should, or something cannot be written. The earlier input is then still in place,
    /// and the pages that came are kept for the next call.
    pub fn fetch(&self, observer: &dyn Observer) -> Result<String, FetchError> {
        let url = self.url.unwrap_or(DEFAULT_API);
        if self.key.is_none() && address_told(url).contains("openchargemap.io") {
            return Err(FetchError::Unfit {
                message: "Open Charge Map wants to know who asks: get a key at https://openchargemap.org/site/profile/applications, \
                          put it into an environment variable, and name that in the source: api_key = { env = \"OCM_API_KEY\" }"
                    .to_owned(),
            });
        }
        let input = behind_links(self.input);
        if input.is_dir() {
            return Err(FetchError::Folder { path: self.input.to_owned() });
        }
        let mut part = Part::open(&input)?;
        let boxes = if self.country.is_some() { Vec::new() } else { self.boxes.clone() };
        let scope = Scope { api: address_told(url), country: self.country.map(str::to_owned), boxes };

        // Only what was stored here is sorted and known to be whole.
        let record = FetchRecord::read(&input).filter(|record| record.is_from(url));
        let stored = record
            .and_then(|record| serde_json::from_value::<Sync>(record.sync.clone()?).ok().map(|sync| (record, sync)));
        let stored = match stored.filter(|(_, sync)| sync.scope == scope) {
            Some((record, sync)) if record.is_of(&input)? => Some(sync),
            _ => None,
        };
        let since = stored.as_ref().filter(|sync| !self.full && !self.is_due(sync)).and_then(|sync| sync.watermark);
        let since = since.and_then(|watermark| watermark.checked_sub(OVERLAP).ok());

        observer.stage(&format!("fetch {}", self.archive.source), Unit::Rows, None);
        let (base, key, pace) = (url, self.key, self.pace);
        let mut client = Client { http: self.http, base, key, pace, asked: None, requests: 0 };
        let crawled = match crawl(&mut client, &mut part, &scope, self.page_size, since, observer) {
            Ok(crawled) => crawled,
            Err(error) => {
                // There is nothing to go on with, or no way to.
                if part.size_bytes() == 0 || matches!(error, FetchError::Unfit { .. }) {
                    part.discard();
                }
                return Err(error);
            }
        };
        if crawled.nameless > 0 {
            observer.note(&format!("{} records of {} have no id and were left out", crawled.nameless, scope.api));
        }
        if crawled.repeated > 0 {
            let repeated = crawled.repeated;
            observer.note(&format!("{repeated} records of {} repeat the id of another and were left out", scope.api));
        }
        if crawled.lines.is_empty() && crawled.nameless > 0 {
            part.discard();
            let message = format!(
                "{} gives {} records and none with an id; {} stays as it is",
                scope.api,
                crawled.nameless,
                self.input.display()
            );
            return Err(FetchError::Unfit { message });
        }
        let is_whole = since.is_none() && crawled.overfull == 0;
        if crawled.overfull > 0 {
            observer.note(&format!(
                "{} places of about a metre hold more records than {} gives at once: some may be missing, so none is taken to \
                 be gone; raise `page_size`",
                crawled.overfull, scope.api
            ));
        }
        if since.is_none() && crawled.lines.is_empty() && stored.as_ref().is_some_and(|sync| sync.stations > 0) {
            part.discard();
            let message = format!(
                "{} has no station at all where it had some before; {} stays as it is, and if that is right, remove it",
                scope.api,
                self.input.display()
            );
            return Err(FetchError::Unfit { message });
        }

        let new = beside(&part.path, ".merged");
        let old = stored.as_ref().map(|_| input.as_path());
        let merged = merge(old, &part.path, crawled.lines.iter().map(|(id, at)| (*id, *at)), &new, !is_whole)?;
        let full_at = match (&stored, since) {
            (Some(sync), Some(_)) => sync.full_at,
            _ => crawled.begun,
        };
        let watermark =
            crawled.watermark.max(stored.as_ref().filter(|_| since.is_some()).and_then(|sync| sync.watermark));
        let sync = Sync { scope, watermark, full_at, stations: merged.all };
        let sync = serde_json::to_value(sync).map_err(|error| FetchError::write(&new, error.into()))?;
        let record = FetchRecord { sync: Some(sync), ..FetchRecord::of(url, &new)? };
        let archived = self.archive.replace(&new, &input, &record)?;
        part.discard();

        let what = match since {
            None => format!("fetched all {} stations", merged.all),
            Some(since) => format!("fetched what changed since {since}, {} stations by now", merged.all),
        };
        let requests = client.requests;
        let resumed = match crawled.resumed {
            0 => String::new(),
            resumed => format!(", {resumed} of them by an earlier call"),
        };
        let differs = match &stored {
            None => String::new(),
            Some(_) if is_whole => {
                format!(": {} are new, {} changed, {} are gone", merged.added, merged.changed, merged.gone)
            }
            Some(_) => format!(": {} are new, {} changed", merged.added, merged.changed),
        };
        let kept = archived
            .map_or(String::new(), |path| format!("; what {} was is kept in {}", self.input.display(), path.display()));
        let reference = match self.reference.map(|path| fetch_reference(&mut client, path)) {
            None => "",
            Some(Ok(true)) => "; the reference data are new",
            Some(Ok(false)) => "; the reference data are the same",
            Some(Err(error)) => {
                let told = format!("{what}{differs}{kept}");
                return Err(FetchError::Reference { told, source: Box::new(error) });
            }
        };
        Ok(format!("{what} ({requests} requests){resumed}{differs}{kept}{reference}"))
    }

    /// Whether everything is to be asked for again.
    fn is_due(&self, sync: &Sync) -> bool {
        let days = i64::try_from(self.full_every_days).unwrap_or(i64::MAX / 86_400).min(100_000);
        Timestamp::now().duration_since(sync.full_at) >= SignedDuration::from_hours(24 * days)
    }
}

/// Brings the reference data; tells whether they are new.
fn fetch_reference(client: &mut Client<'_>, path: &Path) -> Result<bool, FetchError> {
    let came = client.reference()?;
    let path: PathBuf = behind_links(path);
    if fs::read(&path).is_ok_and(|known| known == came) {
        return Ok(false);
    }
    write_whole(&path, &came).map_err(|source| FetchError::write(&path, source))?;
    Ok(true)
}
