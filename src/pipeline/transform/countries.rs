//! Countries: their codes, the names that sources use instead, and roughly where they are.

use crate::domain::{BBox, LonLat, fold};

/// A country in which sources of this tool are at home.
struct Country {
    /// ISO 3166-1 alpha-2.
    code: &'static str,
    /// Its main territory: west, south, east, north, in whole degrees, rounded outward.
    bounds: [i16; 4],
    /// Alpha-3 code, English name and other names, folded.
    names: &'static [&'static str],
}

const fn country(code: &'static str, bounds: [i16; 4], names: &'static [&'static str]) -> Country {
    Country { code, bounds, names }
}

/// Sorted by code. Not every country of the world: the others keep their two letters and have no known bounds.
const COUNTRIES: [Country; 62] = [
    country("AD", [1, 42, 2, 43], &["and", "andorra"]),
    country("AE", [51, 22, 57, 27], &["are", "united arab emirates"]),
    country("AL", [19, 39, 22, 43], &["alb", "albania", "shqiperia"]),
    country("AR", [-74, -56, -53, -21], &["arg", "argentina"]),
    country("AT", [9, 46, 18, 50], &["aut", "austria", "osterreich"]),
    country("AU", [112, -44, 154, -9], &["aus", "australia"]),
    country("BA", [15, 42, 20, 46], &["bih", "bosnia and herzegovina"]),
    country("BE", [2, 49, 7, 52], &["bel", "belgium", "belgie", "belgique", "belgien"]),
    country("BG", [22, 41, 29, 45], &["bgr", "bulgaria", "българия"]),
    country("BR", [-75, -34, -28, 6], &["bra", "brazil", "brasil"]),
    country("BY", [23, 51, 33, 57], &["blr", "belarus"]),
    country("CA", [-142, 41, -52, 84], &["can", "canada"]),
    country("CH", [5, 45, 11, 48], &["che", "switzerland", "schweiz", "suisse", "svizzera"]),
    country("CL", [-76, -57, -66, -17], &["chl", "chile"]),
    country("CN", [73, 18, 135, 54], &["chn", "china"]),
    country("CO", [-80, -5, -66, 14], &["col", "colombia"]),
    country("CR", [-86, 8, -82, 12], &["cri", "costa rica"]),
    country("CY", [32, 34, 35, 36], &["cyp", "cyprus"]),
    country("CZ", [12, 48, 19, 52], &["cze", "czechia", "czech republic", "cesko", "ceska republika"]),
    country("DE", [5, 47, 16, 56], &["deu", "germany", "deutschland", "allemagne"]),
    country("DK", [7, 54, 16, 58], &["dnk", "denmark", "danmark"]),
    country("EE", [21, 57, 29, 60], &["est", "estonia", "eesti"]),
    country("ES", [-19, 27, 5, 44], &["esp", "spain", "espana"]),
    country("FI", [19, 59, 32, 71], &["fin", "finland", "suomi"]),
    country("FR", [-6, 41, 10, 52], &["fra", "france", "frankreich"]),
    country(
        "GB",
        [-9, 49, 2, 61],
        &["gbr", "uk", "united kingdom", "great britain", "england", "scotland", "wales", "northern ireland"],
    ),
    country("GR", [19, 34, 30, 42], &["grc", "greece", "hellas", "ελλαδα"]),
    country("HR", [13, 42, 20, 47], &["hrv", "croatia", "hrvatska"]),
    country("HU", [16, 45, 23, 49], &["hun", "hungary", "magyarorszag"]),
    country("IE", [-11, 51, -5, 56], &["irl", "ireland", "eire"]),
    country("IL", [34, 29, 36, 34], &["isr", "israel"]),
    country("IN", [68, 6, 98, 36], &["ind", "india"]),
    country("IS", [-25, 63, -13, 67], &["isl", "iceland", "island"]),
    country("IT", [6, 35, 19, 48], &["ita", "italy", "italia", "italien"]),
    country("JP", [122, 24, 146, 46], &["jpn", "japan", "日本"]),
    country("KR", [124, 33, 132, 39], &["kor", "south korea", "republic of korea"]),
    country("LI", [9, 47, 10, 48], &["lie", "liechtenstein", "furstentum liechtenstein"]),
    country("LT", [20, 53, 27, 57], &["ltu", "lithuania", "lietuva"]),
    country("LU", [5, 49, 7, 51], &["lux", "luxembourg", "luxemburg"]),
    country("LV", [20, 55, 29, 59], &["lva", "latvia", "latvija"]),
    country("MA", [-18, 20, 0, 36], &["mar", "morocco", "maroc"]),
    country("MC", [7, 43, 8, 44], &["mco", "monaco"]),
    country("ME", [18, 41, 21, 44], &["mne", "montenegro", "crna gora"]),
    country("MK", [20, 40, 24, 43], &["mkd", "north macedonia", "macedonia"]),
    country("MT", [14, 35, 15, 37], &["mlt", "malta"]),
    country("MX", [-119, 14, -86, 33], &["mex", "mexico"]),
    country("NL", [3, 50, 8, 54], &["nld", "netherlands", "the netherlands", "nederland", "holland", "niederlande"]),
    country("NO", [4, 57, 32, 72], &["nor", "norway", "norge"]),
    country("NZ", [166, -48, 179, -34], &["nzl", "new zealand"]),
    country("PL", [14, 49, 25, 55], &["pol", "poland", "polska"]),
    country("PT", [-32, 30, -6, 43], &["prt", "portugal"]),
    country("RO", [20, 43, 30, 49], &["rou", "romania"]),
    country("RS", [18, 41, 24, 47], &["srb", "serbia", "srbija"]),
    country("SE", [10, 55, 25, 70], &["swe", "sweden", "sverige"]),
    country("SI", [13, 45, 17, 47], &["svn", "slovenia", "slovenija"]),
    country("SK", [16, 47, 23, 50], &["svk", "slovakia", "slovensko"]),
    country("SM", [12, 43, 13, 44], &["smr", "san marino"]),
    country("TH", [97, 5, 106, 21], &["tha", "thailand"]),
    country("TR", [25, 35, 45, 43], &["tur", "turkey", "turkiye"]),
    country("UA", [22, 44, 41, 53], &["ukr", "ukraine", "украіна"]),
    country("US", [-180, 18, -65, 72], &["usa", "united states", "united states of america"]),
    country("ZA", [16, -35, 33, -22], &["zaf", "south africa"]),
];

/// The ISO 3166-1 alpha-2 code that a text means: the code itself in any case, or a name.
pub(super) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let folded = fold(text);
    if let Some(country) = COUNTRIES.iter().find(|country| country.names.contains(&folded.as_str())) {
        return Some(country.code.to_owned());
    }
    let is_code = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase())
}

/// Whether `p` lies in the bounds of the country with this code; `None` when they are not known.
pub(super) fn holds(code: &str, p: LonLat) -> Option<bool> {
    let at = COUNTRIES.binary_search_by(|country| country.code.cmp(code)).ok()?;
    let [xmin, ymin, xmax, ymax] = COUNTRIES[at].bounds.map(f64::from);
    Some(BBox { xmin, ymin, xmax, ymax }.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_a_code() {
        let cases = [
            ("LI", Some("LI")),
            (" de ", Some("DE")),
            ("UK", Some("GB")),
            ("Österreich", Some("AT")),
            ("USA", Some("US")),
            ("The Netherlands", Some("NL")),
            ("Türkiye", Some("TR")),
            ("XK", Some("XK")),
            ("Utopia", None),
            ("D1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_its_names_are_folded_and_unique() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.code < b.code));
        let mut names: Vec<&str> = COUNTRIES.iter().flat_map(|country| country.names).copied().collect();
        for name in &names {
            assert_eq!(fold(name), *name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn bounds_hold_the_country() {
        let vaduz = LonLat::new(9.52, 47.14).expect("a position");
        assert_eq!(holds("LI", vaduz), Some(true));
        assert_eq!(holds("PT", vaduz), Some(false));
        assert_eq!(holds("XK", vaduz), None);
    }
}
