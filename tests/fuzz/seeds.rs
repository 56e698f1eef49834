//! Small files to begin with: one for each way in which the format can say the same.

use super::blobs::{Blob, Codec, join};
use super::protobuf::{Field, bytes, deltas, message, number, packed, write};

/// How a file is written.
#[derive(Clone, Copy)]
struct Style {
    codec: Codec,
    oddities: &'static [Oddity],
    required: Option<&'static str>,
}

/// Ways in which a file is not as most are.
#[derive(Clone, Copy, PartialEq)]
enum Oddity {
    PlainNodes,
    /// Without version, time, changeset and user.
    NoMetadata,
    /// Positions of nodes are repeated with the ways.
    LocationsOnWays,
    /// Positions are in other units, from another origin.
    OddUnits,
    /// The header does not say that the file is sorted.
    NotSaidToBeSorted,
    /// All kinds of objects are in one block.
    OneBlock,
}

const PLAIN: Style = Style { codec: Codec::Raw, oddities: &[], required: None };

const STYLES: [(&str, Style); 13] = [
    ("raw", PLAIN),
    ("zlib", Style { codec: Codec::Zlib, ..PLAIN }),
    ("lz4", Style { codec: Codec::Lz4, ..PLAIN }),
    ("zstd", Style { codec: Codec::Zstd, ..PLAIN }),
    ("plain-nodes", Style { oddities: &[Oddity::PlainNodes], ..PLAIN }),
    ("no-metadata", Style { oddities: &[Oddity::NoMetadata], ..PLAIN }),
    ("locations-on-ways", Style { oddities: &[Oddity::LocationsOnWays], ..PLAIN }),
    ("odd-units", Style { oddities: &[Oddity::OddUnits], ..PLAIN }),
    ("odd-units-plain", Style { oddities: &[Oddity::OddUnits, Oddity::PlainNodes, Oddity::NoMetadata], ..PLAIN }),
    ("not-said-to-be-sorted", Style { oddities: &[Oddity::NotSaidToBeSorted], ..PLAIN }),
    ("one-block", Style { oddities: &[Oddity::OneBlock], ..PLAIN }),
    ("history", Style { required: Some("HistoricalInformation"), ..PLAIN }),
    ("unknown-feature", Style { required: Some("Quaternions"), ..PLAIN }),
];

impl Style {
    fn is(&self, oddity: Oddity) -> bool {
        self.oddities.contains(&oddity)
    }
}

/// Nodes 1 to 30 on a grid of 10⁻⁴ degrees, six in a row; every fifth has tags.
const NODES: std::ops::RangeInclusive<i64> = 1..=30;

/// Ways by their nodes: squares that touch, hold and cross each other, a spike, an open way, one with a missing node.
const WAYS: [(&[i64], &[&str]); 10] = [
    (&[1, 2, 8, 7, 1], &["building", "yes"]),
    (&[1, 6, 30, 25, 1], &[]),
    (&[9, 10, 16, 15, 9], &["natural", "water"]),
    (&[16, 17, 23, 22, 16], &["shop", "mall", "name", "Müller"]),
    (&[3, 4, 5, 11], &["highway", "path", "layer", "-1"]),
    (&[11, 12, 6, 5], &["highway", "proposed"]),
    (&[19, 20, 19, 25, 19], &["amenity", "parking"]),
    (&[13, 14, 99, 13], &["amenity", "school"]),
    (&[13, 20, 14, 19, 13], &["leisure", "park", "area", "yes"]),
    (&[21, 22, 28, 27, 21], &["barrier", "hedge", "area", "no"]),
];

/// Relations by their members, as kind (0 node, 1 way, 2 relation), id and role.
type Members = &'static [(i64, i64, &'static str)];

const RELATIONS: [(Members, &[&str]); 6] = [
    (&[(1, 2, "outer"), (1, 3, "inner"), (1, 4, "inner")], &["type", "multipolygon", "natural", "wood"]),
    (&[(1, 5, "outer"), (1, 6, "outer")], &["type", "boundary", "admin_level", "8", "name", "Dorf"]),
    (&[(1, 1, "outer"), (1, 999, "outer")], &["type", "multipolygon", "building", "yes"]),
    (&[(1, 5, ""), (0, 3, "stop")], &["type", "route", "route", "bus"]),
    (
        &[(1, 3, ""), (1, 4, "outer"), (0, 5, "label"), (2, 1, "subarea")],
        &["type", "multipolygon", "amenity", "school"],
    ),
    (&[(1, 7, "outer"), (1, 9, "outer")], &["type", "multipolygon", "shop", "mall"]),
];

/// Every seed by its name.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<_> = STYLES.iter().map(|(name, style)| (*name, file(style))).collect();
    seeds.push(("no-objects", join(&[header(&PLAIN)])));
    seeds
}

fn file(style: &Style) -> Vec<u8> {
    let mut blobs = vec![header(style)];
    let (nodes, ways, relations) = (0..NODES.count(), 0..WAYS.len(), 0..RELATIONS.len());
    if style.is(Oddity::OneBlock) {
        blobs.push(block(style, &[nodes], &[ways], &[relations]));
    } else {
        // Two of each, so that there is something between which to look for the first of a kind.
        for half in halves(&nodes) {
            blobs.push(block(style, &[half], &[], &[]));
        }
        for half in halves(&ways) {
            blobs.push(block(style, &[], &[half], &[]));
        }
        for half in halves(&relations) {
            blobs.push(block(style, &[], &[], &[half]));
        }
    }
    join(&blobs)
}

type Range = std::ops::Range<usize>;

fn halves(range: &Range) -> [Range; 2] {
    let middle = usize::midpoint(range.start, range.end);
    [range.start..middle, middle..range.end]
}

fn header(style: &Style) -> Blob {
    let mut fields = vec![
        message(1, &[number(1, 18), number(2, 20), number(3, 96), number(4, 94)]),
        bytes(4, "OsmSchema-V0.6"),
        bytes(4, "DenseNodes"),
    ];
    fields.extend(style.required.map(|feature| bytes(4, feature)));
    fields.extend((!style.is(Oddity::NotSaidToBeSorted)).then(|| bytes(5, "Sort.Type_then_ID")));
    fields.extend(style.is(Oddity::LocationsOnWays).then(|| bytes(5, "LocationsOnWays")));
    fields.extend([bytes(16, "seeds"), number(32, 1_700_000_000), number(33, 7), bytes(34, "https://example.org/")]);
    Blob::new("OSMHeader", &write(&fields), style.codec)
}

/// Texts of a block by their place.
#[derive(Default)]
struct Strings(Vec<String>);

impl Strings {
    fn at(&mut self, text: &str) -> i64 {
        let known = self.0.iter().position(|known| known == text);
        (1 + known.unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        })) as i64
    }

    fn message(&self) -> Field {
        let texts = std::iter::once("").chain(self.0.iter().map(String::as_str));
        message(1, &texts.map(|text| bytes(1, text)).collect::<Vec<_>>())
    }
}

fn block(style: &Style, nodes: &[Range], ways: &[Range], relations: &[Range]) -> Blob {
    let mut strings = Strings::default();
    let mut groups = Vec::new();
    for range in nodes {
        groups.push(message(2, &node_group(style, range, &mut strings)));
    }
    for range in ways {
        let ways: Vec<Field> = range.clone().map(|at| way(style, at, &mut strings)).collect();
        groups.push(message(2, &ways));
    }
    for range in relations {
        let relations: Vec<Field> = range.clone().map(|at| relation(style, at, &mut strings)).collect();
        groups.push(message(2, &relations));
    }
    let mut fields = vec![strings.message()];
    fields.extend(groups);
    if style.is(Oddity::OddUnits) {
        fields.extend([number(17, 1000), number(18, 10), number(19, 47_000_000_000), number(20, 9_000_000_000)]);
    }
    Blob::new("OSMData", &write(&fields), style.codec)
}

/// Position of a node in the units of the file: longitude, latitude.
fn position(style: &Style, id: i64) -> (i64, i64) {
    let (column, row) = ((id - 1) % 6, (id - 1) / 6);
    let units = if style.is(Oddity::OddUnits) { (0, 0, 100) } else { (90_000_000, 470_000_000, 1000) };
    (units.0 + column * units.2, units.1 + row * units.2)
}

fn node_tags(id: i64) -> &'static [&'static str] {
    match id % 5 {
        0 if id % 2 == 0 => &["amenity", "charging_station", "capacity", "2"],
        0 => &["shop", "bakery"],
        _ => &[],
    }
}

fn node_group(style: &Style, range: &Range, strings: &mut Strings) -> Vec<Field> {
    let ids: Vec<i64> = NODES.skip(range.start).take(range.len()).collect();
    if style.is(Oddity::PlainNodes) {
        let node = |id: &i64| {
            let (lon, lat) = position(style, *id);
            let mut fields = object(style, *id, node_tags(*id), strings);
            fields[0] = number(1, id << 1);
            fields.extend([number(8, lat << 1), number(9, lon << 1)]);
            message(1, &fields)
        };
        return ids.iter().map(node).collect();
    }
    let mut fields = vec![deltas(1, ids.iter().copied())];
    if !style.is(Oddity::NoMetadata) {
        let user = strings.at("mapper");
        let info = [
            packed(1, ids.iter().map(|_| 3)),
            deltas(2, ids.iter().map(|id| 1_600_000_000 + id)),
            deltas(3, ids.iter().copied()),
            deltas(4, ids.iter().map(|_| 42)),
            deltas(5, ids.iter().map(|_| user)),
        ];
        fields.push(message(5, &info));
    }
    fields.push(deltas(8, ids.iter().map(|id| position(style, *id).1)));
    fields.push(deltas(9, ids.iter().map(|id| position(style, *id).0)));
    let mut tags = Vec::new();
    for id in &ids {
        tags.extend(node_tags(*id).iter().map(|text| strings.at(text)));
        tags.push(0);
    }
    fields.push(packed(10, tags));
    vec![message(2, &fields)]
}

/// What ways and relations have in common, and plain nodes.
fn object(style: &Style, id: i64, tags: &[&str], strings: &mut Strings) -> Vec<Field> {
    let texts: Vec<i64> = tags.iter().map(|text| strings.at(text)).collect();
    let mut fields = vec![
        number(1, id),
        packed(2, texts.iter().step_by(2).copied()),
        packed(3, texts.iter().skip(1).step_by(2).copied()),
    ];
    if !style.is(Oddity::NoMetadata) {
        let user = strings.at("mapper");
        let time = number(2, 1_650_000_000 + id);
        fields.push(message(4, &[number(1, 2), time, number(3, 77), number(4, 42), number(5, user)]));
    }
    fields
}

fn way(style: &Style, at: usize, strings: &mut Strings) -> Field {
    let (nodes, tags) = WAYS[at];
    let mut fields = object(style, at as i64 + 1, tags, strings);
    fields.push(deltas(8, nodes.iter().copied()));
    if style.is(Oddity::LocationsOnWays) {
        fields.push(deltas(9, nodes.iter().map(|id| position(style, *id).1)));
        fields.push(deltas(10, nodes.iter().map(|id| position(style, *id).0)));
    }
    message(3, &fields)
}

fn relation(style: &Style, at: usize, strings: &mut Strings) -> Field {
    let (members, tags) = RELATIONS[at];
    let mut fields = object(style, at as i64 + 1, tags, strings);
    fields.push(packed(8, members.iter().map(|(_, _, role)| if role.is_empty() { 0 } else { strings.at(role) })));
    fields.push(deltas(9, members.iter().map(|(_, id, _)| *id)));
    fields.push(packed(10, members.iter().map(|(kind, _, _)| *kind)));
    message(4, &fields)
}
