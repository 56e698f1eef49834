//! Stores and sinks: what a night leaves in them, by whatever adapter.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::rc::Rc;

use poimill::adapters::geoparquet::FolderStore;
use poimill::adapters::memory::{MemoryObserver, MemoryScratch, MemorySink, MemoryStore};
use poimill::adapters::open_charge_map::OpenChargeMap;
use poimill::adapters::osm::OsmPbf;
use poimill::config::{Overrides, RegionSettings, Settings};
use poimill::domain::{Metres, Region};
use poimill::pipeline::ports::{Loaded, Observer, Sink, Snapshot, SnapshotStore};
use poimill::pipeline::tabulate::read_rows;
use poimill::pipeline::tabulate::tables::PLACES;
use poimill::pipeline::{Feed, Gate, Pipeline, Ports, Report, RunError, load};

use crate::support::demo::{Demo, fixture};
use crate::support::poimill;

/// A sink that a test can look into, and that fails when told to.
#[derive(Clone, Default)]
struct Watched(Rc<RefCell<(MemorySink, bool)>>);

impl Watched {
    fn fails(&self, fails: bool) {
        self.0.borrow_mut().1 = fails;
    }

    fn stands_at(&self) -> Option<String> {
        self.0.borrow().0.snapshot.clone()
    }
}

impl Sink for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn contact(&mut self) -> Result<(), RunError> {
        self.0.borrow_mut().0.contact()
    }

    fn load(&mut self, snapshot: &dyn Snapshot, observer: &dyn Observer) -> Result<Loaded, RunError> {
        let (sink, fails) = &mut *self.0.borrow_mut();
        if *fails {
            return Err(RunError::sink("watched", "it was told to fail"));
        }
        sink.load(snapshot, observer)
    }
}

/// The town on a night, into this store and sink.
fn run(night: u8, gate: &Gate, store: &dyn SnapshotStore, sink: &Watched) -> Result<Report, RunError> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo.toml");
    let settings = Settings::load(&file, &Overrides::default()).unwrap();
    let RegionSettings::Box(bbox, halo_m) = settings.region else { panic!("the demonstration has a box") };
    let pipeline = Pipeline {
        name: settings.name,
        region: Region::from_bbox(bbox, Metres(halo_m)),
        taxonomy: settings.taxonomy,
        operators: settings.operators,
        connectors: poimill::domain::ConnectorCodes::default(),
        repair_positions: true,
        models: settings.models,
        decisions: settings.decisions,
        merging: settings.merging,
        layers: settings.layers,
        area_rules: settings.area_rules,
        gate: gate.clone(),
        memory_bytes: settings.memory_bytes,
        settings: settings.told,
    };
    let input = |name: &str| fixture(&format!("night-{night}/{name}"));
    let reference = Some(fixture("ocm-reference.json"));
    let feeds = vec![
        Feed { source: Box::new(OsmPbf::new("osm", input("town.osm.pbf"))), vintage: None },
        Feed { source: Box::new(OpenChargeMap::new("ocm".to_owned(), input("ocm.json"), reference)), vintage: None },
    ];
    let observer = MemoryObserver::default();
    pipeline.run(&mut Ports {
        feeds,
        store,
        sinks: vec![Box::new(sink.clone())],
        scratch: &MemoryScratch,
        decisions: None,
        observer: &observer,
    })
}

fn latest(store: &dyn SnapshotStore) -> String {
    store.latest().unwrap().expect("there is a latest snapshot").manifest().snapshot.clone()
}

/// The same story for every store.
fn in_every_store(story: impl Fn(&dyn SnapshotStore)) {
    story(&MemoryStore::default());
    let folder = tempfile::tempdir().unwrap();
    story(&FolderStore::new(folder.path(), "demo"));
}

/// Nothing passes this gate.
fn shut() -> Gate {
    Gate { min_rows: 1_000_000, ..Gate::default() }
}

#[test]
fn a_sink_follows_the_store_night_by_night() {
    in_every_store(|store| {
        let (sink, gate) = (Watched::default(), Gate::default());
        let first = run(1, &gate, store, &sink).unwrap();
        assert_eq!(
            (first.unchanged, first.base, &first.loads[0].loaded),
            (false, None, &Loaded::Replaced { rows: 100 })
        );
        let again = run(1, &gate, store, &sink).unwrap();
        assert_eq!(
            (again.unchanged, &again.snapshot, &again.loads[0].loaded),
            (true, &first.snapshot, &Loaded::Unchanged)
        );
        let second = run(2, &gate, store, &sink).unwrap();
        assert_eq!((second.unchanged, second.base), (false, Some(first.snapshot)));
        assert!(matches!(second.loads[0].loaded, Loaded::Changed { rows } if rows > 0), "{:?}", second.loads);

        // By changes alone the sink has come to where the table is.
        let snapshot = store.latest().unwrap().unwrap();
        let rows = read_rows(snapshot.as_ref(), &PLACES, &[]).unwrap();
        let sink = sink.0.borrow();
        assert_eq!(rows.len(), sink.0.rows.len());
        for row in rows {
            assert_eq!(sink.0.rows.get(row[0].as_text().unwrap()), Some(&row));
        }
    });
}

#[test]
fn an_unchanged_run_brings_a_sink_that_failed_to_the_latest_snapshot() {
    in_every_store(|store| {
        let (sink, gate) = (Watched::default(), Gate::default());
        let first = run(1, &gate, store, &sink).unwrap();
        sink.fails(true);
        assert_eq!(run(2, &gate, store, &sink).unwrap_err().exit_code(), 5);
        let second = latest(store);
        assert_ne!(second, first.snapshot, "the snapshot is published before it is loaded");
        assert_eq!(sink.stands_at(), Some(first.snapshot));
        sink.fails(false);
        let repaired = run(2, &gate, store, &sink).unwrap();
        assert_eq!((repaired.unchanged, sink.stands_at()), (true, Some(second)));
    });
}

#[test]
fn a_held_snapshot_is_never_a_base_and_reaches_no_sink() {
    in_every_store(|store| {
        let sink = Watched::default();
        let first = run(1, &Gate::default(), store, &sink).unwrap().snapshot;
        let held = run(2, &shut(), store, &sink).unwrap_err();
        let RunError::Held { snapshot: held, reasons, .. } = held else { panic!("{held}") };
        assert_eq!(reasons, ["98 places, fewer than gate.min_rows = 1000000"]);
        assert_eq!((latest(store), sink.stands_at()), (first.clone(), Some(first.clone())));
        // Held again, it is the same snapshot; let through, it is too, and it starts from the good one.
        assert!(matches!(run(2, &shut(), store, &sink), Err(RunError::Held { snapshot, .. }) if snapshot == held));
        let released = run(2, &Gate::default(), store, &sink).unwrap();
        assert_eq!((released.snapshot, released.base), (held.clone(), Some(first)));
        assert_eq!((latest(store), sink.stands_at()), (held, Some(latest(store))));
        assert!(store.latest().unwrap().unwrap().manifest().held.is_empty());
    });
}

#[test]
fn a_held_snapshot_is_listed_released_and_then_followed_in_every_store() {
    in_every_store(|store| {
        let sink = Watched::default();
        let first = run(1, &Gate::default(), store, &sink).unwrap().snapshot;
        let Err(RunError::Held { snapshot: held, .. }) = run(2, &shut(), store, &sink) else { panic!("it is held") };
        let is_held = |id: &str| {
            let kept = store.list().unwrap();
            let one = kept.iter().find(|kept| kept.id == id).expect("it is kept");
            (kept.len(), one.snapshot.as_ref().unwrap().is_held())
        };
        assert_eq!((is_held(&first), is_held(&held)), ((2, false), (2, true)));
        assert!(store.remove(&first).is_err(), "the latest stays");
        let release = store.release(&held).unwrap();
        assert_eq!((release.snapshot, release.after), (held.clone(), Some(first.clone())));
        assert_eq!((is_held(&held), latest(store)), ((2, false), held.clone()));
        // The gate has nothing to say of what is the latest already, and the sink follows.
        let again = run(2, &shut(), store, &sink).unwrap();
        assert_eq!((again.unchanged, again.snapshot, sink.stands_at()), (true, held.clone(), Some(held.clone())));
        store.remove(&first).unwrap();
        assert_eq!(is_held(&held), (1, false));
        assert_eq!(run(1, &Gate::default(), store, &sink).unwrap().base, Some(held));
    });
}

#[test]
fn a_first_night_that_is_held_leaves_no_latest() {
    in_every_store(|store| {
        let sink = Watched::default();
        assert_eq!(run(1, &shut(), store, &sink).unwrap_err().exit_code(), 4);
        assert!(store.latest().unwrap().is_none());
        assert_eq!(run(1, &Gate::default(), store, &sink).unwrap().base, None);
    });
}

#[test]
fn three_nights_give_three_snapshots() {
    in_every_store(|store| {
        let (sink, gate) = (Watched::default(), Gate::default());
        let ids: Vec<String> = [1, 2, 1].map(|night| run(night, &gate, store, &sink).unwrap().snapshot).into();
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        assert_eq!(sink.stands_at().as_ref(), ids.last());
    });
}

#[test]
fn debris_of_a_run_that_was_cut_off_is_removed() {
    let demo = Demo::after_one_night();
    let before = demo.listing();
    let work = demo.store().join("demo/.work");
    fs::create_dir_all(work.join("staging/changes")).unwrap();
    fs::write(work.join("staging/places.parquet"), "half").unwrap();
    fs::create_dir_all(work.join("replaced")).unwrap();
    symlink("nowhere", work.join("latest")).unwrap();
    symlink("../..", work.join("elsewhere")).unwrap();
    assert_eq!(demo.run(1, &[]).code, 0);
    assert_eq!(demo.listing(), before);
}

#[test]
fn a_latest_that_leads_nowhere_is_told_and_not_taken_for_a_first_night() {
    let demo = Demo::after_one_night();
    fs::remove_file(demo.latest()).unwrap();
    symlink("gone", demo.latest()).unwrap();
    for args in
        ["run demo.toml --store store", "run demo.toml --store store --dry-run", "check demo.toml --store store"]
    {
        let told = demo.poimill(args);
        assert!(told.code == 1 && told.err.contains("store/demo/latest points to no snapshot; link it to"), "{told:?}");
    }
}

#[test]
fn a_damaged_snapshot_is_told_by_file() {
    let demo = Demo::after_one_night();
    let folder = demo.store().join("demo").join(demo.latest_id());
    let whole = fs::read(folder.join("identity.parquet")).unwrap();
    fs::write(folder.join("identity.parquet"), &whole[..whole.len() / 2]).unwrap();
    let told = demo.run(2, &[]);
    assert!(told.code == 1 && told.err.contains("identity.parquet; the file is damaged"), "{told:?}");
    fs::write(folder.join("identity.parquet"), &whole).unwrap();
    fs::write(folder.join("manifest.json"), "{").unwrap();
    let told = demo.run(2, &[]);
    assert!(
        told.code == 1 && told.err.contains("cannot be understood; it is damaged or of a newer version"),
        "{told:?}"
    );
}

#[test]
fn columns_come_in_the_order_they_are_asked_for() {
    in_every_store(|store| {
        run(1, &Gate::default(), store, &Watched::default()).unwrap();
        let snapshot = store.latest().unwrap().unwrap();
        let mut ids = Vec::new();
        let mut names = Vec::new();
        let read = |columns: &[&str], out: &mut Vec<_>| {
            snapshot.read("places", columns, &mut |batch| {
                let schema = batch.schema();
                out.push(schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>());
                Ok(())
            })
        };
        read(&["name", "id"], &mut names).unwrap();
        read(&["id"], &mut ids).unwrap();
        assert_eq!((names, ids), (vec![vec!["name".to_owned(), "id".to_owned()]], vec![vec!["id".to_owned()]]));
        assert!(read(&["nothing"], &mut Vec::new()).is_err());
        assert!(snapshot.read("nothing", &[], &mut |_| Ok(())).is_err());
        let mut rows = 0;
        snapshot
            .read_rows("places", &[0, 1, 50, 99], &mut |batch| {
                rows += batch.num_rows();
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, 4);
    });
}

#[test]
fn a_night_that_merges_most_places_is_held_and_a_held_snapshot_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path(), "spots");
    let pipeline = folder.path().join("spots.toml");
    let source = "[[source]]\nname = \"ocm\"\nkind = \"open_charge_map\"\npath = \"ocm.json\"\n";
    fs::write(&pipeline, format!("name = \"spots\"\n{source}")).unwrap();
    // Five records of one title, each at its own tenth of a degree.
    let run = |tenths: [usize; 5]| {
        let record = |(id, tenth): (u32, &usize)| {
            format!(
                "{{\"ID\": {id}, \"AddressInfo\": {{\"Title\": \"Kommod\", \"Latitude\": 47.1, \"Longitude\": 9.{tenth}}}}}"
            )
        };
        let records: Vec<String> = (1..).zip(&tenths).map(record).collect();
        fs::write(folder.path().join("ocm.json"), format!("[{}]", records.join(","))).unwrap();
        poimill().arg("run").arg(&pipeline).arg("--store").arg(folder.path()).output().unwrap()
    };
    assert_eq!(run([1, 2, 3, 4, 5]).status.code(), Some(0));
    let first = latest(&store);
    let broken = run([1, 1, 1, 1, 5]);
    let told = String::from_utf8(broken.stderr).unwrap();
    assert!(broken.status.code() == Some(4) && told.contains("3 of 5 places are gone"), "{told}");
    assert_eq!(latest(&store), first);

    let kept = fs::read_dir(folder.path().join("spots")).unwrap().map(|entry| entry.unwrap().file_name());
    let held =
        kept.filter_map(|name| name.into_string().ok()).find(|name| name.starts_with("undated") && *name != first);
    let held = poimill::wiring::snapshot(&folder.path().join("spots").join(held.unwrap())).unwrap();
    let mut sink = MemorySink::default();
    let refused = load(&held, &mut sink, &MemoryObserver::default()).unwrap_err();
    assert!(matches!(refused, RunError::Held { .. }) && sink.snapshot.is_none(), "{refused}");
}
