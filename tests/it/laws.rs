//! Laws: what holds of the places of any map, whatever the matcher thinks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use poimill::adapters::memory::MemoryStore;
use poimill::domain::Manifest;
use poimill::pipeline::ports::Snapshot;
use proptest::prelude::*;

use crate::nights::{DATASETS, Station, bridge, crowd, pipeline, run, two_nights};

/// The order of these, and another one.
fn in_two_orders(stations: Vec<Station>) -> impl Strategy<Value = (Vec<Station>, Vec<Station>)> {
    (Just(stations.clone()), Just(stations).prop_shuffle())
}

/// Two stations, and whether they are one place.
type Verdict = (Station, Station, bool);

/// The same stations in two orders, some of them half a continent away, and verdicts on pairs of them that contradict
/// neither each other nor what follows from them.
fn decided() -> impl Strategy<Value = (Vec<Station>, Vec<Station>, Vec<Verdict>)> {
    let verdicts = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..16);
    // Whoever decides has these in mind: stations of one number are one place.
    let truth = prop::collection::vec(0..8usize, 24);
    let away = prop::collection::vec(prop::bool::weighted(0.2), 24);
    (crowd(24), verdicts, truth, away).prop_flat_map(|(mut stations, verdicts, truth, away)| {
        for (station, _) in stations.iter_mut().zip(away).filter(|(_, is_away)| *is_away) {
            station.cell.0 += 100_000;
        }
        let mut decided = Vec::new();
        for (a, b) in verdicts.iter().filter(|_| !stations.is_empty()) {
            let (a, b) = (a.index(stations.len()), b.index(stations.len()));
            if a != b {
                decided.push((stations[a].clone(), stations[b].clone(), truth[a] == truth[b]));
            }
        }
        (in_two_orders(stations), Just(decided)).prop_map(|((one, other), decided)| (one, other, decided))
    })
}

fn csv(decided: &[Verdict]) -> String {
    let mut csv = "dataset_a,record_id_a,dataset_b,record_id_b,decision\n".to_owned();
    for (a, b, is_one) in decided {
        let verdict = if *is_one { "always" } else { "never" };
        let (of_a, of_b) = (DATASETS[a.dataset], DATASETS[b.dataset]);
        writeln!(csv, "{of_a},{},{of_b},{},{verdict}", a.id, b.id).expect("a string takes all");
    }
    csv
}

fn key(station: &Station) -> (String, String) {
    (DATASETS[station.dataset].to_owned(), station.id.clone())
}

/// What a night says of itself: among the rest, the hashes of all tables.
fn manifest(night: &dyn Snapshot) -> Manifest {
    night.manifest().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_the_input_changes_a_byte(
        ((first, first_again), (second, second_again)) in two_nights()
            .prop_flat_map(|(first, second)| (in_two_orders(first), in_two_orders(second)))
    ) {
        let nights = |nights: [&[Station]; 2]| {
            let store = MemoryStore::default();
            let run = |(day, stations)| manifest(run(&pipeline(""), stations, day, &store).1.as_ref());
            [(0, nights[0]), (1, nights[1])].map(run)
        };
        prop_assert_eq!(nights([&first, &second]), nights([&first_again, &second_again]));
    }

    #[test]
    fn no_order_of_a_crowd_changes_a_byte((one, other) in crowd(40).prop_flat_map(in_two_orders)) {
        let night = |stations: &[Station]| manifest(run(&pipeline(""), stations, 0, &MemoryStore::default()).1.as_ref());
        prop_assert_eq!(night(&one), night(&other));
    }

    #[test]
    fn decisions_are_always_obeyed((one, other, decided) in decided()) {
        let pipeline = pipeline(&csv(&decided));
        let (_, night) = run(&pipeline, &one, 0, &MemoryStore::default());
        let place_of: BTreeMap<(String, String), String> = bridge(night.as_ref());
        let all: BTreeSet<(String, String)> = one.iter().map(key).collect();
        prop_assert!(place_of.keys().eq(all.iter()), "every record is in one place");
        for (a, b, is_one) in &decided {
            let together = place_of[&key(a)] == place_of[&key(b)];
            prop_assert_eq!(together, *is_one, "{:?} and {:?}\n{}", a, b, csv(&decided));
        }
        let (_, again) = run(&pipeline, &other, 0, &MemoryStore::default());
        prop_assert_eq!(manifest(night.as_ref()), manifest(again.as_ref()));
    }
}
