//! Settings: what a pipeline file means, checked.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::conflate::{merging, told as told_merging, with_scores};
use super::fetch::{RetrySettings, retries};
use super::file::{
    ConfigError, ConflateTable, FromEnv, ModelsTable, PipelineFile, RetentionTable, StoreTable, Text, Texts,
};
use super::gate::{gate, told as told_gate};
use super::layers::{Layers, layers};
use super::memory::DEFAULT_MEMORY_BYTES;
use super::secret::Secret;
use super::sources::{SourceKind, SourceSettings, sources};
use crate::adapters::geoparquet::{GeoParquetVersion, Layout};
use crate::adapters::io::{CsvDecisions, DecisionsFileError};
use crate::domain::{AreaRules, BBox, ConnectorCodes, Layer, Operators, Taxonomy, TaxonomyError, hex};
use crate::pipeline::Gate;
use crate::pipeline::conflate::{Decisions, Merge, Merging, Model, Models};
use crate::pipeline::history::Retention;

/// Categories that every binary carries; `categories = "…"` in a pipeline file overrides them.
const CATEGORIES: &str = include_str!("../../pipelines/categories.toml");
/// Area rules that every binary carries; `area_rules = "…"` in a pipeline file overrides them.
const AREA_RULES: &str = include_str!("../../pipelines/area-rules.toml");
/// Names of connectors that every binary carries; `connectors = "…"` in a pipeline file overrides them.
const CONNECTORS: &str = include_str!("../../pipelines/connectors.toml");
/// Operators that every binary carries; `operators = "…"` in a pipeline file overrides them.
const OPERATORS: &str = include_str!("../../pipelines/operators.toml");

/// How far beyond the region is read where the file does not say, in metres: the widest search radius and some more.
const HALO_M: f64 = 500.0;

/// Widest halo, in metres: more is another region.
const MAX_HALO_M: f64 = 100_000.0;

/// What the flags say. They beat the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Inputs of sources, by name; relative to the working directory. A name that comes again is a further file.
    pub inputs: Vec<(String, PathBuf)>,
    /// Folder of the snapshots; relative to the working directory.
    pub store: Option<PathBuf>,
    /// Database to load.
    pub database: Option<Secret>,
    /// How much memory layers may take, in bytes.
    pub memory: Option<u64>,
}

/// What a pipeline is to do, and with what.
#[derive(Debug)]
pub struct Settings {
    /// The pipeline's name.
    pub name: String,
    /// Which tags make which category, of the pipeline's themes.
    pub taxonomy: Taxonomy,
    /// Canonical operators.
    pub operators: Operators,
    /// What each vocabulary calls a connector.
    pub connectors: ConnectorCodes,
    /// Whether positions that cannot be right are put right.
    pub repair_positions: bool,
    /// Area of interest.
    pub region: RegionSettings,
    /// Sources, in order of priority.
    pub sources: Vec<SourceSettings>,
    /// How often requests are repeated.
    pub retries: RetrySettings,
    /// When two records are one place.
    pub models: Models,
    /// A person's verdicts.
    pub decisions: Decisions,
    /// Where they are kept, and pairs under review are listed.
    pub decisions_file: Option<PathBuf>,
    /// What becomes of the attributes of records that are one place.
    pub merging: Merging,
    /// Raw layers of the OSM sources.
    pub layers: Vec<Layer>,
    /// The layers as a plan tells them, one line each.
    pub layer_lines: Vec<String>,
    /// Which closed ways are areas, in layers.
    pub area_rules: AreaRules,
    /// When a night is broken.
    pub gate: Gate,
    /// Which snapshots are kept.
    pub retention: Retention,
    /// Folder of the snapshots.
    pub store: PathBuf,
    /// How the files of snapshots are laid out.
    pub layout: Layout,
    /// Database to load, if any, and whether by changes.
    pub database: Option<(Secret, bool)>,
    /// How much memory layers may take, in bytes.
    pub memory_bytes: u64,
    /// What the manifest tells of all this: no secrets, no paths.
    pub told: serde_json::Value,
    /// What a person should know, e.g. an unset variable that switched something off.
    pub notes: Vec<String>,
}

/// Area of interest.
#[derive(Debug, Clone, PartialEq)]
pub enum RegionSettings {
    /// No limit.
    World,
    /// A box and its halo in metres.
    Box(BBox, f64),
    /// A file with polygons, and the halo in metres.
    Boundary(PathBuf, f64),
}

/// Categories and operators as every binary carries them.
///
/// # Panics
///
/// Never: tests read both.
#[must_use]
pub fn shipped() -> (Taxonomy, Operators) {
    let taxonomy =
        Taxonomy::parse(CATEGORIES, &["places".to_owned()]).expect("the shipped categories are read by a test");
    let mut operators = Operators::default();
    operators.read(OPERATORS).expect("the shipped operators are read by a test");
    (taxonomy, operators)
}

impl Settings {
    /// Reads a pipeline file and applies the flags.
    ///
    /// # Errors
    ///
    /// When the file or one that it names cannot be read, or a key or value is wrong.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing { path: path.to_owned() },
            _ => ConfigError::Read { path: path.to_owned(), source },
        })?;
        let text = Text { path, text: &text };
        let file = text.parse()?;
        let home = path.parent().unwrap_or(Path::new("."));
        Self::from_file(&text, file, home, overrides)
    }

    fn from_file(text: &Text<'_>, file: PipelineFile, home: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        check_name(text, "name", file.name.as_ref(), file.name.span().start)?;
        let mut notes = Vec::new();

        let named = |key: &'static str, path: &Option<PathBuf>, embedded: &str| match path {
            None => Ok(embedded.to_owned()),
            Some(path) => fs::read_to_string(home.join(path)).map_err(|source| ConfigError::ReadNamed {
                key,
                path: home.join(path),
                source,
            }),
        };
        let wrong = |key: &'static str, path: &Option<PathBuf>, message: String| ConfigError::Named {
            key,
            path: path.as_ref().map_or_else(PathBuf::new, |path| home.join(path)),
            message: message.trim_end().to_owned(),
        };
        let categories = named("categories", &file.categories, CATEGORIES)?;
        let no_places = file.themes.as_ref().is_empty();
        if no_places && file.layers.is_empty() {
            let message = "name at least one theme, e.g. [\"charging\"]; [\"places\"] is every category";
            return Err(text.error("themes", file.themes.span().start, message));
        }
        let taxonomy = Taxonomy::parse(&categories, file.themes.as_ref()).map_err(|error| match error {
            TaxonomyError::UnknownTheme { .. } => text.error("themes", file.themes.span().start, error.to_string()),
            error => wrong("categories", &file.categories, error.to_string()),
        })?;
        let mut operators = Operators::default();
        let mut operators_text = String::new();
        let listed =
            file.operators.as_ref().map_or(vec![None], |Texts(paths)| paths.iter().map(|p| Some(p.into())).collect());
        for path in listed {
            let text = named("operators", &path, OPERATORS)?;
            operators.read(&text).map_err(|error| wrong("operators", &path, error.to_string()))?;
            operators_text.push_str(&text);
        }

        let connectors_text = named("connectors", &file.connectors, CONNECTORS)?;
        let connectors = ConnectorCodes::parse(&connectors_text)
            .map_err(|error| wrong("connectors", &file.connectors, error.to_string()))?;

        let area_rules_text = named("area_rules", &file.area_rules, AREA_RULES)?;
        let area_rules = AreaRules::parse(&area_rules_text)
            .map_err(|error| wrong("area_rules", &file.area_rules, error.to_string()))?;

        let region = region(text, &file, home)?;
        let sources = sources(text, &file.sources, home, overrides)?;
        let retries = retries(text, &file.fetch)?;
        let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
        let Layers { all: layers, lines: layer_lines, told: layers_told } = layers(text, &file.layers, &sources)?;
        let model = |key: &'static str, path: &Option<PathBuf>, shipped: &str| {
            Model::parse(&named(key, path, shipped)?).map_err(|error| wrong(key, path, chain(&error)))
        };
        let ConflateTable { models: ModelsTable { charging, places }, .. } = &file.conflate;
        let models = Models {
            charging: model("conflate.models.charging", charging, Models::CHARGING)?,
            places: model("conflate.models.places", places, Models::PLACES)?,
        };
        let models = with_scores(text, &file.conflate, models)?;
        let merging = merging(text, &file.conflate)?;
        let decisions_file = file.conflate.decisions.as_ref().map(|path| home.join(path));
        let decisions_text = decisions_file.as_deref().map_or_else(
            || Ok(String::new()),
            |path| {
                CsvDecisions::new(path).text().map_err(|error| match error {
                    DecisionsFileError::Read { path, source } => {
                        ConfigError::ReadNamed { key: "conflate.decisions", path, source }
                    }
                    error => wrong("conflate.decisions", &file.conflate.decisions, error.to_string()),
                })
            },
        )?;
        let decisions = Decisions::parse(&decisions_text, &names)
            .map_err(|error| wrong("conflate.decisions", &file.conflate.decisions, chain(&error)))?;
        let mut gate = gate(text, &file.gate, &names, &taxonomy)?;
        if no_places {
            gate.min_rows = 0;
        }
        let store = match (&overrides.store, &file.store) {
            (Some(dir), _) => dir.clone(),
            (None, Some(StoreTable { dir: Some(dir), .. })) => home.join(dir),
            (None, _) => home.join("../data/snapshots"),
        };
        let layout = layout(text, file.store.as_ref())?;
        let database = database(text, &file, overrides, &mut notes)?;
        if let (Some(_), Merge::Layered, Some(stated)) = (&database, merging.merge, &file.conflate.merge) {
            let message = "a database holds one row per place, so layered places cannot be loaded; \
                           use `merged` or `bridge_only`, or run without a database";
            return Err(text.error("conflate.merge", stated.span().start, message));
        }
        if database.is_some() && !layers.is_empty() {
            notes.push("layers are written to files only: they are not loaded into the database yet".to_owned());
        }

        let RetentionTable { daily, weekly, monthly } = file.retention;
        let retention = Retention { daily, weekly, monthly };
        let mut told = json!({
            "themes": file.themes.as_ref(),
            "schedule": file.schedule,
            "region": match &region {
                RegionSettings::World => json!("world"),
                RegionSettings::Box(b, halo_m) => json!({ "bbox": [b.xmin, b.ymin, b.xmax, b.ymax], "halo_m": halo_m }),
                RegionSettings::Boundary(path, halo_m) => {
                    json!({ "boundary": path.file_name().map(|name| name.to_string_lossy()), "halo_m": halo_m })
                }
            },
            "categories_sha256": sha256(&categories),
            "operators_sha256": sha256(&operators_text),
            "connectors_sha256": sha256(&connectors_text),
            "repair": { "positions": file.repair.positions },
            "conflate": {
                "models": models,
                "decisions_sha256": (!decisions.is_empty()).then(|| sha256(&decisions.told(&names))),
            },
            "gate": told_gate(&gate),
        });
        if let (Some(told), serde_json::Value::Object(more)) =
            (told["conflate"].as_object_mut(), told_merging(&merging))
        {
            told.extend(more);
        }
        // What the columns of tables mean shapes every row of them.
        for source in &sources {
            if let SourceKind::Table(mapping) = &source.kind {
                told["tables_sha256"][&source.name] = sha256(&format!("{mapping:?}")).into();
            }
        }
        if !layers.is_empty() {
            told["area_rules_sha256"] = sha256(&area_rules_text).into();
            told["layers"] = layers_told;
        }
        // They shape bytes, not rows; left out where they are what they always were.
        if layout.zstd_level != Layout::default().zstd_level {
            told["zstd_level"] = layout.zstd_level.into();
        }
        if layout.version == GeoParquetVersion::V2_0 {
            told["geoparquet"] = "2.0".into();
        }
        Ok(Self {
            name: file.name.into_inner(),
            taxonomy,
            operators,
            connectors,
            repair_positions: file.repair.positions,
            region,
            sources,
            retries,
            models,
            decisions,
            decisions_file,
            merging,
            layers,
            layer_lines,
            area_rules,
            gate,
            retention,
            store,
            layout,
            database,
            memory_bytes: overrides.memory.unwrap_or(DEFAULT_MEMORY_BYTES),
            told,
            notes,
        })
    }
}

/// What the manifest tells of a file that the result depends on.
fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Names become folders, ids and table names.
pub(super) fn check_name(text: &Text<'_>, key: &str, name: &str, at: usize) -> Result<(), ConfigError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let starts = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts && name.len() <= 48 && name.chars().all(fits) && name != "latest" {
        return Ok(());
    }
    Err(text.error(key, at, format!("`{name}` is no name; use 1 to 48 of a-z, 0-9, `_` and `-`, e.g. `liechtenstein`")))
}

fn region(text: &Text<'_>, file: &PipelineFile, home: &Path) -> Result<RegionSettings, ConfigError> {
    let Some(table) = &file.region else { return Ok(RegionSettings::World) };
    let (at, table) = (table.span().start, table.as_ref());
    let halo_m = table.halo_m.as_ref().map_or(HALO_M, |halo| *halo.as_ref());
    if !(0.0..=MAX_HALO_M).contains(&halo_m) {
        let at = table.halo_m.as_ref().map_or(at, |halo| halo.span().start);
        return Err(text.error("region.halo_m", at, format!("{halo_m} is not between 0 and {MAX_HALO_M} metres")));
    }
    match (&table.bbox, &table.boundary) {
        (Some(_), Some(_)) => Err(text.error("region", at, "give bbox or boundary, not both")),
        (None, None) => Err(text.error("region", at, "give bbox = [west, south, east, north] or boundary = \"file\"")),
        (None, Some(path)) => Ok(RegionSettings::Boundary(home.join(path), halo_m)),
        (Some(bbox), None) => {
            let [xmin, ymin, xmax, ymax] = *bbox.as_ref();
            let lon = |lon: f64| (-180.0..=180.0).contains(&lon);
            let lat = |lat: f64| (-90.0..=90.0).contains(&lat);
            if !(lon(xmin) && lon(xmax) && lat(ymin) && lat(ymax) && ymin < ymax && xmin != xmax) {
                let message = "it must be [west, south, east, north] in degrees, south below north, e.g. [9.47, 47.04, 9.64, 47.28]";
                return Err(text.error("region.bbox", bbox.span().start, message));
            }
            Ok(RegionSettings::Box(BBox { xmin, ymin, xmax, ymax }, halo_m))
        }
    }
}

fn layout(text: &Text<'_>, store: Option<&StoreTable>) -> Result<Layout, ConfigError> {
    let mut layout = Layout::default();
    if let Some(level) = store.and_then(|store| store.zstd_level.as_ref()) {
        layout.zstd_level = *level.as_ref();
        if !(1..=22).contains(&layout.zstd_level) {
            let message = format!("{} is no level of zstd; use 1 (quick) to 22 (small)", layout.zstd_level);
            return Err(text.error("store.zstd_level", level.span().start, message));
        }
    }
    if let Some(stated) = store.and_then(|store| store.geoparquet.as_ref()) {
        layout.version = GeoParquetVersion::parse(stated.as_ref()).ok_or_else(|| {
            let message = format!(
                "`{}` is no version of GeoParquet that can be written; use \"1.1\", which every reader understands, or \"2.0\"",
                stated.as_ref()
            );
            text.error("store.geoparquet", stated.span().start, message)
        })?;
    }
    Ok(layout)
}

fn database(
    text: &Text<'_>,
    file: &PipelineFile,
    overrides: &Overrides,
    notes: &mut Vec<String>,
) -> Result<Option<(Secret, bool)>, ConfigError> {
    let mode = file.postgis.as_ref().and_then(|table| table.mode.as_ref());
    let by_changes = match mode.map(|mode| mode.as_ref().as_str()) {
        None | Some("changes") => true,
        Some("replace") => false,
        Some(other) => {
            let at = mode.map_or(0, |mode| mode.span().start);
            return Err(text.error("postgis.mode", at, format!("`{other}` is no mode; use `changes` or `replace`")));
        }
    };
    if let Some(url) = &overrides.database {
        return Ok(Some((url.clone(), by_changes)));
    }
    let url = match file.postgis.as_ref().map(|table| &table.url) {
        None => return Ok(None),
        Some(FromEnv::Text(url)) => url.clone(),
        Some(FromEnv::Env(name)) => match std::env::var(name) {
            Ok(url) if !url.is_empty() => url,
            _ => {
                notes.push(format!("{name} is not set, so no database is loaded (postgis.url in the pipeline file)"));
                return Ok(None);
            }
        },
    };
    Ok(Some((Secret::new(url), by_changes)))
}
