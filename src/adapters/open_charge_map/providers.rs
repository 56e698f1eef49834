//! Data providers: who gave records to Open Charge Map, and under which licence.

/// Titles of the data providers, for attribution: the reference data of 2023, and the list of OCPI imports behind it
/// (openchargemap/ocm-system, `Import/OCM.Import.Worker/ocpi-providers.json`). Licences are never built in: they change.
pub(super) const PROVIDERS: [(i64, &str); 36] = [
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
    (33, "Gaia Charge"),
    (34, "Toger"),
    (35, "Electric Era"),
    (36, "ITCharge"),
    (37, "Voltrelli"),
    (38, "PowerGo"),
    (39, "Punkt-E"),
    (40, "EZVolt"),
    (41, "ChargeSini"),
    (42, "Otopriz"),
    (43, "EV24"),
    (44, "Zepto"),
    (45, "Greems"),
];

/// The data provider that stands for people who write to Open Charge Map itself.
pub(super) const CONTRIBUTORS: i64 = 1;

/// What the text of a licence says where it is not open: no sale, no change.
const NOT_OPEN: [&str; 8] = [
    "noncommercial",
    "non-commercial",
    "non commercial",
    "by-nc",
    "by-nd",
    "noderiv",
    "no derivatives",
    "all rights reserved",
];

/// A data provider, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Provider {
    pub(super) title: Option<Box<str>>,
    /// Its licence in its own words.
    pub(super) license: Option<Box<str>>,
    /// Whether Open Charge Map counts it as open data.
    pub(super) is_open: Option<bool>,
    /// Whether its records are imported from an OCPI feed.
    pub(super) is_ocpi: bool,
}

impl Provider {
    /// A sentence, where the mark for open data and the text of the licence contradict each other.
    pub(super) fn contradiction(&self) -> Option<String> {
        let (title, license) = (self.title.as_deref()?, self.license.as_deref()?);
        let lower = license.to_lowercase();
        let is_restricted = NOT_OPEN.iter().any(|word| lower.contains(word));
        (self.is_open == Some(true) && is_restricted)
            .then(|| format!("{title} is marked as open data, but its licence is not open: {license}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_for_open_data_that_the_licence_denies_is_told() {
        let cases = [
            (Some(true), Some("Licensed under Attribution-NonCommercial-ShareAlike 3.0"), true),
            (Some(true), Some("http://creativecommons.org/licenses/by-nc-sa/3.0/"), true),
            (Some(true), Some("CC BY 4.0"), false),
            (Some(true), None, false),
            (Some(false), Some("CC BY-NC-SA"), false),
            (None, Some("CC BY-NC-SA"), false),
        ];
        for (is_open, license, is_told) in cases {
            let title = Some("Someone".into());
            let provider = Provider { title, license: license.map(Into::into), is_open, is_ocpi: false };
            assert_eq!(provider.contradiction().is_some(), is_told, "{provider:?}");
        }
    }
}
