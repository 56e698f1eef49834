//! Names and values inside SQL: made or quoted here, so that no pipeline's name can be taken for a statement.

use sha2::{Digest, Sha256};

use crate::domain::hex;
use crate::pipeline::tabulate::{Column, Kind, Table};

/// Longest part of a leaf's name that comes from the pipeline: PostgreSQL cuts names at 63 bytes.
const MAX_SLUG_BYTES: usize = 40;

/// The columns of a snapshot's table that the database keeps. The box follows from the geometry.
pub(super) fn kept_columns(table: &Table) -> Vec<&Column> {
    table.columns.iter().filter(|column| column.name != "bbox").collect()
}

/// Column names, each after `prefix`, separated by commas.
pub(super) fn list<'a>(columns: impl IntoIterator<Item = &'a Column>, prefix: &str) -> String {
    let names: Vec<String> = columns.into_iter().map(|column| format!("{prefix}{}", column.name)).collect();
    names.join(", ")
}

/// Puts values in the place of `{names}` in a statement. What a value holds is never taken for a name.
pub(super) fn fill(statement: &str, values: &[(&str, &str)]) -> String {
    let mut pieces = statement.split('{');
    let mut sql = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let value = values.iter().find_map(|(name, value)| Some((value, piece.strip_prefix(name)?.strip_prefix('}')?)));
        match value {
            Some((value, rest)) => sql.extend([value, rest]),
            None => sql.extend(["{", piece]),
        }
    }
    sql
}

/// A text as a literal of SQL.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// The two names that the leaf of a pipeline takes in turn, so that the next one can be filled beside it.
pub(super) fn leaf_names(parent: &str, pipeline: &str) -> [String; 2] {
    let slug = slug(pipeline);
    // The number stands before the pipeline's name: no leaf can be called like another table.
    [1, 2].map(|turn| format!("{parent}_{turn}_{slug}"))
}

/// A pipeline's name where it can be part of a table's name; else what is readable of it, with a hash.
fn slug(pipeline: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if pipeline.len() <= MAX_SLUG_BYTES && pipeline.chars().all(plain) && !pipeline.contains("__") {
        return pipeline.to_owned();
    }
    let readable: String =
        pipeline.to_ascii_lowercase().chars().filter(|c| plain(*c)).take(MAX_SLUG_BYTES - 10).collect();
    let hash = hex(&Sha256::digest(pipeline.as_bytes())[..4]);
    format!("{}__{hash}", readable.replace("__", "_"))
}

/// Per column, for `values` in a comparison: position, name, whether `n` and `o` differ, the old value as JSON.
pub(super) fn differences(columns: &[&Column]) -> String {
    let rows = columns.iter().enumerate().map(|(at, column)| {
        let name = &column.name;
        format!("({at}, '{name}', n.{name} is distinct from o.{name}, {})", old_json(column))
    });
    rows.collect::<Vec<_>>().join(", ")
}

/// Per column, for `values`: name and the old value as JSON.
pub(super) fn old_values(columns: &[&Column]) -> String {
    columns.iter().map(|column| format!("('{}', {})", column.name, old_json(column))).collect::<Vec<_>>().join(", ")
}

/// The old value of a column as `Cell::to_json` writes it: bytes in hexadecimal digits.
fn old_json(column: &Column) -> String {
    let name = &column.name;
    match column.kind {
        Kind::Geometry(_) => format!("to_jsonb(encode(st_asbinary(o.{name}, 'NDR'), 'hex'))"),
        Kind::Hash16 => format!("to_jsonb(encode(o.{name}, 'hex'))"),
        _ => format!("to_jsonb(o.{name})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_have_names_of_their_own_that_fit() {
        let cases = [
            ("liechtenstein", "place_1_liechtenstein"),
            ("li-2", "place_1_li2__"),
            ("Zürich; drop table x", "place_1_zrichdroptablex__"),
            ("a__b", "place_1_a_b__"),
            ("", "place_1_"),
        ];
        for (pipeline, start) in cases {
            let [first, second] = leaf_names("place", pipeline);
            assert!(first.starts_with(start) && first != second, "{first}");
        }
        let long = "x".repeat(200);
        assert!(leaf_names("place_source", &long).iter().all(|name| name.len() <= 63));
        assert_ne!(leaf_names("place", &long), leaf_names("place", &long[1..]));
        assert_ne!(leaf_names("place", "li-2"), leaf_names("place", "li2"));
        assert_ne!(leaf_names("place", "li-2"), leaf_names("place", "li.2"));
    }

    #[test]
    fn values_are_filled_in_once() {
        let filled = fill("select '{}', {a} from {b}{c}", &[("a", "'{b}'"), ("b", "t")]);
        assert_eq!(filled, "select '{}', '{b}' from t{c}");
    }

    #[test]
    fn literals_hold_any_text() {
        let cases = [("li", "'li'"), ("o'hara", "'o''hara'"), (r"a\'; --", r"E'a\\''; --'")];
        for (text, expected) in cases {
            assert_eq!(literal(text), expected);
        }
    }
}
