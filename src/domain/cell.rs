//! Cell: one value of a table row. Rows are hashed, compared and shown as cells, whatever the table.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The first 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hash16(pub [u8; 16]);

impl Hash16 {
    /// Hash of a row or of any part of one. Every value is framed by its kind and length, so no two rows collide by joining.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Self {
        let mut hasher = Sha256::new();
        for cell in cells {
            cell.feed(&mut hasher);
        }
        let digest = hasher.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(bytes)
    }
}

impl fmt::Display for Hash16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Hash16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number, of 32 or 64 bits.
    Int(i64),
    /// A number, of 32 or 64 bits.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes, e.g. WKB or a hash.
    Bytes(Vec<u8>),
    /// An instant, in microseconds since 1970-01-01 UTC.
    Time(i64),
    /// Values of one type.
    List(Vec<Cell>),
    /// Named values, in the order of the column's definition.
    Struct(Vec<(&'static str, Cell)>),
    /// Text to text, sorted by key.
    Map(Vec<(String, String)>),
}

impl Cell {
    /// Text, or [`Cell::Null`].
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.into()))
    }

    /// A number, or [`Cell::Null`].
    #[must_use]
    pub fn float(number: Option<f64>) -> Self {
        number.map_or(Self::Null, Self::Float)
    }

    /// A whole number, or [`Cell::Null`].
    pub fn int(number: Option<impl Into<i64>>) -> Self {
        number.map_or(Self::Null, |number| Self::Int(number.into()))
    }

    /// An instant, or [`Cell::Null`].
    #[must_use]
    pub fn time(time: Option<jiff::Timestamp>) -> Self {
        time.map_or(Self::Null, |time| Self::Time(time.as_microsecond()))
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Canonical JSON: keys sorted; bytes as lower-case hex; instants as RFC 3339.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::from(*value),
            Self::Float(value) => Value::from(*value),
            Self::Text(value) => Value::from(value.as_str()),
            Self::Bytes(bytes) => Value::from(hex(bytes)),
            Self::Time(micros) => {
                Value::from(jiff::Timestamp::from_microsecond(*micros).map_or(String::new(), |time| time.to_string()))
            }
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Struct(fields) => Value::Object(
                fields.iter().map(|(name, cell)| ((*name).to_owned(), cell.to_json())).collect::<Map<_, _>>(),
            ),
            Self::Map(pairs) => {
                Value::Object(pairs.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect())
            }
        }
    }

    /// Feeds kind, length and content to a hash.
    fn feed(&self, hasher: &mut Sha256) {
        let mut frame = |kind: u8, length: usize| {
            hasher.update([kind]);
            hasher.update((length as u64).to_le_bytes());
        };
        match self {
            Self::Null => frame(0, 0),
            Self::Bool(value) => frame(1, usize::from(*value)),
            Self::Int(value) => {
                frame(2, 8);
                hasher.update(value.to_le_bytes());
            }
            Self::Float(value) => {
                frame(3, 8);
                // -0.0 and 0.0 are one value.
                hasher.update((value + 0.0).to_bits().to_le_bytes());
            }
            Self::Text(text) => {
                frame(4, text.len());
                hasher.update(text);
            }
            Self::Bytes(bytes) => {
                frame(5, bytes.len());
                hasher.update(bytes);
            }
            Self::Time(micros) => {
                frame(6, 8);
                hasher.update(micros.to_le_bytes());
            }
            Self::List(items) => {
                frame(7, items.len());
                for item in items {
                    item.feed(hasher);
                }
            }
            Self::Struct(fields) => {
                frame(8, fields.len());
                for (_, cell) in fields {
                    cell.feed(hasher);
                }
            }
            Self::Map(pairs) => {
                frame(9, pairs.len());
                for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
                    hasher.update((text.len() as u64).to_le_bytes());
                    hasher.update(text);
                }
            }
        }
    }
}
