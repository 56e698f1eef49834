//! Newton: the coefficients that make the labels likeliest, under a ridge and with given signs.
//!
//! The loss is convex and its bounds are signs, so the minimum is one and the steps find it from anywhere: a coefficient
//! that is 0 and wants over its bound stays, the others take a Newton step, and what it carries over a bound is cut.

use rayon::prelude::*;

use super::design::Design;
use crate::pipeline::conflate::model::probability;

/// The ridge on a coefficient, in pairs: as if one pair more said 0.
const RIDGE: f64 = 1.0;

/// The ridge on the intercept: only so much that it has an answer where nothing else gives one.
const RIDGE_OF_INTERCEPT: f64 = 1e-6;

/// Steps end when no coefficient moves by more than this, far below what is written.
const STILL: f64 = 1e-9;

/// Steps that are taken at most; ten are usual.
const MAX_STEPS: usize = 100;

/// Halvings of a step that does not improve.
const MAX_HALVINGS: usize = 40;

/// Rows that are summed as one block, whatever the number of threads.
const BLOCK: usize = 2_048;

/// A logistic regression with signs.
pub(super) struct Problem {
    /// Rows of `signs.len()` numbers each.
    pub(super) rows: Vec<f64>,
    /// What is added to each row's log odds anyway.
    pub(super) offsets: Vec<f64>,
    pub(super) weights: Vec<f64>,
    /// 1 for a match, 0 for a miss.
    pub(super) labels: Vec<f64>,
    /// Per coefficient: 1 where it must not be negative, −1 where it must not be positive.
    pub(super) signs: Vec<Option<f64>>,
}

/// Loss with its slope and curvature.
struct Sums {
    loss: f64,
    gradient: Vec<f64>,
    /// Row by row, square, symmetric.
    hessian: Vec<f64>,
}

/// The coefficients of least loss.
pub(super) fn solve(design: &Design<'_>) -> Vec<f64> {
    design.problem.solve()
}

impl Problem {
    pub(super) fn solve(&self) -> Vec<f64> {
        let width = self.signs.len();
        let mut at = vec![0.0; width];
        for _ in 0..MAX_STEPS {
            let sums = self.sums(&at);
            let held = |j: usize| self.signs[j].is_some_and(|sign| at[j] == 0.0 && sums.gradient[j] * sign > 0.0);
            let free: Vec<usize> = (0..width).filter(|j| !held(*j)).collect();
            let step = newton_step(&sums, &free, width);
            let mut length = 1.0;
            let mut next = None;
            for _ in 0..MAX_HALVINGS {
                let tried: Vec<f64> = (0..width).map(|j| self.cut(j, at[j] + length * step[j])).collect();
                if self.loss(&tried) < sums.loss {
                    next = Some(tried);
                    break;
                }
                length /= 2.0;
            }
            let Some(next) = next else { break };
            let moved = at.iter().zip(&next).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max);
            at = next;
            if moved < STILL {
                break;
            }
        }
        at
    }

    /// A coefficient within its bound.
    fn cut(&self, j: usize, value: f64) -> f64 {
        match self.signs[j] {
            Some(sign) if value * sign < 0.0 => 0.0,
            _ => value,
        }
    }

    fn ridge(j: usize) -> f64 {
        if j == 0 { RIDGE_OF_INTERCEPT } else { RIDGE }
    }

    fn penalty(at: &[f64]) -> f64 {
        at.iter().enumerate().map(|(j, value)| 0.5 * Self::ridge(j) * value * value).sum()
    }

    fn log_odds(&self, row: usize, at: &[f64]) -> f64 {
        let width = at.len();
        let products = self.rows[row * width..][..width].iter().zip(at).map(|(x, value)| x * value);
        self.offsets[row] + products.sum::<f64>()
    }

    /// Row numbers in blocks that no number of threads changes.
    fn blocks(&self) -> impl IndexedParallelIterator<Item = std::ops::Range<usize>> {
        let rows = self.labels.len();
        (0..rows.div_ceil(BLOCK)).into_par_iter().map(move |block| block * BLOCK..((block + 1) * BLOCK).min(rows))
    }

    fn loss(&self, at: &[f64]) -> f64 {
        let of = |range: std::ops::Range<usize>| -> f64 {
            range.map(|row| self.weights[row] * surprise(self.log_odds(row, at), self.labels[row])).sum()
        };
        let blocks: Vec<f64> = self.blocks().map(of).collect();
        blocks.iter().sum::<f64>() + Self::penalty(at)
    }

    fn sums(&self, at: &[f64]) -> Sums {
        let width = at.len();
        let none = || Sums { loss: 0.0, gradient: vec![0.0; width], hessian: vec![0.0; width * width] };
        let of = |range: std::ops::Range<usize>| {
            let mut sums = none();
            for row in range {
                let (odds, label, weight) = (self.log_odds(row, at), self.labels[row], self.weights[row]);
                let p = probability(odds);
                sums.loss += weight * surprise(odds, label);
                let filled: Vec<(usize, f64)> = self.rows[row * width..][..width]
                    .iter()
                    .copied()
                    .enumerate()
                    .filter(|(_, value)| *value != 0.0)
                    .collect();
                for (j, x) in &filled {
                    sums.gradient[*j] += weight * (p - label) * x;
                    let curvature = weight * p * (1.0 - p) * x;
                    for (k, y) in &filled {
                        sums.hessian[j * width + k] += curvature * y;
                    }
                }
            }
            sums
        };
        let blocks: Vec<Sums> = self.blocks().map(of).collect();
        let mut total = none();
        for block in blocks {
            total.loss += block.loss;
            total.gradient.iter_mut().zip(&block.gradient).for_each(|(sum, part)| *sum += part);
            total.hessian.iter_mut().zip(&block.hessian).for_each(|(sum, part)| *sum += part);
        }
        total.loss += Self::penalty(at);
        for (j, value) in at.iter().enumerate() {
            total.gradient[j] += Self::ridge(j) * value;
            total.hessian[j * width + j] += Self::ridge(j);
        }
        total
    }
}

/// How surprising a label is at these log odds: its negative log likelihood, without overflow.
fn surprise(log_odds: f64, label: f64) -> f64 {
    log_odds.max(0.0) - log_odds * label + (-log_odds.abs()).exp().ln_1p()
}

/// The Newton step of the free coefficients, 0 for the others.
fn newton_step(sums: &Sums, free: &[usize], width: usize) -> Vec<f64> {
    let n = free.len();
    // Cholesky: the curvature plus the ridge is positive definite.
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = sums.hessian[free[i] * width + free[j]] - known;
            lower[i * n + j] = if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / lower[j * n + j] };
        }
    }
    let mut solution = vec![0.0; n];
    for i in 0..n {
        let known: f64 = (0..i).map(|k| lower[i * n + k] * solution[k]).sum();
        solution[i] = (-sums.gradient[free[i]] - known) / lower[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| lower[k * n + i] * solution[k]).sum();
        solution[i] = (solution[i] - known) / lower[i * n + i];
    }
    let mut step = vec![0.0; width];
    for (at, value) in free.iter().zip(solution) {
        step[*at] = value;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(rows: &[(&[f64], f64)], signs: &[Option<f64>]) -> Problem {
        Problem {
            rows: rows.iter().flat_map(|(row, _)| row.iter().copied()).collect(),
            offsets: vec![0.0; rows.len()],
            weights: vec![1.0; rows.len()],
            labels: rows.iter().map(|(_, label)| *label).collect(),
            signs: signs.to_vec(),
        }
    }

    #[test]
    fn an_intercept_alone_is_the_log_odds_of_the_share() {
        let rows: Vec<(&[f64], f64)> = [1.0, 1.0, 1.0, 0.0].map(|label| (&[1.0][..], label)).to_vec();
        let found = problem(&rows, &[None]).solve();
        assert!((found[0] - 3.0_f64.ln()).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn the_slope_of_the_loss_is_0_where_free_and_pushes_outward_where_held() {
        // The second column speaks for a match, the third against it, and both must rise.
        let rows: Vec<(&[f64], f64)> = vec![
            (&[1.0, 1.0, 0.0], 1.0),
            (&[1.0, 0.8, 1.0], 1.0),
            (&[1.0, 0.2, 1.0], 0.0),
            (&[1.0, 0.0, 1.0], 0.0),
            (&[1.0, 0.1, 0.0], 0.0),
        ];
        let problem = problem(&rows, &[None, Some(1.0), Some(1.0)]);
        let found = problem.solve();
        let slope = problem.sums(&found).gradient;
        assert!(found[1] > 0.1 && slope[1].abs() < 1e-7, "{found:?} {slope:?}");
        assert!(found[2] == 0.0 && slope[2] > 0.0, "{found:?} {slope:?}");
        assert!(slope[0].abs() < 1e-7, "{slope:?}");
    }

    #[test]
    fn a_column_that_separates_everything_still_has_an_answer() {
        let rows: Vec<(&[f64], f64)> = vec![(&[1.0, 1.0], 1.0), (&[1.0, 0.0], 0.0)];
        let found = problem(&rows, &[None, None]).solve();
        assert!(found.iter().all(|value| value.is_finite() && value.abs() < 10.0), "{found:?}");
    }
}
