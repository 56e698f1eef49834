//! Content hash: two records with equal hashes say the same. When they say it, and how they are stored, does not count.

use geo::CoordsIter;

use super::{Context, Draft, Dropped};
use crate::domain::{Access, Attributes, Cell, Connector, Current, Hash16, Record, Status};

/// Positions that differ by less than this share of a degree are one: the resolution of OSM, about 1 cm.
const STEPS_PER_DEGREE: f64 = 1e7;

/// Fills `content_hash`.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    draft.record.content_hash = of(&draft.record);
    Ok(draft)
}

/// Hash of position, footprint, attributes, operator key, external ids, licence and parts. Left out are the key, the time
/// of the last change, the raw record and the repairs.
pub(super) fn of(record: &Record) -> Hash16 {
    let footprint = record.footprint.as_ref().map_or(Cell::Null, |area| {
        let polygon = |polygon: &geo::Polygon<f64>| {
            let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
            Cell::List(rings.map(|ring| Cell::List(ring.coords_iter().map(coordinate).collect())).collect())
        };
        Cell::List(area.iter().map(polygon).collect())
    });
    let mut cells = vec![coordinate(geo::Point::from(record.position).into()), footprint];
    cells.extend(attributes(&record.attributes));
    cells.extend([
        text(record.operator_key.as_deref()),
        texts(&record.external_ids),
        text(record.license.as_deref()),
        Cell::List(record.parts.iter().map(|part| Cell::Bytes(part.content_hash.0.to_vec())).collect()),
    ]);
    Hash16::of(&cells)
}

fn attributes(a: &Attributes) -> Vec<Cell> {
    let address = &a.address;
    let address = [
        &address.freeform,
        &address.street,
        &address.housenumber,
        &address.locality,
        &address.postcode,
        &address.region,
    ];
    let mut cells = vec![
        text(Some(&a.category)),
        texts(&a.alternate_categories),
        text(a.name.as_deref()),
        Cell::Map(a.names.clone()),
        text(a.operator.as_deref()),
        text(a.operator_wikidata.as_deref()),
        text(a.network.as_deref()),
        text(a.brand.as_deref()),
        text(a.address.country.as_deref()),
        text(a.phone.as_deref()),
        text(a.website.as_deref()),
        text(a.email.as_deref()),
        text(a.opening_hours.as_deref()),
        text(a.access.map(Access::name)),
        a.fee.map_or(Cell::Null, Cell::Bool),
        text(a.status.map(Status::name)),
        Cell::int(a.capacity),
        Cell::List(a.connectors.iter().map(connector).collect()),
        Cell::float(a.max_power_kw),
        Cell::Map(a.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()),
    ];
    cells.extend(address.map(|part| text(part.as_deref())));
    cells
}

fn connector(c: &Connector) -> Cell {
    Cell::List(vec![
        text(Some(c.kind.name())),
        text(c.current.map(Current::name)),
        Cell::float(c.power_kw),
        Cell::float(c.voltage_v),
        Cell::float(c.amperage_a),
        Cell::int(c.count),
        texts(&c.evse_ids),
    ])
}

fn coordinate(coordinate: geo::Coord<f64>) -> Cell {
    let steps = |degrees: f64| Cell::Int((degrees * STEPS_PER_DEGREE).round() as i64);
    Cell::List(vec![steps(coordinate.x), steps(coordinate.y)])
}

fn text(text: Option<&str>) -> Cell {
    Cell::text(text)
}

fn texts<S: AsRef<str>>(texts: &[S]) -> Cell {
    Cell::List(texts.iter().map(|text| Cell::Text(text.as_ref().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{area, feature, in_context, step_on_feature, tags};
    use super::super::transform;
    use super::*;
    use crate::domain::{ConnectorType, Feature, RecordId, Region, Timestamp};

    fn station() -> Feature {
        let mut station = feature(
            "node/1",
            9.5,
            47.1,
            "amenity=charging_station|name=A|name:de=A|operator=LKW|capacity=2|addr:city=Schaan|fee=no|access=yes|note=x",
        );
        station.connectors = vec![Connector::of(ConnectorType::Ccs2)];
        station.license = Some("ODbL".into());
        station
    }

    fn hash(feature: Feature) -> Hash16 {
        let records = in_context(&Region::world(), |context| transform(0, vec![feature], context)).records;
        assert_eq!(of(&records[0]), records[0].content_hash, "the hash covers what the steps made");
        records[0].content_hash
    }

    #[test]
    fn what_a_source_says_changes_the_hash() {
        type Change = fn(&mut Feature);
        let changes: [(&str, Change); 9] = [
            ("position", |f| f.shape = feature("", 9.500_000_1, 47.1, "").shape),
            ("footprint", |f| f.shape = area(&[(9.5, 47.1), (9.6, 47.1), (9.6, 47.2)])),
            ("name", |f| f.tags.set("name", "B")),
            ("language", |f| f.tags.set("name:fr", "A")),
            ("tag", |f| f.tags.set("note", "y")),
            ("connector", |f| f.connectors[0].power_kw = Some(50.0)),
            ("external id", |f| f.tags.set("ref:EU:EVSE", "CHLKWE1")),
            ("operator", |f| f.tags.set("operator", "Tesla")),
            ("licence", |f| f.license = None),
        ];
        for (what, change) in changes {
            let mut changed = station();
            change(&mut changed);
            assert_ne!(hash(changed), hash(station()), "{what}");
        }
    }

    #[test]
    fn what_is_volatile_does_not() {
        let mut same = station();
        same.update_time = Some(Timestamp::UNIX_EPOCH);
        same.raw = "{\"other\": 1}".into();
        same.id = RecordId::new("node/2");
        same.shape = feature("", 9.500_000_02, 47.1, "").shape;
        assert_eq!(hash(same), hash(station()));
    }

    #[test]
    fn equal_text_in_another_field_is_another_content() {
        let named = |text| {
            let mut named = feature("node/1", 9.5, 47.1, "");
            named.tags = tags(text);
            step_on_feature(step, named).content_hash
        };
        assert_ne!(named("brand=A"), named("network=A"));
    }
}
