//! The XML: what is taken from it, what is refused and where, and that nothing in it makes the reader panic or grow.

use proptest::prelude::*;

use super::super::encode::{Body, Info, Object};
use super::super::overlay::Newest;
use super::{gzip, line, one, osc, overlay, refused, told};
use crate::adapters::io::decompressed;

#[test]
fn every_part_of_an_object_is_taken() {
    let cases = [
        (
            r#"<create><node id="1" version="2" timestamp="2021-08-12T12:41:18Z" changeset="7" uid="5" user="Anna" lat="43.7466004" lon="7.4337806"/></create>"#,
            "n1 v2 c7 t2021-08-12T12:41:18Z i5 uAnna x74337806 y437466004",
        ),
        (
            r#"<modify><node id="-3" lat="-0.0000001" lon="180"><tag k="name" v="R&#246;ssle &amp; &quot;Co&quot;"/><tag k='a' v=''/></node></modify>"#,
            "n-3 Tname=Rössle & \"Co\",a= x1800000000 y-1",
        ),
        (
            r#"<modify><node id="1" lat="1.00000006" lon="0.1e1" version="3"></node></modify>"#,
            "n1 v3 x10000000 y10000001",
        ),
        (
            r#"<create><way id="5" version="1" visible="true"><nd ref="1"/><nd ref="-2"/><nd ref="9001470417"></nd><tag k="highway" v="path"/></way></create>"#,
            "w5 v1 Thighway=path N1,-2,9001470417",
        ),
        (
            r#"<create><relation id="7" uid="0" user="" changeset="0" version="0"><member type="way" ref="5" role="outer"/><member type="node" ref="1" role=""/><member type="relation" ref="2"/></relation></create>"#,
            "r7 Mw5@outer,n1@,r2@",
        ),
        // Line ends in values are blanks, as XML has it; those that are written as numbers stay.
        ("<create><way id='5'><tag k='note' v='a\n\tb&#10;c'/></way></create>", "w5 Tnote=a  b\nc N"),
        // Boxes, comments and instructions are passed over.
        (
            "<bounds minlat='1'/><!-- <node/> --><create><bound box='1'/><?x y?><way id='5'><!-- nothing --></way></create>",
            "w5 N",
        ),
    ];
    for (sections, expected) in cases {
        assert_eq!(told(&overlay(&[sections])), [expected], "{sections}");
    }
    let marked = format!("\u{feff}{}", osc("<create><way id='5'/></create>"));
    assert_eq!(told(&Newest::of_file(marked.as_bytes()).ok().unwrap().into_overlay()), ["w5 N"]);
    assert!(told(&overlay(&[""])).is_empty());
}

#[test]
fn what_is_deleted_needs_no_position() {
    let sections = r#"<delete><node id="1" version="2"/><way id="2" version="3"><nd ref="1"/></way><relation id="3"/></delete>
        <modify><node id="4" version="5" visible="false"/></modify>"#;
    assert_eq!(told(&overlay(&[sections])), ["n1 v2 deleted", "n4 v5 deleted", "w2 v3 deleted", "r3 deleted"]);
}

#[test]
fn a_broken_file_is_refused_with_its_reason() {
    let cases = [
        ("", "it is empty"),
        ("<?xml version='1.0'?>\n", "it is empty"),
        ("<osm version='0.6'></osm>", "it is no OsmChange file: it begins with <osm>"),
        ("<html><body>", "it is no OsmChange file: it begins with <html>"),
        ("<osmChange><create>", "it is of version (none) of OsmChange; only 0.6 is known"),
        ("<osmChange version='0.5'/>", "it is of version 0.5 of OsmChange; only 0.6 is known"),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><osmChange version='0.6'/>",
            "it is written in ISO-8859-1, but only UTF-8 is read",
        ),
        ("<osmChange version='0.6'>", "it is cut off"),
        ("<osmChange version='0.6'><create><node id='1' lat='1' lon='2'", "it is cut off"),
        ("<osmChange version='0.6'><create><node id='1' lat='1' lo", "it is cut off"),
        ("<osmChange version='0.6'><create></modify></osmChange>", "it is not well-formed XML"),
        ("<osmChange version='0.6'><create><way id=1/></create></osmChange>", "it is not well-formed XML"),
        ("<osmChange version='0.6'><create><way id='1' id='2'/></create></osmChange>", "it is not well-formed XML"),
        (
            "<osmChange version='0.6'><create><way id='1' user='&bomb;'/></create></osmChange>",
            "it is not well-formed XML",
        ),
        (
            "<!DOCTYPE x [<!ENTITY bomb 'x'>]><osmChange version='0.6'/>",
            "there is text, a document type or an entity where elements belong",
        ),
        (
            "<osmChange version='0.6'>hello</osmChange>",
            "there is text, a document type or an entity where elements belong",
        ),
        (
            "<osmChange version='0.6'>&amp;</osmChange>",
            "there is text, a document type or an entity where elements belong",
        ),
        ("<osmChange version='0.6'/><osmChange version='0.6'/>", "<osmChange> is not known in nothing"),
        ("<osmChange version='0.6'><node id='1'/></osmChange>", "<node> is not known in <osmChange>"),
        (
            "<osmChange version='0.6'><create><area id='1'/></create></osmChange>",
            "<area> is not known in <create>, <modify> or <delete>",
        ),
        (
            "<osmChange version='0.6'><create><node id='1' lat='1' lon='2'><nd ref='1'/></node></create></osmChange>",
            "<nd> is not known in an object",
        ),
        (
            "<osmChange version='0.6'><create><way id='1'><nd ref='1'><nd ref='2'/></nd></way></create></osmChange>",
            "<nd> is not known in an element that has none",
        ),
        ("<osmChange version='0.6'><delete><way version='1'/></delete></osmChange>", "a <way> has no id"),
        ("<osmChange version='0.6'><create><node id='1' lat='1'/></create></osmChange>", "a <node> has no lon"),
        (
            "<osmChange version='0.6'><create><node id='1' lat='91st' lon='1'/></create></osmChange>",
            "a <node> has lat=\"91st\"",
        ),
        ("<osmChange version='0.6'><create><way id='1e3'/></create></osmChange>", "a <way> has id=\"1e3\""),
        (
            "<osmChange version='0.6'><create><way id='9223372036854775807'/></create></osmChange>",
            "a <way> has id=\"9223372036854775807\"",
        ),
        (
            "<osmChange version='0.6'><create><way id='1' timestamp='yesterday'/></create></osmChange>",
            "a <way> has timestamp=\"yesterday\"",
        ),
        ("<osmChange version='0.6'><create><way id='1'><nd/></way></create></osmChange>", "a <nd> has no ref"),
        (
            "<osmChange version='0.6'><create><way id='1'><nd ref='x'/></way></create></osmChange>",
            "a <nd> has ref=\"x\"",
        ),
        ("<osmChange version='0.6'><create><way id='1'><tag k='x'/></way></create></osmChange>", "a <tag> has no v"),
        (
            "<osmChange version='0.6'><create><relation id='1'><member type='area' ref='1'/></relation></create></osmChange>",
            "a <member> has type=\"area\"",
        ),
        (
            "<osmChange version='0.6'><create><relation id='1'><member ref='1'/></relation></create></osmChange>",
            "a <member> has no type",
        ),
    ];
    for (text, expected) in cases {
        let (offset_bytes, fault) = refused(text.as_bytes());
        assert_eq!(fault.to_string(), expected, "{text}");
        assert!(offset_bytes <= text.len() as u64, "{text}");
    }
    let (_, fault) = refused(b"<osmChange version='0.6'><create><way id='1' user='\xff'/></create></osmChange>");
    assert_eq!(fault.to_string(), "it is not well-formed XML");
}

#[test]
fn the_place_of_a_fault_is_told() {
    let text = osc("\n<create>\n<way id='1'/>\n<way/>\n</create>");
    let (offset_bytes, _) = refused(text.as_bytes());
    assert_eq!(&text[..offset_bytes as usize].lines().last(), &Some("<way/>"));
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let text = osc("<create><way id='1'><nd ref='2'/><tag k='a' v='b'/></way></create>");
    let text = text.trim_end();
    for end in 0..text.len() {
        assert!(Newest::of_file(&text.as_bytes()[..end]).is_err(), "{}", &text[..end]);
    }
    let zipped = gzip(text);
    for end in 2..zipped.len() {
        let (_, fault) =
            Newest::of_file(decompressed(&zipped[..end]).expect("a beginning")).err().expect("it is refused");
        assert_eq!(fault.to_string(), "it is cut off", "{end} of {}", zipped.len());
    }
    let mut damaged = zipped.clone();
    let check = damaged.len() - 6;
    damaged[check] ^= 1;
    let (_, fault) = Newest::of_file(decompressed(&damaged[..]).expect("a beginning")).err().expect("it is refused");
    assert_eq!(fault.to_string(), "it cannot be read or inflated");
}

#[test]
fn absurd_sizes_are_refused_before_they_are_held() {
    let long = "x".repeat(2 << 20);
    let many = (0..200).map(|at| format!("a{at}='' ")).collect::<Vec<_>>().concat();
    let cases = [
        (format!("<create><way id='1' user='{long}'/></create>"), "a tag or a comment is absurdly long"),
        (format!("<create><!-- {long} --></create>"), "a tag or a comment is absurdly long"),
        (format!("<create><{long}/></create>"), "a tag or a comment is absurdly long"),
        (format!("<create><way id='1' {many}/></create>"), "a tag or a comment is absurdly long"),
        ("<create>".repeat(1 << 20), "<create> is not known in <create>, <modify> or <delete>"),
        (
            format!("<create><way id='1'>{}</way></create>", "<nd ref='1'/>".repeat((1 << 20) + 1)),
            "a <way> has an absurd number of parts",
        ),
    ];
    for (sections, expected) in cases {
        let (_, fault) = refused(osc(&sections).as_bytes());
        assert_eq!(fault.to_string(), expected);
    }
}

#[test]
fn a_mapper_without_texts_keeps_no_metadata() {
    let bare = Object { id: 1, info: Info::default(), tags: Vec::new(), body: Body::Node { lon: 1, lat: 2 } };
    assert_eq!(one(&bare).iter().map(line).collect::<Vec<_>>(), ["n1 x1 y2"]);
    // An empty key would end the tags of a dense node, were it the first text.
    let odd = Object { tags: vec![("".into(), "".into()), ("k".into(), "v".into())], ..bare };
    assert_eq!(one(&odd), [odd]);
}

/// A file with a bit of everything.
fn sample() -> String {
    osc(
        r#"<create><node id="1" version="2" timestamp="2021-08-12T12:41:18Z" changeset="7" uid="5" user="A&amp;B" lat="43.7" lon="7.4"><tag k="a" v="b"/></node></create>
        <modify><way id="2" version="3"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way></modify>
        <!-- a comment --><delete><relation id="3"><member type="way" ref="2" role="outer"/></relation></delete>"#,
    )
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        Newest::of_file(bytes.as_slice()).ok();
    }

    #[test]
    fn changed_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
        splice in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let mut bytes = sample().into_bytes();
        if let Some((from, to, into)) = splice {
            let (from, to, into) = (from.index(bytes.len()), to.index(bytes.len()), into.index(bytes.len()));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.splice(into..into, piece);
        }
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        if let Ok(newest) = Newest::of_file(bytes.as_slice()) {
            // What is taken can be encoded and read.
            super::living(&newest.into_overlay());
        }
    }

    #[test]
    fn changed_gzip_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = gzip(&sample());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = decompressed(bytes.as_slice()) {
            Newest::of_file(text).ok();
        }
    }
}
