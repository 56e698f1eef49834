//! Quantities: power, voltage and current as people type them.

/// Powers outside this range are no charger's, in kW. The upper end is that of the connectors' own check.
const PLAUSIBLE_KW: std::ops::RangeInclusive<f64> = 0.1..=2_000.0;

/// Highest plausible voltage or current, in V or A: megawatt charging ends at 1,250 V and 3,000 A, and nobody maps that yet.
const MAX_VOLTS_OR_AMPERES: f64 = 2_000.0;

/// Reads a power such as `22 kW`, `3,7kW`, `22 kVA` or `22000 W`. A bare number is kW below 1000 and W from there on.
///
/// Returns kW, or `None` when it is no such number, as in `32 A` or `11-22 kW`, or not plausible.
pub(super) fn kilowatts(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let kw = match [("kw", 1.0), ("kva", 1.0), ("w", 1000.0), ("va", 1000.0)]
        .into_iter()
        .find_map(|(unit, per_kw)| Some((text.strip_suffix(unit)?, per_kw)))
    {
        Some((amount, per_kw)) => number(amount)? / per_kw,
        None => number(&text).map(|bare| if bare < 1000.0 { bare } else { bare / 1000.0 })?,
    };
    PLAUSIBLE_KW.contains(&kw).then_some(kw)
}

/// Reads a voltage such as `400 V` or `400`.
pub(super) fn volts(text: &str) -> Option<f64> {
    with_unit(text, 'v')
}

/// Reads a current such as `32 A` or `32`.
pub(super) fn amperes(text: &str) -> Option<f64> {
    with_unit(text, 'a')
}

/// Whether a voltage in V or a current in A can be.
pub(super) fn plausible_volts_or_amperes(amount: f64) -> bool {
    amount > 0.0 && amount <= MAX_VOLTS_OR_AMPERES
}

/// Every value of a list `a;b`, or `None` when one of them cannot be read.
pub(super) fn list(text: &str, read: fn(&str) -> Option<f64>) -> Option<Vec<f64>> {
    text.split(';').map(read).collect()
}

/// The highest value of a list `a;b`, or `None` when one of them cannot be read.
pub(super) fn highest(text: &str, read: fn(&str) -> Option<f64>) -> Option<f64> {
    list(text, read)?.into_iter().reduce(f64::max)
}

fn with_unit(text: &str, unit: char) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    number(text.strip_suffix(unit).unwrap_or(&text)).filter(|amount| plausible_volts_or_amperes(*amount))
}

/// Digits with at most one decimal point or comma; no sign, no exponent, no range.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".");
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_read_as_people_write_it() {
        let cases = [
            ("22 kW", Some(22.0)),
            ("3,7kW", Some(3.7)),
            ("22 kVA", Some(22.0)),
            ("22000 W", Some(22.0)),
            ("3700VA", Some(3.7)),
            ("22", Some(22.0)),
            ("3700", Some(3.7)),
            (" 150 KW ", Some(150.0)),
            ("32 A", None),
            ("11-22 kW", None),
            ("2x22 kW", None),
            ("-22 kW", None),
            ("1e3", None),
            ("0", None),
            ("150150150.0", None),
            ("fast", None),
            ("kW", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(kilowatts(text), expected, "{text}");
        }
    }

    #[test]
    fn volts_and_amperes_are_read_and_bounded() {
        assert_eq!((volts("400 V"), volts("230"), volts("0"), volts("40000")), (Some(400.0), Some(230.0), None, None));
        assert_eq!((amperes("32A"), amperes("32,5 a"), amperes("32 kW")), (Some(32.0), Some(32.5), None));
    }

    #[test]
    fn a_list_is_read_whole_or_not() {
        assert_eq!(list("22 kW; 11 kW", kilowatts), Some(vec![22.0, 11.0]));
        assert_eq!(list("22 kW; fast", kilowatts), None);
        assert_eq!(highest("230;400", volts), Some(400.0));
    }
}
