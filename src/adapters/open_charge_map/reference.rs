//! Reference data: what Open Charge Map's numbers stand for. The built-in tables, with a reference data file over them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::OcmError;
use super::countries;
use super::json::{Fields, tidy};
use crate::adapters::io::{RecordsError, open_decompressed};

/// Operators that stand for "nobody in particular": unknown, a private individual, the business at the location.
const NO_OPERATOR: [i64; 3] = [1, 44, 45];

/// Operators known without a reference data file: those that Open Charge Map's own code names.
const OPERATORS: [(i64, &str); 6] = [
    (5, "ChargePoint"),
    (9, "Blink Network"),
    (23, "Tesla"),
    (32, "BP Pulse (UK)"),
    (59, "Shell Recharge Solutions (US)"),
    (3339, "Chargefox"),
];

/// Titles of the data providers, for attribution, as of 2023. Licences are never built in: they change.
const PROVIDERS: [(i64, &str); 23] = [
    (1, "Open Charge Map Contributors"),
    (2, "afdc.energy.gov"),
    (7, "Mobie.pt"),
    (8, "ev-charging.com"),
    (13, "www.uppladdning.nu"),
    (14, "e-Laad"),
    (15, "CarStations.com"),
    (17, "BlinkNetwork.com"),
    (18, "UK National Charge Point Registry"),
    (19, "NOBIL"),
    (20, "Chargepoint.net"),
    (21, "RWE Mobility"),
    (22, "CHAdeMO.com"),
    (23, "ESB eCars"),
    (24, "AddÉnergie Technologies Inc."),
    (25, "Catalan Energy Institute (ICAEN)"),
    (26, "Oplaadpalen.nl"),
    (27, "Place To Plug"),
    (28, "data.gouv.fr"),
    (29, "Bundesnetzagentur.de"),
    (30, "EVIO"),
    (31, "Sitronics"),
    (32, "Lithuanian Road Administration"),
];

/// A data provider, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Provider {
    pub(super) title: Option<String>,
    /// Its licence in its own words.
    pub(super) license: Option<String>,
}

/// What the numbers stand for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    /// Names; `None` for an operator that is a private individual.
    operators: BTreeMap<i64, Option<String>>,
    countries: BTreeMap<i64, String>,
    providers: BTreeMap<i64, Provider>,
    connection_types: BTreeMap<i64, String>,
}

impl Reference {
    /// What is known without a file.
    pub(super) fn built_in() -> Self {
        let provider = |title: &str| Provider { title: Some(title.to_owned()), license: None };
        Self {
            operators: OPERATORS.iter().map(|(id, name)| (*id, Some((*name).to_owned()))).collect(),
            countries: BTreeMap::new(),
            providers: PROVIDERS.iter().map(|(id, title)| (*id, provider(title))).collect(),
            connection_types: BTreeMap::new(),
        }
    }

    /// The built-in tables with the reference data of a file over them.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not reference data.
    pub(super) fn from_file(path: &Path) -> Result<Self, OcmError> {
        let mut bytes = Vec::new();
        let mut file = open_decompressed(path, |_| ()).map_err(|source| OcmError::read(path, source))?;
        file.read_to_end(&mut bytes).map_err(|source| RecordsError::interrupted(path, 0, source))?;
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let value =
            serde_json::from_slice(text).map_err(|source| OcmError::ReferenceJson { path: path.to_owned(), source })?;
        Self::built_in().with(&tidy(value)).ok_or_else(|| OcmError::NotReference { path: path.to_owned() })
    }

    /// Puts reference data over what is known; `None` when it is something else.
    fn with(mut self, value: &Value) -> Option<Self> {
        let data = Fields::of(value);
        if !["Operators", "Countries", "DataProviders"].iter().any(|list| data.has_list(list)) {
            return None;
        }
        for operator in data.objects("Operators") {
            if let (Some(id), Some(name)) = (operator.integer("ID"), operator.text("Title")) {
                let is_private = operator.flag("IsPrivateIndividual") == Some(true);
                self.operators.insert(id, (!is_private).then_some(name));
            }
        }
        for country in data.objects("Countries") {
            if let (Some(id), Some(code)) = (country.integer("ID"), country_code(country)) {
                self.countries.insert(id, code);
            }
        }
        for provider in data.objects("DataProviders") {
            if let Some(id) = provider.integer("ID") {
                let known = self.providers.entry(id).or_default();
                known.title = provider.text("Title").or(known.title.take());
                known.license = provider.text("License");
            }
        }
        for kind in data.objects("ConnectionTypes") {
            if let (Some(id), Some(title)) = (kind.integer("ID"), kind.text("Title")) {
                self.connection_types.insert(id, title);
            }
        }
        Some(self)
    }

    /// The id and the name of a record's operator, each where it tells operators apart.
    pub(super) fn operator(&self, record: Fields<'_>) -> (Option<i64>, Option<String>) {
        let stated = record.object("OperatorInfo");
        let id = record.reference("OperatorID", "OperatorInfo").filter(|id| *id > 0);
        let known = id.and_then(|id| self.operators.get(&id));
        let is_private = stated.flag("IsPrivateIndividual") == Some(true) || known.is_some_and(Option::is_none);
        if is_private || id.is_some_and(|id| NO_OPERATOR.contains(&id)) {
            return (None, None);
        }
        let name = stated.text("Title").or_else(|| known.cloned().flatten());
        // "(Unknown Operator)" and its like, under whatever id.
        (id, name.filter(|name| !name.starts_with('(')))
    }

    /// The country of an address, ISO 3166-1 alpha-2.
    pub(super) fn country(&self, address: Fields<'_>) -> Option<String> {
        country_code(address.object("Country")).or_else(|| {
            let id = address.reference("CountryID", "Country")?;
            self.countries.get(&id).cloned().or_else(|| countries::code(id).map(str::to_owned))
        })
    }

    /// The data provider of a record, in its own words first.
    pub(super) fn provider(&self, record: Fields<'_>) -> Provider {
        let stated = record.object("DataProvider");
        let id = record.reference("DataProviderID", "DataProvider");
        let known = id.and_then(|id| self.providers.get(&id)).cloned().unwrap_or_default();
        let unnamed = || id.map(|id| format!("Open Charge Map data provider {id}"));
        Provider {
            title: stated.text("Title").or(known.title).or_else(unnamed),
            license: stated.text("License").or(known.license),
        }
    }

    /// The title of a connection type.
    pub(super) fn connection_type(&self, id: i64) -> Option<&str> {
        self.connection_types.get(&id).map(String::as_str)
    }
}

/// The code of a country object, in capitals; `None` when it is not a code.
fn country_code(country: Fields<'_>) -> Option<String> {
    country.text("ISOCode").map(|code| code.to_ascii_uppercase()).filter(|code| countries::is_code(code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reference() -> Reference {
        let data = json!({
            "Operators": [{"ID": 23, "Title": "Tesla, renamed"}, {"ID": 900, "Title": "A. Person", "IsPrivateIndividual": true}, {"ID": "x"}, 5],
            "Countries": [{"ID": 1000, "ISOCode": "li"}, {"ID": 1001, "ISOCode": "??"}],
            "DataProviders": [{"ID": 1, "License": " CC BY 4.0 "}, {"ID": 99, "Title": "New", "License": ""}],
            "ConnectionTypes": [{"ID": 2000, "Title": "Megawatt "}],
        });
        Reference::built_in().with(&data).expect("this is reference data")
    }

    #[test]
    fn operators_that_are_nobody_in_particular_are_left_out() {
        let cases = [
            (json!({"OperatorID": 23}), (Some(23), Some("Tesla, renamed"))),
            (json!({"OperatorID": 23, "OperatorInfo": {"Title": "Tesla here"}}), (Some(23), Some("Tesla here"))),
            (json!({"OperatorInfo": {"ID": 5}}), (Some(5), Some("ChargePoint"))),
            (json!({"OperatorID": 4000}), (Some(4000), None)),
            (json!({"OperatorInfo": {"Title": "Someone"}}), (None, Some("Someone"))),
            (json!({"OperatorID": 77, "OperatorInfo": {"Title": "(Unknown)"}}), (Some(77), None)),
            (json!({"OperatorID": 1, "OperatorInfo": {"Title": "Unknown"}}), (None, None)),
            (json!({"OperatorID": 44}), (None, None)),
            (json!({"OperatorID": 45}), (None, None)),
            (json!({"OperatorID": 900}), (None, None)),
            (
                json!({"OperatorID": 901, "OperatorInfo": {"Title": "B. Person", "IsPrivateIndividual": true}}),
                (None, None),
            ),
            (json!({"OperatorID": 0}), (None, None)),
            (json!({}), (None, None)),
        ];
        for (record, (id, name)) in cases {
            let found = reference().operator(Fields::of(&record));
            assert_eq!(found, (id, name.map(str::to_owned)), "{record}");
        }
    }

    #[test]
    fn a_country_is_what_the_record_says_before_any_table() {
        let cases = [
            (json!({"CountryID": 87, "Country": {"ISOCode": "at"}}), Some("AT")),
            (json!({"CountryID": 87}), Some("DE")),
            (json!({"Country": {"ID": 217}}), Some("CH")),
            (json!({"CountryID": 1000}), Some("LI")),
            (json!({"CountryID": 1001}), None),
            (json!({"CountryID": 87, "Country": {"ISOCode": "Germany"}}), Some("DE")),
            (json!({}), None),
        ];
        for (address, expected) in cases {
            assert_eq!(reference().country(Fields::of(&address)).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn a_licence_is_only_ever_what_somebody_stated() {
        let cases = [
            (json!({"DataProviderID": 1}), Some("Open Charge Map Contributors"), Some("CC BY 4.0")),
            (
                json!({"DataProviderID": 1, "DataProvider": {"License": " CC0\n"}}),
                Some("Open Charge Map Contributors"),
                Some("CC0"),
            ),
            (json!({"DataProviderID": 2}), Some("afdc.energy.gov"), None),
            (json!({"DataProvider": {"ID": 2, "Title": "AFDC"}}), Some("AFDC"), None),
            (json!({"DataProviderID": 99}), Some("New"), None),
            (json!({"DataProviderID": 98}), Some("Open Charge Map data provider 98"), None),
            (json!({}), None, None),
        ];
        for (record, title, license) in cases {
            let expected = Provider { title: title.map(str::to_owned), license: license.map(str::to_owned) };
            assert_eq!(reference().provider(Fields::of(&record)), expected, "{record}");
        }
        assert_eq!(reference().connection_type(2000), Some("Megawatt"));
    }

    #[test]
    fn other_json_is_not_reference_data() {
        for value in [json!([]), json!({"ID": 1}), json!({"Operators": null})] {
            assert_eq!(Reference::built_in().with(&value), None, "{value}");
        }
    }
}
