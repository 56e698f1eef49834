//! Conflate: decide which records describe the same place, and make one of them.
//!
//! ```text
//! records ─ evidence ─▶ candidates ─▶ pairs ─ score ─▶ match │ review │ miss ─ cluster ─▶ merge ─▶ places
//! ```
//!
//! - **Shape**: n records in, at most n places out. Every record is a member of exactly one place.
//! - **Units**: distances in metres on the ground, scores in `[0, 1]`.
//! - **Cost**: O(n log n + p) time, O(n + p) memory, for p pairs within the radius of their category.
//! - **Order**: the result depends on the set of records, not on the order they come in.
//! - **Source**: match, review and miss with two thresholds, after Hootenanny's *Unifying POI Conflation*; one-to-one
//!   assignment, best pair first, is worth 8 points of F1 on labelled pairs (GER-LLM, Pittsburgh).

pub mod bridge;
mod candidates;
mod cluster;
mod decisions;
mod evidence;
pub mod identity;
mod merge;
mod score;
mod survivorship;

pub use cluster::{Link, Reason, Verdict};
pub use decisions::{Decision, Decisions, DecisionsError, UnderReview, Updated, update};
pub use evidence::Evidence;
pub use merge::{Merge, Merging};
pub use score::{Piece, Score, Veto, explain};
pub use survivorship::{Attribute, Rule, Survivorship};

use rayon::prelude::*;

use crate::domain::{Place, Record, Taxonomy};
use evidence::Tokens;

/// When two records are one place. The `[conflate]` table of a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Pairs scoring this or more are merged, in `[0, 1]`.
    pub match_score: f64,
    /// Pairs scoring this or more, but less than `match_score`, are shown to a person, in `[0, match_score]`.
    pub review_score: f64,
}

impl Default for Rules {
    /// Four to one that they are the same merges; an even chance is worth a look.
    fn default() -> Self {
        Self { match_score: 0.8, review_score: 0.5 }
    }
}

/// The places found, and the pairs that were looked at closely.
#[derive(Debug)]
pub struct Conflation {
    /// Places, by founding record.
    pub places: Vec<Place>,
    /// Pairs at or above the review threshold, and those a person decided on, by their records.
    pub links: Vec<Link>,
    /// Pairs compared.
    pub candidates: u64,
    /// Decisions on records that no source has.
    pub decisions_unused: usize,
}

/// Merges the records that describe the same place.
///
/// `records` are sorted by key; members of places and links are indices into them.
#[must_use]
pub fn conflate(
    records: &[Record],
    taxonomy: &Taxonomy,
    rules: &Rules,
    decisions: &Decisions,
    merging: &Merging,
) -> Conflation {
    debug_assert!(records.is_sorted_by(|a, b| a.key < b.key), "records are sorted and their keys unique");
    let mut tokens = Tokens::default();
    let compact: Vec<_> = records.iter().map(|record| tokens.compact(&Evidence::of(record))).collect();

    let pairs = candidates::of(&compact, taxonomy, &tokens);
    let scored = score::all(&pairs, &compact, &tokens, rules.review_score);
    let forced = decisions.among(records);
    let (clusters, links) = cluster::of(&compact, &scored, &forced, rules, &tokens);
    let merger = merge::Merger::new(records, merging, &links);
    let places = clusters.par_iter().map(|members| merger.place(members)).collect();
    let decisions_unused = decisions.len() - forced.len();
    Conflation { places, links, candidates: pairs.len() as u64, decisions_unused }
}
