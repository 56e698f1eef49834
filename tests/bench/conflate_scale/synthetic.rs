//! Two sources that describe the same towns, with known truth: records `a7` and `b7` are one place.
//!
//! A town has 5,000 places of each source around its centre, spread so that a record has 20 of the other source within
//! 300 m on average, as in Pittsburgh (GER-LLM: 48,909 pairs of 2,383 and 2,474 records), and up to twice that in the
//! middle. Half of the places are in both sources. All are of one category: every pair within the radius is compared.

use std::fs;
use std::path::Path;

use crate::tables::{Line, Writer};

/// Places of one source in a town.
const TOWN: u64 = 5_000;
/// Standard deviation of a town's places from its centre, in metres: n r² / 4σ² neighbours of n within r make 20.
const SPREAD_M: f64 = 2_372.0;
/// Standard deviation of what the second source measures otherwise, in metres: the median is 42, as in Geo-ER's Pittsburgh.
const JITTER_M: f64 = 36.0;
/// Distinct words that names are made of.
const WORDS: u64 = 60_000;
/// What a name says of the kind of thing, as common words do.
const KINDS: [&str; 12] =
    ["Restaurant", "Cafe", "Grill", "Pizza", "Bar", "Bakery", "Deli", "House", "Kitchen", "Diner", "Tavern", "Bistro"];

pub(crate) fn write(rows: u64, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let each = rows / 2;
    let towns = each.div_ceil(TOWN);
    for (second, name) in [false, true].into_iter().zip(["a", "b"]) {
        let mut writer = Writer::create(&folder.join(format!("{name}.parquet")));
        for at in 0..each {
            // Half of the second source's places are those of the first; the others are its own.
            let place = if second && at % 2 == 1 { at + (1 << 40) } else { at };
            writer.push(&line(name, place, (at % towns, towns), second));
        }
        writer.close();
    }
}

/// A record; those that follow each other are of different towns.
fn line(prefix: &str, place: u64, (town, towns): (u64, u64), second: bool) -> Line {
    let mut dice = Dice(place);
    // Towns stand in a square, far enough apart to have no neighbours in common.
    let side = (towns as f64).sqrt().ceil() as u64;
    let centre = (10.0 + 0.4 * (town % side) as f64, 40.0 + 0.4 * (town / side) as f64);
    let (east, north) = dice.normal();
    let (mut east, mut north) = (east * SPREAD_M, north * SPREAD_M);
    let name = [dice.word(), dice.word(), KINDS[dice.below(12) as usize].to_owned()];
    let mut words: Vec<String> = if dice.below(3) == 0 { name[1..].to_vec() } else { name.to_vec() };
    let (phone, site) = (dice.below(10_000_000), dice.word().to_lowercase());
    let (street, house) = (format!("{} St", street(dice.below(300) + 1000 * town)), 1 + dice.below(400));
    let mut know = Dice(scramble(place) ^ u64::from(second));
    if second {
        let (x, y) = know.normal();
        (east, north) = (east + x * JITTER_M, north + y * JITTER_M);
        match know.below(20) {
            0..=3 => drop(words.pop()),
            4 => words.push("Pittsburgh".to_owned()),
            5..=7 => misspell(&mut words[0], know.below(100) as usize),
            8 => words = vec![know.word(), know.word()],
            _ => {}
        }
    }
    let lat = centre.1 + north / 111_195.0;
    let lon = centre.0 + east / (111_195.0 * lat.to_radians().cos());
    Line {
        id: format!("{prefix}{place}"),
        lon: (lon * 1e7).round() / 1e7,
        lat: (lat * 1e7).round() / 1e7,
        name: words.join(" "),
        phone: (know.below(10) < 4).then(|| format!("+1 412 {phone:07}")),
        website: (know.below(10) < 3).then(|| format!("https://www.{site}.example/")),
        street: (know.below(10) < 5).then_some(street),
        housenumber: (know.below(10) < 5).then(|| house.to_string()),
        postcode: (know.below(10) < 5).then(|| format!("{:05}", 15_000 + town % 500)),
    }
}

fn misspell(word: &mut String, at: usize) {
    let at = at % word.len();
    word.remove(at);
    if word.is_empty() {
        word.push('x');
    }
}

fn street(number: u64) -> String {
    spell(scramble(number ^ 0x5353), 6)
}

/// A word of so many syllables that can be said.
fn spell(mut number: u64, letters: usize) -> String {
    let mut word = String::new();
    while word.len() < letters {
        word.push(char::from(b"bcdfghklmnprstvw"[(number % 16) as usize]));
        word.push(char::from(b"aeiouaeo"[(number / 16 % 8) as usize]));
        number /= 128;
    }
    word[..1].make_ascii_uppercase();
    word
}

/// Numbers without a pattern, the same every time (splitmix64).
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = scramble(self.0 ^ 0x1234_5678);
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Two numbers of the standard normal distribution (Box and Muller 1958).
    fn normal(&mut self) -> (f64, f64) {
        let (radius, angle) = ((-2.0 * (1.0 - self.share()).ln()).sqrt(), std::f64::consts::TAU * self.share());
        (radius * angle.cos(), radius * angle.sin())
    }

    /// A word; the n-th most frequent is n times rarer than the first (Zipf).
    fn word(&mut self) -> String {
        let rank = (WORDS as f64).powf(self.share()) as u64;
        spell(scramble(rank ^ 0xabcd), 4 + (rank % 5) as usize)
    }
}
