//! A fit finds the weights that made the labels, whatever the number of threads.

use super::*;
use crate::pipeline::conflate::{Curve, Evidence, Shape, features, probability};

/// A stream of numbers in `[0, 1)` that is the same on every machine (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn record(dataset: usize, lat: f64, phone: Option<&str>) -> Evidence {
    let phone = phone.map(str::to_owned);
    Evidence { dataset, lon: 9.5, lat, phone, names: vec!["kommod".into()], ..Evidence::default() }
}

fn curve(at: &[f64], weights: &[f64], missing: f64, shape: Option<Shape>) -> Curve {
    Curve { at: at.to_vec(), weights: weights.to_vec(), missing, shape, fixed: false }
}

fn model(intercept: f64, curves: Vec<(Feature, Curve)>) -> Model {
    Model { fitted_on: String::new(), match_score: 0.8, review_score: 0.5, intercept, curves }
}

/// Pairs with their labels.
type Pairs = Vec<((usize, usize), bool)>;

/// Pairs up to 200 m apart, some with phones, labelled by chance as `truth` says.
fn labelled(truth: &Model, pairs: usize, seed: u64) -> (Corpus, Pairs) {
    let mut dice = Dice(seed);
    let mut evidence = Vec::new();
    for at in 0..pairs {
        // Pairs are 0.01° apart, so that none is near another.
        let lat = -40.0 + 0.01 * at as f64;
        let (phone_a, phone_b) = match (dice.roll() * 3.0) as usize {
            0 => (Some("1"), Some("1")),
            1 => (Some("1"), Some("2")),
            _ => (Some("1"), None),
        };
        evidence.push(record(0, lat, phone_a));
        evidence.push(record(1, lat + dice.roll() * 200.0 / 111_195.0, phone_b));
    }
    let corpus = Corpus::of(evidence);
    let labels = (0..pairs)
        .map(|at| {
            let pair = (2 * at, 2 * at + 1);
            let seen = features::of(&corpus.records[pair.0], &corpus.records[pair.1], &corpus);
            (pair, dice.roll() < probability(truth.log_odds(&seen)))
        })
        .collect();
    (corpus, labels)
}

/// Nothing but the labelled pairs is compared.
fn set_of<'a>(corpus: &'a Corpus, pairs: &'a [((usize, usize), bool)]) -> FitSet<'a> {
    FitSet { corpus, compared: &[], pairs }
}

fn truth() -> Model {
    let distance = curve(&[0.0, 100.0, 200.0], &[3.0, 1.0, -3.0], 0.0, Some(Shape::Falling));
    let phone = curve(&[0.0, 1.0], &[-2.0, 1.5], -0.5, None);
    model(-0.5, vec![(Feature::DistanceM, distance), (Feature::Phone, phone)])
}

/// A model with the knots of the truth and weights of nothing.
fn template() -> Model {
    let mut model = truth();
    for (_, curve) in &mut model.curves {
        curve.weights.fill(0.0);
        curve.missing = 0.0;
    }
    model.curves.push((Feature::Website, curve(&[0.0, 1.0], &[-0.5, 1.5], 0.0, None)));
    model
}

#[test]
fn a_fit_recovers_the_weights_that_made_the_labels() {
    let (corpus, pairs) = labelled(&truth(), 6_000, 7);
    let set = set_of(&corpus, &pairs);
    let fitted = fit(&template(), &[set], "dice".into()).unwrap();
    assert_eq!((fitted.model.fitted_on.as_str(), fitted.pairs), ("dice", 6_000));
    for (metres, phone) in [(0.0, 0.0), (50.0, 1.0), (100.0, 1.0), (150.0, 0.5), (200.0, 0.0)] {
        // Levels are the intercept's: what counts is the sum.
        let odds = |model: &Model| {
            let weights = [model.curves[0].1.weight(Some(metres)), model.curves[1].1.weight(Some(phone))];
            model.intercept + weights.iter().sum::<f64>()
        };
        let (found, made) = (odds(&fitted.model), odds(&truth()));
        assert!((found - made).abs() < 0.3, "{metres} m, {phone}: {found} for {made}");
    }
    assert_eq!(fitted.by_hand, [Feature::Website], "no pair has a website");
    assert_eq!(fitted.model.curves[2].1, template().curves[2].1, "so its curve is kept");
    assert_eq!(written(&fitted), written(&fit(&template(), &[set], "dice".into()).unwrap()));
    let read = Model::parse(&written(&fitted)).unwrap();
    let mut sorted = fitted.model.clone();
    sorted.curves.sort_by_key(|(feature, _)| *feature);
    assert_eq!(read, sorted, "the file is the model");
}

#[test]
fn a_fit_is_bit_equal_at_any_number_of_threads() {
    let (corpus, pairs) = labelled(&truth(), 5_000, 11);
    let at = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| written(&fit(&template(), &[set_of(&corpus, &pairs)], "dice".into()).unwrap()))
    };
    assert_eq!(at(1), at(2));
    assert_eq!(at(1), at(5));
}

#[test]
fn a_shape_is_kept_whatever_the_labels_say() {
    // In truth, the far ones are matches again.
    let bent = curve(&[0.0, 100.0, 200.0], &[3.0, -3.0, 2.0], 0.0, None);
    let (corpus, pairs) = labelled(&model(0.0, vec![(Feature::DistanceM, bent)]), 2_000, 3);
    let set = set_of(&corpus, &pairs);
    let fitted = fit(&template(), &[set], String::new()).unwrap();
    let weights = &fitted.model.curves[0].1.weights;
    assert!(weights[0] > weights[1] && weights[1] == weights[2], "{weights:?}");
}

#[test]
fn sets_count_equally_however_many_pairs_each_has() {
    let near = |is_match: bool, pairs: usize| -> (Corpus, Pairs) {
        let evidence = (0..2 * pairs).map(|at| record(at % 2, 47.0, None));
        (Corpus::of(evidence), (0..pairs).map(|at| ((2 * at, 2 * at + 1), is_match)).collect())
    };
    let ((many, many_pairs), (few, few_pairs)) = (near(true, 900), near(false, 100));
    let sets = [set_of(&many, &many_pairs), set_of(&few, &few_pairs)];
    let fitted = fit(&template(), &sets, String::new()).unwrap();
    let odds = fitted.model.intercept + fitted.model.curves[0].1.weights[0] + fitted.model.curves[1].1.missing;
    assert!(odds.abs() < 0.02, "900 matches and 100 misses are an even chance: {odds}");
}

#[test]
fn pairs_of_one_kind_teach_nothing() {
    let (corpus, pairs) = labelled(&truth(), 50, 5);
    let matches: Vec<_> = pairs.into_iter().filter(|(_, is_match)| *is_match).collect();
    let error = fit(&template(), &[set_of(&corpus, &matches)], String::new()).unwrap_err();
    assert_eq!(error, FitError::OneSided { matches: matches.len(), misses: 0 });
}
