//! Faults: a run is killed at every call that changes a file of the store, its disk fills up, fails, or may not be written
//! to. `latest` is whole each time, and the next run ends where an undisturbed one does.

mod load;
mod lock;
mod room;
mod shim;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rayon::prelude::*;

use crate::kill::{copy, whole};
use crate::support::demo::{Demo, Told};
use shim::{Call, EACCES, EIO, ENOSPC, How, calls_of, faulty, refused, shim, watched};

/// A run that is disturbed: what it finds, what it calls, and what it leaves when it is left alone.
struct Scene {
    name: &'static str,
    shim: &'static Path,
    begins: Demo,
    night: u8,
    calls: Vec<Call>,
    ends: Demo,
}

impl Scene {
    fn new(name: &'static str, shim: &'static Path, begins: Demo, night: u8) -> Self {
        let mut scene = Self { name, shim, ends: Demo::new(), calls: Vec::new(), begins, night };
        scene.ends = scene.again();
        let run = scene.watched(&scene.ends);
        scene.calls = calls_of(run, &scene.ends.path("calls"), &scene.ends.store());
        whole(&scene.ends);
        scene
    }

    /// Every kind of run that publishes something.
    fn all(shim: &'static Path) -> Vec<Self> {
        let held = Demo::after_one_night();
        held.write("demo.toml", format!("{}\n[gate]\n{SHUT}\n", Demo::text()).as_bytes());
        assert_eq!(held.run(2, &[]).code, 4);
        held.edit(SHUT, "min_rows = 10");
        let layered = Demo::new();
        layered.write("demo.toml", format!("{}{LAYER}", Demo::text()).as_bytes());
        assert_eq!(layered.run(1, &[]).code, 0);
        vec![
            Self::new("a night with a layer", shim, layered, 2),
            Self::new("first night", shim, Demo::new(), 1),
            Self::new("second night", shim, Demo::after_one_night(), 2),
            Self::new("a night that was held", shim, held, 2),
            Self::new("a night like the one before", shim, Demo::after_one_night(), 1),
        ]
    }

    /// A store as the run finds it.
    fn again(&self) -> Demo {
        let demo = Demo::new();
        fs::copy(self.begins.path("demo.toml"), demo.path("demo.toml")).expect("the pipeline file");
        if self.begins.store().exists() {
            copy(&self.begins.store(), &demo.store());
        }
        demo
    }

    fn watched(&self, demo: &Demo) -> Command {
        watched(demo.night(self.night), self.shim, &demo.store())
    }

    /// Disturbs the run, looks at what is left, and at what the next one makes of it. Returns what the run said.
    fn disturbed(&self, disturb: impl Fn(Command) -> Command) -> Told {
        let demo = self.again();
        let told = Told::from(disturb(self.watched(&demo)).output().expect("poimill starts"));
        let left = published(&demo);
        assert!([&self.begins, &self.ends].map(published).contains(&left), "{left:?}: {told:?}");
        for snapshot in self.begins.snapshots() {
            assert!(Self::keeps(&demo, &snapshot), "{snapshot} is lost: {told:?}");
        }
        let next = demo.run(self.night, &[]);
        assert_eq!(next.code, 0, "{next:?} after {told:?}");
        assert_eq!(demo.reproducible(), self.ends.reproducible(), "{told:?}");
        told
    }

    /// Whether a snapshot is where it was, or will be again when anything is run.
    fn keeps(demo: &Demo, snapshot: &str) -> bool {
        if demo.snapshots().contains(&snapshot.to_owned()) {
            return true;
        }
        let other = Demo::new();
        copy(&demo.store(), &other.store());
        assert_eq!(other.run(1, &[]).code, 0);
        other.snapshots().contains(&snapshot.to_owned())
    }
}

/// Where `latest` leads, with a hash of every file there; they are whole if they are those of a run left alone.
fn published(demo: &Demo) -> BTreeMap<String, String> {
    let mut listing = demo.reproducible();
    let Some(latest) = listing.get("/demo/latest").cloned() else { return BTreeMap::new() };
    let folder = latest.replace("link to ", "/demo/");
    listing.retain(|path, _| path == "/demo/latest" || path.starts_with(&folder));
    listing
}

/// A gate that nothing passes.
const SHUT: &str = "min_rows = 1000000";

/// Every object, so that the gate sees few of them go.
const LAYER: &str = "\n[[layer]]\nname = \"everything\"\nfilter = \"*\"\n";

/// Tables that stand for the others, which are written in the same way.
const SOME: [&str; 2] = ["/staging/sources.parquet", "/staging/changes/places.parquet"];

/// The calls that are disturbed: in the second night all, but of many tables those of two; in the other scenes those that
/// name and remove.
fn chosen(scenes: &[Scene]) -> impl ParallelIterator<Item = (&Scene, &Call)> {
    let is_chosen = |(scene, call): &(&Scene, &Call)| {
        let table = call.path.ends_with(".parquet");
        let known = call.name == "mkdir" && call.path.ends_with("/staging") && call.number > 10;
        match scene.name {
            _ if known => false,
            "second night" => !table || SOME.iter().any(|path| call.path.ends_with(path)),
            _ => ["rename", "symlink", "unlink", "unlinkat"].contains(&call.name.as_str()),
        }
    };
    let calls = scenes.iter().flat_map(|scene| scene.calls.iter().map(move |call| (scene, call)));
    calls.filter(is_chosen).collect::<Vec<_>>().into_par_iter()
}

#[test]
fn a_run_killed_at_any_call_is_repaired_by_the_next() {
    let Some(shim) = shim("a_run_killed_at_any_call_is_repaired_by_the_next") else { return };
    let scenes = Scene::all(shim);
    let killed = chosen(&scenes).map(|(scene, call)| {
        let hows: &[How] = match call.name.as_str() {
            "write" => &[How::Half],
            "rename" => &[How::Kill, How::After],
            _ => &[How::Kill],
        };
        for how in hows {
            let told = scene.disturbed(|run| faulty(run, call.number, *how, false));
            assert_eq!(told.code, -1, "{}, {how:?} at {call:?}: {told:?}", scene.name);
        }
        hows.len()
    });
    let killed: usize = killed.sum();
    assert!(killed >= 60, "{killed} points");
}

#[test]
fn on_a_disk_that_is_full_a_run_says_so_and_the_next_completes() {
    let Some(shim) = shim("on_a_disk_that_is_full_a_run_says_so_and_the_next_completes") else { return };
    let scenes = [Scene::new("second night", shim, Demo::after_one_night(), 2)];
    chosen(&scenes).filter(|(_, call)| call.number.is_multiple_of(2)).for_each(|(scene, call)| {
        let told = scene.disturbed(|run| faulty(run, call.number, How::Fails(ENOSPC), true));
        let names_it = told.err.contains(" store");
        let advises = told.err.contains("check the disk's free space");
        let says_why = told.err.contains("because: No space left on device (os error 28)");
        assert!(told.code == 1 && names_it && advises && says_why, "{}, {call:?}: {told:?}", scene.name);
    });
}

#[test]
fn a_disk_that_fails_once_is_told_and_the_next_run_completes() {
    let Some(shim) = shim("a_disk_that_fails_once_is_told_and_the_next_run_completes") else { return };
    let scenes = [Scene::new("second night", shim, Demo::after_one_night(), 2)];
    chosen(&scenes).filter(|(_, call)| call.number % 2 == 1).for_each(|(scene, call)| {
        let told = scene.disturbed(|run| faulty(run, call.number, How::Fails(EIO), false));
        // A folder that is there need not be made, and who holds the lock need not be told.
        let harmless = (call.name == "mkdir" || call.path == "demo/.lock") && told.code == 0;
        let failed = told.code == 1
            && told.err.contains(" store")
            && told.err.contains("check the disk")
            && told.err.contains("because: Input/output error (os error 5)");
        assert!(harmless || failed, "{call:?}: {told:?}");
    });
}

#[test]
fn where_nobody_may_write_or_read_a_run_says_so_and_the_next_completes() {
    let Some(shim) = shim("where_nobody_may_write_or_read_a_run_says_so_and_the_next_completes") else { return };
    let first = Scene::new("first night", shim, Demo::new(), 1);
    let second = Scene::new("second night", shim, Demo::after_one_night(), 2);
    let (before, after) = (second.begins.latest_id(), second.ends.latest_id());
    let places = [
        (&first, "/store", "cannot write store/demo; check"),
        (&first, "/store/demo", "cannot write store/demo; check"),
        (&second, "/demo/.lock", "cannot write store/demo/.lock; check"),
        (&second, "/demo/.work", "cannot write store/demo/.work; check"),
        (&second, "/staging", "cannot write store/demo/.work/staging; check"),
        (&second, "/staging/links.parquet", "cannot write store/demo/.work/staging/links.parquet; check"),
        (&second, "/staging/manifest.json", "cannot write store/demo/.work/staging/manifest.json; check"),
        (&second, "/demo/latest", "cannot read store/demo/latest; check"),
        (&second, &format!("/{before}/manifest.json"), "cannot read store/demo/latest; check"),
        (&second, &format!("/{before}/identity.parquet"), "identity.parquet; check"),
        (&second, &format!("/demo/{after}"), &format!("cannot write store/demo/{after}; check")),
    ];
    places.par_iter().for_each(|(scene, place, message)| {
        let told = scene.disturbed(|run| refused(run, place, EACCES));
        let says_why = told.err.contains("because: Permission denied (os error 13)");
        assert!(told.code == 1 && told.err.contains(message) && says_why, "{place}: {told:?}");
    });
}

#[test]
fn what_is_published_is_on_disk_before_it_has_a_name() {
    let Some(shim) = shim("what_is_published_is_on_disk_before_it_has_a_name") else { return };
    for scene in Scene::all(shim) {
        // Files that were written and folders in which names came to be since they were last synced.
        let mut loose: Vec<String> = Vec::new();
        for Call { name, path, .. } in &scene.calls {
            let folder = Path::new(path).parent().map(|folder| folder.display().to_string());
            let scratch = path.starts_with("demo/.lock") || path == "demo/.work";
            match name.as_str() {
                "fsync" => loose.retain(|loose| loose != path),
                _ if scratch => {}
                "rename" => {
                    // A rename takes files out of the folder in the making; nothing in it may be loose.
                    let making: Vec<_> = loose.iter().filter(|loose| loose.starts_with("demo/.work/staging")).collect();
                    assert!(making.is_empty(), "{}: {path} before {making:?} are on disk", scene.name);
                    let named = path == "demo/latest";
                    assert!(!named || loose.is_empty(), "{}: {path} before {loose:?} are on disk", scene.name);
                    loose.extend(folder.filter(|folder| folder != "demo/.work"));
                }
                "write" | "ftruncate64" => loose.push(path.clone()),
                "open" | "mkdir" => {
                    loose.extend(folder.filter(|folder| folder != "demo/.work"));
                }
                _ => {}
            }
        }
        loose.retain(|path| path != "demo/.work" && !path.starts_with("demo/.work/"));
        assert!(loose.is_empty(), "{}: {loose:?} are not on disk at the end", scene.name);
    }
}
