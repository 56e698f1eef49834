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

mod brackets;
#[cfg(test)]
mod tests;

use brackets::{Brackets, End, Search, array_in};

/// Largest record, in bytes; real ones stay below 1 MB. More means one huge object that is no dump of records.
const RECORD_MAX_BYTES: usize = 1 << 26;

/// Memory for a record that is used again is at most so large: a few thousand may be under way.
const USED_MAX_BYTES: usize = 1 << 13;

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
    #[must_use]
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
    /// Length of the last record: room for the next one.
    last_bytes: usize,
    /// Memory of records that somebody gave back.
    used: Vec<Vec<u8>>,
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
        let mut frames = Self {
            path,
            reader,
            layout: Layout::Array,
            offset_bytes: 0,
            lines: 0,
            records: 0,
            is_done: false,
            last_bytes: 0,
            used: Vec::new(),
        };
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
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Takes back the memory of records, for the next ones. Huge pieces are let go.
    pub fn reuse(&mut self, used: Vec<Vec<u8>>) {
        self.used.extend(used.into_iter().filter(|bytes| bytes.capacity() <= USED_MAX_BYTES).map(|mut bytes| {
            bytes.clear();
            bytes
        }));
    }

    /// The next record; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or ends or goes on in a way that no whole dump does.
    #[expect(clippy::should_implement_trait, reason = "an iterator's `next` has no place for the error that ends it")]
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
        if let Some(frame) = &frame {
            self.records += 1;
            self.last_bytes = frame.bytes.len();
        }
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
            self.lines += (beginning[..at].split(|byte| *byte == b'\n').count() - 1) as u64;
            self.read_again(beginning.split_off(at));
            return Ok(true);
        }
    }

    /// Passes over what stands behind the array of an envelope, up to the envelope's own end.
    fn leave_envelope(&mut self) -> Result<(), RecordsError> {
        let mut brackets = Brackets::in_object();
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
        // Damage behind the line is damage behind this record.
        self.records += 1;
        let is_last = self.skip_blanks()?.is_none();
        self.records -= 1;
        if is_last && bytes.starts_with(b"{") && Brackets::default().end_of(&bytes).is_none() {
            return Err(self.cut());
        }
        Ok(Some(JsonRecord { place: format!("line {line}"), line: Some(line), bytes }))
    }

    /// An object or array that begins here, up to its own end.
    fn enclosed(&mut self) -> Result<JsonRecord, RecordsError> {
        let mut brackets = Brackets::default();
        let mut bytes = self.room();
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

    /// Room for a record of the size of the last one and a little more.
    fn room(&mut self) -> Vec<u8> {
        let new = || Vec::with_capacity((self.last_bytes + self.last_bytes / 8).min(USED_MAX_BYTES));
        self.used.pop().unwrap_or_else(new)
    }

    /// A line with its end, not yet counted as consumed.
    fn line(&mut self) -> Result<Vec<u8>, RecordsError> {
        let mut bytes = self.room();
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
