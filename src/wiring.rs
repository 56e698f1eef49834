//! Wiring: the one place that names every adapter.

mod eval;
mod fetch;
mod replay;
mod store;

use std::path::{Path, PathBuf};

pub use self::eval::{LabelSet, check_file, label_sets, model, shipped_taxonomy, two_tables, write_file};
pub use self::fetch::FetchWanted;
pub use self::replay::{ReplayWanted, replay};
pub use self::store::{release, snapshot, store};
use crate::adapters::geoparquet::FolderStore;
use crate::adapters::io::{CsvDecisions, FolderScratch};
use crate::adapters::memory::{MemoryDecisions, MemoryStore};
use crate::adapters::ocpi::Ocpi;
use crate::adapters::open_charge_map::OpenChargeMap;
use crate::adapters::osm::{ChangesAt, OsmPbf};
use crate::adapters::postgis::{LoadMode, PostGis};
use crate::adapters::table::{BoundaryError, TableFile, read_boundary};
use crate::config::{Overrides, RegionSettings, RetrySettings, Secret, Settings, SourceKind, SourceSettings};
use crate::domain::{Metres, Region};
use crate::pipeline::ports::{DecisionsFile, Observer, Scratch, Sink, SnapshotStore, Source};
use crate::pipeline::{Feed, Pipeline, Ports, Report, RunError};

/// A pipeline with everything that it needs to run.
pub struct Wired {
    pipeline: Pipeline,
    sources: Vec<SourceSettings>,
    retries: RetrySettings,
    store: FolderStore,
    database: Option<(Secret, bool)>,
    notes: Vec<String>,
    decisions: Option<CsvDecisions>,
    /// The pipeline file.
    file: PathBuf,
    /// The layers as the plan tells them.
    layer_lines: Vec<String>,
}

/// Reads a pipeline file and the flags, and connects what they name. Opens no source and no database.
///
/// # Errors
///
/// [`RunError::Settings`] when the file or a flag is wrong.
pub fn wire(file: &Path, overrides: &Overrides) -> Result<Wired, RunError> {
    let settings = Settings::load(file, overrides).map_err(RunError::settings)?;
    let region = match &settings.region {
        RegionSettings::World => Region::world(),
        RegionSettings::Box(bbox, halo_m) => Region::from_bbox(*bbox, Metres(*halo_m)),
        RegionSettings::Boundary(path, halo_m) => {
            let boundary = read_boundary(path).map_err(RunError::settings)?;
            Region::from_boundary(boundary, Metres(*halo_m))
                .ok_or_else(|| RunError::settings(BoundaryError::NoPolygon { path: path.clone() }))?
        }
    };
    Ok(Wired {
        store: FolderStore::new(&settings.store, &settings.name).with_layout(settings.layout),
        sources: settings.sources,
        retries: settings.retries,
        layer_lines: settings.layer_lines,
        database: settings.database,
        notes: settings.notes,
        decisions: settings.decisions_file.as_deref().map(CsvDecisions::new),
        file: file.to_owned(),
        pipeline: Pipeline {
            name: settings.name,
            region,
            taxonomy: settings.taxonomy,
            operators: settings.operators,
            connectors: settings.connectors,
            repair_positions: settings.repair_positions,
            models: settings.models,
            decisions: settings.decisions,
            merging: settings.merging,
            layers: settings.layers,
            area_rules: settings.area_rules,
            gate: settings.gate,
            memory_bytes: settings.memory_bytes,
            settings: settings.told,
        },
    })
}

/// Connects a source, which may take so much memory, and what is more in scratch files.
fn feed(settings: SourceSettings, scratch: &FolderScratch, memory_bytes: u64) -> Feed {
    let vintage = settings.vintage;
    let source: Box<dyn Source> = match settings.kind.clone() {
        SourceKind::OsmPbf => Box::new(osm_pbf(settings).with_memory(scratch.clone(), memory_bytes)),
        SourceKind::OpenChargeMap { reference } => {
            let SourceSettings { name, mut paths, license, .. } = settings;
            Box::new(OpenChargeMap::new(name, paths.remove(0), reference).with_license(license))
        }
        SourceKind::Ocpi => {
            let SourceSettings { name, mut paths, license, attribution, .. } = settings;
            Box::new(Ocpi::new(name, paths.remove(0), license, attribution))
        }
        SourceKind::Table(mapping) => {
            let SourceSettings { name, mut paths, license, attribution, .. } = settings;
            Box::new(TableFile::new(name, paths.remove(0), *mapping, license, attribution))
        }
    };
    Feed { source, vintage }
}

fn osm_pbf(settings: SourceSettings) -> OsmPbf {
    let SourceSettings { name, paths, changes, .. } = settings;
    let files = OsmPbf::of_files(name, paths);
    match changes {
        // A folder is already relative to the working directory.
        Some(changes) => files.with_changes(ChangesAt::new(&changes, Path::new(""))),
        None => files,
    }
}

impl Wired {
    /// Runs the pipeline; in a dry run nothing is written and no database is touched.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::run`].
    pub fn run(mut self, dry_run: bool, observer: &dyn Observer) -> Result<Report, RunError> {
        for note in &self.notes {
            observer.note(note);
        }
        if !dry_run {
            let (store, decisions) = (self.store.clone(), self.decisions.take());
            let decisions = decisions.as_ref().map(|file| file as &dyn DecisionsFile);
            return self.run_into(&store, decisions, &store.work(), observer);
        }
        let store = MemoryStore::over(self.store.latest()?.as_deref())?;
        self.database = None;
        let copy = self.copy_of_decisions()?;
        self.run_into(&store, copy.as_ref().map(|copy| copy as &dyn DecisionsFile), &std::env::temp_dir(), observer)
    }

    /// Runs into any store, with scratch files in `work`.
    fn run_into(
        self,
        store: &dyn SnapshotStore,
        decisions: Option<&dyn DecisionsFile>,
        work: &Path,
        observer: &dyn Observer,
    ) -> Result<Report, RunError> {
        self.sources.iter().try_for_each(|source| self.look_for(source))?;
        let scratch = FolderScratch::new(work);
        let sinks = self.database.iter().map(|(url, by_changes)| sink(url, *by_changes));
        let feeds = self.sources.into_iter().map(|source| feed(source, &scratch, self.pipeline.memory_bytes));
        let (feeds, sinks) = (feeds.collect(), sinks.collect());
        let mut ports = Ports { feeds, store, sinks, scratch: &scratch, decisions, observer };
        self.pipeline.run(&mut ports)
    }

    /// The decisions of a person, for a run that asks nothing in the file itself.
    fn copy_of_decisions(&self) -> Result<Option<MemoryDecisions>, RunError> {
        let copy = |file: &CsvDecisions| Ok(MemoryDecisions::new(file.location(), file.read()?));
        self.decisions.as_ref().map(copy).transpose()
    }

    /// Says how to get an input that was not fetched yet.
    fn look_for(&self, source: &SourceSettings) -> Result<(), RunError> {
        let (input, file) = (&source.paths[0], self.file.display());
        if source.fetch.brings_a_file() && !input.exists() {
            let message = format!("{} is not there yet; get it with `poimill fetch {file}`", input.display());
            return Err(RunError::input(&source.name, message));
        }
        Ok(())
    }

    /// Looks at every input and, where one is set, the database; returns the plan as lines. Touches nothing.
    ///
    /// # Errors
    ///
    /// When an input is missing or plainly damaged, or the database cannot be reached.
    pub fn check(&self) -> Result<Vec<String>, RunError> {
        let mut plan = vec![format!("pipeline {}", self.pipeline.name)];
        let scratch = FolderScratch::new(&self.store.work());
        for settings in &self.sources {
            self.look_for(settings)?;
            let Feed { source, .. } = feed(settings.clone(), &scratch, self.pipeline.memory_bytes);
            plan.push(format!("read {} ({}): {}", source.name(), source.kind(), source.check()?));
        }
        plan.extend(self.layer_lines.iter().cloned());
        if let Some(file) = &self.decisions {
            plan.push(format!("obey {} decisions of {}", self.pipeline.decisions.len(), file.location()));
        }
        plan.push(match self.store.latest()? {
            Some(latest) => format!("compare with snapshot {}", latest.manifest().snapshot),
            None => "write the first snapshot".to_owned(),
        });
        match &self.database {
            Some((url, by_changes)) => {
                let mut sink = sink(url, *by_changes);
                sink.contact()?;
                plan.push(format!("load {} by {}", sink.name(), if *by_changes { "changes" } else { "replacement" }));
            }
            None => plan.push("load no database".to_owned()),
        }
        plan.extend(self.notes.iter().map(|note| format!("note: {note}")));
        Ok(plan)
    }
}

/// Scratch files of a command that writes no snapshot.
#[must_use]
pub fn scratch() -> impl Scratch {
    FolderScratch::new(&std::env::temp_dir())
}

/// A database to load.
#[must_use]
pub fn sink(url: &Secret, by_changes: bool) -> Box<dyn Sink> {
    let mode = if by_changes { LoadMode::Changes } else { LoadMode::Replace };
    Box::new(PostGis::new(url.reveal().to_owned(), mode))
}
