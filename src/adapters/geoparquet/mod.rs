//! Snapshots as folders of GeoParquet 1.1 files, one folder per snapshot and a `latest` link that is swapped atomically.

mod catalogue;
mod error;
mod inspect;
mod kept;
mod metadata;
mod reader;
mod store;
mod wkb;
mod writer;

pub use error::StoreError;
pub use reader::SnapshotFolder;
pub use store::FolderStore;
pub use writer::DEFAULT_ZSTD_LEVEL;
