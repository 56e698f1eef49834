//! Addresses: what people are told of them, where they lead, and who is meant to see a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An address for people: without user, password and query, which may be secrets.
#[must_use]
pub fn address_told(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// Whether it is plain where user and host of an address end, so that no part of a password is taken for a host, sent to it
/// and shown: its port is a number, and no `@` is further behind.
#[must_use]
pub fn is_plain_address(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (host, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = behind.split_at(behind.find(['?', '#']).unwrap_or(behind.len()));
    let (has_user, host) = host.rsplit_once('@').map_or((false, host), |(_, host)| (true, host));
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
    port.is_none_or(|port| port.parse::<u16>().is_ok())
        && !path.contains('@')
        // A query may hold one where nothing before it can be a password.
        && (!query.contains('@') || (!has_user && port.is_none()))
}

/// What a server says, without what only it should know: the key or token that it was shown, plain and in base64, and the
/// user, the password and the values of the query in its address.
#[must_use]
pub fn without_secrets(text: &str, url: &str, secret: Option<&str>) -> String {
    let (bare, user) = without_user(url);
    let (_, query) = bare.split_once('?').unwrap_or_default();
    let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
    let password = user.as_deref().and_then(|user| user.split_once(':')).map(|(_, password)| password);
    let mut secrets: Vec<String> = Vec::new();
    for secret in secret.into_iter().chain(user.as_deref()) {
        let base64 = STANDARD.encode(secret);
        secrets.extend([secret.to_owned(), base64.trim_end_matches('=').to_owned(), base64]);
    }
    secrets.extend(password.map(str::to_owned));
    // What is shorter is no secret, and would be found in every other word.
    for value in values.filter(|value| value.len() >= 6) {
        secrets.extend([value.to_owned(), percent_decoded(value)]);
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(key)"))
}

/// An address without user and password, and these as they were written, `user:password`.
pub(super) fn without_user(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((user, host)) => (format!("{scheme}://{host}{path}"), Some(percent_decoded(user))),
        None => (url.to_owned(), None),
    }
}

/// Whether both addresses are of the same server, so that what one may know the other may. A server that asks for TLS on
/// its own usual port is the same.
#[must_use]
pub fn is_same_server(one: &str, other: &str) -> bool {
    match (server(one), server(other)) {
        (Some(one), Some(other)) => {
            one == other || (one.1 == other.1 && (one.0.as_str(), one.2) == ("http", 80) && other.2 == 443)
        }
        _ => false,
    }
}

/// Scheme, host and port.
fn server(url: &str) -> Option<(String, String, u16)> {
    let (bare, _) = without_user(url);
    let (scheme, rest) = bare.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    // A colon inside brackets belongs to an IPv6 address.
    let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    if let Some((name, port)) = port {
        return Some((scheme, name.to_owned(), port.parse().ok()?));
    }
    let port = if scheme == "https" { 443 } else { 80 };
    Some((scheme, host, port))
}

/// Where a reference leads that was found at `base` (RFC 3986, section 5.2).
#[must_use]
pub fn address_joined(base: &str, reference: &str) -> String {
    let reference = reference.trim();
    let has_scheme = reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let Some((scheme, rest)) = base.split_once("://").filter(|_| !has_scheme) else { return reference.to_owned() };
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    if reference.is_empty() || reference.starts_with('#') {
        return format!("{scheme}://{host}{path}{}", query.map_or(String::new(), |query| format!("?{query}")));
    }
    if reference.starts_with('?') {
        return format!("{scheme}://{host}{path}{reference}");
    }
    let (target, query) = reference.split_at(reference.find(['?', '#']).unwrap_or(reference.len()));
    let whole = match target.strip_prefix('/') {
        Some(_) => target.to_owned(),
        None => format!("{}/{target}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
    };
    format!("{scheme}://{host}{}{query}", without_dots(&whole))
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/').skip(1) {
        match step {
            "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        steps.push("");
    }
    format!("/{}", steps.join("/"))
}

/// The bytes that `%41` and the like stand for, where they are text.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(decoded) = digits.filter(|_| byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(decoded);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A value as it may stand in the query of an address.
#[must_use]
pub fn query_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_without_secrets() {
        let cases = [
            ("https://host/a/b", "https://host/a/b"),
            ("https://me:word@host:8/a@b?key=1", "https://host:8/a@b"),
            ("https://me:word@host?key=1", "https://host"),
            ("https://host", "https://host"),
            ("host?x", "host"),
        ];
        for (url, expected) in cases {
            assert_eq!(address_told(url), expected);
        }
    }

    #[test]
    fn user_and_password_are_taken_out_of_an_address() {
        let cases = [
            ("https://me:w%40rd@host:8/a@b?key=1", "https://host:8/a@b?key=1", Some("me:w@rd")),
            ("https://host?a=b@c", "https://host?a=b@c", None),
            ("nonsense", "nonsense", None),
        ];
        for (url, bare, user) in cases {
            assert_eq!(without_user(url), (bare.to_owned(), user.map(str::to_owned)));
        }
    }

    #[test]
    fn only_the_same_server_is_trusted_with_a_secret() {
        let cases = [
            ("https://host/a", "https://host/b?c", true),
            ("https://host", "https://HOST:443/b", true),
            ("http://host/a", "https://host/a", true),
            ("https://host/a", "http://host/a", false),
            ("http://host/a", "http://host:81/a", false),
            ("http://host:81/a", "https://host/a", false),
            ("https://host/a", "https://host.evil/a", false),
            ("https://host/a", "https://host@evil/a", false),
            ("http://[::1]/a", "http://[::1]:80/b", true),
            ("http://[::1]:8/a", "http://[::1]:9/b", false),
        ];
        for (one, other, expected) in cases {
            assert_eq!(is_same_server(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn references_lead_where_browsers_go() {
        let base = "https://host:8/a/b/c?d=1#e";
        let cases = [
            ("http://other/x", "http://other/x"),
            ("//other/x", "https://other/x"),
            ("/x?y", "https://host:8/x?y"),
            ("x", "https://host:8/a/b/x"),
            ("./x", "https://host:8/a/b/x"),
            ("../x?at=12:30", "https://host:8/a/x?at=12:30"),
            ("../../../..", "https://host:8/"),
            ("?page=2", "https://host:8/a/b/c?page=2"),
            ("", "https://host:8/a/b/c?d=1"),
        ];
        for (reference, expected) in cases {
            assert_eq!(address_joined(base, reference), expected, "{reference}");
        }
        assert_eq!(address_joined("http://host", "x"), "http://host/x");
    }

    #[test]
    fn a_password_that_looks_like_a_host_or_path_is_found_out() {
        for plain in [
            "https://h/a",
            "https://h:8/a?b=c@d#e",
            "http://u:p%2F@h:8/a",
            "http://[::1]/a",
            "http://[::1]:8",
            "http://h?a@b",
        ] {
            assert_eq!(is_plain_address(plain), !plain.contains(":8/a?b=c@d"), "{plain}");
        }
        for odd in [
            "https://u:p/w@h/a",
            "https://u:p?w@h/a",
            "https://u:p#w@h/a",
            "https://u:1/w@h/a",
            "https://u:1?w@h",
            "https://u/w@h",
            "https://u:p@w/x@h/a",
            "https://u:p@w?x@h/a",
            "https://h:port/a",
            "h/a",
        ] {
            assert!(!is_plain_address(odd), "{odd}");
        }
    }

    #[test]
    fn what_a_server_repeats_of_our_secrets_is_not_told() {
        let url = "https://me:pass%2Fword@h/v3?key=abcdef%3D&page=2";
        let text = "no t0ken dDBrZW4= dDBrZW4; me:pass/word pass/word; key=abcdef= abcdef%3D; page 2 of 2";
        assert_eq!(
            without_secrets(text, url, Some("t0ken")),
            "no (key) (key) (key); (key) (key); key=(key) (key); page 2 of 2"
        );
        assert_eq!(without_secrets(text, "http://h/", None), text);
    }

    #[test]
    fn what_a_query_cannot_carry_is_encoded() {
        assert_eq!(query_encoded("(47.5,-9),(48,10) & ü+T12:00"), "(47.5,-9),(48,10)%20%26%20%C3%BC%2BT12:00");
    }
}
