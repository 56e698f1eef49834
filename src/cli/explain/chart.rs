//! Chart: a waterfall of weights, from the intercept to the log odds, as SVG.
//!
//! - **Units**: log odds to the right for one place, to the left for two; widths in pixels.
//! - **Colours**: by class, so that the page's style gives them for light and dark.

use std::fmt::Write;

use super::page::escape;
use super::text::number;
use crate::pipeline::explain::PairTold;

/// Left of the bars: the names of the features and their values.
const LABELS: f64 = 250.0;
/// The bars.
const BARS: f64 = 400.0;
/// Right of the bars: the weights.
const WEIGHTS: f64 = 70.0;
const ROW: f64 = 22.0;

/// One line of the chart: its label, where its bar begins and ends, and what stands at its right.
struct Bar {
    label: String,
    value: String,
    from: f64,
    to: f64,
    weight: String,
    class: &'static str,
}

/// The waterfall of a pair.
pub(super) fn waterfall(pair: &PairTold) -> String {
    let bars = bars(pair);
    let low = bars.iter().map(|bar| bar.from.min(bar.to)).fold(0.0, f64::min);
    let high = bars.iter().map(|bar| bar.from.max(bar.to)).fold(0.0, f64::max);
    let span = (high - low).max(1.0);
    let x = |log_odds: f64| LABELS + (log_odds - low) / span * BARS;
    let (width, height) = (LABELS + BARS + WEIGHTS, ROW * (bars.len() as f64 + 0.5));
    let mut svg = format!(
        "<svg class=\"waterfall\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"weights of {} and {}\">\n",
        escape(&pair.a),
        escape(&pair.b)
    );
    let zero = x(0.0);
    let mut add = |text: String| svg.push_str(&text);
    add(format!("<line class=\"axis\" x1=\"{zero:.1}\" y1=\"0\" x2=\"{zero:.1}\" y2=\"{height:.1}\"/>\n"));
    for (at, bar) in bars.iter().enumerate() {
        let y = ROW * at as f64;
        let (from, to) = (x(bar.from), x(bar.to));
        let (left, width) = (from.min(to), (to - from).abs().max(1.0));
        let middle = y + ROW * 0.68;
        let mut row = String::new();
        writeln!(
            row,
            "<text class=\"label\" x=\"0\" y=\"{middle:.1}\">{}</text>\
             <text class=\"value\" x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>\
             <line class=\"step\" x1=\"{to:.1}\" y1=\"{:.1}\" x2=\"{to:.1}\" y2=\"{:.1}\"/>\
             <text class=\"value\" x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
            escape(&bar.label),
            LABELS - 10.0,
            escape(&bar.value),
            bar.class,
            y + 3.0,
            ROW - 6.0,
            y + 3.0,
            y + ROW + 3.0,
            LABELS + BARS + WEIGHTS,
            escape(&bar.weight)
        )
        .expect("text in memory can be written");
        add(row);
    }
    svg + "</svg>\n"
}

fn bars(pair: &PairTold) -> Vec<Bar> {
    let side = |weight: f64| if weight < 0.0 { "against" } else { "for" };
    let mut at = pair.intercept;
    let mut bars = vec![Bar {
        label: "intercept".to_owned(),
        value: String::new(),
        from: 0.0,
        to: at,
        weight: format!("{at:+.2}"),
        class: "start",
    }];
    for feature in &pair.features {
        let to = at + feature.weight;
        bars.push(Bar {
            label: feature.name.clone(),
            value: feature.value.map_or("missing".to_owned(), number),
            from: at,
            to,
            weight: format!("{:+.2}", feature.weight),
            class: if feature.value.is_none() && feature.weight == 0.0 { "missing" } else { side(feature.weight) },
        });
        at = to;
    }
    bars.push(Bar {
        label: "log odds".to_owned(),
        value: format!("probability {:.2}", pair.probability),
        from: 0.0,
        to: pair.log_odds,
        weight: format!("{:+.2}", pair.log_odds),
        class: "total",
    });
    bars
}
