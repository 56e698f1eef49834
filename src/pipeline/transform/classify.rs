//! Classify: what kind of place it is, and where it is in its life.

use super::roll_up::{CHARGE_POINT, STATION};
use super::{Context, Draft, Dropped};
use crate::domain::LeftOutRule;

/// Sets category, alternates and the status that a lifecycle prefix gives; what fits no category is left out.
///
/// A charge point that is nothing else keeps the category `charge_point` until it becomes part of its station; its
/// alternate is what it would be as a station, so that one for bicycles finds its like.
pub(super) fn step(mut draft: Draft, context: &Context<'_>) -> Result<Draft, Dropped> {
    let attributes = &mut draft.record.attributes;
    let Some(found) = context.taxonomy.classify(draft.kind, &attributes.tags) else {
        if !context.taxonomy.is_charge_point(&attributes.tags) {
            return Err(Dropped::LeftOut(LeftOutRule::NotMatched));
        }
        let mut station = attributes.tags.clone();
        station.set("amenity", STATION);
        let found = context.taxonomy.classify(draft.kind, &station);
        attributes.alternate_categories = found.map(|found| found.category.name.clone()).into_iter().collect();
        CHARGE_POINT.clone_into(&mut attributes.category);
        return Ok(draft);
    };
    attributes.category.clone_from(&found.category.name);
    attributes.alternate_categories = found.alternates.iter().map(|category| category.name.clone()).collect();
    if let Some((prefix, status)) = found.lifecycle {
        attributes.status = Some(status);
        let tags = &mut attributes.tags;
        let prefixed: Vec<String> =
            tags.iter().map(|(key, _)| key).filter(|key| key.starts_with(prefix)).map(str::to_owned).collect();
        for key in prefixed {
            if let Some(value) = tags.take(&key) {
                tags.set(&key[prefix.len()..], value);
            }
        }
    }
    Ok(draft)
}
