//! Evidence: what of a record is compared, first in words that a snapshot can keep, then compact.
//!
//! The compact form takes at most 200 bytes with its lists; texts are interned once per run.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::domain::{ConnectorType, LonLat, Metres, Record, fold, haversine};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_power_kw: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub housenumber: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
}

/// Most names of one record that are compared.
const MAX_NAMES: usize = 4;

/// Digits of a telephone number that are compared: national numbers without their prefix differ in fewer.
const PHONE_DIGITS: usize = 8;

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
        let folded = |text: &Option<String>| text.as_deref().map(fold).filter(|text| !text.is_empty());
        let mut names: Vec<String> = Vec::new();
        for name in about.name.iter().chain(about.names.iter().map(|(_, name)| name)) {
            let name = fold(name);
            let says_something = name.split(' ').any(|word| !GENERIC.contains(&word));
            if says_something && !names.contains(&name) && names.len() < MAX_NAMES {
                names.push(name);
            }
        }
        let mut connectors: Vec<String> =
            about.connectors.iter().filter_map(|c| c.kind.class()).map(|class| class.name().to_owned()).collect();
        connectors.sort_unstable();
        connectors.dedup();
        let extent = record.footprint.as_ref().and_then(BoundingRect::bounding_rect);
        Self {
            dataset: record.key.dataset,
            lon: record.position.lon(),
            lat: record.position.lat(),
            extent: extent.map(|rect| [rect.min().x, rect.min().y, rect.max().x, rect.max().y]),
            categories: std::iter::once(&about.category).chain(&about.alternate_categories).cloned().collect(),
            names,
            operator: record.operator_key.as_deref().map(str::to_owned),
            brand: folded(&about.brand),
            connectors,
            max_power_kw: about.max_power_kw,
            ids: record.external_ids.iter().map(ToString::to_string).collect(),
            reference: about.tags.get("ref").map(str::to_owned),
            phone: about.phone.as_deref().and_then(phone_key),
            host: about.website.as_deref().and_then(host).map(str::to_owned),
            street: folded(&about.address.street),
            housenumber: folded(&about.address.housenumber),
            postcode: folded(&about.address.postcode),
        }
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

/// An interned text. Equal texts have equal tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Token(u32);

/// The texts of a run, each once.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    texts: Vec<Box<str>>,
    by_text: FxHashMap<Box<str>, Token>,
}

/// What of a record is compared, compact.
#[derive(Debug)]
pub(super) struct Compact {
    pub(super) position: LonLat,
    /// West, south, east, north.
    extent: Option<Box<[f64; 4]>>,
    pub(super) dataset: u32,
    /// Whether its category is about charging, of whatever vehicle.
    pub(super) charging: bool,
    /// The category, then its alternates.
    pub(super) categories: Box<[Token]>,
    /// Words of each name.
    pub(super) names: Box<[Box<[Token]>]>,
    pub(super) operator: Option<Token>,
    pub(super) brand: Option<Token>,
    /// One bit per connector class.
    pub(super) connectors: u64,
    pub(super) max_power_kw: Option<f32>,
    pub(super) ids: Box<[Token]>,
    pub(super) reference: Option<Token>,
    pub(super) phone: Option<Token>,
    pub(super) host: Option<Token>,
    pub(super) street: Option<Token>,
    pub(super) housenumber: Option<Token>,
    pub(super) postcode: Option<Token>,
}

impl Tokens {
    pub(super) fn intern(&mut self, text: &str) -> Token {
        if let Some(token) = self.by_text.get(text) {
            return *token;
        }
        let token = Token(u32::try_from(self.texts.len()).expect("a region has fewer than 2³² distinct texts"));
        self.texts.push(text.into());
        self.by_text.insert(text.into(), token);
        token
    }

    /// The text of a token.
    pub(super) fn text(&self, token: Token) -> &str {
        &self.texts[token.0 as usize]
    }

    /// The compact form of `evidence`; `None` for a position that is not on Earth never happens to a record's.
    pub(super) fn compact(&mut self, evidence: &Evidence) -> Compact {
        let mut maybe = |text: &Option<String>| text.as_deref().map(|text| self.intern(text));
        let (operator, brand, reference) =
            (maybe(&evidence.operator), maybe(&evidence.brand), maybe(&evidence.reference));
        let (phone, host) = (maybe(&evidence.phone), maybe(&evidence.host));
        let (street, housenumber, postcode) =
            (maybe(&evidence.street), maybe(&evidence.housenumber), maybe(&evidence.postcode));
        let bit = |name: &String| ConnectorType::ALL.iter().position(|kind| kind.name() == name.as_str());
        let mut ids: Vec<Token> = evidence.ids.iter().map(|id| self.intern(id)).collect();
        ids.sort_unstable();
        Compact {
            position: LonLat::new(evidence.lon, evidence.lat).expect("a record has a position on Earth"),
            extent: evidence.extent.map(Box::new),
            dataset: u32::try_from(evidence.dataset).expect("a pipeline has few sources"),
            charging: evidence.categories.first().is_some_and(|name| name.ends_with("charging_station")),
            categories: evidence.categories.iter().map(|name| self.intern(name)).collect(),
            names: evidence
                .names
                .iter()
                .map(|name| name.split(' ').map(|word| self.intern(word)).collect::<Box<[Token]>>())
                .collect(),
            operator,
            brand,
            connectors: evidence.connectors.iter().filter_map(bit).fold(0, |bits, at| bits | 1 << at),
            max_power_kw: evidence.max_power_kw.map(|kw| kw as f32),
            ids: ids.into(),
            reference,
            phone,
            host,
            street,
            housenumber,
            postcode,
        }
    }
}

impl Compact {
    /// Ground distance between two records: from box to box where areas are mapped, 0 where they overlap.
    pub(super) fn distance(&self, other: &Self) -> Metres {
        let [a, b] = [self, other].map(|record| {
            let p = record.position;
            record.extent.as_deref().copied().unwrap_or([p.lon(), p.lat(), p.lon(), p.lat()])
        });
        // The nearest values of two ranges; equal where they overlap.
        let nearest = |low_a: f64, high_a: f64, low_b: f64, high_b: f64| {
            if high_a < low_b {
                (high_a, low_b)
            } else if high_b < low_a {
                (low_a, high_b)
            } else {
                let shared = low_a.max(low_b);
                (shared, shared)
            }
        };
        let (lon_a, lon_b) = nearest(a[0], a[2], b[0], b[2]);
        let (lat_a, lat_b) = nearest(a[1], a[3], b[1], b[3]);
        let at = |lon, lat| LonLat::new(lon, lat).expect("a corner of a box of positions is a position");
        haversine(at(lon_a, lat_a), at(lon_b, lat_b))
    }

    /// How far the footprint's box reaches from the position; 0 for a point.
    pub(super) fn reach(&self) -> Metres {
        let corners = |[west, south, east, north]: [f64; 4]| {
            let corners = [(west, south), (west, north), (east, south), (east, north)];
            let away = corners.iter().filter_map(|(lon, lat)| LonLat::new(*lon, *lat));
            away.map(|corner| haversine(self.position, corner).0).fold(0.0, f64::max)
        };
        Metres(self.extent.as_deref().copied().map_or(0.0, corners))
    }

    /// Whether `other` lies within this record's footprint, as far as its box tells.
    pub(super) fn encloses(&self, other: &Self) -> bool {
        let p = other.position;
        self.extent.as_deref().is_some_and(|[west, south, east, north]| {
            (*west..=*east).contains(&p.lon()) && (*south..=*north).contains(&p.lat())
        })
    }
}
