//! Fuzzing of the OSM reader: libFuzzer changes files, `check` reads them and asserts what always holds.
//!
//! `run.sh` builds and starts it. The reader alone is instrumented; every input is a file of the format's own kind, so
//! that what is found can be looked at with other tools and kept as a fixture.
#![no_main]

mod blobs;
mod check;
mod limit;
mod mutate;
mod protobuf;
mod seeds;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs};

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

#[global_allocator]
static LIMITED: limit::Limited = limit::Limited;

fuzz_target!(init: write_seeds(), |bytes: &[u8]| {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = env::var_os("POIMILL_FUZZ_FOLDER").expect("run.sh names a folder");
        PathBuf::from(folder).join("input.osm.pbf")
    });
    fs::write(&*FILE, bytes).expect("the file can be written");
    // That it cannot be read is no finding.
    _ = check::read(&FILE);
});

/// Writes the seeds into the folder that the environment names; nothing where it names none.
fn write_seeds() {
    let Some(folder) = env::var_os("POIMILL_FUZZ_SEEDS").map(PathBuf::from) else { return };
    for (name, file) in seeds::all() {
        fs::write(folder.join(name), file).expect("a seed can be written");
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut bytes = |part: &mut Vec<u8>| {
        let length = part.len();
        part.resize(length + 64, 0);
        let most = part.len();
        let length = fuzzer_mutate(part, length, most);
        part.truncate(length);
    };
    match mutate::file(&data[..size], seed, &mut bytes) {
        Some(file) if !file.is_empty() && file.len() <= max_size => {
            data[..file.len()].copy_from_slice(&file);
            file.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
