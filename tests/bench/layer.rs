//! Times what happens to the rows of a layer after they are read: sort, columns, hashes, Parquet, SHA-256.
//!
//! ```text
//! cargo bench --locked --bench layer [-- THREADS [ROWS [MEMORY_MB]]]
//! ```
//!
//! Half of the rows are points with 3 tags, half areas of 8 positions with 4 tags, scattered over a few thousand towns.
//! Prints seconds, bytes and peak memory. Needs Linux.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement run by hand")]

use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{env, fs};

use poimill::adapters::geoparquet::FolderStore;
use poimill::adapters::io::FolderScratch;
use poimill::domain::{Filter, GeometryKind, Incomplete, Layer, ObjectKind, Position};
use poimill::pipeline::RunError;
use poimill::pipeline::layers::{
    LayerFeature, LayerRows, LayerShape, SortedRows, Sorter, Tally, layer_batch, layer_table,
};
use poimill::pipeline::ports::{Credits, MakeBatch, SnapshotStore, Staging};

/// Rows handed on at once, as blocks of a file have them.
const BLOCK_ROWS: u64 = 8_000;

fn main() {
    let numbers: Vec<usize> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let number = |at: usize, usual: usize| numbers.get(at).copied().unwrap_or(usual);
    let (threads, rows, memory_bytes) = (number(0, 2), number(1, 700_000), number(2, 512) << 20);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let layer = Layer {
        name: "everything".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*".to_owned()]).unwrap(),
        kinds: GeometryKind::ALL.to_vec(),
        columns: vec![],
        incomplete: Incomplete::Reject,
        users: false,
    };
    let blocks: Vec<LayerRows> = (0..rows as u64)
        .step_by(BLOCK_ROWS as usize)
        .map(|first| {
            let mut block = LayerRows::default();
            (first..(first + BLOCK_ROWS).min(rows as u64)).for_each(|id| push(&mut block, id));
            block
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path(), "bench");
    let scratch = FolderScratch::new(&store.work());
    println!("{rows} rows, {threads} threads, {} MB before", peak_mb());

    let (start, cpu_before) = (Instant::now(), cpu_seconds());
    let mut lap = cpu_before;
    let mut told = |what: &str, since: Instant| {
        let cpu = cpu_seconds();
        println!("{what:<8}{:>7.3} s wall {:>7.3} s CPU", since.elapsed().as_secs_f64(), cpu - lap);
        lap = cpu;
    };
    let mut sorter = Sorter::default();
    for block in blocks {
        sorter.push(block);
        if sorter.held_bytes() > memory_bytes {
            sorter.spill(&scratch).unwrap();
        }
    }
    let sorted = sorter.finish(&scratch).unwrap();
    told("sort", start);

    let table = layer_table(&layer);
    let staging: Box<dyn Staging> = store.stage(&Credits::default()).unwrap();
    let tally = Mutex::new(Tally::default());
    let make = |chunk: Result<SortedRows, RunError>| {
        let (chunk, table, layer, tally) = (chunk?, &table, &layer, &tally);
        Ok(Box::new(move || {
            let (batch, counted) = layer_batch(table, layer, &chunk)?;
            tally.lock().unwrap_or_else(PoisonError::into_inner).merge(counted);
            Ok(batch)
        }) as MakeBatch<'_>)
    };
    let writing = Instant::now();
    let file = staging.write(&table, &mut sorted.map(make)).unwrap();
    told("write", writing);
    let all = format!("{:.3} s wall {:.3} s CPU", start.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let path = store.work().join("staging/layers/everything.parquet");
    println!(
        "both    {all}, {} MB peak, file {:.1} MB, {}",
        peak_mb(),
        fs::metadata(&path).unwrap().len() as f64 / 1e6,
        &file.sha256[..8]
    );
    if let Some(kept) = env::var_os("KEEP") {
        fs::copy(&path, kept).unwrap();
    }
}

/// Numbers without a pattern that zstd could find, the same every time (splitmix64).
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn push(rows: &mut LayerRows, id: u64) {
    let town = scramble(id / 200);
    let jitter = scramble(id);
    let at = Position {
        lon: (town % 3_400_000_000) as i32 - 1_700_000_000 + (jitter % 500_000) as i32,
        lat: ((town >> 32) % 1_600_000_000) as i32 - 800_000_000 + ((jitter >> 32) % 500_000) as i32,
    };
    let (number, street) = (format!("{}", jitter % 200), format!("Street of {:04x}", (town ^ (jitter % 16)) % 0xffff));
    let mut feature = LayerFeature {
        osm_type: ObjectKind::Node,
        id: (scramble(id / 7) % 12_000_000_000) as i64 + id as i64,
        shape: LayerShape::Point(at),
        tags: &[("addr:housenumber", &number), ("addr:street", &street), ("source", "survey")],
        version: Some((jitter % 9) as i32 + 1),
        time_ms: Some(1_300_000_000_000 + (town % 400_000_000) as i64 * 1000),
        changeset: Some((town % 160_000_000) as i64),
        user: (None, None),
        incomplete: false,
        repairs: &[],
    };
    if id.is_multiple_of(2) {
        rows.push(&feature);
        return;
    }
    let corner = |n: u64| {
        let off = scramble(id * 8 + n);
        Position { lon: at.lon + (off % 2_000) as i32, lat: at.lat + ((off >> 20) % 2_000) as i32 }
    };
    let mut ring: Vec<Position> = (0..8).map(corner).collect();
    ring.push(ring[0]);
    feature.osm_type = ObjectKind::Way;
    let polygons = [vec![ring]];
    feature.shape = LayerShape::Area(&polygons);
    let tags = [("addr:housenumber", &*number), ("addr:street", &*street), ("building", "yes"), ("source", "survey")];
    feature.tags = &tags;
    rows.push(&feature);
}

/// The most memory that the process has held.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Seconds of all threads, by the kernel's clock of 100 ticks a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks = |at: usize| after_name.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
