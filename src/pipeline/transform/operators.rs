//! Operators: who runs it, by its canonical name. A brand is not an operator.

use super::text;
use super::{Context, Draft, Dropped};
use crate::domain::{Operator, fold};

/// The tag in which Open Charge Map's number of an operator travels.
pub(super) const OCM_OPERATOR: &str = "operator:ocm";

/// Open Charge Map's entries for what is no operator, folded: unknown, private person, whoever owns the premises.
const NOT_AN_OPERATOR: [&str; 3] = ["unknown operator", "private residence individual", "business owner at location"];

/// How names end, folded, of those who lend their forecourt: the dealers of a make run no stations.
const LENDS_ITS_NAME: &str = " dealer network";

/// Their numbers in Open Charge Map's reference data.
const NOT_AN_OCM_OPERATOR: [&str; 3] = ["1", "44", "45"];

/// Fills operator, its Wikidata id, network and brand, and the key by which operators are compared.
pub(super) fn step(mut draft: Draft, context: &Context<'_>) -> Result<Draft, Dropped> {
    let tags = &mut draft.record.attributes.tags;
    let name = tags.take("operator").and_then(|operator| text::name(&operator));
    let name = name.filter(|name| !NOT_AN_OPERATOR.contains(&fold(name).as_str()));
    let brand = tags.take("brand").and_then(|brand| text::name(&brand));
    let network = tags.take("network").and_then(|network| text::name(&network));
    let wikidata = draft.take_read(&["operator:wikidata"], wikidata_id);

    let country = draft.record.attributes.address.country.clone();
    let country = country.as_deref();
    let find = |name: &String| context.operators.find(name, country);
    let known = wikidata.iter().chain(&name).find_map(find);
    // A network is run by somebody, and known by the same names.
    let network = network.map(|network| find(&network).map_or(network, |operator| operator.name.clone()));
    let attributes = &mut draft.record.attributes;
    attributes.operator = known.map(|operator| operator.name.clone()).or(name);
    attributes.operator_wikidata = known.and_then(|operator| operator.wikidata.clone()).or(wikidata);
    (attributes.brand, attributes.network) = (brand, network);

    let by_wikidata = attributes.operator_wikidata.as_ref().map(|id| format!("wikidata:{id}"));
    let by_name =
        || attributes.operator.as_deref().map(fold).filter(|name| !name.is_empty() && !name.ends_with(LENDS_ITS_NAME));
    let by_number = || {
        let number = attributes.tags.get(OCM_OPERATOR).map(str::trim)?;
        let is_operator = attributes.operator.is_none() && !number.is_empty() && !NOT_AN_OCM_OPERATOR.contains(&number);
        is_operator.then(|| format!("ocm:{number}"))
    };
    // Where none is stated, a name may tell it: `Mall of Foo - Tesla Supercharger`. The column stays as stated.
    let by_title = || {
        let title = attributes.operator.is_none().then_some(attributes.name.as_deref()?)?;
        let id = in_title(&fold(title), |name| context.operators.find(name, country))?.wikidata.as_ref()?;
        Some(format!("wikidata:{id}"))
    };
    draft.record.operator_key = by_wikidata.or_else(by_name).or_else(by_title).or_else(by_number).map(Into::into);
    Ok(draft)
}

/// The operator that some words of a folded title name. One word is not enough: towns and streets are called like companies.
fn in_title<'o>(title: &str, find: impl Fn(&str) -> Option<&'o Operator>) -> Option<&'o Operator> {
    let words: Vec<&str> = title.split(' ').collect();
    let windows = (2..=3).rev().flat_map(|length| words.windows(length));
    windows.map(|words| words.join(" ")).find_map(|name| find(&name))
}

/// A single Wikidata id, e.g. `Q478214`.
fn wikidata_id(text: &str) -> Option<String> {
    let id = text.trim();
    let digits = id.strip_prefix('Q')?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;
    use crate::domain::Operators;

    #[test]
    fn an_operator_has_one_name_and_one_key() {
        let cases = [
            ("operator=Tesla, Inc.", Some("Tesla"), Some("wikidata:Q478214")),
            ("operator=Tesla (Tesla-only charging)", Some("Tesla"), Some("wikidata:Q478214")),
            ("operator:wikidata=Q478214", Some("Tesla"), Some("wikidata:Q478214")),
            ("operator=LKW", Some("Liechtensteinische Kraftwerke"), Some("liechtensteinische kraftwerke")),
            (
                "operator=Liechtensteinischen  Kraftwerke",
                Some("Liechtensteinische Kraftwerke"),
                Some("liechtensteinische kraftwerke"),
            ),
            ("operator=Gemeinde Planken", Some("Gemeinde Planken"), Some("gemeinde planken")),
            ("operator=Foo|operator:wikidata=Q1", Some("Foo"), Some("wikidata:Q1")),
            ("operator:wikidata=Q1;Q2", None, None),
            ("operator:ocm=3894", None, Some("ocm:3894")),
            ("operator=EnBW (D)|operator:ocm=86", Some("EnBW"), Some("wikidata:Q644304")),
            ("operator=(Unknown Operator)|operator:ocm=1", None, None),
            ("operator=(Business Owner at Location)|operator:ocm=45", None, None),
            ("operator=unknown", None, None),
            ("operator=Foo UK Dealer Network|operator:ocm=7", Some("Foo UK Dealer Network"), None),
            ("brand=Tesla", None, None),
        ];
        for (tags, operator, key) in cases {
            let record = step_on(step, tags);
            assert_eq!(record.attributes.operator.as_deref(), operator, "{tags}");
            assert_eq!(record.operator_key.as_deref(), key, "{tags}");
        }
    }

    #[test]
    fn a_title_tells_an_operator_by_two_words_or_more() {
        let table = "[[operator]]\nname = \"Foo\"\naliases = [\"Foo Fast Charge\", \"Foo Post\"]";
        let operators = Operators::parse(table).unwrap();
        let cases = [("mall of bar foo post", true), ("foo fast charge bar", true), ("foo", false), ("foo bar", false)];
        for (title, expected) in cases {
            assert_eq!(in_title(title, |name| operators.find(name, None)).is_some(), expected, "{title}");
        }
    }

    #[test]
    fn brand_and_network_are_kept_as_stated() {
        let record = step_on(step, "brand= Tesla  Supercharger|brand:wikidata=Q17089620|network=-");
        assert_eq!(record.attributes.brand.as_deref(), Some("Tesla Supercharger"));
        assert_eq!(record.attributes.network, None);
        assert_eq!(record.attributes.tags.get("brand:wikidata"), Some("Q17089620"));
    }
}
