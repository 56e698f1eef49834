//! OCPI in its versions, as array, envelope and lines.

use poimill::adapters::ocpi::Ocpi;
use poimill::domain::{Address, Attributes, Connector, ConnectorType, Current, Status, Vocabulary};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::read::{assert_same, records};
use super::station::{Station, codes, stations};

/// A version, as far as it writes things differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V211,
    V22,
    V23,
}

/// What OCPI can say: nothing on fees, access only by parking restrictions, and how many can charge at once by its EVSEs;
/// those that were removed are no more.
fn says(station: &Station) -> Attributes {
    let about = &station.about;
    let is_gone = about.status == Some(Status::Removed);
    let connectors = if is_gone { Vec::new() } else { about.connectors.clone() };
    let points = connectors.iter().filter_map(|connector| connector.count).reduce(|a, b| a + b);
    Attributes {
        access: None,
        fee: None,
        status: about.status.filter(|_| !about.connectors.is_empty()),
        capacity: points,
        max_power_kw: about.max_power_kw.filter(|_| !is_gone),
        connectors,
        ..about.clone()
    }
}

fn evse_status(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Operational) => "AVAILABLE",
        Some(Status::OutOfOrder) => "OUTOFORDER",
        Some(Status::Planned) => "PLANNED",
        Some(Status::Removed) => "REMOVED",
        _ => "UNKNOWN",
    }
}

fn connector(connector: &Connector, version: Version) -> Value {
    let codes = codes();
    let code = match connector.kind {
        // Before 2.3 there was no word for it but Tesla's own.
        ConnectorType::Nacs if version != Version::V23 => "SAE_J3400",
        kind => codes.write(Vocabulary::Ocpi, kind).expect("a code"),
    };
    let by_current = if connector.current == Some(Current::Dc) { "CABLE" } else { "SOCKET" };
    let (standard, format) = code.split_once('/').unwrap_or((code, by_current));
    let power_type = match connector.current {
        Some(Current::AcSingle) => "AC_1_PHASE",
        Some(Current::AcThree) => "AC_3_PHASE",
        _ => "DC",
    };
    let (volts, amperes) = match version {
        Version::V211 => ("voltage", "amperage"),
        Version::V22 | Version::V23 => ("max_voltage", "max_amperage"),
    };
    let mut written = json!({
        "id": "1",
        "standard": standard,
        "format": format,
        "power_type": power_type,
        "max_electric_power": connector.power_kw.map(|kw| (kw * 1_000.0).round()),
        "last_updated": "2026-05-01T20:21:00Z",
    });
    written[volts] = json!(connector.voltage_v.unwrap_or(0.0));
    written[amperes] = json!(connector.amperage_a.unwrap_or(0.0));
    written
}

/// An EVSE for each connector.
fn evses(station: &Station, version: Version) -> Vec<Value> {
    let of_connector = |(at, stated): (usize, &Connector)| {
        let evse = |n: i32| {
            json!({
                "uid": format!("{}-{at}-{n}", station.id),
                "evse_id": stated.evse_ids.get(n as usize),
                "status": evse_status(station.about.status),
                "connectors": [connector(stated, version)],
                "last_updated": "2026-05-01T20:21:00Z",
            })
        };
        (0..stated.count.unwrap_or(1)).map(evse).collect::<Vec<_>>()
    };
    station.about.connectors.iter().enumerate().flat_map(of_connector).collect()
}

fn location(station: &Station, version: Version) -> Value {
    let about = &station.about;
    let Address { street, housenumber, locality, postcode, .. } = &about.address;
    let line = street.as_ref().zip(housenumber.as_ref()).map(|(street, number)| format!("{street} {number}"));
    let mut location = json!({
        "id": station.id.to_string(),
        "name": about.name,
        "address": line,
        "city": locality,
        "postal_code": postcode,
        "country": "DEU",
        "coordinates": { "latitude": station.lat.to_string(), "longitude": station.lon.to_string() },
        "evses": evses(station, version),
        "operator": { "name": about.operator, "website": about.website },
        "help_phone": about.phone,
        "opening_times": about.opening_hours.as_ref().map(|_| json!({ "twentyfourseven": true })),
        "last_updated": "2026-05-01T20:21:00Z",
    });
    if version != Version::V211 {
        location["country_code"] = json!("DE");
        location["party_id"] = json!("ABC");
        location["publish"] = json!(true);
    }
    location
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn stations_come_back_from_every_version_of_ocpi(stations in stations(Vocabulary::Ocpi)) {
        for version in [Version::V211, Version::V22, Version::V23] {
            let locations: Vec<Value> = stations.iter().map(|station| location(station, version)).collect();
            let shapes = [
                ("array", json!(locations).to_string()),
                ("envelope", json!({ "data": locations, "status_code": 1000 }).to_string()),
                ("lines", locations.iter().map(|location| location.to_string() + "\n").collect()),
            ];
            for (name, text) in shapes {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("locations.json");
                std::fs::write(&path, text).expect("a file");
                assert_same(records(&Ocpi::new(name.to_owned(), path, None, None)), &stations, says);
            }
        }
    }
}
