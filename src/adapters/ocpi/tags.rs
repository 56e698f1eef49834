//! Tags: what a location says, in OpenStreetMap's words.
//!
//! What OSM has no word for (facilities, images, directions, tariffs, exceptional hours) stays in the raw record.

use super::countries::alpha_2;
use super::evses::{self, Evse};
use super::hours::opening_hours;
use super::json::Fields;
use crate::domain::{Finding, FindingRule, Tags, street_and_number};

/// What an EVSE can do, with the tag that says so; an empty one where OSM has none.
///
/// OCPI 2.1.1 to 2.3.0, *Locations*, Capability.
const CAPABILITIES: [(&str, &str); 13] = [
    ("CHARGING_PREFERENCES_CAPABLE", ""),
    ("CHARGING_PROFILE_CAPABLE", ""),
    ("CHIP_CARD_SUPPORT", "payment:cards"),
    ("CONTACTLESS_CARD_SUPPORT", "payment:contactless"),
    ("CREDIT_CARD_PAYABLE", "payment:credit_cards"),
    ("DEBIT_CARD_PAYABLE", "payment:debit_cards"),
    ("PED_TERMINAL", "payment:cards"),
    ("REMOTE_START_STOP_CAPABLE", "authentication:app"),
    ("RESERVABLE", "reservation"),
    ("RFID_READER", "authentication:nfc"),
    ("START_SESSION_CONNECTOR_REQUIRED", ""),
    ("TOKEN_GROUP_CAPABLE", ""),
    ("UNLOCK_CAPABLE", ""),
];

/// Kinds of parking, with the value of OSM's `parking`; an empty one where OSM has none.
///
/// OCPI 2.1.1, `LocationType`; 2.2 to 2.3.0, `ParkingType`.
const PARKING: [(&str, &str); 8] = [
    ("ALONG_MOTORWAY", ""),
    ("ON_DRIVEWAY", ""),
    ("ON_STREET", "street_side"),
    ("OTHER", ""),
    ("PARKING_GARAGE", "multi-storey"),
    ("PARKING_LOT", "surface"),
    ("UNDERGROUND_GARAGE", "underground"),
    ("UNKNOWN", ""),
];

/// Every tag of a location with these EVSEs.
pub(super) fn tags(location: Fields<'_>, all: &[Evse<'_>], findings: &mut Vec<Finding>) -> Tags {
    let counted = evses::counted(all);
    let mut tags = Tags::default();
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            tags.set(key, value);
        }
    };
    set("amenity", Some("charging_station".to_owned()));
    set("name", location.text("name"));
    set("operational_status", evses::status(all).map(|status| status.name().to_owned()));
    set("capacity", (!counted.is_empty()).then(|| counted.len().to_string()));
    let ids = evses::ids_without_connectors(&counted);
    set("ref:EU:EVSE", (!ids.is_empty()).then(|| ids.join(";")));
    set("ref:ocpi:party", party(location));

    let operator = location.object("operator");
    set("operator", operator.text("name"));
    set("website", operator.text("website"));
    set("phone", location.text("help_phone"));
    set("opening_hours", opening_hours(location, findings));

    let (line, postcode) = (location.text("address"), postcode(location, findings));
    let (street, number) = line.as_deref().map_or((None, None), |line| street_and_number(line, postcode.as_deref()));
    set("addr:street", street.map(str::to_owned));
    set("addr:housenumber", number.map(str::to_owned));
    set("addr:full", line.clone().filter(|_| street.is_none()));
    set("addr:city", location.text("city"));
    set("addr:state", location.text("state"));
    set("addr:postcode", postcode);
    set("addr:country", country(location, findings));

    let stated = ["parking_type", "type"].into_iter().find_map(|key| Some((key, location.word(key)?)));
    if let Some((field, word)) = stated {
        set("parking", known(&PARKING, field, &word, findings).map(str::to_owned));
    }
    for word in evses::words(&counted, "capabilities") {
        if let Some(tag) = known(&CAPABILITIES, "capabilities", &word, findings) {
            set(tag, Some("yes".to_owned()));
        }
    }
    if evses::all_say(&counted, "parking_restrictions", &["EMPLOYEES", "TENANTS"]) {
        set("access", Some("private".to_owned()));
    } else if evses::all_say(&counted, "parking_restrictions", &["CUSTOMERS"]) {
        set("access", Some("customers".to_owned()));
    }
    if location.words("facilities").iter().any(|facility| facility == "WIFI") {
        set("internet_access", Some("wlan".to_owned()));
    }
    let is_green = location.object("energy_mix").flag("is_green_energy");
    set("green_energy", is_green.map(|is_green| if is_green { "yes" } else { "no" }.to_owned()));
    tags
}

/// Country and id of the party that operates the location, e.g. `NL*PFG`. `None` where one of them is not stated.
pub(super) fn party(location: Fields<'_>) -> Option<String> {
    let (country, party) = (location.text("country_code")?, location.text("party_id")?);
    Some(format!("{}*{}", country.to_uppercase(), party.to_uppercase()))
}

/// The postcode, unless it is a row of zeros, as some write where they know none.
fn postcode(location: Fields<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let postcode = location.text("postal_code")?;
    if postcode.bytes().all(|b| b == b'0') {
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, "postal_code", postcode));
        return None;
    }
    Some(postcode)
}

/// The country of the place. `country_code` is that of the operator, so it does not stand in.
fn country(location: Fields<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let country = location.text("country");
    if let (None, Some(code)) = (&country, location.text("country_code")) {
        findings.push(Finding::dropped(FindingRule::CountryOfOperator, "country_code", code));
    }
    country.map(|country| alpha_2(&country))
}

/// What a table says of a word, if anything. A word that is not in it is a finding.
fn known<'t>(
    table: &[(&str, &'t str)],
    field: &'static str,
    word: &str,
    findings: &mut Vec<Finding>,
) -> Option<&'t str> {
    let found = table.iter().find(|(known, _)| *known == word);
    if found.is_none() {
        findings.push(Finding::dropped(FindingRule::UnknownCode, field, word));
    }
    found.map(|(_, tag)| *tag).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(location: &Value, key: &str) -> (Option<String>, Vec<Finding>) {
        let mut findings = Vec::new();
        let location = Fields::of(location);
        let evses = evses::evses(location, &mut findings);
        (tags(location, &evses, &mut findings).get(key).map(str::to_owned), findings)
    }

    #[test]
    fn each_field_becomes_its_tag() {
        let can = |words: Value| json!({"evses": [{"uid": 1}, {"uid": 2, "capabilities": words}]});
        let restricted = |one: &str, other: &str| json!({"evses": [{"uid": 1, "parking_restrictions": [one]}, {"uid": 2, "parking_restrictions": [other, "PLUGGED"]}]});
        let cases = [
            (json!({}), "amenity", Some("charging_station")),
            (json!({"name": "  Market \n Hall "}), "name", Some("Market Hall")),
            (json!({"name": ""}), "name", None),
            (json!({"evses": [{"status": "REMOVED"}]}), "operational_status", Some("removed")),
            (json!({"evses": [{"status": "REMOVED"}]}), "capacity", None),
            (json!({"evses": [{"uid": 1}, {"uid": 2}]}), "capacity", Some("2")),
            (
                json!({"evses": [{"evse_id": "NL*A"}, {"evse_id": "NL*B", "connectors": [{}]}]}),
                "ref:EU:EVSE",
                Some("NL*A"),
            ),
            (json!({"evses": [{"evse_id": "NL*A", "status": "REMOVED"}]}), "ref:EU:EVSE", None),
            (json!({"country": "NL", "country_code": "nl", "party_id": "pfg"}), "ref:ocpi:party", Some("NL*PFG")),
            (json!({"country": "NL", "country_code": "NL"}), "ref:ocpi:party", None),
            (json!({"operator": {"name": "Fastned", "website": "https://fastned.nl"}}), "operator", Some("Fastned")),
            (
                json!({"operator": {"name": "Fastned", "website": "https://fastned.nl"}}),
                "website",
                Some("https://fastned.nl"),
            ),
            (json!({"suboperator": {"name": "A"}, "owner": {"name": "B"}}), "operator", None),
            (json!({"help_phone": "+31 20 1"}), "phone", Some("+31 20 1")),
            (json!({"opening_times": {"twentyfourseven": true}}), "opening_hours", Some("24/7")),
            (json!({"address": "Vėjo g. 143-145"}), "addr:street", Some("Vėjo g.")),
            (json!({"address": "Vėjo g. 143-145"}), "addr:housenumber", Some("143-145")),
            (json!({"address": "Mall, Hill, Rise"}), "addr:full", Some("Mall, Hill, Rise")),
            (json!({"city": "Vilnius"}), "addr:city", Some("Vilnius")),
            (json!({"state": "Utah"}), "addr:state", Some("Utah")),
            (json!({"postal_code": 9490}), "addr:postcode", Some("9490")),
            (json!({"country": "PER", "country_code": "RO"}), "addr:country", Some("PE")),
            (json!({"type": "ON_STREET"}), "parking", Some("street_side")),
            (json!({"type": "parking_garage"}), "parking", Some("multi-storey")),
            (json!({"parking_type": "UNDERGROUND_GARAGE"}), "parking", Some("underground")),
            (json!({"parking_type": "PARKING_LOT", "type": "x"}), "parking", Some("surface")),
            (json!({"parking_type": "ALONG_MOTORWAY"}), "parking", None),
            (can(json!(["RFID_READER"])), "authentication:nfc", Some("yes")),
            (can(json!(["REMOTE_START_STOP_CAPABLE"])), "authentication:app", Some("yes")),
            (can(json!(["credit_card_payable"])), "payment:credit_cards", Some("yes")),
            (can(json!(["DEBIT_CARD_PAYABLE"])), "payment:debit_cards", Some("yes")),
            (can(json!(["CONTACTLESS_CARD_SUPPORT"])), "payment:contactless", Some("yes")),
            (can(json!(["PED_TERMINAL"])), "payment:cards", Some("yes")),
            (can(json!("RESERVABLE")), "reservation", Some("yes")),
            (can(json!(["UNLOCK_CAPABLE", "TOKEN_GROUP_CAPABLE"])), "reservation", None),
            (restricted("CUSTOMERS", "CUSTOMERS"), "access", Some("customers")),
            (restricted("CUSTOMERS", "EV_ONLY"), "access", None),
            (restricted("TENANTS", "EMPLOYEES"), "access", Some("private")),
            (json!({"facilities": ["CAFE", "WIFI"]}), "internet_access", Some("wlan")),
            (json!({"facilities": ["CAFE"]}), "internet_access", None),
            (json!({"energy_mix": {"is_green_energy": true}}), "green_energy", Some("yes")),
            (json!({"energy_mix": {"is_green_energy": false}}), "green_energy", Some("no")),
        ];
        for (location, key, expected) in cases {
            let (value, findings) = value(&location, key);
            assert_eq!(value.as_deref(), expected, "{key} of {location}");
            assert_eq!(findings, [], "{key} of {location}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_a_finding() {
        let cases = [
            (json!({"postal_code": "00000"}), "addr:postcode", FindingRule::ImplausibleValue, "postal_code", "00000"),
            (json!({"country_code": "NL"}), "addr:country", FindingRule::CountryOfOperator, "country_code", "NL"),
            (json!({"type": "Moon"}), "parking", FindingRule::UnknownCode, "type", "MOON"),
            (json!({"parking_type": "Moon"}), "parking", FindingRule::UnknownCode, "parking_type", "MOON"),
            (
                json!({"evses": [{"capabilities": ["LEVITATE"]}]}),
                "reservation",
                FindingRule::UnknownCode,
                "capabilities",
                "LEVITATE",
            ),
            (json!({"evses": "two"}), "capacity", FindingRule::UnreadableValue, "evses", "two"),
        ];
        for (location, key, rule, field, before) in cases {
            assert_eq!(value(&location, key), (None, vec![Finding::dropped(rule, field, before)]), "{location}");
        }
    }
}
