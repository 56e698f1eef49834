//! Licence: whether what a source says of its licence names an open one.
//!
//! Open as in the Open Definition 2.1: free to use, change and share for any purpose, at most with attribution and share-alike.
//! Sources name licences as SPDX ids, names, URLs or sentences; all are read as words. What is not recognised is not open:
//! a wrong yes publishes what nobody may, a wrong no only leaves a value out, and the run says so.

use std::collections::BTreeSet;

use super::fold;

/// Words, one after the other, that name an open licence.
const OPEN: [&str; 55] = [
    "cc0",
    "cc zero",
    "publicdomain",
    "public domain",
    "no rights reserved",
    "pddl",
    "cc by",
    "ccby",
    "cc by sa",
    "ccbysa",
    "cc attribution",
    "creative commons by",
    "creative commons attribution",
    "creative commons namensnennung",
    "creative commons zero",
    "creativecommons org licenses by",
    "attribution 4 0 international",
    "odbl",
    "odc by",
    "odcby",
    "open database license",
    "open database licence",
    "open data commons attribution",
    "opendatacommons org licenses by",
    "ogl",
    "open government licence",
    "open government license",
    "open government data license",
    "open government data licence",
    "licence ouverte",
    "license ouverte",
    "etalab",
    "lov1",
    "lov2",
    "fr lo",
    "dl de by",
    "dl de zero",
    "datenlizenz deutschland",
    "iodl",
    "nlod",
    "norwegian licence for open government data",
    "cdla permissive",
    "cdla sharing",
    "godl",
    "noncommercialallowed commercialallowed",
    "us government work",
    "u s government work",
    "us government works",
    "u s government works",
    "for any purpose",
    "apache 2 0",
    "apache license",
    "mit license",
    "bsd 3 clause",
    "unlicense",
];

/// Words that take back what others give.
const NOT_OPEN: [&str; 28] = [
    "nc",
    "nd",
    "bync",
    "bynd",
    "byncsa",
    "byncnd",
    "noncommercial",
    "non commercial",
    "not commercial",
    "nicht kommerziell",
    "noderivatives",
    "noderivs",
    "no derivatives",
    "no derivs",
    "no derivative",
    "all rights reserved",
    "personal use",
    "private use",
    "internal use",
    "research use",
    "not",
    "cannot",
    "except",
    "unless",
    "prohibited",
    "forbidden",
    "permission",
    "proprietary",
];

/// Words with a `not` in them that takes nothing back.
const HARMLESS: [&str; 2] = ["not required", "not necessary"];

/// What counts as an open licence in a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Licenses {
    /// Texts that a person has checked, folded.
    checked: BTreeSet<String>,
}

impl Licenses {
    /// The licences known to be open, and these texts that a person has checked.
    pub fn with_checked(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let checked = texts.into_iter().map(|text| fold(text.as_ref())).filter(|text| !text.is_empty());
        Self { checked: checked.collect() }
    }

    /// The texts that a person has checked, as they are compared, sorted.
    pub fn checked(&self) -> impl Iterator<Item = &str> {
        self.checked.iter().map(String::as_str)
    }

    /// Whether a record under this licence may be mixed with others. One that states none may not.
    #[must_use]
    pub fn is_open(&self, license: Option<&str>) -> bool {
        let folded = license.map(fold).unwrap_or_default();
        if self.checked.contains(&folded) {
            return true;
        }
        let mut text = format!(" {folded} ");
        for words in HARMLESS {
            text = text.replace(&format!(" {words} "), " ");
        }
        let says = |words: &&str| text.contains(&format!(" {words} "));
        // The bare name of this one is too common a word to be looked for within a sentence.
        (folded == "mit" || OPEN.iter().any(says)) && !NOT_OPEN.iter().any(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_known_as_ids_names_urls_and_sentences() {
        let open = [
            "ODbL-1.0",
            "ODbL",
            "Data © OpenStreetMap contributors, ODbL 1.0. http://www.openstreetmap.org/copyright",
            "http://opendatacommons.org/licenses/odbl/1-0/",
            "CC0-1.0",
            "CC0",
            "Licensed under CC0  by data sharing agreement",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "CC0 (attribution not required)",
            "CC-BY-4.0",
            "cc by 4.0",
            "CC BY-SA 4.0",
            "CC-BY-SA-3.0-DE",
            "http://creativecommons.org/licenses/by/3.0",
            "https://creativecommons.org/licenses/by-sa/4.0/deed.de",
            "Licensed under Creative Commons Attribution 4.0 International (CC BY 4.0)",
            "Licensed under Creative Commons Attribution-ShareAlike 4.0 International (CC BY-SA 4.0)",
            "NOBIL by Enova is licensed under a Creative Commons Attribution 4.0 International (CC BY 4.0) License.",
            "Provided by Bundesnetzagentur.de under the CC-BY 4.0 license",
            "OGL-UK-3.0",
            "Contains public sector information licensed under the Open Government Licence v2.0.",
            "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "Open License: https://www.etalab.gouv.fr/wp-content/uploads/2014/05/Licence_Ouverte.pdf",
            "lov2",
            "dl-de/by-2-0",
            "https://www.govdata.de/dl-de/zero-2-0",
            "Datenlizenz Deutschland – Namensnennung – Version 2.0",
            "NLOD-2.0",
            "IODL 2.0",
            "PDDL-1.0",
            "CDLA-Permissive-2.0",
            "NonCommercialAllowed-CommercialAllowed-ReferenceRequired",
            "This data … may be used for any purpose whatsoever.",
            "U.S. Government Works",
            "MIT",
            "Apache-2.0",
        ];
        let not_open = [
            "",
            " ",
            "CC",
            "Creative Commons",
            "CC BY-NC 4.0",
            "CC-BY-NC-SA-3.0",
            "cc-by-nd-4.0",
            "http://creativecommons.org/licenses/by-nc-sa/3.0/",
            "Licensed under Attribution-NonCommercial-ShareAlike 3.0 : http://creativecommons.org/licenses/by-nc-sa/3.0/",
            "Creative Commons Attribution-NonCommercial 4.0",
            "Creative Commons Attribution-NoDerivatives 4.0 International",
            "Public Data redistributed by agreement",
            "General public data",
            "proprietary",
            "© 2026 Someone. All rights reserved.",
            "CC BY 4.0, for personal use only",
            "ODbL, except the photographs",
            "This data may not be used for any purpose",
            "NonCommercialAllowed-CommercialWithPermission-ReferenceRequired",
            "notspecified",
            "see our terms of use",
            "summit data",
        ];
        let licenses = Licenses::default();
        for text in open {
            assert!(licenses.is_open(Some(text)), "{text}");
        }
        for text in not_open {
            assert!(!licenses.is_open(Some(text)), "{text}");
        }
        assert!(!licenses.is_open(None));
    }

    #[test]
    fn a_text_that_a_person_has_checked_is_open_however_it_is_written() {
        let licenses = Licenses::with_checked(["General public data", "  "]);
        assert!(licenses.is_open(Some("general  public DATA.")));
        assert!(!licenses.is_open(Some("General public data, all rights reserved")) && !licenses.is_open(None));
        assert!(!licenses.is_open(Some("")), "a blank says nothing");
        assert_eq!(licenses.checked().collect::<Vec<_>>(), ["general public data"]);
    }
}
