//! Operators: one canonical name, and one Wikidata id, for the many ways an operator is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// An operator of places.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The name used in the tables.
    pub name: String,
    /// Its Wikidata id, e.g. `Q478214`.
    pub wikidata: Option<String>,
    /// Other ways to write it.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// The alias table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Operators {
    operators: Vec<Operator>,
    by_key: BTreeMap<String, usize>,
}

/// Why an operators file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum OperatorsError {
    #[error("cannot read the operators: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("operators `{first}` and `{second}` are both written `{alias}`")]
    Ambiguous { alias: String, first: String, second: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorsFile {
    operator: Vec<Operator>,
}

impl Operators {
    /// Reads an operators file.
    ///
    /// # Errors
    ///
    /// When it is not an operators file, or two operators share a name.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let operators = toml::from_str::<OperatorsFile>(text)?.operator;
        let mut by_key = BTreeMap::new();
        for (at, operator) in operators.iter().enumerate() {
            let names = operator.aliases.iter().chain([&operator.name]).chain(&operator.wikidata);
            for name in names {
                if let Some(other) = by_key.insert(fold(name), at).filter(|other| *other != at) {
                    let other: &Operator = &operators[other];
                    return Err(OperatorsError::Ambiguous {
                        alias: name.clone(),
                        first: other.name.clone(),
                        second: operator.name.clone(),
                    });
                }
            }
        }
        Ok(Self { operators, by_key })
    }

    /// The operator known under this name or Wikidata id.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Operator> {
        self.by_key.get(&fold(name)).map(|at| &self.operators[*at])
    }
}

/// A name as it is compared: compatibility forms and accents resolved, lower case, letters and digits only, words one blank apart.
#[must_use]
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            match c {
                'ß' => folded.push_str("ss"),
                'ø' => folded.push('o'),
                'æ' => folded.push_str("ae"),
                'ł' => folded.push('l'),
                _ => folded.push(c),
            }
        } else if c != '\'' && c != '’' && !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_what_people_mean() {
        let cases = [
            ("Café  Müller", "cafe muller"),
            ("E.ON", "e on"),
            ("McDonald’s", "mcdonalds"),
            ("Straße", "strasse"),
            ("Кафе", "кафе"),
            (" - ", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(fold(name), expected, "{name}");
        }
    }
}
