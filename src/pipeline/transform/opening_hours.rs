//! Opening hours: kept where they are in OSM's notation; what is not stays a tag, with a finding.
//!
//! **Source**: <https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification>, as the crate `opening-hours-syntax` reads it.

use super::text::tidy;
use super::{Context, Draft, Dropped};
use crate::domain::{Finding, FindingRule};

/// Longer texts are no opening hours, in bytes; OSM's own values end at 255 characters.
const MAX_BYTES: usize = 1_024;

/// Fills `opening_hours`.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let stated = draft.record.attributes.tags.get("opening_hours").and_then(tidy);
    if let Some(stated) = stated {
        if stated.len() <= MAX_BYTES && opening_hours_syntax::parse(&stated).is_ok() {
            draft.record.attributes.tags.take("opening_hours");
            draft.record.attributes.opening_hours = Some(stated);
        } else {
            let finding = Finding::dropped(FindingRule::InvalidOpeningHours, "opening_hours", stated);
            draft.record.findings.push(finding);
        }
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn hours_in_the_notation_are_kept_and_others_are_found() {
        let cases = [
            ("24/7", true),
            ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", true),
            ("Mo-Su 06:00-22:00; PH off", true),
            (" Mo-Fr  07:00-12:00,13:00-19:00 ", true),
            ("sunrise-sunset", true),
            ("Jul-Aug Mo-Su 10:00-20:00", true),
            ("Mo-Fr 08:00-20:00 \"only for guests\"", true),
            ("Mo-Fr 22:00-02:00", true),
            ("by appointment", false),
            ("Ask inside", false),
            ("9 to 5", false),
            ("Mo-Fr 25:99", false),
        ];
        for (text, is_kept) in cases {
            let record = step_on(step, &format!("opening_hours={text}"));
            let kept = record.attributes.opening_hours;
            assert_eq!(kept, is_kept.then(|| tidy(text)).flatten(), "{text}");
            assert_eq!(record.attributes.tags.get("opening_hours"), (!is_kept).then_some(text), "{text}");
            let found: Vec<_> = record.findings.iter().map(|f| (f.rule, f.before.as_deref())).collect();
            let expected = [(FindingRule::InvalidOpeningHours, Some(text))];
            assert_eq!(found, if is_kept { &[][..] } else { &expected }, "{text}");
        }
    }

    #[test]
    fn a_novel_is_no_opening_hours() {
        let record = step_on(step, &format!("opening_hours={}24/7", "24/7;".repeat(300)));
        assert_eq!(record.attributes.opening_hours, None);
        assert_eq!(record.findings.len(), 1);
    }
}
