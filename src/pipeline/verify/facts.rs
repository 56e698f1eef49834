//! Facts: what the tables of a snapshot say together, and whether they agree.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use super::Checks;
use crate::domain::{Manifest, RecordId};
use crate::pipeline::tabulate::tables::{BRIDGE, CONFLICTS, IDENTITY, SOURCES, holds_places};

/// A record: the number of its source's name, and its id.
pub(super) type Key = (u32, RecordId);

/// Counts by name.
pub(super) type Counts = BTreeMap<String, u64>;

/// What was seen in all tables.
#[derive(Default)]
pub(super) struct Facts {
    /// Tables that cannot be relied on.
    pub(super) damaged: BTreeSet<String>,
    /// Names of sources, by number.
    datasets: Vec<String>,
    /// Ids of places, of whatever table.
    pub(super) places: FxHashSet<Uuid>,
    /// Place of each record, by `sources`.
    pub(super) records: FxHashMap<Key, Uuid>,
    /// Records whose span in the bridge is open, with their places.
    pub(super) open_spans: Vec<(Key, Uuid)>,
    /// Records that the memory says are there, with their places.
    pub(super) present: Vec<(Key, Uuid)>,
    /// Every id that the memory knows.
    pub(super) known: FxHashSet<Uuid>,
    /// Ids of places in the bridge.
    pub(super) in_bridge: FxHashSet<Uuid>,
    /// Ids of places in `conflicts`.
    pub(super) in_conflicts: FxHashSet<Uuid>,
    /// Rows by the name that `counts` of the manifest has for them.
    pub(super) counts: Counts,
    /// Counts by source: `kept`, `license <name>`, `finding <rule>`, `repair <rule>`, `reject <code>`.
    pub(super) by_source: BTreeMap<String, Counts>,
    /// Rejects by code, by layer.
    pub(super) by_layer: BTreeMap<String, Counts>,
}

impl Facts {
    /// The number of a source's name.
    pub(super) fn dataset(&mut self, name: &str) -> u32 {
        let at = self.datasets.iter().position(|known| known == name).unwrap_or_else(|| {
            self.datasets.push(name.to_owned());
            self.datasets.len() - 1
        });
        at as u32
    }

    pub(super) fn count(&mut self, name: String) {
        *self.counts.entry(name).or_default() += 1;
    }

    pub(super) fn count_of(&mut self, source: &str, what: String) {
        *self.by_source.entry(source.to_owned()).or_default().entry(what).or_default() += 1;
    }

    fn named(&self, (dataset, id): &Key) -> String {
        format!("{}:{id}", self.datasets[*dataset as usize])
    }

    /// Checks that ids and records are the same in all tables. Tables that older versions did not write are left out.
    pub(super) fn check_references(&self, manifest: &Manifest, checks: &mut Checks) {
        let has = |table: &str| manifest.tables.contains_key(table);
        let places: Vec<&str> = manifest.tables.keys().filter(|name| holds_places(name)).map(String::as_str).collect();
        let with_places = |others: &[&'static str]| -> Vec<String> {
            places.iter().chain(others).map(|name| (*name).to_owned()).collect()
        };
        let [sources, conflicts, identity, bridge] =
            [&SOURCES, &CONFLICTS, &IDENTITY, &BRIDGE].map(|table| table.name.as_ref());
        let mut check =
            |name: &'static str, of: &str, needs: Vec<String>, result: &dyn Fn() -> Result<String, String>| {
                if !has(of) {
                    return;
                }
                match needs.iter().find(|table| self.damaged.contains(*table) || !has(table)) {
                    Some(table) => checks.skipped(name, of, &format!("`{table}` cannot be relied on")),
                    None => drop(checks.result(name, of, result())),
                }
            };
        let of_sources: FxHashSet<Uuid> = self.records.values().copied().collect();
        check("places_exist", sources, with_places(&["sources"]), &|| {
            all_in(&of_sources, &self.places, "not in a table of places")
        });
        check("places_have_records", sources, with_places(&["sources"]), &|| {
            all_in(&self.places, &of_sources, "no record is of it")
        });
        check("places_exist", conflicts, with_places(&["conflicts"]), &|| {
            all_in(&self.in_conflicts, &self.places, "not in a table of places")
        });
        let everywhere: FxHashSet<Uuid> = self.places.union(&self.known).copied().collect();
        check("places_exist", bridge, with_places(&["bridge", "identity"]), &|| {
            all_in(&self.in_bridge, &everywhere, "not in a table of places and not in `identity`")
        });
        let needs = |table: &str| vec![sources.to_owned(), table.to_owned()];
        check("records_agree", bridge, needs(bridge), &|| self.agree(&self.open_spans));
        check("records_agree", identity, needs(identity), &|| self.agree(&self.present));
    }

    /// Whether a table has the records of `sources`, in the same places.
    fn agree(&self, others: &[(Key, Uuid)]) -> Result<String, String> {
        for (key, place) in others {
            match self.records.get(key) {
                Some(known) if known == place => {}
                Some(known) => {
                    return Err(format!("{} is in place {place} here and in {known} in `sources`", self.named(key)));
                }
                None => return Err(format!("{} is there and not in `sources`", self.named(key))),
            }
        }
        let keys: FxHashSet<&Key> = others.iter().map(|(key, _)| key).collect();
        match self.records.keys().filter(|key| !keys.contains(key)).min() {
            Some(key) => Err(format!("{} is in `sources` and not there", self.named(key))),
            None => Ok(format!("{} records", keys.len())),
        }
    }
}

/// Whether all of these ids are among those; `otherwise` says of an id that is not what is wrong with it.
fn all_in(some: &FxHashSet<Uuid>, all: &FxHashSet<Uuid>, otherwise: &str) -> Result<String, String> {
    let lost: Vec<&Uuid> = some.iter().filter(|id| !all.contains(id)).collect();
    match lost.iter().min() {
        None => Ok(format!("{} places", some.len())),
        Some(first) => Err(format!("{} of {} places, the first {first}: {otherwise}", lost.len(), some.len())),
    }
}
