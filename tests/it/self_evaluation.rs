//! Self-evaluation on an invented map, of which it is known what the matcher can find without ids.

use std::fmt::Write;
use std::fs;

use serde_json::{Value, json};

use crate::support::demo::Demo;

/// Two registers of stations that share EVSE ids. `far` of them stand 3 km apart: no matcher can find those.
fn registers(demo: &Demo, near: usize, far: usize) {
    let (mut town, mut state) = (String::from("id,lon,lat,name,evse\n"), String::from("id,lon,lat,name,evse\n"));
    for at in 0..near + far {
        let name: String =
            [at / 26, at % 26].map(|digit| char::from(b'a' + digit as u8)).iter().collect::<String>().repeat(4);
        let (lon, away) = (9.0 + at as f64 / 50.0, if at < near { 0.00005 } else { 0.03 });
        writeln!(town, "{at},{lon},47.0,{name},DE*ABC*E{at}").unwrap();
        writeln!(state, "{at},{lon},{},{name},DEABCE{at}", 47.0 + away).unwrap();
    }
    demo.write("town.csv", town.as_bytes());
    demo.write("state.csv", state.as_bytes());
    let source = |name: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nkind = \"table\"\npath = \"{name}.csv\"\nlicense = \"CC0-1.0\"\n\
             [source.table]\nid = \"id\"\nlon = \"lon\"\nlat = \"lat\"\n[source.table.tags]\n\
             amenity = {{ value = \"charging_station\" }}\nname = \"name\"\n\"ref:EU:EVSE\" = \"evse\"\n"
        )
    };
    let file = format!(
        "name = \"map\"\nthemes = [\"charging\"]\n{}{}[store]\ndir = \"store\"\n",
        source("town"),
        source("state")
    );
    demo.write("map.toml", file.as_bytes());
}

fn manifest(demo: &Demo) -> Value {
    let text = fs::read_to_string(demo.path("store/map/latest/manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_manifest_says_what_is_found_of_what_is_known() {
    let demo = Demo::new();
    registers(&demo, 27, 3);
    let told = demo.poimill("run map.toml --threads 1");
    assert_eq!(told.code, 0, "{}", told.err);
    let line = "self-test 30 pairs are known by shared ids; with ids hidden: precision 1.00 (0.88 to 1.00) of the matches of their records, recall 0.90 (0.74 to 0.97)";
    assert!(told.out.lines().any(|told| told == line), "{}", told.out);

    let one_thread = manifest(&demo);
    let found = &one_thread["self_evaluation"];
    let recall = json!({"hits": 27, "of": 30, "share": 0.9, "low": 0.7438, "high": 0.9654});
    assert_eq!((&found["enough"], &found["hidden_ids"]["recall"]), (&true.into(), &recall));
    assert_eq!(found["hidden_ids"]["completeness"], recall, "those 3 km apart are not compared");
    assert_eq!(found["hidden_ids"]["precision"]["hits"], 27);
    assert_eq!(found["by_sources"][0]["sources"], json!(["town", "state"]));
    // 30 of 60 · 59 / 2 pairs are compared: 27 near ones, and 3 by their ids.
    assert_eq!(found["reduction"], json!(0.983_050_847));
    // With their ids, all are found.
    assert_eq!(one_thread["counts"]["pairs_matched"], 30);

    let page = fs::read_to_string(demo.path("store/map/latest/report.html")).expect("a page");
    assert!(page.contains("<td>recall, town and state<td>0.90 (0.74 to 0.97), 27 of 30"), "{page}");

    fs::remove_dir_all(demo.path("store")).unwrap();
    assert_eq!(demo.poimill("run map.toml --threads 4").code, 0);
    assert_eq!(manifest(&demo), one_thread);
}

#[test]
fn few_known_pairs_are_told_as_few() {
    let demo = Demo::new();
    for (near, line) in [
        (3, "self-test 3 pairs are known by shared ids, 3 found with ids hidden: too few to say more, 20 are needed"),
        (0, "self-test 0 pairs are known by shared ids: the matcher could not be tried on these data"),
    ] {
        registers(&demo, near.max(1), 0);
        if near == 0 {
            let text = fs::read_to_string(demo.path("map.toml")).unwrap();
            demo.write("map.toml", text.replace("\"ref:EU:EVSE\" = \"evse\"\n", "").as_bytes());
        }
        let told = demo.poimill("run map.toml --dry-run");
        assert!(told.out.lines().any(|told| told == line), "{}{}", told.out, told.err);
    }
}
