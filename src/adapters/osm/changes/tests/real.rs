//! A month of Monaco: the diffs over the extract of July give what `osmium apply-changes` gives, object by object.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use osmpbf::ElementReader;

use super::super::encode::{Kind, Object};
use super::super::overlay::Counts;
use super::super::replication::Since;
use super::super::{ChangesAt, read_overlay};
use super::{gunzip, living, object_of, time};
use crate::adapters::osm::tests::shared_data;
use crate::domain::ObjectKind;

type Objects = BTreeMap<(Kind, i64), Object>;

/// Every object of an extract.
fn objects(path: &Path) -> Objects {
    let mut objects = Objects::new();
    let reader = ElementReader::from_path(path).expect("the extract is there");
    let put = |element: osmpbf::Element<'_>| {
        let object = object_of(&element);
        assert!(objects.insert((object.kind(), object.id), object).is_none());
    };
    reader.for_each(put).expect("the extract is sound");
    objects
}

/// Lays what changed over the objects of an extract.
fn updated(mut objects: Objects, changes: &ChangesAt, since: Since) -> Objects {
    let overlay = read_overlay(changes, since).expect("the diffs are sound");
    let object_kind = |kind| match kind {
        Kind::Node => ObjectKind::Node,
        Kind::Way => ObjectKind::Way,
        Kind::Relation => ObjectKind::Relation,
    };
    objects.retain(|(kind, id), object| !overlay.versions.supersede(object_kind(*kind), *id, object.info.version));
    for object in living(&overlay) {
        objects.entry((object.kind(), object.id)).or_insert(object);
    }
    objects
}

/// The diffs in order of their numbers.
fn diffs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("000/003")).expect("the diffs are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the diffs can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    paths.sort();
    paths
}

const JULY: Since = Since { sequence: Some(3047), time: None };

#[test]
fn monaco_is_brought_up_to_date_as_osmium_does() {
    let name = "monaco_is_brought_up_to_date_as_osmium_does";
    let Some(extract) = shared_data(name, "osm/monaco-20210730.osm.pbf") else { return };
    let Some(changes) = shared_data(name, "osm-changes/monaco-202108") else { return };
    let ours = updated(objects(&extract), &ChangesAt::Folder(changes.clone()), JULY);
    let count = |kind| ours.keys().filter(|(own, _)| *own == kind).count();
    assert_eq!([Kind::Node, Kind::Way, Kind::Relation].map(count), [26_257, 4_191, 244]);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let theirs = folder.path().join("updated.osm.pbf");
    let mut osmium = Command::new("osmium");
    osmium.arg("apply-changes").arg(&extract).args(diffs(&changes)).arg("-o").arg(&theirs);
    let Ok(run) = osmium.output() else {
        // Not through `eprintln!`, which the test runner hides.
        writeln!(std::io::stderr(), "skipped: {name}: osmium is not installed").expect("stderr is open");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let theirs = objects(&theirs);
    assert!(ours.keys().eq(theirs.keys()));
    for (key, object) in &ours {
        assert_eq!(object, &theirs[key]);
    }
}

#[test]
fn the_diffs_of_a_month_are_told_as_they_are() {
    let name = "the_diffs_of_a_month_are_told_as_they_are";
    let Some(changes) = shared_data(name, "osm-changes/monaco-202108") else { return };
    let since = Since { time: Some(time("2021-08-01T20:21:40Z")), ..JULY };
    let overlay = read_overlay(&ChangesAt::Folder(changes.clone()), since).expect("the diffs are sound");
    assert_eq!((overlay.sequence, overlay.vintage), (Some(3076), Some(time("2021-08-30T20:21:43Z"))));
    assert_eq!(overlay.inputs.len(), diffs(&changes).len() - 1);
    assert_eq!(overlay.counts, Counts { created: 4, modified: 18, deleted: 1 });
    let place = changes.display();
    let notes = [
        format!("16 of 29 diffs in {place} are state files only: nothing changed in them"),
        format!("{place} ends with number 3076, although its state.txt speaks of 3119"),
    ];
    assert_eq!(overlay.notes, notes);

    // By date alone, as a flat folder, and from its own beginning, it is the same.
    let by_date = Since { sequence: None, ..since };
    let flat = tempfile::tempdir().expect("a temporary folder");
    for path in diffs(&changes) {
        let bytes = gunzip(&std::fs::read(&path).expect("the diff is there"));
        let name = path.with_extension("").file_name().expect("a name").to_owned();
        std::fs::write(flat.path().join(name), bytes).expect("the temporary folder takes a file");
    }
    for (at, since) in
        [(ChangesAt::Folder(changes), by_date), (ChangesAt::Folder(flat.path().to_owned()), Since::default())]
    {
        let again = read_overlay(&at, since).expect("the diffs are sound");
        assert_eq!((&again.versions, &again.blocks), (&overlay.versions, &overlay.blocks));
    }
}
