//! A PBF file as a sequence of blobs: found, limited and inflated here, decoded in [`Block`].
//!
//! `osmpbf` trusts the sizes it reads and knows no codec but zlib; so frames are cut here, and it gets plain bytes.
//!
//! Source: <https://wiki.openstreetmap.org/wiki/PBF_Format#File_format>.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;
use rayon::prelude::*;

use super::block::Block;
use super::wire::Fields;
use super::{Fault, OsmError, header};
use crate::domain::Timestamp;

/// Largest blob header that the format allows.
const MAX_HEADER_BYTES: u64 = 64 << 10;

/// Largest blob that the format allows, before and after inflating.
const MAX_BLOB_BYTES: u64 = 32 << 20;

/// Blobs decoded at a time: enough to keep the threads busy, few enough to hold in memory.
const BATCH_BLOBS: usize = 64;

/// Most bytes read at a time, unless a single blob is larger.
const BATCH_BYTES: u64 = 16 << 20;

/// An open PBF file whose frames and header were found in order.
pub(super) struct PbfFile {
    path: PathBuf,
    file: File,
    /// Size of the file.
    pub(super) size_bytes: u64,
    /// The date of the data, where the header states one.
    pub(super) vintage: Option<Timestamp>,
}

/// Where a blob is.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlobAt {
    /// Where its frame begins, in bytes from the start of the file.
    frame: u64,
    /// Where the blob begins, behind the frame's header.
    content: u64,
    size_bytes: u64,
}

impl BlobAt {
    /// Size of the frame with the blob in it.
    pub(super) fn frame_bytes(&self) -> u64 {
        self.content - self.frame + self.size_bytes
    }
}

/// What is in a frame.
enum Frame {
    Header(BlobAt),
    Data(BlobAt),
    /// Of a type that readers must skip.
    Other(BlobAt),
}

impl PbfFile {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, OsmError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OsmError::Missing { path: path.to_owned() },
            _ => OsmError::Io { path: path.to_owned(), source: error },
        })?;
        let size_bytes = file.metadata().map_err(|source| OsmError::Io { path: path.to_owned(), source })?.len();
        let mut pbf = Self { path: path.to_owned(), file, size_bytes, vintage: None };
        let mut begin = [0; 4];
        if (&pbf.file).read(&mut begin).map_err(|source| pbf.io(source))? == 0 {
            return Err(OsmError::Empty { path: path.to_owned() });
        }
        pbf.vintage = match pbf.frame_at(0) {
            Ok(Frame::Header(blob)) => pbf.read_header(blob)?,
            // Something else entirely reads as a frame of absurd size or type; a PBF that is cut off does not.
            Err(error @ (OsmError::Io { .. } | OsmError::Damaged { source: Fault::CutOff, .. }))
                if begin[..2] == [0, 0] =>
            {
                return Err(error);
            }
            _ => return Err(OsmError::NotPbf { path: path.to_owned() }),
        };
        Ok(pbf)
    }

    /// Where the data blobs are. Further headers, as in files put one behind the other, must be as readable as the first.
    pub(super) fn data_blobs(&self) -> Result<Vec<BlobAt>, OsmError> {
        let mut blobs = Vec::new();
        let mut offset_bytes = 0;
        while offset_bytes < self.size_bytes {
            let (Frame::Header(at) | Frame::Data(at) | Frame::Other(at)) = match self.frame_at(offset_bytes)? {
                Frame::Header(at) => self.read_header(at).map(|_| Frame::Header(at))?,
                Frame::Data(at) => {
                    blobs.push(at);
                    Frame::Data(at)
                }
                other @ Frame::Other(_) => other,
            };
            offset_bytes += at.frame_bytes();
        }
        Ok(blobs)
    }

    /// Decodes blobs in parallel and hands on what `decode` makes of each, in the order given.
    pub(super) fn map_blobs<T: Send, E: From<OsmError>>(
        &self,
        blobs: &[BlobAt],
        decode: impl Fn(&Block) -> T + Sync,
        mut take: impl FnMut(BlobAt, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = blobs;
        while !rest.is_empty() {
            let mut batch = Vec::new();
            let mut batch_bytes = 0;
            while let Some((at, tail)) = rest.split_first()
                && batch.len() < BATCH_BLOBS
                && (batch.is_empty() || batch_bytes + at.size_bytes <= BATCH_BYTES)
            {
                batch.push((*at, self.content(*at)?));
                batch_bytes += at.size_bytes;
                rest = tail;
            }
            let decoded: Vec<_> = batch
                .into_par_iter()
                .map(|(at, content)| {
                    let block = self
                        .inflated(at, &content)
                        .and_then(|raw| Block::decode(&raw).map_err(|fault| self.damaged(at.frame, fault)))?;
                    Ok((at, decode(&block)))
                })
                .collect();
            for result in decoded {
                let (at, made) = result.map_err(|error: OsmError| E::from(error))?;
                take(at, made)?;
            }
        }
        Ok(())
    }

    fn read_header(&self, at: BlobAt) -> Result<Option<Timestamp>, OsmError> {
        let raw = self.inflated(at, &self.content(at)?)?;
        let header = header::decode(&raw).map_err(|fault| self.damaged(at.frame, fault))?;
        header::check_features(&header, &self.path)?;
        Ok(header::vintage(&header))
    }

    /// Reads the frame's own header: type and size of the blob behind it.
    fn frame_at(&self, offset_bytes: u64) -> Result<Frame, OsmError> {
        let fault = |fault| self.damaged(offset_bytes, fault);
        let mut length = [0; 4];
        self.read_at(offset_bytes, &mut length, offset_bytes)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length > MAX_HEADER_BYTES {
            return Err(fault(Fault::HeaderSize { size_bytes: length }));
        }
        let mut header = vec![0; length as usize];
        self.read_at(offset_bytes + 4, &mut header, offset_bytes)?;
        let (mut kind, mut size_bytes) = (&[][..], None);
        for field in Fields(&header) {
            match field.map_err(fault)? {
                (1, value) => kind = value.bytes().map_err(fault)?,
                (3, value) => size_bytes = Some(value.number().map_err(fault)?),
                _ => {}
            }
        }
        let size_bytes = size_bytes.ok_or_else(|| fault(Fault::Structure("a blob header states no size")))?;
        if size_bytes > MAX_BLOB_BYTES {
            return Err(fault(Fault::BlobSize { size_bytes }));
        }
        let content = offset_bytes + 4 + length;
        if content + size_bytes > self.size_bytes {
            return Err(fault(Fault::CutOff));
        }
        let at = BlobAt { frame: offset_bytes, content, size_bytes };
        Ok(match kind {
            b"OSMHeader" => Frame::Header(at),
            b"OSMData" => Frame::Data(at),
            _ => Frame::Other(at),
        })
    }

    fn content(&self, at: BlobAt) -> Result<Vec<u8>, OsmError> {
        let mut content = vec![0; at.size_bytes as usize];
        self.read_at(at.content, &mut content, at.frame)?;
        Ok(content)
    }

    /// The block in a blob, inflated where it is compressed.
    fn inflated(&self, at: BlobAt, content: &[u8]) -> Result<Vec<u8>, OsmError> {
        let fault = |fault| self.damaged(at.frame, fault);
        let (mut raw_size, mut raw, mut zlib, mut codec) = (None, None, None, None);
        for field in Fields(content) {
            match field.map_err(fault)? {
                (1, value) => raw = Some(value.bytes().map_err(fault)?),
                (2, value) => raw_size = Some(value.number().map_err(fault)?),
                (3, value) => zlib = Some(value.bytes().map_err(fault)?),
                (4, _) => codec = Some("lzma"),
                (5, _) => codec = Some("bzip2"),
                (6, _) => codec = Some("lz4"),
                (7, _) => codec = Some("zstd"),
                _ => {}
            }
        }
        if let Some(size_bytes) = raw_size.filter(|size| *size > MAX_BLOB_BYTES) {
            return Err(fault(Fault::BlobSize { size_bytes }));
        }
        match (raw, zlib, codec) {
            (Some(raw), _, _) => Ok(raw.to_vec()),
            (None, Some(zlib), _) => {
                let mut raw = Vec::with_capacity(raw_size.unwrap_or(0) as usize);
                let mut inflate = ZlibDecoder::new(zlib).take(MAX_BLOB_BYTES + 1);
                inflate.read_to_end(&mut raw).map_err(|error| fault(Fault::Inflate(error)))?;
                if raw.len() as u64 > MAX_BLOB_BYTES || raw_size.is_some_and(|size| size != raw.len() as u64) {
                    return Err(fault(Fault::RawSize));
                }
                Ok(raw)
            }
            (None, None, Some(codec)) => Err(OsmError::Codec { path: self.path.clone(), codec }),
            (None, None, None) => Err(fault(Fault::Structure("a blob holds no data"))),
        }
    }

    /// Fills `buffer` from `from`; `frame` is named where the file ends too early.
    fn read_at(&self, from: u64, buffer: &mut [u8], frame: u64) -> Result<(), OsmError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(from)).and_then(|_| file.read_exact(buffer)).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(frame, Fault::CutOff),
            _ => self.io(error),
        })
    }

    fn damaged(&self, offset_bytes: u64, source: Fault) -> OsmError {
        OsmError::Damaged { path: self.path.clone(), offset_bytes, source }
    }

    fn io(&self, source: io::Error) -> OsmError {
        OsmError::Io { path: self.path.clone(), source }
    }
}

/// Uncompressed bytes framed as a blob, the way `osmpbf` takes them.
pub(super) fn raw_frame(kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut blob = vec![0x0a];
    push_varint(&mut blob, raw.len() as u64);
    let mut header = vec![0x0a, kind.len() as u8];
    header.extend_from_slice(kind.as_bytes());
    header.push(0x18);
    push_varint(&mut header, (blob.len() + raw.len()) as u64);
    let mut frame = Vec::with_capacity(4 + header.len() + blob.len() + raw.len());
    frame.extend_from_slice(&(header.len() as u32).to_be_bytes());
    frame.append(&mut header);
    frame.append(&mut blob);
    frame.extend_from_slice(raw);
    frame
}

/// Appends a varint.
pub(super) fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
