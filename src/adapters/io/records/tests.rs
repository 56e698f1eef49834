//! Layouts, cuts and damage.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// The places and texts of the frames of a file with these bytes.
fn frames(bytes: &[u8]) -> Result<Vec<(String, String)>, RecordsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, bytes).unwrap();
    let mut frames = JsonRecords::open(&path, &["data", "features"], |_| ())?;
    let mut found = Vec::new();
    while let Some(frame) = frames.next()? {
        found.push((frame.place, String::from_utf8_lossy(&frame.bytes).trim().to_owned()));
    }
    Ok(found)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn records_are_found_in_every_layout() {
    let array = ["element 1", "element 2", "element 3"];
    let cases: [(&str, &[&str], &[&str]); 18] = [
        ("[]", &[], &[]),
        (" [ ] \n", &[], &[]),
        ("[{\"a\":1},{\"b\":[2]} , {}]\n", &array, &["{\"a\":1}", "{\"b\":[2]}", "{}"]),
        ("\u{feff}[{\"a\":\"}],{\\\"\"},5,null]", &array, &["{\"a\":\"}],{\\\"\"}", "5", "null"]),
        ("[\"a,]b\", [1, 2], {\"a\": oops}]", &array, &["\"a,]b\"", "[1, 2]", "{\"a\": oops}"]),
        ("{\"a\":1}\n\n {\"b\":2}", &["line 1", "line 3"], &["{\"a\":1}", "{\"b\":2}"]),
        ("{\"a\":1}\r\noops\r\n{\"b\":2}\r\n", &["line 1", "line 2", "line 3"], &["{\"a\":1}", "oops", "{\"b\":2}"]),
        ("{\"a\":1}\n{\"b\n{\"c\":3}", &["line 1", "line 2", "line 3"], &["{\"a\":1}", "{\"b", "{\"c\":3}"]),
        ("{\"a\n\n{\"b\":1}\n", &["line 1", "line 3"], &["{\"a", "{\"b\":1}"]),
        ("{\"a\":1}\noops", &["line 1", "line 2"], &["{\"a\":1}", "oops"]),
        ("{\n \"a\": 1\n}\n", &["element 1"], &["{\n \"a\": 1\n}"]),
        ("{\n\"a\":1}\n{\n\"b\":2}", &["element 1", "element 2"], &["{\n\"a\":1}", "{\n\"b\":2}"]),
        ("{}", &["line 1"], &["{}"]),
        ("{\"data\":[{\"a\":1},{}],\"code\":1000}\n", &array[..2], &["{\"a\":1}", "{}"]),
        ("{ \"t\" : \"]\\\"\", \"n\":{\"data\":[7]}, \"c\":-1e3 ,\n\"features\" : [ {} ] }", &array[..1], &["{}"]),
        ("{\"data\":[]}", &[], &[]),
        ("{\"data\":{\"a\":1}}", &["line 1"], &["{\"data\":{\"a\":1}}"]),
        ("{\"id\":1,\"x\":[2]}\n{\"id\":2}", &["line 1", "line 2"], &["{\"id\":1,\"x\":[2]}", "{\"id\":2}"]),
    ];
    for (text, places, texts) in cases {
        let expected: Vec<_> = places.iter().zip(texts).map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        assert_eq!(frames(text.as_bytes()).unwrap(), expected, "{text}");
        assert_eq!(frames(&gzip(text.as_bytes())).unwrap(), expected, "{text}, gzip");
    }
}

#[test]
fn what_no_whole_dump_can_be_is_an_error_that_says_where() {
    let cases: [(&str, &str); 20] = [
        ("", "is empty; fetch it again"),
        (" \n ", "is empty; fetch it again"),
        ("<html>\n", "is not JSON: it begins with `<html>\\n`"),
        ("5", "is not JSON: it begins with `5`"),
        ("[", "is cut off after record 0; fetch it again"),
        ("[{\"a\":1}", "is cut off after record 1; fetch it again"),
        ("[{\"a\":1},", "is cut off after record 1; fetch it again"),
        ("[{\"a\":1},{\"b\":\"]", "is cut off after record 1; fetch it again"),
        ("[12", "is cut off after record 0; fetch it again"),
        ("{\"a\":1}\n{\"b", "is cut off after record 1; fetch it again"),
        ("{\"a\":1}\n{\"b\n \n", "is cut off after record 1; fetch it again"),
        ("{\n\"a\":1", "is cut off after record 0; fetch it again"),
        ("[{\"a\":1}]]", "is damaged at byte 9; fetch it again"),
        ("[{\"a\":1} {\"b\":2}]", "is damaged at byte 9; fetch it again"),
        ("[{\"a\":1},]", "is damaged at byte 9; fetch it again"),
        ("[{\"a\":[1}]", "is damaged at byte 8; fetch it again"),
        ("{\"data\":[{}", "is cut off after record 1; fetch it again"),
        ("{\"data\":[{}],", "is cut off after record 1; fetch it again"),
        ("{\"data\":[{}]]", "is damaged at byte 12; fetch it again"),
        ("{\n\"a\":1}\noops", "is damaged at byte 9; fetch it again"),
    ];
    for (text, message) in cases {
        let error = frames(text.as_bytes()).expect_err(text).to_string();
        assert!(error.ends_with(&format!("dump.json {message}")), "{text}: {error}");
    }
}

#[test]
fn a_gzip_stream_that_does_not_check_is_an_error() {
    let mut damaged = gzip(b"[{\"a\":1},{\"b\":2}]");
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    assert!(matches!(frames(&damaged), Err(RecordsError::Compression { records: 2, .. })));
    let mut trailed = gzip(b"[]");
    trailed.extend_from_slice(b"oops");
    assert!(frames(&trailed).is_err());
}
