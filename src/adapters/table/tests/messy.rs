//! Messy CSV: line ends, quotes, columns, encodings and ids as they come.

use proptest::prelude::*;

use super::{read, read_bytes, refused, repeated};

/// Three columns more than an id and a position need.
const MAPPING: &str = "id = 'id'\nlon = 'lon'\nlat = 'lat'\ntags = { name = 'name' }";

fn table(rows: &str) -> super::Told {
    read(&format!("id,lon,lat,name,note\n{rows}"), MAPPING)
}

#[test]
fn rows_end_in_any_way() {
    let cases = [
        ("a,1,2,x,\nb,3,4,y,\n", vec!["a 2", "b 3"]),
        ("a,1,2,x,\r\nb,3,4,y,\r\n", vec!["a 2", "b 3"]),
        ("a,1,2,x,\r\nb,3,4,y,\nc,5,6,z,", vec!["a 2", "b 3", "c 4"]),
        ("a,1,2,x,\rb,3,4,y,\nc,5,6,z,", vec!["a 2", "b 2", "c 3"]), // lines as `sed` counts them
        ("a,1,2,x,\n\n \n,,,,\nb,3,4,y,\n\n", vec!["a 2", "b 6"]),
        ("a,1,2,\"x\r\ny\n\",\nb,3,4,y,", vec!["a 2", "b 5"]),
        ("a,1,2,x,", vec!["a 2"]),
    ];
    for (rows, expected) in cases {
        let told = table(rows);
        assert_eq!(told.lines(), expected, "{rows:?}");
        assert!(told.rejects.is_empty(), "{rows:?}: {:?}", told.rejects());
    }
    let of_cr = read("id,lon,lat,name,note\ra,1,2,x,\rb,3,4,y,\r", MAPPING);
    assert_eq!(of_cr.lines(), ["a 2", "b 3"]);
}

#[test]
fn a_row_of_another_width_is_refused_with_both_numbers() {
    let told = table("a,1,2,x,\nb,3,4\nc,5,6,x,y,z\nd,7,8,x,");
    assert_eq!(told.lines(), ["a 2", "d 5"]);
    assert_eq!(
        told.rejects(),
        [
            "3 line 3 wrong_column_count: it has 3 columns, and the header has 5",
            "4 line 4 wrong_column_count: it has 6 columns, and the header has 5",
        ]
    );
}

#[test]
fn a_record_cut_in_two_is_joined_where_that_is_certain() {
    let told = table("a,1,2,up\rtown,\nb,3,4,x,\n");
    assert_eq!(told.tags(), ["a: name=up town", "b: name=x"]);
    assert_eq!(told.findings(), ["line_break_in_field name up\rtown -> up town"]);
    let told = read("id,lon,lat,name,note\r\na,1,2,up\ntown\n!,\r\n", MAPPING);
    assert_eq!(told.tags(), ["a: name=up town !"]);
    assert_eq!(told.findings().len(), 1);

    // Two halves of two records make one as well, so it is not certain.
    let unsure = [
        "a,1,2,up\ntown,\n",                     // it may be that both rows were short
        "z,1,2,x,\ry,3,4,y,\na,1,2,up\rtown,\n", // rows of this file do end so
        "a,1,2,up\rtown,,\n",                    // too many together
        "a,1,2,up\r\"town\",\n",                 // a field in quotes is no rest of another
    ];
    for rows in unsure {
        let told = table(rows);
        let codes: Vec<&str> = told.rejects.iter().map(|reject| reject.code.name()).collect();
        assert_eq!(codes, ["wrong_column_count", "wrong_column_count"], "{rows:?}");
        assert!(!told.lines().iter().any(|line| line.starts_with('a')), "{rows:?}");
    }
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_row() {
    let broken = "a field begins with a quote that is never closed";
    let behind = "a field goes on behind its closing quote; is a quote in it not doubled?";
    let cases = [
        ("a,1,2,\"x,\nb,3,4,y,\nc,5,6,z,\n", vec!["b 3", "c 4"], vec![format!("2 line 2 malformed: {broken}")]),
        ("a,1,2,\"x,\nb,3,4,\"y\",\nc,5,6,z,\n", vec!["b 3", "c 4"], vec![format!("2 line 2 malformed: {behind}")]),
        ("a,1,2,\"x \"big\" y\",\nb,3,4,y,\n", vec!["b 3"], vec![format!("2 line 2 malformed: {behind}")]),
        // It closes by chance, rows further down.
        (
            "a,1,2,\"x,\nb,3,4,y,\nc,5,6,z,\"\nd,7,8,z,\n",
            vec!["b 3", "d 5"],
            vec!["2 line 2 wrong_column_count: it has 4 columns, and the header has 5".to_owned()],
        ),
        ("a,1,2,5\" pipe,\nb,3,4,say \"hi\",\n", vec!["a 2", "b 3"], vec![]),
        ("a,1,2,\"say \"\"hi\"\"\",\n", vec!["a 2"], vec![]),
        ("a,1,2,x,\"open", vec![], vec![format!("2 line 2 malformed: {broken}")]),
    ];
    for (rows, lines, rejects) in cases {
        let told = table(rows);
        assert_eq!(told.lines(), lines, "{rows:?} {:?}", told.rejects());
        assert_eq!(told.rejects()[..rejects.len()], rejects, "{rows:?}");
    }
    // However long the file is behind it.
    let rows = repeated(5_000, |n| format!("{n},1,2,x,\n"));
    let told = table(&format!("a,1,2,\"x,\n{rows}"));
    assert_eq!((told.features.len(), told.rejects.len()), (5_000, 1));
    let endless = format!("a,1,2,{},\nb,1,2,x,\n", "x".repeat(3 << 20));
    assert_eq!(table(&endless).lines(), ["b 3"]);
    assert_eq!(table(&endless).rejects(), ["2 line 2 malformed: the line is longer than any record"]);
}

#[test]
fn a_row_whose_columns_have_shifted_has_no_position() {
    let told = table("a,Main Street,2,x,\nb,,,x,\nc,1,2 N,x,\nd,1,,x,\ne,\"1,5\",2,x,\n");
    assert_eq!(
        told.rejects(),
        [
            "2 a invalid_position: its lon is `Main Street`, which is no number",
            "3 b no_position: it has no position",
            "4 c invalid_position: its lat is `2 N`, which is no number",
            "5 d no_position: it has no position",
            "6 e invalid_position: its lon is `1,5`, which is no number",
        ]
    );
}

#[test]
fn ids_are_needed_and_stand_once() {
    let told = table("a,1,2,x,\n,1,2,x,\na,1,2,x,\na,1,2,y,\n");
    assert_eq!(told.lines(), ["a 2"]);
    assert_eq!(
        told.rejects(),
        [
            "3 line 3 malformed: it has no `id`, which is its id",
            "4 a repeated_id: an earlier row (line 2) has the id a too, and this one is equal to it in every column",
            "5 a repeated_id: an earlier row (line 2) has the id a too, and this one says something else",
        ]
    );
    let long = format!("{},1,2,x,\n", "i".repeat(600));
    assert!(table(&long).rejects()[0].starts_with("2 line 2 malformed: `iiii"));
    // A refused row claims no id.
    assert_eq!(table("a,,,x,\na,1,2,x,\n").lines(), ["a 3"]);
}

#[test]
fn several_columns_or_a_hash_of_them_make_an_id() {
    let rows = "net,no,lon,lat,name\nN,1,1,2,x\nN,2,1,2,y\nN,,1,2,y\n";
    let told = read(rows, "id = ['net', 'no']\nlon = 'lon'\nlat = 'lat'");
    assert_eq!(told.lines(), ["N/1 2", "N/2 3"]);
    assert_eq!(told.rejects(), ["4 line 4 malformed: it has no `no`, which is its id"]);

    let hashed = |rows: &str| read(rows, "id = { hash = ['name', 'no'] }\nlon = 'lon'\nlat = 'lat'");
    let told = hashed("name,no,lon,lat\nx,1,1,2\nx,2,1,2\nx,,1,2\n,x,1,2\n,,1,2\n");
    let ids: Vec<&str> = told.features.iter().map(|feature| feature.id.as_str()).collect();
    assert!(ids.iter().all(|id| id.len() == 16) && ids.len() == 4, "{ids:?}");
    assert_eq!(told.rejects(), ["6 line 6 malformed: it has nothing in `name`, `no`, which make its id"]);
    assert_eq!(hashed("lat,no,lon,name\n9,1,8,x\n").features[0].id.as_str(), ids[0], "whatever else the row says");
}

#[test]
fn a_field_that_is_not_in_the_encoding_is_a_finding_and_the_row_stays() {
    let told = read_bytes(b"id,lon,lat,name,note\na,1,2,K\xf6ln,\nb,1,2,Bonn,K\xf6ln\n", MAPPING).unwrap();
    assert_eq!(told.tags(), ["a:", "b: name=Bonn"]);
    assert_eq!(told.findings(), ["invalid_encoding name K\u{fffd}ln", "invalid_encoding note K\u{fffd}ln"]);
    assert!(told.notes[0].contains("2 fields are not in the encoding of the file"), "{:?}", told.notes);
    assert_eq!(&*told.features[1].raw, r#"{"id":"b","lat":"2","lon":"1","name":"Bonn"}"#);

    let by_page = format!("encoding = 'windows-1252'\n{MAPPING}");
    let told = read_bytes(b"id,lon,lat,name,note\na,1,2,K\xf6ln \x80,\n", &by_page).unwrap();
    assert_eq!(told.tags(), ["a: name=Köln €"]);

    // Somebody before us could not read it.
    assert_eq!(table("a,1,2,K\u{fffd}ln,\n").findings(), ["invalid_encoding name K\u{fffd}ln"]);
    let told = table("a,1,2,x\0y,\n");
    assert_eq!(
        (told.tags(), told.findings()),
        (vec!["a:".to_owned()], vec!["unreadable_value name x\\u{0}y".to_owned()])
    );
}

#[test]
fn a_byte_order_mark_is_read_and_no_column() {
    let rows = "id;lon;lat;name\r\na;1;2;Köln 🔌\r\nb;1;2;\"x\ny\"\r\n";
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| rows.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let cases: [(&str, Vec<u8>); 4] = [
        ("", [b"\xef\xbb\xbf", rows.as_bytes()].concat()),
        ("", [b"\xff\xfe".to_vec(), utf_16(u16::to_le_bytes)].concat()),
        ("", [b"\xfe\xff".to_vec(), utf_16(u16::to_be_bytes)].concat()),
        ("encoding = 'utf-16le'\nformat = 'csv'\n", utf_16(u16::to_le_bytes)),
    ];
    for (stated, bytes) in cases {
        let told = read_bytes(&bytes, &format!("{stated}{MAPPING}")).unwrap();
        assert_eq!(told.tags(), ["a: name=Köln 🔌", "b: name=x\ny"], "{stated}");
    }
}

#[test]
fn the_header_is_found_with_what_parts_its_fields() {
    let cases = [
        ("id,lon,lat,name\na,1,2,x\n", "a 2"),
        ("id;lon;lat;name\na;1;2;x, y\n", "a 2"),
        ("id\tlon\tlat\tname\na\t1\t2\tx\n", "a 2"),
        ("id|lon|lat|name\na|1|2|x\n", "a 2"),
        ("sep=;\nid;lon;lat;name\na;1;2;x\n", "a 3"),
        ("Register, as of 2024\n\nfor free use,,,\nid,lon,lat,name\na,1,2,x\n", "a 5"),
        ("\u{feff}\" id \",\"lon\",lat , name \na,1,2,x\n", "a 2"),
    ];
    for (text, line) in cases {
        assert_eq!(read(text, MAPPING).lines(), [line], "{text}");
    }
    let skip = format!("skip_lines = 1\n{MAPPING}");
    assert_eq!(read("id,lon,lat,name\nid,lon,lat,name\na,1,2,x\n", &skip).lines(), ["a 3"]);
    let stated = format!("delimiter = ':'\n{MAPPING}");
    assert_eq!(read("id:lon:lat:name\na:1:2:x,y;z\n", &stated).tags(), ["a: name=x,y;z"]);
    let none = "header = false\nid = '#1'\nlon = '#2'\nlat = '#3'";
    assert_eq!(read("a,1,2,x\nb,1,2,y\n", none).lines(), ["a 1", "b 2"]);
}

#[test]
fn a_file_that_is_no_table_is_refused_and_one_without_rows_is_told() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "is empty; fetch it again"),
        (b" \r\n\r\n", "is empty; fetch it again"),
        (b"<!DOCTYPE html><title>502</title>", "is a page of HTML, which is no table; fetch it again"),
        (b"i\0d\0,\0l\0o\0n\0,\0l\0a\0t\0", "is neither text nor of a known format (if it is UTF-16"),
        (b"name,lon,lat\n", "has no column `id`, which `id` names; line 1 has `name`, `lon`, `lat`"),
    ];
    for (bytes, message) in cases {
        let told = refused(bytes, MAPPING);
        assert!(told.starts_with(message), "{told}");
    }
    let told = table("");
    assert_eq!((told.extracted.read, told.features.len()), (0, 0));
    assert!(told.notes[0].ends_with("table holds no rows"), "{:?}", told.notes);
}

#[test]
fn rows_come_in_their_order_however_many_there_are() {
    let rows = repeated(7_000, |n| format!("r{n},{},2,x,\n", n % 90));
    let told = table(&rows);
    let expected: Vec<String> = (0..7_000).map(|n| format!("r{n} {}", n + 2)).collect();
    assert_eq!(told.lines(), expected);
    assert_eq!(told.extracted.read, 7_000);
}

proptest! {
    /// Whatever stands in a file: it ends, every row is accounted for, and sound rows before and behind are read.
    #[test]
    fn no_damage_reaches_beyond_its_rows(pieces in prop::collection::vec(
        prop::sample::select(vec!["\"", "\"\"", ",", ",", "\n", "\r", "\r\n", "a", "1", " ", "\0", "x,1,2,y,", "é"]), 0..40,
    )) {
        let rows = format!("first,1,2,x,\n{}\nlast,1,2,x,\n", pieces.concat());
        let told = table(&rows);
        let lines = told.lines();
        prop_assert_eq!(lines.first().map(String::as_str), Some("first 2"));
        prop_assert!(told.extracted.read >= 1);
        for feature in &told.features {
            let line = feature.line.unwrap_or_default();
            prop_assert!(line >= 2 && line <= 2 + rows.matches('\n').count() as u64);
        }
        // A quote that is open before the last row may close nowhere, and then costs no other row.
        if !pieces.contains(&"\"") && !pieces.contains(&"\"\"") {
            prop_assert!(lines.last().is_some_and(|line| line.starts_with("last ")), "{:?}", lines);
        }
    }
}
