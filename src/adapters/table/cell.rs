//! Cell and row: what every format comes to before its columns are given a meaning.

use std::borrow::Cow;

use geo::Geometry;
use serde_json::Value;

use crate::domain::Finding;

/// One value of one row, as the format states it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing: empty, null, or not there.
    Empty,
    /// A text, trimmed; never empty.
    Text(String),
    /// A number of a format that has numbers, written with a decimal point.
    Number(String),
    /// A boolean of a format that has booleans.
    Bool(bool),
    /// Several. An element may be [`Cell::Empty`], so that lists beside each other stay in step.
    List(Vec<Cell>),
}

impl Cell {
    /// A text, or nothing where there is only white space.
    pub(super) fn text(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    /// A JSON value. An object is its own text, so that a geometry may stand in a column.
    pub(super) fn json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Empty,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::text(text),
            Value::Array(values) => Self::List(values.iter().map(Self::json).collect()),
            Value::Object(_) => Self::Text(value.to_string()),
        }
    }

    /// Whether it holds nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::List(cells) => cells.iter().all(Self::is_empty),
            Self::Text(_) | Self::Number(_) | Self::Bool(_) => false,
        }
    }

    /// The value as text, a list with `;` between its elements.
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) | Self::Number(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::List(cells) => {
                let texts = cells.iter().map(Self::to_text).filter(|text| !text.is_empty());
                Cow::Owned(texts.collect::<Vec<_>>().join(";"))
            }
        }
    }
}

/// One row, with the columns that the mapping names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Where it is in the file, e.g. `line 7`, `element 3`.
    pub(super) place: String,
    /// Line on which it begins, where the format has lines.
    pub(super) line: Option<u64>,
    /// By slot of the plan.
    pub(super) cells: Vec<Cell>,
    /// Every column that has a value, where the mapping takes them all.
    pub(super) all: Vec<(String, String)>,
    /// The format's own id.
    pub(super) id: Option<String>,
    /// The format's own geometry, or why it cannot be read.
    pub(super) geometry: Option<Result<Geometry<f64>, String>>,
    /// Every column that has a value, as a JSON object.
    pub(super) raw: String,
    /// What could not be read of the fields themselves.
    pub(super) findings: Vec<Finding>,
}
