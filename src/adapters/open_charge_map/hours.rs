//! Opening hours that are plainly in OSM's notation.
//!
//! A small part of the notation, so that nothing else is taken for it: days or none, times or `off`, rules after `;`.
//! **Source**: <https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification>.

/// Days, and the two kinds of holidays.
const DAYS: [&str; 9] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH", "SH"];

/// Whether a text is opening hours in OSM's notation: `24/7`, `Mo-Fr 08:00-18:00; Sa 09:00-12:00,13:00-16:00; PH off`.
pub(super) fn is_osm_notation(text: &str) -> bool {
    text == "24/7" || text.split(';').all(|rule| is_rule(rule.trim()))
}

fn is_rule(rule: &str) -> bool {
    match rule.split_once(' ') {
        Some((days, hours)) => is_days(days) && (is_times(hours) || ["off", "closed"].contains(&hours)),
        None => is_times(rule),
    }
}

fn is_days(days: &str) -> bool {
    let is_day = |day: &str| DAYS.contains(&day);
    days.split(',').all(|days| days.split_once('-').map_or(is_day(days), |(from, to)| is_day(from) && is_day(to)))
}

fn is_times(times: &str) -> bool {
    times.split(',').all(|span| span.split_once('-').is_some_and(|(from, to)| is_time(from) && is_time(to)))
}

/// `08:00`, up to `24:00`, and `26:00` for two o'clock of the next day.
fn is_time(time: &str) -> bool {
    let is_number = |text: &str, max: u8| text.len() == 2 && text.parse().is_ok_and(|number: u8| number <= max);
    time.split_once(':').is_some_and(|(hour, minute)| is_number(hour, 48) && is_number(minute, 59))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plainly_osm_notation_is_taken_for_it() {
        let cases = [
            ("24/7", true),
            ("Mo-Fr 08:00-18:00", true),
            ("Mo-Fr 08:00-12:00,13:00-18:00; Sa 09:00-12:00; PH off", true),
            ("Mo,We,Fr 08:00-26:00", true),
            ("08:00-18:00", true),
            ("Mo-Fr", false),
            ("Mon-Fri 08:00-18:00", false),
            ("Mo-Fr 8-18", false),
            ("Mo-Fr 8:00-18:00", false),
            ("Mo-Fr 08:00-18:00 only customers", false),
            ("MO: Not Specified; TU: Not Specified", false),
            ("Mo-Fr 08:00-18:61", false),
            ("", false),
            (";", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_osm_notation(text), expected, "{text}");
        }
    }
}
