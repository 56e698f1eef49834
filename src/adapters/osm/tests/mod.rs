//! Tests of the source as a whole: hand-drawn files, real files, damaged files.

mod codecs;
mod conformance;
mod damage;
mod decoder;
mod encode;
mod incomplete;
mod memory;
mod order;
mod real;
mod regions;
mod rows;
mod several;
mod small;
mod updates;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{ChangesAt, OsmPbf};
use crate::domain::{AreaRules, ConnectorCodes, Feature, Region, Reject, Taxonomy};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Demand, Extracted, Observer, Source, Unit};

/// Everything a read hands on.
#[derive(Debug, PartialEq)]
struct Reading {
    features: Vec<Feature>,
    rejects: Vec<Reject>,
    extracted: Extracted,
}

impl Reading {
    /// Whether every object of the file is accounted for.
    fn balances(&self) -> bool {
        let kept = self.features.len() + self.rejects.len();
        self.extracted.read == kept as u64 + self.extracted.left_out.total()
    }
}

struct Silent;

impl Observer for Silent {
    fn stage(&self, _name: &str, _unit: Unit, _total: Option<u64>) {}
    fn advance(&self, _amount: u64) {}
    fn note(&self, _message: &str) {}
}

fn read(path: &Path, filters: &[&str], region: &Region) -> Result<Reading, RunError> {
    let taxonomy = taxonomy(filters);
    let area_rules = AreaRules::parse("area = []").expect("the rules are right");
    let (mut features, mut rejects) = (Vec::new(), Vec::new());
    let extracted = OsmPbf::new("osm", path).read(
        &Demand {
            region,
            taxonomy: &taxonomy,
            layers: &[],
            area_rules: &area_rules,
            connectors: &ConnectorCodes::default(),
        },
        &Silent,
        &mut |mut chunk: Chunk| {
            assert!(chunk.features.len() <= Chunk::MAX);
            if chunk.again {
                features.clear();
                rejects.clear();
            }
            features.append(&mut chunk.features);
            rejects.append(&mut chunk.rejects);
            Ok(())
        },
    )?;
    Ok(Reading { features, rejects, extracted })
}

/// One category that any of the filters makes.
fn taxonomy(filters: &[&str]) -> Taxonomy {
    let text = format!("[[category]]\nname = \"thing\"\nfilter = {filters:?}\n");
    Taxonomy::parse(&text, &["places".to_owned()]).expect("the test's categories are right")
}

/// Reads bytes as a file.
fn read_bytes(bytes: &[u8], filters: &[&str], region: &Region) -> Result<Reading, RunError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("test.osm.pbf");
    std::fs::write(&path, bytes).expect("the temporary folder takes a file");
    read(&path, filters, region)
}

/// An error as a person sees it: the messages of its whole chain.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

/// The folder of real inputs; `None`, and a note that names the test, where it is absent.
pub(super) fn shared_data(test: &str, path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("POIMILL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(path);
    if !path.exists() {
        // Not through `eprintln!`, which the test runner hides.
        writeln!(std::io::stderr(), "skipped: {test}: {} is not there", path.display()).expect("stderr is open");
        return None;
    }
    Some(path)
}
