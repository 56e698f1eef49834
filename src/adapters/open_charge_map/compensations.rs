//! Compensations: what Open Charge Map itself is known to get wrong, and what is done about it.
//!
//! [`COMPENSATIONS`] is the whole list, one entry per rule with the source of the claim. Each entry adds findings, so that
//! nothing is changed or doubted silently.

use super::text::same_letters;
use crate::domain::{ConnectorType, Feature, Finding, FindingRule, Status};

/// Data providers whose records come from OCPI feeds, beside those whose comments say so.
///
/// openchargemap/ocm-system, `Import/OCM.Import.Worker/ocpi-providers.json` (30 to 40, 42, 44, 45) and
/// `Import/OCM.Import.Common/Providers/OCPI` (41 and 43). Mobie (7) is there too, but switched off.
pub(super) const OCPI_PROVIDERS: std::ops::RangeInclusive<i64> = 30..=45;

/// A number above this is watts in the place of kilowatts. The strongest chargers of today give a third of it.
const WATTS_FROM_KW: f64 = 1_000.0;

/// The kind of usage that OCPI imports write whatever the feed says: public, membership required.
const USAGE_OF_IMPORTS: i64 = 4;

/// Whether the comments on a data provider say that its records are imported by OCPI, as those of 30 to 32 do in 2023.
pub(super) fn says_ocpi(comments: &str) -> bool {
    comments.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("OCPI"))
}

/// What the rules look at besides the feature.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts<'a> {
    /// Whether the record was imported from an OCPI feed.
    pub(super) is_ocpi: bool,
    /// Status of the place, as stated.
    pub(super) status: Option<Status>,
    /// Status of each connection that is there, where stated.
    pub(super) connections: Vec<Option<Status>>,
    /// Number of the kind of usage.
    pub(super) usage: Option<i64>,
    pub(super) address_line_1: Option<&'a str>,
    pub(super) town: Option<&'a str>,
    pub(super) postcode: Option<&'a str>,
}

/// One thing that goes wrong upstream.
pub(super) struct Compensation {
    /// Name of its findings.
    pub(super) rule: FindingRule,
    /// Where the claim comes from.
    #[cfg_attr(not(test), expect(dead_code, reason = "for people who read the table"))]
    pub(super) claim: &'static str,
    /// Puts the feature right, or doubts it.
    apply: fn(&Facts<'_>, &mut Feature),
}

/// The rules, in order.
pub(super) const COMPENSATIONS: [Compensation; 6] = [
    Compensation {
        rule: FindingRule::PowerInWatts,
        claim: "ocm-system OCPIDataAdapter: feeds give watts and kilowatts alike, and only some imports divide what is above 1000",
        apply: power_in_watts,
    },
    Compensation {
        rule: FindingRule::SocketOrCable,
        claim: "ocm-system OCPIDataAdapter: format SOCKET of IEC_62196_T2 becomes 1036 (tethered) and CABLE becomes 25 (socket)",
        apply: socket_or_cable,
    },
    Compensation {
        rule: FindingRule::StatusOfLastPoint,
        claim: "ocm-system OCPIDataAdapter: the status of the site is overwritten by each EVSE, so the last one stays",
        apply: status_of_last_point,
    },
    Compensation {
        rule: FindingRule::UsageOfImport,
        claim: "ocm-system OCPIDataAdapter: UsageTypeID is always 4, whatever the feed says",
        apply: usage_of_import,
    },
    Compensation {
        rule: FindingRule::CountryOfOperator,
        claim: "ocm-system OCPIDataAdapter: the country is found by the feed's country_code, which is the operator's",
        apply: country_of_operator,
    },
    Compensation {
        rule: FindingRule::TitleIsAddress,
        claim: "ocm-system ImportManager and OCPI imports: a place without a name gets its street, or its postcode, as title",
        apply: title_is_address,
    },
];

/// Applies every rule to a feature.
pub(super) fn compensate(facts: &Facts<'_>, feature: &mut Feature) {
    for compensation in &COMPENSATIONS {
        let before = feature.findings.len();
        (compensation.apply)(facts, feature);
        debug_assert!(feature.findings[before..].iter().all(|finding| finding.rule == compensation.rule));
    }
}

fn power_in_watts(_: &Facts<'_>, feature: &mut Feature) {
    for connector in &mut feature.connectors {
        if let Some(watts) = connector.power_kw.filter(|kw| *kw > WATTS_FROM_KW) {
            let kw = watts / 1_000.0;
            connector.power_kw = Some(kw);
            let finding = Finding::replaced(FindingRule::PowerInWatts, "connectors", watts.to_string(), kw.to_string());
            feature.findings.push(finding);
        }
    }
}

/// Which of the two it is stays open: both are one class in matching.
fn socket_or_cable(facts: &Facts<'_>, feature: &mut Feature) {
    if !facts.is_ocpi {
        return;
    }
    for kind in [ConnectorType::Type2Socket, ConnectorType::Type2Cable] {
        if feature.connectors.iter().any(|connector| connector.kind == kind) {
            feature.findings.push(Finding::dropped(FindingRule::SocketOrCable, "connectors", kind.name()));
        }
    }
}

/// The status is that of all connections together, where each states one that is about working or not.
fn status_of_last_point(facts: &Facts<'_>, feature: &mut Feature) {
    let Some(stated) = facts.status.filter(|status| facts.is_ocpi && is_about_working(*status)) else { return };
    let statuses: Option<Vec<Status>> =
        facts.connections.iter().map(|status| status.filter(|status| is_about_working(*status))).collect();
    let Some(statuses) = statuses.filter(|statuses| !statuses.is_empty()) else { return };
    let all = |wanted| statuses.iter().all(|status| *status == wanted);
    let together = if all(Status::Operational) {
        Status::Operational
    } else if all(Status::OutOfOrder) {
        Status::OutOfOrder
    } else {
        Status::Partial
    };
    if together != stated {
        feature.tags.set("operational_status", together.name());
        let finding = Finding::replaced(FindingRule::StatusOfLastPoint, "status", stated.name(), together.name());
        feature.findings.push(finding);
    }
}

fn is_about_working(status: Status) -> bool {
    matches!(status, Status::Operational | Status::Partial | Status::OutOfOrder)
}

fn usage_of_import(facts: &Facts<'_>, feature: &mut Feature) {
    if facts.is_ocpi && facts.usage == Some(USAGE_OF_IMPORTS) {
        feature.tags.take("access");
        feature.tags.take("authentication:membership_card");
        feature.findings.push(Finding::dropped(FindingRule::UsageOfImport, "access", USAGE_OF_IMPORTS.to_string()));
    }
}

/// Only a doubt: where the place lies is for the transform to judge.
fn country_of_operator(facts: &Facts<'_>, feature: &mut Feature) {
    if let Some(country) = feature.tags.get("addr:country").filter(|_| facts.is_ocpi) {
        feature.findings.push(Finding::dropped(FindingRule::CountryOfOperator, "country", country));
    }
}

/// A title that is only the address is no name.
fn title_is_address(facts: &Facts<'_>, feature: &mut Feature) {
    let Some(name) = feature.tags.get("name") else { return };
    let (line_1, town, postcode) = (facts.address_line_1, facts.town, facts.postcode);
    let is = |parts: &[Option<&str>]| {
        let parts: Option<Vec<&str>> = parts.iter().copied().collect();
        parts.is_some_and(|parts| same_letters(name, &parts))
    };
    let is_address = is(&[line_1])
        || is(&[postcode])
        || is(&[line_1, town])
        || is(&[line_1, postcode])
        || is(&[postcode, town])
        || is(&[line_1, postcode, town]);
    if is_address {
        feature.findings.push(Finding::dropped(FindingRule::TitleIsAddress, "name", name));
        feature.tags.take("name");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Connector, RecordId, Tags};

    /// What the rules make of a feature with these tags and connectors: tags and findings as text.
    fn compensated(facts: &Facts<'_>, tags: &[(&str, &str)], connectors: Vec<Connector>) -> (String, Vec<String>) {
        let tags: Tags = tags.iter().copied().collect();
        let mut feature = Feature { connectors, ..Feature::point(RecordId::new("1"), 9.5, 47.1, tags) };
        compensate(facts, &mut feature);
        let tags: Vec<String> = feature.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let finding = |f: &Finding| {
            format!(
                "{} {} {} {}",
                f.rule,
                f.field,
                f.before.as_deref().unwrap_or("-"),
                f.after.as_deref().unwrap_or("-")
            )
        };
        (tags.join(" "), feature.findings.iter().map(finding).collect())
    }

    #[test]
    fn every_rule_says_where_its_claim_comes_from_and_stands_once() {
        for (at, compensation) in COMPENSATIONS.iter().enumerate() {
            assert!(compensation.claim.starts_with("ocm-system "), "{}", compensation.rule);
            assert!(COMPENSATIONS[..at].iter().all(|other| other.rule != compensation.rule), "{}", compensation.rule);
        }
    }

    #[test]
    fn power_above_a_megawatt_was_meant_in_watts() {
        let powers = [(22.0, None), (1000.0, None), (1000.5, Some("power_in_watts connectors 1000.5 1.0005"))];
        for (power, expected) in powers {
            let connector = Connector { power_kw: Some(power), ..Connector::of(ConnectorType::Ccs2) };
            let (_, findings) = compensated(&Facts::default(), &[], vec![connector]);
            assert_eq!(findings.first().map(String::as_str), expected, "{power}");
        }
    }

    #[test]
    fn what_comes_from_ocpi_is_doubted_where_imports_invent() {
        let ocpi = Facts { is_ocpi: true, ..Facts::default() };
        let type_2 = || vec![Connector::of(ConnectorType::Type2Socket), Connector::of(ConnectorType::Ccs2)];
        let access = [("access", "yes"), ("addr:country", "LT"), ("authentication:membership_card", "yes")];
        let all = "access=yes addr:country=LT authentication:membership_card=yes";
        let cases = [
            (Facts { usage: Some(4), ..Facts::default() }, all, vec![]),
            (ocpi.clone(), all, vec!["socket_or_cable connectors type2_socket -", "country_of_operator country LT -"]),
            (
                Facts { usage: Some(4), ..ocpi.clone() },
                "addr:country=LT",
                vec![
                    "socket_or_cable connectors type2_socket -",
                    "usage_of_import access 4 -",
                    "country_of_operator country LT -",
                ],
            ),
            (
                Facts { usage: Some(2), ..ocpi },
                all,
                vec!["socket_or_cable connectors type2_socket -", "country_of_operator country LT -"],
            ),
        ];
        for (facts, tags, findings) in cases {
            assert_eq!(
                compensated(&facts, &access, type_2()),
                (tags.to_owned(), findings.into_iter().map(str::to_owned).collect()),
                "{facts:?}"
            );
        }
    }

    #[test]
    fn the_status_of_a_place_from_ocpi_is_that_of_all_its_points() {
        use Status::{Operational, OutOfOrder, Partial, Planned};
        let cases = [
            (true, Some(OutOfOrder), vec![Some(Operational), Some(OutOfOrder)], Some("partial")),
            (true, Some(OutOfOrder), vec![Some(Operational), Some(Operational)], Some("operational")),
            (true, Some(Operational), vec![Some(OutOfOrder)], Some("out_of_order")),
            (true, Some(Operational), vec![Some(Operational), Some(Partial)], Some("partial")),
            (true, Some(Operational), vec![Some(Operational)], None),
            (true, Some(Operational), vec![Some(OutOfOrder), None], None),
            (true, Some(Operational), vec![Some(OutOfOrder), Some(Planned)], None),
            (true, Some(Planned), vec![Some(OutOfOrder)], None),
            (true, None, vec![Some(OutOfOrder)], None),
            (true, Some(Operational), vec![], None),
            (false, Some(Operational), vec![Some(OutOfOrder)], None),
        ];
        for (is_ocpi, status, connections, expected) in cases {
            let facts = Facts { is_ocpi, status, connections, ..Facts::default() };
            let (tags, findings) = compensated(&facts, &[], vec![]);
            assert_eq!(tags.strip_prefix("operational_status="), expected, "{facts:?}");
            assert_eq!(findings.len(), usize::from(expected.is_some()), "{facts:?}");
        }
    }

    #[test]
    fn a_title_that_is_only_the_address_is_no_name() {
        let cases = [
            ("Long Lane 4", Some("Long Lane 4"), true),
            ("long lane, 4", Some("Long Lane 4"), true),
            ("Long Lane 4, Neudorf", Some("Long Lane 4"), true),
            ("9999", None, true),
            ("9999 Neudorf", None, true),
            ("Long Lane 4, 9999 Neudorf", Some("Long Lane 4"), true),
            ("Neudorf", Some("Long Lane 4"), false),
            ("Long Lane Garage", Some("Long Lane 4"), false),
            ("Long Lane", Some("Long Lane 4"), false),
            ("!", Some("?"), false),
        ];
        for (title, line_1, is_address) in cases {
            let facts =
                Facts { address_line_1: line_1, town: Some("Neudorf"), postcode: Some("9999"), ..Facts::default() };
            let (tags, findings) = compensated(&facts, &[("name", title)], vec![]);
            assert_eq!(tags.is_empty(), is_address, "{title}");
            assert_eq!(findings.len(), usize::from(is_address), "{title}");
        }
    }

    #[test]
    fn the_comments_on_a_provider_say_ocpi_as_a_word() {
        for (comments, expected) in
            [("OCPI with Data Sharing Agreement", true), ("by ocpi.", true), ("ocpilot", false), ("", false)]
        {
            assert_eq!(says_ocpi(comments), expected, "{comments}");
        }
    }
}
