//! Explain on the invented town: what a person reads of a match, a veto, a decision, a place and a reject, in every format.

use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::support::demo::Demo;

const SNAPSHOT: &str = "store/demo/latest";

fn told(demo: &Demo, names: &str) -> String {
    let told = demo.poimill(&format!("explain {SNAPSHOT} {names}"));
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{names}");
    told.out
}

fn json(demo: &Demo, names: &str) -> Value {
    serde_json::from_str(&told(demo, &format!("{names} --format json"))).expect("one JSON object")
}

/// The id of the place of a record.
fn place_of(demo: &Demo, record: &str) -> String {
    json(demo, record)["records"][0]["place_id"].as_str().expect("a place").to_owned()
}

/// The lines of the first pair, without blanks where there are several.
fn pair(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.contains(" m apart; "));
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn a_match_is_told_with_every_feature_and_the_runners_up() {
    let demo = Demo::after_one_night();
    let told = told(&demo, "ocm:700002 osm:node/2002");
    assert!(
        told.contains("ocm:700002  charging_station \"Nebelhafen Supercharger\" at 6.507976 54.499631\n"),
        "{told}"
    );
    let pair = pair(&told);
    for line in [
        "ocm:700002 and osm:node/2002, 17.5 m apart; as the run kept it",
        "feature value weight",
        "shared_id missing +0.00",
        "distance_m 17.496 +1.70",
        "phone missing +0.00",
        "sum, in log odds +4.87",
        "probability 0.99",
        "one place: the score is at least match_score, 0.6",
    ] {
        assert!(pair.iter().any(|told| told == line), "{line}\n{told}");
    }
    let rivals: Vec<&String> = pair.iter().filter(|line| line.starts_with("runner-up of ")).collect();
    assert_eq!(
        rivals[0],
        "runner-up of ocm:700002 in osm: osm:node/2003, score 0.05, 9.8 m, vetoed: different operator"
    );
    assert!(rivals[1].starts_with("runner-up of osm:node/2002 in ocm: "), "{rivals:?}");
}

#[test]
fn what_keeps_two_apart_is_told() {
    let demo = Demo::after_one_night();
    let cases = [
        (
            "700002 node/2003",
            "9.8 m apart; computed now; not kept by the run",
            "two places: vetoed: different operator",
        ),
        ("700005 node/2006", "7.8 m apart; as the run kept it", "two places: miss, vetoed: different operator"),
        (
            "node/2005 node/2006",
            "9.0 m apart; as the run kept it",
            "two places: miss, vetoed: not a duplicate within its source",
        ),
    ];
    for (records, head, why) in cases {
        let told = told(&demo, records);
        let pair = pair(&told);
        assert!(pair[0].ends_with(head) && pair.iter().any(|line| line == why), "{records}\n{told}");
    }
}

#[test]
fn a_record_is_told_with_all_its_pairs_the_best_first() {
    let demo = Demo::after_one_night();
    let of = |record: &str| json(&demo, record);
    let pairs = |told: &Value| -> Vec<(String, bool)> {
        let pairs = told["pairs"].as_array().expect("pairs").iter();
        pairs.map(|pair| (format!("{} {}", pair["a"], pair["b"]).replace('"', ""), pair["kept"] == true)).collect()
    };
    let both = [("osm:node/2005 ocm:700005", true), ("osm:node/2006 ocm:700005", true)];
    assert_eq!(pairs(&of("700005")), both.map(|(pair, kept)| (pair.to_owned(), kept)));
    let alone = of("node/2017");
    assert_eq!(alone["notes"][0], "no other record scored high enough to be looked at closely");
    assert!(pairs(&alone).iter().all(|(_, kept)| !kept) && alone["pairs"][0]["verdict"].is_null(), "{alone}");
    let part = of("ocm:700014");
    assert_eq!(part["notes"][0], "ocm:700014 is a part of ocm:700001: conflation compares the whole");
    assert_eq!(part["records"][0]["parts"][0], "ocm:700014");
}

#[test]
fn a_decision_is_told_with_what_would_have_been() {
    let demo = Demo::new();
    demo.edit("[store]", "[conflate]\ndecisions = \"decided.csv\"\n\n[store]");
    let rows = "dataset_a,record_id_a,dataset_b,record_id_b,decision\n\
                osm,node/2002,ocm,700002,never\nosm,node/2003,ocm,700002,always\n";
    demo.write("decided.csv", rows.as_bytes());
    assert_eq!(demo.run(1, &[]).code, 0);
    let cases = [
        ("node/2002 700002", "two places: a person decided: never; the score alone would be a match", "never"),
        (
            "node/2003 700002",
            "one place: a person decided: always; a veto would have kept them apart: different operator",
            "always",
        ),
    ];
    for (records, why, decision) in cases {
        let told = told(&demo, records);
        assert!(told.lines().any(|line| line == why), "{told}");
        assert_eq!(json(&demo, records)["pairs"][0]["decision"], decision);
    }
}

#[test]
fn a_place_is_told_with_its_records_and_who_gave_what() {
    let demo = Demo::after_one_night();
    let id = place_of(&demo, "ocm:700008");
    let text = told(&demo, &id);
    for part in [
        &format!("place {id}\n"),
        "  name                  Ladepark Ost  (from osm:way/501)\n",
        "  access                public  (from ocm:700008)\n",
        "  record osm:way/501, licence ODbL-1.0, sure of it 1.00\n",
        "  parts osm:node/3001, osm:node/3002, osm:node/3003, osm:node/3004\n",
        "one place: the score is at least match_score, 0.6\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json = json(&demo, &id);
    assert_eq!((&json["asked"], json["records"].as_array().map(Vec::len)), (&Value::from("place"), Some(2)));
    // Refused pairs are told after those that hold it together.
    let refused = told(&demo, &place_of(&demo, "ocm:700005"));
    let (one, two) = (refused.find("\none place: "), refused.find("\ntwo places: "));
    assert!(one.is_some() && one < two, "{refused}");
}

#[test]
fn what_is_in_no_place_says_why() {
    let demo = Demo::after_one_night();
    let cases = [
        ("700016", "ocm:700016 is in no place: rejected as null_island: the position is 0, 0, which nobody has set\n"),
        ("way/517 700001", "osm:way/517 is in no place: rejected as missing_member: node/19999 is not in the input\n"),
    ];
    for (names, says) in cases {
        let told = told(&demo, names);
        assert!(told.contains(says) && !told.contains(" m apart"), "{told}");
    }
    assert_eq!(json(&demo, "700016")["absent"][0]["code"], "null_island");

    assert_eq!(demo.run(2, &[]).code, 0);
    let gone: Vec<String> =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/night-2/identity.jsonl"))
            .expect("the golden rows")
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a row"))
            .filter(|row| row["present"] == false)
            .map(|row| format!("{}:{}", row["dataset"].as_str().unwrap(), row["record_id"].as_str().unwrap()))
            .collect();
    let told = told(&demo, gone.first().expect("a record that the second night has no more"));
    assert!(told.contains(" is in no place: gone: it was last seen as of 2026-05-01T20:21:00Z, in place "), "{told}");
}

#[test]
fn names_that_name_nothing_get_help() {
    let empty =
        Demo::after_one_night().command(&format!("explain {SNAPSHOT}")).arg(" ").output().expect("poimill starts");
    let told = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert!(empty.status.code() == Some(2) && told.contains("a name is empty; name a record"), "{told}");
    let demo = Demo::after_one_night();
    let cases: [(&str, &[&str]); 6] = [
        ("osm:way/51", &["no record or place `osm:way/51`; did you mean osm:way/501", "(osm: 90 not_matched, "]),
        ("2002", &["did you mean osm:node/2002?"]),
        ("omc:700002", &["no source `omc`; it has: osm, ocm; did you mean ocm:700002"]),
        ("00000000-0000-5000-8000-000000000000", &["no record or place `00000000-"]),
        ("700002 ocm:700002", &["`ocm:700002` is one record under two names"]),
        ("PLACE 700002", &["is a place; name two records, or one place alone"]),
    ];
    let place = place_of(&demo, "ocm:700008");
    for (names, says) in cases {
        let names = names.replace("PLACE", &place);
        let told = demo.poimill(&format!("explain {SNAPSHOT} {names}"));
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{names}");
        assert!(says.iter().all(|part| told.err.contains(part)), "{names}\n{}", told.err);
    }
}

#[test]
fn a_snapshot_of_another_version_is_refused_with_what_to_do() {
    let demo = Demo::after_one_night();
    let path = demo.latest().join("manifest.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    manifest["versions"]["poimill"] = "0.0.9".into();
    manifest["settings"]["conflate"]["models"]["places"]["features"]["aura"] =
        serde_json::json!({"at": [0.0], "weights": [1.0]});
    fs::write(&path, manifest.to_string()).unwrap();
    let told = demo.poimill(&format!("explain {SNAPSHOT} 700002"));
    assert_eq!(told.code, 3);
    for part in ["`aura`, which is no feature", "made by poimill 0.0.9", "run the pipeline again"] {
        assert!(told.err.contains(part), "{}", told.err);
    }
}

#[test]
fn the_page_needs_nothing_else_and_is_well_formed() {
    let demo = Demo::after_one_night();
    let place = place_of(&demo, "ocm:700005");
    for (names, charts) in [("ocm:700002 osm:node/2002", 1), (&*place, 3), ("700016", 0)] {
        let page = demo.path("page.html");
        assert_eq!(told(&demo, &format!("{names} --format html --output page.html")), "");
        let text = fs::read_to_string(page).expect("the page");
        for outside in ["http", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!text.contains(outside), "{outside}");
        }
        assert!(text.contains("prefers-color-scheme: dark"));
        assert_eq!(
            (text.matches("class=\"waterfall\"").count(), text.matches("class=\"sketch\"").count()),
            (charts, charts)
        );

        let mut reader = Reader::from_str(&text);
        let mut open = 0;
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(_) => open += 1,
                Event::End(_) => open -= 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(open, 0, "every element is closed");
    }
    let text = fs::read_to_string(demo.path("page.html")).unwrap();
    assert!(text.contains("rejected as <code>null_island</code>"), "{text}");

    told(&demo, "ocm:700002 osm:node/2002 --format html --output page.html");
    let text = fs::read_to_string(demo.path("page.html")).unwrap();
    // A bar for the intercept, for each feature, and for the sum.
    let features = json(&demo, "ocm:700002 osm:node/2002")["pairs"][0]["features"].as_array().expect("features").len();
    assert_eq!(text.matches("class=\"step\"").count(), features + 2);
    for part in [">+4.87<", ">probability 0.99<", "the two are 17.5 m apart", "<h2>ocm:700002 and osm:node/2002</h2>"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let demo = Demo::after_one_night();
    let told = demo.poimill(&format!("explain {SNAPSHOT} 700002 --output none/page.html"));
    assert!(
        told.code == 1 && told.err.starts_with("error: cannot write none/page.html; check that its folder is there\n"),
        "{told:?}"
    );
}
