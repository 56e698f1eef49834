//! Tags: what a record says, in OpenStreetMap's words.

use std::borrow::Cow;

use super::json::Fields;
use super::metadata::Metadata;
use super::reference::{List, Reference, Stated, Usage};
use super::status::without_mark;
use super::text;
use crate::domain::{Finding, FindingRule, Status, Tags, street_and_number};

/// Few records have more tags.
const TAGS_USUAL: usize = 24;

/// Few records have longer ones.
const TAGS_USUAL_BYTES: usize = 640;

/// Who may use it, as a value of OSM's `access`.
fn access(usage: Option<i64>) -> Option<&'static str> {
    match usage {
        Some(1 | 4 | 5 | 7) => Some("yes"),
        Some(6) => Some("customers"),
        Some(2) => Some("permit"),
        Some(3) => Some("private"),
        _ => None,
    }
}

/// The number of the kind of usage; one in no table is a finding.
fn usage(record: Fields<'_>, reference: &Reference, findings: &mut Vec<Finding>) -> Option<i64> {
    match reference.stated(List::Usage, record, findings)? {
        Stated::Number(id) => {
            if !(0..=7).contains(&id) {
                findings.push(Finding::dropped(FindingRule::UnknownCode, "UsageTypeID", id.to_string()));
            }
            Some(id)
        }
        Stated::UnknownTitle(title) => {
            findings.push(Finding::dropped(FindingRule::UnknownCode, "UsageType", title.as_ref()));
            None
        }
    }
}

/// Lines of the address that the rules on titles look at, and the number of the kind of usage.
#[derive(Debug, Default)]
pub(super) struct Used<'a> {
    pub(super) usage: Option<i64>,
    pub(super) line_1: Option<Cow<'a, str>>,
    pub(super) town: Option<Cow<'a, str>>,
    pub(super) postcode: Option<Cow<'a, str>>,
}

/// Every tag of a record with this id and status.
pub(super) fn tags<'a>(
    id: &str,
    record: Fields<'a>,
    status: Option<Status>,
    metadata: &Metadata,
    reference: &Reference,
    findings: &mut Vec<Finding>,
) -> (Tags, Used<'a>) {
    let mut tags = Tags::with_capacity(TAGS_USUAL, TAGS_USUAL_BYTES);
    let mut set = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            tags.set(key, value);
        }
    };
    set("amenity", Some("charging_station"));
    set("ref:ocm", Some(id));
    set("operational_status", status.map(Status::name));
    let usage = usage(record, reference, findings);
    let Usage { pays_at_location, needs_membership, .. } = reference.usage(usage, record);
    set("access", access(usage));
    set("authentication:membership_card", needs_membership.filter(|needs| *needs).map(|_| "yes"));
    set("authentication:none", (usage == Some(5)).then_some("yes"));
    let cost = record.text("UsageCost", findings);
    let fee = cost.as_deref().and_then(text::fee).or(pays_at_location.filter(|pays| *pays));
    set("fee", fee.map(|fee| if fee { "yes" } else { "no" }));
    set("charge", cost.and_then(text::line).as_deref());
    let points = record.integer("NumberOfPoints", findings);
    if let Some(points) = points.filter(|points| *points < 0) {
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, "NumberOfPoints", points.to_string()));
    }
    set("capacity", points.filter(|points| *points > 0).map(|points| points.to_string()).as_deref());
    let comments = record.text("GeneralComments", findings);
    set("description", comments.as_deref().map(without_mark).filter(|text| !text.is_empty()));
    set("attribution", metadata.attribution.as_deref());
    for vehicle in &metadata.vehicles {
        set(vehicle, Some("yes"));
    }
    set("ocm:surroundings", (!metadata.surroundings.is_empty()).then(|| metadata.surroundings.join(";")).as_deref());

    let (operator_id, operator) = reference.operator(record, findings);
    set("operator", operator.as_deref());
    set("operator:ocm", operator_id.map(|id| id.to_string()).as_deref());
    let operators_reference = record.text("OperatorsReference", findings);
    let evse_ids = operators_reference.as_deref().map(text::evse_ids).filter(|ids| !ids.is_empty());
    set("ref:EU:EVSE", evse_ids.map(|ids| ids.join(";")).as_deref());
    set("ref", operators_reference.as_deref());
    if let Some(their_reference) = record.text("DataProvidersReference", findings)
        && let Some(provider) = record.reference("DataProviderID", "DataProvider", findings)
    {
        set(&format!("ref:provider:{provider}"), Some(&their_reference));
    }

    let address = record.object("AddressInfo");
    let mut line = |key| address.text(key, findings).and_then(text::line);
    set("name", line("Title").as_deref());
    set("phone", line("ContactTelephone1").as_deref());
    set("email", line("ContactEmail").as_deref());
    set("website", line("RelatedURL").as_deref());
    let (line_1, line_2, postcode) = (line("AddressLine1"), line("AddressLine2"), line("Postcode"));
    let (town, state, whole) = (line("Town"), line("StateOrProvince"), line("Whole"));
    let comments = address.text("AccessComments", findings);
    let hours_in_comments = comments.as_deref().and_then(text::opening_hours);
    set("access:comments", comments.as_deref().filter(|_| hours_in_comments.is_none()));
    set("opening_hours", metadata.opening_hours.as_deref().or(hours_in_comments.as_deref()));

    let (street, number) = line_1.as_deref().map_or((None, None), |line| street_and_number(line, postcode.as_deref()));
    set("addr:street", street);
    set("addr:housenumber", number);
    if street.is_none() || line_2.is_some() {
        let lines: Vec<&str> = line_1.as_deref().into_iter().chain(line_2.as_deref()).collect();
        let lines = if lines.is_empty() { whole } else { Some(lines.join(", ").into()) };
        set("addr:full", lines.as_deref());
    }
    set("addr:city", town.as_deref());
    set("addr:state", state.as_deref());
    set("addr:postcode", postcode.as_deref());
    set("addr:country", reference.country(address, findings).as_deref());
    (tags, Used { usage, line_1, town, postcode })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::json::with;
    use super::super::metadata::metadata;
    use super::super::status::status;
    use super::*;

    /// The tag of a record, and the findings as field and text.
    fn value(record: &Value, key: &str) -> (Option<String>, Vec<String>) {
        let (reference, mut findings) = (Reference::built_in(), Vec::new());
        let tags = with(&record.to_string(), |record| {
            let status = status(record, &reference, &mut findings);
            let metadata = metadata(record, &mut findings);
            tags("7", record, status, &metadata, &reference, &mut findings).0
        });
        let told = |f: &Finding| format!("{} {} {}", f.rule, f.field, f.before.as_deref().unwrap_or_default());
        (tags.get(key).map(str::to_owned), findings.iter().map(told).collect())
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
            (json!({"UsageType": {"Title": "Public - Notice Required"}}), "access", Some("yes")),
            (json!({"UsageTypeID": 4}), "authentication:membership_card", Some("yes")),
            (json!({"UsageType": {"IsMembershipRequired": true}}), "authentication:membership_card", Some("yes")),
            (json!({"UsageTypeID": 1}), "authentication:membership_card", None),
            (json!({"UsageTypeID": 5}), "authentication:none", Some("yes")),
            (json!({"MetadataValues": [{"MetadataFieldID": 5, "MetadataFieldOptionID": 12}]}), "bicycle", Some("yes")),
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
            (at("AccessComments", json!("Mo-Fr 08:00-18:00")), "opening_hours", Some("Mo-Fr 08:00-18:00")),
            (at("Country", json!({"Title": "Liechtenstein"})), "addr:country", Some("Liechtenstein")),
            (at("Whole", json!("Long Lane 4, Neudorf")), "addr:full", Some("Long Lane 4, Neudorf")),
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
            assert_eq!(value(&record, key), (expected.map(str::to_owned), vec![]), "{key} of {record}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_missing_and_found() {
        let cases = [
            (json!({"StatusTypeID": 51}), "operational_status", "unknown_code StatusTypeID 51"),
            (json!({"UsageTypeID": 8}), "access", "unknown_code UsageTypeID 8"),
            (
                json!({"UsageType": {"Title": "Public, sometimes"}}),
                "access",
                "unknown_code UsageType Public, sometimes",
            ),
            (json!({"NumberOfPoints": "many"}), "capacity", "unreadable_value NumberOfPoints many"),
            (json!({"NumberOfPoints": -2}), "capacity", "implausible_value NumberOfPoints -2"),
            (json!({"UsageCost": {"EUR": 1}}), "charge", "unreadable_value UsageCost {\"EUR\":1}"),
            (json!({"OperatorID": []}), "operator:ocm", "unreadable_value OperatorID []"),
            (json!({"AddressInfo": {"Title": true}}), "name", "unreadable_value Title true"),
            (json!({"AddressInfo": {"CountryID": 999}}), "addr:country", "unknown_code CountryID 999"),
        ];
        for (record, key, finding) in cases {
            assert_eq!(value(&record, key), (None, vec![finding.to_owned()]), "{key} of {record}");
        }
    }
}
