//! A reading in progress: frames are gathered to batches, translated on every core, and accounted for in their order.

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::FxHashSet;

use super::reference::Reference;
use super::translate::{Live, Outcome, translate};
use crate::adapters::io::JsonRecord;
use crate::domain::{Reject, RejectCode, Shape};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Extracted, TakeChunk};

/// Most records in a batch, and so in a chunk: enough for every core, little in memory.
const BATCH_RECORDS: usize = 2048;

/// A batch ends early when it holds so many bytes.
const BATCH_BYTES: usize = 1 << 23;

/// Whom Open Charge Map asks to be named, before the data providers.
const CONTRIBUTORS: &str = "Open Charge Map contributors";

/// What was read so far.
pub(super) struct Reading<'a> {
    reference: &'a Reference,
    batch: Vec<JsonRecord>,
    batch_bytes: usize,
    /// Ids handed on. Only a record in use claims its id.
    ids: FxHashSet<i64>,
    providers: BTreeSet<String>,
    /// Connection types that are not known: title and number of connectors.
    unknown_types: BTreeMap<i64, (Option<String>, u64)>,
    malformed: u64,
    extracted: Extracted,
}

impl<'a> Reading<'a> {
    pub(super) fn new(reference: &'a Reference) -> Self {
        Self {
            reference,
            batch: Vec::new(),
            batch_bytes: 0,
            ids: FxHashSet::default(),
            providers: BTreeSet::new(),
            unknown_types: BTreeMap::new(),
            malformed: 0,
            extracted: Extracted::default(),
        }
    }

    /// Takes one more record; hands on a chunk when a batch is full.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub(super) fn add(&mut self, frame: JsonRecord, out: &mut TakeChunk<'_>) -> Result<(), RunError> {
        self.batch_bytes += frame.bytes.len();
        self.batch.push(frame);
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
        let reference = self.reference;
        let translated = batch.par_iter().map(|frame| translate(&frame.place, &frame.bytes, reference));
        let outcomes: Vec<Outcome> = translated.collect();
        self.extracted.read += outcomes.len() as u64;

        let mut chunk = Chunk::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Live(live) => self.keep(*live, &mut chunk),
                Outcome::LeftOut(rule) => self.extracted.left_out.add(rule, 1),
                Outcome::Reject(reject) => {
                    self.malformed += u64::from(reject.code == RejectCode::Malformed);
                    chunk.rejects.push(reject);
                }
            }
        }
        if chunk.features.is_empty() && chunk.rejects.is_empty() { Ok(()) } else { out(chunk) }
    }

    /// Hands on a feature, unless an earlier one has its id.
    fn keep(&mut self, live: Live, chunk: &mut Chunk) {
        let Live { id, feature, provider, unknown_types } = live;
        if !self.ids.insert(id) {
            let position = match &feature.shape {
                Shape::Point(point) => Some((point.x(), point.y())),
                Shape::Area(_) => None,
            };
            let message = format!("an earlier record of the same dump has the id {id}");
            chunk.rejects.push(Reject {
                record_id: feature.id,
                code: RejectCode::RepeatedId,
                position,
                line: None,
                message,
            });
            return;
        }
        self.extracted.vintage = self.extracted.vintage.max(feature.update_time);
        self.providers.extend(provider);
        for (type_id, title) in unknown_types {
            let known = title.or_else(|| self.reference.connection_type(type_id).map(str::to_owned));
            let (title, connectors) = self.unknown_types.entry(type_id).or_default();
            *title = title.take().or(known);
            *connectors += 1;
        }
        chunk.features.push(feature);
    }

    /// Whether there were records, and not one of them had an id.
    pub(super) fn is_all_malformed(&self) -> bool {
        self.extracted.read > 0 && self.extracted.read == self.malformed
    }

    /// A sentence on connection types that are not known.
    pub(super) fn unknown_types(&self) -> Option<String> {
        let described = self.unknown_types.iter().map(|(id, (title, connectors))| {
            let title = title.as_deref().map_or_else(String::new, |title| format!(" ({title})"));
            format!("{connectors} of type {id}{title}")
        });
        let described: Vec<String> = described.collect();
        (!described.is_empty()).then(|| format!("connectors of types that are not known: {}", described.join(", ")))
    }

    /// The account of the whole reading.
    pub(super) fn finish(mut self) -> Extracted {
        let providers = self.providers.iter().map(String::as_str);
        let others = providers.filter(|title| !title.eq_ignore_ascii_case(CONTRIBUTORS));
        let named: Vec<&str> = std::iter::once(CONTRIBUTORS).chain(others).collect();
        self.extracted.attribution = Some(named.join("; "));
        self.extracted
    }
}
