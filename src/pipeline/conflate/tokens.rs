//! Tokens: the texts of a run, each once, and how words are told apart without reading them.
//!
//! - **Memory**: a distinct text takes its bytes, 24 beside them, and 16 to 32 in the table by which it is found.

use std::hash::BuildHasher;
use std::num::NonZeroU32;

use rustc_hash::FxBuildHasher;
use strsim::jaro_winkler;

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

    /// How many characters a text has.
    pub(super) fn letters(&self, token: Token) -> usize {
        self.spellings[token.at()].letters as usize
    }

    /// Whether two words are alike by Jaro and Winkler at least this much, in `[0, 1]`; exact, and quick for most words.
    pub(super) fn alike(&self, a: Token, b: Token, least: f64) -> bool {
        let may_be = || self.spellings[a.at()].jaro_winkler_at_most(self.spellings[b.at()]) >= least;
        a == b || (may_be() && jaro_winkler(self.text(a), self.text(b)) >= least)
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

/// Which letters a text has, coarsely.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    /// One bit per class of letters for the first of it, and one for a second.
    classes: u64,
    /// Characters.
    letters: u32,
}

impl Spelling {
    fn of(text: &str) -> Self {
        let (mut classes, mut letters) = (0u64, 0u32);
        for letter in text.chars() {
            let first = 1u64 << (u32::from(letter) & 31);
            classes |= if classes & first == 0 { first } else { first << 32 };
            letters += 1;
        }
        Self { classes, letters }
    }

    /// An upper bound of the similarity of Jaro and Winkler.
    ///
    /// A letter of a class that the other word has fewer of finds no partner. With m partners of lengths |a| and |b| Jaro
    /// is at most (m/|a| + m/|b| + 1) / 3, and Winkler takes at most four tenths of the rest off.
    fn jaro_winkler_at_most(self, other: Self) -> f64 {
        let left = |a: Self, b: Self| a.letters - (a.classes & !b.classes).count_ones();
        let partners = f64::from(left(self, other).min(left(other, self)));
        let jaro = (partners / f64::from(self.letters) + partners / f64::from(other.letters) + 1.0) / 3.0;
        // Rounding must not make the bound fall short.
        jaro + 0.4 * (1.0 - jaro) + 1e-9
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!((tokens.text(empty), tokens.letters(empty)), ("", 0));
    }

    proptest! {
        #[test]
        fn the_short_cut_never_changes_what_is_alike(
            (a, b) in "[a-d1é]{0,9}".prop_flat_map(|a| {
                let slip = (0..=a.chars().count(), "[a-d]{0,2}").prop_map({
                    let a = a.clone();
                    move |(at, put)| a.chars().take(at).chain(put.chars()).chain(a.chars().skip(at + 1)).collect::<String>()
                });
                (Just(a), slip)
            }),
            least in 0.5f64..1.0,
        ) {
            let mut tokens = Tokens::default();
            let (x, y) = (tokens.intern(&a), tokens.intern(&b));
            prop_assert_eq!(tokens.alike(x, y, least), a == b || jaro_winkler(&a, &b) >= least);
        }
    }
}
