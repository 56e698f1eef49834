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
    ($($require:ident($name:literal, $kind:expr, $doc:literal)$(.$with:ident($text:literal))*,)*) => {
        const PLACE_COLUMNS: &[Column] = &[
            required("id", Kind::Uuid, "Identity of the place; stays across snapshots (UUIDv5 of its founding record).").example("5b0a3c58-1d2e-5f7a-9c41-0e6d3f2b8a17"),
            $($require($name, $kind, $doc)$(.$with($text))*,)*
        ];
        const PLACE_CHANGE_COLUMNS: &[Column] = &[
            required("class", Kind::Text, "`added`, `removed`, `modified`, `moved`, `touched`, `merged`, `split` or `revived`.").example("modified"),
            required("cause", Kind::Text, "`source` when a source record changed, `conflation` when only the decision which records belong together did.").example("source"),
            required("id", Kind::Uuid, "Identity of the place.").example("5b0a3c58-1d2e-5f7a-9c41-0e6d3f2b8a17"),
            optional("related_id", Kind::Uuid, "For `merged`, the place it went into; for `split`, the place it came from; else missing.").missing("the class is neither `merged` nor `split`").example("0d9c7a52-7c7b-5a0e-8a58-6f2b1c4e9d30"),
            required("changed_fields", Kind::List(&Kind::Text), "Columns of `places` whose value differs; empty unless both snapshots have the place.").example("[\"name\", \"capacity\"]"),
            optional("moved_m", Kind::Float64, "Distance between the old and the new position in metres; missing where it did not move.").unit("m").missing("it did not move").example("12.4"),
            optional("old_values", Kind::Json, "The old values of the changed columns, as a JSON object; of a place that is gone, all of them.").missing("no column differs").example("{\"capacity\": 2}"),
            $(optional($name, $kind, $doc)$(.$with($text))*.missing("the place is gone, or has none"),)*
        ];
    };
}

place_columns! {
    required("geometry", Kind::Geometry(GeometryRole::Point), "Representative point (WKB, EPSG:4326); inside the footprint where there is one.").unit("degrees").example("POINT (9.5227 47.1411)"),
    required("bbox", BBOX, "Box around geometry and footprint in degrees, rounded outward to 32 bits.").unit("degrees").example("{\"xmin\": 9.52, \"ymin\": 47.14, \"xmax\": 9.53, \"ymax\": 47.15}"),
    optional("footprint", Kind::Geometry(GeometryRole::Area), "Area mapped in OSM (WKB); missing for places mapped as a point.").unit("degrees").missing("it is mapped as a point").example("POLYGON ((9.52 47.14, 9.53 47.14, 9.53 47.15, 9.52 47.14))"),
    required("category", Kind::Text, "What it is, from `categories.toml`.").example("charging_station"),
    required("alternate_categories", Kind::List(&Kind::Text), "Further categories that fit.").example("[\"parking\"]"),
    optional("name", Kind::Text, "Name on the ground, in the local language.").missing("no source names it").example("Marktplatzgarage"),
    required("names", Kind::Map, "Names by language (ISO 639, as in the OSM key `name:de`).").example("{\"de\": \"Rathaus\", \"en\": \"Town hall\"}"),
    optional("operator", Kind::Text, "Who runs it; canonical name where the operator is known.").missing("no source names one").example("Liechtensteinische Kraftwerke"),
    optional("operator_wikidata", Kind::Text, "Wikidata id of the operator.").missing("no operator, or none that is known").example("Q1823887"),
    optional("network", Kind::Text, "Network it belongs to.").missing("no source names one").example("evpass"),
    optional("brand", Kind::Text, "Brand it trades under.").missing("no source names one").example("Tesla Supercharger"),
    required("address", ADDRESS, "Postal address; `country` is ISO 3166-1 alpha-2.").example("{\"street\": \"Äulestrasse\", \"housenumber\": \"20\", \"locality\": \"Vaduz\", \"postcode\": \"9490\", \"country\": \"LI\"}"),
    optional("phone", Kind::Text, "Telephone number as the source writes it.").missing("no source has one").example("+423 236 01 11"),
    optional("website", Kind::Text, "Web address.").missing("no source has one").example("https://www.lkw.li"),
    optional("email", Kind::Text, "E-mail address.").missing("no source has one").example("info@lkw.li"),
    optional("opening_hours", Kind::Text, "Opening hours in OSM's notation.").missing("no source has any").example("Mo-Fr 08:00-18:00"),
    optional("access", Kind::Text, "`public`, `customers`, `permit` or `private`; missing when no source says.").missing("no source says").example("public"),
    optional("fee", Kind::Bool, "Whether its use costs money; missing when no source says.").missing("no source says").example("true"),
    optional("status", Kind::Text, "`operational`, `partial`, `out_of_order`, `planned`, `construction`, `removed` or `unknown`.").missing("no source says").example("operational"),
    optional("capacity", Kind::Int32, "Vehicles that can charge, or be served, at once.").unit("vehicles").missing("no source says").example("4"),
    required("connectors", Kind::List(&CONNECTOR), "Connectors by type and rating: powers in kW, voltage in V, current in A.").unit("kW, V and A, by field").example("[{\"type\": \"type2\", \"current\": \"ac\", \"power_kw\": 22, \"voltage_v\": 400, \"amperage_a\": 32, \"count\": 2}]"),
    optional("max_power_kw", Kind::Float64, "Highest power of one connector in kW.").unit("kW").missing("no source states a power").example("22"),
    required("tags", Kind::Map, "What no other column holds, as key and value in OSM's vocabulary.").example("{\"ref\": \"LKW-17\"}"),
    required("datasets", Kind::List(&Kind::Text), "Sources that contributed, in the order of the pipeline file.").example("[\"osm\", \"ocm\"]"),
    required("confidence", Kind::Float64, "Probability that this row is one existing place, in [0, 1], rounded to 0.01; volatile.").example("0.97"),
    required("sources", Kind::List(&PROVENANCE), "Provenance: one entry per record with an empty `property`, then one per attribute (a JSON pointer) where several records contribute.").example("[{\"property\": \"\", \"dataset\": \"osm\", \"record_id\": \"node/5159230141\", \"license\": \"ODbL-1.0\", \"confidence\": 0.97}]"),
    required("content_hash", Kind::Hash16, "Hash of the meaning: every column but `confidence` and the times and confidences in `sources`.").example("16 bytes"),
    required("row_hash", Kind::Hash16, "Hash of every other column.").example("16 bytes"),
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
        required("place_id", Kind::Uuid, "The place.").example("5b0a3c58-1d2e-5f7a-9c41-0e6d3f2b8a17"),
        required("dataset", Kind::Text, "Name of the source in the pipeline file.").example("osm"),
        required("record_id", Kind::Text, "Id in the source's own terms, e.g. `node/5159230141`, `461426`.")
            .example("node/5159230141"),
        optional(
            "part_of",
            Kind::Text,
            "Record of the same source that this one is a part of, e.g. the station of a charge point.",
        )
        .missing("it is no part of another")
        .example("461426"),
        required(
            "geometry",
            Kind::Geometry(GeometryRole::Point),
            "Position of the record (WKB, EPSG:4326), after repairs.",
        )
        .unit("degrees")
        .example("POINT (9.5227 47.1411)"),
        required("bbox", BBOX, "Box around the position in degrees, rounded outward to 32 bits.")
            .unit("degrees")
            .example("{\"xmin\": 9.52, \"ymin\": 47.14, \"xmax\": 9.53, \"ymax\": 47.15}"),
        required("category", Kind::Text, "What the record alone would be.").example("charging_station"),
        optional("name", Kind::Text, "The record's own name.").missing("it has none").example("Marktplatzgarage"),
        optional("update_time", Kind::Time, "When the source last changed the record.")
            .missing("the source does not say")
            .example("2024-02-29T12:30:00Z"),
        optional(
            "license",
            Kind::Text,
            "Licence of the record as its source names it; missing when the source does not say.",
        )
        .missing("the source does not say")
        .example("ODbL-1.0"),
        required("repairs", Kind::List(&Kind::Text), "Repairs made to the record, by name.")
            .example("[\"swapped_coordinates\"]"),
        required("content_hash", Kind::Hash16, "Hash of what the source says, without volatile fields.")
            .example("16 bytes"),
        required(
            "evidence",
            Kind::Json,
            "What conflation compares of the record, as a JSON object; `poimill explain` reads it.",
        )
        .example("{\"name\": \"marktplatzgarage\"}"),
        required("raw", Kind::Json, "The record as the source wrote it, as JSON.")
            .example("{\"id\": 5159230141, \"tags\": {\"amenity\": \"charging_station\"}}"),
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
        required("dataset_a", Kind::Text, "Source of the first record.").example("osm"),
        required("record_id_a", Kind::Text, "Id of the first record.").example("node/5159230141"),
        required("dataset_b", Kind::Text, "Source of the second record.").example("ocm"),
        required("record_id_b", Kind::Text, "Id of the second record.").example("461426"),
        required("verdict", Kind::Text, "`match`, `review` or `miss`, after vetoes and constraints.").example("match"),
        required("reason", Kind::Text, "What decided: `score`, a veto, a constraint, or a person's decision.")
            .example("score"),
        required(
            "score",
            Kind::Float64,
            "Probability that the two are one place, in [0, 1], rounded to 0.01; volatile.",
        )
        .example("0.98"),
        required("distance_m", Kind::Float64, "Distance between the two in metres, rounded to 0.1.")
            .unit("m")
            .example("14.2"),
        required("features", Kind::Json, "Every feature of the pair with its value and weight, as a JSON object.")
            .example("{\"distance\": {\"value\": 0.9, \"weight\": 2.1}}"),
    ]),
};

/// One row per rejected record.
pub static REJECTS: Table = Table {
    name: Cow::Borrowed("rejects"),
    schema_version: 3,
    doc: Cow::Borrowed("One row per rejected record or geometry."),
    columns: Cow::Borrowed(&[
        required("dataset", Kind::Text, "Name of the source in the pipeline file.").example("osm"),
        optional("layer", Kind::Text, "The layer that refuses it; missing where it is refused as a place.")
            .missing("it is refused as a place")
            .example("roads"),
        required(
            "record_id",
            Kind::Text,
            "Id in the source's own terms; a line or element number where there is none.",
        )
        .example("node/5159230141"),
        required("code", Kind::Text, "Why, as a stable code.").example("no_position"),
        optional("lon", Kind::Float64, "Longitude as stated, in degrees; may be out of range.")
            .unit("degrees")
            .missing("none is stated")
            .example("9.5227"),
        optional("lat", Kind::Float64, "Latitude as stated, in degrees; may be out of range.")
            .unit("degrees")
            .missing("none is stated")
            .example("47.1411"),
        optional(
            "line",
            Kind::Int64,
            "Line of the input file on which it begins, from 1; missing where the input has no lines.",
        )
        .missing("the input has no lines")
        .example("17"),
        required("message", Kind::Text, "Why, as a sentence.").example("it has no position"),
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
        required("dataset", Kind::Text, "Name of the source in the pipeline file.").example("osm"),
        required("record_id", Kind::Text, "Id in the source's own terms.").example("node/5159230141"),
        required("rule", Kind::Text, "Why, as a stable code.").example("invalid_opening_hours"),
        required(
            "field",
            Kind::Text,
            "What it is about: a column of `places`, or the field in the source's own terms.",
        )
        .example("opening_hours"),
        optional("before", Kind::Text, "What the source states.")
            .missing("the source states nothing")
            .example("Mo-Fr 8 bis 18"),
        optional(
            "after",
            Kind::Text,
            "What stands in its place; of a value that is only doubted, what may be meant. Missing where nothing does.",
        )
        .missing("nothing stands in its place")
        .example("Mo-Fr 08:00-18:00"),
        optional(
            "line",
            Kind::Int64,
            "Line of the input file on which the record begins, from 1; missing where the input has no lines.",
        )
        .missing("the input has no lines")
        .example("17"),
    ]),
};

/// One row per record ever seen: the memory of ids.
pub static IDENTITY: Table = Table {
    name: Cow::Borrowed("identity"),
    schema_version: 1,
    doc: Cow::Borrowed("One row per source record that was ever part of a place: the memory that keeps ids stable."),
    columns: Cow::Borrowed(&[
        required("dataset", Kind::Text, "Name of the source in the pipeline file.").example("osm"),
        required("record_id", Kind::Text, "Id in the source's own terms.").example("node/5159230141"),
        required("place_id", Kind::Uuid, "The place it belongs to, or belonged to last.")
            .example("5b0a3c58-1d2e-5f7a-9c41-0e6d3f2b8a17"),
        required("former_place_ids", Kind::List(&Kind::Uuid), "Places it belonged to before, oldest first.")
            .example("[\"0d9c7a52-7c7b-5a0e-8a58-6f2b1c4e9d30\"]"),
        required("first_seen", Kind::Text, "Vintage of the first snapshot with the record: RFC 3339, or `undated`.")
            .example("2021-01-01T20:20:00Z"),
        required("last_seen", Kind::Text, "Vintage of the last snapshot with the record: RFC 3339, or `undated`.")
            .example("undated"),
        required("present", Kind::Bool, "Whether it is in this snapshot.").example("true"),
        optional("successor", Kind::Uuid, "Where its place is gone by a merge, the place it went into; else missing.")
            .missing("its place is not gone by a merge")
            .example("0d9c7a52-7c7b-5a0e-8a58-6f2b1c4e9d30"),
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
        required("place_id", Kind::Uuid, "The place.").example("5b0a3c58-1d2e-5f7a-9c41-0e6d3f2b8a17"),
        required(
            "property",
            Kind::Text,
            "The attribute as a JSON pointer into `places`, e.g. `/name`, `/tags/ref`; of the position `/geometry`.",
        )
        .example("/name"),
        required("dataset", Kind::Text, "Source of the record whose value was not taken.").example("osm"),
        required("record_id", Kind::Text, "Id of that record in the source's own terms.").example("node/5159230141"),
        required("value", Kind::Json, "Its value as JSON; of the position [longitude, latitude].")
            .example("\"Marktplatz\""),
        required("taken_dataset", Kind::Text, "Source of the record whose value was taken.").example("osm"),
        required("taken_record_id", Kind::Text, "Id of that record in the source's own terms.")
            .example("node/5159230141"),
        required("taken_value", Kind::Json, "The value that was taken, as JSON.").example("\"Marktplatzgarage\""),
        required("rule", Kind::Text, "What chose: `priority`, `newest`, `complete` or `agreement`.")
            .example("priority"),
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
        required("dataset", Kind::Text, "Name of the source in the pipeline file.").example("osm"),
        required("record_id", Kind::Text, "Id in the source's own terms.").example("node/5159230141"),
        required("place_id", Kind::Uuid, "The place.").example("5b0a3c58-1d2e-5f7a-9c41-0e6d3f2b8a17"),
        optional(
            "valid_from",
            Kind::Time,
            "Vintage of the first snapshot with it; missing where no source has a date.",
        )
        .missing("no source has a date")
        .example("2021-01-01T20:20:00Z"),
        optional(
            "valid_to",
            Kind::Time,
            "Vintage of the first snapshot without it, or with it in another place; missing while it is there.",
        )
        .missing("it is still part of the place")
        .example("2024-03-03T21:21:00Z"),
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
