//! A reading in progress: frames are gathered to batches, translated on every core, and accounted for in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::FxHashMap;

use super::csv::Row;
use super::providers::Provider;
use super::translate::{Live, Outcome, Scratch, Words, malformed, translate};
use crate::domain::{Reject, RejectCode, Shape};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Extracted, TakeChunk};

/// Most records in a batch, and so in a chunk: enough for every core, little in memory.
const BATCH_RECORDS: usize = 2048;

/// A batch ends early when it holds so many bytes.
const BATCH_BYTES: usize = 1 << 23;

/// Whom Open Charge Map asks to be named, before the data providers.
const CONTRIBUTORS: &str = "Open Charge Map contributors";

/// Numbers that were met, 64 neighbours in one word: ids of a dump lie close together.
#[derive(Debug, Default)]
struct Ids(FxHashMap<i64, u64>);

impl Ids {
    /// Whether the number is new.
    fn insert(&mut self, id: i64) -> bool {
        let word = self.0.entry(id >> 6).or_default();
        let bit = 1 << (id & 63);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

/// What was read so far.
pub(super) struct Reading<'a> {
    words: Words<'a>,
    batch: Vec<Row>,
    /// Memory of records that were translated.
    used: Vec<Vec<u8>>,
    batch_bytes: usize,
    /// Ids handed on. Only a record in use claims its id.
    ids: Ids,
    providers: BTreeSet<Arc<Provider>>,
    /// Whom records themselves ask to be named.
    attributions: BTreeSet<String>,
    /// Connection types that are not known: title and number of connectors.
    unknown_types: BTreeMap<String, (Option<String>, u64)>,
    malformed: u64,
    extracted: Extracted,
}

impl<'a> Reading<'a> {
    pub(super) fn new(words: Words<'a>) -> Self {
        Self {
            words,
            batch: Vec::new(),
            used: Vec::new(),
            batch_bytes: 0,
            ids: Ids::default(),
            providers: BTreeSet::new(),
            attributions: BTreeSet::new(),
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
    pub(super) fn add(&mut self, row: Row, out: &mut TakeChunk<'_>) -> Result<(), RunError> {
        self.batch_bytes += row.as_ref().map_or(0, |frame| frame.bytes.len());
        self.batch.push(row);
        if self.batch.len() >= BATCH_RECORDS || self.batch_bytes >= BATCH_BYTES {
            self.end_batch(out)?;
        }
        Ok(())
    }

    /// The memory of records that were translated since the last call, for the next ones.
    pub(super) fn take_used(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.used)
    }

    /// Hands on what is left.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub(super) fn end_batch(&mut self, out: &mut TakeChunk<'_>) -> Result<(), RunError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let words = self.words;
        let translated = batch.par_iter().map_init(Scratch::default, |scratch, row| match row {
            Ok(frame) => translate(frame, words, scratch),
            Err((frame, message)) => malformed(frame, message.clone()),
        });
        let outcomes: Vec<Outcome> = translated.collect();
        self.used.extend(batch.into_iter().flatten().map(|frame| frame.bytes));
        self.extracted.read += outcomes.len() as u64;

        let mut chunk = Chunk::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Live(live) => self.keep(live, &mut chunk),
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
        let Live { id, feature, provider, attribution, unknown_types } = live;
        // A delisted listing claims no id: the live one of that id may come behind it.
        if feature.duplicate_of.is_none() && !self.ids.insert(id) {
            let position = match &feature.shape {
                Shape::Point(point) => Some((point.x(), point.y())),
                Shape::Area(_) => None,
            };
            let message = format!("an earlier record of the same dump has the id {id}");
            chunk.rejects.push(Reject {
                record_id: feature.id,
                code: RejectCode::RepeatedId,
                position,
                line: feature.line,
                message,
            });
            return;
        }
        self.extracted.vintage = self.extracted.vintage.max(feature.update_time);
        if !self.providers.contains(&provider) {
            self.providers.insert(provider);
        }
        if let Some(attribution) = attribution.filter(|attribution| !self.attributions.contains(attribution)) {
            self.attributions.insert(attribution);
        }
        for (code, title) in unknown_types {
            let by_number = |code: &str| self.words.reference.connection_type(code.parse().ok()?);
            let known = title.or_else(|| by_number(&code).map(str::to_owned));
            let (title, connectors) = self.unknown_types.entry(code).or_default();
            *title = title.take().or(known);
            *connectors += 1;
        }
        chunk.features.push(feature);
    }

    /// Whether there were records, and not one of them had an id.
    pub(super) fn is_all_malformed(&self) -> bool {
        self.extracted.read > 0 && self.extracted.read == self.malformed
    }

    /// Sentences on what a person should know of the whole dump: connection types that are not known, providers whose licence
    /// is not what it is said to be.
    pub(super) fn notes(&self) -> Vec<String> {
        let described = self.unknown_types.iter().map(|(code, (title, connectors))| {
            let title = title.as_deref().map_or_else(String::new, |title| format!(" ({title})"));
            format!("{connectors} of type {code}{title}")
        });
        let described: Vec<String> = described.collect();
        let unknown = (!described.is_empty())
            .then(|| format!("connectors of types that are not known: {}", described.join(", ")));
        unknown.into_iter().chain(self.providers.iter().filter_map(|provider| provider.contradiction())).collect()
    }

    /// The account of the whole reading.
    pub(super) fn finish(mut self) -> Extracted {
        let titles: BTreeSet<&str> = self.providers.iter().filter_map(|provider| provider.title.as_deref()).collect();
        let others = titles.into_iter().filter(|title| !title.eq_ignore_ascii_case(CONTRIBUTORS));
        let attributions = self.attributions.iter().map(String::as_str);
        let named: Vec<&str> = std::iter::once(CONTRIBUTORS).chain(others).chain(attributions).collect();
        self.extracted.attribution = Some(named.join("; "));
        self.extracted
    }
}
