//! Merge: one place of the records that describe it, with the provenance of each attribute and what was said otherwise.
//!
//! Which records contribute is decided first, by their licence and the kind of output; then every attribute is chosen among
//! these by its own rule. Names and tags are united.

use std::collections::BTreeMap;

use super::cluster::{Link, Reason, Verdict};
use super::decisions::Decision;
use super::survivorship::{Attribute, Rule, Survivorship};
use crate::domain::{Attributes, Conflict, Licenses, LonLat, Place, Provenance, Record, Tags, named};
use crate::pipeline::RunError;
use crate::pipeline::records::Records;

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
pub struct Merger<'a> {
    records: &'a Records,
    merging: &'a Merging,
    links: &'a [Link],
    /// Per licence, whether it is an open one.
    is_open: Vec<bool>,
}

impl<'a> Merger<'a> {
    /// `links` are sorted by their pair.
    #[must_use]
    pub fn new(records: &'a Records, merging: &'a Merging, links: &'a [Link]) -> Self {
        let is_open = |license: &Option<Box<str>>| merging.licenses.is_open(license.as_deref());
        Self { records, merging, links, is_open: records.licenses().iter().map(is_open).collect() }
    }

    fn is_open(&self, at: usize) -> bool {
        self.is_open[self.records[at].license]
    }

    /// Which of the members of a place may say something in each of its rows: it has one row, in layered output one per
    /// dataset. `members` is sorted and not empty.
    #[must_use]
    pub fn rows<'m>(&self, members: &'m [usize]) -> Vec<&'m [usize]> {
        let of_one_dataset = |a: &usize, b: &usize| self.records[*a].key.dataset == self.records[*b].key.dataset;
        let mut by_dataset = members.chunk_by(of_one_dataset);
        match self.merging.merge {
            Merge::Layered => by_dataset.collect(),
            // Without an open licence, nothing says that it may be mixed with other datasets.
            Merge::Merged if members.iter().any(|at| self.is_open(*at)) => vec![members],
            Merge::Merged | Merge::BridgeOnly => by_dataset.next().into_iter().collect(),
        }
    }

    /// Members that give their place nothing because their licence is not an open one.
    #[must_use]
    pub fn held_out(&self, members: &[usize]) -> Vec<usize> {
        let rows = self.rows(members);
        let spoken: usize = rows.iter().map(|some| some.len()).sum();
        let unspoken = if self.merging.merge == Merge::Merged { &members[spoken..] } else { &[] };
        rows.into_iter().flat_map(|some| self.givers(some).1).chain(unspoken.iter().copied()).collect()
    }

    /// Those who give something, and those without an open licence beside one who has it, who give nothing.
    fn givers(&self, some: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let (open, closed): (Vec<usize>, Vec<usize>) = some.iter().partition(|at| self.is_open(**at));
        if open.is_empty() { (closed, open) } else { (open, closed) }
    }

    /// Where a row of [`Merger::rows`] is, without the rest of it.
    ///
    /// # Errors
    ///
    /// When a record cannot be read back.
    pub fn position(&self, some: &[usize]) -> Result<LonLat, RunError> {
        let (giving, _) = self.givers(some);
        if let [one] = *giving {
            return Ok(self.records[one].position);
        }
        let group = self.read(&giving)?;
        let located = self.merging.survivorship.choose(Attribute::Position, &group.iter().collect::<Vec<_>>());
        Ok(group[located.unwrap_or_default()].position)
    }

    /// A row of [`Merger::rows`], and the records that contribute to it. `members` are all of its place.
    ///
    /// # Errors
    ///
    /// When a record cannot be read back.
    pub fn place(&self, some: &[usize], members: &[usize]) -> Result<(Place, Vec<Record>), RunError> {
        let (giving, _) = self.givers(some);
        let records = self.read(&giving)?;
        let survivors = Survivors {
            group: records.iter().collect(),
            joined: giving.iter().map(|at| joined_with(*at, members, self.links)).collect(),
            survivorship: &self.merging.survivorship,
        };
        let (attributes, mut sources, conflicts, located) = survivors.united();
        sources.splice(0..0, (0..records.len()).map(|at| survivors.provenance("", at)));
        let doubt = |at: &usize| 1.0 - RECORD_EXISTS * joined_with(*at, members, self.links);
        let place = Place {
            position: records[located].position,
            footprint: records[located].footprint.clone(),
            attributes,
            sources,
            conflicts,
            confidence: round(1.0 - members.iter().map(doubt).product::<f64>()),
        };
        Ok((place, records))
    }

    fn read(&self, some: &[usize]) -> Result<Vec<Record>, RunError> {
        some.iter().map(|at| self.records.read(*at)).collect()
    }
}

/// The records that contribute to a place, and how their values are chosen.
struct Survivors<'a> {
    group: Vec<&'a Record>,
    /// How sure each belongs to the place.
    joined: Vec<f64>,
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
                    let rule = self.survivorship.rule(attribute).name();
                    let property = attribute.pointer().into();
                    conflicts.push(Conflict { property, record: other, taken, rule });
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
                    let property = format!("{parent}/{escaped}").into();
                    conflicts.push(Conflict { property, record: at, taken, rule: Rule::Priority.name() });
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
