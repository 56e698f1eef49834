//! Folders: which diffs are applied, in which order, and what is said of the rest.

use super::super::replication::Since;
use super::super::{ChangesAt, Overlay, read_overlay};
use super::{diff, error_told, folder, gzip, node_ids, osc, state, time};
use crate::adapters::osm::changes::ChangesError;

/// Diffs and state files of these numbers, laid out as servers do; number `n` is of the `n`th hour.
fn series(diffs: &[u64], states: &[u64]) -> Vec<(String, Vec<u8>)> {
    let diffs = diffs.iter().map(|n| (format!("000/003/{n:03}.osc.gz"), diff(3000 + n)));
    let states = states.iter().map(|n| (format!("000/003/{n:03}.state.txt"), state(3000 + n, &hour(*n))));
    diffs.chain(states).collect()
}

fn hour(n: u64) -> String {
    format!("2021-08-01T{n:02}:00:00Z")
}

fn since(sequence: Option<u64>, date: Option<&str>) -> Since {
    Since { sequence, time: date.map(time) }
}

/// The overlay of a folder with these files, or what is said of it.
fn read(files: &[(String, Vec<u8>)], since: Since) -> Result<Overlay, String> {
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let folder = folder(&files);
    let told = |error: ChangesError| error_told(&error, folder.path());
    let mut overlay = read_overlay(&ChangesAt::Folder(folder.path().to_owned()), since).map_err(told)?;
    for note in &mut overlay.notes {
        *note = note.replace(&folder.path().display().to_string(), "DIR");
    }
    Ok(overlay)
}

#[test]
fn numbers_decide_where_both_sides_have_them() {
    let five = series(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5]);
    let cases = [
        (since(Some(3002), Some("2021-08-01T02:00:00Z")), vec![3, 4, 5]),
        (since(Some(3002), None), vec![3, 4, 5]),
        (since(Some(3000), None), vec![1, 2, 3, 4, 5]),
        (since(Some(3004), None), vec![5]),
    ];
    for (since, expected) in cases {
        let overlay = read(&five, since).unwrap();
        assert_eq!(node_ids(&overlay), expected);
        assert_eq!((overlay.sequence, overlay.vintage), (Some(3005), Some(time("2021-08-01T05:00:00Z"))));
        assert!(overlay.notes.is_empty(), "{:?}", overlay.notes);
        let names: Vec<_> = overlay.inputs.iter().map(|input| input.name.clone()).collect();
        assert_eq!(names, expected.iter().map(|n| format!("000/003/{n:03}.osc.gz")).collect::<Vec<_>>());
    }
}

#[test]
fn an_input_is_told_as_it_lies_there() {
    let overlay = read(&series(&[1], &[]), since(Some(3000), None)).unwrap();
    let expected = crate::adapters::io::input_of_bytes("000/003/001.osc.gz", &diff(3001));
    assert_eq!(overlay.inputs, [expected]);
    assert_eq!((overlay.sequence, overlay.vintage), (Some(3001), None));
}

#[test]
fn an_extract_that_is_newer_needs_nothing() {
    for since in [since(Some(3005), None), since(Some(4000), None), since(None, Some("2021-08-01T05:00:00Z"))] {
        let overlay = read(&series(&[4, 5], &[4, 5]), since).unwrap();
        assert!(overlay.blocks.is_empty() && overlay.inputs.is_empty());
        assert_eq!((overlay.sequence, overlay.vintage), (None, None));
        assert_eq!(overlay.notes, ["DIR holds nothing newer than the extract"]);
    }
}

#[test]
fn a_gap_is_an_error_that_names_the_number() {
    let gap = |missing: u64, newest: u64| {
        format!(
            "number {missing} is missing in DIR, but numbers up to {newest} are there; without it the result would be \
             wrong: fetch it, or take an extract that is newer than it"
        )
    };
    let cases = [
        (series(&[1, 2, 4, 5], &[]), since(Some(3000), None), gap(3003, 3005)),
        (series(&[2, 3], &[]), since(Some(3000), None), gap(3001, 3003)),
        (series(&[1, 2, 4], &[1, 2, 4]), since(None, Some("2021-08-01T01:00:00Z")), gap(3003, 3004)),
        (series(&[1, 3], &[]), since(None, None), gap(3002, 3003)),
    ];
    for (files, since, expected) in cases {
        assert_eq!(read(&files, since).unwrap_err(), expected);
    }
    // One in front of what is needed is not missed.
    assert_eq!(node_ids(&read(&series(&[1, 3, 4], &[]), since(Some(3002), None)).unwrap()), [3, 4]);
}

#[test]
fn a_state_file_without_a_diff_is_a_time_without_changes() {
    let overlay = read(&series(&[1, 4], &[1, 2, 3, 4, 5]), since(Some(3000), None)).unwrap();
    assert_eq!(node_ids(&overlay), [1, 4]);
    assert_eq!((overlay.sequence, overlay.vintage), (Some(3005), Some(time("2021-08-01T05:00:00Z"))));
    assert_eq!(overlay.notes, ["3 of 5 diffs in DIR are state files only: nothing changed in them"]);
}

#[test]
fn a_folder_that_ends_before_its_state_says_so() {
    let mut files = series(&[1, 2], &[1, 2]);
    files.push(("state.txt".to_owned(), state(3009, &hour(9))));
    let overlay = read(&files, since(Some(3000), None)).unwrap();
    assert_eq!((node_ids(&overlay), overlay.sequence), (vec![1, 2], Some(3002)));
    assert_eq!(overlay.notes, ["DIR ends with number 3002, although its state.txt speaks of 3009"]);
}

#[test]
fn dates_decide_where_numbers_cannot() {
    let five = series(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5]);
    let overlay = read(&five, since(None, Some("2021-08-01T02:00:00Z"))).unwrap();
    assert_eq!((node_ids(&overlay), overlay.notes.len()), (vec![3, 4, 5], 0));

    // A number of another series: at number 3002 the folder stands a year before the extract.
    let overlay = read(&five, since(Some(3002), Some("2022-08-01T00:00:00Z"))).unwrap();
    let foreign = "the numbers in DIR are of another series than the extract's: dates decide instead";
    assert_eq!(overlay.notes, [foreign, "DIR holds nothing newer than the extract"]);
    let overlay = read(&five, since(Some(9000), Some("2021-07-01T00:00:00Z"))).unwrap();
    let unsure = "DIR begins after 2021-07-01T00:00:00Z: whether a diff is missing in between cannot be told";
    assert_eq!((node_ids(&overlay), overlay.notes), (vec![1, 2, 3, 4, 5], vec![foreign.to_owned(), unsure.to_owned()]));
}

#[test]
fn a_flat_folder_is_read_with_or_without_state_files() {
    let flat = |names: &[(&str, u64)]| -> Vec<(String, Vec<u8>)> {
        names.iter().map(|(name, n)| (format!("{name}.osc.gz"), diff(*n))).collect()
    };
    let all = "DIR and the extract share neither numbers nor dates: every diff is applied";
    // Without state files: all, in order of name as people count.
    let overlay =
        read(&flat(&[("day-9", 1), ("day-10", 2), ("day-8", 3)]), since(Some(1), Some("2021-08-01T00:00:00Z")));
    let overlay = overlay.unwrap();
    let names: Vec<_> = overlay.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["day-8.osc.gz", "day-9.osc.gz", "day-10.osc.gz"]);
    assert_eq!((node_ids(&overlay), overlay.sequence, overlay.notes), (vec![1, 2, 3], None, vec![all.to_owned()]));

    // With them: by number.
    let mut files = flat(&[("b", 3001), ("a", 3002), ("c", 3003)]);
    for (name, n) in [("b", 1), ("a", 2), ("c", 3)] {
        files.push((format!("{name}.state.txt"), state(3000 + n, &hour(n))));
    }
    let overlay = read(&files, since(Some(3001), None)).unwrap();
    assert_eq!((node_ids(&overlay), overlay.sequence), (vec![2, 3], Some(3003)));

    // With dates only: by date.
    let mut files = flat(&[("b", 1), ("a", 2), ("c", 3)]);
    for (name, n) in [("b", 1), ("a", 2), ("c", 3)] {
        files.push((format!("{name}.state.txt"), format!("timestamp={}\n", hour(n)).into_bytes()));
    }
    let overlay = read(&files, since(Some(3001), Some("2021-08-01T01:30:00Z"))).unwrap();
    let names: Vec<_> = overlay.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!((names, overlay.notes.len()), (vec!["a.osc.gz", "c.osc.gz"], 0));
}

#[test]
fn plain_files_and_single_files_are_read() {
    let text = osc("<create><node id='7' version='1' lat='1' lon='1'/></create>");
    let folder = folder(&[("x.osc", text.clone().into_bytes()), ("one/y.osc.gz", gzip(&text))]);
    for path in ["", "x.osc", "one", "one/y.osc.gz"] {
        let at = ChangesAt::new(path, folder.path());
        assert_eq!(node_ids(&read_overlay(&at, Since::default()).unwrap()), [7], "{path}");
    }
    assert_eq!(ChangesAt::new("https://host/x", folder.path()), ChangesAt::Url("https://host/x".to_owned()));
}

#[test]
fn what_is_wrong_with_a_folder_is_told() {
    let cut = diff(3001)[..40].to_vec();
    let file = |name: &str, bytes: &[u8]| vec![(name.to_owned(), bytes.to_vec())];
    let cases = [
        (file("readme.txt", b""), "DIR holds no changes (`*.osc.gz`, or `*.osc`)"),
        (file("000/003/001.state.txt", &state(3001, &hour(1))), "DIR holds no changes (`*.osc.gz`, or `*.osc`)"),
        (
            file("000/003/001.osc.gz", &cut),
            "DIR/000/003/001.osc.gz is damaged at byte 0 of its text; fetch it again: it is cut off",
        ),
        (
            [file("a.osc.gz", &diff(1)), file("a.state.txt", b"<html>"), file("b.osc.gz", &diff(2))].concat(),
            "DIR/a.state.txt is no state file: it has neither sequenceNumber nor timestamp",
        ),
        (
            [file("a.osc.gz", &diff(1)), file("a.state.txt", b"sequenceNumber=x\n")].concat(),
            "DIR/a.state.txt is no state file: its sequenceNumber is not a number",
        ),
        (
            [file("a.osc.gz", &diff(1)), file("a.state.txt", b"timestamp=soon\n")].concat(),
            "DIR/a.state.txt is no state file: its timestamp is not a date",
        ),
        (
            [series(&[1], &[]), file("000/003/001.state.txt", &state(3007, &hour(1)))].concat(),
            "000/003/001 in DIR says it is number 3007",
        ),
        (
            [series(&[1], &[]), file("x.osc.gz", &diff(3001)), file("x.state.txt", &state(3001, &hour(1)))].concat(),
            "number 3001 is given twice in DIR: 000/003/001 and x",
        ),
    ];
    for (files, expected) in cases {
        let told = read(&files, since(Some(3000), None)).unwrap_err();
        // How much was inflated before the end is the library's affair.
        let told = match told.split_once("at byte ") {
            Some((head, tail)) => format!("{head}at byte 0{}", tail.trim_start_matches(|c: char| c.is_ascii_digit())),
            None => told,
        };
        assert_eq!(told, expected);
    }
    let folder = folder(&[]);
    let error = read_overlay(&ChangesAt::new("none", folder.path()), Since::default()).unwrap_err();
    assert_eq!(error_told(&error, folder.path()), "there is nothing at DIR/none; correct the source's `changes`");
}
