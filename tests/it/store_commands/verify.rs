//! `poimill verify`: what is whole passes every check, and what is damaged is told by file.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Nights, copy};
use crate::support::demo::{Demo, Told};
use crate::support::{real_data, skipped};

#[test]
fn whole_snapshots_pass_every_check() {
    let demo = Demo::after_one_night();
    assert_eq!(demo.run(2, &[]).code, 0);
    let told = demo.poimill("verify store/demo/latest");
    assert!(told.code == 0 && told.out.contains(" is whole: ") && !told.out.contains("skipped"), "{told:?}");
    let json: Value = serde_json::from_str(&demo.poimill("verify store/demo/latest --json").out).expect("JSON");
    let checks = json["checks"].as_array().expect("checks");
    let names: std::collections::BTreeSet<&str> = checks.iter().filter_map(|check| check["check"].as_str()).collect();
    let all = [
        "balance",
        "checksum",
        "columns",
        "content_hash",
        "counts",
        "files",
        "id",
        "keys",
        "manifest",
        "order",
        "places_exist",
        "places_have_records",
        "records_agree",
        "rows",
    ];
    assert!(names.iter().eq(all.iter()), "{names:?}");
    assert!(json["failed"] == 0 && checks.iter().all(|check| check["outcome"] == "passed"), "{json:#}");
}

#[test]
fn layers_layered_places_and_empty_nights_pass_too() {
    let layers = Demo::new();
    let shipped = include_str!("../../../pipelines/demo-layers.toml");
    let fixtures = crate::support::demo::fixture("").display().to_string();
    layers.write("layers.toml", shipped.replace("../data/fixtures", &fixtures).as_bytes());
    for night in [1, 2] {
        let osm = crate::support::demo::fixture(&format!("night-{night}/town.osm.pbf"));
        let run = layers.poimill(&format!("run layers.toml --store store --input osm={}", osm.display()));
        assert_eq!(run.code, 0, "{run:?}");
    }
    let told = layers.poimill("verify store/demo-layers/latest");
    assert!(told.code == 0 && told.out.contains("ok       order               layers/"), "{told:?}");

    let nights = Nights::new();
    let layered =
        "[conflate]\nmerge = \"layered\"\n[gate]\nmin_rows = 0\nmax_removed_share = 1.0\nmissing_source = \"ignore\"\n";
    for (day, stations) in [
        ("2026-01-01", &["a:1@0 Alpenblick", "b:7@20 Alpenblick"][..]),
        ("2026-01-02", &["b:7@20 Alpenblick"]),
        ("2026-01-03", &[]),
    ] {
        assert_eq!(nights.night_with(day, stations, layered).code, 0);
        let told = nights.poimill("verify store/town/latest");
        assert!(told.code == 0 && told.out.contains(" is whole: "), "{told:?}");
    }
}

#[test]
fn real_snapshots_are_whole() {
    let Some(data) = real_data() else { return skipped("real_snapshots_are_whole") };
    let nights = Demo::new();
    nights.write(
        "demo.toml",
        Demo::text().replace("[6.475, 54.485, 6.525, 54.515]", "[9.47, 47.04, 9.64, 47.28]").as_bytes(),
    );
    let ocm = data.join("ocm/ocm-data-poi-20201120.ndjson.gz");
    for extract in ["liechtenstein-20211028", "liechtenstein-20240303"] {
        let mut run = nights.command("run demo.toml --store store");
        run.arg("--input").arg(format!("osm={}", data.join(format!("osm/{extract}.osm.pbf")).display()));
        run.arg("--input").arg(format!("ocm={}", ocm.display()));
        let run = Told::from(run.output().expect("poimill starts"));
        assert_eq!(run.code, 0, "{run:?}");
        let told = nights.poimill("verify store/demo/latest");
        assert!(told.code == 0 && told.out.contains(" is whole: "), "{told:?}");
    }
}

/// Two nights; the path of the second's snapshot.
fn two_nights() -> (Nights, std::path::PathBuf) {
    let nights = Nights::new();
    nights.night("2026-01-01", &["a:1@0 Alpenblick", "b:7@500 Bahnhof", "a:2@900 Campus"]);
    let second = nights.night("2026-01-02", &["a:1@0 Alpenblick", "b:7@500 Bahnhof am Platz"]);
    let path = nights.store().join(second);
    (nights, path)
}

fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).expect("a file");
    let at = at(bytes.len());
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("a file");
}

/// Changes the manifest.
fn edit(snapshot: &Path, change: impl Fn(&mut Value)) {
    let path = snapshot.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    change(&mut manifest);
    fs::write(path, format!("{manifest:#}\n")).expect("a file");
}

fn exchange(a: &mut Value, one: &str, other: &str) {
    let (first, second) = (a[one].clone(), a[other].clone());
    (a[one], a[other]) = (second, first);
}

/// What is done to a snapshot.
type Damage = fn(&Path);

#[test]
fn every_damage_is_found_and_told_by_file() {
    let cases: &[(&str, Damage, &[&str])] = &[
        (
            "a byte in the middle of the places",
            |s| flip(&s.join("places.parquet"), |size| size / 2),
            &[
                "FAILED   checksum            places.parquet: its SHA-256 is ",
                "skipped  places_exist        sources: `places` cannot be relied on",
            ],
        ),
        (
            "the first byte",
            |s| flip(&s.join("sources.parquet"), |_| 0),
            &["FAILED   checksum            sources.parquet: "],
        ),
        (
            "the last byte",
            |s| flip(&s.join("bridge.parquet"), |size| size - 1),
            &["FAILED   checksum            bridge.parquet: "],
        ),
        (
            "a table that is gone",
            |s| fs::remove_file(s.join("links.parquet")).expect("a file"),
            &["missing: links.parquet", "skipped  counts              manifest.json: "],
        ),
        (
            "half a table",
            |s| {
                let bytes = fs::read(s.join("identity.parquet")).expect("a file");
                fs::write(s.join("identity.parquet"), &bytes[..bytes.len() / 2]).expect("a file");
            },
            &["FAILED   checksum            identity.parquet: "],
        ),
        (
            "no report",
            |s| fs::remove_file(s.join("report.html")).expect("a file"),
            &["FAILED   files", "missing: report.html"],
        ),
        (
            "a stray file",
            |s| fs::write(s.join("changes/mine.txt"), "x").expect("a file"),
            &["not in the manifest: changes/mine.txt"],
        ),
        (
            "a table in the place of another",
            |s| assert!(fs::copy(s.join("rejects.parquet"), s.join("conflicts.parquet")).expect("a copy") > 0),
            &["FAILED   checksum            conflicts.parquet: "],
        ),
        (
            "two tables and what the manifest says of them",
            |s| {
                fs::rename(s.join("rejects.parquet"), s.join("x")).expect("a file");
                fs::rename(s.join("links.parquet"), s.join("rejects.parquet")).expect("a file");
                fs::rename(s.join("x"), s.join("links.parquet")).expect("a file");
                edit(s, |manifest| exchange(&mut manifest["tables"], "rejects", "links"));
            },
            &[
                "FAILED   content_hash",
                "FAILED   columns             links.parquet: version 3, this poimill knows 1 to 1",
            ],
        ),
        (
            "a table of the night before, with its checksum",
            |s| {
                let before: Value =
                    serde_json::from_slice(&fs::read(s.join("manifest.json")).expect("a file")).expect("JSON");
                let base = s.parent().expect("a store").join(before["base"].as_str().expect("a base"));
                fs::copy(base.join("places.parquet"), s.join("places.parquet")).expect("a copy");
                let base: Value =
                    serde_json::from_slice(&fs::read(base.join("manifest.json")).expect("a file")).expect("JSON");
                edit(s, |manifest| manifest["tables"]["places"] = base["tables"]["places"].clone());
            },
            &[
                "FAILED   content_hash",
                "FAILED   places_have_records sources: 1 of 3 places, the first ",
                "FAILED   counts              manifest.json: places: 3 in the tables, 2 in the manifest",
            ],
        ),
        (
            "rows in the manifest",
            |s| edit(s, |manifest| manifest["tables"]["sources"]["rows"] = 5.into()),
            &["FAILED   rows                sources.parquet: it has 2 rows, the manifest says 5"],
        ),
        (
            "a version that nobody knows",
            |s| edit(s, |manifest| manifest["tables"]["places"]["schema_version"] = 99.into()),
            &["FAILED   columns             places.parquet: version 99, this poimill knows 1 to "],
        ),
        (
            "a table that nobody knows",
            |s| {
                fs::copy(s.join("links.parquet"), s.join("secrets.parquet")).expect("a copy");
                edit(s, |manifest| manifest["tables"]["secrets"] = manifest["tables"]["links"].clone());
            },
            &["FAILED   columns             secrets.parquet: this poimill knows no table of that name"],
        ),
        (
            "counts of changes",
            |s| edit(s, |manifest| manifest["counts"]["changes_removed"] = 7.into()),
            &["FAILED   counts              manifest.json: changes_removed: 1 in the tables, 7 in the manifest"],
        ),
        (
            "the account of a source",
            |s| edit(s, |manifest| manifest["sources"][0]["kept"] = 2.into()),
            &[
                "FAILED   balance             source a: read 1",
                "FAILED   counts              source a: kept: 1 in the tables, 2 in the manifest",
            ],
        ),
        (
            "the licences of a source",
            |s| edit(s, |manifest| manifest["sources"][1]["licenses"] = serde_json::json!({ "ODbL-1.0": 1 })),
            &["FAILED   counts              source b: license CC0-1.0: 1 in the tables, 0 in the manifest"],
        ),
        (
            "the base",
            |s| edit(s, |manifest| manifest["base"] = "20260101T030000Z-00000000".into()),
            &["FAILED   content_hash        manifest.json: it is "],
        ),
        (
            "the vintage",
            |s| edit(s, |manifest| manifest["vintage"] = "2026-01-05T03:00:00Z".into()),
            &["FAILED   id                  20260102T030000Z-", "its sources are of 2026-01-02T03:00:00Z"],
        ),
        (
            "a release of what was never held",
            |s| {
                let id = s.file_name().expect("a name").to_string_lossy().into_owned();
                let told = serde_json::json!({ "snapshot": id, "released_at": "2026-01-05T00:00:00Z", "after": null });
                fs::write(s.join("released.json"), told.to_string()).expect("a file");
            },
            &["FAILED   released            released.json: the snapshot was never held back"],
        ),
    ];
    let (nights, whole) = two_nights();
    let id = whole.file_name().expect("a name").to_string_lossy().into_owned();
    let kept = nights.0.path().join("kept");
    copy(&whole, &kept);
    for (what, damage, expected) in cases {
        damage(&whole);
        let told = nights.poimill("verify store/town/latest");
        assert_eq!(told.code, 3, "{what}: {told:?}");
        for line in *expected {
            assert!(told.out.contains(line), "{what}: {line}\n{}", told.out);
        }
        assert!(told.out.contains(&format!("{id} is damaged: ")), "{what}: {}", told.out);
        assert!(told.err.contains(&format!("{id} is damaged: ")), "{what}: {}", told.err);
        fs::remove_dir_all(&whole).expect("a folder");
        copy(&kept, &whole);
        assert_eq!(nights.poimill("verify store/town/latest").code, 0, "{what}: it is whole again");
    }
}

#[test]
fn what_is_no_snapshot_is_a_damaged_input() {
    let (nights, whole) = two_nights();
    let id = whole.file_name().expect("a name").to_string_lossy().into_owned();
    copy(&whole, &nights.store().join("20260102T030000Z-aaaaaaaa"));
    let moved = nights.poimill("verify store/town/20260102T030000Z-aaaaaaaa");
    assert!(moved.code == 3 && moved.out.contains(": it is kept as 20260102T030000Z-aaaaaaaa"), "{moved:?}");

    let manifest = fs::read(whole.join("manifest.json")).expect("a manifest");
    for (bytes, message) in [
        (&manifest[..manifest.len() / 2], "the manifest of "),
        (&b""[..], "the manifest of "),
        (b"{}", "the manifest of "),
    ] {
        fs::write(whole.join("manifest.json"), bytes).expect("a file");
        let told = nights.poimill(&format!("verify store/town/{id}"));
        assert!(told.code == 3 && told.err.contains(message) && told.err.contains("damaged"), "{told:?}");
    }
    fs::remove_file(whole.join("manifest.json")).expect("a file");
    let told = nights.poimill(&format!("verify store/town/{id}"));
    assert!(told.code == 3 && told.err.contains("there is no snapshot at "), "{told:?}");
}
