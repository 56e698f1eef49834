//! Columns say what was pushed, and hashes tell what is different.

use geo::CoordsIter;
use geozero::{CoordDimensions, ToWkb};
use proptest::prelude::*;

use super::features::{Object, layer, node, object};
use super::scratch::Counting;
use crate::domain::{Cell, Layer, ObjectKind, PromotedKind};
use crate::pipeline::layers::{LayerRows, Sorter, Tally, layer_batch, layer_table};
use crate::pipeline::tabulate::{Row, batch_rows};

/// The rows of the layer's table, each with its column's name, and what was counted.
fn table_of(layer: &Layer, objects: &[Object]) -> (Vec<Vec<(String, Cell)>>, Tally) {
    let mut rows = LayerRows::default();
    for object in objects {
        object.push_to(&mut rows);
    }
    let mut sorter = Sorter::default();
    sorter.push(rows);
    let table = layer_table(layer);
    let names = || table.columns.iter().map(|column| column.name.to_string());
    let (mut all, mut tally) = (Vec::new(), Tally::default());
    for chunk in sorter.finish(&Counting::default()).unwrap() {
        let (batch, counted) = layer_batch(&table, layer, &chunk.unwrap()).unwrap();
        tally.merge(counted);
        all.extend(batch_rows(&table, &batch).into_iter().map(|row: Row| names().zip(row).collect()));
    }
    (all, tally)
}

fn value<'r>(row: &'r [(String, Cell)], name: &str) -> &'r Cell {
    &row.iter().find(|(column, _)| column == name).unwrap().1
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

proptest! {
    #[test]
    fn what_is_pushed_is_what_columns_say(object in object()) {
        let (rows, _) = table_of(&layer(&[], true), std::slice::from_ref(&object));
        let is = |name: &str| value(&rows[0], name).clone();
        let geometry = object.geometry();
        prop_assert_eq!(is("geometry"), Cell::Bytes(geometry.to_wkb(CoordDimensions::xy()).unwrap()));
        prop_assert_eq!(is("tags"), Cell::Map(object.tags.clone()));
        let osm_type = match object.osm_type {
            ObjectKind::Node => "node",
            ObjectKind::Way => "way",
            ObjectKind::Relation => "relation",
        };
        prop_assert_eq!(is("osm_type"), text(osm_type));
        prop_assert_eq!(is("osm_id"), Cell::Int(object.id));
        let kind = match geometry {
            geo::Geometry::Point(_) => "point",
            geo::Geometry::LineString(_) => "line",
            _ => "area",
        };
        prop_assert_eq!(is("kind"), text(kind));
        prop_assert_eq!(is("version"), Cell::int(object.version));
        prop_assert_eq!(is("timestamp"), object.time_ms.map_or(Cell::Null, |time| Cell::Time(time * 1000)));
        prop_assert_eq!(is("changeset_id"), Cell::int(object.changeset));
        prop_assert_eq!(is("uid"), Cell::int(object.user.0));
        prop_assert_eq!(is("user"), Cell::text(object.user.1.clone()));
        prop_assert_eq!(is("incomplete"), Cell::Bool(object.incomplete));
        let repairs = object.repairs.iter().map(|repair| text(repair.name())).collect();
        prop_assert_eq!(is("repairs"), Cell::List(repairs));

        let Cell::Struct(edges) = is("bbox") else { panic!("a box is a struct") };
        let [west, south, east, north] = [0, 1, 2, 3].map(|at: usize| {
            let Cell::Float(edge) = edges[at].1 else { panic!("an edge is a number") };
            edge
        });
        // Rings of these features are anywhere, inner ones too.
        for geo::Coord { x, y } in geometry.coords_iter() {
            prop_assert!((west..=east).contains(&x) && (south..=north).contains(&y));
        }
        let nearest = |edge: f64, of: fn(geo::Coord<f64>) -> f64| {
            geometry.coords_iter().map(|at| (of(at) - edge).abs()).fold(f64::INFINITY, f64::min)
        };
        let off = [nearest(west, |at| at.x), nearest(south, |at| at.y), nearest(east, |at| at.x), nearest(north, |at| at.y)];
        prop_assert!(off.iter().all(|degrees| *degrees < 2e-5), "{:?}", off);
    }

    #[test]
    fn equal_features_have_equal_hashes_and_others_do_not(a in object(), b in object()) {
        let layer = layer(&[], true);
        let hashes = |object: &Object| {
            let (rows, _) = table_of(&layer, std::slice::from_ref(object));
            (value(&rows[0], "content_hash").clone(), value(&rows[0], "row_hash").clone())
        };
        prop_assert_eq!(hashes(&a), hashes(&a.clone()));
        prop_assert_ne!(hashes(&a).0, hashes(&b).0);
        let touched = Object { version: Some(a.version.unwrap_or_default().wrapping_add(1)), ..a.clone() };
        prop_assert_eq!(hashes(&a).0, hashes(&touched).0);
        prop_assert_ne!(hashes(&a).1, hashes(&touched).1);
    }
}

#[test]
fn promoted_tags_are_read_by_their_type() {
    let wanted = [
        ("name", PromotedKind::Text),
        ("lanes", PromotedKind::Integer),
        ("addr:width", PromotedKind::Number),
        ("oneway", PromotedKind::Boolean),
    ];
    let int = Cell::Int;
    let float = Cell::Float;
    // Tags, then what stands in the four columns.
    let cases: [(&str, [Cell; 4]); 7] = [
        ("", [Cell::Null, Cell::Null, Cell::Null, Cell::Null]),
        ("addr:width=2.5|lanes=2|name=A|oneway=yes", [text("A"), int(2), float(2.5), Cell::Bool(true)]),
        ("addr:width=3|lanes= 2 |name=|oneway=no", [text(""), int(2), float(3.0), Cell::Bool(false)]),
        ("addr:width=wide|lanes=2;3|name=B|oneway=-1", [text("B"), Cell::Null, Cell::Null, Cell::Null]),
        ("addr:width=inf|lanes=1.5|oneway=1", [Cell::Null, Cell::Null, Cell::Null, Cell::Bool(true)]),
        ("addr:width=NaN|lanes=-1|oneway=false", [Cell::Null, int(-1), Cell::Null, Cell::Bool(false)]),
        ("a=1|lane=4|names=C|zebra=yes", [Cell::Null, Cell::Null, Cell::Null, Cell::Null]),
    ];
    for (tags, expected) in &cases {
        let mut object = node(1, 0, 0);
        let pairs = tags.split('|').filter_map(|tag| tag.split_once('='));
        object.tags = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let (rows, _) = table_of(&layer(&wanted, false), &[object]);
        let found = ["name", "lanes", "addr_width", "oneway"].map(|name| value(&rows[0], name).clone());
        assert_eq!(found, *expected, "{tags}");
    }
}

#[test]
fn values_that_cannot_be_read_and_repairs_are_counted() {
    use crate::domain::GeometryRepair::{IgnoredRoles, SplitRings};
    let tagged = |id, value: &str| Object { tags: vec![("lanes".into(), value.into())], ..node(id, 0, 0) };
    let objects = [
        tagged(1, "two"),
        tagged(2, "2"),
        tagged(3, ""),
        Object { repairs: vec![SplitRings, IgnoredRoles], ..node(4, 0, 0) },
        Object { repairs: vec![IgnoredRoles], ..node(5, 0, 0) },
    ];
    let (_, tally) = table_of(&layer(&[("lanes", PromotedKind::Integer)], false), &objects);
    assert_eq!(tally.unreadable, [("lanes".to_owned(), 2)].into());
    assert_eq!(tally.repaired, [("ignored_roles".to_owned(), 2), ("split_rings".to_owned(), 1)].into());
}
