//! The demonstration town in a folder of its own: a pipeline file that a test may change, and a store.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::poimill;

/// A fixture of this repository.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fixtures").join(name)
}

/// A pipeline file, a store, and whatever else a test writes.
pub(crate) struct Demo {
    folder: TempDir,
}

impl Demo {
    /// The town's pipeline file, on its first night, and no snapshot.
    pub(crate) fn new() -> Self {
        let demo = Self { folder: TempDir::new().expect("a temporary folder") };
        demo.write("demo.toml", Self::text().as_bytes());
        demo
    }

    /// The town's pipeline file and the snapshot of its first night.
    pub(crate) fn after_one_night() -> Self {
        let demo = Self::new();
        assert_eq!(demo.run(1, &[]).code, 0);
        demo
    }

    /// `pipelines/demo.toml` with whole paths, and the database that other pipelines name.
    pub(crate) fn text() -> String {
        let shipped = include_str!("../../../pipelines/demo.toml");
        let whole = shipped.replace("../data/fixtures", &fixture("").display().to_string());
        format!("{whole}\n[postgis]\nurl = {{ env = \"DATABASE_URL\" }}\n")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("the temporary folder can be written to");
        path
    }

    /// Changes the pipeline file; what is to be changed must be there.
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.path("demo.toml")).expect("the pipeline file");
        assert!(text.contains(old), "{old}");
        self.write("demo.toml", text.replacen(old, new, 1).as_bytes());
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Where `latest` leads.
    pub(crate) fn latest(&self) -> PathBuf {
        self.store().join("demo/latest")
    }

    /// The id of the latest snapshot.
    pub(crate) fn latest_id(&self) -> String {
        fs::read_link(self.latest()).expect("there is a latest snapshot").display().to_string()
    }

    /// The ids of all snapshots, the latest and others.
    pub(crate) fn snapshots(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.store().join("demo")) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("an entry can be read").file_name().display().to_string());
        names.filter(|name| !name.starts_with('.') && name != "latest").collect()
    }

    /// `poimill` in the folder; `args` are split at blanks.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = poimill();
        command.current_dir(self.folder.path()).args(args.split_whitespace());
        command
    }

    pub(crate) fn poimill(&self, args: &str) -> Told {
        Told::from(self.command(args).output().expect("poimill starts"))
    }

    /// A run of the pipeline on the first or second night.
    pub(crate) fn night(&self, night: u8) -> Command {
        let mut command = self.command("run demo.toml --store store");
        for (name, file) in [("osm", "town.osm.pbf"), ("ocm", "ocm.json")] {
            let path = fixture(&format!("night-{night}/{file}"));
            command.arg("--input").arg(format!("{name}={}", path.display()));
        }
        command
    }

    pub(crate) fn run(&self, night: u8, args: &[&str]) -> Told {
        Told::from(self.night(night).args(args).output().expect("poimill starts"))
    }

    /// Everything in the store: files with a hash, links with their target, folders. What the lock says is left out.
    pub(crate) fn listing(&self) -> BTreeMap<String, String> {
        let mut listing = BTreeMap::new();
        list(&self.store(), "", &mut listing);
        listing
    }

    /// The listing without `run.json`, which tells of the clock.
    pub(crate) fn reproducible(&self) -> BTreeMap<String, String> {
        let mut listing = self.listing();
        listing.retain(|path, _| !path.ends_with("/run.json"));
        listing
    }
}

fn list(folder: &Path, prefix: &str, listing: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(|entry| entry.expect("an entry can be read")) {
        let (path, name) = (entry.path(), format!("{prefix}/{}", entry.file_name().display()));
        if path.is_symlink() {
            listing.insert(name, format!("link to {}", fs::read_link(&path).expect("a link").display()));
        } else if path.is_dir() {
            listing.insert(name.clone(), "folder".to_owned());
            list(&path, &name, listing);
        } else if name.ends_with("/.lock") {
            listing.insert(name, "lock".to_owned());
        } else {
            let bytes = fs::read(&path).expect("a file can be read");
            listing.insert(name, poimill::domain::hex(&Sha256::digest(&bytes)));
        }
    }
}

/// What a process said, and how it ended.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its exit code; −1 when a signal ended it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("poimill writes UTF-8");
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}
