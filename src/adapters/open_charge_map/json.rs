//! Fields of a record, read leniently: every field may be missing or of another type.
//!
//! A value of another type counts where it means the same (`"47.1"` for `47.1`). Where it does not, the value is missing and
//! a finding says which field holds what.

use std::borrow::Cow;

use super::scan::{Kind, Node};
use super::text;
use crate::domain::{Finding, FindingRule, Timestamp};

/// Longest text of a value that a finding repeats, in characters.
const TOLD_CHARS: usize = 200;

/// The fields of an object, or of nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a str,
    nodes: &'a [Node],
    /// The object's node; `None` where there is no object.
    at: Option<usize>,
    /// Where the value of a key stands, behind the object's node: 0 for nowhere, [`SEVERAL`] where keys share a place.
    index: [u16; PLACES],
}

/// Places of an index; a record has up to 40 keys.
const PLACES: usize = 64;

/// More than one key, or one too far away: look at all.
const SEVERAL: u16 = u16::MAX;

/// The place of a key in an index, the same in every case.
fn place(key: &str) -> usize {
    let bytes = key.as_bytes();
    let at = |at: usize| bytes.get(at).map_or(0, |byte| usize::from(byte | 0x20));
    (bytes.len() * 7 + at(0) * 5 + at(bytes.len() / 2) * 3 + at(bytes.len().wrapping_sub(1))) % PLACES
}

impl<'a> Fields<'a> {
    /// The fields of the outermost value of what [`scan`](super::scan::scan) read; none where it is not an object.
    pub(super) fn of(text: &'a str, nodes: &'a [Node]) -> Self {
        Self::at(text, nodes, Some(0).filter(|_| !nodes.is_empty()))
    }

    /// The fields of the value at a node; none where it is not an object.
    fn at(text: &'a str, nodes: &'a [Node], at: Option<usize>) -> Self {
        let at = at.filter(|at| nodes[*at].kind == Kind::Object);
        let mut fields = Self { text, nodes, at, index: [0; PLACES] };
        let begin = at.unwrap_or_default();
        for (key, value) in fields.members() {
            let entry = &mut fields.index[place(key)];
            let is_free = *entry == 0;
            *entry = u16::try_from(value - begin).ok().filter(|_| is_free).unwrap_or(SEVERAL);
        }
        fields
    }

    /// Every key with the place of its value.
    fn members(&self) -> impl Iterator<Item = (&'a str, usize)> + use<'a> {
        let (text, nodes) = (self.text, self.nodes);
        let (mut at, end) = self.at.map_or((0, 0), |at| (at + 1, nodes[at].next as usize));
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let (key, value) = (&text[nodes[at].start as usize..nodes[at].end as usize], at + 1);
            at = nodes[value].next as usize;
            Some((key, value))
        })
    }

    /// The node of a value; keys may be in camel case. Of a key given twice the last counts, as for most readers of JSON.
    fn get(&self, key: &str) -> Option<usize> {
        let at = match self.index[place(key)] {
            0 => return None,
            SEVERAL => self.members().filter(|(found, _)| found.eq_ignore_ascii_case(key)).last()?.1,
            behind => {
                let at = self.at? + usize::from(behind);
                Some(at).filter(|at| self.inside(self.nodes[at - 1]).eq_ignore_ascii_case(key))?
            }
        };
        (self.nodes[at].kind != Kind::Null).then_some(at)
    }

    /// What stands between the ends of a value; of a text, between its quotes.
    fn inside(&self, node: Node) -> &'a str {
        &self.text[node.start as usize..node.end as usize]
    }

    fn unescaped(&self, node: Node) -> Cow<'a, str> {
        if node.kind != Kind::Escaped {
            return Cow::Borrowed(self.inside(node));
        }
        let quoted = &self.text[node.start as usize - 1..=node.end as usize];
        Cow::Owned(serde_json::from_str(quoted).expect("escapes were checked by the scan"))
    }

    /// The object's own text.
    pub(super) fn source(&self) -> Option<&'a str> {
        self.at.map(|at| self.inside(self.nodes[at]))
    }

    /// The object's node.
    pub(super) fn node(&self) -> Option<usize> {
        self.at
    }

    /// Whether there is no object, or nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.members().next().is_none()
    }

    /// Whether there is a value of this name.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// An object within; without fields where there is none.
    pub(super) fn object(&self, key: &str) -> Self {
        Self::at(self.text, self.nodes, self.get(key))
    }

    /// The values of a list within.
    fn items(&self, key: &str) -> impl Iterator<Item = usize> + use<'a> {
        let nodes = self.nodes;
        let list = self.get(key).filter(|at| nodes[*at].kind == Kind::Array);
        let (mut at, end) = list.map_or((0, 0), |at| (at + 1, nodes[at].next as usize));
        std::iter::from_fn(move || {
            let item = (at < end).then_some(at)?;
            at = nodes[item].next as usize;
            Some(item)
        })
    }

    /// The objects of a list within.
    pub(super) fn objects(&self, key: &str) -> impl Iterator<Item = Self> + use<'a> {
        let (text, nodes) = (self.text, self.nodes);
        let is_object = move |at: &usize| nodes[*at].kind == Kind::Object;
        self.items(key).filter(is_object).map(move |at| Self::at(text, nodes, Some(at)))
    }

    /// The objects of a list within. Whatever else stands there is a finding.
    pub(super) fn only_objects(
        &self,
        key: &'static str,
        findings: &mut Vec<Finding>,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let is_other = |at: usize| !matches!(self.nodes[at].kind, Kind::Object | Kind::Null);
        if !self.has_list(key) || self.items(key).any(is_other) {
            self.doubt(key, findings);
        }
        self.objects(key)
    }

    /// The numbers of a list within; a value that is no number is missing.
    pub(super) fn numbers(&self, key: &str) -> Vec<Option<f64>> {
        self.items(key).map(|at| self.as_number(at, text::degrees)).collect()
    }

    /// Whether there is a list of this name.
    pub(super) fn has_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(|at| self.nodes[at].kind == Kind::Array)
    }

    /// The value as a finding repeats it.
    pub(super) fn told(&self, key: &str) -> Option<String> {
        let node = self.nodes[self.get(key)?];
        Some(self.unescaped(node).chars().take(TOLD_CHARS).collect())
    }

    fn doubt(&self, key: &'static str, findings: &mut Vec<Finding>) {
        if let Some(told) = self.told(key).filter(|told| !told.trim().is_empty()) {
            findings.push(Finding::dropped(FindingRule::UnreadableValue, key, told));
        }
    }

    /// A text, trimmed; a number counts as its digits. `None` when nothing is left.
    pub(super) fn text(&self, key: &'static str, findings: &mut Vec<Finding>) -> Option<Cow<'a, str>> {
        let node = self.nodes[self.get(key)?];
        match node.kind {
            Kind::Text | Kind::Number => {
                Some(self.inside(node).trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed)
            }
            Kind::Escaped => {
                let text = self.unescaped(node);
                let trimmed = text.trim();
                (!trimmed.is_empty()).then(|| trimmed.to_owned().into())
            }
            _ => {
                self.doubt(key, findings);
                None
            }
        }
    }

    fn as_number(&self, at: usize, read: fn(&str) -> Option<f64>) -> Option<f64> {
        let node = self.nodes[at];
        match node.kind {
            Kind::Number => self.inside(node).parse().ok().filter(|number: &f64| number.is_finite()),
            Kind::Text => read(self.inside(node)),
            _ => None,
        }
    }

    /// A finite number; a text counts if it is one, also with a decimal comma.
    pub(super) fn number(&self, key: &'static str, findings: &mut Vec<Finding>) -> Option<f64> {
        let number = self.as_number(self.get(key)?, text::number);
        if number.is_none() {
            self.doubt(key, findings);
        }
        number
    }

    /// A number of degrees; a comma in it is always a decimal one.
    pub(super) fn degrees(&self, key: &str) -> Option<f64> {
        self.as_number(self.get(key)?, text::degrees)
    }

    /// A whole number; a text counts if it is one.
    pub(super) fn integer(&self, key: &'static str, findings: &mut Vec<Finding>) -> Option<i64> {
        let at = self.get(key)?;
        let node = self.nodes[at];
        let plain =
            matches!(node.kind, Kind::Number | Kind::Text).then(|| self.inside(node).trim().parse().ok()).flatten();
        // Beyond 2⁵³ a float no longer stands for one integer.
        let whole = |number: &f64| number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        let integer = plain.or_else(|| self.as_number(at, text::number).filter(whole).map(|number| number as i64));
        if integer.is_none() {
            self.doubt(key, findings);
        }
        integer
    }

    /// A truth value; also written as a word or as 0 and 1.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let node = self.nodes[self.get(key)?];
        match (node.kind, self.inside(node)) {
            (Kind::True, _) | (Kind::Number | Kind::Text, "1") => Some(true),
            (Kind::False, _) | (Kind::Number | Kind::Text, "0") => Some(false),
            (Kind::Text, word) if word.eq_ignore_ascii_case("true") => Some(true),
            (Kind::Text, word) if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The id of a reference: the number itself (`StatusTypeID`), else the `ID` of the nested object (`StatusType`).
    pub(super) fn reference(&self, id_key: &'static str, object_key: &str, findings: &mut Vec<Finding>) -> Option<i64> {
        self.integer(id_key, findings).or_else(|| self.object(object_key).integer("ID", findings))
    }

    /// An instant; UTC where no offset is stated. Year 1 is how the source writes "not set".
    pub(super) fn time(&self, key: &'static str, findings: &mut Vec<Finding>) -> Option<Timestamp> {
        let node = self.nodes[self.get(key)?];
        let time = match node.kind {
            Kind::Text => text::time(self.inside(node)),
            Kind::Escaped => text::time(&self.unescaped(node)),
            Kind::Milliseconds => self.inside(node).parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            _ => None,
        };
        if time.is_none() {
            self.doubt(key, findings);
        }
        time.filter(|time| time.as_second() >= YEAR_2_BEGINS_S)
    }
}

/// 0002-01-01T00:00:00Z in seconds since 1970.
const YEAR_2_BEGINS_S: i64 = -62_104_060_800;

/// Hands the fields of a JSON text to `test`.
#[cfg(test)]
pub(super) fn with<T>(text: &str, test: impl FnOnce(Fields<'_>) -> T) -> T {
    let mut nodes = Vec::new();
    super::scan::scan(text, &mut nodes).expect(text);
    test(Fields::of(text, &nodes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_another_type_are_read_as_far_as_they_go() {
        let text = r#"{"number": "47,5", "word": "abc", "integer": 5.0, "digits": " 12 ", "half": 1.5, "blank": "  ",
            "list": [1, {"ID": 2}, null], "huge": 1e300, "infinite": "inf", "thousand": "1,000", "yes": "True", "no": 0,
            "escaped": " \u00e4\n", "nothing": null, "twice": 1, "twice": 2, "camelCase": {"id": 7}}"#;
        with(text, |fields| {
            let numbers = [
                ("number", Some(47.5), false),
                ("word", None, true),
                ("infinite", None, true),
                ("thousand", None, true),
                ("integer", Some(5.0), false),
                ("blank", None, false),
                ("list", None, true),
                ("nothing", None, false),
                ("missing", None, false),
            ];
            for (key, expected, is_found) in numbers {
                let mut findings = Vec::new();
                assert_eq!(fields.number(key, &mut findings), expected, "{key}");
                assert_eq!(!findings.is_empty(), is_found, "{key}: {findings:?}");
            }
            let integers =
                [("integer", Some(5)), ("digits", Some(12)), ("half", None), ("huge", None), ("twice", Some(2))];
            for (key, expected) in integers {
                assert_eq!(fields.integer(key, &mut Vec::new()), expected, "{key}");
            }
            let texts = [
                ("integer", Some("5.0")),
                ("blank", None),
                ("escaped", Some("ä")),
                ("word", Some("abc")),
                ("list", None),
            ];
            for (key, expected) in texts {
                assert_eq!(fields.text(key, &mut Vec::new()).as_deref(), expected, "{key}");
            }
            for (key, expected) in [("yes", Some(true)), ("no", Some(false)), ("word", None)] {
                assert_eq!(fields.flag(key), expected, "{key}");
            }
            assert_eq!(fields.objects("list").count(), 1);
            assert_eq!(fields.objects("word").count(), 0);
            assert!(fields.object("number").is_empty());
            assert_eq!(fields.reference("CamelCaseID", "CamelCase", &mut Vec::new()), Some(7));
            let mut findings = Vec::new();
            fields.number("list", &mut findings);
            assert_eq!(findings, [Finding::dropped(FindingRule::UnreadableValue, "list", "[1, {\"ID\": 2}, null]")]);
        });
    }

    #[test]
    fn a_key_is_found_among_any_number_in_any_case() {
        let members: Vec<String> = (0..40_000).map(|number| format!("\"Key{number}\": {number}")).collect();
        with(&format!("{{{}}}", members.join(",")), |fields| {
            for number in [0, 1, 63, 64, 32_766, 32_767, 39_999] {
                let (key, camel) = (format!("Key{number}"), format!("key{number}"));
                assert_eq!(fields.degrees(&key), Some(f64::from(number)), "{key}");
                assert_eq!(fields.degrees(&camel), Some(f64::from(number)), "{camel}");
            }
            assert_eq!(fields.degrees("Key40000"), None);
        });
    }

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        let cases = [
            (r#""2019-08-28T19:49:00Z""#, Some("2019-08-28T19:49:00Z"), 0),
            (r#""2026-03-27T17:55:44.1Z""#, Some("2026-03-27T17:55:44.1Z"), 0),
            (r#""2019-08-28T19:49:00""#, Some("2019-08-28T19:49:00Z"), 0),
            (r#""2019-08-28T21:49:00+02:00""#, Some("2019-08-28T19:49:00Z"), 0),
            (r#""2019-08-28""#, Some("2019-08-28T00:00:00Z"), 0),
            (r#"{"$date": "2019-08-28T19:49:00Z"}"#, Some("2019-08-28T19:49:00Z"), 0),
            (r#"{"$date": {"$numberLong": "1586146060000"}}"#, Some("2020-04-06T04:07:40Z"), 0),
            (r#""8/28/2019 7:49:00 PM""#, Some("2019-08-28T19:49:00Z"), 0),
            (r#""28/08/2019 19:49:00""#, Some("2019-08-28T19:49:00Z"), 0),
            (r#""08/09/2019 19:49:00""#, None, 1),
            (r#""0001-01-01T00:00:00""#, None, 0),
            (r#""""#, None, 0),
            (r#""yesterday""#, None, 1),
            ("5", None, 1),
        ];
        for (value, expected, found) in cases {
            with(&format!("{{\"T\": {value}}}"), |fields| {
                let mut findings = Vec::new();
                let time = fields.time("T", &mut findings);
                assert_eq!(time.map(|time| time.to_string()).as_deref(), expected, "{value}");
                assert_eq!(findings.len(), found, "{value}");
            });
        }
    }
}
