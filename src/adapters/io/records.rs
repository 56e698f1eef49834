//! JSON records: where each record of a file begins and ends, found without reading it.
//!
//! - **In**: a file that holds a JSON array, JSON Lines, objects one after the other, or an object around an array (an OCPI
//!   envelope, a GeoJSON collection); gzip or not; with or without a BOM.
//! - **Out**: the bytes of one record at a time, which need not be sound JSON inside.
//! - **Invariant**: a file that was cut is an error, except JSON Lines without gzip cut exactly between two lines, which
//!   nothing can tell from a shorter dump.

use std::io::{self, BufRead, Cursor, Read};
use std::path::{Path, PathBuf};

use super::files::open_decompressed;

/// Largest record, in bytes; real ones stay below 1 MB. More means one huge object that is no dump of records.
const RECORD_MAX_BYTES: usize = 1 << 26;

/// An envelope's array begins within so many bytes.
const ENVELOPE_MAX_BYTES: usize = 1 << 20;

/// Why the records of a file cannot be told apart. One bad record is no error here.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum RecordsError {
    /// There is nothing of this name.
    #[error("there is no file {path}; correct the source's `path`, or say --input NAME=PATH")]
    Missing { path: PathBuf },
    /// The file could not be opened or read.
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    /// There is not one byte of JSON in it.
    #[error("{path} is empty; fetch it again")]
    Empty { path: PathBuf },
    /// It begins like no JSON, e.g. a page of HTML.
    #[error("{path} is not JSON: it begins with `{beginning}`")]
    NotJson { path: PathBuf, beginning: String },
    /// The file ends too early.
    #[error("{path} is cut off after record {records}; fetch it again")]
    Cut { path: PathBuf, records: u64 },
    /// The file is not what its beginning promises. The offset counts bytes of text, after gzip.
    #[error("{path} is damaged at byte {offset_bytes}; fetch it again")]
    Damaged { path: PathBuf, offset_bytes: u64 },
    /// Its gzip stream does not check.
    #[error("{path} is damaged after record {records}; fetch it again")]
    Compression { path: PathBuf, records: u64, source: io::Error },
    /// A record of unreasonable size, so probably no list of records at all.
    #[error("record {record} of {path} is larger than {limit_bytes} bytes; is it a list of records?")]
    TooLarge { path: PathBuf, record: u64, limit_bytes: usize },
}

impl RecordsError {
    /// A failure in the middle of `path`, after so many whole records.
    pub fn interrupted(path: &Path, records: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::UnexpectedEof => Self::Cut { path, records },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Compression { path, records, source },
            _ => Self::Read { path, source },
        }
    }
}

/// How the records of a file follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Elements of an array.
    Array,
    /// Elements of an array in an object.
    Enclosed,
    /// One object per line.
    Lines,
    /// Objects over several lines, usually just one.
    Objects,
}

/// The bytes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonRecord {
    /// Where it is, e.g. `element 3`, `line 7`; both count from 1.
    pub place: String,
    /// The line on which it begins, from 1, where the layout is [`Layout::Lines`].
    pub line: Option<u64>,
    /// The record itself.
    pub bytes: Vec<u8>,
}

/// The records of one file, in order.
pub struct JsonRecords<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead + 'a>,
    layout: Layout,
    /// Bytes consumed, after gzip.
    offset_bytes: u64,
    /// Line ends consumed.
    lines: u64,
    /// Whole records handed on.
    records: u64,
    /// Whether the end of the array was seen.
    is_done: bool,
}

impl<'a> JsonRecords<'a> {
    /// Opens a file and finds out its layout. `on_bytes` is told of each block read from disk. An object that has an array
    /// under one of the names in `enclosing` is an envelope: its records are the elements of that array.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is empty, or does not begin like JSON.
    pub fn open(path: &'a Path, enclosing: &[&str], on_bytes: impl Fn(u64) + 'a) -> Result<Self, RecordsError> {
        let reader = open_decompressed(path, on_bytes).map_err(|source| RecordsError::interrupted(path, 0, source))?;
        let mut frames =
            Self { path, reader, layout: Layout::Array, offset_bytes: 0, lines: 0, records: 0, is_done: false };
        if frames.buffer()?.starts_with(b"\xef\xbb\xbf") {
            frames.consume(3);
        }
        match frames.skip_blanks()? {
            None => return Err(RecordsError::Empty { path: path.to_owned() }),
            Some(b'[') => frames.consume(1),
            Some(b'{') => {
                frames.layout = if !enclosing.is_empty() && frames.enter_envelope(enclosing)? {
                    Layout::Enclosed
                } else {
                    frames.lines_or_objects()?
                };
            }
            Some(_) => {
                let beginning = String::from_utf8_lossy(frames.buffer()?).chars().take(20).collect::<String>();
                let beginning = beginning.escape_debug().to_string();
                return Err(RecordsError::NotJson { path: path.to_owned(), beginning });
            }
        }
        Ok(frames)
    }

    /// How the records follow each other.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The next record; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or ends or goes on in a way that no whole dump does.
    pub fn next(&mut self) -> Result<Option<JsonRecord>, RecordsError> {
        let frame = match self.layout {
            Layout::Array | Layout::Enclosed => self.next_element()?,
            Layout::Lines => self.next_line()?,
            Layout::Objects => match self.skip_blanks()? {
                None => None,
                Some(b'{') => Some(self.enclosed()?),
                Some(_) => return Err(self.damaged()),
            },
        };
        self.records += u64::from(frame.is_some());
        Ok(frame)
    }

    /// Tells whether an object that begins here ends on its line, or the next line begins another one.
    fn lines_or_objects(&mut self) -> Result<Layout, RecordsError> {
        let mut beginning = self.line()?;
        let mut layout = Layout::Lines;
        if Brackets::default().end_of(&beginning).is_none() {
            let next = loop {
                let line = self.line()?;
                beginning.extend_from_slice(&line);
                if line.is_empty() || !line.trim_ascii().is_empty() {
                    break line.trim_ascii_start().first().copied();
                }
            };
            layout = if next == Some(b'{') { Layout::Lines } else { Layout::Objects };
        }
        self.read_again(beginning);
        Ok(layout)
    }

    /// Puts back what was read only to find out.
    fn read_again(&mut self, beginning: Vec<u8>) {
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(beginning).chain(rest));
    }

    /// Goes to the first element of the array that the object encloses; `false`, having gone nowhere, where it encloses none
    /// within [`ENVELOPE_MAX_BYTES`].
    fn enter_envelope(&mut self, enclosing: &[&str]) -> Result<bool, RecordsError> {
        let (path, records) = (self.path, self.records);
        let mut beginning = Vec::new();
        loop {
            let buffer = self.reader.fill_buf().map_err(|source| RecordsError::interrupted(path, records, source))?;
            let (length, is_end) = (buffer.len(), buffer.is_empty());
            beginning.extend_from_slice(buffer);
            self.reader.consume(length);
            let found = array_in(&beginning, enclosing);
            if matches!(found, Search::More) && !is_end && beginning.len() < ENVELOPE_MAX_BYTES {
                continue;
            }
            let Search::Found(at) = found else {
                self.read_again(beginning);
                return Ok(false);
            };
            self.offset_bytes += at as u64;
            self.lines += beginning[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.read_again(beginning.split_off(at));
            return Ok(true);
        }
    }

    /// Passes over what stands behind the array of an envelope, up to the envelope's own end.
    fn leave_envelope(&mut self) -> Result<(), RecordsError> {
        let mut brackets = Brackets { open: vec![b'{'], ..Brackets::default() };
        loop {
            let buffer = self.buffer()?;
            if buffer.is_empty() {
                return Err(self.cut());
            }
            let (end, length) = (brackets.end_of(buffer), buffer.len());
            match end {
                None => self.consume(length),
                Some((End::Closed, at)) => {
                    self.consume(at + 1);
                    return Ok(());
                }
                Some((End::Mismatched, at)) => {
                    self.consume(at);
                    return Err(self.damaged());
                }
            }
        }
    }

    fn next_element(&mut self) -> Result<Option<JsonRecord>, RecordsError> {
        if self.is_done {
            return Ok(None);
        }
        let mut byte = self.skip_blanks()?.ok_or_else(|| self.cut())?;
        if byte == b',' && self.records > 0 {
            self.consume(1);
            byte = self.skip_blanks()?.ok_or_else(|| self.cut())?;
        } else if byte == b']' {
            self.consume(1);
            self.is_done = true;
            if self.layout == Layout::Enclosed {
                self.leave_envelope()?;
            }
            return if self.skip_blanks()?.is_some() { Err(self.damaged()) } else { Ok(None) };
        } else if self.records > 0 {
            return Err(self.damaged());
        }
        match byte {
            b',' | b':' | b']' | b'}' => Err(self.damaged()),
            b'{' | b'[' => self.enclosed().map(Some),
            _ => self.scalar().map(Some),
        }
    }

    /// A line. The last one, where it is not whole, is where the file was cut.
    fn next_line(&mut self) -> Result<Option<JsonRecord>, RecordsError> {
        if self.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let line = self.lines + 1;
        let bytes = self.line()?;
        self.offset_bytes += bytes.len() as u64;
        self.lines += u64::from(bytes.ends_with(b"\n"));
        let is_whole = !bytes.starts_with(b"{") || Brackets::default().end_of(&bytes).is_some();
        if !is_whole && self.skip_blanks()?.is_none() {
            return Err(self.cut());
        }
        Ok(Some(JsonRecord { place: format!("line {line}"), line: Some(line), bytes }))
    }

    /// An object or array that begins here, up to its own end.
    fn enclosed(&mut self) -> Result<JsonRecord, RecordsError> {
        let mut brackets = Brackets::default();
        let mut bytes = Vec::new();
        loop {
            let buffer = self.buffer()?;
            if buffer.is_empty() {
                return Err(self.cut());
            }
            let end = brackets.end_of(buffer);
            let taken = match end {
                Some((End::Closed, at)) => at + 1,
                Some((End::Mismatched, at)) => at,
                None => buffer.len(),
            };
            bytes.extend_from_slice(&buffer[..taken]);
            self.consume(taken);
            match end {
                Some((End::Closed, _)) => return Ok(self.element(bytes)),
                Some((End::Mismatched, _)) => return Err(self.damaged()),
                None if bytes.len() > RECORD_MAX_BYTES => return Err(self.too_large()),
                None => {}
            }
        }
    }

    /// A number, word or text that stands where an object should.
    fn scalar(&mut self) -> Result<JsonRecord, RecordsError> {
        let mut brackets = Brackets::default();
        let mut bytes = Vec::new();
        loop {
            let Some(&byte) = self.buffer()?.first() else { return Err(self.cut()) };
            if !brackets.in_text && (byte.is_ascii_whitespace() || b",:[]{}".contains(&byte)) {
                return Ok(self.element(bytes));
            }
            brackets.end_of(&[byte]);
            bytes.push(byte);
            self.consume(1);
            if bytes.len() > RECORD_MAX_BYTES {
                return Err(self.too_large());
            }
        }
    }

    fn element(&self, bytes: Vec<u8>) -> JsonRecord {
        JsonRecord { place: format!("element {}", self.records + 1), line: None, bytes }
    }

    /// A line with its end, not yet counted as consumed.
    fn line(&mut self) -> Result<Vec<u8>, RecordsError> {
        let mut bytes = Vec::new();
        let mut limited = self.reader.by_ref().take(RECORD_MAX_BYTES as u64 + 1);
        let read = limited.read_until(b'\n', &mut bytes);
        read.map_err(|source| RecordsError::interrupted(self.path, self.records, source))?;
        if bytes.len() > RECORD_MAX_BYTES { Err(self.too_large()) } else { Ok(bytes) }
    }

    /// Passes over white space; the byte after it, or `None` at the end.
    fn skip_blanks(&mut self) -> Result<Option<u8>, RecordsError> {
        loop {
            let buffer = self.buffer()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blanks = buffer.len() - buffer.trim_ascii_start().len();
            let next = buffer.get(blanks).copied();
            let lines = buffer[..blanks].split(|byte| *byte == b'\n').count() - 1;
            self.lines += lines as u64;
            self.consume(blanks);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    fn buffer(&mut self) -> Result<&[u8], RecordsError> {
        let (path, records) = (self.path, self.records);
        self.reader.fill_buf().map_err(|source| RecordsError::interrupted(path, records, source))
    }

    fn consume(&mut self, length: usize) {
        self.reader.consume(length);
        self.offset_bytes += length as u64;
    }

    fn cut(&self) -> RecordsError {
        RecordsError::Cut { path: self.path.to_owned(), records: self.records }
    }

    fn damaged(&self) -> RecordsError {
        RecordsError::Damaged { path: self.path.to_owned(), offset_bytes: self.offset_bytes }
    }

    fn too_large(&self) -> RecordsError {
        RecordsError::TooLarge { path: self.path.to_owned(), record: self.records + 1, limit_bytes: RECORD_MAX_BYTES }
    }
}

/// What a look at the beginning of an object tells of an array in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    /// The first byte behind its bracket.
    Found(usize),
    /// It has none.
    None,
    /// More of the object must be read.
    More,
}

/// Looks among the members of an object for an array under one of these names.
fn array_in(object: &[u8], names: &[&str]) -> Search {
    let skip = |mut at: usize| {
        while object.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    let mut at = 1;
    loop {
        at = skip(at);
        match object.get(at) {
            None => return Search::More,
            Some(b'"') => {}
            Some(_) => return Search::None,
        }
        let Some(end) = end_of_text(object, at) else { return Search::More };
        let name = &object[at + 1..end - 1];
        at = skip(end);
        match object.get(at) {
            None => return Search::More,
            Some(b':') => at = skip(at + 1),
            Some(_) => return Search::None,
        }
        match object.get(at) {
            None => return Search::More,
            Some(b'[') if names.iter().any(|wanted| wanted.as_bytes() == name) => return Search::Found(at + 1),
            Some(b'{' | b'[') => match Brackets::default().end_of(&object[at..]) {
                Some((End::Closed, length)) => at += length + 1,
                Some((End::Mismatched, _)) => return Search::None,
                None => return Search::More,
            },
            Some(b'"') => match end_of_text(object, at) {
                Some(end) => at = end,
                None => return Search::More,
            },
            Some(_) => {
                let is_end = |byte: &u8| b",}".contains(byte) || byte.is_ascii_whitespace();
                match object[at..].iter().position(is_end) {
                    Some(length) => at += length,
                    None => return Search::More,
                }
            }
        }
        at = skip(at);
        match object.get(at) {
            None => return Search::More,
            Some(b',') => at += 1,
            Some(_) => return Search::None,
        }
    }
}

/// Where a text that begins at `at` with its quote ends, behind its other quote.
fn end_of_text(bytes: &[u8], at: usize) -> Option<usize> {
    let mut is_escaped = false;
    for (offset, byte) in bytes[at + 1..].iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + offset + 2),
            _ => {}
        }
    }
    None
}

/// Which brackets are open, as far as read. Knows texts, so that brackets in them do not count.
#[derive(Debug, Default)]
struct Brackets {
    open: Vec<u8>,
    in_text: bool,
    is_escaped: bool,
}

/// How what was open ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its own bracket closed it.
    Closed,
    /// The bracket of another kind came, or one too many.
    Mismatched,
}

impl Brackets {
    /// Reads on until the outermost bracket ends; how, and at which byte.
    fn end_of(&mut self, bytes: &[u8]) -> Option<(End, usize)> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.open.push(*byte),
                b'}' | b']' => {
                    let opening = if *byte == b'}' { b'{' } else { b'[' };
                    if self.open.pop() != Some(opening) {
                        return Some((End::Mismatched, at));
                    } else if self.open.is_empty() {
                        return Some((End::Closed, at));
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
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
            (
                "{\"a\":1}\r\noops\r\n{\"b\":2}\r\n",
                &["line 1", "line 2", "line 3"],
                &["{\"a\":1}", "oops", "{\"b\":2}"],
            ),
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
}
