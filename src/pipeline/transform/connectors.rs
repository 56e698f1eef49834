//! Connectors: from structure or from tags, in one model: kilowatts, volts, amperes, each kind and rating once.

use std::cmp::Ordering;

use super::external_ids::evse_id;
use super::quantity::{highest, kilowatts, plausible_volts_or_amperes};
use super::{Context, Draft, Dropped, sockets};
use crate::domain::{Connector, ConnectorType, Current, Finding, FindingRule};

/// From this voltage on, alternating current has three phases, in V; the grids have 380 to 480 between phases.
const THREE_PHASES_FROM_V: f64 = 380.0;

/// Up to this voltage it has one, in V; the grids have 100 to 240 between phase and neutral.
const ONE_PHASE_TO_V: f64 = 250.0;

/// Fills `connectors` and `max_power_kw`.
pub(super) fn step(mut draft: Draft, context: &Context<'_>) -> Result<Draft, Dropped> {
    let record = &mut draft.record;
    let mut connectors = std::mem::take(&mut record.attributes.connectors);
    connectors.extend(sockets::take(&mut record.attributes.tags, record.position.lon(), context.codes));

    // What a station as a whole gives stands in for car plugs that say nothing themselves.
    let silent = |connector: &Connector| connector.power_kw.is_none() && connector.kind.class().is_some();
    let mut of_station = None;
    if connectors.is_empty() || connectors.iter().any(silent) {
        of_station = draft.take_read(&["charging_station:output", "maxpower"], |text| highest(text, kilowatts));
        for connector in connectors.iter_mut().filter(|connector| silent(connector)) {
            connector.power_kw = of_station;
        }
    }

    let (attributes, findings) = (&mut draft.record.attributes, &mut draft.record.findings);
    attributes.connectors = merged(connectors.into_iter().map(|each| plausible(each, findings)).collect());
    attributes.max_power_kw = max_power_kw(&attributes.connectors).or(of_station);
    Ok(draft)
}

/// The highest power of any of them, in kW.
pub(super) fn max_power_kw(connectors: &[Connector]) -> Option<f64> {
    connectors.iter().filter_map(|connector| connector.power_kw).reduce(f64::max)
}

/// Connectors of the same kind and rating as one, sorted by kind, then the strongest first.
pub(super) fn merged(mut connectors: Vec<Connector>) -> Vec<Connector> {
    connectors.sort_by(order);
    let mut merged: Vec<Connector> = Vec::with_capacity(connectors.len());
    for connector in connectors {
        match merged.last_mut().filter(|last| order(last, &connector) == Ordering::Equal) {
            None => merged.push(connector),
            Some(same) => {
                // One that is listed without a count is one.
                same.count = Some(same.count.unwrap_or(1).saturating_add(connector.count.unwrap_or(1)));
                same.evse_ids.extend(connector.evse_ids);
                same.evse_ids.sort_unstable();
                same.evse_ids.dedup();
            }
        }
    }
    merged
}

fn order(a: &Connector, b: &Connector) -> Ordering {
    let numbers = |a: Option<f64>, b: Option<f64>| a.partial_cmp(&b).unwrap_or(Ordering::Equal);
    a.kind
        .cmp(&b.kind)
        .then_with(|| numbers(b.power_kw, a.power_kw))
        .then_with(|| a.current.cmp(&b.current))
        .then_with(|| numbers(a.voltage_v, b.voltage_v))
        .then_with(|| numbers(a.amperage_a, b.amperage_a))
}

/// The connector without values that cannot be, each of them found, and with its current where kind or voltage tell.
fn plausible(mut connector: Connector, findings: &mut Vec<Finding>) -> Connector {
    // Zero is how forms write "not known"; anything else that cannot be is found.
    let mut keep = |stated: Option<f64>, field: &'static str, can_be: &dyn Fn(f64) -> bool| match stated {
        Some(amount) if can_be(amount) => Some(amount),
        Some(amount) if amount != 0.0 => {
            findings.push(Finding::dropped(FindingRule::ImplausibleValue, field, amount.to_string()));
            None
        }
        _ => None,
    };
    let max_kw = connector.kind.max_kw(connector.current);
    connector.power_kw = keep(connector.power_kw, "connectors.power_kw", &|kw| kw > 0.0 && kw <= max_kw);
    connector.voltage_v = keep(connector.voltage_v, "connectors.voltage_v", &plausible_volts_or_amperes);
    connector.amperage_a = keep(connector.amperage_a, "connectors.amperage_a", &plausible_volts_or_amperes);
    connector.count = connector.count.filter(|count| *count > 0);
    connector.current = connector.current.or_else(|| current(connector.kind, connector.voltage_v));
    let mut ids = Vec::with_capacity(connector.evse_ids.len());
    for stated in std::mem::take(&mut connector.evse_ids) {
        match evse_id(&stated) {
            Some(id) => ids.push(id),
            None => findings.push(Finding::dropped(FindingRule::InvalidEvseId, "connectors.evse_ids", stated)),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    connector.evse_ids = ids;
    connector
}

/// The current of a kind of connector, where it always is the same, or where the voltage tells the phases.
fn current(kind: ConnectorType, voltage_v: Option<f64>) -> Option<Current> {
    let alternating = matches!(
        kind,
        ConnectorType::Type2Socket
            | ConnectorType::Type2Cable
            | ConnectorType::Type3a
            | ConnectorType::Type3c
            | ConnectorType::GbtAc
    );
    kind.current().or_else(|| match voltage_v? {
        volts if alternating && volts >= THREE_PHASES_FROM_V => Some(Current::AcThree),
        volts if alternating && volts <= ONE_PHASE_TO_V => Some(Current::AcSingle),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{feature, step_on, step_on_feature};
    use super::*;
    use crate::domain::Record;

    fn structured(connectors: Vec<Connector>) -> Record {
        let mut station = feature("7", 9.52, 47.14, "amenity=charging_station");
        station.connectors = connectors;
        step_on_feature(step, station)
    }

    fn rated(kind: ConnectorType, power_kw: f64) -> Connector {
        Connector { power_kw: Some(power_kw), ..Connector::of(kind) }
    }

    #[test]
    fn a_power_that_cannot_be_is_found() {
        let cases = [
            (22.0, Some(22.0), ""),
            (22_000.0, None, "implausible_value"),
            (350.0, Some(350.0), ""),
            (1_000.0, Some(1_000.0), ""),
            (0.0, None, ""),
            (-5.0, None, "implausible_value"),
            (150_150_150.0, None, "implausible_value"),
            (f64::NAN, None, "implausible_value"),
            (f64::INFINITY, None, "implausible_value"),
        ];
        for (stated, expected, found) in cases {
            let record = structured(vec![rated(ConnectorType::Ccs2, stated)]);
            assert_eq!(record.attributes.connectors[0].power_kw, expected, "{stated}");
            assert_eq!(record.attributes.max_power_kw, expected, "{stated}");
            let rules: Vec<_> = record.findings.iter().map(|finding| finding.rule.name()).collect();
            assert_eq!(rules.join(" "), found, "{stated}");
        }
    }

    #[test]
    fn equal_connectors_are_one_and_the_strongest_come_first() {
        use ConnectorType::{Ccs2, Type2Socket};
        let counted = |connector: Connector, count| Connector { count: Some(count), ..connector };
        let record = structured(vec![
            rated(Ccs2, 50.0),
            counted(rated(Type2Socket, 22.0), 2),
            rated(Ccs2, 150.0),
            rated(Type2Socket, 22.0),
            Connector::of(Ccs2),
        ]);
        let told: Vec<_> = record.attributes.connectors.iter().map(|c| (c.kind, c.power_kw, c.count)).collect();
        let expected = [
            (Type2Socket, Some(22.0), Some(3)),
            (Ccs2, Some(150.0), None),
            (Ccs2, Some(50.0), None),
            (Ccs2, None, None),
        ];
        assert_eq!(told, expected);
        assert_eq!(record.attributes.max_power_kw, Some(150.0));
    }

    #[test]
    fn what_cannot_be_is_dropped_and_the_current_is_told_by_kind_or_voltage() {
        use ConnectorType::{Ccs2, Schuko, TeslaSEu, Type2Cable};
        let cases = [
            (Ccs2, Some(-1.0), Some(9_999.0), None, None, Some(Current::Dc)),
            (Schuko, Some(230.0), Some(16.0), Some(230.0), Some(16.0), Some(Current::AcSingle)),
            (Type2Cable, Some(400.0), Some(32.0), Some(400.0), Some(32.0), Some(Current::AcThree)),
            (Type2Cable, Some(230.0), None, Some(230.0), None, Some(Current::AcSingle)),
            (Type2Cable, Some(300.0), None, Some(300.0), None, None),
            (TeslaSEu, Some(400.0), None, Some(400.0), None, None),
        ];
        for (kind, voltage_v, amperage_a, volts, amperes, current) in cases {
            let record = structured(vec![Connector { voltage_v, amperage_a, ..Connector::of(kind) }]);
            let c = &record.attributes.connectors[0];
            assert_eq!((c.voltage_v, c.amperage_a, c.current), (volts, amperes, current), "{kind} {voltage_v:?}");
        }
    }

    #[test]
    fn the_stations_output_stands_in_for_silent_car_plugs_only() {
        let record = step_on(step, "socket:type2=2|socket:schuko=2|socket:ccs=1|socket:ccs:output=50|maxpower=22 kW");
        let told: Vec<_> = record.attributes.connectors.iter().map(|c| (c.kind, c.power_kw)).collect();
        let expected = [
            (ConnectorType::Type2Socket, Some(22.0)),
            (ConnectorType::Ccs2, Some(50.0)),
            (ConnectorType::Schuko, None),
        ];
        assert_eq!(told, expected);
        assert!(record.attributes.tags.is_empty());

        let record = step_on(step, "amenity=charging_station|charging_station:output=22 kW;11 kW");
        assert_eq!((record.attributes.connectors.len(), record.attributes.max_power_kw), (0, Some(22.0)));

        let record = step_on(step, "socket:ccs=1|socket:ccs:output=50|charging_station:output=100");
        assert_eq!(record.attributes.tags.get("charging_station:output"), Some("100"), "not used, so it stays");
    }

    #[test]
    fn evse_ids_are_normalised() {
        let evse_ids = vec!["ch*lkw*e1".into(), "CH LKW E1".into(), "none".into()];
        let record = structured(vec![Connector { evse_ids, ..Connector::of(ConnectorType::Ccs2) }]);
        assert_eq!(record.attributes.connectors[0].evse_ids, [Box::from("CHLKWE1")]);
    }
}
