//! Clean address: the parts of a postal address, and the country as a code.

use super::{Context, Draft, Dropped, countries};
use crate::domain::Address;

/// Fills `address` from `addr:*`, else `contact:*`.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let country = draft.take_read(&["addr:country", "contact:country"], countries::code);
    draft.record.attributes.address = Address {
        freeform: draft.take_text(&["addr:full"]),
        street: draft.take_text(&["addr:street", "contact:street"]),
        housenumber: draft.take_text(&["addr:housenumber", "contact:housenumber"]),
        locality: draft.take_text(&[
            "addr:city",
            "addr:town",
            "addr:village",
            "addr:hamlet",
            "addr:place",
            "addr:suburb",
            "contact:city",
        ]),
        postcode: draft.take_text(&["addr:postcode", "contact:postcode"]),
        region: draft.take_text(&["addr:state", "addr:province", "contact:state"]),
        country,
    };
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn an_address_is_read_from_either_scheme() {
        let record = step_on(
            step,
            "addr:street= Steckergass |addr:housenumber=7|addr:city=Schaan|addr:postcode=9494|addr:country=li|addr:suburb=Dorf",
        );
        let expected = Address {
            street: Some("Steckergass".into()),
            housenumber: Some("7".into()),
            locality: Some("Schaan".into()),
            postcode: Some("9494".into()),
            country: Some("LI".into()),
            ..Address::default()
        };
        assert_eq!(record.attributes.address, expected);
        assert_eq!(record.attributes.tags.get("addr:suburb"), Some("Dorf"), "what has no column stays");

        let record = step_on(step, "contact:street=High Street|contact:city=Leeds|contact:country=United Kingdom");
        let expected = Address {
            street: Some("High Street".into()),
            locality: Some("Leeds".into()),
            country: Some("GB".into()),
            ..Address::default()
        };
        assert_eq!(record.attributes.address, expected);
        assert!(record.attributes.tags.is_empty());
    }

    #[test]
    fn a_country_that_is_none_stays_a_tag() {
        let record = step_on(step, "addr:country=Utopia|addr:city=Amaurot");
        assert_eq!(record.attributes.address.country, None);
        assert_eq!(record.attributes.tags.get("addr:country"), Some("Utopia"));
    }
}
