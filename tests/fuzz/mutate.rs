//! Changes a file where it is deep: within the message of a blob, whose lengths and compression are then made right
//! again. Changes of plain bytes hardly ever pass the inflating.

use super::blobs::{Codec, join, split};
use super::protobuf::{Field, Value, parse, parse_varints, write, write_varints};

/// Numbers at the edges of what readers expect.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    3,
    127,
    128,
    16_000,
    8_001,
    65_536,
    i32::MAX as u64,
    u32::MAX as u64,
    u32::MAX as u64 + 1,
    i64::MAX as u64,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// How deep messages are in each other: block, group, way, info, and one more.
const DEEPEST: u32 = 5;

/// Changes bytes in any way.
type ChangeBytes<'a> = dyn FnMut(&mut Vec<u8>) + 'a;

/// The file with a change; `None` when it is better changed as plain bytes.
pub(crate) fn file(file: &[u8], seed: u32, bytes: &mut ChangeBytes<'_>) -> Option<Vec<u8>> {
    let mut dice = Dice(u64::from(seed) << 1 | 1);
    if dice.one_in(8) {
        return None;
    }
    let mut blobs = split(file)?;
    let at = dice.below(blobs.len())?;
    let other = dice.below(blobs.len())?;
    match dice.below(12)? {
        0 => blobs.swap(at, other),
        1 => blobs.insert(at, blobs[other].clone()),
        2 => _ = blobs.remove(at),
        3 => change_fields(&mut blobs[at].fields, 0, &mut dice, bytes),
        _ => {
            let mut content = blobs[at].content()?;
            for _ in 0..=dice.below(3)? {
                change(&mut content, 0, &mut dice, bytes);
            }
            let codec = if dice.one_in(8) { Codec::Zlib } else { Codec::Raw };
            blobs[at].fill(&content, codec);
        }
    }
    Some(join(&blobs))
}

/// Changes bytes that may be a message, packed numbers, or neither.
fn change(content: &mut Vec<u8>, depth: u32, dice: &mut Dice, bytes: &mut ChangeBytes<'_>) {
    if depth < DEEPEST
        && !dice.one_in(6)
        && let Some(mut fields) = parse(content).filter(|fields| !fields.is_empty())
    {
        change_fields(&mut fields, depth, dice, bytes);
        *content = write(&fields);
    } else if !dice.one_in(3)
        && let Some(mut values) = parse_varints(content)
    {
        change_numbers(&mut values, dice);
        *content = write_varints(values);
    } else {
        bytes(content);
    }
}

fn change_fields(fields: &mut Vec<Field>, depth: u32, dice: &mut Dice, bytes: &mut ChangeBytes<'_>) {
    let Some(at) = dice.below(fields.len()) else { return };
    match dice.below(16) {
        Some(0) => _ = fields.remove(at),
        Some(1) => fields.insert(at, fields[at].clone()),
        Some(2) => fields[at].number = 1 + dice.next() % 34,
        Some(3) => {
            let other = dice.below(fields.len()).unwrap_or(at);
            fields.swap(at, other);
        }
        _ => match &mut fields[at].value {
            Value::Varint(value) => *value = dice.number(*value),
            Value::Bytes(content) => change(content, depth + 1, dice, bytes),
            Value::Fixed32(content) => *content = (dice.next() as u32).to_le_bytes(),
            Value::Fixed64(content) => *content = dice.next().to_le_bytes(),
        },
    }
}

fn change_numbers(values: &mut Vec<u64>, dice: &mut Dice) {
    let Some(at) = dice.below(values.len()) else {
        values.push(dice.number(0));
        return;
    };
    match dice.below(8) {
        Some(0) => _ = values.remove(at),
        Some(1) => values.insert(at, values[at]),
        Some(2) => values.truncate(at),
        Some(3) => {
            let other = dice.below(values.len()).unwrap_or(at);
            values[at] = values[other];
        }
        _ => values[at] = dice.number(values[at]),
    }
}

/// Numbers that depend on the seed alone (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `count`; none when that is 0.
    fn below(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| (self.next() % count as u64) as usize)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    /// Another number in place of this one: near it, or at an edge.
    fn number(&mut self, value: u64) -> u64 {
        match self.next() % 5 {
            0 => EDGES[self.next() as usize % EDGES.len()],
            1 => value.wrapping_add(self.next() % 9).wrapping_sub(4),
            2 => value ^ 1 << (self.next() % 64),
            3 => value.wrapping_mul(2),
            _ => self.next() % 32,
        }
    }
}
