//! Duplicates: a record that its own source calls a repetition of another becomes a part of that one.
//!
//! The source knows the pair, so the matcher need not find it: the two have the same place, and whatever knows the one by its id
//! finds the other. A repetition of nothing that is there is left out, as the source has withdrawn it.

use std::collections::{BTreeMap, BTreeSet};

use super::content_hash;
use crate::domain::{LeftOut, LeftOutRule, Record, RecordId};

/// Makes the duplicates among the records of one source parts of what they repeat; duplicates of duplicates too.
///
/// - **In**: records of one source, in any order.
/// - **Out**: those that are no duplicate, in their order; the others are in `parts` or counted in `left_out`.
#[must_use]
pub fn attach_duplicates(records: Vec<Record>, left_out: &mut LeftOut) -> Vec<Record> {
    let (duplicates, mut records): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.duplicate_of.is_some());
    if duplicates.is_empty() {
        return records;
    }
    let repeats: BTreeMap<RecordId, RecordId> =
        duplicates.iter().filter_map(|record| Some((record.key.id.clone(), record.duplicate_of.clone()?))).collect();
    let places: BTreeMap<RecordId, usize> =
        records.iter().enumerate().map(|(at, record)| (record.key.id.clone(), at)).collect();
    let mut changed = Vec::new();
    let mut attached = BTreeSet::new();
    for mut duplicate in duplicates {
        // One of its own id may be live, or have come before.
        let is_alone = !places.contains_key(&duplicate.key.id) && attached.insert(duplicate.key.id.clone());
        match original(&duplicate.key.id, &repeats).and_then(|id| places.get(id)).filter(|_| is_alone) {
            Some(at) => {
                records[*at].external_ids.extend(duplicate.external_ids.iter().cloned());
                let parts = std::mem::take(&mut duplicate.parts);
                records[*at].parts.push(duplicate);
                records[*at].parts.extend(parts);
                changed.push(*at);
            }
            None => left_out.add(LeftOutRule::NotLive, 1 + duplicate.parts.len() as u64),
        }
    }
    changed.sort_unstable();
    changed.dedup();
    for at in changed {
        let record = &mut records[at];
        record.parts.sort_by(|a, b| a.key.cmp(&b.key));
        record.external_ids.sort_unstable();
        record.external_ids.dedup();
        record.content_hash = content_hash::of(record);
    }
    records
}

/// What a duplicate repeats in the end; `None` where duplicates repeat each other in a circle.
fn original<'a>(id: &RecordId, repeats: &'a BTreeMap<RecordId, RecordId>) -> Option<&'a RecordId> {
    let mut original = repeats.get(id)?;
    for _ in 0..repeats.len() {
        match repeats.get(original) {
            Some(next) => original = next,
            None => return Some(original),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::{feature, in_context};
    use super::super::{Transformed, transform};
    use super::*;
    use crate::domain::Region;

    /// What becomes of records written `id` or `id>original`: each with its parts, and how many are left out.
    fn attached(ids: &str) -> (String, u64) {
        let station = |text: &str| {
            let (id, original) = text.split_once('>').map_or((text, None), |(id, of)| (id, Some(of)));
            let mut station = feature(id, 9.5, 47.1, &format!("amenity=charging_station|ref:ocm={id}"));
            station.duplicate_of = original.map(RecordId::new);
            station
        };
        let features = ids.split(' ').map(station).collect();
        let Transformed { records, .. } = in_context(&Region::world(), |context| transform(0, features, context));
        let mut left_out = LeftOut::default();
        let records = attach_duplicates(records, &mut left_out);
        let told = records.iter().map(|record| {
            let parts: Vec<_> = record.parts.iter().map(|part| part.key.id.as_str()).collect();
            assert_eq!(record.external_ids.len(), 1 + parts.len(), "what knows the one finds the other");
            format!("{}({})", record.key.id, parts.join(" "))
        });
        (told.collect::<Vec<_>>().join(" "), left_out.total())
    }

    #[test]
    fn duplicates_become_parts_of_what_they_repeat() {
        let cases = [
            ("1 2", "1() 2()", 0),
            ("1 2>1 3", "1(2) 3()", 0),
            ("9>1 1 2>1", "1(2 9)", 0),
            ("1 2>1 3>2", "1(2 3)", 0),
            ("1 2>7", "1()", 1),
            ("1 2>3 3>2", "1()", 2),
            ("1 2>2", "1()", 1),
            ("2>1 2 1", "2() 1()", 1),
            ("1 2>1 2>1", "1(2)", 1),
        ];
        for (ids, expected, left_out) in cases {
            assert_eq!(attached(ids), (expected.to_owned(), left_out), "{ids}");
        }
    }

    #[test]
    fn a_duplicate_counts_in_the_content_of_what_it_repeats() {
        let one = in_context(&Region::world(), |context| {
            let features = vec![feature("1", 9.5, 47.1, "amenity=charging_station")];
            transform(0, features, context).records
        });
        let mut duplicate = one[0].clone();
        (duplicate.key.id, duplicate.duplicate_of) = (RecordId::new("2"), Some(RecordId::new("1")));
        let both = attach_duplicates(vec![one[0].clone(), duplicate], &mut LeftOut::default());
        assert_ne!(both[0].content_hash, one[0].content_hash);
    }
}
