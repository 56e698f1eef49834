//! Merge: one place of the records that describe it; the best source's value per attribute, with its provenance.
//!
//! Records come in the order of the pipeline file's sources, so the first that knows an attribute gives it. Exceptions:
//! the status is the newest statement, names and tags are united.

use super::cluster::{Link, Verdict};
use crate::domain::{Address, Attributes, Place, Provenance, Record, Tags};

/// Share of records of one source that describe something which exists: the prior of a place's confidence.
///
/// A guess until labelled data fit it: one in five Open Charge Map records without a recent check-in is outdated.
const RECORD_EXISTS: f64 = 0.8;

/// The place that `records[members]` describe. `members` is sorted and not empty.
pub(super) fn place(records: &[Record], members: &[usize], links: &[Link]) -> Place {
    let group: Vec<&Record> = members.iter().map(|at| &records[*at]).collect();
    let joined: Vec<f64> = members.iter().map(|at| joined_with(*at, members, links)).collect();
    let doubt: f64 = joined.iter().map(|joined| 1.0 - RECORD_EXISTS * joined).product();

    let whole = |at: usize| provenance("", group[at], joined[at]);
    let mut sources: Vec<Provenance> = (0..group.len()).map(whole).collect();
    let mut merged = Attributes::default();
    let mut take = |property: &'static str, knows: &dyn Fn(&Attributes) -> bool, set: &mut dyn FnMut(&Attributes)| {
        if let Some(at) = group.iter().position(|record| knows(&record.attributes)) {
            set(&group[at].attributes);
            if group.len() > 1 {
                sources.push(provenance(property, group[at], joined[at]));
            }
        }
    };
    macro_rules! first_known {
        ($($property:literal => $field:ident),* $(,)?) => {
            $(take($property, &|about| about.$field.is_some(), &mut |about| merged.$field.clone_from(&about.$field));)*
        };
    }
    first_known! {
        "/name" => name, "/network" => network,
        "/brand" => brand, "/phone" => phone, "/website" => website, "/email" => email,
        "/opening_hours" => opening_hours, "/access" => access, "/fee" => fee, "/capacity" => capacity,
    }
    take("/category", &|about| !about.category.is_empty(), &mut |about| merged.category.clone_from(&about.category));
    take("/address", &|about| about.address != Address::default(), &mut |about| merged.address = about.address.clone());
    // What belongs together comes from one record: plugs and their power, an operator and its Wikidata id.
    take("/connectors", &|about| !about.connectors.is_empty(), &mut |about| {
        merged.connectors.clone_from(&about.connectors);
        merged.max_power_kw = about.max_power_kw;
    });
    if merged.max_power_kw.is_none() {
        take("/max_power_kw", &|about| about.max_power_kw.is_some(), &mut |about| {
            merged.max_power_kw = about.max_power_kw;
        });
    }
    take("/operator", &|about| about.operator.is_some() || about.operator_wikidata.is_some(), &mut |about| {
        merged.operator.clone_from(&about.operator);
        merged.operator_wikidata.clone_from(&about.operator_wikidata);
    });

    // The newest statement on the status; of equally old ones the first.
    let mut newest: Option<usize> = None;
    for (at, record) in group.iter().enumerate().filter(|(_, record)| record.attributes.status.is_some()) {
        if newest.is_none_or(|best| record.update_time > group[best].update_time) {
            newest = Some(at);
        }
    }
    if let Some(at) = newest {
        merged.status = group[at].attributes.status;
        if group.len() > 1 {
            sources.push(provenance("/status", group[at], joined[at]));
        }
    }

    for about in group.iter().map(|record| &record.attributes) {
        for category in std::iter::once(&about.category).chain(&about.alternate_categories) {
            if *category != merged.category && !merged.alternate_categories.contains(category) {
                merged.alternate_categories.push(category.clone());
            }
        }
        for (language, name) in &about.names {
            if let Err(at) = merged.names.binary_search_by(|(known, _)| known.cmp(language)) {
                merged.names.insert(at, (language.clone(), name.clone()));
            }
        }
    }
    // Of a key with several values the first record's stays, so the last is written first.
    let pairs = group.iter().rev().flat_map(|record| record.attributes.tags.iter());
    merged.tags = pairs.collect::<Tags>();

    // The record that gives the footprint gives the position too, so that the one lies inside the other.
    let located = group.iter().find(|record| record.footprint.is_some()).unwrap_or(&group[0]);
    Place {
        position: located.position,
        footprint: located.footprint.clone(),
        attributes: merged,
        members: members.to_vec(),
        sources,
        confidence: round(1.0 - doubt),
    }
}

/// How sure it is that a record belongs to its group: its best match within, 1 for a record alone.
fn joined_with(record: usize, members: &[usize], links: &[Link]) -> f64 {
    if members.len() == 1 {
        return 1.0;
    }
    let within = members.iter().filter(|other| **other != record).filter_map(|other| {
        let pair = (record.min(*other), record.max(*other));
        let at = links.binary_search_by_key(&pair, |link| link.pair).ok()?;
        (links[at].verdict == Verdict::Match).then_some(links[at].score.probability)
    });
    round(within.fold(0.0, f64::max))
}

fn provenance(property: &'static str, record: &Record, confidence: f64) -> Provenance {
    Provenance {
        property,
        record: record.key.clone(),
        license: record.license.clone(),
        update_time: record.update_time,
        confidence,
    }
}

fn round(probability: f64) -> f64 {
    (probability * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Connector, ConnectorType, Hash16, LonLat, RecordId, RecordKey};

    fn record(dataset: usize, about: Attributes) -> Record {
        Record {
            key: RecordKey { dataset, id: RecordId::new("1") },
            position: LonLat::new(9.5, 47.1).expect("a position"),
            footprint: None,
            attributes: Attributes { category: "charging_station".into(), ..about },
            operator_key: None,
            external_ids: Vec::new(),
            update_time: None,
            license: None,
            raw: "{}".into(),
            content_hash: Hash16([0; 16]),
            line: None,
            duplicate_of: None,
            findings: Vec::new(),
            parts: Vec::new(),
        }
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
        let merged = place(&[record(0, first.clone()), record(1, second)], &[0, 1], &[]).attributes;
        assert_eq!((merged.connectors, merged.max_power_kw), (plugs, Some(50.0)));
        assert_eq!((merged.operator.as_deref(), merged.operator_wikidata), (Some("Foo"), None));

        let alone = place(&[record(0, first), record(1, Attributes::default())], &[0, 1], &[]).attributes;
        assert_eq!(alone.max_power_kw, Some(22.0), "a power without plugs is better than none");
    }
}
