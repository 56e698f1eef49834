//! Extract: read every source, transform what it hands on, and account for the rest.

use super::ports::{Chunk, Demand, Observer, Source};
use super::transform::{Context, Transformed, roll_up, transform};
use super::{Pipeline, RunError};
use crate::domain::{Layer, LeftOut, Record, RecordKey, Reject, SourceAccount, Timestamp};

/// A source with what the pipeline file says of it.
pub struct Feed {
    /// The source.
    pub source: Box<dyn Source>,
    /// Its date, where the input states none.
    pub vintage: Option<Timestamp>,
}

/// The records of all sources, and an account of the objects that are none.
pub(super) struct Extracted {
    /// Sorted by key.
    pub(super) records: Vec<Record>,
    /// With the position of their source.
    pub(super) rejects: Vec<(usize, Reject)>,
    /// Per source; `kept`, `licenses` and `repaired` are filled in when it is known which places stay.
    pub(super) accounts: Vec<SourceAccount>,
}

/// Reads the sources in order. Memory grows with the records kept.
pub(super) fn extract(pipeline: &Pipeline, feeds: &[Feed], observer: &dyn Observer) -> Result<Extracted, RunError> {
    let context = Context { region: &pipeline.region, taxonomy: &pipeline.taxonomy, operators: &pipeline.operators };
    let mut all = Extracted { records: Vec::new(), rejects: Vec::new(), accounts: Vec::new() };
    for (dataset, feed) in feeds.iter().enumerate() {
        let mut records: Vec<Record> = Vec::new();
        let mut rejects: Vec<Reject> = Vec::new();
        let mut left_out = LeftOut::default();
        let layers: Vec<Layer> =
            pipeline.layers.iter().filter(|layer| layer.source == feed.source.name()).cloned().collect();
        let demand = Demand {
            region: &pipeline.region,
            taxonomy: &pipeline.taxonomy,
            layers: &layers,
            area_rules: &pipeline.area_rules,
        };
        let read = feed.source.read(&demand, observer, &mut |chunk: Chunk| {
            if chunk.again {
                (records, rejects, left_out) = (Vec::new(), Vec::new(), LeftOut::default());
            }
            let Transformed { records: passed, rejects: refused, left_out: more } =
                transform(dataset, chunk.features, &context);
            records.extend(passed);
            rejects.extend(chunk.rejects);
            rejects.extend(refused);
            left_out.merge(&more);
            Ok(())
        })?;
        left_out.merge(&read.left_out);
        let mut account = SourceAccount {
            name: feed.source.name().to_owned(),
            kind: feed.source.kind().to_owned(),
            inputs: read.inputs,
            vintage: read.vintage.or(feed.vintage),
            attribution: read.attribution,
            read: read.read,
            left_out: left_out.0.iter().map(|(rule, objects)| (rule.name().to_owned(), *objects)).collect(),
            ..SourceAccount::default()
        };
        for reject in &rejects {
            *account.rejected.entry(reject.code.name().to_owned()).or_default() += 1;
        }
        all.accounts.push(account);
        all.rejects.extend(rejects.into_iter().map(|reject| (dataset, reject)));
        all.records.extend(roll_up(records));
    }
    all.records.sort_by(|a, b| a.key.cmp(&b.key));
    if let Some(twice) = first_repeated(&all.records) {
        return Err(RunError::failed(format!("source {} handed on record {} twice", twice.dataset, twice.id)));
    }
    Ok(all)
}

fn first_repeated(records: &[Record]) -> Option<&RecordKey> {
    records.windows(2).find(|pair| pair[0].key == pair[1].key).map(|pair| &pair[0].key)
}
