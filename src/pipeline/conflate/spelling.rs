//! Spelling: how alike two words are written, and what tells most words apart without reading them.

/// What is known of a word without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spelling {
    /// One bit per class of letters for the first of it, and one for a second.
    classes: u64,
    /// How many characters it has.
    pub(super) letters: u32,
    /// Its first byte; 0 where it is empty.
    pub(super) first: u8,
    /// Whether it has digits only.
    pub(super) is_number: bool,
}

impl Spelling {
    pub(super) fn of(text: &str) -> Self {
        let (mut classes, mut letters) = (0u64, 0u32);
        for letter in text.chars() {
            let first = 1u64 << (u32::from(letter) & 31);
            classes |= if classes & first == 0 { first } else { first << 32 };
            letters += 1;
        }
        let first = text.bytes().next().unwrap_or_default();
        Self { classes, letters, first, is_number: text.bytes().all(|byte| byte.is_ascii_digit()) }
    }

    /// Whether it may have the other's letters one behind the other.
    pub(super) fn may_contain(self, other: Self) -> bool {
        other.classes & !self.classes == 0
    }

    /// An upper bound of the similarity of Jaro.
    ///
    /// A letter of a class that the other word has fewer of finds no partner. With m partners of lengths |a| and |b| it is
    /// at most (m/|a| + m/|b| + 1) / 3.
    pub(super) fn jaro_at_most(self, other: Self) -> f64 {
        let left = |a: Self, b: Self| a.letters - (a.classes & !b.classes).count_ones();
        let partners = f64::from(left(self, other).min(left(other, self)));
        let jaro = (partners / f64::from(self.letters) + partners / f64::from(other.letters) + 1.0) / 3.0;
        // Rounding must not make the bound fall short.
        jaro + 1e-9
    }

    /// An upper bound of the similarity of Jaro and Winkler, who take at most four tenths of the rest off.
    pub(super) fn jaro_winkler_at_most(self, other: Self) -> f64 {
        let jaro = self.jaro_at_most(other);
        jaro + 0.4 * (1.0 - jaro).max(0.0)
    }
}

/// Longest words whose letters are bits of one number.
const MAX_BITS: usize = 64;

/// The similarity of Jaro and Winkler, in `[0, 1]`: that of `strsim`, to the last bit. Without memory of its own for words
/// of the alphabet.
pub(super) fn jaro_winkler(a: &str, b: &str) -> f64 {
    let is_short = |word: &str| (1..=MAX_BITS).contains(&word.len()) && word.is_ascii();
    if !is_short(a) || !is_short(b) {
        return strsim::jaro_winkler(a, b);
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // Where each letter stands in b.
    let mut places = [0u64; 128];
    for (at, letter) in b.iter().enumerate() {
        places[usize::from(*letter)] |= 1 << at;
    }
    let range = (a.len().max(b.len()) / 2).saturating_sub(1);
    let below = |at: usize| if at >= MAX_BITS { u64::MAX } else { (1 << at) - 1 };
    let (mut of_a, mut of_b) = (0u64, 0u64);
    for (at, letter) in a.iter().enumerate() {
        let window = below(at + range + 1) & !below(at.saturating_sub(range));
        let found = places[usize::from(*letter)] & window & !of_b;
        if found != 0 {
            of_a |= 1 << at;
            of_b |= found & found.wrapping_neg();
        }
    }
    if of_a == 0 {
        return 0.0;
    }
    let matches = of_a.count_ones() as usize;
    let mut crossed = 0_usize;
    while of_a != 0 {
        crossed += usize::from(a[of_a.trailing_zeros() as usize] != b[of_b.trailing_zeros() as usize]);
        of_a &= of_a - 1;
        of_b &= of_b - 1;
    }
    let transpositions = crossed / 2;
    let jaro = ((matches as f64 / a.len() as f64)
        + (matches as f64 / b.len() as f64)
        + ((matches - transpositions) as f64 / matches as f64))
        / 3.0;
    if jaro > 0.7 {
        let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
        jaro + 0.1 * prefix as f64 * (1.0 - jaro)
    } else {
        jaro
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two words of which the second is the first with a slip, or another.
    fn words() -> impl Strategy<Value = (String, String)> {
        "[a-dé1]{0,12}".prop_flat_map(|a| {
            let slip = (0..=a.chars().count(), "[a-d]{0,3}").prop_map({
                let a = a.clone();
                move |(at, put)| a.chars().take(at).chain(put.chars()).chain(a.chars().skip(at + 1)).collect::<String>()
            });
            (Just(a), prop_oneof![slip, "[a-d]{0,70}"])
        })
    }

    proptest! {
        #[test]
        fn letters_as_bits_give_what_strsim_gives((a, b) in words()) {
            prop_assert_eq!(jaro_winkler(&a, &b).to_bits(), strsim::jaro_winkler(&a, &b).to_bits());
        }

        #[test]
        fn bounds_are_never_too_low((a, b) in words()) {
            let (x, y) = (Spelling::of(&a), Spelling::of(&b));
            if !a.is_empty() && !b.is_empty() {
                prop_assert!(strsim::jaro(&a, &b) <= x.jaro_at_most(y));
                prop_assert!(strsim::jaro_winkler(&a, &b) <= x.jaro_winkler_at_most(y));
            }
            prop_assert!(x.may_contain(y) || !a.contains(&b));
        }
    }
}
