//! Translate: one row becomes a feature, unless it is not wanted or cannot be used.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::cell::{Cell, Row};
use super::connectors::connectors;
use super::convert::boolean;
use super::geometry::{self, Place};
use super::mapping::Condition;
use super::plan::{Plan, PlannedId, PlannedPosition};
use crate::domain::{
    ConnectorCodes, Feature, Finding, FindingRule, LeftOutRule, RecordId, Reject, RejectCode, Tags, hex,
};

/// Longest id, in bytes; more is a text that has slipped into its column.
const ID_MAX_BYTES: usize = 512;

/// Bytes of a hash that make an id: 64 bits, so that a million rows stay apart.
const HASH_BYTES: usize = 8;

/// What a row turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Kept(Box<Feature>),
    LeftOut(LeftOutRule),
    Reject(Reject),
}

/// Whether a cell says what a condition wants.
pub(super) fn holds(cell: &Cell, condition: &Condition) -> bool {
    let text = cell.to_text();
    match condition {
        Condition::AnyOf(texts) => texts.iter().any(|wanted| *wanted == text),
        Condition::NoneOf(texts) => texts.iter().all(|unwanted| *unwanted != text),
        Condition::Is(wanted) => boolean(&text) == Some(*wanted),
    }
}

/// Translates one row, whose records come under `license`.
pub(super) fn translate(plan: &Plan, row: Row, codes: &ConnectorCodes, license: Option<&str>) -> Outcome {
    let Row { place, line, cells, all, id: own_id, geometry, raw, mut findings } = row;
    if !plan.wanted.iter().all(|(slot, condition)| holds(&cells[*slot], condition)) {
        return Outcome::LeftOut(LeftOutRule::NotMatched);
    }
    let refused =
        |record_id: RecordId, code, message| Outcome::Reject(Reject { record_id, code, position: None, line, message });
    let record_id = match id(plan, &cells, own_id) {
        Ok(id) => RecordId::new(id),
        Err(message) => return refused(RecordId::new(place), RejectCode::Malformed, message),
    };
    let Place { shape, others } = match position(plan, &cells, geometry) {
        Ok(place) => place,
        Err((code, message)) => return refused(record_id, code, message),
    };

    let mut tags: Tags = if plan.all_tags { all.into_iter().collect() } else { Tags::default() };
    for (key, value) in &plan.tags {
        let mut values: Vec<String> = Vec::new();
        for got in value.read(&cells, key, &mut findings).into_iter().flatten() {
            if !values.contains(&got.text) {
                values.push(got.text);
            }
        }
        // A mapped key is what its mapping says, also where that is nothing.
        tags.take(key);
        if !values.is_empty() {
            tags.set(key, values.join(";"));
        }
    }
    let updated = plan.updated.as_ref().and_then(|value| value.one(&cells, "update_time", &mut findings));
    let connectors = connectors(&plan.connectors, &cells, codes, &mut findings);
    let feature = Feature {
        shape,
        connectors,
        update_time: updated.and_then(|got| got.date).map(|date| date.instant),
        license: license.map(Into::into),
        raw: raw.into(),
        line,
        other_positions: others,
        findings,
        ..Feature::point(record_id, 0.0, 0.0, tags)
    };
    Outcome::Kept(Box::new(feature))
}

/// The id of a row.
fn id(plan: &Plan, cells: &[Cell], own: Option<String>) -> Result<String, String> {
    let named = |slot: &usize| format!("`{}`", plan.columns[*slot].column);
    let id = match &plan.id {
        PlannedId::Own => own.ok_or("it has no id; say in [source.table] which columns make one".to_owned())?,
        PlannedId::Columns(slots) => {
            if let Some(empty) = slots.iter().find(|slot| cells[**slot].is_empty()) {
                return Err(format!("it has no {}, which is its id", named(empty)));
            }
            slots.iter().map(|slot| cells[*slot].to_text()).collect::<Vec<_>>().join("/")
        }
        PlannedId::Hash(slots) => {
            let texts: Vec<Cow<'_, str>> = slots.iter().map(|slot| cells[*slot].to_text()).collect();
            if texts.iter().all(|text| text.is_empty()) {
                let columns = slots.iter().map(named).collect::<Vec<_>>().join(", ");
                return Err(format!("it has nothing in {columns}, which make its id"));
            }
            // No text of a table has this separator (ASCII unit separator), so no two lists come to the same text.
            hex(&Sha256::digest(texts.join("\u{1f}"))[..HASH_BYTES])
        }
    };
    if id.len() > ID_MAX_BYTES || id.contains(char::is_control) {
        let beginning: String = id.chars().take(40).collect();
        return Err(format!(
            "`{}…` is no id: it is longer than {ID_MAX_BYTES} bytes or has control characters",
            beginning.escape_default()
        ));
    }
    Ok(id)
}

/// Where a row is.
fn position(
    plan: &Plan,
    cells: &[Cell],
    own: Option<Result<geo::Geometry<f64>, String>>,
) -> Result<Place, (RejectCode, String)> {
    let nowhere = || (RejectCode::NoPosition, "it has no position".to_owned());
    let unreadable = |message: String| (RejectCode::InvalidPosition, message);
    let geometry = match &plan.position {
        PlannedPosition::LonLat(both) => {
            let mut findings: Vec<Finding> = Vec::new();
            let lon = both.0.one(cells, "lon", &mut findings).and_then(|got| got.number);
            let lat = both.1.one(cells, "lat", &mut findings).and_then(|got| got.number);
            return match (lon, lat, findings.first()) {
                (Some(lon), Some(lat), _) => Ok(Place::point(lon, lat)),
                (_, _, None) => Err(nowhere()),
                (_, _, Some(finding)) => {
                    let text = finding.before.as_deref().unwrap_or_default();
                    let why = match finding.rule {
                        FindingRule::ImplausibleValue => "which is not between the bounds",
                        _ => "which is no number",
                    };
                    Err(unreadable(format!("its {} is `{text}`, {why}", finding.field)))
                }
            };
        }
        PlannedPosition::Column(slot) => match &cells[*slot] {
            cell if cell.is_empty() => return Err(nowhere()),
            cell => geometry::of_cell(cell).map_err(unreadable)?,
        },
        PlannedPosition::Own => own.ok_or_else(nowhere)?.map_err(unreadable)?,
    };
    geometry::place(geometry).ok_or_else(nowhere)
}
