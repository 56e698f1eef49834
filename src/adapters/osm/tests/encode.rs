//! PBF files for tests, from one line per object in the manner of OPL:
//!
//! ```text
//! n1 x9.5 y47.1 v2 t1700000000 Tamenity=cafe,name=Rössle
//! w5 Nn1,n2,n3,n1 Tbuilding=yes
//! r7 Mw5@outer,n1@ Ttype=multipolygon
//! --                                       a new block
//! ```
//!
//! `dD` deletes. Nodes are dense unless their line begins with `N`. Blobs are uncompressed, so that a test can change
//! bytes in them. A member of type `x` is one the format does not know.
//!
//! Source of the notation: <https://osmcode.org/opl-file-format/>.

use super::super::file::{push_varint, raw_frame};

/// How a file is written.
#[derive(Default)]
pub(super) struct Style<'a> {
    /// Required features besides the usual ones.
    pub(super) required: &'a [&'a str],
    /// Optional features.
    pub(super) optional: &'a [&'a str],
    /// Date in the header, in seconds.
    pub(super) date: Option<i64>,
    /// Whether positions of nodes are repeated with the ways.
    pub(super) locations_on_ways: bool,
}

/// A file with the objects in `lines`.
pub(super) fn pbf(lines: &str) -> Vec<u8> {
    pbf_in(&Style::default(), lines)
}

/// The beginning of a file, before its blocks.
pub(super) fn header(style: &Style<'_>) -> Vec<u8> {
    let mut header = Vec::new();
    for feature in ["OsmSchema-V0.6", "DenseNodes"].iter().chain(style.required) {
        bytes(&mut header, 4, feature.as_bytes());
    }
    for feature in style.optional {
        bytes(&mut header, 5, feature.as_bytes());
    }
    if let Some(date) = style.date {
        number(&mut header, 32, date as u64);
    }
    raw_frame("OSMHeader", &header)
}

/// A file in a style of its own.
pub(super) fn pbf_in(style: &Style<'_>, lines: &str) -> Vec<u8> {
    let mut file = header(style);
    let places: Vec<(i64, i64, i64)> =
        lines.lines().map(Line::parse).filter(Line::is_node).map(|l| (l.id, l.lon, l.lat)).collect();
    let places = if style.locations_on_ways { places } else { Vec::new() };
    for block in lines.split("--\n") {
        file.extend(raw_frame("OSMData", &encode_block(block, &places)));
    }
    file
}

/// The inflated blocks of a file with the objects in `lines`.
pub(super) fn blocks(lines: &str) -> Vec<Vec<u8>> {
    lines.split("--\n").map(|block| encode_block(block, &[])).collect()
}

/// The same objects in the opposite order, all in one block.
pub(super) fn backwards(lines: &str) -> String {
    let lines: Vec<&str> = lines.lines().filter(|line| *line != "--").collect();
    lines.into_iter().rev().flat_map(|line| [line, "\n"]).collect()
}

/// A frame of data around the fields of a blob.
pub(super) fn data_frame(blob: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    bytes(&mut frame, 1, b"OSMData");
    number(&mut frame, 3, blob.len() as u64);
    [&(frame.len() as u32).to_be_bytes(), frame.as_slice(), blob].concat()
}

/// Appends a field of bytes.
pub(super) fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    push_varint(out, field << 3 | 2);
    push_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a field that is a number.
pub(super) fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    push_varint(out, field << 3);
    push_varint(out, value);
}

#[derive(Default)]
struct Line<'a> {
    letter: &'a str,
    id: i64,
    lon: i64,
    lat: i64,
    version: Option<i64>,
    time: Option<i64>,
    deleted: bool,
    tags: Vec<(&'a str, &'a str)>,
    refs: Vec<i64>,
    members: Vec<(i64, i64, &'a str)>,
}

impl<'a> Line<'a> {
    fn parse(text: &'a str) -> Self {
        let mut words = text.split_whitespace();
        let Some((letter, id)) = words.next().map(|word| word.split_at(1)) else { return Self::default() };
        let mut line = Self { letter, id: id.parse().unwrap_or_default(), ..Self::default() };
        let nano_tenth = |degrees: &str| (degrees.parse::<f64>().expect("degrees") * 1e7).round() as i64;
        for (key, value) in words.map(|word| word.split_at(1)) {
            match key {
                "x" => line.lon = nano_tenth(value),
                "y" => line.lat = nano_tenth(value),
                "v" => line.version = value.parse().ok(),
                "t" => line.time = value.parse().ok(),
                "d" => line.deleted = value == "D",
                "T" => line.tags = value.split(',').filter_map(|tag| tag.split_once('=')).collect(),
                "N" => line.refs = value.split(',').map(|id| id[1..].parse().expect("a node id")).collect(),
                "M" => line.members = value.split(',').filter_map(member).collect(),
                _ => panic!("unknown word {key}{value}"),
            }
        }
        line
    }

    fn is_node(&self) -> bool {
        matches!(self.letter, "n" | "N")
    }
}

fn member(text: &str) -> Option<(i64, i64, &str)> {
    let (object, role) = text.split_once('@')?;
    let (kind, id) = object.split_at(1);
    Some(("nwrx".find(kind)? as i64, id.parse().ok()?, role))
}

fn encode_block(lines: &str, places: &[(i64, i64, i64)]) -> Vec<u8> {
    let mut texts = vec![""];
    let mut block = Vec::new();
    for line in lines.lines().map(Line::parse).filter(|line| !line.letter.is_empty()) {
        let mut group = Vec::new();
        let tags: Vec<(u64, u64)> =
            line.tags.iter().map(|(key, value)| (index(&mut texts, key), index(&mut texts, value))).collect();
        match line.letter {
            "n" => bytes(&mut group, 2, &dense(&line, &tags)),
            "N" => bytes(&mut group, 1, &node(&line, &tags)),
            "w" => bytes(&mut group, 3, &way(&line, &tags, places)),
            "r" => bytes(&mut group, 4, &relation(&line, &tags, &mut texts)),
            _ => panic!("unknown kind of object {}", line.letter),
        }
        bytes(&mut block, 2, &group);
    }
    let mut table = Vec::new();
    for text in texts {
        bytes(&mut table, 1, text.as_bytes());
    }
    bytes(&mut block, 1, &table);
    block
}

fn dense(line: &Line<'_>, tags: &[(u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut info = Vec::new();
    if let Some(version) = line.version {
        packed(&mut info, 1, &[version as u64]);
    }
    if let Some(time) = line.time {
        packed(&mut info, 2, &[zigzag(time)]);
    }
    if line.deleted {
        packed(&mut info, 6, &[0]);
    }
    packed(&mut out, 1, &[zigzag(line.id)]);
    bytes(&mut out, 5, &info);
    packed(&mut out, 8, &[zigzag(line.lat)]);
    packed(&mut out, 9, &[zigzag(line.lon)]);
    let mut indexes: Vec<u64> = tags.iter().flat_map(|(key, value)| [*key, *value]).collect();
    indexes.push(0);
    packed(&mut out, 10, &indexes);
    out
}

fn node(line: &Line<'_>, tags: &[(u64, u64)]) -> Vec<u8> {
    let mut out = object(line, zigzag(line.id), tags);
    number(&mut out, 8, zigzag(line.lat));
    number(&mut out, 9, zigzag(line.lon));
    out
}

fn way(line: &Line<'_>, tags: &[(u64, u64)], places: &[(i64, i64, i64)]) -> Vec<u8> {
    let mut out = object(line, line.id as u64, tags);
    packed(&mut out, 8, &deltas(&line.refs));
    let place = |id: &i64| places.iter().find(|(node, _, _)| node == id);
    let on_way: Vec<_> = line.refs.iter().filter_map(place).collect();
    packed(&mut out, 9, &deltas(&on_way.iter().map(|(_, _, lat)| *lat).collect::<Vec<_>>()));
    packed(&mut out, 10, &deltas(&on_way.iter().map(|(_, lon, _)| *lon).collect::<Vec<_>>()));
    out
}

fn relation<'a>(line: &Line<'a>, tags: &[(u64, u64)], texts: &mut Vec<&'a str>) -> Vec<u8> {
    let mut out = object(line, line.id as u64, tags);
    packed(&mut out, 8, &line.members.iter().map(|(_, _, role)| index(texts, role)).collect::<Vec<_>>());
    packed(&mut out, 9, &deltas(&line.members.iter().map(|(_, id, _)| *id).collect::<Vec<_>>()));
    packed(&mut out, 10, &line.members.iter().map(|(kind, _, _)| *kind as u64).collect::<Vec<_>>());
    out
}

/// What nodes, ways and relations share.
fn object(line: &Line<'_>, id: u64, tags: &[(u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, 1, id);
    packed(&mut out, 2, &tags.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    packed(&mut out, 3, &tags.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    let mut info = Vec::new();
    if let Some(version) = line.version {
        number(&mut info, 1, version as u64);
    }
    if let Some(time) = line.time {
        number(&mut info, 2, time as u64);
    }
    if line.deleted {
        number(&mut info, 6, 0);
    }
    bytes(&mut out, 4, &info);
    out
}

fn index<'a>(texts: &mut Vec<&'a str>, text: &'a str) -> u64 {
    let known = texts.iter().skip(1).position(|known| *known == text).map(|at| at + 1);
    known.unwrap_or_else(|| {
        texts.push(text);
        texts.len() - 1
    }) as u64
}

fn packed(out: &mut Vec<u8>, field: u64, numbers: &[u64]) {
    let mut value = Vec::new();
    for number in numbers {
        push_varint(&mut value, *number);
    }
    if !value.is_empty() {
        bytes(out, field, &value);
    }
}

fn deltas(numbers: &[i64]) -> Vec<u64> {
    let before = std::iter::once(&0).chain(numbers);
    numbers.iter().zip(before).map(|(number, before)| zigzag(number - before)).collect()
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}
