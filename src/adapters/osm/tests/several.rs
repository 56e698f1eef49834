//! Several files as one source: of an object that is in more than one of them, one version counts.

use super::encode::{backwards, pbf};
use super::rows::{Layered, Row, everything, read_files, read_source};
use super::{OsmPbf, shared_data};
use crate::domain::{LeftOutRule, Region};

const WEST: &str = "\
n1 x9.50 y47.10 v2
n2 x9.51 y47.10 v1
n3 x9.51 y47.11 v1 Tshop=kiosk
n4 x9.52 y47.11 v1 Tshop=shut
--
w11 Nn1,n2,n3,n1 v3 Tbuilding=yes
w12 Nn1,n2 v1 Thighway=path
w13 Nn2,n3 v1 Tbarrier=wall
--
r21 Mw11@outer v1 Ttype=multipolygon,landuse=forest
";

/// What changed since, and what lies beyond.
const EAST: &str = "\
n1 x9.40 y47.00 v1
n2 x9.512 y47.101 v2
n3 x9.51 y47.11 v1 Tshop=kiosk
n4 x9.52 y47.11 v2
n5 x9.60 y47.10 v1 Tshop=bakery
--
w11 Nn1,n2,n3,n1 v2 Tbuilding=no
w12 Nn1,n2,n5 v2 Thighway=track
w13 Nn2,n3 v2 dD
--
r21 Mw11@outer,w12@inner v2 Ttype=multipolygon,landuse=meadow
";

fn read(files: &[&str]) -> Layered {
    let files: Vec<Vec<u8>> = files.iter().map(|lines| pbf(lines)).collect();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    read_files(&files, &everything(), &Region::world()).expect("the files are readable")
}

/// Key, version and tags of each row.
fn told(rows: &[Row]) -> Vec<String> {
    let tags = |row: &Row| row.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    let mut told: Vec<String> =
        rows.iter().map(|row| format!("{} v{} {}", row.key, row.version.unwrap_or(0), tags(row))).collect();
    told.sort();
    told
}

#[test]
fn the_highest_version_counts_whichever_file_has_it() {
    let (west_first, east_first) = (read(&[WEST, EAST]), read(&[EAST, WEST]));
    assert_eq!(
        told(&west_first.rows[0]),
        [
            "node/3 point v1 shop=kiosk",
            "node/5 point v1 shop=bakery",
            "way/11 area v3 building=yes",
            "way/12 line v2 highway=track"
        ]
    );
    // Way 12 is open, so relation 21 is no area in the version that counts.
    assert_eq!(west_first.refused(0), ["relation/21 open_ring"]);
    assert_eq!(west_first.left_out(LeftOutRule::Superseded), [8, 8]);
    assert_eq!(west_first.left_out(LeftOutRule::NotLive), [1, 1]);
    assert_eq!(west_first.extracted.read, 17);
    assert_eq!(west_first.notes, Vec::<String>::new());
    assert_eq!(west_first.content(), east_first.content());
}

#[test]
fn a_node_without_tags_lends_the_position_of_its_highest_version() {
    let read = read(&[WEST, EAST]);
    let Some(geo::Geometry::LineString(line)) = read.row("way/12 line").map(|row| row.geometry.clone()) else {
        panic!("way 12 is a line: {:?}", read.rows)
    };
    let positions: Vec<(f64, f64)> = line.coords().map(|at| (at.x, at.y)).collect();
    assert_eq!(positions, [(9.50, 47.10), (9.512, 47.101), (9.60, 47.10)]);
}

#[test]
fn the_same_file_again_adds_nothing() {
    let (once, thrice) = (read(&[WEST]), read(&[WEST, WEST, WEST]));
    assert_eq!(thrice.rows, once.rows);
    assert_eq!((&thrice.features, &thrice.rejects), (&once.features, &once.rejects));
    assert_eq!(thrice.extracted.objects, once.extracted.objects);
    let objects = once.extracted.read;
    assert_eq!(thrice.left_out(LeftOutRule::Superseded), [2 * objects, 2 * objects]);
}

#[test]
fn files_in_no_order_are_one_source_too() {
    let shuffled = read(&[&backwards(WEST), EAST]);
    assert!(shuffled.notes[0].contains("not sorted"), "{:?}", shuffled.notes);
    assert_eq!(shuffled.content(), read(&[WEST, EAST]).content());
    // An id twice in one file and again in another: the highest version of all.
    let read = read(&["n1 x1 y1 v1 Tshop=a\nn1 x1 y1 v3 Tshop=b\n", "n1 x1 y1 v2 Tshop=c\n"]);
    assert_eq!(told(&read.rows[0]), ["node/1 point v3 shop=b"]);
    assert_eq!(read.left_out(LeftOutRule::Superseded), [2, 2]);
}

#[test]
fn two_years_of_monaco_are_the_later_one_and_what_was_lost_since() {
    let Some(osm) = shared_data("two_years_of_monaco_are_the_later_one_and_what_was_lost_since", "osm") else { return };
    let read = |names: &[&str]| {
        let paths = names.iter().map(|name| osm.join(format!("monaco-{name}.osm.pbf"))).collect();
        read_source(&OsmPbf::of_files("osm", paths), &everything(), &Region::world()).expect("readable")
    };
    let (old, new) = (read(&["20210730"]), read(&["20250101"]));
    let both = read(&["20210730", "20250101"]);
    assert_eq!(both.extracted.read, old.extracted.read + new.extracted.read);
    let living: u64 = both.extracted.objects.values().sum();
    assert_eq!(both.extracted.read, living + both.left_out(LeftOutRule::Superseded)[0]);
    // Whatever the later file has a row of is there as the later file has it.
    let by_key = |layered: Layered| -> std::collections::BTreeMap<String, Row> {
        layered.rows.into_iter().flatten().map(|row| (row.key.clone(), row)).collect()
    };
    let (old, new, both) = (by_key(old), by_key(new), by_key(both));
    assert!(new.len() > 5_000);
    for (key, row) in &new {
        assert_eq!(both.get(key), Some(row));
    }
    let added: Vec<&String> = both.keys().filter(|key| !new.contains_key(*key) && !old.contains_key(*key)).collect();
    assert!(added.len() < 10, "only relations that were incomplete in both: {added:?}");
}

#[test]
fn a_real_file_again_adds_nothing() {
    let Some(path) = shared_data("a_real_file_again_adds_nothing", "osm/monaco-20210730.osm.pbf") else { return };
    let read = |paths| {
        read_source(&OsmPbf::of_files("osm", paths), &everything(), &Region::world()).expect("the file is readable")
    };
    let (once, twice) = (read(vec![path.clone()]), read(vec![path.clone(), path]));
    assert!(twice.rows == once.rows);
    assert_eq!(twice.extracted.objects, once.extracted.objects);
    assert_eq!(twice.left_out(LeftOutRule::Superseded), [once.extracted.read; 2]);
}
