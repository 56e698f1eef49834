//! An invented location as each version writes it, and the feature that it becomes.

use serde_json::{Map, Value, json};

use crate::domain::{Connector, ConnectorType, Current, Feature, RecordId};

/// As OCPI 2.1.1 has it: no party, `type`, volts and amperes.
pub(super) fn v2_1_1() -> Value {
    json!({
        "id": "LOC1", "type": "PARKING_LOT", "name": "Example Square", "address": "Example Street 1", "city": "Exampletown",
        "postal_code": "1234 AB", "country": "NLD", "coordinates": {"latitude": "52.100000", "longitude": "5.200000"},
        "evses": [
            {"uid": "1", "evse_id": "NL*EXA*E1", "status": "AVAILABLE", "capabilities": ["RFID_READER", "RESERVABLE"],
                "connectors": [
                    {"id": "1", "standard": "IEC_62196_T2_COMBO", "format": "CABLE", "power_type": "DC", "voltage": 400, "amperage": 125,
                        "tariff_id": "T", "last_updated": "2026-01-01T00:00:00Z"},
                    {"id": "2", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE", "voltage": 230, "amperage": 32,
                        "last_updated": "2026-01-01T00:00:00Z"},
                ],
                "coordinates": {"latitude": "52.100100", "longitude": "5.200100"}, "last_updated": "2026-01-04T00:00:00Z"},
            {"uid": "2", "evse_id": "NL*EXA*E2", "status": "UNKNOWN",
                "connectors": [{"id": "1", "standard": "IEC_62196_T2_COMBO", "format": "CABLE", "power_type": "DC", "voltage": 400,
                    "amperage": 125, "last_updated": "2026-01-01T00:00:00Z"}], "last_updated": "2026-01-02T00:00:00Z"},
            {"uid": "3", "evse_id": "NL*EXA*E3", "status": "REMOVED", "capabilities": ["CREDIT_CARD_PAYABLE"],
                "connectors": [{"id": "1", "standard": "CHADEMO", "format": "CABLE", "power_type": "DC", "voltage": 400, "amperage": 125}],
                "last_updated": "2026-01-02T00:00:00Z"},
        ],
        "operator": {"name": "Example Power", "website": "https://example.org"}, "owner": {"name": "Somebody else"},
        "opening_times": {"twentyfourseven": false, "regular_hours": [{"weekday": 1, "period_begin": "08:00", "period_end": "18:00"}]},
        "time_zone": "Europe/Amsterdam", "last_updated": "2026-01-03T00:00:00Z"
    })
}

/// As OCPI 2.2 and 2.2.1 have it: a party, `parking_type`, highest volts, amperes and watts.
pub(super) fn v2_2() -> Value {
    let mut location = v2_1_1();
    rename(&mut location, "type", "parking_type");
    set(&mut location, &[("country_code", "NL".into()), ("party_id", "EXA".into()), ("publish", true.into())]);
    for evse in location["evses"].as_array_mut().unwrap() {
        for connector in evse["connectors"].as_array_mut().unwrap() {
            rename(connector, "voltage", "max_voltage");
            rename(connector, "amperage", "max_amperage");
        }
    }
    set(&mut location["evses"][0]["connectors"][0], &[("max_electric_power", 50_000.into())]);
    location
}

/// As OCPI 2.3.0 has it: parking places beside the EVSEs, and what a connector can do.
pub(super) fn v2_3() -> Value {
    let mut location = v2_2();
    set(&mut location, &[("parking_places", json!([{"id": "P1", "vehicle_types": ["PERSONAL_VEHICLE"]}]))]);
    set(&mut location["evses"][0], &[("parking", json!([{"parking_id": "P1"}]))]);
    set(&mut location["evses"][0]["connectors"][0], &[("capabilities", json!(["ISO_15118_2_PLUG_AND_CHARGE"]))]);
    location
}

fn set(object: &mut Value, fields: &[(&str, Value)]) {
    object.as_object_mut().unwrap().extend(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
}

fn rename(object: &mut Value, from: &str, to: &str) {
    let fields = object.as_object_mut().unwrap();
    let value = fields.remove(from).unwrap();
    fields.insert(to.to_owned(), value);
}

/// The same with keys in camel case, numbers in quotes, words in small letters, and times with a blank.
pub(super) fn camel_case(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let renamed = fields.iter().map(|(key, value)| {
                let mut words = key.split('_');
                let first = words.next().unwrap_or_default().to_owned();
                let key = words.fold(first, |key, word| key + &word[..1].to_uppercase() + &word[1..]);
                let value = match (key.as_str(), value) {
                    ("format" | "powerType" | "status", Value::String(word)) => word.to_lowercase().into(),
                    ("lastUpdated", Value::String(time)) => time.replace('T', " ").replace('Z', "").into(),
                    (_, Value::Number(number)) => number.to_string().into(),
                    (_, value) => camel_case(value),
                };
                (key, value)
            });
            Value::Object(renamed.chain([("none".to_owned(), Value::Null)]).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(camel_case).collect(),
        plain => plain.clone(),
    }
}

/// What the location becomes, but for the raw record.
pub(super) fn expected(party: Option<&str>) -> Feature {
    let tags = [
        ("addr:city", "Exampletown"),
        ("addr:country", "NL"),
        ("addr:housenumber", "1"),
        ("addr:street", "Example Street"),
        ("addr:postcode", "1234 AB"),
        ("amenity", "charging_station"),
        ("authentication:nfc", "yes"),
        ("capacity", "2"),
        ("name", "Example Square"),
        ("opening_hours", "Mo 08:00-18:00"),
        ("operational_status", "operational"),
        ("operator", "Example Power"),
        ("parking", "surface"),
        ("reservation", "yes"),
        ("website", "https://example.org"),
    ];
    let tags = tags.into_iter().chain(party.map(|party| ("ref:ocpi:party", party))).collect();
    let id = party.map_or_else(|| "LOC1".to_owned(), |party| format!("{party}*LOC1"));
    let connectors = vec![
        Connector {
            current: Some(Current::Dc),
            power_kw: Some(50.0),
            voltage_v: Some(400.0),
            amperage_a: Some(125.0),
            count: Some(2),
            evse_ids: vec!["NL*EXA*E1".into(), "NL*EXA*E2".into()],
            ..Connector::of(ConnectorType::Ccs2)
        },
        Connector {
            current: Some(Current::AcThree),
            power_kw: Some(22.1),
            voltage_v: Some(230.0),
            amperage_a: Some(32.0),
            count: Some(1),
            evse_ids: vec!["NL*EXA*E1".into()],
            ..Connector::of(ConnectorType::Type2Socket)
        },
    ];
    Feature {
        connectors,
        update_time: Some("2026-01-04T00:00:00Z".parse().unwrap()),
        license: Some("CC0-1.0".into()),
        raw: "".into(),
        other_positions: vec![geo::Point::new(5.2001, 52.1001)],
        ..Feature::point(RecordId::new(id), 5.2, 52.1, tags)
    }
}
