//! Real files: every object is accounted for, and nothing depends on the number of threads.

use super::{read, shared_data, told};
use crate::domain::{Region, RejectCode};

/// Files with their nodes, ways and relations, as `osmium fileinfo -e` counts them.
const FILES: [(&str, [u64; 3]); 19] = [
    ("andorra-20211028", [256_677, 13_133, 289]),
    ("garmisch-20260602", [56_985, 7_246, 181]),
    ("helsinki-centre-20190421", [55_746, 11_529, 1_047]),
    ("lauf-20200115", [72_206, 11_802, 406]),
    ("liechtenstein-20130803", [65_733, 7_121, 113]),
    ("liechtenstein-20211028", [295_005, 29_874, 884]),
    ("liechtenstein-20221215", [308_720, 32_731, 891]),
    ("liechtenstein-20240303", [318_592, 34_073, 921]),
    ("malta-20161109", [252_937, 40_028, 527]),
    ("monaco-20210730", [26_254, 4_191, 244]),
    ("monaco-20220719-nochangesets", [27_135, 4_295, 255]),
    ("monaco-20250101", [38_995, 5_708, 308]),
    ("monaco-20260309", [41_361, 6_180, 346]),
    ("monaco-20260710", [41_530, 6_212, 348]),
    ("munich-centre-20200720", [38_803, 7_050, 762]),
    ("neuss-20260328", [26_898, 5_001, 321]),
    ("porto-20200719", [85_149, 22_606, 344]),
    ("saint-barthelemy-osmose", [8_076, 625, 16]),
    ("world-sample", [4_212_334, 528_335, 10_134]),
];

#[test]
fn every_object_of_a_real_file_is_accounted_for() {
    let Some(folder) = shared_data("every_object_of_a_real_file_is_accounted_for", "osm") else { return };
    for (name, counts) in FILES {
        let path = folder.join(format!("{name}.osm.pbf"));
        let reading = read(&path, &["amenity", "shop", "tourism", "leisure"], &Region::world()).expect(name);
        assert_eq!(reading.extracted.read, counts.iter().sum::<u64>(), "{name}");
        assert!(reading.balances(), "{name}");
        assert!(reading.extracted.vintage.is_some(), "{name}");
        assert!(!reading.features.is_empty(), "{name}");
    }
}

#[test]
fn metadata_without_changesets_is_read() {
    let Some(path) = shared_data("metadata_without_changesets_is_read", "osm/monaco-20220719-nochangesets.osm.pbf")
    else {
        return;
    };
    let reading = read(&path, &["amenity"], &Region::world()).expect("the file is readable");
    assert!(reading.features.iter().all(|feature| feature.update_time.is_some()));
}

#[test]
fn threads_change_nothing() {
    let Some(path) = shared_data("threads_change_nothing", "osm/monaco-20260710.osm.pbf") else { return };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| read(&path, &["*"], &Region::world())).expect("the file is readable")
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn relations_at_the_edge_of_an_extract_name_what_is_missing() {
    let Some(path) =
        shared_data("relations_at_the_edge_of_an_extract_name_what_is_missing", "osm/liechtenstein-20240303.osm.pbf")
    else {
        return;
    };
    let reading = read(&path, &["boundary=administrative"], &Region::world()).expect("the file is readable");
    let missing: Vec<_> = reading.rejects.iter().filter(|reject| reject.code == RejectCode::MissingMember).collect();
    assert!(!missing.is_empty());
    assert!(missing.iter().all(|reject| reject.message.ends_with(" is not in the input")), "{missing:#?}");
}

#[test]
fn full_history_is_refused() {
    let Some(path) = shared_data("full_history_is_refused", "osm/equatorial-guinea-20170218.osh.pbf") else { return };
    let error = read(&path, &["*"], &Region::world()).expect_err("history is not supported");
    assert_eq!(error.exit_code(), 3);
    assert!(told(&error).contains("osmium time-filter"), "{}", told(&error));
}

#[test]
fn lz4_is_read() {
    let Some(path) = shared_data("lz4_is_read", "osm/monaco-20210419-lz4.osm.pbf") else { return };
    let reading = read(&path, &["amenity"], &Region::world()).expect("lz4 is supported");
    assert!(reading.balances());
    assert_eq!(reading.extracted.read, 29_772);
}
