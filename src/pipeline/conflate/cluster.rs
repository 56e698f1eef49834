//! Cluster: from scored pairs to groups of records, one group per place.
//!
//! Best pair first; a pair unites two groups unless a person, a veto or a constraint keeps any of their members apart.
//!
//! - **One record per source and place**, but for a source's own duplicates, which are united before, and for numbered
//!   posts of a site of which another source has one record; and for what a source has from two providers.
//! - **No bridges**: two groups become one only if the evidence between all their records, summed, speaks for one place. So
//!   where A is like B and B like C, but A unlike C, the weaker tie is cut. The sum is what correlation clustering
//!   maximises: Bansal, Blum and Chawla 2004, *Machine Learning* 56:89.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::candidates::Pair;
use super::corpus::Corpus;
use super::decisions::Decision;
use super::features::Feature;
use super::model::{Models, log_odds};
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
    /// A bridge: the other records of their groups speak against one place.
    Bridge,
    /// Both belong to one place through other records.
    ThroughOthers,
    /// The site has one record here, and that source tells of it post by post.
    PostOfSite,
    /// Their source has it from two providers.
    TwoProviders,
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
            Self::Bridge => "other_records_speak_against_it",
            Self::ThroughOthers => "through_other_records",
            Self::PostOfSite => "numbered_post_of_the_site",
            Self::TwoProviders => "of_two_providers",
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
        let best_first = y.score.probability.total_cmp(&x.score.probability);
        let nearest_first = x.score.distance_m.total_cmp(&y.score.distance_m);
        same_source(y).cmp(&same_source(x)).then(best_first).then(nearest_first).then(x.pair.cmp(&y.pair))
    };
    matching.par_sort_unstable_by(best_first);
    let mut refused: FxHashMap<Pair, Reason> = FxHashMap::default();
    for candidate in matching {
        let (a, b) = candidate.pair;
        if groups.root(a) == groups.root(b) {
            continue;
        }
        if same_source(candidate) && groups.size(a) + groups.size(b) > MAX_SLIPS {
            refused.insert(candidate.pair, Reason::OnePerSource);
            continue;
        }
        let pairs = || groups.members(a).flat_map(|x| groups.members(b).map(move |y| (x, y)));
        if !same_source(candidate) && pairs().any(|(x, y)| records[x].dataset == records[y].dataset) {
            refused.insert(candidate.pair, Reason::OnePerSource);
        } else if pairs().any(|(x, y)| (x, y) != (a, b) && kept_apart(x, y)) {
            refused.insert(candidate.pair, Reason::GroupKeptApart);
        } else if !same_source(candidate) && !speak_for_one(pairs(), candidate, compared, forced) {
            refused.insert(candidate.pair, Reason::Bridge);
        } else {
            groups.unite(candidate.pair);
        }
    }

    // A source may tell of a site post by post. Posts that are left over, none of another record, go with the others:
    // one of them is a match, so the rest need not be told from a miss as surely. And it may have a site from two
    // providers: what is left over though it matches is the same site once more, where everything else agrees.
    let sites = compared.sites();
    let mut left_over: Vec<&Scored> = scored
        .iter()
        .filter(|scored| scored.score.veto.is_none() && !same_source(scored) && !forced.contains_key(&scored.pair))
        .filter(|scored| {
            let (a, b) = scored.pair;
            sites.is_shared(a) || sites.is_shared(b) || refused.get(&(a, b)) == Some(&Reason::OnePerSource)
        })
        .collect();
    left_over.sort_by(best_first);
    for candidate in left_over {
        let (a, b) = candidate.pair;
        if groups.root(a) == groups.root(b) {
            continue;
        }
        let pairs = || groups.members(a).flat_map(|x| groups.members(b).map(move |y| (x, y)));
        let of_one_source = |(x, y): &Pair| records[*x].dataset == records[*y].dataset;
        let all_fit = |is_same: &dyn Fn(Pair) -> bool| {
            pairs().all(|(x, y)| match forced.get(&(x.min(y), x.max(y))) {
                Some(decision) => *decision == Decision::Always,
                None if of_one_source(&(x, y)) => is_same((x, y)),
                None => !kept_apart(x, y),
            })
        };
        // A record that is numbered itself is one post of another source.
        let is_one_post = || compared.features((a, b)).get(Feature::SiteNumbers) == Some(0.0);
        if !pairs().any(|pair| of_one_source(&pair)) || is_one_post() {
            continue;
        }
        let is_match = candidate.score.probability >= match_score((a, b));
        if all_fit(&|(x, y)| sites.are_one(x, y)) {
            groups.unite((a, b));
            refused.insert((a, b), Reason::PostOfSite);
        } else if is_match
            && all_fit(&|(x, y)| sites.are_one(x, y) || compared.may_be_of_two_providers((x, y)))
            && speak_for_one(pairs(), candidate, compared, forced)
        {
            groups.unite((a, b));
            refused.insert((a, b), Reason::TwoProviders);
        }
    }

    let together = |(a, b): Pair| groups.root(a) == groups.root(b);
    let is_looked_at: Vec<Pair> = scored.iter().map(|scored| scored.pair).collect();
    let told = |Scored { pair, score }: Scored| {
        let decision = forced.get(&pair).copied();
        let is_match = score.probability >= match_score(pair);
        let (verdict, reason) = match (decision, score.veto, refused.get(&pair)) {
            (Some(Decision::Always), ..) => (Verdict::Match, Reason::Decision(Decision::Always)),
            (Some(Decision::Never), ..) => (Verdict::Miss, Reason::Decision(Decision::Never)),
            (None, None, Some(reason @ (Reason::PostOfSite | Reason::TwoProviders))) => (Verdict::Match, *reason),
            (_, veto, refused) if together(pair) && (!is_match || veto.is_some() || refused.is_some()) => {
                (Verdict::Match, Reason::ThroughOthers)
            }
            (None, Some(veto), _) => (Verdict::Miss, Reason::Veto(veto)),
            (None, None, Some(reason)) => (Verdict::Miss, *reason),
            (None, None, None) if is_match => (Verdict::Match, Reason::Score),
            (None, None, None) => (Verdict::Review, Reason::Score),
        };
        Link { pair, verdict, reason, score }
    };
    let mut links: Vec<Link> = scored.into_par_iter().map(told).collect();
    // A person may decide on pairs that no one compared.
    for (pair, decision) in forced.iter().filter(|(pair, _)| is_looked_at.binary_search(pair).is_err()) {
        let verdict = if *decision == Decision::Always { Verdict::Match } else { Verdict::Miss };
        let score = compared.score(*pair);
        links.push(Link { pair: *pair, verdict, reason: Reason::Decision(*decision), score });
    }
    links.par_sort_unstable_by_key(|link| link.pair);
    (groups.into_sorted(), links)
}

/// Most records of one source that are one place by its own slip: more on one spot are a default position, and would be
/// compared with each other at the square of their number.
const MAX_SLIPS: u32 = 64;

/// Log odds that one pair may bring into the sum, about seven to one: a clear miss stands against the surest match.
const MOST_SAID: f64 = 2.0;

/// Whether the evidence between two groups, given by all pairs of their records, speaks for one place. What a source tells
/// of a site more than once counts once, by the records that are most alike. What a person decided needs no evidence.
fn speak_for_one(
    pairs: impl Iterator<Item = Pair>,
    best: &Scored,
    compared: &Compared<'_>,
    forced: &BTreeMap<Pair, Decision>,
) -> bool {
    let sites = |(a, b): Pair| (compared.sites().first(a), compared.sites().first(b));
    let in_order = |(a, b): Pair| (a.min(b), a.max(b));
    let others = pairs.map(in_order).filter(|pair| *pair != best.pair && !forced.contains_key(pair));
    let mut of_sites = BTreeMap::from([(in_order(sites(best.pair)), best.score.probability)]);
    for pair in others {
        let of_pair = of_sites.entry(in_order(sites(pair))).or_insert(0.0);
        *of_pair = of_pair.max(compared.score(pair).probability);
    }
    let said = |probability: f64| log_odds(probability).clamp(-MOST_SAID, MOST_SAID);
    of_sites.len() == 1 || of_sites.into_values().map(said).sum::<f64>() > 0.0
}

/// Disjoint groups. The members of each are a ring, so that a group of one takes no memory of its own and two groups
/// become one by exchanging two links.
struct Groups {
    /// The record that stands for the group.
    root: Vec<u32>,
    /// The next member of the ring.
    next: Vec<u32>,
    /// Members of the group that a record stands for.
    size: Vec<u32>,
}

impl Groups {
    fn new(records: usize) -> Self {
        let each = || (0..records as u32).collect::<Vec<u32>>();
        Self { root: each(), next: each(), size: vec![1; records] }
    }

    fn root(&self, record: usize) -> usize {
        self.root[record] as usize
    }

    fn members(&self, record: usize) -> impl Iterator<Item = usize> {
        let next = move |at: &usize| Some(self.next[*at] as usize).filter(|next| *next != record);
        std::iter::successors(Some(record), next)
    }

    /// Members of a record's group.
    fn size(&self, record: usize) -> u32 {
        self.size[self.root(record)]
    }

    /// Joins the smaller group to the larger.
    fn unite(&mut self, (a, b): Pair) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (large, small) = if self.size[a] >= self.size[b] { (a, b) } else { (b, a) };
        let moved: Vec<usize> = self.members(small).collect();
        for record in moved {
            self.root[record] = large as u32;
        }
        self.size[large] += self.size[small];
        self.next.swap(large, small);
    }

    /// The groups by their first member, each sorted.
    fn into_sorted(self) -> Vec<Vec<usize>> {
        let mut is_told = vec![false; self.root.len()];
        let mut groups = Vec::new();
        for first in 0..self.root.len() {
            if std::mem::replace(&mut is_told[self.root(first)], true) {
                continue;
            }
            let mut group: Vec<usize> = self.members(first).collect();
            group.sort_unstable();
            groups.push(group);
        }
        groups
    }
}

#[cfg(test)]
mod tests;
