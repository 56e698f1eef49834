//! Sheet: a table as people's spreadsheets write it, of which every row can be kept byte for byte.
//!
//! CSV with `,`, `;` or tabs, with or without a mark of byte order, `sep=` line, quotes and CRLF; lines are counted as an editor
//! counts them, also where a quoted cell has line breaks.

/// What the bytes of a file may begin with to say that they are UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A sheet: a header and rows.
#[derive(Debug)]
pub(super) struct Sheet<'t> {
    /// What stands before the first row, with its line break.
    pub(super) head: &'t str,
    /// Names of the columns, lower case.
    pub(super) columns: Vec<String>,
    /// What separates cells.
    pub(super) delimiter: char,
    /// What ends a line.
    pub(super) line_break: &'static str,
    /// Rows, blank lines among them.
    pub(super) rows: Vec<Row<'t>>,
}

/// A row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<'t> {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// The row as it is written, with its line break.
    pub(super) text: &'t str,
    /// Its cells without quotes and blanks around them.
    pub(super) cells: Vec<String>,
}

/// The line of a quote that is never closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenQuote(pub(super) usize);

impl<'t> Sheet<'t> {
    /// Reads a sheet; `None` where there is nothing but blanks.
    pub(super) fn read(text: &'t str) -> Result<Option<Self>, OpenQuote> {
        let start = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if start.trim().is_empty() {
            return Ok(None);
        }
        let (mut line, mut header) = (1, start);
        // Blank lines, and the line by which a spreadsheet is told what separates cells.
        loop {
            let first = &header[..header.find(['\n', '\r']).unwrap_or(header.len())];
            if !first.trim().is_empty() && !first.to_ascii_lowercase().starts_with("sep=") {
                break;
            }
            let ended =
                header[first.len()..].strip_prefix("\r\n").or_else(|| header[first.len()..].strip_prefix(['\n', '\r']));
            let Some(rest) = ended else { return Ok(None) };
            (line, header) = (line + 1, rest);
        }
        let first = header.lines().next().unwrap_or_default();
        let delimiter = [',', ';', '\t'].into_iter().rev().max_by_key(|c| first.matches(*c).count()).unwrap_or(',');
        let mut rows = rows(header, delimiter, line)?;
        let head = rows.remove(0);
        let line_break = if head.text.ends_with("\r\n") { "\r\n" } else { "\n" };
        Ok(Some(Self {
            head: &text[..text.len() - header.len() + head.text.len()],
            columns: head.cells.iter().map(|name| name.to_lowercase()).collect(),
            delimiter,
            line_break,
            rows,
        }))
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

impl Row<'_> {
    /// The cell of a column; empty where the row is too short.
    pub(super) fn cell(&self, column: Option<usize>) -> &str {
        column.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// Whether nothing stands in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

/// A cell as it is written: in quotes where it must be.
pub(super) fn quoted(cell: &str, delimiter: char) -> String {
    let plain = cell.trim() == cell && !cell.contains([delimiter, '"', '\n', '\r']);
    if plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}

/// Splits a text into rows. A quote counts only at the start of a cell.
fn rows(text: &str, delimiter: char, first_line: usize) -> Result<Vec<Row<'_>>, OpenQuote> {
    let mut rows = Vec::new();
    let (mut start, mut line, mut begun) = (0, first_line, first_line);
    let (mut cells, mut cell, mut quote) = (Vec::new(), String::new(), None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if quote.is_some() {
            match c {
                '"' if next == Some('"') => {
                    cell.push('"');
                    chars.next();
                }
                '"' => quote = None,
                _ => cell.push(c),
            }
            line += usize::from(c == '\n' || (c == '\r' && next != Some('\n')));
        } else if c == '"' && cell.trim().is_empty() {
            (quote, cell) = (Some(line), String::new());
        } else if c == delimiter {
            cells.push(std::mem::take(&mut cell).trim().to_owned());
        } else if c == '\n' || (c == '\r' && next != Some('\n')) {
            cells.push(std::mem::take(&mut cell).trim().to_owned());
            line += 1;
            rows.push(Row { line: begun, text: &text[start..=at], cells: std::mem::take(&mut cells) });
            (start, begun) = (at + 1, line);
        } else {
            cell.push(c);
        }
    }
    if let Some(line) = quote {
        return Err(OpenQuote(line));
    }
    if start < text.len() {
        cells.push(cell.trim().to_owned());
        rows.push(Row { line: begun, text: &text[start..], cells });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a row begins, and its cells.
    type Line<'a> = (usize, &'a [&'a str]);

    #[test]
    fn a_sheet_of_any_spreadsheet_is_read() {
        let cases: [(&str, &[Line<'_>]); 8] = [
            ("a,b\n1,2\n", &[(2, &["1", "2"])]),
            ("a;b\r\n1;2\r\n", &[(2, &["1", "2"])]),
            ("\u{feff}A\tb \r\n1\t2", &[(2, &["1", "2"])]),
            ("sep=;\na;b\n\"1\";\" 2 \"\n", &[(3, &["1", "2"])]),
            ("\n\na,b\n1,2\n", &[(4, &["1", "2"])]),
            ("a,b\r\"x\ry\",2\r3,4\r", &[(2, &["x\ry", "2"]), (4, &["3", "4"])]),
            (
                "a,b\n\"say \"\"x, y\"\"\r\nz\",2\n\n3,4,,\n",
                &[(2, &["say \"x, y\"\r\nz", "2"]), (4, &[""]), (5, &["3", "4", "", ""])],
            ),
            ("a,b\n5\" plug,2\n", &[(2, &["5\" plug", "2"])]),
        ];
        for (text, expected) in cases {
            let sheet = Sheet::read(text).expect("no quote is open").expect("a header");
            assert_eq!(sheet.columns, ["a", "b"], "{text:?}");
            let rows: Vec<_> =
                sheet.rows.iter().map(|row| (row.line, row.cells.iter().map(String::as_str).collect())).collect();
            let expected: Vec<(usize, Vec<&str>)> =
                expected.iter().map(|(line, cells)| (*line, cells.to_vec())).collect();
            assert_eq!(rows, expected, "{text:?}");
            let whole: String = std::iter::once(sheet.head).chain(sheet.rows.iter().map(|row| row.text)).collect();
            assert_eq!(whole, text, "every byte stands in the head or a row");
        }
        assert!(matches!(Sheet::read("a,b\n1,\"2\n3,4\n"), Err(OpenQuote(2))));
        assert!(matches!(Sheet::read("\u{feff} \r\n \n"), Ok(None)) && matches!(Sheet::read("sep=;"), Ok(None)));
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        for (cell, expected) in [("a b", "a b"), ("a;b", "\"a;b\""), ("a\"b", "\"a\"\"b\""), (" a", "\" a\""), ("", "")]
        {
            assert_eq!(quoted(cell, ';'), expected);
        }
    }
}
