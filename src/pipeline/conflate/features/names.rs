//! Names: how alike two records are called.

use strsim::jaro_winkler;

use crate::pipeline::conflate::corpus::{Compact, Corpus, Token};

/// Names this alike are written the same but for a letter.
pub(in crate::pipeline::conflate) const SAME_WORD: f64 = 0.92;

/// How alike the best two names are, in `[0, 1]`: shared words over all words (Dice), a word counting by its letters.
pub(super) fn similarity(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let pairs = corpus.names(a).flat_map(|x| corpus.names(b).map(move |y| dice(x, y, corpus)));
    pairs.max_by(f32::total_cmp)
}

fn dice(a: &[Token], b: &[Token], corpus: &Corpus) -> f32 {
    let text = |words: &[Token]| -> Vec<&str> { words.iter().map(|word| corpus.text(*word)).collect() };
    shared_letters(&text(a), &text(b)) as f32
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
