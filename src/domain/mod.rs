//! The nouns: pure values that every other layer speaks in. Nothing here reads, writes or waits.

mod address;
mod area_rules;
mod category;
mod cell;
mod change;
mod charging;
mod crosswalk;
mod feature;
mod filter;
mod finding;
mod layer;
mod license;
mod manifest;
mod operator;
mod place;
mod position;
mod record;
mod region;
mod reject;
mod self_evaluation;
mod tags;

pub use address::street_and_number;
pub use area_rules::{AreaRules, AreaRulesError, ClosedWay};
pub use category::{Category, Classification, Taxonomy, TaxonomyError};
pub use cell::{Cell, Hash16, hex};
pub use change::{ChangeCause, ChangeClass};
pub use charging::{Access, Connector, ConnectorType, Current, Status};
pub use crosswalk::{ConnectorCodes, ConnectorCodesError, Vocabulary};
pub use feature::{Feature, ObjectKind, Shape};
pub use filter::{Filter, FilterError};
pub use finding::{Finding, FindingRule};
pub use layer::{GeometryKind, GeometryRepair, Incomplete, Layer, Promoted, PromotedKind};
pub use license::Licenses;
pub use manifest::{Input, LayerAccount, Manifest, Release, SourceAccount, TableFile, Versions};
pub use operator::{Operator, Operators, OperatorsError, fold};
pub use place::{Conflict, Place, Provenance};
pub use position::{BBox, LonLat, Metres, Position, haversine, hilbert_key};
pub use record::{Address, Attributes, ExternalId, Record, RecordId, RecordKey};
pub use region::Region;
pub(crate) use reject::named;
pub use reject::{LeftOut, LeftOutRule, Reject, RejectCode};
pub use self_evaluation::{HiddenIds, SelfEvaluation, Share};
pub use tags::{TagSet, Tags};

/// An instant in UTC, as sources state it.
pub use jiff::Timestamp;
