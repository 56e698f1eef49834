//! Review: ask a person about the pairs that a run could not decide, in the file where the person decides.

use super::conflate::{Link, UnderReview, Verdict, update};
use super::identify::Night;
use super::{Ports, RunError};
use crate::domain::Record;

/// Brings the decisions file up to what is under review, or says how to have one.
///
/// The file is read again, because a person may have written to it while the run was at work.
pub(super) fn ask(night: &Night, ports: &Ports<'_>) -> Result<(), RunError> {
    let under_review: Vec<&Link> = night.links.iter().filter(|link| link.verdict == Verdict::Review).collect();
    let Some(file) = ports.decisions else {
        if !under_review.is_empty() {
            ports.observer.note(&format!(
                "{} under review and kept apart until decided; to decide, name a file in the pipeline file, e.g. \
                 conflate.decisions = \"decisions.csv\": a run lists them there, and `always` or `never` in the column \
                 `decision` holds from the next run on",
                pairs_are(under_review.len())
            ));
        }
        return Ok(());
    };
    let kinds: Vec<&str> = ports.feeds.iter().map(|feed| feed.source.kind()).collect();
    let told = |link: &Link| {
        let pair = [night.records.read(link.pair.0)?, night.records.read(link.pair.1)?];
        let named = |record: &Record| (night.datasets[record.key.dataset].clone(), record.key.id.to_string());
        Ok(UnderReview {
            pair: pair.each_ref().map(named),
            score: link.score.probability,
            distance_m: link.score.distance_m,
            names: pair.each_ref().map(called),
            links: pair.each_ref().map(|record| address(record, kinds[record.key.dataset])),
        })
    };
    let pairs = under_review.into_iter().map(told).collect::<Result<Vec<_>, RunError>>()?;
    let before = file.read()?;
    let updated = match update(&before, &pairs) {
        Ok(updated) => updated,
        Err(error) => {
            let location = file.location();
            ports.observer.note(&format!("{location} was changed during the run and stays as it is: {error}"));
            return Ok(());
        }
    };
    if updated.text != before {
        file.replace(&updated.text)?;
    }
    if updated.open > 0 {
        ports.observer.note(&format!(
            "{} under review, {} new; write `always` or `never` in the column `decision` of {}",
            pairs_are(updated.open),
            updated.added,
            file.location()
        ));
    }
    Ok(())
}

fn pairs_are(count: usize) -> String {
    if count == 1 { "1 pair is".to_owned() } else { format!("{count} pairs are") }
}

/// What a person knows the record by.
fn called(record: &Record) -> String {
    let about = &record.attributes;
    let known = about.name.as_ref().or(about.operator.as_ref()).or(about.brand.as_ref());
    known.unwrap_or(&about.category).clone()
}

/// Where the record can be looked at: at its source, where that has a page per record, else its position on a map.
fn address(record: &Record, kind: &str) -> String {
    let id = record.key.id.as_str();
    match kind {
        "osm_pbf" => format!("https://www.openstreetmap.org/{id}"),
        "open_charge_map" => format!("https://openchargemap.org/site/poi/details/{id}"),
        _ => {
            let (lat, lon) = (record.position.lat(), record.position.lon());
            format!("https://www.openstreetmap.org/?mlat={lat:.6}&mlon={lon:.6}#map=19/{lat:.6}/{lon:.6}")
        }
    }
}
