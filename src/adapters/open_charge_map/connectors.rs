//! Connectors: Open Charge Map's connection and current types in our vocabulary.

use super::json::Fields;
use super::text;
use crate::domain::{Connector, ConnectorType, Current};

/// Status of a connection that is no longer there.
const REMOVED: [i64; 2] = [200, 210];

/// The type behind a connection type id. `None` for an id that this table does not know.
///
/// Types that our vocabulary has no word for (Avcon, XLR) are `Unknown` like id 0.
fn connector_type(id: i64) -> Option<ConnectorType> {
    Some(match id {
        0 | 7 | 21 => ConnectorType::Unknown,
        1 => ConnectorType::Type1,
        2 => ConnectorType::Chademo,
        3 => ConnectorType::Bs1363,
        4 | 16 | 34 => ConnectorType::CeeBlue,
        5 | 6 | 24 => ConnectorType::Wireless,
        8 => ConnectorType::TeslaRoadster,
        9..=11 | 14 | 15 | 22 | 1042 => ConnectorType::Nema,
        13 => ConnectorType::Europlug,
        17 | 18 | 35 => ConnectorType::CeeRed,
        23 => ConnectorType::TypeE,
        25 => ConnectorType::Type2Socket,
        26 => ConnectorType::Type3c,
        27 => ConnectorType::Nacs,
        28 => ConnectorType::Schuko,
        29 => ConnectorType::As3112,
        30 => ConnectorType::TeslaSEu,
        31 => ConnectorType::BatterySwap,
        32 => ConnectorType::Ccs1,
        33 => ConnectorType::Ccs2,
        36 => ConnectorType::Type3a,
        1036 => ConnectorType::Type2Cable,
        1037 => ConnectorType::TypeJ,
        1038 | 1039 => ConnectorType::GbtAc,
        1040 => ConnectorType::GbtDc,
        1041 => ConnectorType::As3123,
        1043 => ConnectorType::TypeM,
        1044 => ConnectorType::Chaoji,
        _ => return None,
    })
}

/// The current behind a current type id.
fn current(id: i64) -> Option<Current> {
    match id {
        10 => Some(Current::AcSingle),
        20 => Some(Current::AcThree),
        30 => Some(Current::Dc),
        _ => None,
    }
}

/// A connection type id that the cross-walk does not know, with its title where the record gives one.
pub(super) type UnknownType = (i64, Option<String>);

/// The connectors of a record in its order, without those that were removed, and the types not known.
///
/// Powers and currents are as stated; correcting slips is the transform's work.
pub(super) fn connectors(record: Fields<'_>) -> (Vec<Connector>, Vec<UnknownType>) {
    let mut unknown = Vec::new();
    let connectors = record
        .objects("Connections")
        .filter(|c| !c.reference("StatusTypeID", "StatusType").is_some_and(|id| REMOVED.contains(&id)))
        .map(|connection| {
            let type_id = connection.reference("ConnectionTypeID", "ConnectionType").unwrap_or(0);
            let kind = connector_type(type_id).unwrap_or_else(|| {
                unknown.push((type_id, connection.object("ConnectionType").text("Title")));
                ConnectorType::Unknown
            });
            Connector {
                kind,
                current: connection.reference("CurrentTypeID", "CurrentType").and_then(current),
                power_kw: connection.number("PowerKW"),
                voltage_v: connection.number("Voltage"),
                amperage_a: connection.number("Amps"),
                count: connection.integer("Quantity").and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0),
                evse_ids: connection.text("Reference").map_or_else(Vec::new, |reference| text::evse_ids(&reference)),
            }
        })
        .collect();
    (connectors, unknown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_connection_type_has_a_word_in_our_vocabulary() {
        let cases = [
            ("type1", vec![1]),
            ("type2_socket", vec![25]),
            ("type2_cable", vec![1036]),
            ("ccs1", vec![32]),
            ("ccs2", vec![33]),
            ("chademo", vec![2]),
            ("chaoji", vec![1044]),
            ("nacs", vec![27]),
            ("tesla_s_eu", vec![30]),
            ("tesla_roadster", vec![8]),
            ("type3a", vec![36]),
            ("type3c", vec![26]),
            ("gbt_ac", vec![1038, 1039]),
            ("gbt_dc", vec![1040]),
            ("schuko", vec![28]),
            ("type_e", vec![23]),
            ("bs1363", vec![3]),
            ("type_j", vec![1037]),
            ("as3112", vec![29]),
            ("type_m", vec![1043]),
            ("cee_blue", vec![4, 16, 34]),
            ("cee_red", vec![17, 18, 35]),
            ("as3123", vec![1041]),
            ("nema", vec![9, 10, 11, 14, 15, 22, 1042]),
            ("europlug", vec![13]),
            ("wireless", vec![5, 6, 24]),
            ("battery_swap", vec![31]),
            ("unknown", vec![0, 7, 21]),
        ];
        for (name, ids) in cases {
            for id in ids {
                assert_eq!(connector_type(id).map(ConnectorType::name), Some(name), "{id}");
            }
        }
        for id in [-1, 12, 19, 37, 1035, 1045] {
            assert_eq!(connector_type(id), None, "{id}");
        }
    }

    #[test]
    fn connectors_are_read_as_stated() {
        let record = json!({"Connections": [
            {"ConnectionTypeID": 33, "PowerKW": 50000, "Amps": 125, "Voltage": "400", "CurrentTypeID": 30, "Quantity": 2,
                "Reference": "CH*ABC*E12*1", "StatusTypeID": 100},
            {"ConnectionType": {"ID": 25}, "CurrentType": {"ID": 20}, "Quantity": 0, "Reference": "2"},
            {"ConnectionTypeID": 2, "StatusTypeID": 200},
            {"ConnectionTypeID": 2, "StatusType": {"ID": 210}},
            {"ConnectionTypeID": 2000, "ConnectionType": {"ID": 2000, "Title": "Megawatt"}, "Quantity": -1, "CurrentTypeID": 7},
            null,
            {},
        ]});
        let (found, unknown) = connectors(Fields::of(&record));
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
            Connector::of(ConnectorType::Unknown),
            Connector::of(ConnectorType::Unknown),
        ];
        assert_eq!(found, expected);
        assert_eq!(unknown, [(2000, Some("Megawatt".to_owned()))]);
    }
}
