//! Connectors: what the groups of columns say about the plugs of a row.

use super::cell::Cell;
use super::plan::{Group, Value};
use super::translate::holds;
use super::value::Got;
use crate::domain::{Connector, ConnectorCodes, ConnectorType, Current, Finding, FindingRule};

/// The connectors of a row, in the order of the mapping.
pub(super) fn connectors(
    groups: &[Group],
    cells: &[Cell],
    codes: &ConnectorCodes,
    findings: &mut Vec<Finding>,
) -> Vec<Connector> {
    let is_there = |group: &&Group| {
        let values = [&group.kind, &group.power, &group.voltage, &group.amperage, &group.current, &group.evse_id];
        let stated = values.into_iter().chain([&group.count]).flatten().any(|value| value.is_stated(cells));
        // A group of constants is there by its condition alone.
        let is_constant = values.into_iter().chain([&group.count]).flatten().all(Value::is_constant);
        group.when.iter().all(|(slot, condition)| holds(&cells[*slot], condition)) && (stated || is_constant)
    };
    let mut all = Vec::new();
    for group in groups.iter().filter(is_there) {
        group.add(cells, codes, findings, &mut all);
    }
    all
}

impl Value {
    fn is_constant(&self) -> bool {
        matches!(self.from, super::plan::Slots::Constant(_))
    }
}

impl Group {
    fn add(&self, cells: &[Cell], codes: &ConnectorCodes, findings: &mut Vec<Finding>, all: &mut Vec<Connector>) {
        let kinds = self.kinds(cells, codes, findings);
        let mut list = |value: &Option<Value>, field: &str| -> Vec<Option<Got>> {
            value.as_ref().map_or_else(Vec::new, |value| value.read(cells, field, findings))
        };
        let powers = list(&self.power, "connectors.power");
        let volts = list(&self.voltage, "connectors.voltage");
        let amperes = list(&self.amperage, "connectors.amperage");
        let currents = list(&self.current, "connectors.current");
        let counts = list(&self.count, "connectors.count");
        let evse_ids = list(&self.evse_id, "connectors.evse_id");

        let number = |list: &[Option<Got>], at: usize| list.get(at).and_then(Option::as_ref).and_then(|got| got.number);
        let strongest = strongest(&kinds);
        let several = kinds.len() > 1;
        let mut unassigned = [("connectors.power", &powers), ("connectors.count", &counts)];
        for (at, kind) in kinds.iter().enumerate() {
            // Lists of the same length are about one connector after the other. One value for several plugs is that of
            // the strongest, because no charging point gives less than it says; how many there are of each, nobody says.
            let own = |list: &[Option<Got>]| if list.len() == kinds.len() { number(list, at) } else { None };
            let shared = |list: &[Option<Got>]| if list.len() == 1 { number(list, 0) } else { own(list) };
            let count = own(&counts);
            if count == Some(0.0) {
                continue;
            }
            let is_of_strongest = !several || strongest.contains(&at);
            let power_kw = if powers.len() == 1 && is_of_strongest { number(&powers, 0) } else { own(&powers) };
            let current = currents.get(if currents.len() == 1 { 0 } else { at }).and_then(Option::as_ref);
            let current = current.and_then(|got| Current::from_name(&got.text));
            let ids = evse_ids.iter().flatten().filter(|_| evse_ids.len() != kinds.len() || !several);
            let own_id = evse_ids.get(at).filter(|_| evse_ids.len() == kinds.len() && several).and_then(Option::as_ref);
            all.push(Connector {
                // A current that the plug cannot have is that of another plug beside it.
                current: current.filter(|_| !several).or_else(|| kind.current()),
                power_kw,
                voltage_v: if several { own(&volts) } else { shared(&volts) },
                amperage_a: if several { own(&amperes) } else { shared(&amperes) },
                count: count.map(|count| count as i32),
                evse_ids: ids.chain(own_id).map(|got| got.text.as_str().into()).collect(),
                ..Connector::of(*kind)
            });
        }
        // What stands in lists of another length belongs to nobody knows which.
        for (field, list) in &mut unassigned {
            let is_shared_power = *field == "connectors.power" && list.len() == 1;
            if list.len() != kinds.len() && !is_shared_power && list.iter().flatten().next().is_some() {
                let texts: Vec<&str> =
                    list.iter().map(|got| got.as_ref().map_or("", |got| got.text.as_str())).collect();
                findings.push(Finding::dropped(FindingRule::UnreadableValue, *field, texts.join(";")));
            }
        }
        for got in currents.iter().flatten().filter(|got| Current::from_name(&got.text).is_none()) {
            findings.push(Finding::dropped(FindingRule::UnknownCode, "connectors.current", got.text.as_str()));
        }
    }

    /// The types, or one that is not known where the row tells none.
    fn kinds(&self, cells: &[Cell], codes: &ConnectorCodes, findings: &mut Vec<Finding>) -> Vec<ConnectorType> {
        const FIELD: &str = "connectors.type";
        let Some(value) = &self.kind else { return vec![ConnectorType::Unknown] };
        let before = findings.len();
        let got = value.read(cells, FIELD, findings);
        let unknown_words = findings.len() - before;
        let mut kinds = Vec::new();
        for got in got.into_iter().flatten() {
            let kind = match value.vocabulary {
                Some(vocabulary) => codes.read(vocabulary, &got.text),
                None => ConnectorType::from_name(&got.text),
            };
            kinds.push(kind.unwrap_or_else(|| {
                findings.push(Finding::dropped(FindingRule::UnknownCode, FIELD, got.text));
                ConnectorType::Unknown
            }));
        }
        // A word that no table knows is a plug all the same.
        kinds.extend(std::iter::repeat_n(ConnectorType::Unknown, unknown_words));
        if kinds.is_empty() { vec![ConnectorType::Unknown] } else { kinds }
    }
}

/// Which of several plugs have the power that is stated of all of them together: those of direct current, else those of
/// cars, else all.
fn strongest(kinds: &[ConnectorType]) -> Vec<usize> {
    let having = |is: fn(&ConnectorType) -> bool| -> Vec<usize> {
        kinds.iter().enumerate().filter(|(_, kind)| is(kind)).map(|(at, _)| at).collect()
    };
    let direct = having(|kind| kind.current() == Some(Current::Dc) || *kind == ConnectorType::TeslaSEu);
    let of_cars = having(|kind| kind.class().is_some());
    [direct, of_cars].into_iter().find(|some| !some.is_empty()).unwrap_or_else(|| (0..kinds.len()).collect())
}
