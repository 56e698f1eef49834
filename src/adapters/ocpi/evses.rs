//! EVSEs: the charging points of a location, each once, and what they say of it together.
//!
//! What changes with every car must not change the place: available, charging, blocked and reserved are all operational.

use std::collections::BTreeSet;

use geo::Point;
use rustc_hash::{FxHashMap, FxHashSet};

use super::connectors::{connector, grouped, rating};
use super::json::{Fields, number, unreadable};
use crate::domain::{Connector, ConnectorCodes, Finding, FindingRule, Status, Timestamp};

/// Statuses that change with every car, or with the line to the charger. They are kept out of the raw record.
pub(super) const VOLATILE: [&str; 5] = ["AVAILABLE", "BLOCKED", "CHARGING", "RESERVED", "UNKNOWN"];

/// Where an EVSE is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Works,
    OutOfOrder,
    Planned,
    Removed,
    /// Nothing is stated. It counts as being there.
    Unsaid,
}

/// A charging point.
#[derive(Debug, Clone)]
pub(super) struct Evse<'a> {
    /// What the feed lists under its id: one object, or several where the feed repeats it.
    listings: Vec<Fields<'a>>,
    life: Life,
    /// Its EVSE ids as stated, but for a country that is missing.
    pub(super) ids: Vec<Box<str>>,
}

/// The EVSEs of a location, in the order of the first listing of each.
///
/// Two listings are one EVSE where `uid` and `evse_id` are the same and at least one of them is stated. Either alone may
/// repeat: feeds number from 1 in each location, or give every EVSE of a site the same id.
pub(super) fn evses<'a>(location: Fields<'a>, findings: &mut Vec<Finding>) -> Vec<Evse<'a>> {
    if let Some(value) = location.get("evses").filter(|value| !value.is_array()) {
        findings.push(unreadable("evses", value));
    }
    let mut places: FxHashMap<(Option<String>, Option<String>), usize> = FxHashMap::default();
    let mut evses: Vec<Evse<'a>> = Vec::new();
    for listing in location.objects("evses") {
        let key = (listing.text("uid"), listing.text("evse_id"));
        let place = if key == (None, None) { evses.len() } else { *places.entry(key).or_insert(evses.len()) };
        if let Some(evse) = evses.get_mut(place) {
            evse.listings.push(listing);
        } else {
            evses.push(Evse { listings: vec![listing], life: life(listing, findings), ids: Vec::new() });
        }
    }
    for evse in &mut evses {
        if let [first, _, ..] = evse.listings.as_slice() {
            let name = first.text("evse_id").or_else(|| first.text("uid")).unwrap_or_default();
            let told = format!("{name}, {} times", evse.listings.len());
            findings.push(Finding::dropped(FindingRule::RepeatedPart, "evses", told));
        }
        for listing in &evse.listings {
            // Lithuania's national feed gives its own ids in `evse_id`, and the operator's beside it.
            let stated = listing.text("evse_id").unwrap_or_default();
            let each = stated.split([';', ',', '|', '/']).map(str::trim).filter(|id| !id.is_empty());
            evse.ids.extend(each.map(|id| with_country(id.to_owned(), location, findings).into()));
            evse.ids.extend(listing.text("original_evse_id").map(Into::into));
        }
        evse.ids.sort_unstable();
        evse.ids.dedup();
    }
    evses
}

fn life(evse: Fields<'_>, findings: &mut Vec<Finding>) -> Life {
    let Some(word) = evse.word("status") else { return Life::Unsaid };
    match word.replace('_', "").as_str() {
        "AVAILABLE" | "BLOCKED" | "CHARGING" | "RESERVED" => Life::Works,
        "INOPERATIVE" | "OUTOFORDER" => Life::OutOfOrder,
        "PLANNED" => Life::Planned,
        "REMOVED" => Life::Removed,
        "UNKNOWN" => Life::Unsaid,
        _ => {
            findings.push(Finding::dropped(FindingRule::UnknownCode, "status", word));
            Life::Unsaid
        }
    }
}

/// An EVSE id with its country, where it begins with the party that the location states, as in `IGN-E-N5OC-A`.
fn with_country(id: String, location: Fields<'_>, findings: &mut Vec<Finding>) -> String {
    let (Some(country), Some(party)) = (location.word("country_code"), location.word("party_id")) else { return id };
    let compact: String = id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let outlet = compact.strip_prefix(&party).filter(|_| !compact.starts_with(&country));
    if country.len() != 2 || !outlet.is_some_and(|outlet| outlet.starts_with(['E', 'P']) && outlet.len() > 1) {
        return id;
    }
    let whole = format!("{country}*{id}");
    findings.push(Finding::replaced(FindingRule::EvseIdWithoutCountry, "evse_id", id, whole.as_str()));
    whole
}

/// The EVSEs that make up the place: those that are there; where none is, those that are planned. None that is removed.
pub(super) fn counted<'e, 'a>(evses: &'e [Evse<'a>]) -> Vec<&'e Evse<'a>> {
    let of =
        |planned: bool| move |evse: &&Evse<'_>| evse.life != Life::Removed && (evse.life == Life::Planned) == planned;
    let there: Vec<_> = evses.iter().filter(of(false)).collect();
    if there.is_empty() { evses.iter().filter(of(true)).collect() } else { there }
}

/// What the EVSEs say of the place. `None` where there is none, or none says anything.
pub(super) fn status(evses: &[Evse<'_>]) -> Option<Status> {
    let counted = counted(evses);
    let any = |life: Life| counted.iter().any(|evse| evse.life == life);
    match (any(Life::Works), any(Life::OutOfOrder)) {
        (true, true) => Some(Status::Partial),
        (true, false) => Some(Status::Operational),
        (false, true) => Some(Status::OutOfOrder),
        (false, false) if any(Life::Planned) => Some(Status::Planned),
        (false, false) if counted.is_empty() && !evses.is_empty() => Some(Status::Removed),
        (false, false) => None,
    }
}

/// The connectors of these EVSEs, grouped by kind and rating. Each of an EVSE counts, though one car at a time can use them.
pub(super) fn connectors(evses: &[&Evse<'_>], codes: &ConnectorCodes, findings: &mut Vec<Finding>) -> Vec<Connector> {
    let mut all = Vec::new();
    for evse in evses {
        let mut seen = BTreeSet::new();
        for stated in evse.listings.iter().flat_map(|listing| listing.objects("connectors")) {
            let connector = connector(stated, &evse.ids, codes, findings);
            // Some feeds give every connector the same id, so only what is the same throughout is listed twice.
            let id = stated.text("id");
            let is_new = id.as_ref().is_none_or(|id| seen.insert((id.clone(), rating(&connector))));
            if is_new {
                all.push(connector);
            } else if evse.listings.len() == 1 {
                let told = format!("connector {}", id.unwrap_or_default());
                findings.push(Finding::dropped(FindingRule::RepeatedPart, "connectors", told));
            }
        }
    }
    grouped(all)
}

/// The EVSE ids of those that list no connector, so that no connector tells them.
pub(super) fn ids_without_connectors(evses: &[&Evse<'_>]) -> Vec<Box<str>> {
    let has_none =
        |evse: &&&Evse<'_>| evse.listings.iter().all(|listing| listing.objects("connectors").next().is_none());
    evses.iter().filter(has_none).flat_map(|evse| evse.ids.iter().cloned()).collect()
}

/// Whether a list of any EVSE, such as `capabilities`, has this word.
pub(super) fn words(evses: &[&Evse<'_>], key: &str) -> Vec<String> {
    let mut words: Vec<String> = listings(evses).flat_map(|listing| listing.words(key)).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Whether the list of each EVSE has one of these words.
pub(super) fn all_say(evses: &[&Evse<'_>], key: &str, wanted: &[&str]) -> bool {
    let says = |listing: &Fields<'_>| listing.words(key).iter().any(|word| wanted.contains(&word.as_str()));
    !evses.is_empty() && evses.iter().all(|evse| evse.listings.iter().any(says))
}

/// Where the EVSEs say that they are, each position once, without that of the location itself.
pub(super) fn positions(evses: &[Evse<'_>], own: (f64, f64), findings: &mut Vec<Finding>) -> Vec<Point<f64>> {
    let mut positions: Vec<Point<f64>> = Vec::new();
    let mut seen = FxHashSet::from_iter([(own.0.to_bits(), own.1.to_bits())]);
    for listing in evses.iter().flat_map(|evse| &evse.listings) {
        let Some(value) = listing.get("coordinates") else { continue };
        let coordinates = listing.object("coordinates");
        let degrees = |key| coordinates.get(key).and_then(number);
        match degrees("longitude").zip(degrees("latitude")) {
            Some((lon, lat)) if seen.insert((lon.to_bits(), lat.to_bits())) => {
                positions.push(Point::new(lon, lat));
            }
            Some(_) => {}
            None => findings.push(unreadable("evses.coordinates", value)),
        }
    }
    positions
}

/// When an EVSE or a connector was last changed.
pub(super) fn updated(evses: &[Evse<'_>], findings: &mut Vec<Finding>) -> Option<Timestamp> {
    let of_evses = evses.iter().flat_map(|evse| &evse.listings).copied();
    let objects = of_evses.flat_map(|listing| std::iter::once(listing).chain(listing.objects("connectors")));
    objects.filter_map(|object| object.time("last_updated", findings)).max()
}

fn listings<'l, 'a>(evses: &'l [&Evse<'a>]) -> impl Iterator<Item = &'l Fields<'a>> {
    evses.iter().flat_map(|evse| &evse.listings)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn with_statuses(statuses: &str) -> Value {
        let evses = statuses.split(' ').filter(|status| !status.is_empty());
        let evses = evses.enumerate().map(|(uid, status)| json!({"uid": uid, "status": status}));
        json!({"evses": evses.collect::<Vec<_>>()})
    }

    #[test]
    fn the_status_of_a_place_is_that_of_all_its_evses() {
        let cases = [
            ("AVAILABLE", Some(Status::Operational), 1),
            ("CHARGING BLOCKED RESERVED available", Some(Status::Operational), 4),
            ("UNKNOWN", None, 1),
            ("UNKNOWN AVAILABLE", Some(Status::Operational), 2),
            ("OUTOFORDER INOPERATIVE out_of_order", Some(Status::OutOfOrder), 3),
            ("OUTOFORDER UNKNOWN", Some(Status::OutOfOrder), 2),
            ("OUTOFORDER CHARGING", Some(Status::Partial), 2),
            ("PLANNED PLANNED", Some(Status::Planned), 2),
            ("PLANNED AVAILABLE", Some(Status::Operational), 1),
            ("PLANNED REMOVED", Some(Status::Planned), 1),
            ("PLANNED UNKNOWN", None, 1),
            ("REMOVED REMOVED", Some(Status::Removed), 0),
            ("REMOVED AVAILABLE", Some(Status::Operational), 1),
            ("REMOVED UNKNOWN", None, 1),
            ("SLEEPING", None, 1),
            ("", None, 0),
        ];
        for (statuses, expected, capacity) in cases {
            let location = with_statuses(statuses);
            let mut findings = Vec::new();
            let evses = evses(Fields::of(&location), &mut findings);
            assert_eq!((status(&evses), counted(&evses).len()), (expected, capacity), "{statuses}");
            let expected =
                (statuses == "SLEEPING").then(|| Finding::dropped(FindingRule::UnknownCode, "status", "SLEEPING"));
            assert_eq!(findings, Vec::from_iter(expected), "{statuses}");
        }
    }

    #[test]
    fn what_a_feed_lists_twice_counts_once() {
        let codes = ConnectorCodes::parse(include_str!("../../../pipelines/connectors.toml")).unwrap();
        let plug = |id: Value, standard: &str| json!({"id": id, "standard": standard, "format": "CABLE"});
        let evse = |uid: Value, id: Value, plugs: Vec<Value>| json!({"uid": uid, "evse_id": id, "connectors": plugs});
        let (a, b) = (json!("A"), json!("B"));
        let cases = [
            // the same uid and id, with the same connector
            (vec![evse(a.clone(), b.clone(), vec![plug(json!(1), "CHADEMO")]); 3], 1, 1, vec!["evses: B, 3 times"]),
            // the same uid and id, with another connector
            (
                vec![
                    evse(a.clone(), b.clone(), vec![plug(json!(1), "CHADEMO")]),
                    evse(a.clone(), b.clone(), vec![plug(json!(2), "MCS")]),
                ],
                1,
                2,
                vec!["evses: B, 2 times"],
            ),
            // the same id under other uids, and the other way round
            (vec![evse(json!(1), b.clone(), vec![]), evse(json!(2), b.clone(), vec![])], 2, 0, vec![]),
            (vec![evse(a.clone(), json!(1), vec![]), evse(a.clone(), json!(2), vec![])], 2, 0, vec![]),
            // neither
            (vec![json!({}), json!({})], 2, 0, vec![]),
            // connectors: the same id is not enough, no id is no reason
            (vec![evse(a.clone(), b.clone(), vec![plug(json!(1), "CHADEMO"), plug(json!(1), "MCS")])], 1, 2, vec![]),
            (vec![evse(a.clone(), b.clone(), vec![plug(json!(""), "MCS"), plug(json!(""), "MCS")])], 1, 2, vec![]),
            (
                vec![evse(a, b, vec![plug(json!(1), "MCS"), plug(json!(1), "MCS")])],
                1,
                1,
                vec!["connectors: connector 1"],
            ),
        ];
        for (listed, expected, plugs, found) in cases {
            let location = json!({ "evses": listed });
            let mut findings = Vec::new();
            let evses = evses(Fields::of(&location), &mut findings);
            let connectors = connectors(&counted(&evses), &codes, &mut findings);
            let count: i32 = connectors.iter().filter_map(|connector| connector.count).sum();
            assert_eq!((evses.len(), count), (expected, plugs), "{location}");
            let told: Vec<_> =
                findings.iter().map(|f| format!("{}: {}", f.field, f.before.as_deref().unwrap_or_default())).collect();
            assert_eq!(told, found, "{location}");
            assert!(findings.iter().all(|finding| finding.rule == FindingRule::RepeatedPart));
        }
    }

    #[test]
    fn an_evse_id_gets_the_country_that_only_the_location_states() {
        let cases = [
            ("LT", "IGN", "IGN-E-N5OC-A", "LT*IGN-E-N5OC-A"),
            ("lt", "ibg", "IBG-P-XRZR-B", "LT*IBG-P-XRZR-B"),
            ("LT", "IGN", "LT*IGN*E025A", "LT*IGN*E025A"),
            ("LT", "ELD", "202-A", "202-A"),
            ("LT", "IGN", "IGN", "IGN"),
            ("LT", "IGN", "IGN*025", "IGN*025"),
            ("LT", "LTX", "LTXE1", "LTXE1"),
            ("NL", "PFG", "NL.SPI.ECO00304*1", "NL.SPI.ECO00304*1"),
            ("", "IGN", "IGN-E-1", "IGN-E-1"),
        ];
        for (country, party, id, expected) in cases {
            let location = json!({"country_code": country, "party_id": party, "evses": [{"evse_id": id}]});
            let mut findings = Vec::new();
            let evses = evses(Fields::of(&location), &mut findings);
            assert_eq!(evses[0].ids, [Box::from(expected)], "{id}");
            let repaired =
                (id != expected).then(|| Finding::replaced(FindingRule::EvseIdWithoutCountry, "evse_id", id, expected));
            assert_eq!(findings, Vec::from_iter(repaired), "{id}");
        }
    }

    #[test]
    fn positions_of_evses_are_told_where_they_are_not_the_locations() {
        let location = json!({"evses": [
            {"uid": 1, "coordinates": {"latitude": 47.7, "longitude": 26.6}},
            {"uid": 2, "coordinates": {"latitude": "47.7", "longitude": "26.6"}},
            {"uid": 3, "coordinates": {"latitude": 47.7, "longitude": 47.7}},
            {"uid": 4, "coordinates": {"latitude": 47.8}},
            {"uid": 5},
        ]});
        let mut findings = Vec::new();
        let evses = evses(Fields::of(&location), &mut findings);
        assert_eq!(positions(&evses, (47.7, 47.7), &mut findings), [Point::new(26.6, 47.7)]);
        let lost = Finding::dropped(FindingRule::UnreadableValue, "evses.coordinates", "{\"latitude\":47.8}");
        assert_eq!(findings, [lost]);
    }
}
