//! Regions with layers: whatever has a part in the region has a row, and points belong to one side of a border.

use geo::polygon;

use super::encode::pbf;
use super::rows::{everything, read_files};
use crate::domain::{BBox, LeftOutRule, Metres, Region};

/// Around a region from 0 to 10 degrees both ways.
const LINES: &str = "\
n1 x0 y5 Ta=west_border
n2 x10 y5 Ta=east_border
n3 x5 y0 Ta=south_border
n4 x5 y10 Ta=north_border
n5 x5 y5 Ta=middle
n6 x10.001 y5 Ta=in_the_halo
n11 x-5 y4
n12 x15 y6
n13 x-5 y11
n14 x15 y12
n21 x-20 y-20
n22 x30 y-20
n23 x30 y30
n24 x-20 y30
n31 x-4 y-4
n32 x14 y-4
n33 x14 y14
n34 x-4 y14
n41 x-9 y9
n42 x9 y19
n51 x-5 y15
n52 x12 y-1
--
w1 Nn11,n12 Ta=crosses
w2 Nn13,n14 Ta=passes_by
w3 Nn41,n42 Ta=boxes_meet_only
w4 Nn51,n52 Ta=diagonal
w5 Nn21,n22,n23,n24,n21 Tarea=yes,a=contains
w6 Nn31,n32,n33,n34,n31
w7 Nn11,n5 Ta=ends_in_it
--
r1 Mw5@outer,w6@inner Ttype=multipolygon,a=around
r2 Mw5@outer,w9@outer Ttype=multipolygon,a=incomplete
";

/// What the rows say of themselves, in order.
fn met(region: &Region, lines: &str) -> Vec<String> {
    let read = read_files(&[&pbf(lines)], &everything(), region).expect("the file is readable");
    let outside = read.left_out(LeftOutRule::OutsideRegion)[1];
    let tag = |row: &super::rows::Row| row.tags.iter().find(|(key, _)| key == "a").map(|(_, value)| value.clone());
    let mut met: Vec<String> = read.rows[0].iter().filter_map(tag).collect();
    met.sort();
    let tagged = lines.lines().filter(|line| line.contains("a=")).count() as u64;
    let rejected = read.layer_rejects.len() as u64;
    assert_eq!(tagged, met.len() as u64 + outside + rejected, "{met:?}");
    met
}

#[test]
fn what_crosses_or_contains_a_region_is_in_it() {
    let bbox = BBox { xmin: 0.0, ymin: 0.0, xmax: 10.0, ymax: 10.0 };
    let square = polygon![(x: 0.0, y: 0.0), (x: 10.0, y: 0.0), (x: 10.0, y: 10.0), (x: 0.0, y: 10.0), (x: 0.0, y: 0.0)];
    let expected = ["contains", "crosses", "diagonal", "ends_in_it", "middle", "south_border", "west_border"];
    let regions = [
        Region::from_bbox(bbox, Metres(0.0)),
        // Layers have no halo: it is there for duplicates of places to meet.
        Region::from_bbox(bbox, Metres(5000.0)),
        Region::from_boundary(geo::MultiPolygon(vec![square]), Metres(0.0)).expect("a region"),
    ];
    for region in regions {
        assert_eq!(met(&region, LINES), expected, "{region:?}");
    }
}

#[test]
fn a_boundary_cuts_corners_that_its_box_has() {
    // The south-eastern half of the square.
    let half = polygon![(x: 0.0, y: 0.0), (x: 10.0, y: 0.0), (x: 10.0, y: 10.0), (x: 0.0, y: 0.0)];
    let region = Region::from_boundary(geo::MultiPolygon(vec![half]), Metres(0.0)).expect("a region");
    let met = met(&region, LINES);
    assert!(met.iter().any(|a| a == "crosses") && met.iter().any(|a| a == "diagonal"), "{met:?}");
    assert!(!met.iter().any(|a| a == "west_border" || a == "north_border"), "{met:?}");
}

#[test]
fn neighbours_share_out_the_points_between_them() {
    let region = |xmin, xmax| Region::from_bbox(BBox { xmin, ymin: 0.0, xmax, ymax: 10.0 }, Metres(0.0));
    let points = "n1 x0 y5 Ta=1\nn2 x5 y5 Ta=2\nn3 x10 y5 Ta=3\nn4 x9.9999999 y5 Ta=4\n";
    assert_eq!(met(&region(0.0, 5.0), points), ["1"]);
    assert_eq!(met(&region(5.0, 10.0), points), ["2", "4"]);
    assert_eq!(met(&region(10.0, 15.0), points), ["3"]);
}

#[test]
fn a_region_across_the_antimeridian_has_both_sides() {
    let region = Region::from_bbox(BBox { xmin: 170.0, ymin: -20.0, xmax: -170.0, ymax: -10.0 }, Metres(0.0));
    let lines = "\
n1 x175 y-15 Ta=west_of_it
n2 x-175 y-15 Ta=east_of_it
n3 x180 y-15 Ta=on_it
n4 x0 y-15 Ta=the_other_side_of_the_earth
n5 x160 y-15
n6 x172 y-14
n7 x-160 y-15
n8 x-172 y-14
n9 x165 y-9
n10 x179.9 y-9
n11 x179.9 y-21
n12 x165 y-21
n13 x100 y-15
n14 x110 y-15
--
w1 Nn5,n6 Ta=into_the_west
w2 Nn7,n8 Ta=into_the_east
w3 Nn9,n10,n11,n12,n9 Tarea=yes,a=across_the_west
w4 Nn13,n14 Ta=far
";
    let expected = ["across_the_west", "east_of_it", "into_the_east", "into_the_west", "on_it", "west_of_it"];
    assert_eq!(met(&region, lines), expected);
}
