//! Street and house number out of a free address line, where the line leaves no doubt.

/// Words whose number is no house number: roads, exits, parts of buildings.
const NUMBERED_BEHIND: &str = "\
    a autobahn autoroute b bay bldg block box building bundesstrasse bundesstraße cr dublin e exit floor fm gate \
    hall halle highway hwy i ih interstate jct junctions # junction km level lot m mile milepost motorway n p \
    parking parkplatz phase pier platform plot postfach r route rt rte s sh sortie sr state ste suite terminal \
    unit us zona zone étage";

/// Words that a number in front of them measures or counts.
const NUMBERED_AHEAD: &str = "km m mi mile miles min minutes x floor spaces";

/// Words that only announce the number.
const NUMBER_SIGNS: &str = "no nr n° №";

/// Street and house number of an address line, e.g. `Landstrasse 7` or `7 High Street`.
///
/// `None` for the number where the line has none that is certain. A list of places (`Mall, East Road, Springfield`) has
/// no street.
#[must_use]
pub fn street_and_number<'a>(line: &'a str, postcode: Option<&str>) -> (Option<&'a str>, Option<&'a str>) {
    let line = line.trim_matches([' ', ',']);
    let is_bare = |number: &str| number.bytes().all(|b| b.is_ascii_digit());
    let (street, number) = match (leading(line), trailing(line)) {
        // Before a street that ends in a number, only bare digits are a house number: `2e Straat 5`, `5200 Route 60`.
        (Some((number, street)), other) if other.is_none() || is_bare(number) => (street, Some(number)),
        (_, Some((street, number))) => (street, Some(number)),
        _ => (line, None),
    };
    let (street, number) = if number.is_some() && number == postcode { (line, None) } else { (street, number) };
    if street.is_empty() || street.contains(',') { (None, None) } else { (Some(street), number) }
}

/// A number at the beginning, and the street after it.
fn leading(line: &str) -> Option<(&str, &str)> {
    let (number, street) = line.split_once([' ', ','])?;
    let street = street.trim_start_matches([' ', ',']);
    let first = street.split(' ').next()?;
    let is_word = first.starts_with(char::is_alphabetic) || is_ordinal(first);
    let is_street = is_named(street) && is_word && !is_one_of(NUMBERED_AHEAD, first);
    // `1e` and `2e` are ordinals in French and Dutch.
    (is_house_number(number, 6) && is_street && !number.ends_with('e')).then_some((number, street))
}

/// A number at the end, and the street before it.
fn trailing(line: &str) -> Option<(&str, &str)> {
    let (mut street, mut number) = line.rsplit_once([' ', ','])?;
    if number.len() == 1 && number.bytes().all(|b| b.is_ascii_alphabetic()) {
        // `12 a`: the letter is a part of the number.
        let (before, digits) = street.rsplit_once([' ', ','])?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        (street, number) = (before, &line[before.len() + 1..]);
    }
    if !is_house_number(number, 4) {
        return None;
    }
    street = street.trim_end_matches([' ', ',']);
    let last = street.rsplit(' ').next()?;
    if is_one_of(NUMBER_SIGNS, last) {
        street = street[..street.len() - last.len()].trim_end_matches([' ', ',']);
    } else if is_one_of(NUMBERED_BEHIND, last) {
        return None;
    }
    is_named(street).then_some((street, number))
}

/// Whether a text can be a street's name: it has at least three letters.
fn is_named(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphabetic()).count() >= 3
}

/// Whether this is an ordinal that names a street, e.g. `5th` or `118e`.
fn is_ordinal(word: &str) -> bool {
    let letters = word.trim_start_matches(|c: char| c.is_ascii_digit());
    letters.len() < word.len() && ["st", "nd", "rd", "th", "e"].contains(&letters.to_lowercase().as_str())
}

/// Whether `words` has `word`, in any case and with or without a full stop.
fn is_one_of(words: &str, word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    words.split(' ').any(|other| other == word)
}

/// Whether this is a house number such as `7`, `12a`, `12 a`, `5-9` or `3/1`, of at most so many digits.
fn is_house_number(text: &str, digits_max: usize) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '–']).collect();
    parts.len() <= 2
        && parts.iter().all(|part| {
            let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let letters = part.len() - digits.len();
            let digits = digits.trim_end();
            (1..=digits_max).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && letters <= 1
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn house_numbers_are_split_only_where_certain() {
        let cases = [
            ("Landstrasse 7", Some("Landstrasse"), Some("7")),
            ("Landstrasse, 7", Some("Landstrasse"), Some("7")),
            ("Landstrasse Nr. 7", Some("Landstrasse"), Some("7")),
            ("Am Alten Tor 12 a", Some("Am Alten Tor"), Some("12 a")),
            ("Hauptstr. 12-14b", Some("Hauptstr."), Some("12-14b")),
            ("Straße des 17. Juni 3/1", Some("Straße des 17. Juni"), Some("3/1")),
            ("7 High Street", Some("High Street"), Some("7")),
            ("33, Rue des Lilas", Some("Rue des Lilas"), Some("33")),
            ("209 E Main Street", Some("E Main Street"), Some("209")),
            ("5200 US Route 60 E", Some("US Route 60 E"), Some("5200")),
            ("5200 Route 60", Some("Route 60"), Some("5200")),
            ("2e Straat 5", Some("2e Straat"), Some("5")),
            ("1e Straat", Some("1e Straat"), None),
            ("650 15th St", Some("15th St"), Some("650")),
            ("12 2 High Street", Some("12 2 High Street"), None),
            ("Long Lane # 12", Some("Long Lane # 12"), None),
            ("Long Lane 12,", Some("Long Lane"), Some("12")),
            ("42nd Street", Some("42nd Street"), None),
            ("Landstrasse", Some("Landstrasse"), None),
            ("US Highway 50", Some("US Highway 50"), None),
            ("M6 Junction 27/28", Some("M6 Junction 27/28"), None),
            ("Car Park Level 2", Some("Car Park Level 2"), None),
            ("2 km north of town", Some("2 km north of town"), None),
            ("Main Street 90210", Some("Main Street 90210"), None),
            ("Main Street 9490", Some("Main Street 9490"), None),
            ("Mall, East Road, Springfield", None, None),
            ("Mall, East Road 5", None, None),
            ("A1", Some("A1"), None),
            ("5", Some("5"), None),
            ("東京 5", Some("東京 5"), None),
            ("", None, None),
        ];
        for (line, street, number) in cases {
            assert_eq!(street_and_number(line, Some("9490")), (street, number), "{line}");
        }
    }
}
