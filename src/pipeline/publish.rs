//! Publish: write the tables, find what changed, pass the gate, and make the snapshot the latest.

mod checks;
mod gate;
mod observe;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::diff::layers::{LayerDiff, Room, write_layer_changes};
use super::diff::{count_by_class, diff_of};
use super::extract::ExtractedLayer;
use super::identify::Night;
use super::ports::{Credit, Credits, Extras, Snapshot, Tables, Unit};
use super::tabulate::{Row, read_rows, tables};
use super::{Pipeline, Ports, RunError, catalogue, report};
use crate::domain::{ChangeClass, LayerAccount, LonLat, Manifest, SourceAccount, TableFile, Timestamp, Versions, hex};

use write::{names, one, place_tables, write, write_layers, write_tables};

pub use checks::{Check, Outcome};
pub use gate::{Action, Gate, RowsGate, Share, SourceGate};
use observe::{Compared, observe};

/// Version of `manifest.json`.
pub(super) const MANIFEST_VERSION: u32 = 2;

/// What became of a night.
pub(super) struct Published {
    /// Its snapshot: new, held back, or the latest before, where no table is different.
    pub(super) snapshot: Box<dyn Snapshot>,
    /// Where the night is held back, the snapshot that stays the latest, if there is one.
    before: Option<Box<dyn Snapshot>>,
    /// Whether it was the latest before, because no table is different.
    pub(super) unchanged: bool,
    /// The manifest of this run; of an unchanged one, what it would have been. It says why a night is held back.
    pub(super) manifest: Manifest,
    /// What is different in each layer.
    pub(super) layer_diffs: Vec<LayerDiff>,
    /// What the gate looked at; nothing of an unchanged night.
    pub(super) checks: Vec<Check>,
}

pub(super) fn publish(
    pipeline: &Pipeline,
    night: &Night,
    layers: Vec<ExtractedLayer>,
    base: Option<&dyn Snapshot>,
    ports: &Ports<'_>,
) -> Result<Published, RunError> {
    let staging = ports.store.stage(&credits(pipeline, night))?;
    ports.observer.stage("write tables", Unit::Rows, None);
    let place_tables = place_tables(pipeline, night)?;
    let mut files = write_tables(pipeline, staging.as_ref(), night, &place_tables)?;
    let layers = write_layers(staging.as_ref(), layers, ports, &mut files)?;

    let same = |base: &dyn Snapshot| {
        let before = &base.manifest().tables;
        let may_go = |name: &&String| name.starts_with("layers/") || tables::holds_places(name);
        before.keys().filter(may_go).all(|name| files.contains_key(name))
            && files.iter().all(|(name, file)| before.get(name) == Some(file))
    };
    let unchanged = base.is_some_and(same);
    let mut changes = Vec::new();
    if !unchanged {
        ports.observer.stage("compare with the last snapshot", Unit::Rows, None);
    }
    for (table, _) in &place_tables {
        let base = base.filter(|_| !unchanged).map(|base| base as &dyn Tables);
        let rows = diff_of(&table.name, base, staging.as_ref() as &dyn Tables)?;
        write(staging.as_ref(), &tables::changes_of(&table.name), &rows, one(Row::clone), &mut files)?;
        changes.extend(rows);
    }
    let room = Room { scratch: ports.scratch, memory_bytes: pipeline.memory_bytes };
    let layer_diffs = write_layer_changes(pipeline, base, staging.as_ref(), unchanged, room, &mut files)?;

    let gone = match base {
        Some(base) if !unchanged => gone(base, night, &files, &changes)?,
        _ => Gone::default(),
    };
    let mut manifest = manifest(pipeline, night, layers, base, files, &changes, &layer_diffs);
    if unchanged {
        // What is the latest already has passed the gate.
        let snapshot = ports.store.latest()?.ok_or_else(|| RunError::failed("`latest` vanished during the run"))?;
        return Ok(Published { snapshot, before: None, unchanged, manifest, layer_diffs, checks: Vec::new() });
    }
    let staged = staging.as_ref() as &dyn Tables;
    let (place_tables, gone) = (&place_tables, (gone.places, gone.before));
    let seen = observe(&Compared { pipeline, night, base, staged, place_tables, changes: &changes, gone })?;
    let checks = pipeline.gate.checks(&seen, &layer_diffs);
    manifest.held = gate::reasons(&checks);
    ports.observer.stage("publish", Unit::Rows, None);
    let dots: Vec<LonLat> = place_tables.iter().flat_map(|(_, rows)| rows).map(|row| row.position).collect();
    let names = if dots.len() > report::MOST_NAMED { Vec::new() } else { names(pipeline, night, place_tables)? };
    let report = report::html(&manifest, (&dots, &names), &changes, &checks);
    let extras = Extras {
        run: ports.observer.measurements(),
        report,
        checks: checks::document(&manifest, &checks),
        item: catalogue::item(&manifest, &dots),
    };
    let snapshot = staging.keep(&manifest, &extras)?;
    let before = if manifest.held.is_empty() { None } else { ports.store.latest()? };
    Ok(Published { snapshot, before, unchanged, manifest, layer_diffs, checks })
}

impl Published {
    /// Whether the gate held the night back.
    pub(super) fn is_held(&self) -> bool {
        !self.manifest.held.is_empty()
    }

    /// What sinks are to show; `None` where the first night is held back.
    pub(super) fn latest(&self) -> Option<&dyn Snapshot> {
        if self.manifest.held.is_empty() { Some(self.snapshot.as_ref()) } else { self.before.as_deref() }
    }
}

fn manifest(
    pipeline: &Pipeline,
    night: &Night,
    layers: Vec<LayerAccount>,
    base: Option<&dyn Snapshot>,
    tables: BTreeMap<String, TableFile>,
    changes: &[Row],
    layer_diffs: &[LayerDiff],
) -> Manifest {
    let base = base.map(|base| base.manifest().snapshot.clone());
    let content_hash = content_hash(&tables, base.as_deref());
    let by_class = count_by_class(changes);

    let verdicts = |verdict: &str| night.links.iter().filter(|link| link.verdict.name() == verdict).count() as u64;
    let mut counts = BTreeMap::from([
        ("places".to_owned(), night.places.len() as u64),
        ("pairs_compared".to_owned(), night.candidates),
        ("pairs_matched".to_owned(), verdicts("match")),
        ("pairs_to_review".to_owned(), verdicts("review")),
    ]);
    counts.extend(by_class.iter().map(|(class, rows)| (format!("changes_{}", class.name()), *rows)));

    for layer in layer_diffs {
        counts.extend(layer.changes.iter().map(|(class, rows)| (format!("layers/{}/{class}", layer.name), *rows)));
    }

    Manifest {
        schema_version: MANIFEST_VERSION,
        snapshot: format!("{}-{}", vintage_for_names(night.vintage), &content_hash[..8]),
        pipeline: pipeline.name.clone(),
        base,
        vintage: night.vintage,
        content_hash,
        versions: Versions { poimill: env!("CARGO_PKG_VERSION").to_owned() },
        settings: pipeline.settings.clone(),
        sources: night.accounts.clone(),
        layers,
        counts,
        self_evaluation: Some(night.self_evaluation.clone()),
        tables,
        held: Vec::new(),
    }
}

/// Whom the tables of a night are from.
fn credits(pipeline: &Pipeline, night: &Night) -> Credits {
    let of = |account: &SourceAccount| Credit {
        name: account.name.clone(),
        attribution: account.attribution.clone(),
        licenses: account.licenses.keys().filter(|name| !name.is_empty()).cloned().collect(),
    };
    Credits { pipeline: pipeline.name.clone(), sources: night.accounts.iter().map(of).collect() }
}

/// Places of the base that a night does not have.
#[derive(Debug, Default)]
struct Gone {
    /// How many.
    places: u64,
    /// Of how many.
    before: u64,
}

fn gone(
    base: &dyn Snapshot,
    night: &Night,
    files: &BTreeMap<String, TableFile>,
    changes: &[Row],
) -> Result<Gone, RunError> {
    if let Some(before) = base.manifest().tables.get(&*tables::PLACES.name)
        && files.contains_key(&*tables::PLACES.name)
    {
        let by_class = count_by_class(changes);
        let gone = [ChangeClass::Removed, ChangeClass::Merged].iter().filter_map(|class| by_class.get(class)).sum();
        return Ok(Gone { places: gone, before: before.rows });
    }
    // One of the two is layered: a place is there as long as one source knows it.
    let mut before = BTreeSet::new();
    for row in read_rows(base as &dyn Tables, &tables::SOURCES, &["place_id"])? {
        before.extend(row[0].as_text().and_then(|id| Uuid::parse_str(id).ok()));
    }
    let now: BTreeSet<Uuid> = night.places.iter().map(|(id, _)| *id).collect();
    Ok(Gone { places: before.difference(&now).count() as u64, before: before.len() as u64 })
}

/// SHA-256 over the sorted (table, SHA-256) pairs and the base's id.
pub(super) fn content_hash(tables: &BTreeMap<String, TableFile>, base: Option<&str>) -> String {
    let mut hasher = Sha256::new();
    for (name, table) in tables {
        hasher.update(format!("{name}\n{}\n", table.sha256));
    }
    hasher.update(base.unwrap_or_default());
    hex(&hasher.finalize())
}

/// `20260710T202000Z`, or `undated`.
pub(super) fn vintage_for_names(vintage: Option<Timestamp>) -> String {
    vintage.map_or("undated".to_owned(), |vintage| vintage.strftime("%Y%m%dT%H%M%SZ").to_string())
}
