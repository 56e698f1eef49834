//! Page: an explanation as HTML that needs no other file, in light and in dark.

use std::fmt::{self, Write};

use super::chart::waterfall;
use super::sketch;
use super::text::{compared, origin, outcome, plain, rivals, veto_note};
use crate::pipeline::explain::{Explanation, PairTold, PlaceTold, RecordTold};

const STYLE: &str = include_str!("page.css");

/// The explanation as a page; every element is closed, so that it is XML too.
pub(super) fn of(told: &Explanation) -> String {
    page(told).expect("text in memory can be written")
}

fn page(told: &Explanation) -> Result<String, fmt::Error> {
    let asked = match (told.asked, told.place.as_ref(), told.pairs.first(), told.records.first()) {
        ("place", Some(place), ..) => format!("place {}", place.id),
        ("pair", _, Some(pair), _) => format!("{} and {}", pair.a, pair.b),
        (_, _, _, Some(record)) => record.record.clone(),
        _ => told.absent.iter().map(|absent| absent.record.as_str()).collect::<Vec<_>>().join(" and "),
    };
    let title = escape(&asked);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>{title}</title>\n\
         <style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n<p>Snapshot {}, made by poimill {}.</p>\n",
        escape(&told.snapshot),
        escape(&told.made_by)
    );
    let mut add = |text: String| page.push_str(&text);
    for note in &told.notes {
        add(format!("<p class=\"note\">{}</p>\n", escape(note)));
    }
    for absent in &told.absent {
        let code = absent.code.as_deref().map_or(String::new(), |code| format!(" as <code>{}</code>", escape(code)));
        add(format!(
            "<p class=\"note\"><b>{}</b> is in no place: {}{code}: {}</p>\n",
            escape(&absent.record),
            absent.state,
            escape(&absent.message)
        ));
    }
    if let Some(about) = &told.place {
        add(place(about, &told.records)?);
    }
    let find = |name: &str| told.records.iter().find(|record| record.record == name);
    for about in &told.pairs {
        if let (Some(a), Some(b)) = (find(&about.a), find(&about.b)) {
            add(pair(about, a, b)?);
        }
    }
    if told.pairs.is_empty() {
        let records: Vec<&RecordTold> = told.records.iter().collect();
        add(side_by_side(&records)?);
    }
    Ok(page + "</body></html>\n")
}

fn pair(about: &PairTold, a: &RecordTold, b: &RecordTold) -> Result<String, fmt::Error> {
    let class = if about.together { "one" } else { "two" };
    let mut text = format!(
        "<section>\n<h2>{} and {}</h2>\n<p class=\"{class}\"><b>{}</b>: {}</p>\n",
        escape(&about.a),
        escape(&about.b),
        outcome(about),
        escape(&about.why)
    );
    let notes = veto_note(about).into_iter().chain(rivals(about));
    writeln!(text, "<p class=\"small\">Figures {}; model <code>{}</code>.</p>\n<ul>", origin(about), about.model)?;
    for note in notes {
        writeln!(text, "<li>{}</li>", escape(&note))?;
    }
    text += "</ul>\n";
    text += &waterfall(about);
    writeln!(text, "<div class=\"beside\">{}{}</div>", side_by_side(&[a, b])?, sketch::of(about, a, b))?;
    text += "<details><summary>What the features mean</summary><dl>\n";
    for feature in &about.features {
        writeln!(text, "<dt>{}</dt><dd>{}</dd>", escape(&feature.name), escape(feature.meaning))?;
    }
    Ok(text + "</dl></details>\n</section>\n")
}

/// Records as columns, a row for each thing that any of them says.
fn side_by_side(records: &[&RecordTold]) -> Result<String, fmt::Error> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut set = |name: &str, at: usize, value: String| {
        if value.is_empty() {
            return;
        }
        let found = rows.iter().position(|(known, _)| known == name);
        let row = found.unwrap_or_else(|| {
            rows.push((name.to_owned(), vec![String::new(); records.len()]));
            rows.len() - 1
        });
        rows[row].1[at] = value;
    };
    for (at, record) in records.iter().enumerate() {
        set("place", at, record.place_id.clone());
        set("category", at, record.category.clone());
        set("name", at, record.name.clone().unwrap_or_default());
        set("position", at, format!("{:.6} {:.6}", record.lon, record.lat));
        for (name, value) in compared(record) {
            set(&format!("compared: {name}"), at, plain(value));
        }
        set("updated", at, record.update_time.clone().unwrap_or_default());
        set("licence", at, record.license.clone().unwrap_or_default());
        set("repaired", at, record.repairs.join(", "));
        set("parts", at, record.parts.join(", "));
    }
    let mut text = String::from("<table><thead><tr><th></th>");
    for record in records {
        write!(text, "<th>{}</th>", escape(&record.record))?;
    }
    text += "</tr></thead><tbody>\n";
    for (name, values) in rows {
        write!(text, "<tr><th>{}</th>", escape(&name))?;
        for value in values {
            write!(text, "<td>{}</td>", escape(&value))?;
        }
        text += "</tr>\n";
    }
    Ok(text + "</tbody></table>\n")
}

fn place(about: &PlaceTold, records: &[RecordTold]) -> Result<String, fmt::Error> {
    let mut text = String::from("<section>\n");
    for row in &about.rows {
        if about.rows.len() > 1 {
            writeln!(text, "<h2>In {}</h2>", escape(&row.table))?;
        }
        text += "<table><thead><tr><th></th><th>value</th><th>from</th></tr></thead><tbody>\n";
        for (name, value) in &row.columns {
            let (value, gave) = (escape(&plain(value)), escape(&row.givers(name).join(", ")));
            writeln!(text, "<tr><th>{}</th><td>{value}</td><td>{gave}</td></tr>", escape(name))?;
        }
        text += "</tbody></table>\n";
    }
    if !about.conflicts.is_empty() {
        text += "<h2>Conflicts</h2>\n<table><thead><tr><th>attribute</th><th>record</th><th>says</th><th>taken</th><th>of</th>\
                 <th>by rule</th></tr></thead><tbody>\n";
        for conflict in &about.conflicts {
            writeln!(
                text,
                "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&conflict.property),
                escape(&conflict.record),
                escape(&plain(&conflict.value)),
                escape(&plain(&conflict.taken_value)),
                escape(&conflict.taken_record),
                escape(&conflict.rule)
            )?;
        }
        text += "</tbody></table>\n";
    }
    let members: Vec<&RecordTold> = records.iter().filter(|record| record.place_id == about.id).collect();
    Ok(text + "<h2>Its records</h2>\n" + &side_by_side(&members)? + "</section>\n")
}

/// Text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are not allowed, not even written as numbers.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
