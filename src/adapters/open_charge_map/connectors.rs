//! Connectors: Open Charge Map's connection and current types in our vocabulary.

use std::borrow::Cow;

use super::json::Fields;
use super::reference::{List, Reference, Stated};
use super::status::status;
use super::text;
use crate::domain::{Connector, ConnectorCodes, ConnectorType, Current, Finding, FindingRule, Status, Vocabulary};

/// The current behind a current type id.
fn current(id: i64) -> Option<Current> {
    match id {
        10 => Some(Current::AcSingle),
        20 => Some(Current::AcThree),
        30 => Some(Current::Dc),
        _ => None,
    }
}

/// A connection type that the cross-walk does not know: its number, or its title where it has none, and its title.
pub(super) type UnknownType = (String, Option<String>);

/// What a record says of its connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// In the record's order, without those that were removed.
    pub(super) connectors: Vec<Connector>,
    /// Status of each.
    pub(super) statuses: Vec<Option<Status>>,
    pub(super) unknown_types: Vec<UnknownType>,
}

/// The connections of a record. Powers and currents are as stated; judging them is the transform's work.
pub(super) fn connections(
    record: Fields<'_>,
    reference: &Reference,
    codes: &ConnectorCodes,
    findings: &mut Vec<Finding>,
) -> Connections {
    let mut found = Connections::default();
    for connection in record.only_objects("Connections", findings) {
        let id = reference.number(List::Status, connection, &mut Vec::new());
        if matches!(id, Some(200 | 210)) {
            continue;
        }
        let status = status(connection, reference, findings);
        let kind = match reference.stated(List::Connection, connection, findings) {
            None => ConnectorType::Unknown,
            Some(Stated::Number(id)) => {
                let code = id.to_string();
                codes.read(Vocabulary::Ocm, &code).unwrap_or_else(|| {
                    findings.push(Finding::dropped(FindingRule::UnknownCode, "ConnectionTypeID", code.as_str()));
                    let title = connection.object("ConnectionType").text("Title", findings).map(Cow::into_owned);
                    found.unknown_types.push((code, title));
                    ConnectorType::Unknown
                })
            }
            Some(Stated::UnknownTitle(title)) => {
                findings.push(Finding::dropped(FindingRule::UnknownCode, "ConnectionType", title.as_ref()));
                found.unknown_types.push((title.into_owned(), None));
                ConnectorType::Unknown
            }
        };
        let current = match reference.stated(List::Current, connection, findings) {
            Some(Stated::Number(id)) if id != 0 => {
                if current(id).is_none() {
                    findings.push(Finding::dropped(FindingRule::UnknownCode, "CurrentTypeID", id.to_string()));
                }
                current(id)
            }
            Some(Stated::UnknownTitle(title)) => {
                findings.push(Finding::dropped(FindingRule::UnknownCode, "CurrentType", title.as_ref()));
                None
            }
            _ => None,
        };
        let reference_of_feed = connection.text("Reference", findings);
        found.connectors.push(Connector {
            kind,
            current,
            power_kw: connection.number("PowerKW", findings),
            voltage_v: connection.number("Voltage", findings),
            amperage_a: connection.number("Amps", findings),
            count: count(connection, findings),
            evse_ids: reference_of_feed.map_or_else(Vec::new, |reference| text::evse_ids(&reference)),
        });
        found.statuses.push(status);
    }
    found
}

/// How many there are. The source writes 0 for "not stated".
fn count(connection: Fields<'_>, findings: &mut Vec<Finding>) -> Option<i32> {
    let quantity = connection.integer("Quantity", findings).filter(|quantity| *quantity != 0)?;
    let count = i32::try_from(quantity).ok().filter(|count| *count > 0);
    if count.is_none() {
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, "Quantity", quantity.to_string()));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::json::with;
    use super::*;

    fn read(text: &str) -> (Connections, Vec<Finding>) {
        let codes = ConnectorCodes::parse(include_str!("../../../pipelines/connectors.toml")).unwrap();
        let mut findings = Vec::new();
        let found = with(text, |record| connections(record, &Reference::built_in(), &codes, &mut findings));
        (found, findings)
    }

    #[test]
    fn connectors_are_read_as_stated() {
        let (found, findings) = read(
            r#"{"Connections": [
            {"ConnectionTypeID": 33, "PowerKW": 50000, "Amps": 125, "Voltage": "400", "CurrentTypeID": 30, "Quantity": 2,
                "Reference": "CH*ABC*E12*1", "StatusTypeID": 100},
            {"ConnectionType": {"ID": 25}, "CurrentType": {"ID": 20}, "Quantity": 0, "Reference": "2"},
            {"ConnectionType": {"Title": "Type 2 (Tethered Connector) "}, "CurrentType": {"Title": "AC (Single-Phase)"}},
            {"ConnectionTypeID": 2, "StatusTypeID": 200},
            {"ConnectionTypeID": 2, "StatusType": {"ID": 210}},
            {"ConnectionTypeID": 2000, "ConnectionType": {"ID": 2000, "Title": "Megawatt"}, "Quantity": -1, "CurrentTypeID": 7},
            {"ConnectionType": {"Title": "Gigawatt"}, "PowerKW": "abc", "Voltage": []},
            null,
            {}
        ]}"#,
        );
        let expected = [
            Connector {
                current: Some(Current::Dc),
                power_kw: Some(50_000.0),
                voltage_v: Some(400.0),
                amperage_a: Some(125.0),
                count: Some(2),
                evse_ids: vec!["CHABCE121".into()],
                ..Connector::of(ConnectorType::Ccs2)
            },
            Connector { current: Some(Current::AcThree), ..Connector::of(ConnectorType::Type2Socket) },
            Connector { current: Some(Current::AcSingle), ..Connector::of(ConnectorType::Type2Cable) },
            Connector::of(ConnectorType::Unknown),
            Connector::of(ConnectorType::Unknown),
            Connector::of(ConnectorType::Unknown),
        ];
        assert_eq!(found.connectors, expected);
        assert_eq!(found.statuses, [Some(Status::OutOfOrder), None, None, None, None, None]);
        let unknown = [("2000".to_owned(), Some("Megawatt".to_owned())), ("Gigawatt".to_owned(), None)];
        assert_eq!(found.unknown_types, unknown);
        let told: Vec<_> =
            findings.iter().map(|f| (f.rule, f.field.as_ref(), f.before.as_deref().unwrap_or_default())).collect();
        assert_eq!(
            told,
            [
                (FindingRule::UnknownCode, "ConnectionTypeID", "2000"),
                (FindingRule::UnknownCode, "CurrentTypeID", "7"),
                (FindingRule::ImplausibleValue, "Quantity", "-1"),
                (FindingRule::UnknownCode, "ConnectionType", "Gigawatt"),
                (FindingRule::UnreadableValue, "PowerKW", "abc"),
                (FindingRule::UnreadableValue, "Voltage", "[]"),
            ]
        );
    }
}
