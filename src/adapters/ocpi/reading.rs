//! A reading in progress: records are gathered to batches, translated on every core, and accounted for in their order.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::FxHashSet;

use super::location::{Outcome, translate};
use crate::adapters::io::JsonRecord;
use crate::domain::{ConnectorCodes, Feature, RecordId, Reject, RejectCode, Shape, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Extracted, TakeChunk};

/// Most records in a batch: enough for every core, little in memory.
const BATCH_RECORDS: usize = 2048;

/// A batch ends early when it holds so many bytes.
const BATCH_BYTES: usize = 1 << 23;

/// What was read so far.
pub(super) struct Reading<'a> {
    codes: &'a ConnectorCodes,
    license: Option<&'a str>,
    batch: Vec<JsonRecord>,
    batch_bytes: usize,
    /// Ids handed on. Only a location in use claims its id.
    ids: FxHashSet<RecordId>,
    malformed: u64,
    /// The first answer that says that there are no locations.
    refusal: Option<(i64, String)>,
    extracted: Extracted,
}

impl<'a> Reading<'a> {
    /// A reading of locations that come under `license`.
    pub(super) fn new(codes: &'a ConnectorCodes, license: Option<&'a str>) -> Self {
        Self {
            codes,
            license,
            batch: Vec::new(),
            batch_bytes: 0,
            ids: FxHashSet::default(),
            malformed: 0,
            refusal: None,
            extracted: Extracted::default(),
        }
    }

    /// Takes one more record; hands on chunks when a batch is full.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub(super) fn add(&mut self, record: JsonRecord, out: &mut TakeChunk<'_>) -> Result<(), RunError> {
        self.batch_bytes += record.bytes.len();
        self.batch.push(record);
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
        let codes = self.codes;
        let outcomes: Vec<Vec<Outcome>> = batch.par_iter().map(|record| translate(record, codes)).collect();

        let mut chunk = Chunk::default();
        for outcome in outcomes.into_iter().flatten() {
            self.account(outcome, &mut chunk);
            // An answer in an array may hold any number of locations.
            if chunk.features.len() >= Chunk::MAX {
                out(std::mem::take(&mut chunk))?;
            }
        }
        if chunk.features.is_empty() && chunk.rejects.is_empty() { Ok(()) } else { out(chunk) }
    }

    fn account(&mut self, outcome: Outcome, chunk: &mut Chunk) {
        self.extracted.read += u64::from(!matches!(outcome, Outcome::Refused(..)));
        match outcome {
            Outcome::Live(feature) => self.keep(*feature, chunk),
            Outcome::LeftOut(rule) => self.extracted.left_out.add(rule, 1),
            Outcome::Reject(reject) => {
                self.malformed += u64::from(reject.code == RejectCode::Malformed);
                chunk.rejects.push(reject);
            }
            Outcome::Refused(code, message) => self.refusal = self.refusal.take().or(Some((code, message))),
        }
    }

    /// Hands on a feature, unless an earlier one has its id.
    fn keep(&mut self, mut feature: Feature, chunk: &mut Chunk) {
        if !self.ids.insert(feature.id.clone()) {
            let position = match &feature.shape {
                Shape::Point(point) => Some((point.x(), point.y())),
                Shape::Area(_) => None,
            };
            let message = format!("an earlier location of the same feed has the id {}", feature.id);
            let (record_id, code) = (feature.id, RejectCode::RepeatedId);
            chunk.rejects.push(Reject { record_id, code, position, line: feature.line, message });
            return;
        }
        self.extracted.vintage = self.extracted.vintage.max(feature.update_time);
        feature.license = self.license.map(Into::into);
        chunk.features.push(feature);
    }

    /// Why there are no locations, where the server says so.
    pub(super) fn refusal(&mut self) -> Option<(i64, String)> {
        self.refusal.take()
    }

    /// Whether nothing was read.
    pub(super) fn is_empty(&self) -> bool {
        self.extracted.read == 0
    }

    /// Whether there were records, and not one of them could be read as a location.
    pub(super) fn is_all_malformed(&self) -> bool {
        self.extracted.read > 0 && self.extracted.read == self.malformed
    }

    /// The account of the whole reading. `answered` is when the server says that it answered.
    pub(super) fn finish(mut self, answered: Option<Timestamp>) -> Extracted {
        self.extracted.vintage = answered.or(self.extracted.vintage);
        self.extracted
    }
}
