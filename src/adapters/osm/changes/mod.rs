//! What changed since an extract was cut: replication diffs, folded into the newest version of each object.
//!
//! ```text
//! folder ─▶ replication (which diffs) ─┐
//! URL ────▶ remote (which diffs) ──────┴▶ osc (changes) ─▶ overlay (newest versions) ─▶ encode (blocks)
//! ```
//!
//! The reader of the extract leaves out what [`Overlay::versions`] supersedes, and reads [`Overlay::blocks`] behind the
//! file's own. Memory grows with what changed.

mod degrees;
mod encode;
mod error;
mod osc;
mod overlay;
mod remote;
mod replication;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use self::error::{ChangesError, OscFault};
pub(in crate::adapters::osm) use self::overlay::Overlay;
pub(in crate::adapters::osm) use self::replication::Since;

/// Where changes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesAt {
    /// A replication folder, any folder of `*.osc.gz`, or one such file.
    Folder(PathBuf),
    /// The address of a replication folder, e.g. `https://download.geofabrik.de/europe/monaco-updates`.
    Url(String),
}

impl ChangesAt {
    /// As a pipeline file names it: an address, or a path relative to `home`.
    #[must_use]
    pub fn new(text: &str, home: &Path) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            Self::Url(text.to_owned())
        } else {
            Self::Folder(home.join(text))
        }
    }
}

/// Everything that changed after `since`.
///
/// # Errors
///
/// When a diff is missing or damaged, or it cannot be told which ones to apply.
pub(in crate::adapters::osm) fn read_overlay(changes: &ChangesAt, since: Since) -> Result<Overlay, ChangesError> {
    match changes {
        ChangesAt::Folder(path) => replication::read(path, since),
        ChangesAt::Url(url) => remote::read(url, since),
    }
}
