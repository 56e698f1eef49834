//! Diffs laid over a file: the same as a file that has them in it.

use super::encode::{backwards, pbf};
use super::rows::{Layered, everything, read_source};
use super::{ChangesAt, OsmPbf};
use crate::domain::{LeftOutRule, Region};
use crate::pipeline::ports::Source;

const EXTRACT: &str = "\
n1 x9.50 y47.10 v1
n2 x9.51 y47.10 v1
n3 x9.51 y47.11 v9
n4 x9.50 y47.11 v1
n5 x9.52 y47.10 v2 Tshop=gone
n6 x9.53 y47.10 v9 Tshop=newer_here
n8 x9.55 y47.10 v1 Tshop=loses_its_tags
n9 x9.50 y47.12 v1
--
w11 Nn1,n2,n3,n4,n1 v1 Tbuilding=yes
w12 Nn1,n2 v1 Thighway=path
w13 Nn2,n3 v2 Tbarrier=wall
w14 Nn1,n2,n3,n1 v1
--
r21 Mw14@outer v1 Ttype=multipolygon,landuse=forest
r22 Mw14@outer v1 Ttype=multipolygon,landuse=meadow
";

const DIFF: &str = "<osmChange version='0.6'>
<modify>
  <node id='1' version='2' lat='47.09' lon='9.49'/>
  <node id='3' version='5' lat='40' lon='5'/>
  <node id='6' version='4' lat='40' lon='5'><tag k='shop' v='older'/></node>
  <node id='8' version='2' lat='47.10' lon='9.55'/>
  <way id='12' version='2'><nd ref='1'/><nd ref='2'/><nd ref='7'/><tag k='highway' v='track'/></way>
  <relation id='21' version='2'>
    <member type='way' ref='15' role='outer'/>
    <tag k='type' v='multipolygon'/><tag k='landuse' v='orchard'/>
  </relation>
</modify>
<create>
  <node id='7' version='1' lat='47.13' lon='9.54'><tag k='shop' v='new'/></node>
  <way id='15' version='1'><nd ref='1'/><nd ref='2'/><nd ref='9'/><nd ref='1'/></way>
</create>
<delete>
  <node id='4' version='2' lat='47.11' lon='9.5'/>
  <node id='5' version='3'/>
  <node id='99' version='7'/>
  <way id='13' version='1'/>
  <relation id='22' version='2'/>
</delete>
</osmChange>
";

/// The extract with the diff in it.
const UPDATED: &str = "\
n1 x9.49 y47.09 v2
n2 x9.51 y47.10 v1
n3 x9.51 y47.11 v9
n6 x9.53 y47.10 v9 Tshop=newer_here
n7 x9.54 y47.13 v1 Tshop=new
n8 x9.55 y47.10 v2
n9 x9.50 y47.12 v1
--
w11 Nn1,n2,n3,n4,n1 v1 Tbuilding=yes
w12 Nn1,n2,n7 v2 Thighway=track
w13 Nn2,n3 v2 Tbarrier=wall
w14 Nn1,n2,n3,n1 v1
w15 Nn1,n2,n9,n1 v1
--
r21 Mw15@outer v2 Ttype=multipolygon,landuse=orchard
";

/// Reads files as one source, with the diff if it is wanted.
fn read(files: &[&str], diff: Option<&str>) -> Layered {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: String, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("the temporary folder takes a file");
        path
    };
    let paths = files.iter().enumerate().map(|(at, lines)| write(format!("{at}.osm.pbf"), &pbf(lines))).collect();
    let source = OsmPbf::of_files("osm", paths);
    let source = match diff {
        Some(diff) => source.with_changes(ChangesAt::Folder(write("diff.osc".to_owned(), diff.as_bytes()))),
        None => source,
    };
    read_source(&source, &everything(), &Region::world()).expect("the source is readable")
}

#[test]
fn an_extract_with_a_diff_is_the_updated_extract() {
    let expected = read(&[UPDATED], None);
    assert_eq!(expected.refused(0), ["way/11 missing_member"]);
    assert_eq!(expected.rows[0].len(), 5);
    let half = EXTRACT.len() / 2;
    let half = half + EXTRACT[half..].find('\n').expect("a line ends") + 1;
    let (first, second) = EXTRACT.split_at(half);
    let backwards = backwards(EXTRACT);
    for files in [&[EXTRACT][..], &[&backwards], &[first, second], &[second, first], &[EXTRACT, EXTRACT]] {
        let read = read(files, Some(DIFF));
        let objects = EXTRACT.lines().filter(|line| *line != "--").count() * (1 + usize::from(files == [EXTRACT; 2]));
        // Of the eight living objects of the diff, two are older than what the file has.
        assert_eq!(read.extracted.read, objects as u64 + 8, "{files:?}");
        assert_eq!(read.extracted.objects, expected.extracted.objects, "{files:?}");
        let living: u64 = expected.extracted.objects.values().sum();
        assert_eq!(read.left_out(LeftOutRule::Superseded), [read.extracted.read - living; 2], "{files:?}");
        let (read, expected) = (read.content(), expected.clone().content());
        assert_eq!(read.rows, expected.rows, "{files:?}");
        assert_eq!((read.features, read.rejects), (expected.features, expected.rejects), "{files:?}");
        assert_eq!(read.layer_rejects, expected.layer_rejects, "{files:?}");
    }
}

#[test]
fn a_diff_that_the_extract_has_already_changes_nothing() {
    let (plain, again) = (read(&[UPDATED], None), read(&[UPDATED], Some(DIFF)));
    assert_eq!(again.rows, plain.rows);
    assert_eq!(again.layer_rejects, plain.layer_rejects);
    assert_eq!(again.extracted.objects, plain.extracted.objects);
}

#[test]
fn what_a_run_would_refuse_is_refused_by_a_check() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a.osm.pbf");
    std::fs::write(&path, pbf(EXTRACT)).expect("a file can be written");
    let source = OsmPbf::new("osm", &path);
    let with = |changes: &std::path::Path| source.clone().with_changes(ChangesAt::Folder(changes.to_owned())).check();
    let there = folder.path().display();
    let told = with(folder.path()).expect("the folder is there");
    assert!(told.ends_with(&format!("; with the changes of {there}")), "{told}");
    let error = format!("{:?}", with(&folder.path().join("none")).expect_err("there is no such folder"));
    assert!(error.contains("Missing"), "{error}");
}
