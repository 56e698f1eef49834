//! Features: what is seen when two records are compared. Each is a number, or missing where one of the two is silent.

pub(super) mod address;
mod charging;
mod names;
mod operators;

use super::corpus::{Compact, Corpus};

pub(super) use charging::numbered_in_a_row;
pub(super) use names::{SAME_WORD, dice};
pub(super) use operators::{OTHER as OTHER_OPERATOR, other_companies};

/// Declares every feature once: its name in code, its published name, and its meaning.
macro_rules! features {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// What is seen when two records are compared.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Feature { $(#[doc = $doc] $variant,)* }

        impl Feature {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The published name: in models, `links.parquet` and explanations.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, with its unit.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }

        /// How many there are.
        const COUNT: usize = [$($name),*].len();
    };
}

features! {
    SharedId "shared_id" "1 where both know the same id: an EVSE id, a reference to the other's record.",
    DistanceM "distance_m" "Metres between the two, or between their footprints.",
    Distance "distance_log" "Decimal logarithm of 1 + the distance in metres.",
    DistanceBySpacing "distance_by_spacing" "Decimal logarithm of the distance over the usual spacing of records there: to the tenth neighbour.",
    NameOverlap "name_overlap" "Weight of the words that both names have, over that of all their words, in [0, 1]; rare words weigh more.",
    NameContained "name_contained" "The same over the words of the name that has less of its own, in [0, 1].",
    NameRare "name_rare" "Weight of the rarest word that both names have, in [0, 1].",
    NameLetters "name_letters" "Jaro-Winkler similarity of the names without spaces, in [0, 1].",
    NameMargin "name_margin" "How much more alike the names are than those of the best other partner of either, in [-1, 1].",
    Kind "kind" "1 where both names say the same kinds of thing (a church, a bank), -0.5 where one says another besides, -1 where they say different ones.",
    NumberedApart "numbered_apart" "1 where both names have numbers and none in common.",
    Operator "operator" "How alike the operators are, in [0, 1].",
    Brand "brand" "1 where the brands are equal, else 0.",
    Power "power" "The smaller highest power divided by the larger, in [0, 1].",
    Capacity "capacity" "The smaller capacity divided by the larger, in [0, 1].",
    Phone "phone" "1 where the last digits of the telephone numbers are equal, else 0.",
    Website "website" "1 where the hosts of the web addresses are equal, else 0.",
    Address "address" "1 where street and house number agree, else 0.",
    Street "street" "How alike the streets are, in [0, 1]: weight of shared words over that of the shorter.",
    HouseGap "house_gap" "ln(1 + the gap between the house numbers), at most 1.6, which stands for other streets too.",
    Postcode "postcode" "For postcodes that agree how few records bear them, in [0, 1]; 0 where they begin alike, -0.5 where they differ.",
    Role "role" "How alike the operator of one and the network or brand of the other are, in [0, 1]; the best of them.",
    OperatorNamed "operator_named" "1 where the one's name tells the operator, network or brand of the other.",
    SiteName "site_name" "How alike two stations' names are without operators and words for charging, in [0, 1].",
    SiteWithin "site_within" "Words of the shorter of two such names that the longer has, in [0, 1].",
    SiteLetters "site_letters" "Letters of such names where they are equal, numbers and all: few are equal by chance.",
    SiteNumbers "site_numbers" "Numbers in the names: 1 where one is shared, 0 where they differ, 0.5 where one has none.",
    NamedAfterStreet "named_after_street" "Words of the one's street that the other's name has, in [0, 1].",
    Devices "devices" "1 where numbers of devices are the same but for their prefix, 0 where all differ.",
    Plugs "plugs" "Connector classes that both have, of those of the one with fewer, in [0, 1].",
    Rivals "rivals" "Odds of the best other partners of the two: the sum on the side that has less.",
}

impl Feature {
    /// The feature of this published name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.name() == name)
    }
}

/// Two records this near are at one spot, in metres: positions are no better.
const NEAR_M: f32 = 5.0;

/// What is seen of one pair.
#[derive(Debug, Clone, Copy)]
pub struct Features([f32; COUNT]);

impl Features {
    const MISSING: Self = Self([f32::NAN; COUNT]);

    /// The value of a feature; `None` where one of the two records is silent.
    #[must_use]
    pub fn get(&self, feature: Feature) -> Option<f32> {
        let value = self.0[feature as usize];
        (!value.is_nan()).then_some(value)
    }

    /// How alike the names are, for ranking partners, in `[0, 1]`; 0 where one has no name.
    pub(super) fn name_likeness(&self) -> f32 {
        let value = |feature| self.get(feature).unwrap_or(0.0);
        names::mean(value(Feature::NameOverlap), value(Feature::NameContained), value(Feature::NameLetters))
    }

    pub(super) fn set(&mut self, feature: Feature, value: f32) {
        self.0[feature as usize] = value;
    }

    fn set_if_known(&mut self, feature: Feature, value: Option<f32>) {
        self.0[feature as usize] = value.unwrap_or(f32::NAN);
    }
}

/// Compares two records.
pub(super) fn of(a: &Compact, b: &Compact, corpus: &Corpus) -> Features {
    let mut seen = Features::MISSING;
    if corpus.share(a.ids, b.ids) {
        seen.set(Feature::SharedId, 1.0);
    }
    let distance_m = a.distance(b).0 as f32;
    seen.set(Feature::DistanceM, distance_m);
    seen.set(Feature::Distance, (1.0 + distance_m).log10());
    let spacing_m = (a.spacing_m * b.spacing_m).sqrt();
    seen.set(Feature::DistanceBySpacing, ((distance_m + NEAR_M) / (spacing_m + NEAR_M)).log10());
    if let Some(likeness) = names::likeness(a, b, corpus) {
        seen.set(Feature::NameOverlap, likeness.overlap);
        seen.set(Feature::NameContained, likeness.contained);
        seen.set(Feature::NameRare, likeness.rare);
        seen.set(Feature::NameLetters, likeness.letters);
    }
    if a.kinds != 0 && b.kinds != 0 {
        let shared = a.kinds & b.kinds;
        seen.set(
            Feature::Kind,
            if a.kinds == b.kinds {
                1.0
            } else if shared != 0 {
                -0.5
            } else {
                -1.0
            },
        );
    }
    if names::numbered_apart(a, b, corpus) {
        seen.set(Feature::NumberedApart, 1.0);
    }
    seen.set_if_known(Feature::Operator, operators::similarity(a, b, corpus));
    seen.set_if_known(Feature::Brand, equal(a.brand, b.brand));
    seen.set_if_known(Feature::Power, ratio(a.max_power_kw, b.max_power_kw));
    seen.set_if_known(Feature::Capacity, ratio(a.capacity.map(|n| n as f32), b.capacity.map(|n| n as f32)));
    seen.set_if_known(Feature::Phone, equal(a.phone, b.phone));
    seen.set_if_known(Feature::Website, equal(a.host, b.host));
    let street = address::street_similarity(a, b, corpus);
    let house_gap = address::house_gap(a, b, street, corpus);
    seen.set_if_known(Feature::Street, street);
    seen.set_if_known(Feature::HouseGap, house_gap);
    seen.set_if_known(Feature::Address, house_gap.map(|gap| f32::from(u8::from(gap == 0.0))));
    seen.set_if_known(Feature::Postcode, address::postcode_agreement(a, b, corpus));
    if a.charging && b.charging {
        charging::see(&mut seen, a, b, corpus);
    }
    seen
}

/// 1 where both are known and equal, 0 where they differ.
fn equal<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<f32> {
    let (a, b) = (a?, b?);
    Some(f32::from(u8::from(a == b)))
}

/// The smaller over the larger, where both are known and above 0.
fn ratio(a: Option<f32>, b: Option<f32>) -> Option<f32> {
    let (a, b) = (a.filter(|a| *a > 0.0)?, b.filter(|b| *b > 0.0)?);
    Some(a.min(b) / a.max(b))
}
