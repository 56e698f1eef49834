//! Records in, the same records out, wherever they waited.

use std::io::Write;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::domain::{Address, Attributes, Connector, ConnectorType, Current, Finding, Hash16, RecordId, Status, Tags};
use crate::pipeline::ports::ReadAt;

/// Records that all fit into memory.
pub(in crate::pipeline) fn in_memory(records: impl IntoIterator<Item = Record>) -> Records {
    kept(records, u64::MAX).0
}

/// Records of which so many bytes fit into memory, and how many bytes were written to a file.
fn kept(records: impl IntoIterator<Item = Record>, memory_bytes: u64) -> (Records, usize) {
    let scratch = Pages::default();
    let mut incoming = Incoming::within(memory_bytes);
    incoming.extend(records.into_iter().collect(), &scratch).expect("pages can be written");
    let records = incoming.sorted().expect("each key once");
    let written = scratch.0.lock().expect("one thread").len();
    (records, written)
}

/// A scratch of one file, in memory.
#[derive(Default, Clone)]
struct Pages(std::sync::Arc<Mutex<Vec<u8>>>);

impl Scratch for Pages {
    fn create(&self, _: &str) -> Result<Box<dyn Spill>, RunError> {
        assert!(self.0.lock().expect("one thread").is_empty(), "records wait in one file");
        Ok(Box::new(self.clone()))
    }
}

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Spill for Pages {
    fn read_back(self: Box<Self>) -> Result<Box<dyn std::io::Read + Send>, RunError> {
        unreachable!("records are read in any order")
    }

    fn read_anywhere(self: Box<Self>) -> Result<Box<dyn ReadAt>, RunError> {
        Ok(self)
    }
}

impl ReadAt for Pages {
    fn read_at(&self, begin: u64, bytes: &mut [u8]) -> Result<(), RunError> {
        let begin = begin as usize;
        bytes.copy_from_slice(&self.0.lock().expect("one thread")[begin..begin + bytes.len()]);
        Ok(())
    }
}

/// A record that says something of everything, more or less of it.
fn record(id: u32, much: usize) -> Record {
    let text = |what: &str| (much > 2).then(|| what.repeat(much % 7));
    let part = |at: usize| Record {
        findings: vec![Finding::dropped(FindingRule::UnreadableValue, "capacity", "many")],
        ..record(1_000_000 + id * 10 + at as u32, 0)
    };
    let ring = vec![(9.5, 47.0), (9.6, 47.0), (9.6, 47.2), (9.5, 47.0)];
    Record {
        key: RecordKey { dataset: id as usize % 2, id: RecordId::new(format!("node/{id}")) },
        position: LonLat::new(9.5 + f64::from(id) / 3e6, 47.123_456_7).expect("a position"),
        footprint: (much > 5).then(|| geo::MultiPolygon(vec![geo::Polygon::new(ring.into(), vec![])])),
        attributes: Attributes {
            category: "charging_station".into(),
            names: text("Säule").map(|name| ("de".to_owned(), name)).into_iter().collect(),
            name: text("Säule"),
            address: Address { country: text("LI"), ..Address::default() },
            status: (much > 3).then_some(Status::Operational),
            connectors: (0..much % 4)
                .map(|at| Connector {
                    power_kw: Some(22.1 * at as f64),
                    current: Some(Current::ALL[at % Current::ALL.len()]),
                    evse_ids: vec!["CHLKWE1".into()],
                    ..Connector::of(ConnectorType::Type2Cable)
                })
                .collect(),
            tags: (0..much).map(|at| (format!("key:{at}"), "v".repeat(at))).collect::<Tags>(),
            ..Attributes::default()
        },
        operator_key: text("wikidata:Q1").map(Into::into),
        external_ids: vec!["evse:CHLKWE1".into()],
        update_time: (much > 1).then(|| "2026-01-02T03:04:05.678901234Z".parse().expect("a time")),
        license: much.is_multiple_of(2).then(|| "ODbL-1.0".into()),
        raw: "{}".repeat(much * 40).into(),
        content_hash: Hash16([much as u8; 16]),
        line: Some(u64::from(id)),
        duplicate_of: None,
        findings: (0..much % 3)
            .map(|_| Finding::replaced(FindingRule::PowerInWatts, "connectors/power_kw", "22000", "22"))
            .collect(),
        parts: (0..much % 3).map(part).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn records_come_back_as_they_were_from_memory_and_from_a_file(
        amounts in proptest::collection::vec(0..12usize, 1..60),
        memory_bytes in prop_oneof![Just(0), 0..40_000u64, Just(u64::MAX)],
    ) {
        let mut expected: Vec<Record> =
            amounts.iter().enumerate().map(|(id, much)| record(id as u32 * 7919 % 1000, *much)).collect();
        let (records, written) = kept(expected.iter().cloned(), memory_bytes);
        expected.sort_by(|a, b| a.key.cmp(&b.key));
        prop_assert_eq!(records.len(), expected.len());
        for (at, record) in expected.iter().enumerate() {
            prop_assert_eq!(&records.read(at).unwrap(), record);
            let outline = &records[at];
            prop_assert_eq!((&outline.key, outline.position), (&record.key, record.position));
            prop_assert_eq!(records.licenses()[outline.license].as_deref(), record.license.as_deref());
            let rules = |record: &Record| record.findings.iter().map(|finding| finding.rule).collect();
            let told: Vec<Vec<FindingRule>> = outline.with_parts().map(|known| known.findings.to_vec()).collect();
            let all: Vec<Vec<FindingRule>> = std::iter::once(record).chain(&record.parts).map(rules).collect();
            prop_assert_eq!(told, all);
        }
        if memory_bytes == 0 {
            prop_assert!(written > 0);
        } else if memory_bytes == u64::MAX {
            prop_assert_eq!(written, 0);
        }
    }
}

#[test]
fn what_was_handed_on_in_vain_is_forgotten() {
    let scratch = Pages::default();
    let mut incoming = Incoming::within(300);
    incoming.extend([1, 2, 3].map(|id| record(id, 4)).into(), &scratch).unwrap();
    incoming.truncate(1);
    incoming.extend([3, 2].map(|id| record(id, 5)).into(), &scratch).unwrap();
    let records = incoming.sorted().unwrap();
    let found: Vec<Record> = (0..records.len()).map(|at| records.read(at).unwrap()).collect();
    assert_eq!(found, [record(2, 5), record(1, 4), record(3, 5)]);
}

#[test]
fn a_source_that_hands_on_a_record_twice_is_refused() {
    let scratch = Pages::default();
    let mut incoming = Incoming::within(u64::MAX);
    incoming.extend(vec![record(4, 1), record(4, 2)], &scratch).unwrap();
    let error = incoming.sorted().err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("source 0 handed on record node/4 twice"));
}
