//! CSV: rows of `output=csv` as records of the same form as the other shapes.
//!
//! **Source**: openchargemap/ocm-system, `CSVOutputProvider.cs`: a fixed header with a blank before `LocationTitle`, titles in
//! the place of numbers, connection types with `; ` behind each.

use std::io::{self, BufRead, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value, json};

use crate::adapters::io::{JsonRecord, RecordsError};

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
    reader: csv::Reader<WithoutReturns<Box<dyn BufRead + 'a>>>,
    header: Vec<String>,
    records: u64,
    /// A row read ahead.
    ahead: Option<ByteRecord>,
}

/// A row, or why it is none.
pub(super) type Row = Result<JsonRecord, (JsonRecord, String)>;

impl<'a> CsvRecords<'a> {
    /// Reads the header; `None` where it is not that of Open Charge Map.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn open(path: &'a Path, mut text: Box<dyn BufRead + 'a>) -> Result<Option<Self>, RecordsError> {
        let beginning = text.fill_buf().map_err(|source| RecordsError::interrupted(path, 0, source))?;
        if beginning.starts_with(b"\xef\xbb\xbf") {
            text.consume(3);
        }
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(WithoutReturns(text));
        let header = reader.byte_headers().map_err(|error| interrupted(path, 0, error))?;
        let header: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let has = |wanted: &&str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        Ok(NEEDED.iter().all(has).then_some(Self { path, reader, header, records: 0, ahead: None }))
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or ends within a row.
    pub(super) fn next(&mut self) -> Result<Option<Row>, RecordsError> {
        let ahead = self.ahead.take();
        let Some(row) = ahead.map_or_else(|| self.read(), |row| Ok(Some(row)))? else { return Ok(None) };
        let line = row.position().map(csv::Position::line);
        let place = format!("line {}", line.unwrap_or_default());
        let record = |bytes| JsonRecord { place, line, bytes };
        let outcome = if row.len() == self.header.len() {
            match (self.swallowing(&row), self.record(&row)) {
                (Some((column, lines)), _) => {
                    let message = format!(
                        "its `{column}` holds the {lines} lines behind it: a quote is not closed, and the rows in them are lost"
                    );
                    Err((record(Vec::new()), message))
                }
                (None, Some(text)) => Ok(record(text.into_bytes())),
                (None, None) => Err((record(Vec::new()), "it is not UTF-8".to_owned())),
            }
        } else {
            self.ahead = self.read()?;
            if self.ahead.is_none() && row.len() < self.header.len() {
                return Err(RecordsError::Cut { path: self.path.to_owned(), records: self.records });
            }
            let message = format!("it has {} fields, and the header {}", row.len(), self.header.len());
            Err((record(Vec::new()), message))
        };
        self.records += 1;
        Ok(Some(outcome))
    }

    /// A column of one line that holds several, with the number of those that are too many: an open quote has taken in
    /// what came behind it, so that no value of the row can be trusted.
    fn swallowing(&self, row: &ByteRecord) -> Option<(&str, usize)> {
        let columns = self.header.iter().map(String::as_str).zip(row);
        let mut of_one_line = columns.filter(|(column, _)| !OF_SEVERAL_LINES.contains(column));
        of_one_line.find_map(|(column, cell)| {
            let lines = cell.split(|byte| *byte == b'\n').count() - 1;
            (lines > 0).then_some((column, lines))
        })
    }

    fn read(&mut self) -> Result<Option<ByteRecord>, RecordsError> {
        let mut row = ByteRecord::new();
        let read = self.reader.read_byte_record(&mut row);
        let has_row = read.map_err(|error| interrupted(self.path, self.records, error))?;
        Ok(has_row.then_some(row))
    }

    /// The text of the record that says what a row says; `None` where it is not UTF-8.
    fn record(&self, row: &ByteRecord) -> Option<String> {
        let cells: Option<Vec<&str>> = row.iter().map(|cell| std::str::from_utf8(cell).ok()).collect();
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

/// A text whose line ends are one byte, so that lines are counted right.
struct WithoutReturns<R>(R);

impl<R: BufRead> Read for WithoutReturns<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let buffer = self.0.fill_buf()?;
            if buffer.is_empty() || out.is_empty() {
                return Ok(0);
            }
            let plain = buffer.iter().position(|byte| *byte == b'\r').unwrap_or(buffer.len()).min(out.len());
            if plain > 0 {
                out[..plain].copy_from_slice(&buffer[..plain]);
                self.0.consume(plain);
                return Ok(plain);
            }
            self.0.consume(1);
            if self.0.fill_buf()?.first() != Some(&b'\n') {
                out[0] = b'\r';
                return Ok(1);
            }
        }
    }
}

fn interrupted(path: &Path, records: u64, error: csv::Error) -> RecordsError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    };
    RecordsError::interrupted(path, records, source)
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
            "line 4: it has 3 fields, and the header 10",
            r#"line 5: {"AddressInfo":{"Latitude":"x","Longitude":9,"Title":"ä"},"ID":9}"#,
        ];
        assert_eq!(rows(text.as_bytes()).unwrap(), expected);
        let latin = [HEADER.as_bytes(), b"\n9,,\xe4,,,1,9,,,\n"].concat();
        assert_eq!(rows(&latin).unwrap(), ["line 2: it is not UTF-8"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_gives_no_row_the_position_of_another() {
        let text = format!(
            "{HEADER}\n5,,fine,,,47.5,8.5,,,\n6,,\"broken,Street 1,,47.6,8.6,,,\n7,,seven,,,47.7,8.7,,,\n8,,\"ok\",,,46.1,7.1,,,\n"
        );
        let expected = [
            r#"line 2: {"AddressInfo":{"Latitude":47.5,"Longitude":8.5,"Title":"fine"},"ID":5}"#,
            "line 3: its `LocationTitle` holds the 2 lines behind it: a quote is not closed, and the rows in them are lost",
        ];
        assert_eq!(rows(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_row_that_ends_with_the_file_is_a_cut() {
        let error = rows(format!("{HEADER}\n7,,a,,,1,2,,,\n8,,b").as_bytes()).expect_err("it is cut");
        assert_eq!(error.to_string(), "dump.csv is cut off after record 1; fetch it again");
    }

    #[test]
    fn another_table_is_none_of_ours() {
        for text in ["id,name\n1,x\n", "<html>\n", "x"] {
            let text: &[u8] = text.as_bytes();
            assert!(CsvRecords::open(Path::new("x.csv"), Box::new(text)).unwrap().is_none());
        }
    }
}
