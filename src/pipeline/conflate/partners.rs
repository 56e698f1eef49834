//! Partners: what else a record might have been, for a person who asks.

use super::score::{Compared, Score};

/// How a record compares with those of one source, or of all sources but its own, within `radius_m` of it; best first.
///
/// Those that share an id with it are among them at any distance. Looks at every record: made for a question, not for a run.
#[must_use]
pub fn partners(record: usize, dataset: Option<usize>, radius_m: f64, compared: &Compared<'_>) -> Vec<(usize, Score)> {
    let corpus = compared.corpus();
    let asked = &corpus.records[record];
    let wanted = |of: u16| dataset.map_or(of != asked.dataset, |dataset| of as usize == dataset);
    let near = corpus.records.iter().enumerate().filter(|(at, other)| {
        *at != record
            && wanted(other.dataset)
            && corpus.related(asked, other)
            && (asked.distance(other).0 <= radius_m || corpus.share(asked.ids, other.ids))
    });
    let mut found: Vec<(usize, Score)> = near.map(|(at, _)| (at, compared.score((record, at)))).collect();
    found.sort_by(|(at_x, x), (at_y, y)| {
        let order = y.probability.total_cmp(&x.probability).then(x.distance_m.total_cmp(&y.distance_m));
        order.then(at_x.cmp(at_y))
    });
    found
}
