//! A PBF file as a sequence of blobs: found and limited here, inflated in [`super::inflate`], decoded in
//! [`super::block`].
//!
//! Own code rather than `osmpbf`'s, which trusts the sizes it reads, keeps compressed bytes to itself and knows no codec
//! but zlib. On 43.7 MB of extracts, one thread: `osmpbf` 0.3.8 with zlib-rs needs 0.72 s to show every object; this reader
//! needs 0.38 s to read them all and pick out the charging stations, 0.14 s of it in libdeflate.
//!
//! Source: <https://wiki.openstreetmap.org/wiki/PBF_Format#File_format>.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::header::Header;
use super::inflate::{Inflater, MAX_BLOB_BYTES};
use super::wire::Fields;
use super::{Fault, OsmError, header};

/// Largest blob header that the format allows.
const MAX_HEADER_BYTES: u64 = 64 << 10;

/// Bytes of a frame read at once: most headers have fewer than 20.
const FRAME_BYTES: usize = 64;

/// An open PBF file whose frames and header were found in order.
pub(super) struct PbfFile {
    pub(super) path: PathBuf,
    file: File,
    /// Size of the file.
    pub(super) size_bytes: u64,
    /// What the file says of itself.
    pub(super) header: Header,
}

/// Where a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlobAt {
    /// Where its frame begins, in bytes from the start of the file.
    pub(super) frame: u64,
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

/// Memory that is used again from blob to blob.
pub(super) struct Buffers {
    content: Vec<u8>,
    inflater: Inflater,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { content: Vec::new(), inflater: Inflater::new() }
    }
}

impl PbfFile {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, OsmError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OsmError::Missing { path: path.to_owned() },
            _ => OsmError::Io { path: path.to_owned(), source: error },
        })?;
        let size_bytes = file.metadata().map_err(|source| OsmError::Io { path: path.to_owned(), source })?.len();
        let mut pbf = Self { path: path.to_owned(), file, size_bytes, header: Header::default() };
        let mut begin = [0; 2];
        if pbf.read_some(0, &mut begin)? == 0 {
            return Err(OsmError::Empty { path: path.to_owned() });
        }
        pbf.header = match pbf.frame_at(0) {
            Ok(Frame::Header(blob)) => pbf.read_header(blob)?,
            // Something else entirely reads as a frame of absurd size or type; a PBF that is cut off does not.
            Err(error @ (OsmError::Io { .. } | OsmError::Damaged { source: Fault::CutOff, .. })) if begin == [0, 0] => {
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
            let at = match self.frame_at(offset_bytes)? {
                Frame::Header(at) => self.read_header(at).map(|_| at)?,
                Frame::Data(at) => {
                    blobs.push(at);
                    at
                }
                Frame::Other(at) => at,
            };
            offset_bytes += at.frame_bytes();
        }
        Ok(blobs)
    }

    /// The inflated bytes of a blob.
    pub(super) fn inflated<'b>(&self, at: BlobAt, buffers: &'b mut Buffers) -> Result<&'b [u8], OsmError> {
        buffers.content.resize(at.size_bytes as usize, 0);
        self.read_at(at.content, &mut buffers.content, at.frame)?;
        buffers.inflater.inflate(&buffers.content).map_err(|fault| self.damaged(at.frame, fault))
    }

    fn read_header(&self, at: BlobAt) -> Result<Header, OsmError> {
        let mut buffers = Buffers::new();
        let raw = self.inflated(at, &mut buffers)?;
        let block = header::decode(raw).map_err(|fault| self.damaged(at.frame, fault))?;
        header::check_features(&block, &self.path)?;
        Ok(Header::of(&block))
    }

    /// The frame that begins at a byte of the file.
    fn frame_at(&self, offset_bytes: u64) -> Result<Frame, OsmError> {
        let fault = |fault| self.damaged(offset_bytes, fault);
        let mut begin = [0; FRAME_BYTES];
        let got = self.read_some(offset_bytes, &mut begin)?;
        let (length, rest) = begin[..got].split_first_chunk::<4>().ok_or_else(|| fault(Fault::CutOff))?;
        let length = u64::from(u32::from_be_bytes(*length));
        if length > MAX_HEADER_BYTES {
            return Err(fault(Fault::HeaderSize { size_bytes: length }));
        }
        let mut long = Vec::new();
        let header = if let Some(header) = rest.get(..length as usize) {
            header
        } else {
            long.resize(length as usize, 0);
            self.read_at(offset_bytes + 4, &mut long, offset_bytes)?;
            &long
        };
        let (mut kind, mut size_bytes) = (&[][..], None);
        for field in Fields(header) {
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

    /// Fills `buffer` from `from`; `frame` is named where the file ends too early.
    fn read_at(&self, from: u64, buffer: &mut [u8], frame: u64) -> Result<(), OsmError> {
        self.file.read_exact_at(buffer, from).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(frame, Fault::CutOff),
            _ => self.io(error),
        })
    }

    /// Fills `buffer` from `from` as far as the file goes.
    fn read_some(&self, from: u64, buffer: &mut [u8]) -> Result<usize, OsmError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], from + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.io(error)),
            }
        }
        Ok(filled)
    }

    pub(super) fn damaged(&self, offset_bytes: u64, source: Fault) -> OsmError {
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
