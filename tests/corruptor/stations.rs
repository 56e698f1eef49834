//! Stations: charging stations as they are, before anybody tells of them.

use super::Knobs;
use super::dice::Dice;
use super::words::{any_word, word};

/// Metres of one degree of latitude.
pub(crate) const DEGREE_M: f64 = 111_195.0;

/// Sites of one town, within so many metres of its middle in each direction.
const SITES_OF_A_TOWN: usize = 12;
const TOWN_M: f64 = 1500.0;

/// Operators that there are. Some of them are known all over, most in a few towns.
const OPERATORS: usize = 60;

/// What stations are beside, and so are called after.
const LANDMARKS: [&str; 14] = [
    "Parkhaus",
    "Rathaus",
    "Bahnhof",
    "Hotel",
    "Einkaufszentrum",
    "Autohaus",
    "Klinikum",
    "Stadion",
    "Schwimmbad",
    "Museum",
    "Gewerbepark",
    "Raststätte",
    "Marktplatz",
    "Schule",
];

/// What the names of operators are made of, beside a word of their own.
const COMPANIES: [&str; 8] = [
    "Stadtwerke {}",
    "{} Energie GmbH",
    "{} Charging",
    "{} Mobility AG",
    "{}",
    "Energie {} GmbH & Co. KG",
    "{} Strom",
    "{} Laden",
];

/// Which sockets a post has: the canonical names of `connectors.toml`, and the highest power in kW.
const POSTS: [(&[&str], u32); 6] = [
    (&["type2"], 11),
    (&["type2"], 22),
    (&["type2"], 22),
    (&["type2_combo", "chademo"], 50),
    (&["type2_combo"], 150),
    (&["type2_combo", "chademo", "type2"], 150),
];

/// A charging station as it is.
#[derive(Debug, Clone)]
pub(crate) struct Station {
    /// Stations of one site have one number.
    pub(crate) site: usize,
    pub(crate) lon: f64,
    pub(crate) lat: f64,
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) sockets: &'static [&'static str],
    pub(crate) kw: u32,
    /// Charging points.
    pub(crate) points: usize,
    pub(crate) street: String,
    pub(crate) housenumber: usize,
    pub(crate) town: String,
    pub(crate) postcode: usize,
}

/// At least `count` stations, site by site. They are in the middle of Germany.
pub(crate) fn stations(count: usize, knobs: &Knobs) -> Vec<Station> {
    let mut all = Vec::new();
    for site in 0.. {
        if all.len() >= count {
            break;
        }
        let mut dice = Dice::new(knobs.seed, 1_000_000 + site as u64);
        let first = station(site, &mut dice);
        if dice.chance(knobs.two_operators) {
            let mut other = moved(&first, 40.0 * dice.unit(), &mut dice);
            other.operator = operator(town_of(site), &mut dice);
            (other.sockets, other.kw) = *dice.pick(&POSTS);
            // A site that one operator has twice is one station.
            all.extend((other.operator != first.operator).then_some(other));
        }
        if dice.chance(knobs.neighbours) {
            let mut other = moved(&first, 150.0 + 250.0 * dice.unit(), &mut dice);
            other.name = format!("{} {}", dice.pick(&LANDMARKS), any_word(&mut dice));
            other.housenumber += 20;
            all.push(other);
        }
        all.push(first);
    }
    all
}

fn town_of(site: usize) -> usize {
    site / SITES_OF_A_TOWN
}

fn station(site: usize, dice: &mut Dice) -> Station {
    let town = town_of(site);
    // Towns are 10 km apart, in rows of 16.
    let (column, row) = (town % 16, town / 16 % 20);
    let lat = 49.5 + row as f64 * 10_000.0 / DEGREE_M + (2.0 * dice.unit() - 1.0) * TOWN_M / DEGREE_M;
    let metres = DEGREE_M * lat.to_radians().cos();
    let lon = 9.0 + column as f64 * 10_000.0 / metres + (2.0 * dice.unit() - 1.0) * TOWN_M / metres;
    let (sockets, kw) = *dice.pick(&POSTS);
    let street = format!("{}straße", word(30_000 + 100 * town + dice.below(40)));
    // Some are called after their street, as nothing else is there.
    let name = if dice.chance(0.2) { street.clone() } else { format!("{} {}", dice.pick(&LANDMARKS), any_word(dice)) };
    Station {
        site,
        lon,
        lat,
        name,
        operator: operator(town, dice),
        sockets,
        kw,
        points: 1 + dice.below(4),
        street,
        housenumber: 1 + dice.below(120),
        town: word(20_000 + town),
        postcode: 30_000 + town,
    }
}

/// An operator at work in this town: one known all over, or one of its own few.
fn operator(town: usize, dice: &mut Dice) -> String {
    let number = if dice.chance(0.6) { dice.zipf(OPERATORS) } else { OPERATORS + 3 * town + dice.below(3) };
    COMPANIES[number % COMPANIES.len()].replace("{}", &word(50_000 + number))
}

fn moved(station: &Station, metres: f64, dice: &mut Dice) -> Station {
    let angle = std::f64::consts::TAU * dice.unit();
    let lat = station.lat + metres * angle.sin() / DEGREE_M;
    let lon = station.lon + metres * angle.cos() / (DEGREE_M * station.lat.to_radians().cos());
    Station { lon, lat, ..station.clone() }
}
