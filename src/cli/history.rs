//! `poimill history`: what a store tells of its snapshots, and of a place over all of them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::Ended;
use crate::adapters::io::size_told;
use crate::config::Overrides;
use crate::domain::Timestamp;
use crate::pipeline::history::{
    Event, FieldChange, Life, Listed, PlaceThen, Record, Said, State, Tie, as_of, list, lives, place_as_of,
};
use crate::wiring;

/// Longest value that is shown in a line, in characters.
const MOST_CHARACTERS: usize = 60;

/// What `--help` teaches.
const LONG_ABOUT: &str = "Tell the history of a pipeline's snapshots, or of one place

Without flags: a line per snapshot, the oldest first, with its vintage, places, changes by class and size.

--place ID: what became of a place: when it was added, changed (which fields, from what to what), moved, merged, split or
removed, and which records it had when. Then the same of the places that it came from and went into.

--as-of DATE: the snapshot that was the latest then; with --place, the place as it was. Time is that of the data, the vintage.
A day means its end in UTC.

What was pruned is not told: a change then shows with the next snapshot that is kept.";

/// Tell the history of a pipeline's snapshots, or of one place
#[derive(Debug, clap::Args)]
#[command(
    long_about = LONG_ABOUT,
    after_help = "Example: poimill history pipelines/demo.toml --place 7d4a1c06-8e5f-5d0a-9d3b-0f6a4be2a001 --as-of 2026-05-01"
)]
pub(super) struct History {
    /// Pipeline file, e.g. `pipelines/demo.toml`
    pipeline: PathBuf,
    /// The snapshots are in this folder instead of the pipeline file's
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// The place with this UUID
    #[arg(long, value_name = "ID", value_parser = uuid)]
    place: Option<String>,
    /// How it was then: a day, or an instant such as `2026-05-01T20:00:00Z`
    #[arg(long, value_name = "DATE", value_parser = instant)]
    as_of: Option<Timestamp>,
    /// Print JSON: an object per snapshot, or one per place
    #[arg(long)]
    json: bool,
}

/// A UUID as tables write it.
fn uuid(text: &str) -> Result<String, String> {
    let id = uuid::Uuid::parse_str(text).map_err(|_| "write a UUID, as in the column `id` of places.parquet")?;
    Ok(id.to_string())
}

/// An instant, or the end of a day in UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let end_of_day = format!("{text}T23:59:59.999999999Z");
    let instant = text.parse().or_else(|_| end_of_day.parse());
    instant.map_err(|_| "write a day, e.g. 2026-05-01, or an instant, e.g. 2026-05-01T20:00:00Z".to_owned())
}

impl History {
    /// Prints the history.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        let overrides = Overrides { store: self.store.clone(), ..Overrides::default() };
        let (store, _) = wiring::store(&self.pipeline, &overrides)?;
        match (&self.place, self.as_of) {
            (None, None) => self.tell_snapshots(&list(&store)?, out)?,
            (None, Some(time)) => self.tell_snapshots(&[as_of(&store, time)?], out)?,
            (Some(place), None) => {
                let lives = lives(&store, place)?;
                if self.json {
                    lives.iter().try_for_each(|life| writeln!(out, "{}", json!(life)))?;
                } else {
                    lives.iter().try_for_each(|life| tell_life(life, out))?;
                }
            }
            (Some(place), Some(time)) => {
                let then = place_as_of(&store, place, time)?;
                if self.json { writeln!(out, "{}", json!(then))? } else { tell_place(&then, out)? }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn tell_snapshots(&self, snapshots: &[Listed], out: &mut impl Write) -> anyhow::Result<()> {
        for snapshot in snapshots {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(snapshot)?)?;
            } else {
                writeln!(out, "{}", line(snapshot))?;
            }
        }
        if snapshots.is_empty() && !self.json {
            writeln!(out, "there is no snapshot yet")?;
        }
        Ok(())
    }
}

/// `20260501T202100Z-8de5949c  latest     98 places, 2 added, 4 removed     182 kB`.
fn line(listed: &Listed) -> String {
    let state = match listed.state {
        State::Latest => "latest",
        State::Published => "published",
        State::Held => "held",
        State::Unfinished => "unfinished",
        State::Damaged => "damaged",
    };
    let mut told = vec![format!("{:<26} {state:<10} {:>8}", listed.snapshot, size_told(listed.size_bytes))];
    if let Some(error) = &listed.error {
        told.push(error.clone());
        return told.join("  ");
    }
    let mut counts = vec![format!("{} places", listed.places)];
    if listed.layer_rows > 0 {
        counts.push(format!("{} rows of layers", listed.layer_rows));
    }
    counts.extend(listed.changes.iter().map(|(class, count)| format!("{count} {class}")));
    told.push(counts.join(", "));
    match &listed.base {
        None => told.push("the first".to_owned()),
        Some(base) if !listed.base_is_kept => told.push(format!("since {base}, which is not kept")),
        Some(_) => {}
    }
    if !listed.held.is_empty() {
        told.push(format!("held: {}", listed.held.join("; ")));
    }
    if let Some(time) = listed.released_at {
        told.push(format!("released {time:.0}"));
    }
    told.join("  ")
}

/// `charging_station "Rathaus"`.
fn name_of(rows: &[Said]) -> String {
    let text = |column: &str| rows.iter().find_map(|said| said.row.get(column)?.as_str()).unwrap_or_default();
    match (text("category"), text("name")) {
        (category, "") => category.to_owned(),
        (category, name) => format!("{category} \"{name}\""),
    }
}

fn tell_life(life: &Life, out: &mut impl Write) -> anyhow::Result<()> {
    let tie = match life.tie {
        Tie::Itself => "place",
        Tie::CameFrom => "\ncame from place",
        Tie::WentInto => "\nwent into place",
    };
    let gone = if life.is_there { "" } else { "  (gone)" };
    writeln!(out, "{tie} {}  {}{gone}", life.place, name_of(&life.last))?;
    for event in &life.events {
        writeln!(out, "  {}", event_line(event))?;
        for change in &event.changed {
            for (field, old, new) in parts(change) {
                writeln!(out, "      {field}: {} → {}", short(old), short(new))?;
            }
        }
    }
    tell_records(&life.records, out)
}

/// `2026-05-02T20:21:00Z  modified (source)`.
fn event_line(event: &Event) -> String {
    let vintage = event.vintage.map_or_else(|| event.snapshot.clone(), |vintage| vintage.to_string());
    let mut told = vec![format!("{vintage:<26}  {}", event.event.replace('_', " "))];
    if let Some(related) = &event.related {
        told.extend(match event.event.as_str() {
            "merged" => Some("into".to_owned()),
            "split" => Some("from".to_owned()),
            _ => None,
        });
        told.push(related.clone());
    }
    told.extend(event.moved_m.map(|metres| format!("by {metres} m")));
    told.extend(event.cause.as_ref().map(|cause| format!("({cause})")));
    told.join(" ")
}

fn tell_records(records: &[Record], out: &mut impl Write) -> anyhow::Result<()> {
    for Record { record, valid_from, valid_to } in records {
        let time =
            |time: &Option<Timestamp>, otherwise: &str| time.map_or(otherwise.to_owned(), |time| time.to_string());
        writeln!(out, "  record {record}  {} to {}", time(valid_from, "undated"), time(valid_to, "now"))?;
    }
    Ok(())
}

fn tell_place(then: &PlaceThen, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "place {}  {}  in {}", then.place, name_of(&then.rows), then.snapshot)?;
    if then.rows.is_empty() {
        writeln!(
            out,
            "  was not there; `--place` without `--as-of` tells when it was, and what it came from or went into"
        )?;
    }
    for Said { table, row } in &then.rows {
        if then.rows.len() > 1 {
            writeln!(out, "  {table}")?;
        }
        for (column, value) in row {
            let is_empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
            if column != "id" && !is_empty {
                writeln!(out, "  {column}: {}", short(value))?;
            }
        }
    }
    tell_records(&then.records, out)
}

/// What is different in a column: of a map or struct only the keys that are, e.g. `tags.ref`.
fn parts(change: &FieldChange) -> Vec<(String, &Value, &Value)> {
    let FieldChange { field, old, new } = change;
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return vec![(field.clone(), old, new)];
    };
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = keys.into_iter().filter(|key| old[key.as_str()] != new[key.as_str()]);
    differ.map(|key| (format!("{field}.{key}"), &old[key.as_str()], &new[key.as_str()])).collect()
}

/// A value in a line; a long one cut short.
fn short(value: &Value) -> String {
    let text = if value.is_null() { "nothing".to_owned() } else { value.to_string() };
    if text.chars().count() <= MOST_CHARACTERS {
        return text;
    }
    text.chars().take(MOST_CHARACTERS).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_map_only_what_is_different_is_told() {
        let change = FieldChange {
            field: "tags".to_owned(),
            old: json!({ "ref": "1", "note": "a", "fee": "no" }),
            new: json!({ "ref": "2", "fee": "no", "level": "0" }),
        };
        let told: Vec<String> = parts(&change).iter().map(|(f, old, new)| format!("{f} {old} {new}")).collect();
        assert_eq!(told, ["tags.level null \"0\"", "tags.note \"a\" null", "tags.ref \"1\" \"2\""]);
    }

    #[test]
    fn a_day_means_its_end_and_an_instant_itself() {
        let cases = [
            ("2026-05-01", Some("2026-05-01T23:59:59.999999999Z")),
            ("2026-05-01T20:00:00Z", Some("2026-05-01T20:00:00Z")),
            ("2026-05-01T20:00:00+02:00", Some("2026-05-01T18:00:00Z")),
            ("yesterday", None),
            ("2026-13-01", None),
        ];
        for (text, expected) in cases {
            assert_eq!(instant(text).ok().map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
