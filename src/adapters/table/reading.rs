//! A reading in progress: records are gathered to batches, translated on every core, and accounted for in their order.

use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHashMap;

use super::open::{Decoder, Raw};
use super::plan::Plan;
use super::projection::Projection;
use super::translate::{Outcome, translate};
use crate::domain::{ConnectorCodes, Feature, FindingRule, RecordId, Reject, RejectCode, Shape};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Extracted, TakeChunk};

/// Most records in a batch, and so in a chunk: enough for every core, little in memory.
const BATCH_RECORDS: usize = 2_048;

/// A batch ends early when it holds so many bytes.
const BATCH_BYTES: usize = 1 << 23;

/// What is needed to make features of records.
pub(super) struct Means<'a> {
    pub(super) plan: &'a Plan,
    pub(super) decoder: &'a Decoder,
    pub(super) projection: Option<&'a Projection>,
    pub(super) codes: &'a ConnectorCodes,
    pub(super) license: Option<&'a str>,
}

/// The first row of an id: where it is, and a hash of what it says.
struct First {
    line: Option<u64>,
    content: u64,
}

/// What was read so far.
pub(super) struct Reading<'a> {
    means: Means<'a>,
    batch: Vec<Raw>,
    batch_bytes: usize,
    /// Ids handed on. Only a row in use claims its id.
    ids: FxHashMap<RecordId, First>,
    extracted: Extracted,
    /// Fields that are not in the encoding.
    undecoded: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(means: Means<'a>) -> Self {
        Self {
            means,
            batch: Vec::new(),
            batch_bytes: 0,
            ids: FxHashMap::default(),
            extracted: Extracted::default(),
            undecoded: 0,
        }
    }

    /// Takes one more record; hands on a chunk when a batch is full.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub(super) fn add(&mut self, raw: Raw, out: &mut TakeChunk<'_>) -> Result<(), RunError> {
        self.batch_bytes += raw.size_bytes();
        self.batch.push(raw);
        if self.batch.len() >= BATCH_RECORDS || self.batch_bytes >= BATCH_BYTES {
            self.end_batch(out)?;
        }
        Ok(())
    }

    /// Hands on what is left.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub(super) fn end_batch(&mut self, out: &mut TakeChunk<'_>) -> Result<(), RunError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let Means { plan, decoder, codes, license, .. } = self.means;
        let one = |raw| match decoder.row(raw) {
            Ok(row) => translate(plan, row, codes, license),
            Err(reject) => Outcome::Reject(reject),
        };
        let outcomes: Vec<Outcome> = batch.into_par_iter().map(one).collect();
        self.extracted.read += outcomes.len() as u64;

        let mut chunk = Chunk::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Kept(feature) => self.keep(*feature, &mut chunk),
                Outcome::LeftOut(rule) => self.extracted.left_out.add(rule, 1),
                Outcome::Reject(reject) => chunk.rejects.push(reject),
            }
        }
        if chunk.features.is_empty() && chunk.rejects.is_empty() { Ok(()) } else { out(chunk) }
    }

    /// Hands on a feature, unless an earlier one has its id.
    fn keep(&mut self, feature: Feature, chunk: &mut Chunk) {
        let feature = match self.means.projection {
            None => feature,
            Some(projection) => match projection.moved(feature) {
                Ok(feature) => feature,
                Err(reject) => return chunk.rejects.push(reject),
            },
        };
        let mut hasher = DefaultHasher::new();
        feature.raw.hash(&mut hasher);
        let content = hasher.finish();
        match self.ids.entry(feature.id.clone()) {
            Entry::Vacant(free) => {
                free.insert(First { line: feature.line, content });
            }
            Entry::Occupied(taken) => {
                let first = taken.get();
                let place = first.line.map_or_else(String::new, |line| format!(" (line {line})"));
                let how =
                    if first.content == content { "is equal to it in every column" } else { "says something else" };
                let message = format!("an earlier row{place} has the id {} too, and this one {how}", feature.id);
                chunk.rejects.push(repeated(feature, message));
                return;
            }
        }
        let is_undecoded = |rule: FindingRule| rule == FindingRule::InvalidEncoding;
        self.undecoded += feature.findings.iter().filter(|finding| is_undecoded(finding.rule)).count() as u64;
        self.extracted.vintage = self.extracted.vintage.max(feature.update_time);
        chunk.features.push(feature);
    }

    /// A sentence on fields that are not in the encoding.
    pub(super) fn undecoded(&self) -> Option<String> {
        let fields = self.undecoded;
        (fields > 0).then(|| {
            format!(
                "{fields} fields are not in the encoding of the file and are left out; is its `encoding` another one?"
            )
        })
    }

    /// What the source says about itself, without its files.
    pub(super) fn finish(self) -> Extracted {
        self.extracted
    }
}

fn repeated(feature: Feature, message: String) -> Reject {
    let position = match &feature.shape {
        Shape::Point(point) => Some((point.x(), point.y())),
        Shape::Area(_) => None,
    };
    Reject { record_id: feature.id, code: RejectCode::RepeatedId, position, line: feature.line, message }
}
