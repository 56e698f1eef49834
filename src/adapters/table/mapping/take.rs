//! Take: where a value comes from, and what is done to its text on the way.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// A value of the model, in terms of columns: a column as text, or a table of this module's keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Take {
    pub(crate) from: From,
    /// Words that stand for nothing.
    pub(crate) missing: Vec<String>,
    /// What is cut off from either end.
    pub(crate) strip: Vec<String>,
    /// What stands between the elements of a list.
    pub(crate) split: Option<String>,
    /// Which element counts, from 1; all where it is left out.
    pub(crate) item: Option<usize>,
    pub(crate) map: Option<Lookup>,
    /// What a word that is not in `map` becomes.
    pub(crate) otherwise: Option<String>,
    /// Digits of a code that a spreadsheet has taken for a number, and the zeros in front of it away.
    pub(crate) pad: Option<usize>,
    pub(crate) kind: Option<Kind>,
    /// Least and greatest plausible number.
    pub(crate) bounds: (Option<f64>, Option<f64>),
    /// How a date is written, in `strftime` notation.
    pub(crate) format: Option<String>,
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    /// Whose words these are, for types of connectors.
    pub(crate) vocabulary: Option<String>,
}

/// Where the text comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum From {
    /// A column.
    Column(String),
    /// Several columns, those that are not empty, with a text between them.
    Joined(Vec<String>, String),
    /// The first column that is not empty.
    First(Vec<String>),
    /// The sum of columns.
    Sum(Vec<String>),
    /// Always the same.
    Constant(String),
    /// Opening hours from a column per weekday and end.
    Week {
        /// When it opens, with `{day}`.
        from: String,
        /// When it closes, with `{day}`.
        to: String,
        /// Whether it never closes.
        always: Option<String>,
        /// What stands for `{day}`, from Monday.
        days: Vec<String>,
    },
}

/// What words of a column mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lookup {
    /// In place.
    Inline(BTreeMap<String, String>),
    /// A table `[source.table.lookups.<name>]`.
    Named(String),
}

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A power in kW.
    Kw,
    /// A power in W, kept in kW.
    WToKw,
    /// Any number.
    Number,
    /// A whole number.
    Integer,
    /// True or false, as `yes` and `no`.
    Boolean,
    /// A date, or an instant.
    Date,
}

/// English names, as in `accessMondayFrom`.
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The table as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    column: Option<String>,
    columns: Option<Vec<String>>,
    first: Option<Vec<String>>,
    sum: Option<Vec<String>>,
    value: Option<String>,
    from: Option<String>,
    to: Option<String>,
    always: Option<String>,
    days: Option<Vec<String>>,
    join: Option<String>,
    missing: Vec<String>,
    strip: Vec<String>,
    split: Option<String>,
    item: Option<usize>,
    map: Option<Lookup>,
    #[serde(rename = "else")]
    otherwise: Option<String>,
    pad: Option<usize>,
    #[serde(rename = "as")]
    kind: Option<Kind>,
    min: Option<f64>,
    max: Option<f64>,
    format: Option<String>,
    prefix: String,
    suffix: String,
    vocabulary: Option<String>,
}

impl Take {
    /// A column as it is.
    pub(crate) fn column(name: &str) -> Self {
        let written = Written { column: Some(name.to_owned()), ..Written::default() };
        Self::of(written, From::Column(name.to_owned()))
    }

    fn of(written: Written, from: From) -> Self {
        Self {
            from,
            missing: written.missing,
            strip: written.strip,
            split: written.split,
            item: written.item,
            map: written.map,
            otherwise: written.otherwise,
            pad: written.pad,
            kind: written.kind,
            bounds: (written.min, written.max),
            format: written.format,
            prefix: written.prefix,
            suffix: written.suffix,
            vocabulary: written.vocabulary,
        }
    }

    /// This, read as `kind` unless it says otherwise itself.
    pub(crate) fn or_as(mut self, kind: Kind) -> Self {
        self.kind = self.kind.or(Some(kind));
        self
    }

    /// Whether it says the same of every row.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(self.from, From::Constant(_))
    }
}

impl TryFrom<Written> for Take {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Self, String> {
        let is_week = written.from.is_some() || written.to.is_some();
        let is_list = written.columns.is_some();
        let sources = [
            written.column.is_some(),
            is_list,
            written.first.is_some(),
            written.sum.is_some(),
            written.value.is_some(),
            is_week,
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            return Err(
                "say where it comes from, in one way: column, columns, first, sum, value, or from and to".into()
            );
        }
        let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
        if is_empty(&written.columns) || is_empty(&written.first) || is_empty(&written.sum) {
            return Err("name at least one column".into());
        }
        let numeric = matches!(written.kind, Some(Kind::Kw | Kind::WToKw | Kind::Number | Kind::Integer))
            || written.sum.is_some();
        let rules = [
            (written.join.is_some() && !is_list, "`join` goes with `columns`"),
            (written.item.is_some() && written.split.is_none(), "`item` goes with `split`"),
            (written.item == Some(0), "`item` counts from 1"),
            (written.split.as_deref() == Some(""), "`split` is empty; name what stands between the elements"),
            (written.pad.is_some() && written.kind.is_some(), "`pad` is for codes, `as` for values; give one of them"),
            (written.pad.is_some_and(|digits| !(3..=20).contains(&digits)), "`pad` is not between 3 and 20 digits"),
            (written.otherwise.is_some() && written.map.is_none(), "`else` goes with `map`"),
            (
                written.format.is_some() && written.kind.is_some_and(|kind| kind != Kind::Date),
                "`format` goes with dates",
            ),
            (
                (written.min.is_some() || written.max.is_some()) && written.kind.is_some() && !numeric,
                "`min` and `max` go with numbers",
            ),
            (written.min.zip(written.max).is_some_and(|(min, max)| min > max), "`min` is above `max`"),
            (is_week && (written.from.is_none() || written.to.is_none()), "`from` and `to` go together"),
            (
                !is_week && (written.always.is_some() || written.days.is_some()),
                "`always` and `days` go with `from` and `to`",
            ),
            (written.days.as_ref().is_some_and(|days| days.len() != 7), "`days` lists seven, from Monday"),
        ];
        if let Some((_, message)) = rules.iter().find(|(broken, _)| *broken) {
            return Err((*message).to_owned());
        }
        let from = if let Some(column) = written.column.take() {
            From::Column(column)
        } else if let Some(columns) = written.columns.take() {
            From::Joined(columns, written.join.take().unwrap_or_else(|| " ".to_owned()))
        } else if let Some(columns) = written.first.take() {
            From::First(columns)
        } else if let Some(columns) = written.sum.take() {
            From::Sum(columns)
        } else if let Some(value) = written.value.take() {
            From::Constant(value)
        } else {
            let (from, to) = (written.from.take().unwrap_or_default(), written.to.take().unwrap_or_default());
            if !from.contains("{day}") || !to.contains("{day}") {
                return Err("`from` and `to` name a column per weekday, with {day} in them".into());
            }
            let days = written.days.take().unwrap_or_else(|| DAYS.map(str::to_owned).to_vec());
            From::Week { from, to, always: written.always.take(), days }
        };
        Ok(Self::of(written, from))
    }
}

impl<'de> Deserialize<'de> for Take {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Take;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column as text or a table such as { column = \"kW\", as = \"kw\" }")
            }

            fn visit_str<E: de::Error>(self, column: &str) -> Result<Take, E> {
                Ok(Take::column(column))
            }

            fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Take, M::Error> {
                let written = Written::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Take::try_from(written).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Lookup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Lookup;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of words or the name of one in [source.table.lookups]")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Lookup, E> {
                Ok(Lookup::Named(name.to_owned()))
            }

            fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Lookup, M::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(Lookup::Inline)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
