//! Sockets: the OSM tags `socket:<type>` and their `:output`, `:voltage` and `:current` as connectors.
//!
//! **Source**: <https://wiki.openstreetmap.org/wiki/Key:socket>, and what readers of it accept.

use std::collections::BTreeSet;

use super::quantity::{amperes, highest, kilowatts, list, volts};
use crate::domain::{Connector, ConnectorCodes, ConnectorType, Current, Tags, Vocabulary};

/// West of this, in degrees, `tesla_*` and `ccs` mean the plugs of the Americas.
const AMERICAS_WEST_OF: f64 = -30.0;

/// Most sockets of one type that a station can have; beyond it the number means something else.
const MAX_COUNT: i32 = 999;

/// Takes the sockets out of the tags. What cannot be read stays there.
pub(super) fn take(tags: &mut Tags, lon: f64, codes: &ConnectorCodes) -> Vec<Connector> {
    let mut connectors = Vec::new();
    for socket in types(tags) {
        let key = format!("socket:{socket}");
        let stated = tags.get(&key).map(count);
        if stated == Some(Count::Absent) {
            tags.take(&key);
            continue;
        }
        let Some((kind, current)) = kind(&socket, lon < AMERICAS_WEST_OF, codes) else {
            if stated.is_some() {
                connectors.push(Connector { count: number(stated), ..Connector::of(ConnectorType::Unknown) });
            }
            continue;
        };
        if matches!(stated, Some(Count::Number(_) | Count::Present)) {
            tags.take(&key);
        }
        let mut detail = |suffix: &str, read: &dyn Fn(&str) -> Option<Vec<f64>>| {
            let key = format!("{key}:{suffix}");
            let values = tags.get(&key).and_then(read)?;
            tags.take(&key);
            Some(values)
        };
        let outputs = detail("output", &|text| list(text, kilowatts)).unwrap_or_default();
        let voltage = detail("voltage", &|text| highest(text, volts).map(|v| vec![v]));
        let amperage = detail("current", &|text| highest(text, amperes).map(|a| vec![a]));
        let connector = Connector {
            current,
            power_kw: outputs.iter().copied().reduce(f64::max),
            voltage_v: voltage.map(|values| values[0]),
            amperage_a: amperage.map(|values| values[0]),
            count: number(stated),
            ..Connector::of(kind)
        };
        // As many powers as sockets: one each. Otherwise the list says what one socket can do at most.
        if outputs.len() > 1 && connector.count == i32::try_from(outputs.len()).ok() {
            let each = |power| Connector { power_kw: Some(power), count: Some(1), ..connector.clone() };
            connectors.extend(outputs.iter().copied().map(each));
        } else {
            connectors.push(connector);
        }
    }
    connectors
}

/// The socket types that the tags speak of.
fn types(tags: &Tags) -> BTreeSet<String> {
    let of_key = |key: &str| {
        let (socket, detail) = key.strip_prefix("socket:").map(|rest| rest.split_once(':').unwrap_or((rest, "")))?;
        matches!(detail, "" | "output" | "voltage" | "current").then(|| socket.to_owned())
    };
    tags.iter().filter_map(|(key, _)| of_key(key)).collect()
}

/// What `socket:<type>` says about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Absent,
    Present,
    Number(i32),
    Unclear,
}

fn count(value: &str) -> Count {
    match value.trim() {
        "no" | "0" | "none" => Count::Absent,
        "yes" => Count::Present,
        number => match number.parse::<i32>() {
            Ok(number @ 1..=MAX_COUNT) => Count::Number(number),
            _ => Count::Unclear,
        },
    }
}

fn number(stated: Option<Count>) -> Option<i32> {
    match stated {
        Some(Count::Number(number)) => Some(number),
        _ => None,
    }
}

/// The connector that a socket type means, with its current where the type alone does not tell.
fn kind(socket: &str, americas: bool, codes: &ConnectorCodes) -> Option<(ConnectorType, Option<Current>)> {
    let there = || codes.read(Vocabulary::OsmAmericas, socket).filter(|_| americas);
    let kind = there().or_else(|| codes.read(Vocabulary::Osm, socket))?;
    Some((kind, (socket == "tesla_supercharger").then_some(Current::Dc)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tags;
    use super::*;

    fn codes() -> ConnectorCodes {
        ConnectorCodes::parse(include_str!("../../../pipelines/connectors.toml")).expect("connectors.toml is read")
    }

    /// Connectors as `type×count@kW`, and the keys that stay.
    fn told(text: &str, lon: f64) -> (String, String) {
        let mut tags = tags(text);
        let show = |c: &Connector| {
            let count = c.count.map_or(String::new(), |count| format!("x{count}"));
            let power = c.power_kw.map_or(String::new(), |power| format!("@{power}"));
            let volts = c.voltage_v.map_or(String::new(), |volts| format!("/{volts}V"));
            let amperes = c.amperage_a.map_or(String::new(), |amperes| format!("/{amperes}A"));
            format!("{}{count}{power}{volts}{amperes}", c.kind)
        };
        let connectors: Vec<String> = take(&mut tags, lon, &codes()).iter().map(show).collect();
        let left: Vec<&str> = tags.iter().map(|(key, _)| key).collect();
        (connectors.join(" "), left.join(" "))
    }

    #[test]
    fn sockets_become_connectors() {
        let europe = 9.5;
        let cases = [
            ("socket:type2=2", "type2_socketx2", ""),
            ("socket:type2=yes|socket:type2_combo=no|socket:chademo=0", "type2_socket", ""),
            ("socket:type2=2|socket:type2:output=22 kW", "type2_socketx2@22", ""),
            ("socket:type2=2|socket:type2:output=22 kW;11 kW", "type2_socketx1@22 type2_socketx1@11", ""),
            ("socket:type2=3|socket:type2:output=22 kW;11 kW", "type2_socketx3@22", ""),
            ("socket:type2:output=22 kW", "type2_socket@22", ""),
            ("socket:type2=2|socket:type2:voltage=400|socket:type2:current=32 A", "type2_socketx2/400V/32A", ""),
            ("socket:type2=2|socket:type2:output=32 A", "type2_socketx2", "socket:type2:output"),
            ("socket:type2=many", "type2_socket", "socket:type2"),
            ("socket:type2=5000", "type2_socket", "socket:type2"),
            ("socket:strange=2", "unknownx2", "socket:strange"),
            ("socket:type:output=3700", "", "socket:type:output"),
            ("socket:type2=1|socket:type2:ref=DEGAPE1", "type2_socketx1", "socket:type2:ref"),
            ("socket:bosch_3pin=1|socket:shimano_steps_5pin=1", "bicyclex1 bicyclex1", ""),
            ("socket:cee_red_16a=1|socket:sev1011_t13=2|socket:nema_14_50=1", "cee_redx1 nemax1 type_jx2", ""),
        ];
        for (text, connectors, left) in cases {
            assert_eq!(told(text, europe), (connectors.to_owned(), left.to_owned()), "{text}");
        }
    }

    #[test]
    fn teslas_plug_depends_on_the_continent() {
        let text = "socket:tesla_supercharger=4|socket:tesla_destination=2|socket:ccs=1";
        assert_eq!(told(text, 9.5).0, "ccs2x1 type2_cablex2 tesla_s_eux4");
        assert_eq!(told(text, -74.0).0, "ccs1x1 nacsx2 nacsx4");
        let supercharger = take(&mut tags("socket:tesla_supercharger=4"), 9.5, &codes());
        assert_eq!(supercharger[0].current, Some(Current::Dc));
    }
}
