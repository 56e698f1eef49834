//! The page of what becomes of real feeds: each read by the pipeline that is shipped for it, and every record accounted for.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use poimill::adapters::memory::MemoryObserver;
use poimill::config::Overrides;
use poimill::domain::SourceAccount;
use poimill::wiring::wire;

use crate::support::{real_data, skipped};

/// Pipeline, source and file of each feed.
const FEEDS: &[(&str, &str, &str)] = &[
    ("open-charge-map", "ocm", "ocm/ocm-data-poi-20201120.ndjson.gz"),
    ("open-charge-map", "ocm", "ocm/ocm-export-liechtenstein-2026.json"),
    ("open-charge-map", "ocm", "ocm/api-samples/ocm-london-chargefinder2.js"),
    ("open-charge-map", "ocm", "ocm/api-samples/ocm-portland-chargestation.ts"),
    ("ocpi-fastned", "fastned", "ocpi/ocpi_2_1_1_locations-fastned.json"),
    ("ocpi-lakd", "lakd", "ocpi/ocpi_2_2_locations-lakd.lt.json"),
    ("ocpi-powergo", "powergo", "ocpi/ocpi_2_2_locations_powergo.json"),
    ("ocpi-voltrelli", "voltrelli", "ocpi/ocpi_locations-voltrelli.json"),
    ("afdc", "afdc", "registries/us-afdc-ids-20220115.csv"),
    ("bnetza", "bnetza", "registries/de-woladen-bnetza-fast-chargers.csv"),
    ("chargy", "chargy", "registries/lu-chargy.geojson"),
    ("uk-ncr", "ncr", "registries/uk-ncr.csv"),
];

/// Where the pipelines look for Open Charge Map's reference data, and which file of the real data that is.
const REFERENCE: (&str, &str) = ("data/raw/open-charge-map-reference.json", "ocm/CoreReferenceData-ocm-app.json");

const HEAD: &str = "# What becomes of real feeds\n\n\
Each feed is read by the pipeline of its name in `pipelines/`. Every record read is kept, rejected (with a row in\n\
`rejects.parquet`) or left out by a rule; what was repaired, dropped or doubted in records that are kept has a row in\n\
`findings.parquet`. A test writes this page.\n\n\
| pipeline | feed | read | kept | rejected | left out | repaired | found |\n\
|---|---|---:|---:|---|---|---|---|\n";

/// A folder like a clone of the project, with the pipelines and the reference data where they look for it.
fn home(data: &Path) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(home.path().join("data/raw")).expect("a folder");
    fs::create_dir_all(home.path().join("pipelines")).expect("a folder");
    for entry in fs::read_dir(project.join("pipelines")).expect("the pipelines can be listed") {
        let file = entry.expect("an entry can be read");
        if file.path().is_dir() {
            continue;
        }
        fs::copy(file.path(), home.path().join("pipelines").join(file.file_name())).expect("a copy");
    }
    std::os::unix::fs::symlink(data.join(REFERENCE.1), home.path().join(REFERENCE.0)).expect("a link");
    home
}

/// A feed as a file that can be read: samples of the interface are wrapped in code, which is cut off.
fn readable(feed: &Path, home: &Path) -> PathBuf {
    let is_code = feed.extension().is_some_and(|extension| extension == "js" || extension == "ts");
    if !is_code {
        return feed.to_owned();
    }
    let text = fs::read_to_string(feed).expect("the sample is text");
    let assigned = text.find("= [").expect("a list is assigned") + 2;
    let end = text.rfind(']').expect("the list ends");
    let path = home.join("sample.json");
    fs::write(&path, without_trailing_commas(&text[assigned..=end])).expect("a file");
    path
}

/// Code may end a list with a comma, JSON may not.
fn without_trailing_commas(code: &str) -> String {
    let mut parts = code.split(',').peekable();
    let mut json = String::with_capacity(code.len());
    while let Some(part) = parts.next() {
        json.push_str(part);
        if parts.peek().is_some_and(|next| !next.trim_start().starts_with([']', '}'])) {
            json.push(',');
        }
    }
    json
}

fn account(pipeline: &str, source: &str, feed: &Path, home: &Path) -> SourceAccount {
    let file = home.join("pipelines").join(pipeline).with_extension("toml");
    let inputs = vec![(source.to_owned(), readable(feed, home))];
    let wired = wire(&file, &Overrides { inputs, ..Overrides::default() }).expect("the pipeline loads");
    let report = wired.run(true, &MemoryObserver::default()).unwrap_or_else(|error| panic!("{pipeline}: {error}"));
    report.sources[0].clone()
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{count} `{name}`")).collect::<Vec<_>>().join("<br>")
}

#[test]
fn every_record_of_the_real_feeds_is_accounted_for() {
    let Some(data) = real_data() else { return skipped("every_record_of_the_real_feeds_is_accounted_for") };
    let home = home(&data);
    let mut page = HEAD.to_owned();
    for (pipeline, source, feed) in FEEDS {
        let account = account(pipeline, source, &data.join(feed), home.path());
        assert!(account.balances(), "{feed}: {account:?}");
        writeln!(
            page,
            "| {pipeline} | {feed} | {} | {} | {} | {} | {} | {} |",
            account.read,
            account.kept,
            counts(&account.rejected),
            counts(&account.left_out),
            counts(&account.repaired),
            counts(&account.findings)
        )
        .expect("text in memory can be written");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/FEEDS.md");
    if std::env::var_os("POIMILL_BLESS").is_some() && std::env::var_os("CI").is_none() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "data/FEEDS.md is out of date; look at the change and run POIMILL_BLESS=1 sh tests/run.sh source_page\n{page}"
    );
}
