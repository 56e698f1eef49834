//! Degrees as people write them, in OSM's units.

/// Decimals of OSM's units, 10⁻⁷ degrees.
const DECIMALS: i32 = 7;

/// Longest text that is taken for degrees.
const MAX_CHARS: usize = 64;

/// Units of 10⁻⁷ degrees of a decimal text such as `7.4337806` or `-1.2e-05`, exactly; further decimals round to the
/// nearest, halves away from zero. `None` for what is no number, or does not fit the 32 bits that OSM gives it.
pub(super) fn units_of(text: &str) -> Option<i64> {
    if text.len() > MAX_CHARS {
        return None;
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(decimals.bytes());
    let count = whole.len() + decimals.len();
    if count == 0 || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // So many of the digits are units or more; the one behind them rounds.
    let kept = whole.len() as i32 + i32::from(exponent) + DECIMALS;
    let mut units: i64 = 0;
    for digit in digits().take(usize::try_from(kept).unwrap_or(0)) {
        units = units.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    if let Ok(kept) = usize::try_from(kept) {
        for _ in count..kept {
            // Zeros behind zeros are nothing, however many.
            if units == 0 {
                break;
            }
            units = units.checked_mul(10)?;
        }
        units += i64::from(digits().nth(kept).is_some_and(|digit| digit >= b'5'));
    }
    if units > i64::from(i32::MAX) {
        return None;
    }
    Some(if negative { -units } else { units })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn degrees_are_exact() {
        let cases = [
            ("7.4337806", Some(74_337_806)),
            ("-0.0000001", Some(-1)),
            ("43.7", Some(437_000_000)),
            ("180", Some(1_800_000_000)),
            ("-180.0000000", Some(-1_800_000_000)),
            ("+1.", Some(10_000_000)),
            (".5", Some(5_000_000)),
            // More than seven decimals: to the nearest, halves away from zero.
            ("1.00000014", Some(10_000_001)),
            ("1.00000015", Some(10_000_002)),
            ("-1.00000015", Some(-10_000_002)),
            ("1.000000149999999999999999999999", Some(10_000_001)),
            ("0.00000005", Some(1)),
            ("0.000000049", Some(0)),
            // As Java writes small numbers.
            ("1.0E-5", Some(100)),
            ("-1.25e1", Some(-125_000_000)),
            ("5e-8", Some(1)),
            ("49e-9", Some(0)),
            ("0e30000", Some(0)),
            ("1e-30000", Some(0)),
            // No numbers, or none that fit.
            ("", None),
            ("-", None),
            (".", None),
            ("1,5", None),
            ("1.5.2", None),
            (" 1", None),
            ("0x10", None),
            ("NaN", None),
            ("1e", None),
            ("1e99999", None),
            ("215", None),
            ("1e300", None),
            ("99999999999999999999999999", None),
            ("٣", None),
        ];
        for (text, units) in cases {
            assert_eq!(units_of(text), units, "{text}");
        }
        assert_eq!(units_of(&"0".repeat(MAX_CHARS + 1)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_with_seven_decimals_comes_back(units in -1_800_000_000_i64..=1_800_000_000) {
            let sign = if units < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:07}", units.abs() / 10_000_000, units.abs() % 10_000_000);
            prop_assert_eq!(units_of(&text), Some(units));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,70}") {
            units_of(&text);
        }
    }
}
