//! Merge: one place of the records that describe it, with the provenance of each attribute and what was said otherwise.
//!
//! Which records contribute is decided first, by their licence and the kind of output; then every attribute is chosen among
//! these by its own rule. Names and tags are united.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cluster::{Link, Reason, Verdict};
use super::decisions::Decision;
use super::survivorship::{Attribute, Rule, Survivorship};
use crate::domain::{Attributes, Conflict, Licenses, Place, Provenance, Record, Tags, named};

/// Share of records of one source that describe something which exists: the prior of a place's confidence.
///
/// A guess until labelled data fit it: one in five Open Charge Map records without a recent check-in is outdated.
const RECORD_EXISTS: f64 = 0.8;

named! {
    /// What becomes of the attributes of the records of a place.
    Merge {
        /// Each attribute comes from the record that its rule chooses.
        Merged = "merged",
        /// All attributes come from the first dataset; the others are tied to the place by the bridge alone.
        BridgeOnly = "bridge_only",
        /// Every dataset says what it says: one row per place and dataset, in a table per dataset.
        Layered = "layered",
    }
}

/// How records become a place. Part of the `[conflate]` table of a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merging {
    /// What becomes of their attributes.
    pub merge: Merge,
    /// Which value is taken.
    pub survivorship: Survivorship,
    /// Which licences let a record be mixed with others.
    pub licenses: Licenses,
}

impl Default for Merging {
    fn default() -> Self {
        Self { merge: Merge::Merged, survivorship: Survivorship::default(), licenses: Licenses::default() }
    }
}

/// Makes places of records.
pub(super) struct Merger<'a> {
    records: &'a [Record],
    merging: &'a Merging,
    links: &'a [Link],
    /// Per record, whether its licence is an open one.
    is_open: Vec<bool>,
}

impl<'a> Merger<'a> {
    /// `links` are sorted by their pair.
    pub(super) fn new(records: &'a [Record], merging: &'a Merging, links: &'a [Link]) -> Self {
        let mut known: BTreeMap<Option<&str>, bool> = BTreeMap::new();
        let mut is_open = |record: &'a Record| {
            let license = record.license.as_deref();
            *known.entry(license).or_insert_with(|| merging.licenses.is_open(license))
        };
        Self { records, merging, links, is_open: records.iter().map(&mut is_open).collect() }
    }

    /// The place that these records describe. `members` is sorted and not empty.
    pub(super) fn place(&self, members: &[usize]) -> Place {
        let doubt: f64 = members.iter().map(|at| 1.0 - RECORD_EXISTS * joined_with(*at, members, self.links)).product();
        let confidence = round(1.0 - doubt);
        let own = of_one_dataset(self.records, members);
        let mixed = self.merging.merge == Merge::Merged && members.iter().any(|at| self.is_open[*at]);
        let mut place = self.of(if mixed { members } else { own }, members, confidence);
        if self.merging.merge == Merge::Merged && !mixed {
            // Nothing of other datasets: no licence says that it may be mixed.
            place.held_out.extend(&members[own.len()..]);
        }
        if self.merging.merge == Merge::Layered {
            let mut rest = members;
            while !rest.is_empty() {
                let (own, others) = rest.split_at(of_one_dataset(self.records, rest).len());
                place.by_dataset.push(Place { members: own.to_vec(), ..self.of(own, members, confidence) });
                rest = others;
            }
            place.held_out = place.by_dataset.iter().flat_map(|place| place.held_out.iter().copied()).collect();
        }
        place
    }

    /// What some of the members say, of which those without an open licence give nothing where others have one.
    fn of(&self, some: &[usize], members: &[usize], confidence: f64) -> Place {
        let (open, closed): (Vec<usize>, Vec<usize>) = some.iter().partition(|at| self.is_open[**at]);
        let (giving, held_out) = if open.is_empty() { (closed, open) } else { (open, closed) };
        let survivors = Survivors {
            group: giving.iter().map(|at| &self.records[*at]).collect(),
            joined: giving.iter().map(|at| joined_with(*at, members, self.links)).collect(),
            giving,
            survivorship: &self.merging.survivorship,
        };
        let (attributes, mut sources, conflicts, located) = survivors.united();
        sources.splice(0..0, (0..survivors.group.len()).map(|at| survivors.provenance("", at)));
        let located = survivors.group[located];
        Place {
            position: located.position,
            footprint: located.footprint.clone(),
            attributes,
            members: members.to_vec(),
            sources,
            conflicts,
            held_out,
            by_dataset: Vec::new(),
            confidence,
        }
    }
}

/// Those of the first one's dataset; they are next to each other.
fn of_one_dataset<'m>(records: &[Record], members: &'m [usize]) -> &'m [usize] {
    let first = records[members[0]].key.dataset;
    &members[..members.partition_point(|at| records[*at].key.dataset == first)]
}

/// The records that contribute to a place, and how their values are chosen.
struct Survivors<'a> {
    group: Vec<&'a Record>,
    /// How sure each belongs to the place.
    joined: Vec<f64>,
    /// Their indices in the list of all records.
    giving: Vec<usize>,
    survivorship: &'a Survivorship,
}

impl Survivors<'_> {
    /// What they say together, who gave each attribute, who said otherwise, and who gave the position.
    fn united(&self) -> (Attributes, Vec<Provenance>, Vec<Conflict>, usize) {
        let (mut merged, mut sources, mut conflicts) = (Attributes::default(), Vec::new(), Vec::new());
        let mut located = 0;
        for attribute in Attribute::ALL.iter().copied() {
            let Some(taken) = self.survivorship.choose(attribute, &self.group) else { continue };
            attribute.give(&self.group[taken].attributes, &mut merged);
            if attribute == Attribute::Position {
                located = taken;
            } else if self.group.len() > 1 {
                sources.push(self.provenance(attribute.pointer(), taken));
            }
            for other in (0..self.group.len()).filter(|other| *other != taken) {
                let (other_record, record) = (self.group[other], self.group[taken]);
                if attribute.is_known(other_record) && attribute.differs(other_record, record) {
                    let rule = self.survivorship.rule(attribute);
                    conflicts.push(self.conflict(attribute.pointer().into(), other, taken, rule));
                }
            }
        }
        if merged.max_power_kw.is_none() {
            let knows = |record: &Record| record.attributes.max_power_kw.is_some();
            if let Some(taken) = self.survivorship.choose_among(Attribute::Connectors, &self.group, &knows) {
                merged.max_power_kw = self.group[taken].attributes.max_power_kw;
                if self.group.len() > 1 {
                    sources.push(self.provenance("/max_power_kw", taken));
                }
            }
        }
        self.unite(&mut merged, &mut conflicts);
        (merged, sources, conflicts, located)
    }

    /// Adds what has no rule: further categories, names by language, tags. Of a key with several values the first stays.
    fn unite(&self, merged: &mut Attributes, conflicts: &mut Vec<Conflict>) {
        let mut names: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let mut tags: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (at, about) in self.group.iter().map(|record| &record.attributes).enumerate() {
            for category in std::iter::once(&about.category).chain(&about.alternate_categories) {
                if *category != merged.category && !merged.alternate_categories.contains(category) {
                    merged.alternate_categories.push(category.clone());
                }
            }
            let mut keep = |kept: &mut BTreeMap<_, (usize, _)>, parent: &str, key, value| {
                let (taken, first) = *kept.entry(key).or_insert((at, value));
                if first != value {
                    let escaped = str::replace(key, '~', "~0").replace('/', "~1");
                    let property = format!("{parent}/{escaped}");
                    conflicts.push(self.conflict(property.into(), at, taken, Rule::Priority));
                }
            };
            for (language, name) in &about.names {
                keep(&mut names, "/names", language.as_str(), name.as_str());
            }
            // What a record is called at its source is no statement on the place.
            let own_id = self.group[at].key.id.as_str();
            for (key, value) in about.tags.iter().filter(|(key, value)| *value != own_id || !key.starts_with("ref")) {
                keep(&mut tags, "/tags", key, value);
            }
        }
        for (key, value) in self.group.iter().flat_map(|record| record.attributes.tags.iter()) {
            tags.entry(key).or_insert((0, value));
        }
        merged.names = names.into_iter().map(|(language, (_, name))| (language.to_owned(), name.to_owned())).collect();
        merged.tags = tags.into_iter().map(|(key, (_, value))| (key, value)).collect::<Tags>();
    }

    fn provenance(&self, property: &'static str, at: usize) -> Provenance {
        let record = self.group[at];
        Provenance {
            property,
            record: record.key.clone(),
            license: record.license.clone(),
            update_time: record.update_time,
            confidence: self.joined[at],
        }
    }

    fn conflict(&self, property: Cow<'static, str>, record: usize, taken: usize, rule: Rule) -> Conflict {
        Conflict { property, record: self.giving[record], taken: self.giving[taken], rule: rule.name() }
    }
}

/// How sure it is that a record belongs to its group: its best match within, 1 for a record alone and for what a person
/// decided.
fn joined_with(record: usize, members: &[usize], links: &[Link]) -> f64 {
    if members.len() == 1 {
        return 1.0;
    }
    let within = members.iter().filter(|other| **other != record).filter_map(|other| {
        let pair = (record.min(*other), record.max(*other));
        let at = links.binary_search_by_key(&pair, |link| link.pair).ok()?;
        let sure =
            if links[at].reason == Reason::Decision(Decision::Always) { 1.0 } else { links[at].score.probability };
        (links[at].verdict == Verdict::Match).then_some(sure)
    });
    round(within.fold(0.0, f64::max))
}

fn round(probability: f64) -> f64 {
    (probability * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;
