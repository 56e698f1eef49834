//! The commands as a person or a script meets them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::demo::{Demo, fixture};

/// The screen of a first night, up to what depends on the place and the clock.
const FIRST_NIGHT: &str = "\
demo, as of 2026-05-01T20:21:00Z

source                read      kept  rejected    left out
osm                    190        86         5          99
  rejected: 2 invalid_area, 2 missing_member, 1 open_ring
  left out: 90 not_matched, 6 outside_region, 3 wrong_kind
ocm                     46        34         8           4
  rejected: 1 invalid_position, 2 malformed, 3 no_position, 1 null_island, 1 repeated_id
  left out: 2 not_live, 2 outside_region
  repaired: 1 power_in_watts, 1 sign_of_longitude, 1 swapped_position
  found: 4 unknown_code, 1 unreadable_value

pairs     15 matched, 0 to review
self-test 1 pair is known by shared ids, 0 found with ids hidden: too few to say more, 20 are needed
places    100
";

/// What a run has to say beside its results.
const NOTES: &str = "\
note: DATABASE_URL is not set, so no database is loaded (postgis.url in the pipeline file)
note: ocm: connectors of types that are not known: 1 of type 9999
";

#[test]
fn every_command_teaches() {
    let demo = Demo::new();
    for command in
        ["run", "check", "fetch", "diff", "load", "explain", "eval", "verify", "release", "history", "prune", "bridge"]
    {
        let help = demo.poimill(&format!("{command} --help"));
        assert_eq!((help.code, help.err.as_str()), (0, ""));
        assert!(help.out.contains(&format!("Example: poimill {command} ")), "{}", help.out);
        // Every flag and argument has a sentence, on its line or the next.
        let lines: Vec<&str> = help.out.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| {
            let entry = line.trim_start();
            line.starts_with("  ") && ["-", "<", "["].iter().any(|start| entry.starts_with(start))
        }) {
            let same_line = line.trim_start().split_once("  ").is_some_and(|(_, meaning)| !meaning.trim().is_empty());
            let next_line = lines.get(at + 1).is_some_and(|next| next.starts_with("          "));
            assert!(same_line || next_line, "{command}: {line}");
        }
    }
    let help = demo.poimill("--help").out;
    for told in [
        "Exit codes: 0 done",
        "Try: poimill run pipelines/demo.toml",
        "run ",
        "check ",
        "fetch ",
        "diff ",
        "load ",
        "explain ",
        "eval ",
    ] {
        assert!(help.contains(told), "{help}");
    }
    let version = demo.poimill("--version");
    assert_eq!((version.code, version.out), (0, format!("poimill {}\n", env!("CARGO_PKG_VERSION"))));
    assert_eq!(demo.poimill("").code, 2);
    assert_eq!(demo.poimill("rum demo.toml").code, 2);
}

#[test]
fn a_run_ends_with_a_summary() {
    let demo = Demo::new();
    let (first, second, third) = (demo.run(1, &[]), demo.run(1, &[]), demo.run(2, &[]));
    let id = |told: &str| {
        let files = told.lines().find_map(|line| line.strip_prefix("files     ")).unwrap();
        files.rsplit('/').next().unwrap().to_owned()
    };
    let rest = |told: &str| {
        let at = told.find("changes   ").unwrap();
        let rest = told[at..].lines().map(|line| match line.split_whitespace().next() {
            Some(label @ ("files" | "seconds")) => label.to_owned(),
            _ => line.to_owned(),
        });
        rest.collect::<Vec<_>>().join("\n")
    };
    assert_eq!((first.code, second.code, third.code), (0, 0, 0));
    assert_eq!(first.err, NOTES);
    assert!(first.out.starts_with(FIRST_NIGHT), "{}", first.out);
    assert_eq!(rest(&first.out), "changes   none: this is the first snapshot\nfiles\nseconds");
    assert!(second.out.starts_with(FIRST_NIGHT), "{}", second.out);
    let unchanged = format!("changes   nothing changed: snapshot {} stays\nfiles\nseconds", id(&first.out));
    assert_eq!(rest(&second.out), unchanged);
    let changes = "4 added, 1 merged, 18 modified, 3 moved, 7 removed, 2 split, 5 touched";
    assert_eq!(rest(&third.out), format!("changes   {changes} since {}\nfiles\nseconds", id(&first.out)));
    assert_eq!(demo.latest_id(), id(&third.out));
}

#[test]
fn a_machine_reads_the_report_as_json() {
    let demo = Demo::new();
    let told = demo.run(1, &["--json"]);
    let report: Value = serde_json::from_str(&told.out).unwrap();
    let keys: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    let promised = [
        "base",
        "counts",
        "held",
        "loads",
        "location",
        "pipeline",
        "seconds",
        "self_evaluation",
        "snapshot",
        "sources",
        "unchanged",
        "vintage",
    ];
    assert_eq!(keys, promised);
    assert_eq!(report["snapshot"], demo.latest_id().as_str());
    assert_eq!((&report["base"], &report["unchanged"]), (&Value::Null, &Value::Bool(false)));
    assert_eq!(report["counts"]["places"], 100);
    for source in report["sources"].as_array().unwrap() {
        let sum = |key: &str| source[key].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
        let number = |key: &str| source[key].as_u64().unwrap();
        assert_eq!(number("read"), number("kept") + sum("rejected") + sum("left_out"), "{source}");
    }
}

#[test]
fn a_dry_run_tells_everything_and_writes_nothing() {
    let demo = Demo::new();
    let counts = |told: &str| serde_json::from_str::<Value>(told).unwrap()["counts"].clone();
    let dry = demo.run(1, &["--dry-run", "--json"]);
    assert!(dry.code == 0 && !demo.store().exists(), "{dry:?}");
    assert_eq!(counts(&dry.out), counts(&demo.run(1, &["--json"]).out));

    let before = demo.listing();
    let (same, dry) = (demo.run(1, &["--dry-run"]), demo.run(2, &["--dry-run", "--json"]));
    assert!(same.out.contains("nothing changed: snapshot "), "{same:?}");
    assert!(same.out.contains("files     memory; nothing was written"), "{same:?}");
    assert_eq!(demo.listing(), before);
    assert_eq!(counts(&dry.out), counts(&demo.run(2, &["--json"]).out));
    // A database that is named is not even asked.
    let told = demo.run(2, &["--dry-run", "--database", "postgresql://u:secret@127.0.0.1:1/x"]);
    assert_eq!(told.code, 0, "{told:?}");
}

#[test]
fn check_prints_the_plan_and_touches_nothing() {
    let demo = Demo::new();
    let plan = |told: &str| told.lines().map(str::to_owned).collect::<Vec<_>>();
    let told = demo.poimill("check demo.toml --store store");
    assert!(told.code == 0 && told.err.is_empty() && !demo.store().exists(), "{told:?}");
    let lines = plan(&told.out);
    assert_eq!(lines[0], "pipeline demo");
    assert!(
        lines[1].starts_with("read osm (osm_pbf): town.osm.pbf, ") && lines[1].ends_with("as of 2026-05-01T20:21:00Z")
    );
    assert_eq!(lines[2], "read ocm (open_charge_map): ocm.json, 28 kB, compact export");
    assert_eq!(lines[3..5], ["write the first snapshot", "load no database"]);
    assert_eq!(lines[5], NOTES.lines().next().unwrap());

    assert_eq!(demo.run(1, &[]).code, 0);
    let before = demo.listing();
    let told = demo.poimill("check demo.toml --store store");
    assert_eq!(plan(&told.out)[3], format!("compare with snapshot {}", demo.latest_id()));
    assert_eq!(demo.listing(), before);
}

#[test]
fn check_has_a_line_for_every_layer() {
    let demo = Demo::new();
    let layers = "[[layer]]\nname = \"roads\"\nfilter = [\"highway and not area\", \"route\"]\ngeometry = [\"line\"]\n\
                  [[layer]]\nname = \"all\"\nfilter = \"*\"\n[store]";
    demo.edit("[store]", layers);
    let told = demo.poimill("check demo.toml --store store");
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!((told.code, lines[0]), (0, "pipeline demo"), "{told:?}");
    let plan = [
        "layer roads from osm: highway and not area or route (line)",
        "layer all from osm: * (point, line, area)",
        "write the first snapshot",
    ];
    assert_eq!(lines[3..6], plan);
    // The shipped example of a pipeline without places.
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/demo-layers.toml");
    let told = demo.poimill(&format!("check {example} --store store"));
    let layers: Vec<&str> = told.out.lines().filter(|line| line.starts_with("layer ")).collect();
    let plan = [
        "layer buildings from osm: building!=no (area)",
        "layer charging from osm: amenity=charging_station or man_made=charge_point (point, line, area)",
        "layer everything from osm: * (point, line, area)",
    ];
    assert_eq!((told.code, layers), (0, plan.to_vec()), "{told:?}");
}

#[test]
fn diff_tells_what_is_different_and_exits_as_diff_does() {
    let demo = Demo::after_one_night();
    let first = demo.latest_id();
    let same = demo.poimill("diff store/demo/latest store/demo/latest");
    assert_eq!((same.code, same.out.as_str(), same.err.as_str()), (0, "no place is different\n", ""));
    let json = demo.poimill("diff --json store/demo/latest store/demo/latest");
    assert_eq!((json.code, json.out.as_str()), (0, ""));

    assert_eq!(demo.run(2, &[]).code, 0);
    let told = demo.poimill(&format!("diff store/demo/{first} store/demo/latest"));
    assert_eq!((told.code, told.err.as_str()), (1, ""));
    let lines: Vec<&str> = told.out.lines().collect();
    let summary = [
        "4 added, 7 removed, 18 modified, 3 moved, 5 touched, 1 merged, 2 split",
        "cause       39 source, 1 conflation",
        "fields      24 sources, 8 tags, 6 status, 5 geometry, 4 access, 4 confidence, 4 datasets, 3 address and 7 more",
        "categories  24 charging_station, 1 books, 1 bus_stop, 1 cafe, 1 car_repair, 1 cinema, 1 clothes, 1 florist and 9 more",
        "sources     32 osm, 16 ocm",
        "moved       5, half by less than 5.7 m, at most 12 m",
        "",
    ];
    assert_eq!(lines[..7], summary);
    assert_eq!(lines.len(), 7 + 4 + 7 + 18 + 3 + 5 + 1 + 2);
    for (class, rest) in [
        ("modified  ", "  cafe \"Café Möwe\"  opening_hours, sources  (source)"),
        ("moved     ", "  charging_station \"Gewerbehof\"  by 12 m  geometry, sources  (source)"),
        ("removed   ", "  shoemaker \"Schuster Leiste\"  (source)"),
    ] {
        assert!(lines.iter().any(|line| line.starts_with(class) && line.ends_with(rest)), "{rest}\n{}", told.out);
    }

    let json = demo.poimill(&format!("diff --json store/demo/{first} store/demo/latest"));
    let changes: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((json.code, changes.len()), (1, lines.len() - 7));
    let classes: BTreeSet<&str> = changes.iter().map(|change| change["class"].as_str().unwrap()).collect();
    assert_eq!(classes, BTreeSet::from(["added", "merged", "modified", "moved", "removed", "split", "touched"]));
    assert!(changes.iter().all(|change| change["id"].is_string() && change["cause"].is_string()));

    // Read backwards it is the same change the other way.
    assert_eq!(demo.poimill(&format!("diff store/demo/latest store/demo/{first}")).code, 1);
    assert_eq!(demo.poimill("diff store/demo/none store/demo/latest").code, 3);
}

#[test]
fn layers_are_counted_by_the_run_and_by_the_diff() {
    let demo = Demo::new();
    let shipped = include_str!("../../pipelines/demo-layers.toml");
    demo.write("demo.toml", shipped.replace("name   = \"demo-layers\"", "name   = \"demo\"").as_bytes());
    let run = |night: u8, flags: &str| {
        let input = fixture(&format!("night-{night}/town.osm.pbf"));
        let told = demo.poimill(&format!("run demo.toml --store store --input osm={} {flags}", input.display()));
        assert_eq!(told.code, 0, "{told:?}");
        told.out
    };
    let layers =
        |told: &str| told.lines().filter(|line| line.starts_with("layer ")).map(str::to_owned).collect::<Vec<_>>();
    let rows =
        ["buildings: 7 rows", "charging: 29 rows", "everything: 101 rows"].map(|told| format!("layer     {told}"));
    assert_eq!(layers(&run(1, "")), rows.clone().map(|told| format!("{told}, the first time")));
    let first = demo.latest_id();
    assert_eq!(layers(&run(1, "--memory 64MiB")), rows, "no byte depends on memory");
    let told = run(2, "");
    let left_out = told.lines().filter(|line| line.starts_with("  left out: ")).count();
    assert_eq!(left_out, 1 + 3, "of the source, and of every layer: {told}");
    let changes = [
        "layer     buildings: 8 rows, 1 added, 1 moved, 1 touched",
        "layer     charging: 32 rows, 5 added, 4 modified, 1 moved, 2 removed, 1 touched",
        "layer     everything: 102 rows, 6 added, 12 modified, 4 moved, 5 removed, 4 touched",
    ];
    assert_eq!(layers(&told), changes);

    let diff = |flags: &str| demo.poimill(&format!("diff {flags} store/demo/{first} store/demo/latest"));
    let told = diff("");
    let lines = [
        "no place is different",
        "layer buildings: 1 added, 1 moved, 1 touched",
        "layer charging: 5 added, 2 removed, 4 modified, 1 moved, 1 touched",
        "layer everything: 6 added, 5 removed, 12 modified, 4 moved, 4 touched",
    ];
    assert_eq!((told.code, told.out.lines().collect::<Vec<_>>()), (1, lines.to_vec()));
    let told = diff("--json");
    let json: Vec<Value> = told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((json.len(), &json[0]["layer"], &json[0]["changes"]["added"]), (3, &"buildings".into(), &1.into()));
    let same = demo.poimill("diff store/demo/latest store/demo/latest");
    assert_eq!((same.code, same.out.lines().nth(3)), (0, Some("layer everything: no row is different")));

    // A layer that shrinks holds the night back; one that the pipeline names no more does not.
    demo.edit("filter = \"*\"", "filter = \"shop\"");
    let input = fixture("night-2/town.osm.pbf");
    let told = demo.poimill(&format!("run demo.toml --store store --input osm={}", input.display()));
    assert!(told.code == 4 && told.err.contains(" of 102 rows of layer `everything` are gone"), "{told:?}");
    let text = std::fs::read_to_string(demo.path("demo.toml")).unwrap();
    let (before, after) =
        (text.find("[[layer]]                             #").unwrap(), text.find("[store]").unwrap());
    demo.write("demo.toml", format!("{}{}", &text[..before], &text[after..]).as_bytes());
    let told = run(2, "");
    let gone = "layer     everything: 0 rows, the pipeline names it no more; 102 removed";
    assert_eq!(layers(&told).last().map(String::as_str), Some(gone), "{told}");
}

#[test]
fn the_number_of_threads_and_the_folder_change_no_byte() {
    let (one, many) = (Demo::new(), Demo::new());
    for night in [1, 2] {
        assert_eq!(one.run(night, &["--threads", "1"]).code, 0);
        assert_eq!(many.run(night, &["--threads", "4"]).code, 0);
    }
    assert_eq!(one.reproducible(), many.reproducible());
    assert_eq!(one.run(1, &["--threads", "0"]).code, 2);
}

#[test]
fn a_boundary_in_geojson_limits_the_places() {
    let demo = Demo::new();
    demo.edit("bbox   = [6.475, 54.485, 6.525, 54.515]", "boundary = \"town.geojson\"");
    let area = |ring: &str| {
        let text = format!(
            "{{\"type\": \"Feature\", \"properties\": {{}}, \"geometry\": {{\"type\": \"Polygon\", \"coordinates\": [{ring}]}}}}"
        );
        demo.write("town.geojson", text.as_bytes());
        let report: Value = serde_json::from_str(&demo.run(1, &["--json", "--dry-run"]).out).unwrap();
        report["counts"]["places"].as_u64().unwrap()
    };
    // The box of the pipeline file; then its half south-east of the diagonal, and the other: together they are the town.
    let whole = area("[[6.475, 54.485], [6.525, 54.485], [6.525, 54.515], [6.475, 54.515], [6.475, 54.485]]");
    let south_east = area("[[6.475, 54.485], [6.525, 54.485], [6.525, 54.515], [6.475, 54.485]]");
    let north_west = area("[[6.475, 54.485], [6.525, 54.515], [6.475, 54.515], [6.475, 54.485]]");
    assert_eq!(whole, 100);
    assert!(south_east > 20 && north_west > 20 && south_east + north_west == whole, "{south_east} {north_west}");
}

#[test]
fn the_variable_that_the_file_names_is_the_database() {
    let demo = Demo::new();
    let run = |url: &str, flags: &[&str]| {
        let output = demo.night(1).env("DATABASE_URL", url).args(flags).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, err) = run("postgresql://u:secret@127.0.0.1:1/from_variable", &[]);
    assert!(code == Some(5) && err.contains("`from_variable`") && !err.contains("secret"), "{err}");
    let (code, err) =
        run("postgresql://127.0.0.1:1/from_variable", &["--database", "postgresql://127.0.0.1:1/from_flag"]);
    assert!(code == Some(5) && err.contains("`from_flag`"), "{err}");
    assert_eq!(run("", &[]), (Some(0), NOTES.to_owned()));
}

#[test]
fn logs_are_plain_where_no_terminal_is() {
    let demo = Demo::new();
    let told = demo.run(1, &["-v"]);
    for stage in ["relations", "ways", "nodes"] {
        let done = format!("stage done stage=\"extract osm: {stage}\" duration_ms=");
        assert!(told.err.contains(&done), "{stage}: {}", told.err);
    }
    assert!(!told.err.contains('\u{1b}'), "{}", told.err);
}
