//! Diffs in a folder: which there are, and which of them an extract needs.
//!
//! A folder is laid out as replication servers do (`000/003/048.osc.gz` with `000/003/048.state.txt`, and `state.txt` of the
//! newest), or it is just full of `*.osc.gz`, with or without state files beside them.
//!
//! Source: <https://wiki.openstreetmap.org/wiki/Planet.osm/diffs>.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rayon::prelude::*;

use super::error::{ChangesError, OscFault};
use super::overlay::{Newest, Overlay};
use crate::adapters::io::{input_of, open_decompressed};
use crate::domain::{Input, Timestamp};

/// Largest state file. Real ones have a hundred bytes.
pub(super) const MAX_STATE_BYTES: u64 = 64 << 10;

/// Diffs read at a time: enough to keep the threads busy, few enough to hold in memory.
const BATCH: usize = 16;

/// How far the dates of an extract and of the diff of the same number may be apart; more, and they are of different series.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// Where an extract stands, as its header states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::adapters::osm) struct Since {
    /// Number of the last diff that is in it (`osmosis_replication_sequence_number`).
    pub(in crate::adapters::osm) sequence: Option<u64>,
    /// Date of its data (`osmosis_replication_timestamp`).
    pub(in crate::adapters::osm) time: Option<Timestamp>,
}

impl Since {
    /// Whether a diff of this number and date cannot belong to the series that the extract's number is of.
    pub(super) fn contradicts(self, sequence: u64, time: Timestamp) -> bool {
        let (Some(own), Some(own_time)) = (self.sequence, self.time) else { return false };
        let ahead = time.duration_since(own_time);
        (sequence <= own && ahead > SLACK) || (sequence >= own && ahead < -SLACK)
    }

    /// Whether a series whose newest diff has this state holds nothing newer.
    fn reaches(self, newest: State) -> bool {
        (newest.sequence.is_some() && newest.sequence <= self.sequence)
            || (newest.time.is_some() && newest.time <= self.time)
    }
}

/// What a state file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) sequence: Option<u64>,
    pub(super) time: Option<Timestamp>,
}

impl State {
    /// Reads Java properties: `sequenceNumber=3071` and `timestamp=2021-08-25T20\:21\:18Z`.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Self, ChangesError> {
        let wrong = |fault| ChangesError::State { name: name.to_owned(), fault };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
        let mut state = Self { sequence: None, time: None };
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match key.trim() {
                "sequenceNumber" => {
                    let number = value.trim().parse().map_err(|_| wrong("its sequenceNumber is not a number"))?;
                    state.sequence = Some(number);
                }
                "timestamp" => {
                    let time = value.replace('\\', "").trim().parse();
                    state.time = Some(time.map_err(|_| wrong("its timestamp is not a date"))?);
                }
                _ => {}
            }
        }
        if state.sequence.is_none() && state.time.is_none() {
            return Err(wrong("it has neither sequenceNumber nor timestamp"));
        }
        Ok(state)
    }
}

/// A number of a series, or a file without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diff {
    /// Path below the folder with `/`, without endings: `000/003/048`.
    pub(super) name: String,
    pub(super) sequence: Option<u64>,
    pub(super) time: Option<Timestamp>,
    /// The file. `None`: there is only a state file, so nothing changed.
    pub(super) file: Option<PathBuf>,
}

/// Diffs to apply, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) diffs: Vec<Diff>,
    pub(super) notes: Vec<String>,
}

/// Reads what changed after `since` from a folder.
pub(super) fn read(path: &Path, since: Since) -> Result<Overlay, ChangesError> {
    let place = path.display().to_string();
    let (found, state) = list(path)?;
    // A copy of a server may have nothing to apply: nothing is newer, or nothing changed.
    let is_copy = state.is_some_and(|state| since.reaches(state) || !found.is_empty());
    if found.iter().all(|diff| diff.file.is_none()) && !is_copy {
        return Err(ChangesError::None { path: path.to_owned() });
    }
    let promised = state.and_then(|state| state.sequence);
    let newest = found.iter().filter_map(|diff| diff.sequence).max();
    let Selection { diffs, mut notes } = select(&place, found, since)?;
    if let (Some(promised), Some(newest)) = (promised, newest)
        && promised > newest
    {
        notes.push(format!("{place} ends with number {newest}, although its state.txt speaks of {promised}"));
    }
    let (mut newest, mut inputs) = (Newest::default(), Vec::new());
    let files: Vec<(&str, &Path)> =
        diffs.iter().filter_map(|diff| Some((diff.name.as_str(), diff.file.as_deref()?))).collect();
    for batch in files.chunks(BATCH) {
        let read: Vec<_> = batch.par_iter().map(|(name, file)| read_file(name, file)).collect();
        for result in read {
            let (input, changes) = result?;
            inputs.push(input);
            newest.append(changes);
        }
    }
    let mut overlay = newest.into_overlay();
    overlay.sequence = diffs.last().and_then(|diff| diff.sequence);
    overlay.vintage = diffs.iter().filter_map(|diff| diff.time).max().or(overlay.vintage);
    overlay.inputs = inputs;
    overlay.notes = notes;
    Ok(overlay)
}

fn read_file(name: &str, path: &Path) -> Result<(Input, Newest), ChangesError> {
    let unreadable = |source| ChangesError::Read { path: path.to_owned(), source };
    let input = input_of(path).map_err(unreadable)?;
    // The name alone is that of a thousand others.
    let folders = name.rsplit_once('/').map_or(String::new(), |(folders, _)| format!("{folders}/"));
    let input = Input { name: folders + &input.name, ..input };
    let text = open_decompressed(path, |_| ()).map_err(unreadable)?;
    let changes = changes(&path.display().to_string(), text)?;
    Ok((input, changes))
}

/// The changes in a file of this name.
pub(super) fn changes(name: &str, text: impl BufRead) -> Result<Newest, ChangesError> {
    let damaged =
        |(offset_bytes, source): (u64, OscFault)| ChangesError::Damaged { name: name.to_owned(), offset_bytes, source };
    Newest::of_file(text).map_err(damaged)
}

/// The diffs that `since` needs, in order.
///
/// By number, where the extract and the diffs have numbers of one series; else by date; else all of them.
pub(super) fn select(place: &str, mut found: Vec<Diff>, since: Since) -> Result<Selection, ChangesError> {
    let mut notes = Vec::new();
    let numbered = found.iter().all(|diff| diff.sequence.is_some());
    let dated = found.iter().all(|diff| diff.time.is_some());
    found.sort_by(|a, b| a.sequence.cmp(&b.sequence).then_with(|| counted(&a.name).cmp(&counted(&b.name))));
    if !numbered && dated {
        found.sort_by_key(|diff| diff.time);
    }
    for pair in found.windows(2) {
        if let (Some(sequence), true) = (pair[0].sequence, pair[0].sequence == pair[1].sequence) {
            let (first, second) = (pair[0].name.clone(), pair[1].name.clone());
            return Err(ChangesError::Twice { place: place.to_owned(), sequence, first, second });
        }
    }
    let foreign = found.iter().any(|diff| match (diff.sequence, diff.time) {
        (Some(sequence), Some(time)) => since.contradicts(sequence, time),
        _ => false,
    });
    if foreign {
        notes.push(format!("the numbers in {place} are of another series than the extract's: dates decide instead"));
    }
    let gap = |missing, found: &[Diff]| ChangesError::Gap {
        place: place.to_owned(),
        missing,
        newest: found.last().and_then(|diff| diff.sequence).unwrap_or(missing),
    };
    let mut diffs = found;
    if let (Some(own), true, false) = (since.sequence, numbered, foreign) {
        diffs.retain(|diff| diff.sequence > Some(own));
        if let Some(first) = diffs.first()
            && first.sequence != own.checked_add(1)
        {
            return Err(gap(own + 1, &diffs));
        }
    } else if let (Some(own), true) = (since.time, dated) {
        let before = diffs.len();
        diffs.retain(|diff| diff.time > Some(own));
        if before > 0 && diffs.len() == before {
            notes.push(format!("{place} begins after {own}: whether a diff is missing in between cannot be told"));
        }
    } else {
        notes.push(format!("{place} and the extract share neither numbers nor dates: every diff is applied"));
    }
    if numbered {
        for pair in diffs.windows(2) {
            let due = pair[0].sequence.and_then(|sequence| sequence.checked_add(1));
            if let Some(due) = due.filter(|_| pair[1].sequence != due) {
                return Err(gap(due, &diffs));
            }
        }
    }
    if diffs.is_empty() {
        notes.push(format!("{place} holds nothing newer than the extract"));
    }
    let without = diffs.iter().filter(|diff| diff.file.is_none()).count();
    if without > 0 {
        notes.push(format!(
            "{without} of {} diffs in {place} are state files only: nothing changed in them",
            diffs.len()
        ));
    }
    Ok(Selection { diffs, notes })
}

/// A name as people count: what comes before its last number, and that number.
fn counted(name: &str) -> (&str, usize, &str) {
    let head = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = name[head.len()..].trim_start_matches('0');
    (head, digits.len(), digits)
}

/// Every diff of a folder, and what its `state.txt` says of the newest.
fn list(path: &Path) -> Result<(Vec<Diff>, Option<State>), ChangesError> {
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ChangesError::Missing { path: path.to_owned() },
        _ => ChangesError::Read { path: path.to_owned(), source },
    })?;
    let mut files = BTreeMap::new();
    let mut newest = None;
    if metadata.is_dir() {
        collect(path, "", &mut files)?;
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stem, _) = name.split_once(".osc").unwrap_or((&name, ""));
        let state = path.with_file_name(format!("{stem}.state.txt"));
        files.insert(stem.to_owned(), (Some(path.to_owned()), Some(state).filter(|state| state.exists())));
    }
    let top = path.join("state.txt");
    if metadata.is_dir() && top.exists() {
        newest = Some(read_state(&top)?);
    }
    let mut found = Vec::new();
    for (name, (file, state)) in files {
        let state = state.as_deref().map(read_state).transpose()?;
        let stated = state.and_then(|state| state.sequence);
        let laid_out = number_of(&name);
        if let (Some(stated), Some(number)) = (stated, laid_out)
            && stated != number
        {
            return Err(ChangesError::Misnamed { place: path.display().to_string(), name, stated });
        }
        let (sequence, time) = (laid_out.or(stated), state.and_then(|state| state.time));
        // A lone state file without a number says nothing of diffs.
        if file.is_some() || sequence.is_some() {
            found.push(Diff { name, sequence, time, file });
        }
    }
    Ok((found, newest))
}

/// Diffs and state files by the name that they share.
type Files = BTreeMap<String, (Option<PathBuf>, Option<PathBuf>)>;

/// Gathers the files of a folder, and of the folders `000` to `999` below it, two levels deep.
fn collect(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), ChangesError> {
    let unreadable = |source| ChangesError::Read { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        entries.push((name, path));
    }
    entries.sort_unstable();
    for (name, path) in entries {
        let digits = name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit());
        if digits && prefix.len() < 8 && path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else if let Some(stem) = name.strip_suffix(".osc.gz").or(name.strip_suffix(".osc")) {
            // Of two forms of one diff the compressed one, which sorts behind.
            files.entry(format!("{prefix}{stem}")).or_default().0 = Some(path);
        } else if let Some(stem) = name.strip_suffix(".state.txt") {
            files.entry(format!("{prefix}{stem}")).or_default().1 = Some(path);
        }
    }
    Ok(())
}

/// The number of a diff by its place: 3048 for `000/003/048`.
fn number_of(name: &str) -> Option<u64> {
    let parts: Vec<&str> = name.split('/').collect();
    let digits = |part: &&str| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(digits) { parts.concat().parse().ok() } else { None }
}

/// The place of a diff by its number; the inverse of [`number_of`].
pub(super) fn name_of(sequence: u64) -> String {
    format!("{:03}/{:03}/{:03}", sequence / 1_000_000, sequence / 1_000 % 1_000, sequence % 1_000)
}

pub(super) fn read_state(path: &Path) -> Result<State, ChangesError> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(MAX_STATE_BYTES).read_to_end(&mut bytes));
    file.map_err(|source| ChangesError::Read { path: path.to_owned(), source })?;
    State::parse(&path.display().to_string(), &bytes)
}
