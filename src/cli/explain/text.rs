//! Text: an explanation as lines for a terminal.

use std::fmt::Write;

use serde_json::Value;

use crate::pipeline::explain::{Explanation, PairTold, PlaceTold, RecordTold, Rival};

/// What of the evidence is told elsewhere.
const TOLD_ELSEWHERE: [&str; 4] = ["lon", "lat", "extent", "categories"];

/// The explanation as text.
pub(super) fn of(told: &Explanation) -> String {
    let mut text = String::new();
    write_all(told, &mut text).expect("text in memory can be written");
    text
}

fn write_all(told: &Explanation, out: &mut String) -> std::fmt::Result {
    writeln!(out, "snapshot {}", told.snapshot)?;
    for note in &told.notes {
        writeln!(out, "note: {note}")?;
    }
    for absent in &told.absent {
        let code = absent.code.as_ref().map_or(String::new(), |code| format!(" as {code}"));
        writeln!(out, "\n{} is in no place: {}{code}: {}", absent.record, absent.state, absent.message)?;
    }
    if let Some(about) = &told.place {
        place(about, out)?;
    }
    for about in &told.records {
        record(about, out)?;
    }
    for about in &told.pairs {
        pair(about, out)?;
    }
    Ok(())
}

fn place(about: &PlaceTold, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\nplace {}", about.id)?;
    for row in &about.rows {
        if about.rows.len() > 1 {
            writeln!(out, " in {}", row.table)?;
        }
        for (name, value) in &row.columns {
            let gave = row.givers(name).join(", ");
            let gave = if gave.is_empty() { gave } else { format!("  (from {gave})") };
            writeln!(out, "  {name:<22}{}{gave}", plain(value))?;
        }
        for given in row.provenance.iter().filter(|given| given.property.is_empty()) {
            let license = given.license.as_deref().unwrap_or("not stated");
            let sure = given.confidence.map_or(String::new(), |sure| format!(", sure of it {sure:.2}"));
            writeln!(out, "  record {}, licence {license}{sure}", given.record)?;
        }
    }
    if about.conflicts.is_empty() {
        return writeln!(out, "  no conflicts are kept");
    }
    for conflict in &about.conflicts {
        writeln!(
            out,
            "  conflict {}: {} says {}, taken is {} of {} ({})",
            conflict.property,
            conflict.record,
            plain(&conflict.value),
            plain(&conflict.taken_value),
            conflict.taken_record,
            conflict.rule
        )?;
    }
    Ok(())
}

fn record(about: &RecordTold, out: &mut String) -> std::fmt::Result {
    let name = about.name.as_deref().map_or(String::new(), |name| format!(" \"{name}\""));
    writeln!(out, "\n{}  {}{name} at {:.6} {:.6}", about.record, about.category, about.lon, about.lat)?;
    writeln!(out, "  place {}", about.place_id)?;
    for (what, value) in compared(about) {
        writeln!(out, "  {what} {}", plain(value))?;
    }
    if !about.repairs.is_empty() {
        writeln!(out, "  repaired {}", about.repairs.join(", "))?;
    }
    if !about.parts.is_empty() {
        writeln!(out, "  parts {}", about.parts.join(", "))?;
    }
    Ok(())
}

/// What of a record is compared, but for its position and category.
pub(super) fn compared(about: &RecordTold) -> impl Iterator<Item = (&str, &Value)> {
    let fields = about.evidence.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value)).filter(|(name, _)| !TOLD_ELSEWHERE.contains(name))
}

fn pair(about: &PairTold, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n{} and {}, {:.1} m apart; {}", about.a, about.b, about.distance_m, origin(about))?;
    writeln!(out, "  {:<24}{:>10}{:>10}", "feature", "value", "weight")?;
    writeln!(out, "  {:<24}{:>10}{:>+10.2}", "intercept", "", about.intercept)?;
    for feature in &about.features {
        let value = feature.value.map_or("missing".to_owned(), number);
        writeln!(out, "  {:<24}{value:>10}{:>+10.2}", feature.name, feature.weight)?;
    }
    writeln!(out, "  {:<24}{:>10}{:>+10.2}", "sum, in log odds", "", about.log_odds)?;
    writeln!(out, "  {:<24}{:>10}{:>10.2}", "probability", "", about.probability)?;
    writeln!(out, "{}: {}", outcome(about), about.why)?;
    if let Some(note) = veto_note(about) {
        writeln!(out, "  {note}")?;
    }
    for line in rivals(about) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Where the figures of a pair come from.
pub(super) fn origin(about: &PairTold) -> &'static str {
    if about.kept { "as the run kept it" } else { "computed now; not kept by the run" }
}

/// What became of a pair.
pub(super) fn outcome(about: &PairTold) -> &'static str {
    if about.together { "one place" } else { "two places" }
}

/// A veto that stands but did not decide: a reader wants to see that it was there.
pub(super) fn veto_note(about: &PairTold) -> Option<String> {
    let veto = about.veto.as_ref()?;
    let decided = about.reason.as_ref() == Some(veto) || (about.reason.is_none() && !about.together);
    (!decided && about.decision.is_none()).then(|| format!("a veto stands too: {}", veto.replace('_', " ")))
}

/// What each of the two might have been instead, a line for each.
pub(super) fn rivals(about: &PairTold) -> [String; 2] {
    let source = |name: &str| name.split_once(':').map_or(name, |(dataset, _)| dataset).to_owned();
    let line = |of: &str, other: &str, rival: &Option<Rival>| match rival {
        None => format!("runner-up of {of} in {}: none within 500 m", source(other)),
        Some(Rival { record, probability, distance_m, veto, together, .. }) => {
            let veto = veto.as_ref().map_or(String::new(), |veto| format!(", vetoed: {}", veto.replace('_', " ")));
            let together = if *together { ", in one place with it" } else { "" };
            format!(
                "runner-up of {of} in {}: {record}, score {probability:.2}, {distance_m:.1} m{veto}{together}",
                source(other)
            )
        }
    };
    [line(&about.a, &about.b, &about.rival_of_a), line(&about.b, &about.a, &about.rival_of_b)]
}

/// A value as people write it: texts without quotes, lists with commas.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A number without zeros at its end, of at most three decimals.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
