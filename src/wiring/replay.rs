//! Wiring of `poimill replay`: finds the inputs of a night, and runs today's rules on them into a store of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Wired, wire};
use crate::adapters::geoparquet::{FolderStore, SnapshotFolder};
use crate::adapters::io::input_of;
use crate::config::Overrides;
use crate::domain::{Input, Manifest, Timestamp};
use crate::pipeline::history::{Listed, State, list};
use crate::pipeline::ports::{DecisionsFile, Observer, Snapshot, SnapshotStore};
use crate::pipeline::replay::{Outcome, Replayed, compare};
use crate::pipeline::{Gate, RunError};

/// Which nights are replayed, and where to.
#[derive(Debug, Clone)]
pub struct ReplayWanted {
    /// The first vintage.
    pub from: Timestamp,
    /// The last.
    pub to: Option<Timestamp>,
    /// Folder of the store that replays go to.
    pub into: Option<PathBuf>,
    /// Folders to look for inputs in, beside those of the pipeline file and their archives.
    pub inputs: Vec<PathBuf>,
}

/// Runs the nights of a store again with today's rules, oldest first, and hands on what becomes of each.
///
/// The first starts from the same snapshot as it did then, so that ids can be compared; each further one from the replay before
/// it. The store itself is only read.
///
/// # Errors
///
/// [`RunError::Settings`] when nothing of that time is kept or the store for replays is in use, and whatever ends a run.
pub fn replay(
    file: &Path,
    overrides: &Overrides,
    wanted: &ReplayWanted,
    observer: &dyn Observer,
    told: &mut dyn FnMut(Replayed) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let today = wire(file, overrides)?;
    let store = today.store.clone();
    let nights: Vec<Listed> = list(&store)?
        .into_iter()
        .filter(|night| matches!(night.state, State::Latest | State::Published))
        .filter(|night| night.vintage.is_some_and(|at| at >= wanted.from && wanted.to.is_none_or(|to| at <= to)))
        .collect();
    let Some(first) = nights.first() else {
        let message = "no published snapshot of that time is kept; `poimill history` lists what there is";
        return Err(RunError::settings(message));
    };
    let into = wanted.into.clone().unwrap_or_else(|| beside(&store));
    let replays = store.elsewhere(&into);
    let lock = replays.lock()?;
    if !replays.list()?.is_empty() {
        let message = format!(
            "{} holds an earlier replay of {}; remove it, or name another folder with --into",
            into.display(),
            today.pipeline.name
        );
        return Err(RunError::settings(message));
    }
    let open = |id: &str| SnapshotFolder::open(&store.folder().join(id)).map_err(RunError::failed);
    match &first.base {
        Some(base) if first.base_is_kept => replays.seed(&open(base)?)?,
        Some(base) => {
            observer.note(&format!("snapshot {base} is not kept any more, so the first replay starts from nothing"));
        }
        None => {}
    }
    drop(lock);
    let mut found = Inputs::new(wanted.inputs.clone());
    for night in nights {
        let then = open(&night.snapshot)?;
        let mut wired = wire(file, overrides)?;
        let outcome = if let Err(reason) = wired.take_inputs_of(then.manifest(), &mut found) {
            Outcome::Skipped { reason }
        } else {
            let report = wired.run_again(&replays, observer)?;
            let now = SnapshotFolder::open(Path::new(&report.location)).map_err(RunError::failed)?;
            Outcome::Run { location: report.location, compared: Box::new(compare(&then, &now)?) }
        };
        told(Replayed { snapshot: night.snapshot, vintage: night.vintage, outcome })?;
    }
    Ok(())
}

/// `data/snapshots-replay` for `data/snapshots`.
fn beside(store: &FolderStore) -> PathBuf {
    let dir = store.folder().parent().unwrap_or(store.folder());
    let name = dir.file_name().map_or("snapshots".into(), |name| name.to_string_lossy().into_owned());
    dir.with_file_name(format!("{name}-replay"))
}

impl Wired {
    /// Reads the sources from the files of a night; those of today that were not there then are left out.
    fn take_inputs_of(&mut self, manifest: &Manifest, found: &mut Inputs) -> Result<(), String> {
        let mut sources = Vec::new();
        for mut source in std::mem::take(&mut self.sources) {
            let Some(account) = manifest.sources.iter().find(|account| account.name == source.name) else { continue };
            if source.changes.is_some() {
                return Err(format!(
                    "source `{}` was brought up to date by diffs, and these are not replayed",
                    source.name
                ));
            }
            for path in &mut source.paths {
                let own = |input: &&Input| path.file_name().is_some_and(|name| name == input.name.as_str());
                let input = match &*account.inputs {
                    [one] => Some(one),
                    several => several.iter().find(own),
                };
                let Some(input) = input else {
                    let name = path.display();
                    return Err(format!("the manifest names no input for {name} of source `{}`", source.name));
                };
                *path = found.file(path, &source_archive(path, &source.name), input)?;
            }
            sources.push(source);
        }
        if sources.is_empty() {
            return Err("no source of the pipeline file was there then".to_owned());
        }
        self.sources = sources;
        Ok(())
    }

    /// Runs into another store, whatever the gate would say; a person is asked nothing, and no database is touched.
    fn run_again(mut self, store: &FolderStore, observer: &dyn Observer) -> Result<crate::pipeline::Report, RunError> {
        self.pipeline.gate = Gate::open();
        self.database = None;
        let copy = self.copy_of_decisions()?;
        let copy = copy.as_ref().map(|copy| copy as &dyn DecisionsFile);
        match self.run_into(store, copy, &store.work(), observer) {
            Err(RunError::Held { report: Some(report), snapshot, .. }) => {
                let _lock = store.lock()?;
                store.release(&snapshot)?;
                Ok(*report)
            }
            ended => ended,
        }
    }
}

/// Where earlier inputs of a source are, if it is fetched.
fn source_archive(path: &Path, source: &str) -> PathBuf {
    path.with_file_name("archive").join(source)
}

/// Files that may be inputs of a night, told apart by their SHA-256.
struct Inputs {
    folders: Vec<PathBuf>,
    hashes: BTreeMap<PathBuf, String>,
}

impl Inputs {
    fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, hashes: BTreeMap::new() }
    }

    /// The file with what an input held: where the pipeline file has it now, beside that, in its archive, or in a folder that
    /// was named.
    fn file(&mut self, path: &Path, archive: &Path, input: &Input) -> Result<PathBuf, String> {
        let mut candidates = vec![path.to_owned()];
        let beside = path.parent().map(Path::to_owned);
        candidates.extend(beside.iter().flat_map(|folder| files_in(folder, 0)));
        candidates.extend(files_in(archive, 1));
        candidates.extend(self.folders.iter().flat_map(|folder| files_in(folder, usize::MAX)));
        for candidate in candidates {
            let as_large =
                fs::metadata(&candidate).is_ok_and(|about| about.is_file() && about.len() == input.size_bytes);
            if as_large && self.sha256(&candidate).as_deref() == Some(&*input.sha256) {
                return Ok(candidate);
            }
        }
        Err(format!(
            "{} with SHA-256 {}… is neither at {}, nor beside it, nor in {}; name the folder that has it with --inputs",
            input.name,
            &input.sha256[..12.min(input.sha256.len())],
            path.display(),
            archive.display()
        ))
    }

    fn sha256(&mut self, path: &Path) -> Option<String> {
        if let Some(known) = self.hashes.get(path) {
            return Some(known.clone());
        }
        let sha256 = input_of(path).ok()?.sha256;
        self.hashes.insert(path.to_owned(), sha256.clone());
        Some(sha256)
    }
}

/// Files in a folder and, so many levels deep, in its folders, in the order of their names.
fn files_in(folder: &Path, levels: usize) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    if levels > 0 {
        files.extend(folders.iter().flat_map(|folder| files_in(folder, levels - 1)));
    }
    files
}
