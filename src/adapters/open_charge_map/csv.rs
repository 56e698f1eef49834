//! CSV: rows of `output=csv` as records of the same form as the other shapes.
//!
//! **Source**: openchargemap/ocm-system, `CSVOutputProvider.cs`: a fixed header with a blank before `LocationTitle`, titles in
//! the place of numbers, connection types with `; ` behind each.

use std::borrow::Cow;
use std::io::BufRead;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::adapters::io::{Broken, Frame, Frames, JsonRecord, RecordsError};

/// Columns without which a table is none of Open Charge Map's.
const NEEDED: [&str; 3] = ["ID", "Latitude", "Longitude"];

/// Columns of the address, and their names in a record.
const ADDRESS: [(&str, &str); 13] = [
    ("LocationTitle", "Title"),
    ("AddressLine1", "AddressLine1"),
    ("AddressLine2", "AddressLine2"),
    ("Town", "Town"),
    ("StateOrProvince", "StateOrProvince"),
    ("Postcode", "Postcode"),
    ("Latitude", "Latitude"),
    ("Longitude", "Longitude"),
    ("Addr_ContactTelephone1", "ContactTelephone1"),
    ("Addr_ContactTelephone2", "ContactTelephone2"),
    ("Addr_ContactEmail", "ContactEmail"),
    ("Addr_AccessComments", "AccessComments"),
    ("Addr_RelatedURL", "RelatedURL"),
];

/// Columns that a record has under the same name.
const SAME: [&str; 7] =
    ["ID", "UUID", "NumberOfPoints", "GeneralComments", "DateLastConfirmed", "DateLastStatusUpdate", "DateCreated"];

/// Columns whose value is a number where it can be read as one.
const NUMBERS: [&str; 4] = ["ID", "NumberOfPoints", "Latitude", "Longitude"];

/// Columns in which people write more than a line.
const OF_SEVERAL_LINES: [&str; 5] =
    ["AddressLine1", "AddressLine2", "Addr_AccessComments", "GeneralComments", "UsageCost"];

/// The rows of a file.
pub(super) struct CsvRecords<'a> {
    path: &'a Path,
    frames: Frames<Box<dyn BufRead + 'a>>,
    header: Vec<String>,
    records: u64,
    /// A row read ahead.
    ahead: Option<Frame>,
}

/// A row, or why it is none.
pub(super) type Row = Result<JsonRecord, (JsonRecord, String)>;

impl<'a> CsvRecords<'a> {
    /// Reads the header; `None` where it is not that of Open Charge Map.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn open(path: &'a Path, text: Box<dyn BufRead + 'a>) -> Result<Option<Self>, RecordsError> {
        let interrupted = |source| RecordsError::interrupted(path, 0, source);
        let mut frames = Frames::new(text, b',');
        if frames.peek(3).map_err(interrupted)?.starts_with(b"\xef\xbb\xbf") {
            frames.skip(3);
        }
        frames.find_line_end().map_err(interrupted)?;
        let Some(header) = frames.header().map_err(interrupted)? else { return Ok(None) };
        let name = |at| Some(text_of(&header, at)?.trim().to_owned());
        let header: Vec<String> = (0..header.fields.len()).map(|at| name(at).unwrap_or_default()).collect();
        let has = |wanted: &&str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        if !NEEDED.iter().all(has) {
            return Ok(None);
        }
        frames.expect(b',', header.len());
        let is_of_one_line = |at: &usize| !OF_SEVERAL_LINES.contains(&header[*at].as_str());
        frames.expect_one_line((0..header.len()).filter(is_of_one_line).collect());
        Ok(Some(Self { path, frames, header, records: 0, ahead: None }))
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or ends within a row.
    pub(super) fn next(&mut self) -> Result<Option<Row>, RecordsError> {
        let ahead = self.ahead.take();
        let Some(row) = ahead.map_or_else(|| self.read(), |row| Ok(Some(row)))? else { return Ok(None) };
        let record = |bytes| JsonRecord { place: format!("line {}", row.line), line: Some(row.line), bytes };
        let outcome = match row.broken {
            None => match self.record(&row) {
                Some(text) => Ok(record(text.into_bytes())),
                None => Err((record(Vec::new()), "it is not UTF-8".to_owned())),
            },
            Some(broken) => {
                self.ahead = self.read()?;
                let ends_early = match broken {
                    Broken::Columns(found) => found < self.header.len(),
                    Broken::OpenQuote => true,
                    Broken::TextAfterQuote | Broken::TooLong => false,
                };
                if self.ahead.is_none() && ends_early {
                    return Err(RecordsError::Cut { path: self.path.to_owned(), records: self.records });
                }
                Err((record(Vec::new()), broken.told(self.header.len())))
            }
        };
        self.records += 1;
        Ok(Some(outcome))
    }

    fn read(&mut self) -> Result<Option<Frame>, RecordsError> {
        self.frames.next().map_err(|source| RecordsError::interrupted(self.path, self.records, source))
    }

    /// The text of the record that says what a row says; `None` where it is not UTF-8.
    fn record(&self, row: &Frame) -> Option<String> {
        let cells: Option<Vec<Cow<'_, str>>> = (0..row.fields.len()).map(|at| text_of(row, at)).collect();
        let cells = cells?;
        let cell = |wanted: &str| {
            let at = self.header.iter().position(|name| name.eq_ignore_ascii_case(wanted))?;
            Some(cells[at].trim()).filter(|text| !text.is_empty())
        };
        let value = |column: &str| {
            let text = cell(column)?;
            let number = NUMBERS.contains(&column).then(|| serde_json::from_str::<serde_json::Number>(text).ok());
            Some(number.flatten().map_or_else(|| json!(text), Value::from))
        };
        let titled = |column: &str| cell(column).map(|title| json!({ "Title": title }));
        let mut record = Map::new();
        let mut address = Map::new();
        let set = |map: &mut Map<String, Value>, name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        for (column, name) in ADDRESS {
            set(&mut address, name, value(column));
        }
        set(&mut address, "Country", titled("Country"));
        for column in SAME {
            set(&mut record, column, value(column));
        }
        set(&mut record, "UsageType", titled("UsageType"));
        set(&mut record, "StatusType", titled("StatusType"));
        record.insert("AddressInfo".to_owned(), address.into());
        let kinds = cell("ConnectionType").into_iter().flat_map(|kinds| kinds.split(';'));
        let kinds = kinds.map(str::trim).filter(|kind| !kind.is_empty());
        let connections: Vec<Value> = kinds.map(|kind| json!({ "ConnectionType": { "Title": kind } })).collect();
        set(&mut record, "Connections", (!connections.is_empty()).then(|| connections.into()));
        Some(Value::from(record).to_string())
    }
}

/// A field as text, its line ends as LF; `None` where it is not UTF-8.
fn text_of(row: &Frame, at: usize) -> Option<Cow<'_, str>> {
    let field = &row.fields[at];
    let text = std::str::from_utf8(&row.bytes[field.range.clone()]).ok()?;
    if !field.is_quoted || !text.contains(['"', '\r']) {
        return Some(Cow::Borrowed(text));
    }
    Some(Cow::Owned(text.replace("\"\"", "\"").replace("\r\n", "\n").replace('\r', "\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "ID,UUID, LocationTitle,AddressLine1,Country,Latitude,Longitude,ConnectionType,UsageType,GeneralComments";

    /// Each row as its line and record, or its line and what is wrong.
    fn rows(text: &[u8]) -> Result<Vec<String>, RecordsError> {
        let path = Path::new("dump.csv");
        let mut records = CsvRecords::open(path, Box::new(text))?.expect("a header of Open Charge Map");
        let mut found = Vec::new();
        while let Some(row) = records.next()? {
            found.push(match row {
                Ok(record) => format!("{}: {}", record.place, String::from_utf8_lossy(&record.bytes)),
                Err((record, message)) => format!("{}: {message}", record.place),
            });
        }
        Ok(found)
    }

    #[test]
    fn a_row_is_a_record_with_titles() {
        let row = "7,U-7,\"Hall, \"\"new\"\"\",,Liechtenstein,47.10,9.5,\"CHAdeMO; CCS (Type 2); \",Public,\"a\nb\"";
        let bad = "8,,short\n9,,\u{e4},,,x,9,,,\n";
        let text = format!("\u{feff}{HEADER}\r\n{row}\r\n{bad}");
        let expected = [
            concat!(
                r#"line 2: {"AddressInfo":{"Country":{"Title":"Liechtenstein"},"Latitude":47.1,"Longitude":9.5,"Title":"Hall, \"new\""},"#,
                r#""Connections":[{"ConnectionType":{"Title":"CHAdeMO"}},{"ConnectionType":{"Title":"CCS (Type 2)"}}],"#,
                r#""GeneralComments":"a\nb","ID":7,"UUID":"U-7","UsageType":{"Title":"Public"}}"#
            ),
            "line 4: it has 3 columns, and the header has 10",
            r#"line 5: {"AddressInfo":{"Latitude":"x","Longitude":9,"Title":"ä"},"ID":9}"#,
        ];
        assert_eq!(rows(text.as_bytes()).unwrap(), expected);
        let latin = [HEADER.as_bytes(), b"\n9,,\xe4,,,1,9,,,\n"].concat();
        assert_eq!(rows(&latin).unwrap(), ["line 2: it is not UTF-8"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_own_row_only() {
        let fine =
            |line: u64, id: u64| format!(r#"line {line}: {{"AddressInfo":{{"Latitude":1,"Longitude":2}},"ID":{id}}}"#);
        let never = |line: u64| format!("line {line}: a field begins with a quote that is never closed");
        let goes_on =
            |line: u64| format!("line {line}: a field goes on behind its closing quote; is a quote in it not doubled?");
        let cases = [
            (
                "the next quote begins a field",
                "6,,\"broken,,,1,2,,,\n7,,,,,1,2,,,\n8,,\"\",,,1,2,,,\n",
                vec![never(2), fine(3, 7), fine(4, 8)],
            ),
            (
                "text follows the next quote",
                "6,,\"broken,,,1,2,,,\n7,,\"seven\",,,1,2,,,\n8,,,,,1,2,,,\n",
                vec![goes_on(2), String::new(), fine(4, 8)],
            ),
            // The rows taken in have as many fields as one row.
            (
                "as many fields as the header",
                "6,,\"broken,,,1,2,,,\n7,,\",,,1,2,,,\n8,,,,,1,2,,,\n",
                vec![never(2), fine(4, 8)],
            ),
            (
                "both are broken, and told as one",
                "6,,\"broken,,,1,2,,,\n7,,\"broken,,,1,2,,,\n8,,,,,1,2,,,\n",
                vec![goes_on(2), fine(4, 8)],
            ),
        ];
        for (what, text, expected) in cases {
            for end in ["\n", "\r\n"] {
                let found = rows(format!("{HEADER}\n{text}").replace('\n', end).as_bytes()).expect(what);
                for (found, expected) in found.iter().zip(&expected) {
                    assert!(found == expected || expected.is_empty(), "{what}: {found}");
                }
                assert_eq!(found.len(), expected.len(), "{what}: {found:?}");
            }
        }
    }

    #[test]
    fn a_row_that_ends_with_the_file_is_a_cut() {
        let error = rows(format!("{HEADER}\n7,,a,,,1,2,,,\n8,,b").as_bytes()).expect_err("it is cut");
        assert_eq!(error.to_string(), "dump.csv is cut off after record 1; fetch it again");
        let in_quotes = rows(format!("{HEADER}\n7,,a,,,1,2,,,\n8,,b,,,1,2,,,\"half a\nsen").as_bytes());
        assert_eq!(in_quotes.expect_err("it is cut").to_string(), "dump.csv is cut off after record 1; fetch it again");
    }

    #[test]
    fn another_table_is_none_of_ours() {
        for text in ["id,name\n1,x\n", "<html>\n", "x"] {
            let text: &[u8] = text.as_bytes();
            assert!(CsvRecords::open(Path::new("x.csv"), Box::new(text)).unwrap().is_none());
        }
    }
}
