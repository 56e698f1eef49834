//! Sketch: where two records and their runners-up stand, as SVG. North is up; no map is fetched.

use std::fmt::Write;

use super::page::escape;
use crate::domain::{LonLat, haversine};
use crate::pipeline::explain::{PairTold, RecordTold};

const SIZE: f64 = 320.0;
const MARGIN: f64 = 40.0;

/// Positions around a centre, in metres to the east and to the north.
struct Plane {
    lon: f64,
    lat: f64,
    /// Metres of a degree to the east, here.
    east_m: f64,
    /// Metres of a degree to the north, here.
    north_m: f64,
}

impl Plane {
    fn around(record: &RecordTold) -> Self {
        let (lon, lat) = (record.lon, record.lat);
        let metres = |d_lon: f64, d_lat: f64| {
            let ends = LonLat::new(lon, lat).zip(LonLat::new(lon + d_lon, lat + d_lat));
            ends.map(|(a, b)| haversine(a, b).0)
        };
        // One of the two directions is on Earth, wherever it is.
        let per_degree = |east: f64, north: f64| {
            metres(east, north).or_else(|| metres(-east, -north)).unwrap_or(1.0) / (east + north)
        };
        Self { lon, lat, east_m: per_degree(0.001, 0.0), north_m: per_degree(0.0, 0.001) }
    }

    fn metres(&self, lon: f64, lat: f64) -> (f64, f64) {
        // The short way round.
        let d_lon = (lon - self.lon + 540.0).rem_euclid(360.0) - 180.0;
        (d_lon * self.east_m, (lat - self.lat) * self.north_m)
    }
}

/// The sketch of a pair; the runners-up are shown where they are as near.
pub(super) fn of(pair: &PairTold, a: &RecordTold, b: &RecordTold) -> String {
    let plane = Plane::around(a);
    let (ax, ay) = (0.0, 0.0);
    let (bx, by) = plane.metres(b.lon, b.lat);
    let boxes: Vec<[f64; 4]> = [a, b]
        .iter()
        .filter_map(|record| record.extent)
        .map(|[west, south, east, north]| {
            let ((x1, y1), (x2, y2)) = (plane.metres(west, south), plane.metres(east, north));
            [x1, y1, x2, y2]
        })
        .collect();
    let (mid_x, mid_y) = (f64::midpoint(ax, bx), f64::midpoint(ay, by));
    let corners = boxes.iter().flat_map(|[x1, y1, x2, y2]| [(*x1, *y1), (*x2, *y2)]).chain([(bx, by), (ax, ay)]);
    let reach_m = corners.map(|(x, y)| (x - mid_x).abs().max((y - mid_y).abs())).fold(5.0, f64::max) * 1.2;
    let scale = (SIZE / 2.0 - MARGIN) / reach_m;
    let at = |x: f64, y: f64| (SIZE / 2.0 + (x - mid_x) * scale, SIZE / 2.0 - (y - mid_y) * scale);

    let mut svg = format!(
        "<svg class=\"sketch\" viewBox=\"0 0 {SIZE:.0} {SIZE:.0}\" role=\"img\" aria-label=\"positions of {} and {}\">\n",
        escape(&pair.a),
        escape(&pair.b)
    );
    let mut add = |text: std::fmt::Arguments<'_>| svg.write_fmt(text).expect("text in memory can be written");
    for [x1, y1, x2, y2] in boxes {
        let ((left, bottom), (right, top)) = (at(x1, y1), at(x2, y2));
        let (width, height) = ((right - left).abs(), (bottom - top).abs());
        add(format_args!(
            "<rect class=\"extent\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\n"
        ));
    }
    for other in [&pair.rival_of_a, &pair.rival_of_b].into_iter().flatten() {
        let (x, y) = plane.metres(other.lon, other.lat);
        let (x, y) = at(x, y);
        if (0.0..=SIZE).contains(&x) && (0.0..=SIZE).contains(&y) {
            add(format_args!(
                "<circle class=\"other\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>\n",
                escape(&other.record)
            ));
        }
    }
    let ((x1, y1), (x2, y2)) = (at(ax, ay), at(bx, by));
    add(format_args!("<line class=\"between\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n"));
    for (class, (x, y), name) in [("a", (x1, y1), &pair.a), ("b", (x2, y2), &pair.b)] {
        let (anchor, beside) = if x < SIZE / 2.0 { ("start", 9.0) } else { ("end", -9.0) };
        let below = if class == "a" { -8.0 } else { 16.0 };
        add(format_args!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            x + beside,
            y + below,
            escape(name)
        ));
    }
    let bar_m = round_length(reach_m / 2.0);
    let bar = bar_m * scale;
    add(format_args!(
        "<line class=\"bar\" x1=\"10\" y1=\"{0:.1}\" x2=\"{1:.1}\" y2=\"{0:.1}\"/>\
         <text x=\"10\" y=\"{2:.1}\">{bar_m} m; the two are {3:.1} m apart</text>\n",
        SIZE - 10.0,
        10.0 + bar,
        SIZE - 16.0,
        pair.distance_m
    ));
    svg + "</svg>\n"
}

/// 1, 2 or 5 times a power of ten, at most so much.
fn round_length(metres: f64) -> f64 {
    let power = 10f64.powf(metres.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|factor| factor * power).find(|length| *length <= metres).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::round_length;

    #[test]
    fn a_scale_bar_has_a_round_length() {
        let cases = [(0.9, 0.5), (1.0, 1.0), (4.9, 2.0), (5.0, 5.0), (73.0, 50.0), (199.0, 100.0)];
        for (metres, expected) in cases {
            assert!((round_length(metres) - expected).abs() < 1e-9, "{metres}");
        }
    }
}
