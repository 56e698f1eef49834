//! Extract: read every source, transform what it hands on, and account for the rest.

use std::collections::BTreeMap;

use super::layers::{LayerRows, Sorter};
use super::ports::{self, Chunk, Demand, Scratch, Source};
use super::records::{Incoming, Records};
use super::tabulate::rows::Refused;
use super::transform::{Context, Transformed, attach_duplicates, may_join, roll_up, transform};
use super::{Pipeline, Ports, RunError};
use crate::domain::{Layer, LayerAccount, LeftOut, Record, Reject, SourceAccount, Timestamp};

/// Of the memory of a run, the part that rows of layers may hold; the rest is for reading and writing them.
const ROWS_SHARE: u64 = 2;

/// A source with what the pipeline file says of it.
pub struct Feed {
    /// The source.
    pub source: Box<dyn Source>,
    /// Its date, where the input states none.
    pub vintage: Option<Timestamp>,
}

/// The records of all sources, and an account of the objects that are none.
pub(super) struct Extracted {
    pub(super) records: Records,
    /// What was refused, and by what.
    pub(super) rejects: Vec<Refused>,
    /// Per source; `kept`, `licenses` and `repaired` are filled in when it is known which places stay.
    pub(super) accounts: Vec<SourceAccount>,
    /// Every layer, in the order of the pipeline file.
    pub(super) layers: Vec<ExtractedLayer>,
}

/// The rows of a layer, still in no order.
pub(super) struct ExtractedLayer {
    pub(super) layer: Layer,
    pub(super) rows: Sorter,
    /// Balanced; `repaired` and `unreadable` are filled in when the rows are written.
    pub(super) account: LayerAccount,
}

/// Of the memory of a run, the part that records may hold.
const RECORDS_SHARE: u64 = 4;

/// Reads the sources in order. Records and rows of layers wait in scratch files where they are many.
pub(super) fn extract(pipeline: &Pipeline, ports: &Ports<'_>) -> Result<Extracted, RunError> {
    let context = Context {
        region: &pipeline.region,
        taxonomy: &pipeline.taxonomy,
        operators: &pipeline.operators,
        codes: &pipeline.connectors,
        repair_positions: pipeline.repair_positions,
    };
    let of_layer = |layer: &Layer| ExtractedLayer {
        layer: layer.clone(),
        rows: Sorter::default(),
        account: LayerAccount { name: layer.name.clone(), source: layer.source.clone(), ..LayerAccount::default() },
    };
    let mut incoming = Incoming::within(pipeline.memory_bytes / RECORDS_SHARE);
    let mut all = Extracted {
        records: Records::default(),
        rejects: Vec::new(),
        accounts: Vec::new(),
        layers: pipeline.layers.iter().map(of_layer).collect(),
    };
    let rows_bytes = usize::try_from(pipeline.memory_bytes / ROWS_SHARE).unwrap_or(usize::MAX);
    for (dataset, feed) in ports.feeds.iter().enumerate() {
        let before = incoming.len();
        // Records that others of this source may be part of, or that may be part of others.
        let mut joining: Vec<Record> = Vec::new();
        let mut rejects: Vec<Reject> = Vec::new();
        let mut layer_rejects: Vec<(usize, Reject)> = Vec::new();
        let mut left_out = LeftOut::default();
        let is_ours = |layer: &&ExtractedLayer| layer.layer.source == feed.source.name();
        let wanted: Vec<Layer> = all.layers.iter().filter(is_ours).map(|layer| layer.layer.clone()).collect();
        let places: Vec<usize> = (0..all.layers.len()).filter(|at| is_ours(&&all.layers[*at])).collect();
        let demand = Demand {
            region: &pipeline.region,
            taxonomy: &pipeline.taxonomy,
            layers: &wanted,
            area_rules: &pipeline.area_rules,
            connectors: &pipeline.connectors,
        };
        let read = feed.source.read(&demand, ports.observer, &mut |chunk: Chunk| {
            if chunk.again {
                (joining, rejects, left_out) = (Vec::new(), Vec::new(), LeftOut::default());
                incoming.truncate(before);
                layer_rejects.clear();
                for at in &places {
                    all.layers[*at].rows.clear();
                }
            }
            let Transformed { records: passed, rejects: refused, left_out: more } =
                transform(dataset, chunk.features, &context);
            let (may, others): (Vec<_>, Vec<_>) = passed.into_iter().partition(may_join);
            joining.extend(may);
            incoming.extend(others, ports.scratch)?;
            rejects.extend(chunk.rejects);
            rejects.extend(refused);
            left_out.merge(&more);
            layer_rejects.extend(chunk.layer_rejects);
            for (at, rows) in chunk.layer_rows {
                push(&mut all.layers, places[at], rows, rows_bytes, ports.scratch)?;
            }
            Ok(())
        })?;
        left_out.merge(&read.left_out);
        incoming.extend(attach_duplicates(roll_up(joining), &mut left_out), ports.scratch)?;
        let mut account = SourceAccount {
            name: feed.source.name().to_owned(),
            kind: feed.source.kind().to_owned(),
            vintage: read.vintage.or(feed.vintage),
            read: read.read,
            left_out: by_rule(&left_out),
            ..SourceAccount::default()
        };
        for reject in &rejects {
            *account.rejected.entry(reject.code.name().to_owned()).or_default() += 1;
        }
        for (at, reject) in &layer_rejects {
            let rejects = &mut all.layers[places[*at]].account.rejects;
            *rejects.entry(reject.code.name().to_owned()).or_default() += 1;
        }
        close_accounts(&mut all.layers, &places, &read)?;
        (account.inputs, account.attribution) = (read.inputs, read.attribution);
        (account.objects, account.stated) = (read.objects, read.stated);
        all.accounts.push(account);
        all.rejects.extend(rejects.into_iter().map(|reject| Refused { dataset, layer: None, reject }));
        all.rejects.extend(layer_rejects.into_iter().map(|(at, reject)| {
            let layer = Some(wanted[at].name.clone());
            Refused { dataset, layer, reject }
        }));
    }
    all.records = incoming.sorted()?;
    Ok(all)
}

/// Hands rows to their layer. Where all layers together hold more than they may, the one that holds most is spilled.
fn push(
    layers: &mut [ExtractedLayer],
    at: usize,
    rows: LayerRows,
    rows_bytes: usize,
    scratch: &dyn Scratch,
) -> Result<(), RunError> {
    layers[at].rows.push(rows);
    let held: usize = layers.iter().map(|layer| layer.rows.held_bytes()).sum();
    if held > rows_bytes
        && let Some(largest) = layers.iter_mut().max_by_key(|layer| layer.rows.held_bytes())
    {
        largest.rows.spill(scratch)?;
    }
    Ok(())
}

/// Says what became of the source's objects in each of its layers, which stand at `places`.
fn close_accounts(layers: &mut [ExtractedLayer], places: &[usize], read: &ports::Extracted) -> Result<(), RunError> {
    if read.layers.len() != places.len() {
        return Err(RunError::failed(format!(
            "a source was asked for {} layers and told of {}",
            places.len(),
            read.layers.len()
        )));
    }
    for (at, count) in places.iter().zip(&read.layers) {
        let ExtractedLayer { rows, account, .. } = &mut layers[*at];
        (account.read, account.rows) = (read.read, rows.rows());
        (account.kept, account.rejected) = (count.kept, count.rejected);
        account.left_out = by_rule(&count.left_out);
        if !account.balances() {
            return Err(RunError::failed(format!(
                "the account of layer `{}` does not balance: {account:?}",
                account.name
            )));
        }
    }
    Ok(())
}

fn by_rule(left_out: &LeftOut) -> BTreeMap<String, u64> {
    left_out.0.iter().map(|(rule, objects)| (rule.name().to_owned(), *objects)).collect()
}
