//! The data dictionary: every table and column in words, from the same definitions that write them.

use std::fmt::Write;

use super::{Column, GeometryRole, Kind, tables};
use crate::domain::{Filter, GeometryKind, Incomplete, Layer, Promoted, PromotedKind};
use crate::pipeline::layers::layer_table;

/// The dictionary as Markdown: `data/DICTIONARY.md`, which a test keeps equal to this.
#[must_use]
pub fn dictionary() -> String {
    let mut text = String::from(
        "# Data dictionary\n\n\
         The tables of a snapshot, column by column. Generated from `src/pipeline/tabulate/tables.rs` and \
         `src/pipeline/layers/table.rs`; do not edit.\n\n\
         Positions are WGS 84 in degrees, longitude first. Tables with a `geometry` column are GeoParquet 1.1, or \
         2.0 on request (then without `bbox`, which their own statistics stand for), ordered along a Hilbert curve.\n\
         Only columns that say under `missing` what that means may have no value. Geometries are written as text in examples.\n\
         The layer `<name>` is an example: the columns between `bbox` and `tags` are those that the pipeline file asks for, \
         and `uid` and `user` are there only with `users = true`.\n",
    );
    let layer = layer_table(&example());
    for table in tables::ALL.iter().copied().chain([&layer]) {
        let schema_version = table.schema_version;
        write!(text, "\n## {}.parquet\n\n{} Schema version {schema_version}.\n\n", table.name, table.doc)
            .expect("text in memory can be written");
        text += "| column | type | unit | missing | meaning | example |\n|---|---|---|---|---|---|\n";
        for column in table.columns.iter() {
            let Column { name, kind, unit, missing, doc, example, .. } = column;
            writeln!(text, "| {name} | {} | {unit} | {missing} | {doc} | `{example}` |", type_name(kind))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_an_example_and_says_what_a_missing_value_means_if_there_may_be_one() {
        let layer = layer_table(&example());
        for table in tables::ALL.iter().copied().chain([&layer]) {
            for column in table.columns.iter() {
                let at = format!("{}.{}", table.name, column.name);
                assert!(!column.example.is_empty() && !column.doc.is_empty(), "{at}");
                assert_eq!(column.missing.is_empty(), !column.nullable, "{at}");
            }
        }
    }

    #[test]
    fn numbers_whose_names_end_in_a_unit_have_that_unit() {
        let units = [("_m", "m"), ("_kw", "kW"), ("lon", "degrees"), ("lat", "degrees")];
        for column in tables::ALL.iter().flat_map(|table| table.columns.iter()) {
            for (_, unit) in units.iter().filter(|(end, _)| column.name.ends_with(end)) {
                assert_eq!(column.unit, *unit, "{}", column.name);
            }
        }
    }
}
