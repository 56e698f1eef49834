//! Earlier nights by today's rules: what a change of rules does, without touching what was published.

use serde_json::Value;

use crate::support::demo::{Demo, fixture};

/// The lines of `poimill replay --json` on the demonstration's nights, and the exit code.
fn replay(demo: &Demo, more: &str) -> (Vec<Value>, i32, String) {
    let inputs = fixture("").display().to_string();
    let told = demo.poimill(&format!("replay demo.toml --store store --json --inputs {inputs} {more}"));
    let nights = told.out.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    (nights, told.code, told.err)
}

fn two_nights() -> Demo {
    let demo = Demo::after_one_night();
    assert_eq!(demo.run(2, &[]).code, 0);
    demo
}

/// The ids of the nights, in order.
fn nights(demo: &Demo) -> Vec<String> {
    let told = demo.poimill("history demo.toml --store store --json");
    told.out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["snapshot"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn the_same_rules_make_the_same_snapshots_byte_for_byte() {
    let demo = two_nights();
    let (before, ids) = (demo.listing(), nights(&demo));
    let (told, code, err) = replay(&demo, "--from 2026-05-01");
    assert_eq!((code, told.len()), (0, 2), "{err}");
    for (night, id) in told.iter().zip(&ids) {
        assert_eq!(night["snapshot"], id.as_str());
        assert!(night["location"].as_str().expect("a folder").ends_with(&format!("store-replay/demo/{id}")), "{night}");
        assert_eq!((&night["same"], &night["before"]), (&night["after"], &night["after"]), "{night}");
    }
    assert_eq!(demo.listing(), before, "the store is only read");
}

#[test]
fn a_decision_of_today_parts_what_was_one_place_then_and_ids_are_those_of_then() {
    let demo = two_nights();
    demo.write(
        "decisions.csv",
        b"dataset_a,record_id_a,dataset_b,record_id_b,decision\nosm,node/2002,ocm,700002,never\n",
    );
    demo.edit("[store]", "[conflate]\ndecisions = \"decisions.csv\"\n\n[store]");
    let (told, code, err) = replay(&demo, "--from 2026-05-02 --to 2026-05-02");
    assert_eq!((code, told.len()), (0, 1), "{err}");
    let night = &told[0];
    let [parted] = night["parted"].as_array().expect("a list").as_slice() else { panic!("{night}") };
    let with: Vec<&Value> = parted["with"].as_array().expect("a list").iter().collect();
    assert_eq!(with.len(), 2);
    assert!(with.contains(&&parted["place_id"]), "the founder's part keeps the id: {night}");
    assert_eq!(night["after"].as_u64(), night["before"].as_u64().map(|places| places + 1));
    assert_eq!(night["same"].as_u64(), night["before"].as_u64().map(|places| places - 1));
}

#[test]
fn what_cannot_be_replayed_is_told() {
    let demo = two_nights();
    let without = demo.poimill("replay demo.toml --store store --from 2026-05-02");
    assert_eq!(without.code, 3);
    assert!(without.out.contains("skipped: town.osm.pbf with SHA-256"), "{}", without.out);
    assert!(without.err.contains("name the folder that has it with --inputs"), "{}", without.err);

    let (_, code, err) = replay(&demo, "--from 2027-01-01");
    assert_eq!(code, 2);
    assert!(err.contains("no published snapshot of that time is kept; `poimill history` lists what there is"), "{err}");

    assert_eq!(replay(&demo, "--from 2026-05-01 --into again").1, 0);
    let (_, code, err) = replay(&demo, "--from 2026-05-01 --into again");
    assert_eq!(code, 2);
    assert!(
        err.contains("again holds an earlier replay of demo; remove it, or name another folder with --into"),
        "{err}"
    );

    let text = demo.poimill(&format!(
        "replay demo.toml --store store --from 2026-05-01 --into text --inputs {}",
        fixture("").display()
    ));
    assert_eq!(text.out.matches("places, the same by today's rules").count(), 2, "{}", text.out);
}
