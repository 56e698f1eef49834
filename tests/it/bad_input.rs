//! Bad input: each gives one clear message and its exit code, and leaves everything as it was.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

use crate::support::demo::{Demo, Told, fixture};

/// How a message begins, and what it says further on.
type Says<'a> = &'a [&'a str];

/// The command ends with this code and one message that says all this, prints no result and changes nothing in the store.
fn assert_refused(demo: &Demo, args: &str, code: i32, says: Says<'_>) {
    let before = demo.listing();
    let told = demo.poimill(args);
    assert_eq!(told.out, "", "{args}");
    assert_told(&told, args, code, says);
    assert_eq!(demo.listing(), before, "{args}");
}

fn assert_told(told: &Told, args: &str, code: i32, says: Says<'_>) {
    let err = &told.err;
    assert_eq!(told.code, code, "{args}\n{err}");
    for part in says {
        assert!(err.contains(part), "{args}\n{err}lacks: {part}");
    }
    let errors = err.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{args}: one message\n{err}");
    let known = ["error: ", "  because: ", "note: "];
    let plain = |line: &str| known.iter().any(|start| line.starts_with(start));
    assert!(err.lines().all(plain), "{args}: nothing but the message\n{err}");
    assert!(!["$__", "Error {", "Os {", "\u{1b}", "Some(", "panicked"].iter().any(|odd| err.contains(odd)), "{err}");
}

#[test]
fn an_input_that_is_missing_or_damaged_is_named_with_what_to_do() {
    let demo = Demo::after_one_night();
    let (osm, ocm) = (fixture("night-1/town.osm.pbf"), fixture("night-1/ocm.json"));
    let (osm, ocm) = (fs::read(osm).unwrap(), fs::read(ocm).unwrap());
    demo.write("empty", b"");
    fs::create_dir(demo.path("nothing")).unwrap();
    demo.write("page.html", b"<!DOCTYPE html><title>502 Bad Gateway</title>");
    demo.write("cut.json", &ocm[..ocm.len() / 2]);
    demo.write("history.osh.pbf", &fs::read(fixture("bad/history.osh.pbf")).unwrap());
    let cases: [(&str, Says<'_>); 11] = [
        ("osm=none.osm.pbf", &["error: input `osm` ", "there is no file none.osm.pbf", "correct the source's `path`"]),
        ("ocm=none.json", &["error: input `ocm` ", "there is no file or folder none.json", "--input NAME=PATH"]),
        ("osm=empty", &["error: input `osm` ", "empty is empty; fetch it again"]),
        ("ocm=empty", &["error: input `ocm` ", "empty is empty; fetch it again"]),
        ("osm=page.html", &["error: input `osm` ", "page.html is not an OSM PBF file", "osmium cat"]),
        ("ocm=page.html", &["error: input `ocm` ", "page.html is not JSON", "<!DOCTYPE html>"]),
        ("osm=.", &["error: input `osm` ", "cannot read ."]),
        ("ocm=nothing", &["error: input `ocm` ", "nothing holds no file ending in .json"]),
        ("ocm=cut.json", &["error: input `ocm` ", "cut.json is cut off after record ", "; fetch it again"]),
        ("osm=history.osh.pbf", &["error: input `osm` ", "full history of its objects", "osmium time-filter"]),
        ("ocm=history.osh.pbf", &["error: input `ocm` ", "history.osh.pbf is not JSON"]),
    ];
    for (input, says) in cases {
        assert_refused(&demo, &format!("run demo.toml --store store --input {input}"), 3, says);
    }
    // Wherever it is cut: within the length of a blob, its header, its data.
    for cut in [1, 3, 4, 10, osm.len() / 3, osm.len() / 2, osm.len() - 1] {
        demo.write("cut.osm.pbf", &osm[..cut]);
        let says =
            ["error: input `osm` ", "cut.osm.pbf is damaged at byte ", "; fetch it again", "it ends within a blob"];
        assert_refused(&demo, "run demo.toml --store store --input osm=cut.osm.pbf", 3, &says);
    }
    assert_eq!(demo.poimill("check demo.toml --store store --input osm=none.osm.pbf").code, 3);
}

#[test]
fn a_codec_that_cannot_be_read_is_named_with_the_way_out() {
    let demo = Demo::after_one_night();
    let file = fs::read(fixture("night-1/town.osm.pbf")).unwrap();
    // The last blob, with a blob of bzip2 in its place.
    let last = file.windows(7).rposition(|bytes| bytes == b"OSMData").expect("a data frame") - 6;
    let frame = b"\x00\x00\x00\x0b\x0a\x07OSMData\x18\x07\x2a\x05BZh91";
    demo.write("bzip2.osm.pbf", &[&file[..last], frame].concat());
    let says = ["error: input `osm` ", "is damaged at byte ", "is compressed with bzip2", "osmium cat"];
    assert_refused(&demo, "run demo.toml --store store --input osm=bzip2.osm.pbf", 3, &says);
}

#[test]
fn a_mistake_in_the_pipeline_file_is_told_with_its_line_its_key_and_what_would_be_right() {
    let osm = "kind = \"osm_pbf\"";
    let cases: [(&str, &str, Says<'_>); 25] = [
        ("themes =", "thmes =", &["demo.toml, line 3, key `thmes`: unknown key; did you mean `themes`?"]),
        (
            osm,
            "kynd = \"osm_pbf\"",
            &["line 11, key `source[0].kynd`: unknown key; did you mean `kind`? Known here: `name`"],
        ),
        ("halo_m = 500", "halo = 500", &["line 7, key `region.halo`: unknown key; did you mean `halo_m`?"]),
        (
            "halo_m = 500",
            "halo_m = \"wide\"",
            &["line 7, key `region.halo_m`: invalid type: string \"wide\", expected a number"],
        ),
        ("halo_m = 500", "halo_m = -1", &["line 7, key `region.halo_m`: -1 is not between 0 and 100000 metres"]),
        (
            "54.485, 6.525, 54.515",
            "54.515, 6.525, 54.485",
            &["line 6, key `region.bbox`: ", "[west, south, east, north]"],
        ),
        ("54.485, 6.525, 54.515", "54.485", &["line 6, key `region.bbox", "expected "]),
        ("54.485, 6.525, 54.515", "54.485, 6.525, 954.515", &["line 6, key `region.bbox`: ", "south below north"]),
        ("halo_m = 500", "boundary = \"a.geojson\"", &["line 5, key `region`: give bbox or boundary, not both"]),
        ("= \"osm_pbf\"", "= \"osm_xml\"", &["line 11, key `source[0].kind`: `osm_xml` ", "osm_pbf, open_charge_map"]),
        (
            "[\"places\"]",
            "[\"plces\"]",
            &["line 3, key `themes`: no category has the theme `plces`", "charging, places"],
        ),
        ("[\"places\"]", "[]", &["line 3, key `themes`: name at least one theme"]),
        ("name      = \"ocm\"", "name      = \"osm\"", &["line 15, key `source[1].name`: two sources are named `osm`"]),
        (
            "name   = \"demo\"",
            "name   = \"de/mo\"",
            &["line 2, key `name`: `de/mo` is no name; use 1 to 48 of a-z, 0-9"],
        ),
        ("name = \"osm\"", "name = \"../osm\"", &["line 10, key `source[0].name`: `../osm` is no name"]),
        ("name = \"osm\"\n", "", &["line 9, key `source[0]`: missing field `name`"]),
        ("name   = \"demo\"", "name   = demo", &["demo.toml, line 2: ", "string values must be quoted"]),
        (
            "[store]",
            "[gate]\nmax_removed_share = 2\n[store]",
            &["line 21, key `gate.max_removed_share`: 2 is not between"],
        ),
        ("[store]", "[gate]\nmin_rows = -1\n[store]", &["key `gate.min_rows`", "a whole number that is not negative"]),
        (
            "[store]",
            "[conflate]\nmatch_score = 2\n[store]",
            &["line 21, key `conflate.match_score`: 2 is not between 0 and 1"],
        ),
        (
            "[store]",
            "[conflate]\nmatch_score = 0.5\nreview_score = 0.6\n[store]",
            &["line 22, key `conflate.review_score`: it must not be above match_score"],
        ),
        (
            "[store]",
            "[[layer]]\nname = \"roads\"\nfilter = \"highway=\"\n[store]",
            &["line 22, key `layer[0].filter`: cannot read the filter `highway=`: a value is missing"],
        ),
        (
            "[store]",
            "[[layer]]\nname = \"roads\"\nsource = \"ocm\"\nfilter = \"highway\"\n[store]",
            &["line 22, key `layer[0].source`: `ocm` is no source of kind osm_pbf; the pipeline has: osm"],
        ),
        (
            "[store]",
            "[[layer]]\nname = \"roads\"\nfilter = \"highway\"\ncolumns = [\"version\"]\n[store]",
            &["line 23, key `layer[0].columns[0]`: every layer, or its changes, has a column `version` of its own"],
        ),
        (
            "[store]",
            "[[layer]]\nname = \"roads\"\nfilter = \"highway\"\nmemory = \"1GiB\"\n[store]",
            &["line 23, key `layer[0].memory`: unknown key"],
        ),
    ];
    let demo = Demo::after_one_night();
    for (old, new, says) in cases {
        demo.write("demo.toml", Demo::text().as_bytes());
        demo.edit(old, new);
        assert_refused(&demo, "run demo.toml --store store", 2, says);
    }
    demo.write("demo.toml", b"name = \"demo\"\n");
    assert_refused(
        &demo,
        "run demo.toml --store store",
        2,
        &["key `source`: a pipeline needs at least one [[source]]"],
    );
    assert_refused(&demo, "run none.toml --store store", 2, &["error: there is no pipeline file none.toml"]);
}

#[test]
fn a_file_that_the_pipeline_names_is_told_by_its_own_name() {
    let demo = Demo::after_one_night();
    demo.edit("[region]", "categories = \"kinds.toml\"\n[region]");
    let run = "run demo.toml --store store";
    assert_refused(&demo, run, 2, &["error: cannot read kinds.toml, named by `categories`", "because: "]);
    let category =
        |filter: &str| format!("[[category]]\nname = \"cafe\"\nthemes = [\"places\"]\nfilter = [\"{filter}\"]\n");
    demo.write("kinds.toml", category("amenity=cafe and =x").as_bytes());
    assert_refused(
        &demo,
        run,
        2,
        &[
            "error: kinds.toml, named by `categories`: category `cafe`: ",
            "cannot read the filter `=x`: a key is missing",
        ],
    );

    demo.write("demo.toml", Demo::text().as_bytes());
    demo.edit("[region]", "area_rules = \"areas.toml\"\n[region]");
    assert_refused(&demo, run, 2, &["error: cannot read areas.toml, named by `area_rules`", "because: "]);
    demo.write("areas.toml", b"area = [\"building=\"]\n");
    assert_refused(
        &demo,
        run,
        2,
        &["error: areas.toml, named by `area_rules`: cannot read the filter `building=`: a value is missing"],
    );

    demo.write("demo.toml", Demo::text().as_bytes());
    demo.edit("[store]", "[conflate]\ndecisions = \"verdicts.csv\"\n[store]");
    demo.edit("verdicts.csv", "nowhere/verdicts.csv");
    assert_refused(&demo, run, 2, &["error: cannot read nowhere/verdicts.csv, named by `conflate.decisions`"]);
    demo.edit("nowhere/verdicts.csv", "verdicts.csv");
    demo.write("verdicts.csv", b"dataset_a;M\xf6we\n");
    assert_refused(&demo, run, 2, &["verdicts.csv is not UTF-8; save it as \"CSV UTF-8\""]);
    let header = "dataset_a,record_id_a,dataset_b,record_id_b,decision\n";
    let cases: [(&str, Says<'_>); 3] = [
        ("osm,node/2001,omc,700001,never\n", &["line 2 ", "names the source `omc`"]),
        ("osm,node/2001,ocm,700001,perhaps\n", &["a row is two records and `always` or `never`", "perhaps"]),
        (
            "osm,node/2001,ocm,700001,never\nocm,700001,osm,node/2001,always\n",
            &["line 3 of the decisions contradicts an earlier line"],
        ),
    ];
    for (rows, says) in cases {
        demo.write("verdicts.csv", format!("{header}{rows}").as_bytes());
        assert_refused(&demo, run, 2, &[&["error: verdicts.csv, named by `conflate.decisions`: "], says].concat());
    }

    demo.write("demo.toml", Demo::text().as_bytes());
    demo.edit("bbox   = [6.475, 54.485, 6.525, 54.515]", "boundary = \"town.geojson\"");
    let cases: [(&str, Says<'_>); 3] = [
        ("", &["error: cannot understand the boundary town.geojson as GeoJSON"]),
        ("{\"type\": \"Point\", \"coordinates\": [6.5, 54.5]}", &["error: the boundary town.geojson has no polygon"]),
        ("{\"type\": \"Polygon\", \"coordinates\": [[[6.5, 54.5], [6.6", &["error: cannot understand the boundary"]),
    ];
    assert_refused(&demo, run, 2, &["error: cannot read the boundary town.geojson"]);
    for (text, says) in cases {
        demo.write("town.geojson", text.as_bytes());
        assert_refused(&demo, run, 2, says);
    }
}

#[test]
fn wrong_usage_is_told() {
    let demo = Demo::after_one_night();
    let cases: [(&str, i32, Says<'_>); 8] = [
        (
            "run demo.toml --store store --input omc=x",
            2,
            &["error: --input omc=…: ", "no source `omc`; it has: osm, ocm"],
        ),
        ("diff none store/demo/latest", 3, &["there is no snapshot at none; give its folder"]),
        ("diff store/demo/latest store", 3, &["there is no snapshot at store; ", "manifest.json"]),
        ("explain none osm:node/1", 3, &["there is no snapshot at none"]),
        ("load none --database postgresql://u:secret@127.0.0.1:1/x", 3, &["there is no snapshot at none"]),
        (
            "explain store/demo/latest osm:node/1",
            2,
            &["error: the snapshot has no record or place `osm:node/1`; did you mean ", "sources.parquet lists"],
        ),
        ("explain store/demo/latest node/2001 x", 2, &["error: the snapshot has no record or place `x`"]),
        (
            "run demo.toml --store demo.toml/below",
            1,
            &["error: cannot write demo.toml/below/demo; check the disk", "because: "],
        ),
    ];
    for (args, code, says) in cases {
        assert_refused(&demo, args, code, says);
    }
    assert_refused(
        &demo,
        "run demo.toml --store store --input ocm=a.json --input ocm=b.json",
        2,
        &["error: --input ocm=… is given 2 times; a source of kind open_charge_map takes one file or folder"],
    );
    for (size, says) in [
        ("much", "write a whole number with a unit, e.g. 512MiB, 1GiB or 2GB"),
        ("1000", "write a whole number with a unit, e.g. 512MiB, 1GiB or 2GB"),
        ("32MiB", "it must be at least 64 MiB"),
    ] {
        let told = demo.poimill(&format!("run demo.toml --store store --memory {size}"));
        assert!(told.code == 2 && told.err.contains("'--memory <SIZE>'") && told.err.contains(says), "{told:?}");
    }
    let told = demo.poimill("run demo.toml --input osm");
    assert!(told.code == 2 && told.err.contains("write NAME=PATH, e.g. osm=extract.osm.pbf"), "{told:?}");
}

#[test]
fn a_night_without_places_is_held_and_kept_for_a_look() {
    let demo = Demo::after_one_night();
    let before = demo.reproducible();
    demo.edit("bbox   = [6.475, 54.485, 6.525, 54.515]", "bbox   = [6.0, 54.0, 6.1, 54.1]");
    let told = demo.run(1, &[]);
    let says = [
        "error: snapshot ",
        "is held back: 0 places, fewer than gate.min_rows = 1; 100 of 100 places are gone",
        "`latest` is unchanged",
        "`poimill release ",
        "widen [gate]",
    ];
    assert_told(&told, "held", 4, &says);
    assert!(told.out.contains("places    0\n") && told.out.contains("100 removed"), "{}", told.out);

    let mut after = demo.reproducible();
    let id = told.err.split_once("error: snapshot ").unwrap().1.split_once(' ').unwrap().0;
    let manifest = fs::read_to_string(demo.store().join("demo").join(id).join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let gone = "source `ocm` gives no record, and gave 33 before; see gate.source.ocm.missing_source";
    assert!(manifest["held"].as_array().unwrap().contains(&gone.into()), "{manifest}");
    assert_eq!(manifest["base"], demo.latest_id().as_str());
    after.retain(|path, _| !path.starts_with(&format!("/demo/{id}")));
    assert_eq!(after, before);

    // The next good night starts from the last good one.
    demo.write("demo.toml", Demo::text().as_bytes());
    let next = demo.run(2, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&next.out).unwrap();
    assert_eq!((next.code, &report["base"]), (0, &manifest["base"]));
}

#[test]
fn a_second_run_at_the_same_time_is_refused_and_names_the_first() {
    let demo = Demo::after_one_night();
    let mut lock = File::options().write(true).truncate(true).open(demo.store().join("demo/.lock")).unwrap();
    lock.lock().unwrap();
    let holder = format!("process {}, since 2026-05-02T03:00:00Z", std::process::id());
    lock.write_all(format!("{holder}\n").as_bytes()).unwrap();
    let says = format!("error: another run of pipeline `demo` is at work ({holder}); wait");
    assert_refused(&demo, "run demo.toml --store store", 6, &[&says]);
    drop(lock);
    assert_eq!(demo.run(1, &[]).code, 0, "the lock goes with its holder");
}

#[test]
fn a_database_that_cannot_be_reached_is_told_without_its_password_before_any_work() {
    let demo = Demo::after_one_night();
    let cases: [(&str, Says<'_>); 2] = [
        (
            "postgresql://u:secret@127.0.0.1:1/x",
            &["error: sink `postgis` failed", "database `x` on 127.0.0.1:1 cannot be reached; check"],
        ),
        (
            "postgresql://u:secret@127.0.0.1:port/x",
            &["error: sink `postgis` failed", "the database URL cannot be read; write it as"],
        ),
    ];
    for (url, says) in cases {
        for command in ["run demo.toml --store store", "check demo.toml --store store", "load store/demo/latest"] {
            let args = format!("{command} --database {url}");
            assert_refused(&demo, &args, 5, says);
            assert!(!demo.poimill(&format!("{args} -vv")).err.contains("secret"), "{args}");
        }
    }
    let nothing = Demo::new();
    assert_refused(&nothing, "run demo.toml --store store --database postgresql://u:secret@127.0.0.1:1/x", 5, &[]);
    assert!(!nothing.store().exists());
}

#[test]
fn results_that_cannot_be_written_are_told() {
    let demo = Demo::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = demo.command("check demo.toml").stdout(full).output().unwrap();
    let says = ["error: cannot write the results to standard output\n  because: No space left on device"];
    assert_told(&Told::from(output), "check > /dev/full", 1, &says);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let demo = Demo::after_one_night();
    for args in ["run demo.toml --store store", "run demo.toml --store store --json", "--help", "check demo.toml"] {
        let mut child = demo.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let told = Told::from(child.wait_with_output().unwrap());
        assert!(told.code == 0 && !told.err.contains("error"), "{args}: {told:?}");
    }
}
