//! Plan: the mapping with a slot for each column that it names, ready for any number of rows.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::convert::PLAUSIBLE_KW;
use super::mapping::{Condition, ConnectorGroup, From, Id, Kind, Mapping, Position, Take};
use crate::domain::Vocabulary;

/// A column that the mapping names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) column: String,
    /// The first key that names it, e.g. `tags.capacity`.
    pub(super) key: String,
    /// Whether the table may lack it.
    pub(super) is_optional: bool,
    /// Whether it is of a second or later group of columns that are counted through.
    pub(super) is_repeated: bool,
}

/// What to do with a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// The columns, by slot.
    pub(super) columns: Vec<Named>,
    pub(super) wanted: Vec<(usize, Condition)>,
    pub(super) id: PlannedId,
    pub(super) position: PlannedPosition,
    pub(super) updated: Option<Value>,
    pub(super) all_tags: bool,
    pub(super) tags: Vec<(String, Value)>,
    pub(super) connectors: Vec<Group>,
    pub(super) decimal_mark: u8,
}

/// What makes an id, by slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PlannedId {
    Columns(Vec<usize>),
    Hash(Vec<usize>),
    Own,
}

/// Where a row is, by slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PlannedPosition {
    LonLat(Box<(Value, Value)>),
    Column(usize),
    Own,
}

/// A value of the model, by slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) from: Slots,
    pub(super) missing: Vec<String>,
    pub(super) strip: Vec<String>,
    pub(super) split: Option<String>,
    pub(super) item: Option<usize>,
    pub(super) words: Option<Dictionary>,
    pub(super) pad: Option<usize>,
    pub(super) kind: Option<Kind>,
    pub(super) bounds: (f64, f64),
    pub(super) format: Option<String>,
    pub(super) prefix: String,
    pub(super) suffix: String,
    pub(super) vocabulary: Option<Vocabulary>,
    pub(super) decimal_mark: u8,
}

/// As [`From`], by slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slots {
    Column(usize),
    Joined(Vec<usize>, String),
    First(Vec<usize>),
    Sum(Vec<usize>),
    Constant(String),
    Week { days: [(usize, usize); 7], always: Option<usize> },
}

/// What words mean: as they are written, else whatever their capitals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dictionary {
    exact: FxHashMap<String, String>,
    /// By small letters; `None` where two words differ in their capitals only.
    any_case: FxHashMap<String, Option<String>>,
    pub(super) otherwise: Option<String>,
}

/// One group of columns about a connector, by slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) when: Vec<(usize, Condition)>,
    pub(super) kind: Option<Value>,
    pub(super) power: Option<Value>,
    pub(super) voltage: Option<Value>,
    pub(super) amperage: Option<Value>,
    pub(super) current: Option<Value>,
    pub(super) count: Option<Value>,
    pub(super) evse_id: Option<Value>,
}

impl Dictionary {
    fn new(words: &BTreeMap<String, String>, otherwise: Option<&str>) -> Self {
        let mut any_case: FxHashMap<String, Option<String>> = FxHashMap::default();
        for (word, meaning) in words {
            any_case
                .entry(word.trim().to_lowercase())
                .and_modify(|known| {
                    if known.as_ref() != Some(meaning) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(meaning.clone()));
        }
        let exact = words.iter().map(|(word, meaning)| (word.trim().to_owned(), meaning.clone())).collect();
        Self { exact, any_case, otherwise: otherwise.map(str::to_owned) }
    }

    /// What a word means.
    pub(super) fn meaning(&self, word: &str) -> Option<&str> {
        if let Some(meaning) = self.exact.get(word) {
            return Some(meaning);
        }
        self.any_case.get(&word.to_lowercase()).and_then(Option::as_deref).or(self.otherwise.as_deref())
    }
}

impl Plan {
    /// Gives every column that `mapping` names a slot.
    pub(super) fn new(mapping: &Mapping) -> Self {
        let mut planner = Planner { mapping, columns: Vec::new(), slots: FxHashMap::default() };
        let wanted = planner.conditions(&mapping.wanted, "where", None);
        let mut listed = |columns: &[String]| columns.iter().map(|column| planner.slot(column, "id", None)).collect();
        let id = match &mapping.id {
            Some(Id::Columns(columns)) => PlannedId::Columns(listed(columns)),
            Some(Id::Hash(columns)) => PlannedId::Hash(listed(columns)),
            None => PlannedId::Own,
        };
        let position = match &mapping.position {
            Position::LonLat(both) => {
                let lon = planner.value(&both.0, "lon", None);
                PlannedPosition::LonLat(Box::new((lon, planner.value(&both.1, "lat", None))))
            }
            Position::Column(column) => PlannedPosition::Column(planner.slot(column, "geometry", None)),
            Position::Own => PlannedPosition::Own,
        };
        let updated = mapping.updated.as_ref().map(|take| planner.value(take, "updated", None));
        let tags = mapping.tags.iter().map(|(key, take)| {
            let value = planner.value(take, &format!("tags.{key}"), None);
            (key.clone(), value)
        });
        let tags = tags.collect();
        let mut connectors = Vec::new();
        for (at, group) in mapping.connectors.iter().enumerate() {
            for n in 1..=group.repeat {
                connectors.push(planner.group(group, at, (group.repeat > 1).then_some(n)));
            }
        }
        let decimal_mark = planner.decimal_mark();
        let columns = planner.columns;
        let all_tags = mapping.all_tags;
        Self { columns, wanted, id, position, updated, all_tags, tags, connectors, decimal_mark }
    }
}

/// A plan in the making.
struct Planner<'a> {
    mapping: &'a Mapping,
    columns: Vec<Named>,
    slots: FxHashMap<String, usize>,
}

impl Planner<'_> {
    fn decimal_mark(&self) -> u8 {
        if self.mapping.decimal_comma { b',' } else { b'.' }
    }

    /// The slot of a column, in which `{n}` stands for the number of the group.
    fn slot(&mut self, column: &str, key: &str, n: Option<usize>) -> usize {
        let column = match n {
            Some(n) => column.replace("{n}", &n.to_string()),
            None => column.to_owned(),
        };
        if let Some(slot) = self.slots.get(&column) {
            return *slot;
        }
        let is_optional = self.mapping.optional.contains(&column);
        let is_repeated = n.is_some_and(|n| n > 1);
        self.slots.insert(column.clone(), self.columns.len());
        self.columns.push(Named { column, key: key.to_owned(), is_optional, is_repeated });
        self.columns.len() - 1
    }

    fn conditions(
        &mut self,
        conditions: &BTreeMap<String, Condition>,
        key: &str,
        n: Option<usize>,
    ) -> Vec<(usize, Condition)> {
        conditions.iter().map(|(column, condition)| (self.slot(column, key, n), condition.clone())).collect()
    }

    fn value(&mut self, take: &Take, key: &str, n: Option<usize>) -> Value {
        let mut slot = |column: &String| self.slot(column, key, n);
        let from = match &take.from {
            From::Column(column) => Slots::Column(slot(column)),
            From::Joined(columns, join) => Slots::Joined(columns.iter().map(slot).collect(), join.clone()),
            From::First(columns) => Slots::First(columns.iter().map(slot).collect()),
            From::Sum(columns) => Slots::Sum(columns.iter().map(slot).collect()),
            From::Constant(value) => Slots::Constant(value.clone()),
            From::Week { from, to, always, days } => {
                let mut slots = [(0, 0); 7];
                for (both, day) in slots.iter_mut().zip(days) {
                    *both = (slot(&from.replace("{day}", day)), slot(&to.replace("{day}", day)));
                }
                Slots::Week { days: slots, always: always.as_ref().map(slot) }
            }
        };
        let plausible = match take.kind {
            Some(Kind::Kw | Kind::WToKw) => PLAUSIBLE_KW,
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let words = take.map.as_ref().and_then(|lookup| self.mapping.words(lookup));
        Value {
            from,
            missing: take.missing.iter().chain(&self.mapping.missing).cloned().collect(),
            strip: take.strip.clone(),
            split: take.split.clone(),
            item: take.item,
            words: words.map(|words| Dictionary::new(words, take.otherwise.as_deref())),
            pad: take.pad,
            kind: take.kind,
            bounds: (take.bounds.0.unwrap_or(plausible.0), take.bounds.1.unwrap_or(plausible.1)),
            format: take.format.clone(),
            prefix: take.prefix.clone(),
            suffix: take.suffix.clone(),
            vocabulary: take.vocabulary.as_deref().and_then(Vocabulary::from_name),
            decimal_mark: self.decimal_mark(),
        }
    }

    fn group(&mut self, group: &ConnectorGroup, at: usize, n: Option<usize>) -> Group {
        let mut value = |take: &Option<Take>, name: &str| {
            take.as_ref().map(|take| self.value(take, &format!("connectors[{at}].{name}"), n))
        };
        let kind = value(&group.kind, "type");
        let power = value(&group.power, "power");
        let voltage = value(&group.voltage, "voltage");
        let amperage = value(&group.amperage, "amperage");
        let current = value(&group.current, "current");
        let count = value(&group.count, "count");
        let evse_id = value(&group.evse_id, "evse_id");
        let when = self.conditions(&group.when, &format!("connectors[{at}].when"), n);
        Group { when, kind, power, voltage, amperage, current, count, evse_id }
    }
}
