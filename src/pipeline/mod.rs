//! The pipeline: one line of verbs, always in this order.
//!
//! ```text
//! sources ─▶ extract ─▶ transform ─▶ conflate ─▶ identify ─▶ tabulate ─▶ diff ─▶ publish ─▶ load
//! ```
//!
//! **Invariant**: nothing in this module opens a file or a socket, reads a clock or draws a random number.
//! **Invariant**: the same inputs, settings and base give the same snapshot, byte for byte, at any number of threads.
//! **Invariant**: every object of every source is kept, rejected, or left out by a named rule; a run that cannot account
//! for one fails.

use std::mem;

pub mod catalogue;
pub mod conflate;
pub mod diff;
mod error;
pub mod evaluate;
pub mod explain;
mod extract;
pub mod history;
mod identify;
pub mod layers;
mod load;
pub mod ports;
mod publish;
mod records;
mod release;
pub mod replay;
mod report;
mod review;
mod self_evaluation;
pub mod succession;
pub mod tabulate;
pub mod transform;
pub mod verify;

pub use error::RunError;
pub use extract::Feed;
pub use load::load;
pub use publish::{Action, Check, Gate, Outcome, RowsGate, Share, SourceGate};
pub use release::release;
pub use report::{LoadReport, Report};

use crate::domain::{AreaRules, ConnectorCodes, Layer, Operators, Region, Taxonomy};
use conflate::{Decisions, Merging, Models, conflate};
use extract::extract;
use identify::{held_out_told, identify};
use ports::{DecisionsFile, Observer, Scratch, Sink, SnapshotStore, Unit};
use publish::publish;
use review::ask;

/// What a pipeline is to do: settings that shape the result.
#[derive(Debug)]
pub struct Pipeline {
    /// Its name: part of every place's id.
    pub name: String,
    /// Area of interest.
    pub region: Region,
    /// Which tags make which category.
    pub taxonomy: Taxonomy,
    /// Canonical operators.
    pub operators: Operators,
    /// What each vocabulary calls a connector.
    pub connectors: ConnectorCodes,
    /// Whether positions that cannot be right are put right; otherwise they are only found.
    pub repair_positions: bool,
    /// When two records are one place.
    pub models: Models,
    /// A person's verdicts.
    pub decisions: Decisions,
    /// What becomes of the attributes of records that are one place.
    pub merging: Merging,
    /// Raw layers of the OSM sources.
    pub layers: Vec<Layer>,
    /// Which closed ways are areas, in layers.
    pub area_rules: AreaRules,
    /// When a night is broken.
    pub gate: Gate,
    /// Memory that a run may hold, in bytes, as far as it has the choice: rows of layers beyond it wait in scratch files.
    pub memory_bytes: u64,
    /// The settings as the manifest tells them: no secrets, no paths.
    pub settings: serde_json::Value,
}

/// The outside world of one run.
pub struct Ports<'a> {
    /// Where data comes from, in order of priority.
    pub feeds: Vec<Feed>,
    /// Where snapshots are kept.
    pub store: &'a dyn SnapshotStore,
    /// Where snapshots are published to.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Where a run puts what does not fit into memory.
    pub scratch: &'a dyn Scratch,
    /// Where a person decides on pairs under review, if anywhere.
    pub decisions: Option<&'a dyn DecisionsFile>,
    /// Told what is going on.
    pub observer: &'a dyn Observer,
}

impl Pipeline {
    /// Runs every stage once, publishes the snapshot and brings the sinks to it.
    ///
    /// Safe to repeat: a run that failed half-way is repaired by the next one, because `latest` moves only when a
    /// snapshot is whole, and sinks accept the same snapshot twice.
    ///
    /// # Errors
    ///
    /// When a source, the store or a sink fails, the gate holds the snapshot back, or the decisions file cannot take the
    /// pairs under review. Bad records are not errors; the [`Report`] counts them.
    pub fn run(&self, ports: &mut Ports<'_>) -> Result<Report, RunError> {
        for sink in &mut ports.sinks {
            sink.contact()?;
        }
        let _lock = ports.store.lock()?;
        let base = ports.store.latest()?;

        let mut extracted = extract(self, ports)?;
        let layers = mem::take(&mut extracted.layers);
        ports.observer.stage("conflate", Unit::Rows, Some(extracted.records.len() as u64));
        let conflation = conflate(&extracted.records, &self.taxonomy, &self.models, &self.decisions)?;
        if conflation.decisions_unused > 0 {
            let unused = conflation.decisions_unused;
            let told = if unused == 1 { "1 decision names" } else { &format!("{unused} decisions name") };
            ports.observer.note(&format!("{told} a record that no source has, and decides nothing"));
        }
        if let Some((a, b)) = conflation.overruled.first() {
            let named = |at: &usize| {
                let key = &extracted.records[*at].key;
                format!("{}:{}", ports.feeds[key.dataset].source.name(), key.id)
            };
            let count = conflation.overruled.len();
            let pairs = if count == 1 { "1 pair" } else { &format!("{count} pairs") };
            ports.observer.note(&format!(
                "decisions unite {pairs} through other records though a veto keeps them apart, the first {} and {}; if that \
                 is not meant, decide `never` on them and take back an `always`",
                named(a),
                named(b)
            ));
        }
        let night = identify(self, extracted, conflation, base.as_deref())?;
        for told in held_out_told(&night.accounts) {
            ports.observer.note(&told);
        }
        let published = publish(self, &night, layers, base.as_deref(), ports)?;
        for check in published.checks.iter().filter(|check| check.outcome == Outcome::Warn) {
            ports.observer.note(&check.told);
        }

        // Whether a person could be asked is told last: the snapshot is published, whatever became of the questions.
        let asked = if published.is_held() { Ok(()) } else { ask(&night, ports) };

        // A night that is held back still leaves the sinks at the latest good one.
        let mut loads = Vec::new();
        for sink in &mut ports.sinks {
            if let Some(latest) = published.latest() {
                let loaded = load(latest, sink.as_mut(), ports.observer).inspect_err(|_| {
                    if let Err(error) = &asked {
                        ports.observer.note(&format!("the pairs under review are not in the decisions file: {error}"));
                    }
                })?;
                loads.push(LoadReport { sink: sink.name().to_owned(), loaded });
            }
        }
        let report = Report::new(published, loads);
        let (snapshot, reasons) = (report.snapshot.clone(), report.held.clone());
        if !reasons.is_empty() {
            return Err(RunError::Held { snapshot, reasons, report: Some(Box::new(report)) });
        }
        match asked {
            Ok(()) => Ok(report),
            Err(error) => Err(RunError::NotAsked { snapshot, source: error.into(), report: Box::new(report) }),
        }
    }
}
