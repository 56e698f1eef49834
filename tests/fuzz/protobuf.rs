//! Protobuf messages without their schema: enough to take one apart, change a part and put it together again.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

/// A field of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) number: u64,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    /// A text, bytes, packed numbers, or a message.
    Bytes(Vec<u8>),
    Fixed32([u8; 4]),
}

/// The fields of a message; `None` when it is none.
pub(crate) fn parse(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Varint(take_varint(&mut bytes)?),
            1 => Value::Fixed64(*take(&mut bytes, 8)?.first_chunk()?),
            2 => {
                let length = usize::try_from(take_varint(&mut bytes)?).ok()?;
                Value::Bytes(take(&mut bytes, length)?.to_vec())
            }
            5 => Value::Fixed32(*take(&mut bytes, 4)?.first_chunk()?),
            _ => return None,
        };
        if key >> 3 == 0 {
            return None;
        }
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

/// The bytes of a message.
pub(crate) fn write(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for Field { number, value } in fields {
        let mut key = |wire: u64| push_varint(&mut out, number << 3 | wire);
        match value {
            Value::Varint(value) => {
                key(0);
                push_varint(&mut out, *value);
            }
            Value::Fixed64(bytes) => {
                key(1);
                out.extend(bytes);
            }
            Value::Bytes(bytes) => {
                key(2);
                push_varint(&mut out, bytes.len() as u64);
                out.extend(bytes);
            }
            Value::Fixed32(bytes) => {
                key(5);
                out.extend(bytes);
            }
        }
    }
    out
}

/// A field that holds a number.
pub(crate) fn number(number: u64, value: i64) -> Field {
    Field { number, value: Value::Varint(value.cast_unsigned()) }
}

/// A field that holds bytes.
pub(crate) fn bytes(number: u64, value: impl Into<Vec<u8>>) -> Field {
    Field { number, value: Value::Bytes(value.into()) }
}

/// A field that holds a message.
pub(crate) fn message(number: u64, fields: &[Field]) -> Field {
    bytes(number, write(fields))
}

/// A field that holds numbers.
pub(crate) fn packed(number: u64, values: impl IntoIterator<Item = i64>) -> Field {
    bytes(number, write_varints(values.into_iter().map(i64::cast_unsigned)))
}

/// A field that holds the zigzag differences of numbers.
pub(crate) fn deltas(number: u64, values: impl IntoIterator<Item = i64>) -> Field {
    let mut last = 0;
    let differences = values.into_iter().map(|value| value.wrapping_sub(std::mem::replace(&mut last, value)));
    packed(number, differences.map(|difference| (difference << 1) ^ (difference >> 63)))
}

/// Packed numbers; `None` when they do not end where the bytes do.
pub(crate) fn parse_varints(mut bytes: &[u8]) -> Option<Vec<u64>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(take_varint(&mut bytes)?);
    }
    Some(values)
}

/// The bytes of packed numbers.
pub(crate) fn write_varints(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut out = Vec::new();
    values.into_iter().for_each(|value| push_varint(&mut out, value));
    out
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
