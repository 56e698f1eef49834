//! Gate: when a night is broken and must not be published.
//!
//! Every threshold has a default that no normal night reaches, and can be switched off. What is small is judged by the
//! whole only: a share of fewer rows than [`FEW`] says nothing, unless the pipeline file states a threshold for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::checks::{About, Check, Outcome};
use super::observe::{Observed, SourceSeen, Tally, layer_tally};
use crate::domain::Timestamp;
use crate::pipeline::diff::layers::LayerDiff;

/// Rows from which on a share is judged that the pipeline file says nothing of. Two of seven cafés may close.
const FEW: u64 = 20;

/// What becomes of a night that does not pass a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is held back.
    Hold,
    /// It is published, and a person is told.
    Warn,
    /// Nothing: the check is switched off.
    Ignore,
}

/// A largest share in `[0, 1]`, and from how many rows on it is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The largest share; 1 switches it off.
    pub max: f64,
    /// Fewest rows that it is judged on.
    pub from: u64,
}

impl Share {
    /// A share that the pipeline file states: judged on any row.
    #[must_use]
    pub const fn stated(max: f64) -> Self {
        Self { max, from: 1 }
    }

    const fn of_many(max: f64) -> Self {
        Self { max, from: FEW }
    }
}

/// When a night is broken and must not be published. The `[gate]` table of a pipeline file.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Largest share of the base's places that may be gone, removed or merged into others, and of the rows of each layer, in
    /// `[0, 1]`.
    pub max_removed_share: f64,
    /// Fewest places.
    pub min_rows: u64,
    /// Largest share of the base's places that may stand elsewhere.
    pub max_moved_share: Share,
    /// How far a place has moved that stands elsewhere, in metres.
    pub moved_m: f64,
    /// Largest share of the objects of a source that may be rejected, of those rejected or kept.
    pub max_rejects_share: Share,
    /// What becomes of a night in which a source gives no record, and gave some before.
    pub missing_source: Action,
    /// What becomes of a night in which a source is older than it was before.
    pub older_vintage: Action,
    /// What is stated of sources, by name.
    pub sources: BTreeMap<String, SourceGate>,
    /// What is stated of categories, by name.
    pub categories: BTreeMap<String, RowsGate>,
}

/// Thresholds on rows of one kind; `None` where nothing is stated.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RowsGate {
    /// Fewest rows.
    pub min_rows: Option<u64>,
    /// Largest share of the rows of the base that may be gone.
    pub max_removed_share: Option<f64>,
    /// Largest share of the rows of the base that may stand elsewhere.
    pub max_moved_share: Option<f64>,
}

/// Thresholds on a source; `None` where those of the pipeline count.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SourceGate {
    /// Those on its records.
    pub records: RowsGate,
    /// Largest share of rejected objects.
    pub max_rejects_share: Option<f64>,
    /// As in [`Gate`].
    pub missing_source: Option<Action>,
    /// As in [`Gate`].
    pub older_vintage: Option<Action>,
}

/// Largest share of the records of one source, or of the places of one category, that may be gone where nothing is
/// stated. A source may be cleaned up and a category renamed; that half of one goes overnight is a broken input.
const PART_REMOVED: Share = Share::of_many(0.5);

impl Default for Gate {
    /// A fifth of all places do not vanish overnight, nor do they move; a region has at least one. Half of what a source
    /// offers is not refused unless its format changed. A source that gave records gives some. An older input is most
    /// often a mirror that lags, but also what a person does on purpose, so it is only told.
    fn default() -> Self {
        Self {
            max_removed_share: 0.2,
            min_rows: 1,
            max_moved_share: Share::of_many(0.2),
            moved_m: 25.0,
            max_rejects_share: Share::of_many(0.5),
            missing_source: Action::Hold,
            older_vintage: Action::Warn,
            sources: BTreeMap::new(),
            categories: BTreeMap::new(),
        }
    }
}

/// What a check is about and where its threshold stands.
struct Subject {
    about: About,
    /// The table in the pipeline file.
    table: String,
    /// How its rows are called, e.g. `places`, ``records of source `osm` ``.
    rows: String,
}

impl Subject {
    fn places() -> Self {
        Self { about: About::Places, table: "gate".to_owned(), rows: "places".to_owned() }
    }

    fn source(name: &str) -> Self {
        let rows = format!("records of source `{name}`");
        Self { about: About::Source(name.to_owned()), table: format!("gate.source.{name}"), rows }
    }

    fn category(name: &str) -> Self {
        let rows = format!("places of category `{name}`");
        Self { about: About::Category(name.to_owned()), table: format!("gate.category.{name}"), rows }
    }

    fn layer(name: &str) -> Self {
        let rows = format!("rows of layer `{name}`");
        Self { about: About::Layer(name.to_owned()), table: "gate".to_owned(), rows }
    }

    fn check(&self, kind: &str, key: &str, action: Action, broken: bool, told: String) -> Check {
        let outcome = match action {
            Action::Hold if broken => Outcome::Fail,
            Action::Warn if broken => Outcome::Warn,
            _ => Outcome::Pass,
        };
        Check {
            name: Check::name_of(&self.about, kind),
            outcome,
            told,
            value: None,
            threshold: None,
            key: format!("{}.{key}", self.table),
            counts: BTreeMap::new(),
            about: self.about.clone(),
            judged: action != Action::Ignore,
            holds: action == Action::Hold,
            rule: kind.to_owned(),
        }
    }

    fn least(&self, rows: u64, min: u64) -> Check {
        let key = format!("{}.min_rows = {min}", self.table);
        let told = if rows < min {
            format!("{rows} {}, fewer than {key}", self.rows)
        } else {
            format!("{rows} {}; {key}", self.rows)
        };
        Check {
            value: Some(rows as f64),
            threshold: Some(min as f64),
            counts: counts([("rows", rows)]),
            rule: format!("rows >= {min}"),
            ..self.check("rows", "min_rows", Action::Hold, rows < min, told)
        }
    }

    /// `fact` has the two numbers in it, e.g. `3 of 10 places are gone`.
    fn share(
        &self,
        kind: &str,
        (part, of): (&'static str, u64),
        whole: (&'static str, u64),
        share: Share,
        fact: &str,
    ) -> Check {
        let Share { max, from } = share;
        let key = format!("{}.max_{kind} = {max}", self.table);
        let judged = whole.1 >= from.max(1);
        let broken = judged && of as f64 > max * whole.1 as f64;
        let told = match (judged, broken) {
            (_, true) => format!("{fact}, more than {key}"),
            (true, false) => format!("{fact}; {key}"),
            (false, false) if whole.1 == 0 => format!("{fact}; there is nothing to judge by"),
            (false, false) => format!("{fact}; not judged: fewer than {from} say nothing, unless {key} is stated"),
        };
        Check {
            value: (whole.1 > 0).then(|| (of as f64 / whole.1 as f64 * 1e6).round() / 1e6),
            threshold: Some(max),
            counts: counts([(part, of), whole]),
            judged,
            rule: format!("{kind} <= {max}"),
            ..self.check(kind, &format!("max_{kind}"), Action::Hold, broken, told)
        }
    }

    fn removed(&self, tally: &Tally, share: Share) -> Check {
        let fact = format!("{} of {} {} are gone", tally.gone, tally.before, self.rows);
        self.share("removed_share", ("gone", tally.gone), ("before", tally.before), share, &fact)
    }

    fn moved(&self, tally: &Tally, share: Share, moved_m: f64) -> Check {
        let fact = format!("{} of {} {} moved by more than {moved_m} m", tally.moved, tally.before, self.rows);
        self.share("moved_share", ("moved", tally.moved), ("before", tally.before), share, &fact)
    }
}

fn counts<const N: usize>(counts: [(&'static str, u64); N]) -> BTreeMap<&'static str, Value> {
    counts.into_iter().map(|(name, count)| (name, json!(count))).collect()
}

impl Gate {
    /// A gate that lets every night through.
    #[must_use]
    pub fn open() -> Self {
        Self {
            max_removed_share: 1.0,
            min_rows: 0,
            max_moved_share: Share::stated(1.0),
            max_rejects_share: Share::stated(1.0),
            missing_source: Action::Ignore,
            older_vintage: Action::Ignore,
            ..Self::default()
        }
    }

    /// Every check of a night, in the order of the pipeline file: all places, sources, categories, layers.
    pub(super) fn checks(&self, seen: &Observed, layers: &[LayerDiff]) -> Vec<Check> {
        let places = Subject::places();
        let (wanted, rejected) =
            seen.sources.iter().fold((0, 0), |(wanted, rejected), s| (wanted + s.wanted, rejected + s.rejected));
        let mut checks = vec![
            places.least(seen.places.rows, self.min_rows),
            places.removed(&seen.places, Share::stated(self.max_removed_share)),
            places.moved(&seen.places, self.max_moved_share, self.moved_m),
            places.share(
                "rejects_share",
                ("rejected", rejected),
                ("wanted", wanted),
                self.max_rejects_share,
                &format!("{rejected} of {wanted} objects of all sources are rejected"),
            ),
        ];
        for source in &seen.sources {
            checks.extend(self.source_checks(source, seen.has_base));
        }
        // Nothing could be said of a small category, so it is not listed unless the pipeline file does.
        let none = Tally::default();
        let stated = self.categories.keys().map(|name| (name, seen.categories.get(name).unwrap_or(&none)));
        let large = seen.categories.iter().filter(|(_, tally)| tally.before.max(tally.rows) >= FEW);
        let categories: BTreeMap<&String, &Tally> = large.chain(stated).collect();
        for (name, tally) in categories {
            let gate = self.categories.get(name).copied().unwrap_or_default();
            checks.extend(self.rows_checks(&Subject::category(name), &gate, tally));
        }
        for layer in layers.iter().filter(|layer| !layer.dropped) {
            checks
                .push(Subject::layer(&layer.name).removed(&layer_tally(layer), Share::stated(self.max_removed_share)));
        }
        checks
    }

    /// Those on rows of one kind: what is stated, and that they are not gone.
    fn rows_checks(&self, subject: &Subject, gate: &RowsGate, tally: &Tally) -> Vec<Check> {
        let removed = gate.max_removed_share.map_or(PART_REMOVED, Share::stated);
        let least = gate.min_rows.map(|min| subject.least(tally.rows, min));
        let moved = gate.max_moved_share.map(|max| subject.moved(tally, Share::stated(max), self.moved_m));
        least.into_iter().chain([subject.removed(tally, removed)]).chain(moved).collect()
    }

    fn source_checks(&self, source: &SourceSeen, has_base: bool) -> Vec<Check> {
        let subject = Subject::source(&source.name);
        let gate = self.sources.get(&source.name).copied().unwrap_or_default();
        let mut checks = self.rows_checks(&subject, &gate.records, &source.records);
        let SourceSeen { name, records, rejected, wanted, vintage, vintage_before } = source;
        checks.push(subject.share(
            "rejects_share",
            ("rejected", *rejected),
            ("wanted", *wanted),
            gate.max_rejects_share.map_or(self.max_rejects_share, Share::stated),
            &format!("{rejected} of {wanted} objects of source `{name}` are rejected"),
        ));

        let missing = records.rows == 0 && records.before > 0;
        let key = format!("gate.source.{name}.missing_source");
        let told = if missing {
            format!("source `{name}` gives no record, and gave {} before; see {key}", records.before)
        } else {
            format!("source `{name}` gives {} records, and gave {} before", records.rows, records.before)
        };
        let action = gate.missing_source.unwrap_or(self.missing_source);
        let check = subject.check("missing", "missing_source", action, missing, told);
        let judged = check.judged && has_base;
        checks.push(Check { counts: counts([("rows", records.rows), ("before", records.before)]), judged, ..check });

        let older = matches!((vintage, vintage_before), (Some(now), Some(before)) if now < before);
        let date = |vintage: &Option<Timestamp>| vintage.map_or("undated".to_owned(), |vintage| vintage.to_string());
        let (now, before) = (date(vintage), date(vintage_before));
        let key = format!("gate.source.{name}.older_vintage");
        let told = match (older, has_base) {
            (true, _) => format!("source `{name}` is as of {now}, older than {before} before; see {key}"),
            (false, true) => format!("source `{name}` is as of {now}, and was as of {before} before"),
            (false, false) => format!("source `{name}` is as of {now}; there is nothing to compare with"),
        };
        let action = gate.older_vintage.unwrap_or(self.older_vintage);
        let check = subject.check("vintage", "older_vintage", action, older, told);
        let judged = check.judged && vintage.is_some() && vintage_before.is_some();
        let dates = BTreeMap::from([("vintage", json!(now)), ("vintage_before", json!(before))]);
        checks.push(Check { counts: dates, judged, ..check });
        checks
    }
}

/// Why a night is held back; empty when it is not.
pub(super) fn reasons(checks: &[Check]) -> Vec<String> {
    checks.iter().filter(|check| check.outcome == Outcome::Fail).map(|check| check.told.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(rows: u64, before: u64, gone: u64, moved: u64) -> Tally {
        Tally { rows, before, gone, moved }
    }

    /// A night of 100 places and one source, like the one before.
    fn normal() -> Observed {
        let day = |day: i64| Timestamp::from_second(day * 86_400).ok();
        let records = tally(100, 100, 0, 0);
        let osm = SourceSeen {
            name: "osm".to_owned(),
            records: records.clone(),
            rejected: 1,
            wanted: 101,
            vintage: day(2),
            vintage_before: day(1),
        };
        let categories =
            BTreeMap::from([("cafe".to_owned(), tally(40, 40, 0, 0)), ("pub".to_owned(), tally(2, 7, 5, 0))]);
        Observed { has_base: true, places: records, sources: vec![osm], categories }
    }

    /// What is told of the checks that a night does not pass.
    fn told(gate: &Gate, night: impl Fn(&mut Observed)) -> Vec<(Outcome, String)> {
        let mut seen = normal();
        night(&mut seen);
        let checks = gate.checks(&seen, &[]).into_iter();
        checks.filter(|check| check.outcome != Outcome::Pass).map(|check| (check.outcome, check.told)).collect()
    }

    #[test]
    fn a_broken_night_is_held_and_the_gate_says_what_it_saw() {
        type Night = fn(&mut Observed);
        let cases: [(Night, &[&str]); 12] = [
            (|_| (), &[]),
            (|n| n.places = tally(80, 100, 20, 0), &[]),
            (
                |n| n.places = tally(79, 100, 21, 0),
                &["21 of 100 places are gone, more than gate.max_removed_share = 0.2"],
            ),
            (|n| n.places = tally(7, 10, 3, 0), &["3 of 10 places are gone, more than gate.max_removed_share = 0.2"]),
            (|n| n.places = tally(0, 0, 0, 0), &["0 places, fewer than gate.min_rows = 1"]),
            (
                |n| n.places = tally(100, 100, 0, 21),
                &["21 of 100 places moved by more than 25 m, more than gate.max_moved_share = 0.2"],
            ),
            // Few places say nothing.
            (|n| n.places = tally(10, 10, 0, 10), &[]),
            (
                |n| n.sources[0].records = tally(49, 100, 51, 0),
                &["51 of 100 records of source `osm` are gone, more than gate.source.osm.max_removed_share = 0.5"],
            ),
            (
                |n| (n.sources[0].rejected, n.sources[0].wanted) = (60, 100),
                &[
                    "60 of 100 objects of all sources are rejected, more than gate.max_rejects_share = 0.5",
                    "60 of 100 objects of source `osm` are rejected, more than gate.source.osm.max_rejects_share = 0.5",
                ],
            ),
            (
                |n| n.sources[0].records = tally(0, 9, 9, 0),
                &["source `osm` gives no record, and gave 9 before; see gate.source.osm.missing_source"],
            ),
            (
                |n| {
                    n.categories.insert("cafe".to_owned(), tally(19, 40, 21, 0));
                },
                &["21 of 40 places of category `cafe` are gone, more than gate.category.cafe.max_removed_share = 0.5"],
            ),
            (|n| n.sources[0].vintage = None, &[]),
        ];
        for (night, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|told| (Outcome::Fail, (*told).to_owned())).collect();
            assert_eq!(told(&Gate::default(), night), expected);
        }
        let older = told(&Gate::default(), |n| n.sources[0].vintage = Timestamp::from_second(0).ok());
        let says = "source `osm` is as of 1970-01-01T00:00:00Z, older than 1970-01-02T00:00:00Z before; \
                    see gate.source.osm.older_vintage";
        assert_eq!(older, [(Outcome::Warn, says.to_owned())]);
    }

    #[test]
    fn what_the_pipeline_file_states_of_one_source_or_category_counts_for_any_number_of_rows() {
        let rows = RowsGate { min_rows: Some(3), max_removed_share: Some(0.3), max_moved_share: Some(0.1) };
        let gate = Gate {
            sources: BTreeMap::from([(
                "osm".to_owned(),
                SourceGate {
                    records: RowsGate { min_rows: Some(200), ..RowsGate::default() },
                    max_rejects_share: Some(0.0),
                    missing_source: Some(Action::Warn),
                    older_vintage: Some(Action::Hold),
                },
            )]),
            categories: BTreeMap::from([
                ("pub".to_owned(), rows),
                ("bar".to_owned(), RowsGate { min_rows: Some(1), ..rows }),
            ]),
            ..Gate::default()
        };
        let night = |n: &mut Observed| {
            n.sources[0].vintage = Timestamp::from_second(0).ok();
            n.categories.insert("pub".to_owned(), tally(2, 7, 5, 1));
        };
        let held: Vec<String> = told(&gate, night).into_iter().map(|(_, told)| told).collect();
        assert_eq!(
            held,
            [
                "100 records of source `osm`, fewer than gate.source.osm.min_rows = 200",
                "1 of 101 objects of source `osm` are rejected, more than gate.source.osm.max_rejects_share = 0",
                "source `osm` is as of 1970-01-01T00:00:00Z, older than 1970-01-02T00:00:00Z before; see gate.source.osm.older_vintage",
                "0 places of category `bar`, fewer than gate.category.bar.min_rows = 1",
                "2 places of category `pub`, fewer than gate.category.pub.min_rows = 3",
                "5 of 7 places of category `pub` are gone, more than gate.category.pub.max_removed_share = 0.3",
                "1 of 7 places of category `pub` moved by more than 25 m, more than gate.category.pub.max_moved_share = 0.1",
            ]
        );
        let missing = |n: &mut Observed| n.sources[0].records = tally(0, 5, 5, 0);
        let outcomes: Vec<Outcome> = told(&gate, missing).into_iter().map(|(outcome, _)| outcome).collect();
        assert_eq!(
            outcomes,
            [Outcome::Fail, Outcome::Fail, Outcome::Warn, Outcome::Fail, Outcome::Fail, Outcome::Fail]
        );
    }

    #[test]
    fn everything_can_be_switched_off() {
        let gone = |n: &mut Observed| {
            n.places = tally(0, 100, 100, 100);
            n.sources[0].records = tally(0, 10, 10, 0);
            (n.sources[0].rejected, n.sources[0].vintage) = (101, Timestamp::from_second(0).ok());
            n.categories.clear();
        };
        assert_eq!(told(&Gate::open(), gone), []);
    }

    #[test]
    fn the_gate_looks_at_every_layer_that_the_pipeline_names() {
        let layer = |before, gone, dropped| LayerDiff {
            name: "roads".to_owned(),
            rows: before - gone,
            before,
            changes: BTreeMap::from([("added".to_owned(), 100), ("removed".to_owned(), gone)]),
            dropped,
        };
        let held = |layer: LayerDiff| reasons(&Gate::default().checks(&normal(), &[layer]));
        let reason = "3 of 10 rows of layer `roads` are gone, more than gate.max_removed_share = 0.2";
        assert_eq!(held(layer(10, 3, false)), [reason]);
        for fine in [layer(10, 2, false), layer(10, 10, true), layer(0, 0, false)] {
            assert_eq!(held(fine), Vec::<String>::new());
        }
    }
}
