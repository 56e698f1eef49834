//! What a PBF file says of itself in its first blob.

use std::path::Path;

use osmpbf::{BlobReader, HeaderBlock};

use super::file::raw_frame;
use super::{Fault, OsmError};
use crate::domain::Timestamp;

/// Full history: several versions of an object, deleted ones among them.
const HISTORY: &str = "HistoricalInformation";

/// Features a reader must know, and this one does.
const KNOWN: [&str; 2] = ["OsmSchema-V0.6", "DenseNodes"];

/// Decodes an inflated header block.
pub(super) fn decode(raw: &[u8]) -> Result<HeaderBlock, Fault> {
    let frame = raw_frame("OSMHeader", raw);
    let blob = BlobReader::new(frame.as_slice()).next().ok_or(Fault::CutOff)?.map_err(Fault::decode)?;
    blob.to_headerblock().map_err(Fault::decode)
}

/// Refuses a file that requires more of its reader than this one can.
pub(super) fn check_features(header: &HeaderBlock, path: &Path) -> Result<(), OsmError> {
    for feature in header.required_features() {
        if feature == HISTORY {
            return Err(OsmError::FullHistory { path: path.to_owned() });
        }
        if !KNOWN.contains(&feature.as_str()) {
            return Err(OsmError::Feature { path: path.to_owned(), feature: feature.clone() });
        }
    }
    Ok(())
}

/// The date of the data, where the file states one.
pub(super) fn vintage(header: &HeaderBlock) -> Option<Timestamp> {
    header.osmosis_replication_timestamp().filter(|seconds| *seconds > 0).and_then(|s| Timestamp::from_second(s).ok())
}
