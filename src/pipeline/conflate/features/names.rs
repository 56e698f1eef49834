//! Names: how alike two records are called, word by word, a word weighing by how few records bear it.

use smallvec::SmallVec;

use crate::pipeline::conflate::corpus::{Compact, Corpus, Name};
use crate::pipeline::conflate::spelling::jaro_winkler;
use crate::pipeline::conflate::tokens::Token;

/// Names this alike are written the same but for a letter.
pub(in crate::pipeline::conflate) const SAME_WORD: f64 = 0.92;

/// A word with its weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighed {
    /// The word in the form it is compared in.
    pub(super) form: Token,
    /// The word as it is written.
    pub(super) written: Token,
    /// How much it tells, in `(0, 1]`.
    pub(super) weight: f32,
}

/// What two lists of words share.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shared {
    /// Weight of the words of the first that the second has, each times how alike the two are.
    pub(super) of_a: f32,
    /// The same of the second.
    pub(super) of_b: f32,
    /// Weight of the rarest shared word.
    pub(super) rarest: f32,
}

impl Shared {
    /// Notes a pair of words; a word joined to another has no partner of its own.
    fn add(&mut self, a: Option<f32>, b: Option<f32>, alike: f32) {
        self.of_a += a.unwrap_or(0.0) * alike;
        self.of_b += b.unwrap_or(0.0) * alike;
        self.rarest = self.rarest.max(a.unwrap_or(1.0).min(b.unwrap_or(1.0)) * alike);
    }
}

/// How alike two names are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NameLikeness {
    /// Weight of shared words over that of all words, in `[0, 1]`.
    pub(super) overlap: f32,
    /// Weight of shared words over that of the name that shares more of itself, in `[0, 1]`.
    pub(super) contained: f32,
    /// Weight of the rarest shared word, in `[0, 1]`.
    pub(super) rare: f32,
    /// Jaro-Winkler similarity of the names without spaces, in `[0, 1]`.
    pub(super) letters: f32,
}

impl NameLikeness {
    fn mean(self) -> f32 {
        mean(self.overlap, self.contained, self.letters)
    }
}

/// One number for ranking partners, in `[0, 1]`.
pub(super) fn mean(overlap: f32, contained: f32, letters: f32) -> f32 {
    0.5 * overlap + 0.25 * contained + 0.25 * letters
}

/// How alike the best two names are; `None` where one record has no name.
pub(super) fn likeness(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<NameLikeness> {
    let pairs = corpus.names(a).iter().flat_map(|x| corpus.names(b).iter().map(move |y| of_names(x, y, corpus)));
    pairs.max_by(|x, y| x.mean().total_cmp(&y.mean()))
}

fn of_names(a: &Name, b: &Name, corpus: &Corpus) -> NameLikeness {
    let (words_a, words_b) = (weighed(a, corpus), weighed(b, corpus));
    let shared = align(&words_a, &words_b, corpus);
    let all = |words: &[Weighed]| words.iter().map(|word| word.weight).sum::<f32>();
    let (all_a, all_b) = (all(&words_a), all(&words_b));
    let (text_a, text_b) = (corpus.text(a.letters), corpus.text(b.letters));
    let mut likeness = NameLikeness {
        overlap: (shared.of_a + shared.of_b) / (all_a + all_b),
        contained: (shared.of_a / all_a).max(shared.of_b / all_b),
        rare: shared.rarest,
        letters: if a.letters == b.letters { 1.0 } else { jaro_winkler(text_a, text_b) as f32 },
    };
    let by_length = if text_a.len() <= text_b.len() { (a, text_a, b, text_b) } else { (b, text_b, a, text_a) };
    let (within, short, around, long) = by_length;
    let may_contain = || corpus.spelling(around.letters).may_contain(corpus.spelling(within.letters));
    if short.len() >= WITHIN_LETTERS && may_contain() && long.contains(short) {
        likeness.overlap = likeness.overlap.max(short.len() as f32 / long.len() as f32);
        likeness.contained = 1.0;
    }
    likeness
}

/// A whole name within another, spaces ignored, counts from this many letters on.
const WITHIN_LETTERS: usize = 6;

/// Whether both names have numbers, and none in common: `Elementary School 12` and `Elementary School 14`.
pub(super) fn numbered_apart(a: &Compact, b: &Compact, corpus: &Corpus) -> bool {
    let numbers = |record: &Compact| -> SmallVec<[Token; 8]> {
        let words = corpus.names(record).iter().flat_map(|name| corpus.words(name.forms)).copied();
        words.filter(|word| corpus.spelling(*word).is_number).collect()
    };
    let a = numbers(a);
    if a.is_empty() {
        return false;
    }
    let b = numbers(b);
    !b.is_empty() && !a.iter().any(|number| b.contains(number))
}

/// The words of a name or a street; few have more than these, which take no memory of their own.
pub(super) type Words = SmallVec<[Weighed; 8]>;

fn weighed(name: &Name, corpus: &Corpus) -> Words {
    let (forms, written) = (corpus.words(name.forms), corpus.words(name.written));
    let word = |(form, written): (&Token, &Token)| Weighed {
        form: *form,
        written: *written,
        weight: corpus.name_rarity(*form),
    };
    forms.iter().zip(written).map(word).collect()
}

/// Two words that are not equal match from here on: Jaro-Winkler …
const ALIKE: f64 = 0.88;
/// … which says something from this many letters on.
const ALIKE_LETTERS: usize = 4;
/// Two words run together match one word this alike …
const JOINED_ALIKE: f64 = 0.94;
/// … from this many letters on.
const JOINED_LETTERS: usize = 6;

/// What two lists of words share: each word has at most one partner, found greedily: equal words, words run together
/// (`north side`, `northside`), words alike in letters or cut short, then initials (`upmc`).
pub(super) fn align(a: &[Weighed], b: &[Weighed], corpus: &Corpus) -> Shared {
    let mut shared = Shared::default();
    let (mut free_a, mut free_b) = (Free::all(a.len()), Free::all(b.len()));
    for (i, word) in a.iter().enumerate() {
        if let Some(j) = free_b.iter().find(|j| b[*j].form == word.form) {
            free_a.take(i);
            free_b.take(j);
            shared.add(Some(word.weight), Some(b[j].weight), 1.0);
        }
    }
    if free_a.is_empty() || free_b.is_empty() {
        return shared;
    }
    joins(a, &mut free_a, b, &mut free_b, corpus, &mut |of_a, of_b| shared.add(of_a, of_b, 1.0));
    joins(b, &mut free_b, a, &mut free_a, corpus, &mut |of_b, of_a| shared.add(of_a, of_b, 1.0));
    if free_a.is_empty() || free_b.is_empty() {
        return shared;
    }
    let mut alike: Vec<(f32, usize, usize)> = Vec::new();
    for i in free_a.iter() {
        for j in free_b.iter() {
            let likeness = words_alike(a[i].form, b[j].form, corpus);
            if likeness > 0.0 {
                alike.push((likeness, i, j));
            }
        }
    }
    alike.sort_unstable_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    for (likeness, i, j) in alike {
        if free_a.has(i) && free_b.has(j) {
            free_a.take(i);
            free_b.take(j);
            shared.add(Some(a[i].weight), Some(b[j].weight), likeness);
        }
    }
    initials(a, &mut free_a, b, &mut free_b, corpus, &mut |of_a, of_b| shared.add(of_a, of_b, INITIALS_ALIKE));
    initials(b, &mut free_b, a, &mut free_a, corpus, &mut |of_b, of_a| shared.add(of_a, of_b, INITIALS_ALIKE));
    shared
}

/// Words of a list that have no partner yet, as bits.
#[derive(Debug, Clone, Copy)]
struct Free(u32);

impl Free {
    /// Of a list of at most [`Corpus::MAX_WORDS`].
    fn all(words: usize) -> Self {
        Self(((1_u64 << words) - 1) as u32)
    }

    fn has(self, at: usize) -> bool {
        at < 32 && self.0 & (1 << at) != 0
    }

    fn take(&mut self, at: usize) {
        self.0 &= !(1 << at);
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |at| self.has(*at))
    }
}

/// Two neighbouring words of one side that the other writes as one.
fn joins(
    parts: &[Weighed],
    free_parts: &mut Free,
    wholes: &[Weighed],
    free_wholes: &mut Free,
    corpus: &Corpus,
    found: &mut dyn FnMut(Option<f32>, Option<f32>),
) {
    for i in free_parts.iter() {
        if !free_parts.has(i) || !free_parts.has(i + 1) {
            continue;
        }
        let (first, second) = (corpus.text(parts[i].written), corpus.text(parts[i + 1].written));
        let is_whole = |whole: &str| {
            let both = first.len() + second.len();
            let equal = whole.len() == both && whole.starts_with(first) && whole.ends_with(second);
            let long = both >= JOINED_LETTERS && whole.len() >= JOINED_LETTERS;
            equal
                || (long
                    && whole.as_bytes()[0] == first.as_bytes()[0]
                    && whole.len().abs_diff(both) <= 2
                    && jaro_winkler(whole, &format!("{first}{second}")) >= JOINED_ALIKE)
        };
        let begins_so =
            |j: &usize| corpus.spelling(wholes[*j].written).first == corpus.spelling(parts[i].written).first;
        if let Some(j) = free_wholes.iter().find(|j| begins_so(j) && is_whole(corpus.text(wholes[*j].written))) {
            free_parts.take(i);
            free_parts.take(i + 1);
            free_wholes.take(j);
            found(Some(parts[i].weight), Some(wholes[j].weight));
            found(Some(parts[i + 1].weight), None);
        }
    }
}

/// How alike two different words are, in `[0, 1]`; 0 below the threshold. Numbers are equal or not.
fn words_alike(a: Token, b: Token, corpus: &Corpus) -> f32 {
    let (spelling_a, spelling_b) = (corpus.spelling(a), corpus.spelling(b));
    if spelling_a.is_number || spelling_b.is_number {
        return 0.0;
    }
    let shorter = spelling_a.letters.min(spelling_b.letters) as usize;
    // Words that begin differently are no beginnings of one another, and Winkler adds nothing.
    if spelling_a.first != spelling_b.first && (shorter < ALIKE_LETTERS || spelling_a.jaro_at_most(spelling_b) < ALIKE)
    {
        return 0.0;
    }
    let (a, b) = (corpus.text(a), corpus.text(b));
    if shorter == 1 {
        return if a.chars().next() == b.chars().next() { 0.5 } else { 0.0 };
    }
    if shorter < 3 {
        return 0.0;
    }
    let begins = a.starts_with(b) || b.starts_with(a);
    let prefix: f32 = match (begins, shorter) {
        (false, _) => 0.0,
        (true, 3) => 0.6,
        (true, _) => 0.8,
    };
    if shorter < ALIKE_LETTERS || spelling_a.jaro_winkler_at_most(spelling_b) < ALIKE {
        return prefix;
    }
    let alike = jaro_winkler(a, b);
    if alike >= ALIKE { prefix.max(alike as f32) } else { prefix }
}

/// How alike initials are to the words they stand for.
const INITIALS_ALIKE: f32 = 0.9;
/// Letters of a word that may be initials.
const INITIALS: std::ops::RangeInclusive<usize> = 2..=5;

/// A word that is the initials of neighbouring words of the other side.
fn initials(
    short: &[Weighed],
    free_short: &mut Free,
    long: &[Weighed],
    free_long: &mut Free,
    corpus: &Corpus,
    found: &mut dyn FnMut(Option<f32>, Option<f32>),
) {
    for i in free_short.iter() {
        let count = corpus.spelling(short[i].form).letters as usize;
        let letters = corpus.text(short[i].form);
        if !INITIALS.contains(&count) || !letters.chars().all(char::is_alphabetic) || long.len() < count {
            continue;
        }
        let stands_for = |from: usize| {
            letters
                .chars()
                .enumerate()
                .all(|(at, letter)| free_long.has(from + at) && corpus.text(long[from + at].form).starts_with(letter))
        };
        if let Some(from) = (0..=long.len() - count).find(|from| stands_for(*from)) {
            free_short.take(i);
            for (at, word) in long.iter().enumerate().skip(from).take(count) {
                free_long.take(at);
                found((at == from).then_some(short[i].weight), Some(word.weight));
            }
        }
    }
}

/// How alike the best two names are, in `[0, 1]`: shared words over all words (Dice), a word counting by its letters.
pub(in crate::pipeline::conflate) fn dice(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let pairs = corpus.names(a).iter().flat_map(|x| corpus.names(b).iter().map(move |y| (x, y)));
    let alike = pairs.map(|(x, y)| dice_of_words(corpus.words(x.written), corpus.words(y.written), corpus) as f32);
    alike.max_by(f32::total_cmp)
}

/// As [`shared_letters`].
fn dice_of_words(a: &[Token], b: &[Token], corpus: &Corpus) -> f64 {
    let letters = |word: Token| corpus.spelling(word).letters as usize;
    let is_same = |x: Token, y: Token| {
        let may_be = || corpus.spelling(x).jaro_winkler_at_most(corpus.spelling(y)) >= SAME_WORD;
        x == y || (may_be() && jaro_winkler(corpus.text(x), corpus.text(y)) >= SAME_WORD)
    };
    let all: usize = a.iter().chain(b).map(|word| letters(*word)).sum();
    let mut left: SmallVec<[Token; Corpus::MAX_WORDS]> = SmallVec::from_slice(b);
    let mut shared = 0;
    for word in a {
        if let Some(at) = left.iter().position(|other| is_same(*word, *other)) {
            shared += letters(*word) + letters(left.swap_remove(at));
        }
    }
    shared as f64 / all.max(1) as f64
}

/// Letters of shared words over all letters (Dice).
pub(super) fn shared_letters(a: &[&str], b: &[&str]) -> f64 {
    let letters = |words: &[&str]| -> usize { words.iter().map(|word| word.chars().count()).sum() };
    let mut left = b.to_vec();
    let mut shared = 0;
    for word in a {
        if let Some(at) = left.iter().position(|other| word == other || jaro_winkler(word, other) >= SAME_WORD) {
            shared += word.chars().count() + left[at].chars().count();
            left.swap_remove(at);
        }
    }
    shared as f64 / (letters(a) + letters(b)).max(1) as f64
}
