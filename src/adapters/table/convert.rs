//! Conversions: a text as a number, a truth or an instant. Strict: what is not plainly one is none.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// Powers outside this range are no charger's, in kW.
pub(super) const PLAUSIBLE_KW: (f64, f64) = (0.1, 1_000.0);

/// Dates outside these years are placeholders such as 1900-01-01 and 9999-12-31.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i16> = 1970..=2099;

/// From here on, not every whole number is one of a float's.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// What a date's `format` says where it counts milliseconds since 1970.
const EPOCH_MS: &str = "epoch_ms";

/// A number: sign, digits, at most one decimal mark, exponent. Nothing else: no unit, no marks between thousands.
pub(super) fn number(text: &str, decimal_mark: u8) -> Option<f64> {
    let mut plain = String::with_capacity(text.len());
    let (mut digits, mut marks, mut exponents) = (0, 0, 0);
    let mut before = None;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'+' | b'-' if matches!(before, None | Some(b'e' | b'E')) => {}
            b'e' | b'E' if digits > 0 && exponents == 0 => exponents += 1,
            _ if byte == decimal_mark && marks == 0 && exponents == 0 => marks += 1,
            _ => return None,
        }
        before = Some(byte);
        plain.push(if byte == decimal_mark { '.' } else { byte as char });
    }
    // Of what passed, `parse` refuses the rest: no digit, `1e`.
    let is_number = digits > 0;
    plain.parse().ok().filter(|number: &f64| is_number && number.is_finite())
}

/// A whole number, also where it is written `2.0`.
pub(super) fn integer(text: &str, decimal_mark: u8) -> Option<f64> {
    number(text, decimal_mark).filter(|number| number.fract() == 0.0 && number.abs() < EXACT_MAX)
}

/// A number as text: whole ones without a decimal point.
pub(super) fn told(number: f64) -> String {
    // Minus zero is zero.
    (number + 0.0).to_string()
}

/// True or false, in the ways that registers write it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" => Some(true),
        "0" | "false" | "f" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// A date, or an instant. Where no offset is written, it is taken as UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) instant: Timestamp,
    /// Whether only the day is known.
    pub(super) is_day: bool,
}

impl Date {
    /// As a tag's value.
    pub(super) fn told(self) -> String {
        let text = self.instant.to_string();
        if self.is_day { text.split('T').next().unwrap_or_default().to_owned() } else { text }
    }

    /// Whether anything was known of chargers then.
    pub(super) fn is_plausible(self) -> bool {
        PLAUSIBLE_YEARS.contains(&self.instant.to_zoned(TimeZone::UTC).year())
    }
}

/// Reads a date: in this `strftime` notation, or as ISO 8601 where none is given.
pub(super) fn date(text: &str, format: Option<&str>) -> Option<Date> {
    // The last day of 9999 is no instant, and as implausible as the day before.
    let in_utc = |at: DateTime| at.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
    if format == Some(EPOCH_MS) {
        let instant = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
        return Some(Date { instant, is_day: false });
    }
    let Some(format) = format else {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(Date { instant, is_day: false });
        }
        let is_day = text.len() == "2014-08-19".len();
        return Some(Date { instant: in_utc(text.parse::<DateTime>().ok()?), is_day });
    };
    let read = strtime::parse(format, text).ok()?;
    if let Ok(instant) = read.to_timestamp() {
        return Some(Date { instant, is_day: false });
    }
    let is_day = read.hour().is_none();
    Some(Date { instant: in_utc(read.to_datetime().ok()?), is_day })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_plainly_one_or_none() {
        let cases = [
            ("22", b'.', Some(22.0)),
            ("-0.5", b'.', Some(-0.5)),
            ("+3.7", b'.', Some(3.7)),
            (".5", b'.', Some(0.5)),
            ("5.", b'.', Some(5.0)),
            ("2.2222222222222224e+41", b'.', Some(2.222_222_222_222_222_4e41)),
            ("3,7", b',', Some(3.7)),
            ("3.7", b',', None), // may be 37, or 3,700
            ("3,7", b'.', None),
            ("1.234,5", b',', None),
            ("1,234.5", b'.', None),
            ("1 234", b'.', None),
            ("22 kW", b'.', None),
            ("0x16", b'.', None),
            ("1e400", b'.', None),
            ("1e", b'.', None),
            ("1e5.5", b'.', None),
            ("--5", b'.', None),
            ("5-", b'.', None),
            ("NaN", b'.', None),
            ("inf", b'.', None),
            (".", b'.', None),
            ("-", b'.', None),
            ("", b'.', None),
            ("٢٢", b'.', None),
        ];
        for (text, mark, expected) in cases {
            assert_eq!(number(text, mark), expected, "{text}");
        }
        assert_eq!((integer("2.0", b'.'), integer("2.5", b'.'), integer("1e300", b'.')), (Some(2.0), None, None));
        assert_eq!([told(2.0), told(-0.0), told(3.7)], ["2", "0", "3.7"]);
    }

    #[test]
    fn a_date_is_read_as_it_is_said_to_be_written() {
        let cases = [
            ("2015-09-02 11:28:16", None, Some("2015-09-02T11:28:16Z")),
            ("2015-09-02T11:28:16+02:00", None, Some("2015-09-02T09:28:16Z")),
            ("2015-09-02", None, Some("2015-09-02")),
            ("02.09.2015", Some("%d.%m.%Y"), Some("2015-09-02")),
            ("02.09.2015 11:28", Some("%d.%m.%Y %H:%M"), Some("2015-09-02T11:28:00Z")),
            ("1441193296000", Some("epoch_ms"), Some("2015-09-02T11:28:16Z")),
            ("1441193296", Some("%s"), Some("2015-09-02T11:28:16Z")),
            ("09/02/2015", None, None),
            ("31.02.2015", Some("%d.%m.%Y"), None),
            ("02.09.2015 or so", Some("%d.%m.%Y"), None),
            ("soon", None, None),
        ];
        for (text, format, expected) in cases {
            assert_eq!(date(text, format).map(Date::told).as_deref(), expected, "{text}");
        }
        assert_eq!(date("9999-12-31", None).map(Date::is_plausible), Some(false));
        assert_eq!(date("2024-02-29", None).map(Date::is_plausible), Some(true));
    }
}
