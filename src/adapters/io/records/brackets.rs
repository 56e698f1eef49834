//! Brackets: where an object or array ends, and where in an object an array begins.

/// Bytes outside of texts that are more than content: quotes and brackets.
const IS_MARK: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"\"{}[]";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// What a look at the beginning of an object tells of an array in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// The first byte behind its bracket.
    Found(usize),
    /// It has none.
    None,
    /// More of the object must be read.
    More,
}

/// Looks among the members of an object for an array under one of these names.
pub(super) fn array_in(object: &[u8], names: &[&str]) -> Search {
    let skip = |mut at: usize| {
        while object.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    let mut at = 1;
    loop {
        at = skip(at);
        match object.get(at) {
            None => return Search::More,
            Some(b'"') => {}
            Some(_) => return Search::None,
        }
        let Some(end) = end_of_text(object, at) else { return Search::More };
        let name = &object[at + 1..end - 1];
        at = skip(end);
        match object.get(at) {
            None => return Search::More,
            Some(b':') => at = skip(at + 1),
            Some(_) => return Search::None,
        }
        match object.get(at) {
            None => return Search::More,
            Some(b'[') if names.iter().any(|wanted| wanted.as_bytes() == name) => return Search::Found(at + 1),
            Some(b'{' | b'[') => match Brackets::default().end_of(&object[at..]) {
                Some((End::Closed, length)) => at += length + 1,
                Some((End::Mismatched, _)) => return Search::None,
                None => return Search::More,
            },
            Some(b'"') => match end_of_text(object, at) {
                Some(end) => at = end,
                None => return Search::More,
            },
            Some(_) => {
                let is_end = |byte: &u8| b",}".contains(byte) || byte.is_ascii_whitespace();
                match object[at..].iter().position(is_end) {
                    Some(length) => at += length,
                    None => return Search::More,
                }
            }
        }
        at = skip(at);
        match object.get(at) {
            None => return Search::More,
            Some(b',') => at += 1,
            Some(_) => return Search::None,
        }
    }
}

/// Where a text that begins at `at` with its quote ends, behind its other quote.
fn end_of_text(bytes: &[u8], at: usize) -> Option<usize> {
    let mut is_escaped = false;
    for (offset, byte) in bytes[at + 1..].iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + offset + 2),
            _ => {}
        }
    }
    None
}

/// Which brackets are open, as far as read. Knows texts, so that brackets in them do not count.
#[derive(Debug, Default)]
pub(super) struct Brackets {
    open: Vec<u8>,
    pub(super) in_text: bool,
    is_escaped: bool,
}

/// How what was open ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its own bracket closed it.
    Closed,
    /// The bracket of another kind came, or one too many.
    Mismatched,
}

impl Brackets {
    /// As they are behind the bracket that begins an object.
    pub(super) fn in_object() -> Self {
        Self { open: vec![b'{'], ..Self::default() }
    }

    /// Reads on until the outermost bracket ends; how, and at which byte.
    pub(super) fn end_of(&mut self, bytes: &[u8]) -> Option<(End, usize)> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_text = false,
                    // Most of a text, passed over in a loop of its own.
                    _ => {
                        at += bytes[at..]
                            .iter()
                            .position(|byte| matches!(byte, b'"' | b'\\'))
                            .unwrap_or(bytes.len() - at);
                        continue;
                    }
                }
                at += 1;
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.open.push(*byte),
                b'}' | b']' => {
                    let opening = if *byte == b'}' { b'{' } else { b'[' };
                    if self.open.pop() != Some(opening) {
                        return Some((End::Mismatched, at));
                    } else if self.open.is_empty() {
                        return Some((End::Closed, at));
                    }
                }
                _ => {
                    at += bytes[at..].iter().position(|byte| IS_MARK[usize::from(*byte)]).unwrap_or(bytes.len() - at);
                    continue;
                }
            }
            at += 1;
        }
        None
    }
}
