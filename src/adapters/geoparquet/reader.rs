//! Reads the tables of a folder, and of a published snapshot.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::file::metadata::PageIndexPolicy;

use super::StoreError;
use super::boxes::{covered_columns, with_boxes};
use super::layout::COVERING;
use crate::domain::{Manifest, Release};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Snapshot, Tables, TakeBatch};

/// Rows handed on at once.
const BATCH_ROWS: usize = 8192;

/// The file that says that a person released a snapshot.
pub(super) const RELEASED: &str = "released.json";

/// A snapshot that is kept.
#[derive(Debug)]
pub struct SnapshotFolder {
    folder: PathBuf,
    manifest: Manifest,
    released: Option<Release>,
}

impl SnapshotFolder {
    /// Opens a snapshot's folder, or a link to it such as `latest`.
    ///
    /// # Errors
    ///
    /// When it is no snapshot or its manifest cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // The link may be swapped while we read; what it points to now stays.
        let missing = |path: &Path, source: io::Error| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::NoSnapshot { path: path.to_owned() },
            _ => StoreError::Read { path: path.to_owned(), source },
        };
        let folder = fs::canonicalize(path).map_err(|source| missing(path, source))?;
        let text = fs::read_to_string(folder.join("manifest.json")).map_err(|source| missing(path, source))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|source| StoreError::Manifest { path: path.to_owned(), source })?;
        let released = released(&folder)?.filter(|release| release.snapshot == manifest.snapshot);
        Ok(Self { folder, manifest, released })
    }

    /// The folder itself, whatever link led here.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What `released.json` says, where there is one.
fn released(folder: &Path) -> Result<Option<Release>, StoreError> {
    let path = folder.join(RELEASED);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|source| StoreError::Release { path: folder.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Read { path, source }),
    }
}

impl Tables for SnapshotFolder {
    fn has(&self, table: &str) -> bool {
        self.manifest.tables.contains_key(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        read_table(&self.folder, table, columns, None, out)
    }

    fn read_rows(&self, table: &str, rows: &[u64], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        read_table(&self.folder, table, &[], Some(rows), out)
    }
}

impl Snapshot for SnapshotFolder {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn location(&self) -> String {
        self.folder.display().to_string()
    }

    fn released(&self) -> Option<&Release> {
        self.released.as_ref()
    }
}

/// The file of a table.
pub(super) fn table_file(folder: &Path, table: &str) -> PathBuf {
    folder.join(format!("{table}.parquet"))
}

/// Reads a table of a folder: the named columns in that order, and of the rows all or those at these places.
pub(super) fn read_table(
    folder: &Path,
    table: &str,
    columns: &[&str],
    rows: Option<&[u64]>,
    out: &mut TakeBatch<'_>,
) -> Result<(), RunError> {
    let path = table_file(folder, table);
    let wrong = |source| RunError::failed(StoreError::read_table(&path, source));
    let decode = |source| RunError::failed(StoreError::Decode { path: path.clone(), source });
    let no_column =
        |column: &str| RunError::failed(StoreError::NoColumn { path: path.clone(), column: column.to_owned() });
    let file = File::open(&path).map_err(|source| RunError::failed(StoreError::Read { path: path.clone(), source }))?;
    // Rows that are picked out are found by the pages that they lie in.
    let pages = if rows.is_some() { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
    let options = ArrowReaderOptions::new().with_page_index_policy(pages);
    let mut builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(wrong)?
        .with_batch_size(BATCH_ROWS);
    let mut covered = covered_columns(&builder);
    if !columns.is_empty() {
        if !columns.contains(&COVERING) {
            covered.clear();
        }
        let schema = builder.schema().clone();
        let stored = columns.iter().filter(|name| **name != COVERING || covered.is_empty());
        let stored = stored.copied().chain(covered.iter().map(String::as_str));
        let roots: Result<Vec<usize>, _> =
            stored.map(|name| schema.index_of(name).map_err(|_| no_column(name))).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots?);
        builder = builder.with_projection(mask);
    }
    if let Some(rows) = rows {
        let total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
        let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
        builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, total));
    }
    for batch in builder.build().map_err(wrong)? {
        let mut batch: RecordBatch = batch.map_err(decode)?;
        if !covered.is_empty() {
            batch = with_boxes(&batch, &covered).map_err(decode)?;
        }
        if !columns.is_empty() {
            let schema = batch.schema();
            let order: Result<Vec<usize>, _> =
                columns.iter().map(|name| schema.index_of(name).map_err(|_| no_column(name))).collect();
            batch = batch.project(&order?).map_err(decode)?;
        }
        out(batch)?;
    }
    Ok(())
}
