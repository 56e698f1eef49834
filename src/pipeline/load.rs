//! Load: bring a sink to a snapshot.

use super::RunError;
use super::ports::{Loaded, Observer, Sink, Snapshot};
use super::tabulate::tables::PLACES;

/// Brings a sink to a published snapshot.
///
/// # Errors
///
/// [`RunError::Held`] for a snapshot that the gate held back, [`RunError::Settings`] for layered places, or when the sink
/// fails.
pub fn load(snapshot: &dyn Snapshot, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<Loaded, RunError> {
    let manifest = snapshot.manifest();
    if snapshot.is_held() {
        return Err(RunError::Held {
            snapshot: manifest.snapshot.clone(),
            reasons: manifest.held.clone(),
            report: None,
        });
    }
    if !manifest.tables.contains_key(&*PLACES.name) {
        return Err(RunError::settings(format!(
            "snapshot {} holds its places in layers, one table per source; a database holds one row per place: run the \
             pipeline with conflate.merge = \"merged\" or \"bridge_only\" and load that",
            manifest.snapshot
        )));
    }
    sink.load(snapshot, observer)
}
