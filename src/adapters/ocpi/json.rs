//! A location as JSON: tidied into one form, and read leniently, because feeds quote numbers, number texts and rename keys.

use serde_json::{Map, Value};

use crate::domain::{Finding, FindingRule, Timestamp};

/// One form for every spelling: keys in `snake_case`, nulls left out.
///
/// Where a key is written in two ways, the later in the order of bytes counts, which is the one in `snake_case`.
pub(super) fn tidy(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let stated = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(stated.map(|(key, value)| (snake_case(&key), tidy(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        plain => plain,
    }
}

/// `lastUpdated`, `LastUpdated` and `LAST_UPDATED` as `last_updated`; `evseID` as `evse_id`.
fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    let mut before = '_';
    for c in key.chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        before = c;
    }
    if snake == "twenty_four_seven" { "twentyfourseven".to_owned() } else { snake }
}

/// The fields of an object, or of nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    /// The fields of `value`; none where it is not an object.
    pub(super) fn of(value: &'a Value) -> Self {
        Self(value.as_object())
    }

    /// What a field holds.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.0?.get(key)
    }

    /// Whether there is a field of this name.
    pub(super) fn has(self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// An object within; without fields where there is none.
    pub(super) fn object(self, key: &str) -> Fields<'a> {
        Fields(self.get(key).and_then(Value::as_object))
    }

    /// The objects of a list within.
    pub(super) fn objects(self, key: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        self.list(key).iter().filter_map(Value::as_object).map(|fields| Fields(Some(fields)))
    }

    /// A list within; empty where there is none.
    pub(super) fn list(self, key: &str) -> &'a [Value] {
        self.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A text in one line, blanks squeezed; a number counts as its digits. `None` when nothing is left.
    pub(super) fn text(self, key: &str) -> Option<String> {
        text(self.get(key)?)
    }

    /// A word of an enumeration, as OCPI spells it: capitals, with `_` for blanks and hyphens.
    pub(super) fn word(self, key: &str) -> Option<String> {
        self.text(key).map(|text| word(&text))
    }

    /// The words of a list; a list that is one text counts as one word.
    pub(super) fn words(self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Value::Array(items)) => items.iter().filter_map(text).map(|text| word(&text)).collect(),
            Some(one) => text(one).iter().map(|text| word(text)).collect(),
            None => Vec::new(),
        }
    }

    /// A number; a text counts if it is one, also with a decimal comma. What is none is a finding.
    pub(super) fn number(self, key: &'static str, findings: &mut Vec<Finding>) -> Option<f64> {
        let value = self.get(key)?;
        let number = number(value);
        if number.is_none() && text(value).is_some() {
            findings.push(unreadable(key, value));
        }
        number
    }

    /// A truth value; a text counts if it is one.
    pub(super) fn flag(self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) if number.as_i64() == Some(1) => Some(true),
            Value::Number(number) if number.as_i64() == Some(0) => Some(false),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "1" => Some(true),
                "false" | "no" | "n" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// An instant, in UTC where no offset is stated, as OCPI asks for. Year 1 is how some write "never". What is none is a
    /// finding.
    pub(super) fn time(self, key: &'static str, findings: &mut Vec<Finding>) -> Option<Timestamp> {
        let value = self.get(key)?;
        let stated = text(value)?;
        let Some(time) = time(&stated) else {
            findings.push(unreadable(key, value));
            return None;
        };
        (time.to_zoned(jiff::tz::TimeZone::UTC).year() > 1).then_some(time)
    }
}

/// A finding about a value that is not of its field's kind.
pub(super) fn unreadable(field: &'static str, value: &Value) -> Finding {
    Finding::dropped(FindingRule::UnreadableValue, field, text(value).unwrap_or_else(|| value.to_string()))
}

/// The text of a text or number, in one line.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A finite number, or a text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().replace(',', ".").parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn word(text: &str) -> String {
    text.to_uppercase().replace([' ', '-'], "_")
}

/// An instant with an offset, or a date and time that is UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse::<Timestamp>().ok().or_else(|| Some(local()?.timestamp()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_of_a_key_is_tidied_into_one() {
        let cases = [
            ("postalCode", "postal_code"),
            ("postal_code", "postal_code"),
            ("PostalCode", "postal_code"),
            ("POSTAL_CODE", "postal_code"),
            ("evseId", "evse_id"),
            ("evseID", "evse_id"),
            ("evses", "evses"),
            ("twentyFourSeven", "twentyfourseven"),
            ("twentyfourseven", "twentyfourseven"),
            ("maxElectricPower", "max_electric_power"),
            ("uid", "uid"),
            ("", ""),
        ];
        for (key, expected) in cases {
            assert_eq!(snake_case(key), expected, "{key}");
        }
        let both = json!({"evseId": "camel", "evse_id": "snake", "postal_code": null, "postalCode": "1", "list": [{"aB": null}]});
        assert_eq!(tidy(both), json!({"evse_id": "snake", "postal_code": "1", "list": [{}]}));
    }

    #[test]
    fn fields_of_another_type_are_read_as_far_as_they_go() {
        let value = json!({
            "id": 249, "name": "  Market \t Hall ", "blank": "  ", "word": "ac-3 phase", "volts": "230", "comma": "54,9",
            "power": "fast", "nothing": "", "infinite": "inf", "yes": "TRUE", "words": ["rfid_reader", 5, null], "one": "rfid reader",
            "list": [1, {"id": 2}, null],
        });
        let fields = Fields::of(&value);
        assert_eq!(fields.text("id").as_deref(), Some("249"));
        assert_eq!(fields.text("name").as_deref(), Some("Market Hall"));
        assert_eq!(fields.text("blank"), None);
        assert_eq!(fields.word("word").as_deref(), Some("AC_3_PHASE"));
        assert_eq!(fields.words("words"), ["RFID_READER", "5"]);
        assert_eq!(fields.words("one"), ["RFID_READER"]);
        assert_eq!(fields.words("none"), [""; 0]);
        assert_eq!((fields.flag("yes"), fields.flag("one"), fields.flag("none")), (Some(true), None, None));
        assert_eq!((fields.objects("list").count(), fields.list("list").len(), fields.list("id").len()), (1, 3, 0));
        assert!(fields.has("list") && !fields.has("none") && !fields.object("id").has("id"));

        let mut findings = Vec::new();
        assert_eq!(fields.number("volts", &mut findings), Some(230.0));
        assert_eq!(fields.number("comma", &mut findings), Some(54.9));
        assert_eq!(fields.number("nothing", &mut findings), None);
        assert_eq!(fields.number("none", &mut findings), None);
        assert_eq!(findings, []);
        assert_eq!(fields.number("power", &mut findings), None);
        assert_eq!(fields.number("infinite", &mut findings), None);
        let expected = [("power", "fast"), ("infinite", "inf")];
        assert_eq!(findings, expected.map(|(field, text)| Finding::dropped(FindingRule::UnreadableValue, field, text)));
    }

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        let cases = [
            (json!("2019-04-29T11:40:52Z"), Some("2019-04-29T11:40:52Z"), 0),
            (json!("2025-03-13T06:59:09"), Some("2025-03-13T06:59:09Z"), 0),
            (json!("2025-06-21T11:20:36.504571"), Some("2025-06-21T11:20:36.504571Z"), 0),
            (json!("2025-03-12 10:54:38"), Some("2025-03-12T10:54:38Z"), 0),
            (json!("2025-03-12 10:54:38Z"), Some("2025-03-12T10:54:38Z"), 0),
            (json!("2025-03-12T12:54:38+02:00"), Some("2025-03-12T10:54:38Z"), 0),
            (json!("0001-01-01T00:00:00Z"), None, 0),
            (json!("yesterday"), None, 1),
            (json!(""), None, 0),
            (json!(1_741_776_878), None, 1),
            (json!({}), None, 0),
        ];
        for (value, expected, found) in cases {
            let record = json!({ "last_updated": value });
            let mut findings = Vec::new();
            let time = Fields::of(&record).time("last_updated", &mut findings);
            assert_eq!(time.map(|t| t.to_string()).as_deref(), expected, "{value}");
            assert_eq!(findings.len(), found, "{value}");
        }
    }
}
