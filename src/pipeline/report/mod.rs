//! Report: what a run did, for a screen, a machine, and as a page of its own.

mod map;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::diff::layers::LayerDiff;
use super::ports::Loaded;
use super::publish::{Check, Outcome, Published};
use super::tabulate::Row;
use crate::domain::{LayerAccount, LonLat, SelfEvaluation, SourceAccount, Timestamp};

pub(super) use map::MOST_NAMED;

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// The night's snapshot: the latest now, unless it is held back.
    pub snapshot: String,
    /// Where it is.
    pub location: String,
    /// Newest of the inputs' dates.
    pub vintage: Option<Timestamp>,
    /// Whether nothing was different, so that nothing was written.
    pub unchanged: bool,
    /// Why the gate held it back; empty when it did not.
    pub held: Vec<String>,
    /// What the gate found wrong, told or held for; empty when there was nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The snapshot that the changes start from.
    pub base: Option<String>,
    /// Per source: what became of its objects.
    pub sources: Vec<SourceAccount>,
    /// Per layer: what became of the objects of its source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerAccount>,
    /// Places, pairs and changes, by name.
    pub counts: BTreeMap<String, u64>,
    /// How good the matcher is on these records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_evaluation: Option<SelfEvaluation>,
    /// Per layer, those that are gone from the pipeline file too: what is different from the base.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layer_diffs: Vec<LayerDiff>,
    /// What each sink did.
    pub loads: Vec<LoadReport>,
}

/// What a sink did.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Its name.
    pub sink: String,
    /// What it did.
    pub loaded: Loaded,
}

impl Report {
    pub(super) fn new(published: Published, loads: Vec<LoadReport>) -> Self {
        let Published { snapshot, unchanged, manifest, layer_diffs, mut checks, .. } = published;
        checks.retain(|check| check.outcome != Outcome::Pass);
        Self {
            pipeline: manifest.pipeline,
            snapshot: snapshot.manifest().snapshot.clone(),
            location: snapshot.location(),
            vintage: manifest.vintage,
            unchanged,
            held: manifest.held,
            checks,
            base: manifest.base,
            sources: manifest.sources,
            layers: manifest.layers,
            counts: manifest.counts,
            self_evaluation: manifest.self_evaluation,
            layer_diffs,
            loads,
        }
    }
}

/// The page of a snapshot: one file that needs no other, with a map and the counts. Of many places the names may be missing.
pub(super) fn html(
    manifest: &crate::domain::Manifest,
    (places, names): (&[LonLat], &[String]),
    changes: &[Row],
    checks: &[Check],
) -> String {
    let mut page = String::new();
    let mut add = |text: &str| page.push_str(text);
    let title = escape(&format!("{} {}", manifest.pipeline, manifest.snapshot));
    add(&format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
    ));
    let vintage = manifest.vintage.map_or("undated".to_owned(), |vintage| vintage.to_string());
    let base = manifest.base.as_deref().unwrap_or("none: this is the first snapshot");
    add(&format!("<p>As of {vintage}. Base: {}. {} changes.</p>\n", escape(base), changes.len()));
    for reason in &manifest.held {
        add(&format!("<p class=\"held\">Held back: {}</p>\n", escape(reason)));
    }
    add(&map::svg(places, names));
    let with = |outcome: Outcome| checks.iter().filter(move |check| check.outcome == outcome);
    let failed_first = [("failed: ", Outcome::Fail), ("warns: ", Outcome::Warn), ("", Outcome::Pass)];
    let told = failed_first.into_iter().flat_map(|(word, outcome)| {
        with(outcome).map(move |check| (check.name.clone(), format!("{word}{}", check.told)))
    });
    add(&table("Checks", told));
    let counts = manifest.counts.iter().map(|(name, count)| (name.replace('_', " "), count.to_string()));
    add(&table("Counts", counts));
    if let Some(evaluation) = &manifest.self_evaluation {
        add(&table("Matching, tried on pairs known by shared ids", evaluation.in_lines().into_iter()));
    }
    for source in &manifest.sources {
        let mut rows = vec![
            ("read".to_owned(), source.read.to_string()),
            ("kept".to_owned(), source.kept.to_string()),
            ("as of".to_owned(), source.vintage.map_or("undated".to_owned(), |vintage| vintage.to_string())),
            ("attribution".to_owned(), source.attribution.clone().unwrap_or_default()),
        ];
        let groups = [
            ("rejected", &source.rejected),
            ("left out", &source.left_out),
            ("repaired", &source.repaired),
            ("found", &source.findings),
        ];
        for (what, counts) in groups {
            rows.extend(counts.iter().map(|(name, count)| (format!("{what}: {name}"), count.to_string())));
        }
        for (what, licenses) in [("licence", &source.licenses), ("held out for its licence", &source.held_out)] {
            rows.extend(licenses.iter().map(|(license, count)| {
                let name = if license.is_empty() { "not stated" } else { license };
                (format!("{what}: {name}"), count.to_string())
            }));
        }
        add(&table(&format!("Source {}", source.name), rows.into_iter()));
    }
    for layer in &manifest.layers {
        let mut rows = vec![
            ("read".to_owned(), layer.read.to_string()),
            ("kept".to_owned(), layer.kept.to_string()),
            ("rows".to_owned(), layer.rows.to_string()),
            ("rejected".to_owned(), layer.rejected.to_string()),
        ];
        let groups = [
            ("reject", &layer.rejects),
            ("left out", &layer.left_out),
            ("repaired", &layer.repaired),
            ("unreadable", &layer.unreadable),
        ];
        for (what, counts) in groups {
            rows.extend(counts.iter().map(|(name, count)| (format!("{what}: {name}"), count.to_string())));
        }
        add(&table(&format!("Layer {}, of {}", layer.name, layer.source), rows.into_iter()));
    }
    let files = manifest.tables.iter().map(|(name, file)| (format!("{name}.parquet"), format!("{} rows", file.rows)));
    add(&table("Tables", files));
    page
}

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:0 0 1rem}td{padding:.1rem 1rem .1rem 0;border-bottom:1px solid #ddd}\
svg{background:#f4f4f0;width:100%}circle{fill:#0a6;fill-opacity:.6}path{stroke:#0a6;stroke-opacity:.8;stroke-width:2;stroke-linecap:round}.held{color:#b00}";

fn table(title: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let mut text = format!("<h2>{}</h2>\n<table>\n", escape(title));
    for (name, value) in rows {
        writeln!(text, "<tr><td>{}<td>{}", escape(&name), escape(&value)).expect("text in memory can be written");
    }
    text + "</table>\n"
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
