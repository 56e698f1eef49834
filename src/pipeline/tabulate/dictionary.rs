//! The data dictionary: every table and column in words, from the same definitions that write them.

use std::fmt::Write;

use super::{GeometryRole, Kind, tables};
use crate::domain::{Filter, GeometryKind, Incomplete, Layer, Promoted, PromotedKind};
use crate::pipeline::layers::layer_table;

/// The dictionary as Markdown: `data/DICTIONARY.md`, which a test keeps equal to this.
#[must_use]
pub fn dictionary() -> String {
    let mut text = String::from(
        "# Data dictionary\n\n\
         The tables of a snapshot, column by column. Generated from `src/pipeline/tabulate/tables.rs` and \
         `src/pipeline/layers/table.rs`; do not edit.\n\n\
         Positions are WGS 84 in degrees, longitude first. Tables with a `geometry` column are GeoParquet 1.1, ordered \
         along a Hilbert curve.\nA column marked `null` may have no value; its description says what that means.\n\
         The layer `<name>` is an example: the columns between `bbox` and `tags` are those that the pipeline file asks for, \
         and `uid` and `user` are there only with `users = true`.\n",
    );
    let layer = layer_table(&example());
    for table in tables::ALL.iter().copied().chain([&layer]) {
        let schema_version = table.schema_version;
        write!(text, "\n## {}.parquet\n\n{} Schema version {schema_version}.\n\n", table.name, table.doc)
            .expect("text in memory can be written");
        text += "| column | type | null | meaning |\n|---|---|---|---|\n";
        for column in table.columns.iter() {
            let null = if column.nullable { "null" } else { "" };
            writeln!(text, "| {} | {} | {null} | {} |", column.name, type_name(&column.kind), column.doc)
                .expect("text in memory can be written");
        }
    }
    text
}

/// A layer with everything that a layer can have: two tags with columns of their own, and the names of mappers.
fn example() -> Layer {
    let promoted = |key: &str, kind| Promoted { key: key.to_owned(), name: key.replace(':', "_"), kind };
    Layer {
        name: "<name>".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*".to_owned()]).expect("everything can be asked for"),
        kinds: GeometryKind::ALL.to_vec(),
        columns: vec![promoted("highway", PromotedKind::Text), promoted("lanes", PromotedKind::Integer)],
        incomplete: Incomplete::KeepFlagged,
        users: true,
    }
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Uuid => "UUID as text".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::Int32 => "int32".to_owned(),
        Kind::Int64 => "int64".to_owned(),
        Kind::Float32 => "float".to_owned(),
        Kind::Float64 => "double".to_owned(),
        Kind::Time => "timestamp, µs, UTC".to_owned(),
        Kind::Hash16 => "16 bytes".to_owned(),
        Kind::Json => "JSON as text".to_owned(),
        Kind::Geometry(GeometryRole::Point) => "WKB point".to_owned(),
        Kind::Geometry(GeometryRole::Area) => "WKB polygon or multipolygon".to_owned(),
        Kind::Geometry(GeometryRole::Any) => "WKB geometry".to_owned(),
        Kind::List(item) => format!("list of {}", type_name(item)),
        Kind::Struct(fields) => {
            let fields = fields.iter().map(|(name, kind)| format!("{name}: {}", type_name(kind)));
            format!("struct({})", fields.collect::<Vec<_>>().join(", "))
        }
        Kind::Map => "map of text to text".to_owned(),
    }
}
