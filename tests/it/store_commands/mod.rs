//! The commands over a store: verify, release, history, prune and bridge, on invented nights.
//!
//! A night is a list of stations of two registers: `a:1@0 Alpenblick` is record 1 of register `a`, at metre 0 of a street
//! that leads east.

mod bridge;
mod forged;
mod history;
mod prune;
mod release;
mod verify;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use poimill::adapters::geoparquet::FolderStore;
use poimill::pipeline::ports::{Snapshot, Tables};
use poimill::pipeline::tabulate::{read_rows, tables::SOURCES};
use poimill::wiring;

use crate::support::demo::Told;
use crate::support::poimill;

/// A pipeline of two registers in a folder of its own.
struct Nights(tempfile::TempDir);

impl Nights {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// The folder of the snapshots.
    fn store(&self) -> PathBuf {
        self.0.path().join("store/town")
    }

    fn folder_store(&self) -> FolderStore {
        FolderStore::new(&self.0.path().join("store"), "town")
    }

    /// Runs the pipeline on these stations as of a day; an empty day states none. More keys come at its end.
    fn night_with(&self, day: &str, stations: &[&str], more: &str) -> Told {
        let mut registers: BTreeMap<&str, String> = BTreeMap::new();
        for register in ["a", "b"] {
            registers.insert(register, "id,lon,lat,name\n".to_owned());
        }
        for station in stations {
            let (record, name) = station.split_once(' ').expect("a name");
            let (key, metres) = record.split_once('@').expect("metres");
            let (register, id) = key.split_once(':').expect("a register");
            // At 47° north 10 m are 1.32e-4 degrees.
            let lon = 9.5 + metres.parse::<f64>().expect("metres") * 1.32e-5;
            let line = format!("{id},{lon:.7},47.0,{name}\n");
            registers.get_mut(register).expect("a or b").push_str(&line);
        }
        let mut text = "name = \"town\"\n[store]\ndir = \"store\"\n".to_owned();
        let vintage = if day.is_empty() { String::new() } else { format!("vintage = \"{day}T03:00:00Z\"\n") };
        for (register, lines) in registers {
            fs::write(self.0.path().join(format!("{register}.csv")), lines).expect("a file");
            let table = format!(
                "[[source]]\nname = \"{register}\"\nkind = \"table\"\npath = \"{register}.csv\"\nlicense = \"CC0-1.0\"\n{vintage}\
                 [source.table]\nid = \"id\"\nlon = \"lon\"\nlat = \"lat\"\n[source.table.tags]\n\
                 amenity = {{ value = \"charging_station\" }}\nname = \"name\"\n"
            );
            text.push_str(&table);
        }
        fs::write(self.0.path().join("town.toml"), text + more).expect("a file");
        self.poimill("run town.toml")
    }

    /// A night that is published; returns its snapshot.
    fn night(&self, day: &str, stations: &[&str]) -> String {
        let told = self.night_with(day, stations, "[gate]\nmax_removed_share = 1.0\nmissing_source = \"ignore\"\n");
        assert_eq!(told.code, 0, "{told:?}");
        self.latest()
    }

    /// A night that is held back, because half of the places are too many to lose; returns its snapshot.
    fn held_night(&self, day: &str, stations: &[&str]) -> String {
        let before = self.ids();
        let told = self.night_with(day, stations, "[gate]\nmax_removed_share = 0.4\n");
        assert_eq!(told.code, 4, "{told:?}");
        self.ids().into_iter().find(|id| !before.contains(id)).expect("a new snapshot")
    }

    fn poimill(&self, arguments: &str) -> Told {
        Told::from(
            poimill().current_dir(self.0.path()).args(arguments.split_whitespace()).output().expect("poimill starts"),
        )
    }

    /// What a command that succeeds prints.
    fn told(&self, arguments: &str) -> String {
        let told = self.poimill(arguments);
        assert_eq!(told.code, 0, "{arguments}: {told:?}");
        told.out
    }

    fn latest(&self) -> String {
        fs::read_link(self.store().join("latest")).expect("there is a latest snapshot").display().to_string()
    }

    /// Every snapshot in the store.
    fn ids(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.store()) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        let mut ids: Vec<String> = names.filter(|name| name.contains('-') && !name.starts_with('.')).collect();
        ids.sort();
        ids
    }

    /// What a snapshot starts from.
    fn base(&self, snapshot: &str) -> Option<String> {
        wiring::snapshot(&self.store().join(snapshot)).expect("a snapshot").manifest().base.clone()
    }

    /// The place of a record such as `a:1` in a snapshot.
    fn place(&self, snapshot: &str, record: &str) -> String {
        places(&self.store().join(snapshot))[record].clone()
    }
}

/// The place of each record of a snapshot.
fn places(snapshot: &Path) -> BTreeMap<String, String> {
    let snapshot = wiring::snapshot(snapshot).expect("a snapshot");
    let rows = read_rows(&snapshot as &dyn Tables, &SOURCES, &["dataset", "record_id", "place_id"]).expect("a table");
    let text = |row: &[poimill::domain::Cell], at: usize| row[at].as_text().expect("text").to_owned();
    rows.iter().map(|row| (format!("{}:{}", text(row, 0), text(row, 1)), text(row, 2))).collect()
}

/// The JSON objects that a command prints, one per line.
fn objects(lines: &str) -> Vec<serde_json::Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Copies a folder as it is.
fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("there is cp");
    assert!(copied.success());
}
