//! Map: places as dots, north up, longitudes shortened as at the middle latitude.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::escape;
use crate::domain::LonLat;

/// Width of the map, in pixels.
const WIDTH: f64 = 720.0;

/// Up to so many places, each has a dot that tells its name; of more, those that would cover each other share one.
pub(in crate::pipeline) const MOST_NAMED: usize = 5_000;

/// Pixels between dots that stand for many places.
const CELL: f64 = 2.0;

/// An SVG of places by position; `names` are theirs in the same order, or there are none.
pub(super) fn svg(places: &[LonLat], names: &[String]) -> String {
    if places.is_empty() {
        return String::new();
    }
    let range = |value: fn(LonLat) -> f64| {
        let values = places.iter().map(|place| value(*place));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((west, east), (south, north)) = (range(LonLat::lon), range(LonLat::lat));
    let shorten = f64::midpoint(south, north).to_radians().cos().max(0.1);
    let scale = WIDTH / ((east - west) * shorten).max(1e-6);
    let height = ((north - south) * scale).clamp(10.0, 2.0 * WIDTH);
    let at = |place: &LonLat| ((place.lon() - west) * shorten * scale, (north - place.lat()) * scale);

    let mut text = format!("<svg viewBox=\"-5 -5 {:.0} {:.0}\">", WIDTH + 10.0, height + 10.0);
    if names.len() == places.len() {
        for (place, name) in places.iter().zip(names) {
            let (x, y) = at(place);
            write!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{}</title></circle>", escape(name))
                .expect("text in memory can be written");
        }
    } else {
        let cell = |place: &LonLat| {
            let (x, y) = at(place);
            ((y / CELL).round() as i64, (x / CELL).round() as i64)
        };
        text.push_str("<path d=\"");
        for (row, column) in places.iter().map(cell).collect::<BTreeSet<_>>() {
            write!(text, "M{} {}h0", column * CELL as i64, row * CELL as i64).expect("text in memory can be written");
        }
        text.push_str("\"/>");
    }
    text + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon: f64, lat: f64) -> LonLat {
        LonLat::new(lon, lat).unwrap()
    }

    #[test]
    fn few_places_are_named_and_many_share_dots() {
        let places = [at(9.0, 47.0), at(9.0, 47.0), at(10.0, 48.0)];
        let named = svg(&places, &["Mill".to_owned(), "A & B".to_owned(), "<x>".to_owned()]);
        assert_eq!(named.matches("<circle").count(), 3);
        assert!(named.contains("<title>A &amp; B</title>") && named.contains("<title>&lt;x&gt;</title>"), "{named}");
        let many = svg(&places, &[]);
        assert_eq!(many.matches("h0").count(), 2, "{many}");
        assert_eq!(svg(&[], &[]), "");
    }
}
