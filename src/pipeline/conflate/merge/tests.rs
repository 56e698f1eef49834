//! Records in, one place out: whose value it shows, and what becomes of the rest.

use super::*;
use crate::domain::{Address, Connector, ConnectorType, Hash16, RecordId, RecordKey, Status};
use crate::pipeline::records::in_memory;

const OPEN: &str = "CC-BY-4.0";

fn record(dataset: usize, id: &str, about: Attributes) -> Record {
    Record {
        key: RecordKey { dataset, id: RecordId::new(id) },
        position: LonLat::new(9.5, 47.1).expect("a position"),
        footprint: None,
        attributes: Attributes { category: "charging_station".into(), ..about },
        operator_key: None,
        external_ids: Vec::new(),
        update_time: None,
        license: Some(OPEN.into()),
        raw: "{}".into(),
        content_hash: Hash16([0; 16]),
        line: None,
        duplicate_of: None,
        findings: Vec::new(),
        parts: Vec::new(),
    }
}

fn named(dataset: usize, id: &str, name: &str) -> Record {
    record(dataset, id, Attributes { name: Some(name.into()), ..Attributes::default() })
}

/// The rows of the place that these records describe, and who is held out.
fn rows(records: &[Record], merging: &Merging) -> (Vec<Place>, Vec<usize>) {
    let members: Vec<usize> = (0..records.len()).collect();
    let records = in_memory(records.iter().cloned());
    let merger = Merger::new(&records, merging, &[]);
    let row = |some: &[usize]| {
        let (place, _) = merger.place(some, &members).expect("records in memory");
        assert_eq!(merger.position(some).expect("records in memory"), place.position, "the position in advance");
        place
    };
    (merger.rows(&members).into_iter().map(row).collect(), merger.held_out(&members))
}

fn merged(records: &[Record], merging: &Merging) -> Place {
    rows(records, merging).0.remove(0)
}

fn with(attribute: Attribute, rule: Rule) -> Merging {
    Merging { survivorship: Survivorship::default().with(attribute, rule), ..Merging::default() }
}

#[test]
fn what_belongs_together_comes_from_one_record() {
    let plugs = vec![Connector { power_kw: Some(50.0), ..Connector::of(ConnectorType::Ccs2) }];
    let first = Attributes { max_power_kw: Some(22.0), operator: Some("Foo".into()), ..Attributes::default() };
    let second = Attributes {
        connectors: plugs.clone(),
        max_power_kw: Some(50.0),
        operator: Some("Bar".into()),
        operator_wikidata: Some("Q1".into()),
        ..Attributes::default()
    };
    let both = merged(&[record(0, "1", first.clone()), record(1, "1", second)], &Merging::default()).attributes;
    assert_eq!((both.connectors, both.max_power_kw), (plugs, Some(50.0)));
    assert_eq!((both.operator.as_deref(), both.operator_wikidata), (Some("Foo"), None));

    let alone = merged(&[record(0, "1", first), record(1, "1", Attributes::default())], &Merging::default()).attributes;
    assert_eq!(alone.max_power_kw, Some(22.0), "a power without plugs is better than none");
}

#[test]
fn each_rule_takes_its_value() {
    let dated = |mut record: Record, day: &str| {
        record.update_time = Some(format!("2026-01-{day}T00:00:00Z").parse().expect("an instant"));
        record
    };
    let records = [
        dated(named(0, "1", "Rathaus"), "02"),
        dated(named(1, "1", "Rathaus Ruggell, Nord"), "01"),
        dated(named(2, "1", "Gemeinde"), "03"),
        named(3, "1", "GEMEINDE!"),
    ];
    let cases = [
        (Rule::Priority, "Rathaus"),
        (Rule::Newest, "Gemeinde"),
        (Rule::Complete, "Rathaus Ruggell, Nord"),
        (Rule::Agreement, "Gemeinde"),
    ];
    for (rule, expected) in cases {
        let place = merged(&records, &with(Attribute::Name, rule));
        assert_eq!(place.attributes.name.as_deref(), Some(expected), "{rule}");
        let gave = place.sources.iter().find(|source| source.property == "/name").expect("the name has a source");
        assert_eq!(records[gave.record.dataset].attributes.name.as_deref(), Some(expected), "{rule}");
        assert!(place.conflicts.iter().all(|conflict| conflict.rule == rule.name()), "{rule}");
    }
}

#[test]
fn agreement_counts_sources_and_ties_go_to_the_first() {
    let twice_of_one = [named(0, "1", "A"), named(1, "1", "B"), named(1, "2", "b")];
    let agreed = |records: &[Record]| merged(records, &with(Attribute::Name, Rule::Agreement)).attributes.name;
    assert_eq!(agreed(&twice_of_one).as_deref(), Some("A"));
    let of_two = [named(0, "1", "A"), named(1, "1", "B"), named(2, "1", "b")];
    assert_eq!(agreed(&of_two).as_deref(), Some("B"));
}

#[test]
fn by_default_the_first_source_wins_but_for_status_address_and_position() {
    let mut old = record(
        0,
        "1",
        Attributes {
            name: Some("First".into()),
            status: Some(Status::Operational),
            address: Address { country: Some("LI".into()), ..Address::default() },
            ..Attributes::default()
        },
    );
    old.update_time = "2020-01-01T00:00:00Z".parse().ok();
    let mut new = record(
        1,
        "1",
        Attributes {
            name: Some("Second".into()),
            status: Some(Status::Removed),
            address: Address { country: Some("LI".into()), street: Some("Weg".into()), ..Address::default() },
            ..Attributes::default()
        },
    );
    new.update_time = "2026-01-01T00:00:00Z".parse().ok();
    new.position = LonLat::new(9.5001, 47.1).expect("a position");
    let ring = geo::LineString::from(vec![(9.5, 47.0), (9.6, 47.0), (9.6, 47.2), (9.5, 47.0)]);
    new.footprint = Some(geo::MultiPolygon(vec![geo::Polygon::new(ring, vec![])]));
    let place = merged(&[old, new.clone()], &Merging::default());
    assert_eq!(place.attributes.name.as_deref(), Some("First"));
    assert_eq!(place.attributes.status, Some(Status::Removed));
    assert_eq!(place.attributes.address.street.as_deref(), Some("Weg"));
    assert_eq!((place.position, place.footprint), (new.position, new.footprint));
    let said: Vec<_> = place.conflicts.iter().map(|c| (&*c.property, c.record, c.taken, c.rule)).collect();
    assert_eq!(said, [("/name", 1, 0, "priority"), ("/status", 0, 1, "newest")], "the shorter address says the same");
}

#[test]
fn what_differs_in_writing_alone_is_no_conflict() {
    let of = |phone: &str, website: &str, hours: &str| Attributes {
        phone: Some(phone.into()),
        website: Some(website.into()),
        opening_hours: Some(hours.into()),
        ..Attributes::default()
    };
    let records = [
        record(0, "1", of("+423 230 20 20", "https://www.Example.org/", "Mo-Fr 08:00-18:00")),
        record(1, "1", of("2302020", "http://example.org", "mo-fr 08:00 - 18:00")),
        record(2, "1", of("+423 230 20 21", "http://example.org/b", "24/7")),
    ];
    let conflicts = merged(&records, &Merging::default()).conflicts;
    let of: Vec<_> = conflicts.iter().map(|conflict| (&*conflict.property, conflict.record)).collect();
    assert_eq!(of, [("/phone", 2), ("/website", 2), ("/opening_hours", 2)]);
}

#[test]
fn tags_and_names_are_united_and_their_conflicts_kept() {
    let of = |tags: &[(&str, &str)], names: &[(&str, &str)]| Attributes {
        tags: tags.iter().copied().collect(),
        names: names.iter().map(|(language, name)| ((*language).to_owned(), (*name).to_owned())).collect(),
        ..Attributes::default()
    };
    let records = [
        record(0, "1", of(&[("a/b", "1"), ("c", "1")], &[("de", "Rathaus")])),
        record(1, "1", of(&[("a/b", "2"), ("d", "1")], &[("de", "Gemeinde"), ("en", "Town hall")])),
    ];
    let place = merged(&records, &Merging::default());
    let tags: Vec<_> = place.attributes.tags.iter().collect();
    assert_eq!(tags, [("a/b", "1"), ("c", "1"), ("d", "1")]);
    assert_eq!(place.attributes.names.iter().map(|(_, name)| &**name).collect::<Vec<_>>(), ["Rathaus", "Town hall"]);
    let conflicts: Vec<_> = place.conflicts.iter().map(|conflict| &*conflict.property).collect();
    assert_eq!(conflicts, ["/names/de", "/tags/a~1b"]);
}

/// `0o` is a record of dataset 0 with an open licence, `1n` one of dataset 1 with none.
fn licensed(text: &str) -> Vec<Record> {
    let of = |(at, told): (usize, &str)| {
        let dataset = usize::from(told.as_bytes()[0] - b'0');
        let mut record = named(dataset, &at.to_string(), told);
        record.attributes.phone = Some(format!("{at}000000"));
        record.license = told.ends_with('o').then(|| OPEN.into());
        record
    };
    text.split(' ').enumerate().map(of).collect()
}

#[test]
fn records_without_an_open_licence_are_never_mixed_into_others() {
    let cases: [(&str, Merge, &[usize], &[usize]); 11] = [
        ("0o 1o", Merge::Merged, &[0, 1], &[]),
        ("0o 1n", Merge::Merged, &[0], &[1]),
        ("0n 1o", Merge::Merged, &[1], &[0]),
        ("0n 1o 2o 3n", Merge::Merged, &[1, 2], &[0, 3]),
        ("0n 1n", Merge::Merged, &[0], &[1]),
        ("0n 0n 1n", Merge::Merged, &[0, 1], &[2]),
        ("0o 0n", Merge::Merged, &[0], &[1]),
        ("0n", Merge::Merged, &[0], &[]),
        ("0o 1o", Merge::BridgeOnly, &[0], &[]),
        ("0n 1o", Merge::BridgeOnly, &[0], &[]),
        ("0o 0n 1o", Merge::BridgeOnly, &[0], &[1]),
    ];
    for (told, merge, giving, held_out) in cases {
        let records = licensed(told);
        let (mut places, not_heard) = rows(&records, &Merging { merge, ..Merging::default() });
        let place = places.remove(0);
        let gave = |source: &Provenance| records.iter().position(|record| record.key == source.record);
        let whole: Vec<usize> =
            place.sources.iter().filter(|source| source.property.is_empty()).filter_map(gave).collect();
        assert_eq!((&*whole, &*not_heard), (giving, held_out), "{told} {merge}");
        assert!(place.sources.iter().filter_map(gave).all(|at| giving.contains(&at)), "{told} {merge}");
        assert!(place.conflicts.iter().all(|c| c.record.max(c.taken) < giving.len()), "{told}");
        assert_eq!(place.attributes.name, records[giving[0]].attributes.name, "{told} {merge}");
    }
}

#[test]
fn layered_output_says_of_each_dataset_what_it_says() {
    let records = licensed("0o 1n 1o 2n");
    let (layers, held_out) = rows(&records, &Merging { merge: Merge::Layered, ..Merging::default() });
    let told = |layer: &Place| {
        let whole = layer.sources.iter().filter(|source| source.property.is_empty());
        (whole.map(|source| source.record.id.to_string()).collect(), layer.attributes.name.clone().unwrap_or_default())
    };
    let told: Vec<(Vec<String>, String)> = layers.iter().map(told).collect();
    let expected = [("0", "0o"), ("2", "1o"), ("3", "2n")];
    assert_eq!(told, expected.map(|(id, name)| (vec![id.to_owned()], name.to_owned())));
    assert_eq!(held_out, [1]);
}
