//! Writes one table as a Parquet file: zstd, row groups in the order of the rows, GeoParquet metadata where it has geometries.

use std::fs::File;
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::StoreError;
use super::metadata::GeoColumns;
use crate::pipeline::RunError;
use crate::pipeline::ports::MakeBatch;
use crate::pipeline::tabulate::Table;

/// zstd's own default: smaller levels save little time, larger ones little space (98 MB of tables: 0.9 s at 3, 10 s at 15).
const ZSTD_LEVEL: i32 = 3;

/// Rows in a row group: small enough to skip by box, large enough to compress (GeoParquet's guide says 50,000 to 150,000).
const ROW_GROUP_ROWS: usize = 65_536;

/// Writes the rows and returns their number. The file is complete and on disk when this returns.
pub(super) fn write_table(
    path: &Path,
    table: &Table,
    batches: &mut dyn Iterator<Item = Result<MakeBatch<'_>, RunError>>,
) -> Result<u64, RunError> {
    let wrong = |source| RunError::failed(StoreError::WriteTable { path: path.to_owned(), source });
    let cannot = |source| RunError::failed(StoreError::Write { path: path.to_owned(), source });
    let file = File::create(path).map_err(cannot)?;
    let handle = file.try_clone().map_err(cannot)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("the level is one that zstd has")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("poimill ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(file, table.schema(), Some(properties)).map_err(wrong)?;
    let mut geometries = GeoColumns::of(table);
    let mut count = 0;
    for make in batches {
        let batch = make?()?;
        geometries.see(&batch);
        count += batch.num_rows() as u64;
        writer.write(&batch).map_err(wrong)?;
    }
    let about = serde_json::json!({
        "table": table.name,
        "schema_version": table.schema_version,
        "description": table.doc,
        "columns": table.columns.iter().map(|column| (&column.name, &column.doc)).collect::<std::collections::BTreeMap<_, _>>(),
    });
    writer.append_key_value_metadata(KeyValue::new("poimill".to_owned(), about.to_string()));
    if let Some(geo) = geometries.to_json(table) {
        writer.append_key_value_metadata(KeyValue::new("geo".to_owned(), geo.to_string()));
    }
    writer.close().map_err(wrong)?;
    handle.sync_all().map_err(cannot)?;
    Ok(count)
}
