//! The record of a fetch: what was fetched into an input, from where, and what the server said of it.
//!
//! Kept beside the input as `<input>.fetch.json`. It counts only while the input is what was fetched: another file put in
//! its place makes it void.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{address_told, http_date, input_of};
use super::FetchError;
use crate::domain::hex;

/// What was fetched into an input.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FetchRecord {
    /// From where, without what may be secret.
    pub url: String,
    /// SHA-256 of the whole address.
    pub url_sha256: String,
    /// Size of the input.
    pub size_bytes: u64,
    /// SHA-256 of the input.
    pub sha256: String,
    /// What the server calls this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When the server says it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// When it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Timestamp>,
    /// Where a synchronisation stands, in the words of the adapter that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<Value>,
}

impl FetchRecord {
    /// Describes a file that was fetched from an address just now.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of(url: &str, file: &Path) -> Result<Self, FetchError> {
        let input = input_of(file).map_err(|source| FetchError::read(file, source))?;
        Ok(Self {
            url: address_told(url),
            url_sha256: url_sha256(url),
            size_bytes: input.size_bytes,
            sha256: input.sha256,
            fetched_at: Some(Timestamp::now()),
            ..Self::default()
        })
    }

    /// The record of an input. `None` where there is none, or none that can be read: the input is then fetched as if for
    /// the first time.
    #[must_use]
    pub fn read(input: &Path) -> Option<Self> {
        let bytes = fs::read(beside(input, ".fetch.json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps the record beside its input.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, input: &Path) -> Result<(), FetchError> {
        let path = beside(input, ".fetch.json");
        let text = format!("{:#}\n", serde_json::json!(self));
        write_whole(&path, text.as_bytes()).map_err(|source| FetchError::write(&path, source))
    }

    /// Whether it tells of what was fetched from this address.
    #[must_use]
    pub fn is_from(&self, url: &str) -> bool {
        self.url_sha256 == url_sha256(url)
    }

    /// Whether the input is still what was fetched.
    ///
    /// # Errors
    ///
    /// When the input is there and cannot be read.
    pub fn is_of(&self, input: &Path) -> Result<bool, FetchError> {
        match fs::metadata(input) {
            Ok(metadata) if metadata.len() == self.size_bytes => {}
            _ => return Ok(false),
        }
        let found = input_of(input).map_err(|source| FetchError::read(input, source))?;
        Ok(found.sha256 == self.sha256)
    }

    /// The date of the input, as the server states it, else that of the fetch.
    #[must_use]
    pub fn vintage(&self) -> Option<Timestamp> {
        self.last_modified.as_deref().and_then(http_date).or(self.fetched_at)
    }
}

/// What stands for an address where it may hold a secret.
pub(super) fn url_sha256(url: &str) -> String {
    hex(&Sha256::digest(url.as_bytes()))
}

/// A path with this behind its name.
#[must_use]
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Writes a small file whole or not at all, with the folders above it.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename_durably(&new, path)
}

/// Renames a file so that the name is on the disk when this returns.
pub(super) fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
