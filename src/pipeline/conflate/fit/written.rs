//! A model as a file that a person reads: one feature a line, columns aligned.

use std::fmt::Write;

use super::Fitted;
use crate::pipeline::conflate::features::Feature;
use crate::pipeline::conflate::model::{Curve, Shape};

const HEAD: &str = "\
# Made by `poimill eval --fit`. Weights are log odds: they add up, and 0 is an even chance.
#
# Each feature has a curve: the weight at some of its values, linear between them, constant beyond; `missing` is the
# weight where one of the two records is silent, 0 if left out. `shape` is the direction that a fit may not leave,
# `fixed` keeps it away.
# Learned curves add nothing in the mean of the pairs they were learned from. What a feature means is told by
# `poimill eval --features`.
";

/// The text of a model file.
#[must_use]
pub fn written(fitted: &Fitted) -> String {
    let model = &fitted.model;
    let mut text = HEAD.to_owned();
    let fitted_on = toml::Value::String(model.fitted_on.clone());
    let numbers = format!(
        "\nfitted_on = {fitted_on}\nmatch_score = {:?}\nreview_score = {:?}\nintercept = {:?}\n\n[features]\n",
        model.match_score, model.review_score, model.intercept
    );
    text.push_str(&numbers);
    let width = model.curves.iter().map(|(feature, _)| feature.name().len()).max().unwrap_or(0);
    let (by_hand, learned): (Vec<_>, Vec<_>) =
        model.curves.iter().partition(|(feature, _)| fitted.by_hand.contains(feature));
    for (feature, curve) in learned {
        line(&mut text, *feature, curve, width);
    }
    if !by_hand.is_empty() {
        text.push_str("# Kept from the template: fixed, or known to no pair of the fit.\n");
    }
    for (feature, curve) in by_hand {
        line(&mut text, *feature, curve, width);
    }
    text
}

fn line(text: &mut String, feature: Feature, curve: &Curve, width: usize) {
    let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    let mut parts = vec![format!("at = [{}]", list(&curve.at)), format!("weights = [{}]", list(&curve.weights))];
    if curve.missing != 0.0 {
        parts.push(format!("missing = {}", curve.missing));
    }
    if let Some(shape) = curve.shape {
        parts.push(format!("shape = \"{}\"", if shape == Shape::Rising { "rising" } else { "falling" }));
    }
    if curve.fixed {
        parts.push("fixed = true".to_owned());
    }
    writeln!(text, "{:width$} = {{ {} }}", feature.name(), parts.join(", ")).expect("a text takes what is written");
}
