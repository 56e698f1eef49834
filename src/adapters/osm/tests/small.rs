//! Small files: what each object becomes.

use geo::{Area, Validation};

use super::encode::{Style, header, pbf, pbf_in};
use super::rows::{everything, read_files};
use super::{Reading, read_bytes};
use crate::domain::{BBox, Feature, LeftOutRule, Metres, RecordId, Region, RejectCode, Shape, Tags, Timestamp};

/// A square of one hundredth of a degree, and a smaller one within it.
const SQUARES: &str = "\
n1 x9.50 y47.10
n2 x9.51 y47.10
n3 x9.51 y47.11
n4 x9.50 y47.11
n5 x9.504 y47.104
n6 x9.506 y47.104
n7 x9.506 y47.106
n8 x9.504 y47.106
";

fn read(lines: &str) -> Reading {
    let reading = read_bytes(&pbf(lines), &["amenity", "shop"], &Region::world()).expect("the file is readable");
    assert!(reading.balances(), "{reading:#?}");
    reading
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().copied().collect()
}

#[test]
fn a_node_becomes_a_point() {
    let node = Feature {
        update_time: Some("2023-11-14T22:13:20Z".parse().expect("a time")),
        license: Some("ODbL-1.0".into()),
        raw: r#"{"type":"node","id":5159230141,"version":2,"timestamp":"2023-11-14T22:13:20Z","tags":{"amenity":"cafe","name":"Rössle"}}"#.into(),
        ..Feature::point(
            RecordId::new("node/5159230141"),
            9.520_771_2,
            47.141_035_1,
            tags(&[("amenity", "cafe"), ("name", "Rössle")]),
        )
    };
    for letter in ["n", "N"] {
        let line = format!("{letter}5159230141 x9.5207712 y47.1410351 v2 t1700000000 Tamenity=cafe,name=Rössle\n");
        assert_eq!(read(&line).features, std::slice::from_ref(&node), "{letter}");
    }
}

#[test]
fn what_a_file_does_not_say_is_left_out_of_the_raw_record() {
    let reading = read("n1 x1 y2 Tamenity=cafe\n");
    assert_eq!(reading.features[0].update_time, None);
    assert_eq!(&*reading.features[0].raw, r#"{"type":"node","id":1,"tags":{"amenity":"cafe"}}"#);
}

#[test]
fn ways_and_relations_become_areas_whatever_the_order_of_the_file() {
    let relation = "r7 Mw12@inner,n1@label,w11@outer Tamenity=parking,type=multipolygon\n";
    let ways = "w11 Nn1,n4,n3,n2,n1\nw12 Nn5,n6,n7,n8,n5 Tshop=kiosk\n";
    let expected = read(&format!("{SQUARES}--\n{ways}--\n{relation}")).features;
    let ids: Vec<_> = expected.iter().map(|feature| feature.id.as_str()).collect();
    assert_eq!(ids, ["way/12", "relation/7"]);
    let [Shape::Area(kiosk), Shape::Area(parking)] = [&expected[0].shape, &expected[1].shape] else {
        panic!("both are areas: {expected:#?}")
    };
    assert!((kiosk.signed_area() - 4e-6).abs() < 1e-12 && (parking.signed_area() - 96e-6).abs() < 1e-12);
    assert_eq!(parking.0[0].interiors().len(), 1);
    assert!(kiosk.is_valid() && parking.is_valid());
    assert_eq!(
        &*expected[1].raw,
        concat!(
            r#"{"type":"relation","id":7,"tags":{"amenity":"parking","type":"multipolygon"},"#,
            r#""members":[{"type":"way","ref":12,"role":"inner"},{"type":"node","ref":1,"role":"label"},"#,
            r#"{"type":"way","ref":11,"role":"outer"}]}"#
        )
    );
    assert_eq!(&*expected[0].raw, r#"{"type":"way","id":12,"tags":{"shop":"kiosk"},"nodes":[5,6,7,8,5]}"#);
    for lines in [format!("{relation}{ways}{SQUARES}"), format!("{ways}--\n{SQUARES}--\n{relation}")] {
        assert_eq!(read(&lines).features, expected);
    }
}

#[test]
fn positions_stated_with_the_ways_are_enough() {
    let style = Style { locations_on_ways: true, ..Style::default() };
    let with_nodes = pbf_in(&style, &format!("{SQUARES}--\nw11 Nn1,n4,n3,n2,n1 Tshop=kiosk\n"));
    // A file with positions on ways drops the nodes without tags: cut their blob out, between header and ways.
    let ways = with_nodes.windows(7).rposition(|bytes| bytes == b"OSMData").expect("a frame of ways") - 6;
    let file = [&header(&style), &with_nodes[ways..]].concat();
    let reading = read_bytes(&file, &["shop"], &Region::world()).expect("the file is readable");
    assert_eq!((reading.extracted.read, reading.features.len()), (1, 1), "{reading:#?}");
}

#[test]
fn objects_are_left_out_by_a_named_rule() {
    let cases = [
        ("n1 x1 y1\n", LeftOutRule::NotMatched),
        ("n1 x1 y1 Tnatural=tree\n", LeftOutRule::NotMatched),
        ("n1 x1 y1 Tamenity=cafe dD\n", LeftOutRule::NotLive),
        ("N1 x1 y1 Tamenity=cafe dD\n", LeftOutRule::NotLive),
        ("w1 Nn1,n2,n3,n1 Tamenity=cafe dD\n", LeftOutRule::NotLive),
        ("w1 Nn1,n2,n3 Tshop=mall\n", LeftOutRule::WrongKind),
        ("w1 Nn1,n2,n1 Tshop=mall\n", LeftOutRule::WrongKind),
        ("w1 Nn1,n2,n3,n1 Tshop=mall,area=no\n", LeftOutRule::WrongKind),
        ("r1 Mn1@stop Tshop=mall,type=route\n", LeftOutRule::WrongKind),
        ("r1 Mn1@stop Tshop=mall\n", LeftOutRule::WrongKind),
    ];
    for (line, rule) in cases {
        let reading = read(line);
        assert_eq!(reading.extracted.left_out.0.into_iter().collect::<Vec<_>>(), [(rule, 1)], "{line}");
    }
}

#[test]
fn places_outside_the_region_and_its_halo_are_left_out() {
    let region = Region::from_bbox(BBox { xmin: 9.49, ymin: 47.09, xmax: 9.52, ymax: 47.12 }, Metres(500.0));
    let lines = format!(
        "{SQUARES}n20 x9.524 y47.1 Tshop=halo\nn21 x9.54 y47.1 Tshop=far\nn22 x199 y47 Tshop=nowhere\n\
         n31 x8 y47\nn32 x9 y47\nn33 x9 y48\nw11 Nn1,n4,n3,n2,n1 Tshop=in\nw12 Nn31,n32,n33,n31 Tshop=out\n"
    );
    let reading = read_bytes(&pbf(&lines), &["shop"], &region).expect("the file is readable");
    let shops: Vec<_> = reading.features.iter().filter_map(|feature| feature.tags.get("shop")).collect();
    assert_eq!(shops, ["halo", "nowhere", "in"]);
    assert_eq!(reading.extracted.left_out.0[&LeftOutRule::OutsideRegion], 2);
}

#[test]
fn bad_objects_are_rejected_with_position_and_reason() {
    use RejectCode::{InvalidArea, Malformed, MissingMember, OpenRing, RepeatedId};
    let cases = [
        ("w9 Nn1,n2,n99,n1 Tshop=a\n", MissingMember, Some((9.5, 47.1)), "node/99 is not in the input"),
        ("w9 Nn97,n98,n99,n97 Tshop=a\n", MissingMember, None, "node/97 is not in the input"),
        ("r9 Mw8@ Tshop=a,type=boundary\n", MissingMember, None, "way/8 is not in the input"),
        (
            "w7 Nn3,n4\nr9 Mw8@,w7@ Tshop=a,type=multipolygon\n",
            MissingMember,
            Some((9.51, 47.11)),
            "way/8 is not in the input",
        ),
        ("r9 Mn1@ Tshop=a,type=multipolygon\n", InvalidArea, None, "it encloses nothing"),
        (
            "w8 Nn1,n2,n3\nr9 Mw8@outer Tshop=a,type=multipolygon\n",
            OpenRing,
            Some((9.5, 47.1)),
            "a ring of it does not close",
        ),
        (
            "w9 Nn1,n3,n2,n4,n1 Tshop=a\n",
            InvalidArea,
            Some((9.5, 47.11)),
            "lines of it cross or overlap where they share no node",
        ),
        ("w9 Nn1,n2,n2,n1 Tshop=a\n", InvalidArea, Some((9.5, 47.1)), "it encloses nothing"),
        (
            "n21 x3 y4 Tshop=a\nn21 x5 y6 Tshop=a\n",
            RepeatedId,
            Some((5.0, 6.0)),
            "another object of this id is in the file and counts",
        ),
        (
            "n1 x3 y4 Tshop=BROKEN\n",
            Malformed,
            Some((3.0, 4.0)),
            "a tag of it is not UTF-8, or not in the file's table of texts",
        ),
        (
            "n1 x3 y4 TBROKEN=yes\n",
            Malformed,
            Some((3.0, 4.0)),
            "a tag of it is not UTF-8, or not in the file's table of texts",
        ),
        (
            "r9 Mw8@BROKEN Tshop=a,type=multipolygon\n",
            Malformed,
            None,
            "a role in it is not UTF-8, or not in the file's table of texts",
        ),
    ];
    for (lines, code, position, message) in cases {
        let mut file = pbf(&format!("{SQUARES}{lines}"));
        while let Some(at) = file.windows(6).position(|bytes| bytes == b"BROKEN") {
            file[at..at + 6].copy_from_slice(b"br\xffken");
        }
        let reading = read_bytes(&file, &["shop"], &Region::world()).expect("the file is readable");
        assert!(reading.balances(), "{reading:#?}");
        let [reject] = reading.rejects.as_slice() else { panic!("one reject of {lines}: {reading:#?}") };
        assert_eq!((reject.code, reject.position, reject.message.as_str()), (code, position, message), "{lines}");
    }
}

#[test]
fn of_a_node_given_twice_the_first_counts() {
    let lines = format!("{SQUARES}n1 x-120 y-40\nw11 Nn1,n4,n3,n2,n1 Tshop=kiosk\n");
    let Shape::Area(area) = &read(&lines).features[0].shape else { panic!("a closed way is an area") };
    assert!((area.signed_area() - 1e-4).abs() < 1e-12);
}

#[test]
fn features_come_in_chunks_of_bounded_size() {
    use std::fmt::Write;
    let lines = (1..=5000).fold(String::new(), |mut lines, id| {
        let _ = writeln!(lines, "N{id} x1 y1 Tshop=a");
        lines
    });
    assert_eq!(read(&lines).features.len(), 5000);
}

#[test]
fn the_date_is_that_of_the_header_else_that_of_the_newest_object() {
    let lines = "n1 x1 y1 v1 t1600000000\nw2 Nn1 v1 t1700000000\n";
    let dated = pbf_in(&Style { date: Some(1_710_000_000), ..Style::default() }, lines);
    let vintage = |file: &[u8]| {
        let reading = read_bytes(file, &["shop"], &Region::world()).expect("the file is readable");
        reading.extracted.vintage.map(Timestamp::as_second)
    };
    assert_eq!(vintage(&dated), Some(1_710_000_000));
    assert_eq!(vintage(&pbf(lines)), Some(1_700_000_000));
    assert_eq!(vintage(&pbf("n1 x1 y1\n")), None);
}

#[test]
fn tags_of_member_ways_stay_with_the_ways() {
    // Members with tags and without, and the rows that there are.
    let cases = [
        // Old-style tagging: the relation says nothing but its type.
        ("Tbuilding=yes", "Thighway=path", "Ttype=multipolygon", vec!["way/1 area", "way/2 line"]),
        ("Tbuilding=yes", "", "Ttype=multipolygon,natural=wood", vec!["way/1 area", "relation/3 area"]),
        ("", "", "Ttype=multipolygon,natural=wood", vec!["relation/3 area"]),
        ("Tbuilding=yes", "", "Ttype=route,natural=wood", vec!["way/1 area"]),
    ];
    for (outer, inner, relation, rows) in cases {
        let lines = format!(
            "{SQUARES}--\nw1 Nn1,n2,n3,n4,n1 {outer}\nw2 Nn5,n6,n7,n8,n5 {inner}\n--\nr3 Mw1@outer,w2@inner {relation}\n"
        );
        let read = read_files(&[&pbf(&lines)], &everything(), &Region::world()).expect("the file is readable");
        assert_eq!(read.keys(0), rows, "{outer} {inner} {relation}");
        if let Some(area) = read.row("relation/3 area") {
            assert_eq!(area.tags, [("natural".to_owned(), "wood".to_owned())], "{outer} {inner} {relation}");
        }
    }
}
