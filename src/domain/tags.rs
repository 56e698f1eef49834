//! Tags: what a source says about an object, as key and value, in OpenStreetMap's vocabulary.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Anything that says of each key whether it has a value, and which.
pub trait TagSet {
    /// The value of `key`.
    fn value_of(&self, key: &str) -> Option<&str>;

    /// Every pair.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)>;
}

impl TagSet for Tags {
    fn value_of(&self, key: &str) -> Option<&str> {
        self.get(key)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
    }
}

/// Borrowed pairs in any order, as a reader meets them; of a key given twice, the first counts.
impl TagSet for [(&str, &str)] {
    fn value_of(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().copied()
    }
}

/// Key–value pairs, sorted by key; each key once.
///
/// The texts of all stand in one piece of memory: an object has dozens, and a piece for each would take longer than reading
/// them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Tags {
    /// Keys, each with its value behind it, in the order in which they were set; also those that no pair names any more.
    text: String,
    pairs: Vec<Pair>,
}

/// Where a key and its value stand: the key up to the value, the value up to the end.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Pair {
    /// The first bytes of the key, which tell most keys apart without looking at the text.
    prefix: u64,
    key: u32,
    value: u32,
    end: u32,
}

/// The first eight bytes of a key, in an order that is that of the keys as far as they differ in them.
fn prefix(key: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

impl Tags {
    /// No tags yet, with room for so many of so many bytes together.
    #[must_use]
    pub fn with_capacity(pairs: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), pairs: Vec::with_capacity(pairs) }
    }

    fn key(&self, pair: Pair) -> &str {
        &self.text[pair.key as usize..pair.value as usize]
    }

    fn value(&self, pair: Pair) -> &str {
        &self.text[pair.value as usize..pair.end as usize]
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        let prefix = prefix(key);
        self.pairs.binary_search_by(|pair| pair.prefix.cmp(&prefix).then_with(|| self.key(*pair).cmp(key)))
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.find(key).ok().map(|at| self.value(self.pairs[at]))
    }

    /// The first of `keys` that has a value.
    #[must_use]
    pub fn first_of(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Sets `key`, replacing what was there.
    pub fn set(&mut self, key: &str, value: impl AsRef<str>) {
        let begin = self.text.len() as u32;
        self.text.push_str(key);
        let middle = self.text.len() as u32;
        self.text.push_str(value.as_ref());
        let pair = Pair { prefix: prefix(key), key: begin, value: middle, end: self.text.len() as u32 };
        match self.find(key) {
            Ok(at) => self.pairs[at] = pair,
            Err(at) => self.pairs.insert(at, pair),
        }
    }

    /// Takes `key` out.
    pub fn take(&mut self, key: &str) -> Option<Box<str>> {
        let at = self.find(key).ok()?;
        let pair = self.pairs.remove(at);
        Some(self.value(pair).into())
    }

    /// Keeps the pairs for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        let text = &self.text;
        self.pairs.retain(|pair| {
            let (key, value, end) = (pair.key as usize, pair.value as usize, pair.end as usize);
            keep(&text[key..value], &text[value..end])
        });
    }

    /// Every pair, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|pair| (self.key(*pair), self.value(*pair)))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Tags {}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Tags {
    /// Of a key given twice, the last value stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut tags = Self::default();
        for (key, value) in pairs {
            tags.set(key.as_ref(), value);
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_and_the_last_value_of_a_key_stays() {
        let mut tags: Tags = [("b", "1"), ("a", "2"), ("b", "3"), ("", "ä")].into_iter().collect();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("", "ä"), ("a", "2"), ("b", "3")]);
        tags.set("a", "4");
        assert_eq!((tags.get("a"), tags.get("c"), tags.first_of(&["c", "b"])), (Some("4"), None, Some("3")));
        let same: Tags = [("b", "3"), ("a", "4"), ("", "ä")].into_iter().collect();
        assert_eq!(tags, same);
        assert_eq!((tags.take("a").as_deref(), tags.take("a")), (Some("4"), None));
        tags.retain(|key, _| key.is_empty());
        assert_eq!(format!("{tags:?}"), r#"{"": "ä"}"#);
    }

    #[test]
    fn keys_that_begin_alike_are_in_order_too() {
        let keys = ["a", "a\0", "a\0b", "addr:city", "addr:cityname", "addr:country", "operator", "operator:ocm", "ä"];
        let tags: Tags = keys.iter().rev().map(|key| (key, key)).collect();
        assert_eq!(tags.iter().map(|(key, _)| key).collect::<Vec<_>>(), keys);
        assert!(keys.iter().all(|key| tags.get(key) == Some(key)));
    }
}
