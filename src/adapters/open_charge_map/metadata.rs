//! What the metadata of a record says: vehicles, hours, kind of place, attribution.

use std::borrow::Cow;

use super::json::Fields;
use super::text;
use crate::domain::{Finding, FindingRule};

/// What the metadata says, as far as it is known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Metadata {
    /// OSM's keys of the vehicles that may charge.
    pub(super) vehicles: Vec<&'static str>,
    /// OSM's opening hours.
    pub(super) opening_hours: Option<String>,
    /// Kinds of place around it, e.g. `hotel`.
    pub(super) surroundings: Vec<&'static str>,
    /// Whom the record asks to be named.
    pub(super) attribution: Option<String>,
}

/// Reads `MetadataValues`.
pub(super) fn metadata(record: Fields<'_>, findings: &mut Vec<Finding>) -> Metadata {
    let mut metadata = Metadata::default();
    for value in record.only_objects("MetadataValues", findings) {
        let option = value.reference("MetadataFieldOptionID", "MetadataFieldOption", findings);
        match value.reference("MetadataFieldID", "MetadataField", findings) {
            Some(1) => match option.map(surrounding) {
                Some(Some(kind)) => metadata.surroundings.push(kind),
                unknown => doubt(value, unknown.and(option), findings),
            },
            Some(2) => {
                let Some(hours) = value.text("ItemValue", findings) else { continue };
                metadata.opening_hours = text::opening_hours(&hours);
                if metadata.opening_hours.is_none() {
                    findings.push(Finding::dropped(FindingRule::InvalidOpeningHours, "opening_hours", hours.as_ref()));
                }
            }
            Some(4) => {
                let attribution = value.text("ItemValue", findings).and_then(text::line).map(Cow::into_owned);
                metadata.attribution = metadata.attribution.take().or(attribution);
            }
            Some(5) => match option.map(vehicle) {
                Some(Some(key)) => metadata.vehicles.push(key),
                unknown => doubt(value, unknown.and(option), findings),
            },
            _ => {}
        }
    }
    metadata
}

/// OSM's key for a vehicle type.
fn vehicle(option: i64) -> Option<&'static str> {
    Some(match option {
        5 => "motorcar",
        6 => "motorcycle",
        7 => "bus",
        10 => "hgv",
        11 => "taxi",
        12 => "bicycle",
        _ => return None,
    })
}

/// The word for a kind of place.
fn surrounding(option: i64) -> Option<&'static str> {
    Some(match option {
        1 => "shopping",
        2 => "hotel",
        3 => "restaurant",
        8 => "parking",
        9 => "secure",
        _ => return None,
    })
}

/// An option that is in no table, or a text in its place.
fn doubt(value: Fields<'_>, option: Option<i64>, findings: &mut Vec<Finding>) {
    let told = option.map(|option| option.to_string()).or_else(|| value.told("ItemValue"));
    if let Some(told) = told.filter(|told| !told.trim().is_empty()) {
        findings.push(Finding::dropped(FindingRule::UnknownCode, "MetadataFieldOptionID", told));
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::with;
    use super::*;

    #[test]
    fn metadata_says_vehicles_hours_and_surroundings() {
        let text = r#"{"MetadataValues": [
            {"MetadataFieldID": 5, "MetadataFieldOptionID": 12},
            {"MetadataField": {"ID": 5}, "MetadataFieldOption": {"ID": 10, "Title": "Goods"}},
            {"MetadataFieldID": 5, "MetadataFieldOptionID": 99},
            {"MetadataFieldID": 5, "ItemValue": "Boat"},
            {"MetadataFieldID": 1, "MetadataFieldOptionID": 2},
            {"MetadataFieldID": 2, "ItemValue": "Mo-Fr 08:00-18:00"},
            {"MetadataFieldID": 4, "ItemValue": "Contains public\n data"},
            {"MetadataFieldID": 77, "ItemValue": "x"}, null
        ]}"#;
        let mut findings = Vec::new();
        let found = with(text, |record| metadata(record, &mut findings));
        let expected = Metadata {
            vehicles: vec!["bicycle", "hgv"],
            opening_hours: Some("Mo-Fr 08:00-18:00".to_owned()),
            surroundings: vec!["hotel"],
            attribution: Some("Contains public data".to_owned()),
        };
        assert_eq!(found, expected);
        let unknown = |told: &str| Finding::dropped(FindingRule::UnknownCode, "MetadataFieldOptionID", told);
        assert_eq!(findings, [unknown("99"), unknown("Boat")]);
    }

    #[test]
    fn hours_that_are_not_plain_are_a_finding() {
        let text = r#"{"MetadataValues": [{"MetadataFieldID": 2, "ItemValue": "when the shop is open"}]}"#;
        let mut findings = Vec::new();
        assert_eq!(with(text, |record| metadata(record, &mut findings)), Metadata::default());
        let expected = Finding::dropped(FindingRule::InvalidOpeningHours, "opening_hours", "when the shop is open");
        assert_eq!(findings, [expected]);
    }
}
