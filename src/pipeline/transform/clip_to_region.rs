//! Clip to region: what lies outside the region and its halo is left out.

use super::{Context, Draft, Dropped};
use crate::domain::LeftOutRule;

/// Leaves the draft out unless its representative point is read.
pub(super) fn step(draft: Draft, context: &Context<'_>) -> Result<Draft, Dropped> {
    if context.region.reads(draft.record.position) {
        Ok(draft)
    } else {
        Err(Dropped::LeftOut(LeftOutRule::OutsideRegion))
    }
}
