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

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

#[global_allocator]
static LIMITED: limit::Limited = limit::Limited;

fuzz_target!(init: seeds::write_all(), |file: &[u8]| check::read(file));

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
