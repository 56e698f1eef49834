//! Week: opening hours of a table that has a column for each weekday's beginning and end, in OSM's notation.

/// Days in OSM's notation, from Monday.
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Why the hours of a week make none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoHours {
    /// A time is none, or stands without its other half.
    Unreadable,
    /// A day ends when it begins, or the place never closes and yet has hours.
    Implausible,
}

/// Opening hours from the beginning and end of each day; `None` where nothing is said. A day without hours is closed when
/// another has some. An end of 00:00 is midnight; an end before the beginning is on the next day.
///
/// # Errors
///
/// When one of them is no time, or they contradict each other: then none of them can be relied on.
pub(super) fn opening_hours(days: &[(&str, &str); 7], always: Option<bool>) -> Result<Option<String>, NoHours> {
    let mut spans = [None; 7];
    for (span, (from, to)) in spans.iter_mut().zip(days) {
        *span = match (*from, *to) {
            ("", "") => None,
            (from, to) => Some((minutes(from).ok_or(NoHours::Unreadable)?, minutes(to).ok_or(NoHours::Unreadable)?)),
        };
    }
    let is_midnight = |minute: u16| minute == 0 || minute == DAY_MINUTES;
    let whole_week = spans.iter().all(|span| span.is_some_and(|(from, to)| from == 0 && is_midnight(to)));
    match always {
        _ if whole_week && always != Some(false) => return Ok(Some("24/7".to_owned())),
        Some(true) if spans.iter().all(Option::is_none) => return Ok(Some("24/7".to_owned())),
        Some(true) => return Err(NoHours::Implausible),
        _ if spans.iter().flatten().any(|(from, to)| from == to || *from == DAY_MINUTES) => {
            return Err(NoHours::Implausible);
        }
        _ => {}
    }
    let told = |span: (u16, u16)| {
        let to = if span.1 == 0 { DAY_MINUTES } else { span.1 };
        format!("{:02}:{:02}-{:02}:{:02}", span.0 / 60, span.0 % 60, to / 60, to % 60)
    };
    let mut parts: Vec<String> = Vec::new();
    let mut day = 0;
    while day < 7 {
        let Some(span) = spans[day] else {
            day += 1;
            continue;
        };
        let last = (day..7).take_while(|at| spans[*at] == Some(span)).last().unwrap_or(day);
        let days = if last == day { DAYS[day].to_owned() } else { format!("{}-{}", DAYS[day], DAYS[last]) };
        parts.push(format!("{days} {}", told(span)));
        day = last + 1;
    }
    Ok((!parts.is_empty()).then(|| parts.join("; ")))
}

/// Minutes since midnight of `7:30`, `07:30` or `07:30:00`, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    if parts.next().is_some_and(|seconds| seconds != "00") || parts.next().is_some() {
        return None;
    }
    let is_written = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_written(hours, 1..=2) || !is_written(minutes, 2..=2) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY_MINUTES).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven days as `07:00 20:00`, separated by `|`.
    fn of(week: &str, always: Option<bool>) -> Result<Option<String>, NoHours> {
        let mut days = [("", ""); 7];
        for (day, text) in days.iter_mut().zip(week.split('|')) {
            *day = text.split_once(' ').unwrap_or(("", ""));
        }
        opening_hours(&days, always)
    }

    #[test]
    fn equal_days_beside_each_other_are_one() {
        let cases = [
            ("", None, None),
            ("", Some(false), None),
            ("", Some(true), Some("24/7")),
            ("0:00 24:00|0:00 0:00|0:00 24:00|0:00 24:00|0:00 24:00|0:00 24:00|0:00 24:00", None, Some("24/7")),
            (
                "07:00 20:00|07:00 20:00|07:00 20:00|07:00 20:00|07:00 20:00|8:30 18:00|",
                Some(false),
                Some("Mo-Fr 07:00-20:00; Sa 08:30-18:00"),
            ),
            ("06:00 00:00||06:00 00:00", None, Some("Mo 06:00-24:00; We 06:00-24:00")),
            ("18:00 02:00:00", None, Some("Mo 18:00-02:00")),
        ];
        for (week, always, expected) in cases {
            assert_eq!(of(week, always), Ok(expected.map(str::to_owned)), "{week}");
        }
    }

    #[test]
    fn a_week_that_contradicts_itself_says_nothing() {
        let cases = [
            ("07:00 ", None, NoHours::Unreadable),
            ("07:00 25:00", None, NoHours::Unreadable),
            ("7h 20h", None, NoHours::Unreadable),
            ("07:00 20:60", None, NoHours::Unreadable),
            ("07:00 20:00|soon 20:00", None, NoHours::Unreadable),
            ("07:00 07:00", None, NoHours::Implausible),
            ("00:00 00:00", Some(false), NoHours::Implausible),
            ("06:00 00:00", Some(true), NoHours::Implausible),
        ];
        for (week, always, expected) in cases {
            assert_eq!(of(week, always), Err(expected), "{week}");
        }
    }
}
