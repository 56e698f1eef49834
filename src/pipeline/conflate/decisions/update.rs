//! Update: a decisions file brought up to what is under review now. What a person wrote stays byte for byte.

use std::collections::BTreeSet;

use super::sheet::{Sheet, quoted};
use super::{COLUMNS, DecisionsError, sheet_of};

/// Columns for the person who decides, behind those that are read.
const CONTEXT: [&str; 7] = ["note", "score", "distance_m", "name_a", "name_b", "link_a", "link_b"];

/// What a spreadsheet would take for the start of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A record by the name of its source.
type Named = (String, String);

/// A pair that waits for a decision, with what a person can decide by.
#[derive(Debug, Clone, PartialEq)]
pub struct UnderReview {
    /// The two records.
    pub pair: [Named; 2],
    /// Probability that they are one place.
    pub score: f64,
    /// Distance between them in metres.
    pub distance_m: f64,
    /// What each is called.
    pub names: [String; 2],
    /// Where each can be looked at.
    pub links: [String; 2],
}

/// A decisions file after an update.
#[derive(Debug, PartialEq, Eq)]
pub struct Updated {
    /// Its text.
    pub text: String,
    /// Rows that wait for a decision.
    pub open: usize,
    /// Those of them that are new.
    pub added: usize,
}

/// Brings a decisions file up to date: pairs under review that it lacks are added without a decision, and rows without a
/// decision or note whose pair is no longer under review go away.
///
/// # Errors
///
/// When the text cannot be read as a decisions file.
pub fn update(text: &str, under_review: &[UnderReview]) -> Result<Updated, DecisionsError> {
    let key = |pair: &'_ UnderReview| in_order(pair.pair.each_ref().map(|(dataset, id)| [dataset.clone(), id.clone()]));
    let waiting: BTreeSet<[String; 4]> = under_review.iter().map(key).collect();
    let default_head = COLUMNS.iter().chain(&CONTEXT).copied().collect::<Vec<_>>().join(",") + "\n";
    let new;
    let sheet = if let Some(sheet) = sheet_of(text)? {
        sheet
    } else {
        new = format!("{}{default_head}", if text.starts_with('\u{feff}') { "\u{feff}" } else { "" });
        sheet_of(&new)?.ok_or(DecisionsError::NoColumn { column: COLUMNS[0] })?
    };
    let mut updated = sheet.head.to_owned();
    let [dataset_a, id_a, dataset_b, id_b, decision] = COLUMNS.map(|name| sheet.column(name));
    let note = sheet.column("note");
    let mut known: BTreeSet<[String; 4]> = BTreeSet::new();
    for row in &sheet.rows {
        let record = |dataset, id| [row.cell(dataset).to_owned(), row.cell(id).to_owned()];
        let pair = in_order([record(dataset_a, id_a), record(dataset_b, id_b)]);
        let a_persons = !row.cell(decision).is_empty() || !row.cell(note).is_empty();
        let waits = waiting.contains(&pair);
        if a_persons || row.is_blank() || (waits && !known.contains(&pair)) {
            updated.push_str(row.text);
            known.insert(pair);
        }
    }
    let added: Vec<&UnderReview> = under_review.iter().filter(|pair| known.insert(key(pair))).collect();
    if !added.is_empty() && !updated.ends_with(['\n', '\r']) {
        updated.push_str(sheet.line_break);
    }
    for pair in &added {
        updated.push_str(&line(&sheet, pair));
    }
    Ok(Updated { text: updated, open: waiting.len(), added: added.len() })
}

/// The key of a pair, whichever record is named first.
fn in_order([a, b]: [[String; 2]; 2]) -> [String; 4] {
    let ([a, id_a], [b, id_b]) = if a <= b { (a, b) } else { (b, a) };
    [a, id_a, b, id_b]
}

/// The row of a pair, in the columns that the sheet has.
fn line(sheet: &Sheet<'_>, pair: &UnderReview) -> String {
    let [(dataset_a, id_a), (dataset_b, id_b)] = &pair.pair;
    let cell = |column: &String| match column.as_str() {
        "dataset_a" => dataset_a.clone(),
        "record_id_a" => id_a.clone(),
        "dataset_b" => dataset_b.clone(),
        "record_id_b" => id_b.clone(),
        "score" => format!("{:.2}", pair.score),
        "distance_m" => format!("{:.1}", pair.distance_m),
        "name_a" => harmless(&pair.names[0]),
        "name_b" => harmless(&pair.names[1]),
        "link_a" => pair.links[0].clone(),
        "link_b" => pair.links[1].clone(),
        _ => String::new(),
    };
    let cells: Vec<String> = sheet.columns.iter().map(|column| quoted(&cell(column), sheet.delimiter)).collect();
    cells.join(&sheet.delimiter.to_string()) + sheet.line_break
}

/// A name that a spreadsheet does not take for a formula: anybody may have written it.
fn harmless(name: &str) -> String {
    if name.starts_with(FORMULA) { format!("'{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "dataset_a,record_id_a,dataset_b,record_id_b,decision,note,score,distance_m,name_a,name_b,link_a,link_b\n";

    fn pair(a: &str, b: &str) -> UnderReview {
        UnderReview {
            pair: [("osm".to_owned(), a.to_owned()), ("ocm".to_owned(), b.to_owned())],
            score: 0.625,
            distance_m: 12.34,
            names: ["Rathaus, Nord".to_owned(), "=cmd()".to_owned()],
            links: ["https://a/1".to_owned(), "https://b/2".to_owned()],
        }
    }

    #[test]
    fn a_missing_file_is_begun_with_every_pair_and_its_context() {
        let expected =
            format!("{HEAD}osm,node/1,ocm,7,,,0.62,12.3,\"Rathaus, Nord\",'=cmd(),https://a/1,https://b/2\n");
        let updated = update("", &[pair("node/1", "7")]).expect("nothing is a decisions file");
        assert_eq!(updated, Updated { text: expected.clone(), open: 1, added: 1 });
        let again = update(&expected, &[pair("node/1", "7")]).expect("what is written can be read");
        assert_eq!(again, Updated { text: expected, open: 1, added: 0 });
        assert_eq!(update("", &[]).expect("a file").text, HEAD);
    }

    #[test]
    fn what_a_person_wrote_stays_byte_for_byte() {
        let cases = [
            // Decided; undecided and gone; undecided with a note; a blank line; columns of their own.
            (
                "dataset_a,record_id_a,dataset_b,record_id_b,decision,note,mine\nosm,1,ocm,1, Always ,\"a\nb\", x\n\
                 osm,2,ocm,2,,,\nosm,3,ocm,3,,ask Ann,\n\n",
                "dataset_a,record_id_a,dataset_b,record_id_b,decision,note,mine\nosm,1,ocm,1, Always ,\"a\nb\", x\n\
                 osm,3,ocm,3,,ask Ann,\n\nosm,9,ocm,9,,,\n",
            ),
            // A spreadsheet's own dialect, and a last line without a break.
            (
                "\u{feff}sep=;\r\ndataset_a;record_id_a;dataset_b;record_id_b;decision\r\nocm;9;osm;9;",
                "\u{feff}sep=;\r\ndataset_a;record_id_a;dataset_b;record_id_b;decision\r\nocm;9;osm;9;",
            ),
            (
                "dataset_a;record_id_a;dataset_b;record_id_b;decision;name_a\r\nosm;1;ocm;1;never;\"x;y\"",
                "dataset_a;record_id_a;dataset_b;record_id_b;decision;name_a\r\nosm;1;ocm;1;never;\"x;y\"\r\n\
                 osm;9;ocm;9;;Rathaus, Nord\r\n",
            ),
            // The same pair twice, decided once.
            (
                "dataset_a,record_id_a,dataset_b,record_id_b,decision\nosm,9,ocm,9,\nocm,9,osm,9,\n",
                "dataset_a,record_id_a,dataset_b,record_id_b,decision\nosm,9,ocm,9,\n",
            ),
        ];
        for (before, after) in cases {
            let updated = update(before, &[pair("9", "9")]).expect("a decisions file");
            assert_eq!(updated.text, after);
            let again = update(after, &[pair("9", "9")]).expect("a decisions file").text;
            assert_eq!(again, after, "a second time nothing changes");
        }
        assert!(update("x,y\n1,2\n", &[]).is_err());
    }
}
