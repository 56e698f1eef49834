//! What the tests of the steps share, and the stage as a whole.

use proptest::prelude::*;

use super::draft::Draft;
use super::{Context, Step};
use crate::domain::{
    Access, Address, Attributes, BBox, Connector, ConnectorCodes, ConnectorType, Current, Feature, LeftOut,
    LeftOutRule, Metres, Operators, Record, RecordId, Region, RejectCode, Shape, Status, Tags, Taxonomy,
};

const CATEGORIES: &str = include_str!("../../../pipelines/categories.toml");
const CONNECTORS: &str = include_str!("../../../pipelines/connectors.toml");
const OPERATORS: &str = include_str!("../../../pipelines/operators.toml");

/// Tags written `key=value|key=value`.
pub(super) fn tags(text: &str) -> Tags {
    text.split('|').filter_map(|pair| pair.split_once('=')).collect()
}

/// A point with tags.
pub(super) fn feature(id: &str, lon: f64, lat: f64, text: &str) -> Feature {
    Feature::point(RecordId::new(id), lon, lat, tags(text))
}

/// A polygon without holes.
pub(super) fn area(ring: &[(f64, f64)]) -> Shape {
    Shape::Area(geo::Polygon::new(ring.to_vec().into(), Vec::new()).into())
}

/// Calls `work` with the categories and operators of the project.
pub(super) fn in_context<T>(region: &Region, work: impl FnOnce(&Context<'_>) -> T) -> T {
    let taxonomy = Taxonomy::parse(CATEGORIES, &["places".to_owned()]).expect("categories.toml is read");
    let operators = Operators::parse(OPERATORS).expect("operators.toml is read");
    let codes = ConnectorCodes::parse(CONNECTORS).expect("connectors.toml is read");
    work(&Context { region, taxonomy: &taxonomy, operators: &operators, codes: &codes, repair_positions: true })
}

/// The record that one step makes of a feature.
pub(super) fn step_on_feature(step: Step, feature: Feature) -> Record {
    let draft: Draft = in_context(&Region::world(), |context| {
        super::repair_position::draft(0, feature, context).and_then(|draft| step(draft, context))
    })
    .expect("the step keeps it");
    draft.record
}

/// The record that one step makes of a node in Vaduz with these tags.
pub(super) fn step_on(step: Step, text: &str) -> Record {
    step_on_feature(step, feature("node/1", 9.52, 47.14, text))
}

/// Keys that a step reads.
const KEYS: &[&str] = &[
    "amenity",
    "disused:amenity",
    "man_made",
    "name",
    "name:de",
    "addr:country",
    "phone",
    "website",
    "email",
    "operator",
    "operator:wikidata",
    "operator:ocm",
    "access",
    "fee",
    "capacity",
    "operational_status",
    "maxpower",
    "ref:EU:EVSE",
    "ref:ocm",
    "socket:type2",
    "socket:type2:output",
    "socket:type2:voltage",
    "socket:",
    "socket:x:current",
];

fn proptest_tags(pairs: &[(&str, String)]) -> Tags {
    let kind = [("shop", "yes"), ("man_made", "charge_point")].map(|(k, v)| (k, v.to_owned()));
    kind.into_iter().chain(pairs.iter().cloned()).collect()
}

/// The category of a node with these tags, with its alternates and status: `bakery+cafe out_of_order`.
fn classified(text: &str) -> String {
    in_context(&Region::world(), |context| {
        let mut transformed = super::transform(0, vec![feature("node/1", 9.52, 47.14, text)], context);
        let Some(record) = transformed.records.pop() else {
            assert_eq!(transformed.left_out.0.get(&LeftOutRule::NotMatched), Some(&1), "{text}");
            return "nothing".to_owned();
        };
        let attributes = record.attributes;
        let mut categories = vec![attributes.category];
        categories.extend(attributes.alternate_categories);
        let status = attributes.status.map_or(String::new(), |status| format!(" {status}"));
        format!("{}{status}", categories.join("+"))
    })
}

#[test]
fn tags_make_categories() {
    let cases = [
        // charging
        ("amenity=charging_station", "charging_station"),
        ("amenity=charging_station|operator=LKW|capacity=3", "charging_station"),
        ("amenity=charging_station|bicycle=yes|capacity=4|name=Restaurant", "bicycle_charging_station"),
        ("amenity=charging_station|bicycle=yes|capacity=6", "bicycle_charging_station"),
        ("amenity=charging_station|bicycle=designated|socket:schuko=4|scooter=yes", "bicycle_charging_station"),
        ("amenity=charging_station|bicycle=yes|motorcar=yes", "charging_station"),
        ("amenity=charging_station|bicycle=yes|motorcar=private", "charging_station"),
        ("amenity=charging_station|bicycle=yes|truck=designated", "charging_station"),
        ("amenity=charging_station|bicycle=yes|socket:type2=2", "charging_station"),
        ("amenity=charging_station|bicycle=yes|socket:type2=no|socket:chademo=0", "bicycle_charging_station"),
        ("amenity=charging_station|bicycle=yes|socket:type2_cable:output=22 kW", "charging_station"),
        ("amenity=charging_station|bicycle=yes|socket:typee=2", "bicycle_charging_station"),
        ("amenity=charging_station|bicycle=yes|socket:tesla_supercharger=2", "charging_station"),
        ("amenity=charging_station|bicycle=yes|socket:cee_red_32a=1", "charging_station"),
        ("amenity=charging_station|bicycle=yes|motorcar=no|socket:type2=1", "bicycle_charging_station"),
        ("amenity=charging_station|bicycle=no", "charging_station"),
        ("amenity=charging_station|socket:bosch_3pin=1|socket:shimano_steps_5pin=1", "bicycle_charging_station"),
        ("amenity=charging_station|socket:bosch_3pin=1|socket:type2=1", "charging_station"),
        ("man_made=charge_point", "charge_point+charging_station"),
        ("man_made=charge_point|amenity=charging_station", "charging_station"),
        // lifecycle
        ("planned:amenity=charging_station", "charging_station planned"),
        ("disused:amenity=cafe|disused:name=A", "cafe out_of_order"),
        ("was:shop=bakery", "bakery removed"),
        ("disused:amenity=cafe|shop=bakery", "bakery"),
        ("amenity=cafe|disused=yes", "cafe out_of_order"),
        // health, public services, learning
        ("amenity=pharmacy|healthcare=pharmacy", "pharmacy"),
        ("healthcare=physiotherapist", "physiotherapist"),
        ("healthcare=midwife", "healthcare"),
        ("amenity=doctors|healthcare=doctor", "doctors"),
        ("amenity=police", "police"),
        ("emergency=ambulance_station", "ambulance_station"),
        ("emergency=defibrillator", "defibrillator"),
        ("emergency=fire_hydrant", "nothing"),
        ("emergency=yes|highway=service", "nothing"),
        ("amenity=school", "school"),
        ("amenity=place_of_worship|religion=christian", "place_of_worship"),
        ("landuse=cemetery", "cemetery"),
        ("office=diplomatic|diplomatic=embassy", "embassy"),
        // eating, staying, shopping
        ("amenity=restaurant|cuisine=pizza", "restaurant"),
        ("amenity=cafe|shop=bakery", "cafe+bakery"),
        ("tourism=hotel|amenity=restaurant", "hotel+restaurant"),
        ("shop=supermarket", "supermarket"),
        ("shop=hairdresser", "hairdresser"),
        ("shop=nutrition_supplements", "shop"),
        ("shop=yes", "shop"),
        ("shop=vacant", "nothing"),
        ("craft=key_cutter", "craft"),
        ("office=company", "company"),
        ("office=logistics", "office"),
        // getting around
        ("highway=bus_stop|public_transport=platform|bus=yes", "bus_stop+platform"),
        ("public_transport=stop_position", "nothing"),
        ("railway=station|public_transport=station", "train_station+station"),
        ("railway=station|station=subway", "subway_station"),
        ("railway=tram_stop", "tram_stop"),
        ("aeroway=aerodrome", "aerodrome"),
        ("amenity=fuel|shop=convenience", "fuel+convenience"),
        ("amenity=parking", "parking"),
        ("amenity=parking_space", "nothing"),
        ("amenity=bicycle_parking", "bicycle_parking"),
        // sights and leisure
        ("tourism=information|information=guidepost", "nothing"),
        ("tourism=information|information=office", "tourist_information"),
        ("tourism=museum|historic=castle", "museum+castle"),
        ("historic=memorial|memorial=stolperstein", "nothing"),
        ("leisure=pitch|sport=tennis", "pitch"),
        ("leisure=garden", "nothing"),
        ("leisure=garden|name=Rosengarten", "garden"),
        ("leisure=hackerspace", "leisure"),
        ("leisure=picnic_table", "nothing"),
        // furniture and what is no place
        ("amenity=bench", "nothing"),
        ("amenity=waste_basket", "nothing"),
        ("amenity=toilets", "toilets"),
        ("amenity=atm", "atm"),
        ("amenity=vending_machine|vending=excrement_bags", "nothing"),
        ("amenity=vending_machine|vending=drinks", "vending_machine"),
        ("amenity=animal_boarding", "amenity"),
        ("natural=tree", "nothing"),
        ("highway=residential|name=Bahnhofstrasse", "nothing"),
        ("", "nothing"),
    ];
    for (text, expected) in cases {
        assert_eq!(classified(text), expected, "{text}");
    }
}

#[test]
fn categories_and_operators_are_each_there_once() {
    let file: toml::Table = CATEGORIES.parse().expect("it is TOML");
    let names: Vec<&str> =
        file["category"].as_array().expect("a list").iter().map(|c| c["name"].as_str().expect("a name")).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(names.len(), unique.len());
    let charging = Taxonomy::parse(CATEGORIES, &["charging".to_owned()]).expect("the theme exists");
    assert!(charging.category("charging_station").is_some() && charging.category("cafe").is_none());
    assert!(charging.hangs_on("amenity") && charging.hangs_on("disused:amenity") && charging.hangs_on("man_made"));
    assert!(!charging.hangs_on("bicycle") && !charging.hangs_on("highway"));
}

#[test]
fn every_feature_is_a_record_a_reject_or_left_out_and_the_order_stays() {
    let bbox = BBox { xmin: 9.47, ymin: 47.04, xmax: 9.64, ymax: 47.28 };
    let region = Region::from_bbox(bbox, Metres(500.0));
    let features: Vec<Feature> = (0..400)
        .map(|n| match n % 4 {
            0 => feature(&format!("node/{n}"), 9.52, 47.14, "amenity=cafe"),
            1 => feature(&format!("node/{n}"), 0.0, 0.0, "amenity=cafe"),
            2 => feature(&format!("node/{n}"), 9.52, 48.14, "amenity=cafe"),
            _ => feature(&format!("node/{n}"), 9.52, 47.14, "natural=tree"),
        })
        .collect();
    let made = in_context(&region, |context| super::transform(3, features.clone(), context));
    let ids = |records: &[Record]| records.iter().map(|record| record.key.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&made.records), (0..400).step_by(4).map(|n| format!("node/{n}")).collect::<Vec<_>>());
    assert!(made.records.iter().all(|record| record.key.dataset == 3));
    assert_eq!(made.rejects.iter().map(|reject| reject.code).collect::<Vec<_>>(), [RejectCode::NullIsland; 100]);
    let mut left_out = LeftOut::default();
    left_out.add(LeftOutRule::OutsideRegion, 100);
    left_out.add(LeftOutRule::NotMatched, 100);
    assert_eq!(made.left_out, left_out);
}

proptest! {
    #[test]
    fn whatever_comes_in_is_accounted_for(
        point in prop_oneof![any::<(f64, f64)>(), (-200.0..200.0, -100.0..100.0)],
        ring in proptest::collection::vec((-2i8..3, -2i8..3), 0..7),
        pairs in proptest::collection::vec((proptest::sample::select(KEYS), "\\PC{0,12}|[0-9]{1,12}( kW|;[0-9]+)?"), 0..6),
    ) {
        let kinds = proptest_tags(&pairs);
        let mut shapes = vec![Shape::Point(point.into())];
        shapes.push(area(&ring.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect::<Vec<_>>()));
        let features: Vec<Feature> = shapes
            .into_iter()
            .enumerate()
            .map(|(n, shape)| Feature { shape, tags: kinds.clone(), ..feature(&format!("x/{n}"), 0.0, 0.0, "") })
            .collect();
        let made = in_context(&Region::world(), |context| super::transform(0, features, context));
        let accounted = made.records.len() + made.rejects.len() + made.left_out.total() as usize;
        prop_assert_eq!(accounted, 2);
        for record in super::roll_up(made.records) {
            prop_assert!(record.attributes.category != "charge_point");
            prop_assert!(record.attributes.connectors.iter().all(|c| c.power_kw.is_none_or(|kw| kw > 0.0 && kw <= 2000.0)));
        }
    }
}

#[test]
fn one_station_as_a_whole() {
    let text = "disused:amenity=charging_station|name=Schaan Supercharger|operator=Tesla, Inc.|operator:wikidata=Q478214\
        |brand=Tesla Supercharger|capacity=10|fee=yes|opening_hours=24/7|phone=+31 13 799 9520|addr:city=Schaan\
        |socket:tesla_supercharger=10|socket:tesla_supercharger:output=150 kW|short_name=Tesla|access=yes|ref:ocm=93452";
    let features = vec![feature("node/5279248693", 9.507_662_4, 47.165_210_6, text)];
    let record = in_context(&Region::world(), |context| super::transform(0, features, context)).records.remove(0);
    let expected = Attributes {
        category: "charging_station".into(),
        name: Some("Schaan Supercharger".into()),
        operator: Some("Tesla".into()),
        operator_wikidata: Some("Q478214".into()),
        brand: Some("Tesla Supercharger".into()),
        address: Address { locality: Some("Schaan".into()), ..Address::default() },
        phone: Some("+31 13 799 9520".into()),
        opening_hours: Some("24/7".into()),
        access: Some(Access::Public),
        fee: Some(true),
        status: Some(Status::OutOfOrder),
        capacity: Some(10),
        connectors: vec![Connector {
            current: Some(Current::Dc),
            power_kw: Some(150.0),
            count: Some(10),
            ..Connector::of(ConnectorType::TeslaSEu)
        }],
        max_power_kw: Some(150.0),
        tags: tags("amenity=charging_station|short_name=Tesla|ref:ocm=93452"),
        ..Attributes::default()
    };
    assert_eq!(record.attributes, expected);
    assert_eq!(record.operator_key.as_deref(), Some("wikidata:Q478214"));
    assert_eq!(record.external_ids, [Box::from("ocm:93452")]);
}
