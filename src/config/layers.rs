//! Layers: what the `[[layer]]` tables come to.

use serde_json::{Value, json};
use toml::Spanned;

use super::file::{ColumnTable, ConfigError, LayerTable, Text};
use super::settings::check_name;
use super::sources::{SourceKind, SourceSettings};
use crate::domain::{Filter, GeometryKind, Incomplete, Layer, Promoted, PromotedKind};
use crate::pipeline::diff::layers::change_columns;
use crate::pipeline::layers::reserved_columns;

/// Longest name of a column, in bytes: PostgreSQL cuts longer ones off.
const MAX_COLUMN_BYTES: usize = 63;

/// The layers of a pipeline, in three tongues.
pub(super) struct Layers {
    pub(super) all: Vec<Layer>,
    /// For a person who asks for the plan.
    pub(super) lines: Vec<String>,
    /// For the manifest.
    pub(super) told: Value,
}

pub(super) fn layers(
    text: &Text<'_>,
    tables: &[Spanned<LayerTable>],
    sources: &[SourceSettings],
) -> Result<Layers, ConfigError> {
    let mut found = Layers { all: Vec::new(), lines: Vec::new(), told: json!([]) };
    let mut told = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let (at, table) = (table.span().start, table.as_ref());
        let key = |name: &str| format!("layer[{index}].{name}");
        let name = table.name.as_ref().clone();
        check_name(text, &key("name"), &name, table.name.span().start)?;
        if found.all.iter().any(|layer| layer.name == name) {
            let message = format!("two layers are named `{name}`; give each its own name");
            return Err(text.error(&key("name"), table.name.span().start, message));
        }
        let source =
            source(table.source.as_ref().map(|source| source.as_ref().as_str()), sources).map_err(|message| {
                text.error(&key("source"), table.source.as_ref().map_or(at, |source| source.span().start), message)
            })?;
        let lines = &table.filter.as_ref().0;
        let filter = Filter::parse(lines)
            .map_err(|error| text.error(&key("filter"), table.filter.span().start, error.to_string()))?;
        let kinds = kinds(text, &key("geometry"), table.geometry.as_ref())?;
        let mut columns: Vec<Promoted> = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            let promoted = promoted(&column.as_ref().0, &columns)
                .map_err(|message| text.error(&key(&format!("columns[{place}]")), column.span().start, message))?;
            columns.push(promoted);
        }
        let incomplete = match &table.incomplete {
            None => Incomplete::Reject,
            Some(stated) => Incomplete::from_name(stated.as_ref()).ok_or_else(|| {
                let message =
                    format!("`{}` is no choice; use {}", stated.as_ref(), one_of(Incomplete::ALL, Incomplete::name));
                text.error(&key("incomplete"), stated.span().start, message)
            })?,
        };
        let layer = Layer { name, source, filter, kinds, columns, incomplete, users: table.users };
        let kinds: Vec<&str> = layer.kinds.iter().map(|kind| kind.name()).collect();
        found.lines.push(format!(
            "layer {} from {}: {} ({})",
            layer.name,
            layer.source,
            lines.join(" or "),
            kinds.join(", ")
        ));
        told.push(json!({
            "name": layer.name,
            "source": layer.source,
            "filter": lines,
            "geometry": kinds,
            "columns": layer.columns.iter().map(|column| {
                json!({ "key": column.key, "name": column.name, "type": column.kind.name() })
            }).collect::<Vec<_>>(),
            "incomplete": layer.incomplete.name(),
            "users": layer.users,
        }));
        found.all.push(layer);
    }
    found.told = told.into();
    Ok(found)
}

/// The source of a layer, or what is wrong with what the file says.
fn source(stated: Option<&str>, sources: &[SourceSettings]) -> Result<String, String> {
    let osm: Vec<&str> =
        sources.iter().filter(|source| source.kind == SourceKind::OsmPbf).map(|source| source.name.as_str()).collect();
    if osm.is_empty() {
        return Err("a layer is read from a source of kind osm_pbf, and the pipeline has none".to_owned());
    }
    match (stated, osm.as_slice()) {
        (None, [only]) => Ok((*only).to_owned()),
        (None, several) => Err(format!("say from which source it is read: {}", several.join(", "))),
        (Some(stated), known) if known.contains(&stated) => Ok(stated.to_owned()),
        (Some(stated), known) => {
            Err(format!("`{stated}` is no source of kind osm_pbf; the pipeline has: {}", known.join(", ")))
        }
    }
}

/// The kinds of geometry, each once, in the order of [`GeometryKind`].
fn kinds(
    text: &Text<'_>,
    key: &str,
    stated: Option<&Spanned<Vec<Spanned<String>>>>,
) -> Result<Vec<GeometryKind>, ConfigError> {
    let Some(stated) = stated else { return Ok(GeometryKind::ALL.to_vec()) };
    let mut kinds = Vec::new();
    for name in stated.as_ref() {
        let wrong = |message: String| text.error(key, name.span().start, message);
        let name = name.as_ref();
        let kind = GeometryKind::from_name(name).ok_or_else(|| {
            wrong(format!("`{name}` is no kind of geometry; use {}", one_of(GeometryKind::ALL, GeometryKind::name)))
        })?;
        if kinds.contains(&kind) {
            return Err(wrong(format!("`{name}` is named twice; name each kind once")));
        }
        kinds.push(kind);
    }
    if kinds.is_empty() {
        let message = format!(
            "it is empty; name some of {}, or leave it out for all",
            one_of(GeometryKind::ALL, GeometryKind::name)
        );
        return Err(text.error(key, stated.span().start, message));
    }
    kinds.sort_unstable();
    Ok(kinds)
}

/// A promoted column beside those before it, or what is wrong with it.
fn promoted(table: &ColumnTable, before: &[Promoted]) -> Result<Promoted, String> {
    let kind = match table.kind.as_deref() {
        None => PromotedKind::Text,
        Some(name) => PromotedKind::from_name(name).ok_or_else(|| {
            format!("`{name}` is no type of column; use {}", one_of(PromotedKind::ALL, PromotedKind::name))
        })?,
    };
    let key = table.key.clone();
    if key.is_empty() {
        return Err("the key is empty; name a tag's key, e.g. \"name\"".to_owned());
    }
    let name = table.name.clone().unwrap_or_else(|| key.clone());
    let rename = || format!("name it otherwise: {{ key = \"{key}\", name = \"…\" }}");
    if name.is_empty() || name.len() > MAX_COLUMN_BYTES || name.chars().any(char::is_control) {
        return Err(format!(
            "`{}` is no name of a column: 1 to {MAX_COLUMN_BYTES} bytes without control characters; {}",
            name.escape_debug(),
            rename()
        ));
    }
    // Databases take names that differ in case alone for one.
    if reserved_columns().chain(change_columns()).any(|taken| taken.eq_ignore_ascii_case(&name)) {
        return Err(format!(
            "every layer, or its changes, has a column `{}` of its own; {}",
            name.to_lowercase(),
            rename()
        ));
    }
    if let Some(twin) = before.iter().find(|column| column.name.to_lowercase() == name.to_lowercase()) {
        return Err(format!("`{name}` is the column of the key `{}` already; {}", twin.key, rename()));
    }
    Ok(Promoted { key, name, kind })
}

/// `a, b, c`.
fn one_of<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> String {
    all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(", ")
}
