//! `poimill diff`: what is different between two snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::Ended;
use crate::domain::{Cell, ChangeClass, Manifest};
use crate::pipeline::RunError;
use crate::pipeline::diff::layers::{Room, compare_layers};
use crate::pipeline::diff::{count_by_class, diff_of};
use crate::pipeline::ports::Snapshot;
use crate::pipeline::tabulate::Row;
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES, holds_places};
use crate::wiring;

/// Changes of a layer by class.
type Counts = BTreeMap<ChangeClass, u64>;

/// Memory for the keys of layers, in bytes; the rest is sorted on disk.
const MEMORY_BYTES: u64 = 512 << 20;

/// Exit code when the snapshots differ.
const DIFFERENT: u8 = 1;

/// Compare two snapshots; exits with 1 when they differ, as diff(1) does
///
/// Every place that is different has a line of its own, every layer one line with its counts.
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
}

impl Diff {
    /// Prints the changes.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let (old, new) = (wiring::snapshot(&self.old)?, wiring::snapshot(&self.new)?);
        let tables = place_tables(&old, &new)?;
        let is_layered = !tables.contains(&*PLACES.name);
        let mut changes = Vec::new();
        for table in &tables {
            let here = diff_of(table, Some(&old), &new)?;
            for change in &here {
                match (self.json, is_layered) {
                    (true, false) => writeln!(out, "{}", as_json(change))?,
                    (false, false) => writeln!(out, "{}", as_line(change))?,
                    (true, true) => {
                        let mut told = as_json(change);
                        told["table"] = table.as_str().into();
                        writeln!(out, "{told}")?;
                    }
                    (false, true) => writeln!(out, "{table}  {}", as_line(change))?,
                }
            }
            changes.extend(here);
        }
        if !self.json {
            let counts: Vec<String> =
                count_by_class(&changes).iter().map(|(class, count)| format!("{count} {class}")).collect();
            let summary = if counts.is_empty() { "no place is different".to_owned() } else { counts.join(", ") };
            writeln!(out, "{summary}")?;
        }
        let scratch = wiring::scratch();
        let layers = compare_layers(&old, &new, Room { scratch: &scratch, memory_bytes: MEMORY_BYTES })?;
        for (layer, counts) in &layers {
            writeln!(out, "{}", if self.json { layer_as_json(layer, counts) } else { layer_as_line(layer, counts) })?;
        }
        let same = changes.is_empty() && layers.values().all(BTreeMap::is_empty);
        Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
    }
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

fn as_json(change: &Row) -> Value {
    let cells = PLACE_CHANGES.columns.iter().zip(change);
    let told = cells.filter(|(_, cell)| **cell != Cell::Null);
    Value::Object(told.map(|(column, cell)| (column.name.to_string(), cell.to_json())).collect::<Map<_, _>>())
}

/// `modified  7d4a…  Rathaus  opening_hours (source)`.
fn as_line(change: &Row) -> String {
    let cell = |name: &str| &change[PLACE_CHANGES.index_of(name)];
    let text = |name: &str| cell(name).as_text().unwrap_or_default().to_owned();
    let old: Value = serde_json::from_str(&text("old_values")).unwrap_or_default();
    let told = |name: &str| {
        let new = text(name);
        if new.is_empty() { old[name].as_str().unwrap_or_default().to_owned() } else { new }
    };
    let mut parts = vec![format!("{:<9} {}", text("class"), text("id"))];
    let (category, name) = (told("category"), told("name"));
    parts.push(if name.is_empty() { category } else { format!("{category} \"{name}\"") });
    if let Cell::Float(metres) = cell("moved_m") {
        parts.push(format!("by {metres} m"));
    }
    if let Cell::List(fields) = cell("changed_fields")
        && !fields.is_empty()
    {
        parts.push(fields.iter().filter_map(Cell::as_text).collect::<Vec<_>>().join(", "));
    }
    let related = text("related_id");
    if !related.is_empty() {
        parts.push(format!("{} {related}", if text("class") == "merged" { "into" } else { "from" }));
    }
    parts.push(format!("({})", text("cause")));
    parts.join("  ")
}
