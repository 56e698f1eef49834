//! Rows of layers as a test sees them: read, sorted and decoded from the columns that a snapshot would have.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use geozero::ToGeo;
use geozero::wkb::Wkb;

use super::{OsmPbf, taxonomy};
use crate::domain::{
    AreaRules, ConnectorCodes, Feature, Filter, GeometryKind, Incomplete, Layer, LeftOutRule, Region, Reject,
    RejectCode,
};
use crate::pipeline::RunError;
use crate::pipeline::layers::{LayerRows, Sorter, layer_batch, layer_table};
use crate::pipeline::ports::{Chunk, Demand, Extracted, LayerCount, Observer, Scratch, Source, Spill, Unit};

/// A row, without its hashes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// `way/5 area`
    pub(super) key: String,
    pub(super) geometry: geo::Geometry<f64>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) version: Option<i32>,
    pub(super) incomplete: bool,
    pub(super) repairs: Vec<String>,
}

/// Everything a read hands on, with layers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layered {
    pub(super) features: Vec<Feature>,
    pub(super) rejects: Vec<Reject>,
    /// Per layer, in order of their keys.
    pub(super) rows: Vec<Vec<Row>>,
    pub(super) layer_rejects: Vec<(usize, Reject)>,
    pub(super) extracted: Extracted,
    pub(super) notes: Vec<String>,
}

impl Layered {
    /// The keys of a layer's rows, in order.
    pub(super) fn keys(&self, layer: usize) -> Vec<&str> {
        self.rows[layer].iter().map(|row| row.key.as_str()).collect()
    }

    /// The row of this key in the first layer.
    pub(super) fn row(&self, key: &str) -> Option<&Row> {
        self.rows[0].iter().find(|row| row.key == key)
    }

    /// Rejects of a layer as `record code`, in order.
    pub(super) fn refused(&self, layer: usize) -> Vec<String> {
        let of_layer = self.layer_rejects.iter().filter(|(at, _)| *at == layer);
        let mut refused: Vec<String> =
            of_layer.map(|(_, reject)| format!("{} {}", reject.record_id.as_str(), reject.code.name())).collect();
        refused.sort();
        refused
    }

    /// How many rejects of a layer have this code.
    pub(super) fn rejected_as(&self, layer: usize, code: RejectCode) -> usize {
        self.layer_rejects.iter().filter(|(at, reject)| *at == layer && reject.code == code).count()
    }

    /// How many objects a rule left out: of the places, and of each layer.
    pub(super) fn left_out(&self, rule: LeftOutRule) -> Vec<u64> {
        let of = |left_out: &crate::domain::LeftOut| left_out.0.get(&rule).copied().unwrap_or(0);
        let layers = self.extracted.layers.iter().map(|layer| of(&layer.left_out));
        std::iter::once(of(&self.extracted.left_out)).chain(layers).collect()
    }

    /// What does not depend on the order of the file: everything but what its bytes say of themselves.
    pub(super) fn content(mut self) -> Self {
        self.features.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        self.rejects.sort_by(|a, b| a.record_id.as_str().cmp(b.record_id.as_str()));
        self.layer_rejects.sort_by(|(_, a), (_, b)| a.record_id.as_str().cmp(b.record_id.as_str()));
        self.rows.iter_mut().for_each(|rows| rows.sort_by(|a, b| a.key.cmp(&b.key)));
        self.extracted.inputs.clear();
        self.notes.clear();
        self
    }

    fn assert_balance(&self) {
        let extracted = &self.extracted;
        let kept = (self.features.len() + self.rejects.len()) as u64;
        assert_eq!(extracted.read, kept + extracted.left_out.total(), "places: {:?}", extracted.left_out);
        for (at, LayerCount { kept, rejected, left_out }) in extracted.layers.iter().enumerate() {
            assert_eq!(extracted.read, kept + rejected + left_out.total(), "layer {at}: {left_out:?}");
            assert!(self.rows[at].len() as u64 >= *kept);
        }
    }
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn stage(&self, _name: &str, _unit: Unit, _total: Option<u64>) {}
    fn advance(&self, _amount: u64) {}
    fn note(&self, message: &str) {
        self.0.lock().expect("no test panics while it notes").push(message.to_owned());
    }
}

/// Nothing is spilled here.
struct NoScratch;

impl Scratch for NoScratch {
    fn create(&self, _what: &str) -> Result<Box<dyn Spill>, RunError> {
        Err(RunError::failed("nothing is spilled in a test"))
    }
}

/// A layer of every kind of geometry.
pub(super) fn layer(filter: &str, incomplete: Incomplete) -> Layer {
    Layer {
        name: "everything".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&[filter.to_owned()]).expect("the filter is right"),
        kinds: GeometryKind::ALL.to_vec(),
        columns: Vec::new(),
        incomplete,
        users: false,
    }
}

/// A layer of everything that is whole.
pub(super) fn everything() -> Vec<Layer> {
    vec![layer("*", Incomplete::Reject)]
}

/// Reads places of any shop and layers; every object must be accounted for.
pub(super) fn read_source(source: &OsmPbf, layers: &[Layer], region: &Region) -> Result<Layered, RunError> {
    let taxonomy = taxonomy(&["shop"]);
    let area_rules =
        AreaRules::parse(include_str!("../../../../pipelines/area-rules.toml")).expect("the rules are right");
    let observer = Notes::default();
    let (mut features, mut rejects, mut layer_rejects) = (Vec::new(), Vec::new(), Vec::new());
    let mut waiting: Vec<(usize, LayerRows)> = Vec::new();
    let demand =
        Demand { region, taxonomy: &taxonomy, layers, area_rules: &area_rules, connectors: &ConnectorCodes::default() };
    let extracted = source.read(&demand, &observer, &mut |mut chunk: Chunk| {
        if chunk.again {
            features.clear();
            rejects.clear();
            layer_rejects.clear();
            waiting.clear();
        }
        features.append(&mut chunk.features);
        rejects.append(&mut chunk.rejects);
        layer_rejects.append(&mut chunk.layer_rejects);
        waiting.append(&mut chunk.layer_rows);
        Ok(())
    })?;
    let mut sorters: Vec<Sorter> = layers.iter().map(|_| Sorter::default()).collect();
    for (layer, rows) in waiting {
        sorters[layer].push(rows);
    }
    let mut rows = Vec::new();
    for (sorter, layer) in sorters.into_iter().zip(layers) {
        let mut of_layer = Vec::new();
        for chunk in sorter.finish(&NoScratch)? {
            of_layer.extend(decoded(&layer_batch(&layer_table(layer), layer, &chunk?)?.0));
        }
        rows.push(of_layer);
    }
    let notes = observer.0.into_inner().expect("no test panics while it notes");
    let layered = Layered { features, rejects, rows, layer_rejects, extracted, notes };
    layered.assert_balance();
    Ok(layered)
}

/// Reads one file whole.
pub(super) fn read_layers(path: &Path, layers: &[Layer], region: &Region) -> Layered {
    read_source(&OsmPbf::new("osm", path), layers, region).expect("the file is readable")
}

/// Reads the bytes of files as one source.
pub(super) fn read_files(files: &[&[u8]], layers: &[Layer], region: &Region) -> Result<Layered, RunError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |(at, bytes): (usize, &&[u8])| -> PathBuf {
        let path = folder.path().join(format!("{at}.osm.pbf"));
        std::fs::write(&path, bytes).expect("the temporary folder takes a file");
        path
    };
    let paths = files.iter().enumerate().map(write).collect();
    read_source(&OsmPbf::of_files("osm", paths), layers, region)
}

fn decoded(batch: &RecordBatch) -> Vec<Row> {
    let column = |name: &str| batch.column_by_name(name).expect("a column of every layer");
    let (types, ids) = (column("osm_type").as_string::<i32>(), column("osm_id").as_primitive::<Int64Type>());
    let (kinds, shapes) = (column("kind").as_string::<i32>(), column("geometry").as_binary::<i32>());
    let (tags, versions) = (column("tags").as_map(), column("version").as_primitive::<Int32Type>());
    let (incomplete, repairs) = (column("incomplete").as_boolean(), column("repairs").as_list::<i32>());
    let row = |at: usize| {
        let tags = tags.value(at);
        let (keys, values) = (tags.column(0).as_string::<i32>(), tags.column(1).as_string::<i32>());
        let repairs = repairs.value(at);
        Row {
            key: format!("{}/{} {}", types.value(at), ids.value(at), kinds.value(at)),
            geometry: Wkb(shapes.value(at)).to_geo().expect("a geometry"),
            tags: keys.iter().zip(values).map(|(k, v)| (k.unwrap_or("").into(), v.unwrap_or("").into())).collect(),
            version: versions.iter().nth(at).flatten(),
            incomplete: incomplete.value(at),
            repairs: repairs.as_string::<i32>().iter().flatten().map(str::to_owned).collect(),
        }
    };
    (0..batch.num_rows()).map(row).collect()
}
