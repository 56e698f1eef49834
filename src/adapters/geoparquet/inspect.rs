//! A snapshot file by file: what `poimill verify` looks at.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::catalogue::ITEM;
use super::reader::{RELEASED, SnapshotFolder, table_file};
use crate::domain::hex;
use crate::pipeline::RunError;
use crate::pipeline::ports::Inspect;

/// Bytes hashed at once.
const BUFFER_BYTES: usize = 1 << 17;

impl Inspect for SnapshotFolder {
    fn kept_as(&self) -> String {
        self.folder().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn files(&self) -> Result<Vec<String>, RunError> {
        let mut files = Vec::new();
        list(self.folder(), "", &mut files)?;
        files.sort();
        Ok(files)
    }

    fn files_beside_tables(&self) -> &'static [(&'static str, bool)] {
        &[
            ("manifest.json", true),
            ("run.json", true),
            ("report.html", true),
            (RELEASED, false),
            (ITEM, false),
            ("checks.json", false),
        ]
    }

    fn file_of(&self, table: &str) -> String {
        format!("{table}.parquet")
    }

    fn sha256(&self, table: &str) -> Result<String, RunError> {
        let path = table_file(self.folder(), table);
        let hash = || -> io::Result<String> {
            let (mut file, mut hasher, mut buffer) = (File::open(&path)?, Sha256::new(), vec![0; BUFFER_BYTES]);
            loop {
                match file.read(&mut buffer)? {
                    0 => break Ok(hex(&hasher.finalize())),
                    read => hasher.update(&buffer[..read]),
                }
            }
        };
        hash().map_err(|source| RunError::failed(StoreError::Read { path: path.clone(), source }))
    }

    fn schema(&self, table: &str) -> Result<SchemaRef, RunError> {
        let path = table_file(self.folder(), table);
        let file =
            File::open(&path).map_err(|source| RunError::failed(StoreError::Read { path: path.clone(), source }))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file);
        Ok(reader.map_err(|source| RunError::failed(StoreError::ReadTable { path, source }))?.schema().clone())
    }
}

/// The files below a folder, by their names from there on; a link is a file, wherever it leads.
fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), RunError> {
    let wrong = |source| RunError::failed(StoreError::Read { path: folder.to_owned(), source });
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(wrong)?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}
