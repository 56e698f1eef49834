//! Files in no order: the same content as in order, a note that it is slower, and an account of ids given twice.

use super::encode::{Style, backwards, pbf, pbf_in};
use super::rows::{Layered, everything, layer, read_files};
use crate::domain::{Incomplete, LeftOutRule, Region, RejectCode};

/// A town in six blocks: nodes, ways and relations, some of them bad.
const TOWN: [&str; 6] = [
    "n1 x9.50 y47.10 v1 t1600000000\nn2 x9.51 y47.10\nn3 x9.51 y47.11 Tshop=kiosk\nn4 x9.50 y47.11\n",
    "n5 x9.504 y47.104\nN6 x9.506 y47.104 Tnatural=tree\nn7 x9.506 y47.106 dD\nn8 x9.504 y47.106\nn9 x9.504 y47.2\n",
    "w11 Nn1,n2,n3,n4,n1\nw12 Nn5,n6,n8,n5 Tbuilding=yes,shop=mall\nw13 Nn1,n2,n3 Thighway=residential\n",
    "w14 Nn1,n2,n99 Thighway=service\nw15 Nn1,n3,n2,n4,n1 Tbuilding=yes,shop=bow\nw16 Nn8,n9 Tbarrier=wall\n",
    "r21 Mw11@outer,w12@inner Ttype=multipolygon,landuse=forest,shop=garden_centre v3 t1700000000\n",
    "r22 Mw11@outer,w98@outer Ttype=boundary,shop=far\nr23 Mn1@stop Ttype=route,route=bus\n",
];

fn read(file: &[u8]) -> Layered {
    let layers = [layer("*", Incomplete::Reject), layer("building", Incomplete::KeepFlagged)];
    read_files(&[file], &layers, &Region::world()).expect("the file is readable")
}

fn file(blocks: &[&str]) -> Vec<u8> {
    pbf(&blocks.join("--\n"))
}

/// Every order of these.
fn orders(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: Vec<usize>| (0..of).map(move |at| [&order[..at], &[of - 1], &order[at..]].concat());
    orders(of - 1).into_iter().flat_map(insert).collect()
}

#[test]
fn the_sorted_town_is_read_without_a_note() {
    let town = read(&file(&TOWN));
    assert_eq!(town.notes, Vec::<String>::new());
    let mut keys = town.keys(0);
    keys.sort_unstable();
    assert_eq!(keys, ["node/3 point", "node/6 point", "relation/21 area", "way/12 area", "way/13 line", "way/16 line"]);
    assert_eq!(town.refused(0), ["relation/22 missing_member", "way/14 missing_member", "way/15 invalid_area"]);
    assert_eq!(town.left_out(LeftOutRule::NotLive), [1, 1, 1]);
    assert_eq!(town.left_out(LeftOutRule::NotSpatial), [0, 1, 0]);
    assert_eq!(town.extracted.objects.values().copied().collect::<Vec<_>>(), [9, 3, 6]);
}

#[test]
fn blocks_in_any_order_mean_the_same() {
    let sorted = read(&file(&TOWN)).content();
    let mut noted = 0;
    for order in orders(TOWN.len()) {
        let blocks: Vec<&str> = order.iter().map(|at| TOWN[*at]).collect();
        let read = read(&file(&blocks));
        noted += read.notes.len();
        assert!(read.content() == sorted, "{order:?}");
    }
    // Without a note are the sorted file, and those in which the search for borders happens to open what is misplaced.
    assert!((600..720).contains(&noted), "{noted} of 720");
}

#[test]
fn what_the_header_claims_is_not_believed() {
    let claims = Style { optional: &["Sort.Type_then_ID"], ..Style::default() };
    let mut shuffled = TOWN;
    shuffled.reverse();
    let honest = read(&file(&shuffled));
    let mut claiming = read(&pbf_in(&claims, &shuffled.join("--\n")));
    assert!(claiming.notes[0].contains("is not sorted by type and id"), "{:?}", claiming.notes);
    assert_eq!(claiming.extracted.stated.remove("features").as_deref(), Some("Sort.Type_then_ID"));
    assert!(claiming.content() == honest.content());
}

#[test]
fn descending_and_mixed_ids_mean_the_same() {
    let sorted = read(&file(&TOWN)).content();
    let all = TOWN.join("");
    let descending: Vec<String> = TOWN.iter().map(|block| backwards(block)).collect();
    let one_block = backwards(&all);
    let one_each: Vec<String> = one_block.lines().map(|line| [line, "\n"].concat()).collect();
    for blocks in [descending, vec![one_block], one_each] {
        let read = read(&file(&blocks.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(read.notes.len(), 1);
        assert!(read.content() == sorted, "{blocks:?}");
    }
}

#[test]
fn of_objects_given_twice_the_first_counts_and_the_others_are_rejected() {
    let again = [
        ("n3 x8 y40 v7 Tshop=kiosk\n", "node/3 point"),
        ("w13 Nn3,n2,n1 v7 Thighway=residential,shop=x\n", "way/13 line"),
        ("w12 Nn5,n6,n8,n5 v7 Tbuilding=yes,shop=other\n", "way/12 area"),
        ("r21 Mw11@outer Ttype=multipolygon,landuse=forest,shop=x v7\n", "relation/21 area"),
    ];
    let once = read(&file(&TOWN));
    for (line, key) in again {
        let record = key.split(' ').next().expect("a record");
        // In the same block as the first, in a block of its own, and with a third one.
        let block = TOWN.iter().position(|block| block.contains(&line[..3])).expect("a block that has it");
        let mut same_block = TOWN.map(str::to_owned);
        same_block[block].push_str(line);
        let own_block = [&TOWN[..], &[line]].concat();
        let with_third = [&TOWN[..], &[line, line]].concat();
        let same_block: Vec<&str> = same_block.iter().map(String::as_str).collect();
        for (blocks, times) in [(same_block.as_slice(), 1), (&own_block, 1), (&with_third, 2)] {
            let read = read(&file(blocks));
            assert_eq!(read.row(key), once.row(key), "{line}");
            assert_eq!(read.keys(0), once.keys(0), "{line}");
            assert_eq!(read.rejected_as(0, RejectCode::RepeatedId), times, "{line}");
            assert!(read.refused(0).contains(&format!("{record} repeated_id")), "{line}");
            assert_eq!(read.extracted.read, once.extracted.read + times as u64);
            assert_eq!(read.features, once.features, "{line}");
        }
    }
}

#[test]
fn untagged_objects_given_twice_lend_their_first_form() {
    let once = read(&file(&TOWN)).content();
    for line in ["n1 x8 y40 v9\n", "n1 x9.50 y47.10\n", "w11 Nn5,n6 v9\n"] {
        for blocks in [[&TOWN[..], &[line]].concat(), [&TOWN[..5], &[line], &TOWN[5..]].concat()] {
            let read = read(&file(&blocks)).content();
            assert_eq!(read.rows, once.rows, "{line}");
            assert_eq!((read.features, read.layer_rejects), (once.features.clone(), once.layer_rejects.clone()));
            assert_eq!(read.extracted.read, once.extracted.read + 1);
        }
    }
    // An object without tags that comes first leaves no room for a tagged one of its id.
    let read = read(&file(&["n1 x1 y1\nn1 x2 y2 Tshop=late\n"]));
    assert_eq!((read.refused(0), read.keys(0)), (vec!["node/1 repeated_id".to_owned()], vec![]));
    assert_eq!(read_files(&[&file(&["n1 x1 y1\n"])], &everything(), &Region::world()).expect("readable").rows[0], []);
}
