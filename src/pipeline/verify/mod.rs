//! Verify: whether a snapshot is what its manifest says, down to the last row.
//!
//! ```text
//! manifest ─▶ id, vintage, content hash ─▶ files ─▶ per table: checksum ─▶ columns ─▶ every row ─▶ references, counts
//! ```
//!
//! A check that depends on one that failed is skipped and says so: what is damaged is not read.
//!
//! - **Cost**: every file is read twice, once as bytes and once as rows; in memory are the ids of places, records and rows
//!   of layers.

mod columns;
mod counts;
mod facts;
mod scan;

use std::collections::BTreeSet;

use serde::Serialize;

use super::RunError;
use super::ports::{Inspect, Observer, Unit};
use super::publish::{MANIFEST_VERSION, content_hash, vintage_for_names};
use crate::domain::{Manifest, TableFile};
use facts::Facts;
use scan::Scan;

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It cannot be told, because something that it needs is damaged.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is checked, e.g. `checksum`. Names are published: add, never rename.
    pub check: &'static str,
    /// The file or table that it is about.
    pub of: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: String,
}

/// All checks of a snapshot, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The snapshot's id, as its manifest states it.
    pub snapshot: String,
    /// Where it is.
    pub location: String,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Verification {
    /// How many checks failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.outcome == Outcome::Failed).count()
    }

    /// That the snapshot is whole, or an error that says what is not.
    ///
    /// # Errors
    ///
    /// [`RunError::Input`] when a check failed.
    pub fn whole(&self) -> Result<(), RunError> {
        let Some(first) = self.checks.iter().find(|check| check.outcome == Outcome::Failed) else { return Ok(()) };
        let message = format!(
            "{} is damaged: {} of {} checks failed, the first {} of {}: {}",
            self.snapshot,
            self.failed(),
            self.checks.len(),
            first.check,
            first.of,
            first.seen
        );
        Err(RunError::input("snapshot", message))
    }
}

/// Checks in the making.
#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, check: &'static str, of: &str, outcome: Outcome, seen: impl Into<String>) {
        self.0.push(Check { check, of: of.to_owned(), outcome, seen: seen.into() });
    }

    /// A check that passed with what it saw, or failed with what it saw. Whether it passed.
    fn result(&mut self, check: &'static str, of: &str, result: Result<String, String>) -> bool {
        let passed = result.is_ok();
        let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
        self.add(check, of, outcome, result.unwrap_or_else(|wrong| wrong));
        passed
    }

    fn skipped(&mut self, check: &'static str, of: &str, why: &str) {
        self.add(check, of, Outcome::Skipped, why);
    }
}

/// Checks a snapshot. What is wrong with it is in the answer, never an error.
#[must_use]
pub fn verify(snapshot: &dyn Inspect, observer: &dyn Observer) -> Verification {
    let (mut checks, manifest) = (Checks::default(), snapshot.manifest());
    let there = about_the_whole(snapshot, &mut checks);
    let mut facts = Facts::default();
    for (name, stated) in &manifest.tables {
        observer.stage(&format!("verify {name}"), Unit::Rows, Some(stated.rows));
        let whole = there.contains(&snapshot.file_of(name))
            && about_a_table(snapshot, (name, stated), &mut facts, &mut checks, observer);
        if !whole {
            facts.damaged.insert(name.clone());
        }
    }
    facts.check_references(manifest, &mut checks);
    counts::check(manifest, &facts, &mut checks);
    Verification { snapshot: manifest.snapshot.clone(), location: snapshot.location(), checks: checks.0 }
}

/// Checks what the manifest says of the snapshot as a whole. Returns the files that are there.
fn about_the_whole(snapshot: &dyn Inspect, checks: &mut Checks) -> BTreeSet<String> {
    let manifest = snapshot.manifest();
    let version = manifest.schema_version;
    checks.result(
        "manifest",
        "manifest.json",
        if (1..=MANIFEST_VERSION).contains(&version) {
            Ok(format!("version {version}"))
        } else {
            Err(format!("version {version}, this poimill knows 1 to {MANIFEST_VERSION}"))
        },
    );
    let found = content_hash(&manifest.tables, manifest.base.as_deref());
    let is_same = found == manifest.content_hash;
    checks.result(
        "content_hash",
        "manifest.json",
        if is_same {
            Ok(found.clone())
        } else {
            Err(format!("it is {found}, the manifest says {}", manifest.content_hash))
        },
    );
    checks.result("id", &manifest.snapshot, id_of(manifest, &found, &snapshot.kept_as()));
    if let Some(release) = snapshot.released() {
        let right = !manifest.held.is_empty();
        let told = format!("at {}", release.released_at);
        let wrong = || "the snapshot was never held back".to_owned();
        checks.result("released", "released.json", if right { Ok(told) } else { Err(wrong()) });
    }
    match snapshot.files() {
        Ok(files) => {
            let files: BTreeSet<String> = files.into_iter().collect();
            checks.result("files", &manifest.snapshot, all_files(snapshot, &files));
            files
        }
        Err(error) => {
            checks.result("files", &manifest.snapshot, Err(error.in_one_line()));
            BTreeSet::new()
        }
    }
}

/// Whether the id is what vintage and content make it, and the name that the snapshot is kept under.
fn id_of(manifest: &Manifest, content_hash: &str, kept_as: &str) -> Result<String, String> {
    let vintage = manifest.sources.iter().filter_map(|source| source.vintage).max();
    if vintage != manifest.vintage {
        let told =
            |vintage: Option<_>| vintage.map_or("undated".to_owned(), |v: crate::domain::Timestamp| v.to_string());
        return Err(format!("its sources are of {}, the manifest says {}", told(vintage), told(manifest.vintage)));
    }
    let id = format!("{}-{}", vintage_for_names(vintage), &content_hash[..8]);
    if id != manifest.snapshot {
        return Err(format!("vintage and content hash make it {id}"));
    }
    if id != kept_as {
        return Err(format!("it is kept as {kept_as}"));
    }
    Ok("of vintage and content hash".to_owned())
}

/// Whether every file that must be there is, and no other.
fn all_files(snapshot: &dyn Inspect, files: &BTreeSet<String>) -> Result<String, String> {
    let beside = snapshot.files_beside_tables();
    let of_tables: BTreeSet<String> = snapshot.manifest().tables.keys().map(|name| snapshot.file_of(name)).collect();
    let must = beside.iter().filter(|(_, must)| *must).map(|(name, _)| (*name).to_owned());
    let missing: Vec<String> = of_tables.iter().cloned().chain(must).filter(|name| !files.contains(name)).collect();
    let may = |name: &&String| of_tables.contains(*name) || beside.iter().any(|(known, _)| known == name);
    let stray: Vec<&str> = files.iter().filter(|name| !may(name)).map(String::as_str).collect();
    let mut wrong = Vec::new();
    if !missing.is_empty() {
        wrong.push(format!("missing: {}", missing.join(", ")));
    }
    if !stray.is_empty() {
        wrong.push(format!("not in the manifest: {}", stray.join(", ")));
    }
    if wrong.is_empty() { Ok(format!("{} files", files.len())) } else { Err(wrong.join("; ")) }
}

/// Checks a table by itself. Whether it can be relied on.
fn about_a_table(
    snapshot: &dyn Inspect,
    (name, stated): (&str, &TableFile),
    facts: &mut Facts,
    checks: &mut Checks,
    observer: &dyn Observer,
) -> bool {
    let file = snapshot.file_of(name);
    let checksum = match snapshot.sha256(name) {
        Ok(found) if found == stated.sha256 => Ok(found),
        Ok(found) => Err(format!("its SHA-256 is {found}, the manifest says {}", stated.sha256)),
        Err(error) => Err(error.in_one_line()),
    };
    if !checks.result("checksum", &file, checksum) {
        return false;
    }
    let columns = snapshot.schema(name).map_err(|error| error.in_one_line());
    let columns = columns.and_then(|schema| columns::check(name, stated.schema_version, &schema));
    if !checks.result("columns", &file, columns) {
        return false;
    }
    let mut scan = Scan::new(name, snapshot.manifest(), facts);
    let read = snapshot.read(name, &[], &mut |batch| {
        observer.advance(batch.num_rows() as u64);
        scan.see(&batch);
        Ok(())
    });
    let rows = match read {
        Ok(()) if scan.rows == stated.rows => Ok(format!("{} rows", stated.rows)),
        Ok(()) => Err(format!("it has {} rows, the manifest says {}", scan.rows, stated.rows)),
        Err(error) => Err(error.in_one_line()),
    };
    if !checks.result("rows", &file, rows) {
        return false;
    }
    scan.finish(&file, checks);
    true
}
