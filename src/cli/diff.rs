//! `poimill diff`: what is different between two snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::Ended;
use crate::domain::{ChangeClass, Manifest};
use crate::pipeline::RunError;
use crate::pipeline::diff::layers::{LayerChange, Room, compare_layers};
use crate::pipeline::diff::{PlaceChange, Summary, diff_of, layer_feature, place_feature};
use crate::pipeline::ports::Snapshot;
use crate::pipeline::tabulate::Row;
use crate::pipeline::tabulate::tables::{PLACES, holds_places};
use crate::wiring;

/// Changes of a layer by class.
type Counts = BTreeMap<ChangeClass, u64>;

/// Memory for the keys of layers, in bytes; the rest is sorted on disk.
const MEMORY_BYTES: u64 = 512 << 20;

/// Exit code when the snapshots differ.
const DIFFERENT: u8 = 1;

/// Compare two snapshots; exits with 1 when they differ, as diff(1) does
///
/// First a summary: how many places of each class, why, which fields, categories and sources, and a line per layer. Then every
/// place that is different has a line of its own.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: poimill diff data/snapshots/demo/20260501T202100Z-3fa9c1d2 data/snapshots/demo/latest"
)]
pub(super) struct Diff {
    /// Folder of the older snapshot
    old: PathBuf,
    /// Folder of the newer snapshot, or a link to it such as `latest`
    new: PathBuf,
    /// Print one JSON object per changed place, then one per layer that is different
    #[arg(long)]
    json: bool,
    /// Write the changes as GeoJSON for a map, a feature each, those of layers too; `-` prints it and nothing else
    #[arg(long, value_name = "FILE")]
    geojson: Option<PathBuf>,
}

/// The changes of a table of places.
struct Changed {
    table: String,
    rows: Vec<Row>,
}

impl Diff {
    /// Prints the changes.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let to_stdout = self.geojson.as_deref() == Some(Path::new("-"));
        if to_stdout && self.json {
            let message = "--json and --geojson - both print; give --geojson the name of a file";
            return Err(RunError::settings(message).into());
        }
        let (old, new) = (wiring::snapshot(&self.old)?, wiring::snapshot(&self.new)?);
        let mut changes = Vec::new();
        for table in place_tables(&old, &new)? {
            let rows = diff_of(&table, Some(&old), &new)?;
            changes.push(Changed { table, rows });
        }
        let layers = match &self.geojson {
            None => compare(&old, &new, &mut |_, _| Ok(()))?,
            Some(_) if to_stdout => write_geojson(&mut *out, &changes, &old, &new)?,
            Some(path) => {
                let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
                write_geojson(BufWriter::new(file), &changes, &old, &new)
                    .with_context(|| format!("cannot write {}", path.display()))?
            }
        };
        match (to_stdout, self.json) {
            (true, _) => {}
            (false, true) => print_json(&changes, &layers, out)?,
            (false, false) => print(&changes, &layers, out)?,
        }
        let same = changes.iter().all(|changed| changed.rows.is_empty()) && layers.values().all(BTreeMap::is_empty);
        Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
    }
}

fn compare(
    old: &impl Snapshot,
    new: &impl Snapshot,
    each: &mut dyn FnMut(&str, &LayerChange) -> Result<(), RunError>,
) -> Result<BTreeMap<String, Counts>, RunError> {
    let scratch = wiring::scratch();
    compare_layers(old, new, Room { scratch: &scratch, memory_bytes: MEMORY_BYTES }, each)
}

/// The tables of places that the two have; both are layered, or none is.
fn place_tables(old: &impl Snapshot, new: &impl Snapshot) -> Result<BTreeSet<String>, RunError> {
    let of = |snapshot: &Manifest| -> BTreeSet<String> {
        snapshot.tables.keys().filter(|table| holds_places(table)).cloned().collect()
    };
    let (old, new) = (of(old.manifest()), of(new.manifest()));
    let is_layered = |tables: &BTreeSet<String>| !tables.contains(&*PLACES.name);
    if is_layered(&old) != is_layered(&new) {
        let (layered, merged) = if is_layered(&old) { ("old", "new") } else { ("new", "old") };
        return Err(RunError::settings(format!(
            "the {layered} snapshot holds its places in layers, one table per source, and the {merged} one does not; compare two of \
             the same `conflate.merge`"
        )));
    }
    Ok(old.union(&new).cloned().collect())
}

impl Changed {
    /// The table's name, where there are several.
    fn told(&self) -> Option<&str> {
        (self.table != PLACES.name).then_some(self.table.as_str())
    }
}

fn print(changes: &[Changed], layers: &BTreeMap<String, Counts>, out: &mut impl Write) -> anyhow::Result<()> {
    let mut summary = Summary::default();
    changes.iter().flat_map(|changed| &changed.rows).for_each(|row| summary.add(&PlaceChange::new(row)));
    for line in summary.lines() {
        writeln!(out, "{line}")?;
    }
    for (layer, counts) in layers {
        writeln!(out, "{}", layer_as_line(layer, counts))?;
    }
    if changes.iter().any(|changed| !changed.rows.is_empty()) {
        writeln!(out)?;
    }
    for changed in changes {
        for row in &changed.rows {
            match changed.told() {
                None => writeln!(out, "{}", as_line(&PlaceChange::new(row)))?,
                Some(table) => writeln!(out, "{table}  {}", as_line(&PlaceChange::new(row)))?,
            }
        }
    }
    Ok(())
}

fn print_json(changes: &[Changed], layers: &BTreeMap<String, Counts>, out: &mut impl Write) -> anyhow::Result<()> {
    for changed in changes {
        for row in &changed.rows {
            let mut told = PlaceChange::new(row).to_json();
            if let Some(table) = changed.told() {
                told["table"] = table.into();
            }
            writeln!(out, "{told}")?;
        }
    }
    for (layer, counts) in layers {
        writeln!(out, "{}", layer_as_json(layer, counts))?;
    }
    Ok(())
}

/// A feature a line, so that a large file can be looked at. Returns the counts of layers.
fn write_geojson(
    mut out: impl Write,
    changes: &[Changed],
    old: &impl Snapshot,
    new: &impl Snapshot,
) -> anyhow::Result<BTreeMap<String, Counts>> {
    write!(out, "{{\"type\":\"FeatureCollection\",\"features\":[")?;
    let mut before = "\n";
    for changed in changes {
        for row in &changed.rows {
            write!(out, "{before}{}", place_feature(&PlaceChange::new(row), changed.told()))?;
            before = ",\n";
        }
    }
    let mut broken = None;
    let layers = compare(old, new, &mut |layer, change| {
        let written = write!(out, "{before}{}", layer_feature(layer, change));
        before = ",\n";
        written.map_err(|error| {
            let told = RunError::failed(error.to_string());
            broken = Some(error);
            told
        })
    });
    // What could not be written is told as such: a closed pipe is no error.
    if let Some(error) = broken {
        return Err(error.into());
    }
    let layers = layers?;
    writeln!(out, "\n]}}")?;
    out.flush()?;
    Ok(layers)
}

fn layer_as_line(layer: &str, counts: &Counts) -> String {
    let counts: Vec<String> = counts.iter().map(|(class, count)| format!("{count} {class}")).collect();
    let told = if counts.is_empty() { "no row is different".to_owned() } else { counts.join(", ") };
    format!("layer {layer}: {told}")
}

fn layer_as_json(layer: &str, counts: &Counts) -> String {
    let counts: Map<String, Value> =
        counts.iter().map(|(class, count)| (class.name().to_owned(), json!(count))).collect();
    json!({ "layer": layer, "changes": counts }).to_string()
}

/// `modified  7d4a…  Rathaus  opening_hours (source)`.
fn as_line(change: &PlaceChange<'_>) -> String {
    let text = |name: &str| change.text(name);
    let mut parts = vec![format!("{:<9} {}", text("class"), text("id"))];
    let (category, name) = (text("category"), text("name"));
    parts.push(if name.is_empty() { category.to_owned() } else { format!("{category} \"{name}\"") });
    if let Some(metres) = change.moved_m() {
        parts.push(format!("by {metres} m"));
    }
    let fields = change.fields();
    if !fields.is_empty() {
        parts.push(fields.join(", "));
    }
    let related = text("related_id");
    if !related.is_empty() {
        parts.push(format!("{} {related}", if text("class") == "merged" { "into" } else { "from" }));
    }
    parts.push(format!("({})", text("cause")));
    parts.join("  ")
}
