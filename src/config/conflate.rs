//! Conflation: what the `[conflate]` table comes to, but for the decisions.

use serde_json::{Value, json};
use toml::Spanned;

use super::file::{ConfigError, ConflateTable, Text};
use crate::domain::Licenses;
use crate::pipeline::conflate::{Attribute, Merge, Merging, Models, Rule, Survivorship};

/// The key that stands for every attribute without one of its own.
const DEFAULT: &str = "default";

/// What the parts of a place may be that another is taken for.
const PART_OF: [(&str, Attribute); 7] = [
    ("operator_wikidata", Attribute::Operator),
    ("max_power_kw", Attribute::Connectors),
    ("footprint", Attribute::Position),
    ("geometry", Attribute::Position),
    ("street", Attribute::Address),
    ("postcode", Attribute::Address),
    ("locality", Attribute::Address),
];

/// The models with the pipeline file's own thresholds.
pub(super) fn with_scores(text: &Text<'_>, table: &ConflateTable, mut models: Models) -> Result<Models, ConfigError> {
    let share = |key: &str, value: &Option<Spanned<f64>>| match value {
        Some(value) if !(0.0..=1.0).contains(value.as_ref()) => {
            Err(text.error(key, value.span().start, format!("{} is not between 0 and 1", value.as_ref())))
        }
        value => Ok(value.as_ref().map(|value| *value.as_ref())),
    };
    let match_score = share("conflate.match_score", &table.match_score)?;
    let review_score = share("conflate.review_score", &table.review_score)?;
    for model in [&mut models.charging, &mut models.places] {
        model.match_score = match_score.unwrap_or(model.match_score);
        model.review_score = review_score.unwrap_or(model.review_score.min(model.match_score));
        if model.review_score > model.match_score {
            let at = table.review_score.as_ref().map_or(0, |value| value.span().start);
            return Err(text.error("conflate.review_score", at, "it must not be above match_score"));
        }
    }
    Ok(models)
}

pub(super) fn merging(text: &Text<'_>, table: &ConflateTable) -> Result<Merging, ConfigError> {
    let merge = match &table.merge {
        None => Merge::Merged,
        Some(stated) => Merge::from_name(stated.as_ref()).ok_or_else(|| {
            let message = format!("`{}` is no kind of output; use {}", stated.as_ref(), names(Merge::ALL, Merge::name));
            text.error("conflate.merge", stated.span().start, message)
        })?,
    };
    let mut survivorship = Survivorship::default();
    // Before the others, wherever it is written.
    let rules = &table.survivorship;
    if let Some(stated) = rules.get(DEFAULT) {
        survivorship = Survivorship::with_default(rule(text, DEFAULT, stated)?);
    }
    for (name, stated) in rules.iter().filter(|(name, _)| *name != DEFAULT) {
        let attribute = attribute(text, name, stated)?;
        let rule = rule(text, name, stated)?;
        if rule == Rule::Complete && !attribute.can_say_more() {
            let message =
                format!("no value of `{name}` says more than another; use `priority`, `newest` or `agreement`");
            return Err(text.error(&key(name), stated.span().start, message));
        }
        survivorship = survivorship.with(attribute, rule);
    }
    Ok(Merging { merge, survivorship, licenses: Licenses::with_checked(&table.open_licenses) })
}

/// What the manifest tells of it.
pub(super) fn told(merging: &Merging) -> Value {
    let rules = Attribute::ALL
        .iter()
        .map(|attribute| (attribute.name().to_owned(), merging.survivorship.rule(*attribute).name().into()));
    json!({
        "merge": merging.merge.name(),
        "survivorship": rules.collect::<serde_json::Map<_, _>>(),
        "open_licenses": merging.licenses.checked().collect::<Vec<_>>(),
    })
}

fn key(name: &str) -> String {
    format!("conflate.survivorship.{name}")
}

fn rule(text: &Text<'_>, name: &str, stated: &Spanned<String>) -> Result<Rule, ConfigError> {
    Rule::from_name(stated.as_ref()).ok_or_else(|| {
        let message = format!("`{}` is no rule; use {}", stated.as_ref(), names(Rule::ALL, Rule::name));
        text.error(&key(name), stated.span().start, message)
    })
}

fn attribute(text: &Text<'_>, name: &str, stated: &Spanned<String>) -> Result<Attribute, ConfigError> {
    Attribute::from_name(name).ok_or_else(|| {
        let known = names(Attribute::ALL, Attribute::name);
        let part_of = PART_OF.iter().find(|(part, _)| *part == name).map(|(_, whole)| *whole);
        let nearest = || {
            let near = |attribute: &Attribute| strsim::jaro(name, attribute.name());
            Attribute::ALL.iter().copied().max_by(|a, b| near(a).total_cmp(&near(b)))
        };
        let message = match (part_of, nearest()) {
            (Some(whole), _) => format!("it goes with `{whole}`; give that its rule"),
            (None, _) if matches!(name, "names" | "tags" | "alternate_categories") => {
                format!("`{name}` are united, of the same key the first source's; they have no rule")
            }
            (None, Some(nearest)) => {
                format!("unknown attribute; did you mean `{nearest}`? Known here: `default`, {known}")
            }
            (None, None) => format!("unknown attribute; known here: `default`, {known}"),
        };
        text.error(&key(name), stated.span().start, message)
    })
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    all.iter().map(|one| format!("`{}`", name(*one))).collect::<Vec<_>>().join(", ")
}
