//! Diffs on a replication server: which there are, and which of them an extract needs.
//!
//! `state.txt` names the newest; the others follow from their numbers. Each is folded as it comes, or kept in a folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use super::error::ChangesError;
use super::overlay::{Newest, Overlay};
use super::replication::{MAX_STATE_BYTES, Since, State, changes, name_of, read_state};
use crate::adapters::io::{Http, address_told, decompressed, input_of_bytes};
use crate::domain::Timestamp;

/// Largest diff. A day of the planet has about 150 MB.
const MAX_DIFF_BYTES: u64 = 2 << 30;

/// A replication server.
pub(super) struct Remote {
    http: Http,
    base: String,
    /// The address without what may be secret.
    told: String,
}

/// The diffs that an extract needs.
struct Range {
    /// Number of the last one that is in the extract.
    after: u64,
    newest: u64,
    /// The newest one's state file.
    state: Vec<u8>,
    notes: Vec<String>,
}

/// What a download did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::adapters::osm) struct Downloaded {
    /// Diffs that came, and their bytes.
    pub(in crate::adapters::osm) diffs: u64,
    pub(in crate::adapters::osm) size_bytes: u64,
    /// Diffs that were there before.
    pub(in crate::adapters::osm) kept: u64,
    /// Number of the last diff in the folder that the extract needs, and its date.
    pub(in crate::adapters::osm) sequence: Option<u64>,
    pub(in crate::adapters::osm) time: Option<Timestamp>,
    /// What a person should know.
    pub(in crate::adapters::osm) notes: Vec<String>,
}

impl Remote {
    pub(super) fn new(http: Http, url: &str) -> Self {
        let base = url.trim_end_matches('/').to_owned();
        Self { http, told: address_told(&base), base }
    }

    pub(super) fn read(&self, since: Since) -> Result<Overlay, ChangesError> {
        let Range { after, newest, mut notes, state } = self.range(since)?;
        let (mut folded, mut inputs) = (Newest::default(), Vec::new());
        let (mut last, mut without) = (after, 0);
        for number in after + 1..=newest {
            match self.diff(number)? {
                Some(bytes) => {
                    let name = format!("{}.osc.gz", name_of(number));
                    let text = decompressed(bytes.as_slice())
                        .map_err(|source| ChangesError::Read { path: name.clone().into(), source })?;
                    folded.append(changes(&format!("{}/{name}", self.told), text)?);
                    inputs.push(input_of_bytes(&name, &bytes));
                }
                None if self.state(number)?.is_some() => without += 1,
                None => {
                    notes.push(self.ends_before(number, newest)?);
                    break;
                }
            }
            last = number;
        }
        if last == after {
            notes.push(format!("{} holds nothing newer than the extract", self.told));
        }
        if without > 0 {
            let (base, all) = (&self.told, last - after);
            notes.push(format!("{without} of {all} diffs in {base} are state files only: nothing changed in them"));
        }
        let mut overlay = folded.into_overlay();
        if last > after {
            let state = if last == newest { Some(State::parse("state.txt", &state)?) } else { self.state(last)? };
            overlay.sequence = Some(last);
            overlay.vintage = state.and_then(|state| state.time).or(overlay.vintage);
        }
        overlay.inputs = inputs;
        overlay.notes = notes;
        Ok(overlay)
    }

    /// Brings what is missing into the folder; `on_bytes` is told of each diff.
    pub(super) fn download(
        &self,
        since: Since,
        folder: &Path,
        on_bytes: impl Fn(u64),
    ) -> Result<Downloaded, ChangesError> {
        let Range { after, newest, notes, state } = self.range(since)?;
        let mut done = Downloaded { notes, ..Downloaded::default() };
        for number in after + 1..=newest {
            let path = folder.join(format!("{}.osc.gz", name_of(number)));
            let state_path = folder.join(format!("{}.state.txt", name_of(number)));
            // The state file comes last: where it is, its number is done.
            if state_path.exists() {
                done.kept += 1;
                done.sequence = Some(number);
                continue;
            }
            let (diff, state) = (self.diff(number)?, self.state_bytes(number)?);
            if diff.is_none() && state.is_none() {
                done.notes.push(self.ends_before(number, newest)?);
                break;
            }
            if let Some(diff) = diff {
                write(&path, &diff)?;
                done.diffs += 1;
                done.size_bytes += diff.len() as u64;
                on_bytes(diff.len() as u64);
            }
            if let Some(state) = state {
                write(&state_path, &state)?;
            }
            done.sequence = Some(number);
        }
        write(&folder.join("state.txt"), &state)?;
        let last = done.sequence.map(|number| folder.join(format!("{}.state.txt", name_of(number))));
        if let Some(path) = last.filter(|path| path.exists()) {
            done.time = read_state(&path)?.time;
        }
        Ok(done)
    }

    /// A note that the server is a copy which ends before a number that is not there; an error where it goes on behind it.
    fn ends_before(&self, missing: u64, newest: u64) -> Result<String, ChangesError> {
        let place = self.told.clone();
        if self.state_bytes(newest)?.is_some() {
            return Err(ChangesError::Gap { place, missing, newest });
        }
        let last = missing - 1;
        Ok(format!("{place} ends with number {last}, although its state.txt speaks of {newest}"))
    }

    /// Which diffs `since` needs: by number where the extract's is of this series, else by date.
    fn range(&self, since: Since) -> Result<Range, ChangesError> {
        let url = format!("{}/state.txt", self.base);
        let bytes = self.http.get(&url, MAX_STATE_BYTES)?;
        let state = State::parse(&address_told(&url), &bytes)?;
        let Some(newest) = state.sequence else {
            return Err(ChangesError::State { name: address_told(&url), fault: "it has no sequenceNumber" });
        };
        let mut notes = Vec::new();
        let after = match (since.sequence, since.time) {
            (Some(own), _) if !self.is_foreign(own, since, state)? => own,
            (own, Some(time)) => {
                if own.is_some() {
                    let base = &self.told;
                    notes.push(format!(
                        "the numbers in {base} are of another series than the extract's: dates decide instead"
                    ));
                }
                self.number_at(time, newest, state.time)?
            }
            (_, None) => return Err(ChangesError::NoBeginning { place: self.told.clone() }),
        };
        Ok(Range { after, newest, state: bytes, notes })
    }

    /// Whether the dates say that the extract's number is not one of this server's.
    fn is_foreign(&self, own: u64, since: Since, newest: State) -> Result<bool, ChangesError> {
        let contradicts = |state: State| match (state.sequence, state.time) {
            (Some(sequence), Some(time)) => since.contradicts(sequence, time),
            _ => false,
        };
        if contradicts(newest) {
            return Ok(true);
        }
        Ok(since.time.is_some() && self.state(own)?.is_some_and(contradicts))
    }

    /// The last number that is not after `time`, by bisection.
    fn number_at(&self, time: Timestamp, newest: u64, newest_time: Option<Timestamp>) -> Result<u64, ChangesError> {
        if newest_time.is_some_and(|newest| newest <= time) {
            return Ok(newest);
        }
        let too_old = || ChangesError::TooOld { place: self.told.clone(), time };
        // Numbers up to `low` are not after it, or gone from the server; `high` is after it.
        let (mut high, mut step) = (newest, 1);
        let (mut low, mut low_is_there) = loop {
            let number = newest.saturating_sub(step);
            match self.state(number)?.and_then(|state| state.time) {
                Some(at) if at > time && number > 0 => high = number,
                Some(at) if at > time => return Err(too_old()),
                known => break (number, known.is_some()),
            }
            step *= 2;
        };
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.state(middle)?.and_then(|state| state.time) {
                Some(at) if at > time => high = middle,
                known => (low, low_is_there) = (middle, known.is_some()),
            }
        }
        if low_is_there { Ok(low) } else { Err(too_old()) }
    }

    fn state(&self, number: u64) -> Result<Option<State>, ChangesError> {
        let bytes = self.state_bytes(number)?;
        bytes.map(|bytes| State::parse(&address_told(&self.state_url(number)), &bytes)).transpose()
    }

    fn state_bytes(&self, number: u64) -> Result<Option<Vec<u8>>, ChangesError> {
        Ok(self.http.get_if_there(&self.state_url(number), MAX_STATE_BYTES)?)
    }

    fn state_url(&self, number: u64) -> String {
        format!("{}/{}.state.txt", self.base, name_of(number))
    }

    fn diff(&self, number: u64) -> Result<Option<Vec<u8>>, ChangesError> {
        let url = format!("{}/{}.osc.gz", self.base, name_of(number));
        Ok(self.http.get_if_there(&url, MAX_DIFF_BYTES)?)
    }
}

/// Writes a file whole or not at all, with the folders above it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ChangesError> {
    let part = path.with_extension("part");
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    });
    written.map_err(|source| ChangesError::Write { path: path.to_owned(), source })
}
