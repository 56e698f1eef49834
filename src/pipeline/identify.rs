//! Identify: give every place of the region its id, and close the account of every source.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::conflate::bridge::{Span, continued, from_memory};
use super::conflate::identity::{Memory, Seen, SeenKey, assign};
use super::conflate::{Conflation, Link, Merger};
use super::extract::Extracted;
use super::ports::Tables;
use super::records::{Outline, Records};
use super::tabulate::rows::Refused;
use super::tabulate::tables::{BRIDGE, IDENTITY};
use super::{Pipeline, RunError, self_evaluation};
use crate::domain::{Cell, FindingRule, LeftOutRule, RecordId, SelfEvaluation, SourceAccount, Timestamp};

/// Everything that a snapshot says, before it is tables.
pub(super) struct Night {
    /// Records of all sources.
    pub(super) records: Records,
    /// Places of the region: their ids, and their records by index, the founding record first.
    pub(super) places: Vec<(Uuid, Vec<usize>)>,
    /// Pairs that were looked at closely, with a record of the region in each.
    pub(super) links: Vec<Link>,
    /// Pairs compared.
    pub(super) candidates: u64,
    /// How good the matcher is on these records.
    pub(super) self_evaluation: SelfEvaluation,
    /// What was refused, and by what.
    pub(super) rejects: Vec<Refused>,
    /// The memory of ids.
    pub(super) memory: Memory,
    /// Which place each record was part of, and when.
    pub(super) bridge: Vec<Span>,
    /// Per source, balanced.
    pub(super) accounts: Vec<SourceAccount>,
    /// Names of the sources, in order.
    pub(super) datasets: Vec<String>,
    /// Newest of the sources' dates.
    pub(super) vintage: Option<Timestamp>,
}

/// How tables write a vintage that no source states.
const UNDATED: &str = "undated";

pub(super) fn identify(
    pipeline: &Pipeline,
    extracted: Extracted,
    conflation: Conflation,
    base: Option<&(impl Tables + ?Sized)>,
) -> Result<Night, RunError> {
    let Extracted { records, rejects, mut accounts, .. } = extracted;
    let datasets: Vec<String> = accounts.iter().map(|account| account.name.clone()).collect();
    let vintage = accounts.iter().filter_map(|account| account.vintage).max();

    // A place belongs to the region that holds its founding record; its neighbour's places were read for the halo only.
    let (ours, theirs): (Vec<_>, Vec<_>) =
        conflation.clusters.into_iter().partition(|members| pipeline.region.contains(records[members[0]].position));
    let mut is_ours = vec![false; records.len()];
    for at in ours.iter().flatten() {
        is_ours[*at] = true;
        account_for(&records[*at], &records, &mut accounts[records[*at].key.dataset]);
    }
    let merger = Merger::new(&records, &pipeline.merging, &conflation.links);
    for record in ours.iter().flat_map(|members| merger.held_out(members)).map(|at| &records[at]) {
        let license = records.licenses()[record.license].as_deref().unwrap_or_default().to_owned();
        *accounts[record.key.dataset].held_out.entry(license).or_default() += 1;
    }
    for record in theirs.iter().flatten().map(|at| &records[*at]) {
        let account = &mut accounts[record.key.dataset];
        *account.left_out.entry(LeftOutRule::OutsideRegion.name().to_owned()).or_default() +=
            1 + record.parts.len() as u64;
    }
    if let Some(account) = accounts.iter().find(|account| !account.balances()) {
        return Err(RunError::failed(format!(
            "the account of source `{}` does not balance: {account:?}",
            account.name
        )));
    }

    let names: Vec<Arc<str>> = datasets.iter().map(|name| name.as_str().into()).collect();
    let key = |record: &Outline| -> SeenKey { (names[record.key.dataset].clone(), record.key.id.clone()) };
    let groups: Vec<Vec<SeenKey>> =
        ours.iter().map(|members| members.iter().flat_map(|at| records[*at].with_parts()).map(key).collect()).collect();
    let before = base.map(memory_of).transpose()?.unwrap_or_default();
    let as_of = vintage.map_or(UNDATED.to_owned(), |vintage| vintage.to_string());
    let spans = match base {
        Some(base) if base.has(&BRIDGE.name) => bridge_of(base)?,
        _ => from_memory(&before),
    };
    let (ids, memory) = assign(&pipeline.name, &groups, before, &as_of);
    let bridge = continued(spans, &groups, &ids, vintage);

    let self_evaluation =
        self_evaluation::of(&conflation.found_blind, &datasets, records.len() as u64, conflation.candidates);
    let links = conflation.links.into_iter().filter(|link| is_ours[link.pair.0] || is_ours[link.pair.1]).collect();
    Ok(Night {
        places: ids.into_iter().zip(ours).collect(),
        links,
        candidates: conflation.candidates,
        self_evaluation,
        records,
        rejects,
        memory,
        bridge,
        accounts,
        datasets,
        vintage,
    })
}

/// What a person should know of records that give their places nothing for their licence: a sentence per source.
pub(super) fn held_out_told(accounts: &[SourceAccount]) -> Vec<String> {
    let told = |account: &SourceAccount| {
        let total: u64 = account.held_out.values().sum();
        let licenses = account.held_out.keys().map(|license| match license.as_str() {
            "" => "none stated".to_owned(),
            license => format!("\"{license}\""),
        });
        let licenses: Vec<String> = licenses.collect();
        let stated = account.held_out.keys().any(|license| !license.is_empty());
        let unstated = account.held_out.contains_key("").then_some(match account.kind.as_str() {
            "open_charge_map" => {
                "give the source its `reference` data, which names the licences, or a `license = \"…\"` for what its own \
                 contributors say"
            }
            _ => "give the source its `license = \"…\"`",
        });
        let listed = stated.then_some("list the text in `conflate.open_licenses` once you have checked it");
        let help: Vec<&str> = unstated.into_iter().chain(listed).collect();
        format!(
            "{total} records of `{}` are not mixed with others of their places, because their licence is not known to be open ({}); \
             they stay in sources.parquet; {}",
            account.name,
            licenses.join(", "),
            help.join(", or ")
        )
    };
    accounts.iter().filter(|account| !account.held_out.is_empty()).map(told).collect()
}

fn account_for(record: &Outline, records: &Records, account: &mut SourceAccount) {
    for record in record.with_parts() {
        account.kept += 1;
        let license = records.licenses()[record.license].as_deref().unwrap_or_default();
        *account.licenses.entry(license.to_owned()).or_default() += 1;
        let (repairs, findings): (Vec<FindingRule>, Vec<FindingRule>) =
            record.findings.iter().partition(|rule| rule.is_repair());
        // A repair counts once a record, however many values it changed.
        for repair in repairs.into_iter().collect::<BTreeSet<_>>() {
            *account.repaired.entry(repair.name().to_owned()).or_default() += 1;
        }
        for finding in findings {
            *account.findings.entry(finding.name().to_owned()).or_default() += 1;
        }
    }
}

/// Texts that rows have in common: names of sources and vintages.
#[derive(Default)]
struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.0.insert(text.clone());
        text
    }
}

/// The spans that a snapshot keeps.
fn bridge_of(base: &(impl Tables + ?Sized)) -> Result<Vec<Span>, RunError> {
    let (mut spans, mut texts) = (Vec::new(), Texts::default());
    base.read(&BRIDGE.name, &[], &mut |batch| {
        for row in super::tabulate::batch_rows(&BRIDGE, &batch) {
            let text = |at: usize| row[at].as_text().unwrap_or_default();
            let time = |at: usize| match row[at] {
                Cell::Time(micros) => Timestamp::from_microsecond(micros).ok(),
                _ => None,
            };
            let place_id = Uuid::parse_str(text(2))
                .map_err(|_| RunError::failed(format!("bridge.parquet of the base has no place id for {}", text(1))))?;
            let record = (texts.shared(text(0)), RecordId::new(text(1)));
            spans.push(Span { record, place_id, valid_from: time(3), valid_to: time(4) });
        }
        Ok(())
    })?;
    Ok(spans)
}

/// The memory that a snapshot keeps.
fn memory_of(base: &(impl Tables + ?Sized)) -> Result<Memory, RunError> {
    let (mut memory, mut texts) = (Memory::new(), Texts::default());
    base.read(&IDENTITY.name, &[], &mut |batch| {
        for row in super::tabulate::batch_rows(&IDENTITY, &batch) {
            let text = |at: usize| row[at].as_text().unwrap_or_default();
            let id = |cell: &Cell| cell.as_text().and_then(|text| Uuid::parse_str(text).ok());
            let place_id = id(&row[2]).ok_or_else(|| {
                RunError::failed(format!("identity.parquet of the base has no place id for {}", text(1)))
            })?;
            let former =
                if let Cell::List(former) = &row[3] { former.iter().filter_map(id).collect() } else { Vec::new() };
            let seen = Seen {
                place_id,
                former_place_ids: former,
                first_seen: texts.shared(text(4)),
                last_seen: texts.shared(text(5)),
                present: row[6] == Cell::Bool(true),
                successor: id(&row[7]),
            };
            memory.insert((texts.shared(text(0)), RecordId::new(text(1))), seen);
        }
        Ok(())
    })?;
    Ok(memory)
}
