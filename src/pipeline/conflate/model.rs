//! Model: how much each feature speaks for one place or for two. Shipped as files that a person can read.
//!
//! - **Form**: log odds = intercept + the sum of one weight per feature, a piecewise linear curve of its value; a missing
//!   value has a weight of its own, 0 unless the file says otherwise.
//! - **Out**: a probability in `[0, 1]`, the logistic function of the log odds.
//! - **Source**: a generalised additive model (Hastie and Tibshirani 1986, *Statistical Science* 1:297) in the form of
//!   Fellegi and Sunter 1969, *JASA* 64:1183: weights are log odds and add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::corpus::Corpus;
use super::features::{Feature, Features};

/// A piece of evidence: the feature's name, its value, and what that adds to the log odds.
pub type Piece = (&'static str, f64, f64);

/// A model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    /// What fitted it, in a sentence.
    fitted_on: String,
    match_score: f64,
    review_score: f64,
    intercept: f64,
    features: BTreeMap<String, Curve>,
}

/// The weight of a feature by its value: linear between knots, constant beyond them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// Values of the feature, rising.
    pub at: Vec<f64>,
    /// The weight at each, in log odds.
    pub weights: Vec<f64>,
    /// The weight of a missing value.
    #[serde(default)]
    pub missing: f64,
    /// The direction that a fit may not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Whether a fit leaves the weights as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// The direction of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A larger value never speaks less for one place.
    Rising,
    /// A larger value never speaks more for one place.
    Falling,
}

impl Curve {
    /// The weight of a value.
    #[must_use]
    pub fn weight(&self, value: Option<f32>) -> f64 {
        let Some(value) = value.map(f64::from) else { return self.missing };
        let after = self.at.partition_point(|knot| *knot <= value);
        match after {
            0 => self.weights[0],
            after if after == self.at.len() => self.weights[after - 1],
            after => {
                let (x, y) = (&self.at[after - 1..=after], &self.weights[after - 1..=after]);
                y[0] + (y[1] - y[0]) * (value - x[0]) / (x[1] - x[0])
            }
        }
    }
}

/// How much each feature counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ModelFile", into = "ModelFile")]
pub struct Model {
    /// What fitted it, in a sentence.
    pub fitted_on: String,
    /// Pairs scoring this or more are merged, in `[0, 1]`.
    pub match_score: f64,
    /// Pairs scoring this or more, but less than `match_score`, are shown to a person.
    pub review_score: f64,
    /// Log odds of a pair of which nothing is known.
    pub intercept: f64,
    /// The curve of each feature that counts, in the order of [`Feature::ALL`].
    pub curves: Vec<(Feature, Curve)>,
}

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum ModelError {
    #[error("the model is not TOML of the right form")]
    Syntax(#[from] toml::de::Error),
    #[error("the model weighs `{name}`, which is no feature; features are {}", names())]
    UnknownFeature { name: String },
    #[error(
        "the curve of `{name}` needs as many weights as values, at least one, the values rising, all of them finite numbers"
    )]
    Curve { name: String },
    #[error("the intercept is no finite number")]
    Intercept,
    #[error("0 < review_score <= match_score <= 1 does not hold: {review_score}, {match_score}")]
    Scores { review_score: f64, match_score: f64 },
}

fn names() -> String {
    Feature::ALL.iter().map(|feature| feature.name()).collect::<Vec<_>>().join(", ")
}

impl TryFrom<ModelFile> for Model {
    type Error = ModelError;

    fn try_from(file: ModelFile) -> Result<Self, ModelError> {
        let ModelFile { fitted_on, match_score, review_score, intercept, features } = file;
        if !(0.0 < review_score && review_score <= match_score && match_score <= 1.0) {
            return Err(ModelError::Scores { review_score, match_score });
        }
        if !intercept.is_finite() {
            return Err(ModelError::Intercept);
        }
        let mut curves = Vec::new();
        for (name, curve) in features {
            let Some(feature) = Feature::of_name(&name) else { return Err(ModelError::UnknownFeature { name }) };
            let rises = curve.at.is_sorted_by(|a, b| a < b);
            let finite = curve.at.iter().chain(&curve.weights).chain([&curve.missing]).all(|number| number.is_finite());
            if curve.at.is_empty() || curve.at.len() != curve.weights.len() || !rises || !finite {
                return Err(ModelError::Curve { name });
            }
            curves.push((feature, curve));
        }
        curves.sort_by_key(|(feature, _)| *feature);
        Ok(Self { fitted_on, match_score, review_score, intercept, curves })
    }
}

impl From<Model> for ModelFile {
    fn from(model: Model) -> Self {
        let Model { fitted_on, match_score, review_score, intercept, curves } = model;
        let features = curves.into_iter().map(|(feature, curve)| (feature.name().to_owned(), curve)).collect();
        Self { fitted_on, match_score, review_score, intercept, features }
    }
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// When it is not TOML of the right form, weighs an unknown feature, or a curve or the scores make no sense.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        toml::from_str::<ModelFile>(text)?.try_into()
    }

    /// The log odds that a pair is one place.
    #[must_use]
    pub fn log_odds(&self, seen: &Features) -> f64 {
        self.curves.iter().fold(self.intercept, |sum, (feature, curve)| sum + curve.weight(seen.get(*feature)))
    }

    /// What one feature adds to the log odds.
    #[must_use]
    pub fn weight(&self, feature: Feature, value: Option<f32>) -> f64 {
        let found = self.curves.iter().find(|(known, _)| *known == feature);
        found.map_or(0.0, |(_, curve)| curve.weight(value))
    }

    /// What each feature adds to the log odds; missing ones only where that adds something.
    #[must_use]
    pub fn pieces(&self, seen: &Features) -> Vec<Piece> {
        let pieces = self.curves.iter().filter_map(|(feature, curve)| {
            let (value, weight) = (seen.get(*feature), curve.weight(seen.get(*feature)));
            let shown = value.map_or(f64::NAN, |value| (f64::from(value) * 1000.0).round() / 1000.0);
            (value.is_some() || weight != 0.0).then_some((feature.name(), shown, weight))
        });
        std::iter::once(("intercept", f64::NAN, self.intercept)).filter(|piece| piece.2 != 0.0).chain(pieces).collect()
    }
}

/// The logistic function: the probability of log odds.
#[must_use]
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The log odds of a probability; of certainties, what 64 bits can tell from them.
pub(super) fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(1e-15, 1.0 - 1e-15);
    (probability / (1.0 - probability)).ln()
}

/// The models of a run: charging stations are compared by other features than shops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Models {
    /// For two charging stations.
    pub charging: Model,
    /// For everything else.
    pub places: Model,
}

impl Models {
    /// The charging model as shipped.
    pub const CHARGING: &str = include_str!("../../../pipelines/models/charging.toml");
    /// The model for all other places as shipped.
    pub const PLACES: &str = include_str!("../../../pipelines/models/places.toml");

    /// Reads both.
    ///
    /// # Errors
    ///
    /// As [`Model::parse`].
    pub fn parse(charging: &str, places: &str) -> Result<Self, ModelError> {
        Ok(Self { charging: Model::parse(charging)?, places: Model::parse(places)? })
    }

    /// One model for every kind of place.
    #[must_use]
    pub fn both(model: &Model) -> Self {
        Self { charging: model.clone(), places: model.clone() }
    }

    /// The one that compares these two.
    pub(super) fn of_pair(&self, (a, b): (usize, usize), corpus: &Corpus) -> &Model {
        let charging = corpus.records[a].charging && corpus.records[b].charging;
        if charging { &self.charging } else { &self.places }
    }

    /// The shipped ones.
    ///
    /// # Panics
    ///
    /// Never: a test reads them.
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(Self::CHARGING, Self::PLACES).expect("the shipped models are read by a test")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_models_are_read_and_told_whole() {
        let shipped = Models::shipped();
        let told = serde_json::to_value(&shipped).unwrap();
        assert_eq!(serde_json::from_value::<Models>(told).unwrap(), shipped);
    }

    #[test]
    fn a_curve_is_linear_between_its_knots_and_constant_beyond() {
        let curve = Curve {
            at: vec![0.0, 10.0, 20.0],
            weights: vec![4.0, 2.0, -6.0],
            missing: -0.5,
            shape: None,
            fixed: false,
        };
        let cases = [
            (Some(-1.0), 4.0),
            (Some(0.0), 4.0),
            (Some(5.0), 3.0),
            (Some(15.0), -2.0),
            (Some(99.0), -6.0),
            (None, -0.5),
        ];
        for (value, weight) in cases {
            assert_eq!(curve.weight(value), weight, "{value:?}");
        }
    }

    #[test]
    fn a_wrong_model_says_what_is_wrong() {
        let head = "fitted_on = 'x'\nmatch_score = 0.8\nreview_score = 0.5\nintercept = 0.0\n[features]\n";
        let cases = [
            ("nmae = { at = [0, 1], weights = [0, 1] }", "the model weighs `nmae`, which is no feature"),
            ("brand = { at = [1, 0], weights = [0, 1] }", "the curve of `brand` needs"),
            ("brand = { at = [0, 1], weights = [0] }", "the curve of `brand` needs"),
            ("brand = { at = [], weights = [] }", "the curve of `brand` needs"),
            ("brand = { at = [0], weights = [nan] }", "the curve of `brand` needs"),
            ("brand = 3", "the model is not TOML of the right form"),
        ];
        for (line, message) in cases {
            let error = Model::parse(&format!("{head}{line}")).unwrap_err().to_string();
            assert!(error.starts_with(message), "{line}: {error}");
        }
    }
}
