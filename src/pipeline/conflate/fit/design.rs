//! Design: the pairs as numbers that a fit solves for, and the solution as curves.
//!
//! One coefficient is the intercept; each two neighbouring knots have one, the rise of the weight between them; a feature
//! that is known of some pairs and missing of others has one for missing. The level of a curve is the intercept's.

use super::Example;
use super::newton::Problem;
use crate::pipeline::conflate::features::Feature;
use crate::pipeline::conflate::model::{Curve, Model, Shape};

/// Decimals of a weight: a hundredth of log odds moves no probability by more than 0.0025.
const STEPS_PER_LOG_ODD: f64 = 100.0;

/// Of all pairs, the share that has to be silent on a feature before the weight of that is learned.
const SILENT: f64 = 0.01;

/// Where a feature's coefficients are.
struct Block<'m> {
    feature: Feature,
    curve: &'m Curve,
    /// The first rise.
    first: usize,
    /// The weight of a missing value, where it is learned.
    missing: Option<usize>,
    /// Whether any pair knows the feature and it is not fixed; else its curve stays as it is.
    learned: bool,
}

/// The pairs as numbers.
pub(super) struct Design<'m> {
    blocks: Vec<Block<'m>>,
    pub(super) problem: Problem,
}

impl<'m> Design<'m> {
    /// Lays out the coefficients of `template` and fills in the pairs.
    pub(super) fn of(template: &'m Model, examples: &[&Example]) -> Self {
        let mut blocks = Vec::new();
        // The intercept is the first.
        let mut signs = vec![None];
        for (feature, curve) in &template.curves {
            let known = examples.iter().filter(|example| example.seen.get(*feature).is_some()).count();
            let first = signs.len();
            let mut missing = None;
            let learned = known > 0 && !curve.fixed;
            if learned {
                let sign = curve.shape.map(|shape| if shape == Shape::Rising { 1.0 } else { -1.0 });
                signs.extend(std::iter::repeat_n(sign, curve.at.len() - 1));
                let silent = (examples.len() - known) as f64 / examples.len() as f64;
                if silent >= SILENT {
                    missing = Some(signs.len());
                    signs.push(None);
                }
            }
            blocks.push(Block { feature: *feature, curve, first, missing, learned });
        }
        let width = signs.len();
        let mut problem = Problem {
            rows: vec![0.0; width * examples.len()],
            offsets: Vec::with_capacity(examples.len()),
            weights: examples.iter().map(|example| example.weight).collect(),
            labels: examples.iter().map(|example| f64::from(u8::from(example.is_match))).collect(),
            signs,
        };
        for (example, row) in examples.iter().zip(problem.rows.chunks_exact_mut(width)) {
            row[0] = 1.0;
            let mut offset = 0.0;
            for block in &blocks {
                let value = example.seen.get(block.feature);
                match (value, block.missing) {
                    _ if !block.learned => offset += block.curve.weight(value),
                    (Some(value), _) => block.fill(f64::from(value), row),
                    (None, Some(at)) => row[at] = 1.0,
                    (None, None) => offset += block.curve.missing,
                }
            }
            problem.offsets.push(offset);
        }
        Self { blocks, problem }
    }

    /// The features whose curves are not learned.
    pub(super) fn by_hand(&self) -> Vec<Feature> {
        self.blocks.iter().filter(|block| !block.learned).map(|block| block.feature).collect()
    }

    /// The template with what was learned, rounded.
    ///
    /// Each learned curve is shifted to add nothing in the mean of the pairs, and the intercept takes the shift: so a
    /// weight says what a value adds to that of an average pair. Where hardly a pair is silent, the template says what
    /// that weighs.
    pub(super) fn model(&self, template: &Model, coefficients: &[f64], examples: &[&Example]) -> Model {
        let rounded = |weight: f64| (weight * STEPS_PER_LOG_ODD).round() / STEPS_PER_LOG_ODD + 0.0;
        let mut intercept = coefficients[0];
        let mut curves = Vec::new();
        for block in &self.blocks {
            let mut curve = block.curve.clone();
            if block.learned {
                let mut weight = 0.0;
                curve.weights[0] = 0.0;
                for (at, slot) in curve.weights[1..].iter_mut().enumerate() {
                    weight += coefficients[block.first + at];
                    *slot = weight;
                }
                curve.missing = block.missing.map_or(curve.missing, |at| coefficients[at]);
                let total: f64 = examples.iter().map(|example| example.weight).sum();
                let added = |example: &&Example| example.weight * curve.weight(example.seen.get(block.feature));
                let mean = examples.iter().map(added).sum::<f64>() / total;
                intercept += mean;
                curve.weights.iter_mut().for_each(|weight| *weight = rounded(*weight - mean));
                if block.missing.is_some() {
                    curve.missing = rounded(curve.missing - mean);
                }
            }
            curves.push((block.feature, curve));
        }
        Model { intercept: rounded(intercept), curves, ..template.clone() }
    }
}

impl Block<'_> {
    /// How far a value has climbed each of the rises, in `[0, 1]`.
    fn fill(&self, value: f64, row: &mut [f64]) {
        for (at, knots) in self.curve.at.windows(2).enumerate() {
            row[self.first + at] = ((value - knots[0]) / (knots[1] - knots[0])).clamp(0.0, 1.0);
        }
    }
}
