//! Features for tests: owned, so that strategies can make them.

use geo::{Coord, Geometry, LineString, MultiPolygon, Polygon};
use proptest::prelude::*;

use crate::domain::{
    Filter, GeometryKind, GeometryRepair, Incomplete, Layer, ObjectKind, Position, Promoted, PromotedKind,
};
use crate::pipeline::layers::{LayerFeature, LayerRows, LayerShape};

/// A geometry that owns its positions.
#[derive(Debug, Clone)]
pub(super) enum Owned {
    Point(Position),
    Line(Vec<Position>),
    Area(Vec<Vec<Vec<Position>>>),
}

/// A feature that owns its parts.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) osm_type: ObjectKind,
    pub(super) id: i64,
    pub(super) shape: Owned,
    pub(super) tags: Vec<(String, String)>,
    pub(super) version: Option<i32>,
    pub(super) time_ms: Option<i64>,
    pub(super) changeset: Option<i64>,
    pub(super) user: (Option<i32>, Option<String>),
    pub(super) incomplete: bool,
    pub(super) repairs: Vec<GeometryRepair>,
}

impl Object {
    pub(super) fn push_to(&self, rows: &mut LayerRows) {
        let tags: Vec<(&str, &str)> = self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let shape = match &self.shape {
            Owned::Point(position) => LayerShape::Point(*position),
            Owned::Line(positions) => LayerShape::Line(positions),
            Owned::Area(polygons) => LayerShape::Area(polygons),
        };
        rows.push(&LayerFeature {
            osm_type: self.osm_type,
            id: self.id,
            shape,
            tags: &tags,
            version: self.version,
            time_ms: self.time_ms,
            changeset: self.changeset,
            user: (self.user.0, self.user.1.as_deref()),
            incomplete: self.incomplete,
            repairs: &self.repairs,
        });
    }

    pub(super) fn geometry(&self) -> Geometry<f64> {
        let coord = |position: &Position| {
            let (x, y) = position.degrees();
            Coord { x, y }
        };
        let line = |positions: &[Position]| LineString(positions.iter().map(coord).collect());
        let polygon = |rings: &Vec<Vec<Position>>| {
            Polygon::new(line(&rings[0]), rings[1..].iter().map(|ring| line(ring)).collect())
        };
        match &self.shape {
            Owned::Point(position) => Geometry::Point(coord(position).into()),
            Owned::Line(positions) => Geometry::LineString(line(positions)),
            Owned::Area(polygons) => match polygons.as_slice() {
                [one] => Geometry::Polygon(polygon(one)),
                many => Geometry::MultiPolygon(MultiPolygon(many.iter().map(polygon).collect())),
            },
        }
    }
}

/// A point of a node, with nothing that need not be.
pub(super) fn node(id: i64, lon: i32, lat: i32) -> Object {
    Object {
        osm_type: ObjectKind::Node,
        id,
        shape: Owned::Point(Position { lon, lat }),
        tags: Vec::new(),
        version: None,
        time_ms: None,
        changeset: None,
        user: (None, None),
        incomplete: false,
        repairs: Vec::new(),
    }
}

pub(super) fn layer(columns: &[(&str, PromotedKind)], users: bool) -> Layer {
    let promoted = |(key, kind): &(&str, PromotedKind)| Promoted {
        key: (*key).to_owned(),
        name: key.replace(':', "_"),
        kind: *kind,
    };
    Layer {
        name: "things".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*".to_owned()]).expect("everything can be asked for"),
        kinds: GeometryKind::ALL.to_vec(),
        columns: columns.iter().map(promoted).collect(),
        incomplete: Incomplete::KeepFlagged,
        users,
    }
}

fn position() -> impl Strategy<Value = Position> {
    let anywhere = (-1_800_000_000..=1_800_000_000, -900_000_000..=900_000_000);
    let near = (95_000_000..95_010_000, 471_000_000..471_010_000);
    prop_oneof![anywhere, near].prop_map(|(lon, lat)| Position { lon, lat })
}

fn ring() -> impl Strategy<Value = Vec<Position>> {
    prop::collection::vec(position(), 3..8).prop_map(|mut ring| {
        ring.push(ring[0]);
        ring
    })
}

fn shape() -> impl Strategy<Value = Owned> {
    let polygon = || prop::collection::vec(ring(), 1..4);
    prop_oneof![
        position().prop_map(Owned::Point),
        prop::collection::vec(position(), 2..20).prop_map(Owned::Line),
        polygon().prop_map(|polygon| Owned::Area(vec![polygon])),
        prop::collection::vec(polygon(), 2..4).prop_map(Owned::Area),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z:]{1,12}".prop_map(String::from), "\\PC{0,6}".prop_map(String::from)]
}

/// Any feature.
pub(super) fn object() -> impl Strategy<Value = Object> {
    let kind = prop::sample::select(vec![ObjectKind::Node, ObjectKind::Way, ObjectKind::Relation]);
    let what = (kind, any::<i64>(), shape(), prop::collection::btree_map(text(), text(), 0..6));
    let times = any::<Option<i64>>().prop_map(|time| time.map(|time| time / 1000));
    let volatile = (any::<Option<i32>>(), times, any::<Option<i64>>(), any::<Option<i32>>(), prop::option::of(text()));
    let repairs = prop::sample::subsequence(GeometryRepair::ALL.to_vec(), 0..=GeometryRepair::ALL.len());
    (what, volatile, any::<bool>(), repairs).prop_map(|(what, volatile, incomplete, repairs)| {
        let (osm_type, id, shape, tags) = what;
        let (version, time_ms, changeset, uid, user) = volatile;
        let tags = tags.into_iter().collect();
        Object { osm_type, id, shape, tags, version, time_ms, changeset, user: (uid, user), incomplete, repairs }
    })
}
