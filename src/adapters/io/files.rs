//! Input files: what the manifest says of them, and how they are opened.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::domain::{Input, hex};

/// First bytes of a gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads a file once and describes it: name without folders, size, SHA-256.
///
/// # Errors
///
/// When it cannot be read.
pub fn input_of(path: &Path) -> io::Result<Input> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut size_bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size_bytes += read as u64;
    }
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let sha256 = hex(&hasher.finalize());
    Ok(Input { name, size_bytes, sha256 })
}

/// Describes what a file of this name holds or held: size, SHA-256.
#[must_use]
pub fn input_of_bytes(name: &str, bytes: &[u8]) -> Input {
    Input { name: name.to_owned(), size_bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
}

/// Opens a file for reading, through gzip where its first bytes say so. `on_bytes` is told of each block read from disk.
///
/// # Errors
///
/// When it cannot be opened or its first bytes not be read.
pub fn open_decompressed<'a>(path: &Path, on_bytes: impl Fn(u64) + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    decompressed(BufReader::with_capacity(1 << 18, Counted { inner: File::open(path)?, on_bytes }))
}

/// Reads through gzip where the first bytes say so.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub fn decompressed<'a>(mut plain: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let compressed = plain.fill_buf()?.starts_with(&GZIP_MAGIC);
    Ok(if compressed {
        Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(plain)))
    } else {
        Box::new(plain)
    })
}

/// A reader that tells how much was read.
struct Counted<R, F> {
    inner: R,
    on_bytes: F,
}

impl<R: Read, F: Fn(u64)> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.on_bytes)(read as u64);
        Ok(read)
    }
}

/// A size for people, in decimal units.
#[must_use]
pub fn size_told(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", (bytes + 500) / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
