//! Format: what a file is, by how it begins.

use std::io::{self, BufRead, Read};
use std::path::Path;

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};

use super::error::TableError;
use super::mapping::Format;
use crate::adapters::io::open_decompressed;

/// Bytes that tell a format.
const BEGINNING_BYTES: usize = 1 << 10;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text with a row per line. What nothing else begins like.
    Csv,
    /// JSON of any layout, GeoJSON too.
    Json,
    Parquet,
    /// Only GDAL reads it.
    Other(&'static str),
    /// Nobody reads it as a table.
    NoTable(&'static str),
}

impl Kind {
    fn told(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
            Self::Other(what) | Self::NoTable(what) => what,
        }
    }
}

/// How files of other formats begin, and what they are.
const OTHERS: [(&[u8], &str); 6] = [
    (b"SQLite format 3\0", "a GeoPackage or another SQLite database"),
    (b"\x00\x00\x27\x0a", "a Shapefile"),
    (b"fgb\x03fgb", "FlatGeobuf"),
    (b"PK\x03\x04", "a spreadsheet or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet"),
    (b"<", "XML, perhaps GML or KML"),
];

/// Finds out what a file is, through gzip; `stated` is what the mapping says.
///
/// # Errors
///
/// When it cannot be read, is empty, is no table, or not what the mapping says.
pub(super) fn kind(path: &Path, stated: Option<Format>) -> Result<Kind, TableError> {
    let failed = |source| TableError::read(path, 0, source);
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        return match stated {
            Some(Format::Gdal) => Ok(Kind::Other("a folder")),
            _ => Err(TableError::Folder { path: path.to_owned() }),
        };
    }
    let mut beginning = Vec::new();
    let reader = open_decompressed(path, |_| ()).map_err(failed)?;
    reader.take(BEGINNING_BYTES as u64).read_to_end(&mut beginning).map_err(failed)?;
    if beginning.is_empty() {
        return Err(TableError::Empty { path: path.to_owned() });
    }
    let found = kind_of(&beginning);
    let fits = |is: bool, kind: Kind, expected: &'static str| {
        let found = found.told();
        if is { Ok(kind) } else { Err(TableError::OtherFormat { path: path.to_owned(), found, expected }) }
    };
    match (stated, found) {
        (None, Kind::NoTable(what)) => Err(TableError::NoTable { path: path.to_owned(), what }),
        (None, found) => Ok(found),
        // A text may begin in any way.
        (Some(Format::Csv), found) => fits(!matches!(found, Kind::Parquet), Kind::Csv, "csv"),
        (Some(Format::Json | Format::GeoJson), found) => fits(found == Kind::Json, Kind::Json, "json"),
        (Some(Format::Parquet), found) => fits(found == Kind::Parquet, Kind::Parquet, "parquet"),
        (Some(Format::Gdal), Kind::Other(what)) => Ok(Kind::Other(what)),
        (Some(Format::Gdal), _) => Ok(Kind::Other("for GDAL, as the mapping says")),
    }
}

fn kind_of(beginning: &[u8]) -> Kind {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if beginning.starts_with(b"PAR1") {
        return Kind::Parquet;
    }
    if begins(b"<!doctype html") || begins(b"<html") {
        return Kind::NoTable("a page of HTML");
    }
    if beginning.starts_with(b"%PDF") {
        return Kind::NoTable("a PDF document");
    }
    if let Some((_, what)) = OTHERS.iter().find(|(head, _)| text.starts_with(head) || beginning.starts_with(head)) {
        return Kind::Other(what);
    }
    match text.first() {
        _ if Encoding::for_bom(beginning).is_some_and(|(encoding, _)| encoding != encoding_rs::UTF_8) => Kind::Csv,
        Some(b'{' | b'[') => Kind::Json,
        _ if beginning.split(|byte| *byte == 0).count() > beginning.len() / 8 + 1 => Kind::NoTable(
            "neither text nor of a known format (if it is UTF-16, say so: format = \"csv\", encoding = \"utf-16le\")",
        ),
        _ => Kind::Csv,
    }
}

/// Opens a text file, through gzip, and as UTF-8 where it is UTF-16. `on_bytes` is told of each block read from disk.
///
/// # Errors
///
/// When it cannot be opened.
pub(super) fn open_text<'a>(
    path: &Path,
    label: Option<&str>,
    on_bytes: impl Fn(u64) + 'a,
) -> Result<Box<dyn BufRead + 'a>, TableError> {
    let failed = |source| TableError::read(path, 0, source);
    let mut plain = open_decompressed(path, on_bytes).map_err(failed)?;
    let by_bom = Encoding::for_bom(plain.fill_buf().map_err(failed)?).map(|(encoding, _)| encoding);
    let encoding = by_bom.or_else(|| label.and_then(|label| Encoding::for_label(label.as_bytes())));
    Ok(match encoding {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            let decoder = encoding.new_decoder_with_bom_removal();
            Box::new(Utf8 { inner: plain, decoder, text: Vec::new(), at: 0, is_done: false })
        }
        _ => plain,
    })
}

/// Text in another encoding, as UTF-8.
struct Utf8<R> {
    inner: R,
    decoder: Decoder,
    text: Vec<u8>,
    at: usize,
    is_done: bool,
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.text.len() && !self.is_done {
            let bytes = self.inner.fill_buf()?;
            let is_last = bytes.is_empty();
            // Three bytes for two, and a mark for what was pending.
            self.text.resize(bytes.len() * 3 / 2 + 16, 0);
            let (result, read, written, _) = self.decoder.decode_to_utf8(bytes, &mut self.text, is_last);
            self.inner.consume(read);
            self.text.truncate(written);
            self.at = 0;
            self.is_done = is_last && result == CoderResult::InputEmpty;
        }
        Ok(&self.text[self.at..])
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_how_a_file_begins() {
        let cases: [(&[u8], Kind); 14] = [
            (b"id,lon,lat\n", Kind::Csv),
            (b"\xef\xbb\xbfid;lon;lat\n", Kind::Csv),
            (b"\xff\xfei\0d\0", Kind::Csv),
            (b" \n[{\"id\":1}]", Kind::Json),
            (b"\xef\xbb\xbf{\"type\":\"FeatureCollection\"", Kind::Json),
            (b"PAR1\x15\x04", Kind::Parquet),
            (b"SQLite format 3\0", Kind::Other("a GeoPackage or another SQLite database")),
            (b"\x00\x00\x27\x0a\x00\x00", Kind::Other("a Shapefile")),
            (b"fgb\x03fgb\x01", Kind::Other("FlatGeobuf")),
            (b"PK\x03\x04", Kind::Other("a spreadsheet or another ZIP archive")),
            (b"<?xml version=\"1.0\"?>", Kind::Other("XML, perhaps GML or KML")),
            (b"\n<!DOCTYPE html>", Kind::NoTable("a page of HTML")),
            (b"%PDF-1.7", Kind::NoTable("a PDF document")),
            (b"", Kind::Csv),
        ];
        for (beginning, expected) in cases {
            assert_eq!(kind_of(beginning), expected, "{}", String::from_utf8_lossy(beginning));
        }
        assert!(matches!(kind_of(b"i\0d\0;\0l\0o\0n\0"), Kind::NoTable(_)));
    }
}
