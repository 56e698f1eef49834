//! Labelled pairs: records, and which two of them are one place, as somebody said.

use rayon::prelude::*;

use super::Judged;
use crate::domain::Record;
use crate::domain::Taxonomy;
use crate::pipeline::conflate::{Compared, Corpus, Score, candidates};

/// Two records and the truth about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledPair {
    /// Their indices in the set's records.
    pub pair: (usize, usize),
    /// Whether they are one place.
    pub is_match: bool,
}

/// Why a pair was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOutPair {
    /// A record has no position on Earth.
    NoPosition,
    /// The label is none.
    Label,
    /// The line has not the columns of the others.
    Malformed,
    /// The same pair with the same label stands further up.
    Repeated,
    /// The same pair with the other label stands further up.
    Contradicted,
    /// A record is in no table.
    UnknownRecord,
}

impl LeftOutPair {
    /// What is wrong with it, behind a number of pairs.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Self::NoPosition => "without a position on Earth",
            Self::Label => "with a label that is neither a match nor a miss",
            Self::Malformed => "on lines without two records and a label",
            Self::Repeated => "that repeat an earlier one",
            Self::Contradicted => "that contradict an earlier one",
            Self::UnknownRecord => "of records that the tables do not have",
        }
    }
}

/// Labelled pairs and their records. Records of the first side have dataset 0, those of the second dataset 1.
#[derive(Debug, Default)]
pub struct LabelledSet {
    /// The records, each once.
    pub records: Vec<Record>,
    /// The pairs, each once, in the order they were read.
    pub pairs: Vec<LabelledPair>,
}

impl LabelledSet {
    /// Pairs to compare, sorted: the labelled ones and all candidates, which are their rivals.
    #[must_use]
    pub fn compared(&self, corpus: &Corpus, taxonomy: &Taxonomy) -> Vec<(usize, usize)> {
        let mut pairs = candidates(corpus, taxonomy);
        pairs.extend(self.indices().into_iter().map(|(a, b)| (a.min(b), a.max(b))));
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The indices of the pairs.
    #[must_use]
    pub fn indices(&self) -> Vec<(usize, usize)> {
        self.pairs.iter().map(|labelled| labelled.pair).collect()
    }
}

/// A model gives a pair something else than a probability.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the model scores a pair {score}, which is no probability; weights that are so large sum up to no number")]
pub struct NoProbability {
    score: f64,
}

/// Scores every labelled pair, in order. A vetoed pair scores 0, since no score merges it.
///
/// # Errors
///
/// When a score is no probability.
pub fn judge(pairs: &[LabelledPair], compared: &Compared<'_>) -> Result<Vec<(Score, Judged)>, NoProbability> {
    let judged = |labelled: &LabelledPair| {
        let score = compared.score(labelled.pair);
        let probability = if score.veto.is_some() { 0.0 } else { score.probability };
        let judged = Judged::new(probability, labelled.is_match).ok_or(NoProbability { score: probability })?;
        Ok((score, judged))
    };
    pairs.par_iter().map(judged).collect()
}
