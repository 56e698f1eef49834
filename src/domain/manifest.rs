//! Manifest: how a snapshot was made and what is in it. Everything here depends on inputs, settings, version and base only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SelfEvaluation, Timestamp};

/// The contents of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's own layout.
    pub schema_version: u32,
    /// The snapshot's id: vintage and first eight hex digits of the content hash.
    pub snapshot: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The snapshot that the changes start from. `None` for the first.
    pub base: Option<String>,
    /// Newest of the inputs' own dates. `None` when none has one.
    pub vintage: Option<Timestamp>,
    /// SHA-256 over the sorted (table, SHA-256) pairs and the base's id, in hex.
    pub content_hash: String,
    /// What made it.
    pub versions: Versions,
    /// Settings that shape the result, as the pipeline file and the flags gave them; no secrets, no paths.
    pub settings: serde_json::Value,
    /// Per source, in order: its files and what became of its objects.
    pub sources: Vec<SourceAccount>,
    /// Per layer, in order: what became of the objects of its source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerAccount>,
    /// Counts of conflation, identity and change, by rule.
    pub counts: BTreeMap<String, u64>,
    /// How good the matcher is on these records. Missing in snapshots of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_evaluation: Option<SelfEvaluation>,
    /// Tables by path without ending, e.g. `places`, `changes/places`.
    pub tables: BTreeMap<String, TableFile>,
    /// Why the gate held the snapshot back. Empty: it was published. What a person released keeps it, as history.
    #[serde(default)]
    pub held: Vec<String>,
}

/// A person published a snapshot that the gate had held back. Kept beside the manifest, in `released.json`: it tells of
/// the clock, and the manifest goes on to say why the snapshot was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The snapshot.
    pub snapshot: String,
    /// When.
    pub released_at: Timestamp,
    /// The snapshot that was the latest until then. `None` where there was none.
    pub after: Option<String>,
}

/// Versions that shaped a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Version of poimill.
    pub poimill: String,
}

/// One source's account: read = kept + rejected + left out, in objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAccount {
    /// The source's name in the pipeline file.
    pub name: String,
    /// Its kind, e.g. `osm_pbf`.
    pub kind: String,
    /// Its files.
    pub inputs: Vec<Input>,
    /// The source's own date.
    pub vintage: Option<Timestamp>,
    /// Who must be named.
    pub attribution: Option<String>,
    /// Licences met, with the number of kept records under each; the empty name stands for records that state none.
    pub licenses: BTreeMap<String, u64>,
    /// Objects read.
    pub read: u64,
    /// Objects that are part of a place in this snapshot.
    pub kept: u64,
    /// Objects rejected, by code.
    pub rejected: BTreeMap<String, u64>,
    /// Objects left out, by rule.
    pub left_out: BTreeMap<String, u64>,
    /// Repairs made to kept records, by rule.
    pub repaired: BTreeMap<String, u64>,
    /// Values of kept records that were dropped or doubted, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<String, u64>,
    /// Kept records that give their place nothing, because others have an open licence and theirs is none, by licence; the
    /// empty name stands for records that state none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_out: BTreeMap<String, u64>,
    /// Objects read by kind, e.g. `node`; empty where the source has but one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<String, u64>,
    /// What the input says of itself, e.g. where its updates are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stated: BTreeMap<String, String>,
}

/// One layer's account: read = kept + rejected + left out, in objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerAccount {
    /// The layer's name in the pipeline file.
    pub name: String,
    /// The source it is read from.
    pub source: String,
    /// Objects read.
    pub read: u64,
    /// Objects with at least one row.
    pub kept: u64,
    /// Rows; an object that is both a line and an area has two.
    pub rows: u64,
    /// Objects without a row that were rejected.
    pub rejected: u64,
    /// Rejects by code; an object that lost one of two rows is among them too.
    pub rejects: BTreeMap<String, u64>,
    /// Objects left out, by rule.
    pub left_out: BTreeMap<String, u64>,
    /// Rows whose geometry was repaired, by rule.
    pub repaired: BTreeMap<String, u64>,
    /// Values that could not be read as the type of their promoted column, by column; the map of tags has them.
    pub unreadable: BTreeMap<String, u64>,
}

impl LayerAccount {
    /// Whether every object is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.read == self.kept + self.rejected + self.left_out.values().sum::<u64>() && self.kept <= self.rows
    }
}

impl SourceAccount {
    /// Whether every object is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.read == self.kept + self.rejected.values().sum::<u64>() + self.left_out.values().sum::<u64>()
    }
}

/// An input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// File name without folders.
    pub name: String,
    /// Size.
    pub size_bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// A table of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Version of the table's columns.
    pub schema_version: u32,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}
