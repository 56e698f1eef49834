//! Filter: which objects are wanted, in the expression language of `osmium tags-filter`.
//!
//! ```text
//! filter      = expression { " and " expression }
//! expression  = [ "not " ] [ types "/" ] ( "*" | key { "," key } [ ( "=" | "!=" ) value { "," value } ] )
//! types       = "n" | "w" | "r" | "a", one or more
//! ```
//!
//! A `*` at the end of a key or value matches a prefix, one in front or at both ends a substring, alone anything.
//! `a` stands for areas: ways and relations.

use super::{ObjectKind, TagSet};

/// Any of several lines; a line is a conjunction of expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Vec<Vec<Expression>>);

/// Why a filter cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the filter `{expression}`: {reason}")]
pub struct FilterError {
    /// The expression at fault.
    pub expression: String,
    /// What is wrong, and what would be right.
    pub reason: &'static str,
}

/// A key that a line begins with, and the values that it must have, if they are few enough to name.
type HeadTag<'a> = (&'a str, Option<Vec<&'a str>>);

#[derive(Debug, Clone, PartialEq)]
struct Expression {
    negated: bool,
    kinds: Vec<ObjectKind>,
    /// Any of these.
    keys: Vec<Pattern>,
    /// Values, and whether they are the ones that do not match.
    values: Option<(Vec<Pattern>, bool)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    Any,
    Exactly(Box<str>),
    Prefix(Box<str>),
    Contains(Box<str>),
}

impl Filter {
    /// Reads a filter of one or several lines, any of which may match.
    ///
    /// # Errors
    ///
    /// When an expression is empty, has no key or names an unknown object type.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, FilterError> {
        if lines.is_empty() {
            return Err(error("", "it is empty; `*` alone matches any tagged object"));
        }
        // With a blank at both ends, an `and` there has an empty neighbour, which is refused.
        let line = |line: &S| format!(" {} ", line.as_ref()).split(" and ").map(Expression::parse).collect();
        lines.iter().map(line).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an object of this kind with these tags is wanted.
    #[must_use]
    pub fn matches(&self, kind: ObjectKind, tags: &(impl TagSet + ?Sized)) -> bool {
        self.0.iter().any(|line| line.iter().all(|expression| expression.matches(kind, tags)))
    }

    /// The keys by which an object fits: of each line that matches it, the key of the first expression that is not negated.
    pub fn heads<'a>(&'a self, kind: ObjectKind, tags: &'a (impl TagSet + ?Sized)) -> impl Iterator<Item = &'a str> {
        let lines = self.0.iter().filter(move |line| line.iter().all(|expression| expression.matches(kind, tags)));
        lines.map(|line| head(line).first().map_or("", Pattern::text))
    }

    /// Whether a line begins with `key`. An object that has no such key does not match.
    #[must_use]
    pub fn hangs_on(&self, key: &str) -> bool {
        self.0.iter().map(|line| head(line)).any(|keys| keys.is_empty() || keys.iter().any(|head| head.matches(key)))
    }

    /// The exact keys that lines begin with, each with the values that it must have, or `None` where more than those fit;
    /// `None` altogether when a line begins with a pattern or has nothing but negations.
    #[must_use]
    pub fn head_tags(&self) -> Option<Vec<HeadTag<'_>>> {
        fn exact(pattern: &Pattern) -> Option<&str> {
            match pattern {
                Pattern::Exactly(text) => Some(text),
                _ => None,
            }
        }
        let mut tags = Vec::new();
        for line in &self.0 {
            let head = line.iter().find(|expression| !expression.negated)?;
            let values = head.values.as_ref().filter(|(_, unequal)| !unequal);
            let values = values.and_then(|(values, _)| values.iter().map(exact).collect::<Option<Vec<_>>>());
            for key in &head.keys {
                tags.push((exact(key)?, values.clone()));
            }
        }
        Some(tags)
    }
}

/// The keys of the first expression of a line that is not negated: no object matches the line without one of them.
fn head(line: &[Expression]) -> &[Pattern] {
    line.iter().find(|expression| !expression.negated).map_or(&[], |expression| &expression.keys)
}

impl Expression {
    fn parse(text: &str) -> Result<Self, FilterError> {
        let text = text.trim();
        let mut rest = text;
        let negated = rest.strip_prefix("not ").inspect(|tail| rest = tail.trim_start()).is_some();
        let kinds = match rest.split_once('/') {
            Some((types, tail)) if !types.is_empty() && types.chars().all(|c| "nwra".contains(c)) => {
                rest = tail;
                types.chars().flat_map(kinds_of).copied().collect()
            }
            _ => Vec::new(),
        };
        let (key, values) = match rest.split_once('=') {
            None => (rest, None),
            Some((key, values)) => {
                let (key, unequal) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
                let values: Vec<_> = values.split(',').map(|value| Pattern::parse(value.trim())).collect();
                if values.iter().any(|value| matches!(value, Pattern::Exactly(text) if text.is_empty())) {
                    return Err(error(text, "a value is missing after `=` or `,`"));
                }
                (key, Some((values, unequal)))
            }
        };
        if key.trim().is_empty() || key.trim() == "not" {
            return Err(error(text, "a key is missing; write `key`, `key=value` or `*`"));
        }
        if key.trim().contains(' ') {
            return Err(error(text, "a key has no blanks; join expressions with ` and `"));
        }
        let keys: Vec<&str> = key.split(',').map(str::trim).collect();
        if keys.contains(&"") {
            return Err(error(text, "a key is missing before or after `,`"));
        }
        Ok(Self { negated, kinds, keys: keys.into_iter().map(Pattern::parse).collect(), values })
    }

    fn matches(&self, kind: ObjectKind, tags: &(impl TagSet + ?Sized)) -> bool {
        let right_kind = self.kinds.is_empty() || self.kinds.contains(&kind);
        (right_kind && self.some_tag_matches(tags)) != self.negated
    }

    fn some_tag_matches(&self, tags: &(impl TagSet + ?Sized)) -> bool {
        let value_fits = |value: &str| match &self.values {
            None => true,
            Some((values, unequal)) => values.iter().any(|pattern| pattern.matches(value)) != *unequal,
        };
        self.keys.iter().any(|key| match key {
            Pattern::Exactly(key) => tags.value_of(key).is_some_and(value_fits),
            Pattern::Any if self.values.is_none() => tags.pairs().next().is_some(),
            pattern => tags.pairs().any(|(key, value)| pattern.matches(key) && value_fits(value)),
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Self {
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some(""), _) => Self::Any,
            (Some(tail), Some(_)) => Self::Contains(tail[..tail.len() - 1].into()),
            (Some(tail), None) => Self::Contains(tail.into()),
            (None, Some(head)) => Self::Prefix(head.into()),
            _ => Self::Exactly(text.into()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Exactly(text) | Self::Prefix(text) | Self::Contains(text) => text,
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => **wanted == *text,
            Self::Prefix(head) => text.starts_with(&**head),
            Self::Contains(part) => text.contains(&**part),
        }
    }
}

fn kinds_of(letter: char) -> &'static [ObjectKind] {
    match letter {
        'n' => &[ObjectKind::Node],
        'w' => &[ObjectKind::Way],
        'r' => &[ObjectKind::Relation],
        _ => &[ObjectKind::Way, ObjectKind::Relation],
    }
}

fn error(expression: &str, reason: &'static str) -> FilterError {
    FilterError { expression: expression.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Tags;

    fn tags(text: &str) -> Tags {
        text.split_whitespace().filter_map(|pair| pair.split_once('=')).collect()
    }

    #[test]
    fn expressions_mean_what_osmium_says() {
        use ObjectKind::{Node, Relation, Way};
        let cases = [
            ("highway", Way, "highway=path", true),
            ("highway and not highway=proposed", Way, "highway=proposed", false),
            ("highway and not highway=proposed", Way, "highway=path", true),
            ("amenity=cafe,bar", Node, "amenity=bar", true),
            ("amenity!=cafe", Node, "amenity=bar", true),
            ("amenity!=cafe", Node, "shop=bar", false),
            ("n/amenity", Way, "amenity=bar", false),
            ("a/building", Relation, "building=yes", true),
            ("wr/building", Node, "building=yes", false),
            ("*", Node, "a=b", true),
            ("*", Node, "", false),
            ("socket:*", Node, "socket:type2=2", true),
            ("name=*bahnhof*", Node, "name=Hauptbahnhof", true),
            ("name=*bahn", Node, "name=Hauptbahnhof", true),
            ("shop,amenity=cafe", Node, "amenity=cafe", true),
            ("shop,amenity=cafe", Node, "shop=books", false),
            ("socket:type2*!=no", Node, "socket:type2=no", false),
        ];
        for (filter, kind, object, expected) in cases {
            let parsed = Filter::parse(&[filter]).expect(filter);
            assert_eq!(parsed.matches(kind, &tags(object)), expected, "{filter} on {object}");
        }
    }

    #[test]
    fn a_filter_that_says_nothing_is_refused() {
        for filter in ["", "a and ", "a=b and", " and a", "=b", "a=", "a=b,", "a,=b", "two words", "not "] {
            assert!(Filter::parse(&[filter]).is_err(), "{filter:?}");
        }
    }

    #[test]
    fn keys_that_cannot_matter_are_told_apart() {
        let filter = Filter::parse(&["amenity=cafe and not disused", "shop"]).expect("a filter");
        assert!(filter.hangs_on("amenity") && filter.hangs_on("shop"));
        assert!(!filter.hangs_on("disused") && !filter.hangs_on("building"));
        assert_eq!(filter.head_tags(), Some(vec![("amenity", Some(vec!["cafe"])), ("shop", None)]));
        let several = Filter::parse(&["not e and a,b=c,d", "f!=g", "h=i*"]).expect("a filter");
        let one_of = Some(vec!["c", "d"]);
        assert_eq!(several.head_tags(), Some(vec![("a", one_of.clone()), ("b", one_of), ("f", None), ("h", None)]));
        assert_eq!(Filter::parse(&["socket:*"]).expect("a filter").head_tags(), None);
    }
}
