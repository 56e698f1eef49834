//! External ids: numbers by which other sources know the same thing.
//!
//! Equal ids are strong evidence for a match, so what does not look like an id is left out. The tags stay.

use super::{Context, Draft, Dropped, countries};
use crate::domain::{Finding, FindingRule};

/// Keys whose value is an id of its own kind, with the prefix of that kind.
const KEYS: [(&str, &str); 4] =
    [("ref:ocm", "ocm:"), ("ref:tesla", "ref:tesla:"), ("ref:ocpi", "ref:ocpi:"), ("ref:plugshare", "ref:plugshare:")];

/// Keys under which a record has the id that its provider gave it, e.g. `ref:provider:2`, by Open Charge Map's number of the
/// provider. A table of that provider says its own ids under the same key, and the two know each other.
const PROVIDER_KEYS: &str = "ref:provider:";

/// Keys that list EVSE ids, of charging points or of pools of them.
const EVSE_KEYS: [&str; 2] = ["ref:EU:EVSE", "ref:EU:EVSE:pool"];

/// Fills `external_ids`, sorted, from the tags and the connectors.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let attributes = &draft.record.attributes;
    let mut ids: Vec<Box<str>> = Vec::new();
    let mut findings = Vec::new();
    for list in EVSE_KEYS.iter().filter_map(|key| attributes.tags.get(key)) {
        for stated in list.split(';').map(str::trim).filter(|stated| !stated.is_empty()) {
            match evse_id(stated) {
                Some(id) => ids.push(format!("evse:{id}").into()),
                None => findings.push(Finding::dropped(FindingRule::InvalidEvseId, "tags.ref:EU:EVSE", stated)),
            }
        }
    }
    let of_connectors = attributes.connectors.iter().flat_map(|connector| &connector.evse_ids);
    ids.extend(of_connectors.map(|id| format!("evse:{id}").into()));
    let is_id = |id: &&str| !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    for (key, prefix) in KEYS {
        let values = attributes.tags.get(key).unwrap_or_default().split(';').map(str::trim);
        ids.extend(values.filter(is_id).map(|id| format!("{prefix}{id}").into()));
    }
    for (key, id) in attributes.tags.iter().filter(|(key, _)| key.starts_with(PROVIDER_KEYS)) {
        ids.extend(Some(id.trim()).filter(is_id).map(|id| format!("{key}:{id}").into()));
    }
    ids.sort_unstable();
    ids.dedup();
    draft.record.external_ids = ids;
    draft.record.findings.extend(findings);
    Ok(draft)
}

/// Longest EVSE id without its separators: 2 + 3 + 1 + 31 (ISO 15118-2, H.2), with some room.
const EVSE_ID_MAX: usize = 40;

/// An EVSE id as it is compared: capitals and digits only, `CH*LKW*E123` as `CHLKWE123`.
///
/// `None` when it is not a country's code, operator (3), `E` or the French pools' `P`, and a number.
pub(super) fn evse_id(text: &str) -> Option<Box<str>> {
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || " *-_.".contains(c)) {
        return None;
    }
    let id: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let bytes = id.as_bytes();
    let is_id =
        (7..=EVSE_ID_MAX).contains(&bytes.len()) && countries::is_code(&id[..2]) && matches!(bytes[5], b'E' | b'P');
    is_id.then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn evse_ids_have_one_form() {
        let cases = [
            ("FR*S89*P89257*A", Some("FRS89P89257A")),
            ("FR S89 P89257 A", Some("FRS89P89257A")),
            ("de*gap*e001205", Some("DEGAPE001205")),
            ("CHLKWE1", Some("CHLKWE1")),
            ("CHLKWE", None),
            ("CH*ABC*E1;CH*ABC*E2", None), // two
            ("EVSE-E05c2958", None),       // no country is EV
            ("unknown", None),
            ("12", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(evse_id(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ids_are_collected_sorted_and_once() {
        let record = step_on(
            step,
            "ref:EU:EVSE=DE*GAP*E2;DEGAPE1; degape2|ref:ocm=461426;93452|ref:tesla=schaan supercharger|ref:ocpi=A-1|ref:provider:2=1520|ref:provider:9=a b",
        );
        let ids: Vec<&str> = record.external_ids.iter().map(|id| &**id).collect();
        assert_eq!(
            ids,
            ["evse:DEGAPE1", "evse:DEGAPE2", "ocm:461426", "ocm:93452", "ref:ocpi:A-1", "ref:provider:2:1520"]
        );
        assert_eq!(record.attributes.tags.iter().count(), 6, "no column holds them, so the tags stay");
    }
}
