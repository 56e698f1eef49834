//! The stored file: a JSON array, one record per line, sorted by id, merged from what it was and what came.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::crawl::LineAt;
use super::station::Station;
use crate::adapters::io::{FetchError, JsonRecords};

/// What became of the records.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merged {
    /// Records in the file.
    pub(super) all: u64,
    pub(super) added: u64,
    pub(super) changed: u64,
    /// Records that were there and did not come again.
    pub(super) gone: u64,
}

/// Writes the merger of `old` and the lines of `part` to `new`. What did not come again stays where `keep_unseen`.
///
/// `old` was written here, so it is sorted.
pub(super) fn merge(
    old: Option<&Path>,
    part: &Path,
    lines: impl Iterator<Item = (i64, LineAt)>,
    new: &Path,
    keep_unseen: bool,
) -> Result<Merged, FetchError> {
    let mut came = File::open(part).map_err(|source| FetchError::read(part, source))?;
    let mut read = move |at: LineAt| -> io::Result<Vec<u8>> {
        let mut line = vec![0; at.size_bytes];
        came.seek(SeekFrom::Start(at.offset_bytes))?;
        came.read_exact(&mut line)?;
        Ok(line)
    };
    let mut read = |at| read(at).map_err(|source| FetchError::read(part, source));
    let mut out = Array::create(new).map_err(|source| FetchError::write(new, source))?;
    let mut add = |line: &[u8]| out.add(line).map_err(|source| FetchError::write(new, source));
    let (mut merged, mut lines) = (Merged::default(), lines.peekable());

    if let Some(old) = old {
        let broken = |error| FetchError::read(old, io::Error::other(error));
        let mut records = JsonRecords::open(old, &[], |_| {}).map_err(broken)?;
        while let Some(record) = records.next().map_err(broken)? {
            let known = std::str::from_utf8(&record.bytes).ok().and_then(Station::parse);
            let Some(Station { id, line: was, .. }) = known else { continue };
            while let Some((_, at)) = lines.next_if(|(new_id, _)| *new_id < id) {
                add(&read(at)?)?;
                merged.added += 1;
            }
            if let Some((_, at)) = lines.next_if(|(new_id, _)| *new_id == id) {
                let is = read(at)?;
                merged.changed += u64::from(is != was);
                add(&is)?;
            } else {
                merged.gone += 1;
                if keep_unseen {
                    add(&was)?;
                }
            }
        }
    }
    for (_, at) in lines {
        add(&read(at)?)?;
        merged.added += 1;
    }
    merged.all = out.close().map_err(|source| FetchError::write(new, source))?;
    Ok(merged)
}

/// A JSON array in the making.
struct Array {
    file: BufWriter<File>,
    records: u64,
}

impl Array {
    fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        file.write_all(b"[")?;
        Ok(Self { file, records: 0 })
    }

    fn add(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(if self.records == 0 { b"\n" } else { b",\n" })?;
        self.records += 1;
        self.file.write_all(line)
    }

    /// Brings everything to the disk; returns the number of records.
    fn close(mut self) -> io::Result<u64> {
        self.file.write_all(if self.records == 0 { b"]\n" } else { b"\n]\n" })?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.records)
    }
}
