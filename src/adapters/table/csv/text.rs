//! Text: the fields of a record as text, in the encoding of the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use encoding_rs::Encoding;
use serde_json::{Map, Value};

use crate::adapters::io::{Broken, Frame};
use crate::adapters::table::cell::{Cell, Row};
use crate::domain::{Finding, FindingRule, RecordId, Reject, RejectCode};

/// How the fields of a record become the cells of a row.
pub(in super::super) struct Fields {
    pub(in super::super) columns: Vec<String>,
    pub(in super::super) encoding: &'static Encoding,
    /// By slot, the field; `None` for a column that the table lacks.
    pub(in super::super) slots: Vec<Option<usize>>,
    pub(in super::super) all_tags: bool,
}

/// A field as text, or its bytes where they are not in the encoding.
pub(super) fn decoded<'a>(frame: &'a Frame, at: usize, encoding: &'static Encoding) -> Result<Cow<'a, str>, &'a [u8]> {
    let field = &frame.fields[at];
    let bytes = &frame.bytes[field.range.clone()];
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or(bytes)?;
    // Somebody before us could not read it either.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(bytes);
    }
    Ok(if field.is_quoted && text.contains("\"\"") { Cow::Owned(text.replace("\"\"", "\"")) } else { text })
}

/// The name of a column: without white space around it and line ends in it.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over what was decoded")]
pub(super) fn name(text: Cow<'_, str>) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Names that are each there once: one that stands twice gets its place among its equals, one that is empty its place
/// among all.
pub(super) fn distinct(names: &[String]) -> Vec<String> {
    let mut times: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for name in names {
        times.entry(name).or_default().0 += 1;
    }
    let mut distinct = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let (all, seen) = times.entry(name).or_default();
        *seen += 1;
        distinct.push(match (name.as_str(), *all) {
            ("", _) => format!("#{}", at + 1),
            (name, 1) => name.to_owned(),
            (name, _) => format!("{name}#{seen}"),
        });
    }
    distinct
}

/// Names for columns without any.
pub(super) fn numbered(columns: usize) -> Vec<String> {
    (1..=columns).map(|at| format!("#{at}")).collect()
}

impl Fields {
    /// The row of a record.
    ///
    /// # Errors
    ///
    /// A reject, when it is no record.
    pub(in super::super) fn row(&self, frame: &Frame) -> Result<Row, Reject> {
        if let Some(broken) = frame.broken {
            return Err(self.refused(frame.line, broken));
        }
        let mut findings = Vec::new();
        let mut texts: Vec<Option<Cow<'_, str>>> = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let text = match decoded(frame, at, self.encoding) {
                Ok(text) => {
                    if frame.joined.contains(&at) {
                        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
                        let rule = FindingRule::LineBreakInField;
                        findings.push(Finding::replaced(rule, column.clone(), text, joined.as_str()));
                        Some(Cow::Owned(joined))
                    } else {
                        Some(text)
                    }
                }
                Err(bytes) => {
                    let told = String::from_utf8_lossy(bytes).into_owned();
                    findings.push(Finding::dropped(FindingRule::InvalidEncoding, column.clone(), told));
                    None
                }
            };
            texts.push(text.filter(|text| !text.trim().is_empty()));
        }
        let cell =
            |slot: &Option<usize>| slot.and_then(|at| texts[at].as_ref()).map_or(Cell::Empty, |text| Cell::text(text));
        let cells = self.slots.iter().map(cell).collect();
        let stated = || self.columns.iter().zip(&texts).filter_map(|(column, text)| Some((column, text.as_ref()?)));
        let all = if self.all_tags {
            stated().map(|(column, text)| (column.clone(), text.trim().to_owned())).collect()
        } else {
            Vec::new()
        };
        let raw: Map<String, Value> =
            stated().map(|(column, text)| (column.clone(), Value::String(text.clone().into_owned()))).collect();
        let (place, line) = (format!("line {}", frame.line), Some(frame.line));
        let raw = Value::Object(raw).to_string();
        Ok(Row { place, line, cells, all, id: None, geometry: None, raw, findings })
    }

    fn refused(&self, line: u64, broken: Broken) -> Reject {
        let code = match broken {
            Broken::Columns(_) => RejectCode::WrongColumnCount,
            Broken::TextAfterQuote | Broken::OpenQuote | Broken::TooLong => RejectCode::Malformed,
        };
        let message = broken.told(self.columns.len());
        Reject { record_id: RecordId::new(format!("line {line}")), code, position: None, line: Some(line), message }
    }
}
