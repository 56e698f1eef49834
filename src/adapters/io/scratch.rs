//! Scratch files in a folder. They lose their name as soon as they are open, so nothing of them is left when the process
//! ends, however it ends.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::pipeline::RunError;
use crate::pipeline::ports::{ReadAt, Scratch, Spill};

/// Why a scratch file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
#[non_exhaustive]
pub enum ScratchError {
    #[error("cannot create a scratch file for {what} in {folder}; check the disk's free space and who may write there")]
    Create { what: String, folder: PathBuf, source: io::Error },
    #[error("cannot write {what} to a scratch file in {folder}; check the disk's free space")]
    Write { what: String, folder: PathBuf, source: io::Error },
    #[error("cannot read {what} back from a scratch file in {folder}; check the disk")]
    Read { what: String, folder: PathBuf, source: io::Error },
}

/// Scratch files of one run, e.g. under `<store>/<pipeline>/.work/`. The folder is made when the first one is.
///
/// Clearing the folder while a file is in use does not matter: the file is no longer in it. Clones count their files
/// together, so that no two have the same name.
#[derive(Debug, Clone)]
pub struct FolderScratch {
    folder: PathBuf,
    created: Arc<AtomicU64>,
}

impl FolderScratch {
    /// Scratch files in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), created: Arc::default() }
    }

    /// What was to be written, and why it was not.
    #[must_use]
    pub fn cannot_write(&self, what: &str, source: io::Error) -> ScratchError {
        ScratchError::Write { what: what.to_owned(), folder: self.folder.clone(), source }
    }

    /// What was to be read back, and why it was not.
    #[must_use]
    pub fn cannot_read(&self, what: &str, source: io::Error) -> ScratchError {
        ScratchError::Read { what: what.to_owned(), folder: self.folder.clone(), source }
    }

    /// A file without a name, open for reading and writing anywhere in it; closing it removes it. For adapters that
    /// need more than a [`Spill`], such as a table of positions.
    ///
    /// # Errors
    ///
    /// When it cannot be created.
    pub fn file(&self, what: &str) -> Result<File, ScratchError> {
        let create = || {
            fs::create_dir_all(&self.folder)?;
            loop {
                let number = self.created.fetch_add(1, Ordering::Relaxed);
                let path = self.folder.join(format!("scratch-{}-{number}", std::process::id()));
                match File::options().read(true).write(true).create_new(true).open(&path) {
                    // Of a run that was cut off; in a container all have the same process id.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    opened => return opened.and_then(|file| fs::remove_file(&path).map(|()| file)),
                }
            }
        };
        create().map_err(|source| ScratchError::Create { what: what.to_owned(), folder: self.folder.clone(), source })
    }
}

impl Scratch for FolderScratch {
    fn create(&self, what: &str) -> Result<Box<dyn Spill>, RunError> {
        let file = self.file(what).map_err(RunError::failed)?;
        Ok(Box::new(FileSpill { file, what: what.to_owned(), scratch: self.clone() }))
    }
}

struct FileSpill {
    file: File,
    what: String,
    scratch: FolderScratch,
}

impl Write for FileSpill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let told = |error: io::Error| io::Error::new(error.kind(), self.scratch.cannot_write(&self.what, error));
        self.file.write(bytes).map_err(told)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Spill for FileSpill {
    fn read_back(self: Box<Self>) -> Result<Box<dyn Read + Send>, RunError> {
        let mut back = *self;
        back.file.rewind().map_err(|source| RunError::failed(back.scratch.cannot_read(&back.what, source)))?;
        Ok(Box::new(back))
    }

    fn read_anywhere(self: Box<Self>) -> Result<Box<dyn ReadAt>, RunError> {
        Ok(self)
    }
}

impl Read for FileSpill {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let told = |error: io::Error| io::Error::new(error.kind(), self.scratch.cannot_read(&self.what, error));
        self.file.read(bytes).map_err(told)
    }
}

impl ReadAt for FileSpill {
    fn read_at(&self, begin: u64, bytes: &mut [u8]) -> Result<(), RunError> {
        let told = |source| RunError::failed(self.scratch.cannot_read(&self.what, source));
        self.file.read_exact_at(bytes, begin).map_err(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_no_name_is_left() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("demo/.work");
        let scratch = FolderScratch::new(&folder);
        assert!(!folder.exists(), "nothing is made before it is needed");
        let mut spills = ["a", "b"].map(|what| scratch.create(what).unwrap());
        for (text, spill) in ["first", "second"].iter().zip(&mut spills) {
            spill.write_all(text.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir(&folder).unwrap();
        let texts = spills.map(|spill| io::read_to_string(spill.read_back().unwrap()).unwrap());
        assert_eq!(texts, ["first", "second"]);
    }

    #[test]
    fn a_name_that_a_run_left_when_it_was_cut_off_is_not_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(format!("scratch-{}-0", std::process::id()));
        fs::write(&left, "left").unwrap();
        FolderScratch::new(folder.path()).file("sorted rows").unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&left).unwrap(), "left");
    }

    #[test]
    fn a_disk_that_is_full_or_fails_is_told_with_what_was_on_its_way() {
        let scratch = FolderScratch::new(Path::new("store/demo/.work"));
        let spill = |file: File| FileSpill { file, what: "records".to_owned(), scratch: scratch.clone() };
        let chain = |error: &dyn std::error::Error| format!("{error}: {}", error.source().unwrap());
        let full = || spill(File::options().write(true).open("/dev/full").unwrap());
        let error = full().write_all(b"record").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(
            chain(&RunError::failed(error)),
            "cannot write records to a scratch file in store/demo/.work; check the disk's free space: \
             No space left on device (os error 28)"
        );
        // It is open for writing alone.
        let message = "cannot read records back from a scratch file in store/demo/.work; check the disk: \
                       Bad file descriptor (os error 9)";
        let error = Box::new(full()).read_anywhere().unwrap().read_at(0, &mut [0]).unwrap_err();
        assert_eq!(chain(&error), message);
        let error = Box::new(full()).read_back().unwrap().read(&mut [0]).unwrap_err();
        assert_eq!(chain(&RunError::failed(error)), message);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let parent = tempfile::NamedTempFile::new().unwrap();
        let error = FolderScratch::new(parent.path()).file("sorted rows").unwrap_err().to_string();
        let path = parent.path().display();
        assert!(error.starts_with(&format!("cannot create a scratch file for sorted rows in {path}")), "{error}");
    }
}
