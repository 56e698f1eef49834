//! Files that fuzzing found, and those that it begins with: read in every way, with what always holds asserted.
//!
//! What is asserted, and how the seeds are made, are files of the fuzzer; it runs itself by `just fuzz-pbf SECONDS`.

#[path = "../fuzz/blobs.rs"]
mod blobs;
#[path = "../fuzz/check.rs"]
mod check;
#[path = "../fuzz/mutate.rs"]
mod mutate;
#[path = "../fuzz/protobuf.rs"]
mod protobuf;
#[path = "../fuzz/seeds.rs"]
mod seeds;

use std::fs;
use std::path::{Path, PathBuf};

/// What became of the file that is called this.
fn finding(name: &str) -> Result<u64, String> {
    check::read(&findings().join(format!("{name}.osm.pbf")))
}

fn findings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/findings")
}

#[test]
fn every_finding_is_still_read_or_refused() {
    for entry in fs::read_dir(findings()).expect("the findings can be listed") {
        let path = entry.expect("an entry can be read").path();
        _ = check::read(&path);
    }
}

/// Its time in microseconds was more than a number holds.
#[test]
fn time_beyond_every_calendar() {
    assert_eq!(finding("time_beyond_every_calendar"), Ok(40));
}

#[test]
fn every_seed_means_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = [("history", "full history"), ("unknown-feature", "Quaternions"), ("no-objects", "")];
    for (name, seed) in seeds::all() {
        let file = folder.path().join(name);
        fs::write(&file, &seed).expect("the seed can be written");
        let read = check::read(&file);
        match refused.iter().find(|(refused, _)| *refused == name) {
            None => assert_eq!(read, Ok(30 + 10 + 6), "{name}"),
            Some((_, "")) => assert_eq!(read, Ok(0), "{name}"),
            Some((_, told)) => assert!(read.as_ref().is_err_and(|error| error.contains(told)), "{name}: {read:?}"),
        }
    }
}

#[test]
fn changes_of_a_seed_depend_on_the_number_alone_and_keep_the_frames_whole() {
    let seeds = seeds::all();
    let (_, seed) = &seeds[0];
    let change = |number: u32| mutate::file(seed, number, &mut |bytes| bytes.push(b'x'));
    let changed: Vec<_> = (0..500).map(change).collect();
    assert_eq!(changed, (0..500).map(change).collect::<Vec<_>>());
    let files: Vec<&Vec<u8>> = changed.iter().flatten().collect();
    assert!(files.iter().filter(|file| **file != seed).count() > 300, "most are another file");
    assert!(files.iter().all(|file| blobs::split(file).is_some()), "each is made of blobs");
}
