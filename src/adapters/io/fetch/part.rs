//! The part of a download that has come: `<input>.part`, and `<input>.part.json` with what the server said of the whole.
//!
//! **Invariant**: the bytes in the part are the first ones of what the sidecar describes. It is written when the part is
//! empty, so whenever the process ends, the next one may go on behind the last byte.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::FetchError;
use super::checksum::Expected;
use super::record::{beside, url_sha256, write_whole};

/// A file in the making that no other process touches while this one lives.
pub struct Part {
    /// Where it is.
    pub path: PathBuf,
    sidecar: PathBuf,
    file: File,
    size_bytes: u64,
    /// So many of them are of an earlier call.
    earlier_bytes: u64,
}

/// What the server said of the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) url_sha256: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// What a request for the rest names, so that it is the rest of the same; `None` where nothing tells versions apart.
    pub(super) validator: Option<String>,
    pub(super) size_bytes: Option<u64>,
    pub(super) encoding: Option<String>,
    pub(super) expected: Vec<Expected>,
}

impl Described {
    pub(super) fn of(url: &str) -> Self {
        Self { url_sha256: url_sha256(url), ..Self::default() }
    }

    pub(super) fn is_from(&self, url: &str) -> bool {
        self.url_sha256 == url_sha256(url)
    }
}

impl Part {
    /// Opens the part of an input, as it was left or empty, with the folders above it.
    ///
    /// # Errors
    ///
    /// [`FetchError::Busy`] when another process is at it, or when it cannot be written.
    pub fn open(input: &Path) -> Result<Self, FetchError> {
        let path = beside(input, ".part");
        let wrong = |source| FetchError::write(&path, source);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        loop {
            let file = File::options().read(true).append(true).create(true).open(&path).map_err(wrong)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(FetchError::Busy { path: input.to_owned() }),
                Err(TryLockError::Error(source)) => return Err(wrong(source)),
            }
            let own = file.metadata().map_err(wrong)?;
            // Whoever held it before may have put it in its place between our two steps.
            if fs::metadata(&path).is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())) {
                let size_bytes = own.len();
                return Ok(Self {
                    sidecar: beside(input, ".part.json"),
                    size_bytes,
                    earlier_bytes: size_bytes,
                    path,
                    file,
                });
            }
        }
    }

    /// Bytes that have come.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Bytes that an earlier call left and that are still there.
    #[must_use]
    pub fn earlier_bytes(&self) -> u64 {
        self.earlier_bytes
    }

    /// What the sidecar says; `None` where there is none that can be read.
    #[must_use]
    pub fn note<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&fs::read(&self.sidecar).ok()?).ok()
    }

    /// Writes the sidecar.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn set_note(&self, note: &impl Serialize) -> Result<(), FetchError> {
        let text = serde_json::json!(note).to_string();
        write_whole(&self.sidecar, text.as_bytes()).map_err(|source| FetchError::write(&self.sidecar, source))
    }

    /// Forgets what lies behind so many bytes.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn cut(&mut self, size_bytes: u64) -> Result<(), FetchError> {
        self.file.set_len(size_bytes).map_err(|source| FetchError::write(&self.path, source))?;
        self.size_bytes = size_bytes;
        self.earlier_bytes = self.earlier_bytes.min(size_bytes);
        Ok(())
    }

    /// Forgets everything, the sidecar first: what comes next is not what it describes.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn clear(&mut self) -> Result<(), FetchError> {
        match fs::remove_file(&self.sidecar) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FetchError::write(&self.sidecar, error)),
            _ => self.cut(0),
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(|source| FetchError::write(&self.path, source))?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub fn sync(&self) -> Result<(), FetchError> {
        self.file.sync_all().map_err(|source| FetchError::write(&self.path, source))
    }

    /// Removes the sidecar of a part that was put in its place.
    pub fn finish(self) {
        // Without a part it says nothing; the next fetch writes it anew.
        fs::remove_file(&self.sidecar).ok();
    }

    /// Removes both.
    pub fn discard(self) {
        for path in [&self.path, &self.sidecar] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove what is of no use");
                }
                _ => {}
            }
        }
    }
}
