//! Charging: connector types, currents, access and status, in one vocabulary for every source.

use serde::{Deserialize, Serialize};

use super::reject::named;

named! {
    /// Plug or socket. The names are those of OCPI 2.3 and IEC 62196 in everyday form; the cross-walk from each
    /// source's codes lives in its adapter.
    ConnectorType {
        /// SAE J1772, North America and Japan.
        Type1 = "type1",
        /// IEC 62196-2 Type 2, bring your own cable.
        Type2Socket = "type2_socket",
        /// IEC 62196-2 Type 2, cable attached.
        Type2Cable = "type2_cable",
        /// CCS on Type 1.
        Ccs1 = "ccs1",
        /// CCS on Type 2.
        Ccs2 = "ccs2",
        /// CHAdeMO.
        Chademo = "chademo",
        /// ChaoJi.
        Chaoji = "chaoji",
        /// SAE J3400, Tesla's plug in North America.
        Nacs = "nacs",
        /// Tesla's direct current on a Type 2 plug, Europe.
        TeslaSEu = "tesla_s_eu",
        /// Tesla Roadster.
        TeslaRoadster = "tesla_roadster",
        /// SCAME Type 3A.
        Type3a = "type3a",
        /// SCAME Type 3C.
        Type3c = "type3c",
        /// GB/T alternating current.
        GbtAc = "gbt_ac",
        /// GB/T direct current.
        GbtDc = "gbt_dc",
        /// CEE 7/4, Type F.
        Schuko = "schuko",
        /// CEE 7/5, Type E.
        TypeE = "type_e",
        /// BS 1363, Type G.
        Bs1363 = "bs1363",
        /// SEV 1011, Type J.
        TypeJ = "type_j",
        /// AS/NZS 3112, Type I.
        As3112 = "as3112",
        /// Type M.
        TypeM = "type_m",
        /// IEC 60309 single phase, blue.
        CeeBlue = "cee_blue",
        /// IEC 60309 three phase, red.
        CeeRed = "cee_red",
        /// AS/NZS 3123.
        As3123 = "as3123",
        /// Any NEMA socket.
        Nema = "nema",
        /// CEE 7/16.
        Europlug = "europlug",
        /// Megawatt charging.
        Mcs = "mcs",
        /// Overhead contact for buses.
        Pantograph = "pantograph",
        /// Inductive.
        Wireless = "wireless",
        /// Battery swap.
        BatterySwap = "battery_swap",
        /// A plug for bicycles only, or USB.
        Bicycle = "bicycle",
        /// The source does not say, or says something that the cross-walk does not know.
        Unknown = "unknown",
    }
}

impl ConnectorType {
    /// The class in which types are compared: a socket and a cable of Type 2 meet, and so do Tesla's plugs.
    ///
    /// `None` for what says nothing about a car charger: domestic sockets, bicycle plugs, unknown.
    #[must_use]
    pub fn class(self) -> Option<Self> {
        match self {
            Self::Type2Socket | Self::Type2Cable => Some(Self::Type2Socket),
            Self::Nacs | Self::TeslaSEu => Some(Self::Nacs),
            Self::Schuko
            | Self::TypeE
            | Self::Bs1363
            | Self::TypeJ
            | Self::As3112
            | Self::TypeM
            | Self::Nema
            | Self::Europlug
            | Self::CeeBlue
            | Self::Bicycle
            | Self::Unknown => None,
            other => Some(other),
        }
    }

    /// The most that a connector of this type can give, in kW, with this current: the ratings of IEC 62196, `CharIN` and SAE, with
    /// some room for feeds that round volts and amperes up.
    #[must_use]
    pub fn max_kw(self, current: Option<Current>) -> f64 {
        match self {
            // 3,000 A at 1,250 V.
            Self::Mcs | Self::Pantograph | Self::Unknown | Self::BatterySwap => 3_800.0,
            // 63 A at 400 V are 43.6; direct current on the same plug was Tesla's.
            Self::Type2Socket | Self::Type2Cable | Self::Type3a | Self::Type3c | Self::GbtAc
                if current != Some(Current::Dc) =>
            {
                60.0
            }
            Self::Schuko
            | Self::TypeE
            | Self::Bs1363
            | Self::TypeJ
            | Self::As3112
            | Self::TypeM
            | Self::Europlug
            | Self::Bicycle => 10.0,
            Self::Type1 | Self::CeeBlue | Self::Nema | Self::TeslaRoadster | Self::Wireless => 25.0,
            Self::CeeRed | Self::As3123 => 100.0,
            _ => 1_000.0,
        }
    }

    /// The current that this type always has, if it is always the same.
    #[must_use]
    pub fn current(self) -> Option<Current> {
        match self {
            Self::Ccs1 | Self::Ccs2 | Self::Chademo | Self::Chaoji | Self::GbtDc | Self::Mcs => Some(Current::Dc),
            Self::Type1
            | Self::Schuko
            | Self::TypeE
            | Self::Bs1363
            | Self::TypeJ
            | Self::TypeM
            | Self::Europlug
            | Self::CeeBlue => Some(Current::AcSingle),
            Self::CeeRed => Some(Current::AcThree),
            _ => None,
        }
    }
}

named! {
    /// Kind of current.
    Current {
        /// Alternating, one phase.
        AcSingle = "ac_single",
        /// Alternating, three phases.
        AcThree = "ac_three",
        /// Direct.
        Dc = "dc",
    }
}

/// Connectors of one type and rating at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    /// Plug or socket.
    pub kind: ConnectorType,
    /// Kind of current.
    pub current: Option<Current>,
    /// Highest power of one connector, in kW.
    pub power_kw: Option<f64>,
    /// Volts.
    pub voltage_v: Option<f64>,
    /// Amperes.
    pub amperage_a: Option<f64>,
    /// How many there are.
    pub count: Option<i32>,
    /// EVSE ids, normalised and sorted.
    pub evse_ids: Vec<Box<str>>,
}

impl Connector {
    /// A connector of which only the type is known.
    #[must_use]
    pub fn of(kind: ConnectorType) -> Self {
        Self {
            kind,
            current: None,
            power_kw: None,
            voltage_v: None,
            amperage_a: None,
            count: None,
            evse_ids: Vec::new(),
        }
    }
}

named! {
    /// Who may use a place.
    Access {
        /// Everybody.
        Public = "public",
        /// Customers of a business.
        Customers = "customers",
        /// Holders of a permit or membership that is not open to all.
        Permit = "permit",
        /// Nobody else.
        Private = "private",
    }
}

named! {
    /// Where a place is in its life.
    Status {
        /// In use.
        Operational = "operational",
        /// Partly in use.
        Partial = "partial",
        /// There, but not working.
        OutOfOrder = "out_of_order",
        /// Announced.
        Planned = "planned",
        /// Being built.
        Construction = "construction",
        /// Gone.
        Removed = "removed",
        /// The source does not say.
        Unknown = "unknown",
    }
}
