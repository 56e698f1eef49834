//! A blob's content: inflated with whatever codec it names.
//!
//! zlib blobs go through libdeflate. The 597 of 43.7 MB of extracts, 98.4 MB inflated, one thread: libdeflate 0.14 s,
//! zlib-ng 0.17 s, C zlib 0.32 s, zlib-rs 0.37 s.
//!
//! Source: fileformat.proto, <https://github.com/openstreetmap/OSM-binary>.

use std::io::{self, Read};

use libdeflater::{DecompressionError, Decompressor};

use super::Fault;
use super::wire::{Fields, varint};

/// Largest blob that the format allows, before and after inflating.
pub(super) const MAX_BLOB_BYTES: u64 = 32 << 20;

/// Inflates blobs one after the other, into memory that is used again.
pub(super) struct Inflater {
    zlib: Decompressor,
    raw: Vec<u8>,
}

/// A blob's data, as it names its codec.
enum Data<'a> {
    Raw(&'a [u8]),
    Zlib(&'a [u8]),
    Lzma(&'a [u8]),
    Lz4(&'a [u8]),
    Zstd(&'a [u8]),
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { zlib: Decompressor::new(), raw: Vec::new() }
    }

    /// The block in a blob.
    pub(super) fn inflate<'a>(&'a mut self, blob: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (data, raw_size) = read(blob)?;
        if let Data::Raw(raw) = data {
            return Ok(raw);
        }
        let size_bytes = match (raw_size, &data) {
            (Some(size_bytes), _) => size_bytes,
            (None, Data::Zlib(zlib)) => self.inflated_size(zlib)?,
            (None, _) => return Err(Fault::Structure("a compressed blob does not state its size")),
        };
        if size_bytes > MAX_BLOB_BYTES {
            return Err(Fault::BlobSize { size_bytes });
        }
        let size = size_bytes as usize;
        // Every codec must fill it exactly, so what it held before does not matter.
        self.raw.resize(size, 0);
        let raw = self.raw.as_mut_slice();
        let filled = match data {
            Data::Raw(_) => unreachable!("it has been handed on"),
            Data::Zlib(zlib) => self.zlib.zlib_decompress(zlib, raw).map_err(|error| match error {
                DecompressionError::InsufficientSpace => Fault::RawSize,
                DecompressionError::BadData => Fault::Inflate(io::Error::other(error)),
            })?,
            Data::Lz4(lz4) => lz4_flex::block::decompress_into(lz4, raw).map_err(wrong)?,
            Data::Zstd(zstd) => zstd::bulk::decompress_to_buffer(zstd, raw).map_err(Fault::Inflate)?,
            Data::Lzma(lzma) => read_lzma(lzma, raw).map_err(Fault::Inflate)?,
        };
        if filled == size { Ok(&self.raw) } else { Err(Fault::RawSize) }
    }
}

impl Inflater {
    /// The size of a zlib stream that does not state it: found by trying ever larger ones.
    fn inflated_size(&mut self, zlib: &[u8]) -> Result<u64, Fault> {
        let mut size = 1 << 16;
        while size <= MAX_BLOB_BYTES {
            self.raw.resize(size as usize, 0);
            match self.zlib.zlib_decompress(zlib, &mut self.raw) {
                Ok(filled) => return Ok(filled as u64),
                Err(DecompressionError::InsufficientSpace) => size *= 2,
                Err(error @ DecompressionError::BadData) => return Err(Fault::Inflate(io::Error::other(error))),
            }
        }
        Err(Fault::Structure("a blob inflates to more than the format's limit of 32 MiB"))
    }
}

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::Inflate(io::Error::other(error))
}

/// A blob's data, and its size inflated where it states one.
fn read(blob: &[u8]) -> Result<(Data<'_>, Option<u64>), Fault> {
    let (mut data, mut raw_size) = (None, None);
    for field in Fields(blob) {
        match field? {
            (1, value) => data = Some(Data::Raw(value.bytes()?)),
            (2, value) => raw_size = Some(value.number()?),
            (3, value) => data = Some(Data::Zlib(value.bytes()?)),
            (4, value) => data = Some(Data::Lzma(value.bytes()?)),
            (5, _) => return Err(Fault::Codec("bzip2")),
            (6, value) => data = Some(Data::Lz4(value.bytes()?)),
            (7, value) => data = Some(Data::Zstd(value.bytes()?)),
            _ => {}
        }
    }
    data.map(|data| (data, raw_size)).ok_or(Fault::Structure("a blob holds no data"))
}

/// The format does not say which container: both that the tools of its time wrote are read.
fn read_lzma(lzma: &[u8], raw: &mut [u8]) -> io::Result<usize> {
    const XZ: &[u8] = b"\xfd7zXZ\0";
    /// More than any file of its time used, and what a small machine has.
    const MAX_DICTIONARY_KIB: u32 = 128 << 10;
    let mut reader: Box<dyn Read + '_> = if lzma.starts_with(XZ) {
        if xz_dictionary_bytes(lzma).is_none_or(|bytes| bytes > u64::from(MAX_DICTIONARY_KIB) << 10) {
            return Err(io::Error::other("its dictionary is not one that a PBF's writer would choose"));
        }
        Box::new(lzma_rust2::XzReader::new(lzma, false))
    } else {
        Box::new(lzma_rust2::LzmaReader::new_mem_limit(lzma, MAX_DICTIONARY_KIB, None)?)
    };
    let mut filled = 0;
    while filled < raw.len() {
        match reader.read(&mut raw[filled..])? {
            0 => return Ok(filled),
            more => filled += more,
        }
    }
    // One byte more would be too much.
    let mut more = [0];
    Ok(filled + reader.read(&mut more)?)
}

/// The size of the dictionary that the first block of an xz stream asks for; `None` where it is not plain LZMA2.
///
/// Source: The .xz File Format 1.2.1, sections 3.1 and 5.3.1.
fn xz_dictionary_bytes(xz: &[u8]) -> Option<u64> {
    const STREAM_HEADER_BYTES: usize = 12;
    const LZMA2: u64 = 0x21;
    let mut header = xz.get(STREAM_HEADER_BYTES + 1..)?;
    let (flags, rest) = header.split_first()?;
    header = rest;
    for stated in [0x40, 0x80] {
        if flags & stated != 0 {
            varint(&mut header).ok()?;
        }
    }
    let (filters, id, size) = (flags & 3, varint(&mut header).ok()?, varint(&mut header).ok()?);
    let bits = *header.first()?;
    (filters == 0 && id == LZMA2 && size == 1 && bits < 40).then(|| (2 | u64::from(bits & 1)) << (bits / 2 + 11))
}
