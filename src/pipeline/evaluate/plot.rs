//! A precision–recall plot as one SVG file that needs nothing else and reads on light and dark paper.

use std::fmt::Write;

use super::{Curve, Operating};

/// One curve of the plot.
#[derive(Debug, Clone, Copy)]
pub struct Plotted<'a> {
    /// What is said in the legend.
    pub name: &'a str,
    /// Every threshold.
    pub curve: &'a Curve,
    /// The threshold in use, marked.
    pub at: Operating,
}

/// Width of the plot without margins, in pixels.
const WIDTH: f64 = 560.0;
/// Height of the plot without margins, in pixels.
const HEIGHT: f64 = 420.0;
/// Room for the axis and its label, in pixels.
const LEFT: f64 = 64.0;
/// Room for the title, in pixels.
const TOP: f64 = 40.0;
/// Room for the axis and its label, in pixels.
const BOTTOM: f64 = 56.0;
/// One line of the legend, in pixels.
const LINE: f64 = 20.0;
/// Width of the legend, in pixels.
const LEGEND: f64 = 250.0;

/// Colours that are told apart by most eyes, and on light and dark (Okabe and Ito 2008, *Color Universal Design*, without
/// black and yellow).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];

/// Dashes tell curves apart where colours repeat.
const DASHES: [&str; 3] = ["none", "7 4", "2 3"];

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}.s{font-size:12px}.b{font-weight:600;font-size:15px}\
.g{stroke:#8c959f;stroke-opacity:.35}.f{stroke:#8c959f;fill:none}.p{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.p{fill:#161b22}}";

/// Draws the curves of several sets, the threshold of each marked.
///
/// Axes begin at 0, or at a tenth well below every marked point and every curve's best part, so that what matters is seen.
#[must_use]
pub fn precision_recall_svg(title: &str, curves: &[Plotted<'_>]) -> String {
    let low = axis_start(curves);
    let x = |recall: f64| LEFT + (recall - low) / (1.0 - low) * WIDTH;
    let y = |precision: f64| TOP + (1.0 - precision) / (1.0 - low) * HEIGHT;
    let (width, height) =
        (LEFT + WIDTH + LEGEND, (TOP + HEIGHT + BOTTOM).max(TOP + LINE * (curves.len() as f64 + 3.0)));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <clipPath id=\"c\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/></clipPath>\n\
         <rect class=\"p\" width=\"{width}\" height=\"{height}\"/>\n<text class=\"b\" x=\"{LEFT}\" y=\"24\">{title}</text>\n",
        title = escaped(title)
    );
    let mut line = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    for tick in ticks(low) {
        let (at_x, at_y, bottom, right) = (x(tick), y(tick), TOP + HEIGHT, LEFT + WIDTH);
        line(format!("<path class=\"g\" d=\"M{at_x:.1} {TOP}V{bottom}M{LEFT} {at_y:.1}H{right}\"/>"));
        line(format!(
            "<text class=\"s\" x=\"{at_x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
            bottom + 18.0
        ));
        line(format!(
            "<text class=\"s\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
            LEFT - 8.0,
            at_y + 4.0
        ));
    }
    line(format!("<rect class=\"f\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>"));
    let (middle_x, middle_y) = (LEFT + WIDTH / 2.0, TOP + HEIGHT / 2.0);
    let label_y = TOP + HEIGHT + 42.0;
    line(format!(
        "<text x=\"{middle_x}\" y=\"{label_y}\" text-anchor=\"middle\">recall: found, of the pairs that are one place</text>"
    ));
    line(format!(
        "<text transform=\"translate(18 {middle_y}) rotate(-90)\" text-anchor=\"middle\">precision: right, of the pairs merged</text>"
    ));
    for (at, plotted) in curves.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let dash = DASHES[at / COLOURS.len() % DASHES.len()];
        let path = path(plotted.curve, x, y);
        line(format!(
            "<path clip-path=\"url(#c)\" d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>"
        ));
        let legend_x = LEFT + WIDTH + 16.0;
        let legend_y = TOP + LINE * (at as f64 + 1.0);
        line(format!(
            "<path d=\"M{legend_x} {:.1}h22\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>",
            legend_y - 4.0
        ));
        line(format!(
            "<text class=\"s\" x=\"{:.1}\" y=\"{legend_y}\">{}</text>",
            legend_x + 30.0,
            escaped(plotted.name)
        ));
        if let (Some(precision), Some(recall)) = (plotted.at.counts.precision(), plotted.at.counts.recall()) {
            let told = format!(
                "{}: precision {precision:.3}, recall {recall:.3} at {:.2}",
                escaped(plotted.name),
                plotted.at.threshold
            );
            line(format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\" class=\"m\"><title>{told}</title></circle>",
                x(recall),
                y(precision)
            ));
        }
    }
    let note_y = TOP + LINE * (curves.len() as f64 + 2.0);
    let note_x = LEFT + WIDTH + 16.0;
    line(format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"#8c959f\"/>", note_x + 11.0, note_y - 4.0));
    line(format!("<text class=\"s\" x=\"{:.1}\" y=\"{note_y}\">at the model's match_score</text>", note_x + 30.0));
    svg.push_str("</svg>\n");
    svg
}

/// The tenth at which both axes begin: two tenths below the lowest marked value, at least 0 and at most 0.8.
fn axis_start(curves: &[Plotted<'_>]) -> f64 {
    let marked =
        curves.iter().flat_map(|plotted| [plotted.at.counts.precision(), plotted.at.counts.recall()]).flatten();
    let lowest = marked.fold(1.0, f64::min);
    ((lowest * 10.0).floor() - 2.0).clamp(0.0, 8.0) / 10.0
}

/// Tenths, or half tenths where the axis is short.
fn ticks(low: f64) -> impl Iterator<Item = f64> {
    let step = if low > 0.5 { 5 } else { 10 };
    ((low * 100.0).round() as u32..=100).step_by(step).map(|tick| f64::from(tick) / 100.0)
}

/// The curve as a path, without points that no eye tells apart.
fn path(curve: &Curve, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut last: Option<(f64, f64)> = None;
    for (at, point) in curve.points.iter().enumerate() {
        let (Some(precision), Some(recall)) = (point.counts.precision(), point.counts.recall()) else { continue };
        let (px, py) = (x(recall), y(precision));
        let seen = last.is_none_or(|(lx, ly)| (px - lx).abs().max((py - ly).abs()) >= 1.0);
        if seen || at + 1 == curve.points.len() {
            let verb = if last.is_none() { 'M' } else { 'L' };
            write!(path, "{verb}{px:.1} {py:.1}").expect("a text takes what is written");
            last = Some((px, py));
        }
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::{Counts, Judged};
    use super::*;

    #[test]
    fn a_plot_is_whole_and_marks_the_threshold() {
        let judged: Vec<Judged> =
            (0..1000).map(|at| Judged { score: f64::from(at) / 1000.0, is_match: at % 10 < at / 100 }).collect();
        let curve = Curve::of(&judged);
        let at = Operating { threshold: 0.7, counts: Counts::at(&judged, 0.7) };
        let sets =
            [Plotted { name: "a < b", curve: &curve, at }, Plotted { name: "empty", curve: &Curve::of(&[]), at }];
        let svg = precision_recall_svg("Pairs & places", &sets);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        let reader = &mut quick_xml::Reader::from_str(&svg);
        let mut circles = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(tag) if tag.name().as_ref() == "circle" => circles += 1,
                _ => {}
            }
        }
        assert_eq!(circles, 2, "each set has its mark");
        let (precision, recall) = (at.counts.precision().unwrap(), at.counts.recall().unwrap());
        assert!(svg.contains(&format!("precision {precision:.3}, recall {recall:.3} at 0.70")), "{svg}");
        assert!(!svg.contains("http://") || svg.matches("http").count() == 1, "nothing is fetched");
        for told in ["Pairs &amp; places", "a &lt; b", ">recall: ", ">precision: ", "prefers-color-scheme"] {
            assert!(svg.contains(told), "{told}");
        }
    }
}
