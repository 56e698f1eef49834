//! `poimill explain`: why two records are one place, or are not.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::Ended;
use crate::domain::Cell;
use crate::pipeline::RunError;
use crate::pipeline::conflate::{Compared, Corpus, Evidence, Models};
use crate::pipeline::ports::{Snapshot, Tables};
use crate::pipeline::tabulate::tables::{LINKS, SOURCES};
use crate::pipeline::tabulate::{Row, read_rows};
use crate::wiring;

/// Explain why two records were merged into one place, or were not
///
/// Records are named by the source's own ids, with the source's name in front where that is needed: `node/5159230141`,
/// `ocm:461426`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: poimill explain data/snapshots/demo/latest osm:node/2002 ocm:700002")]
pub(super) struct Explain {
    /// Folder of the snapshot, or a link to it such as `latest`
    snapshot: PathBuf,
    /// A record, e.g. `osm:node/5159230141`
    a: String,
    /// Another record; without it, every pair that the first was looked at closely in
    b: Option<String>,
}

/// A record as the snapshot keeps it.
struct Told {
    place_id: String,
    dataset: String,
    record_id: String,
    category: String,
    name: Option<String>,
    evidence: Evidence,
}

/// Columns of the bridge that are read.
const COLUMNS: [&str; 6] = ["place_id", "dataset", "record_id", "category", "name", "evidence"];

impl Explain {
    /// Prints the explanation.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let snapshot = wiring::snapshot(&self.snapshot)?;
        let links = read_rows(&snapshot, &LINKS, &[])?;
        let a = find(&snapshot, &self.a)?;
        let others: Vec<Told> = match &self.b {
            Some(b) => vec![find(&snapshot, b)?],
            None => partners(&a, &links).map(|key| find(&snapshot, &key)).filter_map(Result::ok).collect(),
        };
        describe(&a, out)?;
        if others.is_empty() {
            writeln!(out, "\nno other record scored high enough to be looked at closely")?;
        }
        for b in &others {
            writeln!(out)?;
            describe(b, out)?;
            compare(&snapshot, &a, b, &links, out)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The record of this name, `id` or `source:id`.
fn find(snapshot: &impl Tables, name: &str) -> anyhow::Result<Told> {
    let mut found: Vec<Told> = Vec::new();
    for row in read_rows(snapshot, &SOURCES, &COLUMNS)? {
        let text = |at: usize| row[at].as_text().unwrap_or_default();
        let full = name.split_once(':').is_some_and(|(dataset, id)| text(1) == dataset && text(2) == id);
        if full || text(2) == name {
            found.push(Told {
                place_id: text(0).to_owned(),
                dataset: text(1).to_owned(),
                record_id: text(2).to_owned(),
                category: text(3).to_owned(),
                name: row[4].as_text().map(str::to_owned),
                evidence: serde_json::from_str(text(5)).context("the evidence of the record cannot be read")?,
            });
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(RunError::settings(format!("the snapshot has no record `{name}`; sources.parquet lists them")).into()),
        _ => {
            let names: Vec<String> = found.iter().map(|told| format!("{}:{}", told.dataset, told.record_id)).collect();
            bail!(RunError::settings(format!("`{name}` is several records; say which: {}", names.join(", "))))
        }
    }
}

/// Records that a link ties to this one.
fn partners<'l>(record: &'l Told, links: &'l [Row]) -> impl Iterator<Item = String> + 'l {
    links.iter().filter_map(|row| {
        let side = |at: usize| (row[at].as_text().unwrap_or_default(), row[at + 1].as_text().unwrap_or_default());
        let own = (record.dataset.as_str(), record.record_id.as_str());
        let other = match (side(0), side(2)) {
            (a, b) if a == own => b,
            (a, b) if b == own => a,
            _ => return None,
        };
        Some(format!("{}:{}", other.0, other.1))
    })
}

fn describe(record: &Told, out: &mut impl Write) -> anyhow::Result<()> {
    let Told { dataset, record_id, category, place_id, evidence, .. } = record;
    let name = record.name.as_deref().map_or(String::new(), |name| format!(" \"{name}\""));
    writeln!(out, "{dataset}:{record_id}  {category}{name} at {:.6} {:.6}", evidence.lon, evidence.lat)?;
    writeln!(out, "  place {place_id}")?;
    let told = [
        ("operator", evidence.operator.clone().unwrap_or_default()),
        ("connectors", evidence.connectors.join(", ")),
        ("power", evidence.max_power_kw.map_or(String::new(), |kw| format!("{kw} kW"))),
        ("ids", evidence.ids.join(", ")),
    ];
    for (what, value) in told.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "  {what} {value}")?;
    }
    Ok(())
}

fn compare(snapshot: &impl Snapshot, a: &Told, b: &Told, links: &[Row], out: &mut impl Write) -> anyhow::Result<()> {
    // Only whether the sources differ counts.
    let other = Evidence { dataset: usize::from(a.dataset != b.dataset), ..b.evidence.clone() };
    let models: Models = serde_json::from_value(snapshot.manifest().settings["conflate"]["models"].clone())
        .context("the manifest of the snapshot has no models of this version")?;
    let corpus = Corpus::of([a.evidence.clone(), other]);
    let score = Compared::of(&corpus, &models, vec![(0, 1)]).score((0, 1));
    writeln!(out, "\n{:.1} m apart", score.distance_m)?;
    writeln!(out, "  {:<14}{:>10}{:>10}", "evidence", "value", "weight")?;
    for (name, value, weight) in &score.pieces {
        writeln!(out, "  {name:<14}{value:>10}{weight:>+10.2}")?;
    }
    writeln!(out, "  {:<14}{:>10}{:>10.2}", "score", "", score.probability)?;

    let link = links.iter().find(|row| {
        let side = |at: usize| (row[at].as_text().unwrap_or_default(), row[at + 1].as_text().unwrap_or_default());
        let (x, y) = ((a.dataset.as_str(), a.record_id.as_str()), (b.dataset.as_str(), b.record_id.as_str()));
        (side(0), side(2)) == (x, y) || (side(0), side(2)) == (y, x)
    });
    let outcome = if a.place_id == b.place_id { "one place" } else { "two places" };
    let model = if a.evidence.is_charging() && b.evidence.is_charging() { &models.charging } else { &models.places };
    let why = match link.map(|row| (row[4].as_text().unwrap_or_default(), row[5].as_text().unwrap_or_default())) {
        Some(("match", "score")) => format!("the score is at least match_score, {}", model.match_score),
        Some(("review", _)) => {
            format!("the score is below match_score, {}: a person should look", model.match_score)
        }
        Some((verdict, reason)) => format!("{verdict}, decided by: {}", reason.replace('_', " ")),
        None => match score.veto {
            Some(veto) => format!("vetoed: {}", veto.name().replace('_', " ")),
            None if a.place_id == b.place_id => "both are parts of it".to_owned(),
            None => format!(
                "the score is below review_score, {}, or they are out of each other's radius",
                model.review_score
            ),
        },
    };
    writeln!(out, "{outcome}: {why}")?;
    // A veto may be outweighed by nothing, but a reader wants to see that it was there.
    if let (Some(veto), Some(row)) = (score.veto, link)
        && row[5] != Cell::Text(veto.name().to_owned())
    {
        writeln!(out, "  (a veto stands too: {})", veto.name().replace('_', " "))?;
    }
    Ok(())
}
