//! `poimill bridge`: where ids of an older snapshot went, however many nights lie in between.

use std::fs;

use super::{Nights, objects};

/// A table: header and lines as `old record, fate, new record, records of old records`, records as they are in the snapshot
/// that has the place.
fn told(nights: &Nights, old: &str, new: &str) -> (Vec<String>, String) {
    let done = nights.poimill(&format!("bridge store/town/{old} store/town/{new}"));
    assert_eq!(done.code, 0, "{done:?}");
    let name = |snapshot: &str, id: &str| {
        let places = super::places(&nights.store().join(snapshot));
        let records: Vec<String> =
            places.into_iter().filter(|(_, place)| place == id).map(|(record, _)| record).collect();
        if records.is_empty() { id.to_owned() } else { records.join("+") }
    };
    let mut lines: Vec<String> = done
        .out
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [id, fate, new_id, records, of] = cells[..] else { panic!("{line}") };
            let arrow = if new_id.is_empty() { String::new() } else { format!(" {}", name(new, new_id)) };
            format!("{} {fate}{arrow} {records}/{of}", name(old, id))
        })
        .collect();
    assert_eq!(done.out.lines().next(), Some("old_id,fate,new_id,records,old_records"));
    lines.sort();
    (lines, done.err.trim().to_owned())
}

#[test]
fn ids_are_followed_over_one_night_and_over_many() {
    let nights = Nights::new();
    let all = ["a:1@0 Alpenblick", "b:7@300 Alpenblick", "a:2@2000 Campus", "a:3@4000 Bahnhof", "b:9@4010 Bahnhof"];
    let first = nights.night("2026-01-01", &all);
    let second = nights.night(
        "2026-01-02",
        &["a:1@0 Alpenblick", "b:7@10 Alpenblick", "a:2@2000 Campus", "a:3@4000 Bahnhof", "b:9@4300 Bahnhof"],
    );
    let third = nights.night("2026-01-03", &["a:1@0 Alpenblick", "b:9@4300 Bahnhof", "a:5@6000 Dorfplatz"]);

    // Of two equals the older or smaller id stays; which one it is does not matter here.
    let (one, seven) = (nights.place(&first, "a:1"), nights.place(&first, "b:7"));
    let stays = nights.place(&second, "a:1");
    let (kept, gone) = if stays == one { ("a:1", "b:7") } else { ("b:7", "a:1") };
    assert!(stays == one || stays == seven);
    let split =
        if nights.place(&second, "a:3") == nights.place(&first, "a:3") { ("a:3", "b:9") } else { ("b:9", "a:3") };

    let (lines, summary) = told(&nights, &first, &second);
    let mut expected = [
        format!("{kept} same a:1+b:7 1/1"),
        format!("{gone} merged_into a:1+b:7 1/1"),
        "a:2 same a:2 1/1".to_owned(),
        format!("a:3+b:9 same {} 1/2", split.0),
        format!("a:3+b:9 split_into {} 1/2", split.1),
    ];
    expected.sort();
    assert_eq!(lines, expected);
    assert_eq!(summary, "3 same, 1 merged_into, 1 split_into, 0 new");

    let (lines, summary) = told(&nights, &first, &third);
    assert!(lines.contains(&"a:2 removed 0/1".to_owned()), "{lines:?}");
    // The place of b:7 went into another; then its record was removed.
    let expected = if gone == "b:7" { "b:7 successor a:1 0/1" } else { "a:1 merged_into a:1 1/1" };
    assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    assert!(summary.ends_with("1 new"), "{summary}");

    // The nights in between need not be kept.
    fs::remove_dir_all(nights.store().join(&second)).unwrap();
    assert_eq!(told(&nights, &first, &third).0, lines);
    assert_eq!(
        told(&nights, &third, &third),
        (
            vec!["a:1 same a:1 1/1".to_owned(), "a:5 same a:5 1/1".to_owned(), "b:9 same b:9 1/1".to_owned()],
            "3 same, 0 new".to_owned()
        )
    );
    let backward = told(&nights, &third, &first).1;
    assert!(
        backward.ends_with("the first snapshot is the newer one, so what came since counts as removed"),
        "{backward}"
    );
}

#[test]
fn json_has_an_object_per_line_and_says_null_for_what_is_gone() {
    let nights = Nights::new();
    let first = nights.night("2026-01-01", &["a:1@0 Alpenblick", "a:2@2000 Campus"]);
    let second = nights.night("2026-01-02", &["a:1@0 Alpenblick"]);
    let lines = objects(&nights.told(&format!("bridge store/town/{first} store/town/{second} --json")));
    let gone = nights.place(&first, "a:2");
    let line = lines.iter().find(|line| line["old_id"] == *gone).unwrap();
    let expected =
        serde_json::json!({ "old_id": gone, "fate": "removed", "new_id": null, "records": 0, "old_records": 1 });
    assert!(lines.len() == 2 && *line == expected, "{lines:?}");
}

#[test]
fn snapshots_of_different_pipelines_have_no_bridge() {
    let (nights, other) = (Nights::new(), crate::support::demo::Demo::after_one_night());
    let first = nights.night("2026-01-01", &["a:1@0 Alpenblick"]);
    let told = nights.poimill(&format!("bridge store/town/{first} {}", other.latest().display()));
    assert!(told.code == 2 && told.err.contains("ids say nothing across pipelines"), "{told:?}");
}
