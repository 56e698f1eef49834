//! Which stations of two sources end up in one place.

use std::collections::BTreeMap;

use super::super::{Corpus, Decision, Evidence, Models, resolve};
use super::Pair;
use crate::domain::Taxonomy;

/// What it is, records, and their groups.
type Case<'c, T> = (&'c str, &'c [T], &'c [&'c [usize]]);

/// A restaurant: source, names, metres to the north.
type Named<'c> = (usize, &'c [&'c str], f64);

/// A charging station: source, metres to the north, name, operator.
type Station = (usize, f64, &'static str, &'static str);

fn clusters(stations: &[Station]) -> Vec<Vec<usize>> {
    groups(
        stations.iter().map(|(dataset, north_m, name, operator)| Evidence::station(*dataset, *north_m, name, operator)),
    )
}

fn groups(evidence: impl Iterator<Item = Evidence>) -> Vec<Vec<usize>> {
    let taxonomy = Taxonomy::parse("category = []", &[]).expect("no category is a taxonomy");
    resolve(&Corpus::of(evidence), &taxonomy, &Models::shipped(), &BTreeMap::new()).clusters
}

#[test]
fn numbered_posts_go_with_the_one_record_of_their_site() {
    let cases: [Case<Station>; 12] = [
        (
            "posts at both ends of a car park",
            &[(0, 0.0, "alte mole", ""), (1, 5.0, "alte mole 1", ""), (1, 90.0, "alte mole 2", "")],
            &[&[0, 1, 2]],
        ),
        (
            "of one word, which may be a town, they are two sites",
            &[(0, 0.0, "mole", ""), (1, 5.0, "mole 1", ""), (1, 90.0, "mole 2", "")],
            &[&[0, 1], &[2]],
        ),
        (
            "side by side one says more",
            &[(0, 0.0, "alte mole", ""), (1, 5.0, "alte mole ev 8", ""), (1, 20.0, "alte mole fahranleger 4", "")],
            &[&[0, 1, 2]],
        ),
        (
            "a number before a street is a house's, and the one after it a post's",
            &[(0, 0.0, "alte mole", ""), (1, 5.0, "alte 610 mole rd 1", ""), (1, 15.0, "alte 610 mole rd 2", "")],
            &[&[0, 1, 2]],
        ),
        (
            "a small number after an English street is a post's",
            &[(0, 0.0, "alte mole", ""), (1, 5.0, "alte mole rd 1", ""), (1, 15.0, "alte mole rd 2", "")],
            &[&[0, 1, 2]],
        ),
        (
            "other houses",
            &[(0, 0.0, "alte mole", ""), (1, 5.0, "alte 610 mole rd 1", ""), (1, 15.0, "alte 620 mole rd 2", "")],
            &[&[0, 1], &[2]],
        ),
        (
            "a site and its posts",
            &[(0, 0.0, "alte mole", ""), (1, 9.0, "alte mole 1", ""), (1, 15.0, "alte mole station #2", "")],
            &[&[0, 1, 2]],
        ),
        ("posts alone", &[(0, 0.0, "alte mole 1", ""), (0, 6.0, "alte mole 2", "")], &[&[0], &[1]]),
        (
            "posts in both sources",
            &[
                (0, 0.0, "alte mole 1", ""),
                (0, 6.0, "alte mole 2", ""),
                (1, 1.0, "alte mole 1", ""),
                (1, 7.0, "alte mole 2", ""),
            ],
            &[&[0, 2], &[1, 3]],
        ),
        (
            "one of them is numbered",
            &[(0, 0.0, "alte mole 1", ""), (1, 1.0, "alte mole 1", ""), (1, 7.0, "alte mole 2", "")],
            &[&[0, 1], &[2]],
        ),
        (
            "posts of other companies",
            &[(0, 0.0, "alte mole", "fastned"), (1, 2.0, "alte mole 1", "fastned"), (1, 7.0, "alte mole 2", "ionity")],
            &[&[0, 1], &[2]],
        ),
        (
            "parts of a site with words of their own are no slip",
            &[(0, 0.0, "hafengarage mole east p1", ""), (0, 9.0, "hafengarage mole west p1", "")],
            &[&[0], &[1]],
        ),
    ];
    for (what, stations, expected) in cases {
        assert_eq!(clusters(stations), expected, "{what}");
    }
}

#[test]
fn what_a_source_has_twice_is_no_rival_of_itself() {
    let name = "alte mole";
    let stations = [(0, 0.0, name, ""), (0, 2.0, name, ""), (1, 1.0, name, ""), (1, 3.0, name, "")];
    assert_eq!(clusters(&stations), [[0, 1, 2, 3]]);
}

/// A charging station: source, provider, metres to the north, name, operator, address.
type Listed = (usize, &'static str, f64, &'static str, &'static str, &'static str);

#[test]
fn what_a_source_has_from_two_providers_is_one_place_where_everything_else_agrees() {
    let door = "mole st 7";
    let cases: [Case<Listed>; 7] = [
        ("one door", &[(0, "2", 0.0, "mole", "lkw", door), (0, "", 44.0, "hafengarage", "lkw", door)], &[&[0, 1]]),
        ("one is silent", &[(0, "2", 0.0, "mole", "lkw", door), (0, "", 44.0, "hafengarage", "", door)], &[&[0, 1]]),
        (
            "of one provider",
            &[(0, "2", 0.0, "mole", "lkw", door), (0, "2", 44.0, "hafengarage", "lkw", door)],
            &[&[0], &[1]],
        ),
        (
            "of other operators",
            &[(0, "2", 0.0, "mole", "fastned", door), (0, "3", 44.0, "mole", "ionity", door)],
            &[&[0], &[1]],
        ),
        (
            "of other houses",
            &[(0, "2", 0.0, "mole", "lkw", door), (0, "3", 44.0, "hafengarage", "lkw", "mole st 9")],
            &[&[0], &[1]],
        ),
        (
            "both are like the record of another source",
            &[
                (0, "2", 90.0, "alte mole", "lkw", ""),
                (0, "3", 1.0, "alte mole", "lkw", ""),
                (1, "", 0.0, "alte mole", "", ""),
            ],
            &[&[0, 1, 2]],
        ),
        (
            "both are, but of one provider",
            &[
                (0, "2", 90.0, "alte mole", "lkw", ""),
                (0, "2", 1.0, "alte mole", "lkw", ""),
                (1, "", 0.0, "alte mole", "", ""),
            ],
            &[&[0], &[1, 2]],
        ),
    ];
    for (what, stations, expected) in cases {
        let evidence =
            stations.iter().enumerate().map(|(at, (dataset, provider, north_m, name, operator, address))| {
                let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                Evidence {
                    ids: text(provider).map(|provider| format!("ref:provider:{provider}:{at}")).into_iter().collect(),
                    address: text(address),
                    ..Evidence::station(*dataset, *north_m, name, operator)
                }
            });
        assert_eq!(groups(evidence), expected, "{what}");
    }
}

#[test]
fn a_silent_record_is_not_merged_where_two_operators_are_as_near() {
    let cases: [Case<Station>; 3] = [
        (
            "two operators",
            &[(0, 5.0, "mole", ""), (1, 0.0, "mole", "fastned"), (1, 10.0, "mole", "ionity")],
            &[&[0], &[1], &[2]],
        ),
        (
            "one of which has its own record",
            &[
                (0, 0.0, "mole", "fastned"),
                (0, 9.0, "mole", ""),
                (1, 1.0, "mole", "fastned"),
                (1, 8.0, "mole", "ionity"),
            ],
            &[&[0, 2], &[1, 3]],
        ),
        (
            "a record of the same operator comes first",
            &[(0, 0.0, "mole", "fastned"), (1, 1.0, "mole", ""), (1, 9.0, "mole", "fastned")],
            &[&[0, 2], &[1]],
        ),
    ];
    for (what, stations, expected) in cases {
        assert_eq!(clusters(stations), expected, "{what}");
    }
}

fn groups_of(records: &[Named<'_>], forced: &[(Pair, Decision)]) -> Vec<Vec<usize>> {
    let evidence = records.iter().map(|(dataset, names, north_m)| Evidence {
        dataset: *dataset,
        lon: 9.5,
        lat: 47.0 + north_m * 9e-6,
        categories: vec!["restaurant".into()],
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Evidence::default()
    });
    let taxonomy = Taxonomy::parse("category = []", &[]).expect("no category is a taxonomy");
    let forced = forced.iter().copied().collect();
    resolve(&Corpus::of(evidence), &taxonomy, &Models::shipped(), &forced).clusters
}

#[test]
fn the_weaker_tie_of_a_bridge_is_cut() {
    let (hof, both, baren) = (&["sonnenhof"][..], &["sonnenhof", "baren"][..], &["baren"][..]);
    let cases: [Case<Named>; 3] = [
        ("alike all three", &[(0, hof, 0.0), (1, hof, 10.0), (2, hof, 20.0)], &[&[0, 1, 2]]),
        ("a bridge", &[(0, hof, 0.0), (1, both, 5.0), (2, baren, 30.0)], &[&[0, 1], &[2]]),
        ("the other tie is weaker", &[(0, hof, 30.0), (1, both, 5.0), (2, baren, 0.0)], &[&[0], &[1, 2]]),
    ];
    for (what, records, expected) in cases {
        assert_eq!(groups_of(records, &[]), expected, "{what}");
    }
}

#[test]
fn a_person_needs_no_evidence() {
    let records: [Named; 3] = [(0, &["sonnenhof"], 0.0), (1, &["sonnenhof", "baren"], 5.0), (2, &["baren"], 30.0)];
    assert_eq!(groups_of(&records, &[((0, 2), Decision::Always)]), [[0, 1, 2]]);
    assert_eq!(groups_of(&records, &[((0, 1), Decision::Never)]), [vec![0], vec![1, 2]]);
}
