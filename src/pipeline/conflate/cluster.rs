//! Cluster: from scored pairs to groups of records, one group per place.
//!
//! Best pair first; a pair unites two groups unless a person, a veto or a constraint keeps any of their members apart.
//! The constraint: one record per source and place, but for a source's own duplicates, which are united before, and for
//! numbered posts of a site of which another source has one record.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::candidates::Pair;
use super::corpus::Corpus;
use super::decisions::Decision;
use super::features::Feature;
use super::model::Models;
use super::score::{self, Compared, Score, Scored};
use super::veto;

/// What a pair of records turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// One place: merged.
    Match,
    /// Unclear: kept apart and shown to a person.
    Review,
    /// Two places.
    Miss,
}

impl Verdict {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Review => "review",
            Self::Miss => "miss",
        }
    }
}

/// What decided on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The score alone.
    Score,
    /// A veto.
    Veto(veto::Veto),
    /// One of the two already had a better partner of the other's source.
    OnePerSource,
    /// Other records of their groups are kept apart.
    GroupKeptApart,
    /// Both belong to one place through other records.
    ThroughOthers,
    /// The site has one record here, and that source tells of it post by post.
    PostOfSite,
    /// A person.
    Decision(Decision),
}

impl Reason {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Veto(veto) => veto.name(),
            Self::OnePerSource => "better_partner_of_the_same_source",
            Self::GroupKeptApart => "other_records_kept_apart",
            Self::ThroughOthers => "through_other_records",
            Self::PostOfSite => "numbered_post_of_the_site",
            Self::Decision(Decision::Always) => "decision_always",
            Self::Decision(Decision::Never) => "decision_never",
        }
    }
}

/// A pair that was looked at closely.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Indices of the two records, the smaller first.
    pub pair: (usize, usize),
    /// What they turned out to be.
    pub verdict: Verdict,
    /// What decided.
    pub reason: Reason,
    /// How they compare.
    pub score: Score,
}

/// Groups of records, each sorted, by their first; and the pairs worth a row.
pub(super) fn of(
    corpus: &Corpus,
    models: &Models,
    compared: &Compared<'_>,
    forced: &BTreeMap<Pair, Decision>,
) -> (Vec<Vec<usize>>, Vec<Link>) {
    let records = &corpus.records;
    let scored = compared.worth_a_look();
    let match_score = |pair: Pair| models.of_pair(pair, corpus).match_score;
    let review_score = |pair: Pair| models.of_pair(pair, corpus).review_score;
    let mut groups = Groups::new(records.len());
    for (pair, _) in forced.iter().filter(|(_, decision)| **decision == Decision::Always) {
        groups.unite(*pair);
    }
    let kept_apart = |a: usize, b: usize| {
        let pair = (a.min(b), a.max(b));
        match forced.get(&pair) {
            Some(decision) => *decision == Decision::Never,
            None => score::veto(pair, corpus).is_some(),
        }
    };

    let mut matching: Vec<&Scored> = scored
        .iter()
        .filter(|scored| scored.score.probability >= match_score(scored.pair) && scored.score.veto.is_none())
        .filter(|scored| !forced.contains_key(&scored.pair))
        .collect();
    // A source's own duplicates first, then best first; equal scores by distance, then by record.
    let same_source = |scored: &Scored| records[scored.pair.0].dataset == records[scored.pair.1].dataset;
    let best_first = |x: &&Scored, y: &&Scored| {
        (Reverse(same_source(x)), y.score.probability, x.score.distance_m, x.pair)
            .partial_cmp(&(Reverse(same_source(y)), x.score.probability, y.score.distance_m, y.pair))
            .expect("scores and distances are numbers")
    };
    matching.sort_by(best_first);
    let mut refused: BTreeMap<Pair, Reason> = BTreeMap::new();
    for candidate in matching {
        let (a, b) = candidate.pair;
        if groups.root(a) == groups.root(b) {
            continue;
        }
        let pairs = || groups.members(a).iter().flat_map(|x| groups.members(b).iter().map(move |y| (*x, *y)));
        if !same_source(candidate) && pairs().any(|(x, y)| records[x].dataset == records[y].dataset) {
            refused.insert(candidate.pair, Reason::OnePerSource);
        } else if pairs().any(|(x, y)| kept_apart(x, y)) {
            refused.insert(candidate.pair, Reason::GroupKeptApart);
        } else {
            groups.unite(candidate.pair);
        }
    }

    // A source may tell of a site post by post. Posts that are left over, none of another record, go with the others:
    // one of them is a match, so the rest need not be told from a miss as surely.
    let sites = compared.sites();
    let mut left_over: Vec<&Scored> = scored
        .iter()
        .filter(|scored| scored.score.veto.is_none() && !same_source(scored) && !forced.contains_key(&scored.pair))
        .filter(|scored| sites.is_shared(scored.pair.0) || sites.is_shared(scored.pair.1))
        .collect();
    left_over.sort_by(best_first);
    for (a, b) in left_over.into_iter().map(|candidate| candidate.pair) {
        if groups.root(a) == groups.root(b) {
            continue;
        }
        let pairs = || groups.members(a).iter().flat_map(|x| groups.members(b).iter().map(move |y| (*x, *y)));
        let of_one_source = |(x, y): &Pair| records[*x].dataset == records[*y].dataset;
        let fits = |(x, y): Pair| match forced.get(&(x.min(y), x.max(y))) {
            Some(decision) => *decision == Decision::Always,
            None if of_one_source(&(x, y)) => sites.are_one(x, y),
            None => !kept_apart(x, y),
        };
        // A record that is numbered itself is one post of another source.
        let is_one_post = || compared.features((a, b)).get(Feature::SiteNumbers) == Some(0.0);
        if pairs().any(|pair| of_one_source(&pair)) && pairs().all(fits) && !is_one_post() {
            groups.unite((a, b));
            refused.insert((a, b), Reason::PostOfSite);
        }
    }

    let together = |(a, b): Pair| groups.root(a) == groups.root(b);
    let mut links: Vec<Link> = Vec::new();
    for Scored { pair, score } in &scored {
        let decision = forced.get(pair).copied();
        if decision.is_none() && score.probability < review_score(*pair) {
            continue;
        }
        let is_match = score.probability >= match_score(*pair);
        let (verdict, reason) = match (decision, score.veto, refused.get(pair)) {
            (Some(Decision::Always), ..) => (Verdict::Match, Reason::Decision(Decision::Always)),
            (Some(Decision::Never), ..) => (Verdict::Miss, Reason::Decision(Decision::Never)),
            (None, None, Some(Reason::PostOfSite)) => (Verdict::Match, Reason::PostOfSite),
            _ if together(*pair) && (!is_match || score.veto.is_some()) => (Verdict::Match, Reason::ThroughOthers),
            (None, Some(veto), _) => (Verdict::Miss, Reason::Veto(veto)),
            (None, None, Some(reason)) => (Verdict::Miss, *reason),
            (None, None, None) if is_match => (Verdict::Match, Reason::Score),
            (None, None, None) => (Verdict::Review, Reason::Score),
        };
        // A decided pair may have scored too low to keep its pieces.
        let score = if decision.is_some() { compared.score(*pair) } else { score.clone() };
        links.push(Link { pair: *pair, verdict, reason, score });
    }
    // A person may decide on pairs that no one compared.
    let looked_at = |pair: &Pair| scored.binary_search_by(|scored| scored.pair.cmp(pair)).is_ok();
    for (pair, decision) in forced.iter().filter(|(pair, _)| !looked_at(pair)) {
        let verdict = if *decision == Decision::Always { Verdict::Match } else { Verdict::Miss };
        let score = compared.score(*pair);
        links.push(Link { pair: *pair, verdict, reason: Reason::Decision(*decision), score });
    }
    links.sort_by_key(|link| link.pair);
    (groups.into_sorted(), links)
}

/// Disjoint groups with their members, the smaller joined to the larger.
struct Groups {
    root: Vec<usize>,
    members: Vec<Vec<usize>>,
}

impl Groups {
    fn new(records: usize) -> Self {
        Self { root: (0..records).collect(), members: (0..records).map(|at| vec![at]).collect() }
    }

    fn root(&self, record: usize) -> usize {
        self.root[record]
    }

    fn members(&self, record: usize) -> &[usize] {
        &self.members[self.root[record]]
    }

    fn unite(&mut self, (a, b): Pair) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (large, small) = if self.members[a].len() >= self.members[b].len() { (a, b) } else { (b, a) };
        let moved = std::mem::take(&mut self.members[small]);
        for record in &moved {
            self.root[*record] = large;
        }
        self.members[large].extend(moved);
    }

    fn into_sorted(self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = self.members.into_iter().filter(|group| !group.is_empty()).collect();
        for group in &mut groups {
            group.sort_unstable();
        }
        groups.sort_unstable();
        groups
    }
}

#[cfg(test)]
mod tests;
