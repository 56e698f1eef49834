//! Tell: what sources say of charging stations, each in its own words and with its own mistakes.
//!
//! The first source writes as Open Charge Map does, the others are tables with OSM's tags; so what comes out has gone
//! through the real transform.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Knobs;
use super::dice::Dice;
use super::stations::{DEGREE_M, Station};
use super::words::{any_word, misspelt};

/// What one source says of a station.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The source, counted from 0.
    pub(crate) source: usize,
    pub(crate) id: usize,
    /// The station that it is about, by its place in the list.
    pub(crate) station: usize,
    lon: f64,
    lat: f64,
    name: Option<String>,
    pub(crate) operator: Option<String>,
    street: Option<String>,
    postcode: bool,
    sockets: bool,
    kw: Option<u32>,
    points: Option<usize>,
}

/// Writes what `sources` sources tell of `stations` into `folder`: `source0.json`, `source1.csv` …, and `stations.toml`,
/// the pipeline that conflates them. What each record is about is returned, and written to `truth.csv`.
pub(crate) fn write_stations(
    folder: &Path,
    stations: &[Station],
    sources: usize,
    knobs: &Knobs,
) -> std::io::Result<Vec<Told>> {
    let mut all = Vec::new();
    let mut pipeline = "name = \"invented\"\nthemes = [\"charging\"]\n[store]\ndir = \"snapshots\"\n".to_owned();
    for source in 0..sources {
        let told = tell(source, stations, knobs);
        let (file, text, how) = if source == 0 {
            ("source0.json".to_owned(), open_charge_map(&told, stations), "kind = \"open_charge_map\"\n".to_owned())
        } else {
            (format!("source{source}.csv"), table(&told, stations), format!("kind = \"table\"\n{COLUMNS}"))
        };
        fs::write(folder.join(&file), text)?;
        let _ = write!(pipeline, "\n[[source]]\nname = \"source{source}\"\npath = \"{file}\"\n{how}");
        all.extend(told);
    }
    let mut truth = "source,id,station,site\n".to_owned();
    for told in &all {
        let _ = writeln!(truth, "source{},{},{},{}", told.source, told.id, told.station, stations[told.station].site);
    }
    fs::write(folder.join("truth.csv"), truth)?;
    fs::write(folder.join("stations.toml"), pipeline)?;
    Ok(all)
}

/// What one source says: of some stations nothing, of others more than once.
fn tell(source: usize, stations: &[Station], knobs: &Knobs) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    // Two sources share `shared` of each one's records where each knows of that many.
    let known = if source == 0 { knobs.shared.sqrt() } else { knobs.shared.sqrt().max(0.5) };
    for (at, station) in stations.iter().enumerate() {
        let mut dice = Dice::new(knobs.seed, ((source as u64 + 2) << 32) + at as u64);
        if !dice.chance(known) {
            continue;
        }
        let told = Told { source, station: at, ..once(station, &mut dice, knobs) };
        let posts = if station.points > 1 && dice.chance(knobs.split) { 2 } else { 1 };
        let again = usize::from(dice.chance(knobs.duplicated));
        for post in 0..posts + again {
            let points = told.points.map(|points| if posts == 2 && post < 2 { points.div_ceil(2) } else { points });
            let mut told = Told { id: 0, points, ..told.clone() };
            if post > 0 {
                (told.lon, told.lat) = beside((told.lon, told.lat), 4.0, &mut dice);
            }
            all.push(told);
        }
    }
    for (number, told) in all.iter_mut().enumerate() {
        told.id = 1000 * (source + 1) + number;
    }
    // Swapped last, so that what is beside a station is so before.
    for told in &mut all {
        if Dice::new(knobs.seed, ((source as u64 + 200) << 32) + told.id as u64).chance(knobs.swapped) {
            (told.lon, told.lat) = (told.lat, told.lon);
        }
    }
    all
}

/// What is said of a station once.
fn once(station: &Station, dice: &mut Dice, knobs: &Knobs) -> Told {
    let jitter_m = knobs.jitter_m * if dice.chance(knobs.outlier) { 10.0 } else { 1.0 };
    let mut at = beside((station.lon, station.lat), jitter_m, dice);
    if dice.chance(knobs.moved) {
        let angle = std::f64::consts::TAU * dice.unit();
        let metres = 100.0 + 200.0 * dice.unit();
        at.0 += metres * angle.cos() / (DEGREE_M * at.1.to_radians().cos());
        at.1 += metres * angle.sin() / DEGREE_M;
    }
    let mut name = if dice.chance(knobs.renamed) { any_word(dice) } else { station.name.clone() };
    if dice.chance(knobs.shortened) {
        name = name.rsplit(' ').next().map(str::to_owned).unwrap_or_default();
    }
    if dice.chance(knobs.misspelt) {
        name = misspelt(&name, dice);
    }
    if dice.chance(0.1) {
        name = format!("{} {name}", station.operator);
    }
    let kw = if dice.chance(knobs.watts) { station.kw * 1000 } else { station.kw };
    let operator = if dice.chance(knobs.alias) { alias(&station.operator, dice) } else { station.operator.clone() };
    Told {
        source: 0,
        id: 0,
        station: 0,
        lon: at.0,
        lat: at.1,
        name: (!dice.chance(knobs.unnamed)).then_some(name),
        operator: (!dice.chance(knobs.no_operator)).then_some(operator),
        street: (!dice.chance(knobs.silent)).then(|| station.street.clone()),
        postcode: !dice.chance(knobs.silent),
        sockets: !dice.chance(knobs.silent),
        kw: (!dice.chance(knobs.silent)).then_some(kw),
        points: (!dice.chance(knobs.silent)).then_some(station.points),
    }
}

fn beside((lon, lat): (f64, f64), sigma_m: f64, dice: &mut Dice) -> (f64, f64) {
    let metres = DEGREE_M * lat.to_radians().cos();
    (lon + sigma_m * dice.normal() / metres, lat + sigma_m * dice.normal() / DEGREE_M)
}

/// Another way to write an operator: without its form, with one, in capitals, with its country, or in one word.
fn alias(operator: &str, dice: &mut Dice) -> String {
    let bare = operator.replace(" GmbH & Co. KG", "").replace(" GmbH", "").replace(" AG", "");
    match dice.below(5) {
        0 => bare,
        1 => format!("{bare} GmbH"),
        2 => bare.to_uppercase(),
        3 => format!("{bare} (DE)"),
        _ => bare.replace(' ', "-"),
    }
}

/// Open Charge Map's ids of connection types.
fn connection_type(socket: &str) -> u32 {
    match socket {
        "type2" => 25,
        "type2_combo" => 33,
        _ => 2,
    }
}

/// Records as Open Charge Map's API gives them.
fn open_charge_map(told: &[Told], stations: &[Station]) -> String {
    let record = |told: &Told| -> Value {
        let station = &stations[told.station];
        let connection = |socket: &&str| json!({ "ConnectionTypeID": connection_type(socket), "PowerKW": told.kw });
        let connections: Vec<Value> =
            if told.sockets { station.sockets.iter().map(connection).collect() } else { Vec::new() };
        let town = |text: String| told.postcode.then_some(text);
        json!({
            "ID": told.id,
            "UUID": format!("U-{}", told.id),
            "DataProviderID": 1,
            "OperatorInfo": told.operator.as_ref().map(|operator| json!({ "ID": 9000, "Title": operator })),
            "AddressInfo": {
                "Title": told.name,
                "AddressLine1": told.street.as_ref().map(|street| format!("{street} {}", station.housenumber)),
                "Town": town(station.town.clone()),
                "Postcode": town(station.postcode.to_string()),
                "CountryID": 87,
                "Country": { "ID": 87, "ISOCode": "DE", "Title": "Germany" },
                "Longitude": told.lon,
                "Latitude": told.lat,
            },
            "Connections": connections,
            "NumberOfPoints": told.points,
            "StatusTypeID": 50,
            "DateLastStatusUpdate": "2026-05-01T00:00:00Z",
            "SubmissionStatusTypeID": 200,
        })
    };
    Value::from(told.iter().map(record).collect::<Vec<_>>()).to_string()
}

/// How a pipeline reads [`table`].
const COLUMNS: &str = r#"license = "CC0-1.0"
attribution = "nobody"
[source.table]
id = "id"
lon = "lon"
lat = "lat"
[source.table.tags]
amenity = { value = "charging_station" }
name = "name"
operator = "operator"
"addr:street" = "street"
"addr:housenumber" = "housenumber"
"addr:city" = "city"
"addr:postcode" = "postcode"
"addr:country" = { value = "DE" }
capacity = "capacity"
"socket:type2" = "type2"
"socket:type2_combo" = "type2_combo"
"socket:chademo" = "chademo"
maxpower = "maxpower"
"#;

/// Records as a table with OSM's tags.
fn table(told: &[Told], stations: &[Station]) -> String {
    let mut out =
        "id,lon,lat,name,operator,street,housenumber,city,postcode,capacity,maxpower,type2,type2_combo,chademo\n"
            .to_owned();
    for told in told {
        let station = &stations[told.station];
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (street, housenumber) = told
            .street
            .as_ref()
            .map_or_else(Default::default, |street| (street.clone(), station.housenumber.to_string()));
        let (city, postcode) =
            if told.postcode { (station.town.clone(), station.postcode.to_string()) } else { Default::default() };
        let number = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
        let socket = |socket: &str| {
            if told.sockets && station.sockets.contains(&socket) {
                told.points.unwrap_or(1).to_string()
            } else {
                String::new()
            }
        };
        let _ = writeln!(
            out,
            "{},{:.7},{:.7},{},{},{street},{housenumber},{city},{postcode},{},{},{},{},{}",
            told.id,
            told.lon,
            told.lat,
            text(&told.name),
            text(&told.operator),
            number(told.points),
            told.kw.map_or_else(String::new, |kw| format!("{kw} kW")),
            socket("type2"),
            socket("type2_combo"),
            socket("chademo"),
        );
    }
    out
}
