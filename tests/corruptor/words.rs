//! Words: invented ones, as frequent as words of names are.

use super::dice::Dice;

const ONSETS: [&str; 18] =
    ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "br", "sch"];
const NUCLEI: [&str; 8] = ["a", "e", "i", "o", "u", "au", "ei", "ie"];
const CODAS: [&str; 10] = ["", "", "", "n", "r", "l", "s", "t", "ck", "m"];

/// Different words of one vocabulary.
const VOCABULARY: usize = 40_000;

/// The word of a number, capitalised: the same one each time.
pub(crate) fn word(number: usize) -> String {
    let mut dice = Dice::new(0x57, number as u64);
    let syllables = 2 + dice.below(2);
    let mut word = String::new();
    for _ in 0..syllables {
        word.extend([*dice.pick(&ONSETS), *dice.pick(&NUCLEI), *dice.pick(&CODAS)]);
    }
    word[..1].make_ascii_uppercase();
    word
}

/// A word of the vocabulary, the first ones more often.
pub(crate) fn any_word(dice: &mut Dice) -> String {
    word(dice.zipf(VOCABULARY))
}

/// The text with one letter missing, doubled, or swapped with the next.
pub(crate) fn misspelt(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 4 {
        return text.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    match dice.below(3) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}
