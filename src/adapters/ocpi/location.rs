//! Location: one record of a feed becomes a feature, unless it is not to be published or cannot be used.

use rustc_hash::FxHashSet;
use serde_json::Value;

use super::envelope::Envelope;
use super::evses::{self, VOLATILE};
use super::json::{Fields, number, tidy};
use super::tags::{party, tags};
use crate::adapters::io::JsonRecord;
use crate::domain::{ConnectorCodes, Feature, Finding, LeftOutRule, RecordId, Reject, RejectCode};

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Live(Box<Feature>),
    LeftOut(LeftOutRule),
    Reject(Reject),
    /// It is no location, but a server's word that there is none, with its code.
    Refused(i64, String),
}

/// Translates one record of the file: a location, or an answer with one, several or none.
pub(super) fn translate(record: &JsonRecord, codes: &ConnectorCodes) -> Vec<Outcome> {
    let value = match serde_json::from_slice(&record.bytes) {
        Ok(value) => tidy(value),
        Err(error) => return vec![malformed(&record.place, record.line, format!("it is not valid JSON: {error}"))],
    };
    let answer = Fields::of(&value);
    let is_answer = !answer.has("id") && (answer.has("data") || answer.has("status_code"));
    if !is_answer {
        return vec![location(&record.place, record.line, value, codes)];
    }
    match (answer.get("data"), Envelope::of(answer).refusal) {
        (Some(Value::Array(locations)), refusal) if refusal.is_none() || !locations.is_empty() => {
            let numbered = locations.iter().zip(1..);
            let place = |number: u32| format!("{} location {number}", record.place);
            numbered.map(|(one, number)| location(&place(number), record.line, one.clone(), codes)).collect()
        }
        (Some(one @ Value::Object(_)), _) => vec![location(&record.place, record.line, one.clone(), codes)],
        (_, Some((code, message))) => vec![Outcome::Refused(code, message)],
        (None, None) => Vec::new(),
        (Some(_), None) => {
            vec![malformed(&record.place, record.line, "its `data` is neither a location nor a list".to_owned())]
        }
    }
}

/// Translates a tidied location. `place` names it in the file where it has no id.
fn location(place: &str, line: Option<u64>, mut value: Value, codes: &ConnectorCodes) -> Outcome {
    if !value.is_object() {
        return malformed(place, line, "it is no JSON object".to_owned());
    }
    let location = Fields::of(&value);
    let Some(id) = location.text("id") else {
        return malformed(place, line, "it has no `id` that is a text or a number".to_owned());
    };
    // Whatever is not plainly to be published is not.
    if location.get("publish").is_some() && location.flag("publish") != Some(true) {
        return Outcome::LeftOut(LeftOutRule::NotLive);
    }
    let id = RecordId::new(party(location).map_or_else(|| id.clone(), |party| format!("{party}*{id}")));
    let mut findings = Vec::new();
    let all = evses::evses(location, &mut findings);
    let (lon, lat) = match position(location) {
        Ok(position) => position,
        // Nowhere: the transform looks where its parts are.
        Err(_) if !evses::positions(&all, (f64::NAN, f64::NAN), &mut Vec::new()).is_empty() => (f64::NAN, f64::NAN),
        Err((code, message)) => return Outcome::Reject(Reject { record_id: id, code, position: None, line, message }),
    };
    let tags = tags(location, &all, &mut findings);
    let connectors = evses::connectors(&evses::counted(&all), codes, &mut findings);
    let other_positions = evses::positions(&all, (lon, lat), &mut findings);
    let updated = location.time("last_updated", &mut findings).max(evses::updated(&all, &mut findings));
    drop(all);
    strip(&mut value);
    Outcome::Live(Box::new(Feature {
        connectors,
        update_time: updated,
        raw: value.to_string().into(),
        line,
        other_positions,
        findings: each_once(findings),
        ..Feature::point(id, lon, lat, tags)
    }))
}

/// Longitude and latitude as stated.
fn position(location: Fields<'_>) -> Result<(f64, f64), (RejectCode, String)> {
    let coordinates = location.object("coordinates");
    let (Some(lon), Some(lat)) = (coordinates.get("longitude"), coordinates.get("latitude")) else {
        return Err((RejectCode::NoPosition, "it has no `coordinates` with longitude and latitude".to_owned()));
    };
    let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    match (number(lon), number(lat)) {
        (Some(lon), Some(lat)) => Ok((lon, lat)),
        _ if is_blank(lon) || is_blank(lat) => Err((RejectCode::NoPosition, "its `coordinates` are blank".to_owned())),
        _ => Err((RejectCode::Malformed, format!("its longitude {lon} and latitude {lat} are not both numbers"))),
    }
}

/// Takes out what changes while the place stays: times of change at every level, and statuses that change with every car.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_volatile = |status: &str| VOLATILE.contains(&status.trim().to_uppercase().as_str());
            if fields.get("status").and_then(Value::as_str).is_some_and(is_volatile) {
                fields.remove("status");
            }
            fields.remove("last_updated");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn malformed(place: &str, line: Option<u64>, message: String) -> Outcome {
    let (record_id, code) = (RecordId::new(place), RejectCode::Malformed);
    Outcome::Reject(Reject { record_id, code, position: None, line, message })
}

/// Findings without those that say the same again, e.g. of each connector of a site.
fn each_once(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen = FxHashSet::default();
    findings.retain(|f| seen.insert((f.rule.name(), f.field.clone(), f.before.clone(), f.after.clone())));
    findings
}
