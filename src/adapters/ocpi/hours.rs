//! Opening times: OCPI's hours of each weekday in OSM's notation.

use serde_json::Value;

use super::json::{Fields, unreadable};
use crate::domain::{Finding, FindingRule};

const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

const DAY_MINUTES: u32 = 24 * 60;

/// A period of a day, in minutes since midnight. One that ends before it begins ends on the next day, as in OSM.
type Period = (u32, u32);

/// The opening hours, e.g. `24/7` or `Mo-Fr 08:00-18:00; Sa 09:00-12:00`.
///
/// Exceptions on single dates are not told. `None` where nothing is stated, or not all of it can be read: half of the
/// hours would be wrong hours.
pub(super) fn opening_hours(location: Fields<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let value = location.get("opening_times")?;
    if !value.is_object() {
        findings.push(unreadable("opening_times", value));
        return None;
    }
    let times = Fields::of(value);
    let is_always = times.flag("twentyfourseven") == Some(true);
    let regular = times.list("regular_hours");
    let Some(week) = week(regular) else {
        findings.push(unreadable("opening_times", &Value::Array(regular.to_vec())));
        return None;
    };
    let told = told(&week);
    match (is_always, told) {
        (true, None) => Some("24/7".to_owned()),
        (true, Some(told)) if told != "24/7" => {
            findings.push(Finding::dropped(FindingRule::ImplausibleValue, "opening_times", format!("24/7 and {told}")));
            None
        }
        (_, told) => told,
    }
}

/// The periods of each day, from Monday, sorted and each once. `None` where one cannot be read.
fn week(regular: &[Value]) -> Option<[Vec<Period>; 7]> {
    let mut week: [Vec<Period>; 7] = Default::default();
    for hours in regular {
        let hours = Fields::of(hours);
        let day = hours.text("weekday")?.parse::<usize>().ok().filter(|day| (1..=7).contains(day))?;
        let (begin, end) = (minutes(&hours.text("period_begin")?)?, minutes(&hours.text("period_end")?)?);
        // 24:00 cannot be said by OCPI, so a day ends at 23:59 or at the next midnight.
        let end = if end == 0 || end == DAY_MINUTES - 1 { DAY_MINUTES } else { end };
        if begin == end || begin == DAY_MINUTES {
            return None;
        }
        week[day - 1].push((begin, end));
    }
    for day in &mut week {
        day.sort_unstable();
        day.dedup();
    }
    Some(week)
}

/// Minutes since midnight of `08:00`, `8:00` or `08:00:00`.
fn minutes(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("00");
    let is_number = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || ![hour, minute, second].into_iter().all(is_number) {
        return None;
    }
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    let is_time = minute < 60 && hour * 60 + minute <= DAY_MINUTES && second.parse::<u32>().ok()? < 60;
    is_time.then_some(hour * 60 + minute)
}

/// The week in OSM's notation; days with the same hours are told together. `None` for a week without hours.
fn told(week: &[Vec<Period>; 7]) -> Option<String> {
    if week.iter().all(|day| day == &[(0, DAY_MINUTES)]) {
        return Some("24/7".to_owned());
    }
    let mut rules: Vec<String> = Vec::new();
    for (first, periods) in week.iter().enumerate() {
        if periods.is_empty() || week[..first].contains(periods) {
            continue;
        }
        let alike: Vec<usize> = (first..7).filter(|day| week[*day] == *periods).collect();
        let runs = alike.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
            [first, .., last] => format!("{}-{}", DAYS[*first], DAYS[*last]),
            days => days.iter().map(|day| DAYS[*day]).collect(),
        });
        let times = periods.iter().map(|(begin, end)| format!("{}-{}", clock(*begin), clock(*end)));
        rules.push(format!("{} {}", runs.collect::<Vec<_>>().join(","), times.collect::<Vec<_>>().join(",")));
    }
    (!rules.is_empty()).then(|| rules.join("; "))
}

fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hours(periods: &[(Value, &str, &str)]) -> Value {
        let regular = periods
            .iter()
            .map(|(day, begin, end)| json!({"weekday": day, "period_begin": begin, "period_end": end}))
            .collect::<Vec<_>>();
        json!({"twentyfourseven": false, "regular_hours": regular})
    }

    fn days(
        days: std::ops::RangeInclusive<u8>,
        begin: &'static str,
        end: &'static str,
    ) -> Vec<(Value, &'static str, &'static str)> {
        days.map(|day| (json!(day), begin, end)).collect()
    }

    #[test]
    fn hours_are_told_in_osms_notation_or_not_at_all() {
        let cases = [
            (json!({"twentyfourseven": true}), Some("24/7"), 0),
            (json!({"twentyfourseven": "true", "regular_hours": []}), Some("24/7"), 0),
            (json!({"twentyfourseven": true, "exceptional_closings": [{"period_begin": "x"}]}), Some("24/7"), 0),
            (json!({"twentyfourseven": false}), None, 0),
            (json!({}), None, 0),
            (json!("24/7"), None, 1),
            (hours(&days(1..=5, "08:00", "18:00")), Some("Mo-Fr 08:00-18:00"), 0),
            (hours(&days(1..=7, "00:00:00", "23:59:00")), Some("24/7"), 0),
            (hours(&days(1..=7, "00:00", "24:00")), Some("24/7"), 0),
            (hours(&days(1..=7, "00:00", "00:00")), Some("24/7"), 0),
            (hours(&days(6..=7, "06:00", "23:59")), Some("Sa-Su 06:00-24:00"), 0),
            (
                hours(&[days(1..=5, "08:00", "20:00"), days(6..=6, "9:00", "12:30")].concat()),
                Some("Mo-Fr 08:00-20:00; Sa 09:00-12:30"),
                0,
            ),
            (
                hours(&[
                    (json!("3"), "13:00", "18:00"),
                    (json!(3), "08:00", "12:00"),
                    (json!(1), "08:00", "12:00"),
                    (json!(1), "13:00", "18:00"),
                ]),
                Some("Mo,We 08:00-12:00,13:00-18:00"),
                0,
            ),
            (hours(&[(json!(5), "22:00", "06:00"), (json!(5), "22:00", "06:00")]), Some("Fr 22:00-06:00"), 0),
            (hours(&[(json!(0), "08:00", "18:00")]), None, 1),
            (hours(&[(json!(8), "08:00", "18:00")]), None, 1),
            (hours(&[(json!(1), "08:00", "08:00")]), None, 1),
            (hours(&[(json!(1), "08:00", "25:00")]), None, 1),
            (hours(&[(json!(1), "08:00", "18:60")]), None, 1),
            (hours(&[(json!(1), "8am", "6pm")]), None, 1),
            (hours(&[(json!(1), "08:00", "18:00"), (json!(2), "", "18:00")]), None, 1),
            (json!({"regular_hours": ["Mo"]}), None, 1),
            (
                json!({"twentyfourseven": true, "regular_hours": [{"weekday": 1, "period_begin": "08:00", "period_end": "18:00"}]}),
                None,
                1,
            ),
        ];
        for (times, expected, found) in cases {
            let location = json!({ "opening_times": times });
            let mut findings = Vec::new();
            let told = opening_hours(Fields::of(&location), &mut findings);
            assert_eq!(told.as_deref(), expected, "{location}");
            assert_eq!(findings.len(), found, "{location}");
        }
    }
}
