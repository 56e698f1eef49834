//! Corpus: the records of a run as they are compared, and what they have in common.
//!
//! - **Memory**: at most 200 bytes per record with its lists; texts are interned once per run, lists share two arenas.
//! - **Words weigh** by how few records bear them, as inverse document frequency (Spärck Jones 1972, *J. Documentation*
//!   28:11), smoothed by what is known of common words before any record is read. No labels are used.
//! - **Order**: tokens are numbered as they are met, so a corpus depends on the order of its records; what is compared
//!   does not.

use rayon::prelude::*;
use rstar::RTree;

use super::evidence::Evidence;
use super::features::address::{self, Numbers};
use super::spelling::Spelling;
use super::tokens::{Token, Tokens};
use super::words::{WORDS, name_words};
use crate::domain::{ConnectorType, LonLat, Metres, haversine, hilbert_key};

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
    pub(super) dataset: u16,
    pub(super) provider: Option<Token>,
    /// Whether its category is about charging, of whatever vehicle.
    pub(super) charging: bool,
    /// The category, then its alternates.
    pub(super) categories: Span,
    names: Span,
    /// One bit per kind of thing that its names say.
    pub(super) kinds: u32,
    /// Distance to its tenth neighbour in metres, at least [`MIN_SPACING_M`].
    pub(super) spacing_m: f32,
    pub(super) operator: Option<Token>,
    pub(super) operator_name: Option<Token>,
    pub(super) network: Option<Token>,
    pub(super) brand: Option<Token>,
    /// One bit per connector class.
    pub(super) connectors: u32,
    pub(super) max_power_kw: Option<f32>,
    pub(super) capacity: Option<i32>,
    pub(super) ids: Span,
    pub(super) reference: Option<Token>,
    pub(super) phone: Option<Token>,
    pub(super) host: Option<Token>,
    pub(super) street: Span,
    numbers: Span,
    pub(super) postcode: Option<Token>,
}

/// A name: its words in the form they are compared in, and as they are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) forms: Span,
    pub(super) written: Span,
    /// Its letters without spaces.
    pub(super) letters: Token,
}

/// The records of a run as they are compared.
#[derive(Debug, Default)]
pub struct Corpus {
    pub(super) records: Vec<Compact>,
    tokens: Tokens,
    words: Vec<Token>,
    names: Vec<Name>,
    numbers: Vec<Numbers>,
    /// By token: how much a word of a name tells, in `(0, 1]`, and how many records bear it.
    name_rarity: Vec<f32>,
    name_bearers: Vec<u32>,
    /// The same for words of streets.
    street_rarity: Vec<f32>,
    /// By token: how few records bear a postcode, in `[0, 1]`.
    postcode_rarity: Vec<f32>,
}

/// Records whose texts are taken apart at once.
const AT_ONCE: usize = 1 << 14;
/// Records that are known before any is read: a word met once in few records is not yet a rare one.
const PRIOR_RECORDS: f32 = 2000.0;
/// The least that a word weighs, in logarithms of records.
const LEAST_WEIGHT: f32 = 0.3;
/// Neighbours by whose distance records are spaced.
const SPACING_NEIGHBOURS: usize = 10;
/// The least spacing, in metres: positions are no better.
const MIN_SPACING_M: f32 = 5.0;

impl Corpus {
    /// Most words of a name or a street that are compared.
    pub(super) const MAX_WORDS: usize = 16;

    /// Takes the evidence of every record, in order.
    pub fn of(evidence: impl IntoIterator<Item = Evidence>) -> Self {
        let mut corpus = Self::default();
        let mut evidence = evidence.into_iter();
        loop {
            let some: Vec<Evidence> = evidence.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                break;
            }
            for parsed in some.into_par_iter().map(Parsed::of).collect::<Vec<_>>() {
                let compact = corpus.compact(&parsed);
                corpus.records.push(compact);
            }
        }
        corpus.weigh_words();
        corpus.measure_spacing();
        corpus
    }

    /// Weighs each word by how few records bear it.
    fn weigh_words(&mut self) {
        let tokens = self.tokens.len();
        let (mut names, mut streets, mut postcodes) = (vec![0_u32; tokens], vec![0_u32; tokens], vec![0_u32; tokens]);
        let (mut with_street, mut with_postcode) = (0_u32, 0_u32);
        let mut seen: Vec<Token> = Vec::new();
        for record in &self.records {
            let mut count = |words: &mut dyn Iterator<Item = &Token>, bearers: &mut Vec<u32>| {
                seen.clear();
                seen.extend(words);
                seen.sort_unstable();
                seen.dedup();
                for word in &seen {
                    bearers[word.at()] += 1;
                }
            };
            count(&mut self.names(record).iter().flat_map(|name| self.words(name.forms)), &mut names);
            count(&mut self.words(record.street).iter(), &mut streets);
            with_street += u32::from(!record.street.is_empty());
            if let Some(postcode) = record.postcode {
                postcodes[postcode.at()] += 1;
                with_postcode += 1;
            }
        }
        let weigh = |records: u32, bearers: &[u32], share: &dyn Fn(&str) -> f32| -> Vec<f32> {
            let all = records as f32 + PRIOR_RECORDS;
            let weight = |(bearers, share): (&u32, f32)| {
                let expected = *bearers as f32 + PRIOR_RECORDS * share + 1.0;
                (all / expected).ln().max(LEAST_WEIGHT) / all.ln()
            };
            bearers.iter().zip(self.tokens.texts().map(share)).map(weight).collect()
        };
        self.name_rarity = weigh(self.records.len() as u32, &names, &|word| WORDS.name_share(word));
        self.street_rarity = weigh(with_street, &streets, &|word| WORDS.street_share(word));
        let all = (with_postcode.max(1) + 1) as f32;
        self.postcode_rarity =
            postcodes.iter().map(|bearers| (all / (*bearers).max(1) as f32).ln() / all.ln()).collect();
        self.name_bearers = names;
    }

    fn measure_spacing(&mut self) {
        let points = self.records.par_iter().map(|record| record.position.on_unit_sphere()).collect();
        let tree = RTree::<[f64; 3]>::bulk_load(points);
        // Along the Hilbert curve, so that one search finds in the cache what the one before it looked at.
        let on_curve = |(at, record): (usize, &Compact)| (hilbert_key(record.position), at);
        let mut order: Vec<(u64, usize)> = self.records.par_iter().enumerate().map(on_curve).collect();
        order.par_sort_unstable();
        let spacing = |(_, at): (u64, usize)| {
            let position = self.records[at].position.on_unit_sphere();
            let mut neighbours = tree.nearest_neighbor_iter_with_distance_2(&position);
            // The record itself is the first.
            let tenth = neighbours.nth(SPACING_NEIGHBOURS.min(tree.size() - 1));
            let chord = tenth.map_or(f64::INFINITY, |(_, chord_2)| chord_2.sqrt());
            (at, (Metres::of_chord(chord).0 as f32).max(MIN_SPACING_M))
        };
        let spacings: Vec<(usize, f32)> = order.into_par_iter().map(spacing).collect();
        for (at, spacing_m) in spacings {
            self.records[at].spacing_m = spacing_m;
        }
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
        self.tokens.text(token)
    }

    /// What is known of a text without reading it.
    pub(super) fn spelling(&self, token: Token) -> Spelling {
        self.tokens.spelling(token)
    }

    /// The words of a list.
    pub(super) fn words(&self, list: Span) -> &[Token] {
        list.of(&self.words)
    }

    /// The names of a record.
    pub(super) fn names(&self, record: &Compact) -> &[Name] {
        record.names.of(&self.names)
    }

    /// The house numbers of a record.
    pub(super) fn numbers(&self, record: &Compact) -> &[Numbers] {
        record.numbers.of(&self.numbers)
    }

    /// How much a word of a name tells, in `(0, 1]`.
    pub(super) fn name_rarity(&self, word: Token) -> f32 {
        self.name_rarity[word.at()]
    }

    /// How many records bear a word in a name.
    pub(super) fn name_bearers(&self, word: Token) -> u32 {
        self.name_bearers[word.at()]
    }

    /// How much a word of a street tells, in `(0, 1]`.
    pub(super) fn street_rarity(&self, word: Token) -> f32 {
        self.street_rarity[word.at()]
    }

    /// How few records bear a postcode, in `[0, 1]`.
    pub(super) fn postcode_rarity(&self, postcode: Token) -> f32 {
        self.postcode_rarity[postcode.at()]
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

    fn compact(&mut self, parsed: &Parsed) -> Compact {
        let Parsed { evidence, postcode, street, numbers, names } = parsed;
        let mut maybe = |text: &Option<String>| text.as_deref().map(|text| self.tokens.intern(text));
        let (operator, operator_name) = (maybe(&evidence.operator), maybe(&evidence.operator_name));
        let (brand, network, reference) =
            (maybe(&evidence.brand), maybe(&evidence.network), maybe(&evidence.reference));
        let (phone, host, postcode) = (maybe(&evidence.phone), maybe(&evidence.host), maybe(postcode));
        let street = self.list(street.iter().take(Self::MAX_WORDS));
        let first_number = self.numbers.len();
        self.numbers.extend_from_slice(numbers);
        let mut kinds = 0;
        let first_name = self.names.len();
        for words in names {
            let written = || words.split(' ').filter(|word| !word.is_empty()).take(Self::MAX_WORDS);
            let as_written = self.list(written());
            let is_plain = written().all(|word| WORDS.name_form(word) == word);
            let forms = if is_plain { as_written } else { self.list(written().map(|word| WORDS.name_form(word))) };
            let letters = self.tokens.intern(&written().collect::<String>());
            let name = Name { forms, written: as_written, letters };
            kinds |= written().map(|word| WORDS.kinds(WORDS.name_form(word))).fold(0, |all, kind| all | kind);
            if !name.forms.is_empty() {
                self.names.push(name);
            }
        }
        let bit = |name: &String| ConnectorType::ALL.iter().position(|kind| kind.name() == name.as_str());
        Compact {
            position: LonLat::new(evidence.lon, evidence.lat).expect("a record has a position on Earth"),
            extent: evidence.extent.map(Box::new),
            dataset: u16::try_from(evidence.dataset).expect("a pipeline has few sources"),
            provider: evidence.provider().map(|provider| self.tokens.intern(provider)),
            charging: evidence.is_charging(),
            categories: self.list(evidence.categories.iter()),
            names: span(first_name, self.names.len()),
            kinds,
            spacing_m: MIN_SPACING_M,
            operator,
            operator_name,
            network,
            brand,
            connectors: evidence.connectors.iter().filter_map(bit).fold(0, |bits, at| bits | 1 << at),
            max_power_kw: evidence.max_power_kw.map(|kw| kw as f32),
            capacity: evidence.capacity,
            ids: self.list(evidence.ids.iter()),
            reference,
            phone,
            host,
            street,
            numbers: span(first_number, self.numbers.len()),
            postcode,
        }
    }
}

/// Evidence with its texts taken apart, which threads do, before they are interned in order.
struct Parsed {
    evidence: Evidence,
    postcode: Option<String>,
    street: Vec<String>,
    numbers: Vec<Numbers>,
    /// Words of each name, separated by one space.
    names: Vec<String>,
}

impl Parsed {
    fn of(evidence: Evidence) -> Self {
        let postcode = evidence.postcode.as_deref().map(compact_postcode).filter(|postcode| !postcode.is_empty());
        let (street, mut numbers) = address::parse(evidence.address.as_deref().unwrap_or_default());
        let is_postcode = |number: &Numbers| evidence.postcode.as_deref() == Some(number.0.to_string().as_str());
        numbers.retain(|number| !is_postcode(number));
        let names = evidence.names.iter().map(|name| name_words(name)).collect();
        Self { evidence, postcode, street, numbers, names }
    }
}

/// A postcode without spaces; some tables keep postcodes as decimal numbers.
fn compact_postcode(postcode: &str) -> String {
    let postcode = postcode.strip_suffix(".0").or_else(|| postcode.strip_suffix(" 0")).unwrap_or(postcode);
    postcode.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
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
        // The other box is looked for around this one, the antimeridian or not.
        let turn = turn(self.position.lon(), other.position.lon());
        let (lon_a, lon_b) = nearest(a[0], a[2], b[0] + turn, b[2] + turn);
        let (lat_a, lat_b) = nearest(a[1], a[3], b[1], b[3]);
        let at = |lon: f64, lat| {
            let lon = if lon > 180.0 {
                lon - 360.0
            } else if lon < -180.0 {
                lon + 360.0
            } else {
                lon
            };
            LonLat::new(lon, lat).expect("a corner of a box of positions is a position")
        };
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
            let lon = p.lon() + turn(self.position.lon(), p.lon());
            (*west..=*east).contains(&lon) && (*south..=*north).contains(&p.lat())
        })
    }
}

/// What brings a longitude to within half a turn of another, in degrees.
fn turn(lon: f64, other: f64) -> f64 {
    if other - lon > 180.0 {
        -360.0
    } else if other - lon < -180.0 {
        360.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_and_points_are_near_each_other_across_the_antimeridian() {
        let area = |west: f64, east: f64| Evidence {
            lon: f64::midpoint(west, east),
            lat: 0.0,
            extent: Some([west, -0.001, east, 0.001]),
            ..Evidence::default()
        };
        let point = |lon: f64| Evidence { lon, lat: 0.0, ..Evidence::default() };
        let cases = [
            (area(179.990, 179.9999), point(-179.9999), 22.2),
            (area(9.990, 9.9999), point(10.0001), 22.2),
            (area(-180.0, -179.99), point(179.9999), 11.1),
            (area(179.98, 180.0), area(-180.0, -179.98), 0.0),
        ];
        for (a, b, metres) in cases {
            let told = format!("{:?} {:?}", a.extent, b.lon);
            let corpus = Corpus::of([a, b]);
            for (x, y) in [(0, 1), (1, 0)] {
                let found = corpus.records[x].distance(&corpus.records[y]).0;
                assert!((found - metres).abs() < 0.1, "{told}: {found}");
            }
        }
        let corpus = Corpus::of([area(179.99, 180.0), point(-180.0)]);
        assert!(corpus.records[0].encloses(&corpus.records[1]));
    }

    #[test]
    fn a_record_takes_at_most_200_bytes_with_its_lists() {
        let restaurant = |at: usize| Evidence {
            lon: 9.5,
            lat: 47.1,
            categories: vec!["restaurant".into(), "cafe".into()],
            names: vec![format!("Old Mill No {at}")],
            phone: Some(format!("{at:08}")),
            host: Some(format!("mill{at}.example")),
            address: Some(format!("{at} Mill Street")),
            postcode: Some("15222".into()),
            ..Evidence::default()
        };
        let station = |at: usize| Evidence {
            lon: 9.5,
            lat: 47.1,
            categories: vec!["charging_station".into()],
            names: vec![format!("Marktplatz {at}")],
            operator: Some("wikidata:Q1".into()),
            operator_name: Some("kraftwerke".into()),
            network: Some("netz".into()),
            connectors: vec!["ccs2".into(), "type2_socket".into()],
            max_power_kw: Some(150.0),
            capacity: Some(4),
            ids: vec![format!("evse:CHKWE{at}"), format!("ocm:{at}")],
            address: Some(format!("Marktplatz {at}")),
            postcode: Some("9490".into()),
            ..Evidence::default()
        };
        let kinds: [&dyn Fn(usize) -> Evidence; 2] = [&restaurant, &station];
        for kind in kinds {
            let corpus = Corpus::of((0..1000).map(kind));
            let bytes = size_of_val(&*corpus.records)
                + size_of_val(&*corpus.words)
                + size_of_val(&*corpus.names)
                + size_of_val(&*corpus.numbers);
            assert!(bytes <= 200 * corpus.len(), "{} bytes per record", bytes / corpus.len());
        }
    }
}
