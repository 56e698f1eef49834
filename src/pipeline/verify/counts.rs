//! Counts: whether the manifest counts what the tables have.

use std::collections::BTreeSet;

use super::Checks;
use super::facts::{Counts, Facts};
use crate::domain::{ChangeClass, LayerAccount, Manifest, SourceAccount};
use crate::pipeline::tabulate::tables::{FINDINGS, LINKS, REJECTS, SOURCES, holds_places};

/// Checks every count that the tables can tell; a table that older versions did not write is not asked.
pub(super) fn check(manifest: &Manifest, facts: &Facts, checks: &mut Checks) {
    let damaged = |table: &str| facts.damaged.contains(table);
    for account in &manifest.sources {
        let balances = if account.balances() {
            Ok("read = kept + rejected + left out".to_owned())
        } else {
            Err(format!("read {} is not kept + rejected + left out", account.read))
        };
        checks.result("balance", &format!("source {}", account.name), balances);
        of_source(manifest, account, facts, checks);
    }
    for account in &manifest.layers {
        of_layer(account, facts, checks);
    }
    if manifest.tables.keys().any(|table| damaged(table)) {
        checks.skipped("counts", "manifest.json", "not every table can be relied on");
        return;
    }
    let mut stated: Counts = manifest.counts.clone();
    // Pairs that were compared and not kept leave no row.
    stated.remove("pairs_compared");
    let mut found = Counts::new();
    if manifest.tables.keys().any(|table| holds_places(table)) {
        found.insert("places".to_owned(), facts.places.len() as u64);
    }
    if manifest.tables.contains_key(&*LINKS.name) {
        for (name, verdict) in [("pairs_matched", "match"), ("pairs_to_review", "review")] {
            found.insert(name.to_owned(), facts.counts.get(&format!("verdict {verdict}")).copied().unwrap_or_default());
        }
    }
    let is_change = |name: &str| name.starts_with("changes_") || name.starts_with("layers/");
    found.extend(facts.counts.iter().filter(|(name, _)| is_change(name)).map(|(name, rows)| (name.clone(), *rows)));
    // Other versions may count what this one does not know.
    let known = |name: &String| {
        found.contains_key(name)
            || name.starts_with("layers/")
            || name.strip_prefix("changes_").is_some_and(|class| ChangeClass::from_name(class).is_some())
    };
    stated.retain(|name, _| known(name));
    compare("counts", "manifest.json", &stated, &found, checks);
}

/// Records of a source by licence, reject, finding and repair.
fn of_source(manifest: &Manifest, account: &SourceAccount, facts: &Facts, checks: &mut Checks) {
    let of = format!("source {}", account.name);
    let mut stated = Counts::from([("kept".to_owned(), account.kept)]);
    let counts = [
        ("license", &account.licenses, &SOURCES),
        ("reject", &account.rejected, &REJECTS),
        ("finding", &account.findings, &FINDINGS),
        ("repair", &account.repaired, &FINDINGS),
    ];
    let mut asked = vec!["kept"];
    for (what, counts, table) in counts {
        if facts.damaged.contains(&*table.name) {
            checks.skipped("counts", &of, &format!("`{}` cannot be relied on", table.name));
            return;
        }
        if manifest.tables.contains_key(&*table.name) {
            asked.push(what);
            stated.extend(counts.iter().map(|(name, count)| (format!("{what} {name}"), *count)));
        }
    }
    let mut found = facts.by_source.get(&account.name).cloned().unwrap_or_default();
    found.retain(|name, _| asked.contains(&name.split(' ').next().unwrap_or_default()));
    compare("counts", &of, &stated, &found, checks);
}

/// Rows and rejects of a layer.
fn of_layer(account: &LayerAccount, facts: &Facts, checks: &mut Checks) {
    let (of, table) = (format!("layer {}", account.name), format!("layers/{}", account.name));
    let balances = if account.balances() {
        Ok("read = kept + rejected + left out".to_owned())
    } else {
        Err(format!("read {} is not kept + rejected + left out", account.read))
    };
    checks.result("balance", &of, balances);
    if facts.damaged.contains(&table) || facts.damaged.contains(&*REJECTS.name) {
        checks.skipped("counts", &of, &format!("`{table}` or `rejects` cannot be relied on"));
        return;
    }
    let rows = facts.counts.get(&format!("rows of layer {}", account.name)).copied().unwrap_or_default();
    let mut found = facts.by_layer.get(&account.name).cloned().unwrap_or_default();
    found.insert("rows".to_owned(), rows);
    let mut stated: Counts = account.rejects.clone();
    stated.insert("rows".to_owned(), account.rows);
    compare("counts", &of, &stated, &found, checks);
}

/// Whether two sets of counts are the same; what is not there counts as none.
fn compare(check: &'static str, of: &str, stated: &Counts, found: &Counts, checks: &mut Checks) {
    let names: BTreeSet<&String> = stated.keys().chain(found.keys()).collect();
    let count = |counts: &Counts, name: &String| counts.get(name).copied().unwrap_or_default();
    let differ = names.iter().filter(|name| count(stated, name) != count(found, name));
    let wrong: Vec<String> = differ
        .map(|name| format!("{name}: {} in the tables, {} in the manifest", count(found, name), count(stated, name)))
        .collect();
    checks.result(
        check,
        of,
        if wrong.is_empty() { Ok(format!("{} counts", names.len())) } else { Err(wrong.join("; ")) },
    );
}
