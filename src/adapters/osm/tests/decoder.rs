//! Our decoder against `osmpbf`'s: every object of every extract, with all that is said of it.
//!
//! Both sides get the same inflated block and write each object in the same words; the words are compared by hash.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};

use osmpbf::{BlobReader, Element, Info, RelMemberType};
use rayon::prelude::*;

use super::super::block::{Block, Detail, Meta};
use super::super::file::{Buffers, PbfFile, raw_frame};
use super::shared_data;
use crate::domain::Position;

/// Kind and id of an object, and a hash of what is said of it.
type Print = (char, i64, u64);

/// Blobs of the largest file that are compared: a part of them, from all over it.
const OF_THE_LARGEST: usize = 12;

/// Larger files are sampled.
const LARGE_BYTES: u64 = 10 << 20;

#[test]
fn every_object_is_as_osmpbf_decodes_it() {
    let Some(folder) = shared_data("every_object_is_as_osmpbf_decodes_it", "osm") else { return };
    let mut objects = 0;
    let mut extracts = 0;
    for entry in std::fs::read_dir(folder).expect("the extracts") {
        let path = entry.expect("an extract").path();
        if !path.to_string_lossy().ends_with(".osm.pbf") {
            continue;
        }
        // `osmpbf` loses all metadata of dense nodes where a column of it is left out; what we read then is told elsewhere.
        let with_meta = !path.to_string_lossy().contains("nochangesets");
        let file = PbfFile::open(&path).expect("an extract is readable");
        let blobs = file.data_blobs().expect("an extract is readable");
        let step = if file.size_bytes > LARGE_BYTES { OF_THE_LARGEST } else { 1 };
        let compared: usize = blobs
            .par_iter()
            .step_by(step)
            .map(|at| {
                let mut buffers = Buffers::new();
                let raw = file.inflated(*at, &mut buffers).expect("a blob can be inflated");
                let (ours, theirs) = (ours(raw, with_meta), theirs(raw, with_meta));
                let different = ours.iter().zip(&theirs).find(|(our, their)| our != their);
                assert_eq!(different, None, "{}", path.display());
                assert_eq!(ours.len(), theirs.len(), "{}", path.display());
                ours.len()
            })
            .sum();
        objects += compared;
        extracts += 1;
    }
    assert_eq!(extracts, 20);
    assert!(objects > 2_000_000, "{objects} objects were compared");
}

fn hash(words: &mut String) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(words.as_bytes());
    words.clear();
    hasher.finish()
}

fn put(words: &mut String, text: std::fmt::Arguments<'_>) {
    words.write_fmt(text).expect("text in memory can be written");
}

fn sorted(mut prints: Vec<Print>) -> Vec<Print> {
    prints.sort_by_key(|(kind, id, _)| (*kind, *id));
    prints
}

fn ours(raw: &[u8], with_meta: bool) -> Vec<Print> {
    let block = Block::parse(raw).expect("a block can be decoded");
    let strings: Vec<&str> =
        block.strings().iter().map(|text| std::str::from_utf8(text).expect("texts are UTF-8")).collect();
    let (mut prints, mut words) = (Vec::new(), String::new());
    let common = |words: &mut String, tags: &[(u32, u32)], meta: &Meta<'_>| {
        for (key, value) in tags {
            put(words, format_args!("{}={};", strings[*key as usize], strings[*value as usize]));
        }
        if !with_meta {
            return;
        }
        let user = meta.user.map(|user| std::str::from_utf8(user).expect("names are UTF-8"));
        let Meta { version, time_ms, changeset, uid, visible, .. } = meta;
        put(words, format_args!("{version:?} {time_ms:?} {changeset:?} {uid:?} {user:?} {visible}"));
    };
    let position = |words: &mut String, at: Option<Position>| {
        let at = at.expect("positions are in range");
        put(words, format_args!(" {},{}", at.lon, at.lat));
    };
    let nodes = block.nodes(Detail::All, |node| {
        common(&mut words, node.tags, &node.meta);
        position(&mut words, node.position);
        prints.push(('n', node.id, hash(&mut words)));
        Ok(())
    });
    nodes.expect("nodes can be decoded");
    let (mut refs, mut positions) = (Vec::new(), Vec::new());
    let ways = block.ways(|way| {
        common(&mut words, way.tags, &way.meta);
        way.refs(&mut refs)?;
        assert_eq!(refs.len(), way.node_count());
        way.positions(&mut positions)?;
        put(&mut words, format_args!(" {refs:?}"));
        positions.iter().for_each(|at| position(&mut words, *at));
        prints.push(('w', way.id, hash(&mut words)));
        Ok(())
    });
    ways.expect("ways can be decoded");
    let relations = block.relations(|relation| {
        common(&mut words, relation.tags, &relation.meta);
        for member in relation.members()? {
            let role = strings[member.role as usize];
            put(&mut words, format_args!(" {}{}@{role}", member.kind as usize, member.id));
        }
        prints.push(('r', relation.id, hash(&mut words)));
        Ok(())
    });
    relations.expect("relations can be decoded");
    sorted(prints)
}

/// What is said of a version, in the same words, without what writers put where they know nothing.
fn put_meta(
    words: &mut String,
    (version, time_ms, changeset, uid): (Option<i32>, Option<i64>, Option<i64>, Option<i32>),
    user: Option<&str>,
    visible: bool,
) {
    let (version, time_ms) = (version.filter(|version| *version > 0), time_ms.filter(|time| *time > 0));
    let (changeset, uid) = (changeset.filter(|id| *id > 0), uid.filter(|id| *id > 0));
    let user = user.filter(|name| !name.is_empty());
    put(words, format_args!("{version:?} {time_ms:?} {changeset:?} {uid:?} {user:?} {visible}"));
}

fn put_info(words: &mut String, info: &Info<'_>, with_meta: bool) {
    if !with_meta {
        return;
    }
    let numbers = (info.version(), info.milli_timestamp(), info.changeset(), info.uid());
    put_meta(words, numbers, info.user().map(|name| name.expect("names are UTF-8")), info.visible());
}

fn put_tags<'a>(words: &mut String, tags: impl Iterator<Item = (&'a str, &'a str)>) {
    tags.for_each(|(key, value)| put(words, format_args!("{key}={value};")));
}

fn theirs(raw: &[u8], with_meta: bool) -> Vec<Print> {
    let frame = raw_frame("OSMData", raw);
    let blob = BlobReader::new(frame.as_slice()).next().expect("a blob").expect("a readable blob");
    let block = blob.to_primitiveblock().expect("a block can be decoded");
    let (mut prints, mut words) = (Vec::new(), String::new());
    block.for_each_element(|element| {
        let words = &mut words;
        let (kind, id) = match element {
            Element::Node(node) => {
                put_tags(words, node.tags());
                put_info(words, &node.info(), with_meta);
                put(words, format_args!(" {},{}", node.decimicro_lon(), node.decimicro_lat()));
                ('n', node.id())
            }
            Element::DenseNode(node) => {
                put_tags(words, node.tags());
                match node.info() {
                    _ if !with_meta => {}
                    None => put_meta(words, (None, None, None, None), None, true),
                    Some(info) => {
                        let (version, time_ms) = (Some(info.version()), Some(info.milli_timestamp()));
                        let numbers = (version, time_ms, Some(info.changeset()), Some(info.uid()));
                        put_meta(words, numbers, Some(info.user().expect("names are UTF-8")), info.visible());
                    }
                }
                put(words, format_args!(" {},{}", node.decimicro_lon(), node.decimicro_lat()));
                ('n', node.id())
            }
            Element::Way(way) => {
                put_tags(words, way.tags());
                put_info(words, &way.info(), with_meta);
                put(words, format_args!(" {:?}", way.refs().collect::<Vec<_>>()));
                for at in way.node_locations() {
                    put(words, format_args!(" {},{}", at.decimicro_lon(), at.decimicro_lat()));
                }
                ('w', way.id())
            }
            Element::Relation(relation) => {
                put_tags(words, relation.tags());
                put_info(words, &relation.info(), with_meta);
                for member in relation.members() {
                    let kind = match member.member_type {
                        RelMemberType::Node => 0,
                        RelMemberType::Way => 1,
                        RelMemberType::Relation => 2,
                    };
                    let role = member.role().expect("roles are UTF-8");
                    put(words, format_args!(" {kind}{}@{role}", member.member_id));
                }
                ('r', relation.id())
            }
        };
        prints.push((kind, id, hash(words)));
    });
    sorted(prints)
}
