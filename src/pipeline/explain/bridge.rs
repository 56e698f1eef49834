//! Bridge: the records of a snapshot, in the order that conflation saw them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::RecordTold;
use crate::domain::{Cell, LonLat, RecordId};
use crate::pipeline::RunError;
use crate::pipeline::conflate::{Corpus, Evidence, Model, Models};
use crate::pipeline::ports::Snapshot;
use crate::pipeline::tabulate::tables::SOURCES;
use crate::pipeline::tabulate::{Row, read_rows};

/// Columns of the bridge that are read, in this order.
const COLUMNS: [&str; 10] = [
    "place_id",
    "dataset",
    "record_id",
    "part_of",
    "category",
    "name",
    "update_time",
    "license",
    "repairs",
    "evidence",
];

/// A record that is part of no other.
struct Bridged {
    dataset: usize,
    id: RecordId,
    row: Row,
    evidence: Evidence,
}

/// The records of a snapshot.
pub(super) struct Bridge {
    /// Sources, in the order of the pipeline file.
    pub(super) datasets: Vec<String>,
    /// By source, then id: the order of conflation.
    records: Vec<Bridged>,
    /// Parts of records, by dataset and id, with the id of the whole.
    parts: BTreeMap<(String, String), String>,
    /// The records as they are compared.
    pub(super) corpus: Corpus,
    /// The models of the run.
    pub(super) models: Models,
}

impl Bridge {
    /// Reads all records of a snapshot, and the models that compared them.
    pub(super) fn read(snapshot: &dyn Snapshot) -> Result<Self, RunError> {
        let manifest = snapshot.manifest();
        let other_version = |what: &str| {
            let message = format!(
                "{what}; it was made by poimill {}, this is {}: run the pipeline again, then explain its new snapshot",
                manifest.versions.poimill,
                env!("CARGO_PKG_VERSION")
            );
            RunError::input("snapshot", message)
        };
        let models: Models = serde_json::from_value(manifest.settings["conflate"]["models"].clone())
            .map_err(|error| other_version(&format!("its manifest has no models that this version reads ({error})")))?;
        let datasets: Vec<String> = manifest.sources.iter().map(|source| source.name.clone()).collect();
        let rows = read_rows(snapshot, &SOURCES, &COLUMNS).map_err(|error| {
            let version = manifest.tables.get(&*SOURCES.name).map(|table| table.schema_version);
            match version {
                Some(version) if version == SOURCES.schema_version => error,
                Some(version) => other_version(&format!("its sources.parquet has the columns of version {version}")),
                None => other_version("it has no sources.parquet"),
            }
        })?;

        let mut parts = BTreeMap::new();
        let mut wholes = Vec::new();
        for row in rows {
            let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
            match row[3].as_text() {
                Some(whole) => drop(parts.insert((text(1), text(2)), whole.to_owned())),
                None => wholes.push(row),
            }
        }
        let bridged = |row: Row| -> Result<Bridged, RunError> {
            let text = |at: usize| row[at].as_text().unwrap_or_default();
            let dataset = datasets.iter().position(|name| name == text(1)).ok_or_else(|| {
                other_version(&format!("its sources.parquet names a source `{}` that its manifest does not", text(1)))
            })?;
            let evidence: Evidence = serde_json::from_str(text(9))
                .map_err(|error| other_version(&format!("the evidence of {} cannot be read ({error})", text(2))))?;
            if LonLat::new(evidence.lon, evidence.lat).is_none() {
                return Err(other_version(&format!("the evidence of {} has no position on Earth", text(2))));
            }
            let (id, evidence) = (RecordId::new(text(2)), Evidence { dataset, ..evidence });
            Ok(Bridged { dataset, id, row, evidence })
        };
        let mut records = wholes.into_par_iter().map(bridged).collect::<Result<Vec<_>, _>>()?;
        records.sort_by(|a, b| (a.dataset, &a.id).cmp(&(b.dataset, &b.id)));
        let corpus = Corpus::of(records.iter().map(|record| record.evidence.clone()));
        Ok(Self { datasets, records, parts, corpus, models })
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The name of a record, `dataset:id`.
    pub(super) fn full_name(&self, at: usize) -> String {
        format!("{}:{}", self.datasets[self.records[at].dataset], self.records[at].id)
    }

    /// The record of this dataset and id.
    pub(super) fn find(&self, dataset: &str, id: &str) -> Option<usize> {
        let dataset = self.datasets.iter().position(|name| name == dataset)?;
        let id = RecordId::new(id);
        self.records.binary_search_by(|record| (record.dataset, &record.id).cmp(&(dataset, &id))).ok()
    }

    /// The record of this name, `dataset:id`. Names of sources may hold no colon, ids may.
    pub(super) fn find_full(&self, name: &str) -> Option<usize> {
        let (dataset, id) = name.split_once(':')?;
        self.find(dataset, id)
    }

    /// The whole that this record is a part of, as `dataset:id`.
    pub(super) fn whole_of(&self, dataset: &str, id: &str) -> Option<String> {
        let whole = self.parts.get(&(dataset.to_owned(), id.to_owned()))?;
        Some(format!("{dataset}:{whole}"))
    }

    /// Names of all records and parts, `dataset:id`.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        let parts = self.parts.keys().map(|(dataset, id)| format!("{dataset}:{id}"));
        (0..self.len()).map(|at| self.full_name(at)).chain(parts)
    }

    pub(super) fn dataset(&self, at: usize) -> usize {
        self.records[at].dataset
    }

    pub(super) fn place_id(&self, at: usize) -> &str {
        self.records[at].row[0].as_text().unwrap_or_default()
    }

    /// Longitude and latitude in degrees.
    pub(super) fn position(&self, at: usize) -> (f64, f64) {
        let evidence = &self.records[at].evidence;
        (evidence.lon, evidence.lat)
    }

    /// The records of a place, in order.
    pub(super) fn members(&self, place: &str) -> Vec<usize> {
        (0..self.len()).filter(|at| self.place_id(*at) == place).collect()
    }

    /// The model that compares these two, with its name.
    pub(super) fn model(&self, a: usize, b: usize) -> (&'static str, &Model) {
        let charging = |at: usize| self.records[at].evidence.is_charging();
        if charging(a) && charging(b) { ("charging", &self.models.charging) } else { ("places", &self.models.places) }
    }

    /// What there is to say of a record alone.
    pub(super) fn tell(&self, at: usize) -> RecordTold {
        let Bridged { dataset, id, row, evidence } = &self.records[at];
        let text = |at: usize| row[at].as_text().map(str::to_owned);
        let dataset = &self.datasets[*dataset];
        let list = |cell: &Cell| match cell {
            Cell::List(items) => items.iter().filter_map(Cell::as_text).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let whole = id.as_str();
        let parts = self.parts.iter().filter(|((of, _), part_of)| of == dataset && *part_of == whole);
        RecordTold {
            record: self.full_name(at),
            place_id: text(0).unwrap_or_default(),
            category: text(4).unwrap_or_default(),
            name: text(5),
            lon: evidence.lon,
            lat: evidence.lat,
            extent: evidence.extent,
            update_time: row[6].to_json().as_str().map(str::to_owned),
            license: text(7),
            repairs: list(&row[8]),
            parts: parts.map(|((of, id), _)| format!("{of}:{id}")).collect(),
            evidence: serde_json::to_value(evidence).unwrap_or_default(),
        }
    }
}
