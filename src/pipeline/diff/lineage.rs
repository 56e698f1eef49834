//! Lineage: which records each place had before and has now, and what follows for merges, splits and causes.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Cell, ChangeCause as Cause, RecordId};
use crate::pipeline::RunError;
use crate::pipeline::ports::Tables;
use crate::pipeline::tabulate::read_rows;
use crate::pipeline::tabulate::tables::{IDENTITY, SOURCES};

/// A record, by the name of its source.
type Key = (String, RecordId);

/// One snapshot's bridge.
#[derive(Default)]
struct Bridge {
    /// Place of each record, and what tells whether its source changed it: content hash and update time.
    records: BTreeMap<Key, (String, [Cell; 2])>,
    /// Records of each place.
    places: BTreeMap<String, BTreeSet<Key>>,
}

/// The bridges of two snapshots, and the ids that the older one knew.
pub(super) struct Lineage {
    old: Bridge,
    new: Bridge,
    known: BTreeSet<String>,
}

impl Lineage {
    /// Reads the bridges of both and the memory of the older.
    pub(super) fn read(old: &dyn Tables, new: &dyn Tables) -> Result<Self, RunError> {
        let mut known = BTreeSet::new();
        for row in read_rows(old, &IDENTITY, &["place_id", "former_place_ids"])? {
            known.extend(row[0].as_text().map(str::to_owned));
            if let Cell::List(former) = &row[1] {
                known.extend(former.iter().filter_map(Cell::as_text).map(str::to_owned));
            }
        }
        Ok(Self { old: Bridge::read(old)?, new: Bridge::read(new)?, known })
    }

    /// Whether the older snapshot's memory has this id.
    pub(super) fn was_known(&self, id: &str) -> bool {
        self.known.contains(id)
    }

    /// Whether the older snapshot has a place with this id, in whatever table.
    pub(super) fn was_there(&self, id: &str) -> bool {
        self.old.places.contains_key(id)
    }

    /// Whether the newer snapshot has a place with this id, in whatever table.
    pub(super) fn is_there(&self, id: &str) -> bool {
        self.new.places.contains_key(id)
    }

    /// For a new id: the place that most of its records belonged to before.
    pub(super) fn came_from(&self, id: &str) -> Option<&str> {
        Bridge::most(self.new.places.get(id)?, &self.old)
    }

    /// For an id that is gone: the place that most of its records belong to now.
    pub(super) fn went_into(&self, id: &str) -> Option<&str> {
        Bridge::most(self.old.places.get(id)?, &self.new)
    }

    /// Whether a record of these places, before or now, appeared, disappeared or says something else. They are the
    /// changed place and the one that it was merged into or split from.
    pub(super) fn cause<'i>(&self, ids: impl Iterator<Item = &'i str>) -> Cause {
        let of = |id| [&self.old, &self.new].into_iter().filter_map(move |bridge| bridge.places.get(id)).flatten();
        let records = ids.flat_map(of);
        let said = |bridge: &Bridge, key: &Key| bridge.records.get(key).map(|(_, said)| said.clone());
        let mut same = records.map(|key| said(&self.old, key) == said(&self.new, key));
        if same.all(|same| same) { Cause::Conflation } else { Cause::Source }
    }
}

impl Bridge {
    fn read(tables: &dyn Tables) -> Result<Self, RunError> {
        let mut bridge = Self::default();
        for row in read_rows(tables, &SOURCES, &["place_id", "dataset", "record_id", "content_hash", "update_time"])? {
            let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
            let key = (text(1), RecordId::new(text(2)));
            bridge.places.entry(text(0)).or_default().insert(key.clone());
            bridge.records.insert(key, (text(0), [row[3].clone(), row[4].clone()]));
        }
        Ok(bridge)
    }

    /// The place of `there` that holds most of these records; of equals the smallest id.
    fn most<'b>(records: &BTreeSet<Key>, there: &'b Self) -> Option<&'b str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, _) in records.iter().filter_map(|key| there.records.get(key)) {
            *counts.entry(place).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(id, n)| (*n, std::cmp::Reverse(*id))).map(|(id, _)| id)
    }
}
