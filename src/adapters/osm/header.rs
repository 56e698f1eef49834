//! What a PBF file says of itself in its first blob. Decoded by `osmpbf`: once per file, where its speed does not matter.

use std::collections::BTreeMap;
use std::path::Path;

use osmpbf::{BlobReader, HeaderBlock};

use super::file::raw_frame;
use super::{Fault, OsmError};
use crate::domain::Timestamp;

/// Full history: several versions of an object, deleted ones among them.
const HISTORY: &str = "HistoricalInformation";

/// Features a reader must know, and this one does.
const KNOWN: [&str; 3] = ["OsmSchema-V0.6", "DenseNodes", LOCATED_WAYS];

/// Positions of nodes are stated with the ways.
const LOCATED_WAYS: &str = "LocationsOnWays";

/// What matters of a file's header.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Header {
    /// The date of the data.
    pub(super) vintage: Option<Timestamp>,
    /// The update that the file stands at.
    pub(super) sequence: Option<u64>,
    /// Whether positions of nodes are stated with the ways.
    pub(super) located_ways: bool,
    /// All of it as texts by name, for the manifest.
    pub(super) stated: BTreeMap<String, String>,
}

impl Header {
    pub(super) fn of(block: &HeaderBlock) -> Self {
        let vintage = block.osmosis_replication_timestamp().filter(|seconds| *seconds > 0);
        let vintage = vintage.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let sequence = block.osmosis_replication_sequence_number().and_then(|number| u64::try_from(number).ok());
        let bbox = block.bbox().map(|b| {
            // Billionths of a degree, of which nobody writes more than seven digits.
            let edge = |degrees: f64| (degrees * 1e7).round() / 1e7;
            format!("{},{},{},{}", edge(b.left), edge(b.bottom), edge(b.right), edge(b.top))
        });
        let features = block.optional_features();
        let stated = [
            ("bbox", bbox),
            ("features", (!features.is_empty()).then(|| features.join(","))),
            ("replication_sequence", sequence.map(|number| number.to_string())),
            ("replication_timestamp", vintage.map(|vintage| vintage.to_string())),
            ("replication_url", block.osmosis_replication_base_url().map(str::to_owned)),
            ("writing_program", block.writing_program().map(str::to_owned)),
        ];
        let stated = stated.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
        let located_ways = features.iter().any(|feature| feature == LOCATED_WAYS);
        Self { vintage, sequence, located_ways, stated: stated.filter(|(_, text)| !text.is_empty()).collect() }
    }
}

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
