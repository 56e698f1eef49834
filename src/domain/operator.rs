//! Operators: one canonical name, and one Wikidata id, for the many ways an operator is written.
//!
//! The table is read from files of three forms, told apart by content: our own TOML, the name-suggestion-index (its items for
//! operators and for brands), and Open Charge Map's reference data. Of several files, an earlier one decides on a name; a later
//! one adds spellings to it, and operators of its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// An operator of places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The name used in the tables.
    pub name: String,
    /// Its Wikidata id, e.g. `Q478214`.
    pub wikidata: Option<String>,
    /// Other ways to write it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where its names mean it, ISO 3166-1 alpha-2; empty for everywhere.
    #[serde(skip)]
    pub countries: Vec<String>,
}

/// The alias table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Operators {
    operators: Vec<Operator>,
    /// Operators by folded name, in the order of the files.
    by_key: BTreeMap<String, Vec<usize>>,
}

/// Why an operators file cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum OperatorsError {
    #[error("cannot read the operators: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("cannot read the operators: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "it lists no operators: neither `items` as the name-suggestion-index does, nor `Operators` as Open Charge Map does"
    )]
    NoOperators,
    #[error("operators `{first}` and `{second}` are both written `{alias}`")]
    Ambiguous { alias: String, first: String, second: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorsFile {
    operator: Vec<Operator>,
}

/// A file of the name-suggestion-index, or reference data of Open Charge Map.
#[derive(Deserialize)]
struct JsonFile {
    items: Option<Vec<IndexItem>>,
    #[serde(rename = "Operators", alias = "operators")]
    operators: Option<Vec<OcmOperator>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexItem {
    display_name: String,
    #[serde(default)]
    match_names: Vec<String>,
    #[serde(default)]
    location_set: LocationSet,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct LocationSet {
    #[serde(default)]
    include: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct OcmOperator {
    #[serde(rename = "Title", alias = "title")]
    title: Option<String>,
    #[serde(rename = "IsPrivateIndividual", alias = "isPrivateIndividual")]
    is_private: Option<bool>,
}

/// Legal forms, folded, that end a company's name and are no part of it.
const LEGAL_FORMS: [&str; 34] = [
    "gmbh co kg",
    "gmbh und co kg",
    "gmbh and co kg",
    "ag und co kg",
    "ag co kg",
    "gmbh",
    "mbh",
    "ag",
    "kg",
    "eg",
    "se",
    "ug",
    "ltd",
    "limited",
    "plc",
    "llc",
    "inc",
    "corp",
    "b v",
    "bv",
    "n v",
    "nv",
    "s a",
    "sa",
    "s a s",
    "sas",
    "s r l",
    "srl",
    "s p a",
    "spa",
    "a s",
    "as",
    "ab",
    "oy",
];

impl Operators {
    /// Reads an operators file of any form.
    ///
    /// # Errors
    ///
    /// When it is none of them, or two operators of our own form share a name.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let mut all = Self::default();
        all.read(text)?;
        Ok(all)
    }

    /// Adds what another file says.
    ///
    /// # Errors
    ///
    /// As [`Operators::parse`].
    pub fn read(&mut self, text: &str) -> Result<(), OperatorsError> {
        let known = self.operators.len();
        if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            for operator in toml::from_str::<OperatorsFile>(text)?.operator {
                if let Some((alias, first)) = self.shared_name(&operator, known) {
                    return Err(OperatorsError::Ambiguous { alias, first, second: operator.name });
                }
                self.add(operator, known);
            }
            return Ok(());
        }
        let file: JsonFile = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
        if file.items.is_none() && file.operators.is_none() {
            return Err(OperatorsError::NoOperators);
        }
        for item in file.items.unwrap_or_default() {
            self.add(of_index(item), known);
        }
        for operator in file.operators.unwrap_or_default().into_iter().filter_map(of_open_charge_map) {
            self.add(operator, known);
        }
        Ok(())
    }

    /// A name of `operator` that one of the same file, from `known` on, has too; and that one's name.
    fn shared_name(&self, operator: &Operator, known: usize) -> Option<(String, String)> {
        names(operator).find_map(|name| {
            let other = self.by_key.get(&fold(name))?.iter().find(|at| **at >= known)?;
            Some((name.to_owned(), self.operators[*other].name.clone()))
        })
    }

    /// Adds an operator, or its spellings to the same one of an earlier file; those are the first `known`.
    fn add(&mut self, operator: Operator, known: usize) {
        let keys: Vec<String> = names(&operator).map(fold).filter(|key| !key.is_empty()).collect();
        let earlier = keys.iter().find_map(|key| self.by_key.get(key)?.iter().find(|at| **at < known).copied());
        let at = earlier.unwrap_or(self.operators.len());
        if earlier.is_none() {
            self.operators.push(operator);
        }
        for key in keys {
            let same = self.by_key.entry(key).or_default();
            // What an earlier file says of a name stands.
            let is_settled = earlier.is_some() && same.iter().any(|at| *at < known);
            if !is_settled && !same.contains(&at) {
                same.push(at);
            }
        }
    }

    /// The operator known under this name or Wikidata id in a country, where one is stated; also without its legal form.
    /// `None` where the name is not known, or stands for several and the country does not tell which.
    #[must_use]
    pub fn find(&self, name: &str, country: Option<&str>) -> Option<&Operator> {
        let key = fold(name);
        self.by_name(&key, country).or_else(|| {
            let form =
                LEGAL_FORMS.iter().find(|form| key.strip_suffix(**form).is_some_and(|rest| rest.ends_with(' ')))?;
            self.by_name(key[..key.len() - form.len()].trim_end(), country)
        })
    }

    fn by_name(&self, key: &str, country: Option<&str>) -> Option<&Operator> {
        let is_there = |operator: &&Operator| {
            let countries = &operator.countries;
            countries.is_empty() || country.is_none_or(|country| countries.iter().any(|code| code == country))
        };
        let mut there = self.by_key.get(key)?.iter().map(|at| &self.operators[*at]).filter(is_there);
        let first = there.next()?;
        let is_same = |other: &Operator| (&other.name, &other.wikidata) == (&first.name, &first.wikidata);
        there.all(is_same).then_some(first)
    }
}

/// Every way to write an operator, its Wikidata id included.
fn names(operator: &Operator) -> impl Iterator<Item = &str> {
    operator.aliases.iter().chain([&operator.name]).chain(&operator.wikidata).map(String::as_str)
}

/// An item of the name-suggestion-index. One for a brand stands for the operator that it names, else for itself.
fn of_index(item: IndexItem) -> Operator {
    let IndexItem { display_name, mut match_names, location_set, mut tags } = item;
    let name = tags.remove("operator").or_else(|| tags.get("brand").cloned()).unwrap_or_else(|| display_name.clone());
    let wikidata = tags.remove("operator:wikidata").or_else(|| tags.remove("brand:wikidata"));
    match_names.push(display_name);
    match_names.extend(tags.into_iter().filter(|(key, _)| is_name(key)).map(|(_, value)| value));
    let wanted = location_set.include.iter().map(|place| place.as_str().and_then(country_of));
    // A region of the world, or a circle on the map: no list of countries says where that is.
    let countries: Option<Vec<String>> = wanted.collect();
    Operator { name, wikidata, aliases: match_names, countries: countries.unwrap_or_default() }
}

/// Whether the value of a tag names the operator or brand.
fn is_name(key: &str) -> bool {
    let (key, suffix) = key.split_once(':').unwrap_or((key, ""));
    matches!(key, "operator" | "brand" | "name") && suffix != "wikidata" && suffix != "wikipedia"
}

/// The country of a place of a location set: `de`, or `de-by.geojson`.
fn country_of(place: &str) -> Option<String> {
    let code = place.strip_suffix(".geojson").unwrap_or(place).split('-').next()?;
    (code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic())).then(|| code.to_ascii_uppercase())
}

/// An operator of Open Charge Map; a country or a remark in brackets is no part of its name.
fn of_open_charge_map(operator: OcmOperator) -> Option<Operator> {
    let title = operator.title?.trim().to_owned();
    if operator.is_private == Some(true) || title.is_empty() || title.starts_with('(') {
        return None;
    }
    let name =
        title.strip_suffix(')').and_then(|title| title.rsplit_once('(')).map_or(title.as_str(), |(name, _)| name);
    Some(Operator { name: name.trim().to_owned(), aliases: vec![title.clone()], ..Operator::default() })
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

    const INDEX: &str = r#"{"properties": {"path": "operators/amenity/charging_station"}, "items": [
        {"displayName": "Esso", "id": "a", "locationSet": {"include": ["de", "at"]}, "matchNames": ["esso deutschland"],
         "tags": {"amenity": "charging_station", "operator": "Esso", "operator:wikidata": "Q867662"}},
        {"displayName": "ESB (Ireland)", "id": "b", "locationSet": {"include": ["ie"]},
         "tags": {"operator": "ESB", "operator:wikidata": "Q1"}},
        {"displayName": "ESB (Bayern)", "id": "c", "locationSet": {"include": ["de-by.geojson"]},
         "tags": {"operator": "ESB", "operator:wikidata": "Q2"}},
        {"displayName": "Aral pulse", "id": "d", "locationSet": {"include": ["de", [9.5, 47.1, 20]]},
         "tags": {"brand": "Aral pulse", "brand:wikidata": "Q3", "operator": "Aral", "operator:wikidata": "Q565734"}},
        {"displayName": "Šarj", "id": "e", "locationSet": {"include": ["001"]}, "tags": {"brand": "Šarj", "brand:wikidata": "Q4"}}
    ]}"#;

    /// Name and Wikidata id of what a name stands for.
    fn found(operators: &Operators, name: &str, country: &str) -> String {
        let country = (!country.is_empty()).then_some(country);
        operators.find(name, country).map_or_else(String::new, |operator| {
            format!("{} {}", operator.name, operator.wikidata.as_deref().unwrap_or("-"))
        })
    }

    #[test]
    fn the_name_suggestion_index_says_who_is_who_and_where() {
        let operators = Operators::parse(INDEX).expect("it is read");
        let cases = [
            ("ESSO", "DE", "Esso Q867662"),
            ("esso Deutschland GmbH", "", "Esso Q867662"),
            ("Esso", "NO", ""),
            ("ESB", "IE", "ESB Q1"),
            ("ESB", "DE", "ESB Q2"),
            ("ESB", "", ""), // which one?
            ("Aral Pulse", "LU", "Aral Q565734"),
            ("Sarj", "TR", "Šarj Q4"),
            ("Q867662", "DE", "Esso Q867662"),
            ("Nobody", "DE", ""),
        ];
        for (name, country, expected) in cases {
            assert_eq!(found(&operators, name, country), expected, "{name} {country}");
        }
    }

    #[test]
    fn of_several_files_the_first_decides_and_the_others_add() {
        let own = "[[operator]]\nname = \"ESSO AG\"\nwikidata = \"Q867662\"\naliases = [\"Esso\"]";
        let ocm = r#"{"Operators": [{"ID": 7, "Title": "Esso (DE)"}, {"ID": 8, "Title": "Foo Charge (FR)"},
            {"ID": 9, "Title": "(Unknown Operator)"}, {"ID": 44, "Title": "Me", "IsPrivateIndividual": true}]}"#;
        let mut operators = Operators::parse(own).expect("our own form");
        operators.read(INDEX).expect("the index");
        operators.read(ocm).expect("Open Charge Map's");
        let cases = [
            ("Esso", "DE", "ESSO AG Q867662"),
            ("Esso Deutschland", "", "ESSO AG Q867662"),
            ("Esso (DE)", "", "ESSO AG Q867662"),
            ("Foo Charge (FR)", "", "Foo Charge -"),
            ("Foo Charge", "", "Foo Charge -"),
            ("(Unknown Operator)", "", ""),
            ("Me", "", ""),
        ];
        for (name, country, expected) in cases {
            assert_eq!(found(&operators, name, country), expected, "{name} {country}");
        }
    }

    #[test]
    fn what_lists_no_operators_is_refused() {
        let two = "[[operator]]\nname = \"A\"\n[[operator]]\nname = \"B\"\naliases = [\"a\"]";
        let cases = [
            ("{}", "it lists no operators: neither `items`"),
            ("{\"items\": 5}", "cannot read the operators: "),
            ("operators = 5", "cannot read the operators: "),
            (two, "operators `A` and `B` are both written `a`"),
        ];
        for (text, expected) in cases {
            let message = Operators::parse(text).expect_err(text).to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }

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
