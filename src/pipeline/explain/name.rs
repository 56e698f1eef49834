//! Name: what a person means by the name of a record or a place, and what to say when it is none.

use uuid::Uuid;

use super::Absent;
use super::bridge::Bridge;
use crate::domain::{Cell, SourceAccount};
use crate::pipeline::RunError;
use crate::pipeline::ports::Snapshot;
use crate::pipeline::tabulate::read_rows;
use crate::pipeline::tabulate::tables::{IDENTITY, REJECTS};

/// Most names that are suggested.
const SUGGESTIONS: usize = 3;
/// Names less alike than this (Jaro-Winkler) are not meant.
const LIKE: f64 = 0.85;

/// What a name stands for.
pub(super) enum Named {
    /// A record, with what to say of the name.
    Record { at: usize, note: Option<String> },
    /// A place.
    Place(String),
    /// A record that is in no place.
    Absent(Absent),
}

/// Finds what is meant by `name`: `dataset:id`, an id alone, or the UUID of a place.
pub(super) fn resolve(name: &str, bridge: &Bridge, snapshot: &dyn Snapshot) -> Result<Named, RunError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(RunError::settings("a name is empty; name a record, `source:id`, or a place by its UUID"));
    }
    let full = name.split_once(':').filter(|(dataset, _)| bridge.datasets.iter().any(|known| known == dataset));
    let meant: Vec<(&str, &str)> = match full {
        Some(pair) => vec![pair],
        None => bridge.datasets.iter().map(|dataset| (dataset.as_str(), name)).collect(),
    };
    let present: Vec<Named> = meant
        .iter()
        .filter_map(|(dataset, id)| {
            if let Some(at) = bridge.find(dataset, id) {
                return Some(Named::Record { at, note: None });
            }
            let whole = bridge.whole_of(dataset, id)?;
            let at = bridge.find_full(&whole)?;
            let note = format!("{dataset}:{id} is a part of {whole}: conflation compares the whole");
            Some(Named::Record { at, note: Some(note) })
        })
        .collect();
    if present.len() > 1 {
        let names: Vec<String> = present
            .iter()
            .filter_map(|named| if let Named::Record { at, .. } = named { Some(bridge.full_name(*at)) } else { None })
            .collect();
        return Err(RunError::settings(format!("`{name}` is several records; say which: {}", names.join(", "))));
    }
    if let Some(named) = present.into_iter().next() {
        return Ok(named);
    }
    // A record may have a UUID for its id, so places come second.
    if let Ok(uuid) = Uuid::parse_str(name) {
        let uuid = uuid.to_string();
        if !bridge.members(&uuid).is_empty() {
            return Ok(Named::Place(uuid));
        }
        if let Some(message) = former_place(&uuid, snapshot)? {
            return Err(RunError::settings(message));
        }
    }
    if let Some(absent) = rejected(&meant, snapshot)? {
        return Ok(Named::Absent(absent));
    }
    if let Some(absent) = gone(&meant, snapshot)? {
        return Ok(Named::Absent(absent));
    }
    Err(RunError::settings(unknown(name, full, bridge, snapshot)))
}

/// A reject of one of these names, as a place.
fn rejected(meant: &[(&str, &str)], snapshot: &dyn Snapshot) -> Result<Option<Absent>, RunError> {
    for row in read_rows(snapshot, &REJECTS, &["dataset", "record_id", "code", "message", "line", "layer"])? {
        let text = |at: usize| row[at].as_text().unwrap_or_default();
        if row[5] == Cell::Null && meant.contains(&(text(0), text(1))) {
            let line =
                if let Cell::Int(line) = row[4] { format!(" (line {line} of the input)") } else { String::new() };
            return Ok(Some(Absent {
                record: format!("{}:{}", text(0), text(1)),
                state: "rejected",
                code: Some(text(2).to_owned()),
                message: format!("{}{line}", text(3)),
            }));
        }
    }
    Ok(None)
}

/// A record of one of these names that an earlier snapshot had.
fn gone(meant: &[(&str, &str)], snapshot: &dyn Snapshot) -> Result<Option<Absent>, RunError> {
    for row in read_rows(snapshot, &IDENTITY, &["dataset", "record_id", "place_id", "last_seen", "present"])? {
        let text = |at: usize| row[at].as_text().unwrap_or_default();
        if meant.contains(&(text(0), text(1))) && row[4] == Cell::Bool(false) {
            return Ok(Some(Absent {
                record: format!("{}:{}", text(0), text(1)),
                state: "gone",
                code: None,
                message: format!(
                    "it was last seen as of {}, in place {}; its source has it no more, or a rule leaves it out",
                    text(3),
                    text(2)
                ),
            }));
        }
    }
    Ok(None)
}

/// What became of a place that is not in the snapshot, if it ever was.
fn former_place(uuid: &str, snapshot: &dyn Snapshot) -> Result<Option<String>, RunError> {
    let columns = ["place_id", "former_place_ids", "dataset", "record_id", "last_seen", "successor"];
    for row in read_rows(snapshot, &IDENTITY, &columns)? {
        let text = |at: usize| row[at].as_text().unwrap_or_default();
        let record = format!("{}:{}", text(2), text(3));
        let former = matches!(&row[1], Cell::List(ids) if ids.iter().any(|id| id.as_text() == Some(uuid)));
        if text(0) == uuid {
            let after = row[5].as_text().map_or(String::new(), |next| format!("; it went into place {next}"));
            return Ok(Some(format!(
                "place {uuid} is gone; its record {record} was last seen as of {}{after}",
                text(4)
            )));
        }
        if former {
            return Ok(Some(format!("place {uuid} is gone; its record {record} is in place {} now", text(0))));
        }
    }
    Ok(None)
}

/// What to say when a name names nothing.
fn unknown(name: &str, full: Option<(&str, &str)>, bridge: &Bridge, snapshot: &dyn Snapshot) -> String {
    let mut parts = vec![format!("the snapshot has no record or place `{name}`")];
    if let (None, Some((dataset, _))) = (full, name.split_once(':'))
        && dataset.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
    {
        parts[0] = format!("{}, and no source `{dataset}`", parts[0]);
        parts.push(format!("it has: {}", bridge.datasets.join(", ")));
    }
    let like = nearest(name, bridge);
    if !like.is_empty() {
        parts.push(format!("did you mean {}?", like.join(", ")));
    }
    let wanted = full.map(|(dataset, _)| dataset);
    let accounts = snapshot.manifest().sources.iter().filter(|account| wanted.is_none_or(|name| account.name == name));
    let left_out: Vec<String> = accounts.filter_map(left_out).collect();
    if !left_out.is_empty() {
        parts.push(format!("what a rule leaves out has no row ({})", left_out.join("; ")));
    }
    parts.push("sources.parquet lists the records, and rejects.parquet those that were refused".to_owned());
    parts.join("; ")
}

fn left_out(account: &SourceAccount) -> Option<String> {
    let rules: Vec<String> = account.left_out.iter().map(|(rule, count)| format!("{count} {rule}")).collect();
    (!rules.is_empty()).then(|| format!("{}: {}", account.name, rules.join(", ")))
}

/// Names like this one, best first: those that end in it (`2002` for `osm:node/2002`), then those written alike.
fn nearest(name: &str, bridge: &Bridge) -> Vec<String> {
    let mut like: Vec<(bool, f64, String)> = Vec::new();
    for full in bridge.names() {
        let ends = full.strip_suffix(name).is_some_and(|head| head.ends_with(['/', ':', '-', '.']));
        let id = full.split_once(':').map_or(full.as_str(), |(_, id)| id);
        let alike = strsim::jaro_winkler(name, &full).max(strsim::jaro_winkler(name, id));
        if ends || alike >= LIKE {
            like.push((ends, alike, full));
        }
    }
    like.sort_by(|x, y| (y.0, y.1).partial_cmp(&(x.0, x.1)).expect("a likeness is a number").then(x.2.cmp(&y.2)));
    like.into_iter().take(SUGGESTIONS).map(|(.., full)| full).collect()
}
