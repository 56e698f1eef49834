//! Sources: what the `[[source]]` tables and `--input` come to.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::fetch::{FetchSettings, check_address, fetch_settings};
use super::file::{ConfigError, SourceTable, Text};
use super::settings::{Overrides, check_name};
use crate::adapters::table::Mapping;
use crate::domain::Timestamp;

/// A source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSettings {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Files, or one folder; never empty. Only OSM PBF may have several, which are one source together.
    pub paths: Vec<PathBuf>,
    /// Where changes since the files were made are found: a folder, or a URL that begins with `http://` or `https://`.
    pub changes: Option<String>,
    /// Its date, where the input states none.
    pub vintage: Option<Timestamp>,
    /// The licence of its records, where the input states none.
    pub license: Option<String>,
    /// Who must be named, where the input does not say.
    pub attribution: Option<String>,
    /// From where it is fetched, and how.
    pub fetch: FetchSettings,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceKind {
    /// OpenStreetMap in PBF.
    OsmPbf,
    /// Open Charge Map, with its reference data where given.
    OpenChargeMap {
        /// File with reference data.
        reference: Option<PathBuf>,
    },
    /// Locations of an operator, in OCPI.
    Ocpi,
    /// A table or vector file, with what its columns mean.
    Table(Box<Mapping>),
}

impl SourceKind {
    /// Its name in a pipeline file.
    fn name(&self) -> &'static str {
        match self {
            Self::OsmPbf => "osm_pbf",
            Self::OpenChargeMap { .. } => "open_charge_map",
            Self::Ocpi => "ocpi",
            Self::Table(_) => "table",
        }
    }
}

pub(super) fn sources(
    text: &Text<'_>,
    tables: &[Spanned<SourceTable>],
    home: &Path,
    overrides: &Overrides,
) -> Result<Vec<SourceSettings>, ConfigError> {
    let mut sources: Vec<SourceSettings> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let (at, table) = (table.span().start, table.as_ref());
        let key = |name: &str| format!("source[{index}].{name}");
        let name = table.name.as_ref().clone();
        check_name(text, &key("name"), &name, table.name.span().start)?;
        if sources.iter().any(|source| source.name == name) {
            return Err(text.error(
                &key("name"),
                table.name.span().start,
                format!("two sources are named `{name}`; give each its own name"),
            ));
        }
        let kind = table.kind.as_ref().as_str();
        if kind != "open_charge_map" && table.reference.is_some() {
            return Err(text.error(&key("reference"), at, "only open_charge_map has reference data"));
        }
        if let Some(mapping) = table.table.as_ref().filter(|_| kind != "table") {
            return Err(text.error(
                &key("table"),
                mapping.span().start,
                "only a source of kind `table` has columns to map",
            ));
        }
        if kind == "osm_pbf" && table.license.is_some() {
            return Err(text.error(&key("license"), at, "the licence of OpenStreetMap is known"));
        }
        if matches!(kind, "osm_pbf" | "open_charge_map") && table.attribution.is_some() {
            return Err(text.error(&key("attribution"), at, format!("it is known whom {kind} wants to be named")));
        }
        let kind = match kind {
            "osm_pbf" => SourceKind::OsmPbf,
            "open_charge_map" => {
                SourceKind::OpenChargeMap { reference: table.reference.as_ref().map(|path| home.join(path)) }
            }
            "ocpi" => SourceKind::Ocpi,
            "table" => {
                let Some(mapping) = &table.table else {
                    let message = "say what the columns mean in a table [source.table]";
                    return Err(text.error(&key("table"), at, message));
                };
                SourceKind::Table(Box::new(mapping.as_ref().clone()))
            }
            other => {
                let message =
                    format!("`{other}` is no kind of source; known kinds: osm_pbf, open_charge_map, ocpi, table");
                return Err(text.error(&key("kind"), table.kind.span().start, message));
            }
        };
        let given: Vec<PathBuf> =
            overrides.inputs.iter().filter(|(wanted, _)| *wanted == name).map(|(_, path)| path.clone()).collect();
        if given.len() > 1 && kind != SourceKind::OsmPbf {
            return Err(ConfigError::RepeatedInput { name, kind: kind.name(), times: given.len() });
        }
        let written = match &table.path {
            None => Vec::new(),
            Some(path) => {
                let wrong = |message: &str| Err(text.error(&key("path"), path.span().start, message));
                match path.as_ref().0.as_slice() {
                    [] => return wrong("it is empty; name at least one file"),
                    [_, _, ..] if kind != SourceKind::OsmPbf => {
                        return wrong("only an osm_pbf source takes several files; give one file or folder");
                    }
                    paths if (1..paths.len()).any(|at| paths[..at].contains(&paths[at])) => {
                        return wrong("a file is named twice; name each once");
                    }
                    paths => paths.iter().map(|path| home.join(path)).collect(),
                }
            }
        };
        let paths = if given.is_empty() { written } else { given };
        if paths.is_empty() {
            return Err(text.error(
                &key("path"),
                at,
                format!("say where the input is: path = \"…\" here, or --input {name}=PATH"),
            ));
        }
        let changes = match &table.changes {
            None => None,
            Some(stated) if kind != SourceKind::OsmPbf => {
                return Err(text.error(&key("changes"), stated.span().start, "only an osm_pbf source takes changes"));
            }
            Some(stated) => Some(changes(stated.as_ref(), home).ok_or_else(|| {
                let message = "it must be a folder, or a URL that begins with http:// or https://";
                text.error(&key("changes"), stated.span().start, message)
            })?),
        };
        let vintage = match &table.vintage {
            None => None,
            Some(stated) => Some(stated.as_ref().parse::<Timestamp>().map_err(|_| {
                let message = "it must be an instant in UTC, e.g. \"2026-07-10T20:20:00Z\"";
                text.error(&key("vintage"), stated.span().start, message)
            })?),
        };
        let (license, attribution) = (table.license.clone(), table.attribution.clone());
        let fetch = fetch_settings(text, table, key)?;
        let other = sources.iter().find(|other| other.fetch.brings_a_file() && other.paths[0] == paths[0]);
        if let Some(other) = other.filter(|_| fetch.brings_a_file()) {
            let message = format!("`{}` is fetched to the same file; give each source its own", other.name);
            return Err(text.error(&key("path"), at, message));
        }
        sources.push(SourceSettings { name, kind, paths, changes, vintage, license, attribution, fetch });
    }
    if sources.is_empty() {
        return Err(text.error("source", 0, "a pipeline needs at least one [[source]] with name, kind and path"));
    }
    for (name, _) in &overrides.inputs {
        if !sources.iter().any(|source| source.name == *name) {
            let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
            return Err(ConfigError::UnknownInput { name: name.clone(), known: known.join(", ") });
        }
    }
    Ok(sources)
}

/// A folder relative to the pipeline file, or a URL as it is; `None` for anything else.
fn changes(stated: &str, home: &Path) -> Option<String> {
    match stated.split_once("://") {
        Some(("http" | "https", _)) if check_address(stated).is_ok() => Some(stated.to_owned()),
        Some(_) => None,
        None if stated.is_empty() => None,
        None => Some(home.join(stated).display().to_string()),
    }
}
