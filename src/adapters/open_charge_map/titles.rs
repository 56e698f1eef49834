//! Titles: which number a title stands for, for shapes that state only the title.

use rustc_hash::FxHashMap;

use super::text::essence;

/// Titles of a list of the reference data, compared by their letters and digits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Titles(FxHashMap<String, i64>);

impl Titles {
    /// The titles of a built-in list.
    pub(super) fn of(list: &[(i64, &str)]) -> Self {
        let mut titles = Self::default();
        for (id, title) in list {
            titles.add(*id, title);
        }
        titles
    }

    /// One more title for a number; its others stay, because dumps are older than reference data.
    pub(super) fn add(&mut self, id: i64, title: &str) {
        let title = essence(title);
        if !title.is_empty() {
            self.0.insert(title, id);
        }
    }

    /// The number of a title.
    pub(super) fn id(&self, title: &str) -> Option<i64> {
        self.0.get(&essence(title)).copied()
    }
}

/// `ConnectionTypes` of the reference data, 2021 and 2023, with the titles that later ones have.
pub(super) const CONNECTION_TYPES: [(i64, &str); 45] = [
    (0, "Unknown"),
    (1, "Type 1 (J1772)"),
    (2, "CHAdeMO"),
    (3, "BS1363 3 Pin 13 Amp"),
    (4, "Blue Commando (2P+E)"),
    (5, "LP Inductive"),
    (6, "SP Inductive"),
    (7, "Avcon Connector"),
    (8, "Tesla (Roadster)"),
    (9, "NEMA 5-20R"),
    (10, "NEMA 14-30"),
    (11, "NEMA 14-50"),
    (13, "Europlug 2-Pin (CEE 7/16)"),
    (14, "NEMA 6-20"),
    (15, "NEMA 6-15"),
    (16, "CEE 3 Pin"),
    (17, "CEE 5 Pin"),
    (18, "CEE+ 7 Pin"),
    (21, "XLR Plug (4 pin)"),
    (22, "NEMA 5-15R"),
    (23, "CEE 7/5"),
    (24, "Wireless Charging"),
    (25, "Type 2 (Socket Only)"),
    (26, "SCAME Type 3C (Schneider-Legrand)"),
    (27, "NACS / Tesla Supercharger"),
    (27, "Tesla Supercharger"),
    (28, "CEE 7/4 - Schuko - Type F"),
    (29, "Type I (AS 3112)"),
    (30, "Tesla (Model S/X)"),
    (31, "Tesla Battery Swap"),
    (32, "CCS (Type 1)"),
    (33, "CCS (Type 2)"),
    (34, "IEC 60309 3-pin"),
    (35, "IEC 60309 5-pin"),
    (36, "SCAME Type 3A (Low Power)"),
    (1036, "Type 2 (Tethered Connector)"),
    (1037, "T13 - SEC1011 ( Swiss domestic 3-pin ) - Type J"),
    (1038, "GB-T AC - GB/T 20234.2 (Socket)"),
    (1039, "GB-T AC - GB/T 20234.2 (Tethered Cable)"),
    (1040, "GB-T DC - GB/T 20234.3"),
    (1041, "Three Phase 5-Pin (AS/NZ 3123)"),
    (1042, "NEMA TT-30R"),
    (1043, "Type M"),
    (1044, "ChaoJi"),
    (1044, "CHAOJI DC"),
];

/// `CurrentTypes`.
pub(super) const CURRENT_TYPES: [(i64, &str); 3] = [(10, "AC (Single-Phase)"), (20, "AC (Three-Phase)"), (30, "DC")];

/// `UsageTypes`.
pub(super) const USAGE_TYPES: [(i64, &str); 8] = [
    (0, "(Unknown)"),
    (1, "Public"),
    (2, "Private - Restricted Access"),
    (3, "Privately Owned - Notice Required"),
    (4, "Public - Membership Required"),
    (5, "Public - Pay At Location"),
    (6, "Private - For Staff, Visitors or Customers"),
    (7, "Public - Notice Required"),
];

/// `StatusTypes`.
pub(super) const STATUS_TYPES: [(i64, &str); 10] = [
    (0, "Unknown"),
    (10, "Currently Available (Automated Status)"),
    (20, "Currently In Use (Automated Status)"),
    (30, "Temporarily Unavailable"),
    (50, "Operational"),
    (75, "Partly Operational (Mixed)"),
    (100, "Not Operational"),
    (150, "Planned For Future Date"),
    (200, "Removed (Decommissioned)"),
    (210, "Removed (Duplicate Listing)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_known_however_it_is_set() {
        let titles = Titles::of(&CONNECTION_TYPES);
        let cases = [
            ("Type 2 (Tethered Connector) ", Some(1036)),
            ("type 2 (socket only)", Some(25)),
            ("Tesla Supercharger", Some(27)),
            ("CEE 7/4 - Schuko - Type F", Some(28)),
            ("Type 2", None),
            ("", None),
        ];
        for (title, id) in cases {
            assert_eq!(titles.id(title), id, "{title}");
        }
    }
}
