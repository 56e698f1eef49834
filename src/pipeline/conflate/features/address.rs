//! Addresses: streets as weighed words, house numbers as ranges, postcodes by how few records share them.

use super::names::{Weighed, Words, align};
use crate::pipeline::conflate::corpus::{Compact, Corpus};
use crate::pipeline::conflate::tokens::Token;
use crate::pipeline::conflate::words::{MAX_LETTERS, WORDS, fold};

/// House numbers `(from, to)`; a single one twice.
pub(in crate::pipeline::conflate) type Numbers = (u32, u32);

/// A house number has fewer digits than this.
const MAX_DIGITS: usize = 6;

/// Words whose number is that of a unit within the house.
const UNITS: [&str; 17] = [
    "unit", "suite", "ste", "apt", "shop", "room", "rm", "level", "lvl", "floor", "flr", "fl", "stock", "etage",
    "wohnung", "whg", "top",
];

/// Street words in the form they are compared in, and house numbers, of a free address line.
///
/// `Liberty Ave, 5308`, `19-21 West Register St.`, `Hauptstraße 7a`; `#02-15`, `Unit 4` and `2nd floor` are left out.
pub(in crate::pipeline::conflate) fn parse(line: &str) -> (Vec<String>, Vec<Numbers>) {
    let folded: String = fold(line).chars().take(MAX_LETTERS).collect();
    let (mut street, mut numbers) = (Vec::new(), Vec::new());
    let mut words = folded.split([' ', ',', ';', '/', '(', ')', '.']).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        if word.starts_with('#') {
            continue;
        }
        let followed_by_digits = words.peek().is_some_and(|next| next.bytes().any(|b| b.is_ascii_digit()));
        if UNITS.contains(&word) && followed_by_digits {
            words.next();
            continue;
        }
        if is_ordinal(word) && words.peek().is_some_and(|next| matches!(*next, "floor" | "flr" | "fl" | "level")) {
            words.next();
            continue;
        }
        if let Some(range) = range(word) {
            numbers.push(range);
            continue;
        }
        for part in word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
            match range(part) {
                Some(number) => numbers.push(number),
                None => push_street_word(&mut street, part),
            }
        }
    }
    (street, numbers)
}

/// `strasse` is a word of its own wherever it stands.
fn push_street_word(street: &mut Vec<String>, word: &str) {
    for (suffix, longest_root) in [("strasse", 0), ("str", 2)] {
        if let Some(root) = word.strip_suffix(suffix).filter(|root| root.len() > longest_root) {
            street.push(root.to_owned());
            street.push("st".to_owned());
            return;
        }
    }
    street.push(WORDS.street_form(word).to_owned());
}

/// `19`, `7a`, `10-14`; `100-2` is 100 to 102.
fn range(word: &str) -> Option<Numbers> {
    let number = |text: &str| -> Option<u32> {
        let digits = text.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(text);
        let is_number = !digits.is_empty() && digits.len() < MAX_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        if is_number { digits.parse().ok() } else { None }
    };
    let Some((from, to)) = word.split_once(['-', '–']) else {
        return number(word).map(|number| (number, number));
    };
    let (low, high) = (number(from)?, number(to)?);
    if high >= low {
        return Some((low, high));
    }
    let digits = from.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let to = to.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let kept = digits.len().checked_sub(to.len())?;
    let high = number(&format!("{}{to}", &digits[..kept]))?;
    Some((low.min(high), low.max(high)))
}

fn is_ordinal(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    !digits.is_empty() && digits.len() < word.len() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// How alike the streets are, in `[0, 1]`: the weight of shared words over that of all words of the shorter.
pub(super) fn street_similarity(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let (a, b) = (corpus.words(a.street), corpus.words(b.street));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let weighed = |words: &[Token]| -> Words {
        words.iter().map(|word| Weighed { form: *word, written: *word, weight: corpus.street_rarity(*word) }).collect()
    };
    let (a, b) = (weighed(a), weighed(b));
    let shared = align(&a, &b, corpus);
    let all = |words: &[Weighed]| words.iter().map(|word| word.weight).sum::<f32>();
    Some((shared.of_a / all(&a)).max(shared.of_b / all(&b)))
}

/// Streets less alike than this are different streets.
const SAME_STREET: f32 = 0.7;

/// The value of [`house_gap`] for numbers far apart, or of different streets.
const FAR: f32 = 1.6;

/// How far apart the house numbers are: ln(1 + gap), at most 1.6, which also stands for numbers of different streets.
pub(super) fn house_gap(a: &Compact, b: &Compact, street: Option<f32>, corpus: &Corpus) -> Option<f32> {
    let (a, b) = (corpus.numbers(a), corpus.numbers(b));
    let street = street?;
    let gaps = a.iter().flat_map(|x| b.iter().map(move |y| x.0.max(y.0).saturating_sub(x.1.min(y.1))));
    let gap = gaps.min()?;
    Some(if street <= SAME_STREET { FAR } else { (gap as f32).ln_1p().min(FAR) })
}

/// -0.5 for postcodes that differ, 0 where they begin alike; for one that is a part of the other, how few records of the
/// run bear it, in `[0, 1]`.
pub(super) fn postcode_agreement(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let (token_a, token_b) = (a.postcode?, b.postcode?);
    let (x, y) = (corpus.text(token_a), corpus.text(token_b));
    if x.starts_with(y) || y.starts_with(x) {
        return Some(corpus.postcode_rarity(token_a).min(corpus.postcode_rarity(token_b)));
    }
    let alike = x.chars().zip(y.chars()).take_while(|(x, y)| x == y).count();
    Some(if alike >= 2 { 0.0 } else { -0.5 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_line_is_street_words_and_numbers() {
        let cases: [(&str, &[&str], &[Numbers]); 10] = [
            ("Liberty Ave, 5308", &["liberty", "ave"], &[(5308, 5308)]),
            ("19-21 West Register St.", &["w", "register", "st"], &[(19, 21)]),
            ("100-2 Rue de l'Est", &["rue", "de", "lest"], &[(100, 102)]),
            ("100-2a Rue", &["rue"], &[(100, 102)]),
            ("Hauptstraße 7a", &["haupt", "st"], &[(7, 7)]),
            ("Bahnhofstr. 12", &["bahnhof", "st"], &[(12, 12)]),
            ("1 Orchard Rd #02-15", &["orchard", "rd"], &[(1, 1)]),
            ("Unit 4, 9 High Street", &["high", "st"], &[(9, 9)]),
            ("2nd floor, 9 5th Avenue", &["5th", "ave"], &[(9, 9)]),
            ("", &[], &[]),
        ];
        for (line, street, numbers) in cases {
            let (words, found) = parse(line);
            assert_eq!(words, street, "{line}");
            assert_eq!(found, numbers, "{line}");
        }
    }
}
