//! Mapping: what the columns of a table mean, as the pipeline file says it in `[source.table]`.
//!
//! Everything that can be told wrong without looking at the input is refused here, with the key that says it.

mod condition;
mod take;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

pub(crate) use condition::Condition;
pub(crate) use take::Take;
pub(crate) use take::{From, Kind, Lookup};

use crate::domain::{ConnectorType, Current, Vocabulary};

/// Words and what they stand for.
pub(crate) type Words = BTreeMap<String, String>;

/// The table `[source.table]` of a pipeline file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Mapping {
    pub(crate) format: Option<Format>,
    pub(crate) delimiter: Option<u8>,
    /// A label of the Encoding Standard, e.g. `windows-1252`.
    pub(crate) encoding: Option<String>,
    /// Lines before the header.
    pub(crate) skip_lines: Option<usize>,
    /// Whether the first row names the columns.
    pub(crate) header: bool,
    pub(crate) decimal_comma: bool,
    /// Coordinate system of the positions, where the format does not say.
    pub(crate) crs: Option<String>,
    /// Which layer or sheet.
    pub(crate) layer: Option<String>,
    /// Under which name an object holds the array of records.
    pub(crate) records: Option<String>,
    /// Columns that may be missing.
    pub(crate) optional: Vec<String>,
    /// Words that stand for nothing in every column.
    pub(crate) missing: Vec<String>,
    pub(crate) id: Option<Id>,
    pub(crate) position: Position,
    pub(crate) updated: Option<Take>,
    pub(crate) wanted: BTreeMap<String, Condition>,
    /// Whether each column is a tag of its own name.
    pub(crate) all_tags: bool,
    pub(crate) tags: BTreeMap<String, Take>,
    pub(crate) connectors: Vec<ConnectorGroup>,
    pub(crate) lookups: BTreeMap<String, Words>,
}

/// A format that may be told where content does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Csv,
    Json,
    GeoJson,
    Parquet,
    Gdal,
}

/// What makes the id of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Id {
    /// The values of these columns, with `/` between them.
    Columns(Vec<String>),
    /// A hash of the values of these columns.
    Hash(Vec<String>),
}

/// Where a row is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Position {
    /// In two columns.
    LonLat(Box<(Take, Take)>),
    /// In a column with WKT, WKB, GeoJSON or `[lon, lat]`.
    Column(String),
    /// Where the format says.
    Own,
}

/// One `[[source.table.connectors]]`: columns about connectors of a row.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "WrittenGroup")]
pub(crate) struct ConnectorGroup {
    /// How often the group is there, with `{n}` in its columns.
    pub(crate) repeat: usize,
    pub(crate) when: BTreeMap<String, Condition>,
    pub(crate) kind: Option<Take>,
    pub(crate) power: Option<Take>,
    pub(crate) voltage: Option<Take>,
    pub(crate) amperage: Option<Take>,
    pub(crate) current: Option<Take>,
    pub(crate) count: Option<Take>,
    pub(crate) evse_id: Option<Take>,
}

/// Most groups that one entry may count through.
const REPEAT_MAX: usize = 1_000;

/// Least and greatest plausible voltage in V and current in A, as in the transform.
const VOLTS_OR_AMPERES: (f64, f64) = (1.0, 2_000.0);

/// Most connectors of one kind that a row may count.
const COUNT_MAX: f64 = 1_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: Option<Format>,
    delimiter: Option<String>,
    encoding: Option<Encoding>,
    skip_lines: Option<usize>,
    header: Option<bool>,
    #[serde(default)]
    decimal_comma: bool,
    crs: Option<String>,
    layer: Option<String>,
    records: Option<String>,
    #[serde(default)]
    optional: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
    id: Option<Id>,
    lon: Option<Take>,
    lat: Option<Take>,
    geometry: Option<String>,
    updated: Option<Take>,
    #[serde(default, rename = "where")]
    wanted: BTreeMap<String, Condition>,
    #[serde(default)]
    tags: BTreeMap<String, Tag>,
    #[serde(default)]
    connectors: Vec<ConnectorGroup>,
    #[serde(default)]
    lookups: BTreeMap<String, Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    repeat: Option<usize>,
    #[serde(default)]
    when: BTreeMap<String, Condition>,
    #[serde(rename = "type")]
    kind: Option<Take>,
    power: Option<Take>,
    voltage: Option<Take>,
    amperage: Option<Take>,
    current: Option<Take>,
    count: Option<Take>,
    evse_id: Option<Take>,
}

/// A label that the Encoding Standard knows.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Encoding(String);

impl TryFrom<String> for Encoding {
    type Error = String;

    fn try_from(label: String) -> Result<Self, String> {
        match encoding_rs::Encoding::for_label(label.as_bytes()) {
            None => Err(format!("`{label}` is no encoding; write e.g. \"utf-8\", \"windows-1252\", \"iso-8859-15\"")),
            // Its bytes mean different things from place to place, so lines cannot be told apart.
            Some(encoding) if encoding == encoding_rs::ISO_2022_JP || encoding == encoding_rs::REPLACEMENT => {
                Err(format!("`{label}` is not read; convert the file to UTF-8 first"))
            }
            Some(_) => Ok(Self(label)),
        }
    }
}

/// A tag: a value, or `"*" = true`.
enum Tag {
    All(bool),
    Take(Box<Take>),
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Tag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column as text or a table such as { value = \"charging_station\" }")
            }

            fn visit_bool<E: de::Error>(self, all: bool) -> Result<Tag, E> {
                Ok(Tag::All(all))
            }

            fn visit_str<E: de::Error>(self, column: &str) -> Result<Tag, E> {
                Ok(Tag::Take(Box::new(Take::column(column))))
            }

            fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Tag, M::Error> {
                Take::deserialize(de::value::MapAccessDeserializer::new(map)).map(|take| Tag::Take(Box::new(take)))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Hash {
            hash: Vec<String>,
        }

        fn some<E: de::Error>(columns: Vec<String>) -> Result<Vec<String>, E> {
            if columns.is_empty() { Err(de::Error::custom("name at least one column")) } else { Ok(columns) }
        }

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column as text, a list of columns, or { hash = [\"name\", \"street\"] }")
            }

            fn visit_str<E: de::Error>(self, column: &str) -> Result<Id, E> {
                Ok(Id::Columns(vec![column.to_owned()]))
            }

            fn visit_seq<S: de::SeqAccess<'de>>(self, seq: S) -> Result<Id, S::Error> {
                let columns = Vec::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                some(columns).map(Id::Columns)
            }

            fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Id, M::Error> {
                let Hash { hash } = Hash::deserialize(de::value::MapAccessDeserializer::new(map))?;
                some(hash).map(Id::Hash)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl TryFrom<WrittenGroup> for ConnectorGroup {
    type Error = String;

    fn try_from(written: WrittenGroup) -> Result<Self, String> {
        let WrittenGroup { repeat, when, kind, power, voltage, amperage, current, count, evse_id } = written;
        if repeat.is_some_and(|n| !(1..=REPEAT_MAX).contains(&n)) {
            return Err(format!("`repeat` is not between 1 and {REPEAT_MAX}"));
        }
        let number = |take: Option<Take>, kind, (min, max): (f64, f64)| {
            take.map(|take| {
                let mut take = take.or_as(kind);
                take.bounds = (take.bounds.0.or(Some(min)), take.bounds.1.or(Some(max)));
                take
            })
        };
        let group = Self {
            repeat: repeat.unwrap_or(1),
            when,
            kind,
            power: power.map(|take| take.or_as(Kind::Kw)),
            voltage: number(voltage, Kind::Number, VOLTS_OR_AMPERES),
            amperage: number(amperage, Kind::Number, VOLTS_OR_AMPERES),
            current,
            count: number(count, Kind::Integer, (0.0, COUNT_MAX)),
            evse_id,
        };
        if let Some(name) = group.kind.as_ref().and_then(|take| take.vocabulary.as_ref())
            && Vocabulary::from_name(name).is_none()
        {
            let known: Vec<&str> = Vocabulary::ALL.iter().map(|known| known.name()).collect();
            return Err(format!("`type.vocabulary`: `{name}` is none of {}", known.join(", ")));
        }
        let takes = [&group.power, &group.voltage, &group.amperage, &group.current, &group.count, &group.evse_id];
        if takes.into_iter().flatten().any(|take| take.vocabulary.is_some()) {
            return Err("`vocabulary` goes with `type` only".into());
        }
        let numeric = |take: &Option<Take>| {
            take.as_ref()
                .is_none_or(|take| matches!(take.kind, Some(Kind::Kw | Kind::WToKw | Kind::Number | Kind::Integer)))
        };
        if ![&group.power, &group.voltage, &group.amperage, &group.count].into_iter().all(numeric) {
            return Err("power, voltage, amperage and count are numbers".into());
        }
        let says_nothing = [&group.kind].into_iter().chain(takes).flatten().all(Take::is_constant);
        if says_nothing && group.when.is_empty() {
            return Err("it names no column; say `when` there is such a connector".into());
        }
        Ok(group)
    }
}

impl TryFrom<Written> for Mapping {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let position = match (written.lon, written.lat, written.geometry) {
            (Some(lon), Some(lat), None) => {
                Position::LonLat(Box::new((lon.or_as(Kind::Number), lat.or_as(Kind::Number))))
            }
            (None, None, Some(column)) => Position::Column(column),
            (None, None, None) => Position::Own,
            _ => return Err("say where a row is, in one way: lon and lat, or geometry".into()),
        };
        let delimiter = match written.delimiter.as_deref() {
            None => None,
            Some("\\t" | "tab") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => Some(*byte),
                _ => return Err(format!("`delimiter`: `{text}` is not one character such as `;` or `\\t`")),
            },
        };
        let mut all_tags = false;
        let mut tags = BTreeMap::new();
        for (key, tag) in written.tags {
            match tag {
                Tag::All(all) if key == "*" => all_tags = all,
                Tag::All(_) => {
                    return Err(format!("`tags.{key}`: true is for `\"*\"` only; write {{ value = \"yes\" }}"));
                }
                Tag::Take(_) if key == "*" => return Err("`tags.\"*\"` is true or left out".into()),
                Tag::Take(take) => {
                    tags.insert(key, *take);
                }
            }
        }
        let mapping = Self {
            format: written.format,
            delimiter,
            encoding: written.encoding.map(|Encoding(label)| label),
            skip_lines: written.skip_lines,
            header: written.header.unwrap_or(true),
            decimal_comma: written.decimal_comma,
            crs: written.crs,
            layer: written.layer,
            records: written.records,
            optional: written.optional,
            missing: written.missing,
            id: written.id,
            position,
            updated: written.updated.map(|take| take.or_as(Kind::Date)),
            wanted: written.wanted,
            all_tags,
            tags,
            connectors: written.connectors,
            lookups: written.lookups,
        };
        mapping.refuse_unknown_words()?;
        Ok(mapping)
    }
}

impl Mapping {
    /// The words of a lookup.
    pub(crate) fn words<'a>(&'a self, lookup: &'a Lookup) -> Option<&'a Words> {
        match lookup {
            Lookup::Inline(words) => Some(words),
            Lookup::Named(name) => self.lookups.get(name),
        }
    }

    /// Every lookup is there, and those of connectors speak of types and currents that we have.
    fn refuse_unknown_words(&self) -> Result<(), String> {
        let mut takes: Vec<(String, &Take)> =
            self.tags.iter().map(|(key, take)| (format!("tags.{key}"), take)).collect();
        takes.extend(self.updated.iter().map(|take| ("updated".to_owned(), take)));
        if self.updated.as_ref().is_some_and(|take| take.kind != Some(Kind::Date)) {
            return Err("`updated`: it is a date".into());
        }
        if let Position::LonLat(both) = &self.position {
            takes.extend([("lon".to_owned(), &both.0), ("lat".to_owned(), &both.1)]);
        }
        for (key, take) in &takes {
            let is_plain = take.kind.is_none() && !matches!(take.from, From::Sum(_));
            if is_plain && (take.bounds != (None, None) || take.format.is_some()) {
                return Err(format!("`{key}`: `min` and `max` go with numbers, `format` with dates; say as = …"));
            }
            if take.vocabulary.is_some() {
                return Err(format!("`{key}`: `vocabulary` goes with the type of connectors only"));
            }
        }
        for (at, group) in self.connectors.iter().enumerate() {
            let key = |name: &str| format!("connectors[{at}].{name}");
            let known = |name: &str| ConnectorType::from_name(name).is_some();
            self.refuse_words(&key("type"), group.kind.as_ref(), known, "no type of connector")?;
            let known = |name: &str| Current::from_name(name).is_some();
            self.refuse_words(&key("current"), group.current.as_ref(), known, "none of ac_single, ac_three, dc")?;
            let named = [("type", &group.kind), ("power", &group.power), ("voltage", &group.voltage)];
            let more = [("amperage", &group.amperage), ("current", &group.current), ("count", &group.count)];
            let last = [("evse_id", &group.evse_id)];
            let all = named.into_iter().chain(more).chain(last);
            takes.extend(all.filter_map(|(name, take)| Some((key(name), take.as_ref()?))));
        }
        for (key, take) in takes {
            if let Some(Lookup::Named(name)) = &take.map
                && !self.lookups.contains_key(name)
            {
                return Err(format!("`{key}`: there is no table [source.table.lookups.{name}]"));
            }
        }
        Ok(())
    }

    /// The words that a take can come to are known, where it says so itself.
    fn refuse_words(
        &self,
        key: &str,
        take: Option<&Take>,
        known: impl Fn(&str) -> bool,
        otherwise: &str,
    ) -> Result<(), String> {
        let Some(take) = take.filter(|take| take.vocabulary.is_none()) else { return Ok(()) };
        let words = take.map.as_ref().and_then(|lookup| self.words(lookup)).into_iter().flat_map(Words::values);
        let constant = if let From::Constant(value) = &take.from { Some(value) } else { None };
        let constant = constant.filter(|_| take.map.is_none());
        match words.chain(&take.otherwise).chain(constant).find(|word| !word.is_empty() && !known(word)) {
            Some(word) => Err(format!("`{key}`: `{word}` is {otherwise}")),
            None => Ok(()),
        }
    }
}
