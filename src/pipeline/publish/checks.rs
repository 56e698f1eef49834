//! Checks: what the gate looked at, in words, in numbers, and as the document that other tools read.
//!
//! One document serves two kinds of reader: an entry of `checks` has the keys of a check in the scan results of Soda Core
//! and those of an `AssetCheckResult` of Dagster. `data/CHECKS.md` describes it.
//!
//! **Invariant**: it depends on inputs, settings and base only, as a manifest does.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::Manifest;

/// Version of `checks.json`.
const CHECKS_VERSION: u32 = 1;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing is wrong, or there was nothing to compare with.
    Pass,
    /// A person should know; the night is published.
    Warn,
    /// The night is held back.
    Fail,
}

/// What a check is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// All places.
    Places,
    /// The records of a source.
    Source(String),
    /// The places of a category.
    Category(String),
    /// The rows of a layer.
    Layer(String),
}

impl About {
    /// What the names of its checks begin with.
    fn path(&self) -> String {
        match self {
            Self::Places => "places".to_owned(),
            Self::Source(name) => format!("source/{name}"),
            Self::Category(name) => format!("category/{name}"),
            Self::Layer(name) => format!("layer/{name}"),
        }
    }

    /// The table that holds the rows in question.
    fn table(&self) -> String {
        match self {
            Self::Places | Self::Category(_) => "places".to_owned(),
            Self::Source(_) => "sources".to_owned(),
            Self::Layer(name) => format!("layers/{name}"),
        }
    }
}

/// One thing that the gate looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Stable name, e.g. `places/removed_share`, `source/osm/vintage`.
    pub name: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What was seen, as a sentence with the numbers and the threshold.
    pub told: String,
    /// The number that was held against the threshold: rows, or a share in `[0, 1]`. `None` where there is none.
    pub value: Option<f64>,
    /// The threshold. `None` where the check is no comparison of numbers.
    pub threshold: Option<f64>,
    /// Where the pipeline file sets it, e.g. `gate.source.osm.min_rows`.
    pub key: String,
    /// What the number was made of, by name.
    pub counts: BTreeMap<&'static str, Value>,
    #[serde(skip)]
    pub(super) about: About,
    /// Whether there was something to judge by.
    #[serde(skip)]
    pub(super) judged: bool,
    /// Whether a night that does not pass it is held back.
    #[serde(skip)]
    pub(super) holds: bool,
    /// The check as a rule, e.g. `removed_share <= 0.2`.
    #[serde(skip)]
    pub(super) rule: String,
}

impl Check {
    /// The stable name of a check of this kind.
    pub(super) fn name_of(about: &About, kind: &str) -> String {
        format!("{}/{kind}", about.path())
    }
}

/// The contents of `checks.json`.
pub(super) fn document(manifest: &Manifest, checks: &[Check]) -> Value {
    let any = |outcome: Outcome| checks.iter().any(|check| check.outcome == outcome);
    let mut taken = BTreeSet::new();
    let entries: Vec<Value> = checks.iter().map(|check| entry(manifest, check, &mut taken)).collect();
    let metric = |check: &Check| {
        let value = check.value?;
        Some(json!({
            "identity": check.name,
            "metricName": check.name.rsplit('/').next(),
            "value": value,
            "dataSourceName": manifest.pipeline,
        }))
    };
    json!({
        "schema_version": CHECKS_VERSION,
        "pipeline": manifest.pipeline,
        "snapshot": manifest.snapshot,
        "base": manifest.base,
        "held": !manifest.held.is_empty(),
        "definitionName": format!("gate of {}", manifest.pipeline),
        "defaultDataSource": manifest.pipeline,
        "dataTimestamp": manifest.vintage.map(|vintage| vintage.to_string()),
        "hasErrors": false,
        "hasWarnings": any(Outcome::Warn),
        "hasFailures": any(Outcome::Fail),
        "metrics": checks.iter().filter_map(metric).collect::<Vec<_>>(),
        "checks": entries,
    })
}

fn entry(manifest: &Manifest, check: &Check, taken: &mut BTreeSet<String>) -> Value {
    let table = check.about.table();
    let severity = if check.holds { "ERROR" } else { "WARN" };
    let reasons: Vec<Value> = (check.outcome != Outcome::Pass)
        .then(|| json!({ "code": check.key, "message": check.told, "severity": severity.to_lowercase() }))
        .into_iter()
        .collect();
    let mut metadata: Map<String, Value> =
        check.counts.iter().map(|(name, count)| ((*name).to_owned(), count.clone())).collect();
    metadata.insert("value".to_owned(), json!(check.value));
    metadata.insert("threshold".to_owned(), json!(check.threshold));
    metadata.insert("key".to_owned(), json!(check.key));
    metadata.insert("judged".to_owned(), json!(check.judged));
    metadata.insert("snapshot".to_owned(), json!(manifest.snapshot));
    let asset_key: Vec<&str> = std::iter::once(manifest.pipeline.as_str()).chain(table.split('/')).collect();
    json!({
        // As Soda Core tells it.
        "identity": check.name,
        "name": check.name,
        "type": "generic",
        "definition": format!("checks for {table}:\n  {}", check.rule),
        "resourceAttributes": [],
        "dataSource": manifest.pipeline,
        "table": table,
        "filter": null,
        "column": matches!(check.about, About::Category(_)).then_some("category"),
        "metrics": check.value.map(|_| &check.name).into_iter().collect::<Vec<_>>(),
        "outcome": check.outcome,
        "outcomeReasons": reasons,
        "archetype": null,
        // As Dagster takes it.
        "asset_key": asset_key,
        "check_name": dagster_name(&check.name, taken),
        "passed": check.outcome == Outcome::Pass,
        "severity": severity,
        "description": check.told,
        "metadata": metadata,
    })
}

/// Dagster takes letters, digits and `_` only, and each name once.
fn dagster_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let numbered = (2..).map(|at| format!("{plain}_{at}"));
    let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.expect("numbers do not end");
    taken.insert(free.clone());
    free
}
