//! Reads the places of one extract, without transforming or writing them, and prints what it took as a line of JSON.
//!
//! `cargo bench --bench extract -- EXTRACT.osm.pbf THEME`; `RAYON_NUM_THREADS` says how many threads. `tests/bench/osm.py`
//! runs it beside other tools.

use std::path::PathBuf;
use std::time::Instant;

use poimill::adapters::osm::OsmPbf;
use poimill::domain::{AreaRules, ConnectorCodes, Region, Taxonomy};
use poimill::pipeline::ports::{Demand, Observer, Source, Unit};

/// Nobody looks.
struct Silent;

impl Observer for Silent {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn main() {
    // Cargo adds flags of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (Some(path), Some(theme)) = (arguments.next(), arguments.next()) else {
        println!("usage: extract EXTRACT.osm.pbf THEME");
        return;
    };
    let region = Region::world();
    let categories = include_str!("../../pipelines/categories.toml");
    let taxonomy = Taxonomy::parse(categories, &[theme]).expect("a theme of the categories");
    let area_rules = AreaRules::parse(include_str!("../../pipelines/area-rules.toml")).expect("the area rules");
    let demand = Demand {
        region: &region,
        taxonomy: &taxonomy,
        layers: &[],
        area_rules: &area_rules,
        connectors: &ConnectorCodes::default(),
    };

    let source = OsmPbf::new("osm", PathBuf::from(path));
    let (mut features, mut rejects) = (0, 0);
    let start = Instant::now();
    let extracted = source
        .read(&demand, &Silent, &mut |chunk| {
            if chunk.again {
                (features, rejects) = (0, 0);
            }
            features += chunk.features.len();
            rejects += chunk.rejects.len();
            Ok(())
        })
        .expect("the extract can be read");
    let seconds = start.elapsed().as_secs_f64();
    let figures = serde_json::json!({
        "seconds": seconds,
        "rows": features,
        "rejects": rejects,
        "read": extracted.read,
        "threads": rayon::current_num_threads(),
        "peak_mb": peak_kib().map(|kib| kib as f64 / 1024.0),
    });
    println!("{figures}");
}

/// The most memory that this process has had, where the system tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
