//! Small invented files, whole and broken.

use std::collections::BTreeSet;

use tempfile::TempDir;

use super::columns::{Attribute, sides};
use super::*;
use crate::pipeline::conflate::Evidence;

/// A folder with a file of this text.
fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(name: &str, text: &str) -> Result<ReadLabels, LabelsError> {
    let (_folder, path) = file(name, text);
    read_labels(&[path], &Operators::default())
}

/// Indices and labels of the pairs.
fn told(read: &ReadLabels) -> Vec<(usize, usize, bool)> {
    read.set.pairs.iter().map(|labelled| (labelled.pair.0, labelled.pair.1, labelled.is_match)).collect()
}

const DITTO: &str = "\
COL name VAL Café Möwe COL latitude VAL 47.1 COL longitude VAL 9.5 COL address VAL Hafengasse, 7 COL postalCode VAL 9490 \t\
COL name VAL Cafe Moewe COL latitude VAL 47.1001 COL longitude VAL 9.5 COL address VAL 7 Hafengasse COL postalCode VAL 9490.0 \t1\r
COL name VAL Café Möwe COL latitude VAL 47.1 COL longitude VAL 9.5 COL address VAL Hafengasse, 7 COL postalCode VAL 9490 \t\
COL name VAL The COL Bar COL latitude VAL 47.2 COL longitude VAL 9.5 COL address VAL   COL postalCode VAL   COL mood VAL good \t0
";

#[test]
fn ditto_text_gives_records_that_stand_in_several_pairs_once() {
    let read = read("train.txt", DITTO).unwrap();
    assert_eq!(told(&read), [(0, 1, true), (0, 2, false)]);
    assert_eq!(read.notes, ["columns that are not understood: mood"]);
    let names: Vec<_> = read.set.records.iter().map(|record| record.attributes.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["Café Möwe", "Cafe Moewe", "The COL Bar"]);
    let [left, right] = [0, 1].map(|at: usize| Evidence::of(&read.set.records[at]));
    assert_eq!((left.dataset, right.dataset), (0, 1));
    assert_eq!((left.address.as_deref(), right.address.as_deref()), (Some("Hafengasse 7"), Some("Hafengasse 7")));
    assert_eq!(left.postcode, right.postcode);
    let bar = &read.set.records[2].attributes.address;
    assert_eq!((&bar.freeform, &bar.postcode), (&None, &None), "blanks say nothing");
}

#[test]
fn a_pair_that_cannot_be_used_is_counted_and_told() {
    let line = |lat: &str, label: &str| {
        format!(
            "COL name VAL a COL latitude VAL {lat} COL longitude VAL 9 \tCOL name VAL b COL latitude VAL 1 COL longitude VAL 9 \t{label}\n"
        )
    };
    let text = [
        line("1", "1"),
        line("91", "1"),
        line("north", "0"),
        line("2", "perhaps"),
        "COL name VAL a\t1\n".to_owned(),
        "\n".to_owned(),
        line("1", "1"),
        line("1", "0"),
    ];
    let (_folder, path) = file("pairs.txt", &text.concat());
    let read = read_labels(std::slice::from_ref(&path), &Operators::default()).unwrap();
    assert_eq!(told(&read), [(0, 1, true)]);
    let at = path.display();
    let expected = [
        format!("2 pairs left out without a position on Earth, the first at {at}:2"),
        format!("1 pair left out with a label that is neither a match nor a miss, the first at {at}:4"),
        format!("1 pair left out on lines without two records and a label, the first at {at}:5"),
        format!("1 pair left out that repeat an earlier one, the first at {at}:7"),
        format!("1 pair left out that contradict an earlier one, the first at {at}:8"),
    ];
    assert_eq!(read.notes, expected);
}

#[test]
fn lines_are_told_as_an_editor_shows_them_whatever_ends_them() {
    let text = "a_name,a_lat,a_lon,b_name,b_lat,b_lon,label\n\"two\nlines\",1,9,x,1,9,1\n\ny,1,9,x,1,9,perhaps\n";
    let ditto =
        "COL name VAL a COL latitude VAL 1 COL longitude VAL 9\tCOL latitude VAL 1 COL longitude VAL 9\t1\n\nnothing\n";
    for end in ["\n", "\r\n", "\r"] {
        for (text, expected) in [
            (text, "with a label that is neither a match nor a miss"),
            (ditto, "on lines without two records and a label"),
        ] {
            let read = read("pairs.csv", &text.replace('\n', end)).unwrap();
            let line = if text == ditto { 3 } else { 5 };
            assert!(
                read.notes[0].contains(expected) && read.notes[0].ends_with(&format!("pairs.csv:{line}")),
                "{end:?}: {:?}",
                read.notes
            );
        }
    }
}

#[test]
fn pairs_in_csv_are_read_by_prefix_and_by_suffix() {
    let texts = [
        "osm_index,osm_name,osm_latitude,osm_longitude,fsq_index,fsq_name,fsq_latitude,fsq_longitude,label\n\
         o1,Möwe,47.1,9.5,f1,Moewe,47.1,9.5,1\no1,changed,0,0,f2,\"Bar, the\",47.2,9.5,0\n",
        "id_a;name_a;lat_a;lon_a;id_b;name_b;lat_b;lng_b;label\n\
         o1;Möwe;47.1;9.5;f1;Moewe;47.1;9.5;match\no1;changed;0;0;f2;Bar, the;47.2;9.5;never\n",
        "label\tltable.id\trtable.id\tltable.name\trtable.name\tltable.lat\trtable.lat\tltable.lon\trtable.lon\n\
         TRUE\to1\tf1\tMöwe\tMoewe\t47.1\t47.1\t9.5\t9.5\n0.0\to1\tf2\tchanged\tBar, the\t0\t47.2\t0\t9.5\n",
    ];
    for text in texts {
        let read = read("pairs.csv", text).unwrap();
        assert_eq!(told(&read), [(0, 1, true), (0, 2, false)], "{text}");
        let ids: Vec<&str> = read.set.records.iter().map(|record| record.key.id.as_str()).collect();
        assert_eq!(ids, ["o1", "f1", "f2"], "{text}");
        let names: Vec<_> = read.set.records.iter().map(|record| record.attributes.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["Möwe", "Moewe", "Bar, the"], "{text}");
        assert_eq!(read.notes, [""; 0], "{text}");
    }
}

#[test]
fn every_attribute_of_the_evidence_has_a_column() {
    let text = "\
a_name,a_lat,a_lon,a_category,a_operator,a_brand,a_phone,a_website,a_ref,a_ids,a_connectors,a_max_power_kw,a_capacity,a_street,a_housenumber,a_postcode,b_lat,b_lon,label
Rathaus|Town hall,47.1,9.5,charging_station;parking,Möwe,Move,+423 123 45 67,https://www.example.org/x,7,evse:LI*1;ocm:2,ccs2;type2_socket;nonsense,150,4,Gasse,3,9490,47.1,9.5,1
";
    let read = read("pairs.csv", text).unwrap();
    let evidence = Evidence::of(&read.set.records[0]);
    assert_eq!(evidence.names, ["rathaus", "town hall"]);
    assert_eq!(evidence.categories, ["charging_station", "parking"]);
    assert_eq!((evidence.operator.as_deref(), evidence.brand.as_deref()), (Some("mowe"), Some("move")));
    assert_eq!((evidence.phone.as_deref(), evidence.host.as_deref()), (Some("31234567"), Some("example.org")));
    assert_eq!((evidence.reference.as_deref(), evidence.ids.len()), (Some("7"), 2));
    assert_eq!((evidence.connectors.len(), evidence.max_power_kw, evidence.capacity), (2, Some(150.0), Some(4)));
    assert_eq!(evidence.address.as_deref(), Some("Gasse 3"));
}

#[test]
fn a_file_of_another_form_says_what_would_be_right() {
    let cases = [
        ("name,lat,lon\na,1,2\n", "line 1 of", "does not name two columns per attribute"),
        ("", "", "is empty; it should name its columns in the first line"),
        (" \r\n", "", "is empty"),
        ("a_name,a_lat,a_lon,b_name,b_lat,b_lon\n", "", "has no column of labels; name one `label`"),
        ("a_name,a_lat,b_name,b_lat,label\n", "line 1 of", "has no longitude for `a`; it needs one of longitude, lon"),
        ("a_name,a_lat,a_lon,b_name,b_lat,b_lon,label\n", "no pair of", "can be used"),
        ("a_name,a_lat,a_lon,b_name,b_lat,b_lon,label\nx,1,1,y,1\n", "no pair of", "1 pair left out on lines without"),
    ];
    for (text, start, part) in cases {
        let error = read("pairs.csv", text).unwrap_err().to_string();
        assert!(error.starts_with(start) && error.contains(part), "{text:?}: {error}");
    }
    let (_folder, path) = file("pairs.csv", "");
    fs::write(&path, b"a_name,label\nx\nM\xf6we,1\n").unwrap();
    let error = read_labels(&[path], &Operators::default()).unwrap_err().to_string();
    assert!(error.starts_with("line 3 of") && error.contains("is not UTF-8"), "{error}");
    let (_folder, path) = file("pairs.csv", "");
    fs::write(&path, b"a_name,label\rx\rM\xf6we,1\r").unwrap();
    let error = read_labels(&[path], &Operators::default()).unwrap_err().to_string();
    assert!(error.starts_with("line 3 of"), "{error}");
}

#[test]
fn columns_belong_to_the_two_sides_that_most_have() {
    let header = ["label", "osm_id", "fsq_id", "osm_name", "fsq_name", "max_power_kw_osm", "web_name", "notes"];
    let found = sides(&header).unwrap();
    assert_eq!(found.names, ["osm", "fsq"]);
    assert_eq!(found.columns[0], [(Attribute::Id, 1), (Attribute::Name, 3), (Attribute::MaxPowerKw, 5)]);
    assert_eq!(found.columns[1], [(Attribute::Id, 2), (Attribute::Name, 4)]);
    assert_eq!((found.label, found.unknown), (Some(0), vec![6, 7]));
}

#[test]
fn a_folder_gives_its_files_by_folder() {
    let folder = TempDir::new().unwrap();
    for name in ["fsq/edi/train.txt", "fsq/edi/valid.txt", "fsq/pit/train.csv.gz", "fsq/README.md", "fsq/pit/.DS_Store"]
    {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let found = label_files(folder.path()).unwrap();
    let told: Vec<Vec<String>> = found
        .iter()
        .map(|files| files.iter().map(|path| path.strip_prefix(&folder).unwrap().display().to_string()).collect())
        .collect();
    assert_eq!(told, [vec!["fsq/edi/train.txt", "fsq/edi/valid.txt"], vec!["fsq/pit/train.csv.gz"]]);
    let empty = TempDir::new().unwrap();
    assert!(matches!(label_files(empty.path()), Err(LabelsError::NoFiles { .. })));
}

#[test]
fn two_tables_and_their_truth_are_read_in_either_order() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let a = write(
        "a.csv",
        "index,name,latitude,longitude,colour\no1,Möwe,47.1,9.5,red\no2,Bar,47.2,9.5,\no2,again,47.2,9.5,\no3,nowhere,,,\n",
    );
    let b = write("b.csv", "id,name,lat,lng\nf1,Moewe,47.1,9.5\nf2,Bar,47.2,9.5\n");
    let texts = [
        "osm_id,fsq_id,label\no1,f1,1\no2,f2,0\no1,f1,1\no9,f1,1\no2,f2,maybe\n",
        "fsq_id,osm_id,label\nf1,o1,1\nf2,o2,0\nf1,o1,1\nf1,o9,1\nf2,o2,maybe\n",
    ];
    for text in texts {
        let truth = write("truth.csv", text);
        let read = read_two_tables([&a, &b], &truth, &Operators::default()).unwrap();
        assert_eq!(read.records.len(), 4);
        assert_eq!(read.truth, BTreeSet::from([(0, 2)]));
        let told = read.notes.join("\n").replace(&folder.path().display().to_string(), "");
        let expected = "\
1 record left out whose id stands further up, the first at /a.csv:4
1 record left out without a position on Earth, the first at /a.csv:5
columns of /a.csv that are not understood: colour
1 pair left out with a label that is neither a match nor a miss, the first at /truth.csv:6
1 pair left out that repeat an earlier one, the first at /truth.csv:4
1 pair left out of records that the tables do not have, the first at /truth.csv:5";
        assert_eq!(told, expected);
    }
    let windows = |text: &str| text.replace('\n', "\r\n");
    let a = write("windows.csv", &windows("id,name,lat,lon\no1,\"two\nlines\",47.1,9.5\no1,again,47.2,9.5\n"));
    let truth = write("truth.csv", &windows("osm_id,fsq_id\no1,f1\n\no9,f1\n"));
    let told = read_two_tables([&a, &b], &truth, &Operators::default()).unwrap().notes.join("\n");
    assert!(told.contains("windows.csv:4") && told.contains("truth.csv:4"), "{told}");
    let a = folder.path().join("a.csv");
    let unlabelled = write("truth.csv", "osm_id,fsq_id\no1,f1\no2,f2\n");
    assert_eq!(read_two_tables([&a, &b], &unlabelled, &Operators::default()).unwrap().truth.len(), 2);
    let no_ids = write("truth.csv", "osm_name,fsq_name\nx,y\n");
    let error = read_two_tables([&a, &b], &no_ids, &Operators::default()).unwrap_err().to_string();
    assert!(error.contains("has no id for `osm`"), "{error}");
}
