//! Open Charge Map in its shapes of JSON.

use poimill::adapters::open_charge_map::OpenChargeMap;
use poimill::domain::{Access, Address, Attributes, Connector, Current, Status, Vocabulary};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::read::{assert_same, records};
use super::station::{Station, codes, stations};

/// Numbers of reference data for what the stations speak of.
const OPERATORS: [(i64, &str); 3] = [(23, "Tesla"), (9001, "evpass"), (9002, "Stadtwerke Nebelhafen")];

/// JSON can say everything.
fn says(station: &Station) -> Attributes {
    station.about.clone()
}

fn usage(access: Option<Access>) -> Option<i64> {
    access.map(|access| match access {
        Access::Public => 1,
        Access::Permit => 2,
        Access::Private => 3,
        Access::Customers => 6,
    })
}

fn status(status: Status) -> i64 {
    match status {
        Status::Operational => 50,
        Status::Partial => 75,
        Status::OutOfOrder => 100,
        Status::Planned | Status::Construction => 150,
        Status::Removed => 200,
        Status::Unknown => 0,
    }
}

fn connection(connector: &Connector) -> Value {
    let current = connector.current.map(|current| match current {
        Current::AcSingle => 10,
        Current::AcThree => 20,
        Current::Dc => 30,
    });
    let code: i64 = codes().write(Vocabulary::Ocm, connector.kind).expect("a code").parse().expect("a number");
    json!({
        "ConnectionTypeID": code,
        "CurrentTypeID": current,
        "PowerKW": connector.power_kw,
        "Voltage": connector.voltage_v,
        "Amps": connector.amperage_a,
        "Quantity": connector.count,
        "Reference": (!connector.evse_ids.is_empty()).then(|| connector.evse_ids.join(";")),
    })
}

/// A record in today's form without nested reference objects; nulls and all.
fn compact(station: &Station) -> Value {
    let about = &station.about;
    let Address { street, housenumber, locality, postcode, .. } = &about.address;
    let line = street.as_ref().zip(housenumber.as_ref()).map(|(street, number)| format!("{street} {number}"));
    let operator = about.operator.as_deref().and_then(|name| OPERATORS.iter().find(|(_, title)| *title == name));
    json!({
        "ID": station.id,
        "UUID": format!("U-{}", station.id),
        "DataProviderID": 1,
        "OperatorID": operator.map(|(id, _)| id),
        "UsageTypeID": usage(about.access),
        "UsageCost": about.fee.map(|pays| if pays { "0.45 EUR/kWh" } else { "Free" }),
        "AddressInfo": {
            "ID": station.id,
            "Title": about.name,
            "AddressLine1": line,
            "Town": locality,
            "Postcode": postcode,
            "CountryID": 87,
            "Latitude": station.lat,
            "Longitude": station.lon,
            "ContactTelephone1": about.phone,
            "RelatedURL": about.website,
            "AccessComments": about.opening_hours,
            "DistanceUnit": 0,
        },
        "Connections": about.connectors.iter().map(connection).collect::<Vec<_>>(),
        "NumberOfPoints": about.capacity,
        "StatusTypeID": about.status.map(status),
        "SubmissionStatusTypeID": 200,
        "IsRecentlyVerified": true,
        "DateCreated": "2026-05-01T20:21:00Z",
    })
}

/// The same with the objects that the numbers stand for, as far as a reader may look into them.
fn verbose(station: &Station) -> Value {
    let mut record = compact(station);
    let nested =
        |key: &str, title: Option<&str>| (!record[key].is_null()).then(|| json!({ "ID": record[key], "Title": title }));
    let operator = nested("OperatorID", station.about.operator.as_deref());
    let (usage, status) = (nested("UsageTypeID", None), nested("StatusTypeID", None));
    record["OperatorInfo"] = json!(operator);
    record["UsageType"] = json!(usage);
    record["StatusType"] = json!(status);
    record["DataProvider"] = json!({ "ID": 1, "Title": "Open Charge Map Contributors" });
    record["SubmissionStatus"] = json!({ "ID": 200, "IsLive": true });
    record["AddressInfo"]["Country"] = json!({ "ID": 87, "ISOCode": "DE", "Title": "Germany" });
    for connection in record["Connections"].as_array_mut().expect("a list") {
        connection["ConnectionType"] = json!({ "ID": connection["ConnectionTypeID"] });
        connection["CurrentType"] = json!({ "ID": connection["CurrentTypeID"] });
    }
    record
}

/// Without nulls.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(key, value)| (key, bare(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(bare).collect()),
        plain => plain,
    }
}

/// With keys in camel case, as the interface writes them.
fn camel(value: Value) -> Value {
    let key = |key: String| match key.as_str() {
        "ID" | "UUID" => key.to_lowercase(),
        "ISOCode" => "isoCode".to_owned(),
        _ => key[..1].to_lowercase() + &key[1..],
    };
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (key(name), camel(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(camel).collect()),
        plain => plain,
    }
}

/// As mongoexport writes it: a line per record, and dates and ids in extended JSON.
fn mongo(record: Value) -> String {
    let mut record = record;
    record["_id"] = json!({ "$oid": "5f9b" });
    record["DateCreated"] = json!({ "$date": record["DateCreated"] });
    record.to_string() + "\n"
}

fn array(records: impl Iterator<Item = Value>) -> String {
    Value::Array(records.collect()).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn stations_come_back_from_every_shape_of_open_charge_map(stations in stations(Vocabulary::Ocm)) {
        let reference = json!({
            "Operators": OPERATORS.iter().map(|(id, title)| json!({ "ID": id, "Title": title })).collect::<Vec<_>>(),
            "DataProviders": [], "Countries": [],
        });
        let shapes = [
            ("verbose", array(stations.iter().map(verbose))),
            ("compact", array(stations.iter().map(compact))),
            ("bare", array(stations.iter().map(compact).map(bare))),
            ("camel case", array(stations.iter().map(verbose).map(camel))),
            ("mongoexport", stations.iter().map(verbose).map(mongo).collect()),
            ("pretty", format!("{:#}", Value::Array(stations.iter().map(compact).map(bare).collect()))),
        ];
        let folder = tempfile::tempdir().expect("a folder");
        let reference_file = folder.path().join("reference.json");
        std::fs::write(&reference_file, reference.to_string()).expect("a file");
        for (name, text) in shapes {
            let path = folder.path().join("dump.json");
            std::fs::write(&path, text).expect("a file");
            let source = OpenChargeMap::new(name.to_owned(), path, Some(reference_file.clone()));
            assert_same(records(&source), &stations, says);
        }
    }
}
