//! Snapshots as folders of GeoParquet files.
