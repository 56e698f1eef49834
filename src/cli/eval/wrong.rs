//! The pairs that were judged wrongly, as CSV that a person goes through.

use super::Measured;
use crate::domain::Record;
use crate::pipeline::conflate::{Piece, Score};

/// What is told of each of the two records, behind `a_` or `b_`.
const RECORD: [&str; 9] =
    ["id", "name", "latitude", "longitude", "address", "postcode", "category", "operator", "brand"];

/// A row of the file.
pub(super) struct Wrong<'a> {
    pub(super) set: &'a str,
    pub(super) is_match: bool,
    /// What else is to be said, e.g. that the pair was no candidate.
    pub(super) remark: &'a str,
    pub(super) match_score: f64,
    pub(super) score: &'a Score,
    pub(super) records: [&'a Record; 2],
}

/// Every wrong pair of every set, the worst first: those whose score is furthest from the truth.
pub(super) fn csv(measured: &[Measured<'_>]) -> anyhow::Result<String> {
    let mut rows: Vec<(f64, Wrong<'_>)> = Vec::new();
    for set in measured {
        for ((score, judged), labelled) in set.scores.iter().zip(&set.set.labelled.pairs) {
            if (judged.score() >= set.model.match_score) == judged.is_match() {
                continue;
            }
            let (a, b) = labelled.pair;
            let records = &set.set.labelled.records;
            let row = Wrong {
                set: &set.set.name,
                is_match: judged.is_match(),
                remark: "",
                match_score: set.model.match_score,
                score,
                records: [&records[a], &records[b]],
            };
            rows.push(((judged.score() - f64::from(u8::from(judged.is_match()))).abs(), row));
        }
    }
    // Stable: equally wrong ones stay in the order of the labels.
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    written(rows.into_iter().map(|(_, row)| row))
}

/// The rows as CSV with a header.
pub(super) fn written<'a>(rows: impl Iterator<Item = Wrong<'a>>) -> anyhow::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> =
        ["set", "label", "remark", "score", "match_score", "veto", "distance_m"].map(str::to_owned).to_vec();
    header.extend(["a", "b"].iter().flat_map(|side| RECORD.iter().map(move |name| format!("{side}_{name}"))));
    header.push("evidence".to_owned());
    csv.write_record(&header)?;
    for Wrong { set, is_match, remark, match_score, score, records } in rows {
        let mut row = vec![
            set.to_owned(),
            if is_match { "match" } else { "miss" }.to_owned(),
            remark.to_owned(),
            format!("{:.4}", score.probability),
            format!("{match_score}"),
            score.veto.map_or(String::new(), |veto| veto.name().to_owned()),
            format!("{:.1}", score.distance_m),
        ];
        row.extend(records.into_iter().flat_map(about));
        row.push(score.pieces.iter().map(piece).collect::<Vec<_>>().join("; "));
        csv.write_record(&row)?;
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}

fn about(record: &Record) -> [String; RECORD.len()] {
    let (attributes, address) = (&record.attributes, &record.attributes.address);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let parts: Vec<&str> = [&address.street, &address.housenumber].into_iter().flatten().map(String::as_str).collect();
    [
        record.key.id.to_string(),
        text(&attributes.name),
        record.position.lat().to_string(),
        record.position.lon().to_string(),
        address.freeform.clone().unwrap_or_else(|| parts.join(" ")),
        text(&address.postcode),
        attributes.category.clone(),
        text(&attributes.operator),
        text(&attributes.brand),
    ]
}

/// `name 0.83 +2.10`; a missing value is left out.
fn piece((name, value, weight): &Piece) -> String {
    if value.is_nan() { format!("{name} {weight:+.2}") } else { format!("{name} {value} {weight:+.2}") }
}
