//! Load: bring a sink to a snapshot.

use super::RunError;
use super::ports::{Loaded, Observer, Sink, Snapshot};

/// Brings a sink to a published snapshot.
///
/// # Errors
///
/// [`RunError::Held`] for a snapshot that the gate held back, or when the sink fails.
pub fn load(snapshot: &dyn Snapshot, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<Loaded, RunError> {
    let manifest = snapshot.manifest();
    if !manifest.held.is_empty() {
        return Err(RunError::Held {
            snapshot: manifest.snapshot.clone(),
            reasons: manifest.held.clone(),
            report: None,
        });
    }
    sink.load(snapshot, observer)
}
