//! Fetch: the diffs since an extract, kept beside it, so that runs need no network and can be repeated.

use std::path::Path;

use super::OsmError;
use super::changes::{ChangesAt, ChangesError, Downloaded, download, kept_beside};
use super::file::PbfFile;
use super::source::{OsmPbf, since};
use crate::adapters::io::{Http, size_told};
use crate::domain::Timestamp;
use crate::pipeline::RunError;
use crate::pipeline::ports::{Observer, Unit};

/// The date that an extract states of itself; `None` where it is none, or states none.
#[must_use]
pub fn vintage_of(path: &Path) -> Option<Timestamp> {
    PbfFile::open(path).ok()?.header.vintage
}

impl OsmPbf {
    /// Brings the diffs since the extract from the server that `changes` names into the folder beside it, and tells in a
    /// sentence what came and where the extract now stands. What is there is not asked for again; where there is no
    /// server, the sentence says so.
    ///
    /// # Errors
    ///
    /// When the extract cannot be read, the server does not have the diffs that it needs, or they cannot be written.
    pub fn fetch(&self, http: &Http, observer: &dyn Observer) -> Result<String, RunError> {
        let url = match &self.changes {
            Some(ChangesAt::Url(url)) => url,
            Some(ChangesAt::Folder(path)) => {
                return Ok(format!("nothing to fetch: its changes are what is in {}", path.display()));
            }
            None => {
                return Ok(
                    "nothing to fetch: set `url` to the address of an extract, or `changes` to that of a replication folder"
                        .to_owned(),
                );
            }
        };
        observer.stage(&format!("fetch changes of {}", self.name), Unit::Bytes, None);
        self.fetch_from(http, url, observer).map_err(|error| match error {
            OsmError::Changes(ChangesError::Write { .. }) => RunError::failed(error),
            error => self.failed(error),
        })
    }

    fn fetch_from(&self, http: &Http, url: &str, observer: &dyn Observer) -> Result<String, OsmError> {
        let files = self.paths.iter().map(|path| PbfFile::open(path)).collect::<Result<Vec<_>, _>>()?;
        let since = since(&files)?;
        let (extract, kept) = (self.paths[0].display(), kept_beside(&self.paths[0]));
        let done = download(http.clone(), url, since, &kept, |bytes| observer.advance(bytes))?;
        for note in &done.notes {
            observer.note(note);
        }
        let Downloaded { diffs, size_bytes, kept: before, sequence, time, .. } = done;
        let stands = |sequence: Option<u64>, time: Option<_>| match (sequence, time) {
            (Some(sequence), Some(time)) => format!("number {sequence}, as of {time}"),
            (Some(sequence), None) => format!("number {sequence}"),
            (None, Some(time)) => format!("the state as of {time}"),
            (None, None) => "a state that is not stated".to_owned(),
        };
        Ok(match (sequence, diffs) {
            (None, _) => {
                let stands = stands(since.sequence, since.time);
                format!("nothing to fetch: the server has nothing newer than {extract}, which is at {stands}")
            }
            (Some(_), 0) => {
                let stands = stands(sequence, time);
                format!("nothing new to fetch: {} brings {extract} to {stands}", kept.display())
            }
            (Some(_), _) => {
                let (size, stands) = (size_told(size_bytes), stands(sequence, time));
                let before = if before > 0 { format!(" beside {before} that were there") } else { String::new() };
                let diffs = if diffs == 1 { "1 diff".to_owned() } else { format!("{diffs} diffs") };
                format!("fetched {diffs} ({size}){before}: {} brings {extract} to {stands}", kept.display())
            }
        })
    }
}
