//! Reference data: what Open Charge Map's numbers stand for. The built-in tables, with a reference data file over them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::OcmError;
use super::compensations::{OCPI_PROVIDERS, says_ocpi};
use super::countries;
use super::json::Fields;
use super::providers::{CONTRIBUTORS, PROVIDERS, Provider};
use super::scan::scan;
use super::titles::{CONNECTION_TYPES, CURRENT_TYPES, STATUS_TYPES, Titles, USAGE_TYPES};
use crate::adapters::io::{RecordsError, open_decompressed};
use crate::domain::{Finding, FindingRule};

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

/// Submission statuses with which Open Charge Map shows a record; with the others of its list it does not.
const PUBLISHED: [i64; 2] = [100, 200];

/// What a kind of usage says, besides who may use the place. `None` where nobody says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) pays_at_location: Option<bool>,
    pub(super) needs_membership: Option<bool>,
    pub(super) needs_access_key: Option<bool>,
}

impl Usage {
    fn of(usage: Fields<'_>) -> Self {
        Self {
            pays_at_location: usage.flag("IsPayAtLocation"),
            needs_membership: usage.flag("IsMembershipRequired"),
            needs_access_key: usage.flag("IsAccessKeyRequired"),
        }
    }

    /// What `self` says, and `other` where it says nothing.
    fn or(self, other: Self) -> Self {
        Self {
            pays_at_location: self.pays_at_location.or(other.pays_at_location),
            needs_membership: self.needs_membership.or(other.needs_membership),
            needs_access_key: self.needs_access_key.or(other.needs_access_key),
        }
    }
}

/// Lists of the reference data whose titles stand for numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Connection,
    Current,
    Usage,
    Status,
}

impl List {
    /// The fields of a record that state a number of this list, and the object that it stands for.
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Connection => ("ConnectionTypeID", "ConnectionType"),
            Self::Current => ("CurrentTypeID", "CurrentType"),
            Self::Usage => ("UsageTypeID", "UsageType"),
            Self::Status => ("StatusTypeID", "StatusType"),
        }
    }
}

/// A number of a list, or the title that is in no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stated<'a> {
    Number(i64),
    UnknownTitle(Cow<'a, str>),
}

/// What the numbers stand for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    /// Names; `None` for an operator that is a private individual.
    operators: BTreeMap<i64, Option<String>>,
    countries: BTreeMap<i64, String>,
    country_titles: Titles,
    providers: BTreeMap<i64, Provider>,
    connection_types: BTreeMap<i64, String>,
    connection_titles: Titles,
    current_titles: Titles,
    usages: BTreeMap<i64, Usage>,
    usage_titles: Titles,
    /// Whether a status means that the place works.
    statuses: BTreeMap<i64, bool>,
    status_titles: Titles,
    /// Whether a submission status means that the record is shown.
    submissions: BTreeMap<i64, bool>,
}

impl Reference {
    /// What is known without a file.
    pub(super) fn built_in() -> Self {
        let provider = |id: i64, title: &str| Provider {
            title: Some(title.into()),
            is_ocpi: OCPI_PROVIDERS.contains(&id),
            ..Provider::default()
        };
        let membership = Usage { needs_membership: Some(true), ..Usage::default() };
        let payment = Usage { pays_at_location: Some(true), ..Usage::default() };
        Self {
            operators: OPERATORS.iter().map(|(id, name)| (*id, Some((*name).to_owned()))).collect(),
            countries: BTreeMap::new(),
            country_titles: Titles::default(),
            providers: PROVIDERS.iter().map(|(id, title)| (*id, provider(*id, title))).collect(),
            connection_types: BTreeMap::new(),
            connection_titles: Titles::of(&CONNECTION_TYPES),
            current_titles: Titles::of(&CURRENT_TYPES),
            usages: BTreeMap::from([(2, membership), (4, membership), (5, payment)]),
            usage_titles: Titles::of(&USAGE_TYPES),
            statuses: BTreeMap::new(),
            status_titles: Titles::of(&STATUS_TYPES),
            submissions: PUBLISHED.iter().map(|id| (*id, true)).collect(),
        }
    }

    /// The same with a licence for Open Charge Map's own contributors, unless one is stated.
    pub(super) fn with_contributors_license(mut self, license: Option<&str>) -> Self {
        if let Some(provider) = self.providers.get_mut(&CONTRIBUTORS)
            && provider.license.is_none()
        {
            provider.license = license.map(Into::into);
        }
        self
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
        Self::built_in().with(text).map_err(|error| match error {
            Some(source) => OcmError::ReferenceJson { path: path.to_owned(), source },
            None => OcmError::NotReference { path: path.to_owned() },
        })
    }

    /// Puts reference data over what is known. Fails with the reason why it is not JSON, or with `None` when it is something
    /// else.
    fn with(mut self, bytes: &[u8]) -> Result<Self, Option<serde_json::Error>> {
        let mut nodes = Vec::new();
        let text = std::str::from_utf8(bytes).ok().filter(|text| scan(text, &mut nodes).is_ok());
        let Some(text) = text else {
            return Err(serde_json::from_slice::<serde_json::Value>(bytes).err());
        };
        let data = Fields::of(text, &nodes);
        if !["Operators", "Countries", "DataProviders"].iter().any(|list| data.has_list(list)) {
            return Err(None);
        }
        let passed = &mut Vec::new();
        for operator in data.objects("Operators") {
            if let (Some(id), Some(name)) = (operator.integer("ID", passed), operator.text("Title", passed)) {
                let is_private = operator.flag("IsPrivateIndividual") == Some(true);
                self.operators.insert(id, (!is_private).then(|| name.into_owned()));
            }
        }
        for country in data.objects("Countries") {
            if let (Some(id), Some(code)) = (country.integer("ID", passed), country_code(country)) {
                self.countries.insert(id, code.into_owned());
                if let Some(title) = country.text("Title", passed) {
                    self.country_titles.add(id, &title);
                }
            }
        }
        for provider in data.objects("DataProviders") {
            if let Some(id) = provider.integer("ID", passed) {
                let known = self.providers.remove(&id).unwrap_or_default();
                let says_ocpi = provider.text("Comments", passed).is_some_and(|comments| says_ocpi(&comments));
                let stated = Provider {
                    title: provider.text("Title", passed).map(Into::into).or(known.title),
                    license: provider.text("License", passed).map(Into::into),
                    is_open: provider.flag("IsOpenDataLicensed"),
                    is_ocpi: known.is_ocpi || says_ocpi,
                };
                self.providers.insert(id, stated);
            }
        }
        for kind in data.objects("ConnectionTypes") {
            if let (Some(id), Some(title)) = (kind.integer("ID", passed), kind.text("Title", passed)) {
                self.connection_titles.add(id, &title);
                self.connection_types.insert(id, title.into_owned());
            }
        }
        for usage in data.objects("UsageTypes") {
            if let Some(id) = usage.integer("ID", passed) {
                self.usages.insert(id, Usage::of(usage));
                self.usage_titles.add(id, &usage.text("Title", passed).unwrap_or_default());
            }
        }
        for status in data.objects("StatusTypes") {
            if let Some(id) = status.integer("ID", passed) {
                self.statuses.extend(status.flag("IsOperational").map(|works| (id, works)));
                self.status_titles.add(id, &status.text("Title", passed).unwrap_or_default());
            }
        }
        for submission in data.objects("SubmissionStatusTypes") {
            if let (Some(id), Some(is_live)) = (submission.integer("ID", passed), submission.flag("IsLive")) {
                self.submissions.insert(id, is_live);
            }
        }
        for current in data.objects("CurrentTypes") {
            if let (Some(id), Some(title)) = (current.integer("ID", passed), current.text("Title", passed)) {
                self.current_titles.add(id, &title);
            }
        }
        Ok(self)
    }

    /// The number of a list that `fields` state: by itself, in the object that it stands for, or by that one's title.
    pub(super) fn stated<'a>(&self, list: List, fields: Fields<'a>, findings: &mut Vec<Finding>) -> Option<Stated<'a>> {
        let (id_key, object_key) = list.keys();
        if let Some(id) = fields.reference(id_key, object_key, findings) {
            return Some(Stated::Number(id));
        }
        let title = fields.object(object_key).text("Title", findings)?;
        let titles = match list {
            List::Connection => &self.connection_titles,
            List::Current => &self.current_titles,
            List::Usage => &self.usage_titles,
            List::Status => &self.status_titles,
        };
        Some(titles.id(&title).map_or(Stated::UnknownTitle(title), Stated::Number))
    }

    /// The number of a list that `fields` state, if any; a title that is in no list is passed over.
    pub(super) fn number(&self, list: List, fields: Fields<'_>, findings: &mut Vec<Finding>) -> Option<i64> {
        match self.stated(list, fields, findings)? {
            Stated::Number(id) => Some(id),
            Stated::UnknownTitle(_) => None,
        }
    }

    /// The id and the name of a record's operator, each where it tells operators apart.
    pub(super) fn operator<'a>(
        &'a self,
        record: Fields<'a>,
        findings: &mut Vec<Finding>,
    ) -> (Option<i64>, Option<Cow<'a, str>>) {
        let stated = record.object("OperatorInfo");
        let id = record.reference("OperatorID", "OperatorInfo", findings).filter(|id| *id > 0);
        let known = id.and_then(|id| self.operators.get(&id));
        let is_private = stated.flag("IsPrivateIndividual") == Some(true) || known.is_some_and(Option::is_none);
        if is_private || id.is_some_and(|id| NO_OPERATOR.contains(&id)) {
            return (None, None);
        }
        let known = known.and_then(Option::as_deref).map(Cow::Borrowed);
        let name = stated.text("Title", findings).or(known);
        // "(Unknown Operator)" and its like, under whatever id.
        (id, name.filter(|name| !name.starts_with('(')))
    }

    /// The country of an address, ISO 3166-1 alpha-2; its name where no table has a code for it.
    pub(super) fn country<'a>(&'a self, address: Fields<'a>, findings: &mut Vec<Finding>) -> Option<Cow<'a, str>> {
        let stated = address.object("Country");
        if let Some(code) = country_code(stated) {
            return Some(code);
        }
        if let Some(id) = address.reference("CountryID", "Country", findings) {
            let code = self.countries.get(&id).map(String::as_str).or_else(|| countries::code(id));
            if code.is_none() && id > 0 {
                findings.push(Finding::dropped(FindingRule::UnknownCode, "CountryID", id.to_string()));
            }
            return code.map(Cow::Borrowed);
        }
        let title = stated.text("Title", findings)?;
        let code = self.country_titles.id(&title).and_then(|id| self.countries.get(&id));
        Some(code.map_or(title, |code| Cow::Borrowed(code.as_str())))
    }

    /// The data provider of a record, in its own words first.
    pub(super) fn provider(&self, id: Option<i64>, stated: Fields<'_>) -> Provider {
        let known = id.and_then(|id| self.providers.get(&id)).cloned().unwrap_or_default();
        let is_ocpi = known.is_ocpi || id.is_some_and(|id| OCPI_PROVIDERS.contains(&id));
        let unnamed = || id.map(|id| format!("Open Charge Map data provider {id}").into());
        let passed = &mut Vec::new();
        Provider {
            title: stated.text("Title", passed).map(Into::into).or(known.title).or_else(unnamed),
            license: stated.text("License", passed).map(Into::into).or(known.license),
            is_open: stated.flag("IsOpenDataLicensed").or(known.is_open),
            is_ocpi: is_ocpi || stated.text("Comments", passed).is_some_and(|comments| says_ocpi(&comments)),
        }
    }

    /// What a record's kind of usage says; the record's own words first.
    pub(super) fn usage(&self, id: Option<i64>, record: Fields<'_>) -> Usage {
        let known = id.and_then(|id| self.usages.get(&id)).copied().unwrap_or_default();
        Usage::of(record.object("UsageType")).or(known)
    }

    /// Whether a status of this id means that a place works.
    pub(super) fn is_operational(&self, id: i64) -> Option<bool> {
        self.statuses.get(&id).copied()
    }

    /// Whether Open Charge Map shows records of this submission status.
    pub(super) fn is_live(&self, submission: i64) -> Option<bool> {
        self.submissions.get(&submission).copied()
    }

    /// The title of a connection type.
    pub(super) fn connection_type(&self, id: i64) -> Option<&str> {
        self.connection_types.get(&id).map(String::as_str)
    }
}

/// The code of a country object, in capitals; `None` when it is not a code.
fn country_code(country: Fields<'_>) -> Option<Cow<'_, str>> {
    let mut code = country.text("ISOCode", &mut Vec::new())?;
    if !countries::is_code(&code) {
        code = code.to_ascii_uppercase().into();
    }
    countries::is_code(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::json::with;
    use super::*;

    fn reference() -> Reference {
        let data = json!({
            "Operators": [{"ID": 23, "Title": "Tesla, renamed"}, {"ID": 900, "Title": "A. Person", "IsPrivateIndividual": true}, {"ID": "x"}, 5],
            "Countries": [{"ID": 1000, "ISOCode": "li", "Title": "Liechtenstein"}, {"ID": 1001, "ISOCode": "??"}],
            "DataProviders": [{"ID": 1, "License": " CC BY 4.0 "}, {"ID": 99, "Title": "New", "License": ""}],
            "ConnectionTypes": [{"ID": 2000, "Title": "Megawatt "}],
            "UsageTypes": [{"ID": 4, "Title": "Members", "IsMembershipRequired": null, "IsAccessKeyRequired": true}],
            "StatusTypes": [{"ID": 60, "Title": "Resting", "IsOperational": false}],
            "SubmissionStatusTypes": [{"ID": 200, "IsLive": false}, {"ID": 300, "IsLive": true}],
            "CurrentTypes": [{"ID": 40, "Title": "AC (Two-Phase)"}],
        });
        Reference::built_in().with(data.to_string().as_bytes()).expect("this is reference data")
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
            let reference = reference();
            with(&record.to_string(), |fields| {
                let (found, named) = reference.operator(fields, &mut Vec::new());
                assert_eq!((found, named.as_deref()), (id, name), "{record}");
            });
        }
    }

    #[test]
    fn a_country_is_what_the_record_says_before_any_table() {
        let cases = [
            (json!({"CountryID": 87, "Country": {"ISOCode": "at"}}), Some("AT")),
            (json!({"CountryID": 87}), Some("DE")),
            (json!({"Country": {"ID": 217}}), Some("CH")),
            (json!({"Country": {"Title": "LIECHTENSTEIN"}}), Some("LI")),
            (json!({"Country": {"Title": "Elsewhere"}}), Some("Elsewhere")),
            (json!({"CountryID": 1000}), Some("LI")),
            (json!({"CountryID": 1001}), None),
            (json!({"CountryID": 87, "Country": {"ISOCode": "Germany"}}), Some("DE")),
            (json!({}), None),
        ];
        for (address, expected) in cases {
            let reference = reference();
            with(&address.to_string(), |fields| {
                assert_eq!(reference.country(fields, &mut Vec::new()).as_deref(), expected, "{address}");
            });
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
            let found = with(&record.to_string(), |record| {
                let id = record.reference("DataProviderID", "DataProvider", &mut Vec::new());
                reference().provider(id, record.object("DataProvider"))
            });
            assert_eq!((found.title.as_deref(), found.license.as_deref()), (title, license), "{record}");
        }
    }

    #[test]
    fn what_a_file_says_of_a_number_counts_before_the_built_in_tables() {
        let (built_in, reference) = (Reference::built_in(), reference());
        let membership = |known: &Reference, id| with("{}", |record| known.usage(Some(id), record).needs_membership);
        assert_eq!((membership(&built_in, 4), membership(&reference, 4)), (Some(true), None));
        assert_eq!((membership(&built_in, 2), membership(&reference, 2)), (Some(true), Some(true)));
        let stated = |text: &str, list| with(text, |record| reference.number(list, record, &mut Vec::new()));
        assert_eq!(stated(r#"{"UsageType": {"Title": "members"}}"#, List::Usage), Some(4));
        assert_eq!(stated(r#"{"UsageType": {"Title": "Public - Membership Required"}}"#, List::Usage), Some(4));
        assert_eq!(stated(r#"{"StatusType": {"Title": "Resting"}}"#, List::Status), Some(60));
        assert_eq!(stated(r#"{"CurrentType": {"Title": "AC (Two-Phase)"}}"#, List::Current), Some(40));
        assert_eq!(stated(r#"{"ConnectionType": {"Title": "Megawatt"}}"#, List::Connection), Some(2000));
        assert_eq!((built_in.is_operational(60), reference.is_operational(60)), (None, Some(false)));
        assert_eq!([100, 200, 300].map(|id| built_in.is_live(id)), [Some(true), Some(true), None]);
        assert_eq!([100, 200, 300].map(|id| reference.is_live(id)), [Some(true), Some(false), Some(true)]);
        assert_eq!(reference.connection_type(2000), Some("Megawatt"));
    }

    #[test]
    fn a_provider_is_known_for_ocpi_by_its_comments_or_the_list() {
        let data = json!({"DataProviders": [{"ID": 99, "Comments": "OCPI with Data Sharing Agreement"}, {"ID": 30}]});
        let reference = Reference::built_in().with(data.to_string().as_bytes()).expect("this is reference data");
        let cases = [
            (Some(99), "{}", true),
            (Some(30), "{}", true),
            (Some(45), "{}", true),
            (Some(46), "{}", false),
            (Some(1), "{}", false),
            (None, "{}", false),
            (Some(46), r#"{"DataProvider": {"Comments": "Imported by OCPI"}}"#, true),
        ];
        for (id, text, expected) in cases {
            let found = with(text, |record| reference.provider(id, record.object("DataProvider")).is_ocpi);
            assert_eq!(found, expected, "{id:?} {text}");
        }
    }

    #[test]
    fn other_json_is_not_reference_data() {
        for text in ["[]", r#"{"ID": 1}"#, r#"{"Operators": null}"#] {
            assert!(matches!(Reference::built_in().with(text.as_bytes()), Err(None)), "{text}");
        }
        for text in ["{", "", "\u{0}"] {
            assert!(matches!(Reference::built_in().with(text.as_bytes()), Err(Some(_))), "{text}");
        }
    }
}
