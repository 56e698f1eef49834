//! Interval: how far a share may be from what was counted.

/// The 97.5 % quantile of the normal distribution, for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Lower and upper end, in `[0, 1]`.
pub type Interval = (f64, f64);

/// The 95 % interval of a share of which `successes` of `trials` were counted; `None` without trials.
///
/// **Source**: Wilson 1927, *JASA* 22:209; holds for few trials and for shares near 0 and 1, where the usual one fails.
#[must_use]
pub fn wilson(successes: u64, trials: u64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let (n, share) = (trials as f64, successes as f64 / trials as f64);
    let z2 = Z * Z;
    let middle = share + z2 / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the formula is exact only on paper.
    let low = if successes == 0 { 0.0 } else { (middle - reach) / scale };
    let high = if successes == trials { 1.0 } else { (middle + reach) / scale };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        let cases =
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)];
        for (successes, trials, low, high) in cases {
            let found = wilson(successes, trials).unwrap();
            assert!((found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5, "{successes}/{trials}: {found:?}");
        }
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(5, 5).map(|(_, high)| high), Some(1.0));
    }
}
