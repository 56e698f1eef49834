//! What `poimill fetch` is to do: the keys of a source that no run reads, and `[fetch]`.

use std::time::Duration;

use toml::Spanned;

use super::file::{ConfigError, FetchTable, FromEnv, SourceTable, Text};
use super::secret::Secret;
use crate::adapters::io::{ATTEMPTS, Algorithm, Checksum, FIRST_PAUSE, KEEP, is_plain_address};

/// Most records that an answer is asked for, where the file does not say.
const PAGE_SIZE: u64 = 1000;

/// Requests to an API in a second, where the file does not say: what Open Charge Map asks of its users is to be sparing.
const REQUESTS_PER_S: f64 = 1.0;

/// Every so many days everything is asked for, where the file does not say, to see what has gone.
const FULL_EVERY_DAYS: u64 = 7;

/// From where a source is fetched, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchSettings {
    /// Address of the file or of the API, which may hold a password.
    pub url: Option<Secret>,
    /// Whether the address is that of an API that is asked page by page.
    pub is_api: bool,
    /// The only country that is asked for.
    pub country: Option<String>,
    /// The key that says who asks Open Charge Map.
    pub api_key: Option<Secret>,
    /// The token that says who asks an OCPI server.
    pub token: Option<Secret>,
    /// How the token is written; `None`: found out.
    pub token_is_base64: Option<bool>,
    /// What is checked.
    pub checksum: Checksum,
    /// So many earlier versions are kept.
    pub archive: usize,
    /// Most records that an answer is asked for.
    pub page_size: u64,
    /// Least time between two requests to an API.
    pub pace: Duration,
    /// Every so many days everything is asked for.
    pub full_every_days: u64,
    /// What a person who fetches should know.
    pub notes: Vec<String>,
}

impl FetchSettings {
    /// Whether a fetch puts a file in the place of the input.
    #[must_use]
    pub fn brings_a_file(&self) -> bool {
        self.url.is_some() || self.is_api
    }
}

/// How often requests are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// So many requests at most.
    pub attempts: u32,
    /// The first pause between two.
    pub first_pause: Duration,
}

pub(super) fn retries(text: &Text<'_>, table: &FetchTable) -> Result<RetrySettings, ConfigError> {
    let attempts = match &table.attempts {
        None => ATTEMPTS,
        Some(stated) => match u32::try_from(*stated.as_ref()) {
            Ok(attempts @ 1..=100) => attempts,
            _ => return Err(text.error("fetch.attempts", stated.span().start, "it must be 1 to 100")),
        },
    };
    let first_pause = match &table.pause_ms {
        None => FIRST_PAUSE,
        Some(stated) if *stated.as_ref() <= 600_000 => Duration::from_millis(*stated.as_ref()),
        Some(stated) => return Err(text.error("fetch.pause_ms", stated.span().start, "it must be 0 to 600000")),
    };
    Ok(RetrySettings { attempts, first_pause })
}

/// The fetch keys of a source of this kind. `key` makes a key's path for messages.
pub(super) fn fetch_settings(
    text: &Text<'_>,
    table: &SourceTable,
    key: impl Fn(&str) -> String,
) -> Result<FetchSettings, ConfigError> {
    let kind = table.kind.as_ref().as_str();
    let of_kinds = |name: &str, at: Option<usize>, kinds: &[&str]| match at {
        Some(at) if !kinds.contains(&kind) => {
            Err(text.error(&key(name), at, format!("only a source of kind {} takes it", kinds.join(" or "))))
        }
        _ => Ok(()),
    };
    let (charge_map, apis) = (["open_charge_map"], ["open_charge_map", "ocpi"]);
    of_kinds("country", at(table.country.as_ref()), &charge_map)?;
    of_kinds("api_key", at(table.api_key.as_ref()), &charge_map)?;
    of_kinds("page_size", at(table.page_size.as_ref()), &apis)?;
    of_kinds("requests_per_s", at(table.requests_per_s.as_ref()), &apis)?;
    of_kinds("full_every_days", at(table.full_every_days.as_ref()), &charge_map)?;
    of_kinds("api", at(table.api.as_ref()), &apis)?;
    of_kinds("token", at(table.token.as_ref()), &["ocpi"])?;
    of_kinds("token_encoding", at(table.token_encoding.as_ref()), &["ocpi"])?;

    let mut notes = Vec::new();
    let mut value = |name: &str, value: &Option<Spanned<FromEnv>>| {
        let (unset, text) = match value.as_ref()?.as_ref() {
            FromEnv::Text(text) => (None, Some(text.clone())),
            FromEnv::Env(variable) => (Some(variable), std::env::var(variable).ok()),
        };
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if let (None, Some(variable)) = (&text, unset) {
            notes.push(format!("{variable} is not set, so `{name}` counts as left out"));
        }
        text.map(Secret::new)
    };
    let url = value("url", &table.url);
    let api_key = value("api_key", &table.api_key);
    let token = value("token", &table.token);
    if let Some(url) = &url {
        check_address(url.reveal())
            .map_err(|message| text.error(&key("url"), at(table.url.as_ref()).unwrap_or_default(), message))?;
    }
    let country = match &table.country {
        None => None,
        Some(stated)
            if stated.as_ref().len() == 2 && stated.as_ref().bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            Some(stated.as_ref().to_ascii_uppercase())
        }
        Some(stated) => {
            let message =
                format!("`{}` is no country; use the two letters of ISO 3166-1, e.g. \"LI\"", stated.as_ref());
            return Err(text.error(&key("country"), stated.span().start, message));
        }
    };
    let token_is_base64 = match table.token_encoding.as_ref().map(|stated| (stated.as_ref().as_str(), stated)) {
        None | Some(("auto", _)) => None,
        Some(("plain", _)) => Some(false),
        Some(("base64", _)) => Some(true),
        Some((other, stated)) => {
            let message =
                format!("`{other}` is no encoding; use auto, plain (OCPI 2.1.1, 2.2) or base64 (2.2.1 and later)");
            return Err(text.error(&key("token_encoding"), stated.span().start, message));
        }
    };
    let checksum = match table.checksum.as_ref().map(|stated| (stated.as_ref().as_str(), stated)) {
        None | Some(("auto", _)) => Checksum::IfOffered,
        Some(("none", _)) => Checksum::None,
        Some(("md5", _)) => Checksum::Beside(Algorithm::Md5),
        Some(("sha256", _)) => Checksum::Beside(Algorithm::Sha256),
        Some((at, stated)) if at.contains([':', '/', '@']) => {
            check_address(at).map_err(|message| text.error(&key("checksum"), stated.span().start, message))?;
            Checksum::At(at.to_owned())
        }
        Some((other, stated)) => {
            let message =
                format!("`{other}` is no checksum; use auto, none, md5, sha256, or the address of a file with one");
            return Err(text.error(&key("checksum"), stated.span().start, message));
        }
    };
    let page_size = match &table.page_size {
        None => PAGE_SIZE,
        Some(stated) if (1..=100_000).contains(stated.as_ref()) => *stated.as_ref(),
        Some(stated) => return Err(text.error(&key("page_size"), stated.span().start, "it must be 1 to 100000")),
    };
    let requests_per_s = match &table.requests_per_s {
        None => REQUESTS_PER_S,
        Some(stated) if (0.001..=10_000.0).contains(stated.as_ref()) => *stated.as_ref(),
        Some(stated) => {
            return Err(text.error(&key("requests_per_s"), stated.span().start, "it must be 0.001 to 10000"));
        }
    };
    let is_api = match &table.api {
        Some(stated) => *stated.as_ref(),
        None => match kind {
            "ocpi" => url.as_ref().is_some_and(|url| !names_a_file(url.reveal())),
            // The default address is the API's.
            "open_charge_map" => match &table.url {
                Some(_) => url.as_ref().is_some_and(|url| !names_a_file(url.reveal())),
                None => table.country.is_some() || table.api_key.is_some(),
            },
            _ => false,
        },
    };
    Ok(FetchSettings {
        url,
        is_api,
        country,
        api_key,
        token,
        token_is_base64,
        checksum,
        archive: table.archive.map_or(KEEP, |keep| keep as usize),
        page_size,
        pace: Duration::from_secs_f64(1.0 / requests_per_s),
        full_every_days: table.full_every_days.as_ref().map_or(FULL_EVERY_DAYS, |days| *days.as_ref()),
        notes,
    })
}

/// What is wrong with an address, without what may be secret in it.
pub(super) fn check_address(url: &str) -> Result<(), &'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if rest.is_none_or(str::is_empty) {
        return Err("it must begin with http:// or https://");
    }
    if !is_plain_address(url) {
        return Err(
            "it does not show where its host ends: a port must be a number, and `/`, `?`, `#` and `@` in a user, \
                    password or path must be written as %2F, %3F, %23 and %40",
        );
    }
    Ok(())
}

/// Whether an address ends like the name of a file, e.g. `poi.json.gz`; `2.2.1` is the version of an API.
fn names_a_file(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let Some((_, name)) = path.rsplit_once('/') else { return false };
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        (2..=8).contains(&ending.len())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// Where a value begins in the file.
fn at<T>(value: Option<&Spanned<T>>) -> Option<usize> {
    value.map(|value| value.span().start)
}

#[cfg(test)]
mod tests;
