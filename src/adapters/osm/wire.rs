//! The protobuf wire format, as much of it as is needed to look at a message before `osmpbf` decodes it.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use super::Fault;

/// The value of one field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A varint.
    Number(u64),
    /// A message, a text or packed varints.
    Bytes(&'a [u8]),
    /// A fixed-width value, which OSM messages do not use.
    Fixed,
}

impl<'a> Value<'a> {
    /// The bytes of a field that is a message or a text.
    pub(super) fn bytes(self) -> Result<&'a [u8], Fault> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Fault::Structure("a field has the wrong wire type")),
        }
    }

    /// The number of a field that is one.
    pub(super) fn number(self) -> Result<u64, Fault> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(Fault::Structure("a field has the wrong wire type")),
        }
    }

    /// The numbers of a repeated field: packed, or one of several fields.
    pub(super) fn numbers(self) -> Result<Numbers<'a>, Fault> {
        match self {
            Self::Number(number) => Ok(Numbers { single: Some(number), packed: &[] }),
            Self::Bytes(packed) => Ok(Numbers { single: None, packed }),
            Self::Fixed => Err(Fault::Structure("a field has the wrong wire type")),
        }
    }
}

/// The numbers of a repeated field.
pub(super) struct Numbers<'a> {
    single: Option<u64>,
    packed: &'a [u8],
}

impl Iterator for Numbers<'_> {
    type Item = Result<u64, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(number) = self.single.take() {
            return Some(Ok(number));
        }
        if self.packed.is_empty() {
            return None;
        }
        let number = varint(&mut self.packed);
        if number.is_err() {
            self.packed = &[];
        }
        Some(number)
    }
}

/// The fields of a message, in the order of its bytes.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Value<'a>), Fault> {
        let tag = varint(&mut self.0)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).unwrap_or(usize::MAX);
                Value::Bytes(take(&mut self.0, length)?)
            }
            1 => take(&mut self.0, 8).map(|_| Value::Fixed)?,
            5 => take(&mut self.0, 4).map(|_| Value::Fixed)?,
            _ => return Err(Fault::Structure("a field has an unknown wire type")),
        };
        Ok((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// A signed number from its zigzag form.
pub(super) fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (head, tail) = rest.split_at_checked(length).ok_or(Fault::Structure("a field is cut off"))?;
    *rest = tail;
    Ok(head)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0;
    for (at, byte) in rest.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *rest = &rest[at + 1..];
            return Ok(number);
        }
    }
    Err(Fault::Structure("a number is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_packed_and_single() {
        let read = |value: Value<'_>| value.numbers().and_then(Iterator::collect::<Result<Vec<_>, _>>).ok();
        assert_eq!(read(Value::Number(7)), Some(vec![7]));
        assert_eq!(read(Value::Bytes(&[1, 0x96, 0x01, 0])), Some(vec![1, 150, 0]));
        assert_eq!(read(Value::Bytes(&[1, 0x80])), None);
    }

    #[test]
    fn zigzag_covers_both_ends() {
        assert_eq!([0, 1, 2, 3, u64::MAX - 1, u64::MAX].map(zigzag), [0, -1, 1, -2, i64::MAX, i64::MIN]);
    }

    #[test]
    fn a_message_that_is_cut_off_says_so() {
        for bytes in [&[0x0a, 5, 1][..], &[0x08], &[0x08, 0xff], &[0x0b, 1], &[0x09, 1]] {
            assert!(Fields(bytes).any(|field| field.is_err()), "{bytes:?}");
        }
    }
}
