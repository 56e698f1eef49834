//! `poimill release`: what the gate held back is published by hand, in one step, and from then on as any other.

use std::fs;

use poimill::adapters::memory::{MemoryObserver, MemorySink};
use poimill::pipeline::load;
use poimill::pipeline::ports::SnapshotStore;
use poimill::wiring;

use super::{Nights, copy, objects};

const THREE: [&str; 3] = ["a:1@0 Alpenblick", "b:7@500 Bahnhof", "a:2@900 Campus"];
const ONE: [&str; 1] = ["a:1@0 Alpenblick"];

#[test]
fn a_released_snapshot_is_the_latest_and_the_base_of_the_next() {
    let nights = Nights::new();
    let first = nights.night("2026-01-01", &THREE);
    let held = nights.held_night("2026-01-02", &ONE);
    assert_eq!(nights.latest(), first);
    let folder = nights.store().join(&held);
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let refused = load(&wiring::snapshot(&folder).unwrap(), &mut MemorySink::default(), &MemoryObserver::default());
    assert_eq!(refused.unwrap_err().exit_code(), 4);

    let told = nights.told(&format!("release store/town/{held}"));
    assert_eq!(told, format!("{held} is the latest snapshot now; before it was {first}\n"));
    assert_eq!(nights.latest(), held);
    assert_eq!(fs::read(folder.join("manifest.json")).unwrap(), manifest, "why it was held stays history");
    assert_eq!(nights.poimill("verify store/town/latest").code, 0);
    let listed = &objects(&nights.told("history town.toml --json"))[1];
    assert!(listed["state"] == "latest" && listed["released_at"].is_string(), "{listed}");
    assert_eq!(listed["held"][0], "2 of 3 places are gone, more than gate.max_removed_share = 0.4");

    // Readers take it as any other: a sink, a run on the same inputs, and a run on the next.
    let mut sink = MemorySink::default();
    load(&wiring::snapshot(&folder).unwrap(), &mut sink, &MemoryObserver::default()).unwrap();
    assert_eq!(sink.snapshot.as_ref(), Some(&held));
    let again = nights.night_with("2026-01-02", &ONE, "[gate]\nmax_removed_share = 0.4\n");
    assert!(again.code == 0 && again.out.contains(&format!("nothing changed: snapshot {held} stays")), "{again:?}");
    let next = nights.night("2026-01-03", &["a:1@0 Alpenblick", "a:9@700 Dorfplatz"]);
    assert_eq!(nights.base(&next), Some(held));
}

#[test]
fn a_first_night_that_was_held_can_be_released() {
    let nights = Nights::new();
    let told = nights.night_with("2026-01-01", &ONE, "[gate]\nmin_rows = 2\n");
    assert!(told.code == 4 && told.err.contains("publish it with `poimill release /"), "{told:?}");
    let held = nights.ids().remove(0);
    let told = nights.told(&format!("release store/town/{held}"));
    assert_eq!(told, format!("{held} is the latest snapshot now; there was none before\n"));
    assert_eq!(nights.latest(), held);
}

#[test]
fn what_cannot_be_released_is_refused_with_what_to_do() {
    let nights = Nights::new();
    let first = nights.night("2026-01-01", &THREE);
    let held = nights.held_night("2026-01-02", &ONE);
    let folder = nights.store().join(&held);
    let refused = |args: &str, code: i32, message: &str| {
        let (told, latest) = (nights.poimill(&format!("release {args}")), nights.latest());
        assert!(told.code == code && told.err.contains(message) && told.out.is_empty(), "{args}: {message}: {told:?}");
        assert_eq!(nights.latest(), latest, "{args}");
    };
    refused("store/town/latest", 2, "is the latest already");
    refused("store/town", 3, "there is no snapshot at ");
    copy(&folder, &nights.0.path().join(&held));
    refused(&held, 3, &format!("its folder must be <store>/town/{held}"));
    copy(&folder, &nights.store().join("20260102T030000Z-aaaaaaaa"));
    refused("store/town/20260102T030000Z-aaaaaaaa", 3, "is not in a store");

    let lock = nights.folder_store().lock().unwrap();
    refused(&format!("store/town/{held}"), 6, "another run of pipeline `town` is at work");
    drop(lock);

    let whole = fs::read(folder.join("places.parquet")).unwrap();
    fs::write(folder.join("places.parquet"), &whole[1..]).unwrap();
    refused(&format!("store/town/{held}"), 3, "the first checksum of places.parquet");
    fs::write(folder.join("places.parquet"), &whole).unwrap();

    let second = nights.night("2026-01-03", &["a:1@0 Alpenblick", "b:7@500 Bahnhof"]);
    refused(
        &format!("store/town/{first}"),
        2,
        &format!("is not held back, so there is nothing to release; the latest is {second}"),
    );
    refused(&format!("store/town/{held}"), 2, &format!("starts from {first}, and the latest is {second}"));
    nights.told(&format!("release --force --json store/town/{held}"));
    assert_eq!(nights.latest(), held);
    refused(&format!("store/town/{held}"), 2, "is the latest already");
    // What was the latest in between was published, and no other is taken for it.
    let states: Vec<String> = objects(&nights.told("history town.toml --json"))
        .iter()
        .filter(|listed| listed["snapshot"] != "20260102T030000Z-aaaaaaaa")
        .map(|listed| listed["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["published", "latest", "published"]);
}

#[test]
fn a_release_that_was_cut_off_is_undone_and_can_be_repeated() {
    // What the steps of a release leave, one by one: the mark, then `released.json`, then `latest`.
    for (steps, ends_as) in [(1, "held"), (2, "held"), (3, "latest")] {
        let nights = Nights::new();
        let first = nights.night("2026-01-01", &THREE);
        let held = nights.held_night("2026-01-02", &ONE);
        let (store, mark) = (nights.store(), nights.store().join(".publishing"));
        nights.told(&format!("release store/town/{held}"));
        fs::write(&mark, format!("{held}\n")).unwrap();
        let point = |id: &str| {
            fs::remove_file(store.join("latest")).unwrap();
            std::os::unix::fs::symlink(id, store.join("latest")).unwrap();
        };
        if steps < 3 {
            point(&first);
        }
        if steps < 2 {
            fs::remove_file(store.join(&held).join("released.json")).unwrap();
        }
        assert_eq!(nights.folder_store().settle().unwrap(), None, "a held snapshot is never removed");
        assert!(!mark.exists(), "{steps}");
        let state = |id: &str| {
            let listed = objects(&nights.told("history town.toml --json"));
            listed.iter().find(|listed| listed["snapshot"] == *id).unwrap()["state"].as_str().unwrap().to_owned()
        };
        assert_eq!(state(&held), ends_as, "after {steps} steps");
        if steps < 3 {
            nights.told(&format!("release store/town/{held}"));
        }
        assert_eq!((state(&held).as_str(), nights.latest()), ("latest", held));
    }
}

#[test]
fn a_snapshot_whose_run_was_cut_off_before_it_was_the_latest_is_removed() {
    for command in ["run", "prune", "release"] {
        let nights = Nights::new();
        let first = nights.night("2026-01-01", &THREE);
        let held = nights.held_night("2026-01-02", &ONE);
        let second = nights.night("2026-01-03", &["a:1@0 Alpenblick", "b:7@500 Bahnhof"]);
        // As a run leaves it that ends between the rename and the link.
        fs::remove_file(nights.store().join("latest")).unwrap();
        std::os::unix::fs::symlink(&first, nights.store().join("latest")).unwrap();
        fs::write(nights.store().join(".publishing"), format!("{second}\n")).unwrap();
        let states = || -> Vec<(String, String)> {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            objects(&nights.told("history town.toml --json"))
                .iter()
                .map(|o| (text(&o["snapshot"]), text(&o["state"])))
                .collect()
        };
        assert!(states().contains(&(second.clone(), "unfinished".to_owned())), "{:?}", states());
        match command {
            "run" => {
                let next = nights.night("2026-01-04", &THREE);
                assert_eq!(nights.base(&next), Some(first));
            }
            "prune" => {
                let told = nights.told("prune town.toml --keep-daily 9");
                assert!(told.contains("never published: its run was cut off"), "{told}");
            }
            _ => drop(nights.told(&format!("release store/town/{held}"))),
        }
        assert!(states().iter().all(|(id, state)| *id != second && state != "unfinished"), "{command}: {:?}", states());
        assert!(!nights.store().join(".publishing").exists());
    }
}
