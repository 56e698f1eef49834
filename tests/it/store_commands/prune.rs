//! `poimill prune`: what the retention keeps, and what nothing may remove.

use std::fs;

use poimill::pipeline::ports::SnapshotStore;

use super::{Nights, copy, objects};

/// A night on each of these days, a station moving on; returns the snapshots.
fn nights_on(days: &[&str]) -> (Nights, Vec<String>) {
    let nights = Nights::new();
    let snapshots = days.iter().enumerate();
    let snapshots =
        snapshots.map(|(at, day)| nights.night(day, &[&format!("a:1@{at} Alpenblick"), "b:7@900 Campus"])).collect();
    (nights, snapshots)
}

/// Days as `MM-DD` of what is kept, `undated` first.
fn days_kept(nights: &Nights) -> Vec<String> {
    let day = |id: &String| {
        if id.starts_with("undated") { "undated".to_owned() } else { format!("{}-{}", &id[4..6], &id[6..8]) }
    };
    let mut days: Vec<String> = nights.ids().iter().map(day).collect();
    days.sort_by_key(|day| (day != "undated", day.clone()));
    days
}

#[test]
fn the_newest_of_each_day_week_and_month_is_kept() {
    // 2026-01-05 and 2026-01-12 are Mondays.
    let days = [
        "2025-12-30",
        "2026-01-02",
        "2026-01-04",
        "2026-01-05",
        "2026-01-10",
        "2026-01-11",
        "2026-01-12",
        "2026-01-13",
    ];
    let cases: [(&str, &[&str]); 7] = [
        // The latest starts from the one of 01-12, so that stays in every case.
        ("--keep-daily 1", &["01-12", "01-13"]),
        ("--keep-daily 4", &["01-10", "01-11", "01-12", "01-13"]),
        ("--keep-weekly 2", &["01-11", "01-12", "01-13"]),
        ("--keep-weekly 3", &["01-04", "01-11", "01-12", "01-13"]),
        ("--keep-monthly 2", &["01-12", "01-13", "12-30"]),
        ("--keep-daily 3 --keep-weekly 3 --keep-monthly 9", &["01-04", "01-11", "01-12", "01-13", "12-30"]),
        ("--keep-daily 100", &["01-02", "01-04", "01-05", "01-10", "01-11", "01-12", "01-13", "12-30"]),
    ];
    let (all, _) = nights_on(&days);
    for (flags, expected) in cases {
        let nights = Nights::new();
        fs::copy(all.0.path().join("town.toml"), nights.0.path().join("town.toml")).unwrap();
        copy(&all.0.path().join("store"), &nights.0.path().join("store"));
        nights.told(&format!("prune town.toml {flags}"));
        assert_eq!(days_kept(&nights), expected, "{flags}");
        assert_eq!(nights.poimill("verify store/town/latest").code, 0);
    }
}

#[test]
fn what_is_needed_stays_whatever_the_rules() {
    let nights = Nights::new();
    let station = |at: usize| format!("a:1@{at} Alpenblick");
    let undated = nights.night("", &["a:1@0 Alpenblick", "b:7@900 Campus"]);
    let first = nights.night("2026-01-01", &[&station(1), "b:7@900 Campus"]);
    let held = nights.held_night("2026-01-02", &[&station(2)]);
    let third = nights.night("2026-01-03", &[&station(3), "b:7@900 Campus"]);
    let fourth = nights.night("2026-01-04", &[&station(4), "b:7@900 Campus"]);
    let fifth = nights.night("2026-01-05", &[&station(5), "b:7@900 Campus"]);
    let broken = nights.store().join("20260101T000000Z-00000000");
    fs::create_dir(&broken).unwrap();
    fs::create_dir(nights.store().join("notes")).unwrap();
    let json = nights.told("prune town.toml --keep-daily 1 --json");
    let pruned: serde_json::Value = serde_json::from_str(&json).unwrap();
    let reasons = |id: &str| {
        let all = pruned["snapshots"].as_array().unwrap();
        let one = all.iter().find(|verdict| verdict["snapshot"] == *id).unwrap();
        (
            one["keep"].as_bool().unwrap(),
            one["reasons"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join(", "),
        )
    };
    let kept = |why: &str| (true, why.to_owned());
    assert_eq!(reasons(&undated), kept("undated"));
    assert_eq!(reasons(&first), kept(&format!("base of {held}, which is held back")));
    assert_eq!(reasons(&held), kept("held back"));
    assert_eq!(reasons(&third), (false, "no rule keeps it".to_owned()));
    assert_eq!(reasons(&fourth), kept("base of the latest"));
    assert_eq!(reasons(&fifth), kept("latest, daily 2026-01-05"));
    assert!(reasons("20260101T000000Z-00000000").1.starts_with("a person must look at it: "));
    assert_eq!((&pruned["removed"], pruned["removed_bytes"].as_u64().unwrap() > 1_000), (&1.into(), true));
    assert!(!nights.store().join(third).exists() && broken.exists() && nights.store().join("notes").exists());

    // The next night goes on from the latest, as if nothing had been removed.
    let next = nights.night("2026-01-06", &["b:7@900 Campus"]);
    assert_eq!(nights.base(&next), Some(fifth));
    assert_eq!(nights.poimill("verify store/town/latest").code, 0);
}

#[test]
fn a_dry_run_says_the_same_and_touches_nothing() {
    let (nights, ids) = nights_on(&["2026-01-01", "2026-01-02", "2026-01-03"]);
    let listing = || {
        let mut found: Vec<_> = fs::read_dir(nights.store()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        found.sort();
        found
    };
    let before = listing();
    // Not even a run that is at work stands in its way.
    let lock = nights.folder_store().lock().unwrap();
    let told = nights.told("prune town.toml --keep-daily 1 --dry-run");
    assert!(
        told.contains(&format!("remove   {}", ids[0])) && told.contains("1 of 3 snapshots would be removed, "),
        "{told}"
    );
    assert_eq!(listing(), before);
    drop(lock);
    let told = nights.told("prune town.toml --keep-daily 1");
    assert!(told.contains(&format!("removed  {}", ids[0])) && told.contains("1 of 3 snapshots removed, "), "{told}");
    assert_eq!(nights.ids(), ids[1..]);
}

#[test]
fn the_pipeline_file_says_what_to_keep_and_flags_beat_it() {
    let (nights, _) = nights_on(&["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"]);
    let file = nights.0.path().join("town.toml");
    let bare = fs::read_to_string(&file).unwrap();
    let refused = |flags: &str| {
        let told = nights.poimill(&format!("prune town.toml {flags}"));
        assert!(told.code == 2 && told.err.contains("say what to keep: `[retention]`"), "{flags}: {told:?}");
    };
    refused("");
    refused("--keep-daily 0 --keep-weekly 0");
    fs::write(&file, format!("{bare}\n[retention]\ndaily = 4\n")).unwrap();
    refused("--keep-daily 0");
    nights.told("prune town.toml");
    assert_eq!(days_kept(&nights), ["01-02", "01-03", "01-04", "01-05"]);
    nights.told("prune town.toml --keep-daily 3");
    assert_eq!(days_kept(&nights), ["01-03", "01-04", "01-05"]);
    fs::write(&file, format!("{bare}\n[retention]\nhourly = 4\n")).unwrap();
    let told = nights.poimill("prune town.toml");
    assert!(told.code == 2 && told.err.contains("key `retention.hourly`: unknown key; did you mean"), "{told:?}");
}

#[test]
fn nothing_is_removed_while_a_run_is_at_work() {
    let (nights, ids) = nights_on(&["2026-01-01", "2026-01-02", "2026-01-03"]);
    let lock = nights.folder_store().lock().unwrap();
    let told = nights.poimill("prune town.toml --keep-daily 1");
    assert!(told.code == 6 && told.err.contains("another run of pipeline `town` is at work"), "{told:?}");
    drop(lock);
    assert_eq!(nights.ids(), ids);
}

#[test]
fn a_removal_that_was_cut_off_leaves_no_half_snapshot() {
    let (nights, ids) = nights_on(&["2026-01-01", "2026-01-02", "2026-01-03"]);
    // As a kill leaves it: the name is gone, some of the files are not.
    let aside = nights.store().join(".work").join(format!("removed-{}", ids[0]));
    fs::create_dir_all(nights.store().join(".work")).unwrap();
    fs::rename(nights.store().join(&ids[0]), &aside).unwrap();
    fs::remove_file(aside.join("manifest.json")).unwrap();
    let listed = objects(&nights.told("history town.toml --json"));
    assert!(listed.len() == 2 && listed.iter().all(|listed| listed["error"].is_null()), "{listed:?}");
    nights.told("prune town.toml --keep-daily 1");
    assert_eq!(nights.ids(), ids[1..]);
    assert!(!aside.exists());
}

#[test]
fn the_latest_is_never_removed_by_any_store() {
    let (nights, ids) = nights_on(&["2026-01-01", "2026-01-02"]);
    let store = nights.folder_store();
    let refused = store.remove(&ids[1]).unwrap_err();
    assert!(refused.to_string().contains("is the latest snapshot and stays"), "{refused}");
    store.remove(&ids[0]).unwrap();
    assert_eq!(nights.ids(), ids[1..]);
}
