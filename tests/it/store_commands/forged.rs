//! Tables whose bytes agree with the manifest and whose rows do not keep what they promise.

use arrow_array::{RecordBatch, UInt64Array};
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use poimill::adapters::memory::MemoryObserver;
use poimill::domain::{Manifest, Release};
use poimill::pipeline::RunError;
use poimill::pipeline::ports::{Inspect, Snapshot, Tables, TakeBatch};
use poimill::pipeline::verify::{Outcome, verify};
use poimill::wiring;

use super::Nights;

/// Which rows are taken of so many, in which order.
type TakeRows = fn(u64) -> Vec<u64>;

/// A snapshot, one of whose tables has its rows taken in another order.
struct Forged<S> {
    whole: S,
    table: &'static str,
    rows: TakeRows,
}

impl<S: Inspect> Tables for Forged<S> {
    fn has(&self, table: &str) -> bool {
        self.whole.has(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        if table != self.table {
            return self.whole.read(table, columns, out);
        }
        let mut batches: Vec<RecordBatch> = Vec::new();
        self.whole.read(table, columns, &mut |batch| {
            batches.push(batch);
            Ok(())
        })?;
        let all = concat_batches(&batches[0].schema(), &batches).expect("batches of one table");
        let rows = UInt64Array::from((self.rows)(all.num_rows() as u64));
        out(take_record_batch(&all, &rows).expect("rows of the table"))
    }
}

impl<S: Inspect> Snapshot for Forged<S> {
    fn manifest(&self) -> &Manifest {
        self.whole.manifest()
    }

    fn location(&self) -> String {
        self.whole.location()
    }

    fn released(&self) -> Option<&Release> {
        self.whole.released()
    }
}

impl<S: Inspect> Inspect for Forged<S> {
    fn kept_as(&self) -> String {
        self.whole.kept_as()
    }

    fn files(&self) -> Result<Vec<String>, RunError> {
        self.whole.files()
    }

    fn files_beside_tables(&self) -> &'static [(&'static str, bool)] {
        self.whole.files_beside_tables()
    }

    fn file_of(&self, table: &str) -> String {
        self.whole.file_of(table)
    }

    fn sha256(&self, table: &str) -> Result<String, RunError> {
        self.whole.sha256(table)
    }

    fn schema(&self, table: &str) -> Result<SchemaRef, RunError> {
        self.whole.schema(table)
    }
}

/// The last row first.
fn turned(rows: u64) -> Vec<u64> {
    (0..rows).rev().collect()
}

/// The first row twice, the last one not at all.
fn doubled(rows: u64) -> Vec<u64> {
    std::iter::once(0).chain(0..rows - 1).collect()
}

#[test]
fn rows_in_another_order_or_twice_are_found() {
    let nights = Nights::new();
    nights.night("2026-01-01", &["a:1@0 Alpenblick", "b:7@500 Bahnhof", "a:2@900 Campus"]);
    let second = nights.night("2026-01-02", &["a:1@50 Alpenblick", "b:7@550 Bahnhof", "a:2@950 Campus"]);
    let forged = |table, rows| Forged {
        whole: wiring::snapshot(&nights.store().join(&second)).expect("a snapshot"),
        table,
        rows,
    };
    let failures = |forged: Forged<_>| -> Vec<String> {
        let verified = verify(&forged, &MemoryObserver::default());
        let failed = verified.checks.iter().filter(|check| check.outcome == Outcome::Failed);
        failed.map(|check| format!("{} {}", check.check, check.of)).collect()
    };
    assert_eq!(failures(forged("places", |rows| (0..rows).collect())), Vec::<String>::new());
    let cases: [(&str, TakeRows, &[&str]); 8] = [
        ("places", turned, &["order places.parquet"]),
        ("sources", turned, &["order sources.parquet"]),
        ("changes/places", turned, &["order changes/places.parquet"]),
        (
            "places",
            doubled,
            &["keys places.parquet", "places_exist sources", "places_exist conflicts", "counts manifest.json"],
        ),
        (
            "sources",
            doubled,
            &["keys sources.parquet", "places_have_records sources", "records_agree", "counts source"],
        ),
        ("identity", doubled, &["keys identity.parquet", "records_agree identity"]),
        ("bridge", doubled, &["keys bridge.parquet", "records_agree bridge"]),
        ("changes/places", doubled, &["keys changes/places.parquet"]),
    ];
    for (table, rows, expected) in cases {
        let found = failures(forged(table, rows));
        for failure in &found {
            assert!(expected.iter().any(|known| failure.starts_with(known)), "{table}: {failure} of {found:?}");
        }
        assert!(found.first().is_some_and(|first| first == expected[0]), "{table}: {found:?}");
    }
}
