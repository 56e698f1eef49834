//! The pipeline file as written: TOML, every key known, every value with its place for messages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::gate::GateTable;
use crate::adapters::table::Mapping;

/// A pipeline file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineFile {
    pub(super) name: Spanned<String>,
    #[serde(default = "charging")]
    pub(super) themes: Spanned<Vec<String>>,
    pub(super) schedule: Option<String>,
    pub(super) categories: Option<PathBuf>,
    pub(super) operators: Option<Texts>,
    pub(super) connectors: Option<PathBuf>,
    pub(super) area_rules: Option<PathBuf>,
    pub(super) region: Option<Spanned<RegionTable>>,
    #[serde(default, rename = "source")]
    pub(super) sources: Vec<Spanned<SourceTable>>,
    #[serde(default)]
    pub(super) conflate: ConflateTable,
    #[serde(default, rename = "layer")]
    pub(super) layers: Vec<Spanned<LayerTable>>,
    #[serde(default)]
    pub(super) gate: GateTable,
    #[serde(default)]
    pub(super) retention: RetentionTable,
    #[serde(default)]
    pub(super) repair: RepairTable,
    #[serde(default)]
    pub(super) fetch: FetchTable,
    pub(super) store: Option<StoreTable>,
    pub(super) postgis: Option<PostgisTable>,
}

fn charging() -> Spanned<Vec<String>> {
    Spanned::new(0..0, vec!["charging".to_owned()])
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionTable {
    pub(super) bbox: Option<Spanned<[f64; 4]>>,
    pub(super) boundary: Option<PathBuf>,
    pub(super) halo_m: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    pub(super) name: Spanned<String>,
    pub(super) kind: Spanned<String>,
    pub(super) path: Option<Spanned<Texts>>,
    pub(super) changes: Option<Spanned<String>>,
    pub(super) reference: Option<PathBuf>,
    pub(super) vintage: Option<Spanned<String>>,
    pub(super) license: Option<String>,
    pub(super) attribution: Option<String>,
    pub(super) table: Option<Spanned<Mapping>>,
    // For `poimill fetch`.
    pub(super) url: Option<Spanned<FromEnv>>,
    pub(super) api: Option<Spanned<bool>>,
    pub(super) country: Option<Spanned<String>>,
    pub(super) api_key: Option<Spanned<FromEnv>>,
    pub(super) token: Option<Spanned<FromEnv>>,
    pub(super) token_encoding: Option<Spanned<String>>,
    pub(super) page_size: Option<Spanned<u64>>,
    pub(super) requests_per_s: Option<Spanned<f64>>,
    pub(super) full_every_days: Option<Spanned<u64>>,
    pub(super) checksum: Option<Spanned<String>>,
    pub(super) archive: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConflateTable {
    pub(super) match_score: Option<Spanned<f64>>,
    pub(super) review_score: Option<Spanned<f64>>,
    pub(super) decisions: Option<PathBuf>,
    #[serde(default)]
    pub(super) models: ModelsTable,
    pub(super) merge: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) survivorship: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) open_licenses: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelsTable {
    pub(super) charging: Option<PathBuf>,
    pub(super) places: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerTable {
    pub(super) name: Spanned<String>,
    pub(super) source: Option<Spanned<String>>,
    pub(super) filter: Spanned<Texts>,
    pub(super) geometry: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) columns: Vec<Spanned<ColumnEntry>>,
    pub(super) incomplete: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) users: bool,
}

/// One of a layer's `columns` as a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnTable {
    pub(super) key: String,
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// One of a layer's `columns`: a key as text, or a table.
#[derive(Debug)]
pub(super) struct ColumnEntry(pub(super) ColumnTable);

impl<'de> Deserialize<'de> for ColumnEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ColumnEntry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key as text or { key = \"lanes\", type = \"integer\", name = \"lanes\" }")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<ColumnEntry, E> {
                Ok(ColumnEntry(ColumnTable { key: key.to_owned(), name: None, kind: None }))
            }

            fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<ColumnEntry, M::Error> {
                ColumnTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(ColumnEntry)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RepairTable {
    pub(super) positions: bool,
}

impl Default for RepairTable {
    fn default() -> Self {
        Self { positions: true }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FetchTable {
    pub(super) attempts: Option<Spanned<u64>>,
    pub(super) pause_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionTable {
    pub(super) daily: u32,
    pub(super) weekly: u32,
    pub(super) monthly: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreTable {
    pub(super) dir: Option<PathBuf>,
    pub(super) zstd_level: Option<Spanned<i32>>,
    pub(super) geoparquet: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostgisTable {
    pub(super) url: FromEnv,
    pub(super) mode: Option<Spanned<String>>,
}

/// A text, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Texts;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<S: de::SeqAccess<'de>>(self, mut seq: S) -> Result<Texts, S::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A text, or the name of an environment variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FromEnv {
    Text(String),
    Env(String),
}

impl<'de> Deserialize<'de> for FromEnv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = FromEnv;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or { env = \"NAME\" }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FromEnv, E> {
                Ok(FromEnv::Text(text.to_owned()))
            }

            fn visit_map<M: de::MapAccess<'de>>(self, mut map: M) -> Result<FromEnv, M::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "lowercase")]
                enum Key {
                    Env,
                }
                let Some(Key::Env) = map.next_key()? else { return Err(de::Error::missing_field("env")) };
                let name = map.next_value()?;
                match map.next_key::<Key>()? {
                    None => Ok(FromEnv::Env(name)),
                    Some(Key::Env) => Err(de::Error::duplicate_field("env")),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Why a pipeline file or a flag cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum ConfigError {
    #[error("there is no pipeline file {path}; give the path of one, e.g. pipelines/demo.toml")]
    Missing { path: PathBuf },
    #[error("cannot read the pipeline file {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}, line {line}, key `{key}`: {message}")]
    Key { path: PathBuf, line: usize, key: String, message: String },
    #[error("{path}, line {line}: {message}")]
    Syntax { path: PathBuf, line: usize, message: String },
    #[error("--input {name}=…: the pipeline has no source `{name}`; it has: {known}")]
    UnknownInput { name: String, known: String },
    #[error("--input {name}=… is given {times} times; a source of kind {kind} takes one file or folder")]
    RepeatedInput { name: String, kind: &'static str, times: usize },
    #[error("cannot read {path}, named by `{key}`")]
    ReadNamed { key: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{path}, named by `{key}`: {message}")]
    Named { key: &'static str, path: PathBuf, message: String },
}

/// A pipeline file's text with its path, for messages.
pub(super) struct Text<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Text<'_> {
    /// Reads the text as a pipeline file.
    pub(super) fn parse(&self) -> Result<PipelineFile, ConfigError> {
        let wrong = |key: Option<String>, error: &toml::de::Error| {
            let line = self.line(error.span().map_or(0, |span| span.start));
            let message = in_plain_words(error.message().trim_end());
            match key {
                Some(key) => ConfigError::Key { path: self.path.to_owned(), line, key, message },
                None => ConfigError::Syntax { path: self.path.to_owned(), line, message },
            }
        };
        let deserializer = toml::Deserializer::parse(self.text).map_err(|error| wrong(None, &error))?;
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = key_path(&error.path().to_string());
            wrong((!path.is_empty()).then_some(path), error.inner())
        })
    }

    /// A message about the value of `key` that starts at byte `at`.
    pub(super) fn error(&self, key: &str, at: usize, message: impl Into<String>) -> ConfigError {
        ConfigError::Key {
            path: self.path.to_owned(),
            line: self.line(at),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

/// A key's path as a person writes it: without the wrappers that remember places in the file.
fn key_path(path: &str) -> String {
    let wrapper = |step: &str| step.is_empty() || step.starts_with("$__");
    path.split('.').filter(|step| !wrapper(step)).collect::<Vec<_>>().join(".")
}

/// What the parser expects, in its words and in those of a person.
const EXPECTATIONS: [(&str, &str); 7] = [
    ("u32", "a whole number that is not negative"),
    ("u64", "a whole number that is not negative"),
    ("f64", "a number"),
    ("a sequence", "a list"),
    ("an array of length 4", "four numbers"),
    ("path string", "a path"),
    ("struct ", "a table"),
];

/// The parser's message without the names of its types, and with the known key that is nearest to an unknown one.
fn in_plain_words(message: &str) -> String {
    let mut plain = message.to_owned();
    if let Some((before, expected)) = message.rsplit_once("expected ")
        && let Some((_, words)) = EXPECTATIONS.iter().find(|(theirs, _)| expected.starts_with(theirs))
    {
        plain = format!("{before}expected {words}");
    }
    let mut names = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(unknown) = names.next()
        && let Some(nearest) = names.max_by(|a, b| strsim::jaro(unknown, a).total_cmp(&strsim::jaro(unknown, b)))
    {
        let known = message.split_once("expected ").map_or("", |(_, known)| known.trim_start_matches("one of "));
        plain = format!("unknown key; did you mean `{nearest}`? Known here: {known}");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Text { path: Path::new("p.toml"), text }.parse().map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_parsed_is_told_with_file_line_key_and_what_would_be_right() {
        let cases = [
            (
                "nam = \"a\"",
                "p.toml, line 1, key `nam`: unknown key; did you mean `name`? Known here: `name`, `themes`,",
            ),
            ("\nname = 5", "p.toml, line 2, key `name`: invalid type: integer `5`, expected a string"),
            ("name = a", "p.toml, line 1: string values must be quoted, expected literal string"),
            ("name = \"a\"\nregion = 5", "p.toml, line 2, key `region`: invalid type: integer `5`, expected a table"),
            (
                "name = \"a\"\n[region]\nbbox = \"x\"",
                "p.toml, line 3, key `region.bbox`: invalid type: string \"x\", expected four numbers",
            ),
            (
                "name = \"a\"\n[region]\nhalo = 5",
                "p.toml, line 3, key `region.halo`: unknown key; did you mean `halo_m`? Known here: `bbox`, `boundary`, `halo_m`",
            ),
            (
                "name = \"a\"\n[[source]]\nname = \"b\"\nkind = \"c\"\n[[source]]\nkind = \"d\"\n",
                "p.toml, line 5, key `source[1]`: missing field `name`",
            ),
            (
                "name = \"a\"\n[gate]\nmin_rows = -2",
                "p.toml, line 3, key `gate.min_rows`: invalid value: integer `-2`, expected a whole number that is not negative",
            ),
            (
                "name = \"a\"\n[postgis]\nurl = 5",
                "p.toml, line 3, key `postgis.url`: invalid type: integer `5`, expected a text or { env = \"NAME\" }",
            ),
        ];
        for (text, message) in cases {
            let told = refused(text);
            assert!(told.starts_with(message) && !told.contains("$__"), "{text}\n{told}\n{message}");
        }
    }

    #[test]
    fn a_value_is_a_text_or_the_name_of_a_variable() {
        let url = |value: &str| {
            let text = format!("name = \"a\"\n[postgis]\nurl = {value}");
            Text { path: Path::new("p.toml"), text: &text }
                .parse()
                .ok()
                .and_then(|file| file.postgis)
                .map(|table| table.url)
        };
        assert_eq!(url("\"postgresql://x\""), Some(FromEnv::Text("postgresql://x".to_owned())));
        assert_eq!(url("{ env = \"URL\" }"), Some(FromEnv::Env("URL".to_owned())));
        assert_eq!(url("{ enw = \"URL\" }"), None);
        assert_eq!(url("{}"), None);
        assert_eq!(url("{ env = 5 }"), None);
    }

    #[test]
    fn a_value_remembers_its_line() {
        let text = Text { path: Path::new("p.toml"), text: "\n\nname = \"a\"\n\n[region]\nhalo_m = 5\n" };
        let file = text.parse().unwrap();
        let halo = file.region.unwrap().into_inner().halo_m.unwrap();
        assert_eq!((text.line(file.name.span().start), text.line(halo.span().start)), (3, 6));
    }
}
