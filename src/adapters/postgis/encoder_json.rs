//! JSON as PostgreSQL takes it: jsonb refuses the escape of U+0000 and of half a surrogate pair.

use std::borrow::Cow;

/// What stands for a character that cannot be held.
const REPLACEMENT: &str = "\\ufffd";

/// JSON text that jsonb takes, with the number of escapes that were replaced.
pub(super) fn postgres_json(json: &str) -> (Cow<'_, str>, u64) {
    if !json.contains("\\u") {
        return (Cow::Borrowed(json), 0);
    }
    let mut kept = String::with_capacity(json.len());
    let mut replaced = 0;
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, ok) = match escaped_unit(rest) {
            Some(0 | 0xdc00..=0xdfff) => (6, false),
            Some(0xd800..=0xdbff) => match escaped_unit(&rest[6..]) {
                Some(0xdc00..=0xdfff) => (12, true),
                _ => (6, false),
            },
            Some(_) => (6, true),
            // Backslash and one more character, whatever its length.
            None => (1 + rest[1..].chars().next().map_or(0, char::len_utf8), true),
        };
        kept.push_str(if ok { &rest[..escape] } else { REPLACEMENT });
        replaced += u64::from(!ok);
        rest = &rest[escape..];
    }
    kept.push_str(rest);
    (Cow::Owned(kept), replaced)
}

/// The UTF-16 unit of a `\uXXXX` at the start of `text`.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_that_jsonb_refuses_are_replaced() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#, 0),
            (r#""\u00e9\n\\u0000""#, r#""\u00e9\n\\u0000""#, 0),
            (r#""x\u0000y""#, r#""x\ufffdy""#, 1),
            (r#""\\\u0000""#, r#""\\\ufffd""#, 1),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, 0),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#, 1),
            (r#""\ud83d""#, r#""\ufffd""#, 1),
            (r#""\uDE00\uD83D""#, r#""\ufffd\ufffd""#, 2),
            (r#""\u12"#, r#""\u12"#, 0),
            ("\"\\u00é", "\"\\u00é", 0),
        ];
        for (json, expected, replaced) in cases {
            assert_eq!(postgres_json(json), (Cow::Borrowed(expected), replaced), "{json}");
        }
    }
}
