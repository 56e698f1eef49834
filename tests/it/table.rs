//! Registers as sources through the whole line: the real ones with exact counts, and mistakes in a mapping.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use poimill::config::{Overrides, Settings};
use poimill::domain::{Cell, Manifest};
use poimill::pipeline::ports::Snapshot;
use poimill::pipeline::tabulate::read_rows;
use poimill::pipeline::tabulate::tables::{FINDINGS, PLACES, REJECTS};

use crate::support::{poimill, real_data, skipped};

/// Rows of a count by name.
type Counts<'a> = &'a [(&'a str, u64)];

/// Pipeline, source and file; rows read and kept; rejected and found; licence.
type Register<'a> = (&'a str, &'a str, &'a str, u64, u64, Counts<'a>, Counts<'a>, &'a str);

/// Runs a shipped pipeline on a register and returns the folder of its latest snapshot.
fn run(pipeline: &str, source: &str, register: &Path, store: &Path) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("pipelines/{pipeline}.toml"));
    let mut run = poimill();
    run.arg("run").arg(file).arg("--store").arg(store);
    run.arg("--input").arg(format!("{source}={}", register.display()));
    let done = run.output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    store.join(pipeline).join("latest")
}

fn manifest(latest: &Path) -> Manifest {
    poimill::wiring::snapshot(latest).expect("a snapshot").manifest().clone()
}

fn counts(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    counts.iter().map(|(name, count)| (name.as_str(), *count)).collect()
}

#[test]
fn every_row_of_the_real_registers_is_accounted_for() {
    let Some(data) = real_data() else { return skipped("every_row_of_the_real_registers_is_accounted_for") };
    let cases: [Register<'_>; 4] = [
        ("afdc", "afdc", "us-afdc-ids-20220115.csv", 50_270, 50_270, &[], &[("unreadable_value", 1)], "NREL free use"),
        (
            "uk-ncr",
            "ncr",
            "uk-ncr.csv",
            3_966,
            3_966,
            &[],
            &[("implausible_value", 7), ("wrong_country", 1)],
            "OGL-UK-3.0",
        ),
        ("chargy", "chargy", "lu-chargy.geojson", 523, 523, &[], &[("implausible_value", 25)], "CC0-1.0"),
        (
            "bnetza",
            "bnetza",
            "de-woladen-bnetza-fast-chargers.csv",
            19_816,
            19_771,
            &[("repeated_id", 45)],
            &[("implausible_value", 5_643), ("wrong_country", 1)],
            "CC-BY-4.0",
        ),
    ];
    for (pipeline, source, file, read, kept, rejected, findings, license) in cases {
        let store = tempfile::tempdir().expect("a folder");
        let manifest = manifest(&run(pipeline, source, &data.join("registries").join(file), store.path()));
        let account = &manifest.sources[0];
        assert!(account.balances(), "{pipeline}: {account:?}");
        assert_eq!((account.read, account.kept), (read, kept), "{pipeline}");
        assert_eq!(counts(&account.rejected), rejected, "{pipeline}");
        assert_eq!(counts(&account.findings), findings, "{pipeline}");
        assert_eq!(counts(&account.licenses), [(license, kept)], "{pipeline}");
        assert!(account.attribution.is_some(), "{pipeline}");
        let of_ncr: Counts<'_> = &[("line_break_in_field", 2), ("sign_of_longitude", 1)];
        let repaired = if pipeline == "uk-ncr" { of_ncr } else { &[] };
        assert_eq!(counts(&account.repaired), repaired, "{pipeline}");
    }
}

/// Places by the text of a column, most first.
fn by_text(latest: &Path, column: &str) -> BTreeMap<String, usize> {
    let snapshot = poimill::wiring::snapshot(latest).expect("a snapshot");
    let mut counts = BTreeMap::new();
    for row in read_rows(&snapshot, &PLACES, &[column]).expect("places") {
        *counts.entry(row[0].as_text().unwrap_or("-").to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn the_british_registry_has_its_plugs_hours_and_statuses() {
    let Some(data) = real_data() else { return skipped("the_british_registry_has_its_plugs_hours_and_statuses") };
    let store = tempfile::tempdir().expect("a folder");
    let latest = run("uk-ncr", "ncr", &data.join("registries/uk-ncr.csv"), store.path());
    let statuses = by_text(&latest, "status");
    assert_eq!((statuses["operational"], statuses["out_of_order"], statuses["planned"]), (3_807, 155, 4));
    let hours = by_text(&latest, "opening_hours");
    assert_eq!((hours["24/7"], hours["-"], hours["Mo-Fr 09:00-17:00"]), (1_489, 2_158, 15));
    assert!(!hours.keys().any(|hours| hours.contains("00:00-00:00")), "{hours:?}");

    let snapshot = poimill::wiring::snapshot(&latest).expect("a snapshot");
    let mut plugs: BTreeMap<String, usize> = BTreeMap::new();
    for row in read_rows(&snapshot, &PLACES, &["connectors"]).expect("places") {
        let Cell::List(connectors) = &row[0] else { continue };
        for connector in connectors {
            let Cell::Struct(fields) = connector else { panic!("{connector:?}") };
            *plugs.entry(fields[0].1.as_text().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    assert!(!plugs.contains_key("unknown"), "{plugs:?}");
    assert_eq!((plugs["tesla_s_eu"], plugs["type1"], plugs["type3c"]), (20, 6, 1), "{plugs:?}");

    let findings = read_rows(&snapshot, &FINDINGS, &["record_id", "rule", "field", "line"]).expect("findings");
    let joined: Vec<(&str, &Cell)> = findings
        .iter()
        .filter(|row| row[1].as_text() == Some("line_break_in_field"))
        .map(|row| (row[0].as_text().unwrap_or_default(), &row[3]))
        .collect();
    assert_eq!(
        joined,
        [("0df94ca5d0479fab1af38bc25e84e0bf", &Cell::Int(993)), ("efe8c47a4688ef6f1f411321caecdf43", &Cell::Int(995)),]
    );
}

#[test]
fn no_power_of_the_german_list_is_made_of_several() {
    let Some(data) = real_data() else { return skipped("no_power_of_the_german_list_is_made_of_several") };
    let store = tempfile::tempdir().expect("a folder");
    let register = data.join("registries/de-woladen-bnetza-fast-chargers.csv");
    let latest = run("bnetza", "bnetza", &register, store.path());
    let snapshot = poimill::wiring::snapshot(&latest).expect("a snapshot");
    let powers = read_rows(&snapshot, &PLACES, &["max_power_kw"]).expect("places");
    let known: Vec<f64> =
        powers.iter().filter_map(|row| if let Cell::Float(kw) = row[0] { Some(kw) } else { None }).collect();
    assert_eq!((powers.len(), known.len()), (19_771, 14_128));
    assert!(known.iter().all(|kw| (50.0..=1_000.0).contains(kw)));
    let rejects = read_rows(&snapshot, &REJECTS, &["code", "message"]).expect("rejects");
    assert!(rejects.iter().all(|row| row[1].as_text().is_some_and(|text| text.starts_with("an earlier row (line "))));
}

/// A pipeline with this mapping, and a table, in a folder.
fn folder(mapping: &str, table: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("name = \"t\"\n[[source]]\nname = \"r\"\nkind = \"table\"\npath = \"r.csv\"\n{mapping}\n");
    fs::write(folder.path().join("t.toml"), text).expect("a file");
    fs::write(folder.path().join("r.csv"), table).expect("a file");
    folder
}

fn command(folder: &Path, verb: &str) -> Output {
    let mut command = poimill();
    command.current_dir(folder).args([verb, "t.toml", "--store", "store"]).output().expect("poimill starts")
}

#[test]
fn a_mistake_in_a_mapping_is_told_with_its_line_and_key() {
    let cases = [
        ("[source.table]\nidd = \"a\"", 7, "key `source[0].table.idd`: unknown key; did you mean `id`?"),
        (
            "[source.table]\nid = \"a\"\n[source.table.tags]\nx = { column = \"a\", az = \"kw\" }",
            9,
            "key `source[0].table.tags.x.az`: unknown key; did you mean `as`?",
        ),
        (
            "[source.table]\nid = \"a\"\n[source.table.tags]\nx = { column = \"a\", value = \"b\" }",
            9,
            "key `source[0].table.tags.x`: say where it comes from, in one way",
        ),
        (
            "[source.table]\n[[source.table.connectors]]\nrepeat = 0\ntype = \"a\"",
            7,
            "`repeat` is not between 1 and 1000",
        ),
        ("[source.table]\nencoding = \"latin\"", 7, "key `source[0].table.encoding`: `latin` is no encoding"),
        ("[source.table]\nlon = \"a\"", 6, "key `source[0].table`: say where a row is, in one way"),
        ("", 2, "key `source[0].table`: say what the columns mean in a table [source.table]"),
    ];
    for (mapping, line, message) in cases {
        let folder = folder(mapping, "a\n");
        let done = command(folder.path(), "check");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("t.toml, line {line}, ")) && told.contains(message), "{mapping}\n{told}");
        assert!(!told.contains("$__"), "{told}");
    }
}

#[test]
fn a_check_tells_what_is_mapped_and_refuses_a_column_that_is_not_there() {
    let mapping =
        "[source.table]\nid = \"id\"\nlon = \"x\"\nlat = \"y\"\ntags = { amenity = { value = \"charging_station\" } }";
    let sound = folder(mapping, "id;x;y;note\n1;2;3;\n");
    let done = command(sound.path(), "check");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let expected =
        "read r (table): r.csv, 19 bytes, CSV with `;`, header in line 1, 4 columns, 3 mapped; not mapped: `note`";
    assert!(told.contains(expected), "{told}{}", String::from_utf8_lossy(&done.stderr));

    let other = folder(mapping, "ID;x;y;note\n1;2;3;\n");
    for verb in ["check", "run"] {
        let done = command(other.path(), verb);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(3), "{told}");
        assert!(told.contains("has no column `id`, which `id` names (did you mean `ID`?)"), "{told}");
    }
}

#[test]
fn rejects_and_findings_reach_their_tables_with_lines() {
    let mapping = "[source.table]\nid = \"id\"\nlon = \"x\"\nlat = \"y\"\ntags = { amenity = { value = \"charging_station\" }, \
                   capacity = { column = \"n\", as = \"integer\" } }";
    let folder = folder(mapping, "id,x,y,n\n1,9.5,47.1,many\n2,9.5\n2,abc,47,\n3,9.6,47.2,2\n3,9.6,47.2,2\n");
    let done = command(folder.path(), "run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let snapshot = poimill::wiring::snapshot(&folder.path().join("store/t/latest")).expect("a snapshot");
    let account = &snapshot.manifest().sources[0];
    assert_eq!((account.read, account.kept), (5, 2));
    assert_eq!(counts(&account.rejected), [("invalid_position", 1), ("repeated_id", 1), ("wrong_column_count", 1)]);
    let told = |row: &[Cell]| row.iter().map(|cell| format!("{cell:?}")).collect::<Vec<_>>().join(" ");
    let findings = read_rows(&snapshot, &FINDINGS, &["rule", "field", "before", "line"]).expect("findings");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(told(&findings[0]).ends_with("Text(\"many\") Int(2)"), "{}", told(&findings[0]));
    let rejects = read_rows(&snapshot, &REJECTS, &["record_id", "code", "line"]).expect("rejects");
    let lines: Vec<String> = rejects.iter().map(|row| told(&row[2..])).collect();
    assert_eq!(lines, ["Int(4)", "Int(6)", "Int(3)"], "{rejects:?}");
}

#[test]
fn the_examples_of_the_page_on_tables_can_be_used() {
    let page = include_str!("../../data/TABLES.md");
    let examples: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let folder = folder(example, "");
        let loaded = Settings::load(&folder.path().join("t.toml"), &Overrides::default());
        assert!(loaded.is_ok(), "{example}\n{}", loaded.map(|_| ()).unwrap_err());
    }
}
