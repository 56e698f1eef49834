//! Snapshots as folders of GeoParquet files, one folder per snapshot and a `latest` link that is swapped atomically.

mod boxes;
mod catalogue;
mod error;
mod inspect;
mod kept;
mod layout;
mod metadata;
mod reader;
mod store;
mod wkb;
mod writer;

pub use error::StoreError;
pub use layout::{DEFAULT_ZSTD_LEVEL, GeoParquetVersion, Layout};
pub use reader::SnapshotFolder;
pub use store::FolderStore;
