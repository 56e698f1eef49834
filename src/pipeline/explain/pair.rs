//! Pair: every feature of two records with its weight, what decided, and what else each might have been.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Run;
use super::bridge::Bridge;
use crate::domain::Cell;
use crate::pipeline::RunError;
use crate::pipeline::conflate::{Decision, Feature, Reason, Score, Uncompared, partners, probability};
use crate::pipeline::ports::Snapshot;
use crate::pipeline::tabulate::read_rows;
use crate::pipeline::tabulate::tables::LINKS;

/// Records further away than this are no rivals, in metres.
const RIVAL_M: f64 = 500.0;

/// Two records, and why they are one place or are not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairTold {
    /// The first record, `dataset:id`.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether both are in one place.
    pub together: bool,
    /// Whether the run kept this pair, and all of this is what it wrote; else it is computed now.
    pub kept: bool,
    /// Between the two, or their footprints, in metres.
    pub distance_m: f64,
    /// The model that compared them: `charging` or `places`.
    pub model: &'static str,
    /// Log odds of a pair of which nothing is known.
    pub intercept: f64,
    /// Every feature of the model, in the model's order.
    pub features: Vec<SeenFeature>,
    /// The sum of all weights.
    pub log_odds: f64,
    /// The probability that the two are one place.
    pub probability: f64,
    /// At least this is a match.
    pub match_score: f64,
    /// At least this is shown to a person.
    pub review_score: f64,
    /// `match`, `review` or `miss`; missing for a pair that the run did not keep.
    pub verdict: Option<String>,
    /// What decided, as `links.parquet` names it; missing for a pair that the run did not keep.
    pub reason: Option<String>,
    /// What decided, as a sentence.
    pub why: String,
    /// The veto that stands, whether or not it decided.
    pub veto: Option<String>,
    /// A person's verdict: `always` or `never`.
    pub decision: Option<&'static str>,
    /// The best other partner of the first record in the source of the other.
    pub rival_of_a: Option<Rival>,
    /// The best other partner of the other record in the source of the first.
    pub rival_of_b: Option<Rival>,
}

/// A feature of a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenFeature {
    /// Its published name.
    pub name: String,
    /// What it means.
    pub meaning: &'static str,
    /// Its value; missing where one of the two records is silent.
    pub value: Option<f64>,
    /// What it adds to the log odds.
    pub weight: f64,
}

/// What a record might have been instead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rival {
    /// The other partner, `dataset:id`.
    pub record: String,
    /// The probability that the two are one place, by the score alone.
    pub probability: f64,
    /// Between the two, in metres.
    pub distance_m: f64,
    /// Longitude of the other partner in degrees.
    pub lon: f64,
    /// Its latitude in degrees.
    pub lat: f64,
    /// What keeps the two apart whatever they score.
    pub veto: Option<String>,
    /// Whether the two are in one place.
    pub together: bool,
}

/// A row of `links.parquet`.
struct Kept {
    verdict: String,
    reason: String,
    score: f64,
    distance_m: f64,
    features: BTreeMap<String, (Option<f64>, f64)>,
}

/// The pairs that the run looked at closely, by the names of their records.
pub(super) struct Links {
    kept: BTreeMap<(String, String), Kept>,
}

impl Links {
    pub(super) fn read(snapshot: &dyn Snapshot) -> Result<Self, RunError> {
        let columns = [
            "dataset_a",
            "record_id_a",
            "dataset_b",
            "record_id_b",
            "verdict",
            "reason",
            "score",
            "distance_m",
            "features",
        ];
        let mut kept = BTreeMap::new();
        for row in read_rows(snapshot, &LINKS, &columns)? {
            let text = |at: usize| row[at].as_text().unwrap_or_default();
            let number = |cell: &Cell| if let Cell::Float(number) = cell { *number } else { f64::NAN };
            let features: BTreeMap<String, Value> = serde_json::from_str(text(8)).map_err(|error| {
                RunError::input("snapshot", format!("the features of {} in links.parquet: {error}", text(1)))
            })?;
            let pieces = features
                .into_iter()
                .map(|(name, piece)| (name, (piece["value"].as_f64(), piece["weight"].as_f64().unwrap_or_default())));
            let link = Kept {
                verdict: text(4).to_owned(),
                reason: text(5).to_owned(),
                score: number(&row[6]),
                distance_m: number(&row[7]),
                features: pieces.collect(),
            };
            kept.insert((format!("{}:{}", text(0), text(1)), format!("{}:{}", text(2), text(3))), link);
        }
        Ok(Self { kept })
    }

    fn get(&self, a: &str, b: &str) -> Option<&Kept> {
        let key = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        self.kept.get(&key(a, b)).or_else(|| self.kept.get(&key(b, a)))
    }

    /// The records through which decisions unite these two, both ends included, by the fewest decisions; `None` where they do not.
    fn decided_way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let always = || self.kept.iter().filter(|(_, kept)| decision(Some(&kept.reason)) == Some("always"));
        let mut ways: Vec<Vec<&str>> = vec![vec![from]];
        let mut seen: BTreeSet<&str> = BTreeSet::from([from]);
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = *way.last()?;
                if last == to {
                    return Some(way.into_iter().map(str::to_owned).collect());
                }
                let next = always().filter_map(|((a, b), _)| match () {
                    () if a == last => Some(b.as_str()),
                    () if b == last => Some(a.as_str()),
                    () => None,
                });
                longer.extend(next.filter(|next| seen.insert(next)).map(|next| [&way[..], &[next]].concat()));
            }
            ways = longer;
        }
        None
    }

    /// The pairs of a record, as indices into the bridge.
    fn of(&self, at: usize, bridge: &Bridge) -> Vec<(usize, usize)> {
        let own = bridge.full_name(at);
        let pairs = self.kept.keys().filter(|(a, b)| *a == own || *b == own);
        pairs.filter_map(|(a, b)| Some((bridge.find_full(a)?, bridge.find_full(b)?))).collect()
    }
}

/// The pairs of a record: those that the run kept, else the best that there is; one place first, then best first.
pub(super) fn of_record(at: usize, run: &Run<'_>) -> Vec<PairTold> {
    let Run { bridge, links, compared, .. } = *run;
    let mut pairs: Vec<PairTold> = links.of(at, bridge).into_iter().map(|(a, b)| tell(a, b, run)).collect();
    best_first(&mut pairs);
    if pairs.is_empty() {
        let best = partners(at, None, RIVAL_M, compared).into_iter().next();
        pairs.extend(best.map(|(other, _)| tell(at.min(other), at.max(other), run)));
    }
    pairs
}

/// The pairs of a place's records: those that the run kept, and those that only decisions on others unite against a veto.
pub(super) fn of_place(members: &[usize], run: &Run<'_>) -> Vec<PairTold> {
    let Run { bridge, links, compared, .. } = *run;
    let mut pairs: Vec<(usize, usize)> = members.iter().flat_map(|at| links.of(*at, bridge)).collect();
    for (rank, a) in members.iter().enumerate() {
        let overruled = members[rank + 1..].iter().map(|b| (*a, *b)).filter(|pair| {
            let way = || links.decided_way(&bridge.full_name(pair.0), &bridge.full_name(pair.1));
            compared.veto(*pair).is_some() && way().is_some()
        });
        pairs.extend(overruled);
    }
    pairs.sort_unstable();
    pairs.dedup();
    let mut told: Vec<PairTold> = pairs.into_iter().map(|(a, b)| tell(a, b, run)).collect();
    best_first(&mut told);
    told
}

fn best_first(pairs: &mut [PairTold]) {
    pairs.sort_by(|x, y| y.together.cmp(&x.together).then(y.log_odds.total_cmp(&x.log_odds)));
}

/// What there is to say of two records.
pub(super) fn tell(a: usize, b: usize, run: &Run<'_>) -> PairTold {
    let Run { bridge, links, compared, .. } = *run;
    let (name_a, name_b) = (bridge.full_name(a), bridge.full_name(b));
    let (model_name, model) = bridge.model(a, b);
    let now = compared.score((a, b));
    let kept = links.get(&name_a, &name_b);
    let seen: BTreeMap<String, (Option<f64>, f64)> = match kept {
        Some(kept) => kept.features.clone(),
        None => pieces(&now),
    };
    let feature = |feature: &Feature| {
        let (value, weight) = seen.get(feature.name()).copied().unwrap_or_default();
        SeenFeature { name: feature.name().to_owned(), meaning: feature.meaning(), value, weight }
    };
    // What is no feature of the model, the rivals, counts too.
    let of_model = model.curves.iter().map(|(of, _)| of);
    let others = Feature::ALL
        .iter()
        .filter(|of| seen.contains_key(of.name()) && !model.curves.iter().any(|(own, _)| own == *of));
    let features: Vec<SeenFeature> = of_model.chain(others).map(feature).collect();
    let intercept = seen.get("intercept").map_or(0.0, |(_, weight)| *weight);
    let log_odds = seen.values().map(|(_, weight)| weight).sum();
    let together = bridge.place_id(a) == bridge.place_id(b);
    let reason = kept.map(|kept| kept.reason.clone());
    let mut pair = PairTold {
        together,
        kept: kept.is_some(),
        distance_m: kept.map_or(now.distance_m, |kept| kept.distance_m),
        model: model_name,
        intercept,
        features,
        log_odds,
        probability: kept.map_or_else(|| probability(log_odds), |kept| kept.score),
        match_score: model.match_score,
        review_score: model.review_score,
        verdict: kept.map(|kept| kept.verdict.clone()),
        why: String::new(),
        veto: now.veto.map(|veto| veto.name().to_owned()),
        decision: decision(reason.as_deref()),
        reason,
        rival_of_a: rival(a, b, run),
        rival_of_b: rival(b, a, run),
        a: name_a,
        b: name_b,
    };
    pair.why = why(&pair, a, b, run);
    pair
}

fn pieces(score: &Score) -> BTreeMap<String, (Option<f64>, f64)> {
    let pieces = score.pieces.iter();
    pieces
        .map(|(name, value, weight)| ((*name).to_owned(), (Some(*value).filter(|value| !value.is_nan()), *weight)))
        .collect()
}

fn decision(reason: Option<&str>) -> Option<&'static str> {
    let named = |decision| reason == Some(Reason::Decision(decision).name());
    match () {
        () if named(Decision::Always) => Some("always"),
        () if named(Decision::Never) => Some("never"),
        () => None,
    }
}

/// The best partner of `record` in the source of `partner`, but for `partner` itself.
fn rival(record: usize, partner: usize, run: &Run<'_>) -> Option<Rival> {
    let Run { bridge, links, compared, .. } = *run;
    let found = partners(record, Some(bridge.dataset(partner)), RIVAL_M, compared);
    let (at, score) = found.into_iter().find(|(at, _)| *at != partner)?;
    let kept = links.get(&bridge.full_name(record), &bridge.full_name(at));
    let (lon, lat) = bridge.position(at);
    Some(Rival {
        record: bridge.full_name(at),
        lon,
        lat,
        probability: kept.map_or(score.probability, |kept| kept.score),
        distance_m: score.distance_m,
        veto: score.veto.map(|veto| veto.name().to_owned()),
        together: bridge.place_id(at) == bridge.place_id(record),
    })
}

/// A published name as words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// What decided, as a sentence.
fn why(pair: &PairTold, a: usize, b: usize, run: &Run<'_>) -> String {
    let bridge = run.bridge;
    let PairTold { match_score, review_score, probability, together, .. } = *pair;
    if let (true, None, Some(veto)) = (together, pair.decision, &pair.veto)
        && let Some(way) = run.links.decided_way(&pair.a, &pair.b)
    {
        return format!(
            "a person's decisions unite them through others ({}), though a veto keeps the two apart: {}",
            way.join(", "),
            words(veto)
        );
    }
    let Some((verdict, reason)) = pair.verdict.as_deref().zip(pair.reason.as_deref()) else {
        return match &pair.veto {
            _ if together => "other records hold both in it; the run kept no row of this pair".to_owned(),
            Some(veto) => format!("vetoed: {}", words(veto)),
            None if probability >= review_score => {
                let why = match (run.uncompared)((a, b)) {
                    Some(Uncompared::OtherKind) => "things of these kinds are never compared",
                    Some(Uncompared::OutOfReach) => "they are out of each other's radius",
                    Some(Uncompared::Crowded) => {
                        "they stand in a crowd: so many others are nearer to each that the run did not compare the two"
                    }
                    None => "the run kept no row of this pair",
                };
                format!("the score is at least review_score, {review_score}, but {why}")
            }
            None => format!("the score is below review_score, {review_score}"),
        };
    };
    if let Some(decision) = pair.decision {
        let alone = match (&pair.veto, probability) {
            (Some(veto), _) => format!("a veto would have kept them apart: {}", words(veto)),
            (None, score) if score >= match_score => "the score alone would be a match".to_owned(),
            (None, score) if score >= review_score => "the score alone would be a case for review".to_owned(),
            (None, _) => "the score alone would be a miss".to_owned(),
        };
        return format!("a person decided: {decision}; {alone}");
    }
    let is = |expected: Reason| reason == expected.name();
    match verdict {
        "match" if is(Reason::Score) => format!("the score is at least match_score, {match_score}"),
        "review" if is(Reason::Score) => {
            format!(
                "the score is at least review_score, {review_score}, but below match_score, {match_score}: a person should look"
            )
        }
        _ if is(Reason::ThroughOthers) => "other records hold both in it; this pair alone is no match".to_owned(),
        _ if is(Reason::PostOfSite) => {
            format!("the score is at least review_score, {review_score}, and other posts of the same site are in it")
        }
        _ if is(Reason::TwoProviders) => {
            "the score is a match, and a source has the place from two providers, of whom this is the second".to_owned()
        }
        _ if is(Reason::OnePerSource) => {
            let taken = partner(a, b, bridge).or_else(|| partner(b, a, bridge));
            let taken = taken.map_or(String::new(), |(of, by)| format!(": {of} is one with {by}"));
            format!("one of the two has a better partner in the other's source{taken}")
        }
        _ if is(Reason::GroupKeptApart) => {
            let apart = kept_apart(a, b, run);
            let apart = apart.map_or(String::new(), |(x, y, why)| format!(": {x} and {y}, {why}"));
            format!("other records of their places are kept apart{apart}")
        }
        _ if is(Reason::Bridge) => {
            "the two alone are a match, but the other records of their places speak against one place".to_owned()
        }
        _ => format!("{verdict}, vetoed: {}", words(reason)),
    }
}

/// The record of `b`'s source that `a`'s place has, if any.
fn partner(a: usize, b: usize, bridge: &Bridge) -> Option<(String, String)> {
    let members = bridge.members(bridge.place_id(a));
    let at = members.into_iter().find(|at| *at != a && bridge.dataset(*at) == bridge.dataset(b))?;
    Some((bridge.full_name(a), bridge.full_name(at)))
}

/// Two records of the places of these that a veto or a person keeps apart.
fn kept_apart(a: usize, b: usize, run: &Run<'_>) -> Option<(String, String, String)> {
    let Run { bridge, links, compared, .. } = *run;
    let (of_a, of_b) = (bridge.members(bridge.place_id(a)), bridge.members(bridge.place_id(b)));
    let pairs = of_a.iter().flat_map(|x| of_b.iter().map(move |y| (*x.min(y), *x.max(y))));
    pairs.filter(|(x, y)| x != y).find_map(|(x, y)| {
        let (name_x, name_y) = (bridge.full_name(x), bridge.full_name(y));
        let decided = links.get(&name_x, &name_y).and_then(|kept| decision(Some(&kept.reason)));
        let why = match decided {
            Some("never") => "a person decided: never".to_owned(),
            Some(_) => return None,
            None => words(compared.veto((x, y))?.name()),
        };
        Some((name_x, name_y, why))
    })
}
