//! Records: what all sources say, for as long as a run lasts.
//!
//! What every stage looks at stays in memory, about 120 bytes a record; the record itself waits as bytes, in memory as far
//! as they may be held, then in a scratch file. So a run needs memory for the places of a region, not for all that is
//! known of them.

use std::io::{BufWriter, Write};
use std::sync::{PoisonError, RwLock};

use rayon::prelude::*;

use super::RunError;
use super::ports::{ReadAt, Scratch, Spill};
use crate::domain::{FindingRule, LonLat, Record, RecordKey};

/// Bytes that are allocated at once.
const BLOCK_BYTES: usize = 8 << 20;

/// Buffer before the scratch file.
const FILE_BUFFER_BYTES: usize = 1 << 20;

/// What of a record stays in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Which record.
    pub key: RecordKey,
    /// Where it is.
    pub position: LonLat,
    /// By which rules there are findings, each as often as there are.
    pub findings: Box<[FindingRule]>,
    /// Those of its parts.
    pub parts: Box<[Outline]>,
    /// Its licence, as an index into [`Records::licenses`].
    pub license: usize,
    /// Where its bytes are; a part is with its whole.
    bytes: Span,
}

/// Where bytes lie, counted as if all were in one piece.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    begin: u64,
    length: u32,
}

impl Outline {
    fn of(record: &Record, licenses: &StatedLicenses) -> Self {
        Self {
            key: record.key.clone(),
            position: record.position,
            findings: record.findings.iter().map(|finding| finding.rule).collect(),
            parts: record.parts.iter().map(|part| Self::of(part, licenses)).collect(),
            license: licenses.index_of(record.license.as_deref()),
            bytes: Span::default(),
        }
    }

    /// The record and its parts.
    pub fn with_parts(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.parts)
    }
}

/// Licences as sources name them, few; in any order, because all threads add to them.
#[derive(Default)]
struct StatedLicenses(RwLock<Vec<Option<Box<str>>>>);

impl StatedLicenses {
    fn index_of(&self, license: Option<&str>) -> usize {
        let find = |known: &[Option<Box<str>>]| known.iter().position(|known| known.as_deref() == license);
        let at = find(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        at.unwrap_or_else(|| {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have been quicker.
            find(&known).unwrap_or_else(|| {
                known.push(license.map(Into::into));
                known.len() - 1
            })
        })
    }
}

/// Records in the order in which they came, until [`Incoming::sorted`].
#[derive(Default)]
pub(super) struct Incoming {
    outlines: Vec<Outline>,
    licenses: StatedLicenses,
    in_memory: Vec<Block>,
    memory_bytes: u64,
    file: Option<BufWriter<Box<dyn Spill>>>,
    end: u64,
}

/// Whole records, one after the other.
struct Block {
    begin: u64,
    bytes: Vec<u8>,
}

impl Incoming {
    /// Records of which so many bytes may be held in memory.
    #[must_use]
    pub(super) fn within(memory_bytes: u64) -> Self {
        Self { memory_bytes, ..Self::default() }
    }

    /// Takes records.
    ///
    /// # Errors
    ///
    /// When the scratch file cannot be written.
    pub(super) fn extend(&mut self, records: Vec<Record>, scratch: &dyn Scratch) -> Result<(), RunError> {
        let licenses = &self.licenses;
        let encode = |record: Record| Ok((Outline::of(&record, licenses), postcard::to_allocvec(&record)?));
        let encoded: Vec<(Outline, Vec<u8>)> =
            records.into_par_iter().map(encode).collect::<postcard::Result<_>>().map_err(RunError::failed)?;
        for (mut outline, bytes) in encoded {
            let length = u32::try_from(bytes.len())
                .map_err(|_| RunError::failed(format!("record {} is larger than 4 GB", outline.key.id)))?;
            outline.bytes = Span { begin: self.end, length };
            self.keep(&bytes, scratch)?;
            self.outlines.push(outline);
        }
        Ok(())
    }

    fn keep(&mut self, encoded: &[u8], scratch: &dyn Scratch) -> Result<(), RunError> {
        let begin = self.end;
        self.end += encoded.len() as u64;
        if self.file.is_none() && self.end <= self.memory_bytes {
            match self.in_memory.last_mut() {
                Some(block) if block.bytes.len() + encoded.len() <= BLOCK_BYTES => {
                    block.bytes.extend_from_slice(encoded);
                }
                _ => {
                    let mut bytes = Vec::with_capacity(BLOCK_BYTES.max(encoded.len()));
                    bytes.extend_from_slice(encoded);
                    self.in_memory.push(Block { begin, bytes });
                }
            }
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::with_capacity(FILE_BUFFER_BYTES, scratch.create("records")?)),
        };
        file.write_all(encoded).map_err(RunError::failed)
    }

    /// How many there are.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.outlines.len()
    }

    /// Forgets all but the first `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        self.outlines.truncate(len);
    }

    /// The records in the order of their keys.
    ///
    /// # Errors
    ///
    /// When two have the same key, or the scratch file cannot be read.
    pub(super) fn sorted(self) -> Result<Records, RunError> {
        let Self { mut outlines, licenses, in_memory, file, .. } = self;
        outlines.par_sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if let Some([twice, _]) = outlines.array_windows().find(|[a, b]| a.key == b.key) {
            let RecordKey { dataset, id } = &twice.key;
            return Err(RunError::failed(format!("source {dataset} handed on record {id} twice")));
        }
        let in_file = match file {
            None => None,
            Some(file) => {
                let file = file.into_inner().map_err(|error| RunError::failed(error.into_error()))?;
                Some(file.read_anywhere()?)
            }
        };
        let licenses = licenses.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Records { outlines, licenses, in_memory, in_file })
    }
}

/// Records in the order of their keys, each key once.
#[derive(Default)]
pub struct Records {
    outlines: Vec<Outline>,
    licenses: Vec<Option<Box<str>>>,
    in_memory: Vec<Block>,
    in_file: Option<Box<dyn ReadAt>>,
}

impl Records {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outlines.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outlines.is_empty()
    }

    /// What of each stays in memory.
    #[must_use]
    pub fn outlines(&self) -> &[Outline] {
        &self.outlines
    }

    /// The licences, as sources name them.
    #[must_use]
    pub fn licenses(&self) -> &[Option<Box<str>>] {
        &self.licenses
    }

    /// The whole record, with its parts.
    ///
    /// # Errors
    ///
    /// When the scratch file cannot be read.
    pub fn read(&self, at: usize) -> Result<Record, RunError> {
        let Span { begin, length } = self.outlines[at].bytes;
        let end = |block: &Block| block.begin + block.bytes.len() as u64;
        let block = self.in_memory.partition_point(|block| end(block) <= begin);
        if let Some(Block { begin: first, bytes }) = self.in_memory.get(block) {
            let begin = (begin - first) as usize;
            return postcard::from_bytes(&bytes[begin..begin + length as usize]).map_err(RunError::failed);
        }
        let file = self.in_file.as_ref().ok_or_else(|| RunError::failed("a record is nowhere"))?;
        let in_file = begin - self.in_memory.last().map_or(0, end);
        let mut bytes = vec![0; length as usize];
        file.read_at(in_file, &mut bytes)?;
        postcard::from_bytes(&bytes).map_err(RunError::failed)
    }
}

impl std::ops::Index<usize> for Records {
    type Output = Outline;

    fn index(&self, at: usize) -> &Outline {
        &self.outlines[at]
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use tests::in_memory;
