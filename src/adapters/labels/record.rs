//! Record: what a line says of a record, in our words.

use super::columns::Attribute;
use crate::domain::{
    Address, Attributes, Connector, ConnectorType, Hash16, LonLat, Operators, Record, RecordId, RecordKey, fold,
    street_and_number,
};

/// What a line says of a record, by attribute; empty where it says nothing.
pub(super) type Raw<'a> = Vec<(Attribute, &'a str)>;

/// Separators of lists in one column.
const LIST: [char; 2] = [';', '|'];

/// The record of one side; `None` without a position on Earth.
pub(super) fn record(side: usize, id: RecordId, line: u64, raw: &Raw<'_>, operators: &Operators) -> Option<Record> {
    let text = |wanted: Attribute| {
        raw.iter().find(|(own, value)| *own == wanted && !value.is_empty()).map(|(_, value)| (*value).to_owned())
    };
    let number = |wanted: Attribute| text(wanted).and_then(|text| text.parse::<f64>().ok());
    let list = |wanted: Attribute| -> Vec<String> {
        let text = text(wanted).unwrap_or_default();
        text.split(LIST).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let position = LonLat::new(number(Attribute::Longitude)?, number(Attribute::Latitude)?)?;

    let postcode = text(Attribute::Postcode).map(without_decimals);
    let freeform = text(Attribute::Address);
    let (street, housenumber) =
        freeform.as_deref().map_or((None, None), |line| street_and_number(line, postcode.as_deref()));
    let address = Address {
        street: text(Attribute::Street).or(street.map(str::to_owned)),
        housenumber: text(Attribute::HouseNumber).or(housenumber.map(str::to_owned)),
        locality: text(Attribute::Locality),
        postcode,
        freeform,
        ..Address::default()
    };

    let operator = text(Attribute::Operator);
    let known = operator.as_deref().and_then(|name| operators.find(name, None));
    let by_wikidata = known.and_then(|operator| operator.wikidata.as_ref()).map(|id| format!("wikidata:{id}"));
    let operator = known.map(|operator| operator.name.clone()).or(operator);
    let by_name = operator.as_deref().map(fold).filter(|name| !name.is_empty());

    let mut categories = list(Attribute::Category).into_iter();
    let mut names = list_of_names(text(Attribute::Name)).into_iter();
    let connector = |name: &String| ConnectorType::ALL.iter().copied().find(|kind| kind.name() == name.as_str());
    let mut attributes = Attributes {
        // None counts as no category, which is like any other.
        category: categories.next().unwrap_or_default(),
        alternate_categories: categories.collect(),
        name: names.next(),
        names: names.map(|name| (String::new(), name)).collect(),
        operator,
        brand: text(Attribute::Brand),
        address,
        phone: text(Attribute::Phone),
        website: text(Attribute::Website),
        capacity: number(Attribute::Capacity).map(|capacity| capacity as i32),
        connectors: list(Attribute::Connectors).iter().filter_map(connector).map(Connector::of).collect(),
        max_power_kw: number(Attribute::MaxPowerKw),
        ..Attributes::default()
    };
    if let Some(reference) = text(Attribute::Reference) {
        attributes.tags.set("ref", reference);
    }
    let mut external_ids: Vec<Box<str>> = list(Attribute::ExternalIds).into_iter().map(Into::into).collect();
    external_ids.sort_unstable();
    Some(Record {
        key: RecordKey { dataset: side, id },
        position,
        footprint: None,
        attributes,
        operator_key: by_wikidata.or(by_name).map(Into::into),
        external_ids,
        update_time: None,
        license: None,
        raw: "{}".into(),
        content_hash: Hash16([0; 16]),
        line: Some(line),
        duplicate_of: None,
        findings: Vec::new(),
        parts: Vec::new(),
    })
}

/// Names are parted by bars only: a semicolon may be a part of one.
fn list_of_names(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split('|').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A postcode that passed through a column of numbers: `15237.0` is `15237`.
fn without_decimals(postcode: String) -> String {
    match postcode.strip_suffix(".0") {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.to_owned(),
        _ => postcode,
    }
}
