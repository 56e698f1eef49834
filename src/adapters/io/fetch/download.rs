//! A download: one file, whole and checked, in the place of an input, however often it breaks off on the way.
//!
//! ```text
//! GET (If-None-Match │ Range, If-Range) ─▶ part ─▶ whole? ─▶ decoded ─▶ is data? ─▶ checksum ─▶ archive ─▶ in place
//! ```
//!
//! An attempt that brought more than any before it renews the patience, so a bad line costs time and no bytes.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use ureq::http::Response;
use ureq::{Body, http};

use super::super::http::Request;
use super::super::{Http, HttpError, address_told, http_date, size_told};
use super::FetchError;
use super::archive::{Archive, behind_links};
use super::checksum::{Checksum, Expected};
use super::part::{Described, Part};
use super::record::{FetchRecord, beside};
use crate::pipeline::ports::{Observer, Unit};

/// Bytes taken from the line at once.
const PIECE_BYTES: usize = 1 << 16;

/// Behind the name of a part whose encoding was undone.
const DECODED: &str = ".decoded";

/// What a file must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// No HTML.
    Any,
    /// Nothing that begins with `<`.
    NoMarkup,
}

/// What is downloaded, and where it goes.
pub struct Download<'a> {
    /// Over which line.
    pub http: &'a Http,
    /// From where.
    pub url: &'a str,
    /// Headers with secrets.
    pub secrets: &'a [(&'static str, String)],
    /// To where.
    pub input: &'a Path,
    /// What is checked.
    pub checksum: &'a Checksum,
    /// What it must not be.
    pub content: Content,
    /// Where the earlier input goes.
    pub archive: Archive<'a>,
}

/// How a part came to its end.
#[derive(Debug, PartialEq, Eq)]
enum Filled {
    Whole,
    NotChanged,
}

impl Download<'_> {
    /// Downloads the file where it changed since, and tells in a sentence what was done.
    ///
    /// # Errors
    ///
    /// When it cannot be had, is not what it should be, or cannot be written. The earlier input is then still in place,
    /// and what has come of a file that breaks off is kept for the next call.
    pub fn fetch(&self, observer: &dyn Observer) -> Result<String, FetchError> {
        let input = behind_links(self.input);
        if input.is_dir() {
            return Err(FetchError::Folder { path: self.input.to_owned() });
        }
        let mut part = Part::open(&input)?;
        let before = FetchRecord::read(&input).filter(|record| record.is_from(self.url));
        let mut known =
            before.filter(|record| fs::metadata(&input).is_ok_and(|found| found.len() == record.size_bytes));
        loop {
            let filled = match self.fill(&mut part, known.as_ref(), observer) {
                Ok(filled) => filled,
                Err(error) => {
                    // What cannot be gone on with is of no use.
                    if self.resumable(&part).is_none() {
                        part.discard();
                    }
                    return Err(error);
                }
            };
            match filled {
                Filled::Whole => {}
                // Only now is it worth looking whether the file is still the one that the server speaks of.
                Filled::NotChanged => match &known {
                    Some(record) if record.is_of(&input)? => {
                        part.discard();
                        let since = record.last_modified.as_ref();
                        let since = since.map_or(String::new(), |date| format!(" since {date}"));
                        return Ok(format!("not changed{since}: {} stays as it is", self.input.display()));
                    }
                    _ => {
                        known = None;
                        continue;
                    }
                },
            }
            let is_resumed = part.earlier_bytes() > 0;
            match self.put_in_place(part, &input) {
                // What was begun by an earlier call may be older than the checksum of today.
                Err(FetchError::Checksum { .. } | FetchError::Decode { .. }) if is_resumed => {
                    known = None;
                    part = Part::open(&input)?;
                }
                ended => return ended,
            }
        }
    }

    /// What the part is the beginning of, where the rest can be asked for.
    fn resumable(&self, part: &Part) -> Option<Described> {
        let described = part.note::<Described>()?;
        let fits = described.size_bytes.is_none_or(|size| part.size_bytes() <= size);
        (described.is_from(self.url) && described.validator.is_some() && fits && part.size_bytes() > 0)
            .then_some(described)
    }

    /// Asks until the part is whole.
    fn fill(
        &self,
        part: &mut Part,
        known: Option<&FetchRecord>,
        observer: &dyn Observer,
    ) -> Result<Filled, FetchError> {
        let mut patience = self.http.patience();
        let mut furthest = part.size_bytes();
        loop {
            match self.attempt(part, known, observer) {
                Err(FetchError::Http(error)) => {
                    if part.size_bytes() > furthest {
                        furthest = part.size_bytes();
                        patience.renew();
                    }
                    if !patience.wait(&error) {
                        return Err(error.into());
                    }
                }
                ended => return ended,
            }
        }
    }

    /// One request, for the rest where there is a beginning.
    fn attempt(
        &self,
        part: &mut Part,
        known: Option<&FetchRecord>,
        observer: &dyn Observer,
    ) -> Result<Filled, FetchError> {
        let changed = || HttpError::Changed { url: address_told(self.url) };
        let begun = self.resumable(part);
        let is_whole = begun.as_ref().is_some_and(|described| described.size_bytes == Some(part.size_bytes()));
        let mut headers = Vec::new();
        match (&begun, known) {
            // An earlier call left it, and the file may have changed since.
            (Some(described), _) if is_whole => {
                headers.extend(described.etag.clone().map(|etag| ("if-none-match", etag)));
                headers.extend(described.last_modified.clone().map(|date| ("if-modified-since", date)));
            }
            (Some(described), _) => {
                headers.push(("range", format!("bytes={}-", part.size_bytes())));
                headers.extend(described.validator.clone().map(|validator| ("if-range", validator)));
            }
            (None, Some(record)) => {
                headers.extend(record.etag.clone().map(|etag| ("if-none-match", etag)));
                headers.extend(record.last_modified.clone().map(|date| ("if-modified-since", date)));
            }
            (None, None) => {}
        }
        let is_conditional = (begun.is_none() || is_whole) && !headers.is_empty();
        let request = Request { url: self.url, headers: &headers, secrets: self.secrets };
        let response = self.http.open(&request, None)?;
        let mut described = match (response.status().as_u16(), begun) {
            (206, Some(mut described)) if !is_whole => {
                let range = header(&response, "content-range").and_then(content_range);
                let is_rest = range.is_some_and(|(first, total)| {
                    first == part.size_bytes()
                        && (described.size_bytes.is_none() || total.is_none() || described.size_bytes == total)
                });
                // Some servers give the rest whatever `If-Range` says.
                let is_same = |name, known: &Option<String>| {
                    header(&response, name).zip(known.as_deref()).is_none_or(|(now, known)| now == known)
                };
                let is_same = is_same("etag", &described.etag) && is_same("last-modified", &described.last_modified);
                if !is_rest || !is_same {
                    part.cut(0)?;
                    return Err(changed().into());
                }
                described.size_bytes = described.size_bytes.or(range.and_then(|(_, total)| total));
                described
            }
            (200, _) => {
                let described = self.described(&response)?;
                part.cut(0)?;
                part.set_note(&described)?;
                described
            }
            (304, _) if is_whole => return Ok(Filled::Whole),
            (304, _) if is_conditional => return Ok(Filled::NotChanged),
            (416, Some(_)) => {
                part.cut(0)?;
                return Err(changed().into());
            }
            _ => return Err(HttpError::of_status(self.url, &response).into()),
        };
        observer.stage(&format!("fetch {}", self.archive.source), Unit::Bytes, described.size_bytes);
        observer.advance(part.size_bytes());
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = body.read(&mut piece).map_err(|source| HttpError::cut_off(self.url, source))?;
            if read == 0 {
                break;
            }
            if described.size_bytes.is_some_and(|size| part.size_bytes() + read as u64 > size) {
                part.cut(0)?;
                return Err(changed().into());
            }
            part.append(&piece[..read])?;
            observer.advance(read as u64);
        }
        match described.size_bytes {
            Some(size) if size > part.size_bytes() => {
                Err(HttpError::cut_off(self.url, io::ErrorKind::UnexpectedEof).into())
            }
            Some(_) => Ok(Filled::Whole),
            None => {
                described.size_bytes = Some(part.size_bytes());
                part.set_note(&described)?;
                Ok(Filled::Whole)
            }
        }
    }

    /// What an answer says of the whole that it begins.
    fn described(&self, response: &Response<Body>) -> Result<Described, FetchError> {
        let text = |name| header(response, name).map(str::to_owned);
        let encoding = text("content-encoding").filter(|encoding| encoding != "identity" && !encoding.is_empty());
        match encoding.as_deref() {
            None | Some("gzip" | "x-gzip") => {}
            Some(encoding) => {
                let (url, encoding) = (address_told(self.url), encoding.to_owned());
                return Err(FetchError::Encoding { url, encoding });
            }
        }
        let (etag, last_modified) = (text("etag"), text("last-modified"));
        let strong = etag.clone().filter(|etag| !etag.starts_with("W/"));
        // A file changed within the second of its date may change once more in it (RFC 9110, section 8.8.2.2).
        let dated = last_modified.clone().filter(|modified| {
            let (modified, now) = (http_date(modified), header(response, "date").and_then(http_date));
            modified.is_some() && now.is_none_or(|now| modified < Some(now))
        });
        let expected = if encoding.is_none() && *self.checksum != Checksum::None {
            Expected::of_headers(|name| header(response, name))
        } else {
            Vec::new()
        };
        Ok(Described {
            validator: strong.or(dated),
            size_bytes: response.body().content_length(),
            etag,
            last_modified,
            encoding,
            expected,
            ..Described::of(self.url)
        })
    }

    /// Checks a part that is whole, and puts it in the place of the input.
    fn put_in_place(&self, part: Part, input: &Path) -> Result<String, FetchError> {
        let described = part.note::<Described>().unwrap_or_else(|| Described::of(self.url));
        // Servers that call the gzip of a `.gz` file its encoding mean the file as it is.
        let is_file_itself =
            self.url.split(['?', '#']).next().is_some_and(|path| path.to_ascii_lowercase().ends_with(".gz"));
        let mut decoded = None;
        if described.encoding.is_some() && !is_file_itself {
            match self.decode(&part) {
                Ok(path) => decoded = Some(path),
                Err(error) => {
                    fs::remove_file(beside(&part.path, DECODED)).ok();
                    if matches!(error, FetchError::Decode { .. }) {
                        part.discard();
                    }
                    return Err(error);
                }
            }
        }
        let new = decoded.as_ref().unwrap_or(&part.path);
        let checked = match self.check(new, described.expected) {
            Ok(checked) => checked,
            Err(error) => {
                let is_of_the_file = !matches!(error, FetchError::Http(_) | FetchError::Read { .. });
                if let Some(decoded) = decoded {
                    fs::remove_file(decoded).ok();
                }
                if is_of_the_file || described.validator.is_none() {
                    part.discard();
                }
                return Err(error);
            }
        };
        part.sync()?;
        let record = FetchRecord {
            etag: described.etag,
            last_modified: described.last_modified,
            ..FetchRecord::of(self.url, new)?
        };
        let is_same = record.is_of(input)?;
        let archived = self.archive.replace(new, input, &record)?;
        let earlier_bytes = part.earlier_bytes();
        if decoded.is_some() {
            part.discard();
        } else {
            part.finish();
        }

        let size = size_told(record.size_bytes);
        let earlier = match earlier_bytes {
            0 => String::new(),
            bytes => format!(", {} of it by an earlier call", size_told(bytes)),
        };
        let checked =
            if checked.is_empty() { String::new() } else { format!(", checked by {}", checked.join(" and ")) };
        let became = match archived {
            Some(path) => format!("is new, and what it was is kept in {}", path.display()),
            None if is_same => "is the same as before".to_owned(),
            None => "is new".to_owned(),
        };
        Ok(format!("fetched {size}{earlier}{checked}: {} {became}", self.input.display()))
    }

    /// Undoes an encoding that was not asked for.
    fn decode(&self, part: &Part) -> Result<PathBuf, FetchError> {
        let path = beside(&part.path, DECODED);
        let source = File::open(&part.path).map_err(|source| FetchError::read(&part.path, source))?;
        let mut decoder = MultiGzDecoder::new(BufReader::new(source));
        let mut file = File::create(&path).map_err(|source| FetchError::write(&path, source))?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = decoder
                .read(&mut piece)
                .map_err(|source| FetchError::Decode { url: address_told(self.url), source })?;
            if read == 0 {
                break;
            }
            file.write_all(&piece[..read]).map_err(|source| FetchError::write(&path, source))?;
        }
        file.sync_all().map_err(|source| FetchError::write(&path, source))?;
        Ok(path)
    }

    /// Checks what came against what it must not be and what its publisher says; tells what was checked.
    fn check(&self, new: &Path, mut expected: Vec<Expected>) -> Result<Vec<String>, FetchError> {
        let unreadable = |source| FetchError::read(new, source);
        let mut begin = Vec::new();
        let file = File::open(new).map_err(unreadable)?;
        file.take(1024).read_to_end(&mut begin).map_err(unreadable)?;
        if begin.is_empty() {
            return Err(FetchError::Nothing { url: address_told(self.url) });
        }
        if is_markup(&begin, self.content) {
            return Err(FetchError::Markup { url: address_told(self.url) });
        }
        expected.extend(self.checksum.beside(self.http, self.url)?);
        let mut checked = Vec::new();
        for Expected { algorithm, digits, place } in expected {
            let found = algorithm.of(new).map_err(unreadable)?;
            if found != digits {
                return Err(FetchError::Checksum {
                    url: address_told(self.url),
                    algorithm,
                    found,
                    expected: digits,
                    place,
                });
            }
            checked.push(algorithm.to_string());
        }
        checked.dedup();
        Ok(checked)
    }
}

fn header<'a>(response: &'a http::Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// First byte and total of `bytes 200-999/1000`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Whether this is the beginning of a page, or of any markup where none is to be expected.
fn is_markup(begin: &[u8], content: Content) -> bool {
    let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin).trim_ascii_start();
    let begin: Vec<u8> = begin.iter().take(16).map(u8::to_ascii_lowercase).collect();
    match content {
        Content::NoMarkup => begin.starts_with(b"<"),
        Content::Any => begin.starts_with(b"<!doctype html") || begin.starts_with(b"<html"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_pages_are_recognised() {
        assert_eq!(content_range("bytes 200-999/1000"), Some((200, Some(1000))));
        assert_eq!(content_range("bytes 200-999/*"), Some((200, None)));
        assert_eq!(content_range("bytes */1000"), None);
        let cases: [(&[u8], bool, bool); 6] = [
            (b"\n <!DOCTYPE html><html>", true, true),
            (b"\xef\xbb\xbf<HTML lang=en>", true, true),
            (b"<?xml version='1.0'?><kml>", false, true),
            (b"[{\"ID\": 1}]", false, false),
            (b"id;name\n1;<b>\n", false, false),
            (b"", false, false),
        ];
        for (begin, any, no_markup) in cases {
            assert_eq!((is_markup(begin, Content::Any), is_markup(begin, Content::NoMarkup)), (any, no_markup));
        }
    }
}
