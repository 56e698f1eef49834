//! A source whose features are given.

use crate::domain::{Feature, LeftOut, Reject, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Demand, Extracted, Observer, Source, TakeChunk};

/// Features and rejects to hand on, whatever is wanted.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    /// The source's name.
    pub name: String,
    /// Its features, in order.
    pub features: Vec<Feature>,
    /// Its rejects.
    pub rejects: Vec<Reject>,
    /// Objects it leaves out itself.
    pub left_out: LeftOut,
    /// Its date.
    pub vintage: Option<Timestamp>,
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "memory"
    }

    fn check(&self) -> Result<String, RunError> {
        Ok(format!("{} features", self.features.len()))
    }

    fn read(&self, _: &Demand<'_>, observer: &dyn Observer, out: &mut TakeChunk<'_>) -> Result<Extracted, RunError> {
        out(Chunk { rejects: self.rejects.clone(), ..Chunk::default() })?;
        for features in self.features.chunks(Chunk::MAX) {
            out(Chunk { features: features.to_vec(), ..Chunk::default() })?;
            observer.advance(features.len() as u64);
        }
        Ok(Extracted {
            read: (self.features.len() + self.rejects.len()) as u64 + self.left_out.total(),
            left_out: self.left_out.clone(),
            vintage: self.vintage,
            ..Extracted::default()
        })
    }
}
