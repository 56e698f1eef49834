//! Publish: write the tables, find what changed, pass the gate, and make the snapshot the latest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::conflate::Merge;
use super::diff::layers::{LayerDiff, Room, write_layer_changes};
use super::diff::{count_by_class, diff_of};
use super::extract::ExtractedLayer;
use super::identify::Night;
use super::layers::{SortedRows, Tally, layer_batch, layer_table};
use super::ports::{Extras, MakeBatch, Snapshot, Staging, Tables, Unit};
use super::tabulate::conflicts::conflicts;
use super::tabulate::{GROUP_ROWS, Row, Table, read_rows, rows, rows_to_batch, tables};
use super::{Pipeline, Ports, RunError, report};
use crate::domain::{ChangeClass, LayerAccount, Manifest, Place, TableFile, Timestamp, Versions, hex};

/// Version of `manifest.json`.
const MANIFEST_VERSION: u32 = 2;

/// When a night is broken and must not be published. The `[gate]` table of a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Largest share of the base's places that may be gone, removed or merged into others, and of the rows of each layer, in
    /// `[0, 1]`.
    pub max_removed_share: f64,
    /// Fewest places.
    pub min_rows: u64,
}

impl Default for Gate {
    /// A fifth of all places do not vanish overnight, and a region has at least one.
    fn default() -> Self {
        Self { max_removed_share: 0.2, min_rows: 1 }
    }
}

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
}

pub(super) fn publish(
    pipeline: &Pipeline,
    night: &Night,
    layers: Vec<ExtractedLayer>,
    base: Option<&dyn Snapshot>,
    ports: &Ports<'_>,
) -> Result<Published, RunError> {
    let mut staging = ports.store.stage()?;
    ports.observer.stage("write tables", Unit::Rows, None);
    let place_tables = place_tables(pipeline, night);
    let mut files = write_tables(staging.as_mut(), night, &place_tables)?;
    let layers = write_layers(staging.as_mut(), layers, ports, &mut files)?;

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
        write(staging.as_mut(), &tables::changes_of(&table.name), &rows, &mut files)?;
        changes.extend(rows);
    }
    let room = Room { scratch: ports.scratch, memory_bytes: pipeline.memory_bytes };
    let layer_diffs = write_layer_changes(pipeline, base, staging.as_ref(), unchanged, room, &mut files)?;

    let gone = match base {
        Some(base) if !unchanged => gone(base, night, &files, &changes)?,
        _ => Gone::default(),
    };
    let mut manifest = manifest(pipeline, night, layers, base, files, (&changes, &gone), &layer_diffs);
    if unchanged {
        // What is the latest already has passed the gate.
        manifest.held.clear();
        let snapshot = ports.store.latest()?.ok_or_else(|| RunError::failed("`latest` vanished during the run"))?;
        return Ok(Published { snapshot, before: None, unchanged, manifest, layer_diffs });
    }
    ports.observer.stage("publish", Unit::Rows, None);
    let extras =
        Extras { run: ports.observer.measurements(), report: report::html(&manifest, &night.places, &changes) };
    let snapshot = staging.keep(&manifest, &extras)?;
    let before = if manifest.held.is_empty() { None } else { ports.store.latest()? };
    Ok(Published { snapshot, before, unchanged, manifest, layer_diffs })
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

/// The tables that hold places, each with its places: one of all sources, or one per source.
fn place_tables<'n>(pipeline: &Pipeline, night: &'n Night) -> Vec<(Table, Vec<(Uuid, &'n Place)>)> {
    if pipeline.merging.merge != Merge::Layered {
        return vec![(tables::PLACES.clone(), night.places.iter().map(|(id, place)| (*id, place)).collect())];
    }
    let of = |dataset: usize| {
        let described = night.places.iter().flat_map(|(id, place)| place.by_dataset.iter().map(|place| (*id, place)));
        described.filter(|(_, place)| night.records[place.members[0]].key.dataset == dataset).collect()
    };
    night.datasets.iter().enumerate().map(|(at, name)| (tables::places_of(name), of(at))).collect()
}

/// Writes every table but the changes.
fn write_tables(
    staging: &mut dyn Staging,
    night: &Night,
    place_tables: &[(Table, Vec<(Uuid, &Place)>)],
) -> Result<BTreeMap<String, TableFile>, RunError> {
    let Night { places, records, links, rejects, memory, bridge, datasets, .. } = night;
    let mut files = BTreeMap::new();
    for (table, described) in place_tables {
        write(staging, table, &rows::places(described.iter().copied(), datasets), &mut files)?;
    }
    write(staging, &tables::CONFLICTS, &conflicts(places, records, datasets), &mut files)?;
    write(staging, &tables::SOURCES, &rows::sources(places, records, datasets), &mut files)?;
    write(staging, &tables::LINKS, &rows::links(links, records, datasets), &mut files)?;
    write(staging, &tables::REJECTS, &rows::rejects(rejects, datasets), &mut files)?;
    write(staging, &tables::FINDINGS, &rows::findings(places, records, datasets), &mut files)?;
    write(staging, &tables::IDENTITY, &rows::identity(memory), &mut files)?;
    write(staging, &tables::BRIDGE, &rows::bridge(bridge), &mut files)?;
    Ok(files)
}

/// Writes the layers, each in the order of its rows. Returns their accounts.
fn write_layers(
    staging: &mut dyn Staging,
    layers: Vec<ExtractedLayer>,
    ports: &Ports<'_>,
    files: &mut BTreeMap<String, TableFile>,
) -> Result<Vec<LayerAccount>, RunError> {
    let mut accounts = Vec::new();
    for ExtractedLayer { layer, rows, mut account } in layers {
        ports.observer.stage(&format!("write layer {}", layer.name), Unit::Rows, Some(account.rows));
        let table = layer_table(&layer);
        let tally = Mutex::new(Tally::default());
        let make = |chunk: Result<SortedRows, RunError>| {
            let (chunk, table, layer, tally) = (chunk?, &table, &layer, &tally);
            ports.observer.advance(chunk.len() as u64);
            Ok(Box::new(move || {
                let (batch, counted) = layer_batch(table, layer, &chunk)?;
                tally.lock().unwrap_or_else(PoisonError::into_inner).merge(counted);
                Ok(batch)
            }) as MakeBatch<'_>)
        };
        let file = staging.write(&table, &mut rows.finish(ports.scratch)?.map(make))?;
        files.insert(table.name.to_string(), file);
        let Tally { unreadable, repaired } = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        (account.unreadable, account.repaired) = (unreadable, repaired);
        accounts.push(account);
    }
    Ok(accounts)
}

fn write(
    staging: &mut dyn Staging,
    table: &Table,
    rows: &[Row],
    files: &mut BTreeMap<String, TableFile>,
) -> Result<(), RunError> {
    let batch = |rows| Ok(Box::new(move || rows_to_batch(table, rows)) as MakeBatch<'_>);
    let file = staging.write(table, &mut rows.chunks(GROUP_ROWS).map(batch))?;
    files.insert(table.name.to_string(), file);
    Ok(())
}

fn manifest(
    pipeline: &Pipeline,
    night: &Night,
    layers: Vec<LayerAccount>,
    base: Option<&dyn Snapshot>,
    tables: BTreeMap<String, TableFile>,
    (changes, gone): (&[Row], &Gone),
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

    let mut held = pipeline.gate.reasons(night.places.len() as u64, gone.places, gone.before);
    held.extend(layer_diffs.iter().filter_map(|layer| pipeline.gate.layer_reason(layer)));
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
        held,
    }
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
fn content_hash(tables: &BTreeMap<String, TableFile>, base: Option<&str>) -> String {
    let mut hasher = Sha256::new();
    for (name, table) in tables {
        hasher.update(format!("{name}\n{}\n", table.sha256));
    }
    hasher.update(base.unwrap_or_default());
    hex(&hasher.finalize())
}

/// `20260710T202000Z`, or `undated`.
fn vintage_for_names(vintage: Option<Timestamp>) -> String {
    vintage.map_or("undated".to_owned(), |vintage| vintage.strftime("%Y%m%dT%H%M%SZ").to_string())
}

impl Gate {
    /// Why a night with so many places, of which `gone` of `before` are gone, is broken; empty when it is not.
    fn reasons(&self, places: u64, gone: u64, before: u64) -> Vec<String> {
        let mut reasons = Vec::new();
        if places < self.min_rows {
            reasons.push(format!("{places} places, fewer than gate.min_rows = {}", self.min_rows));
        }
        if before > 0 && gone as f64 > self.max_removed_share * before as f64 {
            reasons.push(format!(
                "{gone} of {before} places are gone, more than gate.max_removed_share = {}",
                self.max_removed_share
            ));
        }
        reasons
    }

    /// Why a layer is broken; `None` when it is not. One that the pipeline file names no more is gone on purpose.
    fn layer_reason(&self, layer: &LayerDiff) -> Option<String> {
        let LayerDiff { name, before, dropped, .. } = layer;
        let gone = layer.gone();
        (!dropped && *before > 0 && gone as f64 > self.max_removed_share * *before as f64).then(|| {
            format!(
                "{gone} of {before} rows of layer `{name}` are gone, more than gate.max_removed_share = {}",
                self.max_removed_share
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_looks_at_every_layer_that_the_pipeline_names() {
        let layer = |before, gone, dropped| LayerDiff {
            name: "roads".to_owned(),
            rows: before - gone,
            before,
            changes: BTreeMap::from([("added".to_owned(), 100), ("removed".to_owned(), gone)]),
            dropped,
        };
        let gate = Gate::default();
        let reason = "3 of 10 rows of layer `roads` are gone, more than gate.max_removed_share = 0.2";
        assert_eq!(gate.layer_reason(&layer(10, 3, false)), Some(reason.to_owned()));
        for fine in [layer(10, 2, false), layer(10, 10, true), layer(0, 0, false)] {
            assert_eq!(gate.layer_reason(&fine), None, "{fine:?}");
        }
    }

    #[test]
    fn the_gate_says_what_it_saw() {
        let gate = Gate::default();
        assert_eq!(gate.reasons(1, 0, 0), Vec::<String>::new());
        assert_eq!(gate.reasons(8, 2, 10), Vec::<String>::new());
        assert_eq!(gate.reasons(7, 3, 10), ["3 of 10 places are gone, more than gate.max_removed_share = 0.2"]);
        assert_eq!(gate.reasons(0, 0, 0), ["0 places, fewer than gate.min_rows = 1"]);
    }
}
