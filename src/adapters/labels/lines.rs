//! Lines of a text as an editor counts them: LF, CRLF and CR end one each, mixed as they come, in quotes too.

/// The line of each place in a text; places are asked for in order.
pub(super) struct LineCount<'t> {
    text: &'t [u8],
    /// Bytes counted so far.
    at: usize,
    line: u64,
}

impl<'t> LineCount<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line, from 1, on which the row begins that a reader of CSV found here.
    ///
    /// The reader's own count knows LF alone; and it takes what is left of a line end, and blank lines, for the beginning
    /// of the row behind them.
    pub(super) fn of_row(&mut self, row: &csv::StringRecord) -> u64 {
        let begin = row.position().map_or(0, csv::Position::byte) as usize;
        let blank = self.text[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let begin = begin + blank;
        while self.at < begin {
            let ends = self.text[self.at] == b'\n'
                || (self.text[self.at] == b'\r' && self.text.get(self.at + 1) != Some(&b'\n'));
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

/// The lines of a text, without their ends.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return (!text.is_empty()).then_some(text);
        };
        rest = text[end..].strip_prefix("\r\n").or_else(|| text.get(end + 1..));
        Some(&text[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_on_the_lines_that_an_editor_shows() {
        let rows = ["a,b\n1,2\n\n3,\"4\n5\"\n6,7\n", "a,b\n1,2\n\n3,\"4\n\n5\"\n6,7", " a ,b\n1,2\n3,4\n"];
        let expected = [vec![2, 4, 6], vec![2, 4, 7], vec![2, 3]];
        for (text, expected) in rows.iter().zip(expected) {
            for end in ["\n", "\r\n", "\r"] {
                let text = text.replace('\n', end);
                let mut count = LineCount::new(&text);
                let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
                let found: Vec<u64> = reader.records().map(|row| count.of_row(&row.expect("CSV"))).collect();
                assert_eq!(found, expected, "{text:?}");
            }
        }
    }

    #[test]
    fn every_end_parts_lines() {
        assert_eq!(lines("a\nb\r\n\rc\r\n").collect::<Vec<_>>(), ["a", "b", "", "c"]);
        assert_eq!(lines("").count() + lines("\n").count(), 1);
    }
}
