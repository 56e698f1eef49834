//! A person's part in a run: pairs under review, decisions on them, and what licences let be mixed.

use std::fs;
use std::path::Path;

use poimill::pipeline::ports::Tables;
use poimill::pipeline::tabulate::tables::{CONFLICTS, PLACES, SOURCES, places_of};

use crate::support::town::Town;

const HEAD: &str = "dataset_a,record_id_a,dataset_b,record_id_b,decision";

fn manifest(path: &Path) -> String {
    fs::read_to_string(path.join("manifest.json")).expect("a manifest")
}

#[test]
fn a_run_asks_a_person_decides_and_the_next_run_obeys() {
    let town = Town::new();
    for arguments in
        [&["run", "town.toml", "--store", "store", "--dry-run"][..], &["check", "town.toml", "--store", "store"]]
    {
        assert!(town.poimill(arguments).status.success());
        assert!(!town.path("verdicts.csv").exists(), "{arguments:?} writes nothing");
    }
    let told = town.run(&[]);
    assert!(told.contains("1 pair is under review, 1 new; write `always` or `never`"), "{told}");
    let asked = town.read("verdicts.csv");
    assert!(asked.starts_with(HEAD) && asked.contains("\na,1,b,7,,,"), "{asked}");
    assert!(asked.contains("https://www.openstreetmap.org/?mlat=47.100200&mlon=9.500000"), "{asked}");
    let before = manifest(&town.path("store/town/latest"));

    let told = town.run(&[]);
    assert!(told.contains("nothing changed"), "an open question changes nothing: {told}");
    assert_eq!((town.read("verdicts.csv"), manifest(&town.path("store/town/latest"))), (asked.clone(), before));

    let decided = "\u{feff}sep=;\r\ndataset_b;record_id_b;dataset_a;record_id_a;decision;note\r\nb;7;a;1; Always ;\"I was\r\nthere\"\r\n";
    town.write("verdicts.csv", decided);
    let told = town.run(&[]);
    assert!(told.contains("places    1"), "{told}");
    assert_eq!(town.read("verdicts.csv"), decided, "what a person wrote stays");
    assert_eq!(town.texts(&PLACES, &["name", "phone"]), [["Rathaus", "+423 230 20 20"]]);
    let conflict = ["/phone", "b", "7", "\"+423 230 20 21\"", "\"+423 230 20 20\"", "priority"];
    let columns = ["property", "dataset", "record_id", "value", "taken_value", "rule"];
    assert_eq!(town.texts(&CONFLICTS, &columns), [conflict]);
}

#[test]
fn a_record_without_an_open_licence_joins_the_place_and_gives_it_nothing() {
    let town = Town::new();
    town.write("verdicts.csv", &format!("{HEAD}\na,1,b,7,always\n"));
    let keys = [
        ("", ""),
        ("", "license = \"all rights reserved\""),
        ("open_licenses = [\"our contract\"]", "license = \"Our Contract\""),
    ];
    for (at, (conflate, second)) in keys.into_iter().enumerate() {
        town.pipeline(
            &format!("survivorship.phone = \"newest\"\nsurvivorship.position = \"priority\"\n{conflate}"),
            second,
        );
        town.write("a.csv", "id,lon,lat,name,phone\n1,9.5,47.1,Rathaus,\n");
        let told = town.run(&[]);
        let is_mixed = at == 2;
        assert_eq!(told.contains("1 records of `b` are not mixed with others"), !is_mixed, "{told}");
        let phone = if is_mixed { "+423 230 20 21" } else { "" };
        assert_eq!(town.texts(&PLACES, &["phone"]), [[phone]], "{conflate} {second}");
        assert_eq!(town.texts(&SOURCES, &["record_id"]).len(), 2, "the bridge has both");
    }
}

#[test]
fn layered_places_have_a_table_per_source_and_are_not_loaded() {
    let town = Town::new();
    town.write("verdicts.csv", &format!("{HEAD}\na,1,b,7,always\n"));
    town.pipeline("merge = \"layered\"", "");
    town.run(&[]);
    let ids = ["a", "b"].map(|source| town.texts(&places_of(source), &["id", "phone"]));
    assert_eq!(ids[0][0][0], ids[1][0][0], "the layers join on the id of the place");
    assert_eq!([&ids[0][0][1], &ids[1][0][1]], ["+423 230 20 20", "+423 230 20 21"]);
    assert!(!town.latest().has("places") && town.latest().has("changes/places_b"));
    let explained = town.told(&["explain", "store/town/latest", &ids[0][0][0]]);
    for row in [
        " in places_a\n",
        "phone                 +423 230 20 20",
        " in places_b\n",
        "phone                 +423 230 20 21",
    ] {
        assert!(explained.contains(row), "{row:?}: {explained}");
    }
    let page = town.told(&["explain", "store/town/latest", &ids[0][0][0], "--format", "html"]);
    assert!(page.contains("<h2>In places_a</h2>") && page.contains("<h2>In places_b</h2>"), "{page}");

    town.write("b.csv", "id,lon,lat,name,phone\n7,9.5,47.1002,Gemeindehaus,+423 230 20 21\n");
    let first = fs::canonicalize(town.path("store/town/latest")).expect("a snapshot");
    town.run(&[]);
    let told = town.poimill(&["diff", first.to_str().expect("a path"), "store/town/latest"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("places_b  modified") && !told.contains("places_a  modified"), "{told}");

    let load = town.poimill(&["load", "store/town/latest", "--database", "postgresql://127.0.0.1:1/none"]);
    let told = String::from_utf8_lossy(&load.stderr).into_owned();
    assert!(!load.status.success(), "{told}");
}

#[test]
fn a_decisions_file_that_cannot_be_written_loses_no_report() {
    let town = Town::new();
    // A file of this name can be; one beside it with a longer name, which is renamed once it is whole, cannot.
    let name = format!("{}.csv", "x".repeat(251));
    let settings = town.read("town.toml").replace("verdicts.csv", &name);
    town.write("town.toml", &settings);
    for stays in ["", "nothing changed"] {
        let done = town.poimill(&["run", "town.toml", "--store", "store"]);
        let [out, err] = [&done.stdout, &done.stderr].map(|told| String::from_utf8_lossy(told).into_owned());
        assert_eq!(done.status.code(), Some(1), "{err}");
        assert!(out.contains("\nplaces    2\n") && out.contains(stays), "{out}");
        assert!(err.contains("is published and nothing of it is lost") && err.contains("run again"), "{err}");
        assert!(err.contains("cannot write the pairs under review to"), "{err}");
        assert_eq!(town.texts(&PLACES, &["name"]).len(), 2, "latest is the new snapshot");
    }
    town.write("town.toml", &settings.replace(&name, "verdicts.csv"));
    assert!(town.run(&[]).contains("1 pair is under review, 1 new"), "the next run asks");
}

#[test]
fn a_pair_that_a_crowd_kept_apart_is_not_told_as_out_of_reach() {
    let town = Town::new();
    let row = |id: usize, north: f64, name: &str, phone: &str| format!("{id},9.5,{:.6},{name},{phone}\n", 47.1 + north);
    // Nearer to each of the two are 300 stations of the other's source, under other names.
    let crowd = |own: &str| {
        let others: String = (10..310).map(|at| row(at, 0.0004, &format!("Halt{at}{own}"), "")).collect();
        format!("id,lon,lat,name,phone\n{others}")
    };
    town.write("a.csv", &(crowd("a") + &row(1, 0.0, "Rathaus", "+423 230 20 20")));
    town.write("b.csv", &(crowd("b") + &row(7, 0.0008, "Gemeinde", "+423 230 20 20")));
    let settings = town.read("town.toml").replace("review_score = 0.1", "review_score = 0.000001");
    town.write("town.toml", &settings);
    town.run(&[]);
    let explained = town.told(&["explain", "store/town/latest", "a:1", "b:7"]);
    assert!(explained.contains("they stand in a crowd: so many others are nearer to each"), "{explained}");
}

#[test]
fn decisions_that_unite_what_a_veto_keeps_apart_are_told() {
    let town = Town::new();
    town.write("a.csv", "id,lon,lat,name,phone\n1,9.5,47.1,Rathaus,\n2,9.5,47.1004,Gemeinde,\n");
    town.write("verdicts.csv", &format!("{HEAD}\na,1,b,7,always\na,2,b,7,always\n"));
    let told = town.run(&[]);
    assert!(
        told.contains(
            "decisions unite 1 pair through other records though a veto keeps them apart, the first a:1 and a:2"
        ),
        "{told}"
    );
    let why = "one place: a person's decisions unite them through others (a:1, b:7, a:2), though a veto keeps the two apart: \
               not a duplicate within its source";
    let explained = town.told(&["explain", "store/town/latest", "a:1", "a:2"]);
    assert!(explained.contains(why), "{explained}");
    let id = &town.texts(&PLACES, &["id"])[0][0];
    let of_place = town.told(&["explain", "store/town/latest", id]);
    assert!(of_place.contains(why), "{of_place}");

    town.write("verdicts.csv", &format!("{HEAD}\na,1,b,7,always\na,2,b,7,always\na,1,a,2,always\n"));
    assert!(!town.run(&[]).contains("though a veto"), "a person saw it");
}
