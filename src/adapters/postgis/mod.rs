//! PostGIS: brings a database to a snapshot, in short transactions, with history and a feed of changes.
//!
//! Schema `poimill` (numbered migrations under `sql/migrations`): `place` and `place_source`, list-partitioned by
//! pipeline, `place_history`, `change` (the feed) and `run` (the ledger that says where a pipeline stands).
//!
//! - **Order of locks**, the same in every load: the pipeline's, then rows, then the feed's, then, for a swap of
//!   partitions only, the tables'. The feed's is held until commit, so its numbers grow in the order of commits.
//! - A pipeline has one leaf table, whatever its size; sub-partitions by hash of id are not there yet.

mod changes;
mod connection;
mod copy;
mod encoder;
mod encoder_json;
mod error;
mod journal;
mod migrate;
mod names;
mod replace;
mod sink;

pub use error::PostGisError;
pub use sink::{LoadMode, PostGis};
