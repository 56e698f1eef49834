//! Finding: something about a record that could not be kept as its source states it, for a person to look into.
//!
//! A finding never hides: it has a row in `findings.parquet` and a count in the manifest, and names what was stated and
//! what stands in its place.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::reject::named;

/// One value of one record that was changed, refused or doubted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// By which rule.
    pub rule: FindingRule,
    /// What it is about: a column of `places`, e.g. `opening_hours`, or the field in the source's own terms.
    pub field: Cow<'static, str>,
    /// What the source states, if anything.
    pub before: Option<Box<str>>,
    /// What stands in its place; of a value in doubt, what may be meant. `None` where nothing does.
    pub after: Option<Box<str>>,
}

impl Finding {
    /// A finding about a value that nothing replaces.
    pub fn dropped(rule: FindingRule, field: impl Into<Cow<'static, str>>, before: impl Into<Box<str>>) -> Self {
        Self { rule, field: field.into(), before: Some(before.into()), after: None }
    }

    /// A finding about a value that another one replaces.
    pub fn replaced(
        rule: FindingRule,
        field: impl Into<Cow<'static, str>>,
        before: impl Into<Box<str>>,
        after: impl Into<Box<str>>,
    ) -> Self {
        Self { rule, field: field.into(), before: Some(before.into()), after: Some(after.into()) }
    }
}

named! {
    /// Why there is a finding. Names are published in reports and tables: add, never rename.
    FindingRule {
        /// Longitude and latitude stood in each other's place.
        SwappedPosition = "swapped_position",
        /// West was east.
        SignOfLongitude = "sign_of_longitude",
        /// South was north.
        SignOfLatitude = "sign_of_latitude",
        /// The position is that of a part, e.g. of a charging point, because its own cannot be.
        PositionOfPart = "position_of_part",
        /// The position would fit elsewhere, but repairs are switched off.
        PositionInDoubt = "position_in_doubt",
        /// Latitude and longitude are the same number.
        EqualCoordinates = "equal_coordinates",
        /// The position is not in the country that the address names.
        WrongCountry = "wrong_country",
        /// A power in kW was meant as one in W.
        PowerInWatts = "power_in_watts",
        /// A socket of Type 2 may be a cable and the other way round: the feed behind it inverts them.
        SocketOrCable = "socket_or_cable",
        /// The status is that of the last charging point, not of the place.
        StatusOfLastPoint = "status_of_last_point",
        /// The kind of usage is what an import always writes, so it says nothing.
        UsageOfImport = "usage_of_import",
        /// The country is that of the operator, not of the place.
        CountryOfOperator = "country_of_operator",
        /// The title is only the street or the postcode.
        TitleIsAddress = "title_is_address",
        /// The value cannot be read as what its field holds.
        UnreadableValue = "unreadable_value",
        /// The value can be read, but cannot be true.
        ImplausibleValue = "implausible_value",
        /// The code or word is in no table that says what it means.
        UnknownCode = "unknown_code",
        /// The opening hours are not in OSM's notation.
        InvalidOpeningHours = "invalid_opening_hours",
        /// The id does not have the form of an EVSE id.
        InvalidEvseId = "invalid_evse_id",
        /// The text is not in the encoding of its file.
        InvalidEncoding = "invalid_encoding",
        /// A power in W was meant as one in kW.
        PowerInKilowatts = "power_in_kilowatts",
        /// One phase cannot give the power, or has not the voltage, that is stated: there are three.
        PhasesOfPower = "phases_of_power",
        /// The EVSE id lacks its country, which the feed states beside it.
        EvseIdWithoutCountry = "evse_id_without_country",
        /// The record lists a part, e.g. a charging point, more than once. It counts once.
        RepeatedPart = "repeated_part",
        /// A line end in a field without quotes had cut the record in two; it is a space now.
        LineBreakInField = "line_break_in_field",
    }
}

impl FindingRule {
    /// Whether the rule puts another value in the place of the one stated. All others drop or doubt a value.
    #[must_use]
    pub const fn is_repair(self) -> bool {
        matches!(
            self,
            Self::SwappedPosition
                | Self::SignOfLongitude
                | Self::SignOfLatitude
                | Self::PositionOfPart
                | Self::PowerInWatts
                | Self::StatusOfLastPoint
                | Self::PowerInKilowatts
                | Self::PhasesOfPower
                | Self::EvseIdWithoutCountry
                | Self::LineBreakInField
        )
    }
}
