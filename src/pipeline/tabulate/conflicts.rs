//! Conflicts: the values that were not taken, beside those that were.

use serde_json::{Value, json};
use uuid::Uuid;

use super::rows::{Row, address, connector, row_of};
use super::tables::CONFLICTS;
use crate::domain::{Access, Cell, Conflict, Place, Record, Status};

/// What the records that contribute to a place say otherwise: by property and record.
#[must_use]
pub fn conflicts(id: Uuid, place: &Place, contributing: &[Record], datasets: &[String]) -> Vec<Row> {
    let mut sorted: Vec<&Conflict> = place.conflicts.iter().collect();
    sorted.sort_by(|a, b| (&a.property, a.record).cmp(&(&b.property, b.record)));
    let line = |conflict: &Conflict| {
        let (record, taken) = (&contributing[conflict.record], &contributing[conflict.taken]);
        row_of(
            &CONFLICTS,
            [
                ("place_id", Cell::Text(id.to_string())),
                ("property", Cell::Text(conflict.property.clone().into_owned())),
                ("dataset", Cell::Text(datasets[record.key.dataset].clone())),
                ("record_id", Cell::Text(record.key.id.to_string())),
                ("value", Cell::Text(said(record, &conflict.property).to_string())),
                ("taken_dataset", Cell::Text(datasets[taken.key.dataset].clone())),
                ("taken_record_id", Cell::Text(taken.key.id.to_string())),
                ("taken_value", Cell::Text(said(taken, &conflict.property).to_string())),
                ("rule", Cell::Text(conflict.rule.to_owned())),
            ],
        )
    };
    sorted.into_iter().map(line).collect()
}

/// What a record says of a property.
fn said(record: &Record, property: &str) -> Value {
    let about = &record.attributes;
    let within = |parent: &str| {
        let key = property.strip_prefix(parent)?.strip_prefix('/')?;
        Some(key.replace("~1", "/").replace("~0", "~"))
    };
    if let Some(key) = within("/tags") {
        return json!(about.tags.get(&key));
    }
    if let Some(language) = within("/names") {
        return json!(about.names.iter().find(|(known, _)| *known == language).map(|(_, name)| name));
    }
    match property {
        "/name" => json!(about.name),
        "/network" => json!(about.network),
        "/brand" => json!(about.brand),
        "/phone" => json!(about.phone),
        "/website" => json!(about.website),
        "/email" => json!(about.email),
        "/opening_hours" => json!(about.opening_hours),
        "/access" => json!(about.access.map(Access::name)),
        "/fee" => json!(about.fee),
        "/capacity" => json!(about.capacity),
        "/category" => json!(about.category),
        "/address" => address(&about.address).to_json(),
        "/connectors" => Value::Array(about.connectors.iter().map(|told| connector(told).to_json()).collect()),
        "/operator" => json!(about.operator.as_ref().or(about.operator_wikidata.as_ref())),
        "/status" => json!(about.status.map(Status::name)),
        "/geometry" => json!([record.position.lon(), record.position.lat()]),
        other => unreachable!("{other} is no attribute"),
    }
}
