//! Folding: which of several versions of an object counts, in whatever pieces they come.

use proptest::prelude::*;

use super::super::encode::{Body, Info, Kind, Member, Object};
use super::super::osc::Change;
use super::super::overlay::{Counts, Newest, Overlay};
use super::{decoded, is_taken, living, osc, overlay, told};
use crate::domain::{ObjectKind, Timestamp};

#[test]
fn the_newest_version_counts() {
    let node = |action: &str, version: &str, lat: u8| {
        let version = if version.is_empty() { String::new() } else { format!("version='{version}'") };
        format!("<{action}><node id='1' {version} lat='{lat}' lon='0'/></{action}>")
    };
    let (v1, v2, v2b, v3) =
        (node("create", "1", 1), node("modify", "2", 2), node("modify", "2", 3), node("modify", "3", 4));
    let (gone, gone2, gone3) = (node("delete", "", 0), node("delete", "2", 0), node("delete", "3", 0));
    let (back3, back4) = (node("create", "3", 5), node("create", "4", 6));
    let (bare, bare2) = (node("modify", "", 7), node("modify", "", 8));
    let cases: [(&[&String], &str); 14] = [
        (&[&v1, &v2], "n1 v2 x0 y20000000"),
        // Diffs may overlap or come twice.
        (&[&v3, &v2], "n1 v3 x0 y40000000"),
        (&[&v3, &v1, &gone2], "n1 v3 x0 y40000000"),
        // Of equal versions the later counts.
        (&[&v2, &v2b], "n1 v2 x0 y30000000"),
        (&[&v2b, &v2], "n1 v2 x0 y20000000"),
        // A deletion is a version of its own, or has the version of what it deletes.
        (&[&v2, &gone3], "n1 v3 deleted"),
        (&[&v2, &gone2], "n1 v2 deleted"),
        (&[&gone3, &v2], "n1 v3 deleted"),
        // What is created again lives.
        (&[&gone2, &back3], "n1 v3 x0 y50000000"),
        (&[&gone3, &back3], "n1 v3 x0 y50000000"),
        (&[&v2, &gone3, &back4], "n1 v4 x0 y60000000"),
        // Without versions the later counts; any version counts more.
        (&[&bare, &bare2], "n1 x0 y80000000"),
        (&[&bare, &gone], "n1 deleted"),
        (&[&v1, &bare], "n1 v1 x0 y10000000"),
    ];
    for (changes, expected) in cases {
        let changes: Vec<&str> = changes.iter().map(|change| change.as_str()).collect();
        assert_eq!(told(&overlay(&changes)), [expected], "each in a file of its own: {changes:?}");
        assert_eq!(told(&overlay(&[&changes.concat()])), [expected], "all in one file: {changes:?}");
    }
}

#[test]
fn kinds_have_ids_of_their_own() {
    let overlay = overlay(&["<create><node id='1' version='1' lat='1' lon='1'/><way id='1' version='2'/></create>
        <delete><relation id='1' version='3'/></delete>"]);
    assert_eq!(told(&overlay), ["n1 v1 x10000000 y10000000", "w1 v2 N", "r1 v3 deleted"]);
    assert_eq!(overlay.counts, Counts { created: 2, modified: 0, deleted: 1 });
    assert_eq!(overlay.versions.len(), 3);
}

#[test]
fn counts_are_of_objects_by_their_newest_change() {
    let overlay = overlay(&[
        "<create><way id='1' version='1'/><way id='2' version='1'/><way id='3' version='1'/></create>",
        "<modify><way id='1' version='2'/><way id='4' version='9'/></modify><delete><way id='2' version='2'/></delete>",
    ]);
    assert_eq!(overlay.counts, Counts { created: 1, modified: 2, deleted: 1 });
}

#[test]
fn a_version_of_the_extract_counts_only_when_it_is_higher() {
    let overlay =
        overlay(&["<modify><way id='1' version='5'/><way id='2'/></modify><delete><way id='3' version='5'/></delete>"]);
    let cases = [
        (1, Some(4), true),
        (1, Some(5), true),
        (1, Some(6), false),
        (1, None, true),
        (2, Some(6), true),
        (2, None, true),
        (3, Some(5), true),
        (3, Some(6), false),
        (4, Some(1), false),
        (4, None, false),
    ];
    for (id, version, expected) in cases {
        assert_eq!(overlay.versions.supersede(ObjectKind::Way, id, version), expected, "w{id} v{version:?}");
    }
    assert!(!overlay.versions.supersede(ObjectKind::Node, 1, None));
}

#[test]
fn the_date_is_that_of_the_newest_change_where_nothing_else_says_it() {
    let dated = overlay(&[
        "<create><way id='1' timestamp='2021-08-02T00:00:00Z'/><node id='1' lat='1' lon='1' timestamp='2021-08-01T00:00:00Z'/></create>",
    ]);
    assert_eq!(dated.vintage, Some("2021-08-02T00:00:00Z".parse::<Timestamp>().unwrap()));
    assert_eq!(overlay(&["<create><way id='1'/></create>"]).vintage, None);
}

#[test]
fn blocks_are_bounded_in_objects_and_bytes() {
    let object = |id, body| Change::Create(Object { id, info: Info::default(), tags: Vec::new(), body });
    let nodes = (0..20_001).rev().map(|id| object(id, Body::Node { lon: id, lat: -id }));
    let ways = (1..=3).map(|id| object(id, Body::Way(vec![5; 900_000])));
    let overlay = folded(&nodes.chain(ways).collect::<Vec<_>>()).into_overlay();
    let sizes: Vec<(ObjectKind, usize)> =
        overlay.blocks.iter().map(|(kind, raw)| (*kind, decoded(raw).len())).collect();
    let (node, way) = (ObjectKind::Node, ObjectKind::Way);
    assert_eq!(sizes, [(node, 8_000), (node, 8_000), (node, 4_001), (way, 1), (way, 1), (way, 1)]);
    assert!(overlay.blocks.iter().all(|(_, raw)| raw.len() < 16 << 20 && is_taken(raw)));
    assert_eq!(living(&overlay).len(), 20_004);
}

/// Few objects and versions, so that they meet.
fn change() -> impl Strategy<Value = Change> {
    let info = (prop::option::of(1..5_i32), prop::option::of(0..2_000_000_000_i64), prop::option::of("[a-zü]{1,3}"));
    let tags = prop::collection::vec(("[a-c]{0,2}", "\\PC{0,3}"), 0..3);
    (0..6_u8, 0..3_i64, info, tags, any::<i16>(), prop::collection::vec((0..3_u8, any::<i32>(), "[a-c]{0,2}"), 0..4))
        .prop_map(|(what, id, (version, time_s, user), tags, place, parts)| {
            let body = match what {
                0 | 1 => Body::Node { lon: i64::from(place) * 50_000, lat: i64::from(place) * 1_000 },
                2 | 3 => Body::Way(parts.iter().map(|(_, id, _)| i64::from(*id)).collect()),
                _ => Body::Relation(
                    parts
                        .into_iter()
                        .map(|(kind, id, role)| Member {
                            kind: [Kind::Node, Kind::Way, Kind::Relation][usize::from(kind)],
                            id: i64::from(id),
                            role: role.into(),
                        })
                        .collect(),
                ),
            };
            let time_s = time_s.filter(|seconds| *seconds > 0);
            let info = Info { version, time_s, changeset: time_s, uid: version, user: user.map(Into::into) };
            let tags = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            let object = Object { id, info, tags, body };
            match (what % 2, place % 2) {
                (0, 0) => Change::Delete { kind: object.kind(), id, version },
                (0, _) => Change::Create(object),
                _ => Change::Modify(object),
            }
        })
}

fn key(change: &Change) -> (Kind, i64, Option<i32>) {
    match change {
        Change::Create(object) | Change::Modify(object) => (object.kind(), object.id, object.info.version),
        Change::Delete { kind, id, version } => (*kind, *id, *version),
    }
}

fn folded(changes: &[Change]) -> Newest {
    let mut newest = Newest::default();
    for change in changes {
        newest.take(change.clone());
    }
    newest
}

fn same(a: &Overlay, b: &Overlay) -> bool {
    a.versions == b.versions && a.blocks == b.blocks && a.counts == b.counts && a.vintage == b.vintage
}

proptest! {
    #[test]
    fn any_pieces_fold_to_the_same(
        changes in prop::collection::vec(change(), 0..24),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(changes.len() + 1)).collect();
        cuts.extend([0, changes.len()]);
        cuts.sort_unstable();
        let mut pieces = Newest::default();
        for pair in cuts.windows(2) {
            pieces.append(folded(&changes[pair[0]..pair[1]]));
        }
        prop_assert!(same(&pieces.into_overlay(), &folded(&changes).into_overlay()));
    }

    #[test]
    fn what_lives_is_the_last_of_the_highest_versions_word_for_word(changes in prop::collection::vec(change(), 0..24)) {
        let overlay = folded(&changes).into_overlay();
        let mut expected = Vec::new();
        for change in &changes {
            let (kind, id, _) = key(change);
            let rivals = changes.iter().enumerate().filter(|(_, rival)| (key(rival).0, key(rival).1) == (kind, id));
            let (_, newest) = rivals.max_by_key(|(at, rival)| (key(rival).2, *at)).expect("it is one itself");
            if let Change::Create(object) | Change::Modify(object) = newest {
                expected.push(object.clone());
            }
        }
        expected.sort_by_key(|object| (object.kind(), object.id));
        expected.dedup_by_key(|object| (object.kind(), object.id));
        prop_assert_eq!(living(&overlay), expected);
    }
}

#[test]
fn xml_and_memory_agree_on_a_change() {
    let text = osc("<delete><node id='1' version='2'/></delete>");
    let change = Change::Delete { kind: Kind::Node, id: 1, version: Some(2) };
    let read = Newest::of_file(text.as_bytes()).ok().unwrap().into_overlay();
    assert!(same(&read, &folded(&[change]).into_overlay()));
}
