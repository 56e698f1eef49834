//! Writes one table as a Parquet file: zstd, a row group per batch, GeoParquet metadata where it has geometries.
//! [`layout`](super::layout) says how each column lies in it.
//!
//! Batches are made and encoded by all threads, a few at a time, and appended in their order by the thread that asked,
//! which also hashes the file. A row group depends on its batch alone, so threads decide on no byte.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvError, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::layout::Layout;
use super::metadata::{GeoColumns, about};
use crate::domain::{TableFile, hex};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Credits, MakeBatch};
use crate::pipeline::tabulate::Table;

/// Row groups in the making beyond one for each thread, so that none waits while another is appended.
const AHEAD: usize = 1;

/// Writes the rows and describes the file, which is complete and on disk when this returns.
pub(super) fn write_table(
    path: &Path,
    table: &Table,
    layout: Layout,
    credits: &Credits,
    batches: &mut dyn Iterator<Item = Result<MakeBatch<'_>, RunError>>,
) -> Result<TableFile, RunError> {
    let cannot = |source| RunError::failed(StoreError::Write { path: path.to_owned(), source });
    let disk = Disk::default();
    let file = HashedFile { file: File::create(path).map_err(cannot)?, hasher: Sha256::new(), disk: disk.clone() };
    let wrong = |source| match disk.failed() {
        Some(failed) => cannot(failed),
        None => RunError::failed(StoreError::WriteTable { path: path.to_owned(), source }),
    };
    let schema = layout.stored(&table.schema()).map_err(wrong)?;
    // Parquet's own types say everything; where there is Arrow's schema too, pyarrow shows none of the keys of the file.
    let options = ArrowWriterOptions::new()
        .with_skip_arrow_metadata(true)
        .with_properties(layout.properties(table, &schema).map_err(wrong)?)
        .with_parquet_schema(layout.parquet_schema(table, &schema).map_err(wrong)?);
    let writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), options).map_err(wrong)?;
    let (mut writer, factory) = writer.into_serialized_writer().map_err(wrong)?;
    let mut geometries = GeoColumns::of(table);
    let mut rows = 0;
    let mut append = |group: RowGroup, writer: &mut SerializedFileWriter<HashedFile>| {
        rows += group.rows;
        geometries.merge(&group.geometries);
        group.append_to(writer).map_err(wrong)
    };

    rayon::in_place_scope(|scope| -> Result<(), RunError> {
        let mut waiting: VecDeque<Receiver<Result<RowGroup, RunError>>> = VecDeque::new();
        let (factory, wrong) = (&factory, &wrong);
        for (at, make) in batches.enumerate() {
            let make = make?;
            let (done, group) = channel();
            scope.spawn(move |_| {
                let group =
                    make().and_then(|batch| RowGroup::encode(table, &batch, layout, factory, at).map_err(wrong));
                // Nobody listens when another group has failed.
                done.send(group).ok();
            });
            waiting.push_back(group);
            if waiting.len() > rayon::current_num_threads() + AHEAD
                && let Some(first) = waiting.pop_front()
            {
                append(wait(&first)?, &mut writer)?;
            }
        }
        waiting.iter().try_for_each(|group| append(wait(group)?, &mut writer))
    })?;

    writer.append_key_value_metadata(KeyValue::new("poimill".to_owned(), about(table, &schema, credits).to_string()));
    if let Some(geo) = geometries.to_json(layout.version) {
        writer.append_key_value_metadata(KeyValue::new("geo".to_owned(), geo.to_string()));
    }
    let HashedFile { file, hasher, .. } = writer.into_inner().map_err(wrong)?;
    file.sync_all().map_err(cannot)?;
    Ok(TableFile { schema_version: table.schema_version, rows, sha256: hex(&hasher.finalize()) })
}

/// A row group, encoded and not yet in a file.
struct RowGroup {
    columns: Vec<ArrowColumnChunk>,
    rows: u64,
    geometries: GeoColumns,
}

impl RowGroup {
    fn encode(
        table: &Table,
        batch: &RecordBatch,
        layout: Layout,
        factory: &ArrowRowGroupWriterFactory,
        at: usize,
    ) -> Result<Self, ParquetError> {
        let mut geometries = GeoColumns::of(table);
        geometries.see(batch);
        let batch = layout.stored_batch(batch)?;
        let schema = batch.schema();
        let fields: Vec<_> = schema.fields().iter().zip(batch.columns()).collect();
        let leaves: Vec<_> =
            fields.into_par_iter().map(|(field, column)| compute_leaves(field, column)).collect::<Result<_, _>>()?;
        let writers = factory.create_column_writers(at)?;
        let columns = writers.into_par_iter().zip(leaves.into_par_iter().flatten_iter().collect::<Vec<_>>());
        let columns = columns.map(|(mut writer, leaf)| {
            writer.write(&leaf)?;
            let mut chunk = writer.close()?;
            layout.add_statistics(&geometries, chunk.close_mut())?;
            Ok(chunk)
        });
        let columns = columns.collect::<Result<_, ParquetError>>()?;
        Ok(Self { columns, rows: batch.num_rows() as u64, geometries })
    }

    fn append_to(self, writer: &mut SerializedFileWriter<HashedFile>) -> Result<(), ParquetError> {
        let mut group = writer.next_row_group()?;
        for column in self.columns {
            column.append_to_row_group(&mut group)?;
        }
        group.close().map(|_| ())
    }
}

/// Waits for a row group; a thread of the pool helps to make it, so that it can also be the only one.
fn wait(group: &Receiver<Result<RowGroup, RunError>>) -> Result<RowGroup, RunError> {
    let received = if rayon::current_thread_index().is_none() {
        group.recv()
    } else {
        loop {
            match group.try_recv() {
                Ok(received) => break Ok(received),
                Err(TryRecvError::Disconnected) => break Err(RecvError),
                Err(TryRecvError::Empty) => {
                    rayon::yield_now();
                }
            }
        }
    };
    // A panic in a task goes on in this thread as soon as the scope ends.
    received.map_err(RunError::failed)?
}

/// A file whose content is hashed on its way.
struct HashedFile {
    file: File,
    hasher: Sha256,
    disk: Disk,
}

/// How the disk failed, if it did: the Parquet library keeps no more of it than a text, and not always that.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Option<io::Error>>>);

impl Disk {
    fn failed(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps an error, unless the call is to be made again; returns one of its kind.
    fn keep(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        if kind != io::ErrorKind::Interrupted {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        kind.into()
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).map_err(|error| self.disk.keep(error))?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
