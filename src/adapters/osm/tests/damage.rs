//! Damaged files: an error that says what and where, and never a panic.

use super::encode::{Style, bytes, data_frame, header, number, pbf, pbf_in};
use super::{OsmPbf, read, read_bytes, told};
use crate::domain::Region;
use crate::pipeline::ports::Source;

const LINES: &str = "\
n1 x9.50 y47.10 v1 t1600000000
n2 x9.51 y47.10 v1 t1600000000 Tshop=bakery,name=Beck
n3 x9.51 y47.11 v1 t1600000000
N4 x9.50 y47.11 v1 t1600000000 Tshop=kiosk
--
w11 Nn1,n2,n3 v1 t1600000000
w12 Nn3,n4,n1 v1 t1600000000
w13 Nn1,n2,n3,n4,n1 v1 t1600000000 Tshop=mall
--
r21 Mw11@outer,w12@outer,n1@label,r22@subarea v1 t1600000000 Tshop=mall,type=multipolygon
";

fn complaint(file: &[u8]) -> String {
    told(&read_bytes(file, &["shop"], &Region::world()).expect_err("the file is not readable"))
}

/// A file of one header and one data blob with these fields.
fn with_blob(blob: &[u8]) -> Vec<u8> {
    [header(&Style::default()), data_frame(blob)].concat()
}

/// A blob with two million and one empty texts.
fn endless_texts() -> Vec<u8> {
    let (mut block, mut blob) = (Vec::new(), Vec::new());
    bytes(&mut block, 1, &[0x0a, 0].repeat(2_000_001));
    bytes(&mut blob, 1, &block);
    blob
}

/// A blob with a way of a million and one nodes, all the same.
fn endless_way() -> Vec<u8> {
    let (mut table, mut way, mut group, mut block, mut blob) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for text in ["", "shop", "mall"] {
        bytes(&mut table, 1, text.as_bytes());
    }
    number(&mut way, 1, 1);
    bytes(&mut way, 2, &[1]);
    bytes(&mut way, 3, &[2]);
    bytes(&mut way, 8, &vec![0; 1_000_001]);
    bytes(&mut group, 3, &way);
    bytes(&mut block, 1, &table);
    bytes(&mut block, 2, &group);
    bytes(&mut blob, 1, &block);
    blob
}

#[test]
fn each_kind_of_damage_is_told_with_what_to_do() {
    let whole = pbf(LINES);
    let mut compressed = Vec::new();
    bytes(&mut compressed, 5, b"bzip2");
    let mut not_zstd = Vec::new();
    number(&mut not_zstd, 2, 100);
    bytes(&mut not_zstd, 7, b"not zstd");
    let mut wrong_size = Vec::new();
    number(&mut wrong_size, 2, 1 << 40);
    bytes(&mut wrong_size, 3, b"x");
    let mut not_zlib = Vec::new();
    bytes(&mut not_zlib, 3, b"not zlib");
    let history = pbf_in(&Style { required: &["HistoricalInformation"], ..Style::default() }, LINES);
    let unknown = pbf_in(&Style { required: &["Quaternions"], ..Style::default() }, LINES);
    let cases: [(&str, &[u8], &str); 13] = [
        ("empty", b"", "is empty; fetch it again"),
        ("XML", b"<?xml version='1.0'?><osm></osm>", "is not an OSM PBF file"),
        ("zeros", &[0; 100], "is not an OSM PBF file"),
        ("cut off", &whole[..whole.len() - 1], "; fetch it again: it ends within a blob"),
        ("full history", &history, "osmium time-filter"),
        ("unknown feature", &unknown, "requires the feature `Quaternions`"),
        ("another codec", &with_blob(&compressed), "a blob is compressed with bzip2, which is not supported"),
        ("broken zstd", &with_blob(&not_zstd), "the blob cannot be inflated"),
        ("absurd size", &with_blob(&wrong_size), "a blob of 1099511627776 bytes exceeds the format's limit of 32 MiB"),
        ("broken zlib", &with_blob(&not_zlib), "the blob cannot be inflated"),
        ("endless texts", &with_blob(&endless_texts()), "a block has more than two million texts"),
        ("endless way", &with_blob(&endless_way()), "a way names more than a million nodes"),
        ("unknown member", &pbf("r1 Mx5@ Tshop=a,type=boundary\n"), "a relation has a member of unknown type"),
    ];
    for (name, file, expected) in cases {
        let told = complaint(file);
        assert!(told.contains(expected), "{name}: {told}");
    }
}

#[test]
fn damage_is_told_with_its_offset() {
    let whole = pbf(LINES);
    let last = whole.windows(7).rposition(|bytes| bytes == b"OSMData").expect("a data frame") - 6;
    assert!(complaint(&whole[..whole.len() - 3]).contains(&format!("is damaged at byte {last};")));
}

#[test]
fn a_missing_file_is_told_by_its_path() {
    let path = std::path::Path::new("no/such/folder/x.osm.pbf");
    let error = read(path, &["shop"], &Region::world()).expect_err("there is no such file");
    assert_eq!(error.exit_code(), 3);
    assert!(told(&error).contains("there is no file no/such/folder/x.osm.pbf"));
    assert!(OsmPbf::new("osm", path).check().is_err());
}

#[test]
fn a_check_says_what_the_file_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("town.osm.pbf");
    let style = Style { date: Some(1_709_587_295), ..Style::default() };
    for (file, date) in [(pbf_in(&style, LINES), "as of 2024-03-04T21:21:35Z"), (pbf(LINES), "undated")] {
        std::fs::write(&path, &file).expect("the temporary folder takes a file");
        assert_eq!(
            OsmPbf::new("osm", &path).check().expect("a readable file"),
            format!("town.osm.pbf, {} bytes, {date}", file.len())
        );
    }
}

#[test]
fn no_damage_makes_it_panic() {
    let whole = pbf(LINES);
    assert_eq!(read_bytes(&whole, &["shop"], &Region::world()).expect("the file is whole").features.len(), 4);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("test.osm.pbf");
    let mut accepted = 0;
    let mut try_out = |file: &[u8]| {
        std::fs::write(&path, file).expect("the temporary folder takes a file");
        if let Ok(reading) = read(&path, &["*"], &Region::world()) {
            assert!(reading.balances());
            accepted += 1;
        }
    };
    for at in 0..whole.len() {
        try_out(&whole[..at]);
        for change in [0x01, 0x08, 0x80, 0xff] {
            let mut file = whole.clone();
            file[at] ^= change;
            try_out(&file);
        }
        for insert in [&[0xff; 9][..], &[0x00]] {
            try_out(&[&whole[..at], insert, &whole[at..]].concat());
        }
    }
    assert!(accepted > 0, "some changes are harmless, such as those within a text");
}
