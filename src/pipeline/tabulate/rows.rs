//! Rows: what stands in each column of each table.

use geo::BoundingRect;
use geozero::{CoordDimensions, ToWkb};
use uuid::Uuid;

use super::{Table, tables};
use crate::domain::{
    Access, Address, Cell, Connector, Current, Finding, Hash16, LonLat, Place, Provenance, Record, RecordId, Reject,
    Status, Tags,
};
use crate::pipeline::conflate::bridge::Span;
use crate::pipeline::conflate::identity::{Seen, SeenKey};
use crate::pipeline::conflate::{Evidence, Link};
use crate::pipeline::records::Records;

/// The cells of a row, in the order of its table's columns.
pub type Row = Vec<Cell>;

/// A place.
#[must_use]
pub fn place(id: Uuid, place: &Place, datasets: &[String]) -> Row {
    let about = &place.attributes;
    let mut used: Vec<usize> = place.sources.iter().map(|source| source.record.dataset).collect();
    used.sort_unstable();
    used.dedup();
    let mut row = row_of(
        &tables::PLACES,
        [
            ("id", Cell::Text(id.to_string())),
            ("geometry", point(place.position)),
            ("bbox", bbox(place.position, place.footprint.as_ref())),
            ("footprint", place.footprint.as_ref().map_or(Cell::Null, area)),
            ("category", Cell::Text(about.category.clone())),
            ("alternate_categories", texts(&about.alternate_categories)),
            ("name", Cell::text(about.name.clone())),
            ("names", Cell::Map(about.names.clone())),
            ("operator", Cell::text(about.operator.clone())),
            ("operator_wikidata", Cell::text(about.operator_wikidata.clone())),
            ("network", Cell::text(about.network.clone())),
            ("brand", Cell::text(about.brand.clone())),
            ("address", address(&about.address)),
            ("phone", Cell::text(about.phone.clone())),
            ("website", Cell::text(about.website.clone())),
            ("email", Cell::text(about.email.clone())),
            ("opening_hours", Cell::text(about.opening_hours.clone())),
            ("access", Cell::text(about.access.map(Access::name))),
            ("fee", about.fee.map_or(Cell::Null, Cell::Bool)),
            ("status", Cell::text(about.status.map(Status::name))),
            ("capacity", Cell::int(about.capacity)),
            ("connectors", Cell::List(about.connectors.iter().map(connector).collect())),
            ("max_power_kw", Cell::float(about.max_power_kw)),
            ("tags", tags(&about.tags)),
            ("datasets", Cell::List(used.iter().map(|at| Cell::Text(datasets[*at].clone())).collect())),
            ("confidence", Cell::Float(place.confidence)),
            ("sources", Cell::List(place.sources.iter().map(|source| provenance(source, datasets)).collect())),
            ("content_hash", Cell::Null),
            ("row_hash", Cell::Null),
        ],
    );
    // The meaning of a row: without its confidence, and of its sources only which record gave what.
    let at = |name| tables::PLACES.index_of(name);
    let gave = |source: &Provenance| {
        let of = Cell::Text(datasets[source.record.dataset].clone());
        Cell::List(vec![Cell::Text(source.property.to_owned()), of, Cell::Text(source.record.id.to_string())])
    };
    let sources = Cell::List(place.sources.iter().map(gave).collect());
    let volatile = [at("confidence"), at("sources")];
    let stable = row.iter().enumerate().filter(|(at, _)| !volatile.contains(at)).map(|(_, cell)| cell);
    row[at("content_hash")] = hash(Hash16::of(stable.chain([&sources])));
    row[at("row_hash")] = hash(Hash16::of(&row));
    row
}

/// A record of a place; `whole` is the record that it is part of.
#[must_use]
pub fn source(place_id: Uuid, record: &Record, whole: Option<&RecordId>, datasets: &[String]) -> Row {
    let evidence = serde_json::to_value(Evidence::of(record)).map_or(Cell::Null, |told| Cell::Text(told.to_string()));
    row_of(
        &tables::SOURCES,
        [
            ("place_id", Cell::Text(place_id.to_string())),
            ("dataset", Cell::Text(datasets[record.key.dataset].clone())),
            ("record_id", Cell::Text(record.key.id.to_string())),
            ("part_of", Cell::text(whole.map(RecordId::to_string))),
            ("geometry", point(record.position)),
            ("bbox", bbox(record.position, None)),
            ("category", Cell::Text(record.attributes.category.clone())),
            ("name", Cell::text(record.attributes.name.clone())),
            ("update_time", Cell::time(record.update_time)),
            ("license", Cell::text(record.license.as_deref())),
            ("repairs", Cell::List(record.repairs().into_iter().map(|name| Cell::Text(name.to_owned())).collect())),
            ("content_hash", hash(record.content_hash)),
            ("evidence", evidence),
            ("raw", Cell::Text(record.raw.to_string())),
        ],
    )
}

/// A pair that was looked at closely.
#[must_use]
pub fn link(link: &Link, records: &Records, datasets: &[String]) -> Row {
    let (a, b) = (&records[link.pair.0].key, &records[link.pair.1].key);
    let features: serde_json::Map<_, _> = link
        .score
        .pieces
        .iter()
        .map(|(name, value, weight)| {
            let weight = (weight * 1000.0).round() / 1000.0;
            ((*name).to_owned(), serde_json::json!({ "value": value, "weight": weight }))
        })
        .collect();
    row_of(
        &tables::LINKS,
        [
            ("dataset_a", Cell::Text(datasets[a.dataset].clone())),
            ("record_id_a", Cell::Text(a.id.to_string())),
            ("dataset_b", Cell::Text(datasets[b.dataset].clone())),
            ("record_id_b", Cell::Text(b.id.to_string())),
            ("verdict", Cell::Text(link.verdict.name().to_owned())),
            ("reason", Cell::Text(link.reason.name().to_owned())),
            ("score", Cell::Float((link.score.probability * 100.0).round() / 100.0)),
            ("distance_m", Cell::Float((link.score.distance_m * 10.0).round() / 10.0)),
            ("features", Cell::Text(serde_json::Value::Object(features).to_string())),
        ],
    )
}

/// A reject, and what refused the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Position of the source.
    pub dataset: usize,
    /// The layer, unless it was refused as a place.
    pub layer: Option<String>,
    /// The reject.
    pub reject: Reject,
}

impl Refused {
    /// What the table is sorted by: source, layer, record and code.
    #[must_use]
    pub fn order(&self) -> impl Ord + '_ {
        let Self { dataset, layer, reject } = self;
        (*dataset, layer, &reject.record_id, reject.code.name(), &reject.message)
    }
}

/// A reject.
#[must_use]
pub fn reject(Refused { dataset, layer, reject }: &Refused, datasets: &[String]) -> Row {
    // Not a number is not a position; a table shows it as missing.
    let degree = |value: Option<f64>| Cell::float(value.filter(|value| value.is_finite()));
    row_of(
        &tables::REJECTS,
        [
            ("dataset", Cell::Text(datasets[*dataset].clone())),
            ("layer", Cell::text(layer.clone())),
            ("record_id", Cell::Text(reject.record_id.to_string())),
            ("code", Cell::Text(reject.code.name().to_owned())),
            ("lon", degree(reject.position.map(|(lon, _)| lon))),
            ("lat", degree(reject.position.map(|(_, lat)| lat))),
            ("line", line_number(reject.line)),
            ("message", Cell::Text(reject.message.clone())),
        ],
    )
}

/// What could not be kept of a record as stated.
#[must_use]
pub fn finding(record: &Record, finding: &Finding, datasets: &[String]) -> Row {
    row_of(
        &tables::FINDINGS,
        [
            ("dataset", Cell::Text(datasets[record.key.dataset].clone())),
            ("record_id", Cell::Text(record.key.id.to_string())),
            ("rule", Cell::Text(finding.rule.name().to_owned())),
            ("field", Cell::Text(finding.field.clone().into_owned())),
            ("before", Cell::text(finding.before.as_deref())),
            ("after", Cell::text(finding.after.as_deref())),
            ("line", line_number(record.line)),
        ],
    )
}

fn line_number(line: Option<u64>) -> Cell {
    line.map_or(Cell::Null, |line| Cell::Int(line as i64))
}

/// What is remembered of a record.
#[must_use]
pub fn seen((dataset, record): &SeenKey, seen: &Seen) -> Row {
    let former = seen.former_place_ids.iter().map(|id| Cell::Text(id.to_string())).collect();
    row_of(
        &tables::IDENTITY,
        [
            ("dataset", Cell::Text(dataset.to_string())),
            ("record_id", Cell::Text(record.to_string())),
            ("place_id", Cell::Text(seen.place_id.to_string())),
            ("former_place_ids", Cell::List(former)),
            ("first_seen", Cell::Text(seen.first_seen.to_string())),
            ("last_seen", Cell::Text(seen.last_seen.to_string())),
            ("present", Cell::Bool(seen.present)),
            ("successor", Cell::text(seen.successor.map(|id| id.to_string()))),
        ],
    )
}

/// A time of a record in a place.
#[must_use]
pub fn span(span: &Span) -> Row {
    let (dataset, record) = &span.record;
    row_of(
        &tables::BRIDGE,
        [
            ("dataset", Cell::Text(dataset.to_string())),
            ("record_id", Cell::Text(record.to_string())),
            ("place_id", Cell::Text(span.place_id.to_string())),
            ("valid_from", Cell::time(span.valid_from)),
            ("valid_to", Cell::time(span.valid_to)),
        ],
    )
}

/// Cells under the names of their columns; the names are checked, so a column added in one place only shows at once.
pub(super) fn row_of<const N: usize>(table: &Table, cells: [(&'static str, Cell); N]) -> Row {
    assert!(
        table.columns.iter().map(|column| &*column.name).eq(cells.iter().map(|(name, _)| *name)),
        "a row of {} has its columns",
        table.name
    );
    cells.into_iter().map(|(_, cell)| cell).collect()
}

/// A position as WKB.
pub(crate) fn point(position: LonLat) -> Cell {
    wkb(&geo::Geometry::Point(position.into()))
}

/// An area as WKB: a polygon where it has one part.
fn area(area: &geo::MultiPolygon<f64>) -> Cell {
    match area.0.as_slice() {
        [one] => wkb(&geo::Geometry::Polygon(one.clone())),
        _ => wkb(&geo::Geometry::MultiPolygon(area.clone())),
    }
}

fn wkb(geometry: &geo::Geometry<f64>) -> Cell {
    Cell::Bytes(geometry.to_wkb(CoordDimensions::xy()).expect("a geometry in memory can be written"))
}

/// The box around a position and a footprint, each edge rounded outward to 32 bits.
fn bbox(position: LonLat, footprint: Option<&geo::MultiPolygon<f64>>) -> Cell {
    let (mut west, mut south, mut east, mut north) = (position.lon(), position.lat(), position.lon(), position.lat());
    if let Some(rect) = footprint.and_then(BoundingRect::bounding_rect) {
        (west, south) = (west.min(rect.min().x), south.min(rect.min().y));
        (east, north) = (east.max(rect.max().x), north.max(rect.max().y));
    }
    let [xmin, ymin, xmax, ymax] = rounded_outward([west, south, east, north]);
    Cell::Struct(vec![
        ("xmin", Cell::Float(xmin.into())),
        ("ymin", Cell::Float(ymin.into())),
        ("xmax", Cell::Float(xmax.into())),
        ("ymax", Cell::Float(ymax.into())),
    ])
}

/// The edges of a box (west, south, east, north) in 32 bits, each rounded outward, so that the box still holds what it held.
pub(crate) fn rounded_outward([west, south, east, north]: [f64; 4]) -> [f32; 4] {
    let below = |edge: f64| if f64::from(edge as f32) > edge { (edge as f32).next_down() } else { edge as f32 };
    let above = |edge: f64| if f64::from(edge as f32) < edge { (edge as f32).next_up() } else { edge as f32 };
    [below(west), below(south), above(east), above(north)]
}

fn hash(hash: Hash16) -> Cell {
    Cell::Bytes(hash.0.to_vec())
}

fn texts(texts: &[String]) -> Cell {
    Cell::List(texts.iter().cloned().map(Cell::Text).collect())
}

fn tags(tags: &Tags) -> Cell {
    Cell::Map(tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

pub(super) fn address(address: &Address) -> Cell {
    Cell::Struct(vec![
        ("freeform", Cell::text(address.freeform.clone())),
        ("street", Cell::text(address.street.clone())),
        ("housenumber", Cell::text(address.housenumber.clone())),
        ("locality", Cell::text(address.locality.clone())),
        ("postcode", Cell::text(address.postcode.clone())),
        ("region", Cell::text(address.region.clone())),
        ("country", Cell::text(address.country.clone())),
    ])
}

pub(super) fn connector(connector: &Connector) -> Cell {
    Cell::Struct(vec![
        ("type", Cell::Text(connector.kind.name().to_owned())),
        ("current", Cell::text(connector.current.map(Current::name))),
        ("power_kw", Cell::float(connector.power_kw)),
        ("voltage_v", Cell::float(connector.voltage_v)),
        ("amperage_a", Cell::float(connector.amperage_a)),
        ("count", Cell::int(connector.count)),
        ("evse_ids", Cell::List(connector.evse_ids.iter().map(|id| Cell::Text(id.to_string())).collect())),
    ])
}

fn provenance(source: &Provenance, datasets: &[String]) -> Cell {
    Cell::Struct(vec![
        ("property", Cell::Text(source.property.to_owned())),
        ("dataset", Cell::Text(datasets[source.record.dataset].clone())),
        ("record_id", Cell::Text(source.record.id.to_string())),
        ("license", Cell::text(source.license.as_deref())),
        ("update_time", Cell::time(source.update_time)),
        ("confidence", Cell::Float(source.confidence)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_rounded_outward() {
        let position = LonLat::new(9.521_410_7, 47.138_184_4).expect("a position");
        let Cell::Struct(edges) = bbox(position, None) else { panic!("a box is a struct") };
        let edge = |at: usize| if let Cell::Float(edge) = edges[at].1 { edge } else { f64::NAN };
        assert!(edge(0) <= 9.521_410_7 && edge(1) <= 47.138_184_4 && edge(2) >= 9.521_410_7 && edge(3) >= 47.138_184_4);
        assert!(edge(2) - edge(0) < 1e-5 && edge(3) - edge(1) < 1e-5);
    }
}
