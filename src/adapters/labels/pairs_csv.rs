//! CSV of pairs: two columns per attribute and a label.

use std::path::Path;

use super::LabelsError;
use super::collected::Collected;
use super::columns::{Attribute, Sides, names_of, sides};
use super::lines::{LineCount, lines};
use super::record::Raw;
use crate::pipeline::evaluate::LeftOutPair;

/// A reader of the text, whatever separates its columns.
pub(super) fn reader(text: &str) -> csv::Reader<&[u8]> {
    let header = lines(text).find(|line| !line.is_empty()).unwrap_or_default();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // The comma wins a tie.
    let separator = [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',');
    csv::ReaderBuilder::new().delimiter(separator).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes())
}

/// Reads the header as that of a file of pairs.
pub(super) fn header(rows: &mut csv::Reader<&[u8]>, file: &Path) -> Result<(Sides, Vec<String>), LabelsError> {
    let path = || file.to_owned();
    let names = rows.headers().map_err(|source| LabelsError::Csv { path: path(), source })?;
    let names: Vec<String> = names.iter().map(str::to_owned).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let sides = sides(&columns).ok_or_else(|| LabelsError::NoSides { path: path(), columns: names.join(", ") })?;
    Ok((sides, names))
}

/// Reads every row.
///
/// # Errors
///
/// When the header does not name two records with positions and a label.
pub(super) fn read(text: &str, file: &Path, collected: &mut Collected<'_>) -> Result<(), LabelsError> {
    let mut rows = reader(text);
    let (sides, names) = header(&mut rows, file)?;
    for (side, columns) in sides.names.iter().zip(&sides.columns) {
        for (attribute, what) in [(Attribute::Latitude, "latitude"), (Attribute::Longitude, "longitude")] {
            if !columns.iter().any(|(own, _)| *own == attribute) {
                let (path, side, names) = (file.to_owned(), side.clone(), names_of(attribute));
                return Err(LabelsError::NoColumn { path, what, side, names });
            }
        }
    }
    let Some(label) = sides.label else { return Err(LabelsError::NoLabel { path: file.to_owned() }) };
    sides.unknown.iter().for_each(|at| collected.unknown_column(&names[*at]));
    let mut lines = LineCount::new(text);
    for row in rows.records() {
        let row = row.map_err(|source| LabelsError::Csv { path: file.to_owned(), source })?;
        let line = lines.of_row(&row);
        if row.len() != names.len() {
            collected.leave_out(LeftOutPair::Malformed, file, line);
            continue;
        }
        let [a, b]: [Raw<'_>; 2] = [0, 1]
            .map(|side: usize| sides.columns[side].iter().map(|(attribute, at)| (*attribute, &row[*at])).collect());
        collected.pair([&a, &b], &row[label], file, line);
    }
    Ok(())
}
