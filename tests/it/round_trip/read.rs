//! Reading a file as a pipeline would, up to the records.

use std::sync::LazyLock;

use poimill::adapters::memory::MemoryObserver;
use poimill::domain::{AreaRules, Attributes, ConnectorCodes, Operators, Record, Region, Tags, Taxonomy};
use poimill::pipeline::ports::{Demand, Source};
use poimill::pipeline::transform::{Context, transform};

use super::station::{Station, codes};

struct Settings {
    taxonomy: Taxonomy,
    operators: Operators,
    codes: ConnectorCodes,
    area_rules: AreaRules,
    region: Region,
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let categories = include_str!("../../../pipelines/categories.toml");
    Settings {
        taxonomy: Taxonomy::parse(categories, &["charging".to_owned()]).expect("the categories"),
        operators: Operators::parse(include_str!("../../../pipelines/operators.toml")).expect("the operators"),
        codes: codes(),
        area_rules: AreaRules::parse("area = []").expect("no area rules"),
        region: Region::world(),
    }
});

/// The records of a source, in its order. Nothing may be rejected, left out or found.
pub(super) fn records(source: &dyn Source) -> Vec<Record> {
    let Settings { taxonomy, operators, codes, area_rules, region } = &*SETTINGS;
    let demand = Demand { region, taxonomy, layers: &[], area_rules, connectors: codes };
    let context = Context { region, taxonomy, operators, codes, repair_positions: true };
    let mut records = Vec::new();
    let read = source.read(&demand, &MemoryObserver::default(), &mut |chunk| {
        assert_eq!(chunk.rejects, [], "nothing is rejected");
        let transformed = transform(0, chunk.features, &context);
        assert_eq!(transformed.rejects, [], "nothing is rejected");
        assert_eq!(transformed.left_out.total(), 0, "nothing is left out");
        records.extend(transformed.records);
        Ok(())
    });
    read.expect("the file is read");
    for record in &records {
        assert_eq!(record.findings, [], "nothing is found wrong with {}", record.key.id);
    }
    records
}

/// Whether what was read are the stations that were written, each as far as `says` knows that the shape can tell it.
pub(super) fn assert_same(read: Vec<Record>, written: &[Station], says: impl Fn(&Station) -> Attributes) {
    assert_eq!(read.len(), written.len());
    for (record, station) in read.into_iter().zip(written) {
        let position = (record.position.lon(), record.position.lat());
        assert_eq!(position, (station.lon, station.lat), "{}", record.key.id);
        // Which tags are left over depends on the shape: references, and what no column holds.
        let about = Attributes { tags: Tags::default(), ..record.attributes };
        assert_eq!(about, says(station), "{}", record.key.id);
    }
}
