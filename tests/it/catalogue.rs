//! A store as a STAC browser walks through it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use poimill::domain::Manifest;
use serde_json::Value;

use crate::support::demo::Demo;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// Where the links of this kind lead, from a document that must be there.
fn linked(document: &Path, rel: &str) -> Vec<PathBuf> {
    let told = json(document);
    let links = told["links"].as_array().expect("every document has links");
    let of_kind = links.iter().filter(|link| link["rel"] == rel);
    let folder = document.parent().expect("a file is in a folder");
    of_kind.map(|link| folder.join(link["href"].as_str().expect("a link leads somewhere"))).collect()
}

fn same_file(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).unwrap() == fs::canonicalize(b).unwrap()
}

#[test]
fn a_store_can_be_walked_from_its_catalogue_to_every_table() {
    let demo = Demo::after_one_night();
    let catalog = demo.store().join("catalog.json");
    assert_eq!(linked(&linked(&catalog, "child")[0], "item").len(), 1);
    assert_eq!(demo.run(2, &[]).code, 0);

    let [collection] = &*linked(&catalog, "child") else { panic!("one pipeline") };
    assert!(linked(collection, "parent").iter().chain(&linked(collection, "root")).all(|up| same_file(up, &catalog)));
    let told = json(collection);
    assert_eq!((&told["type"], &told["id"], &told["license"]), (&"Collection".into(), &"demo".into(), &"other".into()));
    let items = linked(collection, "item");
    assert_eq!(items.len(), 2);
    let mut days = Vec::new();
    for path in &items {
        let item = json(path);
        for (rel, up) in [("collection", collection), ("parent", collection), ("root", &catalog)] {
            assert!(linked(path, rel).iter().all(|led| same_file(led, up)), "{rel}");
        }
        let folder = path.parent().unwrap();
        let manifest: Manifest = serde_json::from_value(json(&folder.join("manifest.json"))).unwrap();
        assert_eq!(item["id"], manifest.snapshot.as_str());
        let assets = item["assets"].as_object().unwrap();
        for (name, file) in &manifest.tables {
            let asset = &assets[name];
            assert!(folder.join(asset["href"].as_str().unwrap()).is_file(), "{name}");
            assert_eq!(asset["file:checksum"], format!("1220{}", file.sha256), "{name}");
            assert_eq!(asset["table:row_count"], file.rows, "{name}");
        }
        assert!(assets.values().all(|asset| folder.join(asset["href"].as_str().unwrap()).is_file()));
        days.push(item["properties"]["datetime"].as_str().unwrap().to_owned());
        let [west, south, east, north] = serde_json::from_value(item["bbox"].clone()).unwrap();
        let [w, s, e, n]: [f64; 4] = serde_json::from_value(told["extent"]["spatial"]["bbox"][0].clone()).unwrap();
        assert!(w <= west && s <= south && e >= east && n >= north && west < east && south < north);
    }
    assert_eq!(days, ["2026-05-01T20:21:00Z", "2026-05-02T20:21:00Z"], "oldest first");
    assert_eq!(told["extent"]["temporal"]["interval"][0], serde_json::json!(days));
    let columns: BTreeSet<String> = json(&items[1])["assets"]["places"]["table:columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(columns.contains("geometry") && columns.contains("connectors"), "{columns:?}");
}

#[test]
fn pipelines_of_one_store_are_in_one_catalogue() {
    let demo = Demo::after_one_night();
    demo.edit("name   = \"demo\"", "name = \"other\"");
    assert_eq!(demo.run(1, &[]).code, 0);
    let children = linked(&demo.store().join("catalog.json"), "child");
    let names: Vec<Value> = children.iter().map(|child| json(child)["id"].clone()).collect();
    assert_eq!(names, ["demo", "other"]);
}
