//! Tokens: the texts of a run, each once.
//!
//! - **Memory**: a distinct text takes its bytes, 24 beside them, and 16 to 32 in the table by which it is found.

use std::hash::BuildHasher;
use std::num::NonZeroU32;

use rustc_hash::FxBuildHasher;

use super::spelling::Spelling;

/// An interned text. Equal texts have equal tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Token(NonZeroU32);

impl Token {
    /// Its number, from 0.
    pub(super) fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The texts of a run, each once.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
    spellings: Vec<Spelling>,
    /// Open addressing: at most half of a power of two of slots are taken.
    slots: Vec<Option<Slot>>,
}

/// A part of a text's hash, which tells most texts apart, and the text.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    token: Token,
}

impl Tokens {
    /// The token of a text, an old one or a new one.
    pub(super) fn intern(&mut self, text: &str) -> Token {
        if self.slots.len() <= 2 * self.ends.len() {
            self.grow();
        }
        let hash = FxBuildHasher.hash_one(text);
        let mut at = self.first_slot(hash);
        while let Some(slot) = self.slots[at] {
            if slot.tag == tag(hash) && self.text(slot.token) == text {
                return slot.token;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        let number = u32::try_from(self.ends.len() + 1).ok().and_then(NonZeroU32::new);
        let token = Token(number.expect("a region has fewer than 2³² distinct texts"));
        self.slots[at] = Some(Slot { tag: tag(hash), token });
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.spellings.push(Spelling::of(text));
        token
    }

    /// The text of a token.
    pub(super) fn text(&self, token: Token) -> &str {
        let at = token.at();
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The texts in the order of their tokens.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    /// What is known of a text without reading it.
    pub(super) fn spelling(&self, token: Token) -> Spelling {
        self.spellings[token.at()]
    }

    fn first_slot(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn grow(&mut self) {
        let slots = (4 * self.ends.len()).next_power_of_two().max(64);
        let old = std::mem::replace(&mut self.slots, vec![None; slots]);
        for slot in old.into_iter().flatten() {
            let mut at = self.first_slot(FxBuildHasher.hash_one(self.text(slot.token)));
            while self.slots[at].is_some() {
                at = (at + 1) & (slots - 1);
            }
            self.slots[at] = Some(slot);
        }
    }
}

/// Bits of a hash that do not choose the slot.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_tokens() {
        let mut tokens = Tokens::default();
        let texts: Vec<String> = (0..1000).map(|number| format!("text {}", number % 400)).collect();
        let numbers: Vec<Token> = texts.iter().map(|text| tokens.intern(text)).collect();
        for (text, token) in texts.iter().zip(&numbers) {
            assert_eq!(tokens.intern(text), *token);
            assert_eq!(tokens.text(*token), text);
        }
        assert_eq!(tokens.ends.len(), 400);
        let empty = tokens.intern("");
        assert_eq!((tokens.text(empty), tokens.spelling(empty).letters), ("", 0));
    }
}
