//! Encoder: Arrow batches as PostgreSQL's binary `COPY` format, without a value in between for flat columns.
//!
//! - **Types**: text, uuid, boolean, integer, bigint, real, double precision, timestamptz and bytea as they are; lists of
//!   text as `text[]`; other nested columns as jsonb; WKB as EWKB with its SRID.
//! - **Source**: PostgreSQL documentation, `COPY`, section *Binary Format*; the `recv` functions of each type; EWKB as in
//!   PostGIS's `doc/ZMSgeoms.txt`.
//! - PostgreSQL holds neither the character U+0000 nor, in jsonb, half of a surrogate pair: both become U+FFFD and are
//!   counted.

use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int32Array,
    Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use uuid::Uuid;

use super::encoder_json::postgres_json;
use crate::domain::Cell;
use crate::pipeline::tabulate::{Column, Kind, cells};

/// What every binary `COPY` begins with: signature, flags, length of the header's extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What it ends with, in the place of a row's number of fields.
const TRAILER: i16 = -1;

/// Rows are handed on in pieces of about this size.
const BUFFER_BYTES: usize = 1 << 20;

/// 2000-01-01, where PostgreSQL's clock begins, in microseconds since 1970.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The object id of `text`, the element type of `text[]`.
const TEXT_OID: i32 = 25;

/// The reference system of every geometry.
const SRID: u32 = 4326;

/// The bit of an EWKB type that says that an SRID follows.
const SRID_FLAG: u8 = 0x20;

/// Why rows cannot be encoded or sent.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The snapshot's column is not what the tables of this version say.
    #[error("column `{column}` has type {found}, not {expected}; was the snapshot written by another version?")]
    Type {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The type it should have.
        expected: String,
    },
    /// A value cannot be one of its type.
    #[error("column `{column}` holds a value that is not {what}")]
    Value {
        /// The column.
        column: String,
        /// What it should be.
        what: &'static str,
    },
    /// The server stopped taking rows.
    #[error("the server took no more rows")]
    Write(#[from] io::Error),
    /// The server refused the rows.
    #[error("the server refused the rows")]
    Server(#[from] postgres::Error),
}

/// Writes rows in binary `COPY` format.
pub(super) struct Encoder<'c, W> {
    out: W,
    columns: Vec<&'c Column>,
    first_field: Option<String>,
    buffer: Vec<u8>,
    replaced: u64,
}

/// A column of a batch, ready to be read row by row.
enum Values<'a> {
    Text(&'a StringArray),
    Uuid(&'a StringArray),
    Json(&'a StringArray),
    Bool(&'a BooleanArray),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Time(&'a TimestampMicrosecondArray),
    Hash16(&'a FixedSizeBinaryArray),
    Geometry(&'a BinaryArray),
    Texts(&'a ListArray),
    Nested(Vec<Cell>),
}

impl<'c, W: Write> Encoder<'c, W> {
    /// An encoder for rows of `columns`, each after `first_field` if there is one.
    pub(super) fn new(out: W, columns: Vec<&'c Column>, first_field: Option<String>) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        buffer.extend_from_slice(HEADER);
        Self { out, columns, first_field, buffer, replaced: 0 }
    }

    /// Encodes the rows of a batch that has exactly the encoder's columns, in their order.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        let columns = self.columns.clone();
        let values: Vec<Values<'_>> = columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| Values::of(column, array))
            .collect::<Result<_, _>>()?;
        let fields = (columns.len() + usize::from(self.first_field.is_some())) as i16;
        for row in 0..batch.num_rows() {
            self.buffer.extend(fields.to_be_bytes());
            if let Some(text) = &self.first_field {
                self.replaced += put_text(&mut self.buffer, text);
            }
            for ((column, array), values) in columns.iter().zip(batch.columns()).zip(&values) {
                if array.is_null(row) {
                    self.buffer.extend((-1_i32).to_be_bytes());
                } else {
                    self.replaced += values
                        .put(&mut self.buffer, row)
                        .map_err(|what| EncodeError::Value { column: column.name.to_string(), what })?;
                }
            }
            if self.buffer.len() >= BUFFER_BYTES {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// Ends the rows. Returns the writer, and how many characters were replaced.
    pub(super) fn finish(mut self) -> Result<(W, u64), EncodeError> {
        self.buffer.extend(TRAILER.to_be_bytes());
        self.out.write_all(&self.buffer)?;
        Ok((self.out, self.replaced))
    }
}

impl<'a> Values<'a> {
    fn of(column: &Column, array: &'a ArrayRef) -> Result<Self, EncodeError> {
        let expected = column.kind.arrow();
        if !array.data_type().equals_datatype(&expected) {
            let (found, expected) = (array.data_type().to_string(), expected.to_string());
            return Err(EncodeError::Type { column: column.name.to_string(), found, expected });
        }
        Ok(match &column.kind {
            Kind::Text => Self::Text(array.as_string()),
            Kind::Uuid => Self::Uuid(array.as_string()),
            Kind::Json => Self::Json(array.as_string()),
            Kind::Bool => Self::Bool(array.as_boolean()),
            Kind::Int32 => Self::Int32(array.as_primitive::<Int32Type>()),
            Kind::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            Kind::Float32 => Self::Float32(array.as_primitive::<Float32Type>()),
            Kind::Float64 => Self::Float64(array.as_primitive::<Float64Type>()),
            Kind::Time => Self::Time(array.as_primitive::<TimestampMicrosecondType>()),
            Kind::Hash16 => Self::Hash16(array.as_fixed_size_binary()),
            Kind::Geometry(_) => Self::Geometry(array.as_binary()),
            Kind::List(Kind::Text) => Self::Texts(array.as_list()),
            Kind::List(_) | Kind::Struct(_) | Kind::Map => Self::Nested(cells(&column.kind, array)),
        })
    }

    /// Writes the length and the bytes of one value. Returns how many characters were replaced, or what the value is not.
    fn put(&self, out: &mut Vec<u8>, row: usize) -> Result<u64, &'static str> {
        match self {
            Self::Text(array) => return Ok(put_text(out, array.value(row))),
            Self::Json(array) => return Ok(put_json(out, array.value(row))),
            Self::Nested(cells) => return Ok(put_json(out, &cells[row].to_json().to_string())),
            Self::Texts(array) => return Ok(put_texts(out, array.value(row).as_string())),
            Self::Uuid(array) => {
                put_bytes(out, Uuid::try_parse(array.value(row)).map_err(|_| "a UUID")?.as_bytes());
            }
            Self::Bool(array) => put_bytes(out, &[array.value(row).into()]),
            Self::Int32(array) => put_bytes(out, &array.value(row).to_be_bytes()),
            Self::Int64(array) => put_bytes(out, &array.value(row).to_be_bytes()),
            Self::Float32(array) => put_bytes(out, &array.value(row).to_be_bytes()),
            Self::Float64(array) => put_bytes(out, &array.value(row).to_be_bytes()),
            Self::Time(array) => {
                let micros = array.value(row).checked_sub(POSTGRES_EPOCH_MICROS).ok_or("an instant")?;
                put_bytes(out, &micros.to_be_bytes());
            }
            Self::Hash16(array) => put_bytes(out, array.value(row)),
            Self::Geometry(array) => put_ewkb(out, array.value(row)).ok_or("WKB")?,
        }
        Ok(0)
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, text: &str) -> u64 {
    if !text.contains('\0') {
        put_bytes(out, text.as_bytes());
        return 0;
    }
    put_bytes(out, text.replace('\0', "\u{fffd}").as_bytes());
    text.matches('\0').count() as u64
}

/// Version of jsonb's binary form, before the text.
const JSONB_VERSION: u8 = 1;

fn put_json(out: &mut Vec<u8>, json: &str) -> u64 {
    let (json, replaced) = postgres_json(json);
    out.extend((json.len() as i32 + 1).to_be_bytes());
    out.push(JSONB_VERSION);
    out.extend_from_slice(json.as_bytes());
    replaced
}

/// One dimension from 1 on; none where there are no values.
fn put_texts(out: &mut Vec<u8>, texts: &StringArray) -> u64 {
    let start = out.len();
    let put = |out: &mut Vec<u8>, number: i32| out.extend(number.to_be_bytes());
    put(out, 0);
    put(out, i32::from(!texts.is_empty()));
    put(out, 0);
    put(out, TEXT_OID);
    let mut replaced = 0;
    if !texts.is_empty() {
        put(out, texts.len() as i32);
        put(out, 1);
        replaced = texts.iter().map(|text| put_text(out, text.unwrap_or_default())).sum();
    }
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    replaced
}

/// Inserts the SRID after the type of the outermost geometry; `None` where the bytes are too few to have a type.
fn put_ewkb(out: &mut Vec<u8>, wkb: &[u8]) -> Option<()> {
    let (head, coordinates) = wkb.split_at_checked(5)?;
    let mut head: [u8; 5] = head.try_into().ok()?;
    // The type is 32 bits in the geometry's own byte order; the flag is in the highest byte.
    let (high, srid) = if head[0] == 0 { (1, SRID.to_be_bytes()) } else { (4, SRID.to_le_bytes()) };
    if head[high] & SRID_FLAG != 0 {
        put_bytes(out, wkb);
        return Some(());
    }
    head[high] |= SRID_FLAG;
    out.extend((wkb.len() as i32 + 4).to_be_bytes());
    out.extend([&head[..], &srid, coordinates].concat());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tabulate::table::optional;
    use crate::pipeline::tabulate::{GeometryRole, Table, rows_to_batches};

    /// The fields of the one row that a table of one row becomes.
    fn encoded(columns: &'static [Column], row: Vec<Cell>) -> (Vec<Option<Vec<u8>>>, u64) {
        let table = Table { name: "t".into(), schema_version: 1, doc: "".into(), columns: columns.into() };
        let batch = rows_to_batches(&table, [row]).next().unwrap().unwrap();
        let mut encoder = Encoder::new(Vec::new(), columns.iter().collect(), None);
        encoder.write(&batch).unwrap();
        let (bytes, replaced) = encoder.finish().unwrap();
        let mut rest = bytes.strip_prefix(HEADER).unwrap();
        let mut take = |length: usize| {
            let (head, tail) = rest.split_at(length);
            rest = tail;
            head.to_vec()
        };
        assert_eq!(take(2), (columns.len() as i16).to_be_bytes());
        let fields = columns
            .iter()
            .map(|_| {
                let length = i32::from_be_bytes(take(4).try_into().unwrap());
                (length >= 0).then(|| take(length as usize))
            })
            .collect();
        assert_eq!(take(2), [0xff, 0xff]);
        assert!(rest.is_empty());
        (fields, replaced)
    }

    const fn column(name: &'static str, kind: Kind) -> Column {
        optional(name, kind, "")
    }

    #[test]
    fn every_kind_has_its_bytes() {
        const COLUMNS: &[Column] = &[
            column("uuid", Kind::Uuid),
            column("text", Kind::Text),
            column("bool", Kind::Bool),
            column("int4", Kind::Int32),
            column("int8", Kind::Int64),
            column("float4", Kind::Float32),
            column("float8", Kind::Float64),
            column("time", Kind::Time),
            column("hash", Kind::Hash16),
            column("json", Kind::Json),
            column("list", Kind::List(&Kind::Text)),
            column("empty", Kind::List(&Kind::Text)),
            column("map", Kind::Map),
            column("null", Kind::Text),
        ];
        let text = |text: &str| Cell::Text(text.into());
        let (fields, replaced) = encoded(
            COLUMNS,
            vec![
                text("00112233-4455-6677-8899-aabbccddeeff"),
                text("größe"),
                Cell::Bool(true),
                Cell::Int(-2),
                Cell::Int(1),
                Cell::Float(1.5),
                Cell::Float(-0.1),
                Cell::Time(POSTGRES_EPOCH_MICROS + 1),
                Cell::Bytes((0..16).collect()),
                text(r#"{"a":1}"#),
                Cell::List(vec![text("a"), text("")]),
                Cell::List(vec![]),
                Cell::Map(vec![("k".into(), "v".into())]),
                Cell::Null,
            ],
        );
        let expected: Vec<Option<Vec<u8>>> = vec![
            Some((0..16).map(|n| n * 0x11).collect()),
            Some("größe".into()),
            Some(vec![1]),
            Some(vec![0xff, 0xff, 0xff, 0xfe]),
            Some(vec![0, 0, 0, 0, 0, 0, 0, 1]),
            Some(vec![0x3f, 0xc0, 0, 0]),
            Some((-0.1_f64).to_be_bytes().to_vec()),
            Some(vec![0, 0, 0, 0, 0, 0, 0, 1]),
            Some((0..16).collect()),
            Some(b"\x01{\"a\":1}".to_vec()),
            Some(vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, b'a', 0, 0, 0, 0]),
            Some(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]),
            Some(b"\x01{\"k\":\"v\"}".to_vec()),
            None,
        ];
        assert_eq!(fields, expected);
        assert_eq!(replaced, 0);
    }

    #[test]
    fn geometries_get_their_reference_system_in_either_byte_order() {
        const COLUMNS: &[Column] = &[
            column("little", Kind::Geometry(GeometryRole::Point)),
            column("big", Kind::Geometry(GeometryRole::Point)),
            column("known", Kind::Geometry(GeometryRole::Point)),
        ];
        let with = |head: &[u8]| [head, &[7; 16]].concat();
        let rows =
            [with(&[1, 1, 0, 0, 0]), with(&[0, 0, 0, 0, 1]), with(&[1, 1, 0, 0, 0x20, 1, 2, 3, 4])].map(Cell::Bytes);
        let (fields, _) = encoded(COLUMNS, rows.to_vec());
        assert_eq!(fields[0], Some(with(&[1, 1, 0, 0, 0x20, 0xe6, 0x10, 0, 0])));
        assert_eq!(fields[1], Some(with(&[0, 0x20, 0, 0, 1, 0, 0, 0x10, 0xe6])));
        assert_eq!(fields[2], Some(with(&[1, 1, 0, 0, 0x20, 1, 2, 3, 4])));
    }

    #[test]
    fn what_postgresql_cannot_hold_is_replaced_and_counted() {
        const COLUMNS: &[Column] = &[column("text", Kind::Text), column("map", Kind::Map), column("json", Kind::Json)];
        let (fields, replaced) = encoded(
            COLUMNS,
            vec![
                Cell::Text("a\0b\0".into()),
                Cell::Map(vec![("k".into(), "\0".into())]),
                Cell::Text(r#"["\u0000", "\\u0000"]"#.into()),
            ],
        );
        assert_eq!(fields[0], Some("a\u{fffd}b\u{fffd}".into()));
        assert_eq!(fields[1], Some("\u{1}{\"k\":\"\\ufffd\"}".into()));
        assert_eq!(fields[2], Some("\u{1}[\"\\ufffd\", \"\\\\u0000\"]".into()));
        assert_eq!(replaced, 4);
    }

    #[test]
    fn values_that_are_not_of_their_type_name_the_column() {
        let columns = vec![column("id", Kind::Uuid), column("at", Kind::Int32)];
        let table = Table { name: "t".into(), schema_version: 1, doc: "".into(), columns: columns.into() };
        let rows = |id: &str| vec![vec![Cell::Text(id.into()), Cell::Int(1)]];
        let bad = rows_to_batches(&table, rows("node/1")).next().unwrap().unwrap();
        let columns = || table.columns.iter().collect();
        let error = Encoder::new(Vec::new(), columns(), None).write(&bad).unwrap_err();
        assert_eq!(error.to_string(), "column `id` holds a value that is not a UUID");
        let mut swapped = columns();
        swapped.reverse();
        let error = Encoder::new(Vec::new(), swapped, None).write(&bad).unwrap_err();
        assert!(error.to_string().starts_with("column `at` has type Utf8, not Int32"), "{error}");
    }
}
