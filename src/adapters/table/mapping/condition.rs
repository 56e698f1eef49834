//! Condition: which words of a column count, for `where` and `when`.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// What a column must say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// One of these texts; an empty one stands for an empty field.
    AnyOf(Vec<String>),
    /// None of these texts.
    NoneOf(Vec<String>),
    /// True or false, in any of the ways that a boolean is written.
    Is(bool),
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Not {
            not: Condition,
        }

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list of texts, true, false, or { not = … }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Condition, E> {
                Ok(Condition::AnyOf(vec![text.to_owned()]))
            }

            fn visit_bool<E: de::Error>(self, is: bool) -> Result<Condition, E> {
                Ok(Condition::Is(is))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Condition, E> {
                Ok(Condition::AnyOf(vec![number.to_string()]))
            }

            fn visit_seq<S: de::SeqAccess<'de>>(self, mut seq: S) -> Result<Condition, S::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                if texts.is_empty() {
                    return Err(de::Error::custom("the list is empty; name at least one text"));
                }
                Ok(Condition::AnyOf(texts))
            }

            fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Condition, M::Error> {
                match Not::deserialize(de::value::MapAccessDeserializer::new(map))?.not {
                    Condition::AnyOf(texts) => Ok(Condition::NoneOf(texts)),
                    Condition::NoneOf(texts) => Ok(Condition::AnyOf(texts)),
                    Condition::Is(is) => Ok(Condition::Is(!is)),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
