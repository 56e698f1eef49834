//! Golden: every row and the exact schema of every table of the fixtures' two nights, and that nothing but the inputs,
//! the settings and the base decides on a byte.
//!
//! What is expected lies in `tests/golden/`, one JSON object per row, so that a review reads what a change of rules does.
//! `POIMILL_BLESS=1 cargo test --test it golden` writes it anew; say in the commit why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use geozero::{ToGeo, wkb::Wkb};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use poimill::domain::Cell;
use poimill::pipeline::ports::{Snapshot, Tables};
use poimill::pipeline::tabulate::{Kind, Table, read_rows, tables};
use poimill::wiring;
use serde_json::Value;

use crate::fixtures::files_below;

/// Differing lines that a failure shows.
const SHOWN: usize = 5;
/// Characters that it shows of each, before and after the first difference.
const CONTEXT: (usize, usize) = (60, 240);

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `poimill run` on the demonstration with the files of a night, into a store.
fn run(night: &str, store: &Path) -> Command {
    let fixtures = project().join("data/fixtures").join(night);
    let mut command = Command::new(env!("CARGO_BIN_EXE_poimill"));
    command.arg("run").arg(project().join("pipelines/demo.toml")).arg("--store").arg(store);
    for (name, file) in [("osm", "town.osm.pbf"), ("ocm", "ocm.json")] {
        command.arg("--input").arg(format!("{name}={}", fixtures.join(file).display()));
    }
    command.env_remove("DATABASE_URL").env_remove("RUST_LOG");
    command
}

/// Runs to the end and returns what was printed.
fn done(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the binary starts");
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("the summary is text")
}

/// The folder that `latest` points to.
fn latest(store: &Path) -> PathBuf {
    fs::canonicalize(store.join("demo/latest")).expect("a snapshot was published")
}

/// Every file of a snapshot that must depend on nothing else, by its path.
fn contents(snapshot: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(snapshot)
        .into_iter()
        .map(|path| {
            (
                path.strip_prefix(snapshot).expect("a file of the snapshot").to_owned(),
                fs::read(&path).expect("a file of the snapshot can be read"),
            )
        })
        .filter(|(path, _)| path != Path::new("run.json"))
        .collect()
}

/// The texts that both nights are compared by, by file below `tests/golden`.
fn told() -> BTreeMap<String, String> {
    let store = tempfile::tempdir().expect("a temporary folder");
    let mut told = BTreeMap::new();
    for night in ["night-1", "night-2"] {
        done(&mut run(night, store.path()));
        let folder = latest(store.path());
        let snapshot = wiring::snapshot(&folder).expect("the snapshot opens");
        let manifest = fs::read_to_string(folder.join("manifest.json")).expect("a snapshot has a manifest");
        told.insert(format!("{night}/manifest.json"), manifest);
        let known: Vec<&str> = tables::ALL.iter().map(|table| &*table.name).collect();
        let written: Vec<&String> = snapshot.manifest().tables.keys().collect();
        assert!(written.iter().all(|name| known.contains(&name.as_str())), "{written:?} are not all in {known:?}");
        for table in tables::ALL {
            told.insert(format!("{night}/{}.jsonl", table.name), lines(&snapshot, table));
        }
        if night == "night-2" {
            for table in tables::ALL {
                let file = folder.join(format!("{}.parquet", table.name));
                told.insert(format!("schema/{}.txt", table.name), schema(&file));
            }
        }
    }
    told
}

/// A table as JSON Lines: columns in the order of the table, keys within a value sorted.
fn lines(snapshot: &impl Snapshot, table: &Table) -> String {
    let mut text = String::new();
    for row in read_rows(snapshot as &dyn Tables, table, &[]).expect("the table can be read") {
        let cells = table.columns.iter().zip(&row).map(|(column, cell)| {
            let name = Value::from(&*column.name);
            format!("{name}:{}", readable(&column.kind, cell))
        });
        writeln!(text, "{{{}}}", cells.collect::<Vec<_>>().join(",")).expect("a text takes text");
    }
    text
}

/// A cell as JSON that a person can judge: geometries as WKT to a centimetre, JSON as what it says.
fn readable(kind: &Kind, cell: &Cell) -> Value {
    match (kind, cell) {
        (Kind::Json, Cell::Text(json)) => serde_json::from_str(json).expect("a JSON column holds JSON"),
        (Kind::Geometry(_), Cell::Bytes(wkb)) => wkt(&Wkb(wkb).to_geo().expect("a geometry column holds WKB")).into(),
        _ => cell.to_json(),
    }
}

fn wkt(geometry: &geo::Geometry<f64>) -> String {
    let position = |at: &geo::Coord<f64>| format!("{:.7} {:.7}", at.x, at.y);
    let ring =
        |ring: &geo::LineString<f64>| format!("({})", ring.0.iter().map(position).collect::<Vec<_>>().join(", "));
    let polygon = |polygon: &geo::Polygon<f64>| {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        format!("({})", rings.map(ring).collect::<Vec<_>>().join(", "))
    };
    match geometry {
        geo::Geometry::Point(point) => format!("POINT ({})", position(&point.0)),
        geo::Geometry::Polygon(one) => format!("POLYGON {}", polygon(one)),
        geo::Geometry::MultiPolygon(parts) => {
            format!("MULTIPOLYGON ({})", parts.iter().map(polygon).collect::<Vec<_>>().join(", "))
        }
        other => unreachable!("no table has {other:?}"),
    }
}

/// The Arrow schema, one field per line, and what GeoParquet says of the geometries.
fn schema(file: &Path) -> String {
    let opened = fs::File::open(file).expect("the table is there");
    let metadata = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new()).expect("it is Parquet");
    let mut text = String::new();
    for field in metadata.schema().fields() {
        let nullable = if field.is_nullable() { "null" } else { "not null" };
        writeln!(text, "{}: {} {nullable}", field.name(), field.data_type()).expect("a text takes text");
    }
    let pairs = metadata.metadata().file_metadata().key_value_metadata().expect("a table says what it is");
    for pair in pairs.iter().filter(|pair| pair.key != "ARROW:schema") {
        let value: Value = serde_json::from_str(pair.value.as_deref().unwrap_or_default()).expect("it is JSON");
        writeln!(text, "\n{} = {value:#}", pair.key).expect("a text takes text");
    }
    text
}

/// The first differences between two texts, line by line; empty when they are equal.
fn differences(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let mut text = String::new();
    let rows = 0..expected.len().max(actual.len());
    for row in rows.filter(|row| expected.get(*row) != actual.get(*row)).take(SHOWN) {
        let (old, new) = (expected.get(row).unwrap_or(&""), actual.get(row).unwrap_or(&""));
        let same = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
        let from = same.saturating_sub(CONTEXT.0);
        let cut = |line: &str| line.chars().skip(from).take(CONTEXT.0 + CONTEXT.1).collect::<String>();
        writeln!(text, "line {}, from character {from}:\n  expected {}\n  is       {}", row + 1, cut(old), cut(new))
            .expect("a text takes text");
    }
    text
}

/// The golden files that are written here; lists of other tests lie beside their folders.
fn of_nights(golden: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    // What earlier versions wrote is `schemas`' own.
    let folders = folders.filter(|path| !path.ends_with("schemas"));
    folders.flat_map(|folder| files_below(&folder)).collect()
}

#[test]
fn every_row_and_schema_of_both_nights_is_as_reviewed() {
    let golden = project().join("tests/golden");
    let told = told();
    if env::var_os("POIMILL_BLESS").is_some() {
        assert!(env::var_os("CI").is_none(), "what is expected is reviewed by people, not written by CI");
        for path in of_nights(&golden) {
            fs::remove_file(path).unwrap();
        }
        for (name, text) in &told {
            let path = golden.join(name);
            fs::create_dir_all(path.parent().expect("a file has a folder")).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let mut wrong = String::new();
    for (name, text) in &told {
        let expected = fs::read_to_string(golden.join(name)).unwrap_or_default();
        if expected != *text {
            writeln!(wrong, "{name} differs\n{}", differences(&expected, text)).unwrap();
        }
    }
    for path in of_nights(&golden) {
        let name = path.strip_prefix(&golden).expect("a golden file").display().to_string();
        if !told.contains_key(&name) {
            writeln!(wrong, "{name} is no table of either night").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nif this is right: POIMILL_BLESS=1 cargo test --test it golden");
}

#[test]
fn threads_folder_locale_and_time_zone_decide_on_no_byte() {
    let elsewhere = tempfile::tempdir().unwrap();
    let ways: [&dyn Fn(&mut Command); 3] = [
        &|command| {
            command.args(["--threads", "1"]);
        },
        &|command| {
            command.args(["--threads", "2"]).current_dir(elsewhere.path());
        },
        &|command| {
            command.env("TZ", "Pacific/Chatham").env("LC_ALL", "tr_TR.UTF-8").env("LANG", "de_DE.UTF-8");
        },
    ];
    let nights = |way: &dyn Fn(&mut Command)| {
        let store = tempfile::tempdir().unwrap();
        ["night-1", "night-2"].map(|night| {
            let mut command = run(night, store.path());
            way(&mut command);
            done(&mut command);
            let folder = latest(store.path());
            (folder.file_name().expect("a snapshot has a name").to_owned(), contents(&folder))
        })
    };
    let usual = nights(&|_| ());
    for way in ways {
        for ((usual_name, usual_files), (name, files)) in usual.iter().zip(nights(way)) {
            assert_eq!(*usual_name, name);
            assert!(usual_files.keys().eq(files.keys()), "{:?}", files.keys());
            let differing: Vec<_> = files.iter().filter(|(path, bytes)| usual_files[*path] != **bytes).collect();
            assert!(differing.is_empty(), "{:?}", differing.iter().map(|(path, _)| path).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_same_night_again_changes_nothing_and_writes_nothing() {
    let store = tempfile::tempdir().unwrap();
    done(&mut run("night-1", store.path()));
    let stamps = || -> BTreeMap<PathBuf, (std::time::SystemTime, Vec<u8>)> {
        // The lock names the run that holds it; it is no part of what is kept.
        let files = files_below(&store.path().join("demo")).into_iter().filter(|path| !path.ends_with(".lock"));
        files
            .map(|path| (path.clone(), (path.metadata().unwrap().modified().unwrap(), fs::read(&path).unwrap())))
            .collect()
    };
    let before = stamps();
    let printed = done(&mut run("night-1", store.path()));
    assert!(printed.contains("nothing changed"), "{printed}");
    assert!(before == stamps(), "a file was written");
}

/// Class and cause of every change of a snapshot, counted.
fn classes(snapshot: &impl Snapshot) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for row in read_rows(snapshot as &dyn Tables, &tables::PLACE_CHANGES, &["class", "cause"])
        .expect("the changes can be read")
    {
        let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
        *counts.entry(format!("{} by {}", text(0), text(1))).or_default() += 1;
    }
    counts
}

#[test]
fn every_class_of_change_occurs_and_the_first_night_again_has_its_ids_back() {
    let store = tempfile::tempdir().unwrap();
    let [first, second, again] = ["night-1", "night-2", "night-1"].map(|night| {
        done(&mut run(night, store.path()));
        wiring::snapshot(&latest(store.path())).unwrap()
    });
    let counted = |counts: &[(&str, u32)]| -> BTreeMap<String, u32> {
        counts.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect()
    };
    assert_eq!(classes(&first), counted(&[]));
    let forth = [
        ("added by source", 4),
        ("merged by source", 1),
        ("modified by conflation", 1),
        ("modified by source", 17),
        ("moved by source", 3),
        ("removed by source", 7),
        ("split by source", 2),
        ("touched by source", 5),
    ];
    assert_eq!(classes(&second), counted(&forth));
    let back = [
        ("merged by source", 2),
        ("modified by conflation", 1),
        ("modified by source", 17),
        ("moved by source", 3),
        ("removed by source", 4),
        ("revived by source", 7),
        ("split by source", 1),
        ("touched by source", 5),
    ];
    assert_eq!(classes(&again), counted(&back));
    // What the second night merged is split again, under its old id, and the other way round.
    assert_eq!(lines(&first, &tables::PLACES), lines(&again, &tables::PLACES));
}
