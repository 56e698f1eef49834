//! Scan: every row of a table once, for its order, its keys, and what it adds to the facts.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BinaryArray, RecordBatch, StringArray};
use rustc_hash::FxHashSet;
use serde_json::Value;
use uuid::Uuid;

use super::Checks;
use super::facts::{Facts, Key};
use crate::domain::{Cell, FindingRule, GeometryKind, LonLat, Manifest, RecordId, hilbert_key};
use crate::pipeline::diff::layers::{key, middle};
use crate::pipeline::diff::{point, position_of_hex};
use crate::pipeline::layers::RowKey;
use crate::pipeline::tabulate::tables::{
    BRIDGE, CONFLICTS, FINDINGS, IDENTITY, LINKS, REJECTS, SOURCES, changes_of, holds_places,
};
use crate::pipeline::tabulate::{Kind, Table, cells};

/// A table at work.
pub(super) struct Scan<'a> {
    facts: &'a mut Facts,
    kind: TableKind<'a>,
    /// Rows seen.
    pub(super) rows: u64,
    /// What is wrong with a value, at first sight.
    wrong: Option<String>,
    /// What is there twice, at first sight.
    twice: Option<String>,
}

/// What kind of table it is, with what must be remembered of it.
enum TableKind<'a> {
    Places { ids: FxHashSet<Uuid>, order: Order<(u64, Uuid)> },
    Sources { names: Vec<&'a str>, order: Order<(u64, usize, RecordId)> },
    Conflicts,
    Links,
    Rejects,
    Findings { repaired: BTreeSet<(Key, FindingRule)> },
    Identity { seen: FxHashSet<Key> },
    Bridge { last: Option<(Key, Option<i64>)> },
    PlaceChanges { ids: FxHashSet<Uuid>, order: Order<(u64, String)> },
    Layer { name: &'a str, keys: Vec<u64>, order: Order<RowKey> },
    LayerChanges { name: &'a str },
    Other,
}

/// Whether rows are in order.
struct Order<K> {
    last: Option<K>,
    /// The first row that comes before the one in front of it, from 0.
    broken_at: Option<u64>,
}

impl<K: Ord> Order<K> {
    fn new() -> Self {
        Self { last: None, broken_at: None }
    }

    fn see(&mut self, key: K, row: u64) {
        if self.broken_at.is_none() && self.last.as_ref().is_some_and(|last| key < *last) {
            self.broken_at = Some(row);
        }
        self.last = Some(key);
    }

    fn check(&self, file: &str, checks: &mut Checks) {
        let told = match self.broken_at {
            None => Ok("along the Hilbert curve, then by id".to_owned()),
            Some(row) => Err(format!("row {row} (from 0) belongs before the one in front of it")),
        };
        checks.result("order", file, told);
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(table: &'a str, manifest: &'a Manifest, facts: &'a mut Facts) -> Self {
        let is = |known: &Table| known.name == table;
        let kind = if holds_places(table) {
            TableKind::Places { ids: FxHashSet::default(), order: Order::new() }
        } else if is(&SOURCES) {
            let names = manifest.sources.iter().map(|source| source.name.as_str()).collect();
            TableKind::Sources { names, order: Order::new() }
        } else if is(&CONFLICTS) {
            TableKind::Conflicts
        } else if is(&LINKS) {
            TableKind::Links
        } else if is(&REJECTS) {
            TableKind::Rejects
        } else if is(&FINDINGS) {
            TableKind::Findings { repaired: BTreeSet::new() }
        } else if is(&IDENTITY) {
            TableKind::Identity { seen: FxHashSet::default() }
        } else if is(&BRIDGE) {
            TableKind::Bridge { last: None }
        } else if let Some(name) = table.strip_prefix("layers/") {
            TableKind::Layer { name, keys: Vec::new(), order: Order::new() }
        } else if let Some(name) = table.strip_prefix("changes/layers/") {
            TableKind::LayerChanges { name }
        } else if table.strip_prefix("changes/").is_some_and(|of| is(&changes_of(of))) {
            TableKind::PlaceChanges { ids: FxHashSet::default(), order: Order::new() }
        } else {
            TableKind::Other
        };
        Self { facts, kind, rows: 0, wrong: None, twice: None }
    }

    /// Takes note of a batch. Its columns have the types that they must have; an older table may lack some.
    pub(super) fn see(&mut self, batch: &RecordBatch) {
        let first = self.rows;
        self.rows += batch.num_rows() as u64;
        // Columns that a table of an earlier version lacks leave its rows uncounted.
        let _ = self.see_rows(batch, first);
    }

    fn see_rows(&mut self, batch: &RecordBatch, first: u64) -> Option<()> {
        let Self { facts, kind, wrong, twice, .. } = self;
        let rows = 0..batch.num_rows();
        let mut id = |text: &str| {
            let id = Uuid::parse_str(text).ok();
            if id.is_none() && wrong.is_none() {
                *wrong = Some(format!("`{text}` is no UUID"));
            }
            id.unwrap_or_default()
        };
        let mut again = |what: &dyn Fn() -> String| {
            twice.get_or_insert_with(what);
        };
        match kind {
            TableKind::Places { ids, order } => {
                let (places, geometries) = (texts(batch, "id")?, geometries(batch)?);
                for row in rows {
                    let id = id(places.value(row));
                    if !ids.insert(id) {
                        again(&|| format!("place {id}"));
                    }
                    facts.places.insert(id);
                    order.see((along(point(geometries.value(row))), id), first + row as u64);
                }
            }
            TableKind::Sources { names, order } => {
                let (places, datasets, records) =
                    (texts(batch, "place_id")?, texts(batch, "dataset")?, texts(batch, "record_id")?);
                let (licenses, geometries) = (texts(batch, "license")?, geometries(batch)?);
                for row in rows {
                    let (dataset, record) = (datasets.value(row), RecordId::new(records.value(row)));
                    let license = if licenses.is_null(row) { "" } else { licenses.value(row) };
                    facts.count_of(dataset, "kept".to_owned());
                    facts.count_of(dataset, format!("license {license}"));
                    let at = names.iter().position(|name| *name == dataset).unwrap_or(usize::MAX);
                    order.see((along(point(geometries.value(row))), at, record.clone()), first + row as u64);
                    let key = (facts.dataset(dataset), record);
                    if facts.records.insert(key, id(places.value(row))).is_some() {
                        again(&|| format!("record {dataset}:{}", records.value(row)));
                    }
                }
            }
            TableKind::Conflicts => {
                facts.in_conflicts.extend(texts(batch, "place_id")?.iter().flatten().map(&mut id));
            }
            TableKind::Links => {
                for verdict in texts(batch, "verdict")?.iter().flatten() {
                    facts.count(format!("verdict {verdict}"));
                }
            }
            TableKind::Rejects => {
                let (datasets, codes, layers) =
                    (texts(batch, "dataset")?, texts(batch, "code")?, texts(batch, "layer"));
                for row in rows {
                    let code = codes.value(row);
                    match layers.filter(|layers| layers.is_valid(row)) {
                        Some(layers) => {
                            let of = facts.by_layer.entry(layers.value(row).to_owned()).or_default();
                            *of.entry(code.to_owned()).or_default() += 1;
                        }
                        None => facts.count_of(datasets.value(row), format!("reject {code}")),
                    }
                }
            }
            TableKind::Findings { repaired } => {
                let (datasets, records, rules) =
                    (texts(batch, "dataset")?, texts(batch, "record_id")?, texts(batch, "rule")?);
                for row in rows {
                    let (dataset, rule) = (datasets.value(row), rules.value(row));
                    match FindingRule::from_name(rule).filter(|rule| rule.is_repair()) {
                        None => facts.count_of(dataset, format!("finding {rule}")),
                        // A repair counts once a record, however many values it changed.
                        Some(repair) => {
                            let key = (facts.dataset(dataset), RecordId::new(records.value(row)));
                            if repaired.insert((key, repair)) {
                                facts.count_of(dataset, format!("repair {rule}"));
                            }
                        }
                    }
                }
            }
            TableKind::Identity { seen } => {
                let (datasets, records, places) =
                    (texts(batch, "dataset")?, texts(batch, "record_id")?, texts(batch, "place_id")?);
                let present = batch.column_by_name("present")?.as_boolean();
                for row in rows {
                    let key = (facts.dataset(datasets.value(row)), RecordId::new(records.value(row)));
                    let place = id(places.value(row));
                    facts.known.insert(place);
                    if !seen.insert(key.clone()) {
                        again(&|| format!("record {}:{}", datasets.value(row), records.value(row)));
                    }
                    if present.value(row) {
                        facts.present.push((key, place));
                    }
                }
                let former = cells(&Kind::List(&Kind::Uuid), batch.column_by_name("former_place_ids")?);
                let former = former.iter().filter_map(|cell| if let Cell::List(ids) = cell { Some(ids) } else { None });
                facts.known.extend(former.flatten().filter_map(Cell::as_text).map(&mut id));
            }
            TableKind::Bridge { last } => {
                let (datasets, records, places) =
                    (texts(batch, "dataset")?, texts(batch, "record_id")?, texts(batch, "place_id")?);
                let times = |name: &str| Some(cells(&Kind::Time, batch.column_by_name(name)?));
                let (from, to) = (times("valid_from")?, times("valid_to")?);
                let micros = |cell: &Cell| if let Cell::Time(micros) = cell { Some(*micros) } else { None };
                for row in rows {
                    let key = (facts.dataset(datasets.value(row)), RecordId::new(records.value(row)));
                    let (place, until) = (id(places.value(row)), micros(&to[row]));
                    facts.in_bridge.insert(place);
                    let overlaps = last.as_ref().is_some_and(|(before, ended)| {
                        *before == key && ended.is_none_or(|ended| micros(&from[row]).is_none_or(|from| from < ended))
                    });
                    if overlaps {
                        again(&|| format!("record {}:{} at one time", datasets.value(row), records.value(row)));
                    }
                    if until.is_none() {
                        facts.open_spans.push((key.clone(), place));
                    }
                    *last = Some((key, until));
                }
            }
            TableKind::PlaceChanges { ids, order } => {
                let (places, classes) = (texts(batch, "id")?, texts(batch, "class")?);
                let (geometries, old) = (geometries(batch)?, texts(batch, "old_values")?);
                for row in rows {
                    let place = places.value(row);
                    if !ids.insert(id(place)) {
                        again(&|| format!("place {place}"));
                    }
                    facts.count(format!("changes_{}", classes.value(row)));
                    let at = if geometries.is_valid(row) {
                        point(geometries.value(row))
                    } else {
                        old_position(old.value(row))
                    };
                    order.see((along(at), place.to_owned()), first + row as u64);
                }
            }
            TableKind::Layer { name, keys, order } => {
                let (types, kinds) = (texts(batch, "osm_type")?, texts(batch, "kind")?);
                let (geometries, ids) =
                    (geometries(batch)?, batch.column_by_name("osm_id")?.as_primitive::<Int64Type>());
                for row in rows {
                    facts.count(format!("rows of layer {name}"));
                    match key(types.value(row), ids.value(row), kinds.value(row)) {
                        Ok(key) => {
                            keys.push(packed(&key));
                            let hilbert = along(middle(geometries.value(row)));
                            order.see(RowKey { hilbert, ..key }, first + row as u64);
                        }
                        Err(error) => drop(wrong.get_or_insert_with(|| error.to_string())),
                    }
                }
            }
            TableKind::LayerChanges { name } => {
                for class in texts(batch, "class")?.iter().flatten() {
                    facts.count(format!("layers/{name}/{class}"));
                }
            }
            TableKind::Other => {}
        }
        Some(())
    }

    /// Says what the rows come to.
    pub(super) fn finish(mut self, file: &str, checks: &mut Checks) {
        if let TableKind::Layer { keys, .. } = &mut self.kind {
            keys.sort_unstable();
            self.twice = keys.windows(2).find(|two| two[0] == two[1]).map(|two| unpacked(two[0]));
        }
        match &self.kind {
            TableKind::Places { order, .. } => order.check(file, checks),
            TableKind::Sources { order, .. } => order.check(file, checks),
            TableKind::PlaceChanges { order, .. } => order.check(file, checks),
            TableKind::Layer { order, .. } => order.check(file, checks),
            TableKind::Identity { .. } | TableKind::Bridge { .. } => {}
            _ => return,
        }
        let told = match (self.wrong, self.twice) {
            (Some(wrong), _) => Err(wrong),
            (None, Some(twice)) => Err(format!("{twice} is there more than once")),
            (None, None) => Ok("each is there once".to_owned()),
        };
        checks.result("keys", file, told);
    }
}

fn texts<'b>(batch: &'b RecordBatch, column: &str) -> Option<&'b StringArray> {
    batch.column_by_name(column)?.as_string_opt::<i32>()
}

fn geometries(batch: &RecordBatch) -> Option<&BinaryArray> {
    batch.column_by_name("geometry")?.as_binary_opt::<i32>()
}

/// The place along the Hilbert curve; last of all for what is nowhere.
fn along(position: Option<LonLat>) -> u64 {
    position.map_or(u64::MAX, hilbert_key)
}

/// Where a place was that is gone.
fn old_position(old_values: &str) -> Option<LonLat> {
    let old: Value = serde_json::from_str(old_values).ok()?;
    position_of_hex(old["geometry"].as_str()?)
}

/// The key of a row of a layer in eight bytes; ids of objects stay far below 2⁵⁹.
fn packed(key: &RowKey) -> u64 {
    (key.id as u64) << 4 | u64::from(key.osm_type) << 2 | u64::from(key.kind)
}

fn unpacked(key: u64) -> String {
    let object = ["node", "way", "relation"].get((key >> 2 & 3) as usize).copied().unwrap_or_default();
    let kind = GeometryKind::ALL.get((key & 3) as usize).map_or("", |kind| kind.name());
    format!("{object}/{} as {kind}", key as i64 >> 4)
}
