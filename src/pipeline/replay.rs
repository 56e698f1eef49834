//! Replay: what today's rules make of a night's inputs, beside what the rules of that night made of them.
//!
//! The two snapshots are held against each other record by record, not id by id: which records are one place is what a
//! change of rules decides.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::RunError;
use super::ports::Tables;
use super::tabulate::tables::SOURCES;
use super::tabulate::{read_rows, tables};
use crate::domain::{Cell, Timestamp};

/// A record: its source and its id there.
type Key = (String, String);

/// What the rules of a night and those of today make of the same inputs, in places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Places then.
    pub before: u64,
    /// Places by today's rules.
    pub after: u64,
    /// Of the same records, and with the same attributes.
    pub same: u64,
    /// Of the same records, with other attributes: ids by today's rules.
    pub modified: Vec<String>,
    /// Of the same records under another id: the id then, and the id by today's rules.
    pub other_id: Vec<(String, String)>,
    /// Made of records of several places of then.
    pub joined: Vec<Regrouped>,
    /// Places of then whose records are in several places, or in places with records of others.
    pub parted: Vec<Regrouped>,
    /// Places without a record that was in any place then.
    pub added: Vec<String>,
    /// Places of then without a record that is in any place by today's rules.
    pub removed: Vec<String>,
    /// Places of then that gained or lost records, and have nothing to do with any other place.
    pub resized: Vec<Regrouped>,
}

/// A place of one side and those of the other with which it shares records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Regrouped {
    /// The place.
    pub place_id: String,
    /// Those of the other side.
    pub with: Vec<String>,
}

/// Places by their ids: their records, and a hash of what they say.
struct Night {
    places: BTreeMap<String, BTreeSet<Key>>,
    of: BTreeMap<Key, String>,
    content: BTreeMap<String, Vec<u8>>,
}

impl Night {
    fn read(snapshot: &dyn Tables) -> Result<Self, RunError> {
        let (mut places, mut of) = (BTreeMap::<String, BTreeSet<Key>>::new(), BTreeMap::new());
        for row in read_rows(snapshot, &SOURCES, &["place_id", "dataset", "record_id"])? {
            let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
            places.entry(text(0)).or_default().insert((text(1), text(2)));
            of.insert((text(1), text(2)), text(0));
        }
        let mut content = BTreeMap::new();
        if snapshot.has(&tables::PLACES.name) {
            for row in read_rows(snapshot, &tables::PLACES, &["id", "content_hash"])? {
                if let (Some(id), Cell::Bytes(hash)) = (row[0].as_text(), &row[1]) {
                    content.insert(id.to_owned(), hash.clone());
                }
            }
        }
        Ok(Self { places, of, content })
    }

    /// The places of this night that hold any of these records.
    fn around(&self, records: &BTreeSet<Key>) -> BTreeSet<&str> {
        records.iter().filter_map(|record| self.of.get(record)).map(String::as_str).collect()
    }
}

/// Holds a snapshot against what today's rules made of the same inputs.
///
/// # Errors
///
/// When a table cannot be read.
pub fn compare(then: &dyn Tables, today: &dyn Tables) -> Result<Compared, RunError> {
    let (then, today) = (Night::read(then)?, Night::read(today)?);
    let mut told =
        Compared { before: then.places.len() as u64, after: today.places.len() as u64, ..Compared::default() };
    let regrouped = |id: &String, with: BTreeSet<&str>| Regrouped {
        place_id: id.clone(),
        with: with.into_iter().map(str::to_owned).collect(),
    };
    for (id, records) in &today.places {
        let with = then.around(records);
        if with.is_empty() {
            told.added.push(id.clone());
        } else if with.len() > 1 {
            told.joined.push(regrouped(id, with));
        }
    }
    for (id, records) in &then.places {
        let with = today.around(records);
        let Some(one) = with.first().filter(|_| with.len() == 1).map(|one| (*one).to_owned()) else {
            if with.is_empty() {
                told.removed.push(id.clone());
            } else {
                told.parted.push(regrouped(id, with));
            }
            continue;
        };
        let now = &today.places[&one];
        if now == records {
            if *id != one {
                told.other_id.push((id.clone(), one));
            } else if then.content.get(id) == today.content.get(id) {
                told.same += 1;
            } else {
                told.modified.push(one);
            }
        } else if then.around(now).len() == 1 {
            told.resized.push(regrouped(id, with));
        }
    }
    Ok(told)
}

impl Compared {
    /// Whether today's rules make the same places.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.same == self.before && self.before == self.after
    }
}

/// A night, and what became of its replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The snapshot of then.
    pub snapshot: String,
    /// Its vintage.
    pub vintage: Option<Timestamp>,
    /// Where today's rules have written theirs, and what is different.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It was run.
    Run {
        /// Where the snapshot by today's rules is.
        location: String,
        /// What is different.
        #[serde(flatten)]
        compared: Box<Compared>,
    },
    /// It cannot be.
    Skipped {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::ports::TakeBatch;
    use crate::pipeline::tabulate::{Row, rows_to_batch};

    /// `"A:a,b B:c"`: place A of records a and b, place B of c. A letter behind `=` is what the place says.
    struct Told(&'static str);

    impl Told {
        fn rows(&self, table: &str) -> Vec<Row> {
            let mut rows = Vec::new();
            for place in self.0.split_whitespace() {
                let (id, rest) = place.split_once(':').expect("a place and its records");
                let (records, says) = rest.split_once('=').unwrap_or((rest, ""));
                let id = || Cell::Text(id.to_owned());
                if table == "places" {
                    let mut hash = says.as_bytes().to_vec();
                    hash.resize(16, 0);
                    rows.push(vec![id(), Cell::Bytes(hash)]);
                } else {
                    let record = |record: &str| vec![id(), Cell::Text("osm".into()), Cell::Text(record.to_owned())];
                    rows.extend(records.split(',').map(record));
                }
            }
            rows
        }
    }

    impl Tables for Told {
        fn has(&self, table: &str) -> bool {
            ["places", "sources"].contains(&table)
        }

        fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
            let whole = tables::ALL.iter().find(|known| known.name == table).expect("a table");
            let of = columns.iter().map(|name| whole.column(name).expect("a column").clone()).collect();
            let narrow = crate::pipeline::tabulate::Table { columns: of, ..(*whole).clone() };
            out(rows_to_batch(&narrow, &self.rows(table))?)
        }
    }

    #[test]
    fn what_rules_do_is_told_by_records() {
        let ids = |places: &[Regrouped]| -> String {
            let told = places.iter().map(|place| format!("{}({})", place.place_id, place.with.join(" ")));
            told.collect::<Vec<_>>().join(" ")
        };
        let cases = [
            ("A:a,b B:c", "A:a,b B:c", "same 2"),
            ("A:a,b B:c=x", "A:a,b B:c=y", "same 1 modified B"),
            ("A:a B:b", "A:a,b", "joined A(A B)"),
            ("A:a,b", "A:a B:b", "parted A(A B)"),
            ("A:a", "A:a B:b", "same 1 added B"),
            ("A:a B:b", "A:a", "same 1 removed B"),
            ("A:a", "Z:a", "other_id A>Z"),
            ("A:a", "A:a,b", "resized A(A)"),
            ("A:a,b B:c", "A:a B:b,c", "joined B(A B) parted A(A B)"),
        ];
        for (then, today, expected) in cases {
            let told = compare(&Told(then), &Told(today)).unwrap();
            let mut parts = Vec::new();
            let mut part = |name: &str, text: String| {
                if !text.is_empty() {
                    parts.push(format!("{name} {text}"));
                }
            };
            part("same", if told.same > 0 { told.same.to_string() } else { String::new() });
            part("modified", told.modified.join(" "));
            part("other_id", told.other_id.iter().map(|(a, b)| format!("{a}>{b}")).collect::<Vec<_>>().join(" "));
            part("joined", ids(&told.joined));
            part("parted", ids(&told.parted));
            part("added", told.added.join(" "));
            part("removed", told.removed.join(" "));
            part("resized", ids(&told.resized));
            assert_eq!(parts.join(" "), expected, "{then} → {today}");
            assert_eq!(told.is_same(), expected == "same 2", "{then} → {today}");
        }
    }
}
