//! Release: publish by hand what the gate held back.

use super::RunError;
use super::ports::{Inspect, Observer, SnapshotStore};
use super::verify::verify;
use crate::domain::Release;

/// Makes a held snapshot the latest, after every byte of it was verified. `open` opens it, once nobody else is at work.
///
/// With `force` also one that does not start from the latest; what came in between is then no part of the history that the
/// next run goes on from.
///
/// # Errors
///
/// [`RunError::Settings`] when it is not held or does not start from the latest, [`RunError::Input`] when it is damaged,
/// [`RunError::Locked`] while a run is at work, or when the store cannot be written to.
pub fn release<S: Inspect>(
    store: &dyn SnapshotStore,
    open: impl FnOnce() -> Result<S, RunError>,
    force: bool,
    observer: &dyn Observer,
) -> Result<Release, RunError> {
    let _lock = store.lock()?;
    store.settle()?;
    let snapshot = open()?;
    let manifest = snapshot.manifest();
    let (id, latest) = (&manifest.snapshot, store.latest()?.map(|latest| latest.manifest().snapshot.clone()));
    let told = |id: Option<&String>| id.map_or("none".to_owned(), Clone::clone);
    if latest.as_ref() == Some(id) {
        return Err(RunError::settings(format!("snapshot {id} is the latest already")));
    }
    if !snapshot.is_held() {
        let message = format!(
            "snapshot {id} is not held back, so there is nothing to release; the latest is {}",
            told(latest.as_ref())
        );
        return Err(RunError::settings(message));
    }
    if manifest.base != latest && !force {
        let message = format!(
            "snapshot {id} starts from {}, and the latest is {}: what came in between would be forgotten; run the pipeline \
             again, or release it all the same with --force",
            told(manifest.base.as_ref()),
            told(latest.as_ref())
        );
        return Err(RunError::settings(message));
    }
    verify(&snapshot, observer).whole()?;
    store.release(id)
}
