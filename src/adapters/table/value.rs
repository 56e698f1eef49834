//! Value: what the columns of one row come to. What cannot be read is a finding, and the value is missing.

use super::cell::Cell;
use super::convert::{Date, boolean, date, integer, number, told};
use super::mapping::Kind;
use super::plan::{Slots, Value};
use super::week::{NoHours, opening_hours};
use crate::domain::{Finding, FindingRule};

/// Most zeros in front of a code that a spreadsheet may have taken away; a shorter code is another mistake.
const ZEROS_LOST_MAX: usize = 2;

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Got {
    /// As a tag states it.
    pub(super) text: String,
    /// As a number, where it was read as one; a power in kW.
    pub(super) number: Option<f64>,
    /// As an instant, where it was read as a date.
    pub(super) date: Option<Date>,
}

impl Got {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: None, date: None }
    }
}

/// A text of a column, or of one of the elements in it.
struct Piece {
    text: String,
    /// Whether the format knows it as a number, and so writes it with a decimal point.
    is_number: bool,
}

/// Why a text comes to nothing.
type Refused = (FindingRule, String);

impl Value {
    /// The values of a row; several where the column holds a list, with `None` for an element that says nothing.
    pub(super) fn read(&self, cells: &[Cell], field: &str, findings: &mut Vec<Finding>) -> Vec<Option<Got>> {
        let mut refuse = |(rule, before): Refused| findings.push(Finding::dropped(rule, field.to_owned(), before));
        let pieces = match &self.from {
            Slots::Constant(value) => return vec![Some(Got::text(value.as_str()))],
            Slots::Week { days, always } => {
                return match self.week(cells, days, *always) {
                    Ok(hours) => hours.map(Got::text).map(Some).into_iter().collect(),
                    Err(refused) => {
                        refuse(refused);
                        Vec::new()
                    }
                };
            }
            Slots::Sum(slots) => match self.sum(cells, slots) {
                Ok(sum) => sum.map(|sum| Some(Piece { text: told(sum), is_number: true })).into_iter().collect(),
                Err(refused) => {
                    refuse(refused);
                    return Vec::new();
                }
            },
            Slots::Column(slot) => self.pieces(&cells[*slot]),
            Slots::First(slots) => {
                let first = slots.iter().map(|slot| &cells[*slot]).find(|cell| !self.is_nothing(cell));
                first.map_or_else(Vec::new, |cell| self.pieces(cell))
            }
            Slots::Joined(slots, join) => {
                let texts = slots.iter().map(|slot| &cells[*slot]).filter(|cell| !self.is_nothing(cell));
                let joined = texts.map(Cell::to_text).collect::<Vec<_>>().join(join);
                self.pieces(&Cell::text(&joined))
            }
        };
        let chosen: Vec<Option<Piece>> = match self.item {
            Some(item) => pieces.into_iter().nth(item - 1).into_iter().collect(),
            None => pieces,
        };
        let read = |piece: Option<Piece>| {
            self.got(piece?).unwrap_or_else(|refused| {
                refuse(refused);
                None
            })
        };
        chosen.into_iter().map(read).collect()
    }

    /// The first value of a row.
    pub(super) fn one(&self, cells: &[Cell], field: &str, findings: &mut Vec<Finding>) -> Option<Got> {
        self.read(cells, field, findings).into_iter().flatten().next()
    }

    /// Whether the columns of this value say anything in a row, be it readable or not.
    pub(super) fn is_stated(&self, cells: &[Cell]) -> bool {
        let stated = |slot: &usize| !self.is_nothing(&cells[*slot]);
        match &self.from {
            Slots::Constant(_) => false,
            Slots::Column(slot) => stated(slot),
            Slots::Joined(slots, _) | Slots::First(slots) | Slots::Sum(slots) => slots.iter().any(stated),
            Slots::Week { days, always } => {
                always.iter().chain(days.iter().flat_map(|(from, to)| [from, to])).any(stated)
            }
        }
    }

    /// Whether a cell is empty, or holds a word that stands for nothing.
    fn is_nothing(&self, cell: &Cell) -> bool {
        cell.is_empty() || self.missing.iter().any(|word| *word == cell.to_text())
    }

    fn pieces(&self, cell: &Cell) -> Vec<Option<Piece>> {
        match (cell, self.split.as_deref()) {
            (Cell::Empty, _) => Vec::new(),
            (Cell::List(cells), _) => cells
                .iter()
                .flat_map(|cell| match cell {
                    Cell::Empty => vec![None],
                    cell => self.pieces(cell),
                })
                .collect(),
            (Cell::Text(text), Some(split)) => {
                let pieces = text.split(split).map(str::trim).map(str::to_owned);
                pieces.map(|text| (!text.is_empty()).then_some(Piece { text, is_number: false })).collect()
            }
            (Cell::Text(_) | Cell::Number(_) | Cell::Bool(_), _) => {
                vec![Some(Piece { text: cell.to_text().into_owned(), is_number: matches!(cell, Cell::Number(_)) })]
            }
        }
    }

    /// One text, with all that is to be done to it.
    fn got(&self, piece: Piece) -> Result<Option<Got>, Refused> {
        let Piece { text: stated, mut is_number } = piece;
        if stated.contains('\0') {
            return Err((FindingRule::UnreadableValue, stated.escape_default().to_string()));
        }
        if self.missing.contains(&stated) {
            return Ok(None);
        }
        let mut text = stated.as_str();
        for affix in &self.strip {
            text = text.strip_prefix(affix.as_str()).unwrap_or(text);
            text = text.strip_suffix(affix.as_str()).unwrap_or(text).trim();
        }
        if let Some(words) = &self.words {
            match words.meaning(text) {
                Some("") => return Ok(None),
                Some(meaning) => (text, is_number) = (meaning, true),
                None => return Err((FindingRule::UnknownCode, stated)),
            }
        }
        if text.is_empty() {
            return Ok(None);
        }
        let mark = if is_number { b'.' } else { self.decimal_mark };
        let numeric = |read: Option<f64>, per_unit: f64, unit: &str| {
            let number = read.ok_or_else(|| (FindingRule::UnreadableValue, stated.clone()))? / per_unit;
            if number < self.bounds.0 || number > self.bounds.1 {
                return Err((FindingRule::ImplausibleValue, stated.clone()));
            }
            Ok(Got { number: Some(number), ..Got::text(format!("{}{unit}", told(number))) })
        };
        let mut got = match self.kind {
            None => match self.pad.filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())) {
                None => Got::text(text),
                Some(digits) if (digits.saturating_sub(ZEROS_LOST_MAX)..=digits).contains(&text.len()) => {
                    Got::text(format!("{text:0>digits$}"))
                }
                Some(_) => return Err((FindingRule::UnreadableValue, stated)),
            },
            Some(Kind::Kw) => numeric(number(text, mark), 1.0, " kW")?,
            Some(Kind::WToKw) => numeric(number(text, mark), 1_000.0, " kW")?,
            Some(Kind::Number) => numeric(number(text, mark), 1.0, "")?,
            Some(Kind::Integer) => numeric(integer(text, mark), 1.0, "")?,
            Some(Kind::Boolean) => match boolean(text) {
                Some(is) => Got::text(if is { "yes" } else { "no" }),
                None => return Err((FindingRule::UnreadableValue, stated)),
            },
            Some(Kind::Date) => match date(text, self.format.as_deref()) {
                Some(date) if date.is_plausible() => Got { date: Some(date), ..Got::text(date.told()) },
                Some(_) => return Err((FindingRule::ImplausibleValue, stated)),
                None => return Err((FindingRule::UnreadableValue, stated)),
            },
        };
        if !self.prefix.is_empty() || !self.suffix.is_empty() {
            got.text = format!("{}{}{}", self.prefix, got.text, self.suffix);
        }
        Ok(Some(got))
    }

    /// The sum of those columns that are not empty.
    fn sum(&self, cells: &[Cell], slots: &[usize]) -> Result<Option<f64>, Refused> {
        let mut sum = None;
        for cell in slots.iter().map(|slot| &cells[*slot]).filter(|cell| !self.is_nothing(cell)) {
            let text = cell.to_text();
            let mark = if matches!(cell, Cell::Number(_)) { b'.' } else { self.decimal_mark };
            let Some(number) = number(&text, mark) else {
                return Err((FindingRule::UnreadableValue, text.into_owned()));
            };
            sum = Some(sum.unwrap_or(0.0) + number);
        }
        Ok(sum)
    }

    fn week(
        &self,
        cells: &[Cell],
        days: &[(usize, usize); 7],
        always: Option<usize>,
    ) -> Result<Option<String>, Refused> {
        let text = |slot: usize| {
            let cell = &cells[slot];
            if self.is_nothing(cell) { "".into() } else { cell.to_text() }
        };
        let texts = days.map(|(from, to)| (text(from), text(to)));
        let stated = || {
            let days = texts.iter().map(|(from, to)| format!("{from}-{to}")).collect::<Vec<_>>().join(", ");
            let always = always.map(text).filter(|text| !text.is_empty());
            always.map_or_else(|| days.clone(), |always| format!("always {always}, and {days}"))
        };
        let always = match always.map(text).as_deref() {
            None | Some("") => None,
            Some(text) => match boolean(text) {
                Some(is) => Some(is),
                None => return Err((FindingRule::UnreadableValue, text.to_owned())),
            },
        };
        opening_hours(&texts.each_ref().map(|(from, to)| (from.as_ref(), to.as_ref())), always).map_err(|why| match why
        {
            NoHours::Unreadable => (FindingRule::UnreadableValue, stated()),
            NoHours::Implausible => (FindingRule::ImplausibleValue, stated()),
        })
    }
}
