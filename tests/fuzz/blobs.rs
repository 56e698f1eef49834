//! The blobs of an OSM PBF file, with what they hold.
//!
//! Source: <https://wiki.openstreetmap.org/wiki/PBF_Format>.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::protobuf::{self, Field, Value, bytes, number};

/// Most that is inflated, so that a change of a bomb takes no longer than that of another file.
const MAX_INFLATED_BYTES: u64 = 1 << 20;

/// A frame: what it says it is, and the fields of its blob.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) kind: Vec<u8>,
    pub(crate) fields: Vec<Field>,
}

/// How a blob holds its content.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Codec {
    Raw,
    Zlib,
    /// As one run of literals.
    Lz4,
    /// As one uncompressed block.
    Zstd,
}

impl Blob {
    /// A blob of this content.
    pub(crate) fn new(kind: &str, content: &[u8], codec: Codec) -> Self {
        let mut blob = Self { kind: kind.into(), fields: Vec::new() };
        blob.fill(content, codec);
        blob
    }

    /// Gives it another content.
    pub(crate) fn fill(&mut self, content: &[u8], codec: Codec) {
        let size = number(2, content.len() as i64);
        self.fields = match codec {
            Codec::Raw => vec![bytes(1, content)],
            Codec::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(content).expect("a vector takes every byte");
                vec![size, bytes(3, encoder.finish().expect("a vector takes every byte"))]
            }
            Codec::Lz4 => vec![size, bytes(6, lz4(content))],
            Codec::Zstd => vec![size, bytes(7, zstd(content))],
        };
    }

    /// What it holds, where it is uncompressed or zlib.
    pub(crate) fn content(&self) -> Option<Vec<u8>> {
        self.fields.iter().find_map(|field| match (field.number, &field.value) {
            (1, Value::Bytes(raw)) => Some(raw.clone()),
            (3, Value::Bytes(compressed)) => {
                let mut content = Vec::new();
                let mut inflating = ZlibDecoder::new(&compressed[..]).take(MAX_INFLATED_BYTES);
                inflating.read_to_end(&mut content).ok()?;
                Some(content)
            }
            _ => None,
        })
    }
}

/// The blobs of a file; `None` when it is not made of blobs to its end.
pub(crate) fn split(mut file: &[u8]) -> Option<Vec<Blob>> {
    let mut blobs = Vec::new();
    while let Some((length, rest)) = file.split_first_chunk() {
        let (header, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let header = protobuf::parse(header)?;
        let kind = header.iter().find_map(|field| match (field.number, &field.value) {
            (1, Value::Bytes(kind)) => Some(kind.clone()),
            _ => None,
        })?;
        let size = header.iter().find_map(|field| match (field.number, &field.value) {
            (3, Value::Varint(size)) => usize::try_from(*size).ok(),
            _ => None,
        })?;
        let (blob, rest) = rest.split_at_checked(size)?;
        blobs.push(Blob { kind, fields: protobuf::parse(blob)? });
        file = rest;
    }
    Some(blobs)
}

/// The file of these blobs.
pub(crate) fn join(blobs: &[Blob]) -> Vec<u8> {
    let mut file = Vec::new();
    for blob in blobs {
        let content = protobuf::write(&blob.fields);
        let header = protobuf::write(&[bytes(1, blob.kind.clone()), number(3, content.len() as i64)]);
        file.extend((header.len() as u32).to_be_bytes());
        file.extend(header);
        file.extend(content);
    }
    file
}

/// An LZ4 block of literals: a token with their number, the rest of that number in bytes of 255, the literals.
///
/// Source: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>.
fn lz4(content: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    let length = content.len();
    block.push((length.min(15) << 4) as u8);
    if length >= 15 {
        block.extend(std::iter::repeat_n(255, (length - 15) / 255));
        block.push(((length - 15) % 255) as u8);
    }
    block.extend(content);
    block
}

/// A Zstandard frame of one segment with raw blocks, RFC 8878.
fn zstd(content: &[u8]) -> Vec<u8> {
    const MAX_BLOCK_BYTES: usize = 128 << 10;
    // Single segment, size of the content in four bytes, no checksum.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    frame.extend((content.len() as u32).to_le_bytes());
    let mut blocks = content.chunks(MAX_BLOCK_BYTES).peekable();
    if blocks.peek().is_none() {
        frame.extend([1, 0, 0]);
    }
    while let Some(block) = blocks.next() {
        let header = (block.len() as u32) << 3 | u32::from(blocks.peek().is_none());
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame
}
