//! Calibration: whether of the pairs that the shipped model gives 0.8, eight in ten are one station.
//!
//! Every pair that a run compares between two sources is scored anew from the evidence that the snapshot keeps, and held
//! against the truth; where that is told by ids and numbers of devices, these are hidden first. A pair that a veto keeps
//! apart scores 0.

use std::collections::BTreeMap;

use poimill::domain::Taxonomy;
use poimill::pipeline::conflate::{Compared, Corpus, Evidence, Models, candidates};
use poimill::pipeline::evaluate::{Calibration, Judged};
use poimill::pipeline::ports::Snapshot;
use poimill::pipeline::tabulate::{read_rows, tables};
/// A record: its source, its id there, and what of it is compared.
pub(crate) struct Seen {
    pub(crate) source: String,
    pub(crate) id: String,
    pub(crate) evidence: Evidence,
}

/// The records of a snapshot.
pub(crate) fn seen(snapshot: &dyn Snapshot) -> Vec<Seen> {
    let rows = read_rows(snapshot, &tables::SOURCES, &["dataset", "record_id", "evidence"]).expect("rows");
    let mut datasets: BTreeMap<String, usize> = BTreeMap::new();
    let seen = rows.iter().map(|row| {
        let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
        let mut evidence: Evidence = serde_json::from_str(&text(2)).expect("evidence is as it was kept");
        let next = datasets.len();
        evidence.dataset = *datasets.entry(text(0)).or_insert(next);
        Seen { source: text(0), id: text(1), evidence }
    });
    seen.collect()
}

/// How well calibrated the shipped model is on all pairs of two sources of which `is_one` knows whether they are one place.
pub(crate) fn calibration(
    seen: &[Seen],
    taxonomy: &Taxonomy,
    is_one: impl Fn(usize, usize) -> Option<bool>,
) -> (Vec<Judged>, Calibration) {
    let hidden = seen.iter().map(|record| Evidence {
        ids: Vec::new(),
        reference: None,
        dataset: record.evidence.dataset,
        ..record.evidence.clone()
    });
    let (corpus, models) = (Corpus::of(hidden), Models::shipped());
    let compared = Compared::of(&corpus, &models, &candidates(&corpus, taxonomy));
    let mut judged = Vec::new();
    for (a, b) in candidates(&corpus, taxonomy) {
        if seen[a].source == seen[b].source {
            continue;
        }
        if let Some(is_match) = is_one(a, b) {
            let score = compared.score((a, b));
            let probability = if score.veto.is_some() { 0.0 } else { score.probability };
            judged.push(Judged::new(probability, is_match).expect("a model gives probabilities"));
        }
    }
    let told = Calibration::of(&judged);
    (judged, told)
}
