//! Charging stations of which is known exactly who is who: the corruptor's, through the whole line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use poimill::adapters::memory::MemoryObserver;
use poimill::config::Overrides;
use poimill::pipeline::tabulate::read_rows;
use poimill::pipeline::tabulate::tables::SOURCES;
use poimill::wiring::{snapshot, wire};

use crate::corruptor::{Knobs, Told, stations, write_places, write_stations};

/// What came of a set of invented stations.
struct Outcome {
    /// B-cubed precision and recall (Bagga and Baldwin 1998): of a record's place, the share that is of its station; of
    /// its station, the share that is in its place.
    precision: f64,
    recall: f64,
    /// Sites told of with two operators, and places that mix them: where both records say who runs them, and in all.
    two_operators: usize,
    mixed_as_stated: usize,
    mixed: usize,
}

impl Outcome {
    fn f1(&self) -> f64 {
        2.0 * self.precision * self.recall / (self.precision + self.recall)
    }
}

fn conflated(count: usize, sources: usize, knobs: &Knobs) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let seeds = stations(count, knobs);
    let told = write_stations(folder.path(), &seeds, sources, knobs).expect("they are written");
    let place_of = places(folder.path());
    let place = |told: &Told| &place_of[&(format!("source{}", told.source), told.id.to_string())];

    let mut by_place: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut stating: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut by_station: BTreeMap<usize, usize> = BTreeMap::new();
    for told in &told {
        *by_place.entry(place(told)).or_default().entry(told.station).or_default() += 1;
        *by_station.entry(told.station).or_default() += 1;
        if told.operator.is_some() {
            stating.entry(place(told)).or_default().insert(told.station, 1);
        }
    }
    let (mut precision, mut recall) = (0.0, 0.0);
    for members in by_place.values() {
        let size: usize = members.values().sum();
        for (station, of_it) in members {
            precision += (of_it * of_it) as f64 / size as f64;
            recall += (of_it * of_it) as f64 / by_station[station] as f64;
        }
    }
    let operators_of = |stations: &BTreeMap<usize, usize>| -> BTreeMap<usize, BTreeSet<&str>> {
        let mut of_site: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for station in stations.keys().map(|at| &seeds[*at]) {
            of_site.entry(station.site).or_default().insert(&station.operator);
        }
        of_site
    };
    let shared = |sites: &BTreeMap<usize, BTreeSet<&str>>| sites.values().filter(|names| names.len() > 1).count();
    Outcome {
        precision: precision / told.len() as f64,
        recall: recall / told.len() as f64,
        two_operators: shared(&operators_of(&by_station)),
        mixed_as_stated: stating.values().map(|members| shared(&operators_of(members))).sum(),
        mixed: by_place.values().map(|members| shared(&operators_of(members))).sum(),
    }
}

/// The place of each record, by source and id, of a run of the pipeline in `folder`.
fn places(folder: &Path) -> BTreeMap<(String, String), String> {
    let wired = wire(&folder.join("stations.toml"), &Overrides::default()).expect("the pipeline loads");
    wired.run(false, &MemoryObserver::default()).expect("the run ends well");
    let latest = snapshot(&folder.join("snapshots/invented/latest")).expect("a snapshot");
    let rows = read_rows(&latest, &SOURCES, &["dataset", "record_id", "place_id"]).expect("rows");
    let text = |row: &[poimill::domain::Cell], at: usize| row[at].as_text().unwrap_or_default().to_owned();
    rows.iter().map(|row| ((text(row, 0), text(row, 1)), text(row, 2))).collect()
}

#[test]
fn invented_stations_are_told_apart_and_together() {
    let cases = [
        ("as they come", 3000, 2, Knobs::default()),
        ("three sources", 1500, 3, Knobs { seed: 2, ..Knobs::default() }),
        ("two operators on every other site", 1500, 2, Knobs { seed: 3, two_operators: 0.5, ..Knobs::default() }),
        ("dense streets", 1500, 2, Knobs { seed: 4, neighbours: 0.4, ..Knobs::default() }),
    ];
    for (what, count, sources, knobs) in cases {
        let outcome = conflated(count, sources, &knobs);
        let f1 = outcome.f1();
        let share = |mixed: usize| mixed as f64 / outcome.two_operators.max(1) as f64;
        let figures = format!(
            "{what}: B-cubed precision {:.4}, recall {:.4}, F1 {f1:.4}; of {} sites with two operators {} mixed as \
             stated, {} in all",
            outcome.precision, outcome.recall, outcome.two_operators, outcome.mixed_as_stated, outcome.mixed
        );
        println!("{figures}");
        assert!(f1 >= 0.97, "{figures}");
        assert!(share(outcome.mixed_as_stated) <= 0.01, "{figures}");
        // One in ten records does not say who runs it, and has the site's name. Where no other partner is near there is
        // nothing to tell it apart.
        assert!(share(outcome.mixed) <= 0.05, "{figures}");
    }
}

#[test]
fn equal_knobs_give_equal_files_and_other_seeds_others() {
    let written = |seed: u64| {
        let folder = tempfile::tempdir().expect("a folder");
        let knobs = Knobs { seed, ..Knobs::default() };
        write_places(folder.path(), 2000, &knobs).expect("they are written");
        write_stations(folder.path(), &stations(200, &knobs), 2, &knobs).expect("they are written");
        ["a.csv", "b.csv", "truth.csv", "source0.json", "source1.csv"]
            .map(|file| std::fs::read_to_string(folder.path().join(file)).expect("a file"))
    };
    assert_eq!(written(1), written(1));
    assert_ne!(written(1), written(2));
    let [a, b, ..] = written(1);
    assert_eq!((a.lines().count(), b.lines().count()), (1001, 1001), "half of the records each, and a header");
}
