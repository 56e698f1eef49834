//! Osmium's side: runs `osmium export` with the same area rules and reads its lines as they come.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use poimill::domain::AreaRules;
use serde_json::json;

use super::shape::{Position, Shape, units};
use super::{OsmType, Print};

/// A fingerprint of every feature that osmium makes of this extract.
pub(super) fn prints(extract: &Path, rules: &AreaRules) -> Vec<Print> {
    let config = tempfile::NamedTempFile::new().expect("a file");
    serde_json::to_writer(&config, &configuration(rules)).expect("the configuration is written");
    let mut osmium = Command::new("osmium")
        .args(["export", "--no-progress", "-f", "geojsonseq", "-x", "print_record_separator=false", "-a", "type,id"])
        .arg("-c")
        .arg(config.path())
        .arg(extract)
        .stdout(Stdio::piped())
        .spawn()
        .expect("osmium starts");
    let mut lines = BufReader::with_capacity(1 << 20, osmium.stdout.take().expect("it is piped"));
    let mut prints = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).expect("osmium writes text") > 0 {
        let feature = feature(&line).unwrap_or_else(|| panic!("not a feature as osmium writes them: {line}"));
        prints.extend(print(feature));
        line.clear();
    }
    assert!(osmium.wait().expect("osmium ends").success(), "osmium export failed on {}", extract.display());
    prints
}

/// Area rules in osmium's words. Without a rule for lines, whatever is no area is a line.
fn configuration(rules: &AreaRules) -> serde_json::Value {
    let (area, line) = rules.expressions();
    json!({ "area_tags": area, "linear_tags": if line.is_empty() { json!(null) } else { json!(line) } })
}

/// Type, id, geometry and tags.
type Feature<'a> = (OsmType, i64, Shape, Vec<(Cow<'a, str>, Cow<'a, str>)>);

fn print((osm_type, id, shape, tags): Feature<'_>) -> Option<Print> {
    Print::of(osm_type, id, shape, tags.iter().map(|(key, value)| (&**key, &**value)).collect())
}

/// The feature of one line; `None` when it has another form than osmium gives it.
///
/// Written by hand because the line is a quarter of a gigabyte long before the tests are optimised.
fn feature(line: &str) -> Option<Feature<'_>> {
    let mut rest = Rest(line);
    rest.literal(r#"{"type":"Feature","geometry":{"type":"#)?;
    let kind = rest.text()?;
    rest.literal(r#","coordinates":"#)?;
    let shape = match &*kind {
        "Point" => Shape::Point(rest.position()?),
        "LineString" => Shape::Line(rest.list(Rest::position)?),
        "MultiPolygon" => Shape::Area(rest.list(|rest| rest.list(|rest| rest.list(Rest::position)))?),
        _ => return None,
    };
    rest.literal(r#"},"properties":{"@type":"#)?;
    let osm_type = OsmType::parse(&rest.text()?);
    rest.literal(r#","@id":"#)?;
    let id = rest.number(',')?;
    let mut tags = Vec::new();
    loop {
        let key = rest.text()?;
        rest.literal(":")?;
        tags.push((key, rest.text()?));
        if rest.literal(",").is_none() {
            break;
        }
    }
    rest.literal("}}\n")?;
    Some((osm_type, id, shape, tags))
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let inside = self.0.strip_prefix('"')?;
        let mut end = inside.find('"')?;
        while inside[..end].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            end += 1 + inside[end + 1..].find('"')?;
        }
        let quoted = &self.0[..end + 2];
        self.0 = &self.0[end + 2..];
        if inside[..end].contains('\\') {
            serde_json::from_str(quoted).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(&inside[..end]))
        }
    }

    /// A number and the character behind it.
    fn number<T: FromStr>(&mut self, end: char) -> Option<T> {
        let (number, rest) = self.0.split_once(end)?;
        self.0 = rest;
        number.parse().ok()
    }

    fn position(&mut self) -> Option<Position> {
        self.literal("[")?;
        let lon = units(self.number(',')?);
        Some((lon, units(self.number(']')?)))
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.literal("[")?;
        let mut items = vec![item(self)?];
        while self.literal(",").is_some() {
            items.push(item(self)?);
        }
        self.literal("]")?;
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_osmium_are_read() {
        let cases = [
            (
                r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[7.4234985,-1e-07]},"properties":{"@type":"node","@id":-7,"a \"b\\":"c\"","d":"ü"}}"#,
                Print::of(OsmType::Node, -7, Shape::Point((74_234_985, -1)), vec![("a \"b\\", "c\""), ("d", "ü")]),
            ),
            (
                r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0.5,1.0],[0.5,2.0]]},"properties":{"@type":"way","@id":1,"a":""}}"#,
                Print::of(
                    OsmType::Way,
                    1,
                    Shape::Line(vec![(5_000_000, 10_000_000), (5_000_000, 20_000_000)]),
                    vec![("a", "")],
                ),
            ),
            (
                r#"{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]},"properties":{"@type":"relation","@id":2,"a":"b"}}"#,
                Print::of(
                    OsmType::Relation,
                    2,
                    Shape::Area(vec![vec![vec![(0, 0), (10_000_000, 10_000_000), (10_000_000, 0)]]]),
                    vec![("a", "b")],
                ),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(feature(&format!("{line}\n")).map(print), Some(expected), "{line}");
        }
        assert_eq!(feature("{}\n"), None);
    }

    #[test]
    fn without_rules_for_lines_osmium_makes_lines_of_the_rest() {
        let rules = |text: &str| configuration(&AreaRules::parse(text).expect("rules"));
        assert_eq!(rules(r#"area = ["a=b,c"]"#), json!({ "area_tags": ["a=b,c"], "linear_tags": null }));
        assert_eq!(
            rules(
                r#"area = ["a"]
line = ["b"]"#
            ),
            json!({ "area_tags": ["a"], "linear_tags": ["b"] })
        );
    }
}
