//! Tables in their formats, by a mapping of columns; and OSM's own tags, as the properties of GeoJSON.

use std::path::Path;

use poimill::adapters::table::{Mapping, TableFile};
use poimill::domain::{Access, Address, Attributes, Connector, ConnectorType, Current, Status, Vocabulary};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::read::{assert_same, records};
use super::station::{Station, codes, stations};

/// Most connectors of a station.
const PLUGS: usize = 4;

const TAGS: &str = r#"
[tags]
amenity            = { value = "charging_station" }
name               = "name"
operator           = "operator"
phone              = "phone"
website            = "website"
access             = { column = "access", map = { public = "yes", customers = "customers", permit = "permit", private = "private" } }
fee                = { column = "pays", as = "boolean" }
operational_status = "state"
capacity           = { column = "bays", as = "integer" }
opening_hours      = "hours"
"addr:street"      = "street"
"addr:housenumber" = "number"
"addr:city"        = "city"
"addr:postcode"    = "postcode"
"addr:country"     = { value = "DE" }

[[connectors]]
repeat   = 4
type     = "plug{n}"
current  = "current{n}"
power    = "kw{n}"
voltage  = "volts{n}"
amperage = "amperes{n}"
count    = "count{n}"
evse_id  = { column = "ids{n}", split = ";" }
"#;

/// What a row of our own making says: column and text.
fn row(station: &Station) -> Vec<(String, Option<String>)> {
    let about = &station.about;
    let Address { street, housenumber, locality, postcode, .. } = &about.address;
    let text = |value: Option<&str>| value.map(str::to_owned);
    let mut row = vec![
        ("id".to_owned(), Some(station.id.to_string())),
        ("x".to_owned(), Some(station.lon.to_string())),
        ("y".to_owned(), Some(station.lat.to_string())),
        ("name".to_owned(), about.name.clone()),
        ("operator".to_owned(), about.operator.clone()),
        ("phone".to_owned(), about.phone.clone()),
        ("website".to_owned(), about.website.clone()),
        ("access".to_owned(), text(about.access.map(Access::name))),
        ("pays".to_owned(), about.fee.map(|pays| pays.to_string())),
        ("state".to_owned(), text(about.status.map(Status::name))),
        ("bays".to_owned(), about.capacity.map(|bays| bays.to_string())),
        ("hours".to_owned(), about.opening_hours.clone()),
        ("street".to_owned(), street.clone()),
        ("number".to_owned(), housenumber.clone()),
        ("city".to_owned(), locality.clone()),
        ("postcode".to_owned(), postcode.clone()),
    ];
    for n in 0..PLUGS {
        let plug = about.connectors.get(n);
        let number = |value: fn(&Connector) -> Option<f64>| plug.and_then(value).map(|value| value.to_string());
        let cells = [
            ("plug", plug.map(|plug| plug.kind.name().to_owned())),
            ("current", text(plug.and_then(|plug| plug.current).map(Current::name))),
            ("kw", number(|plug| plug.power_kw)),
            ("volts", number(|plug| plug.voltage_v)),
            ("amperes", number(|plug| plug.amperage_a)),
            ("count", number(|plug| plug.count.map(f64::from))),
            ("ids", plug.map(|plug| plug.evse_ids.join(";"))),
        ];
        row.extend(cells.map(|(column, value)| (format!("{column}{}", n + 1), value)));
    }
    row
}

fn csv(stations: &[Station], delimiter: u8) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(row(&stations[0]).iter().map(|(column, _)| column)).expect("a header");
    for station in stations {
        writer.write_record(row(station).iter().map(|(_, value)| value.as_deref().unwrap_or(""))).expect("a row");
    }
    String::from_utf8(writer.into_inner().expect("rows in memory")).expect("text")
}

fn object(station: &Station) -> Value {
    Value::Object(row(station).into_iter().map(|(column, value)| (column, json!(value))).collect())
}

fn feature(station: &Station, properties: &Value) -> Value {
    let geometry = json!({ "type": "Point", "coordinates": [station.lon, station.lat] });
    json!({ "type": "Feature", "id": station.id.to_string(), "geometry": geometry, "properties": properties })
}

fn collection(features: impl Iterator<Item = Value>) -> String {
    json!({ "type": "FeatureCollection", "features": features.collect::<Vec<_>>() }).to_string()
}

fn read(folder: &Path, text: &str, mapping: &str) -> Vec<poimill::domain::Record> {
    let path = folder.join("table");
    std::fs::write(&path, text).expect("a file");
    let mapping: Mapping = toml::from_str(mapping).expect("the mapping");
    records(&TableFile::new("table".to_owned(), path, mapping, None, None))
}

/// What OSM's tags can say: of the current only what plug or voltage tell, and EVSE ids of the station as a whole.
fn says_in_tags(station: &Station) -> Attributes {
    use ConnectorType as T;
    let connectors = station.about.connectors.iter().map(|connector| {
        let by_volts = matches!(connector.kind, T::Type2Socket | T::Type2Cable | T::Type3a | T::Type3c | T::GbtAc);
        let current = match connector.kind {
            T::TeslaSEu => Some(Current::Dc),
            kind => kind.current().or(connector.current.filter(|_| by_volts && connector.voltage_v.is_some())),
        };
        Connector { current, evse_ids: Vec::new(), ..connector.clone() }
    });
    Attributes { connectors: connectors.collect(), ..station.about.clone() }
}

fn tags(station: &Station) -> Value {
    let about = &station.about;
    let Address { street, housenumber, locality, postcode, .. } = &about.address;
    let access = about.access.map(|access| if access == Access::Public { "yes" } else { access.name() });
    let mut tags = Map::new();
    let mut set = |key: String, value: Option<String>| {
        if let Some(value) = value {
            tags.insert(key, json!(value));
        }
    };
    set("amenity".to_owned(), Some("charging_station".to_owned()));
    set("name".to_owned(), about.name.clone());
    set("operator".to_owned(), about.operator.clone());
    set("contact:phone".to_owned(), about.phone.clone());
    set("website".to_owned(), about.website.clone());
    set("access".to_owned(), access.map(str::to_owned));
    set("fee".to_owned(), about.fee.map(|pays| if pays { "yes" } else { "no" }.to_owned()));
    set("operational_status".to_owned(), about.status.map(|status| status.name().to_owned()));
    set("capacity".to_owned(), about.capacity.map(|bays| bays.to_string()));
    set("opening_hours".to_owned(), about.opening_hours.clone());
    set("addr:street".to_owned(), street.clone());
    set("addr:housenumber".to_owned(), housenumber.clone());
    set("addr:city".to_owned(), locality.clone());
    set("addr:postcode".to_owned(), postcode.clone());
    set("addr:country".to_owned(), Some("DE".to_owned()));
    for connector in &about.connectors {
        let key = format!("socket:{}", codes().write(Vocabulary::Osm, connector.kind).expect("a code"));
        set(format!("{key}:output"), connector.power_kw.map(|kw| format!("{kw} kW")));
        set(format!("{key}:voltage"), connector.voltage_v.map(|volts| format!("{volts} V")));
        set(format!("{key}:current"), connector.amperage_a.map(|amperes| amperes.to_string()));
        set(key, connector.count.map(|count| count.to_string()));
    }
    Value::Object(tags)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn stations_come_back_from_tables_of_every_format(stations in stations(Vocabulary::Datex)) {
        let by_columns = format!("id = \"id\"\nlon = \"x\"\nlat = \"y\"\n{TAGS}");
        let of_feature = TAGS.to_owned();
        let shapes = [
            (csv(&stations, b','), &by_columns),
            (csv(&stations, b';').replace('\n', "\r\n"), &by_columns),
            (stations.iter().map(|station| object(station).to_string() + "\n").collect(), &by_columns),
            (Value::Array(stations.iter().map(object).collect()).to_string(), &by_columns),
            (collection(stations.iter().map(|station| feature(station, &object(station)))), &of_feature),
        ];
        let folder = tempfile::tempdir().expect("a folder");
        for (text, mapping) in shapes {
            assert_same(read(folder.path(), &text, mapping), &stations, |station| station.about.clone());
        }
    }

    #[test]
    fn stations_come_back_from_the_tags_of_osm(stations in stations(Vocabulary::Osm)) {
        let text = collection(stations.iter().map(|station| feature(station, &tags(station))));
        let folder = tempfile::tempdir().expect("a folder");
        assert_same(read(folder.path(), &text, "tags = { \"*\" = true }"), &stations, says_in_tags);
    }
}
