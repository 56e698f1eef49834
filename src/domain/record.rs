//! Source record: what one source says about one place, checked and in our words.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Access, Connector, Finding, FindingRule, Hash16, LonLat, Status, Tags, Timestamp};

/// The id of a record in its source's own terms: `node/5159230141`, `461426`.
///
/// Ordered as people count: the text before the last run of digits, then that number, so `node/9` comes before `node/10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordId(Box<str>);

impl RecordId {
    /// Takes the id as it is.
    pub fn new(id: impl Into<Box<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text before the last digits, and those digits without leading zeros.
    fn parts(&self) -> (&str, &str) {
        let head = self.0.trim_end_matches(|c: char| c.is_ascii_digit());
        (head, self.0[head.len()..].trim_start_matches('0'))
    }
}

impl Ord for RecordId {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((head_a, digits_a), (head_b, digits_b)) = (self.parts(), other.parts());
        head_a
            .cmp(head_b)
            .then_with(|| digits_a.len().cmp(&digits_b.len()))
            .then_with(|| digits_a.cmp(digits_b))
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for RecordId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which record of which source. Ordered by source, in the order of the pipeline file, then by id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    /// Position of the source in the pipeline file, from 0.
    pub dataset: usize,
    /// Id within the source.
    pub id: RecordId,
}

/// A postal address. Country is ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it, and the data dictionary explains them")]
pub struct Address {
    pub freeform: Option<String>,
    pub street: Option<String>,
    pub housenumber: Option<String>,
    pub locality: Option<String>,
    pub postcode: Option<String>,
    pub region: Option<String>,
    pub country: Option<String>,
}

/// What is known about a place, whoever says it. The data dictionary explains each field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it, and the data dictionary explains them")]
pub struct Attributes {
    pub category: String,
    pub alternate_categories: Vec<String>,
    pub name: Option<String>,
    /// Language to name, sorted by language.
    pub names: Vec<(String, String)>,
    pub operator: Option<String>,
    pub operator_wikidata: Option<String>,
    pub network: Option<String>,
    pub brand: Option<String>,
    pub address: Address,
    pub phone: Option<String>,
    pub website: Option<String>,
    pub email: Option<String>,
    pub opening_hours: Option<String>,
    pub access: Option<Access>,
    pub fee: Option<bool>,
    pub status: Option<Status>,
    pub capacity: Option<i32>,
    pub connectors: Vec<Connector>,
    pub max_power_kw: Option<f64>,
    /// What no other field holds.
    pub tags: Tags,
}

/// An id that other sources may know too: `evse:CHLKWE123`, `ocm:461426`, `ref:…`.
pub type ExternalId = Box<str>;

/// What one source says about one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which record.
    pub key: RecordKey,
    /// Representative point; inside the footprint where there is one.
    pub position: LonLat,
    /// The area, where one is mapped.
    pub footprint: Option<geo::MultiPolygon<f64>>,
    /// What the source says.
    pub attributes: Attributes,
    /// Names the operator for comparison; also set where the source gives only a number for it, e.g. `ocm:3894`.
    pub operator_key: Option<Box<str>>,
    /// Ids that other sources may know too, sorted.
    pub external_ids: Vec<ExternalId>,
    /// When the source last changed it.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub update_time: Option<Timestamp>,
    /// Its licence, as the source names it.
    pub license: Option<Box<str>>,
    /// The record as the source wrote it, as JSON.
    pub raw: Box<str>,
    /// Hash of what the source says, without volatile fields.
    pub content_hash: Hash16,
    /// Line of the input file on which it begins, from 1, where the input has lines.
    pub line: Option<u64>,
    /// The record of the same source that this one repeats, as the source says.
    pub duplicate_of: Option<RecordId>,
    /// What could not be kept as the source states it.
    pub findings: Vec<Finding>,
    /// Records of the same source that are parts of this one, e.g. charge points of a station; they have the same place.
    pub parts: Vec<Record>,
}

impl Record {
    /// Names of the repairs made to it, e.g. `swapped_position`, sorted, each once.
    #[must_use]
    pub fn repairs(&self) -> Vec<&'static str> {
        let repairs = self.findings.iter().map(|finding| finding.rule).filter(|rule| rule.is_repair());
        repairs.map(FindingRule::name).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_people_count() {
        let mut ids = ["way/1", "node/10", "node/9", "ES*A7", "node/09"].map(RecordId::new);
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["ES*A7", "node/09", "node/9", "node/10", "way/1"]);
    }
}
