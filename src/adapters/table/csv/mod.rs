//! CSV: what parts its fields, where its header is, and its records as rows.

mod text;

use std::io::BufRead;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8};

pub(super) use text::Fields;
use text::decoded;

use super::error::TableError;
use super::mapping::Mapping;
use super::plan::Named;
use crate::adapters::io::{Frame, Frames};

/// What may part the fields, where the mapping does not say.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The header is looked for in so many bytes.
const HEADER_BYTES: usize = 1 << 18;

/// And in so many lines.
const HEADER_LINES: usize = 64;

/// A CSV file behind its header.
pub(super) struct Csv<'a> {
    frames: Frames<Box<dyn BufRead + 'a>>,
    /// The columns, as the header names them; a name that stands twice as `name#1` and `name#2`.
    pub(super) columns: Vec<String>,
    pub(super) delimiter: u8,
    pub(super) encoding: &'static Encoding,
    /// Line of the header.
    pub(super) header_line: u64,
    /// Whether the header is in the encoding.
    pub(super) is_header_readable: bool,
    path: &'a Path,
}

/// A line that may be the header.
struct Candidate {
    delimiter: u8,
    /// Lines before it.
    skip: usize,
    columns: Vec<String>,
    line: u64,
    is_readable: bool,
    /// Columns of the mapping that it has.
    matched: usize,
}

impl<'a> Csv<'a> {
    /// Finds the header: the line that has the most of the columns that the mapping names.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or holds nothing.
    pub(super) fn open(
        path: &'a Path,
        reader: Box<dyn BufRead + 'a>,
        mapping: &Mapping,
        wanted: &[Named],
    ) -> Result<Self, TableError> {
        let label = mapping.encoding.as_deref().map(str::as_bytes);
        // UTF-16 was turned into UTF-8 on the way.
        let encoding = label.and_then(Encoding::for_label).map_or(UTF_8, |encoding| encoding.output_encoding());
        let encoding = if mapping.encoding.as_deref().is_some_and(is_utf_16) { UTF_8 } else { encoding };
        let failed = |source| TableError::read(path, 0, source);
        let mut frames = Frames::new(reader, b',');
        if frames.peek(3).map_err(failed)?.starts_with(b"\xef\xbb\xbf") {
            frames.skip(3);
        }
        let beginning = frames.peek(HEADER_BYTES).map_err(failed)?.to_vec();
        if beginning.trim_ascii().is_empty() {
            return Err(TableError::Empty { path: path.to_owned() });
        }
        frames.find_line_end().map_err(failed)?;

        let delimiters: Vec<u8> = mapping.delimiter.map_or_else(|| DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let mut best: Option<Candidate> = None;
        for delimiter in delimiters {
            let candidates = candidates(&beginning, delimiter, encoding, mapping, wanted).map_err(failed)?;
            for candidate in candidates {
                let rank = |c: &Candidate| (c.matched, std::cmp::Reverse(c.skip), c.columns.len());
                if best.as_ref().is_none_or(|best| rank(&candidate) > rank(best)) {
                    best = Some(candidate);
                }
            }
        }
        let Some(best) = best else { return Err(TableError::Empty { path: path.to_owned() }) };
        for _ in 0..best.skip {
            frames.skip_line().map_err(failed)?;
        }
        frames.expect(best.delimiter, 0);
        if mapping.header {
            frames.header().map_err(failed)?;
        }
        frames.expect(best.delimiter, best.columns.len());
        Ok(Self {
            frames,
            columns: best.columns,
            delimiter: best.delimiter,
            encoding,
            header_line: best.line,
            is_header_readable: best.is_readable,
            path,
        })
    }

    /// The next record; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, TableError> {
        let lines = self.frames.lines();
        self.frames.next().map_err(|source| TableError::read(self.path, lines, source))
    }
}

/// Whether a label stands for one of the encodings in which a line end is two bytes.
pub(super) fn is_utf_16(label: &str) -> bool {
    let encoding = Encoding::for_label(label.as_bytes());
    encoding == Some(encoding_rs::UTF_16LE) || encoding == Some(encoding_rs::UTF_16BE)
}

/// The lines at the beginning of a file that may be its header.
fn candidates(
    beginning: &[u8],
    delimiter: u8,
    encoding: &'static Encoding,
    mapping: &Mapping,
    wanted: &[Named],
) -> std::io::Result<Vec<Candidate>> {
    let skips = match (mapping.header, mapping.skip_lines) {
        (_, Some(skip)) => skip..=skip,
        (false, None) => 0..=0,
        (true, None) => 0..=HEADER_LINES,
    };
    let mut found = Vec::new();
    for skip in skips {
        let mut frames = Frames::new(beginning, delimiter);
        frames.find_line_end()?;
        let mut is_there = true;
        for _ in 0..skip {
            is_there = frames.skip_line()?;
        }
        let Some(frame) = frames.header()?.filter(|frame| is_there && frame.broken.is_none()) else { continue };
        let names: Vec<Option<String>> =
            (0..frame.fields.len()).map(|at| decoded(&frame, at, encoding).ok().map(text::name)).collect();
        let is_readable = names.iter().all(Option::is_some);
        let names: Vec<String> = names.into_iter().map(Option::unwrap_or_default).collect();
        let columns = if mapping.header { text::distinct(&names) } else { text::numbered(names.len()) };
        let has = |named: &&Named| columns.contains(&named.column) || names.contains(&named.column);
        let matched = wanted.iter().filter(has).count();
        found.push(Candidate { delimiter, skip, columns, line: frame.line, is_readable, matched });
    }
    Ok(found)
}
