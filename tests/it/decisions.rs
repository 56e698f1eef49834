//! A person's part in a run: pairs under review, decisions on them, and what licences let be mixed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use poimill::domain::Cell;
use poimill::pipeline::ports::{Snapshot, Tables};
use poimill::pipeline::tabulate::tables::{CONFLICTS, PLACES, SOURCES, places_of};
use poimill::pipeline::tabulate::{Table, read_rows};

use crate::support::poimill;

const HEAD: &str = "dataset_a,record_id_a,dataset_b,record_id_b,decision";

/// Two registers of one station each, 22 m apart, in a folder of their own; no pair is merged without a person.
struct Town(tempfile::TempDir);

impl Town {
    fn new() -> Self {
        let town = Self(tempfile::tempdir().expect("a folder"));
        town.write("a.csv", "id,lon,lat,name,phone\n1,9.5,47.1,Rathaus,+423 230 20 20\n");
        town.write("b.csv", "id,lon,lat,name,phone\n7,9.5,47.1002,Rathaus,+423 230 20 21\n");
        town.pipeline("", "license = \"CC0-1.0\"");
        town
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// Writes the pipeline with these keys of `[conflate]` and of the second source.
    fn pipeline(&self, conflate: &str, second: &str) {
        let source = |name: &str, more: &str| {
            format!(
                "[[source]]\nname = \"{name}\"\nkind = \"table\"\npath = \"{name}.csv\"\nvintage = \"2026-01-01T00:00:00Z\"\n\
                 {more}\n[source.table]\nid = \"id\"\nlon = \"lon\"\nlat = \"lat\"\n[source.table.tags]\n\
                 amenity = {{ value = \"charging_station\" }}\nname = \"name\"\nphone = \"phone\"\n"
            )
        };
        let text = format!(
            "name = \"town\"\n{}{}[gate]\nmax_removed_share = 1.0\n[conflate]\nmatch_score = 1.0\nreview_score = 0.1\ndecisions = \"verdicts.csv\"\n{conflate}\n",
            source("a", "license = \"CC0-1.0\""),
            source("b", second)
        );
        self.write("town.toml", &text);
    }

    fn poimill(&self, arguments: &[&str]) -> Output {
        poimill().current_dir(self.0.path()).args(arguments).output().expect("poimill starts")
    }

    /// Runs the pipeline; what it says on both streams.
    fn run(&self, more: &[&str]) -> String {
        let done = self.poimill(&[&["run", "town.toml", "--store", "store"], more].concat());
        let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{told}");
        told
    }

    fn latest(&self) -> impl Snapshot + use<> {
        poimill::wiring::snapshot(&self.path("store/town/latest")).expect("a snapshot")
    }

    fn texts(&self, table: &Table, columns: &[&str]) -> Vec<Vec<String>> {
        let rows = read_rows(&self.latest() as &dyn Tables, table, columns).expect("the table can be read");
        let text = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
        rows.iter().map(|row| row.iter().map(text).collect()).collect()
    }
}

fn manifest(path: &Path) -> String {
    fs::read_to_string(path.join("manifest.json")).expect("a manifest")
}

#[test]
fn a_run_asks_a_person_decides_and_the_next_run_obeys() {
    let town = Town::new();
    for arguments in
        [&["run", "town.toml", "--store", "store", "--dry-run"][..], &["check", "town.toml", "--store", "store"]]
    {
        assert!(town.poimill(arguments).status.success());
        assert!(!town.path("verdicts.csv").exists(), "{arguments:?} writes nothing");
    }
    let told = town.run(&[]);
    assert!(told.contains("1 pairs are under review, 1 of them new; write `always` or `never`"), "{told}");
    let asked = town.read("verdicts.csv");
    assert!(asked.starts_with(HEAD) && asked.contains("\na,1,b,7,,,"), "{asked}");
    assert!(asked.contains("https://www.openstreetmap.org/?mlat=47.100200&mlon=9.500000"), "{asked}");
    let before = manifest(&town.path("store/town/latest"));

    let told = town.run(&[]);
    assert!(told.contains("nothing changed"), "an open question changes nothing: {told}");
    assert_eq!((town.read("verdicts.csv"), manifest(&town.path("store/town/latest"))), (asked.clone(), before));

    let decided = "\u{feff}sep=;\r\ndataset_b;record_id_b;dataset_a;record_id_a;decision;note\r\nb;7;a;1; Always ;\"I was\r\nthere\"\r\n";
    town.write("verdicts.csv", decided);
    let told = town.run(&[]);
    assert!(told.contains("places    1"), "{told}");
    assert_eq!(town.read("verdicts.csv"), decided, "what a person wrote stays");
    assert_eq!(town.texts(&PLACES, &["name", "phone"]), [["Rathaus", "+423 230 20 20"]]);
    let conflict = ["/phone", "b", "7", "\"+423 230 20 21\"", "\"+423 230 20 20\"", "priority"];
    let columns = ["property", "dataset", "record_id", "value", "taken_value", "rule"];
    assert_eq!(town.texts(&CONFLICTS, &columns), [conflict]);
}

#[test]
fn a_record_without_an_open_licence_joins_the_place_and_gives_it_nothing() {
    let town = Town::new();
    town.write("verdicts.csv", &format!("{HEAD}\na,1,b,7,always\n"));
    let keys = [
        ("", ""),
        ("", "license = \"all rights reserved\""),
        ("open_licenses = [\"our contract\"]", "license = \"Our Contract\""),
    ];
    for (at, (conflate, second)) in keys.into_iter().enumerate() {
        town.pipeline(
            &format!("survivorship.phone = \"newest\"\nsurvivorship.position = \"priority\"\n{conflate}"),
            second,
        );
        town.write("a.csv", "id,lon,lat,name,phone\n1,9.5,47.1,Rathaus,\n");
        let told = town.run(&[]);
        let is_mixed = at == 2;
        assert_eq!(told.contains("1 records of `b` are not mixed with others"), !is_mixed, "{told}");
        let phone = if is_mixed { "+423 230 20 21" } else { "" };
        assert_eq!(town.texts(&PLACES, &["phone"]), [[phone]], "{conflate} {second}");
        assert_eq!(town.texts(&SOURCES, &["record_id"]).len(), 2, "the bridge has both");
    }
}

#[test]
fn layered_places_have_a_table_per_source_and_are_not_loaded() {
    let town = Town::new();
    town.write("verdicts.csv", &format!("{HEAD}\na,1,b,7,always\n"));
    town.pipeline("merge = \"layered\"", "");
    town.run(&[]);
    let ids = ["a", "b"].map(|source| town.texts(&places_of(source), &["id", "phone"]));
    assert_eq!(ids[0][0][0], ids[1][0][0], "the layers join on the id of the place");
    assert_eq!([&ids[0][0][1], &ids[1][0][1]], ["+423 230 20 20", "+423 230 20 21"]);
    assert!(!town.latest().has("places") && town.latest().has("changes/places_b"));

    town.write("b.csv", "id,lon,lat,name,phone\n7,9.5,47.1002,Gemeindehaus,+423 230 20 21\n");
    let first = fs::canonicalize(town.path("store/town/latest")).expect("a snapshot");
    town.run(&[]);
    let told = town.poimill(&["diff", first.to_str().expect("a path"), "store/town/latest"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("places_b  modified") && !told.contains("places_a  modified"), "{told}");

    let load = town.poimill(&["load", "store/town/latest", "--database", "postgresql://127.0.0.1:1/none"]);
    let told = String::from_utf8_lossy(&load.stderr).into_owned();
    assert!(!load.status.success(), "{told}");
}
