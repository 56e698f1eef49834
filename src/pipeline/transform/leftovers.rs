//! Leftovers: what no column holds stays as tags, without what is no statement about the place.

use super::operators::OCM_OPERATOR;
use super::{Context, Draft, Dropped};

/// Drops empty values and bookkeeping, and the NUL that PostgreSQL cannot hold.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let tags = &mut draft.record.attributes.tags;
    tags.retain(|key, value| key != OCM_OPERATOR && !value.trim().is_empty());
    let is_dirty = |text: &str| text.contains('\0');
    if tags.iter().any(|(key, value)| is_dirty(key) || is_dirty(value)) {
        *tags = tags.iter().map(|(key, value)| (key.replace('\0', ""), value.replace('\0', ""))).collect();
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn what_says_nothing_goes_and_the_rest_stays() {
        let record = step_on(step, "amenity=cafe|cuisine=cake|note= |operator:ocm=23|ref:ocm=7|x=a\0b");
        let tags: Vec<_> = record.attributes.tags.iter().collect();
        assert_eq!(tags, [("amenity", "cafe"), ("cuisine", "cake"), ("ref:ocm", "7"), ("x", "ab")]);
    }
}
