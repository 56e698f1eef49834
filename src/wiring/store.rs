//! Wiring of the commands over a store.

use std::path::Path;

use crate::adapters::geoparquet::{SnapshotFolder, StoreError};
use crate::pipeline::RunError;
use crate::pipeline::ports::Inspect;

/// Opens a snapshot by its folder, or by a link to it such as `latest`, to look at its files.
///
/// # Errors
///
/// [`RunError::Input`] when it is no snapshot.
pub fn snapshot(path: &Path) -> Result<impl Inspect + use<>, RunError> {
    SnapshotFolder::open(path).map_err(|error: StoreError| RunError::input("snapshot", error))
}
