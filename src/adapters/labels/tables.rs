//! Two whole tables, and the pairs of their records that are one place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rustc_hash::FxHashMap;

use super::collected::{label_of, left_out_told};
use super::columns::{Attribute, attribute, names_of};
use super::lines::LineCount;
use super::pairs_csv::{header, reader};
use super::record::{Raw, record};
use super::{LabelsError, text_of};
use crate::domain::{Operators, Record, RecordId};
use crate::pipeline::evaluate::LeftOutPair;

/// Two tables and the truth about them.
#[derive(Debug)]
pub struct TwoTables {
    /// The records of the first, dataset 0, then those of the second, dataset 1.
    pub records: Vec<Record>,
    /// The pairs that are one place, by their indices, the smaller first.
    pub truth: BTreeSet<(usize, usize)>,
    /// What was left out or not understood, a sentence each.
    pub notes: Vec<String>,
}

/// Reads two tables, CSV with a record a line, and a list of pairs of their ids.
///
/// The list may have a label, else all its pairs are one place; those that are two say nothing.
///
/// # Errors
///
/// When a file cannot be read or lacks a column that is needed, or no pair of the list is one place.
pub fn read_two_tables(tables: [&Path; 2], truth: &Path, operators: &Operators) -> Result<TwoTables, LabelsError> {
    let mut notes = Vec::new();
    let mut records = Vec::new();
    let mut by_id: [FxHashMap<String, usize>; 2] = [FxHashMap::default(), FxHashMap::default()];
    for (side, path) in tables.into_iter().enumerate() {
        read_table(side, path, operators, &mut records, &mut by_id[side], &mut notes)?;
    }
    let truth = read_truth(truth, &by_id, &mut notes)?;
    Ok(TwoTables { records, truth, notes })
}

fn read_table(
    side: usize,
    path: &Path,
    operators: &Operators,
    records: &mut Vec<Record>,
    by_id: &mut FxHashMap<String, usize>,
    notes: &mut Vec<String>,
) -> Result<(), LabelsError> {
    let broken = |source| LabelsError::Csv { path: path.to_owned(), source };
    let text = text_of(path)?;
    let mut rows = reader(&text);
    let names: Vec<String> = rows.headers().map_err(broken)?.iter().map(str::to_owned).collect();
    let columns: Vec<Option<Attribute>> = names.iter().map(|name| attribute(name)).collect();
    let needed = [(Attribute::Id, "id"), (Attribute::Latitude, "latitude"), (Attribute::Longitude, "longitude")];
    for (attribute, what) in needed {
        if !columns.contains(&Some(attribute)) {
            let (path, side, names) = (path.to_owned(), "a record".to_owned(), names_of(attribute));
            return Err(LabelsError::NoColumn { path, what, side, names });
        }
    }
    let mut left_out: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut lines = LineCount::new(&text);
    for row in rows.records() {
        let row = row.map_err(broken)?;
        let line = lines.of_row(&row);
        let raw: Raw<'_> = columns.iter().zip(&row).filter_map(|(column, value)| Some(((*column)?, value))).collect();
        let id = raw.iter().find(|(attribute, _)| *attribute == Attribute::Id).map_or("", |(_, id)| *id);
        let why = if row.len() != names.len() || id.is_empty() {
            Some("without an id, or with other columns than the header")
        } else if by_id.contains_key(id) {
            Some("whose id stands further up")
        } else if let Some(record) = record(side, RecordId::new(id), line, &raw, operators) {
            by_id.insert(id.to_owned(), records.len());
            records.push(record);
            None
        } else {
            Some("without a position on Earth")
        };
        if let Some(why) = why {
            left_out.entry(why).or_insert((0, line)).0 += 1;
        }
    }
    for (why, (count, line)) in left_out {
        let records = if count == 1 { "record" } else { "records" };
        notes.push(format!("{count} {records} left out {why}, the first at {}:{line}", path.display()));
    }
    let unknown: Vec<&str> =
        names.iter().zip(&columns).filter(|(_, column)| column.is_none()).map(|(name, _)| name.as_str()).collect();
    if !unknown.is_empty() {
        notes.push(format!("columns of {} that are not understood: {}", path.display(), unknown.join(", ")));
    }
    Ok(())
}

fn read_truth(
    path: &Path,
    by_id: &[FxHashMap<String, usize>; 2],
    notes: &mut Vec<String>,
) -> Result<BTreeSet<(usize, usize)>, LabelsError> {
    let text = text_of(path)?;
    let mut rows = reader(&text);
    let (sides, _) = header(&mut rows, path)?;
    let column = |side: usize| {
        let found = sides.columns[side].iter().find(|(own, _)| *own == Attribute::Id).map(|(_, at)| *at);
        found.ok_or_else(|| LabelsError::NoColumn {
            path: path.to_owned(),
            what: "id",
            side: sides.names[side].clone(),
            names: names_of(Attribute::Id),
        })
    };
    let ids = [column(0)?, column(1)?];
    let rows: Vec<csv::StringRecord> = rows
        .records()
        .collect::<Result<_, _>>()
        .map_err(|source| LabelsError::Csv { path: path.to_owned(), source })?;
    // The list may name the tables in either order.
    let known = |order: [usize; 2]| {
        let both = |row: &&csv::StringRecord| {
            [0, 1].iter().all(|side| row.get(ids[order[*side]]).is_some_and(|id| by_id[*side].contains_key(id)))
        };
        rows.iter().filter(both).count()
    };
    let order = if known([1, 0]) > known([0, 1]) { [1, 0] } else { [0, 1] };

    let mut truth = BTreeSet::new();
    let mut left_out: BTreeMap<LeftOutPair, (usize, String)> = BTreeMap::new();
    let mut lines = LineCount::new(&text);
    for row in &rows {
        let line = lines.of_row(row);
        let is_match = sides.label.map_or(Some(true), |at| row.get(at).and_then(label_of));
        let found = [0, 1].map(|side: usize| row.get(ids[order[side]]).and_then(|id| by_id[side].get(id)));
        let why = match (is_match, found) {
            (None, _) => LeftOutPair::Label,
            (Some(false), _) => continue,
            (_, [Some(a), Some(b)]) if truth.insert((*a, *b)) => continue,
            (_, [Some(_), Some(_)]) => LeftOutPair::Repeated,
            _ => LeftOutPair::UnknownRecord,
        };
        left_out.entry(why).or_insert_with(|| (0, format!("{}:{line}", path.display()))).0 += 1;
    }
    notes.extend(left_out.iter().map(|(why, at)| left_out_told(*why, at)));
    if truth.is_empty() {
        return Err(LabelsError::NoPairs { path: path.to_owned(), notes: notes.clone() });
    }
    Ok(truth)
}
