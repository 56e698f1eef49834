//! What holds for any records: the pairs are those of a search without a tree.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::evidence::Evidence;
use super::*;

/// Spots where degrees are no metres: both poles, the antimeridian from both sides, and a town.
const SPOTS: [(f64, f64); 6] =
    [(0.0, 90.0), (120.0, -90.0), (180.0, 10.0), (-180.0, 10.0), (-180.0, 89.999), (9.5, 47.1)];

/// Kinds with radii of their own, so that one of two records may find the other alone.
const KINDS: &str = "
[[category]]
name = \"wide\"
filter = [\"a=wide\"]
radius_m = 300.0
[[category]]
name = \"narrow\"
filter = [\"a=narrow\"]
radius_m = 40.0
namesake_radius_m = 500.0
";

/// A record: spot, steps to the east and north of it, source, kinds, name, whether it has a footprint.
type Drawn = (usize, (i32, i32), usize, usize, usize, bool);

fn drawn(step: std::ops::Range<i32>) -> impl Strategy<Value = Drawn> {
    (0..SPOTS.len(), (step.clone(), step), 0..3_usize, 0..4_usize, 0..6_usize, any::<bool>())
}

fn evidence((spot, (east, north), dataset, kind, name, is_wide): Drawn) -> Evidence {
    // A step is about ten metres of latitude.
    let (lon, lat) = (SPOTS[spot].0 + f64::from(east) * 1e-4, SPOTS[spot].1 + f64::from(north) * 1e-4);
    let lon = if lon > 180.0 {
        lon - 360.0
    } else if lon < -180.0 {
        lon + 360.0
    } else {
        lon
    };
    let lat = lat.clamp(-90.0, 90.0);
    let names = ["", "mole", "alte mole", "hafen nord", "hafen", "x"];
    Evidence {
        dataset,
        lon,
        lat,
        extent: (is_wide && lat.abs() < 89.0 && lon.abs() < 179.0).then_some([
            lon - 2e-4,
            lat - 2e-4,
            lon + 2e-4,
            lat + 2e-4,
        ]),
        categories: [&[][..], &["wide"], &["narrow"], &["wide", "narrow"]][kind]
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        names: Some(names[name].to_owned()).filter(|name| !name.is_empty()).into_iter().collect(),
        ..Evidence::default()
    }
}

/// Every record against every other: of those that it finds in a way, the nearest.
fn by_brute_force(corpus: &Corpus, taxonomy: &Taxonomy) -> BTreeSet<Pair> {
    let records = &corpus.records;
    let common = NAMESAKE_BEARERS.0.max((records.len() as f64 * NAMESAKE_BEARERS.1) as u32);
    let mut pairs = BTreeSet::new();
    for (at, record) in records.iter().enumerate() {
        let (near_m, far_m) = radii(record, corpus, taxonomy);
        let squared = |radius_m: f64| Metres(radius_m + record.reach().0).chord().powi(2);
        let centre = record.position.on_unit_sphere();
        let mut found: [Vec<Neighbour>; WAYS] = Default::default();
        for (other, theirs) in records.iter().enumerate().filter(|(other, _)| *other != at) {
            let chord_2 = centre.distance_2(&theirs.position.on_unit_sphere());
            let is_near = chord_2 <= squared(near_m);
            let by = if !corpus.related(record, theirs) {
                None
            } else if record.dataset == theirs.dataset {
                is_near.then_some(By::Source)
            } else if chord_2 <= squared(far_m) && are_namesakes(record, theirs, common, corpus) {
                Some(By::Name)
            } else {
                is_near.then_some(By::Distance)
            };
            if let Some(by) = by {
                found[by as usize].push((chord_2, other as u32));
            }
        }
        for way in &mut found {
            way.sort_by(|a, b| nearer_first(*a, *b));
            pairs.extend(way.iter().take(MAX_NEIGHBOURS).map(|(_, other)| {
                let other = *other as usize;
                (at.min(other), at.max(other))
            }));
        }
    }
    pairs
}

proptest! {
    // A case in which records crowd each other out is hundreds of records.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_candidate_pair_is_handed_on_once_and_they_are_those_of_brute_force(
        scattered in proptest::collection::vec(drawn(-60..60), 0..60),
        // Several on one point, at a pole and elsewhere.
        crowd in prop_oneof![
            Just(Vec::new()),
            proptest::collection::vec(drawn(0..1), 0..40),
            (0..SPOTS.len(), proptest::collection::vec(drawn(-3..3), MAX_NEIGHBOURS + 20..MAX_NEIGHBOURS + 60))
                .prop_map(|(spot, crowd)| crowd.into_iter().map(|(_, step, dataset, kind, name, is_wide)| {
                    // All but a few are of one source, so that it has more than anyone is compared with.
                    (spot, step, dataset / 2, kind.min(1), name, is_wide)
                }).collect()),
        ],
        others in proptest::collection::vec((0..500_usize, 0..500_usize), 0..20),
    ) {
        let corpus = Corpus::of(scattered.into_iter().chain(crowd).map(evidence));
        let taxonomy = Taxonomy::parse(KINDS, &["places".to_owned()]).expect("a taxonomy");
        let count = corpus.records.len();
        let others: Vec<Pair> = others.into_iter()
            .filter(|(a, b)| a != b && *a.max(b) < count)
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect();
        let (handed_on, seen) = Nearby::of(&corpus, &taxonomy, |_| true).filter_map(others.clone(), Some);
        let unique: BTreeSet<Pair> = handed_on.iter().copied().collect();
        prop_assert!(unique.iter().all(|(a, b)| a < b), "the smaller index comes first");
        prop_assert_eq!((unique.len(), seen), (handed_on.len(), handed_on.len()), "each once");
        let mut expected = by_brute_force(&corpus, &taxonomy);
        expected.extend(others);
        prop_assert_eq!(unique, expected);
    }
}
