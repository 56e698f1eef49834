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

use crate::adapters::io::{Http, address_told};

pub use self::error::{ChangesError, OscFault};
pub(in crate::adapters::osm) use self::overlay::{Counts, Overlay, Versions};
pub(in crate::adapters::osm) use self::remote::Downloaded;
use self::remote::Remote;
pub(in crate::adapters::osm) use self::replication::Since;

/// Where changes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesAt {
    /// A replication folder, any folder of `*.osc.gz`, or one such file.
    Folder(PathBuf),
    /// The address of a replication folder, e.g. `https://download.geofabrik.de/europe/monaco-updates`.
    Url(String),
}

impl std::fmt::Display for ChangesAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(&address_told(url)),
        }
    }
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

    /// The folder that [`download`] keeps beside an extract, where it is there: what was fetched is used without asking
    /// again, so that a run can be repeated. Else the same place.
    #[must_use]
    pub fn or_kept(self, extract: &Path) -> Self {
        let kept = kept_beside(extract);
        if matches!(self, Self::Url(_)) && kept.is_dir() { Self::Folder(kept) } else { self }
    }
}

/// Where the diffs of a server are kept for an extract: `monaco.osm.pbf.changes` beside `monaco.osm.pbf`.
#[must_use]
pub fn kept_beside(extract: &Path) -> PathBuf {
    let mut name = extract.file_name().unwrap_or_default().to_owned();
    name.push(".changes");
    extract.with_file_name(name)
}

/// Brings the diffs after `since` from a server into a folder laid out as the server's; what is there is not asked for
/// again, so that it can be broken off and repeated at any time. `on_bytes` is told of each diff that came.
///
/// # Errors
///
/// As for reading from the server, and when the folder cannot be written.
pub(in crate::adapters::osm) fn download(
    http: Http,
    url: &str,
    since: Since,
    folder: &Path,
    on_bytes: impl Fn(u64),
) -> Result<Downloaded, ChangesError> {
    Remote::new(http, url).download(since, folder, on_bytes)
}

/// Everything that changed after `since`.
///
/// # Errors
///
/// When a diff is missing or damaged, or it cannot be told which ones to apply.
pub(in crate::adapters::osm) fn read_overlay(changes: &ChangesAt, since: Since) -> Result<Overlay, ChangesError> {
    match changes {
        ChangesAt::Folder(path) => replication::read(path, since),
        ChangesAt::Url(url) => Remote::new(Http::default(), url).read(since),
    }
}
