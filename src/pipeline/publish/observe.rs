//! Observe: what the gate judges a night by, counted from the night, its base and its changes.
//!
//! **Cost**: of the base, one column of the places and four narrow ones of the records are read, as they come.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use serde_json::Value;

use super::write::Described;
use crate::domain::{Cell, ChangeClass, SourceAccount, Timestamp, haversine};
use crate::pipeline::diff::layers::LayerDiff;
use crate::pipeline::diff::point;
use crate::pipeline::identify::Night;
use crate::pipeline::ports::{Snapshot, Tables};
use crate::pipeline::records::Outline;
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, SOURCES};
use crate::pipeline::tabulate::{Row, Table, batch_rows};
use crate::pipeline::{Pipeline, RunError};

/// What became of rows of one kind since the base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many there are.
    pub(super) rows: u64,
    /// How many there were; 0 without a base.
    pub(super) before: u64,
    /// Of those, how many are gone.
    pub(super) gone: u64,
    /// Of those, how many stand further away than the gate ignores.
    pub(super) moved: u64,
}

/// What is known of a source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SourceSeen {
    /// Its name.
    pub(super) name: String,
    /// Its records that are part of a place.
    pub(super) records: Tally,
    /// Objects that were rejected.
    pub(super) rejected: u64,
    /// Objects that were rejected or kept.
    pub(super) wanted: u64,
    /// Its own date.
    pub(super) vintage: Option<Timestamp>,
    /// Its own date in the base.
    pub(super) vintage_before: Option<Timestamp>,
}

/// A night as the gate sees it.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Whether there is a snapshot to compare with.
    pub(super) has_base: bool,
    /// All places.
    pub(super) places: Tally,
    /// The sources, in order.
    pub(super) sources: Vec<SourceSeen>,
    /// The categories that the pipeline asks for and that have or had a place.
    pub(super) categories: BTreeMap<String, Tally>,
}

/// What is compared.
pub(super) struct Compared<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) night: &'a Night,
    pub(super) base: Option<&'a dyn Snapshot>,
    /// Where the tables of the night are.
    pub(super) staged: &'a dyn Tables,
    pub(super) place_tables: &'a [(Table, Vec<Described<'a>>)],
    /// The changes of all tables of places.
    pub(super) changes: &'a [Row],
    /// Places of the base that are gone, of how many.
    pub(super) gone: (u64, u64),
}

/// Counts what the gate judges by.
pub(super) fn observe(compared: &Compared<'_>) -> Result<Observed, RunError> {
    let Compared { night, base, gone: (gone, before), .. } = compared;
    let moved: BTreeSet<&str> = compared.moved().filter_map(|row| text(row, "id")).collect();
    Ok(Observed {
        has_base: base.is_some(),
        places: Tally { rows: night.places.len() as u64, before: *before, gone: *gone, moved: moved.len() as u64 },
        sources: sources(compared)?,
        categories: categories(compared)?,
    })
}

impl<'a> Compared<'a> {
    /// Changes of places that stand further away than the gate ignores.
    fn moved(&self) -> impl Iterator<Item = &'a Row> {
        let (least_m, at) = (self.pipeline.gate.moved_m, PLACE_CHANGES.index_of("moved_m"));
        self.changes.iter().filter(move |row| matches!(row[at], Cell::Float(metres) if metres > least_m))
    }
}

fn text<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row[PLACE_CHANGES.index_of(column)].as_text()
}

/// The category that a changed place had in the base; `None` of a new one.
fn category_before(row: &Row) -> Option<String> {
    let class = ChangeClass::from_name(text(row, "class")?)?;
    if matches!(class, ChangeClass::Added | ChangeClass::Split | ChangeClass::Revived) {
        return None;
    }
    let old = text(row, "old_values").and_then(|old| serde_json::from_str::<Value>(old).ok()).unwrap_or_default();
    old["category"].as_str().or_else(|| text(row, "category")).map(str::to_owned)
}

fn categories(compared: &Compared<'_>) -> Result<BTreeMap<String, Tally>, RunError> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (table, _) in compared.place_tables {
        count_categories(compared.staged, table, |name| tallies.entry(name.to_owned()).or_default().rows += 1)?;
        if let Some(base) = compared.base.filter(|base| base.has(&table.name)) {
            count_categories(base, table, |name| tallies.entry(name.to_owned()).or_default().before += 1)?;
        }
    }
    // A place that is of another category now is gone from the one that it had.
    for row in compared.changes {
        if let Some(before) = category_before(row)
            && text(row, "category") != Some(&before)
        {
            tallies.entry(before).or_default().gone += 1;
        }
    }
    for before in compared.moved().filter_map(category_before) {
        tallies.entry(before).or_default().moved += 1;
    }
    // What the pipeline asks for no more is gone on purpose.
    tallies.retain(|name, _| compared.pipeline.taxonomy.category(name).is_some());
    Ok(tallies)
}

fn count_categories(
    tables: &(impl Tables + ?Sized),
    table: &Table,
    mut count: impl FnMut(&str),
) -> Result<(), RunError> {
    tables.read(&table.name, &["category"], &mut |batch| {
        batch.column(0).as_string::<i32>().iter().flatten().for_each(&mut count);
        Ok(())
    })
}

fn sources(compared: &Compared<'_>) -> Result<Vec<SourceSeen>, RunError> {
    let Compared { pipeline, night, base, .. } = compared;
    let seen = |account: &SourceAccount| {
        let rejected = account.rejected.values().sum();
        let before = base.and_then(|base| base.manifest().sources.iter().find(|before| before.name == account.name));
        SourceSeen {
            name: account.name.clone(),
            records: Tally::default(),
            rejected,
            wanted: rejected + account.kept,
            vintage: account.vintage,
            vintage_before: before.and_then(|before| before.vintage),
        }
    };
    let mut sources: Vec<SourceSeen> = night.accounts.iter().map(seen).collect();
    let mut known: Vec<&Outline> =
        night.places.iter().flat_map(|(_, members)| members).map(|at| &night.records[*at]).collect();
    // Found by source and the id as text: ids have an order of their own.
    known.sort_by(|a, b| by_text(a).cmp(&by_text(b)));
    for outline in &known {
        sources[outline.key.dataset].records.rows += 1;
    }
    let Some(base) = base else { return Ok(sources) };
    base.read(&SOURCES.name, &["dataset", "record_id", "part_of", "geometry"], &mut |batch| {
        let (names, ids, parts) = (batch.column(0), batch.column(1), batch.column(2));
        let (names, ids) = (names.as_string::<i32>(), ids.as_string::<i32>());
        let positions = batch_rows(&SOURCES, &batch.project(&[3]).map_err(RunError::failed)?);
        for (at, position) in positions.iter().enumerate().filter(|(at, _)| parts.is_null(*at)) {
            let Some(dataset) = night.datasets.iter().position(|name| name == names.value(at)) else { continue };
            let tally = &mut sources[dataset].records;
            tally.before += 1;
            let wanted = (dataset, ids.value(at));
            match known.binary_search_by(|outline| by_text(outline).cmp(&wanted)) {
                Err(_) => tally.gone += 1,
                Ok(found) => {
                    let from = if let Cell::Bytes(wkb) = &position[0] { point(wkb) } else { None };
                    let to = known[found].position;
                    let moved = from.is_some_and(|from| haversine(from, to).0 > pipeline.gate.moved_m);
                    tally.moved += u64::from(moved);
                }
            }
        }
        Ok(())
    })?;
    Ok(sources)
}

fn by_text(outline: &Outline) -> (usize, &str) {
    (outline.key.dataset, outline.key.id.as_str())
}

/// What became of the rows of a layer.
pub(super) fn layer_tally(layer: &LayerDiff) -> Tally {
    Tally { rows: layer.rows, before: layer.before, gone: layer.gone(), moved: 0 }
}
