//! Connectors: OCPI's standard, format, kind of power, volts, amperes and watts in our vocabulary.
//!
//! - **Power** is `max_electric_power`, in W; where that is not stated it is computed from volts and amperes.
//! - **Source**: OCPI 2.1.1, 2.2.1 and 2.3.0, *Locations*, class Connector: the voltage is "line to neutral for `AC_3_PHASE`";
//!   `max_electric_power` is stated "when lower than the value calculated from voltage and amperage".
//! - What contradicts itself is a finding, and nothing is computed from it.

use std::collections::BTreeMap;

use super::json::Fields;
use crate::domain::{Connector, ConnectorCodes, ConnectorType, Current, Finding, FindingRule, Vocabulary};

/// A `max_electric_power` up to this many W was meant in kW: no car charger gives less, and none more than that many kW.
const WATTS_FROM: f64 = 1_000.0;

/// No charger gives more, in kW: megawatt charging ends at 1,250 V and 3,000 A.
const MAX_KW: f64 = 3_750.0;

/// Voltages from here on are those between two phases, in V: 380, 400 and 480 V are, 208, 230, 240 and 277 V are not.
const LINE_TO_LINE_FROM_V: f64 = 380.0;

/// One phase gives less, in kW: the strongest plug is SAE J1772 with 80 A at 240 V, 19.2 kW.
const ONE_PHASE_TO_KW: f64 = 20.0;

/// The connector of an EVSE with these ids.
pub(super) fn connector(
    stated: Fields<'_>,
    evse_ids: &[Box<str>],
    codes: &ConnectorCodes,
    findings: &mut Vec<Finding>,
) -> Connector {
    let kind = kind(stated, codes, findings);
    let voltage_v = positive(stated, &["max_voltage", "voltage"], findings);
    let amperage_a = positive(stated, &["max_amperage", "amperage"], findings);
    let power_kw = stated_power(stated, findings);
    let (phases, voltage_v, amperage_a) = match phases(stated, kind, (voltage_v, amperage_a), power_kw, findings) {
        Ok(phases) => (phases, voltage_v, amperage_a),
        Err(Contradiction) => (None, None, None),
    };
    let computed = || computed_power(phases.filter(|phases| !phases.is_repaired)?, voltage_v?, amperage_a?, findings);
    Connector {
        kind,
        current: phases.map(|phases| phases.power_type.current()),
        power_kw: power_kw.or_else(computed),
        voltage_v,
        amperage_a,
        count: Some(1),
        evse_ids: evse_ids.to_vec(),
    }
}

/// What makes two connectors of a place alike: kind, current, and power, voltage and amperage to the bit.
pub(super) type Rating = (ConnectorType, Option<Current>, [Option<u64>; 3]);

pub(super) fn rating(connector: &Connector) -> Rating {
    let numbers = [connector.power_kw, connector.voltage_v, connector.amperage_a];
    (connector.kind, connector.current, numbers.map(|number| number.map(f64::to_bits)))
}

/// Connectors of the same kind and rating as one, in the order of the first of each.
pub(super) fn grouped(connectors: Vec<Connector>) -> Vec<Connector> {
    let mut places: BTreeMap<Rating, usize> = BTreeMap::new();
    let mut groups: Vec<Connector> = Vec::new();
    for connector in connectors {
        let place = *places.entry(rating(&connector)).or_insert(groups.len());
        if let Some(group) = groups.get_mut(place) {
            group.count = group.count.zip(connector.count).map(|(a, b)| a.saturating_add(b));
            group.evse_ids.extend(connector.evse_ids);
        } else {
            groups.push(connector);
        }
    }
    for group in &mut groups {
        group.evse_ids.sort_unstable();
        group.evse_ids.dedup();
    }
    groups
}

/// Plug or socket. A standard that is not in the table is a finding.
fn kind(stated: Fields<'_>, codes: &ConnectorCodes, findings: &mut Vec<Finding>) -> ConnectorType {
    let Some(standard) = stated.word("standard") else { return ConnectorType::Unknown };
    let format = stated.word("format");
    if let Some(format) = format.as_ref().filter(|format| !["SOCKET", "CABLE"].contains(&format.as_str())) {
        findings.push(Finding::dropped(FindingRule::UnknownCode, "format", format.as_str()));
    }
    // The only words of the enumeration with small letters are those of IEC 60309.
    let small = standard.replace("SINGLE", "single").replace("THREE", "three");
    let read = |code: &str| codes.read(Vocabulary::Ocpi, code);
    let found = format.and_then(|format| read(&format!("{standard}/{format}")));
    found.or_else(|| read(&standard)).or_else(|| read(&small)).unwrap_or_else(|| {
        let stated = stated.text("standard").unwrap_or_default();
        findings.push(Finding::dropped(FindingRule::UnknownCode, "standard", stated));
        ConnectorType::Unknown
    })
}

/// The first of these fields that holds a number. Zero is how feeds write that they do not know.
fn positive(stated: Fields<'_>, keys: &[&'static str], findings: &mut Vec<Finding>) -> Option<f64> {
    let (key, number) = keys.iter().find_map(|key| Some((*key, stated.number(key, findings)?)))?;
    if number < 0.0 {
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, key, number.to_string()));
    }
    (number > 0.0).then_some(number)
}

/// `max_electric_power`, in kW.
fn stated_power(stated: Fields<'_>, findings: &mut Vec<Finding>) -> Option<f64> {
    const FIELD: &str = "max_electric_power";
    let watts = positive(stated, &[FIELD], findings)?;
    let kw = if watts <= WATTS_FROM {
        let told = format!("{} W", watts * 1_000.0);
        findings.push(Finding::replaced(FindingRule::PowerInKilowatts, FIELD, format!("{watts} W"), told));
        watts
    } else {
        watts / 1_000.0
    };
    possible(kw, FIELD, || format!("{watts} W"), findings)
}

fn possible(kw: f64, field: &'static str, told: impl Fn() -> String, findings: &mut Vec<Finding>) -> Option<f64> {
    if kw > MAX_KW {
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, field, told()));
    }
    (kw <= MAX_KW).then_some(kw)
}

/// OCPI's power type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PowerType {
    OnePhase,
    /// Two of three phases are connected.
    TwoPhases,
    /// Both legs of a split phase, as in North America.
    SplitPhase,
    ThreePhases,
    Dc,
}

impl PowerType {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "AC_1_PHASE" => Self::OnePhase,
            "AC_2_PHASE" => Self::TwoPhases,
            "AC_2_PHASE_SPLIT" => Self::SplitPhase,
            "AC_3_PHASE" => Self::ThreePhases,
            "DC" => Self::Dc,
            _ => return None,
        })
    }

    fn current(self) -> Current {
        match self {
            Self::OnePhase | Self::TwoPhases | Self::SplitPhase => Current::AcSingle,
            Self::ThreePhases => Current::AcThree,
            Self::Dc => Current::Dc,
        }
    }
}

/// A power type that does not contradict the rest of the connector.
#[derive(Debug, Clone, Copy)]
struct Phases {
    power_type: PowerType,
    /// Whether it is not the stated one.
    is_repaired: bool,
}

/// The plug cannot give that kind of power, so one of them is wrong, and the ratings are those of nobody knows what.
struct Contradiction;

/// The kind of power. One phase that would be stronger than one phase can be is three.
///
/// # Errors
///
/// When the plug cannot give it.
fn phases(
    stated: Fields<'_>,
    kind: ConnectorType,
    (voltage_v, amperage_a): (Option<f64>, Option<f64>),
    power_kw: Option<f64>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Phases>, Contradiction> {
    let Some(word) = stated.word("power_type") else { return Ok(None) };
    let Some(power_type) = PowerType::of(&word) else {
        findings.push(Finding::dropped(FindingRule::UnknownCode, "power_type", word));
        return Ok(None);
    };
    if is_alternating(kind).is_some_and(|alternating| alternating == (power_type == PowerType::Dc)) {
        let told =
            |unit: &str, number: Option<f64>| number.map_or_else(String::new, |number| format!(", {number} {unit}"));
        let standard = stated.text("standard").unwrap_or_default();
        let told = format!("{word} of {standard}{}{}", told("V", voltage_v), told("A", amperage_a));
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, "power_type", told));
        return Err(Contradiction);
    }
    let is_too_much =
        voltage_v.is_some_and(|v| v >= LINE_TO_LINE_FROM_V) || power_kw.is_some_and(|kw| kw > ONE_PHASE_TO_KW);
    if power_type == PowerType::OnePhase && is_too_much {
        findings.push(Finding::replaced(FindingRule::PhasesOfPower, "power_type", word, "AC_3_PHASE"));
        return Ok(Some(Phases { power_type: PowerType::ThreePhases, is_repaired: true }));
    }
    Ok(Some(Phases { power_type, is_repaired: false }))
}

/// Whether the type always gives alternating current; `Some(false)` for direct current, `None` where it may be either.
fn is_alternating(kind: ConnectorType) -> Option<bool> {
    use ConnectorType as T;
    match kind {
        T::Type1
        | T::Type2Socket
        | T::Type2Cable
        | T::Type3a
        | T::Type3c
        | T::GbtAc
        | T::Schuko
        | T::TypeE
        | T::Bs1363
        | T::TypeJ
        | T::As3112
        | T::TypeM
        | T::CeeBlue
        | T::CeeRed
        | T::As3123
        | T::Nema
        | T::Europlug => Some(true),
        T::Ccs1 | T::Ccs2 | T::Chademo | T::Chaoji | T::GbtDc | T::Mcs => Some(false),
        _ => None,
    }
}

/// The power in kW, to 0.1 kW: `V·A`, with these factors.
///
/// | power type | between phase and neutral | between two phases, from 380 V |
/// |---|---|---|
/// | `DC`, `AC_1_PHASE` | 1 | 1 |
/// | `AC_3_PHASE` | 3 | √3, against the specification but often written |
/// | `AC_2_PHASE` | 2 | 2/√3 |
/// | `AC_2_PHASE_SPLIT` | 2 up to 130 V, else 1: 240 V is already that of both legs | 1 |
fn computed_power(phases: Phases, volts: f64, amperes: f64, findings: &mut Vec<Finding>) -> Option<f64> {
    let is_line_to_line = volts >= LINE_TO_LINE_FROM_V;
    let factor = match phases.power_type {
        PowerType::Dc | PowerType::OnePhase => 1.0,
        PowerType::SplitPhase => {
            if volts <= 130.0 {
                2.0
            } else {
                1.0
            }
        }
        PowerType::ThreePhases if is_line_to_line => 3_f64.sqrt(),
        PowerType::ThreePhases => 3.0,
        PowerType::TwoPhases if is_line_to_line => 2.0 / 3_f64.sqrt(),
        PowerType::TwoPhases => 2.0,
    };
    let kw = (factor * volts * amperes / 100.0).round() / 10.0;
    possible(kw, "amperage", || format!("{amperes} A at {volts} V"), findings).filter(|kw| *kw > 0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn codes() -> ConnectorCodes {
        ConnectorCodes::parse(include_str!("../../../pipelines/connectors.toml")).unwrap()
    }

    fn read(stated: &Value) -> (Connector, Vec<Finding>) {
        let mut findings = Vec::new();
        let connector = connector(Fields::of(stated), &["NL*ABC*E1".into()], &codes(), &mut findings);
        (connector, findings)
    }

    fn told(findings: &[Finding]) -> String {
        let one = |f: &Finding| {
            let value = |value: &Option<Box<str>>| value.as_deref().unwrap_or("-").to_owned();
            format!("{} {}: {} > {}", f.rule, f.field, value(&f.before), value(&f.after))
        };
        findings.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_standard_and_where_it_matters_the_format_make_the_type() {
        let cases = [
            (json!({"standard": "IEC_62196_T2", "format": "CABLE"}), "type2_cable", ""),
            (json!({"standard": "IEC_62196_T2", "format": "socket"}), "type2_socket", ""),
            (json!({"standard": "iec_62196_t2_combo", "format": "CABLE"}), "ccs2", ""),
            (json!({"standard": "CHADEMO"}), "chademo", ""),
            (json!({"standard": "SAE_J3400", "format": "CABLE"}), "nacs", ""),
            (json!({"standard": "MCS", "format": "CABLE"}), "mcs", ""),
            (json!({"standard": "IEC_60309_2_single_16", "format": "SOCKET"}), "cee_blue", ""),
            (json!({"standard": "IEC_60309_2_THREE_32", "format": "SOCKET"}), "cee_red", ""),
            (json!({"standard": "DOMESTIC_F", "format": "SOCKET"}), "schuko", ""),
            (json!({"standard": "NEMA_14_50", "format": "SOCKET"}), "nema", ""),
            (
                json!({"standard": "Type 2 outlet", "format": "SOCKET"}),
                "unknown",
                "unknown_code standard: Type 2 outlet > -",
            ),
            (json!({"standard": "CHADEMO", "format": "ROPE"}), "chademo", "unknown_code format: ROPE > -"),
            (json!({"format": "CABLE"}), "unknown", ""),
            (json!({"standard": ""}), "unknown", ""),
        ];
        for (stated, kind, findings) in cases {
            let (connector, found) = read(&stated);
            assert_eq!((connector.kind.name(), told(&found).as_str()), (kind, findings), "{stated}");
            assert_eq!((connector.count, connector.evse_ids.len()), (Some(1), 1));
        }
    }

    #[test]
    fn power_is_stated_or_computed_and_never_guessed() {
        let t2 = "IEC_62196_T2";
        let ccs = "IEC_62196_T2_COMBO";
        let cases = [
            // stated
            (json!({"max_electric_power": 22000}), Some(22.0), ""),
            (
                json!({"max_electric_power": "150000", "max_voltage": 920, "max_amperage": 400, "power_type": "DC"}),
                Some(150.0),
                "",
            ),
            (json!({"max_electric_power": 22}), Some(22.0), "power_in_kilowatts max_electric_power: 22 W > 22000 W"),
            (
                json!({"max_electric_power": 1000}),
                Some(1000.0),
                "power_in_kilowatts max_electric_power: 1000 W > 1000000 W",
            ),
            (json!({"max_electric_power": 1400}), Some(1.4), ""),
            (json!({"max_electric_power": 0}), None, ""),
            (json!({"max_electric_power": -5}), None, "implausible_value max_electric_power: -5 > -"),
            (json!({"max_electric_power": "lots"}), None, "unreadable_value max_electric_power: lots > -"),
            (json!({"max_electric_power": 150_150_150}), None, "implausible_value max_electric_power: 150150150 W > -"),
            // computed
            (json!({"voltage": 400, "amperage": 125, "power_type": "DC", "standard": ccs}), Some(50.0), ""),
            (json!({"max_voltage": "500", "max_amperage": 300, "power_type": "dc", "standard": ccs}), Some(150.0), ""),
            (json!({"voltage": 230, "amperage": 32, "power_type": "AC_1_PHASE", "standard": t2}), Some(7.4), ""),
            (json!({"voltage": 230, "amperage": 16, "power_type": "ac_3_phase", "standard": t2}), Some(11.0), ""),
            (json!({"voltage": 230, "amperage": 63, "power_type": "AC_3_PHASE", "standard": t2}), Some(43.5), ""),
            (json!({"voltage": 400, "amperage": 32, "power_type": "AC_3_PHASE", "standard": t2}), Some(22.2), ""),
            (json!({"voltage": 480, "amperage": 63, "power_type": "AC_3_PHASE"}), Some(52.4), ""),
            (json!({"voltage": 230, "amperage": 16, "power_type": "AC_2_PHASE"}), Some(7.4), ""),
            (json!({"voltage": 400, "amperage": 16, "power_type": "AC_2_PHASE"}), Some(7.4), ""),
            (json!({"voltage": 240, "amperage": 40, "power_type": "AC_2_PHASE_SPLIT"}), Some(9.6), ""),
            (json!({"voltage": 120, "amperage": 40, "power_type": "AC_2_PHASE_SPLIT"}), Some(9.6), ""),
            (json!({"voltage": 1250, "amperage": 3000, "power_type": "DC", "standard": "MCS"}), Some(3750.0), ""),
            (
                json!({"voltage": 40000, "amperage": 3000, "power_type": "DC"}),
                None,
                "implausible_value amperage: 3000 A at 40000 V > -",
            ),
            (json!({"voltage": 0, "amperage": 32, "power_type": "DC"}), None, ""),
            (json!({"voltage": 400, "amperage": 0, "power_type": "DC"}), None, ""),
            (json!({"voltage": 400, "amperage": 32}), None, ""),
            (json!({"voltage": 400, "amperage": 32, "power_type": ""}), None, ""),
            (
                json!({"voltage": 400, "amperage": 32, "power_type": "HAMSTER"}),
                None,
                "unknown_code power_type: HAMSTER > -",
            ),
            // contradictory
            (
                json!({"voltage": 400, "amperage": 32, "power_type": "DC", "standard": t2}),
                None,
                "implausible_value power_type: DC of IEC_62196_T2, 400 V, 32 A > -",
            ),
            (
                json!({"voltage": 400, "amperage": 32, "power_type": "AC_3_PHASE", "standard": ccs}),
                None,
                "implausible_value power_type: AC_3_PHASE of IEC_62196_T2_COMBO, 400 V, 32 A > -",
            ),
            (
                json!({"voltage": 400, "amperage": 18, "power_type": "AC_1_PHASE", "standard": t2}),
                None,
                "phases_of_power power_type: AC_1_PHASE > AC_3_PHASE",
            ),
        ];
        for (stated, power_kw, findings) in cases {
            let (connector, found) = read(&stated);
            assert_eq!((connector.power_kw, told(&found).as_str()), (power_kw, findings), "{stated}");
            let is_rated = connector.voltage_v.is_some() && connector.amperage_a.is_some();
            assert!(!findings.contains("power_type: DC of") || !is_rated, "{stated}");
        }
    }

    #[test]
    fn the_current_is_that_of_the_power_type_unless_it_cannot_be() {
        let cases = [
            ("IEC_62196_T2", "AC_1_PHASE", 230, 7_400, Some(Current::AcSingle)),
            ("IEC_62196_T2", "AC_2_PHASE", 230, 0, Some(Current::AcSingle)),
            ("IEC_62196_T1", "AC_2_PHASE_SPLIT", 240, 19_200, Some(Current::AcSingle)),
            ("IEC_62196_T1", "AC_1_PHASE", 240, 19_200, Some(Current::AcSingle)),
            ("IEC_62196_T2", "AC_3_PHASE", 0, 0, Some(Current::AcThree)),
            ("IEC_62196_T2", "AC_1_PHASE", 0, 22_000, Some(Current::AcThree)),
            ("IEC_62196_T2", "AC_1_PHASE", 400, 0, Some(Current::AcThree)),
            ("IEC_62196_T2_COMBO", "DC", 0, 0, Some(Current::Dc)),
            ("TESLA_S", "DC", 0, 0, Some(Current::Dc)),
            ("TESLA_S", "AC_3_PHASE", 0, 0, Some(Current::AcThree)),
            ("IEC_62196_T2", "DC", 0, 0, None),
            ("CHADEMO", "AC_1_PHASE", 0, 0, None),
            ("CHADEMO", "", 0, 0, None),
        ];
        for (standard, power_type, volts, watts, expected) in cases {
            let stated =
                json!({"standard": standard, "power_type": power_type, "voltage": volts, "max_electric_power": watts});
            assert_eq!(read(&stated).0.current, expected, "{stated}");
        }
    }

    #[test]
    fn equal_connectors_are_one_group() {
        let ids = |ids: &[&str]| ids.iter().map(|id| Box::from(*id)).collect::<Vec<_>>();
        let rated = |kind, power_kw, id: &str| Connector {
            power_kw: Some(power_kw),
            count: Some(1),
            evse_ids: ids(&[id]),
            ..Connector::of(kind)
        };
        let found = grouped(vec![
            rated(ConnectorType::Ccs2, 50.0, "b"),
            rated(ConnectorType::Chademo, 50.0, "b"),
            rated(ConnectorType::Ccs2, 50.0, "a"),
            rated(ConnectorType::Ccs2, 150.0, "a"),
            rated(ConnectorType::Ccs2, 50.0, "a"),
        ]);
        let told: Vec<_> = found.iter().map(|c| (c.kind, c.power_kw, c.count, c.evse_ids.clone())).collect();
        let expected = [
            (ConnectorType::Ccs2, Some(50.0), Some(3), ids(&["a", "b"])),
            (ConnectorType::Chademo, Some(50.0), Some(1), ids(&["b"])),
            (ConnectorType::Ccs2, Some(150.0), Some(1), ids(&["a"])),
        ];
        assert_eq!(told, expected);
    }
}
