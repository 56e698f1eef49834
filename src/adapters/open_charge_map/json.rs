//! A record as JSON: tidied into one form, and read leniently, because every field may be missing or of another type.

use serde_json::{Map, Value};

use crate::domain::Timestamp;

/// Fields that are computed when a dump is written, that belong to people, or that repeat others.
const DROPPED: [&str; 12] = [
    "DateLastImported",
    "DateLastVerified",
    "Distance",
    "DistanceUnit",
    "IsRecentlyVerified",
    "LevelOfDetail",
    "MediaItems",
    "PercentageSimilarity",
    "SpatialPosition",
    "UserComments",
    "_id",
    "__v",
];

/// One form for every shape: keys in `PascalCase`, extended JSON unwrapped, nulls and [`DROPPED`] fields left out.
///
/// The key of an object in camel case differs only in its first letter, but for three.
pub(super) fn tidy(value: Value) -> Value {
    match value {
        Value::Object(mut fields) if fields.len() == 1 => match unwrapped(&mut fields) {
            Some(plain) => plain,
            None => Value::Object(tidy_fields(fields)),
        },
        Value::Object(fields) => Value::Object(tidy_fields(fields)),
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        plain => plain,
    }
}

fn tidy_fields(fields: Map<String, Value>) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(key, value)| (pascal_case(key), value))
        .filter(|(key, value)| !value.is_null() && !DROPPED.contains(&key.as_str()))
        .map(|(key, value)| (key, tidy(value)))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// The plain value of mongoexport's extended JSON, version 1 or 2, e.g. of `{"$date": …}`.
fn unwrapped(fields: &mut Map<String, Value>) -> Option<Value> {
    let (key, value) = fields.iter_mut().next()?;
    match key.as_str() {
        "$date" => match tidy(value.take()) {
            Value::Number(ms) => Some(Timestamp::from_millisecond(ms.as_i64()?).ok()?.to_string().into()),
            text => Some(text),
        },
        "$numberInt" | "$numberLong" | "$numberDouble" | "$numberDecimal" => {
            let text = value.as_str()?;
            let number = text.parse::<i64>().map(Value::from);
            Some(number.or_else(|_| text.parse::<f64>().map(Value::from)).unwrap_or(Value::Null))
        }
        "$oid" => Some(value.take()),
        _ => None,
    }
}

fn pascal_case(mut key: String) -> String {
    match key.as_str() {
        "id" => "ID".to_owned(),
        "uuid" => "UUID".to_owned(),
        "isoCode" => "ISOCode".to_owned(),
        _ => {
            if let Some(first) = key.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            key
        }
    }
}

/// The fields of an object, or of nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    /// The fields of `value`; none where it is not an object.
    pub(super) fn of(value: &'a Value) -> Self {
        Self(value.as_object())
    }

    fn get(self, key: &str) -> Option<&'a Value> {
        self.0?.get(key)
    }

    /// Whether there is no object, or nothing in it.
    pub(super) fn is_empty(self) -> bool {
        self.0.is_none_or(Map::is_empty)
    }

    /// An object within; without fields where there is none.
    pub(super) fn object(self, key: &str) -> Fields<'a> {
        Fields(self.get(key).and_then(Value::as_object))
    }

    /// The objects of a list within.
    pub(super) fn objects(self, key: &str) -> impl Iterator<Item = Fields<'a>> {
        self.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .map(|fields| Fields(Some(fields)))
    }

    /// Whether there is a list of this name.
    pub(super) fn has_list(self, key: &str) -> bool {
        self.get(key).is_some_and(Value::is_array)
    }

    /// A text, trimmed; a number counts as its digits. `None` when nothing is left.
    pub(super) fn text(self, key: &str) -> Option<String> {
        let text = match self.get(key)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A finite number; a text counts if it is one, also with a decimal comma.
    pub(super) fn number(self, key: &str) -> Option<f64> {
        let number = match self.get(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().replace(',', ".").parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }

    /// A whole number; a text counts if it is one.
    pub(super) fn integer(self, key: &str) -> Option<i64> {
        if let Some(integer) = self.get(key)?.as_i64() {
            return Some(integer);
        }
        // Beyond 2⁵³ a float no longer stands for one integer.
        let number = self.number(key).filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0)?;
        Some(number as i64)
    }

    /// A truth value.
    pub(super) fn flag(self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// The id of a reference: the number itself (`StatusTypeID`), else the `ID` of the nested object (`StatusType`).
    pub(super) fn reference(self, id_key: &str, object_key: &str) -> Option<i64> {
        self.integer(id_key).or_else(|| self.object(object_key).integer("ID"))
    }

    /// An instant; UTC where no offset is stated. Year 1 is how the source writes "not set".
    pub(super) fn time(self, key: &str) -> Option<Timestamp> {
        let Value::String(text) = self.get(key)? else { return None };
        let text = text.trim();
        let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
        let time = text.parse::<Timestamp>().ok().or_else(|| Some(local()?.timestamp()))?;
        (time.to_zoned(jiff::tz::TimeZone::UTC).year() > 1).then_some(time)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_is_tidied_into_one_form() {
        let tidy_record = json!({
            "AddressInfo": {"Country": {"ISOCode": "LI"}, "Latitude": 47.1},
            "Connections": [{"ID": 3, "PowerKW": 22.0}],
            "DateCreated": "2020-04-06T04:07:40Z",
            "ID": 7,
            "UUID": "x",
        });
        let shapes = [
            json!({"IsRecentlyVerified": true, "ID": 7, "UUID": "x", "UserComments": [{"UserName": "u"}], "DateCreated": "2020-04-06T04:07:40Z",
                "AddressInfo": {"Country": {"ISOCode": "LI", "Title": null}, "Latitude": 47.1, "Distance": 3.0, "DistanceUnit": 2},
                "Connections": [{"ID": 3, "PowerKW": 22.0, "Level": null}]}),
            json!({"id": 7, "uuid": "x", "isRecentlyVerified": false, "dateCreated": "2020-04-06T04:07:40Z", "mediaItems": null,
                "addressInfo": {"country": {"isoCode": "LI"}, "latitude": 47.1},
                "connections": [{"id": 3, "powerKW": 22.0}]}),
            json!({"_id": {"$oid": "a"}, "ID": {"$numberInt": "7"}, "UUID": "x", "DateCreated": {"$date": {"$numberLong": "1586146060000"}},
                "AddressInfo": {"Country": {"ISOCode": "LI"}, "Latitude": {"$numberDouble": "47.1"}},
                "Connections": [{"ID": 3, "PowerKW": {"$numberDouble": "22.0"}}], "SpatialPosition": {"type": "Point"}}),
        ];
        for shape in shapes {
            assert_eq!(tidy(shape), tidy_record);
        }
    }

    #[test]
    fn fields_of_another_type_are_read_as_far_as_they_go() {
        let value = json!({
            "number": "47,5", "word": "abc", "integer": 5.0, "digits": " 12 ", "half": 1.5, "blank": "  ", "list": [1, {"ID": 2}, null],
            "huge": 1e300, "infinite": "inf"
        });
        let fields = Fields::of(&value);
        assert_eq!(fields.number("number"), Some(47.5));
        assert_eq!(fields.number("word"), None);
        assert_eq!(fields.number("infinite"), None);
        assert_eq!(fields.integer("integer"), Some(5));
        assert_eq!(fields.integer("digits"), Some(12));
        assert_eq!(fields.integer("half"), None);
        assert_eq!(fields.integer("huge"), None);
        assert_eq!(fields.text("integer"), Some("5.0".to_owned()));
        assert_eq!(fields.text("blank"), None);
        assert_eq!(fields.objects("list").count(), 1);
        assert_eq!(fields.objects("word").count(), 0);
        assert!(fields.object("number").is_empty());
    }

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        let cases = [
            (json!("2019-08-28T19:49:00Z"), Some("2019-08-28T19:49:00Z")),
            (json!("2026-03-27T17:55:44.1Z"), Some("2026-03-27T17:55:44.1Z")),
            (json!("2019-08-28T19:49:00"), Some("2019-08-28T19:49:00Z")),
            (json!("2019-08-28T21:49:00+02:00"), Some("2019-08-28T19:49:00Z")),
            (json!("2019-08-28"), Some("2019-08-28T00:00:00Z")),
            (json!("0001-01-01T00:00:00"), None),
            (json!("yesterday"), None),
            (json!(5), None),
        ];
        for (value, expected) in cases {
            let record = json!({ "T": value });
            assert_eq!(Fields::of(&record).time("T").map(|t| t.to_string()).as_deref(), expected, "{value}");
        }
    }
}
