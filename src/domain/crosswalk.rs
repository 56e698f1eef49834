//! Cross-walk: what each type of connector is called in each vocabulary. The table is data: `pipelines/connectors.toml`.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::ConnectorType;
use super::reject::named;

named! {
    /// Who has words for connectors.
    Vocabulary {
        /// OSM's `socket:*`.
        Osm = "osm",
        /// OSM's `socket:*` where a word means something else in the Americas; read before [`Vocabulary::Osm`] there.
        OsmAmericas = "osm_americas",
        /// Open Charge Map's connection types, as decimal numbers.
        Ocm = "ocm",
        /// OCPI's connector types, with `/SOCKET` or `/CABLE` where the format decides.
        Ocpi = "ocpi",
        /// DATEX II.
        Datex = "datex",
    }
}

/// The table, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct ConnectorCodes {
    /// Exact codes by vocabulary.
    exact: BTreeMap<Vocabulary, FxHashMap<String, ConnectorType>>,
    /// Beginnings of codes, in the order of the table.
    beginnings: BTreeMap<Vocabulary, Vec<(String, ConnectorType)>>,
    /// The code that is written.
    written: BTreeMap<(Vocabulary, ConnectorType), String>,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum ConnectorCodesError {
    #[error("cannot read the connectors: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("`{name}` is no type of connector")]
    UnknownType { name: String },
    #[error("`{name}` has no row; give its codes, or \"none\", in each vocabulary")]
    MissingType { name: &'static str },
    #[error("`{name}` has an empty list in `{vocabulary}`; write \"none\" where there is no code")]
    EmptyCodes { name: String, vocabulary: &'static str },
    #[error("`{name}` says `{word}` in `{vocabulary}`; a list of codes or \"none\" is expected")]
    NotNone { name: String, vocabulary: &'static str, word: String },
    #[error("`{code}` of `{vocabulary}` stands for both `{first}` and `{second}`")]
    Ambiguous { code: String, vocabulary: &'static str, first: &'static str, second: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    osm: Codes,
    #[serde(default)]
    osm_americas: Option<Codes>,
    ocm: Codes,
    ocpi: Codes,
    datex: Codes,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Codes {
    Word(String),
    Numbers(Vec<u32>),
    Texts(Vec<String>),
}

impl ConnectorCodes {
    /// Reads the table.
    ///
    /// # Errors
    ///
    /// When it is no such table, a type is missing or unknown, or a code stands for two types.
    pub fn parse(text: &str) -> Result<Self, ConnectorCodesError> {
        let rows: BTreeMap<String, Row> = toml::from_str(text)?;
        let mut codes = Self::default();
        if let Some(name) = rows.keys().find(|name| ConnectorType::from_name(name).is_none()) {
            return Err(ConnectorCodesError::UnknownType { name: name.clone() });
        }
        for kind in ConnectorType::ALL {
            let row = rows.get(kind.name()).ok_or(ConnectorCodesError::MissingType { name: kind.name() })?;
            for (vocabulary, listed) in [
                (Vocabulary::Osm, Some(&row.osm)),
                (Vocabulary::OsmAmericas, row.osm_americas.as_ref()),
                (Vocabulary::Ocm, Some(&row.ocm)),
                (Vocabulary::Ocpi, Some(&row.ocpi)),
                (Vocabulary::Datex, Some(&row.datex)),
            ] {
                if let Some(listed) = listed {
                    codes.add(*kind, vocabulary, listed)?;
                }
            }
        }
        Ok(codes)
    }

    fn add(&mut self, kind: ConnectorType, vocabulary: Vocabulary, listed: &Codes) -> Result<(), ConnectorCodesError> {
        let (name, of) = (kind.name(), vocabulary.name());
        let listed: Vec<String> = match listed {
            Codes::Word(word) if word == "none" => return Ok(()),
            Codes::Word(word) => {
                let (name, word) = (name.to_owned(), word.clone());
                return Err(ConnectorCodesError::NotNone { name, vocabulary: of, word });
            }
            Codes::Numbers(numbers) => numbers.iter().map(u32::to_string).collect(),
            Codes::Texts(texts) => texts.clone(),
        };
        if listed.is_empty() {
            return Err(ConnectorCodesError::EmptyCodes { name: name.to_owned(), vocabulary: of });
        }
        for code in listed {
            if let Some(beginning) = code.strip_suffix('*') {
                self.beginnings.entry(vocabulary).or_default().push((beginning.to_owned(), kind));
                continue;
            }
            self.written.entry((vocabulary, kind)).or_insert_with(|| code.clone());
            if let Some(other) = self.exact.entry(vocabulary).or_default().insert(code.clone(), kind) {
                let (first, second) = (other.name(), name);
                return Err(ConnectorCodesError::Ambiguous { code, vocabulary: of, first, second });
            }
        }
        Ok(())
    }

    /// The type behind a code. `None` for a code that the table does not know.
    #[must_use]
    pub fn read(&self, vocabulary: Vocabulary, code: &str) -> Option<ConnectorType> {
        let by_beginning = || {
            let beginnings = self.beginnings.get(&vocabulary)?;
            beginnings.iter().find(|(beginning, _)| code.starts_with(beginning)).map(|(_, kind)| *kind)
        };
        self.exact.get(&vocabulary).and_then(|codes| codes.get(code)).copied().or_else(by_beginning)
    }

    /// The code for a type. `None` where the vocabulary has none.
    #[must_use]
    pub fn write(&self, vocabulary: Vocabulary, kind: ConnectorType) -> Option<&str> {
        self.written.get(&(vocabulary, kind)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTORS: &str = include_str!("../../pipelines/connectors.toml");

    #[test]
    fn every_type_has_its_codes_in_each_vocabulary_or_says_none() {
        // `parse` refuses a type without a row, a row without a vocabulary and an empty list.
        let codes = ConnectorCodes::parse(CONNECTORS).expect("connectors.toml is read");
        for vocabulary in Vocabulary::ALL {
            for kind in ConnectorType::ALL {
                if let Some(code) = codes.write(*vocabulary, *kind) {
                    assert_eq!(codes.read(*vocabulary, code), Some(*kind), "{vocabulary} {code}");
                }
            }
        }
    }

    #[test]
    fn codes_mean_what_their_publishers_say() {
        use ConnectorType as T;
        use Vocabulary as V;
        let codes = ConnectorCodes::parse(CONNECTORS).expect("connectors.toml is read");
        let cases = [
            (V::Osm, "type2_combo", Some(T::Ccs2)),
            (V::Osm, "tesla_supercharger", Some(T::TeslaSEu)),
            (V::OsmAmericas, "tesla_supercharger", Some(T::Nacs)),
            (V::OsmAmericas, "type2_combo", None),
            (V::Osm, "cee_red_63a", Some(T::CeeRed)),
            (V::Osm, "nema_14_50", Some(T::Nema)),
            (V::Osm, "bosch_5pin", Some(T::Bicycle)),
            (V::Osm, "flux", None),
            (V::Ocm, "33", Some(T::Ccs2)),
            (V::Ocm, "1036", Some(T::Type2Cable)),
            (V::Ocm, "0", Some(T::Unknown)),
            (V::Ocm, "9999", None),
            (V::Ocpi, "IEC_62196_T2/CABLE", Some(T::Type2Cable)),
            (V::Ocpi, "SAE_J3400", Some(T::Nacs)),
            (V::Datex, "iec62196T2COMBO", Some(T::Ccs2)),
        ];
        for (vocabulary, code, expected) in cases {
            assert_eq!(codes.read(vocabulary, code), expected, "{vocabulary} {code}");
        }
    }

    #[test]
    fn a_table_with_a_gap_is_refused() {
        let without = |from: &str, to: &str| ConnectorCodes::parse(&CONNECTORS.replacen(from, to, 1));
        let cases = [
            ("[mcs]", "[msc]", "`msc` is no type of connector"),
            ("[1044]", "[]", "`chaoji` has an empty list in `ocm`; write \"none\" where there is no code"),
            ("[1044]", "\"no\"", "`chaoji` says `no` in `ocm`; a list of codes or \"none\" is expected"),
            ("[1044]", "[2]", "`2` of `ocm` stands for both `chademo` and `chaoji`"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(without(from, to).expect_err(to).to_string(), expected);
        }
        let gone = CONNECTORS.replacen(
            "[chaoji]\nosm   = [\"chaoji\"]\nocm   = [1044]\nocpi  = [\"CHAOJI\"]\ndatex = \"none\"\n",
            "",
            1,
        );
        let message = ConnectorCodes::parse(&gone).expect_err("a type is missing").to_string();
        assert_eq!(message, "`chaoji` has no row; give its codes, or \"none\", in each vocabulary");
        assert!(without("datex = \"none\"", "").is_err(), "each row has each vocabulary");
    }
}
