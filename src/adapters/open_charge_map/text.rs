//! Free text of contributors, judged carefully: what is not plain stays text.

use std::borrow::Cow;

use jiff::civil;
use jiff::tz::TimeZone;

use super::{countries, hours};
use crate::domain::Timestamp;

/// A number as people and programs write it. A comma is a decimal one, but not where it may part thousands: `1,000`.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let may_part_thousands = text
        .split_once(',')
        .is_some_and(|(whole, rest)| rest.len() == 3 && !matches!(whole.trim_start_matches(['-', '+']), "" | "0"));
    if may_part_thousands { None } else { degrees(text) }
}

/// A number that is never so large that a comma parts thousands.
pub(super) fn degrees(text: &str) -> Option<f64> {
    let text = text.trim();
    // "inf" and "nan" are numbers for the parser.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,eE".contains(&byte));
    let number = if text.contains(',') { text.replace(',', ".").parse() } else { text.parse::<f64>() };
    number.ok().filter(|number| is_plain && number.is_finite())
}

/// An instant; UTC where no offset is stated.
///
/// A date with slashes is read only where one of its first two numbers cannot be a month: programs write both orders.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let local = text.parse::<civil::DateTime>().ok().or_else(|| slashed_time(text))?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `9/20/2020 1:52:00 PM` or `20/09/2020 13:52:00`.
fn slashed_time(text: &str) -> Option<civil::DateTime> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "0:00:00"));
    let mut parts = date.split('/').map(|part| part.parse::<i16>().ok());
    let (Some(Some(first)), Some(Some(second)), Some(Some(year)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let (month, day) = match (first > 12, second > 12) {
        (true, false) => (second, first),
        (false, true) => (first, second),
        _ if first == second => (first, second),
        _ => return None,
    };
    let (clock, half) = time.split_once(' ').map_or((time, None), |(clock, half)| (clock, Some(half)));
    let mut parts = clock.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let hour = match half.map(str::to_ascii_lowercase).as_deref() {
        None => hour,
        Some("am") if (1..=12).contains(&hour) => hour % 12,
        Some("pm") if (1..=12).contains(&hour) => hour % 12 + 12,
        _ => return None,
    };
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// Letters and digits in small letters: what two titles are compared by.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The letters and digits of a title, in small letters.
pub(super) fn essence(text: &str) -> String {
    letters(text).collect()
}

/// Whether a text has the letters and digits of these parts, one after the other, and any at all.
pub(super) fn same_letters(text: &str, parts: &[&str]) -> bool {
    letters(text).next().is_some() && letters(text).eq(parts.iter().flat_map(|part| letters(part)))
}

/// Blanks squeezed and trimmed; `None` when nothing is left.
pub(super) fn line(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    // Most texts are a line already.
    let is_plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let is_trim = !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ');
    if is_trim && text.as_bytes().iter().all(is_plain) && !text.contains("  ") {
        return Some(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" ").into())
}

/// Ways to write "always open" that leave no doubt.
const ALWAYS_OPEN: [&str; 16] = [
    "24/7",
    "24 / 7",
    "24x7",
    "24-7",
    "24h",
    "24 h",
    "24hrs",
    "24 hrs",
    "24 hours",
    "24 hours daily",
    "24 hour access",
    "24h/24",
    "24h/24 7j/7",
    "open 24/7",
    "open 24hrs",
    "open 24 hours",
];

/// Whether a comment on access says that the place is always open, and nothing else.
fn is_always_open(comment: &str) -> bool {
    let comment = comment.trim().trim_end_matches('.').to_lowercase();
    ALWAYS_OPEN.contains(&comment.as_str())
}

/// The opening hours in a text, in OSM's notation; `None` where the text is not plain.
pub(super) fn opening_hours(text: &str) -> Option<String> {
    if is_always_open(text) {
        return Some("24/7".to_owned());
    }
    let text = text.trim();
    hours::is_osm_notation(text).then(|| text.to_owned())
}

/// Whether charging costs money, as far as a free text on cost tells; parking fees do not count.
///
/// `Some(true)` needs a price or a currency, `Some(false)` a plain word for free or a price of zero.
pub(super) fn fee(cost: &str) -> Option<bool> {
    let cost = cost.to_lowercase();
    let statements: Vec<&str> = cost
        .split([';', '(', ')', '\n'])
        .flat_map(|part| part.split(". "))
        .flat_map(|part| part.split(", "))
        .map(|part| part.find("park").map_or(part, |at| &part[..at]))
        .map(|part| part.trim().trim_end_matches(['.', ',']))
        .filter(|part| !part.is_empty())
        .collect();
    let has_amount = |text: &str| text.contains(|c: char| ('1'..='9').contains(&c));
    let has_currency = |text: &str| text.contains(['€', '£', '$', '¥', '₣', '₽', '₹', '₪', '₺', '₩']);
    let is_zero = |text: &str| text.contains('0') && !has_amount(text);
    let names_free = |text: &str| FREE.iter().any(|word| text.contains(word));
    // A number alone may be hours, levels or dates: without a currency it counts only where nothing speaks of free.
    let is_price = |text: &str| has_amount(text) && (has_currency(text) || names_money(text) || !names_free(&cost));
    if statements.iter().any(|text| is_price(text) || (has_currency(text) && !is_zero(text))) {
        return Some(true);
    }
    let first = statements.first()?;
    (FREE.contains(first) || is_zero(first)).then_some(false)
}

/// Plain words for free; the longer ones first, so that a statement that is one is found whole.
const FREE: [&str; 8] =
    ["free of charge", "for free", "free", "gratuito", "gratuit", "gratis", "kostenlos", "kostenfrei"];

/// Whether a text names a currency or a price per something, in lower case.
fn names_money(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "eur", "euro", "euros", "gbp", "usd", "chf", "sek", "nok", "dkk", "pln", "czk", "kr", "ct", "cent", "cents",
        "pence",
    ];
    let mut words = text.split(|c: char| !c.is_alphabetic());
    words.any(|word| WORDS.contains(&word)) || ["/kwh", "per kwh", "/min", "/h"].iter().any(|unit| text.contains(unit))
}

/// The EVSE ids in a reference, normalised to capitals and digits and sorted: country, three characters for the operator,
/// `E`, and an outlet with a number in it. Anything else in the text is passed over.
pub(super) fn evse_ids(reference: &str) -> Vec<Box<str>> {
    let mut ids: Vec<Box<str>> = reference.split([';', ',']).filter_map(evse_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// One EVSE id, e.g. `CHLKWE0042` of `CH*LKW*E0042`.
fn evse_id(text: &str) -> Option<Box<str>> {
    let id: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let outlet = id.get(5..)?.strip_prefix('E')?;
    let plausible = countries::is_code(id.get(..2)?)
        && (1..=31).contains(&outlet.len())
        && outlet.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " *-_.".contains(c));
    plausible.then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_read_only_from_what_is_plain() {
        let cases = [
            ("Free", Some(false)),
            ("Free for 2 hours", None),
            ("2 hours free", None),
            ("gratis 24/7", None),
            ("kostenlos, max 4h", Some(false)),
            ("Free, then 0.30 EUR/kWh", Some(true)),
            ("0.35/kWh", Some(true)),
            ("free.", Some(false)),
            ("0", Some(false)),
            ("0.00 €/kWh", Some(false)),
            ("Gratis", Some(false)),
            ("kostenlos", Some(false)),
            ("Free. Parking fees apply.", Some(false)),
            ("Free (but pay for parking)", Some(false)),
            ("CHF 0.30/kWh; other tariffs", Some(true)),
            ("4€", Some(true)),
            ("$", Some(true)),
            ("Free for guests, £5 if not", Some(true)),
            ("£1.50 for charging & 4 hours parking", Some(true)),
            ("Parking 1.5 per hour", None),
            ("Free for customers", None),
            ("Members' card", None),
            ("", None),
            (".", None),
        ];
        for (text, expected) in cases {
            assert_eq!(fee(text), expected, "{text}");
        }
    }

    #[test]
    fn evse_ids_are_told_from_other_references() {
        let cases = [
            ("CH*LKW*E0042", vec!["CHLKWE0042"]),
            ("gb-cgy-e-05031", vec!["GBCGYE05031"]),
            ("DE*ABC*E2; DE*ABC*E1, 7", vec!["DEABCE1", "DEABCE2"]),
            ("FR A23 E45B", vec!["FRA23E45B"]),
            ("FR*A23*P45", vec![]),
            ("XX*ABC*E1", vec![]),
            ("CHADEMO", vec![]),
            ("NEMA5 EAST", vec![]),
            ("1", vec![]),
            ("DE*ÄBC*E1", vec![]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            let ids = evse_ids(text);
            assert_eq!(ids.iter().map(AsRef::as_ref).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn only_a_plain_statement_means_always_open() {
        for text in ["24/7", " Open 24/7", "24 hours daily."] {
            assert!(is_always_open(text), "{text}");
        }
        for text in ["24 hours daily; pay lot", "Mo-Fr 24 hours", "", "7/24 garage"] {
            assert!(!is_always_open(text), "{text}");
        }
    }
}
