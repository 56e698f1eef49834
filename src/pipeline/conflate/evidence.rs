//! Evidence: what of a record is compared, in words that a snapshot can keep.

use serde::{Deserialize, Serialize};

use super::words::{MAX_LETTERS, name_words};
use crate::domain::{Address, Record, fold};

/// What of a record is compared, readable. Kept in `sources.parquet`, so that any pair can be explained later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the columns of places")]
pub struct Evidence {
    /// Position of the source in the pipeline file; not kept, because it is no property of the record.
    #[serde(skip)]
    pub dataset: usize,
    pub lon: f64,
    pub lat: f64,
    /// West, south, east, north of the footprint, in degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extent: Option<[f64; 4]>,
    pub categories: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Its name, where `operator` is an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_power_kw: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Street and house number in one line, in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
}

/// Most names of one record that are compared.
const MAX_NAMES: usize = 4;

/// Digits of a telephone number that are compared: national numbers without their prefix differ in fewer.
const PHONE_DIGITS: usize = 8;

/// How ids begin that a record has from whom its source has it.
const PROVIDER: &str = "ref:provider:";

/// Words that say only what kind of thing it is, folded. A name made of these alone is no name.
const GENERIC: [&str; 16] = [
    "charging",
    "station",
    "stations",
    "charger",
    "chargers",
    "charge",
    "point",
    "ev",
    "e",
    "ladestation",
    "ladesaule",
    "ladepunkt",
    "elektro",
    "borne",
    "recharge",
    "parking",
];

impl Evidence {
    /// What of `record` is compared.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        use geo::BoundingRect;
        let about = &record.attributes;
        let short = |text: String| text.chars().take(MAX_LETTERS).collect::<String>();
        let folded = |text: &Option<String>| text.as_deref().map(fold).filter(|text| !text.is_empty()).map(short);
        let mut names: Vec<String> = Vec::new();
        for name in about.name.iter().chain(about.names.iter().map(|(_, name)| name)) {
            let name = name_words(name);
            let says_something = name.split(' ').any(|word| !GENERIC.contains(&word));
            if says_something && !names.contains(&name) && names.len() < MAX_NAMES {
                names.push(name);
            }
        }
        let mut connectors: Vec<String> =
            about.connectors.iter().filter_map(|c| c.kind.class()).map(|class| class.name().to_owned()).collect();
        connectors.sort_unstable();
        connectors.dedup();
        // A record of labelled pairs may have none.
        let categories = std::iter::once(&about.category).chain(&about.alternate_categories);
        let extent = record.footprint.as_ref().and_then(BoundingRect::bounding_rect);
        Self {
            dataset: record.key.dataset,
            lon: record.position.lon(),
            lat: record.position.lat(),
            extent: extent.map(|rect| [rect.min().x, rect.min().y, rect.max().x, rect.max().y]),
            categories: categories.filter(|name| !name.is_empty()).cloned().collect(),
            names,
            operator: record.operator_key.as_deref().map(str::to_owned).map(short),
            operator_name: folded(&about.operator).filter(|name| record.operator_key.as_deref() != Some(name)),
            network: folded(&about.network),
            brand: folded(&about.brand),
            connectors,
            max_power_kw: about.max_power_kw,
            capacity: about.capacity,
            ids: record.external_ids.iter().map(ToString::to_string).collect(),
            reference: about.tags.get("ref").map(str::to_owned),
            phone: about.phone.as_deref().and_then(phone_key),
            host: about.website.as_deref().and_then(host).map(str::to_owned),
            address: address_line(&about.address),
            postcode: folded(&about.address.postcode),
        }
    }

    /// Whether its category is about charging, of whatever vehicle.
    #[must_use]
    pub fn is_charging(&self) -> bool {
        self.categories.first().is_some_and(|name| name.ends_with("charging_station"))
    }

    /// Whom its source has it from, where that source says so: the number in `ref:provider:2:1520`.
    pub(super) fn provider(&self) -> Option<&str> {
        self.ids.iter().find_map(|id| id.strip_prefix(PROVIDER)?.split(':').next())
    }

    /// A charging station so many metres north of a spot; no operator where that is empty.
    #[cfg(test)]
    pub(super) fn station(dataset: usize, north_m: f64, name: &str, operator: &str) -> Self {
        Self {
            dataset,
            lon: 9.5,
            lat: 47.0 + north_m * 9e-6,
            categories: vec!["charging_station".into()],
            names: vec![name.to_owned()],
            operator: (!operator.is_empty()).then(|| operator.to_owned()),
            ..Self::default()
        }
    }
}

/// Street and house number, else the free address, else what there is.
fn address_line(address: &Address) -> Option<String> {
    match (&address.street, &address.housenumber) {
        (Some(street), Some(number)) => Some(format!("{street} {number}")),
        (street, _) => address.freeform.as_ref().or(street.as_ref()).cloned(),
    }
}

/// The last digits of a telephone number.
fn phone_key(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().checked_sub(PHONE_DIGITS)?;
    Some(digits[start..].to_owned())
}

/// The host of a web address, without `www.`.
fn host(website: &str) -> Option<&str> {
    let rest = website.split_once("://").map_or(website, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.contains('.').then_some(host)
}
