//! Places of every kind in a large city, told of by two sources: for the benchmark at scale.
//!
//! - **Density**: Pittsburgh's, about 20 records of the other source within 300 m of each (GER-LLM: 48,909 pairs of 2,383
//!   and 2,474 records), on streets, however many there are.
//! - **Memory**: none to speak of; records are written as they are made, a square kilometre at a time, each source in an
//!   order of its own.
//! - **Ids**: a place's number, so equal ids are one place.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::Knobs;
use super::dice::Dice;
use super::words::{any_word, misspelt, word};

/// Records of one source on a square kilometre: 20 on a disc of 300 m.
const RECORDS_PER_KM2: f64 = 20.0 / (std::f64::consts::PI * 0.3 * 0.3);

/// Streets run every so many metres, in both directions.
const BLOCK_M: f64 = 100.0;

/// Metres of one degree of latitude.
const DEGREE_M: f64 = 111_195.0;

/// South-western corner of the city, in degrees.
const CORNER: (f64, f64) = (-81.0, 39.0);

/// Chains, and the share of places that belongs to one.
const CHAINS: usize = 400;
const OF_A_CHAIN: f64 = 0.1;

/// Kinds of place: the tag, and how names end that tell of it.
const KINDS: [(&str, &str, &str); 12] = [
    ("amenity", "restaurant", "Restaurant"),
    ("amenity", "cafe", "Café"),
    ("amenity", "bar", "Bar"),
    ("amenity", "pharmacy", "Pharmacy"),
    ("amenity", "bank", "Bank"),
    ("amenity", "dentist", "Dental Practice"),
    ("amenity", "school", "School"),
    ("shop", "clothes", "Fashion"),
    ("shop", "supermarket", "Market"),
    ("shop", "hairdresser", "Salon"),
    ("shop", "bakery", "Bakery"),
    ("tourism", "hotel", "Hotel"),
];

/// A place as it is.
struct Truth {
    /// Metres east and north of the corner.
    at: (f64, f64),
    kind: usize,
    proper: String,
    street: usize,
    number: usize,
    phone: u64,
}

/// Writes `a.csv` and `b.csv` with half of `records` each, `truth.csv` with the ids of what is one place, and
/// `places.toml`, the pipeline that conflates them.
pub(crate) fn write_places(folder: &Path, records: usize, knobs: &Knobs) -> std::io::Result<()> {
    // Of the places per source, so many are shared; the others are each source's own.
    let per_source = records / 2;
    let shared = (per_source as f64 * knobs.shared) as usize;
    let places = 2 * per_source - shared;
    // Every so often a shared one, the others in turns, so that the counts are exact.
    let in_both = |number: usize| (number + 1) * shared / places > number * shared / places;
    let owner = |number: usize| (number - number * shared / places) % 2;

    let cells = (per_source as f64 / RECORDS_PER_KM2).ceil().max(1.0) as usize;
    let side = (cells as f64).sqrt().ceil() as usize;
    for (source, file) in ["a.csv", "b.csv"].iter().enumerate() {
        let mut out = BufWriter::new(File::create(folder.join(file))?);
        writeln!(out, "id,lon,lat,name,amenity,shop,tourism,street,housenumber,phone")?;
        let step = stride(cells, if source == 0 { 0.618 } else { 0.414 });
        for cell in (0..cells).map(|turn| turn * step % cells) {
            for number in cell * places / cells..(cell + 1) * places / cells {
                if in_both(number) || owner(number) == source {
                    let place = place((cell % side, cell / side), &mut Dice::new(knobs.seed, number as u64));
                    let mut dice = Dice::new(knobs.seed, !(2 * number + source) as u64);
                    write_record(&mut out, number, &place, &mut dice, knobs)?;
                }
            }
        }
        out.flush()?;
    }
    let mut truth = BufWriter::new(File::create(folder.join("truth.csv"))?);
    writeln!(truth, "a,b")?;
    for number in (0..places).filter(|number| in_both(*number)) {
        writeln!(truth, "{number},{number}")?;
    }
    truth.flush()?;
    std::fs::write(folder.join("places.toml"), PIPELINE)
}

const PIPELINE: &str = include_str!("places.toml");

/// A step that visits every cell once, far from the last: this share of them, made free of common factors.
fn stride(cells: usize, share: f64) -> usize {
    let shares_a_factor = |mut a: usize, mut b: usize| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a > 1
    };
    let wanted = (cells as f64 * share) as usize;
    (wanted.max(1)..2 * cells).find(|step| !shares_a_factor(*step, cells)).unwrap_or(1)
}

fn place((column, row): (usize, usize), dice: &mut Dice) -> Truth {
    let proper = if dice.chance(OF_A_CHAIN) {
        word(1_000_000 + dice.zipf(CHAINS))
    } else if dice.chance(0.5) {
        any_word(dice)
    } else {
        format!("{} {}", any_word(dice), any_word(dice))
    };
    let street = dice.below((1000.0 / BLOCK_M) as usize);
    let (along, across) = (dice.unit() * 1000.0, street as f64 * BLOCK_M + 10.0 * dice.unit());
    let runs_east = dice.chance(0.5);
    let (x, y) = if runs_east { (along, across) } else { (across, along) };
    Truth {
        at: (1000.0 * column as f64 + x, 1000.0 * row as f64 + y),
        kind: dice.below(KINDS.len()),
        proper,
        street: 2 * (street + 10 * if runs_east { row } else { column }) + usize::from(runs_east),
        number: 1 + (along / 10.0) as usize,
        phone: 2_000_000 + dice.next() % 7_000_000,
    }
}

/// What one source tells of a place.
fn write_record(out: &mut impl Write, id: usize, place: &Truth, dice: &mut Dice, knobs: &Knobs) -> std::io::Result<()> {
    let sigma_m = knobs.jitter_m * if dice.chance(knobs.outlier) { 10.0 } else { 1.0 };
    let (x, y) = (place.at.0 + sigma_m * dice.normal(), place.at.1 + sigma_m * dice.normal());
    let lat = CORNER.1 + y / DEGREE_M;
    let lon = CORNER.0 + x / (DEGREE_M * CORNER.1.to_radians().cos());

    let (key, value, noun) = KINDS[place.kind];
    let mut name = if dice.chance(knobs.renamed) { any_word(dice) } else { place.proper.clone() };
    if !dice.chance(knobs.shortened) {
        name = format!("{name} {noun}");
    }
    if dice.chance(knobs.misspelt) {
        name = misspelt(&name, dice);
    }
    if dice.chance(knobs.unnamed) {
        name.clear();
    }
    let tag = |wanted: &str| if key == wanted { value } else { "" };
    write!(out, "{id},{lon:.6},{lat:.6},{name},{},{},{},", tag("amenity"), tag("shop"), tag("tourism"))?;
    if dice.chance(knobs.silent) {
        write!(out, ",,")?;
    } else {
        write!(out, "{} Street,{},", word(2_000_000 + place.street), place.number)?;
    }
    if dice.chance(knobs.silent) { writeln!(out) } else { writeln!(out, "+1 412 {}", place.phone) }
}
