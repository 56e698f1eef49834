//! Nights of groups of records: which ids they get, and what is remembered.

use proptest::prelude::*;

use super::*;
use crate::domain::Timestamp;
use crate::pipeline::conflate::bridge::{Span, continued};

/// `"a b|c"`: a place of records `a` and `b`, and one of `c`.
fn groups(text: &str) -> Vec<Vec<SeenKey>> {
    let group = |text: &str| text.split_whitespace().map(|id| ("osm".into(), RecordId::new(id))).collect();
    text.split('|').map(group).filter(|group: &Vec<_>| !group.is_empty()).collect()
}

/// Runs night after night; each night's places as letters, the same letter for the same id.
fn nights(story: &[&str]) -> Vec<String> {
    let (mut memory, mut letters) = (Memory::new(), Vec::<Uuid>::new());
    let mut told = Vec::new();
    for (night, text) in story.iter().enumerate() {
        let (ids, after) = assign("p", &groups(text), memory, &format!("2026-01-{:02}", night + 1));
        memory = after;
        let mut letter = |id: &Uuid| {
            let at = letters.iter().position(|known| known == id).unwrap_or_else(|| {
                letters.push(*id);
                letters.len() - 1
            });
            char::from(b'A' + u8::try_from(at).expect("few ids"))
        };
        told.push(ids.iter().map(&mut letter).collect());
    }
    told
}

#[test]
fn a_place_keeps_its_id_while_it_keeps_any_record() {
    let cases: [(&[&str], &[&str]); 10] = [
        (&["a|b", "a|b"], &["AB", "AB"]),
        (&["a b", "b"], &["A", "A"]),                       // the founder is gone
        (&["a|b c", "a b c"], &["AB", "B"]),                // merge: most records
        (&["a x|b", "a b x", "a x|b"], &["AB", "A", "AB"]), // and apart again
        (&["a|b x", "a b x", "a|b x"], &["AB", "B", "AB"]),
        (&["a b c", "a|b c"], &["A", "BA"]),         // split: the largest part
        (&["a|b", "b", "a|b"], &["AB", "B", "AB"]),  // revived
        (&["a b", "a|b", "a b"], &["A", "AB", "A"]), // a tie goes to the first group
        (&["a", "", "a"], &["A", "", "A"]),          // the whole place was gone
        (&["a b", "a|b", "b", "a|b"], &["A", "AB", "B", "AB"]),
    ];
    for (story, expected) in cases {
        assert_eq!(nights(story), expected, "{story:?}");
    }
}

#[test]
fn a_quiet_night_leaves_the_memory_as_it_was() {
    let (_, first) = assign("p", &groups("a b|c"), Memory::new(), "2026-01-01");
    let (_, second) = assign("p", &groups("a b|c"), first.clone(), "2026-01-01");
    assert_eq!(first, second);
}

#[test]
fn a_merged_place_names_its_successor() {
    let (ids, first) = assign("p", &groups("a|b c"), Memory::new(), "2026-01-01");
    let (merged, _) = assign("p", &groups("a b c"), first.clone(), "2026-01-02");
    assert_eq!(merged, [ids[1]]);
    let (_, gone) = assign("p", &groups("b c"), assign("p", &groups("a b c"), first, "2026-01-02").1, "2026-01-03");
    let a = &gone[&("osm".into(), RecordId::new("a"))];
    assert_eq!((a.place_id, a.present, a.former_place_ids.as_slice()), (ids[1], false, &ids[..1]));
}

#[test]
fn the_namespace_is_what_it_says() {
    assert_eq!(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"poimill:place"), NAMESPACE);
}

#[test]
fn ids_depend_on_pipeline_source_and_record_only() {
    let (ids, _) = assign("p", &groups("a"), Memory::new(), "x");
    let (again, _) = assign("p", &groups("a b"), Memory::new(), "y");
    let (other, _) = assign("q", &groups("a"), Memory::new(), "x");
    assert_eq!(ids, again);
    assert_ne!(ids, other);
}

/// Records of a property.
const RECORDS: usize = 8;

/// A night: for each record the group that it is in, if it is there at all.
type Night = [Option<usize>; RECORDS];

fn night() -> impl Strategy<Value = Night> {
    proptest::array::uniform8(proptest::option::weighted(0.85, 0..5usize))
}

/// A night with every record.
fn whole_night() -> impl Strategy<Value = Night> {
    proptest::array::uniform8((0..5usize).prop_map(Some))
}

fn groups_of(night: &Night) -> Vec<Vec<SeenKey>> {
    let mut groups: BTreeMap<usize, Vec<SeenKey>> = BTreeMap::new();
    for (record, group) in night.iter().enumerate() {
        let key = || (if record % 2 == 0 { "osm" } else { "ocm" }.into(), RecordId::new(record.to_string()));
        if let Some(group) = group {
            groups.entry(*group).or_default().push(key());
        }
    }
    let mut groups: Vec<Vec<SeenKey>> = groups.into_values().collect();
    groups.sort();
    groups
}

/// The id of each record.
fn placed(groups: &[Vec<SeenKey>], ids: &[Uuid]) -> BTreeMap<SeenKey, Uuid> {
    groups.iter().zip(ids).flat_map(|(group, id)| group.iter().map(|key| (key.clone(), *id))).collect()
}

fn day(n: usize) -> Timestamp {
    Timestamp::from_second(86_400 * n as i64).expect("a day")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ids_hold_over_any_nights(nights in proptest::collection::vec(night(), 1..6)) {
        let mut memory = Memory::new();
        let mut ever: BTreeSet<Uuid> = BTreeSet::new();
        for (n, night) in nights.iter().enumerate() {
            let groups = groups_of(night);
            let (ids, after) = assign("p", &groups, memory.clone(), &day(n).to_string());
            let alive: BTreeSet<Uuid> = ids.iter().copied().collect();
            prop_assert_eq!(alive.len(), ids.len(), "no two places share an id");

            let now = placed(&groups, &ids);
            for (key, seen) in &after {
                prop_assert_eq!(now.get(key).copied(), seen.present.then_some(seen.place_id), "memory and places agree");
                if let Some(successor) = seen.successor {
                    prop_assert!(alive.contains(&successor) && !alive.contains(&seen.place_id), "successors live");
                }
            }
            prop_assert!(memory.keys().all(|key| after.contains_key(key)), "nothing is forgotten");
            // A place keeps its id while any of its records is there, unless a stronger claim on its record has it.
            for (key, seen) in memory.iter().filter(|(key, seen)| seen.present && now.contains_key(*key)) {
                let went_to = now[key];
                prop_assert!(alive.contains(&seen.place_id) || ever.contains(&went_to), "an id is lost to a new one");
            }
            ever.extend(&ids);

            let (again, quiet) = assign("p", &groups, after.clone(), &day(n + 1).to_string());
            prop_assert_eq!(&again, &ids, "a quiet day changes no id");
            let turned: Vec<Vec<SeenKey>> = groups.iter().rev().cloned().collect();
            let (turned, _) = assign("p", &turned, after.clone(), &day(n + 1).to_string());
            prop_assert!(turned.iter().rev().eq(&ids), "nor does the order of places");
            prop_assert!(quiet.keys().eq(after.keys()));
            memory = after;
        }
    }

    #[test]
    fn a_merge_and_a_split_give_back_the_ids(before in whole_night(), joins in proptest::array::uniform5(0..5usize)) {
        let (first, memory) = assign("p", &groups_of(&before), Memory::new(), "1");
        let merged = before.map(|group| group.map(|group| joins[group]));
        let (_, memory) = assign("p", &groups_of(&merged), memory, "2");
        let (again, _) = assign("p", &groups_of(&before), memory, "3");
        prop_assert_eq!(again, first);
    }

    #[test]
    fn the_bridge_tells_of_every_vintage_which_place_a_record_was_part_of(
        nights in proptest::collection::vec(night(), 1..6),
        back in 0..6usize,
    ) {
        let (mut memory, mut spans) = (Memory::new(), Vec::<Span>::new());
        let mut told = Vec::new();
        for (n, night) in nights.iter().enumerate() {
            let groups = groups_of(night);
            let (ids, after) = assign("p", &groups, memory.clone(), &day(n).to_string());
            spans = continued(spans, &groups, &ids, Some(day(n)));
            prop_assert_eq!(&continued(spans.clone(), &groups, &ids, Some(day(n))), &spans, "a second time is no change");
            prop_assert_eq!(&continued(spans.clone(), &groups, &ids, None), &spans, "nor is a run without a date");
            memory = after;
            told.push((groups, ids, spans.clone()));
        }
        for (n, (groups, ids, _)) in told.iter().enumerate() {
            let holds = |span: &&Span| span.valid_from <= Some(day(n)) && span.valid_to.is_none_or(|to| day(n) < to);
            let at: Vec<_> = spans.iter().filter(holds).map(|span| (span.record.clone(), span.place_id)).collect();
            prop_assert_eq!(at, placed(groups, ids).into_iter().collect::<Vec<_>>(), "one place each, as on that night");
        }
        // Back at an earlier night, the bridge is what it was then.
        let back = back.min(told.len() - 1);
        let (groups, ids, then) = &told[back];
        prop_assert_eq!(&continued(spans, groups, ids, Some(day(back))), then);
    }
}
