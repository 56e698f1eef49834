//! OSM sources as a pipeline has them: updated by diffs, made of several files, on any number of threads: the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use poimill::pipeline::ports::Snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{poimill, real_data, required_or_skipped, skipped};

/// A run on a source, in a folder of its own.
struct Run {
    folder: TempDir,
}

impl Run {
    /// A run with a layer of everything and all places; `source` is what the pipeline file says of the source.
    fn on(source: &str, args: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let pipeline = format!(
            r#"name = "monaco"
themes = ["places"]

[[source]]
name = "osm"
kind = "osm_pbf"
{source}

[[layer]]
name = "everything"
filter = "*"
incomplete = "keep_flagged"
users = true

[store]
dir = "."
"#
        );
        let file = folder.path().join("monaco.toml");
        fs::write(&file, pipeline).expect("the pipeline file");
        let done = poimill().arg("run").arg(&file).args(args).output().expect("poimill starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self { folder }
    }

    fn latest(&self) -> PathBuf {
        self.folder.path().join("monaco/latest")
    }

    fn bytes(&self, table: &str) -> Vec<u8> {
        fs::read(self.latest().join(format!("{table}.parquet"))).expect("a table")
    }

    fn assert_same_tables(&self, other: &Self) {
        for table in ["layers/everything", "places", "sources", "rejects"] {
            assert!(self.bytes(table) == other.bytes(table), "{table} differs");
        }
    }

    fn rows(&self, table: &str) -> u64 {
        poimill::wiring::snapshot(&self.latest()).expect("a snapshot").manifest().tables[table].rows
    }

    /// What the manifest says of the source.
    fn source(&self) -> Value {
        let text = fs::read_to_string(self.latest().join("manifest.json")).expect("a manifest");
        let manifest: Value = serde_json::from_str(&text).expect("a manifest is JSON");
        manifest["sources"][0].clone()
    }
}

fn path(at: &Path) -> String {
    format!("path = {at:?}")
}

fn paths(at: &[PathBuf]) -> String {
    format!("path = {at:?}")
}

/// Runs osmium; `false`, and a note that names the test, where it is not installed.
fn osmium(test: &str, args: &[&std::ffi::OsStr]) -> bool {
    match Command::new("osmium").args(args).output() {
        Ok(done) => {
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            true
        }
        Err(_) => {
            required_or_skipped(test, "osmium is not installed");
            false
        }
    }
}

/// Every diff below a folder, in order.
fn diffs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = crate::fixtures::files_below(folder);
    found.retain(|path| path.to_string_lossy().ends_with(".osc.gz"));
    found.sort();
    found
}

#[test]
fn an_extract_with_its_diffs_is_the_updated_extract() {
    let test = "an_extract_with_its_diffs_is_the_updated_extract";
    let Some(data) = real_data() else { return skipped(test) };
    let extract = data.join("osm/monaco-20210730.osm.pbf");
    let changes = data.join("osm-changes/monaco-202108");
    let folder = TempDir::new().expect("a folder");
    let updated = folder.path().join("updated.osm.pbf");
    let diffs = diffs(&changes);
    let mut args = vec!["apply-changes".as_ref(), extract.as_os_str(), "-o".as_ref(), updated.as_os_str()];
    args.extend(diffs.iter().map(|diff| diff.as_os_str()));
    if !osmium(test, &args) {
        return;
    }
    let ours = Run::on(&format!("{}\nchanges = {changes:?}", path(&extract)), &[]);
    let theirs = Run::on(&path(&updated), &[]);
    ours.assert_same_tables(&theirs);
    let source = ours.source();
    assert_eq!(source["objects"], serde_json::json!({ "nodes": 26_257, "ways": 4_191, "relations": 244 }));
    assert_eq!(source["objects"], theirs.source()["objects"]);
    assert_eq!(source["stated"]["replication_sequence"], "3076");

    // On an extract that has them already, the same diffs do nothing.
    theirs.assert_same_tables(&Run::on(&format!("{}\nchanges = {changes:?}", path(&updated)), &[]));
}

#[test]
fn parts_of_an_extract_are_the_extract() {
    let test = "parts_of_an_extract_are_the_extract";
    let Some(data) = real_data() else { return skipped(test) };
    let extract = data.join("osm/monaco-20250101.osm.pbf");
    let folder = TempDir::new().expect("a folder");
    let part = |name: &str| folder.path().join(format!("{name}.osm.pbf"));
    let whole = Run::on(&path(&extract), &[]);

    let by_kind = ["node", "way", "relation"].map(|kind| {
        let part = part(kind);
        let args = ["cat".as_ref(), extract.as_os_str(), "-t".as_ref(), kind.as_ref(), "-o".as_ref(), part.as_os_str()];
        osmium(test, &args).then_some(part)
    });
    let Some(mut by_kind) = by_kind.into_iter().collect::<Option<Vec<_>>>() else { return };
    by_kind.reverse();
    whole.assert_same_tables(&Run::on(&paths(&by_kind), &[]));

    // West and east of a street; what crosses it is in both, with all its nodes.
    let halves = [("west", "7.0,43.0,7.42,44.0"), ("east", "7.42,43.0,8.0,44.0")].map(|(name, bbox)| {
        let part = part(name);
        let args = [
            "extract".as_ref(),
            extract.as_os_str(),
            "-s".as_ref(),
            "smart".as_ref(),
            "-b".as_ref(),
            bbox.as_ref(),
            "-o".as_ref(),
            part.as_os_str(),
        ];
        assert!(osmium(test, &args));
        part
    });
    let both = Run::on(&paths(&halves), &[]);
    both.assert_same_tables(&whole);
    let superseded = both.source()["left_out"]["superseded"].as_u64();
    assert!(superseded.is_some_and(|objects| objects > 100), "{:?}", both.source());
}

#[test]
fn threads_and_memory_decide_on_no_byte_of_a_layer() {
    let Some(data) = real_data() else { return skipped("threads_and_memory_decide_on_no_byte_of_a_layer") };
    let source = path(&data.join("osm/monaco-20260710.osm.pbf"));
    let usual = Run::on(&source, &[]);
    assert!(usual.rows("layers/everything") > 5_000);
    for args in [["--threads", "1"], ["--threads", "2"], ["--threads", "7"], ["--memory", "64MiB"]] {
        usual.assert_same_tables(&Run::on(&source, &args));
    }
}
