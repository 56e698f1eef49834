//! Corpus: the records of a run as they are compared, and what they have in common.
//!
//! - **Memory**: at most 200 bytes per record with its lists; texts are interned once per run, lists share two arenas.
//! - **Order**: tokens are numbered as they are met, so a corpus depends on the order of its records; what is compared
//!   does not.

use rustc_hash::FxHashMap;

use super::evidence::Evidence;
use crate::domain::{ConnectorType, LonLat, Metres, haversine};

/// An interned text. Equal texts have equal tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Token(u32);

/// The texts of a run, each once.
#[derive(Debug, Default)]
struct Tokens {
    texts: Vec<Box<str>>,
    by_text: FxHashMap<Box<str>, Token>,
}

impl Tokens {
    fn intern(&mut self, text: &str) -> Token {
        if let Some(token) = self.by_text.get(text) {
            return *token;
        }
        let token = Token(u32::try_from(self.texts.len()).expect("a region has fewer than 2³² distinct texts"));
        self.texts.push(text.into());
        self.by_text.insert(text.into(), token);
        token
    }
}

/// A part of an arena.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    fn of<T>(self, arena: &[T]) -> &[T] {
        &arena[self.start as usize..][..self.len as usize]
    }

    pub(super) fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What of a record is compared, compact. The lists are [`Corpus::words`] and [`Corpus::names`].
#[derive(Debug)]
pub(super) struct Compact {
    pub(super) position: LonLat,
    /// West, south, east, north.
    extent: Option<Box<[f64; 4]>>,
    pub(super) dataset: u32,
    /// Whether its category is about charging, of whatever vehicle.
    pub(super) charging: bool,
    /// The category, then its alternates.
    pub(super) categories: Span,
    /// Names, each a list of words.
    names: Span,
    pub(super) operator: Option<Token>,
    pub(super) brand: Option<Token>,
    /// One bit per connector class.
    pub(super) connectors: u64,
    pub(super) max_power_kw: Option<f32>,
    pub(super) capacity: Option<i32>,
    pub(super) ids: Span,
    pub(super) reference: Option<Token>,
    pub(super) phone: Option<Token>,
    pub(super) host: Option<Token>,
    pub(super) street: Option<Token>,
    pub(super) housenumber: Option<Token>,
    pub(super) postcode: Option<Token>,
}

/// The records of a run as they are compared.
#[derive(Debug, Default)]
pub struct Corpus {
    pub(super) records: Vec<Compact>,
    tokens: Tokens,
    words: Vec<Token>,
    names: Vec<Span>,
}

impl Corpus {
    /// Takes the evidence of every record, in order.
    pub fn of(evidence: impl IntoIterator<Item = Evidence>) -> Self {
        let mut corpus = Self::default();
        for evidence in evidence {
            let compact = corpus.compact(&evidence);
            corpus.records.push(compact);
        }
        corpus
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Forgets every id, so that records are compared as if they had none.
    pub(super) fn hide_ids(&mut self) {
        for record in &mut self.records {
            record.ids = Span::default();
        }
    }

    /// The text of a token.
    pub(super) fn text(&self, token: Token) -> &str {
        &self.tokens.texts[token.0 as usize]
    }

    /// The words of a list.
    pub(super) fn words(&self, list: Span) -> &[Token] {
        list.of(&self.words)
    }

    /// The words of each name of a record.
    pub(super) fn names(&self, record: &Compact) -> impl Iterator<Item = &[Token]> + Clone {
        record.names.of(&self.names).iter().map(|name| name.of(&self.words))
    }

    /// Whether the lists share a word.
    pub(super) fn share(&self, a: Span, b: Span) -> bool {
        self.words(a).iter().any(|word| self.words(b).contains(word))
    }

    /// Whether two records may be the same kind of place: a category is shared, or one has none.
    pub(super) fn same_kind(&self, a: &Compact, b: &Compact) -> bool {
        a.categories.is_empty() || b.categories.is_empty() || self.share(a.categories, b.categories)
    }

    /// Whether comparing the two can end in anything. Car and bicycle stations are compared, so that the veto shows.
    pub(super) fn related(&self, a: &Compact, b: &Compact) -> bool {
        (a.charging && b.charging) || self.same_kind(a, b)
    }

    fn list(&mut self, texts: impl Iterator<Item = impl AsRef<str>>) -> Span {
        let start = self.words.len();
        for text in texts {
            let token = self.tokens.intern(text.as_ref());
            self.words.push(token);
        }
        span(start, self.words.len())
    }

    fn compact(&mut self, evidence: &Evidence) -> Compact {
        let mut maybe = |text: &Option<String>| text.as_deref().map(|text| self.tokens.intern(text));
        let (operator, brand, reference) =
            (maybe(&evidence.operator), maybe(&evidence.brand), maybe(&evidence.reference));
        let (phone, host) = (maybe(&evidence.phone), maybe(&evidence.host));
        let (street, housenumber, postcode) =
            (maybe(&evidence.street), maybe(&evidence.housenumber), maybe(&evidence.postcode));
        let bit = |name: &String| ConnectorType::ALL.iter().position(|kind| kind.name() == name.as_str());
        let names: Vec<Span> = evidence.names.iter().map(|name| self.list(name.split(' '))).collect();
        let first_name = self.names.len();
        self.names.extend(names);
        Compact {
            position: LonLat::new(evidence.lon, evidence.lat).expect("a record has a position on Earth"),
            extent: evidence.extent.map(Box::new),
            dataset: u32::try_from(evidence.dataset).expect("a pipeline has few sources"),
            charging: evidence.is_charging(),
            categories: self.list(evidence.categories.iter()),
            names: span(first_name, self.names.len()),
            operator,
            brand,
            connectors: evidence.connectors.iter().filter_map(bit).fold(0, |bits, at| bits | 1 << at),
            max_power_kw: evidence.max_power_kw.map(|kw| kw as f32),
            capacity: evidence.capacity,
            ids: self.list(evidence.ids.iter()),
            reference,
            phone,
            host,
            street,
            housenumber,
            postcode,
        }
    }
}

fn span(start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).expect("a run has fewer than 2³² words");
    Span { start: narrow(start), len: narrow(end - start) }
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
