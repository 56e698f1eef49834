//! The dependency rule and the habits of the code: a file names only layers before its own, says what it is, and is short.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use poimill::config::{Overrides, Settings};

/// Inner to outer. Each is a folder or a file under `src/`.
const LAYERS: [&str; 7] = ["domain", "pipeline", "adapters", "config", "wiring", "service", "cli"];

/// Longest source file we accept, in lines.
const MAX_LINES: usize = 500;

/// What the core must not name: it opens no files and no sockets, reads no clock and draws no random numbers.
const OUTSIDE: [&str; 9] =
    ["std::fs", "std::net", "std::env", "std::process", "File::", "SystemTime", "Instant", "Timestamp::now", "rand::"];

/// Crates that must not come in: the streaming engine doubles the build, and TLS of the system is no pure build.
const UNWANTED_CRATES: [&str; 2] = ["polars-stream", "openssl"];

#[test]
fn a_layer_names_only_layers_before_it() {
    let mut broken = Vec::new();
    for (rank, layer) in LAYERS.iter().enumerate() {
        for (path, text) in sources(&[layer]) {
            for outer in &LAYERS[rank + 1..] {
                if ["crate", "poimill"].iter().any(|root| names(&text, &format!("{root}::{outer}"))) {
                    broken.push(format!("{} names {outer}", path.display()));
                }
            }
            if text.contains("use crate::{") {
                broken.push(format!("{} groups its imports across layers", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn an_adapter_names_no_other_but_io() {
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters");
    let entries = fs::read_dir(&adapters).expect("a source folder can be listed");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path()).filter(|path| path.is_dir());
    let folders: Vec<String> =
        paths.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    let mut broken = Vec::new();
    for own in &folders {
        for (path, text) in sources(&[&format!("adapters/{own}")]) {
            for other in folders.iter().filter(|other| *other != own && (*other != "io" || own == "io")) {
                if names(&text, &format!("adapters::{other}")) {
                    broken.push(format!("{} names {other}", path.display()));
                }
            }
        }
    }
    assert!(folders.len() >= 5 && broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_technology_stays_in_its_layer() {
    let cases: [(&str, &[&str]); 5] = [
        ("anyhow", &["domain", "pipeline", "adapters", "config", "wiring"]),
        ("postgres::", &["domain", "pipeline", "config", "wiring", "cli"]),
        ("parquet::", &["domain", "pipeline", "config", "cli"]),
        ("clap::", &["domain", "pipeline", "adapters", "config", "wiring"]),
        ("indicatif", &["domain", "pipeline", "adapters", "config", "wiring"]),
    ];
    for (technology, layers) in cases {
        for (path, text) in sources(layers) {
            // `geoparquet::` ends in `parquet::` and is ours.
            let text = code(&text).replace("geoparquet::", "");
            assert!(!text.contains(technology), "{} names {technology}", path.display());
        }
    }
}

#[test]
fn the_core_reaches_for_nothing_outside() {
    for (path, text) in sources(&["domain", "pipeline"]) {
        // Tests may.
        let text = code(text.split("#[cfg(test)]").next().unwrap_or_default());
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        for outside in OUTSIDE {
            assert!(!text.contains(outside), "{} names {outside}", path.display());
        }
    }
}

#[test]
fn every_file_is_short_and_introduces_itself() {
    let mut broken = Vec::new();
    for (path, text) in sources(&["src", "tests", "data/fixtures/generate"].map(|folder| format!("../{folder}"))) {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            broken.push(format!("{} has {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            broken.push(format!("{} has no header", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_shipped_pipeline_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut loaded = Vec::new();
    for entry in fs::read_dir(folder).expect("the pipelines can be listed") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let read_with_the_others =
            ["area-rules", "categories", "connectors", "operators", "words"].contains(&name.as_str());
        if path.extension().is_some_and(|extension| extension == "toml") && !read_with_the_others {
            let settings = Settings::load(&path, &Overrides::default()).unwrap();
            assert_eq!(settings.name, name, "a pipeline is named as its file");
            loaded.push(name);
        }
    }
    loaded.sort();
    assert!(
        ["demo", "demo-layers", "liechtenstein", "monaco"].iter().all(|name| loaded.iter().any(|l| l == name)),
        "{loaded:?}"
    );
}

#[test]
fn no_unwanted_crate_comes_in() {
    // The lock names crates that no feature of ours turns on; the tree does not.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let tree = String::from_utf8_lossy(&tree.stdout);
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("polars") && crates.contains("postgres"), "{crates:?}");
    for unwanted in UNWANTED_CRATES {
        assert!(!crates.contains(unwanted), "{unwanted}");
    }
}

/// Whether code, not a comment, names this path to its end.
fn names(text: &str, path: &str) -> bool {
    let code = code(text);
    code.match_indices(path).any(|(at, _)| {
        let next = code[at + path.len()..].chars().next();
        next.is_none_or(|c| !(c.is_alphanumeric() || c == '_'))
    })
}

/// The text without its comments on lines of their own.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every `.rs` file below these folders of `src/`, or of these names, with its text.
fn sources(layers: &[impl AsRef<str>]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut queue: Vec<PathBuf> = Vec::new();
    for layer in layers {
        let path = root.join(layer.as_ref());
        queue.extend([path.with_extension("rs"), path]);
    }
    let mut files = Vec::new();
    while let Some(path) = queue.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a source folder can be listed");
            queue.extend(entries.map(|entry| entry.expect("an entry can be read").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.exists() {
            let text = fs::read_to_string(&path).expect("a source file is text");
            files.push((path, text));
        }
    }
    files.sort();
    files
}
