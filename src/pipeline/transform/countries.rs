//! Countries: their codes, the names that sources use instead, and where they are.

use std::sync::LazyLock;

use country_boundaries::{BOUNDARIES_ODBL_360X180, BoundingBox, CountryBoundaries, LatLon};
use rustc_hash::FxHashSet;

use crate::domain::{LonLat, fold};

/// A country in which sources of this tool are at home.
struct Country {
    /// ISO 3166-1 alpha-2.
    code: &'static str,
    /// Alpha-3 code, English name and other names, folded.
    names: &'static [&'static str],
}

const fn country(code: &'static str, names: &'static [&'static str]) -> Country {
    Country { code, names }
}

/// Sorted by code. Not every country of the world: the others keep their two letters.
const COUNTRIES: [Country; 62] = [
    country("AD", &["and", "andorra"]),
    country("AE", &["are", "united arab emirates"]),
    country("AL", &["alb", "albania", "shqiperia"]),
    country("AR", &["arg", "argentina"]),
    country("AT", &["aut", "austria", "osterreich"]),
    country("AU", &["aus", "australia"]),
    country("BA", &["bih", "bosnia and herzegovina"]),
    country("BE", &["bel", "belgium", "belgie", "belgique", "belgien"]),
    country("BG", &["bgr", "bulgaria", "българия"]),
    country("BR", &["bra", "brazil", "brasil"]),
    country("BY", &["blr", "belarus"]),
    country("CA", &["can", "canada"]),
    country("CH", &["che", "switzerland", "schweiz", "suisse", "svizzera"]),
    country("CL", &["chl", "chile"]),
    country("CN", &["chn", "china"]),
    country("CO", &["col", "colombia"]),
    country("CR", &["cri", "costa rica"]),
    country("CY", &["cyp", "cyprus"]),
    country("CZ", &["cze", "czechia", "czech republic", "cesko", "ceska republika"]),
    country("DE", &["deu", "germany", "deutschland", "allemagne"]),
    country("DK", &["dnk", "denmark", "danmark"]),
    country("EE", &["est", "estonia", "eesti"]),
    country("ES", &["esp", "spain", "espana"]),
    country("FI", &["fin", "finland", "suomi"]),
    country("FR", &["fra", "france", "frankreich"]),
    country(
        "GB",
        &["gbr", "uk", "united kingdom", "great britain", "england", "scotland", "wales", "northern ireland"],
    ),
    country("GR", &["grc", "greece", "hellas", "ελλαδα"]),
    country("HR", &["hrv", "croatia", "hrvatska"]),
    country("HU", &["hun", "hungary", "magyarorszag"]),
    country("IE", &["irl", "ireland", "eire"]),
    country("IL", &["isr", "israel"]),
    country("IN", &["ind", "india"]),
    country("IS", &["isl", "iceland", "island"]),
    country("IT", &["ita", "italy", "italia", "italien"]),
    country("JP", &["jpn", "japan", "日本"]),
    country("KR", &["kor", "south korea", "republic of korea"]),
    country("LI", &["lie", "liechtenstein", "furstentum liechtenstein"]),
    country("LT", &["ltu", "lithuania", "lietuva"]),
    country("LU", &["lux", "luxembourg", "luxemburg"]),
    country("LV", &["lva", "latvia", "latvija"]),
    country("MA", &["mar", "morocco", "maroc"]),
    country("MC", &["mco", "monaco"]),
    country("ME", &["mne", "montenegro", "crna gora"]),
    country("MK", &["mkd", "north macedonia", "macedonia"]),
    country("MT", &["mlt", "malta"]),
    country("MX", &["mex", "mexico"]),
    country("NL", &["nld", "netherlands", "the netherlands", "nederland", "holland", "niederlande"]),
    country("NO", &["nor", "norway", "norge"]),
    country("NZ", &["nzl", "new zealand"]),
    country("PL", &["pol", "poland", "polska"]),
    country("PT", &["prt", "portugal"]),
    country("RO", &["rou", "romania"]),
    country("RS", &["srb", "serbia", "srbija"]),
    country("SE", &["swe", "sweden", "sverige"]),
    country("SI", &["svn", "slovenia", "slovenija"]),
    country("SK", &["svk", "slovakia", "slovensko"]),
    country("SM", &["smr", "san marino"]),
    country("TH", &["tha", "thailand"]),
    country("TR", &["tur", "turkey", "turkiye"]),
    country("UA", &["ukr", "ukraine", "украіна"]),
    country("US", &["usa", "united states", "united states of america"]),
    country("ZA", &["zaf", "south africa"]),
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

/// Where countries are, with their waters: boundaries of OpenStreetMap, parsed once. © OpenStreetMap
/// contributors, `ODbL`.
static BOUNDARIES: LazyLock<CountryBoundaries> = LazyLock::new(|| {
    CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180).expect("the boundaries in the binary are whole")
});

/// This near to a country, in degrees, a position counts as in it: boundaries are simplified, and people round.
const TOLERANCE_DEGREES: f64 = 0.05;

/// Territories that have a code of their own, and that addresses count to another country.
const TERRITORIES: [(&str, &[&str]); 11] = [
    ("AU", &["CC", "CX", "HM", "NF"]),
    ("CN", &["HK", "MO", "TW"]),
    ("DK", &["FO", "GL"]),
    ("FI", &["AX"]),
    ("FR", &["BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"]),
    ("GB", &["GG", "GI", "IM", "JE"]),
    ("NL", &["AW", "BQ", "CW", "SX"]),
    ("NO", &["SJ"]),
    ("NZ", &["CK", "NU", "TK"]),
    ("RS", &["XK"]),
    ("US", &["AS", "GU", "MP", "PR", "UM", "VI"]),
];

/// Whether `p` lies in no country's land or waters.
pub(super) fn is_nowhere(p: LonLat) -> bool {
    LatLon::new(p.lat(), p.lon()).is_ok_and(|position| BOUNDARIES.ids(position).is_empty())
}

/// Every code that stands for land somewhere.
static CODES: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| {
    // A box that ends where it begins would be empty.
    let halves = [(-180.0, 0.0), (0.0, 179.9)];
    let ids = |(west, east)| {
        let half = BoundingBox::new(-90.0, west, 90.0, east).expect("half of the world is a box");
        BOUNDARIES.intersecting_ids(half)
    };
    halves.into_iter().flat_map(ids).collect()
});

/// Whether this is a country's code, in capitals.
pub(super) fn is_code(code: &str) -> bool {
    CODES.contains(code)
}

/// Whether `p` lies in the country with this code, in its waters, its territories, or a few kilometres off; `None` when there is
/// no such country.
pub(super) fn holds(code: &str, p: LonLat) -> Option<bool> {
    if !is_code(code) {
        return None;
    }
    let territories = TERRITORIES.iter().find(|(country, _)| *country == code).map_or(&[][..], |(_, codes)| codes);
    let is_in = |lon: f64, lat: f64| {
        let lon = if lon.abs() > 180.0 { lon - 360.0_f64.copysign(lon) } else { lon };
        let position = LatLon::new(lat.clamp(-90.0, 90.0), lon);
        position.is_ok_and(|position| {
            let ids = BOUNDARIES.ids(position);
            ids.iter().any(|id| *id == code || territories.contains(id))
        })
    };
    let steps = [0.0, -TOLERANCE_DEGREES, TOLERANCE_DEGREES];
    Some(steps.iter().any(|north| steps.iter().any(|east| is_in(p.lon() + east, p.lat() + north))))
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
    fn a_country_is_where_it_is() {
        let cases = [
            ("LI", 9.52, 47.14, Some(true)), // Vaduz
            ("CH", 9.52, 47.14, Some(true)), // 2 km from Switzerland
            ("AT", 9.52, 47.14, Some(false)),
            ("PT", 9.52, 47.14, Some(false)),
            ("PT", -25.67, 37.74, Some(true)),  // the Azores
            ("FR", 55.45, -20.88, Some(true)),  // Réunion
            ("US", -157.86, 21.31, Some(true)), // Hawaii
            ("US", -66.1, 18.4, Some(true)),    // Puerto Rico
            ("FJ", 179.99, -16.8, Some(true)),
            ("RO", 47.74, 47.74, Some(false)), // in Kazakhstan
            ("DE", 6.5, 40.0, Some(false)),    // at sea
            ("DE", 7.88, 54.18, Some(true)),   // Heligoland
            ("XK", 9.52, 47.14, Some(false)),
            ("ZZ", 9.52, 47.14, None),
        ];
        for (code, lon, lat, expected) in cases {
            assert_eq!(holds(code, LonLat::new(lon, lat).expect("a position")), expected, "{code} {lon} {lat}");
        }
    }
}
