//! Trial: what the whole line makes of invented records, held against what they were made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use poimill::adapters::memory::MemoryObserver;
use poimill::config::{Overrides, Settings};
use poimill::domain::Cell;
use poimill::pipeline::ports::Snapshot;
use poimill::pipeline::tabulate::read_rows;
use poimill::pipeline::tabulate::tables::SOURCES;
use poimill::wiring::{snapshot, wire};

use super::calibration::{calibration, seen};
use super::{Knobs, Told, stations, write_places, write_stations};

/// Sets of charging stations to try: what they are, about how many stations, told of by how many sources, and how.
pub(crate) fn cases() -> [(&'static str, usize, usize, Knobs); 4] {
    [
        ("as they come", 3000, 2, Knobs::default()),
        ("three sources", 1500, 3, Knobs { seed: 2, ..Knobs::default() }),
        ("two operators on every other site", 1500, 2, Knobs { seed: 3, two_operators: 0.5, ..Knobs::default() }),
        ("dense streets", 1500, 2, Knobs { seed: 4, neighbours: 0.4, ..Knobs::default() }),
    ]
}

/// How well records were put into places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BCubed {
    /// Of a record's place, the share that is of its truth; the mean over all records.
    pub(crate) precision: f64,
    /// Of a record's truth, the share that is in its place; the mean over all records.
    pub(crate) recall: f64,
}

impl BCubed {
    /// B-cubed (Bagga and Baldwin 1998), from the place and the truth of each record.
    fn of<P: Ord, T: Ord>(records: &[(P, T)]) -> Self {
        let (mut together, mut by_place, mut by_truth) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (place, truth) in records {
            *together.entry((place, truth)).or_insert(0.0) += 1.0;
            *by_place.entry(place).or_insert(0.0) += 1.0;
            *by_truth.entry(truth).or_insert(0.0) += 1.0;
        }
        let mean = |whole: &dyn Fn(&P, &T) -> f64| {
            let shares = together.iter().map(|((place, truth), both)| both * both / whole(place, truth));
            shares.sum::<f64>() / records.len() as f64
        };
        Self { precision: mean(&|place, _| by_place[place]), recall: mean(&|_, truth| by_truth[truth]) }
    }

    pub(crate) fn f1(self) -> f64 {
        2.0 * self.precision * self.recall / (self.precision + self.recall)
    }
}

/// What came of a set of invented stations.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) b_cubed: BCubed,
    /// Sites told of with two operators.
    pub(crate) two_operators: usize,
    /// Places that mix them, where both records say who runs them, and in all.
    pub(crate) mixed_as_stated: usize,
    pub(crate) mixed: usize,
    /// How far the shipped model's scores are from how often they are right: the expected error in 15 bins.
    pub(crate) calibration_error: f64,
}

/// What a run makes of so many stations, told of by so many sources.
pub(crate) fn try_stations(count: usize, sources: usize, knobs: &Knobs) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let seeds = stations(count, knobs);
    let told = write_stations(folder.path(), &seeds, sources, knobs).expect("they are written");
    let place_of = places(folder.path(), "stations.toml");
    let station_of: BTreeMap<(String, String), usize> =
        told.iter().map(|told| ((format!("source{}", told.source), told.id.to_string()), told.station)).collect();
    let seen = seen(latest(folder.path()).as_ref());
    let settings = Settings::load(&folder.path().join("stations.toml"), &Overrides::default()).expect("it loads");
    let station = |at: usize| station_of.get(&(seen[at].source.clone(), seen[at].id.clone()));
    let (_, calibration) = calibration(&seen, &settings.taxonomy, |a, b| Some(station(a)? == station(b)?));
    let place = |told: &Told| place_of[&(format!("source{}", told.source), told.id.to_string())].as_str();

    // The operators of each site in a set of stations; and how many sites have several.
    let shared = |stations: &BTreeSet<usize>| {
        let mut of_site: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for station in stations.iter().map(|at| &seeds[*at]) {
            of_site.entry(station.site).or_default().insert(&station.operator);
        }
        of_site.values().filter(|operators| operators.len() > 1).count()
    };
    let mut by_place: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut stating: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for told in &told {
        by_place.entry(place(told)).or_default().insert(told.station);
        if told.operator.is_some() {
            stating.entry(place(told)).or_default().insert(told.station);
        }
    }
    Outcome {
        b_cubed: BCubed::of(&told.iter().map(|told| (place(told), told.station)).collect::<Vec<_>>()),
        two_operators: shared(&told.iter().map(|told| told.station).collect()),
        mixed_as_stated: stating.values().map(shared).sum(),
        mixed: by_place.values().map(shared).sum(),
        calibration_error: calibration.expected_error,
    }
}

/// What a run makes of so many records of places of every kind.
pub(crate) fn try_places(records: usize, knobs: &Knobs) -> BCubed {
    let folder = tempfile::tempdir().expect("a folder");
    write_places(folder.path(), records, knobs).expect("they are written");
    // A record has the number of its place for an id.
    let told = places(folder.path(), "places.toml").into_iter().map(|((_, id), place)| (place, id));
    BCubed::of(&told.collect::<Vec<_>>())
}

/// The place of each record, by source and id, of a run of a pipeline in `folder`.
fn places(folder: &Path, pipeline: &str) -> BTreeMap<(String, String), String> {
    let wired = wire(&folder.join(pipeline), &Overrides::default()).expect("the pipeline loads");
    wired.run(false, &MemoryObserver::default()).expect("the run ends well");
    let rows = read_rows(latest(folder).as_ref(), &SOURCES, &["dataset", "record_id", "place_id"]).expect("rows");
    let text = |row: &[Cell], at: usize| row[at].as_text().unwrap_or_default().to_owned();
    rows.iter().map(|row| ((text(row, 0), text(row, 1)), text(row, 2))).collect()
}

/// What the run in `folder` published.
fn latest(folder: &Path) -> Box<dyn Snapshot> {
    Box::new(snapshot(&folder.join("snapshots/invented/latest")).expect("a snapshot"))
}

#[test]
fn b_cubed_is_as_published() {
    // Each record as its place and its truth.
    let cases = [
        ("1a 1a 2b", 1.0, 1.0),
        ("1a 1b", 0.5, 1.0),
        ("1a 2a", 1.0, 0.5),
        ("1a 1a 1b 2b", (2.0 * 2.0 / 3.0 + 1.0 / 3.0 + 1.0) / 4.0, 0.75),
    ];
    for (records, precision, recall) in cases {
        let records: Vec<_> = records.split(' ').map(|record| record.split_at(1)).collect();
        let found = BCubed::of(&records);
        assert!((found.precision - precision).abs() < 1e-9 && (found.recall - recall).abs() < 1e-9, "{found:?}");
    }
}
