//! Ditto text: `COL name VAL … COL latitude VAL …`, a tab, the other record, a tab, the label; a pair a line.

use std::path::Path;

use super::collected::Collected;
use super::columns::attribute;
use super::lines::lines;
use super::record::Raw;
use crate::pipeline::evaluate::LeftOutPair;

/// Whether a text begins like ditto.
pub(super) fn is_ditto(text: &str) -> bool {
    text.trim_start().starts_with("COL ")
}

/// Reads every line.
pub(super) fn read(text: &str, file: &Path, collected: &mut Collected<'_>) {
    for (line, pair) in (1..).zip(lines(text)).filter(|(_, pair)| !pair.trim().is_empty()) {
        let parts: Vec<&str> = pair.split('\t').collect();
        let [a, b, label] = parts[..] else {
            collected.leave_out(LeftOutPair::Malformed, file, line);
            continue;
        };
        if !(is_ditto(a) && is_ditto(b)) {
            collected.leave_out(LeftOutPair::Malformed, file, line);
            continue;
        }
        let (a, b) = (side(a, collected), side(b, collected));
        collected.pair([&a, &b], label, file, line);
    }
}

/// The columns of one record. What has no ` VAL` goes on the value before it.
fn side<'t>(text: &'t str, collected: &mut Collected<'_>) -> Raw<'t> {
    let mut raw = Raw::new();
    let text = text.trim();
    // Where each column begins; a value may itself hold the word.
    let mut starts: Vec<usize> = vec![0];
    for (at, _) in text.match_indices(" COL ") {
        let column = text[at + 5..].split(' ').nth(1) == Some("VAL");
        if column {
            starts.push(at + 1);
        }
    }
    for (rank, start) in starts.iter().enumerate() {
        let end = starts.get(rank + 1).map_or(text.len(), |next| *next);
        let column = text[*start..end].trim_start_matches("COL ");
        let (name, value) = column.split_once(" VAL").unwrap_or((column, ""));
        match attribute(name) {
            Some(attribute) => raw.push((attribute, value.trim())),
            None => collected.unknown_column(name),
        }
    }
    raw
}
