//! Mapping: what the columns of a table mean, as the pipeline file says it.

use serde::Deserialize;

/// The table `[source.table]` of a pipeline file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {}
