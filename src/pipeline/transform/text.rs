//! Text as people type it: blanks, control characters, and words that stand for nothing.

/// What people and forms write where there is no name, folded to lower case.
/// From the most frequent such values in OSM and Open Charge Map.
const PLACEHOLDERS: [&str; 21] = [
    "unknown",
    "n/a",
    "n.a.",
    "none",
    "null",
    "yes",
    "no",
    "no name",
    "noname",
    "no-name",
    "unnamed",
    "without name",
    "untitled",
    "undefined",
    "fixme",
    "todo",
    "tbd",
    "unbekannt",
    "ohne name",
    "sans nom",
    "sin nombre",
];

/// The text without blanks around it, with single blanks inside and no control characters.
///
/// `None` when nothing is left.
pub(super) fn tidy(text: &str) -> Option<String> {
    let mut tidied = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !tidied.is_empty() {
            tidied.push(' ');
        }
        tidied.push_str(word);
    }
    (!tidied.is_empty()).then_some(tidied)
}

/// A tidy name, or `None` for a placeholder such as `-`, `n/a` or `unknown`.
pub(super) fn name(text: &str) -> Option<String> {
    let name = tidy(text)?;
    let says_nothing = name.chars().all(|c| c.is_ascii_punctuation() || c == ' ' || c == '–' || c == '—');
    (!says_nothing && !PLACEHOLDERS.contains(&name.to_lowercase().as_str())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidy_or_missing() {
        let cases = [
            ("  Café \u{a0} Müller\t", Some("Café Müller")),
            ("Bar\r\nCentral", Some("Bar Central")),
            ("A\0B", Some("A B")),
            ("No. 5", Some("No. 5")),
            ("24/7", Some("24/7")),
            ("-", None),
            (" ?? ", None),
            ("—", None),
            ("N/A", None),
            ("Unknown", None),
            ("no name", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(name(text).as_deref(), expected, "{text:?}");
        }
    }
}
