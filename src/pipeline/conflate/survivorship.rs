//! Survivorship: which record's value of an attribute a place takes.
//!
//! A rule per attribute looks at the records that know it. Whatever the rule, the first in the order of the pipeline file's
//! sources wins a tie. What belongs together is one attribute: connectors and the highest power, an operator and its
//! Wikidata id, a position and the footprint around it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Address, Attributes, Connector, Record, Timestamp, fold, haversine, named};

/// Positions this near, in metres, are the same: about what a geocoder and a mapper differ by.
const SAME_POSITION_M: f64 = 25.0;

/// Digits of a telephone number that are compared, from its end: without the codes of country and area.
const PHONE_DIGITS: usize = 7;

named! {
    /// How a value is chosen among several.
    Rule {
        /// That of the first source.
        Priority = "priority",
        /// That of the record that was changed last.
        Newest = "newest",
        /// The one that says most.
        Complete = "complete",
        /// The one that most sources state, alike but for how it is written.
        Agreement = "agreement",
    }
}

named! {
    /// What is chosen as one, in the order of provenance.
    Attribute {
        /// Name on the ground.
        Name = "name",
        /// Network.
        Network = "network",
        /// Brand.
        Brand = "brand",
        /// Telephone number.
        Phone = "phone",
        /// Web address.
        Website = "website",
        /// E-mail address.
        Email = "email",
        /// Opening hours.
        OpeningHours = "opening_hours",
        /// Who may use it.
        Access = "access",
        /// Whether it costs money.
        Fee = "fee",
        /// Vehicles at once.
        Capacity = "capacity",
        /// What it is.
        Category = "category",
        /// Postal address.
        Address = "address",
        /// Connectors and the highest power.
        Connectors = "connectors",
        /// Operator and its Wikidata id.
        Operator = "operator",
        /// Whether it works.
        Status = "status",
        /// Position and footprint.
        Position = "position",
    }
}

/// A rule per attribute. The `[conflate.survivorship]` table of a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survivorship([Rule; Attribute::ALL.len()]);

impl Default for Survivorship {
    fn default() -> Self {
        Self::with_default(Rule::Priority)
    }
}

impl Survivorship {
    /// One rule for every attribute, but for what grows old and for what is often stated in part only. Where the rule
    /// says nothing of an attribute, the first source is taken.
    #[must_use]
    pub fn with_default(rule: Rule) -> Self {
        Self([rule; Attribute::ALL.len()])
            .with(Attribute::Status, Rule::Newest)
            .with(Attribute::Address, Rule::Complete)
            .with(Attribute::Position, Rule::Complete)
    }

    /// The same with another rule for one attribute.
    #[must_use]
    pub fn with(mut self, attribute: Attribute, rule: Rule) -> Self {
        self.0[attribute as usize] = rule;
        self
    }

    /// The rule of an attribute.
    #[must_use]
    pub fn rule(&self, attribute: Attribute) -> Rule {
        self.0[attribute as usize]
    }

    /// Which of these records gives the attribute; `None` where none knows it.
    pub(super) fn choose(&self, attribute: Attribute, group: &[&Record]) -> Option<usize> {
        choose(self.rule(attribute), group, &|record| attribute.is_known(record), attribute)
    }

    /// As [`Survivorship::choose`], among the records of which `knows` is true.
    pub(super) fn choose_among(
        &self,
        attribute: Attribute,
        group: &[&Record],
        knows: &dyn Fn(&Record) -> bool,
    ) -> Option<usize> {
        choose(self.rule(attribute), group, knows, attribute)
    }
}

fn choose(rule: Rule, group: &[&Record], knows: &dyn Fn(&Record) -> bool, attribute: Attribute) -> Option<usize> {
    let mut known = (0..group.len()).filter(|at| knows(group[*at]));
    let first = known.next()?;
    let rest: Vec<usize> = known.collect();
    if rest.is_empty() || rule == Rule::Priority {
        return Some(first);
    }
    let known = || std::iter::once(first).chain(rest.iter().copied());
    Some(match rule {
        Rule::Priority => first,
        Rule::Newest => first_of_most::<Option<Timestamp>>(known(), |at| group[at].update_time),
        Rule::Complete => first_of_most(known(), |at| attribute.says(group[at])),
        Rule::Agreement if attribute == Attribute::Position => most_central(group),
        Rule::Agreement => {
            let alike: Vec<(usize, String)> = known().map(|at| (at, attribute.folded(group[at]))).collect();
            let mut sources: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
            for (at, value) in &alike {
                sources.entry(value).or_default().insert(group[*at].key.dataset);
            }
            let stated =
                |at: usize| alike.iter().find(|(known, _)| *known == at).map(|(_, value)| sources[&**value].len());
            first_of_most(known(), stated)
        }
    })
}

/// The first of those with the largest measure.
fn first_of_most<M: PartialOrd>(of: impl Iterator<Item = usize>, measure: impl Fn(usize) -> M) -> usize {
    let mut best: Option<(usize, M)> = None;
    for at in of {
        let here = measure(at);
        if best.as_ref().is_none_or(|(_, most)| here > *most) {
            best = Some((at, here));
        }
    }
    best.expect("a record knows the attribute").0
}

/// The position with the smallest sum of distances to the others: their medoid.
fn most_central(group: &[&Record]) -> usize {
    let sum = |at: usize| -> f64 { group.iter().map(|other| haversine(group[at].position, other.position).0).sum() };
    first_of_most(0..group.len(), |at| -sum(at))
}

impl Attribute {
    /// The column of `places` as a JSON pointer.
    #[must_use]
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Name => "/name",
            Self::Network => "/network",
            Self::Brand => "/brand",
            Self::Phone => "/phone",
            Self::Website => "/website",
            Self::Email => "/email",
            Self::OpeningHours => "/opening_hours",
            Self::Access => "/access",
            Self::Fee => "/fee",
            Self::Capacity => "/capacity",
            Self::Category => "/category",
            Self::Address => "/address",
            Self::Connectors => "/connectors",
            Self::Operator => "/operator",
            Self::Status => "/status",
            Self::Position => "/geometry",
        }
    }

    /// Whether one value of it can say more than another.
    #[must_use]
    pub fn can_say_more(self) -> bool {
        !matches!(self, Self::Access | Self::Fee | Self::Capacity | Self::Category | Self::Status)
    }

    /// The value, where it is a text.
    fn text(self, about: &Attributes) -> Option<&str> {
        match self {
            Self::Name => about.name.as_deref(),
            Self::Network => about.network.as_deref(),
            Self::Brand => about.brand.as_deref(),
            Self::Phone => about.phone.as_deref(),
            Self::Website => about.website.as_deref(),
            Self::Email => about.email.as_deref(),
            Self::OpeningHours => about.opening_hours.as_deref(),
            Self::Operator => about.operator.as_deref().or(about.operator_wikidata.as_deref()),
            Self::Category => Some(about.category.as_str()).filter(|category| !category.is_empty()),
            Self::Access => about.access.map(crate::domain::Access::name),
            Self::Status => about.status.map(crate::domain::Status::name),
            Self::Fee | Self::Capacity | Self::Address | Self::Connectors | Self::Position => None,
        }
    }

    /// Whether a record says anything of it.
    pub(super) fn is_known(self, record: &Record) -> bool {
        let about = &record.attributes;
        match self {
            Self::Fee => about.fee.is_some(),
            Self::Capacity => about.capacity.is_some(),
            Self::Address => about.address != Address::default(),
            Self::Connectors => !about.connectors.is_empty(),
            Self::Position => true,
            text => text.text(about).is_some(),
        }
    }

    /// How much a record says of it: fields of an address, facts on connectors, letters of a text.
    fn says(self, record: &Record) -> usize {
        let about = &record.attributes;
        match self {
            Self::Address => fields(&about.address).iter().flatten().count(),
            Self::Connectors => about.connectors.iter().map(facts).sum(),
            Self::Operator => usize::from(about.operator.is_some()) + usize::from(about.operator_wikidata.is_some()),
            Self::Position => usize::from(record.footprint.is_some()),
            text if text.can_say_more() => text.text(about).map_or(0, |text| text.chars().count()),
            _ => 0,
        }
    }

    /// The value as it is compared: two that differ in how they are written only are equal.
    fn folded(self, record: &Record) -> String {
        let about = &record.attributes;
        match self {
            Self::Phone => {
                let digits: Vec<char> =
                    self.text(about).unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
                digits[digits.len().saturating_sub(PHONE_DIGITS)..].iter().collect()
            }
            Self::Website => {
                let text = self.text(about).unwrap_or_default().to_lowercase();
                let bare = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
                bare.trim_start_matches("www.").trim_end_matches('/').to_owned()
            }
            Self::Email => self.text(about).unwrap_or_default().to_lowercase(),
            Self::OpeningHours => {
                let text = self.text(about).unwrap_or_default().to_lowercase();
                text.chars().filter(|c| !c.is_whitespace()).collect()
            }
            Self::Fee => format!("{:?}", about.fee),
            Self::Capacity => format!("{:?}", about.capacity),
            Self::Address => fields(&about.address).map(|field| field.map_or_else(String::new, fold)).join("\u{1f}"),
            Self::Connectors => {
                let told = |c: &Connector| format!("{} {:.1?} {:?}", c.kind, c.power_kw, c.count);
                let mut all: Vec<String> = about.connectors.iter().map(told).collect();
                all.sort();
                all.join("\u{1f}")
            }
            Self::Position => format!("{:.5} {:.5}", record.position.lon(), record.position.lat()),
            text => fold(text.text(about).unwrap_or_default()),
        }
    }

    /// Whether what the two records say of it is not the same. An address that says less does not differ.
    pub(super) fn differs(self, a: &Record, b: &Record) -> bool {
        match self {
            Self::Position => haversine(a.position, b.position).0 > SAME_POSITION_M,
            Self::Address => {
                let (a, b) = (fields(&a.attributes.address), fields(&b.attributes.address));
                // The whole in one line says again what the parts say.
                let in_parts = |fields: &[Option<&str>]| fields[1..].iter().any(Option::is_some);
                let from = usize::from(in_parts(&a) || in_parts(&b));
                let both = a[from..].iter().zip(&b[from..]).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
                both.into_iter().any(|(a, b)| fold(a) != fold(b))
            }
            other => other.folded(a) != other.folded(b),
        }
    }

    /// Takes the attribute over. Not the position, which a place has beside its attributes.
    pub(super) fn give(self, from: &Attributes, to: &mut Attributes) {
        match self {
            Self::Name => to.name.clone_from(&from.name),
            Self::Network => to.network.clone_from(&from.network),
            Self::Brand => to.brand.clone_from(&from.brand),
            Self::Phone => to.phone.clone_from(&from.phone),
            Self::Website => to.website.clone_from(&from.website),
            Self::Email => to.email.clone_from(&from.email),
            Self::OpeningHours => to.opening_hours.clone_from(&from.opening_hours),
            Self::Access => to.access = from.access,
            Self::Fee => to.fee = from.fee,
            Self::Capacity => to.capacity = from.capacity,
            Self::Category => to.category.clone_from(&from.category),
            Self::Address => to.address.clone_from(&from.address),
            Self::Connectors => {
                to.connectors.clone_from(&from.connectors);
                to.max_power_kw = from.max_power_kw;
            }
            Self::Operator => {
                to.operator.clone_from(&from.operator);
                to.operator_wikidata.clone_from(&from.operator_wikidata);
            }
            Self::Status => to.status = from.status,
            Self::Position => {}
        }
    }
}

/// The fields of an address, the whole in one line first.
fn fields(address: &Address) -> [Option<&str>; 7] {
    let Address { freeform, street, housenumber, locality, postcode, region, country } = address;
    [freeform, street, housenumber, locality, postcode, region, country].map(Option::as_deref)
}

/// What is known of a connector: its type, and each of its figures.
fn facts(connector: &Connector) -> usize {
    let Connector { kind, current, power_kw, voltage_v, amperage_a, count, evse_ids } = connector;
    let known = [
        *kind != crate::domain::ConnectorType::Unknown,
        current.is_some(),
        power_kw.is_some(),
        voltage_v.is_some(),
        amperage_a.is_some(),
        count.is_some(),
        !evse_ids.is_empty(),
    ];
    known.into_iter().filter(|known| *known).count()
}
