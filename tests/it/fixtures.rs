//! The fixtures are what their generator writes, small, sound to other readers, and explained.

#[path = "../../data/fixtures/generate/charge_map.rs"]
mod charge_map;
#[path = "../../data/fixtures/generate/files.rs"]
mod files;
#[path = "../../data/fixtures/generate/map.rs"]
mod map;
#[path = "../../data/fixtures/generate/pbf.rs"]
pub(crate) mod pbf;
#[path = "../../data/fixtures/generate/record.rs"]
mod record;
#[path = "../../data/fixtures/generate/second_night.rs"]
mod second_night;
#[path = "../../data/fixtures/generate/shapes.rs"]
mod shapes;
#[path = "../../data/fixtures/generate/town.rs"]
mod town;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use osmpbf::{Element, ElementReader, RelMemberType};

use self::map::{Map, Tags};
use self::pbf::Member;

/// Most that all files may take together, in bytes.
const MAX_BYTES: u64 = 300_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fixtures")
}

/// Both nights with the files that hold them.
fn nights() -> [(PathBuf, Map); 2] {
    let file = |night: &str| folder().join(night).join("town.osm.pbf");
    [(file("night-1"), town::first_night()), (file("night-2"), second_night::map())]
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the fixtures are there");
    let paths = entries.map(|entry| entry.expect("the fixtures can be listed").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn committed_files_are_what_the_generator_writes() {
    for (name, bytes) in files::files() {
        let committed = fs::read(folder().join(name)).unwrap();
        assert!(committed == bytes, "{name} differs; run `cargo run --example fixtures`");
    }
}

#[test]
fn there_is_no_file_that_the_generator_does_not_know() {
    let mut known: BTreeSet<PathBuf> = files::files().keys().map(|name| folder().join(name)).collect();
    known.insert(folder().join("README.md"));
    let generator = folder().join("generate");
    let others: Vec<PathBuf> = files_below(&folder())
        .into_iter()
        .filter(|path| !known.contains(path) && !path.starts_with(&generator))
        .collect();
    assert_eq!(others, Vec::<PathBuf>::new());
}

#[test]
fn the_fixtures_are_small() {
    let bytes: u64 = files_below(&folder()).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes < MAX_BYTES, "{bytes} bytes");
}

/// An object as `osmpbf` reads it, or as the map has it: kind and id, version, time in ms, shape, tags.
type Object = (String, i32, i64, String, Tags);

#[test]
fn osmpbf_reads_back_every_object() {
    for (path, map) in nights() {
        let mut read = Vec::new();
        let owned = |tags: &mut dyn Iterator<Item = (&str, &str)>| -> Tags {
            tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let reader = ElementReader::from_path(&path).unwrap();
        reader
            .for_each(|element| {
                read.push(match element {
                    Element::DenseNode(node) => {
                        let info = node.info().unwrap();
                        let shape = format!("{:.7} {:.7}", node.lon(), node.lat());
                        let tags = owned(&mut node.tags());
                        (format!("node/{}", node.id()), info.version(), info.milli_timestamp(), shape, tags)
                    }
                    Element::Way(way) => {
                        let info = way.info();
                        let shape = format!("{:?}", way.refs().collect::<Vec<_>>());
                        let (version, time_ms) = (info.version().unwrap(), info.milli_timestamp().unwrap());
                        (format!("way/{}", way.id()), version, time_ms, shape, owned(&mut way.tags()))
                    }
                    Element::Relation(relation) => {
                        let info = relation.info();
                        let member = |kind: &RelMemberType| match kind {
                            RelMemberType::Node => Member::Node,
                            RelMemberType::Way => Member::Way,
                            RelMemberType::Relation => Member::Relation,
                        };
                        let members: Vec<_> = relation
                            .members()
                            .map(|m| (member(&m.member_type), m.member_id, m.role().unwrap().to_owned()))
                            .collect();
                        let (version, time_ms) = (info.version().unwrap(), info.milli_timestamp().unwrap());
                        let shape = format!("{members:?}");
                        (format!("relation/{}", relation.id()), version, time_ms, shape, owned(&mut relation.tags()))
                    }
                    Element::Node(node) => panic!("node {} is not dense", node.id()),
                });
            })
            .unwrap();
        assert_eq!(read, drawn(&map), "{}", path.display());
    }
}

/// The objects of a map, in the order of a file.
fn drawn(map: &Map) -> Vec<Object> {
    let mut drawn = Vec::new();
    for (id, node) in &map.nodes {
        let shape = format!("{:.7} {:.7}", node.shape.lon(), node.shape.lat());
        let stamp = node.stamp;
        drawn.push((format!("node/{id}"), stamp.version, 1000 * stamp.time_s, shape, node.tags.clone()));
    }
    for (id, way) in &map.ways {
        let shape = format!("{:?}", way.shape);
        drawn.push((format!("way/{id}"), way.stamp.version, 1000 * way.stamp.time_s, shape, way.tags.clone()));
    }
    for (id, relation) in &map.relations {
        let (stamp, shape) = (relation.stamp, format!("{:?}", relation.shape));
        drawn.push((format!("relation/{id}"), stamp.version, 1000 * stamp.time_s, shape, relation.tags.clone()));
    }
    drawn
}

/// Runs `osmium` on a file: what it printed, and what it complained about. `None` where it is not installed.
fn osmium(arguments: &[&str], path: &Path) -> Option<(String, String)> {
    match Command::new("osmium").args(arguments).arg(path).output() {
        Ok(output) => {
            let text = |bytes| String::from_utf8(bytes).expect("osmium prints text");
            Some((text(output.stdout), text(output.stderr)))
        }
        Err(error) => {
            let is_needed = env::var_os("POIMILL_TEST_REQUIRE_ALL").is_some_and(|value| value == "1");
            assert!(!is_needed, "osmium-tool is needed here: {error}");
            crate::support::tell(&format!("osmium-tool is not installed ({error})"));
            None
        }
    }
}

#[test]
fn osmium_counts_what_the_generator_drew() {
    for (path, map) in nights() {
        let Some((info, complaints)) = osmium(&["fileinfo", "-e"], &path) else { return };
        assert_eq!(complaints, "");
        assert!(!info.to_lowercase().contains("warning"), "{info}");
        let expected = [
            format!("Number of nodes: {}", map.nodes.len()),
            format!("Number of ways: {}", map.ways.len()),
            format!("Number of relations: {}", map.relations.len()),
            "Objects ordered (by type and id): yes".to_owned(),
            "Multiple versions of same object: no".to_owned(),
            "All objects have following metadata attributes: version+timestamp".to_owned(),
        ];
        let lines: BTreeSet<&str> = info.lines().map(str::trim).collect();
        for line in &expected {
            assert!(lines.contains(line.as_str()), "{line} is not in\n{info}");
        }
    }
}

#[test]
fn nothing_is_missing_but_what_is_meant_to_be() {
    for (path, _) in nights() {
        let Some((missing, _)) = osmium(&["check-refs", "--check-relations", "--show-ids"], &path) else { return };
        assert_eq!(missing.lines().collect::<Vec<_>>(), ["n19999 in w517", "w599 in r904"]);
    }
}

#[test]
fn the_readme_names_objects_that_exist_and_every_charging_record() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let named: BTreeSet<&str> = readme.split('`').filter(|word| is_id(word)).collect();

    let mut known = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for (_, map) in nights() {
        for (id, ..) in drawn(&map) {
            if id.starts_with("node/2") || id.starts_with("node/30") {
                wanted.insert(id.clone());
            }
            known.insert(id);
        }
    }
    for record in [charge_map::first_night(), second_night::records()].concat() {
        let Some(id) = record.id() else { continue };
        known.insert(id.to_string());
        wanted.insert(id.to_string());
    }
    let unknown: Vec<_> = named.iter().filter(|id| !known.contains(**id)).collect();
    assert_eq!(unknown, Vec::<&&str>::new(), "the README names what is on no night");
    let untold: Vec<_> = wanted.iter().filter(|id| !named.contains(id.as_str())).collect();
    assert_eq!(untold, Vec::<&String>::new(), "the README does not name these");
}

/// Whether a word is `node/…`, `way/…`, `relation/…` or the number of a record.
fn is_id(word: &str) -> bool {
    let digits = ["node/", "way/", "relation/"].iter().find_map(|kind| word.strip_prefix(kind)).unwrap_or(word);
    digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
}
