//! Stations as a person would want to write them down: every value sound, so that reading need change nothing.

use poimill::domain::{
    Access, Address, Attributes, Connector, ConnectorCodes, ConnectorType, Current, Status, Vocabulary,
};
use proptest::prelude::*;

/// A charging station, with everything that is known about it.
#[derive(Debug, Clone)]
pub(super) struct Station {
    /// Its number, from 1; unique in a file.
    pub(super) id: u32,
    pub(super) lon: f64,
    pub(super) lat: f64,
    pub(super) about: Attributes,
}

/// The table of connector codes.
pub(super) fn codes() -> ConnectorCodes {
    ConnectorCodes::parse(include_str!("../../../pipelines/connectors.toml")).expect("the connectors")
}

/// Up to eight stations whose connectors have words in `vocabulary`.
pub(super) fn stations(vocabulary: Vocabulary) -> impl Strategy<Value = Vec<Station>> {
    proptest::collection::vec(about(vocabulary), 1..8).prop_map(|all| {
        let numbered = (1..).zip(all).map(|(id, ((lon, lat), about))| Station { id, lon, lat, about });
        numbered.collect()
    })
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = T> + use<T> {
    proptest::sample::select(values.to_vec())
}

fn maybe<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = Option<T>> + use<T> {
    proptest::option::of(one_of(values))
}

/// Within Germany, to the micrometre of a degree that every shape can write.
fn position() -> impl Strategy<Value = (f64, f64)> {
    (8_500_000..12_000_000_i32, 49_500_000..51_000_000_i32).prop_map(|(x, y)| (f64::from(x) / 1e6, f64::from(y) / 1e6))
}

fn about(vocabulary: Vocabulary) -> impl Strategy<Value = ((f64, f64), Attributes)> {
    let names = ["Rathaus Nord", "Café „Süd“, Eingang B", "P+R Bahnhof", "Marktplatz; Tiefgarage", "Hafen \"Alt\""];
    let operators = [("Tesla", Some("Q478214")), ("evpass", Some("Q113270804")), ("Stadtwerke Nebelhafen", None)];
    let text = |values: &[&'static str]| maybe(values).prop_map(|value| value.map(str::to_owned));
    (
        position(),
        (text(&names), maybe(&operators)),
        (text(&["Landstraße", "Am Markt", "Rue de la Gare"]), 1..200_u16, text(&["Bad Übel", "Ost-Stadt"])),
        (text(&["01067", "90402"]), text(&["+49 30 23125 001"]), text(&["https://example.org/laden?a=1&b=2"])),
        (
            maybe(&[Access::Public, Access::Customers, Access::Permit, Access::Private]),
            proptest::option::of(any::<bool>()),
        ),
        (
            maybe(&[Status::Operational, Status::OutOfOrder, Status::Planned, Status::Removed]),
            proptest::option::of(1..50),
        ),
        (text(&["24/7"]), connectors(vocabulary)),
    )
        .prop_map(
            |(position, (name, operator), (street, number, city), (postcode, phone, website), usage, state, rest)| {
                let ((access, fee), (status, capacity), (opening_hours, connectors)) = (usage, state, rest);
                let housenumber = street.is_some().then(|| number.to_string());
                let address = Address {
                    street,
                    housenumber,
                    locality: city,
                    postcode,
                    country: Some("DE".to_owned()),
                    ..Address::default()
                };
                let max_power_kw = connectors.iter().filter_map(|connector| connector.power_kw).reduce(f64::max);
                let about = Attributes {
                    category: "charging_station".to_owned(),
                    name,
                    operator: operator.map(|(name, _)| name.to_owned()),
                    operator_wikidata: operator.and_then(|(_, id)| id.map(str::to_owned)),
                    address,
                    phone,
                    website,
                    opening_hours,
                    access,
                    fee,
                    status,
                    capacity,
                    connectors,
                    max_power_kw,
                    ..Attributes::default()
                };
                (position, about)
            },
        )
}

/// Connectors in the order and form of a record: each type once, with a word in `vocabulary`.
fn connectors(vocabulary: Vocabulary) -> impl Strategy<Value = Vec<Connector>> {
    let codes = codes();
    // One for bicycles makes another category of place.
    let none = [ConnectorType::Unknown, ConnectorType::Bicycle];
    let is_said = |kind: &ConnectorType| !none.contains(kind) && codes.write(vocabulary, *kind).is_some();
    let said: Vec<ConnectorType> = ConnectorType::ALL.iter().copied().filter(is_said).collect();
    let most = said.len().min(4);
    (proptest::sample::subsequence(said, 0..=most), any::<u32>()).prop_flat_map(|(kinds, seed)| {
        let each: Vec<_> = (0..).zip(kinds).map(|(at, kind)| connector(kind, seed, at)).collect();
        each
    })
}

/// The currents that a plug carries, where it is not always the same.
fn currents(kind: ConnectorType) -> &'static [Current] {
    use ConnectorType as T;
    match kind {
        T::Type2Socket | T::Type2Cable | T::Type3a | T::Type3c | T::GbtAc | T::As3123 => {
            &[Current::AcSingle, Current::AcThree]
        }
        T::As3112 | T::Nema | T::TeslaRoadster | T::Bicycle | T::Wireless => &[Current::AcSingle],
        _ => &[Current::Dc],
    }
}

/// Volts between the poles, or of the grid.
fn volts(current: Current) -> f64 {
    match current {
        Current::AcSingle => 230.0,
        Current::AcThree => 400.0,
        Current::Dc => 920.0,
    }
}

fn connector(kind: ConnectorType, seed: u32, at: u32) -> impl Strategy<Value = Connector> {
    let current = kind.current().map_or_else(|| currents(kind).to_vec(), |always| vec![always]);
    let rating = (proptest::option::of(11..4_000_u16), proptest::option::of(6..200_u16));
    (rating, 1..4_i32, any::<bool>(), one_of(&current)).prop_map(move |((power, amperes), count, has_ids, current)| {
        let most_kw = if current == Current::AcSingle { 7.4 } else { kind.max_kw(Some(current)).min(400.0) };
        // Whoever writes volts and amperes knows the power.
        let power_kw = power.or(amperes.map(|_| 74)).map(|tenths| (f64::from(tenths) / 10.0).min(most_kw));
        let id = |n: i32| format!("DEABCE{}{at}{n}", seed % 10_000).into_boxed_str();
        let mut evse_ids: Vec<_> = if has_ids { (0..count).map(id).collect() } else { Vec::new() };
        evse_ids.sort_unstable();
        Connector {
            kind,
            current: Some(current),
            power_kw,
            voltage_v: amperes.map(|_| volts(current)),
            amperage_a: amperes.map(f64::from),
            count: Some(count),
            evse_ids,
        }
    })
}
