//! The order of rows is that of their keys, whatever was spilled.

use proptest::prelude::*;

use super::features::{Object, node, object};
use super::scratch::Counting;
use crate::pipeline::layers::{LayerRows, RowKey, Sorter};
use crate::pipeline::ports::Scratch;

/// Keys and payloads in order, by chunk; rows come in groups, and are spilled after every so many.
fn sorted(objects: &[Object], group: usize, spill_every: usize, scratch: &dyn Scratch) -> Vec<Vec<(RowKey, Vec<u8>)>> {
    let mut sorter = Sorter::default();
    for (at, objects) in objects.chunks(group).enumerate() {
        let mut rows = LayerRows::default();
        for object in objects {
            object.push_to(&mut rows);
        }
        sorter.push(rows);
        if (at + 1).is_multiple_of(spill_every) {
            sorter.spill(scratch).unwrap();
        }
    }
    assert_eq!(sorter.rows(), objects.len() as u64);
    let chunks = sorter.finish(scratch).unwrap();
    chunks.map(|chunk| chunk.unwrap().iter().map(|(key, payload)| (key, payload.to_vec())).collect()).collect()
}

const NEVER: usize = usize::MAX;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spilled_and_unspilled_rows_are_the_same(
        objects in prop::collection::vec(object(), 0..60),
        group in 1_usize..7,
        spill_every in 1_usize..5,
    ) {
        let in_memory = sorted(&objects, objects.len().max(1), NEVER, &Counting::default());
        prop_assert_eq!(&in_memory, &sorted(&objects, group, NEVER, &Counting::default()));
        prop_assert_eq!(&in_memory, &sorted(&objects, group, spill_every, &Counting::default()));
        let rows: Vec<_> = in_memory.into_iter().flatten().collect();
        prop_assert_eq!(rows.len(), objects.len());
        prop_assert!(rows.is_sorted_by_key(|(key, _)| *key));
    }
}

#[test]
fn very_many_runs_are_merged_in_rounds() {
    let scattered = |id: i64| {
        node(id, (id * 7_919 % 3_600 - 1_800) as i32 * 1_000_000, (id * 104_729 % 1_800 - 900) as i32 * 1_000_000)
    };
    let objects: Vec<Object> = (0..200).map(scattered).collect();
    let scratch = Counting::default();
    assert_eq!(sorted(&objects, 1, 1, &scratch), sorted(&objects, 200, NEVER, &Counting::default()));
    // 200 runs of one row, then 4 of 64 and fewer.
    assert_eq!(scratch.created(), 204);
    assert!(scratch.most_open() <= 64);
}

#[test]
fn chunks_end_where_they_are_full_spilled_or_not() {
    let objects: Vec<Object> = (0..100_001).map(|id| node(id, 0, 0)).collect();
    for spill_every in [NEVER, 3] {
        let chunks = sorted(&objects, 10_000, spill_every, &Counting::default());
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [50_001, 50_000]);
    }
    let long = |id| Object { tags: vec![("note".into(), "x".repeat(9 << 20))], ..node(id, 0, 0) };
    let objects: Vec<Object> = (0..5).map(long).collect();
    for spill_every in [NEVER, 2] {
        let chunks = sorted(&objects, 1, spill_every, &Counting::default());
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [4, 1]);
    }
}

#[test]
fn rows_that_are_void_are_forgotten_also_on_disk() {
    let mut sorter = Sorter::default();
    for spilled in [true, false] {
        let mut rows = LayerRows::default();
        node(1, 0, 0).push_to(&mut rows);
        sorter.push(rows);
        if spilled {
            sorter.spill(&Counting::default()).unwrap();
        }
    }
    sorter.clear();
    assert_eq!((sorter.rows(), sorter.held_bytes()), (0, 0));
    assert!(sorter.finish(&Counting::default()).unwrap().next().is_none());
}
