//! A pipeline of two small registers, for what is easier to see without the demo's town.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use poimill::domain::Cell;
use poimill::pipeline::ports::{Snapshot, Tables};
use poimill::pipeline::tabulate::{Table, read_rows};

use super::poimill;

/// Two registers of one station each, 22 m apart, in a folder of their own; no pair is merged without a person.
pub(crate) struct Town(tempfile::TempDir);

impl Town {
    pub(crate) fn new() -> Self {
        let town = Self(tempfile::tempdir().expect("a folder"));
        town.write("a.csv", "id,lon,lat,name,phone\n1,9.5,47.1,Rathaus,+423 230 20 20\n");
        town.write("b.csv", "id,lon,lat,name,phone\n7,9.5,47.1002,Rathaus,+423 230 20 21\n");
        town.pipeline("", "license = \"CC0-1.0\"");
        town
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// Writes the pipeline with these keys of `[conflate]` and of the second source.
    pub(crate) fn pipeline(&self, conflate: &str, second: &str) {
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

    pub(crate) fn poimill(&self, arguments: &[&str]) -> Output {
        poimill().current_dir(self.0.path()).args(arguments).output().expect("poimill starts")
    }

    /// What a command that succeeds prints.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let done = self.poimill(arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text")
    }

    /// Runs the pipeline; what it says on both streams.
    pub(crate) fn run(&self, more: &[&str]) -> String {
        let done = self.poimill(&[&["run", "town.toml", "--store", "store"], more].concat());
        let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{told}");
        told
    }

    pub(crate) fn latest(&self) -> impl Snapshot + use<> {
        poimill::wiring::snapshot(&self.path("store/town/latest")).expect("a snapshot")
    }

    pub(crate) fn texts(&self, table: &Table, columns: &[&str]) -> Vec<Vec<String>> {
        let rows = read_rows(&self.latest() as &dyn Tables, table, columns).expect("the table can be read");
        let text = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
        rows.iter().map(|row| row.iter().map(text).collect()).collect()
    }
}
