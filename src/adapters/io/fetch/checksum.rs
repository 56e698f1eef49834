//! Checksums: what a publisher says a file must come to, in a file beside it or in a header.
//!
//! Files: `<digits>  <name>` as `md5sum` and `sha256sum` write them, one line or many, and the BSD form
//! `MD5 (<name>) = <digits>`. Headers: `Content-MD5` (RFC 1864), `Digest` (RFC 3230), `Repr-Digest` (RFC 9530).

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::{Http, HttpError, address_told};
use super::FetchError;
use crate::domain::hex;

/// A list of checksums is smaller.
const MAX_BYTES: u64 = 1 << 20;

/// What is checked.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Checksum {
    /// What the answer's headers state, and for an OSM extract the MD5 beside it, where there is one.
    #[default]
    IfOffered,
    /// Nothing.
    None,
    /// The file of this name beside it, `<url>.md5` or `<url>.sha256`, which must be there.
    Beside(Algorithm),
    /// What this address says.
    At(String),
}

/// An address may hold a password.
impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IfOffered => f.write_str("IfOffered"),
            Self::None => f.write_str("None"),
            Self::Beside(algorithm) => f.debug_tuple("Beside").field(algorithm).finish(),
            Self::At(url) => f.debug_tuple("At").field(&address_told(url)).finish(),
        }
    }
}

/// How a checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// RFC 1321; against damage, not against malice.
    Md5,
    /// FIPS 180-4.
    Sha256,
}

impl Algorithm {
    fn ending(self) -> &'static str {
        match self {
            Self::Md5 => ".md5",
            Self::Sha256 => ".sha256",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha256 => 32,
        }
    }

    /// The digits that a file comes to.
    pub(super) fn of(self, path: &Path) -> io::Result<String> {
        match self {
            Self::Md5 => digits::<Md5>(path),
            Self::Sha256 => digits::<Sha256>(path),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        })
    }
}

fn digits<D: Digest>(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut buffer) = (File::open(path)?, D::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// What a file must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Expected {
    pub(super) algorithm: Algorithm,
    pub(super) digits: String,
    /// Who says so.
    pub(super) place: String,
}

impl Expected {
    /// What headers of an answer state, by the name of the header.
    pub(super) fn of_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Vec<Self> {
        let mut found = Vec::new();
        let mut add = |name: &str, algorithm: Algorithm, text: &str| {
            let bytes = STANDARD.decode(text.trim().trim_matches(':')).unwrap_or_default();
            if bytes.len() == algorithm.bytes() {
                found.push(Self { algorithm, digits: hex(&bytes), place: format!("its header {name}") });
            }
        };
        if let Some(text) = header("content-md5") {
            add("Content-MD5", Algorithm::Md5, text);
        }
        for name in ["Digest", "Repr-Digest"] {
            for entry in header(&name.to_lowercase()).unwrap_or_default().split(',') {
                match entry.split_once('=').map(|(kind, text)| (kind.trim().to_lowercase(), text)) {
                    Some((kind, text)) if kind == "md5" => add(name, Algorithm::Md5, text),
                    Some((kind, text)) if kind == "sha-256" => add(name, Algorithm::Sha256, text),
                    _ => {}
                }
            }
        }
        found
    }
}

impl Checksum {
    /// What the publisher of `url` says beside the file.
    pub(super) fn beside(&self, http: &Http, url: &str) -> Result<Option<Expected>, FetchError> {
        let (place, algorithm) = match self {
            Self::None => return Ok(None),
            Self::IfOffered if !path_of(url).ends_with(".osm.pbf") => return Ok(None),
            Self::IfOffered => (with_ending(url, Algorithm::Md5.ending()), Some(Algorithm::Md5)),
            Self::Beside(algorithm) => (with_ending(url, algorithm.ending()), Some(*algorithm)),
            Self::At(place) => (place.clone(), None),
        };
        let answer = match http.get(&place, MAX_BYTES) {
            Ok(answer) => answer,
            // Not offered: absent, or hidden as what is absent is on some stores.
            Err(HttpError::Absent { .. } | HttpError::Status { status: 403, .. }) if *self == Self::IfOffered => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8_lossy(&answer);
        let name = path_of(url).rsplit('/').next().unwrap_or_default();
        match expected(&text, name, algorithm) {
            Some((algorithm, digits)) => Ok(Some(Expected { algorithm, digits, place: address_told(&place) })),
            None if *self == Self::IfOffered => Ok(None),
            None => {
                let algorithm = algorithm.map_or("MD5 or SHA-256".to_owned(), |algorithm| algorithm.to_string());
                Err(FetchError::NoChecksum { place: address_told(&place), algorithm })
            }
        }
    }
}

fn path_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// An address with an ending of its path.
fn with_ending(url: &str, ending: &str) -> String {
    let path = path_of(url);
    format!("{path}{ending}{}", &url[path.len()..])
}

/// The digits for a file of this name: of the line that names it, or of the only line.
fn expected(text: &str, name: &str, wanted: Option<Algorithm>) -> Option<(Algorithm, String)> {
    let of_word = |word: &str| {
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let algorithms = [Algorithm::Md5, Algorithm::Sha256];
        let algorithm = algorithms.into_iter().find(|algorithm| is_hex && word.len() == 2 * algorithm.bytes())?;
        wanted.is_none_or(|wanted| wanted == algorithm).then(|| (algorithm, word.to_ascii_lowercase()))
    };
    let lines: Vec<(&str, (Algorithm, String))> =
        text.lines().filter_map(|line| Some((line, line.split_whitespace().find_map(of_word)?))).collect();
    let names = |line: &str| {
        let mut words = line.split(|c: char| c.is_whitespace() || "*()/".contains(c));
        words.any(|word| word == name)
    };
    match lines.as_slice() {
        [(_, only)] => Some(only.clone()),
        lines => lines.iter().find(|(line, _)| names(line)).map(|(_, found)| found.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn files_of_checksums_are_read_in_every_form() {
        let (md5, sha256) = (Some((Algorithm::Md5, MD5)), Some((Algorithm::Sha256, SHA256)));
        let cases = [
            (format!("{MD5}  other.pbf\n"), Some(Algorithm::Md5), md5),
            (MD5.to_uppercase(), None, md5),
            (format!("{SHA256} *a.pbf"), None, sha256),
            (format!("MD5 (a.pbf) = {MD5}"), None, md5),
            (format!("{}  b.pbf\n{SHA256}  ./a.pbf\n", "0".repeat(64)), None, sha256),
            (format!("{}  b.pbf\n{SHA256}  c.pbf\n", "0".repeat(64)), None, None),
            (format!("{SHA256}  a.pbf"), Some(Algorithm::Md5), None),
            ("<html>not found</html>".to_owned(), None, None),
            (String::new(), None, None),
        ];
        for (text, wanted, found) in cases {
            let found = found.map(|(algorithm, digits)| (algorithm, digits.to_owned()));
            assert_eq!(expected(&text, "a.pbf", wanted), found, "{text}");
        }
    }

    #[test]
    fn headers_state_checksums_in_base64() {
        let of =
            |name: &'static str, text: &'static str| Expected::of_headers(|wanted| (wanted == name).then_some(text));
        let md5 = |place: &str| Expected { algorithm: Algorithm::Md5, digits: MD5.to_owned(), place: place.to_owned() };
        assert_eq!(of("content-md5", "kAFQmDzST7DWlj99KOF/cg=="), [md5("its header Content-MD5")]);
        let both = of("digest", "SHA-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=, md5=kAFQmDzST7DWlj99KOF/cg==");
        assert_eq!((both[0].digits.as_str(), &both[1]), (SHA256, &md5("its header Digest")));
        assert_eq!(of("repr-digest", "md5=:kAFQmDzST7DWlj99KOF/cg==:"), [md5("its header Repr-Digest")]);
        assert_eq!(of("content-md5", "nonsense"), []);
        assert_eq!(of("digest", "crc32c=AAAAAA=="), []);
    }

    #[test]
    fn an_ending_goes_before_the_query() {
        assert_eq!(with_ending("http://h/a.pbf?key=1", ".md5"), "http://h/a.pbf.md5?key=1");
        assert_eq!(with_ending("http://h/a.pbf", ".sha256"), "http://h/a.pbf.sha256");
    }
}
