//! Transform: turn features into records, one at a time.
//!
//! ```text
//! Feature ─ repair_position ─▶ Draft ─ STEPS ─▶ Record      then, per source:  Vec<Record> ─ roll_up ─ attach_duplicates ─▶ Vec<Record>
//! ```
//!
//! A step sees one record and nothing else. One file per step; the order is [`STEPS`], nowhere else.
//! A tag that a column holds is taken out; what is left at the end is the column `tags`.
#![expect(clippy::unnecessary_wraps, reason = "the steps share one signature, also those that never drop a record")]

use rayon::prelude::*;

use crate::domain::{ConnectorCodes, Feature, LeftOut, Operators, Record, Region, Reject, Taxonomy};

mod access_and_status;
mod classify;
mod clean_address;
mod clean_names;
mod clip_to_region;
mod connectors;
mod contacts;
mod content_hash;
mod countries;
mod draft;
mod duplicates;
mod external_ids;
mod leftovers;
mod opening_hours;
mod operators;
mod quantity;
mod repair_position;
mod roll_up;
mod sockets;
#[cfg(test)]
mod tests;
mod text;

pub use duplicates::attach_duplicates;
pub use roll_up::{may_join, roll_up};

use draft::{Draft, Dropped};

/// What every step may look at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Area of interest, with its halo.
    pub region: &'a Region,
    /// Which tags make which category.
    pub taxonomy: &'a Taxonomy,
    /// Who is who among operators.
    pub operators: &'a Operators,
    /// What each vocabulary calls a connector.
    pub codes: &'a ConnectorCodes,
    /// Whether a position that cannot be right is put right, or only found.
    pub repair_positions: bool,
}

/// What became of a chunk.
#[derive(Debug, Default)]
pub struct Transformed {
    /// Records, in the order of their features.
    pub records: Vec<Record>,
    /// Features that cannot be used.
    pub rejects: Vec<Reject>,
    /// Features that are not wanted, by rule.
    pub left_out: LeftOut,
}

/// Improves a draft, or drops it.
type Step = fn(Draft, &Context<'_>) -> Result<Draft, Dropped>;

/// The steps, in order. Those that drop the most come first; the hash comes last because it covers the others' work.
const STEPS: [Step; 12] = [
    clip_to_region::step,
    classify::step,
    clean_names::step,
    clean_address::step,
    contacts::step,
    opening_hours::step,
    connectors::step,
    operators::step,
    access_and_status::step,
    external_ids::step,
    leftovers::step,
    content_hash::step,
];

/// Turns the features of one source into records. Works in parallel; the order of the features is kept.
#[must_use]
pub fn transform(dataset: usize, features: Vec<Feature>, context: &Context<'_>) -> Transformed {
    let one = |feature| {
        let draft = repair_position::draft(dataset, feature, context)?;
        STEPS.iter().try_fold(draft, |draft, step| step(draft, context)).map(|draft| draft.record)
    };
    let mut transformed = Transformed::default();
    for result in features.into_par_iter().map(one).collect::<Vec<_>>() {
        match result {
            Ok(record) => transformed.records.push(record),
            Err(Dropped::Rejected(reject)) => transformed.rejects.push(reject),
            Err(Dropped::LeftOut(rule)) => transformed.left_out.add(rule, 1),
        }
    }
    transformed
}
