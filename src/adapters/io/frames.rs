//! Frames: where each record of a CSV file begins and ends, and where its fields are (RFC 4180, and what registers make
//! of it).
//!
//! - **Ends**: LF, CRLF and CR, mixed as they come. A line is what ends as the header does: with LF (and so CRLF), or with
//!   CR where the file has that.
//! - **Records cut in two** by a line end in a field without quotes are joined only where that is certain: the cut is a
//!   line end of a kind with which no whole record has ended, and the parts make exactly one record.
//! - **Fields of one line**, where a caller names such: a record of which one of them holds a line end is none, because a
//!   quote that was not closed has taken in the lines behind it.
//! - **Invariant**: a quote that is never closed costs the records on its own lines, not the rest of the file: a record
//!   is bounded in lines and bytes, and reading goes on at the next line that is a record.

use std::io::{self, BufRead};
use std::ops::Range;

/// Most bytes of a record.
const RECORD_MAX_BYTES: usize = 1 << 20;

/// Most lines of a record.
const RECORD_MAX_LINES: u64 = 200;

/// Most parts that a record may have been cut into.
const PARTS_MAX: usize = 8;

/// Bytes read at once.
const READ_BYTES: usize = 1 << 18;

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Lf,
    CrLf,
    Cr,
    /// The end of the file.
    File,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adapters) struct Field {
    /// Its bytes in the record, without the quotes around it.
    pub(in crate::adapters) range: Range<usize>,
    pub(in crate::adapters) is_quoted: bool,
}

/// One record, or what stands in the place of one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::adapters) struct Frame {
    /// Line on which it begins, from 1.
    pub(in crate::adapters) line: u64,
    pub(in crate::adapters) bytes: Vec<u8>,
    pub(in crate::adapters) fields: Vec<Field>,
    /// Fields that hold a line end which cut the record in two.
    pub(in crate::adapters) joined: Vec<usize>,
    /// Why it is no record.
    pub(in crate::adapters) broken: Option<Broken>,
}

/// Why something is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::adapters) enum Broken {
    /// It has another number of fields than the header.
    Columns(usize),
    /// A quoted field goes on behind its closing quote.
    TextAfterQuote,
    /// A quote is not closed within the bounds of a record, or before the file ends.
    OpenQuote,
    /// A line longer than any record.
    TooLong,
}

impl Broken {
    /// Why, as a sentence; `columns` is the number of fields of the header.
    pub(in crate::adapters) fn told(self, columns: usize) -> String {
        match self {
            Self::Columns(found) => format!("it has {found} columns, and the header has {columns}"),
            Self::TextAfterQuote => {
                "a field goes on behind its closing quote; is a quote in it not doubled?".to_owned()
            }
            Self::OpenQuote => "a field begins with a quote that is never closed".to_owned(),
            Self::TooLong => "the line is longer than any record".to_owned(),
        }
    }
}

/// A record as it stands in the buffer.
struct Parsed {
    /// Bytes to the end of the record, without its line end.
    length: usize,
    /// Bytes with its line end.
    whole: usize,
    end: End,
    fields: Vec<Field>,
}

/// What was found at a place in the buffer.
enum Found {
    Record(Parsed),
    /// No record, as far as these bytes.
    Broken(Broken, usize),
}

/// The records of a CSV file, in order.
pub(in crate::adapters) struct Frames<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are done with.
    start: usize,
    is_at_end: bool,
    delimiter: u8,
    /// Fields of a record; 0 until the header is known.
    columns: usize,
    /// Those of them that never hold a line end.
    of_one_line: Vec<usize>,
    /// How the first line ends, and so lines as a rule.
    usual: End,
    /// Whether a whole record has ended otherwise, by LF, CRLF and CR.
    mixed: [bool; 3],
    /// Line ends passed.
    lines: u64,
}

impl Frame {
    /// About how much memory it takes.
    pub(in crate::adapters) fn size_bytes(&self) -> usize {
        self.bytes.len() + self.fields.len() * size_of::<Field>()
    }
}

impl<R: BufRead> Frames<R> {
    pub(in crate::adapters) fn new(reader: R, delimiter: u8) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            is_at_end: false,
            delimiter,
            columns: 0,
            of_one_line: Vec::new(),
            usual: End::Lf,
            mixed: [false; 3],
            lines: 0,
        }
    }

    /// Lines passed so far.
    pub(in crate::adapters) fn lines(&self) -> u64 {
        self.lines
    }

    /// The bytes ahead, at least so many unless the file ends.
    pub(in crate::adapters) fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.start < bytes && self.fill()? {}
        Ok(&self.buffer[self.start..])
    }

    /// Says what parts the fields of the records to come, and how many there are.
    pub(in crate::adapters) fn expect(&mut self, delimiter: u8, columns: usize) {
        (self.delimiter, self.columns) = (delimiter, columns);
    }

    /// Says which fields never hold a line end.
    pub(in crate::adapters) fn expect_one_line(&mut self, fields: Vec<usize>) {
        self.of_one_line = fields;
    }

    /// Passes over bytes.
    pub(in crate::adapters) fn skip(&mut self, bytes: usize) {
        self.count_lines(self.start..self.start + bytes);
        self.start += bytes;
    }

    /// Passes over a line; `false` at the end.
    pub(in crate::adapters) fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let ahead = &self.buffer[self.start..];
            let by_cr = self.usual == End::Cr;
            let mark = if by_cr { b'\r' } else { b'\n' };
            if let Some(at) = ahead.iter().position(|byte| *byte == mark) {
                // CRLF in a file of CR.
                let lf = by_cr && ahead.get(at + 1) == Some(&b'\n');
                self.skip(at + 1 + usize::from(lf));
                return Ok(true);
            }
            let length = ahead.len();
            self.skip(length);
            if !self.fill()? {
                return Ok(length > 0);
            }
        }
    }

    /// Finds out how lines end, from the first one.
    pub(in crate::adapters) fn find_line_end(&mut self) -> io::Result<()> {
        let ahead = self.peek(READ_BYTES)?;
        let lf = ahead.iter().position(|byte| *byte == b'\n');
        let cr = ahead.iter().position(|byte| *byte == b'\r');
        self.usual = match (cr, lf) {
            (Some(cr), Some(lf)) if cr + 1 == lf => End::CrLf,
            (Some(cr), Some(lf)) if lf < cr => End::Lf,
            (Some(_), _) => End::Cr,
            (None, _) => End::Lf,
        };
        Ok(())
    }

    /// The header: the next record, whatever its number of fields.
    pub(in crate::adapters) fn header(&mut self) -> io::Result<Option<Frame>> {
        self.columns = 0;
        self.next()
    }

    /// The next record; `None` after the last. Blank lines, also such of delimiters only, are none.
    pub(in crate::adapters) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if !self.skip_blank_line()? {
                return Ok(None);
            }
            let line = self.lines + 1;
            let frame = match self.find(0)? {
                Found::Record(parsed) => {
                    let is_blank = parsed
                        .fields
                        .iter()
                        .all(|field| self.buffer[self.start..][field.range.clone()].trim_ascii().is_empty());
                    let fits = self.columns == 0 || parsed.fields.len() == self.columns;
                    if is_blank && (fits || parsed.fields.len() == 1) {
                        self.skip(parsed.whole);
                        continue;
                    }
                    if fits && self.has_swallowed_lines(&parsed) {
                        self.broken(line, Broken::OpenQuote, parsed.whole)?
                    } else if fits {
                        self.take(line, parsed)
                    } else if let Some(joined) = self.joined(line, &parsed)? {
                        joined
                    } else {
                        let broken = Broken::Columns(parsed.fields.len());
                        self.broken(line, broken, parsed.whole)?
                    }
                }
                Found::Broken(Broken::TooLong, _) => {
                    self.skip_line()?;
                    Self::nothing(line, Broken::TooLong)
                }
                Found::Broken(why, bytes) => self.broken(line, why, bytes)?,
            };
            return Ok(Some(frame));
        }
    }

    /// Whether a field of one line holds a line end.
    fn has_swallowed_lines(&self, parsed: &Parsed) -> bool {
        let mut fields = self.of_one_line.iter().filter_map(|at| parsed.fields.get(*at));
        fields.any(|field| {
            self.buffer[self.start..][field.range.clone()].iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        })
    }

    fn take(&mut self, line: u64, parsed: Parsed) -> Frame {
        if let Some(seen) = self.mixed.get_mut(parsed.end as usize) {
            *seen = true;
        }
        let bytes = self.buffer[self.start..self.start + parsed.length].to_vec();
        self.skip(parsed.whole);
        Frame { line, bytes, fields: parsed.fields, joined: Vec::new(), broken: None }
    }

    fn nothing(line: u64, why: Broken) -> Frame {
        Frame { line, bytes: Vec::new(), fields: Vec::new(), joined: Vec::new(), broken: Some(why) }
    }

    /// Whether a line ends as no record of this file does.
    fn is_odd(&self, end: End) -> bool {
        end != self.usual && self.mixed.get(end as usize) == Some(&false)
    }

    /// A record that was cut in two or more, if this is the beginning of one and it is certain.
    fn joined(&mut self, line: u64, first: &Parsed) -> io::Result<Option<Frame>> {
        let mut parts: Vec<(usize, Vec<Field>)> = Vec::new();
        let (mut count, mut offset) = (first.fields.len(), first.whole);
        if count >= self.columns || !self.is_odd(first.end) {
            return Ok(None);
        }
        while parts.len() + 1 < PARTS_MAX {
            let Found::Record(next) = self.find(offset)? else { return Ok(None) };
            count += next.fields.len() - 1;
            if next.fields.len() >= self.columns || count > self.columns {
                return Ok(None);
            }
            let (ends_odd, length, whole) = (self.is_odd(next.end), offset + next.length, offset + next.whole);
            parts.push((offset, next.fields));
            if count == self.columns && !ends_odd {
                let bytes = self.buffer[self.start..self.start + length].to_vec();
                let mut fields = first.fields.clone();
                let mut joined = Vec::new();
                for (offset, more) in parts {
                    let mut more = more.into_iter().map(|Field { range, is_quoted }| Field {
                        range: range.start + offset..range.end + offset,
                        is_quoted,
                    });
                    if let (Some(last), Some(continued)) = (fields.last_mut(), more.next()) {
                        // Quotes make a field of their own, so they are no rest of another.
                        if last.is_quoted || continued.is_quoted {
                            return Ok(None);
                        }
                        last.range.end = continued.range.end;
                    }
                    joined.push(fields.len() - 1);
                    fields.extend(more);
                }
                self.skip(whole);
                return Ok(Some(Frame { line, bytes, fields, joined, broken: None }));
            }
            if !ends_odd {
                return Ok(None);
            }
            offset = whole;
        }
        Ok(None)
    }

    /// Passes over what is no record, up to the first of its own further lines that is one.
    fn broken(&mut self, line: u64, why: Broken, bytes: usize) -> io::Result<Frame> {
        let mut offset = 0;
        loop {
            let ahead = &self.buffer[self.start + offset..self.start + bytes];
            let Some(end) = ahead.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else { break };
            offset += end + 1 + usize::from(ahead[end] == b'\r' && ahead.get(end + 1) == Some(&b'\n'));
            if offset >= bytes {
                break;
            }
            if matches!(self.find(offset)?, Found::Record(record) if record.fields.len() == self.columns) {
                self.skip(offset);
                return Ok(Self::nothing(line, why));
            }
        }
        self.skip(bytes);
        if why != Broken::TooLong && !matches!(why, Broken::Columns(_)) && !self.is_at_line_begin() {
            self.skip_line()?;
        }
        Ok(Self::nothing(line, why))
    }

    fn is_at_line_begin(&self) -> bool {
        self.start == 0 || matches!(self.buffer[self.start - 1], b'\n' | b'\r')
    }

    /// Passes over lines of white space; `false` at the end of the file.
    fn skip_blank_line(&mut self) -> io::Result<bool> {
        loop {
            let delimiter = self.delimiter;
            let ahead = self.peek(1)?;
            if ahead.is_empty() {
                return Ok(false);
            }
            let blanks = ahead.iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != delimiter).count();
            let (is_all, last) =
                (blanks == ahead.len(), ahead[..blanks].iter().rposition(|b| matches!(b, b'\n' | b'\r')));
            if is_all {
                self.skip(blanks);
                continue;
            }
            // White space at the beginning of a line is of its first field.
            if let Some(last) = last {
                self.skip(last + 1);
            }
            return Ok(true);
        }
    }

    /// Reads on; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        if self.start > READ_BYTES {
            self.buffer.drain(..self.start - 1);
            self.start = 1;
        }
        let read = self.reader.fill_buf()?;
        let length = read.len();
        self.buffer.extend_from_slice(read);
        self.reader.consume(length);
        self.is_at_end = length == 0;
        Ok(length > 0)
    }

    fn count_lines(&mut self, range: Range<usize>) {
        let passed = &self.buffer[range];
        let mark = if self.usual == End::Cr { b'\r' } else { b'\n' };
        let lines = passed.split(|byte| *byte == mark).count() - 1;
        self.lines += lines as u64;
    }

    /// Finds the record that begins so many bytes ahead.
    fn find(&mut self, offset: usize) -> io::Result<Found> {
        loop {
            let ahead = &self.buffer[self.start + offset..];
            match parse(ahead, self.delimiter, self.is_at_end) {
                Some(found) => return Ok(found),
                None => {
                    self.fill()?;
                }
            }
        }
    }
}

/// Finds the record at the beginning of `bytes`; `None` where more of the file is needed to tell.
fn parse(bytes: &[u8], delimiter: u8, is_all: bool) -> Option<Found> {
    let mut fields = Vec::new();
    let (mut at, mut lines) = (0, 0);
    loop {
        let field_start = at;
        let is_quoted = bytes.get(at) == Some(&b'"');
        let range = if is_quoted {
            at += 1;
            loop {
                match bytes.get(at) {
                    None if is_all => return Some(Found::Broken(Broken::OpenQuote, bytes.len())),
                    None if at > RECORD_MAX_BYTES => return Some(Found::Broken(Broken::OpenQuote, at)),
                    None => return None,
                    Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 2,
                    Some(b'"') if at + 1 == bytes.len() && !is_all => return None,
                    Some(b'"') => break,
                    Some(byte) => {
                        let is_end = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
                        lines += u64::from(is_end);
                        at += 1;
                        if lines >= RECORD_MAX_LINES || at > RECORD_MAX_BYTES {
                            return Some(Found::Broken(Broken::OpenQuote, at));
                        }
                    }
                }
            }
            at += 1;
            field_start + 1..at - 1
        } else {
            let length = bytes[at..].iter().position(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'));
            match length {
                Some(length) => at += length,
                None if is_all => at = bytes.len(),
                None if bytes.len() > RECORD_MAX_BYTES => return Some(Found::Broken(Broken::TooLong, bytes.len())),
                None => return None,
            }
            field_start..at
        };
        fields.push(Field { range, is_quoted });
        let (end, width) = match (bytes.get(at), bytes.get(at + 1)) {
            (None, _) if is_all => (End::File, 0),
            (None, _) => return None,
            (Some(byte), _) if *byte == delimiter => {
                at += 1;
                continue;
            }
            (Some(b'\n'), _) => (End::Lf, 1),
            (Some(b'\r'), Some(b'\n')) => (End::CrLf, 2),
            (Some(b'\r'), None) if !is_all => return None,
            (Some(b'\r'), _) => (End::Cr, 1),
            (Some(_), _) => return Some(Found::Broken(Broken::TextAfterQuote, at)),
        };
        return Some(Found::Record(Parsed { length: at, whole: at + width, end, fields }));
    }
}
