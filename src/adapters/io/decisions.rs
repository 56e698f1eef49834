//! A decisions file on disk.

use std::io;
use std::path::{Path, PathBuf};

use super::{behind_links, write_whole};
use crate::pipeline::RunError;
use crate::pipeline::ports::DecisionsFile;

/// Why a decisions file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum DecisionsFileError {
    #[error("cannot read the decisions {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not UTF-8; save it as \"CSV UTF-8\"")]
    NotUtf8 { path: PathBuf },
    #[error("cannot write the pairs under review to {path}; check who may write there; the decisions are as they were")]
    Write { path: PathBuf, source: io::Error },
}

/// A decisions file at a path; it may not be there yet.
#[derive(Debug, Clone)]
pub struct CsvDecisions(PathBuf);

impl CsvDecisions {
    /// The file at this path.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Its text; empty where there is none yet, but a folder for it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or its folder is missing.
    pub fn text(&self) -> Result<String, DecisionsFileError> {
        let path = || self.0.clone();
        match std::fs::read(&self.0) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| DecisionsFileError::NotUtf8 { path: path() }),
            Err(source) => {
                let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let to_be_made = source.kind() == io::ErrorKind::NotFound && folder.is_dir() && !self.0.is_symlink();
                if to_be_made { Ok(String::new()) } else { Err(DecisionsFileError::Read { path: path(), source }) }
            }
        }
    }
}

impl DecisionsFile for CsvDecisions {
    fn location(&self) -> String {
        self.0.display().to_string()
    }

    fn read(&self) -> Result<String, RunError> {
        self.text().map_err(RunError::settings)
    }

    fn replace(&self, text: &str) -> Result<(), RunError> {
        let wrong = |source| RunError::failed(DecisionsFileError::Write { path: self.0.clone(), source });
        let path = behind_links(&self.0);
        let permissions = std::fs::metadata(&path).map(|about| about.permissions());
        write_whole(&path, text.as_bytes()).map_err(wrong)?;
        // A file that several people write to stays theirs.
        permissions.map_or(Ok(()), |permissions| std::fs::set_permissions(&path, permissions)).map_err(wrong)
    }
}
