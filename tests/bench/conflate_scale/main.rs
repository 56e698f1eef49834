//! Times conflation at scale: candidates, scores and groups of millions of synthetic records of two sources.
//!
//! ```text
//! cargo bench --locked --bench conflate_scale -- make ROWS FOLDER      writes a.parquet and b.parquet
//! cargo bench --locked --bench conflate_scale -- run FOLDER THREADS    reads them, conflates, writes bridge and links
//! cargo bench --locked --bench conflate_scale -- pairs FOLDER THREADS  only counts pairs of the two within 300 m
//! ```
//!
//! `run` is the core alone: it reads the columns that are compared into [`Evidence`], finds the groups, and writes
//! `bridge.parquet` (record, group) and `links.parquet` (pair, verdict, reason, score). It merges no attributes and gives
//! no ids. Prints seconds, CPU seconds and memory of each step, and the SHA-256 of what it wrote. Needs Linux.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement run by hand")]

mod synthetic;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use poimill::domain::{Taxonomy, hex};
use poimill::pipeline::conflate::{Corpus, Evidence, Models, Verdict, candidates, resolve};
use sha2::{Digest, Sha256};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", rows, folder] => synthetic::write(rows.parse().unwrap(), Path::new(folder)),
        ["run", folder, threads] => run(Path::new(folder), threads.parse().unwrap()),
        ["pairs", folder, threads] => pairs(Path::new(folder), threads.parse().unwrap()),
        _ => println!("make ROWS FOLDER, run FOLDER THREADS, or pairs FOLDER THREADS"),
    }
}

fn run(folder: &Path, threads: usize) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let mut watch = Watch::new();
    let mut keys = tables::Keys::default();
    let corpus = Corpus::of(tables::read(folder, &mut keys, false));
    watch.lap("read, corpus");
    let taxonomy = Taxonomy::parse("category = []", &[]).unwrap();
    let found = resolve(&corpus, &taxonomy, &Models::shipped(), &BTreeMap::new());
    watch.lap("resolve");
    let out = folder.join(format!("out-{threads}"));
    fs::create_dir_all(&out).unwrap();
    tables::write(&out, &keys, &found);
    watch.lap("write");
    watch.total();
    let verdicts = |verdict| found.links.iter().filter(|link| link.verdict == verdict).count();
    println!(
        "records {}\nclusters {}\ncandidates {}\nlinks {} (match {}, review {}, miss {})",
        corpus.len(),
        found.clusters.len(),
        found.candidates,
        found.links.len(),
        verdicts(Verdict::Match),
        verdicts(Verdict::Review),
        verdicts(Verdict::Miss)
    );
    let truly = |group: &Vec<usize>| group.len() == 2 && keys.id(group[0])[1..] == keys.id(group[1])[1..];
    println!("right_pairs {}", found.clusters.iter().filter(|group| truly(group)).count());
    for name in ["bridge", "links"] {
        println!("sha256_{name} {}", sha256(&out.join(format!("{name}.parquet"))));
    }
}

/// Two records in this category are compared within 300 m, whatever their names.
const WITHIN_300_M: &str =
    "[[category]]\nname = \"any\"\nfilter = [\"any\"]\nradius_m = 300\nnamesake_radius_m = 300\n";

fn pairs(folder: &Path, threads: usize) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let mut watch = Watch::new();
    let mut keys = tables::Keys::default();
    let any = |evidence| Evidence { categories: vec!["any".to_owned()], ..evidence };
    let corpus = Corpus::of(tables::read(folder, &mut keys, true).map(any));
    watch.lap("read, corpus");
    let pairs = candidates(&corpus, &Taxonomy::parse(WITHIN_300_M, &["places".to_owned()]).unwrap());
    watch.lap("candidates");
    watch.total();
    println!("pairs {}\npairs_across {}", pairs.len(), pairs.iter().filter(|pair| keys.is_across(**pair)).count());
}

fn sha256(path: &Path) -> String {
    hex(&Sha256::digest(fs::read(path).unwrap()))
}

/// Says how long each step took.
struct Watch {
    begin: (Instant, f64),
    lap: (Instant, f64),
}

impl Watch {
    fn new() -> Self {
        let now = (Instant::now(), cpu_seconds());
        Self { begin: now, lap: now }
    }

    fn lap(&mut self, what: &str) {
        tell(what, self.lap);
        self.lap = (Instant::now(), cpu_seconds());
    }

    fn total(&self) {
        tell("total", self.begin);
    }
}

fn tell(what: &str, (since, cpu): (Instant, f64)) {
    println!(
        "{what:<14}{:>8.2} s wall {:>8.2} s CPU {:>7} MB now {:>7} MB peak",
        since.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        memory_mb("VmRSS:"),
        memory_mb("VmHWM:")
    );
}

/// The memory that the process holds, or the most that it has held.
fn memory_mb(which: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Seconds of all threads, by the kernel's clock of 100 ticks a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks = |at: usize| after_name.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
