//! Frames: where each record of a dump begins and ends, found without reading it.
//!
//! - **In**: a file that holds a JSON array, JSON Lines, or objects one after the other; gzip or not; with or without a BOM.
//! - **Out**: the bytes of one record at a time, which need not be sound JSON inside.
//! - **Invariant**: a file that was cut is an error, except JSON Lines without gzip cut exactly between two lines, which
//!   nothing can tell from a shorter dump.

use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;

use super::OcmError;
use crate::adapters::io::open_decompressed;

/// Largest record, in bytes; real ones stay below 1 MB. More means one huge object that is no dump of records.
const RECORD_MAX_BYTES: usize = 1 << 26;

/// How the records of a file follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Elements of an array.
    Array,
    /// One object per line.
    Lines,
    /// Objects over several lines, usually just one.
    Objects,
}

/// The bytes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// Where it is, e.g. `element 3`, `line 7`; both count from 1.
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
}

/// The records of one file, in order.
pub(super) struct Frames<'a> {
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

impl<'a> Frames<'a> {
    /// Opens a file and finds out its layout. `on_bytes` is told of each block read from disk.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is empty, or does not begin like JSON.
    pub(super) fn open(path: &'a Path, on_bytes: impl Fn(u64) + 'a) -> Result<Self, OcmError> {
        let reader = open_decompressed(path, on_bytes).map_err(|source| OcmError::interrupted(path, 0, source))?;
        let mut frames =
            Self { path, reader, layout: Layout::Array, offset_bytes: 0, lines: 0, records: 0, is_done: false };
        if frames.buffer()?.starts_with(b"\xef\xbb\xbf") {
            frames.consume(3);
        }
        match frames.skip_blanks()? {
            None => return Err(OcmError::Empty { path: path.to_owned() }),
            Some(b'[') => frames.consume(1),
            Some(b'{') => frames.layout = frames.lines_or_objects()?,
            Some(_) => {
                let beginning = String::from_utf8_lossy(frames.buffer()?).chars().take(20).collect::<String>();
                let beginning = beginning.escape_debug().to_string();
                return Err(OcmError::NotJson { path: path.to_owned(), beginning });
            }
        }
        Ok(frames)
    }

    /// How the records follow each other.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// The next record; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or ends or goes on in a way that no whole dump does.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, OcmError> {
        let frame = match self.layout {
            Layout::Array => self.next_element()?,
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
    fn lines_or_objects(&mut self) -> Result<Layout, OcmError> {
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
        // What was read to find out is read again.
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(beginning).chain(rest));
        Ok(layout)
    }

    fn next_element(&mut self) -> Result<Option<Frame>, OcmError> {
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
    fn next_line(&mut self) -> Result<Option<Frame>, OcmError> {
        if self.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let place = format!("line {}", self.lines + 1);
        let bytes = self.line()?;
        self.offset_bytes += bytes.len() as u64;
        self.lines += u64::from(bytes.ends_with(b"\n"));
        let is_whole = !bytes.starts_with(b"{") || Brackets::default().end_of(&bytes).is_some();
        if !is_whole && self.skip_blanks()?.is_none() {
            return Err(self.cut());
        }
        Ok(Some(Frame { place, bytes }))
    }

    /// An object or array that begins here, up to its own end.
    fn enclosed(&mut self) -> Result<Frame, OcmError> {
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
    fn scalar(&mut self) -> Result<Frame, OcmError> {
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

    fn element(&self, bytes: Vec<u8>) -> Frame {
        Frame { place: format!("element {}", self.records + 1), bytes }
    }

    /// A line with its end, not yet counted as consumed.
    fn line(&mut self) -> Result<Vec<u8>, OcmError> {
        let mut bytes = Vec::new();
        let mut limited = self.reader.by_ref().take(RECORD_MAX_BYTES as u64 + 1);
        let read = limited.read_until(b'\n', &mut bytes);
        read.map_err(|source| OcmError::interrupted(self.path, self.records, source))?;
        if bytes.len() > RECORD_MAX_BYTES { Err(self.too_large()) } else { Ok(bytes) }
    }

    /// Passes over white space; the byte after it, or `None` at the end.
    fn skip_blanks(&mut self) -> Result<Option<u8>, OcmError> {
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

    fn buffer(&mut self) -> Result<&[u8], OcmError> {
        let (path, records) = (self.path, self.records);
        self.reader.fill_buf().map_err(|source| OcmError::interrupted(path, records, source))
    }

    fn consume(&mut self, length: usize) {
        self.reader.consume(length);
        self.offset_bytes += length as u64;
    }

    fn cut(&self) -> OcmError {
        OcmError::Cut { path: self.path.to_owned(), records: self.records }
    }

    fn damaged(&self) -> OcmError {
        OcmError::Damaged { path: self.path.to_owned(), offset_bytes: self.offset_bytes }
    }

    fn too_large(&self) -> OcmError {
        OcmError::TooLarge { path: self.path.to_owned(), record: self.records + 1, limit_bytes: RECORD_MAX_BYTES }
    }
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
    fn frames(bytes: &[u8]) -> Result<Vec<(String, String)>, OcmError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.json");
        std::fs::write(&path, bytes).unwrap();
        let mut frames = Frames::open(&path, |_| ())?;
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
        let cases: [(&str, &[&str], &[&str]); 13] = [
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
        ];
        for (text, places, texts) in cases {
            let expected: Vec<_> = places.iter().zip(texts).map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
            assert_eq!(frames(text.as_bytes()).unwrap(), expected, "{text}");
            assert_eq!(frames(&gzip(text.as_bytes())).unwrap(), expected, "{text}, gzip");
        }
    }

    #[test]
    fn what_no_whole_dump_can_be_is_an_error_that_says_where() {
        let cases: [(&str, &str); 17] = [
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
        assert!(matches!(frames(&damaged), Err(OcmError::Compression { records: 2, .. })));
        let mut trailed = gzip(b"[]");
        trailed.extend_from_slice(b"oops");
        assert!(frames(&trailed).is_err());
    }
}
