//! Clean names: the name, and the names by language.

use super::text;
use super::{Context, Draft, Dropped};

/// Suffixes of `name:` that look like a language and are none.
const NOT_A_LANGUAGE: [&str; 2] = ["old", "alt"];

/// Takes `name` and every `name:<language>`; placeholders are dropped.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let attributes = &mut draft.record.attributes;
    attributes.name = attributes.tags.take("name").and_then(|name| text::name(&name));
    let mut names = Vec::new();
    attributes.tags.retain(|key, value| match key.strip_prefix("name:").filter(|suffix| is_language(suffix)) {
        Some(language) => {
            names.extend(text::name(value).map(|name| (language.to_owned(), name)));
            false
        }
        None => true,
    });
    attributes.names = names;
    Ok(draft)
}

/// Whether this is an ISO 639 code of two or three letters, perhaps with a script, country or variant: `de`, `zh-Hant`.
fn is_language(suffix: &str) -> bool {
    let (language, rest) = suffix.split_once('-').map_or((suffix, None), |(language, rest)| (language, Some(rest)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && rest.is_none_or(|rest| rest.len() >= 2 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        && !NOT_A_LANGUAGE.contains(&language)
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn languages_are_told_from_other_suffixes() {
        for language in ["de", "gsw", "zh-Hant", "sr-Latn", "be-tarask", "pt-BR"] {
            assert!(is_language(language), "{language}");
        }
        for other in ["etymology", "old", "left", "1", "DE", "de-", "", "prefix", "etymology:wikidata"] {
            assert!(!is_language(other), "{other}");
        }
    }

    #[test]
    fn names_are_sorted_by_language_and_placeholders_are_dropped() {
        let cases: [(&str, Option<&str>, &str, &str); 4] = [
            ("name= Rathaus  Ruggell", Some("Rathaus Ruggell"), "", ""),
            ("name:fr=Mairie|name:de=Rathaus|name=-", None, "de=Rathaus fr=Mairie", ""),
            (
                "name:etymology=Rat|name:old=Gemeinde|alt_name=G",
                None,
                "",
                "alt_name=G|name:etymology=Rat|name:old=Gemeinde",
            ),
            ("name:en=unknown", None, "", ""),
        ];
        for (tags, name, names, left) in cases {
            let attributes = step_on(step, tags).attributes;
            let listed: Vec<String> = attributes.names.iter().map(|(l, n)| format!("{l}={n}")).collect();
            let rest: Vec<String> = attributes.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
            assert_eq!((attributes.name.as_deref(), listed.join(" ")), (name, names.to_owned()), "{tags}");
            assert_eq!(rest.join("|"), left, "{tags}");
        }
    }
}
