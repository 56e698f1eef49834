//! Translate: one record of a dump becomes a feature, unless it is withdrawn or cannot be used.

use serde_json::Value;

use super::connectors::{UnknownType, connectors};
use super::json::{Fields, tidy};
use super::reference::Reference;
use super::tags::tags;
use crate::domain::{Feature, LeftOutRule, RecordId, Reject, RejectCode};

/// A record in use.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Live {
    pub(super) id: i64,
    pub(super) feature: Feature,
    /// Who gave the record to Open Charge Map.
    pub(super) provider: Option<String>,
    pub(super) unknown_types: Vec<UnknownType>,
}

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Live(Box<Live>),
    LeftOut(LeftOutRule),
    Reject(Reject),
}

/// Reads the bytes of one record as tidied JSON with its id.
///
/// # Errors
///
/// A sentence, when they are not JSON or have no usable id.
pub(super) fn parse(bytes: &[u8]) -> Result<(i64, Value), String> {
    let value = serde_json::from_slice(bytes).map_err(|error| format!("it is not valid JSON: {error}"))?;
    let value = tidy(value);
    if !value.is_object() {
        return Err("it is no JSON object".to_owned());
    }
    match Fields::of(&value).integer("ID") {
        Some(id) if id > 0 => Ok((id, value)),
        Some(id) => Err(format!("its `ID` is {id}, which is no id")),
        None => Err("it has no whole number as its `ID`".to_owned()),
    }
}

/// Translates one record. `place` names it in the dump where it has no id.
pub(super) fn translate(place: &str, bytes: &[u8], reference: &Reference) -> Outcome {
    let (id, value) = match parse(bytes) {
        Ok(parsed) => parsed,
        Err(message) => {
            let (record_id, code) = (RecordId::new(place), RejectCode::Malformed);
            return Outcome::Reject(Reject { record_id, code, position: None, line: None, message });
        }
    };
    let record = Fields::of(&value);
    if !is_live(record) {
        return Outcome::LeftOut(LeftOutRule::NotLive);
    }
    let record_id = RecordId::new(id.to_string());
    let address = record.object("AddressInfo");
    let (Some(lon), Some(lat)) = (address.number("Longitude"), address.number("Latitude")) else {
        let message = "it has no `Longitude` and `Latitude` that are numbers".to_owned();
        return Outcome::Reject(Reject {
            record_id,
            code: RejectCode::NoPosition,
            position: None,
            line: None,
            message,
        });
    };
    let provider = reference.provider(record);
    let (connectors, unknown_types) = connectors(record);
    let feature = Feature {
        connectors,
        update_time: record.time("DateLastStatusUpdate").or_else(|| record.time("DateCreated")),
        license: provider.license.map(Into::into),
        raw: value.to_string().into(),
        ..Feature::point(record_id, lon, lat, tags(id, record, reference))
    };
    Outcome::Live(Box::new(Live { id, feature, provider: provider.title, unknown_types }))
}

/// Whether Open Charge Map itself shows the record: published, or without a word on it, and no duplicate listing.
fn is_live(record: Fields<'_>) -> bool {
    const PUBLISHED: [i64; 2] = [100, 200];
    const DUPLICATE_LISTING: i64 = 210;
    let is_published = match record.reference("SubmissionStatusTypeID", "SubmissionStatus") {
        Some(id) => PUBLISHED.contains(&id),
        None => record.object("SubmissionStatus").flag("IsLive") != Some(false),
    };
    is_published && record.reference("StatusTypeID", "StatusType") != Some(DUPLICATE_LISTING)
}

/// Whether the record carries nested reference objects, as verbose answers do.
pub(super) fn is_verbose(record: &Value) -> bool {
    let record = Fields::of(record);
    !record.object("DataProvider").is_empty() || !record.object("AddressInfo").object("Country").is_empty()
}
