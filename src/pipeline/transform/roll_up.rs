//! Roll up: charge points become parts of their station.
//!
//! OSM maps the single dispenser as `man_made=charge_point` inside or beside `amenity=charging_station`. One row per
//! place means that the station takes them in; charge points without a station found one.
//!
//! - **Shape**: n records of one source in, at most n out, sorted by key; no record is lost, parts are kept in `parts`.
//! - **Cost**: O(n log n), from R-trees over footprints (degrees) and positions (unit sphere).

use std::collections::BTreeSet;

use geo::{Area, BoundingRect, Intersects};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::connectors::{max_power_kw, merged};
use super::content_hash;
use crate::domain::{Attributes, LonLat, Metres, Record, haversine};

/// The category of a charge point that is not yet part of a station.
pub(super) const CHARGE_POINT: &str = "charge_point";

/// The category of what takes charge points in, unless a charge point says that it is not for cars.
pub(super) const STATION: &str = "charging_station";

/// A charge point this near is part of a station. Rows of chargers are longer than that, but neighbouring operators
/// are not further apart.
const REACH: Metres = Metres(30.0);

/// Stations by position, as indices.
type Positions = RTree<GeomWithData<[f64; 3], usize>>;

/// Stations by the box around their footprint, as indices.
type Footprints = RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>;

/// Whether a record can be part of another of its source, or have parts: charging stations, and what its source says to repeat
/// another. All others need not wait until the source is read.
#[must_use]
pub fn may_join(record: &Record) -> bool {
    let category = record.attributes.category.as_str();
    category == CHARGE_POINT || category.ends_with(STATION) || record.duplicate_of.is_some()
}

/// Makes the charge points of one source parts of their stations. The order of `records` does not matter.
///
/// A charge point belongs to the station whose footprint holds it, the smallest first, else to the nearest within 30 m
/// whose operator is not another. One without a station founds one, which further such charge points join.
#[must_use]
pub fn roll_up(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|a, b| a.key.cmp(&b.key));
    let (points, mut records): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.attributes.category == CHARGE_POINT);
    if points.is_empty() {
        return records;
    }

    let (positions, footprints) = index(&records, &points);
    let mut orphans = Vec::new();
    let mut homes = Vec::new();
    for point in points {
        match around(&point, &records, &footprints).or_else(|| nearest(&point, &records, &positions)) {
            Some(station) => homes.push((station, point)),
            None => orphans.push(point),
        }
    }
    for (station, point) in homes {
        records[station].parts.push(point);
    }
    for station in records.iter_mut().filter(|record| !record.parts.is_empty()) {
        let parts = std::mem::take(&mut station.parts);
        complete(station, &parts);
        adopt(station, parts);
    }
    records.extend(founded(orphans));
    records.sort_by(|a, b| a.key.cmp(&b.key));
    records
}

/// The category of the stations that a charge point can be part of: those for cars and those for bicycles stay apart.
fn station_category(point: &Record) -> &str {
    point.attributes.alternate_categories.first().map_or(STATION, String::as_str)
}

fn index(records: &[Record], points: &[Record]) -> (Positions, Footprints) {
    let wanted: BTreeSet<&str> = points.iter().map(station_category).collect();
    let (mut positions, mut footprints) = (Vec::new(), Vec::new());
    for (at, station) in records.iter().enumerate() {
        if !wanted.contains(station.attributes.category.as_str()) {
            continue;
        }
        positions.push(GeomWithData::new(station.position.on_unit_sphere(), at));
        if let Some(rect) = station.footprint.as_ref().and_then(BoundingRect::bounding_rect) {
            let corners = Rectangle::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]);
            footprints.push(GeomWithData::new(corners, at));
        }
    }
    (RTree::bulk_load(positions), RTree::bulk_load(footprints))
}

/// The station whose footprint holds the point: one whose operator is not another first, then the smallest.
fn around(point: &Record, stations: &[Record], footprints: &Footprints) -> Option<usize> {
    let position = geo::Point::from(point.position);
    footprints
        .locate_in_envelope_intersecting(&AABB::from_point([position.x(), position.y()]))
        .filter_map(|found| {
            let footprint = stations[found.data].footprint.as_ref()?;
            let holds = is_home(point, &stations[found.data]) && footprint.intersects(&position);
            let of_another = rank(point, &stations[found.data]) == Rank::Another;
            holds.then(|| (of_another, footprint.unsigned_area(), found.data))
        })
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)))
        .map(|(_, _, at)| at)
}

/// The nearest station in reach whose operator is not another; one that surely has the same comes before.
fn nearest(point: &Record, stations: &[Record], positions: &Positions) -> Option<usize> {
    let chord = REACH.chord();
    positions
        .locate_within_distance(point.position.on_unit_sphere(), chord * chord)
        .filter(|found| is_home(point, &stations[found.data]))
        .map(|found| {
            (rank(point, &stations[found.data]), distance(point.position, stations[found.data].position), found.data)
        })
        .filter(|(rank, _, _)| *rank < Rank::Another)
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)))
        .map(|(_, _, at)| at)
}

/// Whether a charge point can be part of a station, or of what another charge point founds.
fn is_home(point: &Record, station: &Record) -> bool {
    let category = station.attributes.category.as_str();
    station_category(point) == if category == CHARGE_POINT { station_category(station) } else { category }
}

/// How two operators compare, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Same,
    Unsaid,
    Another,
}

fn rank(a: &Record, b: &Record) -> Rank {
    match (&a.operator_key, &b.operator_key) {
        (Some(a), Some(b)) if a == b => Rank::Same,
        (Some(_), Some(_)) => Rank::Another,
        _ => Rank::Unsaid,
    }
}

fn distance(a: LonLat, b: LonLat) -> f64 {
    haversine(a, b).0
}

/// Stations made of charge points without one. The first by key founds it and stays its position.
fn founded(orphans: Vec<Record>) -> Vec<Record> {
    let mut stations: Vec<Record> = Vec::new();
    let mut positions = Positions::new();
    for orphan in orphans {
        if let Some(at) = nearest(&orphan, &stations, &positions) {
            adopt_operator(&mut stations[at], std::slice::from_ref(&orphan));
            stations[at].parts.push(orphan);
        } else {
            positions.insert(GeomWithData::new(orphan.position.on_unit_sphere(), stations.len()));
            stations.push(orphan);
        }
    }
    for station in &mut stations {
        // The founder is itself one of the charge points of the station that it now stands for.
        let mut points = std::mem::take(&mut station.parts);
        points.push(station.clone());
        station.attributes.category = station_category(station).to_owned();
        station.attributes.alternate_categories.clear();
        station.attributes.connectors.clear();
        station.attributes.max_power_kw = None;
        station.attributes.capacity = None;
        complete(station, &points);
        points.pop();
        adopt(station, points);
    }
    stations
}

/// Makes charge points parts of a station, whose content they are from now on.
fn adopt(station: &mut Record, points: Vec<Record>) {
    station.parts = points;
    station.content_hash = content_hash::of(station);
}

/// Gives a station what its charge points say and it does not, and their ids.
fn complete(station: &mut Record, points: &[Record]) {
    let said = |say: fn(&Attributes) -> bool| points.iter().any(|point| say(&point.attributes));
    if station.attributes.connectors.is_empty() && said(|point| !point.connectors.is_empty()) {
        let connectors = points.iter().flat_map(|point| point.attributes.connectors.iter().cloned()).collect();
        station.attributes.connectors = merged(connectors);
    }
    if station.attributes.max_power_kw.is_none() {
        let of_points = points.iter().filter_map(|point| point.attributes.max_power_kw).reduce(f64::max);
        station.attributes.max_power_kw = max_power_kw(&station.attributes.connectors).or(of_points);
    }
    if station.attributes.capacity.is_none() {
        let places = points.iter().map(|point| point.attributes.capacity.unwrap_or(1));
        station.attributes.capacity = places.reduce(i32::saturating_add);
    }
    adopt_operator(station, points);
    station.external_ids.extend(points.iter().flat_map(|point| point.external_ids.iter().cloned()));
    station.external_ids.sort_unstable();
    station.external_ids.dedup();
}

/// Gives a station without an operator the one that its charge points agree on.
fn adopt_operator(station: &mut Record, points: &[Record]) {
    let mut stated = points.iter().filter(|point| point.operator_key.is_some());
    let (None, Some(first)) = (&station.operator_key, stated.next()) else { return };
    if stated.all(|point| point.operator_key == first.operator_key) {
        station.operator_key.clone_from(&first.operator_key);
        station.attributes.operator.clone_from(&first.attributes.operator);
        station.attributes.operator_wikidata.clone_from(&first.attributes.operator_wikidata);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{area, feature, in_context};
    use super::super::transform;
    use super::*;
    use crate::domain::{Connector, ConnectorType, Feature, RecordId, Region};

    /// Ten metres, in degrees of longitude at the equator; a hair less, so that three cells are in reach.
    const CELL_DEGREES: f64 = 9.999 / 111_195.0;

    /// Records of a map along the equator. One cell is 10 m; a capital is a station, a small letter a charge point of the
    /// operator of that letter; `#` and `?` are a station and a charge point without an operator.
    fn records(map: &str) -> Vec<Record> {
        let mut features = Vec::new();
        for (at, c) in map.chars().filter(|c| *c != ' ').enumerate().filter(|(_, c)| *c != '.') {
            let kind = if c == '#' || c.is_uppercase() { "amenity=charging_station" } else { "man_made=charge_point" };
            let operator = if c.is_alphabetic() { format!("|operator={}", c.to_lowercase()) } else { String::new() };
            let id = format!("node/{}", at + 1);
            features.push(feature(&id, 0.1 + at as f64 * CELL_DEGREES, 0.0, &format!("{kind}{operator}")));
        }
        made(features)
    }

    fn made(features: Vec<Feature>) -> Vec<Record> {
        in_context(&Region::world(), |context| transform(0, features, context)).records
    }

    /// Stations with their parts, by the number of their cell.
    fn told(records: &[Record]) -> String {
        let number = |record: &Record| record.key.id.as_str().trim_start_matches("node/").to_owned();
        let station = |record: &Record| {
            assert_eq!(record.attributes.category, STATION);
            assert_eq!(record.content_hash, content_hash::of(record), "the hash covers the parts");
            let parts: Vec<String> = record.parts.iter().map(number).collect();
            format!("{}({})", number(record), parts.join(" "))
        };
        records.iter().map(station).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn charge_points_join_their_station() {
        let cases = [
            ("A a", "1(2)"),
            ("a A a", "2(1 3)"),
            ("A . . a", "1(4)"),      // 30 m: in reach
            ("A . . . a", "1() 5()"), // 40 m: a station of its own
            ("A b", "1() 2()"),       // another operator
            ("B a . A", "1() 4(2)"),  // the same operator before the nearer one
            ("# a . A", "1() 4(2)"),
            ("# a", "1(2)"), // nobody says otherwise
            ("A ?", "1(2)"),
            ("A ? . B", "1(2) 4()"),       // the nearer one
            ("a a a", "1(2 3)"),           // no station: the first founds one
            ("a a . . . . a", "1(2) 7()"), // and reaches 30 m from where it stands
            ("a b a b", "1(3) 2(4)"),
            ("? a b", "1(2) 3()"), // a founder takes the operator of the first to join
            ("", ""),
        ];
        for (map, expected) in cases {
            assert_eq!(told(&roll_up(records(map))), expected, "{map}");
            let reversed = records(map).into_iter().rev().collect();
            assert_eq!(told(&roll_up(reversed)), expected, "{map}, read backwards");
        }
    }

    /// A square of this half side, in cells, around a cell.
    fn square(id: &str, at: f64, half: f64, tags: &str) -> Feature {
        let (west, east, high) =
            (0.1 + (at - half) * CELL_DEGREES, 0.1 + (at + half) * CELL_DEGREES, half * CELL_DEGREES);
        let mut station = feature(id, 0.0, 0.0, tags);
        station.shape = area(&[(west, -high), (east, -high), (east, high), (west, high)]);
        station
    }

    #[test]
    fn the_smallest_area_around_a_charge_point_wins_whatever_is_near() {
        let station = "amenity=charging_station";
        let features = vec![
            square("way/1", 0.0, 30.0, station),
            square("way/2", 0.0, 20.0, "amenity=charging_station|operator=x"),
            feature("node/3", 0.1 + 15.0 * CELL_DEGREES, 0.0, station),
            feature("node/4", 0.1 + 16.0 * CELL_DEGREES, 0.0, "man_made=charge_point"),
            feature("node/5", 0.1 + 16.5 * CELL_DEGREES, 0.0, "man_made=charge_point|operator=y"),
        ];
        let told: Vec<(String, Vec<String>)> = roll_up(made(features))
            .iter()
            .map(|r| (r.key.id.to_string(), r.parts.iter().map(|part| part.key.id.to_string()).collect()))
            .collect();
        let expected = [("node/3", vec![]), ("way/1", vec!["node/5"]), ("way/2", vec!["node/4"])];
        assert_eq!(told, expected.map(|(id, parts)| (id.to_owned(), parts.into_iter().map(str::to_owned).collect())));
    }

    #[test]
    fn a_station_learns_from_its_charge_points_only_what_it_does_not_say() {
        let silent = feature("node/1", 0.1, 0.0, "amenity=charging_station");
        let telling = feature("node/1", 0.1, 0.0, "amenity=charging_station|socket:schuko=1|capacity=9");
        let points = || {
            let tags = "man_made=charge_point|operator=LKW|socket:type2=2|socket:type2:output=22|capacity=2|ref:EU:EVSE=CHLKWE";
            [2, 3].map(|n| feature(&format!("node/{n}"), 0.1, 0.0, &format!("{tags}{n}")))
        };
        let two_by_two =
            Connector { power_kw: Some(22.0), count: Some(4), ..Connector::of(ConnectorType::Type2Socket) };

        let learned = &roll_up(made([vec![silent], points().to_vec()].concat()))[0];
        assert_eq!(learned.attributes.connectors, std::slice::from_ref(&two_by_two));
        assert_eq!((learned.attributes.capacity, learned.attributes.max_power_kw), (Some(4), Some(22.0)));
        assert_eq!(learned.attributes.operator.as_deref(), Some("Liechtensteinische Kraftwerke"));
        assert_eq!(learned.external_ids, ["evse:CHLKWE2".into(), "evse:CHLKWE3".into()].map(|id: Box<str>| id));

        let told = &roll_up(made([vec![telling], points().to_vec()].concat()))[0];
        assert_eq!(told.attributes.connectors[0].kind, ConnectorType::Schuko);
        assert_eq!((told.attributes.connectors.len(), told.attributes.capacity), (1, Some(9)));
        assert_eq!(told.external_ids.len(), 2, "ids are added in any case");

        let founded = &roll_up(made(points().to_vec()))[0];
        assert_eq!(founded.attributes.connectors, [two_by_two]);
        assert_eq!((founded.attributes.capacity, founded.parts.len()), (Some(4), 1));
    }

    #[test]
    fn charge_points_for_bicycles_keep_to_their_own() {
        let features = vec![
            feature("node/1", 0.1, 0.0, "amenity=charging_station"),
            feature("node/2", 0.1, 0.0, "man_made=charge_point|bicycle=yes"),
            feature("node/3", 0.1, 0.0, "man_made=charge_point|socket:bosch_3pin=2"),
            feature("node/4", 0.1, 0.0, "man_made=charge_point|socket:type2=2"),
        ];
        let told: Vec<(String, String, usize)> = roll_up(made(features))
            .into_iter()
            .map(|r| (r.key.id.to_string(), r.attributes.category, r.parts.len()))
            .collect();
        let expected = [("node/1", "charging_station", 1), ("node/2", "bicycle_charging_station", 1)];
        assert_eq!(told, expected.map(|(id, category, parts)| (id.to_owned(), category.to_owned(), parts)));
    }

    #[test]
    fn a_changed_part_changes_the_content_of_its_station() {
        let with = |tags: &str| {
            let station = feature("node/1", 0.1, 0.0, "amenity=charging_station|capacity=1");
            roll_up(made(vec![station, feature("node/2", 0.1, 0.0, &format!("man_made=charge_point|{tags}"))]))
        };
        let (red, blue) = (with("colour=red"), with("colour=blue"));
        assert_ne!(red[0].content_hash, blue[0].content_hash);
        assert_eq!(red[0].key.id, RecordId::new("node/1"));
    }
}
