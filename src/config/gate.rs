//! Gate: what the `[gate]` table comes to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::file::{ConfigError, Text};
use crate::domain::Taxonomy;
use crate::pipeline::{Action, Gate, RowsGate, Share, SourceGate};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateTable {
    min_rows: Option<u64>,
    max_removed_share: Option<Spanned<f64>>,
    max_moved_share: Option<Spanned<f64>>,
    moved_m: Option<Spanned<f64>>,
    max_rejects_share: Option<Spanned<f64>>,
    missing_source: Option<Spanned<String>>,
    older_vintage: Option<Spanned<String>>,
    #[serde(default)]
    source: BTreeMap<String, Spanned<SourceTable>>,
    #[serde(default)]
    category: BTreeMap<String, Spanned<CategoryTable>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    min_rows: Option<u64>,
    max_removed_share: Option<Spanned<f64>>,
    max_moved_share: Option<Spanned<f64>>,
    max_rejects_share: Option<Spanned<f64>>,
    missing_source: Option<Spanned<String>>,
    older_vintage: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryTable {
    min_rows: Option<u64>,
    max_removed_share: Option<Spanned<f64>>,
    max_moved_share: Option<Spanned<f64>>,
}

/// The gate of a pipeline with these sources and categories.
pub(super) fn gate(
    text: &Text<'_>,
    table: &GateTable,
    sources: &[String],
    taxonomy: &Taxonomy,
) -> Result<Gate, ConfigError> {
    let mut gate = Gate::default();
    let stated = |key: &str, value: Option<&Spanned<f64>>| share(text, "gate", key, value);
    gate.min_rows = table.min_rows.unwrap_or(gate.min_rows);
    gate.max_removed_share =
        stated("max_removed_share", table.max_removed_share.as_ref())?.unwrap_or(gate.max_removed_share);
    let moved = stated("max_moved_share", table.max_moved_share.as_ref())?;
    gate.max_moved_share = moved.map_or(gate.max_moved_share, Share::stated);
    let rejects = stated("max_rejects_share", table.max_rejects_share.as_ref())?;
    gate.max_rejects_share = rejects.map_or(gate.max_rejects_share, Share::stated);
    if let Some(metres) = &table.moved_m {
        if !(metres.as_ref().is_finite() && *metres.as_ref() >= 0.0) {
            let message = format!("{} is no distance in metres", metres.as_ref());
            return Err(text.error("gate.moved_m", metres.span().start, message));
        }
        gate.moved_m = *metres.as_ref();
    }
    let stated = |key: &str, value: Option<&Spanned<String>>| action(text, "gate", key, value);
    gate.missing_source = stated("missing_source", table.missing_source.as_ref())?.unwrap_or(gate.missing_source);
    gate.older_vintage = stated("older_vintage", table.older_vintage.as_ref())?.unwrap_or(gate.older_vintage);

    for (name, stated) in &table.source {
        let (path, at, stated) = (format!("gate.source.{name}"), stated.span().start, stated.as_ref());
        if !sources.contains(name) {
            let message = format!("the pipeline has no such source; it has: {}", sources.join(", "));
            return Err(text.error(&path, at, message));
        }
        let records = RowsGate {
            min_rows: stated.min_rows,
            max_removed_share: share(text, &path, "max_removed_share", stated.max_removed_share.as_ref())?,
            max_moved_share: share(text, &path, "max_moved_share", stated.max_moved_share.as_ref())?,
        };
        let source = SourceGate {
            records,
            max_rejects_share: share(text, &path, "max_rejects_share", stated.max_rejects_share.as_ref())?,
            missing_source: action(text, &path, "missing_source", stated.missing_source.as_ref())?,
            older_vintage: action(text, &path, "older_vintage", stated.older_vintage.as_ref())?,
        };
        gate.sources.insert(name.clone(), source);
    }
    for (name, stated) in &table.category {
        let (path, at, stated) = (format!("gate.category.{name}"), stated.span().start, stated.as_ref());
        if taxonomy.category(name).is_none() {
            let message = "no theme of the pipeline has such a category";
            return Err(text.error(&path, at, message));
        }
        let rows = RowsGate {
            min_rows: stated.min_rows,
            max_removed_share: share(text, &path, "max_removed_share", stated.max_removed_share.as_ref())?,
            max_moved_share: share(text, &path, "max_moved_share", stated.max_moved_share.as_ref())?,
        };
        gate.categories.insert(name.clone(), rows);
    }
    Ok(gate)
}

fn share(text: &Text<'_>, table: &str, key: &str, value: Option<&Spanned<f64>>) -> Result<Option<f64>, ConfigError> {
    match value {
        Some(share) if !(0.0..=1.0).contains(share.as_ref()) => {
            let message = format!("{} is not between 0 and 1", share.as_ref());
            Err(text.error(&format!("{table}.{key}"), share.span().start, message))
        }
        share => Ok(share.map(|share| *share.as_ref())),
    }
}

fn action(
    text: &Text<'_>,
    table: &str,
    key: &str,
    value: Option<&Spanned<String>>,
) -> Result<Option<Action>, ConfigError> {
    let Some(stated) = value else { return Ok(None) };
    match stated.as_ref().as_str() {
        "hold" => Ok(Some(Action::Hold)),
        "warn" => Ok(Some(Action::Warn)),
        "ignore" => Ok(Some(Action::Ignore)),
        other => {
            let message = format!("`{other}` is not known here; use `hold`, `warn` or `ignore`");
            Err(text.error(&format!("{table}.{key}"), stated.span().start, message))
        }
    }
}

/// What the manifest tells of a gate: the two oldest thresholds always, of the rest what is not as it is unless stated.
pub(super) fn told(gate: &Gate) -> Value {
    let default = Gate::default();
    let mut told = Map::from_iter([
        ("max_removed_share".to_owned(), json!(gate.max_removed_share)),
        ("min_rows".to_owned(), json!(gate.min_rows)),
    ]);
    let mut stated = |key: &str, differs: bool, value: Value| {
        if differs {
            told.insert(key.to_owned(), value);
        }
    };
    stated("max_moved_share", gate.max_moved_share != default.max_moved_share, json!(gate.max_moved_share.max));
    stated("moved_m", gate.moved_m.total_cmp(&default.moved_m).is_ne(), json!(gate.moved_m));
    stated("max_rejects_share", gate.max_rejects_share != default.max_rejects_share, json!(gate.max_rejects_share.max));
    stated("missing_source", gate.missing_source != default.missing_source, json!(word(gate.missing_source)));
    stated("older_vintage", gate.older_vintage != default.older_vintage, json!(word(gate.older_vintage)));
    let sources: Map<String, Value> =
        gate.sources.iter().map(|(name, gate)| (name.clone(), told_source(gate))).collect();
    stated("source", !sources.is_empty(), Value::Object(sources));
    let categories: Map<String, Value> =
        gate.categories.iter().map(|(name, gate)| (name.clone(), Value::Object(told_rows(gate)))).collect();
    stated("category", !categories.is_empty(), Value::Object(categories));
    Value::Object(told)
}

fn told_source(gate: &SourceGate) -> Value {
    let mut told = told_rows(&gate.records);
    let more = [
        ("max_rejects_share", gate.max_rejects_share.map(Value::from)),
        ("missing_source", gate.missing_source.map(|action| word(action).into())),
        ("older_vintage", gate.older_vintage.map(|action| word(action).into())),
    ];
    told.extend(more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(told)
}

fn told_rows(gate: &RowsGate) -> Map<String, Value> {
    let all = [
        ("min_rows", gate.min_rows.map(Value::from)),
        ("max_removed_share", gate.max_removed_share.map(Value::from)),
        ("max_moved_share", gate.max_moved_share.map(Value::from)),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Hold => "hold",
        Action::Warn => "warn",
        Action::Ignore => "ignore",
    }
}
