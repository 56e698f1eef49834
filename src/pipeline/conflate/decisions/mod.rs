//! Decisions: a person's verdicts on pairs of records. They survive re-runs because they are keyed by the records.
//!
//! A row without a decision is a question that a run has asked; it decides nothing.

mod overruled;
mod sheet;
mod update;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::candidates::Pair;
use crate::domain::RecordId;
use crate::pipeline::records::Records;
pub(super) use overruled::overruled;
use sheet::{OpenQuote, Sheet};
pub use update::{UnderReview, Updated, update};

/// What a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// One place.
    Always,
    /// Two places.
    Never,
}

/// The columns of a decisions file that are read.
const COLUMNS: [&str; 5] = ["dataset_a", "record_id_a", "dataset_b", "record_id_b", "decision"];

/// A record: its source's place in the pipeline file, and its id.
type Key = (usize, RecordId);

/// Decisions by pair of (dataset, record).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions(BTreeMap<[Key; 2], Decision>);

/// Why a decisions file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum DecisionsError {
    #[error("line {line} of the decisions opens a quote that is never closed")]
    OpenQuote { line: usize },
    #[error("the decisions have no column `{column}`; the first line names the columns: {}", COLUMNS.join(", "))]
    NoColumn { column: &'static str },
    #[error(
        "line {line} of the decisions says `{stated}`; a row is two records and `always` or `never`, or nothing as long as it is open"
    )]
    UnknownDecision { line: usize, stated: String },
    #[error("line {line} of the decisions has nothing in column `{column}`; a decision is on two records")]
    NoRecord { line: usize, column: &'static str },
    #[error("line {line} of the decisions names the same record twice; a decision is on two records")]
    OneRecord { line: usize },
    #[error(
        "line {line} of the decisions names the source `{dataset}`, which the pipeline does not have; it has: {known}"
    )]
    UnknownDataset { line: usize, dataset: String, known: String },
    #[error("line {line} of the decisions contradicts an earlier line on the same pair (line {earlier})")]
    Contradiction { line: usize, earlier: usize },
    #[error("the decisions keep {a} and {b} apart, but unite them through other records (line {line})")]
    Circle { line: usize, a: String, b: String },
}

/// A text as a sheet with the columns of decisions; `None` where it is blank.
fn sheet_of(text: &str) -> Result<Option<Sheet<'_>>, DecisionsError> {
    let Some(sheet) = Sheet::read(text).map_err(|OpenQuote(line)| DecisionsError::OpenQuote { line })? else {
        return Ok(None);
    };
    match COLUMNS.into_iter().find(|column| sheet.column(column).is_none()) {
        Some(column) => Err(DecisionsError::NoColumn { column }),
        None => Ok(Some(sheet)),
    }
}

impl Decisions {
    /// Reads a decisions file, CSV with a header; nothing at all is no decisions. `datasets` are the names of the
    /// pipeline's sources, in order.
    ///
    /// # Errors
    ///
    /// When a row cannot be read, names an unknown source, or contradicts another.
    pub fn parse(text: &str, datasets: &[String]) -> Result<Self, DecisionsError> {
        let Some(sheet) = sheet_of(text)? else { return Ok(Self::default()) };
        let mut decisions: BTreeMap<[Key; 2], (Decision, usize)> = BTreeMap::new();
        for row in &sheet.rows {
            let line = row.line;
            let cell = |name: &str| row.cell(sheet.column(name));
            let decision = match cell("decision") {
                "" => continue,
                stated if stated.eq_ignore_ascii_case("always") => Decision::Always,
                stated if stated.eq_ignore_ascii_case("never") => Decision::Never,
                stated => return Err(DecisionsError::UnknownDecision { line, stated: stated.to_owned() }),
            };
            if let Some(column) = COLUMNS.into_iter().find(|column| cell(column).is_empty()) {
                return Err(DecisionsError::NoRecord { line, column });
            }
            let key = |dataset: &str, id: &str| {
                let index = datasets.iter().position(|name| name == dataset);
                index.map(|index| (index, RecordId::new(id))).ok_or_else(|| DecisionsError::UnknownDataset {
                    line,
                    dataset: dataset.to_owned(),
                    known: datasets.join(", "),
                })
            };
            let mut pair = [key(cell("dataset_a"), cell("record_id_a"))?, key(cell("dataset_b"), cell("record_id_b"))?];
            pair.sort();
            if pair[0] == pair[1] {
                return Err(DecisionsError::OneRecord { line });
            }
            let (first, earlier) = *decisions.entry(pair).or_insert((decision, line));
            if first != decision {
                return Err(DecisionsError::Contradiction { line, earlier });
            }
        }
        let lines = decisions.iter().map(|(pair, (_, line))| (pair.clone(), *line)).collect::<BTreeMap<_, _>>();
        let decisions = decisions.into_iter().map(|(pair, (decision, _))| (pair, decision)).collect();
        match united_but_apart(&decisions) {
            Some(pair) => {
                let [a, b] = pair.each_ref().map(|(dataset, id)| format!("{}:{id}", datasets[*dataset]));
                Err(DecisionsError::Circle { line: lines[pair], a, b })
            }
            None => Ok(Self(decisions)),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The decisions as a text that depends on nothing but them: not on the order of rows, on notes or on open questions.
    /// `datasets` as in [`Decisions::parse`].
    #[must_use]
    pub fn told(&self, datasets: &[String]) -> String {
        let mut text = String::new();
        for ([(a, id_a), (b, id_b)], decision) in &self.0 {
            let (a, b) = (&datasets[*a], &datasets[*b]);
            writeln!(text, "{a}\u{1f}{id_a}\u{1f}{b}\u{1f}{id_b}\u{1f}{decision:?}")
                .expect("text in memory can be written");
        }
        text
    }

    /// The decisions on pairs of which both records are present, by their indices.
    pub(super) fn among(&self, records: &Records) -> BTreeMap<Pair, Decision> {
        let find = |(dataset, id): &Key| {
            records.outlines().binary_search_by(|known| (known.key.dataset, &known.key.id).cmp(&(*dataset, id))).ok()
        };
        let pairs = self.0.iter().filter_map(|([a, b], decision)| {
            let (a, b) = (find(a)?, find(b)?);
            (a != b).then_some(((a.min(b), a.max(b)), *decision))
        });
        pairs.collect()
    }
}

/// A pair to be kept apart whose records others unite.
fn united_but_apart(decisions: &BTreeMap<[Key; 2], Decision>) -> Option<&[Key; 2]> {
    // Each record's group by its smallest member; a file of decisions is short.
    let mut group: BTreeMap<&Key, &Key> = BTreeMap::new();
    for record in decisions.keys().flatten() {
        group.insert(record, record);
    }
    for ([a, b], _) in decisions.iter().filter(|(_, decision)| **decision == Decision::Always) {
        let (from, to) = (group[a].max(group[b]), group[a].min(group[b]));
        for member in group.values_mut().filter(|member| **member == from) {
            *member = to;
        }
    }
    let mut apart = decisions.iter().filter(|(_, decision)| **decision == Decision::Never).map(|(pair, _)| pair);
    apart.find(|[a, b]| group[a] == group[b])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "dataset_a,record_id_a,dataset_b,record_id_b,decision";

    fn parsed(text: &str) -> Result<Decisions, DecisionsError> {
        Decisions::parse(text, &["osm", "ocm"].map(str::to_owned))
    }

    #[test]
    fn a_decisions_file_is_read_or_says_what_is_wrong() {
        let cases = [
            ("osm,node/1,ocm,7,always", Ok(1)),
            ("osm,node/1,ocm,7,always\nocm,7,osm,node/1,always", Ok(1)),
            ("osm,node/1,ocm,7,ALWAYS ,,\r\n osm , node/1,ocm,8,Never\r\n,,,,\r\n", Ok(2)),
            ("osm,node/1,ocm,7,\nosm,node/1,ocm,7,never\nnone,1,nothing,2,\n,,,,", Ok(1)),
            ("", Ok(0)),
            (
                "osm,node/1,ocm,7,always\nocm,7,osm,node/1,never",
                Err("line 3 of the decisions contradicts an earlier line on the same pair (line 2)"),
            ),
            (
                "osm,\"node\n1\",ocm,7,never\n\nosm,node/1,omc,7,never",
                Err("line 5 of the decisions names the source `omc`"),
            ),
            (
                "osm,node/1,ocm,7,maybe",
                Err("line 2 of the decisions says `maybe`; a row is two records and `always` or `never`"),
            ),
            ("osm,node/1,ocm,,never", Err("line 2 of the decisions has nothing in column `record_id_b`")),
            ("osm,node/1,osm,node/1,never", Err("line 2 of the decisions names the same record twice")),
            ("osm,node/1,ocm,\"7,never", Err("line 2 of the decisions opens a quote that is never closed")),
            (
                "osm,1,ocm,2,always\nocm,2,osm,3,always\nosm,1,osm,3,never",
                Err("the decisions keep osm:1 and osm:3 apart, but unite them through other records (line 4)"),
            ),
        ];
        for (rows, expected) in cases {
            match (parsed(&format!("{HEADER}\n{rows}")), expected) {
                (Ok(decisions), Ok(count)) => assert_eq!(decisions.len(), count, "{rows}"),
                (Err(error), Err(text)) => assert!(error.to_string().starts_with(text), "{rows}: {error}"),
                (parsed, _) => panic!("{rows}: {parsed:?}"),
            }
        }
        let headless = parsed("osm,node/1,ocm,7,always");
        assert!(matches!(headless, Err(DecisionsError::NoColumn { column: "dataset_a" })), "{headless:?}");
    }

    #[test]
    fn what_decides_nothing_is_not_told() {
        let datasets = ["osm", "ocm"].map(str::to_owned);
        let told = |rows: &str| parsed(&format!("{HEADER},note\n{rows}")).expect("sound").told(&datasets);
        assert_eq!(told("osm,1,ocm,2,,ask"), "");
        let plain = told("osm,1,ocm,2,never,\nosm,3,ocm,4,always,\n");
        assert_eq!(plain, told("ocm,4,osm,3,Always,x\nosm,9,ocm,9,,\nosm,1,ocm,2,NEVER,\n"));
        assert_ne!(plain, told("osm,1,ocm,2,never,\n"));
    }
}
