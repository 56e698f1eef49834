//! Area rules: which closed ways enclose something, and which are lines that end where they began.
//!
//! - `area=yes` makes an area and `area=no` a line, whatever else the way says.
//! - Else it is an area when its tags fit a line of `area`; and a line, too or instead, when they fit one of `line`
//!   or none of `area`.
//!
//! Source: the same rules as `area_tags` and `linear_tags` of `osmium export`.

use serde::Deserialize;

use super::{Filter, FilterError, ObjectKind, TagSet};

/// Which closed ways are areas.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaRules {
    area: Option<Filter>,
    line: Option<Filter>,
    lines: (Vec<String>, Vec<String>),
}

/// What a closed way is; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedWay {
    /// It is an area.
    pub area: bool,
    /// It is a line.
    pub line: bool,
}

/// Why area rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum AreaRulesError {
    #[error("{0}")]
    Syntax(String),
    #[error(transparent)]
    Filter(#[from] FilterError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    area: Vec<String>,
    #[serde(default)]
    line: Vec<String>,
}

impl AreaRules {
    /// Reads a rule file.
    ///
    /// # Errors
    ///
    /// When it is no TOML with the lists `area` and `line`, or an expression in them cannot be understood.
    pub fn parse(text: &str) -> Result<Self, AreaRulesError> {
        let file: RulesFile = toml::from_str(text).map_err(|error| AreaRulesError::Syntax(error.to_string()))?;
        let filter = |lines: &[String]| match lines {
            [] => Ok(None),
            lines => Filter::parse(lines).map(Some),
        };
        Ok(Self { area: filter(&file.area)?, line: filter(&file.line)?, lines: (file.area, file.line) })
    }

    /// What a closed way with these tags is.
    pub fn judge(&self, tags: &(impl TagSet + ?Sized)) -> ClosedWay {
        match tags.value_of("area") {
            Some("yes") => ClosedWay { area: true, line: false },
            Some("no") => ClosedWay { area: false, line: true },
            _ => {
                let fits = |filter: &Option<Filter>| filter.as_ref().is_some_and(|f| f.matches(ObjectKind::Way, tags));
                let area = fits(&self.area);
                ClosedWay { area, line: !area || fits(&self.line) }
            }
        }
    }

    /// The expressions of `area` and of `line`, as written.
    #[must_use]
    pub fn expressions(&self) -> (&[String], &[String]) {
        (&self.lines.0, &self.lines.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Tags;

    #[test]
    fn closed_ways_are_areas_by_their_tags() {
        let rules =
            AreaRules::parse("area = [\"building!=no\", \"barrier=hedge\"]\nline = [\"barrier\"]").expect("rules");
        let cases = [
            ("building=yes", true, false),
            ("building=no", false, true),
            ("highway=service", false, true),
            ("highway=service area=yes", true, false),
            ("building=yes area=no", false, true),
            ("building=yes area=perhaps", true, false),
            ("barrier=hedge", true, true),
            ("barrier=hedge area=yes", true, false),
            ("barrier=wall", false, true),
        ];
        for (text, area, line) in cases {
            let tags: Tags = text.split(' ').filter_map(|pair| pair.split_once('=')).collect();
            assert_eq!(rules.judge(&tags), ClosedWay { area, line }, "{text}");
        }
    }

    #[test]
    fn rules_that_say_nothing_are_refused() {
        for text in ["", "area = 5", "area = [\"=\"]", "areas = []"] {
            assert!(AreaRules::parse(text).is_err(), "{text:?}");
        }
        let lines_only = AreaRules::parse("area = []").expect("rules");
        assert_eq!(lines_only.judge(&Tags::default()), ClosedWay { area: false, line: true });
    }
}
