//! Collected: pairs out of several files, each record once, and an account of what was left out.

use std::collections::BTreeMap;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::ReadLabels;
use super::columns::Attribute;
use super::record::{Raw, record};
use crate::domain::{Operators, RecordId};
use crate::pipeline::evaluate::{LabelledPair, LabelledSet, LeftOutPair};

/// What was read so far.
pub(super) struct Collected<'o> {
    operators: &'o Operators,
    set: LabelledSet,
    /// By side and id, else by side and all that is said; `None` where the record has no position.
    by_key: [FxHashMap<String, Option<usize>>; 2],
    labels: FxHashMap<(usize, usize), bool>,
    left_out: BTreeMap<LeftOutPair, (usize, String)>,
    unknown: Vec<String>,
}

impl<'o> Collected<'o> {
    pub(super) fn new(operators: &'o Operators) -> Self {
        Self {
            operators,
            set: LabelledSet::default(),
            by_key: [FxHashMap::default(), FxHashMap::default()],
            labels: FxHashMap::default(),
            left_out: BTreeMap::new(),
            unknown: Vec::new(),
        }
    }

    /// Takes a pair of a file's line.
    pub(super) fn pair(&mut self, sides: [&Raw<'_>; 2], label: &str, file: &Path, line: u64) {
        let Some(is_match) = label_of(label) else { return self.leave_out(LeftOutPair::Label, file, line) };
        let [a, b] = [0, 1].map(|side| self.record(side, sides[side], file, line));
        let (Some(a), Some(b)) = (a, b) else { return self.leave_out(LeftOutPair::NoPosition, file, line) };
        match self.labels.insert((a, b), is_match) {
            None => self.set.pairs.push(LabelledPair { pair: (a, b), is_match }),
            Some(earlier) if earlier == is_match => self.leave_out(LeftOutPair::Repeated, file, line),
            Some(earlier) => {
                // The first word stands.
                self.labels.insert((a, b), earlier);
                self.leave_out(LeftOutPair::Contradicted, file, line);
            }
        }
    }

    /// Counts a pair that cannot be used.
    pub(super) fn leave_out(&mut self, why: LeftOutPair, file: &Path, line: u64) {
        let (count, _) = self.left_out.entry(why).or_insert_with(|| (0, format!("{}:{line}", file.display())));
        *count += 1;
    }

    /// Remembers a column that tells nothing.
    pub(super) fn unknown_column(&mut self, name: &str) {
        if !self.unknown.iter().any(|known| known == name) {
            self.unknown.push(name.to_owned());
        }
    }

    fn record(&mut self, side: usize, raw: &Raw<'_>, file: &Path, line: u64) -> Option<usize> {
        let id = raw.iter().find(|(attribute, value)| *attribute == Attribute::Id && !value.is_empty());
        let key = if let Some((_, id)) = id {
            format!("id {id}")
        } else {
            let said = raw.iter().map(|(attribute, value)| format!("{attribute:?} {value}"));
            said.collect::<Vec<_>>().join("\n")
        };
        if let Some(known) = self.by_key[side].get(&key) {
            return *known;
        }
        let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let id = id.map_or_else(|| RecordId::new(format!("{name}:{line}")), |(_, id)| RecordId::new(*id));
        let index = record(side, id, line, raw, self.operators).map(|record| {
            self.set.records.push(record);
            self.set.records.len() - 1
        });
        self.by_key[side].insert(key, index);
        index
    }

    /// The set, and what is to be said about it.
    pub(super) fn into_read(self) -> ReadLabels {
        let unread_labels = self.left_out.get(&LeftOutPair::Label).map_or(0, |(count, _)| *count);
        let mut notes: Vec<String> = self.left_out.iter().map(|(why, at)| left_out_told(*why, at)).collect();
        if !self.unknown.is_empty() {
            notes.push(format!("columns that are not understood: {}", self.unknown.join(", ")));
        }
        ReadLabels { set: self.set, unread_labels, notes }
    }
}

/// `3 pairs left out that repeat an earlier one, the first at train.txt:17`.
pub(super) fn left_out_told(why: LeftOutPair, (count, first): &(usize, String)) -> String {
    let pairs = if *count == 1 { "pair" } else { "pairs" };
    format!("{count} {pairs} left out {}, the first at {first}", why.told())
}

/// What a label says: whether the two are one place.
pub(super) fn label_of(label: &str) -> Option<bool> {
    match label.trim().to_lowercase().as_str() {
        "1" | "1.0" | "true" | "t" | "yes" | "match" | "always" => Some(true),
        "0" | "0.0" | "false" | "f" | "no" | "miss" | "never" => Some(false),
        _ => None,
    }
}
