//! Envelope: what an OCPI answer says of itself around its locations.

use std::io::BufRead;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::json::{Fields, time};
use crate::domain::Timestamp;

/// Status codes from here on say that there is no answer: 2xxx blames the client, 3xxx the server, 4xxx a hub.
const ERRORS_FROM: i64 = 2000;

/// An answer's own account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// When the server answered.
    pub(super) timestamp: Option<Timestamp>,
    /// What went wrong, if anything: its code and a sentence.
    pub(super) refusal: Option<(i64, String)>,
}

/// The members beside `data`, in both spellings.
#[derive(Debug, Deserialize)]
struct Members {
    timestamp: Option<serde_json::Value>,
    #[serde(alias = "statusCode")]
    status_code: Option<serde_json::Value>,
    #[serde(alias = "statusMessage")]
    status_message: Option<serde_json::Value>,
    #[expect(dead_code, reason = "named so that it is passed over and not kept")]
    data: Option<IgnoredAny>,
}

impl Envelope {
    /// Reads what stands around the locations, without keeping them. Nothing where the whole is no sound JSON.
    pub(super) fn around(reader: impl BufRead) -> Self {
        let Ok(members) = serde_json::from_reader::<_, Members>(reader) else { return Self::default() };
        let members = [
            ("timestamp", members.timestamp),
            ("status_code", members.status_code),
            ("status_message", members.status_message),
        ];
        let members = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Self::of(Fields::of(&serde_json::Value::Object(members.collect())))
    }

    /// What a tidied answer says of itself.
    pub(super) fn of(answer: Fields<'_>) -> Self {
        let code = answer.text("status_code").and_then(|code| code.parse::<i64>().ok());
        let message = || answer.text("status_message").unwrap_or_else(|| "it does not say why".to_owned());
        Self {
            timestamp: answer.text("timestamp").as_deref().and_then(time),
            refusal: code.filter(|code| *code >= ERRORS_FROM).map(|code| (code, message())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_tells_its_time_and_what_went_wrong() {
        let at = |time: &str| Some(time.parse().unwrap());
        let cases = [
            (
                r#"{"data":[{"id":1},{}],"status_code":1000,"timestamp":"2019-09-11T10:52:05Z"}"#,
                at("2019-09-11T10:52:05Z"),
                None,
            ),
            (r#"{"timestamp":"2019-09-11 10:52:05","statusCode":"1000","data":[]}"#, at("2019-09-11T10:52:05Z"), None),
            (r#"{"status_code":2001,"status_message":"No token"}"#, None, Some((2001, "No token"))),
            (r#"{"statusCode":3000,"data":[]}"#, None, Some((3000, "it does not say why"))),
            (r#"{"data":[],"timestamp":"now"}"#, None, None),
            (r#"{"data":[{"id":1}"#, None, None),
            ("[]", None, None),
        ];
        for (text, timestamp, refusal) in cases {
            let refusal = refusal.map(|(code, message)| (code, message.to_owned()));
            assert_eq!(Envelope::around(text.as_bytes()), Envelope { timestamp, refusal }, "{text}");
        }
    }
}
