//! Words: names and addresses as lists of folded words, and what is known of words before any record is read.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// What `pipelines/words.toml` says.
pub(super) static WORDS: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::parse(include_str!("../../../pipelines/words.toml")).expect("words.toml is tested"));

/// Share of all records that bear a word which says nearly nothing, before any record is read.
const STOP_SHARE: f32 = 0.05;
/// The same for words that say little, and for single letters.
const COMMON_SHARE: f32 = 0.01;
/// The same for words that many streets share.
const COMMON_STREET_SHARE: f32 = 0.1;

/// Letters of a name that are compared: what is longer is no name, and would be compared at the square of its length.
pub(super) const MAX_LETTERS: usize = 128;

/// The file as written: words in text, separated by white space.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: NamePart,
    street: StreetPart,
    kinds: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamePart {
    same: std::collections::BTreeMap<String, String>,
    words: NameWords,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameWords {
    stop: String,
    common: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StreetPart {
    same: std::collections::BTreeMap<String, String>,
    words: StreetWords,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StreetWords {
    common: String,
}

/// Words written in several ways, common words, and words that name a kind of thing.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    name_forms: FxHashMap<Box<str>, Box<str>>,
    street_forms: FxHashMap<Box<str>, Box<str>>,
    name_shares: FxHashMap<Box<str>, f32>,
    street_shares: FxHashMap<Box<str>, f32>,
    kinds: FxHashMap<Box<str>, u32>,
}

impl Vocabulary {
    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(text)?;
        let forms = |same: &std::collections::BTreeMap<String, String>| {
            let pairs = same.iter().flat_map(|(short, long)| {
                long.split_whitespace().map(|form| (Box::from(form), Box::from(short.as_str())))
            });
            pairs.collect::<FxHashMap<Box<str>, Box<str>>>()
        };
        let mut words =
            Self { name_forms: forms(&file.name.same), street_forms: forms(&file.street.same), ..Self::default() };
        for word in file.name.words.common.split_whitespace() {
            words.name_shares.insert(word.into(), COMMON_SHARE);
        }
        for word in file.name.words.stop.split_whitespace() {
            words.name_shares.insert(word.into(), STOP_SHARE);
        }
        for word in file.street.words.common.split_whitespace() {
            words.street_shares.insert(word.into(), COMMON_STREET_SHARE);
        }
        for (bit, words_of_kind) in file.kinds.values().enumerate() {
            for word in words_of_kind.split_whitespace() {
                *words.kinds.entry(word.into()).or_default() |= 1 << bit;
            }
        }
        Ok(words)
    }

    /// The form under which a word of a name is compared.
    pub(super) fn name_form<'w>(&'w self, word: &'w str) -> &'w str {
        self.name_forms.get(word).map_or(word, |form| form)
    }

    /// The form under which a word of a street is compared.
    pub(super) fn street_form<'w>(&'w self, word: &'w str) -> &'w str {
        self.street_forms.get(word).map_or(word, |form| form)
    }

    /// Share of names that bear a word, before any record is read, in `[0, 1]`.
    pub(super) fn name_share(&self, form: &str) -> f32 {
        let single_letter = if form.chars().nth(1).is_none() { COMMON_SHARE } else { 0.0 };
        self.name_shares.get(form).copied().unwrap_or(single_letter)
    }

    /// Share of streets that bear a word, before any record is read, in `[0, 1]`.
    pub(super) fn street_share(&self, form: &str) -> f32 {
        self.street_shares.get(form).copied().unwrap_or(0.0)
    }

    /// One bit for each kind of thing that the word names.
    pub(super) fn kinds(&self, form: &str) -> u32 {
        self.kinds.get(form).copied().unwrap_or(0)
    }
}

/// The words of a name as written but folded, separated by one space: lower case, no accents, initials joined, Chinese
/// and Japanese as pairs of characters.
pub(super) fn name_words(name: &str) -> String {
    let folded: String = without_dots(&fold(name)).chars().take(MAX_LETTERS).collect();
    let mut words = String::with_capacity(folded.len());
    for run in folded.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let chars: Vec<char> = run.chars().collect();
        if chars.len() > 2 && chars.iter().any(|c| is_without_spaces(*c)) {
            for pair in chars.windows(2) {
                push_word(&mut words, pair.iter());
            }
        } else {
            push_word(&mut words, chars.iter());
        }
    }
    words
}

fn push_word<'c>(words: &mut String, word: impl Iterator<Item = &'c char>) {
    if !words.is_empty() {
        words.push(' ');
    }
    words.extend(word);
}

/// Lower case, without accents and apostrophes; letters of their own as people type them elsewhere; `&` is `and`.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // What else is combined belongs to its letter: vowels of Indic names, the voice of Japanese ones.
    let without_accents = text.nfkd().filter(|c| !is_accent(*c)).nfc();
    for c in without_accents.flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            '&' | '+' => folded.push_str(" and "),
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' => {}
            c if is_accent(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Accents of Latin, Greek and Cyrillic letters, points of Hebrew ones, vowel signs of Arabic ones: often left out.
fn is_accent(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670)
}

/// Initials joined: `u.s.a` is `usa`.
fn without_dots(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let joins = |at: usize| {
        chars[at] == '.'
            && is_word(at.checked_sub(1))
            && !is_word(at.checked_sub(2))
            && is_word(Some(at + 1))
            && !is_word(Some(at + 2))
    };
    (0..chars.len()).filter(|at| !joins(*at)).map(|at| chars[at]).collect()
}

/// Chinese, Japanese and Korean characters, which stand without spaces.
fn is_without_spaces(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0x20000..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        let cases = [
            ("McKee's Rocks & Sons", "mckees rocks and sons"),
            ("U.S.A. Nails (2nd Ave.)", "usa nails 2nd ave"),
            ("Café  Müller-Straße", "cafe muller strasse"),
            ("St. Mary", "st mary"),
            ("東京駅前", "東京 京駅 駅前"),
            ("서울역앞", "서울 울역 역앞"),
            ("ガスト", "ガス スト"),
            ("कमला", "कमला"),
            ("Ørsted Łódź", "orsted lodz"),
            ("  – ", ""),
        ];
        for (name, words) in cases {
            assert_eq!(name_words(name), words, "{name}");
        }
    }

    #[test]
    fn the_lists_are_folded_and_name_each_word_once() {
        let words = &*WORDS;
        for form in words.name_forms.keys().chain(words.street_forms.keys()).chain(words.name_shares.keys()) {
            assert_eq!(name_words(form), **form, "folded");
        }
        let chained = words.name_forms.values().find(|form| words.name_form(form) != &***form);
        assert_eq!(chained, None, "a short form stands for itself");
        assert_eq!(words.name_form("centre"), "center");
        assert!(words.name_share("the") > words.name_share("pizza") && words.name_share("pizza") > 0.0);
        assert_eq!(words.kinds("hostel") & words.kinds("motel"), words.kinds("hotel"));
    }
}
