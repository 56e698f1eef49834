//! The protobuf wire format, as much of it as OSM messages use, read in place.
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
}

/// The numbers of a repeated field: packed, as every writer does it, or one by one, as the format allows too.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeated<'a> {
    packed: &'a [u8],
    /// Numbers that did not come in one packed field.
    loose: Vec<u64>,
}

impl<'a> Repeated<'a> {
    /// Takes one more field of the same number.
    pub(super) fn add(&mut self, value: Value<'a>) -> Result<(), Fault> {
        match value {
            Value::Bytes(packed) if self.packed.is_empty() && self.loose.is_empty() => self.packed = packed,
            Value::Bytes(mut packed) => {
                self.loosen()?;
                while !packed.is_empty() {
                    self.loose.push(varint(&mut packed)?);
                }
            }
            Value::Number(number) => {
                self.loosen()?;
                self.loose.push(number);
            }
            Value::Fixed => return Err(Fault::Structure("a field has the wrong wire type")),
        }
        Ok(())
    }

    fn loosen(&mut self) -> Result<(), Fault> {
        while !self.packed.is_empty() {
            self.loose.push(varint(&mut self.packed)?);
        }
        Ok(())
    }

    /// Whether there is no number.
    pub(super) fn is_empty(&self) -> bool {
        self.packed.is_empty() && self.loose.is_empty()
    }

    /// How many numbers there are: those bytes that end one.
    pub(super) fn count(&self) -> usize {
        self.loose.len() + self.packed.iter().filter(|byte| **byte < 0x80).count()
    }

    /// The numbers, in order.
    pub(super) fn numbers(&self) -> Numbers<'_> {
        Numbers { packed: self.packed, loose: &self.loose }
    }
}

/// The numbers of a repeated field, in order.
#[derive(Debug, Clone)]
pub(super) struct Numbers<'a> {
    packed: &'a [u8],
    loose: &'a [u64],
}

impl Numbers<'_> {
    /// The next number; `None` behind the last.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<u64>, Fault> {
        if self.packed.is_empty() {
            let Some((number, rest)) = self.loose.split_first() else { return Ok(None) };
            self.loose = rest;
            return Ok(Some(*number));
        }
        varint(&mut self.packed).map(Some)
    }
}

/// Delta-coded signed numbers, added up.
#[derive(Debug, Clone)]
pub(super) struct Sums<'a> {
    deltas: Numbers<'a>,
    last: i64,
}

impl<'a> Sums<'a> {
    pub(super) fn of(field: &'a Repeated<'_>) -> Self {
        Self { deltas: field.numbers(), last: 0 }
    }

    /// The next number; `None` behind the last.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<i64>, Fault> {
        let Some(delta) = self.deltas.next()? else { return Ok(None) };
        let sum = self.last.checked_add(zigzag(delta));
        self.last = sum.ok_or(Fault::Structure("a delta-coded number is out of all range"))?;
        Ok(Some(self.last))
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

/// Takes a varint off the front. Most have one byte.
#[inline]
pub(super) fn varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    match rest.split_first() {
        Some((byte, tail)) if *byte < 0x80 => {
            *rest = tail;
            Ok(u64::from(*byte))
        }
        _ => long_varint(rest),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, Fault> {
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
        let read = |values: &[Value<'static>]| {
            let mut field = Repeated::default();
            values.iter().try_for_each(|value| field.add(*value))?;
            let (mut numbers, mut read) = (field.numbers(), Vec::new());
            while let Some(number) = numbers.next()? {
                read.push(number);
            }
            assert_eq!(field.count(), read.len());
            Ok::<_, Fault>(read)
        };
        let packed = Value::Bytes(&[1, 0x96, 0x01, 0]);
        let cases: [(&[Value<'static>], Option<Vec<u64>>); 6] = [
            (&[], Some(vec![])),
            (&[Value::Number(7)], Some(vec![7])),
            (&[packed], Some(vec![1, 150, 0])),
            (&[packed, packed], Some(vec![1, 150, 0, 1, 150, 0])),
            (&[Value::Number(7), packed, Value::Number(8)], Some(vec![7, 1, 150, 0, 8])),
            (&[Value::Bytes(&[1, 0x80])], None),
        ];
        for (values, expected) in cases {
            assert_eq!(read(values).ok(), expected, "{values:?}");
        }
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
