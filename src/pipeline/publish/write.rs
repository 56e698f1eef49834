//! The tables of a night: in which order their rows stand, and how rows are made when they are written.
//!
//! A row exists only while its row group is written, so that memory does not grow with what the tables say.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use arrow_select::concat::concat_batches;
use rayon::prelude::*;
use uuid::Uuid;

use crate::domain::{LayerAccount, LonLat, TableFile, hilbert_key};
use crate::pipeline::conflate::identity::{Seen, SeenKey};
use crate::pipeline::conflate::{Merge, Merger};
use crate::pipeline::extract::ExtractedLayer;
use crate::pipeline::identify::Night;
use crate::pipeline::layers::{SortedRows, Tally, layer_batch, layer_table};
use crate::pipeline::ports::{MakeBatch, Staging, Unit};
use crate::pipeline::records::Outline;
use crate::pipeline::tabulate::conflicts::conflicts;
use crate::pipeline::tabulate::rows::{self, Refused};
use crate::pipeline::tabulate::{Row, Table, group_rows, rows_to_batch, tables};
use crate::pipeline::{Pipeline, Ports, RunError};

/// Items whose rows are in memory at once, in each thread: cells take ten times what columns do.
const AT_ONCE: usize = 2048;

/// What the manifest says of each table, by name.
pub(super) type Files = BTreeMap<String, TableFile>;

/// A row of a table of places, before it is made.
pub(in crate::pipeline) struct Described<'n> {
    pub(in crate::pipeline) id: Uuid,
    pub(in crate::pipeline) position: LonLat,
    /// All records of the place.
    members: &'n [usize],
    /// Those that may say something in this row.
    some: &'n [usize],
}

/// The tables that hold places, each with its rows in order: one of all sources, or one per source.
pub(super) fn place_tables<'n>(
    pipeline: &Pipeline,
    night: &'n Night,
) -> Result<Vec<(Table, Vec<Described<'n>>)>, RunError> {
    let merger = Merger::new(&night.records, &pipeline.merging, &night.links);
    let described = |(id, members): &'n (Uuid, Vec<usize>)| {
        let merger = &merger;
        merger
            .rows(members)
            .into_par_iter()
            .map(move |some| Ok(Described { id: *id, position: merger.position(some)?, members, some }))
    };
    let mut rows = night.places.par_iter().flat_map(described).collect::<Result<Vec<_>, RunError>>()?;
    rows.par_sort_by_cached_key(|row| (hilbert_key(row.position), row.id));
    if pipeline.merging.merge != Merge::Layered {
        return Ok(vec![(tables::PLACES.clone(), rows)]);
    }
    let mut by_dataset: Vec<(Table, Vec<_>)> =
        night.datasets.iter().map(|name| (tables::places_of(name), Vec::new())).collect();
    for row in rows {
        by_dataset[night.records[row.some[0]].key.dataset].1.push(row);
    }
    Ok(by_dataset)
}

/// Writes every table but layers and changes.
pub(super) fn write_tables(
    pipeline: &Pipeline,
    staging: &dyn Staging,
    night: &Night,
    place_tables: &[(Table, Vec<Described<'_>>)],
) -> Result<Files, RunError> {
    let Night { records, links, rejects, memory, bridge, datasets, .. } = night;
    let merger = Merger::new(records, &pipeline.merging, links);
    let mut files = Files::new();
    for (table, described) in place_tables {
        let row = |row: &Described<'_>, rows: &mut Vec<Row>| {
            let (place, _) = merger.place(row.some, row.members)?;
            rows.push(rows::place(row.id, &place, datasets));
            Ok(())
        };
        write(staging, table, described, row, &mut files)?;
    }

    let all = place_tables.iter().flat_map(|(_, described)| described);
    let by_several: Vec<&Described<'_>> = all.filter(|row| row.some.len() > 1).collect();
    let row = |row: &&Described<'_>, rows: &mut Vec<Row>| {
        let (place, contributing) = merger.place(row.some, row.members)?;
        rows.extend(conflicts(row.id, &place, &contributing, datasets));
        Ok(())
    };
    write(staging, &tables::CONFLICTS, &by_several, row, &mut files)?;

    let row = |known: &Known<'_>, rows: &mut Vec<Row>| {
        let whole = records.read(known.at)?;
        rows.push(match known.part {
            None => rows::source(known.place_id, &whole, None, datasets),
            Some(part) => rows::source(known.place_id, &whole.parts[part], Some(&whole.key.id), datasets),
        });
        Ok(())
    };
    let mut known = known(night);
    known.par_sort_by_cached_key(|known| (hilbert_key(known.outline.position), &known.outline.key));
    write(staging, &tables::SOURCES, &known, row, &mut files)?;

    let row = |known: &Known<'_>, rows: &mut Vec<Row>| {
        let whole = records.read(known.at)?;
        let record = known.part.map_or(&whole, |part| &whole.parts[part]);
        rows.extend(record.findings.iter().map(|finding| rows::finding(record, finding, datasets)));
        Ok(())
    };
    known.retain(|known| !known.outline.findings.is_empty());
    known.sort_by(|a, b| a.outline.key.cmp(&b.outline.key));
    write(staging, &tables::FINDINGS, &known, row, &mut files)?;
    drop(known);

    write(staging, &tables::LINKS, links, one(|link| rows::link(link, records, datasets)), &mut files)?;
    let mut rejects: Vec<&Refused> = rejects.iter().collect();
    rejects.sort_by(|a, b| a.order().cmp(&b.order()));
    write(staging, &tables::REJECTS, &rejects, one(|reject: &&Refused| rows::reject(reject, datasets)), &mut files)?;
    let memory: Vec<(&SeenKey, &Seen)> = memory.iter().collect();
    write(
        staging,
        &tables::IDENTITY,
        &memory,
        one(|(key, seen): &(&SeenKey, &Seen)| rows::seen(key, seen)),
        &mut files,
    )?;
    write(staging, &tables::BRIDGE, bridge, one(rows::span), &mut files)?;
    Ok(files)
}

/// What each place is called, in the order of their tables; its category where it has no name.
pub(super) fn names(
    pipeline: &Pipeline,
    night: &Night,
    place_tables: &[(Table, Vec<Described<'_>>)],
) -> Result<Vec<String>, RunError> {
    let merger = Merger::new(&night.records, &pipeline.merging, &night.links);
    let name = |row: &Described<'_>| {
        let about = merger.place(row.some, row.members)?.0.attributes;
        Ok(about.name.unwrap_or(about.category))
    };
    place_tables.iter().flat_map(|(_, rows)| rows).map(name).collect()
}

/// A record of a place, or a part of one.
struct Known<'n> {
    place_id: Uuid,
    /// The record, or the one that it is a part of.
    at: usize,
    part: Option<usize>,
    outline: &'n Outline,
}

fn known(night: &Night) -> Vec<Known<'_>> {
    let of_record = |place_id: Uuid, at: usize| {
        let outline = &night.records[at];
        let parts = outline.parts.iter().enumerate();
        let parts = parts.map(move |(part, outline)| Known { place_id, at, part: Some(part), outline });
        std::iter::once(Known { place_id, at, part: None, outline }).chain(parts)
    };
    let members = night.places.iter().flat_map(|(id, members)| members.iter().map(|at| (*id, *at)));
    members.flat_map(|(id, at)| of_record(id, at)).collect()
}

/// Makes exactly one row of each item.
pub(super) fn one<T>(row: impl Fn(&T) -> Row + Sync) -> impl Fn(&T, &mut Vec<Row>) -> Result<(), RunError> + Sync {
    move |item, rows| {
        rows.push(row(item));
        Ok(())
    }
}

/// Writes a table whose rows are made of these items, in their order.
pub(super) fn write<T: Sync>(
    staging: &dyn Staging,
    table: &Table,
    items: &[T],
    rows_of: impl Fn(&T, &mut Vec<Row>) -> Result<(), RunError> + Sync,
    files: &mut Files,
) -> Result<(), RunError> {
    let some = |items: &[T]| {
        let mut rows = Vec::with_capacity(items.len());
        items.iter().try_for_each(|item| rows_of(item, &mut rows))?;
        rows_to_batch(table, &rows)
    };
    let batch = |items: &[T]| {
        let batches = items.chunks(AT_ONCE).map(some).collect::<Result<Vec<_>, RunError>>()?;
        concat_batches(&table.schema(), &batches).map_err(RunError::failed)
    };
    let batch = &batch;
    let batches =
        items.chunks(group_rows(items.len())).map(|items| Ok(Box::new(move || batch(items)) as MakeBatch<'_>));
    let file = staging.write(table, &mut { batches })?;
    files.insert(table.name.to_string(), file);
    Ok(())
}

/// Writes the layers, each in the order of its rows. Returns their accounts.
pub(super) fn write_layers(
    staging: &dyn Staging,
    layers: Vec<ExtractedLayer>,
    ports: &Ports<'_>,
    files: &mut Files,
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
