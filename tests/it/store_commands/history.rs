//! `poimill history`: the snapshots of a store, and what became of a place.

use std::fs;

use serde_json::{Value, json};

use super::{Nights, objects};

/// Four nights: two stations of one name come together and part again, another moves, is renamed and goes.
struct Story {
    nights: Nights,
    snapshots: [String; 4],
}

impl Story {
    fn new() -> Self {
        let nights = Nights::new();
        let snapshots = [
            nights.night("2026-01-01", &["a:1@0 Alpenblick", "b:7@300 Alpenblick", "a:2@2000 Campus"]),
            nights.night("2026-01-02", &["a:1@0 Alpenblick", "b:7@10 Alpenblick", "a:2@2010 Campus"]),
            nights.night("2026-01-05", &["a:1@0 Alpenblick", "b:7@300 Alpenblick", "a:2@2010 Mensa"]),
            nights.night("2026-02-01", &["a:1@0 Alpenblick", "b:7@300 Alpenblick"]),
        ];
        Self { nights, snapshots }
    }

    /// The lives of a place as a few words each.
    fn lives(&self, place: &str) -> Vec<(String, String, Vec<String>)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        objects(&self.nights.told(&format!("history town.toml --place {place} --json")))
            .iter()
            .map(|life| {
                let event = |event: &Value| {
                    let related = event["related"].as_str().map(|_| " other").unwrap_or_default();
                    let fields: Vec<String> = event["changed"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|change| text(&change["field"]))
                        .filter(|field| ["name", "geometry"].contains(&field.as_str()))
                        .collect();
                    format!(
                        "{} {}{related} {}",
                        &text(&event["vintage"])[..10],
                        text(&event["event"]),
                        fields.join(" ")
                    )
                    .trim()
                    .to_owned()
                };
                let events = life["events"].as_array().expect("events").iter().map(event).collect();
                (text(&life["place"]), text(&life["tie"]), events)
            })
            .collect()
    }
}

#[test]
fn snapshots_are_listed_oldest_first_with_what_changed() {
    let Story { nights, snapshots } = Story::new();
    let held = nights.held_night("2026-02-02", &["a:1@0 Alpenblick"]);
    let listed = objects(&nights.told("history town.toml --json"));
    let told: Vec<(&str, &str, u64, String)> = listed
        .iter()
        .map(|o| {
            (
                o["snapshot"].as_str().unwrap(),
                o["state"].as_str().unwrap(),
                o["places"].as_u64().unwrap(),
                o["changes"].to_string(),
            )
        })
        .collect();
    let expected: [(&str, &str, u64, Value); 5] = [
        (&snapshots[0], "published", 3, json!({})),
        (&snapshots[1], "published", 2, json!({ "merged": 1, "modified": 1, "moved": 1 })),
        (&snapshots[2], "published", 3, json!({ "modified": 2, "split": 1 })),
        (&snapshots[3], "latest", 2, json!({ "removed": 1 })),
        (&held, "held", 1, json!({ "removed": 1 })),
    ];
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!((told.0, told.1, told.2), (expected.0, expected.1, expected.2));
        assert_eq!(told.3, expected.3.to_string(), "{}", told.0);
    }
    assert_eq!(told.len(), 5);
    assert!(listed.iter().all(|o| o["size_bytes"].as_u64().unwrap() > 1_000 && o["error"].is_null()));

    let text = nights.told("history town.toml");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with(&snapshots[0]) && lines[0].ends_with("3 places  the first"), "{text}");
    assert!(lines[1].ends_with("2 places, 1 merged, 1 modified, 1 moved"), "{text}");
    assert!(lines[4].contains("held: 1 of 2 places are gone, more than gate.max_removed_share = 0.4"), "{text}");
}

#[test]
fn a_place_is_followed_through_merge_split_and_return() {
    let story = Story::new();
    let [first, second, third, _] = &story.snapshots;
    let (one, seven) = (story.nights.place(first, "a:1"), story.nights.place(first, "b:7"));
    let merged = story.nights.place(second, "a:1");
    let gone = if merged == one { &seven } else { &one };
    assert!(merged == one || merged == seven);
    assert_eq!(story.nights.place(third, "b:7"), seven, "a part takes its former id back");

    let lives = story.lives(&merged);
    assert_eq!(lives.len(), 2, "{lives:?}");
    assert_eq!((&lives[0].0, lives[0].1.as_str()), (&merged, "itself"));
    let events = |at: usize| -> Vec<&str> { lives[at].2.iter().map(String::as_str).collect() };
    assert_eq!(events(0)[0], "2026-01-01 added");
    for event in ["2026-01-02 absorbed other", "2026-01-05 split_off other"] {
        assert!(events(0).contains(&event), "{event}: {lives:?}");
    }
    assert_eq!(&lives[1].0, gone);
    assert_eq!(events(1), ["2026-01-01 added", "2026-01-02 merged other", "2026-01-05 split other"]);

    // Asked from the other end, the same story is told.
    let from_there = story.lives(gone);
    assert_eq!((from_there[0].0.as_str(), &from_there[0].2), (gone.as_str(), &lives[1].2));
    assert_eq!((from_there[1].0.as_str(), &from_there[1].2), (merged.as_str(), &lives[0].2));
}

#[test]
fn a_place_that_moves_is_renamed_and_goes_says_from_what_to_what() {
    let story = Story::new();
    let campus = story.nights.place(&story.snapshots[0], "a:2");
    let lives = story.lives(&campus);
    assert_eq!(lives.len(), 1);
    assert_eq!(
        lives[0].2,
        ["2026-01-01 added", "2026-01-02 moved geometry", "2026-01-05 modified name", "2026-02-01 removed"]
    );
    let life = &objects(&story.nights.told(&format!("history town.toml --place {campus} --json")))[0];
    assert_eq!(life["is_there"], false);
    assert_eq!(life["last"][0]["row"]["name"], "Mensa");
    let (moved, renamed) = (&life["events"][1], &life["events"][2]);
    assert!((moved["moved_m"].as_f64().unwrap() - 10.0).abs() < 0.2, "{moved}");
    let change = |event: &Value, field: &str| {
        event["changed"].as_array().unwrap().iter().find(|change| change["field"] == field).cloned().unwrap()
    };
    assert_eq!(change(renamed, "name"), json!({ "field": "name", "old": "Campus", "new": "Mensa" }));
    let geometry = change(moved, "geometry");
    assert_eq!((&geometry["old"], &geometry["new"]), (&json!([9.5264, 47.0]), &json!([9.526_532, 47.0])));
    let records =
        json!([{ "record": "a:2", "valid_from": "2026-01-01T03:00:00Z", "valid_to": "2026-02-01T03:00:00Z" }]);
    assert_eq!(life["records"], records);

    let text = story.nights.told(&format!("history town.toml --place {}", campus.to_uppercase()));
    for line in [
        &format!("place {campus}  charging_station \"Mensa\"  (gone)"),
        "  2026-01-02T03:00:00Z        moved by 10 m (source)",
        "      name: \"Campus\" → \"Mensa\"",
        "  2026-02-01T03:00:00Z        removed (source)",
        "  record a:2  2026-01-01T03:00:00Z to 2026-02-01T03:00:00Z",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
}

#[test]
fn a_date_leads_to_the_snapshot_and_the_place_of_that_time() {
    let story = Story::new();
    let Story { nights, snapshots } = &story;
    let campus = nights.place(&snapshots[0], "a:2");
    let cases: [(&str, usize, Option<&str>); 6] = [
        ("2026-01-01", 0, Some("Campus")),
        ("2026-01-02T02:59:59Z", 0, Some("Campus")),
        ("2026-01-02T03:00:00Z", 1, Some("Campus")),
        ("2026-01-31", 2, Some("Mensa")),
        ("2026-02-01", 3, None),
        ("2030-01-01", 3, None),
    ];
    for (date, at, name) in cases {
        let listed = &objects(&nights.told(&format!("history town.toml --as-of {date} --json")))[0];
        assert_eq!(listed["snapshot"], snapshots[at], "{date}");
        let then = &objects(&nights.told(&format!("history town.toml --as-of {date} --place {campus} --json")))[0];
        assert_eq!(then["snapshot"], snapshots[at], "{date}");
        assert_eq!(then["rows"][0]["row"]["name"].as_str(), name, "{date}");
        assert_eq!(then["records"].as_array().unwrap().len(), usize::from(name.is_some()), "{date}");
    }
    let text = nights.told(&format!("history town.toml --as-of 2026-01-03 --place {campus}"));
    assert!(text.contains("  name: \"Campus\"\n") && text.contains("  geometry: [9.526532,47.0]\n"), "{text}");
    let text = nights.told(&format!("history town.toml --as-of 2026-03-01 --place {campus}"));
    assert!(text.contains("  was not there; "), "{text}");
    for (arguments, message) in [
        (
            "--as-of 2025-12-31",
            "no snapshot is as old as 2025-12-31T23:59:59.999999999Z; the oldest that is kept is of 2026-01-01T03:00:00Z",
        ),
        ("--as-of yesterday", "write a day, e.g. 2026-05-01"),
        ("--place Rathaus", "write a UUID"),
        (
            "--place 00000000-0000-5000-8000-000000000000",
            "no snapshot knows a place 00000000-0000-5000-8000-000000000000",
        ),
    ] {
        let told = nights.poimill(&format!("history town.toml {arguments}"));
        assert!(told.code == 2 && told.err.contains(message), "{arguments}: {told:?}");
    }
}

#[test]
fn what_was_pruned_in_between_shows_with_the_next_snapshot() {
    let story = Story::new();
    let [first, second, third, last] = &story.snapshots;
    let campus = story.nights.place(first, "a:2");
    let seven = story.nights.place(first, "b:7");
    for pruned in [second, third] {
        fs::remove_dir_all(story.nights.store().join(pruned)).unwrap();
    }
    assert_eq!(story.lives(&campus)[0].2, ["2026-01-01 added", "2026-02-01 removed"]);
    assert_eq!(story.lives(&seven)[0].2[0], "2026-01-01 added");
    fs::remove_dir_all(story.nights.store().join(first)).unwrap();
    // No snapshot has it any more; the bridge remembers its record.
    let life = &objects(&story.nights.told(&format!("history town.toml --place {campus} --json")))[0];
    assert_eq!((&life["events"], &life["records"][0]["record"]), (&json!([]), &json!("a:2")));
    assert_eq!(story.lives(&seven)[0].2, ["2026-02-01 present"]);
    let text = story.nights.told("history town.toml");
    assert!(text.starts_with(last.as_str()) && text.contains(&format!("since {third}, which is not kept")), "{text}");
}

#[test]
fn a_layered_place_has_a_row_per_source() {
    let nights = Nights::new();
    let layered = "[conflate]\nmerge = \"layered\"\n[gate]\nmax_removed_share = 1.0\n";
    for (day, name) in [("2026-01-01", "Alpenblick"), ("2026-01-02", "Alpenblick Nord")] {
        let stations = [&format!("a:1@0 {name}")[..], "b:7@10 Alpenblick"];
        assert_eq!(nights.night_with(day, &stations, layered).code, 0);
    }
    let place = nights.place(&nights.latest(), "a:1");
    let life = &objects(&nights.told(&format!("history town.toml --place {place} --json")))[0];
    let tables: Vec<&str> =
        life["last"].as_array().unwrap().iter().map(|said| said["table"].as_str().unwrap()).collect();
    assert_eq!(tables, ["places_a", "places_b"]);
    assert_eq!(life["events"][0]["event"], "added");
    let renamed = &life["events"][1]["changed"].as_array().unwrap()[0];
    assert_eq!((&renamed["old"], &renamed["new"]), (&json!("Alpenblick"), &json!("Alpenblick Nord")));
}

#[test]
fn an_empty_store_and_a_damaged_snapshot_are_told() {
    let nights = Nights::new();
    let first = nights.night("2026-01-01", &["a:1@0 Alpenblick"]);
    nights.night("2026-01-02", &["a:1@10 Alpenblick"]);
    assert_eq!(nights.told("history town.toml --store elsewhere"), "there is no snapshot yet\n");
    fs::write(nights.store().join(&first).join("manifest.json"), "{").unwrap();
    let text = nights.told("history town.toml");
    let damaged = text.lines().find(|line| line.starts_with(&first)).unwrap();
    assert!(damaged.contains(" damaged ") && damaged.contains("cannot be understood"), "{text}");
}

#[test]
fn undated_nights_and_earlier_ones_are_listed_in_the_order_in_which_they_followed() {
    let nights = Nights::new();
    let days = ["", "2026-01-03", "2026-01-01", "", "2026-01-02"];
    let ids: Vec<String> =
        days.iter().enumerate().map(|(at, day)| nights.night(day, &[&format!("a:1@{at} Alpenblick")])).collect();
    let listed = objects(&nights.told("history town.toml --json"));
    let told: Vec<&str> = listed.iter().map(|listed| listed["snapshot"].as_str().unwrap()).collect();
    assert_eq!(told, ids);
}
