//! Contacts: how to reach a place.

use super::text::tidy;
use super::{Context, Draft, Dropped};

/// Takes phone, website and e-mail.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let phone = first_of_list(&mut draft, &["phone", "contact:phone", "contact:mobile"], phone);
    let website = first_of_list(&mut draft, &["website", "contact:website", "url"], website);
    let email = first_of_list(&mut draft, &["email", "contact:email"], email);
    let attributes = &mut draft.record.attributes;
    (attributes.phone, attributes.website, attributes.email) = (phone, website, email);
    Ok(draft)
}

/// The first value of a list `a; b`. A list of several stays in the tags, because the column holds one.
fn first_of_list(draft: &mut Draft, keys: &[&str], read: fn(&str) -> Option<String>) -> Option<String> {
    if let Some(only) = draft.take_read(keys, |value| if value.contains(';') { None } else { read(value) }) {
        return Some(only);
    }
    keys.iter().find_map(|key| draft.record.attributes.tags.get(key)?.split(';').find_map(read))
}

fn phone(text: &str) -> Option<String> {
    tidy(text).filter(|text| text.bytes().filter(u8::is_ascii_digit).count() >= 3)
}

/// A web address; one without a scheme gets `https://`.
fn website(text: &str) -> Option<String> {
    let text = tidy(text).filter(|text| !text.contains(' '))?;
    let lower = text.to_ascii_lowercase();
    let bare = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = bare.unwrap_or(&lower).split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_host = host.split('.').count() >= 2
        && host.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
        && host
            .rsplit('.')
            .next()
            .is_some_and(|top| top.chars().count() >= 2 && !top.starts_with(|c: char| c.is_numeric()));
    match (is_host, bare) {
        (false, _) => None,
        (true, Some(_)) => Some(text),
        (true, None) => Some(format!("https://{text}")),
    }
}

fn email(text: &str) -> Option<String> {
    let text = tidy(text)?;
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let (user, host) = text.split_once('@')?;
    (!user.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(' ')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn websites_look_like_one() {
        let cases = [
            ("https://www.lkw.li/a?b=c", Some("https://www.lkw.li/a?b=c")),
            ("www.lkw.li", Some("https://www.lkw.li")),
            ("lkw.li/e-mobil", Some("https://lkw.li/e-mobil")),
            ("HTTP://Müller.de", Some("HTTP://Müller.de")),
            ("http://localhost", None),
            ("see door", None),
            ("info@lkw.li", None),
            ("24.12", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(website(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_first_of_a_list_fills_the_column_and_the_list_stays() {
        let record =
            step_on(step, "contact:phone=+423 1; +423 555 55 55|email=mailto:a@b.li|url=https://a.li; https://b.li");
        let attributes = record.attributes;
        assert_eq!(attributes.phone.as_deref(), Some("+423 1"));
        assert_eq!(attributes.email.as_deref(), Some("a@b.li"));
        assert_eq!(attributes.website.as_deref(), Some("https://a.li"));
        assert_eq!(
            attributes.tags.iter().collect::<Vec<_>>(),
            [("contact:phone", "+423 1; +423 555 55 55"), ("url", "https://a.li; https://b.li")]
        );
    }

    #[test]
    fn contacts_that_are_none_stay_tags() {
        let record = step_on(step, "phone=ask|email=nobody|website=none");
        assert_eq!((record.attributes.phone, record.attributes.email, record.attributes.website), (None, None, None));
        assert_eq!(record.attributes.tags.iter().count(), 3);
    }
}
