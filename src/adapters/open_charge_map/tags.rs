//! Tags: what a record says, in OpenStreetMap's words.

use super::json::Fields;
use super::reference::Reference;
use super::text;
use crate::domain::{Status, Tags, street_and_number};

/// Status of the equipment. `None` where the source does not say.
///
/// An id that is not known counts by `StatusType.IsOperational`.
fn status(record: Fields<'_>) -> Option<Status> {
    let is_operational = record.object("StatusType").flag("IsOperational");
    match record.reference("StatusTypeID", "StatusType") {
        Some(0) => None,
        Some(10 | 20 | 30 | 50) => Some(Status::Operational),
        Some(75) => Some(Status::Partial),
        Some(100) => Some(Status::OutOfOrder),
        Some(150) => Some(Status::Planned),
        Some(200) => Some(Status::Removed),
        _ => is_operational.map(|works| if works { Status::Operational } else { Status::OutOfOrder }),
    }
}

/// Who may use it, as a value of OSM's `access`.
fn access(record: Fields<'_>) -> Option<&'static str> {
    match record.reference("UsageTypeID", "UsageType") {
        Some(1 | 4 | 5 | 7) => Some("yes"),
        Some(6) => Some("customers"),
        Some(2) => Some("permit"),
        Some(3) => Some("private"),
        _ => None,
    }
}

/// Whether charging costs money: by the text on cost, else by the kind of usage.
fn fee(record: Fields<'_>) -> Option<bool> {
    let pays_at_location = || {
        let by_id = record.reference("UsageTypeID", "UsageType") == Some(5);
        let by_flag = record.object("UsageType").flag("IsPayAtLocation") == Some(true);
        (by_id || by_flag).then_some(true)
    };
    record.text("UsageCost").and_then(|cost| text::fee(&cost)).or_else(pays_at_location)
}

/// Every tag of a record with this id.
pub(super) fn tags(id: i64, record: Fields<'_>, reference: &Reference) -> Tags {
    let mut tags = Tags::default();
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            tags.set(key, value);
        }
    };
    set("amenity", Some("charging_station".to_owned()));
    set("ref:ocm", Some(id.to_string()));
    set("operational_status", status(record).map(|status| status.name().to_owned()));
    set("access", access(record).map(str::to_owned));
    set("fee", fee(record).map(|fee| if fee { "yes" } else { "no" }.to_owned()));
    set("charge", record.text("UsageCost").and_then(|cost| text::line(&cost)));
    set("capacity", record.integer("NumberOfPoints").filter(|points| *points > 0).map(|points| points.to_string()));
    set("description", record.text("GeneralComments"));

    let (operator_id, operator) = reference.operator(record);
    set("operator", operator);
    set("operator:ocm", operator_id.map(|id| id.to_string()));
    let operators_reference = record.text("OperatorsReference");
    let evse_ids = operators_reference.as_deref().map(text::evse_ids).filter(|ids| !ids.is_empty());
    set("ref:EU:EVSE", evse_ids.map(|ids| ids.join(";")));
    set("ref", operators_reference);
    if let Some(provider) = record.reference("DataProviderID", "DataProvider") {
        set(&format!("ref:provider:{provider}"), record.text("DataProvidersReference"));
    }

    let address = record.object("AddressInfo");
    let line = |key| address.text(key).and_then(|value| text::line(&value));
    set("name", line("Title"));
    set("phone", line("ContactTelephone1"));
    set("email", line("ContactEmail"));
    set("website", line("RelatedURL"));
    match address.text("AccessComments") {
        Some(comment) if text::is_always_open(&comment) => set("opening_hours", Some("24/7".to_owned())),
        comment => set("access:comments", comment),
    }

    let (line_1, line_2, postcode) = (line("AddressLine1"), line("AddressLine2"), line("Postcode"));
    let (street, number) = line_1.as_deref().map_or((None, None), |line| street_and_number(line, postcode.as_deref()));
    set("addr:street", street.map(str::to_owned));
    set("addr:housenumber", number.map(str::to_owned));
    if street.is_none() || line_2.is_some() {
        let lines: Vec<String> = line_1.into_iter().chain(line_2).collect();
        set("addr:full", (!lines.is_empty()).then(|| lines.join(", ")));
    }
    set("addr:city", line("Town"));
    set("addr:state", line("StateOrProvince"));
    set("addr:postcode", postcode);
    set("addr:country", reference.country(address));
    tags
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(record: &Value, key: &str) -> Option<String> {
        tags(7, Fields::of(record), &Reference::built_in()).get(key).map(str::to_owned)
    }

    #[test]
    fn each_field_becomes_its_tag() {
        let at = |field: &str, value: Value| json!({"AddressInfo": {field: value}});
        let cases = [
            (json!({"StatusTypeID": 0}), "operational_status", None),
            (json!({}), "operational_status", None),
            (json!({"StatusTypeID": 10}), "operational_status", Some("operational")),
            (json!({"StatusTypeID": 20}), "operational_status", Some("operational")),
            (json!({"StatusTypeID": 30}), "operational_status", Some("operational")),
            (json!({"StatusTypeID": 50}), "operational_status", Some("operational")),
            (json!({"StatusTypeID": 75}), "operational_status", Some("partial")),
            (json!({"StatusTypeID": 100}), "operational_status", Some("out_of_order")),
            (json!({"StatusTypeID": 150}), "operational_status", Some("planned")),
            (json!({"StatusTypeID": 200}), "operational_status", Some("removed")),
            (json!({"StatusType": {"ID": 75}}), "operational_status", Some("partial")),
            (json!({"StatusType": {"IsOperational": false}}), "operational_status", Some("out_of_order")),
            (
                json!({"StatusTypeID": 51, "StatusType": {"IsOperational": true}}),
                "operational_status",
                Some("operational"),
            ),
            (json!({"UsageTypeID": 0}), "access", None),
            (json!({"UsageTypeID": 1}), "access", Some("yes")),
            (json!({"UsageTypeID": 2}), "access", Some("permit")),
            (json!({"UsageTypeID": 3}), "access", Some("private")),
            (json!({"UsageTypeID": 4}), "access", Some("yes")),
            (json!({"UsageTypeID": 5}), "access", Some("yes")),
            (json!({"UsageTypeID": 6}), "access", Some("customers")),
            (json!({"UsageTypeID": 7}), "access", Some("yes")),
            (json!({"UsageType": {"ID": 6}}), "access", Some("customers")),
            (json!({"UsageTypeID": 5}), "fee", Some("yes")),
            (json!({"UsageTypeID": 1, "UsageType": {"IsPayAtLocation": true}}), "fee", Some("yes")),
            (json!({"UsageTypeID": 5, "UsageCost": "Free"}), "fee", Some("no")),
            (json!({"UsageTypeID": 1, "UsageCost": "0.39 EUR/kWh"}), "fee", Some("yes")),
            (json!({"UsageTypeID": 1}), "fee", None),
            (json!({"UsageCost": " 0.39\r\nEUR/kWh "}), "charge", Some("0.39 EUR/kWh")),
            (json!({"UsageCost": ""}), "charge", None),
            (json!({"NumberOfPoints": 4}), "capacity", Some("4")),
            (json!({"NumberOfPoints": 0}), "capacity", None),
            (json!({"GeneralComments": " Two\nlines "}), "description", Some("Two\nlines")),
            (json!({"OperatorID": 23}), "operator", Some("Tesla")),
            (json!({"OperatorID": 23}), "operator:ocm", Some("23")),
            (json!({"OperatorID": 45}), "operator:ocm", None),
            (json!({"OperatorsReference": "A-17"}), "ref", Some("A-17")),
            (json!({"OperatorsReference": "A-17"}), "ref:EU:EVSE", None),
            (json!({"OperatorsReference": "CH*ABC*E17"}), "ref:EU:EVSE", Some("CHABCE17")),
            (json!({"DataProviderID": 2, "DataProvidersReference": 1520}), "ref:provider:2", Some("1520")),
            (at("Title", json!("  Market \t Hall ")), "name", Some("Market Hall")),
            (at("Title", json!(" ")), "name", None),
            (at("AccessComments", json!("24 hours daily")), "opening_hours", Some("24/7")),
            (at("AccessComments", json!("24 hours daily")), "access:comments", None),
            (at("AccessComments", json!("Ask inside")), "access:comments", Some("Ask inside")),
            (at("Postcode", json!(9490)), "addr:postcode", Some("9490")),
            (at("CountryID", json!(130)), "addr:country", Some("LI")),
            (at("AddressLine1", json!("Long Lane 4")), "addr:street", Some("Long Lane")),
            (at("AddressLine1", json!("Long Lane 4")), "addr:housenumber", Some("4")),
            (at("AddressLine1", json!("Long Lane 4")), "addr:full", None),
            (at("AddressLine1", json!("Mall, Hill, Rise")), "addr:full", Some("Mall, Hill, Rise")),
            (at("AddressLine1", json!("Mall, Hill, Rise")), "addr:street", None),
            (at("AddressLine2", json!("Level 2")), "addr:full", Some("Level 2")),
            (
                json!({"AddressInfo": {"AddressLine1": "Long Lane 4", "AddressLine2": "Level 2"}}),
                "addr:full",
                Some("Long Lane 4, Level 2"),
            ),
            (json!({"AddressInfo": "nowhere"}), "name", None),
        ];
        for (record, key, expected) in cases {
            assert_eq!(value(&record, key).as_deref(), expected, "{key} of {record}");
        }
    }
}
