//! The tables of a snapshot: every column with its type and meaning. The data dictionary is generated from here.

use std::borrow::Cow;

use super::table::{optional, required};
use super::{Column, GeometryRole, Kind, Table};

/// Edges of a box.
pub(crate) const BBOX: Kind =
    Kind::Struct(&[("xmin", Kind::Float32), ("ymin", Kind::Float32), ("xmax", Kind::Float32), ("ymax", Kind::Float32)]);

/// Fields of `address`.
pub const ADDRESS: Kind = Kind::Struct(&[
    ("freeform", Kind::Text),
    ("street", Kind::Text),
    ("housenumber", Kind::Text),
    ("locality", Kind::Text),
    ("postcode", Kind::Text),
    ("region", Kind::Text),
    ("country", Kind::Text),
]);

/// Fields of one of `connectors`.
pub const CONNECTOR: Kind = Kind::Struct(&[
    ("type", Kind::Text),
    ("current", Kind::Text),
    ("power_kw", Kind::Float64),
    ("voltage_v", Kind::Float64),
    ("amperage_a", Kind::Float64),
    ("count", Kind::Int32),
    ("evse_ids", Kind::List(&Kind::Text)),
]);

/// Fields of one of a place's `sources`.
pub const PROVENANCE: Kind = Kind::Struct(&[
    ("property", Kind::Text),
    ("dataset", Kind::Text),
    ("record_id", Kind::Text),
    ("license", Kind::Text),
    ("update_time", Kind::Time),
    ("confidence", Kind::Float64),
]);

/// Declares the columns of a place twice: as they stand in `places`, and with every one optional after the columns
/// of a change, as they stand in `changes/places`.
macro_rules! place_columns {
    ($($require:ident($name:literal, $kind:expr, $doc:literal),)*) => {
        const PLACE_COLUMNS: &[Column] = &[
            required("id", Kind::Uuid, "Identity of the place; stays across snapshots (UUIDv5 of its founding record)."),
            $($require($name, $kind, $doc),)*
        ];
        const PLACE_CHANGE_COLUMNS: &[Column] = &[
            required("class", Kind::Text, "`added`, `removed`, `modified`, `moved`, `touched`, `merged`, `split` or `revived`."),
            required("cause", Kind::Text, "`source` when a source record changed, `conflation` when only the decision which records belong together did."),
            required("id", Kind::Uuid, "Identity of the place."),
            optional("related_id", Kind::Uuid, "For `merged`, the place it went into; for `split`, the place it came from; else missing."),
            required("changed_fields", Kind::List(&Kind::Text), "Columns of `places` whose value differs; empty unless both snapshots have the place."),
            optional("moved_m", Kind::Float64, "Distance between the old and the new position in metres; missing where it did not move."),
            optional("old_values", Kind::Json, "The old values of the changed columns, as a JSON object; of a place that is gone, all of them."),
            $(optional($name, $kind, $doc),)*
        ];
    };
}

place_columns! {
    required("geometry", Kind::Geometry(GeometryRole::Point), "Representative point (WKB, EPSG:4326); inside the footprint where there is one."),
    required("bbox", BBOX, "Box around geometry and footprint in degrees, rounded outward to 32 bits."),
    optional("footprint", Kind::Geometry(GeometryRole::Area), "Area mapped in OSM (WKB); missing for places mapped as a point."),
    required("category", Kind::Text, "What it is, from `categories.toml`."),
    required("alternate_categories", Kind::List(&Kind::Text), "Further categories that fit."),
    optional("name", Kind::Text, "Name on the ground, in the local language."),
    required("names", Kind::Map, "Names by language (ISO 639, as in the OSM key `name:de`)."),
    optional("operator", Kind::Text, "Who runs it; canonical name where the operator is known."),
    optional("operator_wikidata", Kind::Text, "Wikidata id of the operator."),
    optional("network", Kind::Text, "Network it belongs to."),
    optional("brand", Kind::Text, "Brand it trades under."),
    required("address", ADDRESS, "Postal address; `country` is ISO 3166-1 alpha-2."),
    optional("phone", Kind::Text, "Telephone number as the source writes it."),
    optional("website", Kind::Text, "Web address."),
    optional("email", Kind::Text, "E-mail address."),
    optional("opening_hours", Kind::Text, "Opening hours in OSM's notation."),
    optional("access", Kind::Text, "`public`, `customers`, `permit` or `private`; missing when no source says."),
    optional("fee", Kind::Bool, "Whether its use costs money; missing when no source says."),
    optional("status", Kind::Text, "`operational`, `partial`, `out_of_order`, `planned`, `construction`, `removed` or `unknown`."),
    optional("capacity", Kind::Int32, "Vehicles that can charge, or be served, at once."),
    required("connectors", Kind::List(&CONNECTOR), "Connectors by type and rating: powers in kW, voltage in V, current in A."),
    optional("max_power_kw", Kind::Float64, "Highest power of one connector in kW."),
    required("tags", Kind::Map, "What no other column holds, as key and value in OSM's vocabulary."),
    required("datasets", Kind::List(&Kind::Text), "Sources that contributed, in the order of the pipeline file."),
    required("confidence", Kind::Float64, "Probability that this row is one existing place, in [0, 1], rounded to 0.01; volatile."),
    required("sources", Kind::List(&PROVENANCE), "Provenance: one entry per record with an empty `property`, then one per attribute (a JSON pointer) where several records contribute."),
    required("content_hash", Kind::Hash16, "Hash of the meaning: every column but `confidence` and the times and confidences in `sources`."),
    required("row_hash", Kind::Hash16, "Hash of every other column."),
}

/// One row per place.
pub static PLACES: Table = Table {
    name: Cow::Borrowed("places"),
    schema_version: 1,
    doc: Cow::Borrowed(
        "One row per place. With `conflate.merge = \"layered\"` it is not written: there is a `places_<source>.parquet` per \
         source with the same columns instead, one row per place that the source knows, and what the source says of it; `id` is \
         that of the place, so that these tables join on it.",
    ),
    columns: Cow::Borrowed(PLACE_COLUMNS),
};

/// What is different from the base snapshot.
pub static PLACE_CHANGES: Table = Table {
    name: Cow::Borrowed("changes/places"),
    schema_version: 1,
    doc: Cow::Borrowed(
        "One row per place that is different from the base snapshot, with the full new row; empty without a base. Of layered \
         places there is a `changes/places_<source>.parquet` per source instead.",
    ),
    columns: Cow::Borrowed(PLACE_CHANGE_COLUMNS),
};

/// One row per source record: the bridge table.
pub static SOURCES: Table = Table {
    name: Cow::Borrowed("sources"),
    schema_version: 1,
    doc: Cow::Borrowed("One row per source record that is part of a place: the bridge between records and places."),
    columns: Cow::Borrowed(&[
        required("place_id", Kind::Uuid, "The place."),
        required("dataset", Kind::Text, "Name of the source in the pipeline file."),
        required("record_id", Kind::Text, "Id in the source's own terms, e.g. `node/5159230141`, `461426`."),
        optional(
            "part_of",
            Kind::Text,
            "Record of the same source that this one is a part of, e.g. the station of a charge point.",
        ),
        required(
            "geometry",
            Kind::Geometry(GeometryRole::Point),
            "Position of the record (WKB, EPSG:4326), after repairs.",
        ),
        required("bbox", BBOX, "Box around the position in degrees, rounded outward to 32 bits."),
        required("category", Kind::Text, "What the record alone would be."),
        optional("name", Kind::Text, "The record's own name."),
        optional("update_time", Kind::Time, "When the source last changed the record."),
        optional(
            "license",
            Kind::Text,
            "Licence of the record as its source names it; missing when the source does not say.",
        ),
        required("repairs", Kind::List(&Kind::Text), "Repairs made to the record, by name."),
        required("content_hash", Kind::Hash16, "Hash of what the source says, without volatile fields."),
        required(
            "evidence",
            Kind::Json,
            "What conflation compares of the record, as a JSON object; `poimill explain` reads it.",
        ),
        required("raw", Kind::Json, "The record as the source wrote it, as JSON."),
    ]),
};

/// Scored pairs at or above the review threshold.
pub static LINKS: Table = Table {
    name: Cow::Borrowed("links"),
    schema_version: 1,
    doc: Cow::Borrowed(
        "One row per pair of records that scored at or above the review threshold, or on which a person decided; of pairs that their own source keeps apart, those that scored as a match.",
    ),
    columns: Cow::Borrowed(&[
        required("dataset_a", Kind::Text, "Source of the first record."),
        required("record_id_a", Kind::Text, "Id of the first record."),
        required("dataset_b", Kind::Text, "Source of the second record."),
        required("record_id_b", Kind::Text, "Id of the second record."),
        required("verdict", Kind::Text, "`match`, `review` or `miss`, after vetoes and constraints."),
        required("reason", Kind::Text, "What decided: `score`, a veto, a constraint, or a person's decision."),
        required(
            "score",
            Kind::Float64,
            "Probability that the two are one place, in [0, 1], rounded to 0.01; volatile.",
        ),
        required("distance_m", Kind::Float64, "Distance between the two in metres, rounded to 0.1."),
        required("features", Kind::Json, "Every feature of the pair with its value and weight, as a JSON object."),
    ]),
};

/// One row per rejected record.
pub static REJECTS: Table = Table {
    name: Cow::Borrowed("rejects"),
    schema_version: 3,
    doc: Cow::Borrowed("One row per rejected record or geometry."),
    columns: Cow::Borrowed(&[
        required("dataset", Kind::Text, "Name of the source in the pipeline file."),
        optional("layer", Kind::Text, "The layer that refuses it; missing where it is refused as a place."),
        required(
            "record_id",
            Kind::Text,
            "Id in the source's own terms; a line or element number where there is none.",
        ),
        required("code", Kind::Text, "Why, as a stable code."),
        optional("lon", Kind::Float64, "Longitude as stated, in degrees; may be out of range."),
        optional("lat", Kind::Float64, "Latitude as stated, in degrees; may be out of range."),
        optional(
            "line",
            Kind::Int64,
            "Line of the input file on which it begins, from 1; missing where the input has no lines.",
        ),
        required("message", Kind::Text, "Why, as a sentence."),
    ]),
};

/// One row per value that could not be kept as stated.
pub static FINDINGS: Table = Table {
    name: Cow::Borrowed("findings"),
    schema_version: 1,
    doc: Cow::Borrowed(
        "One row per value of a record in a place that was repaired, dropped or doubted: what a data steward can act on.",
    ),
    columns: Cow::Borrowed(&[
        required("dataset", Kind::Text, "Name of the source in the pipeline file."),
        required("record_id", Kind::Text, "Id in the source's own terms."),
        required("rule", Kind::Text, "Why, as a stable code."),
        required(
            "field",
            Kind::Text,
            "What it is about: a column of `places`, or the field in the source's own terms.",
        ),
        optional("before", Kind::Text, "What the source states."),
        optional(
            "after",
            Kind::Text,
            "What stands in its place; of a value that is only doubted, what may be meant. Missing where nothing does.",
        ),
        optional(
            "line",
            Kind::Int64,
            "Line of the input file on which the record begins, from 1; missing where the input has no lines.",
        ),
    ]),
};

/// One row per record ever seen: the memory of ids.
pub static IDENTITY: Table = Table {
    name: Cow::Borrowed("identity"),
    schema_version: 1,
    doc: Cow::Borrowed("One row per source record that was ever part of a place: the memory that keeps ids stable."),
    columns: Cow::Borrowed(&[
        required("dataset", Kind::Text, "Name of the source in the pipeline file."),
        required("record_id", Kind::Text, "Id in the source's own terms."),
        required("place_id", Kind::Uuid, "The place it belongs to, or belonged to last."),
        required("former_place_ids", Kind::List(&Kind::Uuid), "Places it belonged to before, oldest first."),
        required("first_seen", Kind::Text, "Vintage of the first snapshot with the record: RFC 3339, or `undated`."),
        required("last_seen", Kind::Text, "Vintage of the last snapshot with the record: RFC 3339, or `undated`."),
        required("present", Kind::Bool, "Whether it is in this snapshot."),
        optional("successor", Kind::Uuid, "Where its place is gone by a merge, the place it went into; else missing."),
    ]),
};

/// One row per value that was not taken.
pub static CONFLICTS: Table = Table {
    name: Cow::Borrowed("conflicts"),
    schema_version: 1,
    doc: Cow::Borrowed(
        "One row per place, attribute and record that says something else than what the place shows. Only records that \
         contribute to the place, so none without an open licence beside one that has it. What differs in writing alone, \
         positions within 25 m, and an address that says less are no conflicts.",
    ),
    columns: Cow::Borrowed(&[
        required("place_id", Kind::Uuid, "The place."),
        required(
            "property",
            Kind::Text,
            "The attribute as a JSON pointer into `places`, e.g. `/name`, `/tags/ref`; of the position `/geometry`.",
        ),
        required("dataset", Kind::Text, "Source of the record whose value was not taken."),
        required("record_id", Kind::Text, "Id of that record in the source's own terms."),
        required("value", Kind::Json, "Its value as JSON; of the position [longitude, latitude]."),
        required("taken_dataset", Kind::Text, "Source of the record whose value was taken."),
        required("taken_record_id", Kind::Text, "Id of that record in the source's own terms."),
        required("taken_value", Kind::Json, "The value that was taken, as JSON."),
        required("rule", Kind::Text, "What chose: `priority`, `newest`, `complete` or `agreement`."),
    ]),
};

/// One row per record and time in a place.
pub static BRIDGE: Table = Table {
    name: Cow::Borrowed("bridge"),
    schema_version: 1,
    doc: Cow::Borrowed(
        "One row per source record and time that it was part of a place, over all snapshots of the pipeline. Which place a \
         record was part of at a vintage T: `valid_from <= T and (valid_to is null or T < valid_to)`. Spans of one record do not \
         overlap; a run of an earlier vintage than the snapshot before forgets what came after it.",
    ),
    columns: Cow::Borrowed(&[
        required("dataset", Kind::Text, "Name of the source in the pipeline file."),
        required("record_id", Kind::Text, "Id in the source's own terms."),
        required("place_id", Kind::Uuid, "The place."),
        optional(
            "valid_from",
            Kind::Time,
            "Vintage of the first snapshot with it; missing where no source has a date.",
        ),
        optional(
            "valid_to",
            Kind::Time,
            "Vintage of the first snapshot without it, or with it in another place; missing while it is there.",
        ),
    ]),
};

/// Every table, in the order of the documentation.
pub static ALL: &[&Table] =
    &[&PLACES, &SOURCES, &CONFLICTS, &LINKS, &REJECTS, &FINDINGS, &IDENTITY, &BRIDGE, &PLACE_CHANGES];

/// What the names of the tables of layered places begin with.
const LAYERED: &str = "places_";

/// Places as one source describes them.
#[must_use]
pub fn places_of(dataset: &str) -> Table {
    Table { name: format!("{LAYERED}{dataset}").into(), ..PLACES.clone() }
}

/// Changes of a table of places.
#[must_use]
pub fn changes_of(places: &str) -> Table {
    Table { name: format!("changes/{places}").into(), ..PLACE_CHANGES.clone() }
}

/// Whether a table of this name holds places, of all sources or as one source describes them.
#[must_use]
pub fn holds_places(table: &str) -> bool {
    table == PLACES.name || table.starts_with(LAYERED)
}
