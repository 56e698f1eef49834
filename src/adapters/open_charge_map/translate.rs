//! Translate: one record of a dump becomes a feature, unless it is withdrawn or cannot be used.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::compensations::{Facts, compensate};
use super::connectors::{Connections, UnknownType, connections};
use super::geojson::{self, Inside};
use super::json::Fields;
use super::metadata::metadata;
use super::providers::Provider;
use super::raw;
use super::reference::Reference;
use super::scan::{Node, scan};
use super::status::{Standing, standing, status};
use super::tags::tags;
use crate::adapters::io::JsonRecord;
use crate::domain::{
    ConnectorCodes, ConnectorType, Feature, Finding, FindingRule, LeftOutRule, RecordId, Reject, RejectCode, Tags,
};

/// So many different texts on one provider are remembered; a dump has one.
const TEXTS_MAX: usize = 8;

/// A record in use, or one that repeats another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Live {
    pub(super) id: i64,
    pub(super) feature: Feature,
    /// Who gave the record to Open Charge Map.
    pub(super) provider: Arc<Provider>,
    /// Whom the record itself asks to be named.
    pub(super) attribution: Option<String>,
    pub(super) unknown_types: Vec<UnknownType>,
}

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most are live, and a box each is a good part of the time")]
pub(super) enum Outcome {
    Live(Live),
    LeftOut(LeftOutRule),
    Reject(Reject),
}

/// Memory that one record after the other uses.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    nodes: Vec<Node>,
    raw: String,
    /// Providers by number: every verbose record repeats the same text.
    providers: FxHashMap<Option<i64>, Vec<Described>>,
}

/// A provider, with the text of the object that describes it.
type Described = (Box<str>, Arc<Provider>);

/// What a record is translated by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) reference: &'a Reference,
    pub(super) codes: &'a ConnectorCodes,
}

/// Translates one record.
pub(super) fn translate(frame: &JsonRecord, words: Words<'_>, scratch: &mut Scratch) -> Outcome {
    translate_text(frame, &frame.bytes, Vec::new(), words, scratch)
}

fn translate_text(
    frame: &JsonRecord,
    bytes: &[u8],
    findings: Vec<Finding>,
    words: Words<'_>,
    scratch: &mut Scratch,
) -> Outcome {
    let mut nodes = std::mem::take(&mut scratch.nodes);
    let text = std::str::from_utf8(bytes).ok().filter(|text| scan(text, &mut nodes).is_ok());
    let outcome = match text {
        None => malformed(frame, not_json(bytes)),
        Some(text) => {
            let root = Fields::of(text, &nodes);
            match geojson::record(root) {
                None => translate_record(frame, root, text, &nodes, findings, words, scratch),
                Some(Inside::Record(record)) => translate_record(frame, record, text, &nodes, findings, words, scratch),
                Some(Inside::Rebuilt(record, found)) => translate_text(frame, record.as_bytes(), found, words, scratch),
            }
        }
    };
    scratch.nodes = nodes;
    outcome
}

/// Why bytes are not JSON.
fn not_json(bytes: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Err(error) => format!("it is not valid JSON: {error}"),
        Ok(_) => "it is not valid JSON".to_owned(),
    }
}

/// A reject of what has no usable id; `place` names it in the dump.
pub(super) fn malformed(frame: &JsonRecord, message: String) -> Outcome {
    let record_id = RecordId::new(frame.place.as_str());
    Outcome::Reject(Reject { record_id, code: RejectCode::Malformed, position: None, line: frame.line, message })
}

/// The id of a record, or why it has none.
fn id(record: Fields<'_>) -> Result<i64, String> {
    if record.node().is_none() {
        return Err("it is no JSON object".to_owned());
    }
    match record.integer("ID", &mut Vec::new()) {
        Some(id) if id > 0 => Ok(id),
        Some(id) => Err(format!("its `ID` is {id}, which is no id")),
        None => Err("it has no whole number as its `ID`".to_owned()),
    }
}

fn translate_record(
    frame: &JsonRecord,
    record: Fields<'_>,
    text: &str,
    nodes: &[Node],
    mut findings: Vec<Finding>,
    words: Words<'_>,
    scratch: &mut Scratch,
) -> Outcome {
    let id = match id(record) {
        Ok(id) => id,
        Err(message) => return malformed(frame, message),
    };
    let Words { reference, codes } = words;
    let original = match standing(id, record, reference) {
        Standing::Live => None,
        Standing::DuplicateOf(original) => Some(original),
        Standing::Withdrawn => return Outcome::LeftOut(LeftOutRule::NotLive),
    };
    let id_text = id.to_string();
    let address = record.object("AddressInfo");
    let (Some(lon), Some(lat)) = (address.degrees("Longitude"), address.degrees("Latitude")) else {
        if original.is_some() {
            return Outcome::LeftOut(LeftOutRule::NotLive);
        }
        let record_id = RecordId::new(id_text);
        let message = no_position(address);
        let code = RejectCode::NoPosition;
        return Outcome::Reject(Reject { record_id, code, position: None, line: frame.line, message });
    };
    let provider = provider(record, reference, scratch);
    let Connections { connectors, statuses, unknown_types } = connections(record, reference, codes, &mut findings);
    let status = status(record, reference, &mut findings);
    let metadata = metadata(record, &mut findings);
    let (mut tags, used) = tags(&id_text, record, status, &metadata, reference, &mut findings);
    doubt_bicycles_with_car_plugs(&mut tags, connectors.iter().map(|connector| connector.kind), &mut findings);
    // Who confirms a record says that it stands as of then.
    let stated = ["DateLastStatusUpdate", "DateLastConfirmed"].map(|field| record.time(field, &mut findings));
    let update_time = stated.into_iter().flatten().max().or_else(|| record.time("DateCreated", &mut findings));
    scratch.raw.clear();
    raw::write(text, nodes, record.node().unwrap_or_default(), &mut scratch.raw);
    let mut feature = Feature {
        connectors,
        update_time,
        license: provider.license.clone(),
        raw: scratch.raw.as_str().into(),
        line: frame.line,
        duplicate_of: original.map(|original| RecordId::new(original.to_string())),
        findings,
        ..Feature::point(RecordId::new(id_text), lon, lat, tags)
    };
    let facts = Facts {
        is_ocpi: provider.is_ocpi,
        status,
        connections: statuses,
        usage: used.usage,
        address_line_1: used.line_1.as_deref(),
        town: used.town.as_deref(),
        postcode: used.postcode.as_deref(),
    };
    compensate(&facts, &mut feature);
    let attribution = metadata.attribution;
    Outcome::Live(Live { id, feature, provider, attribution, unknown_types })
}

/// Which of the coordinates is missing, or what stands in its place.
fn no_position(address: Fields<'_>) -> String {
    let mut message = "it has no `Longitude` and `Latitude` that are numbers".to_owned();
    for key in ["Longitude", "Latitude"] {
        if let (None, Some(told)) = (address.degrees(key), address.told(key)) {
            message.extend(["; `", key, "` is `", &told, "`"]);
        }
    }
    message
}

/// The provider of a record. Its text is read once for all records that repeat it.
fn provider(record: Fields<'_>, reference: &Reference, scratch: &mut Scratch) -> Arc<Provider> {
    let stated = record.object("DataProvider");
    let id = record.reference("DataProviderID", "DataProvider", &mut Vec::new());
    let text = stated.source().unwrap_or_default();
    let known = scratch.providers.entry(id).or_default();
    if let Some((_, provider)) = known.iter().find(|(other, _)| other.as_ref() == text) {
        return Arc::clone(provider);
    }
    let provider = Arc::new(reference.provider(id, stated));
    if known.len() < TEXTS_MAX {
        known.push((text.into(), Arc::clone(&provider)));
    }
    provider
}

/// A record that is for bicycles only, but has a plug of cars, is not believed: the plug is counted on site.
fn doubt_bicycles_with_car_plugs(
    tags: &mut Tags,
    mut kinds: impl Iterator<Item = ConnectorType>,
    findings: &mut Vec<Finding>,
) {
    let motorised = ["motorcar", "motorcycle", "bus", "hgv", "taxi"];
    let is_bicycle_only = tags.get("bicycle").is_some() && tags.first_of(&motorised).is_none();
    let car_plug = kinds.find_map(ConnectorType::class);
    if let Some(plug) = car_plug.filter(|_| is_bicycle_only) {
        tags.take("bicycle");
        let told = format!("bicycles only, with {plug}");
        findings.push(Finding::dropped(FindingRule::ImplausibleValue, "MetadataValues", told));
    }
}

/// What a look at a record tells of the shape of its dump. `None` where it is no record of Open Charge Map.
pub(super) fn look(bytes: &[u8]) -> Option<&'static str> {
    let mut nodes = Vec::new();
    let text = std::str::from_utf8(bytes).ok().filter(|text| scan(text, &mut nodes).is_ok())?;
    let root = Fields::of(text, &nodes);
    match geojson::record(root) {
        Some(Inside::Record(record)) => id(record).ok().map(|_| "GeoJSON"),
        Some(Inside::Rebuilt(record, _)) => look(record.as_bytes()).map(|_| "GeoJSON"),
        None => {
            id(root).ok()?;
            let is_verbose =
                !root.object("DataProvider").is_empty() || !root.object("AddressInfo").object("Country").is_empty();
            Some(if is_verbose { "API answer" } else { "compact export" })
        }
    }
}
