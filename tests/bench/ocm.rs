//! Times the reading of Open Charge Map dumps, from the bytes of a file to features, and prints a table.
//!
//! ```text
//! cargo bench --locked --bench ocm [-- DUMP.ndjson.gz EXPORT.json [SMALL_MB [LARGE_MB]]]
//! ```
//!
//! The dumps are made by repeating the records of the two files with new ids until they are large enough: JSON Lines of
//! mongoexport (verbose) and a compact array (pretty). Each reading is a process of its own, so that its peak memory is its
//! own; a size of the file that showed in the memory would show between the two sizes. Seconds are up to the last feature,
//! and behind them up to the end, which is SHA-256 of the input. Without gzip, because that is another program's speed. Needs
//! Linux.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement run by hand")]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, thread};

use poimill::adapters::io::open_decompressed;
use poimill::adapters::open_charge_map::OpenChargeMap;
use poimill::domain::{AreaRules, ConnectorCodes, Region, Taxonomy};
use poimill::pipeline::ports::{Demand, Observer, Source, Unit};

/// First argument of a process that reads one file.
const READ: &str = "read";

/// Readings of each file, of which the fastest counts: other people use the machine too.
const ROUNDS: usize = 3;

/// Nobody looks.
struct Silent;

impl Observer for Silent {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}
}

fn main() {
    // Cargo adds flags of its own.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if arguments.first().is_some_and(|first| first == READ) {
        return read(Path::new(&arguments[1]), arguments[2].parse().unwrap());
    }
    let data = env::var_os("POIMILL_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let file = |at: usize, name: &str| arguments.get(at).map_or_else(|| data.join("ocm").join(name), PathBuf::from);
    let number = |at: usize, usual: usize| arguments.get(at).map_or(usual, |number| number.parse().unwrap());
    let dumps = [
        ("mongoexport lines", lines(&file(0, "ocm-data-poi-20201120.ndjson.gz")), Form::LINES),
        ("compact array", elements(&file(1, "ocm-export-liechtenstein-2026.json")), Form::ARRAY),
    ];
    let sizes_mb = [number(2, 200), number(3, 1_000)];
    let threads = thread::available_parallelism().unwrap().get();

    let folder = tempfile::tempdir().unwrap();
    println!("| dump | MB | threads | records | seconds | with SHA-256 | MB/s | MB per CPU second | peak MB |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, records, form) in &dumps {
        for mb in sizes_mb {
            let path = folder.path().join("dump.json");
            make(&path, records, form, mb * 1_000_000);
            for threads in [1, threads] {
                let best =
                    (0..ROUNDS).map(|_| Figures::of(&path, threads)).min_by(|a, b| a.seconds.total_cmp(&b.seconds));
                let Figures { records, seconds, cpu_seconds, whole_seconds, peak_mb } = best.unwrap();
                let (rate, cpu_rate) = (mb as f64 / seconds, mb as f64 / cpu_seconds);
                println!(
                    "| {name} | {mb} | {threads} | {records} | {seconds:.2} | {whole_seconds:.2} | {rate:.0} | {cpu_rate:.0} | {peak_mb:.0} |"
                );
            }
        }
    }
}

/// What stands around the records of a dump.
struct Form {
    begin: &'static str,
    between: &'static str,
    end: &'static str,
    /// What stands before the number of a record, and not earlier.
    before_id: &'static str,
}

impl Form {
    const LINES: Self = Self { begin: "", between: "\n", end: "\n", before_id: "\"ID\":" };
    const ARRAY: Self = Self { begin: "[\n ", between: ",\n ", end: "\n]\n", before_id: "\n  \"ID\": " };
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    open_decompressed(path, |_| ()).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn lines(path: &Path) -> Vec<String> {
    text(path).lines().map(str::to_owned).collect()
}

/// The elements of an array that is indented by one blank.
fn elements(path: &Path) -> Vec<String> {
    let text = text(path);
    let inside = text.trim().trim_start_matches('[').trim_end_matches(']');
    inside.trim().split("\n },\n ").map(|record| record.trim_end_matches("\n }").to_owned() + "\n }").collect()
}

/// Writes a dump of about this size.
fn make(path: &Path, records: &[String], form: &Form, bytes: usize) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut written = file.write(form.begin.as_bytes()).unwrap();
    for (id, record) in (1..).zip(records.iter().cycle()) {
        let (before, behind) = record.split_once(form.before_id).expect("a record has an id");
        let rest = behind.trim_start_matches(|c: char| c.is_ascii_digit());
        let between = if id == 1 { "" } else { form.between };
        let record = format!("{between}{before}{}{id}{rest}", form.before_id);
        file.write_all(record.as_bytes()).unwrap();
        written += record.len();
        if written >= bytes {
            break;
        }
    }
    file.write_all(form.end.as_bytes()).unwrap();
    file.flush().unwrap();
}

/// What one reading took.
struct Figures {
    records: u64,
    seconds: f64,
    cpu_seconds: f64,
    whole_seconds: f64,
    peak_mb: f64,
}

impl Figures {
    /// Reads a dump in a process of its own.
    fn of(path: &Path, threads: usize) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let output = command.arg(READ).arg(path).arg(threads.to_string()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert!(output.status.success() && numbers.len() == 5, "{}", String::from_utf8_lossy(&output.stderr));
        let [records, seconds, cpu_seconds, whole_seconds, peak_mb] = numbers[..] else { unreachable!("five numbers") };
        Self { records: records as u64, seconds, cpu_seconds, whole_seconds, peak_mb }
    }
}

/// Reads one dump and prints records, seconds and CPU seconds to the last feature, seconds to the end, and peak MB.
fn read(path: &Path, threads: usize) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let (region, taxonomy) = (Region::world(), Taxonomy::parse("category = []", &[]).unwrap());
    let area_rules = AreaRules::parse("area = []").unwrap();
    let connectors = ConnectorCodes::parse(include_str!("../../pipelines/connectors.toml")).unwrap();
    let demand =
        Demand { region: &region, taxonomy: &taxonomy, layers: &[], area_rules: &area_rules, connectors: &connectors };
    let source = OpenChargeMap::new("ocm".to_owned(), path.to_owned(), None);
    let (mut features, mut rejects) = (0, 0);
    let (mut seconds, mut cpu) = (0.0, 0.0);
    let start = Instant::now();
    let extracted = source
        .read(&demand, &Silent, &mut |chunk| {
            features += chunk.features.len() as u64;
            rejects += chunk.rejects.len() as u64;
            drop(chunk);
            (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds());
            Ok(())
        })
        .unwrap();
    assert_eq!(extracted.read, features + rejects + extracted.left_out.total());
    println!("{} {seconds} {cpu} {} {}", extracted.read, start.elapsed().as_secs_f64(), peak_mb());
}

/// CPU time of this process so far, in seconds; the kernel counts in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind) = stat.rsplit_once(')').unwrap();
    let ticks = behind.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// The most memory that this process has had, in MB.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse::<f64>().unwrap() * 1024.0 / 1e6
}
