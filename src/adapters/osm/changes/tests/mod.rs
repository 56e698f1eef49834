//! Tests of changes as a whole: from the text of diffs, in files, folders and on servers, to what the reader is given.

mod fold;
mod folder;
mod osc;
mod real;
mod server;

use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use osmpbf::{BlobDecode, BlobReader, Element, RelMemberType};

use super::encode::{Body, Info, Kind, Member, Object, block};
use super::error::{ChangesError, OscFault};
use super::overlay::{Newest, Overlay};
use crate::adapters::osm::block::{Block, Detail};
use crate::domain::Timestamp;

/// Whether the reader of extracts takes a block.
fn is_taken(block: &[u8]) -> bool {
    let shown = Block::parse(block).and_then(|block| {
        block.nodes(Detail::All, |_| Ok(()))?;
        block.ways(|way| way.refs(&mut Vec::new()))?;
        block.relations(|relation| relation.members().map(|_| ()))
    });
    shown.is_ok()
}

/// The living objects of an overlay, as another reader of PBF sees them; after checking the rules for blocks.
fn living(overlay: &Overlay) -> Vec<Object> {
    assert!(overlay.blocks.is_sorted_by_key(|(kind, _)| *kind));
    let mut living = Vec::new();
    for (kind, raw) in &overlay.blocks {
        assert!(is_taken(raw));
        let objects = decoded(raw);
        assert!((1..=8_000).contains(&objects.len()));
        assert!(objects.iter().all(|object| object.kind() as usize == *kind as usize));
        assert!(objects.iter().all(|object| overlay.versions.0[*kind as usize].contains_key(&object.id)));
        living.extend(objects);
    }
    assert!(living.is_sorted_by(|a, b| (a.kind(), a.id) < (b.kind(), b.id)));
    living
}

/// The objects of an inflated block.
fn decoded(raw: &[u8]) -> Vec<Object> {
    let file = frame(raw);
    let blob = BlobReader::new(file.as_slice()).next().expect("one blob").expect("a blob");
    let BlobDecode::OsmData(block) = blob.decode().expect("a block") else { panic!("not a block of data") };
    let mut objects = Vec::new();
    block.for_each_element(|element| objects.push(object_of(&element)));
    objects
}

/// An inflated block as a file of its own.
fn frame(raw: &[u8]) -> Vec<u8> {
    let mut blob = super::encode::Message::default();
    blob.bytes(1, raw);
    let mut header = super::encode::Message::default();
    header.bytes(1, b"OSMData");
    header.number(3, blob.0.len() as u64);
    [&(header.0.len() as u32).to_be_bytes()[..], &header.0, &blob.0].concat()
}

/// An object as `osmpbf` reads it.
fn object_of(element: &Element<'_>) -> Object {
    let tags = |tags: &mut dyn Iterator<Item = (&str, &str)>| tags.map(|(k, v)| (k.into(), v.into())).collect();
    let units = |nano: i64| nano / 100;
    let of_info = |info: &osmpbf::Info<'_>| Info {
        version: info.version().filter(|version| *version > 0),
        time_s: info.milli_timestamp().filter(|ms| *ms > 0).map(|ms| ms / 1000),
        changeset: info.changeset().filter(|id| *id > 0),
        uid: info.uid().filter(|uid| *uid > 0),
        user: info.user().map(|user| user.expect("a text")).filter(|user| !user.is_empty()).map(Into::into),
    };
    match element {
        Element::Node(_) => panic!("nodes are dense"),
        Element::DenseNode(node) => {
            let info = node.info().map_or_else(Info::default, |info| Info {
                version: Some(info.version()).filter(|version| *version > 0),
                time_s: Some(info.milli_timestamp() / 1000).filter(|seconds| *seconds > 0),
                changeset: Some(info.changeset()).filter(|id| *id > 0),
                uid: Some(info.uid()).filter(|uid| *uid > 0),
                user: Some(info.user().expect("a text")).filter(|user| !user.is_empty()).map(Into::into),
            });
            let body = Body::Node { lon: units(node.nano_lon()), lat: units(node.nano_lat()) };
            Object { id: node.id(), info, tags: tags(&mut node.tags()), body }
        }
        Element::Way(way) => {
            let body = Body::Way(way.refs().collect());
            Object { id: way.id(), info: of_info(&way.info()), tags: tags(&mut way.tags()), body }
        }
        Element::Relation(relation) => {
            let member = |member: osmpbf::RelMember<'_>| Member {
                kind: match member.member_type {
                    RelMemberType::Node => Kind::Node,
                    RelMemberType::Way => Kind::Way,
                    RelMemberType::Relation => Kind::Relation,
                },
                id: member.member_id,
                role: member.role().expect("a text").into(),
            };
            let body = Body::Relation(relation.members().map(member).collect());
            Object { id: relation.id(), info: of_info(&relation.info()), tags: tags(&mut relation.tags()), body }
        }
    }
}

/// An object on one line, in the manner of OPL: `n1 v2 c7 t2021-08-12T12:41:18Z i5 uAnna Tk=v x74337806 y437466004`.
fn line(object: &Object) -> String {
    let mut line = format!("{}{}", ["n", "w", "r"][object.kind() as usize], object.id);
    let Info { version, time_s, changeset, uid, user } = &object.info;
    let mut word = |letter: &str, word: Option<String>| {
        if let Some(word) = word {
            line.extend([" ", letter, word.as_str()]);
        }
    };
    word("v", version.map(|number| number.to_string()));
    word("c", changeset.map(|number| number.to_string()));
    word("t", time_s.map(|seconds| Timestamp::from_second(seconds).expect("a date").to_string()));
    word("i", uid.map(|number| number.to_string()));
    word("u", user.as_ref().map(ToString::to_string));
    let tags: Vec<_> = object.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    word("T", Some(tags.join(",")).filter(|tags| !tags.is_empty()));
    match &object.body {
        Body::Node { lon, lat } => {
            word("x", Some(lon.to_string()));
            word("y", Some(lat.to_string()));
        }
        Body::Way(refs) => word("N", Some(refs.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))),
        Body::Relation(members) => {
            let member = |m: &Member| format!("{}{}@{}", ["n", "w", "r"][m.kind as usize], m.id, m.role);
            word("M", Some(members.iter().map(member).collect::<Vec<_>>().join(",")));
        }
    }
    line
}

/// An overlay, line by line: what lives, and what is deleted.
fn told(overlay: &Overlay) -> Vec<String> {
    let living = living(overlay);
    let mut lines: Vec<String> = living.iter().map(line).collect();
    let mut deleted = Vec::new();
    for at in 0..3 {
        for id in -100..=100 {
            let lives = living.iter().any(|object| object.kind() as usize == at && object.id == id);
            if let Some(version) = overlay.versions.0[at].get(&id).filter(|_| !lives) {
                let version = version.map_or(String::new(), |version| format!(" v{version}"));
                deleted.push(format!("{}{id}{version} deleted", ["n", "w", "r"][at]));
            }
        }
    }
    lines.append(&mut deleted);
    lines
}

/// A whole file of changes around these sections.
fn osc(sections: &str) -> String {
    format!("<?xml version='1.0' encoding='UTF-8'?>\n<osmChange version=\"0.6\">{sections}</osmChange>\n")
}

/// The overlay of files, in order; each is what stands within `osmChange`.
fn overlay(files: &[&str]) -> Overlay {
    let mut newest = Newest::default();
    for file in files {
        newest.append(Newest::of_file(osc(file).as_bytes()).unwrap_or_else(|error| panic!("{file}: {error:?}")));
    }
    newest.into_overlay()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).expect("gzip");
    text
}

/// A folder with these files, and folders for them.
fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, bytes).expect("the temporary folder takes a file");
    }
    folder
}

/// A state file.
fn state(sequence: u64, time: &str) -> Vec<u8> {
    format!("#a comment\nsequenceNumber={sequence}\ntimestamp={}\n", time.replace(':', "\\:")).into_bytes()
}

/// A diff that creates one node, whose id is its number's last two digits.
fn diff(sequence: u64) -> Vec<u8> {
    let id = sequence % 100;
    gzip(&osc(&format!("<create><node id=\"{id}\" version=\"1\" lat=\"1\" lon=\"2\"/></create>")))
}

/// The ids of the nodes that live, which [`diff`] makes of numbers.
fn node_ids(overlay: &Overlay) -> Vec<i64> {
    living(overlay).iter().map(|object| object.id).collect()
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a date")
}

/// An error as a person sees it, with the folder's own path taken out.
fn error_told(error: &ChangesError, folder: &Path) -> String {
    crate::adapters::osm::tests::told(error).replace(&format!("{}", folder.display()), "DIR")
}

/// Where and why a text is refused.
fn refused(text: &[u8]) -> (u64, OscFault) {
    Newest::of_file(text).err().expect("the text is refused")
}

/// A block of one object, for what only the encoder decides.
fn one(object: &Object) -> Vec<Object> {
    decoded(&block(std::iter::once(object)))
}
