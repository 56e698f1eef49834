//! Layers: what a source hands on of them is what the snapshot has, in order and accounted for, however little memory there is.

use std::collections::BTreeMap;

use poimill::adapters::geoparquet::FolderStore;
use poimill::adapters::io::FolderScratch;
use poimill::adapters::memory::{MemoryObserver, MemoryScratch, MemoryStore};
use poimill::domain::{
    AreaRules, Cell, Filter, GeometryKind, GeometryRepair, Incomplete, Layer, LeftOut, LeftOutRule, ObjectKind,
    Operators, Position, Promoted, PromotedKind, RecordId, Region, Reject, RejectCode, Taxonomy,
};
use poimill::pipeline::conflate::{Decisions, Models};
use poimill::pipeline::layers::{LayerFeature, LayerRows, LayerShape, layer_table, reserved_columns};
use poimill::pipeline::ports::{
    Chunk, Demand, Extracted, LayerCount, Observer, Scratch, Snapshot, SnapshotStore, Source, TakeChunk,
};
use poimill::pipeline::tabulate::{read_rows, tables};
use poimill::pipeline::{Feed, Gate, Pipeline, Ports, Report, RunError};

/// Objects of the source: nodes and ways in turn.
const OBJECTS: i64 = 400;

/// A source whose nodes are benches and whose ways are roads, the latter twice as a line and once as an area.
struct Town {
    /// Whether it loses an object.
    forgets: bool,
}

fn layer(name: &str, columns: Vec<Promoted>) -> Layer {
    Layer {
        name: name.to_owned(),
        source: "town".to_owned(),
        filter: Filter::parse(&["*".to_owned()]).expect("the filter is sound"),
        kinds: GeometryKind::ALL.to_vec(),
        columns,
        incomplete: Incomplete::Reject,
        users: false,
    }
}

fn layers() -> Vec<Layer> {
    let promoted = |key: &str, kind| Promoted { key: key.to_owned(), name: key.to_owned(), kind };
    vec![
        layer("benches", vec![]),
        layer("roads", vec![promoted("name", PromotedKind::Text), promoted("lanes", PromotedKind::Integer)]),
    ]
}

/// Somewhere, far from its neighbours.
fn position(id: i64) -> Position {
    Position {
        lon: (id * 7_919 % 3_600 - 1_800) as i32 * 1_000_000,
        lat: (id * 104_729 % 1_600 - 800) as i32 * 1_000_000,
    }
}

fn feature<'a>(
    id: i64,
    osm_type: ObjectKind,
    shape: LayerShape<'a>,
    tags: &'a [(&'a str, &'a str)],
) -> LayerFeature<'a> {
    LayerFeature {
        osm_type,
        id,
        shape,
        tags,
        version: Some(3),
        time_ms: Some(1_700_000_000_000),
        changeset: Some(77),
        user: (None, None),
        incomplete: false,
        repairs: &[],
    }
}

impl Source for Town {
    fn name(&self) -> &'static str {
        "town"
    }

    fn kind(&self) -> &'static str {
        "memory"
    }

    fn check(&self) -> Result<String, RunError> {
        Ok(String::new())
    }

    fn read(&self, wanted: &Demand<'_>, _: &dyn Observer, out: &mut TakeChunk<'_>) -> Result<Extracted, RunError> {
        assert_eq!(wanted.layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(), ["benches", "roads"]);
        let refused = |id: i64| Reject {
            record_id: RecordId::new(format!("way/{id}")),
            code: RejectCode::MissingMember,
            position: None,
            line: None,
            message: "node 5 is not in the input".to_owned(),
        };
        let mut void = LayerRows::default();
        void.push(&feature(9_999, ObjectKind::Node, LayerShape::Point(position(1)), &[]));
        out(Chunk { layer_rows: vec![(0, void)], layer_rejects: vec![(1, refused(9_999))], ..Chunk::default() })?;
        out(Chunk { again: true, ..Chunk::default() })?;

        let mut ids = (0..OBJECTS).peekable();
        while ids.peek().is_some() {
            let (mut benches, mut roads) = (LayerRows::default(), LayerRows::default());
            for id in ids.by_ref().take(50) {
                let at = position(id);
                let (east, north) = (Position { lon: at.lon + 500, ..at }, Position { lat: at.lat + 500, ..at });
                if id % 2 == 0 {
                    benches.push(&feature(id, ObjectKind::Node, LayerShape::Point(at), &[("amenity", "bench")]));
                    continue;
                }
                let lanes = if id % 10 == 1 { "a few" } else { "2" };
                let tags = [("highway", "pedestrian"), ("lanes", lanes), ("name", "Städtle")];
                roads.push(&feature(id, ObjectKind::Way, LayerShape::Line(&[at, east, north]), &tags));
                let rings = [vec![vec![at, east, north, at]]];
                let mut area = feature(id, ObjectKind::Way, LayerShape::Area(&rings), &tags);
                area.repairs = &[GeometryRepair::RepeatedPosition];
                roads.push(&area);
            }
            out(Chunk { layer_rows: vec![(1, roads), (0, benches)], ..Chunk::default() })?;
        }
        out(Chunk { layer_rejects: vec![(1, refused(401)), (1, refused(3))], ..Chunk::default() })?;
        let left_out = |objects| LeftOut(BTreeMap::from([(LeftOutRule::NotMatched, objects)]));
        let (read, half) = (OBJECTS as u64 + 2, OBJECTS as u64 / 2);
        let roads_left_out = if self.forgets { half } else { half + 1 };
        Ok(Extracted {
            read,
            left_out: left_out(read),
            objects: BTreeMap::from([("nodes".to_owned(), half + 1), ("ways".to_owned(), half + 1)]),
            layers: vec![
                LayerCount { kept: half, rejected: 0, left_out: left_out(half + 2) },
                LayerCount { kept: half, rejected: 1, left_out: left_out(roads_left_out) },
            ],
            stated: BTreeMap::from([("replication_url".to_owned(), "https://example.org/".to_owned())]),
            ..Extracted::default()
        })
    }
}

fn run(store: &dyn SnapshotStore, forgets: bool, memory_bytes: u64, scratch: &dyn Scratch) -> Result<Report, RunError> {
    let categories = include_str!("../../pipelines/categories.toml");
    let pipeline = Pipeline {
        name: "town".to_owned(),
        region: Region::world(),
        taxonomy: Taxonomy::parse(categories, &["charging".to_owned()]).expect("the categories are sound"),
        operators: Operators::default(),
        connectors: poimill::domain::ConnectorCodes::default(),
        repair_positions: true,
        models: Models::shipped(),
        decisions: Decisions::default(),
        merging: poimill::pipeline::conflate::Merging::default(),
        layers: layers(),
        area_rules: AreaRules::parse("area = []").expect("the rules are sound"),
        gate: Gate::open(),
        memory_bytes,
        settings: serde_json::Value::Null,
    };
    let feeds = vec![Feed { source: Box::new(Town { forgets }), vintage: None }];
    let observer = MemoryObserver::default();
    pipeline.run(&mut Ports { feeds, store, sinks: Vec::new(), scratch, decisions: None, observer: &observer })
}

fn latest(store: &dyn SnapshotStore) -> Box<dyn Snapshot> {
    store.latest().expect("the store can be read").expect("a snapshot was published")
}

#[test]
fn a_snapshot_has_the_rows_of_every_layer_and_accounts_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [&dyn SnapshotStore; 2] = [&MemoryStore::default(), &FolderStore::new(folder.path(), "town")];
    for store in stores {
        run(store, false, 1 << 30, &MemoryScratch).unwrap();
        let snapshot = latest(store);
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
        };
        let manifest = snapshot.manifest();
        let [benches, roads] = manifest.layers.as_slice() else { panic!("two layers: {:?}", manifest.layers) };
        assert_eq!((benches.read, benches.kept, benches.rows, benches.rejected), (402, 200, 200, 0));
        assert_eq!((roads.read, roads.kept, roads.rows, roads.rejected), (402, 200, 400, 1));
        assert_eq!(roads.rejects, counts(&[("missing_member", 2)]));
        assert_eq!(roads.left_out, counts(&[("not_matched", 201)]));
        assert_eq!(roads.repaired, counts(&[("repeated_position", 200)]));
        assert_eq!(roads.unreadable, counts(&[("lanes", 80)]));
        assert_eq!(manifest.sources[0].objects, counts(&[("nodes", 201), ("ways", 201)]));
        assert_eq!(manifest.sources[0].stated["replication_url"], "https://example.org/");
        assert_eq!(manifest.tables["layers/roads"].rows, 400);

        let refused = read_rows(snapshot.as_ref(), &tables::REJECTS, &["layer", "record_id"]).unwrap();
        let text = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(refused, [[text("roads"), text("way/3")], [text("roads"), text("way/401")]]);

        let table = layer_table(&layers()[1]);
        let rows = read_rows(snapshot.as_ref(), &table, &["osm_id", "kind", "name", "lanes"]).unwrap();
        let mut keys: Vec<(i64, &str)> = rows
            .iter()
            .map(|row| {
                let Cell::Int(id) = row[0] else { panic!("an id is a number") };
                let lanes = if id % 10 == 1 { Cell::Null } else { Cell::Int(2) };
                assert_eq!(row[2..], [text("Städtle"), lanes], "way {id}");
                (id, row[1].as_text().unwrap())
            })
            .collect();
        assert!(!keys.is_sorted(), "rows are in spatial order");
        keys.sort_unstable();
        let expected = (0..OBJECTS).filter(|id| id % 2 == 1).flat_map(|id| [(id, "area"), (id, "line")]);
        assert_eq!(keys, expected.collect::<Vec<_>>());
    }
}

#[test]
fn the_memory_decides_on_no_byte_and_the_same_night_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let night = |name: &str, memory_bytes: u64| {
        let store = FolderStore::new(folder.path(), name);
        let report = run(&store, false, memory_bytes, &FolderScratch::new(&store.work())).unwrap();
        (latest(&store).manifest().tables.clone(), report.unchanged)
    };
    let usual = night("much", 1 << 30);
    assert_eq!(night("little", 4_000), usual);
    assert_eq!(night("none", 0), usual);
    assert!(night("much", 0).1, "nothing is different");

    let base = latest(&FolderStore::new(folder.path(), "much"));
    let dry = MemoryStore::over(Some(base.as_ref())).unwrap();
    assert!(run(&dry, false, 1 << 30, &MemoryScratch).unwrap().unchanged, "nothing is different in a dry run");
}

#[test]
fn a_layer_that_loses_an_object_fails_the_run() {
    let error = run(&MemoryStore::default(), true, 1 << 30, &MemoryScratch).unwrap_err();
    assert!(error.to_string().starts_with("the account of layer `roads` does not balance"), "{error}");
}

#[test]
fn names_of_columns_are_reserved_that_every_layer_may_have() {
    let mut layer = layer("all", vec![]);
    layer.users = true;
    let table = layer_table(&layer);
    assert_eq!(
        reserved_columns().collect::<Vec<_>>(),
        table.columns.iter().map(|column| &*column.name).collect::<Vec<_>>()
    );
}
