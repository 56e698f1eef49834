//! Explain: why records of a snapshot are one place, or are not.
//!
//! - **In**: the tables of one snapshot and the models in its manifest; no input, no pipeline file.
//! - **Out**: what the run wrote, where it kept a row; what is computed now from the evidence of all records, and says so.
//! - **Cost**: the records of the snapshot are compared as in a run, because what a feature counts depends on all of them.

mod bridge;
mod name;
mod pair;
mod place;

use serde::Serialize;
use serde_json::Value;

use super::RunError;
use super::conflate::{Compared, Uncompared, candidates, uncompared};
use super::ports::Snapshot;
use crate::domain::Taxonomy;
use bridge::Bridge;
use name::{Named, resolve};
use pair::Links;

pub use pair::{PairTold, Rival, SeenFeature};
pub use place::{ConflictTold, PlaceTold, ProvenanceTold, RowTold};

/// What there is to say of what was asked.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The snapshot's id.
    pub snapshot: String,
    /// Version of poimill that made it.
    pub made_by: String,
    /// What was asked for: `pair`, `record` or `place`.
    pub asked: &'static str,
    /// What a reader should know first, a sentence each.
    pub notes: Vec<String>,
    /// Records asked for that are in no place: rejected, or gone.
    pub absent: Vec<Absent>,
    /// The place, where one was asked for.
    pub place: Option<PlaceTold>,
    /// The records that were asked for and those they were compared with.
    pub records: Vec<RecordTold>,
    /// Pairs of them: those that are one place first, then best first.
    pub pairs: Vec<PairTold>,
}

/// A record that is in no place of the snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Absent {
    /// The record, `dataset:id`.
    pub record: String,
    /// `rejected` or `gone`.
    pub state: &'static str,
    /// The reject's code.
    pub code: Option<String>,
    /// Why, as a sentence.
    pub message: String,
}

/// A record as the snapshot keeps it.
#[derive(Debug, Clone, Serialize)]
pub struct RecordTold {
    /// `dataset:id`.
    pub record: String,
    /// The place that it belongs to.
    pub place_id: String,
    /// What it is.
    pub category: String,
    /// Its own name.
    pub name: Option<String>,
    /// Longitude in degrees.
    pub lon: f64,
    /// Latitude in degrees.
    pub lat: f64,
    /// West, south, east, north of the footprint, in degrees.
    pub extent: Option<[f64; 4]>,
    /// When its source last changed it.
    pub update_time: Option<String>,
    /// Its licence, as its source names it.
    pub license: Option<String>,
    /// Repairs made to it, by name.
    pub repairs: Vec<String>,
    /// Records of the same source that are parts of it, `dataset:id`.
    pub parts: Vec<String>,
    /// What conflation compares of it.
    pub evidence: Value,
}

/// The run that is explained: what it kept, and its records compared again.
struct Run<'r> {
    bridge: &'r Bridge,
    links: &'r Links,
    compared: &'r Compared<'r>,
    /// Why the run did not compare two records; `None` where it did.
    uncompared: &'r dyn Fn((usize, usize)) -> Option<Uncompared>,
}

/// Explains two records, one record, or one place.
///
/// Records are named `dataset:id`, or by the id alone where that is enough; places by their UUID.
///
/// # Errors
///
/// [`RunError::Settings`] when a name names nothing or several things; [`RunError::Input`] when the snapshot was made by a
/// version whose evidence or models are not read any more.
pub fn explain(
    snapshot: &dyn Snapshot,
    taxonomy: &Taxonomy,
    a: &str,
    b: Option<&str>,
) -> Result<Explanation, RunError> {
    let manifest = snapshot.manifest();
    let bridge = Bridge::read(snapshot)?;
    let links = Links::read(snapshot)?;
    // What a pair scores depends on the rivals of both, and what those score on theirs.
    let candidates = candidates(&bridge.corpus, taxonomy);
    let compared = Compared::of(&bridge.corpus, &bridge.models, &candidates);
    let run = Run {
        bridge: &bridge,
        links: &links,
        compared: &compared,
        uncompared: &|pair| uncompared(pair, &candidates, &bridge.corpus, taxonomy),
    };
    let mut told = Explanation {
        snapshot: manifest.snapshot.clone(),
        made_by: manifest.versions.poimill.clone(),
        asked: if b.is_some() { "pair" } else { "record" },
        notes: Vec::new(),
        absent: Vec::new(),
        place: None,
        records: Vec::new(),
        pairs: Vec::new(),
    };
    let mut named = Vec::new();
    for name in std::iter::once(a).chain(b) {
        match resolve(name, &bridge, snapshot)? {
            Named::Record { at, note } => {
                told.notes.extend(note);
                named.push(at);
            }
            Named::Absent(absent) => told.absent.push(absent),
            Named::Place(place) if b.is_none() => {
                told.asked = "place";
                told.place = Some(place::tell(&place, &bridge, snapshot)?);
                let members = bridge.members(&place);
                told.pairs = pair::of_place(&members, &run);
                named = members;
            }
            Named::Place(_) => {
                let message = format!("`{name}` is a place; name two records, or one place alone");
                return Err(RunError::settings(message));
            }
        }
    }
    match (told.asked, named.as_slice()) {
        ("pair", [a, b]) if a == b => {
            let message = format!("`{}` is one record under two names; name two records", bridge.full_name(*a));
            return Err(RunError::settings(message));
        }
        ("pair", [a, b]) => told.pairs.push(pair::tell(*a, *b, &run)),
        ("record", [a]) => {
            told.pairs = pair::of_record(*a, &run);
            if told.pairs.iter().all(|pair| !pair.kept) {
                told.notes.push("no other record scored high enough to be looked at closely".to_owned());
            }
        }
        _ => {}
    }
    let partners = told.pairs.iter().flat_map(|pair| [&pair.a, &pair.b]).filter_map(|name| bridge.find_full(name));
    for at in partners {
        if !named.contains(&at) {
            named.push(at);
        }
    }
    told.records = named.iter().map(|at| bridge.tell(*at)).collect();
    Ok(told)
}
