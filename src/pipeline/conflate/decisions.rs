//! Decisions: a person's verdicts on pairs of records. They survive re-runs because they are keyed by the records.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::candidates::Pair;
use crate::domain::{Record, RecordId};

/// What a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// One place.
    Always,
    /// Two places.
    Never,
}

/// The columns of a decisions file.
const COLUMNS: [&str; 5] = ["dataset_a", "record_id_a", "dataset_b", "record_id_b", "decision"];

/// One row of a decisions file.
#[derive(Debug, Deserialize)]
struct Row {
    dataset_a: String,
    record_id_a: String,
    dataset_b: String,
    record_id_b: String,
    decision: Decision,
}

/// Decisions by pair of (dataset, record).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions(BTreeMap<[(usize, RecordId); 2], Decision>);

/// Why a decisions file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum DecisionsError {
    #[error("cannot read the decisions; a row is two records and `always` or `never`")]
    Syntax(#[from] csv::Error),
    #[error("the decisions have no column `{column}`; the first line names the columns: {}", COLUMNS.join(", "))]
    NoColumn { column: &'static str },
    #[error("line {line} of the decisions names the source `{dataset}`, which the pipeline does not have")]
    UnknownDataset { line: usize, dataset: String },
    #[error("line {line} of the decisions contradicts an earlier line on the same pair")]
    Contradiction { line: usize },
    #[error("the decisions keep {a} and {b} apart, but unite them through other records")]
    Circle { a: RecordId, b: RecordId },
}

impl Decisions {
    /// Reads a decisions file, CSV with a header; nothing at all is no decisions. `datasets` are the names of the
    /// pipeline's sources, in order.
    ///
    /// # Errors
    ///
    /// When a row cannot be read, names an unknown source, or contradicts another.
    pub fn parse(text: &str, datasets: &[String]) -> Result<Self, DecisionsError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let headers = reader.headers()?.clone();
        if let Some(column) = COLUMNS.into_iter().find(|column| !headers.iter().any(|header| header == *column)) {
            return Err(DecisionsError::NoColumn { column });
        }
        let mut decisions = BTreeMap::new();
        for (at, row) in reader.deserialize::<Row>().enumerate() {
            // The first line is the header.
            let (line, row) = (at + 2, row?);
            let key = |dataset: String, id: String| match datasets.iter().position(|name| *name == dataset) {
                Some(index) => Ok((index, RecordId::new(id))),
                None => Err(DecisionsError::UnknownDataset { line, dataset }),
            };
            let mut pair = [key(row.dataset_a, row.record_id_a)?, key(row.dataset_b, row.record_id_b)?];
            pair.sort();
            if decisions.insert(pair, row.decision).is_some_and(|earlier| earlier != row.decision) {
                return Err(DecisionsError::Contradiction { line });
            }
        }
        match united_but_apart(&decisions) {
            Some([(_, a), (_, b)]) => Err(DecisionsError::Circle { a: a.clone(), b: b.clone() }),
            None => Ok(Self(decisions)),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The decisions on pairs of which both records are present, by their indices.
    pub(super) fn among(&self, records: &[Record]) -> BTreeMap<Pair, Decision> {
        let find = |(dataset, id): &(usize, RecordId)| {
            records.binary_search_by(|record| (record.key.dataset, &record.key.id).cmp(&(*dataset, id))).ok()
        };
        let pairs = self.0.iter().filter_map(|([a, b], decision)| {
            let (a, b) = (find(a)?, find(b)?);
            (a != b).then_some(((a.min(b), a.max(b)), *decision))
        });
        pairs.collect()
    }
}

/// A pair to be kept apart whose records others unite.
fn united_but_apart(decisions: &BTreeMap<[(usize, RecordId); 2], Decision>) -> Option<&[(usize, RecordId); 2]> {
    // Each record's group by its smallest member; a file of decisions is short.
    let mut group: BTreeMap<&(usize, RecordId), &(usize, RecordId)> = BTreeMap::new();
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

    #[test]
    fn a_decisions_file_is_read_or_says_what_is_wrong() {
        let cases = [
            ("osm,node/1,ocm,7,always", Ok(1)),
            ("osm,node/1,ocm,7,always\nocm,7,osm,node/1,always", Ok(1)),
            ("osm,node/1,ocm,7,always\nocm,7,osm,node/1,never", Err("line 3 of the decisions contradicts")),
            ("osm,node/1,omc,7,never", Err("line 2 of the decisions names the source `omc`")),
            ("osm,node/1,ocm,7,maybe", Err("cannot read the decisions")),
            (
                "osm,1,ocm,2,always\nocm,2,osm,3,always\nosm,1,osm,3,never",
                Err("the decisions keep 1 and 3 apart, but unite them through other records"),
            ),
            ("", Ok(0)),
        ];
        let datasets = ["osm", "ocm"].map(str::to_owned);
        for (rows, expected) in cases {
            let parsed = Decisions::parse(&format!("{HEADER}\n{rows}"), &datasets);
            match (parsed, expected) {
                (Ok(decisions), Ok(count)) => assert_eq!(decisions.0.len(), count, "{rows}"),
                (Err(error), Err(text)) => assert!(error.to_string().starts_with(text), "{rows}: {error}"),
                (parsed, _) => panic!("{rows}: {parsed:?}"),
            }
        }
        let headless = Decisions::parse("osm,node/1,ocm,7,always", &datasets);
        assert!(matches!(headless, Err(DecisionsError::NoColumn { column: "dataset_a" })), "{headless:?}");
    }
}
