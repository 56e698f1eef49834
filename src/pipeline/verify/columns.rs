//! Columns: whether a table has those of its version.
//!
//! Within a major version columns are only added, so a table of an earlier version has some of today's, in today's types.

use std::collections::BTreeMap;

use arrow_schema::{DataType, Field, Schema};

use crate::pipeline::diff::layers::layer_changes_table;
use crate::pipeline::layers::table_of_no_columns;
use crate::pipeline::tabulate::tables::{ALL, changes_of, holds_places, places_of};
use crate::pipeline::tabulate::{Kind, Table};

/// Columns that a layer has only where the pipeline file asks for mappers.
const OF_USERS: [&str; 2] = ["uid", "user"];

/// What the columns are, or what is wrong with them.
pub(super) fn check(table: &str, version: u32, schema: &Schema) -> Result<String, String> {
    let (expected, is_layer) = expected(table).ok_or("this poimill knows no table of that name")?;
    if !(1..=expected.schema_version).contains(&version) {
        return Err(format!("version {version}, this poimill knows 1 to {}", expected.schema_version));
    }
    let mut wrong = Vec::new();
    let mut left: BTreeMap<&str, (bool, DataType)> =
        expected.columns.iter().map(|column| (&*column.name, (column.nullable, column.kind.arrow()))).collect();
    for field in schema.fields() {
        match left.remove(field.name().as_str()) {
            Some((nullable, kind)) if kind.equals_datatype(field.data_type()) && nullable == field.is_nullable() => {}
            Some((nullable, kind)) => wrong.push(format!(
                "`{}` is {}, not {}",
                field.name(),
                described(field.data_type(), field.is_nullable()),
                described(&kind, nullable)
            )),
            None if is_layer && is_promoted(field) => {}
            None => wrong.push(format!("`{}` is no column of it", field.name())),
        }
    }
    let is_current = version == expected.schema_version;
    if is_current {
        let optional = |name: &&str| is_layer && OF_USERS.contains(name);
        wrong.extend(left.keys().filter(|name| !optional(name)).map(|name| format!("`{name}` is missing")));
    }
    if is_current && !is_layer && wrong.is_empty() {
        let (found, right) =
            (schema.fields().iter().map(|f| f.name().as_str()), expected.columns.iter().map(|c| &*c.name));
        if !found.eq(right) {
            wrong.push("they are in another order".to_owned());
        }
    }
    if wrong.is_empty() {
        Ok(format!("{} columns of version {version}", schema.fields().len()))
    } else {
        Err(wrong.join(", "))
    }
}

/// The table as this version writes it, and whether it may have columns that a pipeline file asks for.
fn expected(name: &str) -> Option<(Table, bool)> {
    if let Some(table) = ALL.iter().find(|table| table.name == name) {
        return Some(((*table).clone(), false));
    }
    if let Some(dataset) = name.strip_prefix("places_") {
        return Some((places_of(dataset), false));
    }
    if name.starts_with("layers/") {
        return Some((table_of_no_columns(name.trim_start_matches("layers/")), true));
    }
    let changed = name.strip_prefix("changes/")?;
    if changed.starts_with("layers/") {
        return Some((layer_changes_table(&table_of_no_columns(changed.trim_start_matches("layers/"))), true));
    }
    holds_places(changed).then(|| (changes_of(changed), false))
}

/// Whether a column can be one that a pipeline file asks for.
fn is_promoted(field: &Field) -> bool {
    let kinds = [Kind::Text, Kind::Int64, Kind::Float64, Kind::Bool];
    field.is_nullable() && kinds.iter().any(|kind| kind.arrow() == *field.data_type())
}

fn described(kind: &DataType, nullable: bool) -> String {
    format!("{kind}{}", if nullable { " or missing" } else { "" })
}
