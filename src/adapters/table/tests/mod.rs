//! Tables of every layout, read through the port. All rows are invented.

mod columns;
mod formats;
#[cfg(feature = "gdal")]
mod gdal;
mod messy;
mod registers;
mod values;

use std::path::Path;
use std::sync::Mutex;

use super::{Mapping, TableFile};
use crate::domain::{AreaRules, ConnectorCodes, Feature, Finding, Region, Reject, Shape, Taxonomy};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Demand, Extracted, Observer, Source, Unit};

const CONNECTORS: &str = include_str!("../../../../pipelines/connectors.toml");

/// Keeps notes.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

/// What became of a table.
#[derive(Debug, PartialEq)]
struct Told {
    features: Vec<Feature>,
    rejects: Vec<Reject>,
    extracted: Extracted,
    notes: Vec<String>,
}

impl Told {
    /// The tags of every feature, with its id.
    fn tags(&self) -> Vec<String> {
        let pairs =
            |feature: &Feature| feature.tags.iter().map(|(k, v)| format!(" {k}={v}")).collect::<Vec<_>>().concat();
        self.features.iter().map(|feature| format!("{}:{}", feature.id, pairs(feature))).collect()
    }

    /// The ids of the features with their lines.
    fn lines(&self) -> Vec<String> {
        self.features.iter().map(|f| format!("{} {}", f.id, f.line.map_or(String::new(), |l| l.to_string()))).collect()
    }

    /// The rejects with line, code and message.
    fn rejects(&self) -> Vec<String> {
        let told = |r: &Reject| format!("{} {} {}: {}", r.line.unwrap_or_default(), r.record_id, r.code, r.message);
        self.rejects.iter().map(told).collect()
    }

    /// The findings of every feature.
    fn findings(&self) -> Vec<String> {
        self.features.iter().flat_map(|feature| feature.findings.iter().map(told_finding)).collect()
    }

    /// The connectors of every feature.
    fn connectors(&self) -> Vec<String> {
        let told = |c: &crate::domain::Connector| {
            let number = |n: Option<f64>, unit: &str| n.map_or(String::new(), |n| format!(" {n}{unit}"));
            let current = c.current.map_or(String::new(), |current| format!(" {current}"));
            let count = c.count.map_or(String::new(), |n| format!(" x{n}"));
            let ids = c.evse_ids.iter().map(|id| format!(" {id}")).collect::<Vec<_>>().concat();
            let rated = [number(c.power_kw, "kW"), number(c.voltage_v, "V"), number(c.amperage_a, "A")].concat();
            format!("{}{current}{rated}{count}{ids}", c.kind)
        };
        let all = |f: &Feature| f.connectors.iter().map(told).collect::<Vec<_>>().join(", ");
        self.features.iter().map(|feature| format!("{}: {}", feature.id, all(feature))).collect()
    }

    /// The points of every feature, in whole numbers where they are.
    fn points(&self) -> Vec<String> {
        let told = |f: &Feature| match &f.shape {
            Shape::Point(point) => format!("{} {} {}", f.id, point.x(), point.y()),
            Shape::Area(area) => format!("{} area of {}", f.id, area.0.len()),
        };
        self.features.iter().map(told).collect()
    }
}

fn told_finding(finding: &Finding) -> String {
    let before = finding.before.as_deref().unwrap_or_default();
    let after = finding.after.as_deref().map_or(String::new(), |after| format!(" -> {after}"));
    format!("{} {} {before}{after}", finding.rule, finding.field)
}

/// A text per number below `count`, one after the other.
fn repeated(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

fn mapping(text: &str) -> Mapping {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Reads the file at `path` by the mapping in `text`.
fn read_file(path: &Path, text: &str) -> Result<Told, RunError> {
    let source = TableFile::new("t".into(), path.to_owned(), mapping(text), Some("CC0-1.0".into()), Some("we".into()));
    let (region, taxonomy) = (Region::world(), Taxonomy::parse("category = []", &[]).unwrap());
    let area_rules = AreaRules::parse("area = []").unwrap();
    let codes = ConnectorCodes::parse(CONNECTORS).unwrap();
    let demand =
        Demand { region: &region, taxonomy: &taxonomy, layers: &[], area_rules: &area_rules, connectors: &codes };
    let (mut features, mut rejects) = (Vec::new(), Vec::new());
    let notes = Notes::default();
    let extracted = source.read(&demand, &notes, &mut |mut chunk| {
        features.append(&mut chunk.features);
        rejects.append(&mut chunk.rejects);
        Ok(())
    })?;
    let accounted = features.len() as u64 + rejects.len() as u64 + extracted.left_out.total();
    assert_eq!(extracted.read, accounted, "read = features + rejects + left out");
    Ok(Told { features, rejects, extracted, notes: notes.0.into_inner().unwrap() })
}

/// Reads a file of these bytes by the mapping in `text`.
fn read_bytes(bytes: &[u8], text: &str) -> Result<Told, RunError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    std::fs::write(&path, bytes).unwrap();
    read_file(&path, text)
}

fn read(table: &str, mapping: &str) -> Told {
    read_bytes(table.as_bytes(), mapping).unwrap_or_else(|error| panic!("{table}\n{}", chain(&error)))
}

/// Why a table cannot be read, without the path of the file.
fn refused(bytes: &[u8], text: &str) -> String {
    let error = read_bytes(bytes, text).expect_err("it is refused");
    let told = chain(&error);
    told.split_once("table ").map_or(told.clone(), |(_, rest)| rest.to_owned())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
