//! Objects with parts outside the input: rejected with the part's name, or what is there is kept and flagged, never
//! turned inside out.

use geo::{Area, Geometry, Validation};

use super::encode::pbf;
use super::rows::{Layered, layer, read_files, read_layers};
use super::shared_data;
use crate::domain::{GeometryKind, Incomplete, Layer, Region, Reject, RejectCode};

/// Two squares of one hundredth of a degree side by side, and a smaller one within the first.
const NODES: &str = "\
n1 x9.50 y47.10
n2 x9.51 y47.10
n3 x9.51 y47.11
n4 x9.50 y47.11
n5 x9.504 y47.104
n6 x9.506 y47.104
n7 x9.506 y47.106
n8 x9.504 y47.106
n9 x9.52 y47.10
n10 x9.52 y47.11
--
";

/// Reads into a layer that rejects what is incomplete, and one that keeps it.
fn read(lines: &str) -> Layered {
    let layers = [layer("*", Incomplete::Reject), layer("*", Incomplete::KeepFlagged)];
    read_files(&[&pbf(&format!("{NODES}{lines}"))], &layers, &Region::world()).expect("the file is readable")
}

#[test]
fn what_is_left_is_kept_and_flagged_or_told() {
    use RejectCode::MissingMember;
    // Lines, what is missing, where it is told, and the area of what is kept in ten-thousandths of a square
    // degree: of nothing, of a line, of an area.
    let line = Some(0.0);
    let cases = [
        ("w1 Nn1,n2,n99 Thighway=path\n", "node/99", Some((9.5, 47.1)), line),
        ("w1 Nn99,n1,n98,n2 Thighway=path\n", "node/99", Some((9.5, 47.1)), line),
        ("w1 Nn99,n1,n98 Thighway=path\n", "node/99", Some((9.5, 47.1)), None),
        ("w1 Nn99,n1,n1 Thighway=path\n", "node/99", Some((9.5, 47.1)), None),
        ("w1 Nn97,n98,n99 Thighway=path\n", "node/97", None, None),
        // Closed ways: with a corner cut off, too little left, the closing node missing, a bow tie for want of a node.
        ("w1 Nn1,n2,n99,n3,n4,n1 Tbuilding=yes\n", "node/99", Some((9.5, 47.1)), Some(1.0)),
        ("w1 Nn1,n2,n99,n4,n1 Tbuilding=yes\n", "node/99", Some((9.5, 47.1)), Some(0.5)),
        ("w1 Nn1,n2,n99,n1 Tbuilding=yes\n", "node/99", Some((9.5, 47.1)), None),
        ("w1 Nn99,n1,n2,n3,n99 Tbuilding=yes\n", "node/99", Some((9.5, 47.1)), None),
        ("w1 Nn1,n3,n99,n2,n4,n1 Tbuilding=yes\n", "node/99", Some((9.5, 47.1)), None),
        // Relations: the only outer way, a piece of it, a node of it.
        ("w2 Nn5,n6,n7,n8,n5\nr1 Mw9@outer,w2@inner Ttype=multipolygon,a=b\n", "way/9", Some((9.504, 47.104)), None),
        ("w2 Nn5,n6,n7,n8,n5\nr1 Mw2@inner,w9@outer Ttype=multipolygon,a=b\n", "way/9", Some((9.504, 47.104)), None),
        (
            "w2 Nn5,n6,n7\nw3 Nn7,n8,n5\nr1 Mw2@inner,w3@inner,w9@outer Ttype=multipolygon,a=b\n",
            "way/9",
            Some((9.504, 47.104)),
            None,
        ),
        (
            "w1 Nn1,n2,n3\nw2 Nn5,n6,n7,n8,n5\nr1 Mw1@outer,w9@outer,w2@inner Ttype=multipolygon,a=b\n",
            "way/9",
            Some((9.5, 47.1)),
            None,
        ),
        ("w1 Nn1,n2,n99,n4,n1\nr1 Mw1@outer Ttype=multipolygon,a=b\n", "node/99", Some((9.5, 47.1)), Some(0.5)),
        ("r1 Mw8@outer,w9@outer Ttype=boundary,a=b\n", "way/8", None, None),
        // One of two outers is there; with its own hole, and with the hole of the other.
        ("w1 Nn1,n2,n3,n4,n1\nr1 Mw1@outer,w9@outer Ttype=boundary,a=b\n", "way/9", Some((9.5, 47.1)), Some(1.0)),
        (
            "w1 Nn1,n2,n3,n4,n1\nw2 Nn5,n6,n7,n8,n5\nr1 Mw1@outer,w9@outer,w2@inner Ttype=multipolygon,a=b\n",
            "way/9",
            Some((9.5, 47.1)),
            Some(0.96),
        ),
        (
            "w1 Nn2,n9,n10,n3,n2\nw2 Nn5,n6,n7,n8,n5\nr1 Mw1@outer,w9@outer,w2@inner Ttype=multipolygon,a=b\n",
            "way/9",
            Some((9.51, 47.1)),
            Some(1.0),
        ),
        // A hole is missing: the outer ring is kept without it.
        ("w1 Nn1,n2,n3,n4,n1\nr1 Mw1@outer,w9@inner Ttype=multipolygon,a=b\n", "way/9", Some((9.5, 47.1)), Some(1.0)),
    ];
    for (lines, part, position, kept) in cases {
        let read = read(lines);
        let key = if lines.contains("r1 ") { "relation/1" } else { "way/1" };
        let expected = Reject {
            record_id: crate::domain::RecordId::new(key),
            code: MissingMember,
            position,
            line: None,
            message: format!("{part} is not in the input"),
        };
        let of = |layer: usize| {
            let rejects = read.layer_rejects.iter().filter(|(at, _)| *at == layer);
            rejects.map(|(_, reject)| reject.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(0), std::slice::from_ref(&expected), "{lines}");
        assert_eq!(read.rows[0], [], "{lines}");
        let areas: Vec<f64> =
            read.rows[1].iter().map(|row| (row.geometry.signed_area() * 1e6).round() / 100.0).collect();
        assert_eq!(areas, kept.into_iter().collect::<Vec<_>>(), "{lines}");
        assert!(read.rows[1].iter().all(|row| row.incomplete && row.geometry.is_valid()), "{:?}", read.rows[1]);
        assert_eq!(of(1), if kept.is_some() { vec![] } else { vec![expected] }, "{lines}");
    }
}

#[test]
fn a_closed_way_with_a_node_that_is_nowhere_is_told_as_the_area_that_it_is() {
    let areas = |incomplete| Layer { kinds: vec![GeometryKind::Area], ..layer("*", incomplete) };
    let lines = Layer { kinds: vec![GeometryKind::Line], ..layer("*", Incomplete::KeepFlagged) };
    let layers = [areas(Incomplete::Reject), areas(Incomplete::KeepFlagged), lines];
    for nodes in ["n90,n1,n2,n3,n90", "n1,n90,n2,n3,n1"] {
        // The north pole lies at 90 degrees.
        let text = NODES.replace("--\n", "n90 x9.50 y95\n--\n") + &format!("w1 N{nodes} Tbuilding=yes\n");
        let read = read_files(&[&pbf(&text)], &layers, &Region::world()).expect("the file is readable");
        let told = [vec!["way/1 invalid_position"], vec!["way/1 invalid_position"], vec![]];
        assert_eq!([0, 1, 2].map(|layer| read.refused(layer)), told, "{nodes}");
    }
}

#[test]
fn what_is_whole_is_not_flagged() {
    let lines = "w1 Nn1,n2,n3,n4,n1 Tbuilding=yes\nw2 Nn5,n6,n7,n8,n5\n--\n\
                 r1 Mw1@outer,w2@inner,n99@label,r98@subarea Ttype=multipolygon,a=b\n";
    let read = read(lines);
    assert_eq!(read.rows[0], read.rows[1]);
    assert_eq!(read.keys(1), ["way/1 area", "relation/1 area"]);
    assert!(read.rows[1].iter().all(|row| !row.incomplete));
}

#[test]
fn the_edge_of_a_real_extract_is_flagged_or_told() {
    let test = "the_edge_of_a_real_extract_is_flagged_or_told";
    let Some(path) = shared_data(test, "osm/liechtenstein-20240303.osm.pbf") else { return };
    let layers = [layer("*", Incomplete::Reject), layer("*", Incomplete::KeepFlagged)];
    let read = read_layers(&path, &layers, &Region::world());
    assert!(read.rows[0].iter().all(|row| !row.incomplete));
    let flagged: Vec<_> = read.rows[1].iter().filter(|row| row.incomplete).collect();
    assert!(!flagged.is_empty());
    for row in &flagged {
        assert!(row.geometry.is_valid(), "{}", row.key);
        let inside_out = matches!(row.geometry, Geometry::Polygon(_) | Geometry::MultiPolygon(_))
            && row.geometry.signed_area() <= 0.0;
        assert!(!inside_out, "{}", row.key);
    }
    assert_eq!(read.rows[0].len() + flagged.len(), read.rows[1].len(), "whole objects are the same in both");
    let told = |at: usize| {
        let missing = |(layer, reject): &&(usize, Reject)| *layer == at && reject.code == RejectCode::MissingMember;
        read.layer_rejects.iter().filter(missing).map(|(_, reject)| reject).collect::<Vec<_>>()
    };
    assert_eq!(told(0).len(), told(1).len() + flagged.len());
    let mut nowhere = Vec::new();
    for reject in told(0) {
        let part = reject.message.strip_suffix(" is not in the input").expect("what is missing");
        assert!(part.starts_with("way/") || part.starts_with("node/"), "{reject:?}");
        nowhere.extend(reject.position.is_none().then(|| reject.record_id.as_str().to_owned()));
    }
    // Of these no member way is in the extract at all.
    assert!(nowhere.len() * 10 < told(0).len(), "{nowhere:?} of {}", told(0).len());
}
